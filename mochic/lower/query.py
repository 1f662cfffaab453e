"""Lowering of queries (mochi-language.md section 12) to loops.

Rows come from the loops of `query_join`, arranged by `query_plan`, in the order that the language fixes.  Groups are
found by hash as well (`query_group`), and aggregates need no lists (`query_fold`).

Selected values go to the result list, the parts of sort keys to parallel lists (runtime/sort.mochi); sorting, skip,
take, distinct and scalar aggregates under them work on the finished list.
"""

from __future__ import annotations

from collections.abc import Callable

from mochic.ir.func import Value
from mochic.ir.ops import ADD, TOINT
from mochic.ir.types import F64, I64, INT, REF, TAG
from mochic.lower.base import ARRAY_DATA, LIST_LEN
from mochic.lower.descs import runtime_data
from mochic.lower.module import ir_type
from mochic.lower.query_group import Groups
from mochic.lower.query_join import Plan
from mochic.syntax import ast


class Queries(Groups):
    # -- the query ------------------------------------------------------------------------------

    def e_query(self, e: ast.Query) -> Value:
        b = self.b
        info = e.info
        rows = info.rows
        elem = self.elem_ty(rows)
        if info.aggregate and isinstance(e.select, ast.Call) and e.sort is None and e.skip is None and e.take is None:
            if not e.distinct:
                return self.fold_query(e, info.aggregate, e.select.args[0], rows, e, ir_type(e.ty))
        outer, self.given = self.given, dict(self.given)
        plan = Plan(self, e)
        b.pos = e.lo
        out = self.rt("list_new", self.sym(self.m.list_desc(elem)), self.i64(0))
        parts, order = sort_parts(e.sort)
        cols = [self.key_column(p) for p in parts]
        # The builder's variable follows the list through appends, which may give a new object.
        var = ("#out", e)
        b.write(var, out)

        def select() -> None:
            sel = e.select.args[0] if info.aggregate and isinstance(e.select, ast.Call) else e.select
            v = self.moved(sel)
            keys = [self.expr(p) for p in parts]
            b.pos = e.lo
            for col, k in zip(cols, keys, strict=True):
                self.push_key(col, k)
            b.write(var, self.append(b.read(var, REF), rows, v, True))

        self.run_plan(e, plan, select)
        self.given = outer
        res = b.read(var, REF)
        b.pos = e.lo
        if cols:
            table = self.tag_list()
            for i in order:
                self.push(table, cols[i])
            res = self.rt("list_sort_by", res, table)
        if e.skip is not None:
            res = self.rt("list_slice", res, self.want(self.expr(e.skip), "i"), self.i64((1 << 63) - 1))
        if e.take is not None:
            res = self.rt("list_slice", res, self.i64(0), self.want(self.expr(e.take), "i"))
        if e.distinct:
            res = self.rt("list_distinct", res)
        if info.aggregate:
            return self.aggregate(info.aggregate, res, ir_type(e.ty))
        return self.convert(res, ir_type(e.ty))

    def key_column(self, e: ast.Expr) -> Value:
        """An empty list for the values of a sort key."""
        floats = ir_type(e.ty) == F64
        return self.rt("list_new", self.sym(runtime_data("desc.list_f64" if floats else "desc.list_tag")), self.i64(0))

    def push_key(self, col: Value, v: Value) -> None:
        if v.type != F64:
            self.push(col, v)
            return
        n = self.list_len(col)
        self.rt("list_grow", col, self.b.emit(ADD, I64, [n, self.i64(1)]))
        self.st(self.element_address(col, n, F64), v, ARRAY_DATA)
        self.st(col, self.b.emit(ADD, I64, [n, self.i64(1)]), LIST_LEN)

    def run_plan(self, e: ast.Query, plan: Plan, select: Callable[[], None]) -> None:
        if e.info.group is not None:
            self.grouped(e, plan, select)
        else:
            plan.run(select)

    def aggregate(self, name: str, lst: Value, want: int) -> Value:
        if name == "count":
            return self.b.emit(TOINT, INT, [self.list_len(lst)], 0, (0, 1 << 40))
        v = self.rt("dyn_" + name, self.tag(lst))
        if v.type == TAG and want not in (TAG, INT):
            return self.convert(self.rt("dyn_num_arg", v), want)
        return self.convert(v, want)


def sort_parts(e: ast.Expr | None) -> tuple[list[ast.Expr], list[int]]:
    """The keys that rows are sorted by, and the order in which they count: lists go by their elements, maps by their
    entries in the order of names (12.7)."""
    if isinstance(e, ast.ListLit) and e.elems:
        return e.elems, list(range(len(e.elems)))
    if isinstance(e, ast.MapLit) and e.entries:
        names = [k.value.encode("utf-8") for k, _ in e.entries if isinstance(k, ast.StrLit)]
        if len(set(names)) == len(e.entries):
            return [v for _, v in e.entries], sorted(range(len(names)), key=lambda i: names[i])
    return ([e], [0]) if e is not None else ([], [])
