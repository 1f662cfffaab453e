"""Builtin functions as the strict checker knows them (docs/reference.md, 13).

Each row has the number of arguments (least, most; most -1 for any number) and a rule for the result: a type, or the
name of a rule below that looks at the arguments' types.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mochic.sema.strict.context import Strict
from mochic.sema.strict.types import (
    ANY, ANY_K, BIGINT, BIGINT_K, BOOL, FLOAT, FLOAT_K, FUN_K, GROUP_K, INT, INT64, LIST_K, MAP_K, STRING, STRING_K,
    UNIT, SType, fits, is_numeric, list_of, opt_of, text,
)  # fmt: skip
from mochic.syntax import ast

Rule = Callable[[Strict, ast.Call, list[SType]], SType]


def element_of(t: SType) -> SType:
    """What a list or group holds."""
    return t.args[0] if t.kind in (LIST_K, GROUP_K) else ANY


def _collection(t: SType) -> bool:
    return t.kind in (LIST_K, GROUP_K, ANY_K)


def _check_argument(strict: Strict, e: ast.Call, i: int, want: SType, got: SType) -> None:
    if not fits(want, got):
        raise strict.fail("T007", e.lo, e.hi, i + 1, text(want), text(got))


def _numbers(strict: Strict, e: ast.Call, t: SType, code: str) -> SType:
    x = element_of(t)
    if not _collection(t) or not (is_numeric(x) or x.kind == ANY_K):
        raise strict.fail(code, e.lo, e.hi, text(t))
    return x


def length_of(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    if a[0].kind not in (LIST_K, MAP_K, STRING_K, GROUP_K, ANY_K):
        raise strict.fail("T036", e.lo, e.hi, text(a[0]))
    return INT


def count_of(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    if not _collection(a[0]):
        raise strict.fail("T037", e.lo, e.hi, text(a[0]))
    return INT


def mean_of(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    _numbers(strict, e, a[0], "T038")
    return FLOAT


def sum_of(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    return _numbers(strict, e, a[0], "T041")


def extreme_of(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    return element_of(a[0])


def append_to(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    t = a[0]
    if t.kind == ANY_K:
        return list_of(ANY)
    _check_argument(strict, e, 0, list_of(ANY), t)
    x = element_of(t)
    if x.kind == ANY_K:
        return t
    _check_argument(strict, e, 1, x, a[1])
    return t


def concatenation(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    if not a:
        return list_of(ANY)
    for i, t in enumerate(a):
        _check_argument(strict, e, i, list_of(ANY) if not i else a[0], t)
    return a[0] if a[0].kind == LIST_K else list_of(ANY)


def first_of(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    return opt_of(element_of(a[0]))


def same_type(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    return a[0]


def items_of(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    return list_of(element_of(a[0]))


def keys_of(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    return list_of(a[0].args[0] if a[0].kind == MAP_K else ANY)


def values_of(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    return list_of(a[0].args[1] if a[0].kind == MAP_K else ANY)


def reduction(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    return a[2] if a[1].kind != FUN_K else a[1].args[-1]


def absolute_value(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    return a[0] if is_numeric(a[0]) else ANY


def fraction_part(strict: Strict, e: ast.Call, a: list[SType]) -> SType:
    return BIGINT if a[0].kind >= BIGINT_K and a[0].kind < FLOAT_K else INT


BUILTINS: Final[dict[str, tuple[int, int, SType | Rule]]] = {
    "print": (0, -1, UNIT), "len": (1, 1, length_of), "count": (1, 1, count_of), "avg": (1, 1, mean_of),
    "sum": (1, 1, sum_of), "min": (1, 1, extreme_of), "max": (1, 1, extreme_of), "append": (2, 2, append_to),
    "push": (2, 2, append_to), "concat": (1, -1, concatenation), "first": (1, 1, first_of),
    "reverse": (1, 1, same_type), "distinct": (1, 1, same_type), "collect": (1, 1, items_of), "keys": (1, 1, keys_of),
    "values": (1, 1, values_of), "range": (1, 3, list_of(INT)), "now": (0, 0, INT64), "json": (1, 1, UNIT),
    "to_json": (1, 1, STRING), "str": (1, 1, STRING), "int": (1, 1, INT), "parseIntStr": (1, 2, INT),
    "upper": (1, 1, STRING), "lower": (1, 1, STRING), "trim": (1, 1, STRING), "contains": (2, 2, BOOL),
    "split": (2, 2, list_of(STRING)), "join": (2, 2, STRING), "substring": (3, 3, STRING), "substr": (3, 3, STRING),
    "padStart": (3, 3, STRING), "indexOf": (2, 2, INT), "repeat": (2, 2, STRING), "exists": (1, 1, BOOL),
    "round": (1, 2, FLOAT), "abs": (1, 1, absolute_value), "ceil": (1, 1, FLOAT), "floor": (1, 1, FLOAT),
    "reduce": (3, 3, reduction), "num": (1, 1, fraction_part), "denom": (1, 1, fraction_part),
    "sha256": (1, 1, list_of(INT)), "input": (0, 0, STRING), "eval": (1, 1, ANY),
}  # fmt: skip


def builtin_call(strict: Strict, e: ast.Call, name: str) -> SType:
    """A call of a builtin: number of arguments (T039), then its rule."""
    least, most, rule = BUILTINS[name]
    n = len(e.args)
    if n < least or 0 <= most < n:
        raise strict.fail("T039", e.lo, e.hi, name, least if n < least else most, n)
    types = [strict.expr(a) for a in e.args]
    return rule if isinstance(rule, SType) else rule(strict, e, types)
