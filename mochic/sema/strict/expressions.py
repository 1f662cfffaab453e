"""Literals, names and conditionals in the strict mode (docs/reference.md, 5.4), and what newer versions have."""

from __future__ import annotations

from typing import Final

from mochic.sema.strict.builtins import BUILTINS
from mochic.sema.strict.context import Strict
from mochic.sema.strict.effects import BUILTIN_EFFECTS
from mochic.sema.strict.types import (
    ANY, ANY_K, BOOL, BOOL_K, FLOAT, INT, LIST_K, MAP_K, NONE, OPT_K, STRING, STRUCT_K, SType, fits, fun_of, list_of,
    map_of, text, unify,
)  # fmt: skip
from mochic.syntax import ast
from mochic.syntax.tokens import INTERPOLATED


# -- literals ---------------------------------------------------------------------------------------


def int_literal(strict: Strict, e: ast.IntLit, want: SType | None) -> SType:
    return INT


def float_literal(strict: Strict, e: ast.FloatLit, want: SType | None) -> SType:
    return FLOAT


def string_literal(strict: Strict, e: ast.StrLit, want: SType | None) -> SType:
    return STRING


def bool_literal(strict: Strict, e: ast.BoolLit, want: SType | None) -> SType:
    return BOOL


def none_literal(strict: Strict, e: ast.NoneLit, want: SType | None) -> SType:
    return NONE


def list_literal(strict: Strict, e: ast.ListLit, want: SType | None) -> SType:
    if want is not None and want.kind == OPT_K:
        want = want.args[0]
    if want is not None and want.kind == LIST_K and want.args[0].kind != ANY_K:
        for x in e.elems:
            strict.check(x, want.args[0])
        return want
    if not e.elems:
        return want if want is not None and want.kind == LIST_K else list_of(ANY)
    first = strict.expr(e.elems[0])
    for x in e.elems[1:]:
        t = strict.expr(x)
        if want is None and not unify(first, t):
            raise strict.fail("T008", x.lo, x.hi, text(first), text(t))
    return list_of(first) if want is None or want.kind != LIST_K else want


def map_literal(strict: Strict, e: ast.MapLit, want: SType | None) -> SType:
    if want is not None and want.kind == OPT_K:
        want = want.args[0]
    if want is not None and want.kind == MAP_K:
        for k, v in e.entries:
            strict.check(k, want.args[0])
            strict.check(v, want.args[1])
        return want
    if want is not None and want.kind == STRUCT_K and not want.name:
        entries = {k.value: v for k, v in e.entries if isinstance(k, ast.StrLit)}
        if len(entries) == len(e.entries) and entries.keys() == want.fields.keys():
            for name, v in entries.items():
                strict.check(v, want.fields[name])
            return want
    key: SType | None = None
    val: SType | None = None
    for k, v in e.entries:
        kt, vt = strict.expr(k), strict.expr(v)
        key = kt if key is None else common(key, kt)
        val = vt if val is None else common(val, vt)
    return map_of(key or ANY, val or ANY)


def common(a: SType, b: SType) -> SType:
    """The type of entries that may have either type."""
    return a if b.kind != ANY_K and unify(a, b) else ANY


def struct_literal(strict: Strict, e: ast.StructLit, want: SType | None) -> SType:
    t = strict.types.get(e.name)
    if t is None or t.kind != STRUCT_K:
        for f in e.fields:
            strict.expr(f.value)
        return t if t is not None else map_of(STRING, ANY)
    field_values(strict, e, t, e.fields)
    given = {f.name for f in e.fields}
    missing = [n for n in t.fields if n not in given and e.name not in strict.agents]
    if missing:
        raise strict.fail("T053", e.lo, e.hi, e.name, names_text(missing))
    return t


def field_values(strict: Strict, at: ast.Node, t: SType, fields: list[ast.FieldInit]) -> None:
    """The values of a struct literal or an event."""
    for f in fields:
        want = t.fields.get(f.name)
        if want is None:
            raise strict.fail("T026", at.lo, at.hi, f.name, text(t))
        strict.check(f.value, want)


def names_text(names: list[str]) -> str:
    """`a`, `b`, and `c`: lists in messages."""
    quoted = [f"`{n}`" for n in names]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return ", ".join(quoted[:-1]) + ", and " + quoted[-1]


# -- names and conditionals -------------------------------------------------------------------------


def identifier(strict: Strict, e: ast.Ident, want: SType | None) -> SType:
    v = strict.find(e.name)
    if v is not None:
        return strict.type_of(v)
    row = BUILTINS.get(e.name)
    if row is None:
        raise strict.fail("T002", e.lo, e.hi, e.name)
    result = row[2] if isinstance(row[2], SType) else ANY
    return fun_of([ANY] * max(row[0], row[1]), result, BUILTIN_EFFECTS.get(e.name, 0))


def if_expression(strict: Strict, e: ast.IfExpr, want: SType | None) -> SType:
    c = strict.expr(e.cond)
    if c.kind not in (BOOL_K, ANY_K):
        raise strict.fail("T040", e.cond.lo, e.cond.hi)
    before = strict.enter(strict.facts(e.cond, True))
    a = strict.expr(e.then, want)
    strict.leave(before)
    if e.orelse is None:
        return a
    before = strict.enter(strict.facts(e.cond, False))
    b = strict.expr(e.orelse, want)
    strict.leave(before)
    if unify(a, b):
        return b if a.kind in (ANY_K,) or (a.kind == OPT_K and a.args[0].kind == ANY_K) else a
    return want if want is not None and fits(want, a) and fits(want, b) else ANY


# -- the newer language -----------------------------------------------------------------------------


def newer(strict: Strict, e: ast.Expr, want: SType | None) -> SType:
    raise strict.fail("M006", e.lo, e.hi, _NEWER[type(e)])


def interpolation(strict: Strict, e: ast.Interpolation, want: SType | None) -> SType:
    for m in INTERPOLATED.finditer(e.value):
        v = strict.find(m[1])
        if v is not None and not v.function:
            raise strict.fail("M006", e.lo, e.hi, f"`{m[0]}` in a string")
    return STRING


_NEWER: Final[dict[type, str]] = {
    ast.SetLit: "a set literal", ast.OMapLit: "`omap`", ast.Async: "`async`",
}  # fmt: skip
