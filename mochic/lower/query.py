"""Lowering of queries (mochi-language.md section 12) to loops.

Rows come from the loops of `query_join`, arranged by `query_plan`, in the order that the language fixes.  Groups are
found by hash as well.

Selected values go to the result list, sort keys to a parallel list of dynamic values; sorting, skip, take, distinct and
scalar aggregates work on the finished list.  A group is an object with its key and the list of its items.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mochic.ir.func import Value
from mochic.ir.ops import TOINT
from mochic.ir.types import INT, REF, TAG
from mochic.lower.base import GROUP_ITEMS, GROUP_KEY
from mochic.lower.descs import runtime_data
from mochic.lower.module import ir_type
from mochic.lower.query_join import Plan
from mochic.lower.query_rows import Rows, Sources
from mochic.sema.symbols import Var
from mochic.sema.types import INT as KINT
from mochic.sema.types import LIST, STR, Ty, find
from mochic.syntax import ast


class Queries(Sources):
    # -- the query ------------------------------------------------------------------------------

    def e_query(self, e: ast.Query) -> Value:
        b = self.b
        info = e.info
        rows = info.rows
        elem = self.elem_ty(rows)
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
        """All loops of the query; select() where a result's variables are bound."""
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

    # -- groups ---------------------------------------------------------------------------------

    def grouped(self, e: ast.Query, plan: Plan, select: Callable[[], None]) -> None:
        b = self.b
        info = e.info
        g: Var = info.group
        s = self.m.solver
        items_ty = Ty(LIST)
        s.unify(s.elem(items_ty), s.elem(g.ty))
        key_ty = s.key(g.ty)
        kind = find(key_ty).kinds
        by_int, by_str = kind == KINT, kind == STR
        desc = runtime_data("desc.map_int_tag" if by_int else "desc.map_str_tag")
        index = self.rt("map_new", self.sym(desc), self.i64(0))
        groups = self.tag_list()

        def add() -> None:
            key = self.group_key(e)
            b.pos = e.lo
            if by_int:
                slot = self.rt("map_slot_int", index, self.tag(key))
            else:
                slot = self.rt("map_slot_str", index, key if by_str else self.rt("str_of_tag", self.tag(key)))
            found = self.ld(REF, slot, 0)
            new, done = self.new_block(), self.new_block()
            b.write("#group", found)
            b.brif(self.is_nil(found), new, done, -1)
            b.start(new)
            # The slot stays where it is: nothing is inserted meanwhile.
            items = self.rt("list_new", self.sym(self.m.list_desc(s.elem(g.ty))), self.i64(0))
            grp = self.alloc(runtime_data("desc.group"), 24)
            self.st(grp, self.tag(key), GROUP_KEY)
            self.st(grp, items, GROUP_ITEMS)
            self.st(slot, grp, 0)
            self.push(groups, grp)
            b.write("#group", grp)
            b.jump(done)
            b.start(done)
            grp2 = b.read("#group", REF)
            item = self.group_item(info)
            lst = self.append(self.ld(REF, grp2, GROUP_ITEMS), items_ty, item, True)
            self.st(grp2, lst, GROUP_ITEMS)

        plan.run(add)

        def one(x: Value) -> None:
            self.bind_row(g, x)
            if e.having is not None:
                ok, skip = self.new_block(), self.new_block()
                self.branch(e.having, ok, skip)
                b.start(ok)
                select()
                b.jump(skip)
                b.start(skip)
            else:
                select()

        self.each(Rows(groups, None, False, True), one)

    def group_key(self, e: ast.Query) -> Value:
        keys = e.group_keys
        if len(keys) == 1:
            return self.convert(self.moved(keys[0]), ir_type(self.m.solver.key(e.info.group.ty)))
        s = self.m.solver
        kt = s.key(e.info.group.ty)  # maps
        m = self.rt("map_new", self.sym(self.m.map_desc(s.key(kt), s.val(kt))), self.i64(len(keys)))
        for name, k in zip(e.info.keys, keys, strict=True):
            v = self.moved(k)
            self.map_store(m, kt, self.str_const(name), v, k.ty)
        return m

    def group_item(self, info: Any) -> Value:
        if info.row is None:
            v: Var = info.vars[0]
            item = self.read_var(v, ir_type(v.ty))
            self.mark(item, v.ty)
            return item
        given = {}
        for v in info.vars:
            item = self.read_var(v, ir_type(v.ty))
            self.mark(item, v.ty)
            given[v.name] = self.convert(item, ir_type(info.row.fields[v.name]))
        return self.make_struct(info.row, given)
