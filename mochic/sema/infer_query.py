"""Type inference of queries (mochi-language.md section 12; see `infer`).

Every clause's variables are fresh per row.  A group has kind GROUP: its Ty's `key` is the group key, its `elem`
the items.  With one source the items are the rows themselves, otherwise *rows*: structs with a field per query
variable (`StructInfo.row`), in which a name that is no field is looked up in the fields' values (12.5).
"""

from __future__ import annotations

from mochic.sema.constraints import IterC
from mochic.sema.infer_call import CallInfer
from mochic.sema.symbols import KeyEntry, Scope, StructInfo, Var
from mochic.sema.types import (
    FLOAT_TY, GROUP, INT_TY, LIST, MAP, NIL, STR, STRUCT, Ty,
)  # fmt: skip
from mochic.syntax import ast

AGGREGATES = ("sum", "avg", "min", "max", "count")


class QueryInfo:
    """What lowering needs: the query's variables, the item struct of a grouped join, the scalar aggregate."""

    __slots__ = ("vars", "row", "group", "aggregate", "rows", "keys")

    def __init__(self) -> None:
        self.vars: list[Var] = []
        self.row: StructInfo | None = None
        self.group: Var | None = None
        self.aggregate = ""
        self.rows: Ty = Ty()  # the list of selected values
        self.keys: list[str] = []


class QueryInfer(CallInfer):
    def e_query(self, e: ast.Query) -> Ty:
        s = self.s
        info = QueryInfo()
        e.info = info
        outer = self.scope
        narrow = self.narrow
        self.scope = Scope(outer, self.fun)
        for f in e.froms:
            f.sym = self.query_var(f.var, self.expr(f.source), f.lo, info)
        for j in e.joins:
            src = self.join_source(j, outer)
            j.sym = self.query_var(j.var, src, j.lo, info)
            self.expr(j.on)
            if j.side in ("right", "outer"):
                for v in info.vars[:-1]:
                    s.grow(v.ty, NIL)
            if j.side in ("left", "outer"):
                s.grow(j.sym.ty, NIL)
        if e.where is not None:
            self.expr(e.where)
        if e.group_var is not None:
            self.group(e, info)
        if e.having is not None:
            self.expr(e.having)
        if e.sort is not None:
            self.expr(e.sort)
        for x in (e.skip, e.take):
            if x is not None:
                self.scope, inner = outer, self.scope
                self.expr(x)
                self.scope = inner
        res = self.selected(e, info)
        self.scope = outer
        self.narrow = narrow
        return res

    def join_source(self, j: ast.JoinClause, outer: Scope) -> Ty:
        """The source of a join may name the variables before it, except where rows may have no row before them."""
        if j.side not in ("right", "outer"):
            return self.expr(j.source)
        self.scope, inner = outer, self.scope
        src = self.expr(j.source)
        self.scope = inner
        return src

    def query_var(self, name: str, src: Ty, pos: int, info: QueryInfo) -> Var:
        v = self.new_var(name, Ty(), True, self.fun, "loop", pos)
        v.declared = True
        c = IterC(src, v.ty)
        self.s.on(src, c)
        self.checks.append(("T022", pos, pos + 1, None, src))
        self.scope.names[name] = v
        info.vars.append(v)
        return v

    def group(self, e: ast.Query, info: QueryInfo) -> None:
        s = self.s
        assert e.group_var is not None
        g = Ty(GROUP)
        if len(e.group_keys) == 1:
            s.flow(self.expr(e.group_keys[0]), s.key(g))
        else:
            # Several keys: a map named after the last name of each key expression.
            key = Ty(MAP)
            for i, k in enumerate(e.group_keys):
                info.keys.append(key_name(k, i))
                s.grow(s.key(key), STR)
                s.flow(self.expr(k), s.val(key))
            s.flow(key, s.key(g))
        if len(info.vars) == 1:
            s.flow(info.vars[0].ty, s.elem(g))
        else:
            row = StructInfo(len(self.info.structs), "", e.lo)
            row.row = True
            self.info.structs.append(row)
            for v in info.vars:
                row.fields[v.name] = Ty()
                s.flow(v.ty, row.fields[v.name])
            info.row = row
            s.grow(s.elem(g), STRUCT, row.bit)
        # The rows' variables are gone; only the group is in scope from here.
        parent = self.scope.parent
        self.scope = Scope(parent, self.fun)
        v = self.new_var(e.group_var, g, True, self.fun, "loop", e.lo)
        v.declared = True
        self.scope.names[e.group_var] = v
        info.group = v
        if len(e.group_keys) == 1 and isinstance(e.group_keys[0], ast.MapLit):
            for k, _ in e.group_keys[0].entries:
                if isinstance(k, ast.StrLit) and self.lookup(k.value, e) is None:
                    self.scope.names[k.value] = KeyEntry(e.group_var)

    def selected(self, e: ast.Query, info: QueryInfo) -> Ty:
        sel = e.select
        s = self.s
        if (
            e.group_var is None
            and isinstance(sel, ast.Call)
            and isinstance(sel.fn, ast.Ident)
            and sel.fn.name in AGGREGATES
            and len(sel.args) == 1
            and not isinstance(sel.args[0], ast.Query)
        ):
            info.aggregate = sel.fn.name
            arg = self.expr(sel.args[0])
            rows = Ty(LIST)
            s.flow(arg, s.elem(rows))
            info.rows = rows
            sel.ty = arg
            if info.aggregate == "count":
                return INT_TY
            if info.aggregate == "avg":
                return FLOAT_TY
            return self.aggregate_type(info.aggregate, rows)
        res = Ty(LIST)
        s.flow(self.expr(sel), s.elem(res))
        info.rows = res
        return res

    def aggregate_type(self, name: str, rows: Ty) -> Ty:
        from mochic.sema.builtins import BUILTINS

        t: Ty = BUILTINS[name][2](self.s, [rows])
        return t


def key_name(k: ast.Expr, i: int) -> str:
    """The entry name of a group key among several (12.3)."""
    if isinstance(k, ast.Field):
        return k.name
    if isinstance(k, ast.Ident):
        return k.name
    return f"k{i + 1}"
