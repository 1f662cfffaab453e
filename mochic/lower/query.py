"""Lowering of queries (mochi-language.md section 12) to loops.

Rows come from the loops of `query_join`, arranged by `query_plan`, in the order that the language fixes.  Groups are
found by hash as well (`query_group`), and aggregates need no lists (`query_fold`).

Selected values go to the result list, sort keys to a parallel list of dynamic values; sorting, skip, take, distinct and
scalar aggregates under them work on the finished list.
"""

from __future__ import annotations

from collections.abc import Callable

from mochic.ir.func import Value
from mochic.ir.ops import TOINT
from mochic.ir.types import INT, REF, TAG
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
        plan = Plan(self, e)
        b.pos = e.lo
        out = self.rt("list_new", self.sym(self.m.list_desc(elem)), self.i64(0))
        keys = self.tag_list() if e.sort is not None else None
        # The builder's variable follows the list through appends, which may give a new object.
        var = ("#out", e)
        b.write(var, out)

        def select() -> None:
            sel = e.select.args[0] if info.aggregate and isinstance(e.select, ast.Call) else e.select
            v = self.moved(sel)
            if keys is not None:
                assert e.sort is not None
                self.push(keys, self.expr(e.sort))
            b.pos = e.lo
            b.write(var, self.append(b.read(var, REF), rows, v, True))

        self.run_plan(e, plan, select)
        res = b.read(var, REF)
        b.pos = e.lo
        if keys is not None:
            res = self.rt("list_sort_by", res, keys)
        if e.skip is not None:
            res = self.rt("list_slice", res, self.want(self.expr(e.skip), "i"), self.i64((1 << 63) - 1))
        if e.take is not None:
            res = self.rt("list_slice", res, self.i64(0), self.want(self.expr(e.take), "i"))
        if e.distinct:
            res = self.rt("list_distinct", res)
        if info.aggregate:
            return self.aggregate(info.aggregate, res, ir_type(e.ty))
        return self.convert(res, ir_type(e.ty))

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
