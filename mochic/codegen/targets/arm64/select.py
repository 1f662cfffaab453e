"""The arm64 selector: addresses, constants, flags, what rules cannot say."""

from __future__ import annotations

from typing import Final

from backend.arm64.immediates import add12, logical32, logical64
from backend.arm64.operands import ASR, LSL, LSR, shifted
from backend.arm64.ops import (
    AADD, AADDS, AADDW, AAND, AANDW, AASR, AASRW, ACBNZW, ACMP, ACMPW, ACSEL, ACSETW, AFCSELD, AFMOVD, AJMP, ALSR,
    ALSRW, AMOVD, AMOVW, AMSUB, AMSUBW, AMUL, ANEG, ANEGS, ANEGW, ASDIV, ASDIVW, ASMULH, ASUB, ASUBS, ASUBW, AUDIV,
    AUDIVW, AUMULH,
)  # fmt: skip
from backend.obj.prog import ADDR, MEM, NAME_EXTERN, Addr, Prog
from mochic.codegen.calls import Item
from mochic.codegen.context import Context
from mochic.codegen.divide import D_MOV, D_NEG, Divider
from mochic.codegen.code import M_DEF, M_USE, PR_ALLOCA
from mochic.codegen.machine import imm, signed64
from mochic.codegen.targets.arm64.machine import double_operand
from mochic.codegen.targets.arm64.regs import CC_NE, CC_NZW, CC_VS, COND, REG_ZR
from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import (
    ADD, ADDOV, ALLOCA, AND, CAST, FCONST, ICONST, LD, LD16U, LD32U, LD8U, MUL, MULOV, NEG, NOT, OR, SDIV, SHL, SREM,
    SUB, SUBOV, SYMADDR, UDIV, UREM, XOR,
)  # fmt: skip
from mochic.ir.types import F64, I32, I64

M64: Final = (1 << 64) - 1
_PLAIN_OP: Final = {ADDOV: (ADD, AADDS), SUBOV: (SUB, ASUBS), MULOV: (MUL, AMUL)}
_ARITH64: Final = (AADD, ASUB, AAND, ALSR, AASR, ANEG, AMOVD)
_ARITH32: Final = (AADDW, ASUBW, AANDW, ALSRW, AASRW, ANEGW, AMOVW)
_SHIFTS: Final = {"<<": LSL, ">>": LSR, "->": ASR}
_QUOTIENT: Final = {SREM: (ASDIVW, ASDIV, SDIV), UREM: (AUDIVW, AUDIV, UDIV)}


