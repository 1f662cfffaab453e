"""Representation of exact integers: every INT value becomes an I64 word or a TAG.

Input: a module with INT values; output: the same module without.  `opt.intrange` bounds each value; one
whose interval fits 64 bits is a word.  Any other is a tag (docs/runtime.md): small int `2n + 1`, or a
reference to a bigint.  Arithmetic on tags has an inline path for small ints, guarded by the tag bit and
the overflow flag, and an out-of-line path that calls the runtime.

Where only the *result* may leave 64 bits the operation stays on words and its overflow branch computes
the exact result with bigints.  Operands that a branch has bounded (pi nodes) are converted without checks.

With `checked` (`-int=checked`) every int is a word, and what leaves 64 bits is a run-time error: intervals are cut to
those of words, and operations and conversions that were cut are checked.

Invariants.  An int slot (parameter, result, field, element, global) has one representation everywhere:
IntSlot.word.  Small ints and bigints are normalised: an int that fits 63 bits is never a bigint.
"""

from __future__ import annotations

from typing import Any, Final

from mochic.ir.builder import drop_unreachable, simplify_params
from mochic.ir.cfg import reverse_postorder
from mochic.ir.func import Block, Func, Module, Value
from mochic.ir.ops import (
    ADD, AND, BRIF, CALL, CALLI, CAST, EQ, F2INT, FEED, FROMINT, ICONST, INT2F, LD,
    MAPFIND, MAPSLOT, MUL, NE, NEG, RET, SAR, SDIV, SLE, SLT, SREM, ST, SUB, TOINT, TOTAG, UNTAG,
)  # fmt: skip
from mochic.ir.slots import IntSlot
from mochic.ir.types import I32, I64, INT, PTR, TAG
from mochic.ir.rtabi import RUNTIME
from mochic.opt.intcode import OVERFLOWS, TAG_CALL, IntCode
from mochic.opt.intrange import S_MAX, S_MIN, W_MAX, W_MIN, Ranges, Table, build, clamp, solve, trivial


def select_representations(module: Module, bigint: Any, analyse: bool = True, checked: bool = False) -> None:
    """Rewrite the module in place.  `bigint(n)` gives the static object of a large constant."""
    r = build(module)
    if analyse:
        solve(r)
    else:
        trivial(r)
    cut = clamp(r) if checked else None
    slots: dict[int, Any] = {}
    for fn in module.funcs:
        _slots_of(fn, slots)
    for s in slots.values():
        n = s.node
        if n < 0:
            s.word = True
            continue
        s.lo, s.hi = r.lo[n], r.hi[n]
        s.word = (s.lo >= W_MIN and s.hi <= W_MAX) and (analyse or checked or s.lo > s.hi)
    done: set[int] = set()
    for fn in module.funcs:
        _Rewrite(r, r.tables[fn], fn, bigint, cut).run()
    for fn in module.funcs:
        _fix_signature(fn.sym, done)
        for b in fn.blocks:
            for v in b.values:
                if (v.op == CALL or v.op == CALLI) and v.sym is not None:
                    _fix_signature(v.sym, done)


def _slots_of(fn: Func, out: dict[int, Any]) -> None:
    for s in fn.sym.slots:
        if s is not None:
            out[id(s)] = s
    for b in fn.blocks:
        for v in b.values:
            op = v.op
            if op in (CALL, CALLI):
                for s in v.sym.slots:
                    if s is not None:
                        out[id(s)] = s
            elif op in (LD, ST, MAPFIND, MAPSLOT) and isinstance(v.sym, IntSlot):
                out[id(v.sym)] = v.sym
            elif op == FEED:
                for s in v.sym:
                    if s is not None:
                        out[id(s)] = s


def _fix_signature(sym: Any, done: set[int]) -> None:
    if id(sym) in done:
        return
    done.add(id(sym))
    slots = sym.slots
    for i, t in enumerate(sym.params):
        if t == INT:
            sym.params[i] = I64 if slots[i].word else TAG
    if sym.ret == INT:
        sym.ret = I64 if slots[-1].word else TAG


# Functions of the runtime that take an index as a word, with the place of that argument, and those that take
# any int.  A word is enough to find the element, or that there is none; an error message has the index as it was.
_INDEXED: Final = {"runtime.panic_index": (0, "panic_index_int")}


