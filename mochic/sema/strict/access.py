"""Parts of values in the strict mode: elements, slices, fields and casts (docs/reference.md, 5.4)."""

from __future__ import annotations

from typing import Final

from mochic.sema.strict.context import Strict, path_text
from mochic.sema.strict.types import (
    ANY, ANY_K, BIGINT_K, BOOL, GROUP_K, INT, INT64_K, INT_K, LIST_K, MAP_K, OPT_K, STRING, STRING_K, STRUCT_K, UNION_K,
    SType, fun_of, list_of, may_cast, opt_of, text, unify,
)  # fmt: skip
from mochic.syntax import ast

_INDEX_KINDS: Final = (INT_K, INT64_K, BIGINT_K, ANY_K)


def refuse_optional(strict: Strict, e: ast.Expr, obj: ast.Expr, t: SType) -> None:
    if t.kind == OPT_K:
        raise strict.fail("T058", e.lo, e.hi, path_text(obj) or "expression")


def index(strict: Strict, e: ast.Index, want: SType | None) -> SType:
    t = strict.expr(e.obj)
    if e.safe:
        if t.kind == ANY_K:
            return opt_of(ANY)
        if t.kind != OPT_K:
            raise strict.fail("T062", e.op_lo - 1, e.hi, text(t))
        t = t.args[0]
        if t.kind not in (LIST_K, MAP_K, ANY_K):
            raise strict.fail("T063", e.op_lo - 1, e.hi, text(t))
        return opt_of(element_type(strict, e, t))
    refuse_optional(strict, e, e.obj, t)
    return element_type(strict, e, t)


def element_type(strict: Strict, e: ast.Index, t: SType) -> SType:
    k = t.kind
    i = strict.expr(e.index)
    if k in (LIST_K, STRING_K):
        if i.kind not in _INDEX_KINDS:
            raise strict.fail("T015", e.op_lo, e.hi)
        return t.args[0] if k == LIST_K else STRING
    if k == MAP_K:
        if not unify(t.args[0], i):
            raise strict.fail("T019", e.op_lo, e.hi, text(t.args[0]), text(i))
        return opt_of(t.args[1])
    if k == ANY_K:
        return ANY
    raise strict.fail("T018", e.lo, e.hi, text(t))


def slice_expression(strict: Strict, e: ast.Slice, want: SType | None) -> SType:
    t = strict.expr(e.obj)
    refuse_optional(strict, e, e.obj, t)
    if t.kind == MAP_K:
        raise strict.fail("T017", e.op_lo, e.hi)
    if t.kind not in (LIST_K, STRING_K, ANY_K):
        raise strict.fail("T018", e.lo, e.hi, text(t))
    for part in (e.start, e.end, e.step):
        if part is not None and strict.expr(part).kind not in _INDEX_KINDS:
            raise strict.fail("T015", e.op_lo, e.hi)
    return t


def field(strict: Strict, e: ast.Field, want: SType | None) -> SType:
    t = strict.expr(e.obj)
    if e.safe:
        if t.kind == ANY_K:
            return opt_of(ANY)
        if t.kind != OPT_K:
            raise strict.fail("T060", e.name_lo - 2, e.hi, e.name, text(t))
        t = t.args[0]
        if t.kind not in (STRUCT_K, ANY_K, MAP_K):
            raise strict.fail("T061", e.name_lo - 2, e.hi, e.name, text(t))
        return opt_of(member_type(strict, e, t))
    refuse_optional(strict, e, e.obj, t)
    return member_type(strict, e, t)


def member_type(strict: Strict, e: ast.Field, t: SType) -> SType:
    k, name = t.kind, e.name
    if k == ANY_K:
        return ANY
    if k == STRUCT_K:
        found = t.fields.get(name) or t.methods.get(name)
        if found is not None:
            return found
        raise strict.fail("T026", e.lo, e.hi, name, text(t))
    if k == UNION_K:
        shared = [v.fields[name] for v in t.variants.values() if name in v.fields]
        if len(shared) == len(t.variants):
            return shared[0] if all(unify(shared[0], s) for s in shared) else ANY
        raise strict.fail("T026", e.lo, e.hi, name, text(t))
    if k == MAP_K:
        if name == "keys":
            return fun_of([], list_of(t.args[0]))
        if name == "get":
            return fun_of([t.args[0], t.args[1]], t.args[1])
        if t.args[0].kind in (STRING_K, ANY_K):
            return t.args[1]
    if k == GROUP_K and name in ("key", "items"):
        return t.args[1] if name == "key" else list_of(t.args[0])
    if k == STRING_K and name in ("contains", "padStart"):
        return fun_of([STRING], BOOL) if name == "contains" else fun_of([INT, STRING], STRING)
    if k in (GROUP_K, STRING_K):
        raise strict.fail("T026", e.lo, e.hi, name, text(t))
    raise strict.fail("T027", e.lo, e.hi, text(t))


def cast(strict: Strict, e: ast.Cast, want: SType | None) -> SType:
    to = strict.resolve(e.type)
    t = strict.expr(e.expr)
    if not may_cast(t, to):
        raise strict.fail("T046", e.op_lo, e.hi, text(t), text(to))
    return to
