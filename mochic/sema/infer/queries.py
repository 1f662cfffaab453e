"""Queries (docs/reference.md, 12).

Every clause's variables are fresh per row.  A group has kind GROUP: its Slot's `key` is the group key, its `elem`
the items.  With one source the items are the rows themselves, otherwise *rows*: structs with a field per query
variable (`StructInfo.row`), in which a name that is no field is looked up in the fields' values (12.5).
"""

from __future__ import annotations

from mochic.sema.builtins import BUILTINS
from mochic.sema.constraints import IterationConstraint
from mochic.sema.infer.context import Infer
from mochic.sema.symbols import KeyEntry, QueryInfo, Scope, StructInfo, Var
from mochic.sema.tree import key_name, scalar_aggregate
from mochic.sema.types import FLOAT_TY, GROUP, INT_TY, LIST, MAP, NIL, STR, STRUCT, Slot
from mochic.syntax import ast


def query_expression(inf: Infer, e: ast.Query) -> Slot:
    s = inf.solver
    info = QueryInfo()
    e.info = info
    outer = inf.scope
    narrow = inf.narrow
    inf.scope = Scope(outer, inf.fun)
    for f in e.froms:
        f.sym = query_variable(inf, f.var, inf.expr(f.source), f.lo, info)
    for j in e.joins:
        src = join_source(inf, j, outer)
        j.sym = query_variable(inf, j.var, src, j.lo, info)
        inf.expr(j.on)
        if j.side in ("right", "outer"):
            for v in info.vars[:-1]:
                s.grow(v.ty, NIL)
        if j.side in ("left", "outer"):
            s.grow(j.sym.ty, NIL)
    if e.where is not None:
        inf.expr(e.where)
    if e.group_var is not None:
        group_clause(inf, e, info)
    if e.having is not None:
        inf.expr(e.having)
    if e.sort is not None:
        inf.expr(e.sort)
    for x in (e.skip, e.take):
        if x is not None:
            inf.scope, inner = outer, inf.scope
            inf.expr(x)
            inf.scope = inner
    res = select_clause(inf, e, info)
    inf.scope = outer
    inf.narrow = narrow
    return res


def query_variable(inf: Infer, name: str, src: Slot, pos: int, info: QueryInfo) -> Var:
    v = inf.new_var(name, Slot(), True, inf.fun, "loop", pos)
    v.declared = True
    c = IterationConstraint(src, v.ty)
    inf.solver.attach(src, c)
    inf.checks.append(("T022", pos, pos + 1, None, src))
    inf.scope.names[name] = v
    info.vars.append(v)
    return v


def join_source(inf: Infer, j: ast.JoinClause, outer: Scope) -> Slot:
    """The source of a join may name the variables before it, except where rows may have no row before them."""
    if j.side not in ("right", "outer"):
        return inf.expr(j.source)
    inf.scope, inner = outer, inf.scope
    src = inf.expr(j.source)
    inf.scope = inner
    return src


def group_clause(inf: Infer, e: ast.Query, info: QueryInfo) -> None:
    s = inf.solver
    assert e.group_var is not None
    g = Slot(GROUP)
    if len(e.group_keys) == 1:
        s.flow(inf.expr(e.group_keys[0]), s.key(g))
    else:
        # Several keys: a map named after the last name of each key expression.
        key = Slot(MAP)
        for i, k in enumerate(e.group_keys):
            info.keys.append(key_name(k, i))
            s.grow(s.key(key), STR)
            s.flow(inf.expr(k), s.val(key))
        s.flow(key, s.key(g))
    if len(info.vars) == 1:
        s.flow(info.vars[0].ty, s.elem(g))
    else:
        row = StructInfo(len(inf.info.structs), "", e.lo)
        row.row = True
        inf.info.structs.append(row)
        for v in info.vars:
            row.fields[v.name] = Slot()
            s.flow(v.ty, row.fields[v.name])
        info.row = row
        s.grow(s.elem(g), STRUCT, row.bit)
    # The rows' variables are gone; only the group is in scope from here.
    parent = inf.scope.parent
    inf.scope = Scope(parent, inf.fun)
    v = inf.new_var(e.group_var, g, True, inf.fun, "loop", e.lo)
    v.declared = True
    inf.scope.names[e.group_var] = v
    info.group = v
    if len(e.group_keys) == 1 and isinstance(e.group_keys[0], ast.MapLit):
        for k, _ in e.group_keys[0].entries:
            if isinstance(k, ast.StrLit) and inf.lookup(k.value) is None:
                inf.scope.names[k.value] = KeyEntry(e.group_var)


def select_clause(inf: Infer, e: ast.Query, info: QueryInfo) -> Slot:
    sel = e.select
    s = inf.solver
    scalar = scalar_aggregate(e)
    if scalar is not None:
        info.aggregate = scalar[0]
        arg = inf.expr(scalar[1])
        rows = Slot(LIST)
        s.flow(arg, s.elem(rows))
        info.rows = rows
        sel.ty = arg
        if info.aggregate == "count":
            return INT_TY
        if info.aggregate == "avg":
            return FLOAT_TY
        return aggregate_type(inf, info.aggregate, rows)
    res = Slot(LIST)
    s.flow(inf.expr(sel), s.elem(res))
    info.rows = res
    return res


def aggregate_type(inf: Infer, name: str, rows: Slot) -> Slot:
    t: Slot = BUILTINS[name][2](inf.solver, [rows])
    return t