class Selector(Divider):
    """See SelectorBase; the rules call the methods here."""

    __slots__ = ("branching",)

    # Every 32-bit instruction clears the upper half.
    zero_extending = frozenset((
        ADD, SUB, MUL, NEG, AND, OR, XOR, NOT, SHL, SHL + 1, SHL + 2, UDIV, UREM, SDIV, SREM, LD, LD8U, LD16U, LD32U,
    ))  # fmt: skip

    def __init__(self, ctx: Context, fn: Func, bases: dict[int, Value]) -> None:
        super().__init__(ctx, fn, bases)
        self.branching = False  # selecting the condition that ends a block

    # -- constants

    def add12(self, c: int) -> bool:
        """Can ADD, SUB and CMP hold it?"""
        return c >= 0 and add12(c) >= 0

    def add24(self, c: int) -> bool:
        """Can one or two of them?"""
        return 0 <= c <= 0xFFFFFF

    def bitmask(self, c: int, bits: int) -> bool:
        """Can AND, ORR, EOR and TST hold it?"""
        return (logical64(c) if bits == 64 else logical32(c)) >= 0

    def power(self, c: int) -> bool:
        """Is it a single bit, the sign included?"""
        c &= M64
        return c != 0 and not c & (c - 1)

    def bit(self, c: int) -> int:
        return (c & M64).bit_length() - 1

    # -- operands

    def zero_or(self, v: Value) -> Addr:
        """The register of a value; ZR for the constant 0, where 31 does not mean RSP."""
        return REG_ZR if v.op == ICONST and v.imm == 0 else self.use(v)

    def shifted(self, a: Addr, kind: str, amount: int) -> Addr:
        return shifted(a.reg, _SHIFTS[kind], amount)

    def materialize(self, v: Value) -> Addr:
        op = v.op
        as_ = AMOVD
        if op == FCONST:
            t = self.temp(F64)
            as_ = AFMOVD
            src = double_operand(v.imm & M64, self.ctx.asm)
        else:
            t = self.temp(v.type)
            if op == ICONST:
                src = imm(v.imm)
            elif op == SYMADDR:
                src = Addr(ADDR, 0, v.imm, self.ctx.lsym(v.sym), 0, 0, NAME_EXTERN)
            else:
                src = Addr(ADDR, PR_ALLOCA, self.allocas[v.id])
        self.before(as_, [src, t])
        return t

    def before(self, as_: int, args: list[Addr]) -> None:
        """An instruction that makes an operand of the one being selected."""
        p = Prog(as_, args, 0)
        p.mark = M_DEF
        self.pend.append(p)

    def addr(self, base: Value, off: int, width: int) -> Addr:
        """The memory operand at base + off for an access of `width` bytes: folds constants that the offset field can
        hold, an index scaled by the width, symbols and frame places."""
        regs = self.regs
        first, start = base, off
        while True:
            op = base.op
            if op == CAST:
                base = base.args[0]
                continue
            if (op == ADD or op == SUB) and regs[base.id] is None:
                b = base.args[1]
                if b.op == ICONST:
                    off = signed64(off + b.imm if op == ADD else off - b.imm)
                    base = base.args[0]
                    if holds(off, width):
                        first, start = base, off
                    continue
            break
        if op == SYMADDR:
            # ADRP reaches 4 GB around the symbol; the low part is scaled by the width.
            n = off + base.imm
            if -0x1000000 <= n <= 0x1000000 and not n % width:
                return Addr(MEM, 0, n, self.ctx.lsym(base.sym), 0, 0, NAME_EXTERN)
        elif op == ALLOCA and holds(off, width):
            return Addr(MEM, PR_ALLOCA, self.allocas[base.id] + off)
        elif off == 0 and op == ADD and self.nuses[base.id] <= 2 and self.home[base.id] == self.cur:
            if regs[base.id] is None:
                return self.index(base, width)
        base, off = first, start
        if not holds(off, width):
            t = self.temp()
            self.before(AMOVD, [imm(off), t])
            return Addr(MEM, self.use(base).reg, 0, None, t.reg, 1)
        return Addr(MEM, self.use(base).reg, off)

    def index(self, sum: Value, width: int) -> Addr:
        """The memory at the sum of an address and an index."""
        base, x = sum.args
        scale = 1
        if x.op == SHL and self.regs[x.id] is None and x.args[1].op == ICONST and 1 << x.args[1].imm == width:
            scale = width
            x = x.args[0]
        elif x.op == MUL and self.regs[x.id] is None and x.args[1].op == ICONST and x.args[1].imm == width:
            scale = width
            x = x.args[0]
        return Addr(MEM, self.use(base).reg, 0, None, self.use(x).reg, scale)

    # -- conditions

    def branch(self, cond: Value, b: Block) -> int:
        self.branching = True
        cc = self.flags(cond)
        self.branching = False
        return cc

    def test(self, c: Value) -> int:
        if self.branching:
            self.emit(ACBNZW, [self.use(c)], M_USE, c.pos)
            return CC_NZW
        self.emit(ACMPW, [imm(0), self.use(c)], M_USE, c.pos)
        return CC_NE

    def overflow(self, v: Value, x: Value, y: Value) -> int:
        """The sum, difference or product whose overflow is asked for; with its value if it is wanted here."""
        plain, as_ = _PLAIN_OP[v.op]
        w = self.partner(plain, x, y, v)
        t = self.temp() if w is None else self.dst(w)
        if v.op == MULOV:
            h = self.temp()
            a, b = self.use(x), self.use(y)
            self.seq(
                [
                    (ASMULH, [b, a, h], M_DEF),
                    (AMUL, [b, a, t], M_DEF),
                    (ACMP, [shifted(t.reg, ASR, 63), h], M_USE),
                ],
                v.pos,
            )
            return CC_NE
        if v.op == SUBOV and x.op == ICONST and x.imm == 0:
            self.emit(ANEGS, [self.use(y), t], M_DEF, v.pos)
        elif y.op == ICONST and self.add12(y.imm):
            self.emit(as_, [imm(y.imm), self.use(x), t], M_DEF, v.pos)
        elif y.op == ICONST and self.add12(-y.imm):
            self.emit(ASUBS if as_ == AADDS else AADDS, [imm(-y.imm), self.use(x), t], M_DEF, v.pos)
        else:
            self.emit(as_, [self.use(y), self.use(x), t], M_DEF, v.pos)
        return CC_VS

    def truth(self, v: Value) -> None:
        """A condition as 0 or 1."""
        at = len(self.out)
        self.emit(ACSETW, [COND[0], self.dst(v)], M_DEF, v.pos)
        self.out[at].args[0] = COND[self.condition(v)]

    def choose(self, v: Value, c: Value, x: Value, y: Value) -> None:
        """x if c, else y."""
        at = len(self.out)
        if v.type == F64:
            self.emit(AFCSELD, [COND[0], self.use(x), self.use(y), self.dst(v)], M_DEF, v.pos)
        else:
            self.emit(ACSEL, [COND[0], self.zero_or(x), self.zero_or(y), self.dst(v)], M_DEF, v.pos)
        self.out[at].args[0] = COND[self.flags(c)]

    # -- arithmetic

    def remainder(self, v: Value, x: Value, y: Value) -> None:
        """x - x / y * y; the quotient may be wanted too."""
        narrow, wide, quotient = _QUOTIENT[v.op]
        w = self.partner(quotient, x, y, v)
        q = self.temp() if w is None else self.dst(w)
        a, b = self.use(x), self.use(y)
        is32 = v.type == I32
        self.seq(
            [
                (narrow if is32 else wide, [b, a, q], M_DEF),
                (AMSUBW if is32 else AMSUB, [b, a, q, self.dst(v)], M_DEF),
            ],
            v.pos,
        )

    def unreachable(self, v: Value, x: Value) -> None:
        raise AssertionError("legalize.py writes this op out")

    def arith(self, kind: int, wide: bool, a: Addr, b: Addr, out: Addr) -> Item:
        as_ = (_ARITH64 if wide else _ARITH32)[kind]
        if kind == D_MOV:
            return as_, [b, out], M_DEF
        if kind == D_NEG:
            return as_, [a, out], M_DEF
        return as_, [b, a, out], M_DEF

    def high(self, x: Addr, m: int, wide: bool, signed: bool, items: list[Item]) -> Addr:
        assert wide, "32-bit words are divided by SDIVW"
        t = self.word(m, items)
        h = self.temp()
        items.append((ASMULH if signed else AUMULH, [t, x, h], M_DEF))
        return h

    def times(self, q: Addr, c: int, wide: bool, items: list[Item], x: Addr, d: Addr) -> None:
        if c > 0 and not c & (c - 1):
            items.append((ASUB, [shifted(q.reg, LSL, c.bit_length() - 1), x, d], M_DEF))
        else:
            items.append((AMSUB, [self.word(c, items), x, q, d], M_DEF))

    def word(self, c: int, items: list[Item]) -> Addr:
        """A constant in a scratch register."""
        t = self.temp(I64)
        items.append((AMOVD, [imm(signed64(c)), t], M_DEF))
        return t

    # -- control

    def move(self, v: Value) -> None:
        self.emit(AMOVD, [self.use(v.args[0]), self.dst(v)], M_DEF, v.pos)

    def jump_table(self, b: Block) -> None:
        lo = min(b.cases)
        x = self.use(b.targs[0])
        base, to = self.temp(), self.temp()
        table = self.switch_table(b)
        self.seq(
            [
                (AMOVD, [Addr(ADDR, 0, -8 * lo, table, 0, 0, NAME_EXTERN), base], M_DEF),
                (AMOVD, [Addr(MEM, base.reg, 0, None, x.reg, 8), to], M_DEF),
                (AJMP, [to], M_USE),
            ],
            b.pos,
        )


def holds(off: int, width: int) -> bool:
    """Can a load or store hold the offset: scaled by the width, or small?"""
    return -256 <= off <= 255 or (0 <= off <= 4095 * width and not off % width)
