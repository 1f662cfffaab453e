"""Lowering of queries (mochi-language.md section 12) to loops.

Rows come from nested loops over the sources and joins, in the order the language fixes; conditions are tested as
soon as the variables they name exist.  A join on equality of two ints or two strings, one side naming only the
joined variable, looks its rows up in a hash index built once; so do groupings.  A left join makes the list of
matching rows (or one null) and loops over that; right and outer joins make lists of pairs first.

Selected values go to the result list, sort keys to a parallel list of dynamic values; sorting, skip, take, distinct and
scalar aggregates work on the finished list.  A group is an object with its key and the list of its items.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mochic.ir.func import Value
from mochic.ir.ops import EQ, LD8U, ST8, TOINT
from mochic.ir.types import I32, INT, PTR, REF, TAG, VOID
from mochic.lower.base import ARRAY_DATA, GROUP_ITEMS, GROUP_KEY
from mochic.lower.call import Calls
from mochic.lower.descs import runtime_data
from mochic.lower.module import ir_type
from mochic.sema.symbols import Var
from mochic.sema.types import GROUP, LIST, MAP, NIL, STR, Ty, find
from mochic.sema.types import INT as KINT
from mochic.syntax import ast

Body = Callable[[Value], None]


class Rows:
    """A source ready to loop over: a list, and the type of its elements (None: dynamic)."""

    __slots__ = ("lst", "elem", "text_keys")

    def __init__(self, lst: Value, elem: Ty | None, text_keys: bool = False) -> None:
        self.lst = lst
        self.elem = elem
        self.text_keys = text_keys


def loaded(e: ast.Query) -> ast.Load | None:
    """A first source that is read from a file while the query runs, or None."""
    src = e.froms[0].source
    return src if isinstance(src, ast.Load) and not any(j.side in ("right", "outer") for j in e.joins) else None


class Queries(Calls):
    # -- sources --------------------------------------------------------------------------------

    def rows_of(self, e: ast.Expr) -> Rows:
        t = e.ty
        k = find(t).kinds
        v = self.expr(e)
        self.b.pos = e.lo
        if v.type == REF and k == LIST:
            return Rows(v, self.elem_ty(t))
        if v.type == REF and k == GROUP:
            return Rows(self.ld(REF, v, GROUP_ITEMS), self.elem_ty(t))
        if v.type == REF and k == MAP:
            return Rows(self.rt("map_order", v), self.m.solver.key(t), True)
        return Rows(self.rt("dyn_iter", self.tag(v)), None)

    def row_at(self, rows: Rows, i: Value) -> Value:
        if rows.elem is None:
            return self.rt("list_get_raw", rows.lst, i)
        if rows.text_keys and ir_type(rows.elem) != INT:
            return self.ld(REF, self.element_address(rows.lst, i, REF), ARRAY_DATA)
        return self.load_element(rows.lst, i, rows.elem)

    def each(self, rows: Rows, body: Body) -> None:
        """body(row) for every row; it must leave the current block open or jump on its own."""
        n = self.list_len(rows.lst)
        self.count_loop(n, lambda i: body(self.row_at(rows, i)))

    def tag_list(self) -> Value:
        return self.rt("list_new", self.sym(runtime_data("desc.list_tag")), self.i64(0))

    def push(self, lst: Value, v: Value) -> None:
        """Append to a list of tags that nothing else refers to: it grows in place."""
        self.rt("dyn_append_own", self.tag(lst), self.tag(v))

    def bind_row(self, v: Var, x: Value) -> None:
        self.declare_var(v, self.convert(x, ir_type(v.ty)))

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

    def each_loaded(self, e: ast.Load, body: Body) -> None:
        raise AssertionError

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

        self.each(Rows(groups, None), one)

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


class Plan:
    """The loops of one query: sources in order, each followed by the conditions that can be tested there."""

    def __init__(self, fl: Queries, e: ast.Query) -> None:
        self.fl = fl
        self.e = e
        self.vars: list[Var] = e.info.vars
        self.levels: list[list[ast.Expr]] = [[] for _ in self.vars]
        paired = any(j.side in ("right", "outer") for j in e.joins)
        at = 0
        for c in conjuncts(e.where):
            # Conditions keep their order, so one is never tested before an earlier one has passed.
            used = [i for i, v in enumerate(self.vars) if mentions(c, v)]
            at = max([at, *used])
            self.levels[len(self.vars) - 1 if paired else at].append(c)
        # Sources that name no query variable are evaluated once, and so are the indexes of joins.
        self.ready: dict[int, Rows] = {}
        self.index: dict[int, Value] = {}
        self.load = loaded(e)
        for i, src in enumerate(self.sources()):
            if src is not self.load and not any(mentions(src, v) for v in self.vars):
                self.ready[i] = fl.rows_of(src)
        for j in e.joins:
            self.make_index(j)

    def sources(self) -> list[ast.Expr]:
        return [f.source for f in self.e.froms] + [j.source for j in self.e.joins]

    def rows(self, i: int) -> Rows:
        r = self.ready.get(i)
        return r if r is not None else self.fl.rows_of(self.sources()[i])

    def run(self, emit: Callable[[], None]) -> None:
        e = self.e
        if e.joins and e.joins[0].side in ("right", "outer"):
            self.pairs(e.joins[0], emit)
        else:
            self.level(0, emit)

    def level(self, i: int, emit: Callable[[], None]) -> None:
        if i == len(self.vars):
            emit()
            return
        fl = self.fl

        def row(x: Value) -> None:
            fl.bind_row(self.vars[i], x)
            self.filter(self.levels[i], lambda: self.level(i + 1, emit))

        nfroms = len(self.e.froms)
        if i == 0 and self.load is not None:
            fl.each_loaded(self.load, row)
            return
        if i < nfroms:
            fl.each(self.rows(i), row)
            return
        j = self.e.joins[i - nfroms]
        if j.side == "left":
            fl.each(Rows(self.matches(i, j), None), row)
        elif i in self.index:
            self.probe(i, j, row)
        else:

            def joined(x: Value) -> None:
                fl.bind_row(self.vars[i], x)
                self.filter([j.on, *self.levels[i]], lambda: self.level(i + 1, emit))

            fl.each(self.rows(i), joined)

    def filter(self, conds: list[ast.Expr], body: Callable[[], None]) -> None:
        if not conds:
            body()
            return
        fl = self.fl
        b = fl.b
        skip = fl.new_block()
        for c in conds:
            ok = fl.new_block()
            fl.branch(c, ok, skip)
            b.start(ok)
        body()
        b.jump(skip)
        b.start(skip)

    # -- joins on equality ----------------------------------------------------------------------

    def make_index(self, j: ast.JoinClause) -> None:
        """A hash index of the joined source, where the condition is `its key == a key of earlier variables`."""
        fl = self.fl
        i = self.vars.index(j.sym)
        sides = self.key_sides(j, i)
        if sides is None or i not in self.ready or j.side not in ("", "left"):
            return
        own, other = sides
        by_int = find(other.ty).kinds == KINT
        desc = runtime_data("desc.map_int_tag" if by_int else "desc.map_str_tag")
        index = fl.rt("map_new", fl.sym(desc), fl.i64(0))
        b = fl.b

        def add(x: Value) -> None:
            fl.bind_row(j.sym, x)
            k = fl.expr(own)
            new, done, skip = fl.new_block(), fl.new_block(), fl.new_block()
            if fl.can_be_nil(own.ty):  # null equals no key
                keyed = fl.new_block()
                b.brif(fl.is_nil(k), skip, keyed, -1)
                b.start(keyed)
            slot = fl.rt("map_slot_int", index, fl.tag(k)) if by_int else fl.rt("map_slot_str", index, k)
            found = fl.ld(REF, slot, 0)
            b.write("#bucket", found)
            b.brif(fl.is_nil(found), new, done, -1)
            b.start(new)
            bucket = fl.tag_list()
            fl.st(slot, bucket, 0)
            b.write("#bucket", bucket)
            b.jump(done)
            b.start(done)
            fl.push(b.read("#bucket", REF), fl.convert(x, TAG))
            b.jump(skip)
            b.start(skip)

        fl.each(self.ready[i], add)
        self.index[i] = index

    def key_sides(self, j: ast.JoinClause, i: int) -> tuple[ast.Expr, ast.Expr] | None:
        on = j.on
        if not isinstance(on, ast.Binary) or on.op != "==":
            return None
        for own, other in ((on.left, on.right), (on.right, on.left)):
            k = find(other.ty).kinds
            # The row of a left join may be null behind the join, so its fields are typed as such in the condition too.
            same = find(own.ty).kinds in ((k, k | NIL) if j.side == "left" else (k,))
            if same and k in (KINT, STR) and not mentions(other, j.sym):
                if not any(mentions(own, v) for v in self.vars if v is not j.sym):
                    return own, other
        return None

    def bucket(self, i: int, j: ast.JoinClause) -> Value:
        """The rows that match the current earlier variables: a list, or null."""
        fl = self.fl
        sides = self.key_sides(j, i)
        assert sides is not None
        k = fl.expr(sides[1])
        index = self.index[i]
        by_int = find(sides[1].ty).kinds == KINT
        slot = fl.rt("map_find_int", index, fl.tag(k)) if by_int else fl.rt("map_find_str", index, k)
        b = fl.b
        some, done = fl.new_block(), fl.new_block()
        b.write("#found", b.iconst(REF, 0))
        b.brif(b.emit(EQ, I32, [slot, b.iconst(PTR, 0)]), done, some)
        b.start(some)
        b.write("#found", fl.ld(REF, slot, 0))
        b.jump(done)
        b.start(done)
        return b.read("#found", REF)

    def probe(self, i: int, j: ast.JoinClause, row: Body) -> None:
        fl = self.fl
        b = fl.b
        found = self.bucket(i, j)
        some, done = fl.new_block(), fl.new_block()
        b.brif(fl.is_nil(found), done, some)
        b.start(some)
        fl.each(Rows(found, None), row)
        b.jump(done)
        b.start(done)

    def matches(self, i: int, j: ast.JoinClause) -> Value:
        """Left join: the list of matching rows, or of one null."""
        fl = self.fl
        b = fl.b
        var = ("#left", j)
        if i in self.index:
            b.write(var, self.bucket(i, j))
        else:
            lst = fl.tag_list()
            b.write(var, b.iconst(REF, 0))

            def test(x: Value) -> None:
                fl.bind_row(j.sym, x)

                def hit() -> None:
                    fl.push(lst, fl.convert(x, TAG))
                    b.write(var, lst)

                self.filter([j.on], hit)

            fl.each(self.rows(i), test)
        found = b.read(var, REF)
        none, done = fl.new_block(), fl.new_block()
        b.write(var, found)
        b.brif(fl.is_nil(found), none, done)
        b.start(none)
        empty = fl.tag_list()
        fl.push(empty, fl.nil())
        b.write(var, empty)
        b.jump(done)
        b.start(done)
        return b.read(var, REF)

    # -- right and outer joins ------------------------------------------------------------------

    def pairs(self, j: ast.JoinClause, emit: Callable[[], None]) -> None:
        """All pairs of the one left and the one right source first, in the order of the join; then one loop."""
        fl = self.fl
        b = fl.b
        x_var, y_var = self.vars
        left, right = self.rows(0), self.rows(1)
        xs, ys = fl.tag_list(), fl.tag_list()
        outer = j.side == "outer"
        rows1, rows2 = (left, right) if outer else (right, left)
        nright = fl.list_len(right.lst)
        seen = fl.rt("list_new", fl.sym(runtime_data("desc.list_bool")), nright)
        hit = ("#hit", j)

        def first(i: Value) -> None:
            a = fl.row_at(rows1, i)
            b.write(hit, fl.bool_const(False))

            def second(k: Value) -> None:
                c = fl.row_at(rows2, k)
                fl.bind_row(x_var, a if outer else c)
                fl.bind_row(y_var, c if outer else a)

                def match() -> None:
                    fl.push(xs, fl.convert(a if outer else c, TAG))
                    fl.push(ys, fl.convert(c if outer else a, TAG))
                    b.write(hit, fl.bool_const(True))
                    if outer:
                        p = fl.element_address(seen, k, I32)
                        b.emit(ST8, VOID, [p, fl.bool_const(True)], ARRAY_DATA)

                self.filter([j.on], match)

            fl.count_loop(fl.list_len(rows2.lst), second)
            none, done = fl.new_block(), fl.new_block()
            b.brif(b.read(hit, I32), done, none)
            b.start(none)
            fl.push(xs, fl.convert(a, TAG) if outer else fl.nil())
            fl.push(ys, fl.nil() if outer else fl.convert(a, TAG))
            b.jump(done)
            b.start(done)

        fl.count_loop(fl.list_len(rows1.lst), first)
        if outer:

            def rest(i: Value) -> None:
                p = fl.element_address(seen, i, I32)
                none, done = fl.new_block(), fl.new_block()
                b.brif(b.emit(LD8U, I32, [p], ARRAY_DATA), done, none)
                b.start(none)
                fl.push(xs, fl.nil())
                fl.push(ys, fl.convert(fl.row_at(right, i), TAG))
                b.jump(done)
                b.start(done)

            fl.count_loop(nright, rest)

        def pair(i: Value) -> None:
            fl.bind_row(x_var, fl.rt("list_get_raw", xs, i))
            fl.bind_row(y_var, fl.rt("list_get_raw", ys, i))
            self.filter(self.levels[0] + self.levels[1], emit)

        fl.count_loop(fl.list_len(xs), pair)


def conjuncts(e: ast.Expr | None) -> list[ast.Expr]:
    """The parts of `a && b && c`, in order."""
    out: list[ast.Expr] = []
    while isinstance(e, ast.Binary) and e.op == "&&":
        out.append(e.right)
        e = e.left
    if e is not None:
        out.append(e)
    out.reverse()
    return out


def mentions(e: Any, v: Var) -> bool:
    """The variable occurs in the expression."""
    stack = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, ast.Ident):
            if x.ref is v:
                return True
            continue
        if isinstance(x, ast.Node):
            for c in type(x).__mro__:
                for name in getattr(c, "__slots__", ()):
                    if name not in ("ty", "sym", "info", "lo", "hi", "ref"):
                        stack.append(getattr(x, name, None))
        elif isinstance(x, list | tuple):
            stack.extend(x)
    return False
