"""The amd64 selector: addresses, calls, conditions, what rules cannot say."""

from __future__ import annotations

from typing import Final

from backend.obj.prog import ADDR, MEM, NAME_EXTERN, REG, Addr, Prog
from backend.x86.ops import (
    AADDL, AADDQ, AANDL, AANDQ, AIDIVL, AIDIVQ, AIMUL3L, AIMULL, AIMULQ, AJMP, ALEAQ, AMOVBLZX, AMOVL, AMOVQ, AMOVSD,
    AMULL, AMULQ, ANEGL, ANEGQ, ANOP, AORL, ASARL, ASARQ, ASHLL, ASHLQ, ASHRL, ASHRQ, ASUBL, ASUBQ, ATESTL, AXORPS,
    AIMUL3Q, ADIVL, ADIVQ,
)  # fmt: skip
from backend.x86.regs import AX, CX, DX
from mochic.codegen.calls import Item
from mochic.codegen.divide import D_MOV, D_NEG, Divider
from mochic.codegen.code import M_DEF, M_USE, PR_ALLOCA, Special
from mochic.codegen.machine import imm, signed64
from mochic.codegen.targets.amd64.regs import ACMOVSD, CC_NE, CC_OS, CC_PC, CC_PS, CMOVL, CMOVQ, SETCC
from mochic.ir.func import Block, Value
from mochic.ir.ops import (
    ADD, ADDOV, ALLOCA, AND, CAST, FCONST, FEQ, FNE, ICONST, LD, MUL, MULOV, NEG, NOT, OR, SDIV, SHL, SREM, SUB, SUBOV,
    SYMADDR, UDIV, UREM, XOR,
)  # fmt: skip
from mochic.ir.types import F64, I32, I64

M64: Final = (1 << 64) - 1
_PLAIN_OP: Final = {ADDOV: (ADD, AADDQ), SUBOV: (SUB, ASUBQ), MULOV: (MUL, AIMULQ)}
_SHIFTS: Final = {SHL: (ASHLL, ASHLQ), SHL + 1: (ASHRL, ASHRQ), SHL + 2: (ASARL, ASARQ)}
_DIVIDES: Final = {SDIV: (AIDIVL, AIDIVQ), SREM: (AIDIVL, AIDIVQ), UDIV: (ADIVL, ADIVQ), UREM: (ADIVL, ADIVQ)}
_ARITH64: Final = (AADDQ, ASUBQ, AANDQ, ASHRQ, ASARQ, ANEGQ, AMOVQ)
_ARITH32: Final = (AADDL, ASUBL, AANDL, ASHRL, ASARL, ANEGL, AMOVL)


