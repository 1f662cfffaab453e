"""The riscv64 selector: addresses, constants, overflow, what rules cannot say."""

from __future__ import annotations

from typing import Final

from backend.obj.prog import ADDR, MEM, NAME_EXTERN, REG, Addr, Prog
from backend.riscv.expand import load_constant
from backend.riscv.ops import (
    AADD, AADDW, AAND, AJMP, AMOV, AMOVD, AMOVW, AMUL, AMULH, AMULHU, ANEG, ANEGW, ASLL, ASLT, ASLTU, ASRA, ASRAW, ASRL,
    ASRLW, ASUB, ASUBW, AXOR,
)  # fmt: skip
from mochic.codegen.calls import Item
from mochic.codegen.context import Context
from mochic.codegen.divide import D_MOV, D_NEG, Divider
from mochic.codegen.code import M_DEF, M_USE, PR_ALLOCA
from mochic.codegen.machine import imm, signed64
from mochic.codegen.targets.riscv64.machine import Riscv64
from mochic.codegen.targets.riscv64.regs import (
    ACMOV, ACMOVD, BRANCHES, CC_LT, CC_NE, REG_X0, ZERO,
)  # fmt: skip
from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import (
    ADD, ADDOV, CAST, FCONST, ICONST, IS_BOOL, LD16U, LD8U, MUL, MULOV, SEXT32, SUB, SUBOV, SYMADDR, TRUNC32, ALLOCA,
)  # fmt: skip
from mochic.ir.types import F64, I64

M64: Final = (1 << 64) - 1
_PLAIN_OP: Final = {ADDOV: ADD, SUBOV: SUB, MULOV: MUL}
_ARITH64: Final = (AADD, ASUB, AAND, ASRL, ASRA, ANEG, AMOV)
_ARITH32: Final = (AADDW, ASUBW, AAND, ASRLW, ASRAW, ANEGW, AMOVW)
# A test of two registers that has not been emitted: instructions, operands, condition.
Test = tuple[list[Item], Addr, Addr, int]


