"""Operators in the strict mode (docs/reference.md, 5.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mochic.sema.strict.context import Strict
from mochic.sema.strict.types import (
    ANY, ANY_K, BOOL, BOOL_K, FUN_K, GROUP_K, LIST_K, MAP_K, OPT_K, STRING, STRING_K, UNIT, VAR_K, SType, arithmetic,
    fits, is_numeric, text, unify,
)  # fmt: skip
from mochic.syntax import ast


def unary(strict: Strict, e: ast.Unary, want: SType | None) -> SType:
    t = strict.expr(e.operand)
    if t.kind == ANY_K or (t.kind == BOOL_K if e.op == "!" else is_numeric(t)):
        return t
    raise strict.fail("T021", e.lo, e.hi, e.op)


def binary(strict: Strict, e: ast.Binary, want: SType | None) -> SType:
    op = e.op
    if op in ("&&", "||"):
        l = strict.expr(e.left)
        before = strict.enter(strict.facts(e.left, op == "&&"))
        r = strict.expr(e.right)
        strict.leave(before)
        if l.kind in (BOOL_K, ANY_K) and r.kind in (BOOL_K, ANY_K):
            return BOOL
        raise operator_error(strict, e, l, r)
    l = strict.expr(e.left)
    if op == "??":
        r = strict.expr(e.right, want)
        if l.kind == ANY_K:
            return ANY
        if l.kind != OPT_K or not (unify(l, r) or fits(l.args[0], r)):
            raise operator_error(strict, e, l, r)
        if r.kind == OPT_K or l.args[0].kind == ANY_K:
            return r
        return l.args[0]
    r = strict.expr(e.right)
    return _OPERATORS[op](strict, e, l, r)


def operator_error(strict: Strict, e: ast.Binary, l: SType, r: SType) -> Exception:
    return strict.fail("T020", e.op_lo, e.op_lo + len(e.op), e.op, text(l), text(r))


def plus(strict: Strict, e: ast.Binary, l: SType, r: SType) -> SType:
    if STRING_K in (l.kind, r.kind) and l.kind in (STRING_K, ANY_K) and r.kind in (STRING_K, ANY_K):
        return STRING
    if l.kind == LIST_K and r.kind == LIST_K:
        if unify(l, r):
            return r if l.args[0].kind == ANY_K else l
        raise operator_error(strict, e, l, r)
    return arithmetic_operator(strict, e, l, r)


def arithmetic_operator(strict: Strict, e: ast.Binary, l: SType, r: SType) -> SType:
    if l.kind == ANY_K or r.kind == ANY_K:
        other = r if l.kind == ANY_K else l
        if other.kind in (OPT_K, BOOL_K, FUN_K, UNIT.kind):
            raise operator_error(strict, e, l, r)
        return ANY
    if l.kind == VAR_K and r.kind == VAR_K and l.name == r.name:
        return l
    t = arithmetic(l, r)
    if t is None:
        raise operator_error(strict, e, l, r)
    return t


def comparison(strict: Strict, e: ast.Binary, l: SType, r: SType) -> SType:
    if e.op in ("==", "!="):
        for side, t in ((e.right, l), (e.left, r)):
            if isinstance(side, ast.NoneLit) and t.kind not in (OPT_K, ANY_K):
                raise strict.fail("T059", e.op_lo, e.op_lo + len(e.op), text(t))
    if unify(l, r) or unify(r, l) or (is_numeric(l) and is_numeric(r)):
        return BOOL
    raise strict.fail("T013", e.op_lo, e.op_lo + len(e.op))


def membership(strict: Strict, e: ast.Binary, l: SType, r: SType) -> SType:
    k = r.kind
    if k == ANY_K or (k in (LIST_K, MAP_K, GROUP_K) and unify(r.args[0], l)):
        return BOOL
    if k == STRING_K and l.kind in (STRING_K, ANY_K):
        return BOOL
    raise operator_error(strict, e, l, r)


def set_operator(strict: Strict, e: ast.Binary, l: SType, r: SType) -> SType:
    if LIST_K in (l.kind, r.kind) and l.kind in (LIST_K, ANY_K) and r.kind in (LIST_K, ANY_K) and unify(l, r):
        return l if l.kind == LIST_K else r
    if l.kind == r.kind == ANY_K:
        return ANY
    raise operator_error(strict, e, l, r)


Operator = Callable[[Strict, ast.Binary, SType, SType], SType]
_OPERATORS: Final[dict[str, Operator]] = {
    "+": plus, "-": arithmetic_operator, "*": arithmetic_operator, "/": arithmetic_operator, "%": arithmetic_operator,
    "==": comparison, "!=": comparison, "<": comparison, "<=": comparison, ">": comparison, ">=": comparison,
    "in": membership, "union": set_operator, "union all": set_operator, "except": set_operator,
    "except all": set_operator, "intersect": set_operator, "intersect all": set_operator,
}  # fmt: skip
