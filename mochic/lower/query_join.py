"""The loops of a query: what `query_plan` decided, as code.

`upto(i, emit)` makes the code that runs `emit` for every row of the levels 0..i.  Sources and inner and left joins are
one loop inside the loops before it.  Right and outer joins need the rows before them as a whole: those go to one list
per variable first; an outer join collects its result in such lists too, so that `emit` is written out once.

Each loop walks the *candidates* of a row: all rows of the other side, or the entries of a hash index that have the hash
of its keys (runtime/join.mochi).  An index holds the numbers of rows and, as tags, their keys; ints, strings and
everything else each have their own hash and comparison, the last by the structural equality of `==`.  It is built when
the first row asks, so that conditions that fail do so only where nested loops get to them; without keys it is the list
of the rows that pass the conditions on that side alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mochic.ir.func import Block, Value
from mochic.ir.ops import ADD, EQ, LD8U, MUL, SHL, SLT, ST8, XOR
from mochic.ir.types import I32, I64, PTR, REF, VOID
from mochic.lower.base import ARRAY_DATA
from mochic.lower.descs import runtime_data
from mochic.lower.module import ir_type
from mochic.lower.query_plan import Planner, Step, invariants
from mochic.lower.query_rows import Rows, Sources
from mochic.sema.symbols import Var
from mochic.sema.types import INT as KINT
from mochic.sema.types import NIL, STR, find
from mochic.syntax import ast

# An index (runtime/join.mochi): words of the object, and of its entries
INDEX_ENTRIES: Final = ARRAY_DATA + 8
INDEX_KEYS: Final = ARRAY_DATA + 16
ENTRY_SHIFT: Final = 4
ENTRY_ROW: Final = ARRAY_DATA - 8  # entries count from 1

# Hash and comparison of keys, by the kinds that both sides can have
_INTS: Final = ("hash_int", "same_int")
_TEXTS: Final = ("hash_str", "str_eq")
_ANY: Final = ("dyn_hash", "dyn_eq")
_MIX: Final = 0x9E3779B97F4A7C15 - (1 << 64)

Emit = Callable[[], None]


class Side:
    """Rows that candidates are taken from, by number."""

    __slots__ = ("vars", "rows")

    def __init__(self, vars: list[Var], rows: list[Rows]) -> None:
        self.vars = vars
        self.rows = rows


class Plan:
    """The loops of one query.  What it adds to `given` holds until the query is done."""

    __slots__ = ("fl", "e", "planner", "steps", "load", "ready")

    def __init__(self, fl: Sources, e: ast.Query) -> None:
        self.fl = fl
        self.e = e
        self.planner = Planner(e, fl.m.info.structs)
        self.steps: list[Step] = self.planner.steps
        first = self.steps[0]
        self.load = first.source if isinstance(first.source, ast.Load) else None
        # Sources that name no query variable are evaluated once.
        self.ready: dict[int, Rows] = {}
        for i, s in enumerate(self.steps):
            if s.free and s.source is not self.load:
                self.ready[i] = fl.rows_of(s.source, self.e)
        for x in invariants(e, self.planner.writes):
            self.keep_once(x)

    def keep_once(self, e: ast.Expr) -> None:
        """Evaluate a part that is the same for all rows here; of `x in list`, look at the list."""
        fl = self.fl
        if e in fl.given:  # by a query around this one
            return
        if isinstance(e, ast.Binary):
            elem, lst = e.left, fl.expr(e.right)
            want = ir_type(e.ty)
            fl.b.pos = e.lo
            members = fl.rt("set_index", lst)
            fl.given[e] = lambda: fl.convert(fl.rt("in_set", members, lst, fl.tag(fl.expr(elem))), want)
        else:
            v = fl.expr(e)
            fl.given[e] = lambda: v

    def run(self, emit: Emit) -> None:
        b = self.fl.b
        for s in self.steps:
            if s.keys or s.own:
                b.write(("#index", s), b.iconst(REF, 0))
        self.upto(len(self.steps) - 1, emit)

    def rows(self, i: int) -> Rows:
        r = self.ready.get(i)
        return r if r is not None else self.fl.rows_of(self.steps[i].source, self.e)

    def upto(self, i: int, emit: Emit) -> None:
        if i < 0:
            emit()
            return
        step = self.steps[i]
        fl = self.fl
        if step.side == "right":
            left = self.collect(i)
            right = self.rows(i)

            def one(n: Value) -> None:
                fl.bind_row(step.var, fl.row_at(right, n), self.e)
                self.candidates(step, left, lambda: self.filter(step.after, emit))

            fl.count_loop(fl.list_len(right.lst), one)
        elif step.side == "outer":
            self.outer(i, step, emit)
        elif i == 0:
            self.first(step, emit)
        else:

            def each() -> None:
                side = Side([step.var], [self.rows(i)])
                self.candidates(step, side, lambda: self.filter(step.after, emit))

            self.upto(i - 1, each)

    def first(self, step: Step, emit: Emit) -> None:
        fl = self.fl

        def row(x: Value) -> None:
            fl.bind_row(step.var, x, self.e)
            self.filter(step.tests, emit)

        if self.load is not None:
            fl.each_loaded(self.load, row)
        else:
            fl.each(self.rows(0), row)

    def filter(self, conds: list[ast.Expr], body: Emit) -> None:
        if not conds:
            body()
            return
        b = self.fl.b
        skip = self.fl.new_block()
        for c in conds:
            ok = self.fl.new_block()
            self.fl.branch(c, ok, skip)
            b.start(ok)
        body()
        b.jump(skip)
        b.start(skip)

    # -- rows in lists --------------------------------------------------------------------------

    def lists(self, i: int) -> Side:
        """Empty lists for the variables of the levels below i."""
        vars = [s.var for s in self.steps[:i]]
        return Side(vars, [Rows(self.fl.tag_list(), None, False, True) for _ in vars])

    def keep(self, side: Side) -> None:
        """Append the row that the variables hold."""
        fl = self.fl
        for v, r in zip(side.vars, side.rows, strict=True):
            fl.push(r.lst, fl.read_var(v, ir_type(v.ty)))

    def collect(self, i: int) -> Side:
        """All rows of the levels below i."""
        side = self.lists(i)
        self.upto(i - 1, lambda: self.keep(side))
        return side

    def bind(self, side: Side, n: Value | None) -> None:
        """Let the variables hold row n, or null."""
        fl = self.fl
        for v, r in zip(side.vars, side.rows, strict=True):
            fl.bind_row(v, fl.nil() if n is None else fl.row_at(r, n), self.e)

    def outer(self, i: int, step: Step, emit: Emit) -> None:
        """Left join into lists, then the rows of the right side that nothing matched, then one loop over all."""
        fl = self.fl
        b = fl.b
        out = self.lists(i + 1)
        right = self.rows(i)
        count = fl.list_len(right.lst)
        seen = fl.rt("list_new", fl.sym(runtime_data("desc.list_bool")), count)

        def hit(n: Value) -> None:
            b.emit(ST8, VOID, [fl.element_address(seen, n, I32), fl.bool_const(True)], ARRAY_DATA)

        side = Side([step.var], [right])
        self.upto(i - 1, lambda: self.candidates(step, side, lambda: self.keep(out), hit))

        def rest(n: Value) -> None:
            new, done = fl.new_block(), fl.new_block()
            b.brif(b.emit(LD8U, I32, [fl.element_address(seen, n, I32)], ARRAY_DATA), done, new)
            b.start(new)
            for r in out.rows[:-1]:
                fl.push(r.lst, fl.nil())
            fl.push(out.rows[-1].lst, fl.row_at(right, n))
            b.jump(done)
            b.start(done)

        fl.count_loop(count, rest)

        def each(n: Value) -> None:
            self.bind(out, n)
            self.filter(step.after, emit)

        fl.count_loop(fl.list_len(out.rows[0].lst), each)

    # -- candidates -----------------------------------------------------------------------------

    def candidates(self, step: Step, side: Side, body: Emit, hit: Callable[[Value], None] | None = None) -> None:
        """body() with the side's variables bound for each of its rows that matches; where the join is padded and none
        does, once with null.  The body is written out once.  The cursor counts from 1; -1 is the padded row."""
        fl = self.fl
        b = fl.b
        cur, matched = ("#cursor", step), ("#matched", step)
        index = self.index_of(step, side) if step.keys or step.own else None
        mine: list[Value] = []
        count = None
        if index is None:
            count = fl.list_len(side.rows[0].lst)
            b.write(cur, fl.i64(1))
        else:
            h, mine = self.hash([other for _, other in step.keys], step)
            b.write(cur, fl.rt("join_first", index, h))
        if step.padded:
            b.write(matched, fl.bool_const(False))
        head, some, end, miss, after = (fl.new_block() for _ in range(5))
        go = fl.new_block() if step.padded else None
        b.jump(head)
        b.at(head)
        at = b.read(cur, I64)
        if count is not None:
            b.brif(b.emit(SLT, I32, [count, at]), end, some)
        else:
            b.brif(b.emit(EQ, I32, [at, fl.i64(0)]), end, some)
        b.start(some)
        if index is None:
            row = b.emit(ADD, I64, [at, fl.i64(-1)])
        else:
            row = self.entry_row(index, at)
            self.compare(step, index, at, mine, miss)
        self.bind(side, row)
        for c in step.tests:
            ok = fl.new_block()
            fl.branch(c, ok, miss)
            b.start(ok)
        if hit is not None:
            hit(row)
        if go is not None:
            b.write(matched, fl.bool_const(True))
            b.jump(go)
            b.start(end)
            pad = fl.new_block()
            b.brif(b.read(matched, I32), after, pad)
            b.start(pad)
            self.bind(side, None)
            b.write(cur, fl.i64(-1))
            b.jump(go)
            b.start(go)
        body()
        if go is not None:
            b.brif(b.emit(EQ, I32, [b.read(cur, I64), fl.i64(-1)]), after, miss)
        else:
            b.jump(miss)
        b.start(miss)
        here = b.read(cur, I64)
        b.write(cur, fl.rt("join_next", index, here) if index is not None else b.emit(ADD, I64, [here, fl.i64(1)]))
        b.jump(head)
        b.seal(head)
        b.start(after if go is not None else end)

    def entry_row(self, index: Value, at: Value) -> Value:
        b = self.fl.b
        entries = self.fl.ld(REF, index, INDEX_ENTRIES)
        p = b.emit(ADD, PTR, [entries, b.emit(SHL, I64, [at, self.fl.i64(ENTRY_SHIFT)])])
        return self.fl.ld(I64, p, ENTRY_ROW)

    def compare(self, step: Step, index: Value, at: Value, mine: list[Value], miss: Block) -> None:
        """Go on where the keys of the entry equal those of the asking row."""
        fl = self.fl
        b = fl.b
        if not mine:
            return
        width = len(mine)
        keys = fl.ld(REF, index, INDEX_KEYS)
        p = b.emit(ADD, PTR, [keys, b.emit(MUL, I64, [at, fl.i64(8 * width)])])
        for k, (pair, x) in enumerate(zip(step.keys, mine, strict=True)):
            ok = fl.new_block()
            y = fl.ld(x.type, p, ARRAY_DATA + 8 * (k - width))
            same = _functions(*pair)[1]
            if same != "dyn_eq":
                other = fl.new_block()
                b.brif(b.emit(EQ, I32, [x, y]), ok, other, 1)
                b.start(other)
            b.brif(fl.rt(same, x, y), ok, miss, 1)
            b.start(ok)

    def hash(self, exprs: list[ast.Expr], step: Step) -> tuple[Value, list[Value]]:
        """The keys of a row, as they are compared, and their hash."""
        fl = self.fl
        vals = []
        for pair, x in zip(step.keys, exprs, strict=True):
            fn = _functions(*pair)[0]
            v = fl.expr(x)
            v = fl.convert(v, REF) if fn == "hash_str" else fl.tag(v)
            vals.append(v)
        return mixed(fl, [fl.rt(_functions(*pair)[0], v) for pair, v in zip(step.keys, vals, strict=True)]), vals

    def index_of(self, step: Step, side: Side) -> Value:
        """The step's index, built here if this is the first row that asks for it."""
        fl = self.fl
        b = fl.b
        var = ("#index", step)
        build, done = fl.new_block(), fl.new_block()
        b.brif(fl.is_nil(b.read(var, REF)), build, done, -1)
        b.start(build)
        index = fl.rt("join_new", fl.i64(len(step.keys)))

        def add(n: Value) -> None:
            self.bind(side, n)
            if step.keys_first:
                h, vals = self.hash([own for own, _ in step.keys], step)
                self.filter(step.own, lambda: put(n, h, vals))
            else:
                self.filter(step.own, lambda: put(n, *self.hash([own for own, _ in step.keys], step)))

        def put(n: Value, h: Value, vals: list[Value]) -> None:
            p = fl.rt("join_put", index, h, n)
            for k, v in enumerate(vals):
                fl.st(p, v, 8 * k)

        fl.count_loop(fl.list_len(side.rows[0].lst), add)
        fl.rt("join_seal", index)
        b.write(var, index)
        b.jump(done)
        b.start(done)
        return b.read(var, REF)


def mixed(fl: Sources, hashes: list[Value]) -> Value:
    """One hash of several; the upper bits count."""
    b = fl.b
    h = hashes[0] if hashes else fl.i64(0)
    for x in hashes[1:]:
        h = b.emit(XOR, I64, [b.emit(MUL, I64, [h, fl.i64(_MIX)]), x])
    return h


def _functions(own: ast.Expr, other: ast.Expr) -> tuple[str, str]:
    kinds = (find(own.ty).kinds | find(other.ty).kinds) & ~NIL
    return _INTS if kinds == KINT else _TEXTS if kinds == STR else _ANY
