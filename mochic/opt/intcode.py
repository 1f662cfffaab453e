"""Instructions for exact integers in their representations: words, and tags with inline paths for small ints.

Each value comes with its node of the interval analysis (opt.intrange), which tells what need not be checked.
"""

from __future__ import annotations

from typing import Any, Final

from mochic.ir.floats import float_bits
from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import (
    ADD, ADDOV, AND, BRIF, CALL, CAST, EQ, F2I, FCONST, FLT, I2F, ICONST, JUMP, MUL, MULOV, NE, OR, SAR, SDIV, SHL, SHR,
    SLE, SLT, SREM, SUB, SUBOV, SYMADDR,
    TRUNC32, UDIV, UREM, ZEXT32,
)  # fmt: skip
from mochic.ir.types import F64, I32, I64, TAG
from mochic.ir.rtabi import RUNTIME
from mochic.opt.intrange import S_MAX, S_MIN, W_MAX, W_MIN, Ranges

OVERFLOWS: Final = {ADD: ADDOV, SUB: SUBOV, MUL: MULOV}
TAG_CALL: Final = {ADD: "int_add", SUB: "int_sub", MUL: "int_mul", SDIV: "int_div", SREM: "int_rem"}
_WORD_CALL: Final = {ADD: "i64_add", SUB: "i64_sub", MUL: "i64_mul"}
_F_LIMIT: Final = float_bits(float(1 << 62))
_F_NLIMIT: Final = float_bits(-float(1 << 62))


