"""The loops of a query: what plan.py decided, as code.

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
from mochic.lower.control import branch, count_loop
from mochic.lower.fn import Fn
from mochic.lower.load import each_loaded
from mochic.lower.module import ir_type
from mochic.lower.objects import element_address, list_len
from mochic.lower.query.plan import Planner, Step, invariants
from mochic.lower.query.rows import Rows, bind_row, each_row, push, row_at, rows_of, tag_list
from mochic.sema.symbols import Var
from mochic.sema.types import INT as KINT
from mochic.sema.types import NIL, STR, find
from mochic.syntax import ast

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

    __slots__ = ("fn", "e", "planner", "steps", "load", "ready")

    def __init__(self, fn: Fn, e: ast.Query) -> None:
        self.fn = fn
        self.e = e
        self.planner = Planner(e, fn.m.info.structs)
        self.steps: list[Step] = self.planner.steps
        first = self.steps[0]
        self.load = first.source if isinstance(first.source, ast.Load) else None
        # Sources that name no query variable are evaluated once.
        self.ready: dict[int, Rows] = {}
        for i, s in enumerate(self.steps):
            if s.free and s.source is not self.load:
                self.ready[i] = rows_of(fn, s.source, self.e)
        for x in invariants(e, self.planner.writes):
            self.keep_once(x)

    def keep_once(self, e: ast.Expr) -> None:
        """Evaluate a part that is the same for all rows here; of `x in list`, look at the list."""
        fn = self.fn
        if e in fn.given:  # by a query around this one
            return
        if isinstance(e, ast.Binary):
            elem, lst = e.left, fn.expr(e.right)
            want = ir_type(e.ty)
            fn.b.pos = e.lo
            members = fn.call_runtime("set_index", lst)
            fn.given[e] = lambda: fn.convert(fn.call_runtime("in_set", members, lst, fn.tag(fn.expr(elem))), want)
        else:
            v = fn.expr(e)
            fn.given[e] = lambda: v

    def run(self, emit: Emit) -> None:
        b = self.fn.b
        for s in self.steps:
            if s.keys or s.own:
                b.write(("#index", s), b.iconst(REF, 0))
        self.upto(len(self.steps) - 1, emit)

    def rows(self, i: int) -> Rows:
        r = self.ready.get(i)
        return r if r is not None else rows_of(self.fn, self.steps[i].source, self.e)

    def upto(self, i: int, emit: Emit) -> None:
        if i < 0:
            emit()
            return
        step = self.steps[i]
        fn = self.fn
        if step.side == "right":
            left = self.collect(i)
            right = self.rows(i)

            def one(n: Value) -> None:
                bind_row(fn, step.var, row_at(fn, right, n), self.e)
                self.candidates(step, left, lambda: self.filter(step.after, emit))

            count_loop(fn, list_len(fn, right.lst), one)
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
        fn = self.fn

        def row(x: Value) -> None:
            bind_row(fn, step.var, x, self.e)
            self.filter(step.tests, emit)

        if self.load is not None:
            each_loaded(fn, self.load, row)
        else:
            each_row(fn, self.rows(0), row)

    def filter(self, conds: list[ast.Expr], body: Emit) -> None:
        if not conds:
            body()
            return
        b = self.fn.b
        skip = self.fn.new_block()
        for c in conds:
            ok = self.fn.new_block()
            branch(self.fn, c, ok, skip)
            b.start(ok)
        body()
        b.jump(skip)
        b.start(skip)

    # -- rows in lists --------------------------------------------------------------------------

    def lists(self, i: int) -> Side:
        """Empty lists for the variables of the levels below i."""
        vars = [s.var for s in self.steps[:i]]
        return Side(vars, [Rows(tag_list(self.fn), None, False, True) for _ in vars])

    def keep(self, side: Side) -> None:
        """Append the row that the variables hold."""
        fn = self.fn
        for v, r in zip(side.vars, side.rows, strict=True):
            push(fn, r.lst, fn.read_var(v, ir_type(v.ty)))

    def collect(self, i: int) -> Side:
        """All rows of the levels below i."""
        side = self.lists(i)
        self.upto(i - 1, lambda: self.keep(side))
        return side

    def bind(self, side: Side, n: Value | None) -> None:
        """Let the variables hold row n, or null."""
        fn = self.fn
        for v, r in zip(side.vars, side.rows, strict=True):
            bind_row(fn, v, fn.nil() if n is None else row_at(fn, r, n), self.e)

    def outer(self, i: int, step: Step, emit: Emit) -> None:
        """Left join into lists, then the rows of the right side that nothing matched, then one loop over all."""
        fn = self.fn
        b = fn.b
        out = self.lists(i + 1)
        right = self.rows(i)
        count = list_len(fn, right.lst)
        seen = fn.call_runtime("list_new", fn.sym(fn.m.runtime_data["desc.list_bool"]), count)

        def hit(n: Value) -> None:
            b.emit(ST8, VOID, [element_address(fn, seen, n, I32), fn.bool_const(True)], fn.layout.array_data)

        side = Side([step.var], [right])
        self.upto(i - 1, lambda: self.candidates(step, side, lambda: self.keep(out), hit))

        def rest(n: Value) -> None:
            new, done = fn.new_block(), fn.new_block()
            b.brif(b.emit(LD8U, I32, [element_address(fn, seen, n, I32)], fn.layout.array_data), done, new)
            b.start(new)
            for r in out.rows[:-1]:
                push(fn, r.lst, fn.nil())
            push(fn, out.rows[-1].lst, row_at(fn, right, n))
            b.jump(done)
            b.start(done)

        count_loop(fn, count, rest)

        def each(n: Value) -> None:
            self.bind(out, n)
            self.filter(step.after, emit)

        count_loop(fn, list_len(fn, out.rows[0].lst), each)

    # -- candidates -----------------------------------------------------------------------------

    def candidates(self, step: Step, side: Side, body: Emit, hit: Callable[[Value], None] | None = None) -> None:
        """body() with the side's variables bound for each of its rows that matches; where the join is padded and none
        does, once with null.  The body is written out once.  The cursor counts from 1; -1 is the padded row."""
        fn = self.fn
        b = fn.b
        cur, matched = ("#cursor", step), ("#matched", step)
        index = self.index_of(step, side) if step.keys or step.own else None
        mine: list[Value] = []
        count = None
        if index is None:
            count = list_len(fn, side.rows[0].lst)
            b.write(cur, fn.i64(1))
        else:
            h, mine = self.hash([other for _, other in step.keys], step)
            b.write(cur, fn.call_runtime("join_first", index, h))
        if step.padded:
            b.write(matched, fn.bool_const(False))
        head, some, end, miss, after = (fn.new_block() for _ in range(5))
        go = fn.new_block() if step.padded else None
        b.jump(head)
        b.at(head)
        at = b.read(cur, I64)
        if count is not None:
            b.brif(b.emit(SLT, I32, [count, at]), end, some)
        else:
            b.brif(b.emit(EQ, I32, [at, fn.i64(0)]), end, some)
        b.start(some)
        if index is None:
            row = b.emit(ADD, I64, [at, fn.i64(-1)])
        else:
            row = self.entry_row(index, at)
            self.compare(step, index, at, mine, miss)
        self.bind(side, row)
        for c in step.tests:
            ok = fn.new_block()
            branch(fn, c, ok, miss)
            b.start(ok)
        if hit is not None:
            hit(row)
        if go is not None:
            b.write(matched, fn.bool_const(True))
            b.jump(go)
            b.start(end)
            pad = fn.new_block()
            b.brif(b.read(matched, I32), after, pad)
            b.start(pad)
            self.bind(side, None)
            b.write(cur, fn.i64(-1))
            b.jump(go)
            b.start(go)
        body()
        if go is not None:
            b.brif(b.emit(EQ, I32, [b.read(cur, I64), fn.i64(-1)]), after, miss)
        else:
            b.jump(miss)
        b.start(miss)
        here = b.read(cur, I64)
        b.write(
            cur, fn.call_runtime("join_next", index, here) if index is not None else b.emit(ADD, I64, [here, fn.i64(1)])
        )
        b.jump(head)
        b.seal(head)
        b.start(after if go is not None else end)

    def entry_row(self, index: Value, at: Value) -> Value:
        fn = self.fn
        layout = fn.layout
        entries = fn.load(REF, index, layout.index_entries)
        entry = fn.b.emit(SHL, I64, [at, fn.i64(layout.entry_size.bit_length() - 1)])  # entries count from 1
        first = layout.array_data - layout.entry_size
        return fn.load(I64, fn.b.emit(ADD, PTR, [entries, entry]), first + layout.entry_row)

    def compare(self, step: Step, index: Value, at: Value, mine: list[Value], miss: Block) -> None:
        """Go on where the keys of the entry equal those of the asking row."""
        fn = self.fn
        b = fn.b
        layout = fn.layout
        if not mine:
            return
        width = len(mine)
        keys = fn.load(REF, index, layout.index_keys)
        p = b.emit(ADD, PTR, [keys, b.emit(MUL, I64, [at, fn.i64(layout.slot * width)])])
        for k, (pair, x) in enumerate(zip(step.keys, mine, strict=True)):
            ok = fn.new_block()
            y = fn.load(x.type, p, layout.array_data + layout.slot * (k - width))
            same = _functions(*pair)[1]
            if same != "dyn_eq":
                other = fn.new_block()
                b.brif(b.emit(EQ, I32, [x, y]), ok, other, 1)
                b.start(other)
            b.brif(fn.call_runtime(same, x, y), ok, miss, 1)
            b.start(ok)

    def hash(self, exprs: list[ast.Expr], step: Step) -> tuple[Value, list[Value]]:
        """The keys of a row, as they are compared, and their hash."""
        fn = self.fn
        vals = []
        for pair, x in zip(step.keys, exprs, strict=True):
            function = _functions(*pair)[0]
            v = fn.expr(x)
            v = fn.convert(v, REF) if function == "hash_str" else fn.tag(v)
            vals.append(v)
        return mixed(
            fn, [fn.call_runtime(_functions(*pair)[0], v) for pair, v in zip(step.keys, vals, strict=True)]
        ), vals

    def index_of(self, step: Step, side: Side) -> Value:
        """The step's index, built here if this is the first row that asks for it."""
        fn = self.fn
        b = fn.b
        var = ("#index", step)
        build, done = fn.new_block(), fn.new_block()
        b.brif(fn.is_nil(b.read(var, REF)), build, done, -1)
        b.start(build)
        index = fn.call_runtime("join_new", fn.i64(len(step.keys)))

        def add(n: Value) -> None:
            self.bind(side, n)
            if step.keys_first:
                h, vals = self.hash([own for own, _ in step.keys], step)
                self.filter(step.own, lambda: put(n, h, vals))
            else:
                self.filter(step.own, lambda: put(n, *self.hash([own for own, _ in step.keys], step)))

        def put(n: Value, h: Value, vals: list[Value]) -> None:
            p = fn.call_runtime("join_put", index, h, n)
            for k, v in enumerate(vals):
                fn.store(p, v, fn.layout.slot * k)

        count_loop(fn, list_len(fn, side.rows[0].lst), add)
        fn.call_runtime("join_seal", index)
        b.write(var, index)
        b.jump(done)
        b.start(done)
        return b.read(var, REF)


def mixed(fn: Fn, hashes: list[Value]) -> Value:
    """One hash of several; the upper bits count."""
    b = fn.b
    h = hashes[0] if hashes else fn.i64(0)
    for x in hashes[1:]:
        h = b.emit(XOR, I64, [b.emit(MUL, I64, [h, fn.i64(_MIX)]), x])
    return h


def _functions(own: ast.Expr, other: ast.Expr) -> tuple[str, str]:
    kinds = (find(own.ty).kinds | find(other.ty).kinds) & ~NIL
    return _INTS if kinds == KINT else _TEXTS if kinds == STR else _ANY