class Selector(Divider):
    """See SelectorBase; the rules call the methods here."""

    __slots__ = ()

    # Every 32-bit instruction clears the upper half (SDM 1, 3.4.1.1).
    zero_extending = frozenset((
        ADD, SUB, MUL, NEG, AND, OR, XOR, NOT, SHL, SHL + 1, SHL + 2, UDIV, UREM, SDIV, SREM, LD, LD + 1, LD + 2,
        LD + 3, LD + 4, LD + 5, LD + 6,
    ))  # fmt: skip

    # -- operands

    def materialize(self, v: Value) -> Addr:
        op = v.op
        if op == FCONST:
            t = self.temp(F64)
            p = Prog(AXORPS, [t, t], v.pos) if v.imm == 0 else Prog(AMOVSD, [self.float_constant(v.imm), t], v.pos)
        else:
            t = self.temp(v.type)
            if op == ICONST:
                p = Prog(AMOVL if v.type == I32 else AMOVQ, [imm(v.imm), t], v.pos)
            elif op == SYMADDR:
                p = Prog(ALEAQ, [Addr(MEM, 0, v.imm, self.ctx.lsym(v.sym), 0, 0, NAME_EXTERN), t], v.pos)
            else:
                p = Prog(ALEAQ, [Addr(MEM, PR_ALLOCA, self.allocas[v.id]), t], v.pos)
        p.mark = M_DEF
        self.pend.append(p)
        return t

    def float_constant(self, bits: int) -> Addr:
        """A double in read-only memory."""
        s = self.ctx.asm.constant("f64", (bits & M64).to_bytes(8, "little"))
        return Addr(MEM, 0, 0, s, 0, 0, NAME_EXTERN)

    def wide_constant(self, bits: int) -> Addr:
        """Sixteen bytes in read-only memory."""
        s = self.ctx.asm.constant("i128", bits.to_bytes(16, "little"))
        return Addr(MEM, 0, 0, s, 0, 0, NAME_EXTERN)

    def addr(self, base: Value, off: int) -> Addr:
        """The memory operand at base + off: folds constants, one scaled index, symbols and frame places.

        A constant offset is folded even when the sum has other uses: it costs nothing here and
        often saves the sum.  An index is folded when the sum is used at most twice, in this block.
        """
        regs = self.regs
        while True:
            op = base.op
            if op == CAST:
                base = base.args[0]
                continue
            if op == ADD:
                b = base.args[1]
                if b.op == ICONST and regs[base.id] is None:
                    off += b.imm
                    base = base.args[0]
                    continue
            elif op == SUB:
                b = base.args[1]
                if b.op == ICONST and regs[base.id] is None:
                    off -= b.imm
                    base = base.args[0]
                    continue
            break
        index = 0
        scale = 0
        if op == ADD and self.nuses[base.id] <= 2 and self.home[base.id] == self.cur and regs[base.id] is None:
            base, x = base.args
            scale = 1
            while True:
                # A shift costs nothing as a scale, wherever it stands: its operand takes its place in a register.
                if x.op == SHL and regs[x.id] is None:
                    c = x.args[1]
                    if c.op == ICONST and 0 < c.imm <= 3 and scale << c.imm <= 8:
                        scale <<= c.imm
                        x = x.args[0]
                        continue
                elif x.op == MUL and regs[x.id] is None:
                    c = x.args[1]
                    if c.op == ICONST and c.imm in (2, 4, 8) and scale * c.imm <= 8:
                        scale *= c.imm
                        x = x.args[0]
                        continue
                elif x.op == ADD and regs[x.id] is None:
                    c = x.args[1]
                    if c.op == ICONST and -0x10000000 <= c.imm <= 0x10000000 and x.type == I64:
                        off += c.imm * scale
                        x = x.args[0]
                        continue
                break
            if x.op == ICONST:
                off += x.imm * scale
                scale = 0
            else:
                index = self.use(x).reg
            while base.op == CAST or (base.op == ADD and regs[base.id] is None and base.args[1].op == ICONST):
                if base.op == ADD:
                    off += base.args[1].imm
                base = base.args[0]
        off = signed64(off)
        if not -0x80000000 <= off <= 0x7FFFFFFF:
            t = self.temp()
            p = Prog(AMOVQ, [imm(off), t], 0)
            p.mark = M_DEF
            self.pend.append(p)
            t2 = self.temp()
            p = Prog(ALEAQ, [Addr(MEM, self.use(base).reg, 0, None, t.reg, 1), t2], 0)
            p.mark = M_DEF
            self.pend.append(p)
            return Addr(MEM, t2.reg, 0, None, index, scale)
        if base.op == SYMADDR and not index:
            # RIP-relative displacements reach 2 GB around the symbol; far offsets go through a register.
            if -0x1000000 <= off + base.imm <= 0x1000000:
                return Addr(MEM, 0, off + base.imm, self.ctx.lsym(base.sym), 0, 0, NAME_EXTERN)
        elif base.op == ALLOCA:
            return Addr(MEM, PR_ALLOCA, self.allocas[base.id] + off, None, index, scale)
        return Addr(MEM, self.use(base).reg, off, None, index, scale)

    # -- conditions

    def test(self, c: Value) -> int:
        a = self.use(c)
        self.emit(ATESTL, [a, a], M_USE, c.pos)
        return CC_NE

    def overflow(self, v: Value, x: Value, y: Value) -> int:
        """The sum, difference or product whose overflow is asked for; with its value if it is wanted here.

        The plain op with the same operands, earlier in this block and not read in between, is made by
        this very instruction: it is moved down to here.
        """
        plain, opcode = _PLAIN_OP[v.op]
        w = self.partner(plain, x, y, v)
        target = self.temp() if w is None else self.dst(w)
        if v.op != SUBOV and y.op != ICONST and self.nuses[x.id] > self.nuses[y.id]:
            x, y = y, x
        if v.op == SUBOV and x.op == ICONST and x.imm == 0:
            self.emit(ANEGQ, [target], self.use(y).reg, v.pos)
        elif y.op == ICONST and -0x80000000 <= y.imm <= 0x7FFFFFFF:
            if v.op == MULOV:
                self.emit(AIMUL3Q, [imm(y.imm), self.use(x), target], M_DEF, v.pos)
            else:
                self.emit(opcode, [imm(y.imm), target], self.use(x).reg, v.pos)
        else:
            b = self.addr(y.args[0], y.imm) if y.op == LD and self.folds(y) else self.use(y)
            self.emit(opcode, [b, target], self.use(x).reg, v.pos)
        return CC_OS

    def truth(self, v: Value) -> None:
        """A condition as 0 or 1."""
        t = self.temp(I32)
        if v.op == FEQ or v.op == FNE:
            t2 = self.temp(I32)
            t3 = self.temp(I32)
            self.emit(AMOVBLZX, [t3, self.dst(v)], M_DEF, v.pos)
            self.emit(AANDL if v.op == FEQ else AORL, [t2, t3], t.reg, v.pos)
            cc = CC_PC if v.op == FEQ else CC_PS
            self.emit(SETCC[cc], [t2], M_DEF, v.pos)
            self.emit(SETCC[4 if v.op == FEQ else 5], [t], M_DEF, v.pos)
            self.condition(v)
            return
        self.emit(AMOVBLZX, [t, self.dst(v)], M_DEF, v.pos)
        self.emit(ANOP, [t], M_DEF, v.pos)
        setcc = self.out[-1]
        setcc.as_ = SETCC[self.condition(v)]

    def choose(self, v: Value, c: Value, x: Value, y: Value) -> None:
        """Conditional move: y unless c."""
        table = CMOVL if v.type == I32 else CMOVQ
        d = self.dst(v)
        f = self.peek(c)
        if f == FEQ or f == FNE:
            # x if equal and ordered: take y back on either flag.  The inverse exchanges x and y.
            if f == FNE:
                x, y = y, x
            t = self.temp(v.type)
            other = self.use(y)
            constants = self.pend  # must stand before both moves
            self.pend = []
            self.emit(table[CC_PS], [other, d], t.reg, v.pos)
            self.emit(table[CC_NE], [other, t], self.use(x).reg, v.pos)
            self.out += constants
            self.flags(c)
            return
        self.emit(table[CC_NE], [self.use(x), d], self.use(y).reg, v.pos)
        at = self.find_last(table[CC_NE])
        at.as_ = table[self.flags(c)]

    def find_last(self, as_: int) -> Prog:
        """The latest instruction with that opcode (constants for its operands may stand before it)."""
        out = self.out
        i = len(out) - 1
        while out[i].as_ != as_:
            i -= 1
        return out[i]

    def peek(self, c: Value) -> int:
        """FEQ or FNE when the flags for c will need two conditions, as `flags` would invert it."""
        c, invert = self.peel(c)
        if c.op not in (FEQ, FNE) or not self.testable(c):
            return -1
        return (FNE if c.op == FEQ else FEQ) if invert else c.op

    def choose_float(self, v: Value, c: Value, x: Value, y: Value) -> None:
        d = self.dst(v)
        self.emit(ACMOVSD, [self.use(x), d], self.use(y).reg, v.pos)
        at = self.find_last(ACMOVSD)
        at.scond = self.flags(c)

    # -- arithmetic in fixed registers

    def shift(self, v: Value, x: Value, y: Value) -> None:
        """Shift by a variable count: in CX."""
        opcode = _SHIFTS[v.op][0 if v.type == I32 else 1]
        count = self.any(y)
        s = Special([(count, CX)], [], (CX,), self.use(x).reg)
        self.emit(opcode, [_CX, self.dst(v)], self.special(s), v.pos)

    def divide(self, v: Value, x: Value, y: Value) -> None:
        """DIV and IDIV: dividend in AX (DX is its upper half), quotient in AX, remainder in DX.  emit.py puts the
        extension and the test for -1 in front.  A remainder and quotient of the same operands share one."""
        opcode = _DIVIDES[v.op][0 if v.type == I32 else 1]
        remainder = v.op == SREM or v.op == UREM
        defs = [(self.dst(v).reg, DX if remainder else AX)]
        other = {SDIV: SREM, SREM: SDIV, UDIV: UREM, UREM: UDIV}[v.op]
        w = self.partner(other, x, y, v)
        if w is not None:
            defs.append((self.dst(w).reg, AX if remainder else DX))
        s = Special([(self.any(x), AX)], defs, (AX, DX))
        s.plain = v.imm == 1
        self.emit(opcode, [self.use(y)], self.special(s), v.pos)

    def multiply_high(self, v: Value, x: Value, y: Value) -> None:
        s = Special([(self.any(x), AX)], [(self.dst(v).reg, DX)], (AX, DX))
        self.emit(AMULQ, [self.use(y)], self.special(s), v.pos)

    def arith(self, kind: int, wide: bool, a: Addr, b: Addr, out: Addr) -> Item:
        as_ = (_ARITH64 if wide else _ARITH32)[kind]
        if kind == D_MOV:
            return as_, [b, out], M_DEF
        if kind == D_NEG:
            return as_, [out], a.reg
        return as_, [b, out], a.reg

    def high(self, x: Addr, m: int, wide: bool, signed: bool, items: list[Item]) -> Addr:
        t = self.temp()
        h = self.temp()
        items.append((AMOVQ if wide else AMOVL, [imm(m), t], M_DEF))
        s = Special([(x, AX)], [(h.reg, DX)], (AX, DX))
        opcode = (AIMULQ if signed else AMULQ) if wide else (AIMULL if signed else AMULL)
        items.append((opcode, [t], self.special(s)))
        return h

    def times(self, q: Addr, c: int, wide: bool, items: list[Item], x: Addr, d: Addr) -> None:
        t = self.temp()
        if -0x80000000 <= c <= 0x7FFFFFFF:
            items.append((AIMUL3Q if wide else AIMUL3L, [imm(c), q, t], M_DEF))
        elif wide:
            t1 = self.temp()
            items.append((AMOVQ, [imm(c), t1], M_DEF))
            items.append((AIMULQ, [t1, t], q.reg))
        else:
            items.append((AIMUL3L, [imm(((c + 0x80000000) & 0xFFFFFFFF) - 0x80000000), q, t], M_DEF))
        items.append((ASUBQ if wide else ASUBL, [t, d], x.reg))

    # -- control

    def move(self, v: Value) -> None:
        """A cast that needs a register of its own."""
        self.emit(AMOVQ, [self.any_reg(v.args[0]), self.dst(v)], M_DEF, v.pos)

    def any_reg(self, v: Value) -> Addr:
        a = self.any(v)
        return self.use(v) if a.kind == ADDR else a

    def jump_table(self, b: Block) -> None:
        lo = min(b.cases)
        x = self.use(b.targs[0])
        base = self.temp()
        to = self.temp()
        table = self.switch_table(b)
        self.seq(
            [
                (ALEAQ, [Addr(MEM, 0, -8 * lo, table, 0, 0, NAME_EXTERN), base], M_DEF),
                (AMOVQ, [Addr(MEM, base.reg, 0, None, x.reg, 8), to], M_DEF),
                (AJMP, [to], M_USE),
            ],
            b.pos,
        )


_CX: Final = Addr(REG, CX)