class IntCode:
    """Emits into one function, at the end of block `cur`."""

    __slots__ = ("r", "fn", "bigint", "cut", "sat", "cur", "out", "pos")

    def __init__(self, r: Ranges, fn: Func, bigint: Any, cut: set[int] | None = None) -> None:
        self.r = r
        self.fn = fn
        self.bigint = bigint
        self.cut = cut or set()  # nodes whose operations are checked, see intrep
        self.sat = "int_sat" if cut is None else "int_word"
        self.cur: Block = fn.blocks[0]
        self.out: list[Block] = []
        self.pos = 0

    # -- emitting ----------------------------------------------------------------------------------

    def emit(self, op: int, type: int, args: list[Value], imm: int = 0, sym: Any = None) -> Value:
        fn = self.fn
        v = Value(fn.nvalues, op, type, args, imm, sym, self.pos)
        fn.nvalues += 1
        self.cur.values.append(v)
        return v

    def const(self, n: int, type: int = I64) -> Value:
        return self.emit(ICONST, type, [], n)

    def rt(self, name: str, *args: Value) -> Value:
        sym = RUNTIME[name]
        return self.emit(CALL, sym.ret, list(args), 0, sym)

    def block(self, cold: bool = False) -> Block:
        fn = self.fn
        b = Block(fn.nblocks)
        fn.nblocks += 1
        b.cold = cold
        return b

    def branch(self, c: Value, yes: Block, no: Block, hint: int) -> None:
        b = self.cur
        b.term = BRIF
        b.targs = [c]
        b.succs = [yes, no]
        b.sargs = [[], []]
        b.hint = hint
        b.pos = self.pos

    def jump(self, to: Block, args: list[Value]) -> None:
        b = self.cur
        b.term = JUMP
        b.targs = []
        b.succs = [to]
        b.sargs = [args]
        b.pos = self.pos

    def start(self, b: Block) -> None:
        self.cur = b
        self.out.append(b)

    # -- conversions -------------------------------------------------------------------------------

    def word_node(self, n: int) -> bool:
        r = self.r
        return r.lo[n] >= W_MIN and r.hi[n] <= W_MAX

    def small_node(self, n: int) -> bool:
        r = self.r
        return r.lo[n] >= S_MIN and r.hi[n] <= S_MAX

    def to_word(self, v: Value, n: int) -> Value:
        """v (node n) as I64; values outside are clamped."""
        if v.type == I64:
            return v
        if v.op == ICONST:
            return self.const(v.imm >> 1)
        w = self.emit(CAST, I64, [v])
        if self.small_node(n):
            return self.untagged(w, n)
        small, big, done = self.block(), self.block(True), self.block()
        p = self.fn.new_param(done, I64)
        self.branch(self.emit(EQ, I32, [self.emit(AND, I64, [w, self.const(1)]), self.const(0)]), big, small, -1)
        self.start(small)
        self.jump(done, [self.untagged(w, n)])
        self.start(big)
        self.jump(done, [self.rt(self.sat, v)])
        self.start(done)
        return p

    def untagged(self, w: Value, n: int) -> Value:
        """The word in the tag of a small int of node n; a logical shift tells that it is not negative."""
        return self.emit(SAR if self.r.lo[n] < 0 else SHR, I64, [w, self.const(1)])

    def to_tag(self, v: Value, n: int) -> Value:
        if v.type == TAG:
            return v
        if v.op == ICONST:
            return self.tag_const(v.imm)
        if self.small_node(n):
            w = self.emit(OR, I64, [self.emit(SHL, I64, [v, self.const(1)]), self.const(1)])
            return self.emit(CAST, TAG, [w])
        small, big, done = self.block(), self.block(True), self.block()
        p = self.fn.new_param(done, TAG)
        two = self.emit(ADD, I64, [v, v])
        self.branch(self.emit(ADDOV, I32, [v, v]), big, small, -1)
        self.start(small)
        self.jump(done, [self.emit(CAST, TAG, [self.emit(OR, I64, [two, self.const(1)])])])
        self.start(big)
        self.jump(done, [self.rt("int_box", v)])
        self.start(done)
        return p

    def tag_const(self, n: int) -> Value:
        if S_MIN <= n <= S_MAX:
            w = 2 * n + 1
            return self.emit(ICONST, TAG, [], w)
        return self.emit(SYMADDR, TAG, [], 0, self.bigint(n))

    def as_type(self, v: Value, n: int, type: int) -> Value:
        return self.to_word(v, n) if type == I64 else self.to_tag(v, n)

    def slot_type(self, s: Any) -> int:
        return I64 if s.word else TAG

    # -- arithmetic --------------------------------------------------------------------------------

    def cannot_overflow(self, op: int, na: int, nb: int) -> bool:
        r = self.r
        if not (self.word_node(na) and self.word_node(nb)):
            return False
        if op == ADD:
            return r.hi[na] + r.hi[nb] <= W_MAX and r.lo[na] + r.lo[nb] >= W_MIN
        return r.hi[na] - r.lo[nb] <= W_MAX and r.lo[na] - r.hi[nb] >= W_MIN

    def tag_arith(self, op: int, a: Value, b: Value, na: int, nb: int, word: bool, node: int) -> Value:
        """a op b with an inline path for small ints; the result is a TAG (a word if `word`)."""
        slow, done = self.block(True), self.block()
        rtype = I64 if word else TAG
        p = self.fn.new_param(done, rtype)
        if a.type == I64 and b.type == I64 and not (self.small_node(na) and self.small_node(nb)):
            # Words that may not fit a tag: compute on words, box the result.
            x = self.emit(op, I64, [a, b])
            ok = self.block()
            self.branch(self.emit(OVERFLOWS[op], I32, [a, b]), slow, ok, -1)
            self.start(ok)
            full = self.r.node(0, [], W_MIN, W_MAX)
            self.jump(done, [x if word else self.to_tag(x, full)])
            self.start(slow)
            res = self.rt(_WORD_CALL[op], a, b)
        else:
            ta, tb = self.to_tag(a, na), self.to_tag(b, nb)
            wa, wb = self.emit(CAST, I64, [ta]), self.emit(CAST, I64, [tb])
            self.check_small([(wa, na), (wb, nb)], slow)
            even = self.emit(SUB, I64, [wb, self.const(1)]) if tb.op != ICONST else self.const(tb.imm - 1)
            if op == MUL:
                x = self.emit(SAR, I64, [wa, self.const(1)]) if ta.op != ICONST else self.const(ta.imm >> 1)
            else:
                x = wa
            ok = self.block()
            s = self.emit(op, I64, [x, even])
            self.branch(self.emit(OVERFLOWS[op], I32, [x, even]), slow, ok, -1)
            self.start(ok)
            if word:
                res2 = self.emit(SAR, I64, [s, self.const(1)])
            else:
                if op == MUL:
                    s = self.emit(OR, I64, [s, self.const(1)])
                res2 = self.emit(CAST, TAG, [s])
            self.jump(done, [res2])
            self.start(slow)
            res = self.rt(TAG_CALL[op], ta, tb)
        if word:
            res = self.to_word(res, node)
        self.jump(done, [res])
        self.start(done)
        return p

    def check_small(self, operands: list[tuple[Value, int]], slow: Block) -> None:
        """Go on only if all tags are small ints."""
        need = [w for w, n in operands if not self.small_node(n)]
        if not need:
            return
        w = need[0]
        if len(need) == 2 and need[1].args[0] is not w.args[0]:
            w = self.emit(AND, I64, [w, need[1]])
        ok = self.block()
        self.branch(self.emit(EQ, I32, [self.emit(AND, I64, [w, self.const(1)]), self.const(0)]), slow, ok, -1)
        self.start(ok)

    def word_divide(self, op: int, x: Value, y: Value, na: int, nb: int) -> Value:
        """Division of words.  Unsigned division needs no correction for signs, a 32-bit one is far shorter."""
        r = self.r
        if r.lo[na] < 0 or r.lo[nb] < 0:
            v = self.emit(op, I64, [x, y])
            if r.lo[nb] > -1 or r.hi[nb] < -1:
                v.imm = 1  # the divisor is not -1: no MIN / -1
            return v
        op = UDIV if op == SDIV else UREM
        if r.hi[na] >> 32 or r.hi[nb] >> 32:
            return self.emit(op, I64, [x, y])
        x32, y32 = self.emit(TRUNC32, I32, [x]), self.emit(TRUNC32, I32, [y])
        return self.emit(ZEXT32, I64, [self.emit(op, I32, [x32, y32])])

    # -- comparison --------------------------------------------------------------------------------

    def operands(self, a: Value, b: Value, ns: list[int]) -> tuple[Value, Value, bool]:
        """Both as words, or both as tags cast to words; tells which (True: tags)."""
        na, nb = ns
        if self.word_node(na) and self.word_node(nb) and (a.type == I64 or b.type == I64):
            if (a.type == I64 and b.type == I64) or not (
                (a.op == ICONST and self.small_node(na)) or (b.op == ICONST and self.small_node(nb))
            ):
                return self.to_word(a, na), self.to_word(b, nb), False
        return self.to_tag(a, na), self.to_tag(b, nb), True

    def decided(self, op: int, ns: list[int]) -> int:
        """1 or 0 when the intervals settle the comparison, else -1."""
        r = self.r
        al, ah, bl, bh = r.lo[ns[0]], r.hi[ns[0]], r.lo[ns[1]], r.hi[ns[1]]
        if al > ah or bl > bh:
            return -1
        if op == SLT:
            return 1 if ah < bl else 0 if al >= bh else -1
        if op == SLE:
            return 1 if ah <= bl else 0 if al > bh else -1
        equal = 0 if ah < bl or bh < al else 1 if al == ah == bl == bh else -1
        return equal if op == EQ or equal < 0 else 1 - equal

    def compare(self, op: int, a: Value, b: Value, ns: list[int]) -> Value:
        known = self.decided(op, ns)
        if known >= 0:
            return self.const(known, I32)
        x, y, tags = self.operands(a, b, ns)
        if not tags:
            return self.emit(op, I32, [x, y])
        na, nb = ns
        wx, wy = self.emit(CAST, I64, [x]), self.emit(CAST, I64, [y])
        if self.small_node(na) and self.small_node(nb):
            return self.emit(op, I32, [wx, wy])
        if op in (EQ, NE) and (self.small_node(na) or self.small_node(nb)):
            return self.emit(op, I32, [wx, wy])
        slow, done = self.block(True), self.block()
        p = self.fn.new_param(done, I32)
        self.check_small([(wx, na), (wy, nb)], slow)
        self.jump(done, [self.emit(op, I32, [wx, wy])])
        self.start(slow)
        self.jump(done, [self.slow_compare(op, x, y)])
        self.start(done)
        return p

    def slow_compare(self, op: int, x: Value, y: Value) -> Value:
        return self.emit(op, I32, [self.rt("int_cmp", x, y), self.const(0)])

    # -- floats ------------------------------------------------------------------------------------

    def to_f64(self, v: Value, n: int) -> Value:
        if v.type == I64 or self.word_node(n):
            return self.emit(I2F, F64, [self.to_word(v, n)])
        w = self.emit(CAST, I64, [v])
        small, big, done = self.block(), self.block(True), self.block()
        p = self.fn.new_param(done, F64)
        self.branch(self.emit(EQ, I32, [self.emit(AND, I64, [w, self.const(1)]), self.const(0)]), big, small, -1)
        self.start(small)
        self.jump(done, [self.emit(I2F, F64, [self.emit(SAR, I64, [w, self.const(1)])])])
        self.start(big)
        self.jump(done, [self.rt("int_to_f64", v)])
        self.start(done)
        return p

    def from_f64(self, f: Value) -> Value:
        """Truncation; doubles below 2^62 in magnitude convert inline."""
        big, ok, ok2, done = self.block(True), self.block(), self.block(), self.block()
        p = self.fn.new_param(done, TAG)
        self.branch(self.emit(FLT, I32, [f, self.emit(FCONST, F64, [], _F_LIMIT)]), ok, big, 1)
        self.start(ok)
        self.branch(self.emit(FLT, I32, [self.emit(FCONST, F64, [], _F_NLIMIT), f]), ok2, big, 1)
        self.start(ok2)
        w = self.emit(F2I, I64, [f])
        t = self.emit(OR, I64, [self.emit(SHL, I64, [w, self.const(1)]), self.const(1)])
        self.jump(done, [self.emit(CAST, TAG, [t])])
        self.start(big)
        self.jump(done, [self.rt("int_from_f64", f)])
        self.start(done)
        return p
