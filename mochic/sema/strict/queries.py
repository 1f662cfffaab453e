"""Queries in the strict mode (docs/reference.md, 5.6)."""

from __future__ import annotations


from mochic.sema.tree import key_name, parts, scalar_aggregate
from mochic.sema.strict.builtins import element_of
from mochic.sema.strict.context import Strict
from mochic.sema.strict.effects import BUILTIN_EFFECTS
from mochic.sema.strict.types import (
    ANY, ANY_K, BOOL_K, FLOAT, GROUP_K, INT, INT64_K, INT_K, LIST_K, STRING, STRUCT_K, SType, effects_text, fits,
    is_hashable, is_ordered, list_of, map_of, opt_of, text, unify,
)  # fmt: skip
from mochic.syntax import ast


def query(strict: Strict, e: ast.Query, want: SType | None) -> SType:
    before = strict.narrowed
    strict.scopes.append({})
    names: list[str] = []
    for i, f in enumerate(e.froms):
        t = strict.expr(f.source)
        if t.kind not in (LIST_K, GROUP_K, ANY_K):
            at: ast.Node = f if i else e
            raise strict.fail("T034" if i else "T032", at.lo, at.hi)
        strict.declare(f.var, element_of(t), True)
        names.append(f.var)
    for j in e.joins:
        join_clause(strict, j, names)
    if e.where is not None:
        predicate(strict, e.where, "where", "T033")
        strict.enter(strict.facts(e.where, True))
    if e.group_var is not None:
        group_clause(strict, e, names)
    if e.having is not None:
        predicate(strict, e.having, "having", "T042")
    if e.sort is not None:
        t = strict.expr(e.sort)
        if not is_ordered(t) and not isinstance(e.sort, ast.MapLit):
            raise strict.fail("T056", e.sort.lo, e.sort.hi, text(t))
    for what, x in (("skip", e.skip), ("take", e.take)):
        if x is not None:
            t = strict.expr(x)
            if t.kind not in (INT_K, INT64_K, ANY_K):
                raise strict.fail("T055", x.lo, x.hi, what, text(t))
    result = select_clause(strict, e, want)
    strict.scopes.pop()
    strict.leave(before)
    return result


def join_clause(strict: Strict, j: ast.JoinClause, names: list[str]) -> None:
    t = strict.expr(j.source)
    if t.kind not in (LIST_K, ANY_K):
        raise strict.fail("T034", j.lo, j.hi)
    v = strict.declare(j.var, element_of(t), True)
    on = strict.expr(j.on)
    if on.kind not in (BOOL_K, ANY_K):
        raise strict.fail("T035", j.on.lo, j.on.hi)
    scope = strict.scopes[-1]
    if j.side in ("left", "outer"):
        v.type = opt_of(v.type)
    if j.side in ("right", "outer"):
        for name in names:
            scope[name].type = opt_of(scope[name].type)
    names.append(j.var)


def predicate(strict: Strict, e: ast.Expr, clause: str, code: str) -> None:
    """A condition on rows: boolean, and without effects."""
    t = strict.expr(e)
    if t.kind not in (BOOL_K, ANY_K):
        raise strict.fail(code, e.lo, e.hi)
    work: list[ast.Node] = [e]
    while work:
        n = work.pop(0)
        if isinstance(n, ast.Call) and isinstance(n.fn, ast.Ident):
            name = n.fn.name
            v = strict.find(name)
            effects = v.type.effects if v is not None else BUILTIN_EFFECTS.get(name, 0)
            if effects:
                raise strict.fail("T044", n.lo, n.hi, name, effects_text(effects), clause)
        if not isinstance(n, ast.FunExpr):
            work = parts(n) + work


def group_clause(strict: Strict, e: ast.Query, names: list[str]) -> None:
    assert e.group_var is not None
    keys = [strict.expr(k) for k in e.group_keys]
    scope = strict.scopes[-1]
    if len(keys) == 1:
        key = keys[0]
    else:
        key = SType(STRUCT_K)
        for i, k in enumerate(e.group_keys):
            key.fields[key_name(k, i)] = keys[i]
    if len(names) == 1:
        item = scope[names[0]].type
    else:
        item = map_of(STRING, ANY)
    for name in names:
        del scope[name]
    if isinstance(e.group_keys[0], ast.MapLit):
        # The clauses after the grouping may name the entries of the key.
        for k, _ in e.group_keys[0].entries:
            if isinstance(k, ast.StrLit) and strict.find(k.value) is None:
                strict.declare(k.value, keys[0].args[1], False)
    strict.declare(e.group_var, SType(GROUP_K, "", (item, key)), True)


def select_clause(strict: Strict, e: ast.Query, want: SType | None) -> SType:
    sel = e.select
    scalar = scalar_aggregate(e)
    if scalar is not None and strict.find(scalar[0]) is None:
        name, x = scalar
        t = strict.expr(x)
        return INT if name == "count" else FLOAT if name == "avg" else t
    row = want.args[0] if want is not None and want.kind == LIST_K else None
    t = strict.expr(sel, row)
    if row is not None and not unify(row, t) and fits(row, t):
        t = row
    if e.distinct and not is_hashable(t):
        raise strict.fail("T057", sel.lo, sel.hi, text(t))
    return list_of(t)