class _Rewrite(IntCode):
    """One function."""

    __slots__ = ("t", "subst", "compares", "cut_off")

    def __init__(self, r: Ranges, t: Table, fn: Func, bigint: Any, cut: set[int] | None) -> None:
        super().__init__(r, fn, bigint, cut)
        self.t = t
        self.subst: dict[int, Value] = {}
        self.compares: dict[int, int] = {}
        self.cut_off: dict[int, Value] = {}  # words made of ints that may be more -> the int

    def arrived(self, v: Value, tag: Value) -> Value:
        """An int that comes from code with exact ints, such as the runtime."""
        return self.to_word(tag, self.t.of[v.id]) if self.t.of[v.id] in self.cut else tag

    # -- the walk -------------------------------------------------------------------------------

    def run(self) -> None:
        fn = self.fn
        of = self.t.of
        blocks = fn.blocks
        for i, p in enumerate(blocks[0].params):
            if p.type == INT:
                p.type = self.slot_type(fn.sym.slots[i])
        for b in blocks:
            for p in b.params:
                if p.type == INT:
                    p.type = I64 if self.word_node(of[p.id]) else TAG
        # A comparison used once, by the branch that follows it, becomes control flow.
        counts = self.compares
        for b in blocks:
            for v in b.values:
                for a in v.args:
                    if a.type == I32:
                        counts[a.id] = counts.get(a.id, 0) + 1
            for a in b.targs:
                counts[a.id] = counts.get(a.id, 0) + 1
            for sa in b.sargs:
                for a in sa:
                    if a.type == I32:
                        counts[a.id] = counts.get(a.id, 0) + 1
        # Definitions before uses: reverse postorder, not the block list, which follows the source.
        for b in reverse_postorder(fn):
            self.rewrite_block(b)
        fn.blocks = self.out
        self.substitute()
        if drop_unreachable(fn):
            simplify_params(fn)

    def rewrite_block(self, b: Block) -> None:
        values = b.values
        term, targs, succs, sargs, cases, hint, tpos = b.term, b.targs, b.succs, b.sargs, b.cases, b.hint, b.pos
        b.values = []
        self.start(b)
        fused: Value | None = None
        if term == BRIF and targs[0].op in (EQ, NE, SLT, SLE) and targs[0].args[0].type != I32 and values:
            c = targs[0]
            if c is values[-1] and self.compares.get(c.id) == 1 and c.id in self.t.uses:
                fused = c
        for v in values:
            self.pos = v.pos
            if v is fused:
                break
            if v.op == FEED:
                continue
            if v.type == INT or v.id in self.t.uses:
                self.rewrite_value(v)
            else:
                if v.op == CALL and self.cut_off:
                    self.whole_index(v)
                self.cur.values.append(v)
        self.pos = tpos
        # The terminator, in whatever block the expansion ended in.
        if term == RET and b.id in self.t.terms:
            targs = [self.as_type(self.use(targs[0]), self.t.terms[b.id], self.slot_type(self.fn.sym.slots[-1]))]
        rows = self.t.edges.get(b.id)
        if rows is not None:
            new = []
            for s, sa, row in zip(succs, sargs, rows, strict=True):
                it = iter(row)
                na = []
                for a, p in zip(sa, s.params, strict=True):
                    if self.was_int(a):
                        na.append(self.as_type(self.use(a), next(it), p.type))
                    else:
                        na.append(self.use(a))
                new.append(na)
            sargs = new
        if fused is not None:
            self.compare_branch(fused, succs, sargs, hint)
            return
        last = self.cur
        last.term, last.targs, last.succs, last.sargs, last.cases, last.hint, last.pos = (
            term, targs, succs, sargs, cases, hint, tpos,
        )  # fmt: skip

    def whole_index(self, v: Value) -> None:
        at, name = _INDEXED.get(v.sym.name, (0, ""))
        if name:
            x = self.cut_off.get(v.args[at].id)
            if x is not None:
                v.args[at] = x
                v.sym = RUNTIME[name]

    def was_int(self, v: Value) -> bool:
        return v.id < len(self.t.of) and self.t.of[v.id] >= 0

    def use(self, v: Value) -> Value:
        return self.subst.get(v.id, v)

    def substitute(self) -> None:
        """Replace values whose expansion is another value everywhere they are still named."""
        subst = self.subst
        if not subst:
            return
        for n, v in subst.items():
            while v.id in subst:  # a tag made of an int that came from a tag
                v = subst[v.id]
            subst[n] = v
        for b in self.fn.blocks:
            for v in b.values:
                args = v.args
                for i, a in enumerate(args):
                    if a.id in subst:
                        args[i] = subst[a.id]
            for i, a in enumerate(b.targs):
                if a.id in subst:
                    b.targs[i] = subst[a.id]
            for sa in b.sargs:
                for i, a in enumerate(sa):
                    if a.id in subst:
                        sa[i] = subst[a.id]

    def rewrite_value(self, v: Value) -> None:
        op = v.op
        ns = self.t.uses.get(v.id)
        if op == ICONST:
            if W_MIN <= v.imm <= W_MAX:
                v.type = I64
                self.cur.values.append(v)
            else:
                self.subst[v.id] = self.tag_const(v.imm)
        elif op in (ADD, SUB, MUL, NEG):
            assert ns is not None
            self.arith(v, ns)
        elif op in (SDIV, SREM):
            assert ns is not None
            self.divide(v, ns)
        elif op in (EQ, NE, SLT, SLE):
            assert ns is not None
            self.subst[v.id] = self.compare(op, self.use(v.args[0]), self.use(v.args[1]), ns)
        elif op == TOINT:
            self.subst[v.id] = v.args[0]
        elif op == FROMINT:
            assert ns is not None
            x = self.use(v.args[0])
            self.subst[v.id] = self.to_word(x, ns[0])
            if x.type == TAG and not self.small_node(ns[0]):
                self.cut_off[v.id] = x
        elif op == TOTAG:
            assert ns is not None
            self.subst[v.id] = self.to_tag(self.use(v.args[0]), ns[0])
        elif op == UNTAG:
            self.subst[v.id] = self.arrived(v, v.args[0])
        elif op == INT2F:
            assert ns is not None
            self.subst[v.id] = self.to_f64(self.use(v.args[0]), ns[0])
        elif op == F2INT:
            self.subst[v.id] = self.arrived(v, self.from_f64(v.args[0]))
        elif op == LD:
            v.type = I64 if v.sym is not None and v.sym.word else TAG
            self.cur.values.append(v)
        elif op == ST:
            assert ns is not None
            v.args[1] = self.as_type(self.use(v.args[1]), ns[0], self.slot_type(v.sym))
            self.cur.values.append(v)
        elif op in (CALL, CALLI):
            self.call(v, ns)
        elif op in (MAPFIND, MAPSLOT):
            assert ns is not None
            key = self.use(v.args[1])
            name = "map_find_" if op == MAPFIND else "map_slot_"
            if v.sym.word and self.word_node(ns[0]):
                r = self.rt(name + "i64", v.args[0], self.to_word(key, ns[0]))
            elif v.sym.word:
                r = self.find_by_tag(v.args[0], key)
            else:
                r = self.rt(name + "int", v.args[0], self.to_tag(key, ns[0]))
            self.subst[v.id] = r
        else:
            raise AssertionError(v.op)

    def find_by_tag(self, m: Value, key: Value) -> Value:
        """Look an unbounded key up in a map of words: what does not fit a word is not there."""
        small, big, word, none, done = self.block(), self.block(True), self.block(True), self.block(True), self.block()
        p = self.fn.new_param(done, PTR)
        w = self.emit(CAST, I64, [key])
        self.branch(self.emit(EQ, I32, [self.emit(AND, I64, [w, self.const(1)]), self.const(0)]), big, small, -1)
        self.start(small)
        self.jump(done, [self.rt("map_find_i64", m, self.emit(SAR, I64, [w, self.const(1)]))])
        self.start(big)
        s = self.rt("int_sat", key)
        self.branch(self.rt("int_eq", self.rt("int_box", s), key), word, none, 0)
        self.start(word)
        self.jump(done, [self.rt("map_find_i64", m, s)])
        self.start(none)
        self.jump(done, [self.const(0, PTR)])
        self.start(done)
        return p

    def call(self, v: Value, ns: list[int] | None) -> None:
        slots = v.sym.slots
        if ns is not None:
            it = iter(ns)
            base = 1 if v.op == CALLI else 0
            for i, s in enumerate(slots[: len(v.sym.params)]):
                if s is not None:
                    a = v.args[base + i]
                    v.args[base + i] = self.as_type(self.use(a), next(it), self.slot_type(s))
        if v.type == INT:
            v.type = self.slot_type(slots[-1])
        self.cur.values.append(v)

    # -- arithmetic -----------------------------------------------------------------------------

    def arith(self, v: Value, ns: list[int]) -> None:
        op = v.op
        node = self.t.of[v.id]
        args = [self.use(a) for a in v.args]
        if op == NEG:
            op = SUB
            args.insert(0, self.const(0))
            zero = self.r.node(0, [], 0, 0)
            ns = [zero, ns[0]]
        a, b = args
        na, nb = ns
        cut = node in self.cut
        counter = cut or node in self.r.counters
        if self.word_node(node) and (counter or (self.word_node(na) and self.word_node(nb))):
            x, y = self.to_word(a, na), self.to_word(b, nb)
            v.op, v.type, v.args = op, I64, [x, y]
            self.cur.values.append(v)
            if cut or (counter and not self.cannot_overflow(op, na, nb)):
                ok, bad = self.block(), self.block(True)
                self.branch(self.emit(OVERFLOWS[op], I32, [x, y]), bad, ok, -1)
                self.start(bad)
                self.rt("panic_checked" if cut else "panic_overflow")
                self.start(ok)
            return
        self.subst[v.id] = self.tag_arith(op, a, b, na, nb, self.word_node(node), node)

    def divide(self, v: Value, ns: list[int]) -> None:
        op = v.op
        a, b = self.use(v.args[0]), self.use(v.args[1])
        na, nb = ns
        node = self.t.of[v.id]
        word = self.word_node(node)
        r = self.r
        if word and self.word_node(na) and self.word_node(nb):
            x, y = self.to_word(a, na), self.to_word(b, nb)
            if op == SDIV and node in self.cut:  # MIN / -1
                odd, bad, ok = self.block(True), self.block(True), self.block()
                self.branch(self.emit(EQ, I32, [y, self.const(-1)]), odd, ok, -1)
                self.start(odd)
                self.branch(self.emit(EQ, I32, [x, self.const(W_MIN)]), bad, ok, -1)
                self.start(bad)
                self.rt("panic_checked")
                self.start(ok)
            self.subst[v.id] = self.word_divide(op, x, y, na, nb)
            return
        if a.type == I64 and b.type == I64 and op == SREM:
            v.type = I64
            self.cur.values.append(v)
            v.args = [a, b]
            return
        slow, done = self.block(True), self.block()
        p = self.fn.new_param(done, I64 if word else TAG)
        ta, tb = self.to_tag(a, na), self.to_tag(b, nb)
        wa, wb = self.emit(CAST, I64, [ta]), self.emit(CAST, I64, [tb])
        self.check_small([(wa, na), (wb, nb)], slow)
        x = self.untagged(wa, na)
        y = self.untagged(wb, nb) if tb.op != ICONST else self.const(tb.imm >> 1)
        q = self.word_divide(op, x, y, na, nb)
        if word:
            self.jump(done, [q])
        else:
            # Only MIN / -1 leaves the range of small ints.
            fits = op == SREM or r.lo[nb] > -1 or r.hi[nb] < -1
            n = r.node(0, [], S_MIN, S_MAX) if fits else r.node(0, [], W_MIN, W_MAX)
            self.jump(done, [self.to_tag(q, n)])
        self.start(slow)
        res = self.rt(TAG_CALL[op], ta, tb)
        self.jump(done, [self.to_word(res, node) if word else res])
        self.start(done)
        self.subst[v.id] = p

    # -- comparison -----------------------------------------------------------------------------

    def compare_branch(self, c: Value, succs: list[Block], sargs: list[list[Value]], hint: int) -> None:
        ns = self.t.uses[c.id]
        known = self.decided(c.op, ns)
        if known >= 0:
            self.jump(succs[1 - known], sargs[1 - known])
            return
        x, y, tags = self.operands(self.use(c.args[0]), self.use(c.args[1]), ns)
        op = c.op
        wx, wy = x, y
        if tags:
            wx, wy = self.emit(CAST, I64, [x]), self.emit(CAST, I64, [y])
            small_a, small_b = self.small_node(ns[0]), self.small_node(ns[1])
            if not (small_a and small_b) and not (op in (EQ, NE) and (small_a or small_b)):
                slow = self.block(True)
                self.check_small([(wx, ns[0]), (wy, ns[1])], slow)
                self.branch(self.emit(op, I32, [wx, wy]), succs[0], succs[1], hint)
                self.cur.sargs = sargs
                self.start(slow)
                self.branch(self.slow_compare(op, x, y), succs[0], succs[1], 0)
                self.cur.sargs = [list(s) for s in sargs]
                return
        self.branch(self.emit(op, I32, [wx, wy]), succs[0], succs[1], hint)
        self.cur.sargs = sargs