class Selector(Divider):
    """See SelectorBase; the rules call the methods here."""

    __slots__ = ("zba", "zbb")

    free = frozenset((CAST, SEXT32))
    zero_extending = frozenset([LD8U, LD16U] + [op for op, b in enumerate(IS_BOOL) if b])

    def __init__(self, ctx: Context, fn: Func, bases: dict[int, Value]) -> None:
        super().__init__(ctx, fn, bases)
        m = ctx.machine
        assert isinstance(m, Riscv64)
        self.zba = m.zba
        self.zbb = m.zbb

    # -- operands

    def zero_or(self, v: Value) -> Addr:
        """The register of a value; X0 for the constant 0."""
        return REG_X0 if v.op == ICONST and v.imm == 0 else self.use(v)

    def materialize(self, v: Value) -> Addr:
        op = v.op
        as_ = AMOV
        if op == FCONST:
            t = self.temp(F64)
            as_ = AMOVD
            src = REG_X0 if v.imm == 0 else self.constant("f64", v.imm)
        else:
            t = self.temp(v.type)
            if op == ICONST:
                src = imm(v.imm) if load_constant(v.imm, ZERO) is not None else self.constant("i64", v.imm)
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

    def constant(self, kind: str, bits: int) -> Addr:
        """A word in read-only memory."""
        s = self.ctx.asm.constant(kind, (bits & M64).to_bytes(8, "little"))
        return Addr(MEM, 0, 0, s, 0, 0, NAME_EXTERN)

    def addr(self, base: Value, off: int) -> Addr:
        """The memory operand at base + off: folds constants that the offset field can hold, symbols and frame places.
        Folding costs nothing, even when the sum has other uses."""
        regs = self.regs
        while True:
            op = base.op
            if op == CAST:
                base = base.args[0]
                continue
            if (op == ADD or op == SUB) and regs[base.id] is None:
                b = base.args[1]
                if b.op == ICONST:
                    n = signed64(off + b.imm if op == ADD else off - b.imm)
                    if -0x800 <= n <= 0x7F8:
                        off = n
                        base = base.args[0]
                        continue
            break
        if op == SYMADDR:
            # AUIPC reaches 2 GB around the symbol; far offsets go through a register.
            if -0x1000000 <= off + base.imm <= 0x1000000:
                return Addr(MEM, 0, off + base.imm, self.ctx.lsym(base.sym), 0, 0, NAME_EXTERN)
        elif op == ALLOCA:
            return Addr(MEM, PR_ALLOCA, self.allocas[base.id] + off)
        if not -0x80000000 <= off <= 0x7FFFF7FF:
            t = self.temp()
            self.before(AMOV, [imm(off), t])
            t2 = self.temp()
            self.before(AADD, [self.use(base), t, t2])
            return Addr(MEM, t2.reg)
        return Addr(MEM, self.use(base).reg, off)

    # -- conditions

    def test(self, c: Value) -> int:
        self.emit(BRANCHES[CC_NE], [self.use(c), REG_X0], M_USE, c.pos)
        return CC_NE

    def overflows(self, v: Value, x: Value, y: Value) -> Test:
        """The sum, difference or product whose overflow is asked for, and how to see it (ISA I, 2.4.1); with its value
        if it is wanted here."""
        op = v.op
        w = self.partner(_PLAIN_OP[op], x, y, v)
        t = self.temp() if w is None else self.dst(w)
        if op != MULOV and y.op == ICONST and -0x7FF <= y.imm <= 0x7FF:
            a = self.use(x)
            n = y.imm if op == ADDOV else -y.imm
            items: list[Item] = [(AADD, [imm(n), a, t], M_DEF)]
            return (items, t, a, CC_LT) if n >= 0 else (items, a, t, CC_LT)
        a = self.zero_or(x)
        b = self.zero_or(y)
        t2 = self.temp()
        t3 = self.temp()
        if op == MULOV:
            items = [(AMULH, [b, a, t2], M_DEF), (AMUL, [b, a, t], M_DEF), (ASRA, [imm(63), t, t3], M_DEF)]
        elif op == ADDOV:
            items = [(AADD, [b, a, t], M_DEF), (ASLT, [a, t, t2], M_DEF), (ASLT, [REG_X0, b, t3], M_DEF)]
        else:
            items = [(ASUB, [b, a, t], M_DEF), (ASLT, [a, t, t2], M_DEF), (ASLT, [b, REG_X0, t3], M_DEF)]
        return items, t2, t3, CC_NE

    def overflow(self, v: Value, x: Value, y: Value) -> int:
        items, a, b, cc = self.overflows(v, x, y)
        self.seq([*items, (BRANCHES[cc], [a, b], M_USE)], v.pos)
        return cc

    def truth(self, v: Value, x: Value, y: Value) -> None:
        """Overflow as 0 or 1."""
        items, a, b, cc = self.overflows(v, x, y)
        if cc == CC_LT:
            items.append((ASLT, [b, a, self.dst(v)], M_DEF))
        else:
            t = self.temp()
            items.append((AXOR, [b, a, t], M_DEF))
            items.append((ASLTU, [t, REG_X0, self.dst(v)], M_DEF))
        self.seq(items, v.pos)

    def choose(self, v: Value, c: Value, x: Value, y: Value) -> None:
        """x if c, else y: a move that is branched around, with the operands of the branch."""
        as_ = ACMOVD if v.type == F64 else ACMOV
        d = self.dst(v)
        at = len(self.out)
        src = self.use(x) if v.type == F64 else self.zero_or(x)
        self.emit(as_, [src, d], self.use(y).reg, v.pos)
        p = self.out[at]
        at = len(self.out)
        p.scond = self.flags(c)
        out = self.out
        while out[at].as_ not in BRANCHES:
            at += 1
        p.args = out.pop(at).args + p.args

    # -- arithmetic

    def arith(self, kind: int, wide: bool, a: Addr, b: Addr, out: Addr) -> Item:
        as_ = (_ARITH64 if wide else _ARITH32)[kind]
        if kind == D_MOV:
            return (as_ if b.kind == REG else AMOV), [b, out], M_DEF
        if kind == D_NEG:
            return as_, [a, out], M_DEF
        return as_, [b, a, out], M_DEF

    def high(self, x: Addr, m: int, wide: bool, signed: bool, items: list[Item]) -> Addr:
        assert wide, "32-bit words are divided by DIVW"
        t = self.word(m, items)
        h = self.temp()
        items.append((AMULH if signed else AMULHU, [t, x, h], M_DEF))
        return h

    def times(self, q: Addr, c: int, wide: bool, items: list[Item], x: Addr, d: Addr) -> None:
        t = self.temp()
        if c > 0 and not c & (c - 1):
            items.append((ASLL, [imm(c.bit_length() - 1), q, t], M_DEF))
        else:
            items.append((AMUL, [self.word(c, items), q, t], M_DEF))
        items.append((ASUB, [t, x, d], M_DEF))

    def word(self, c: int, items: list[Item]) -> Addr:
        """A constant in a scratch register."""
        t = self.temp(I64)
        c = signed64(c)
        src = imm(c) if load_constant(c, ZERO) is not None else self.constant("i64", c)
        items.append((AMOV, [src, t], M_DEF))
        return t

    # -- control

    def move(self, v: Value) -> None:
        if v.op == TRUNC32:
            self.emit(AMOVW, [self.use(v.args[0]), self.dst(v)], M_DEF, v.pos)
        else:
            self.emit(AMOV, [self.use(v.args[0]), self.dst(v)], M_DEF, v.pos)

    def jump_table(self, b: Block) -> None:
        lo = min(b.cases)
        x = self.use(b.targs[0])
        base, at, entry, to = self.temp(), self.temp(), self.temp(), self.temp()
        table = self.switch_table(b)
        self.seq(
            [
                (AMOV, [Addr(ADDR, 0, -8 * lo, table, 0, 0, NAME_EXTERN), base], M_DEF),
                (ASLL, [imm(3), x, at], M_DEF),
                (AADD, [base, at, entry], M_DEF),
                (AMOV, [Addr(MEM, entry.reg), to], M_DEF),
                (AJMP, [to], M_USE),
            ],
            b.pos,
        )
