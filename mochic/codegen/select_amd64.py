"""The amd64 selector: addresses, calls, conditions, what rules cannot say."""

from __future__ import annotations

from typing import Any, Final

from backend.obj.prog import ADDR, BRANCH, MEM, NAME_EXTERN, REG, VREG, Addr, Prog
from backend.obj.sym import A_STATIC, SRODATA, LSym
from backend.x86.ops import (
    AADDQ, AANDL, ACALL, AIDIVL, AIDIVQ, AIMULQ, AJMP, ALEAQ, AMOVBLZX,
    AMOVL, AMOVQ, AMOVSD, AMULQ, ANEGQ, ANOP, AORL, ARET, ASARL, ASARQ, ASHLL, ASHLQ,
    ASHRL, ASHRQ, ASUBQ, ATESTL, AUD2, AXORPS, AIMUL3Q, ADIVL, ADIVQ,
)  # fmt: skip
from backend.x86.regs import AX, CX, DX, X0
from mochic.codegen.divide_amd64 import Divider
from mochic.codegen.generated.amd64_rules import CONDITIONS, KEY_ARG, RULES
from mochic.codegen.isel import M_DEF, M_USE, PR_ALLOCA, Special, imm
from mochic.codegen.targets.amd64 import (
    CALL_TARGET, CC_NE, CC_OS, CC_PC, CC_PS, CLOBBERS, CMOVL, CMOVQ, FP_ARGS, GP_ARGS, SETCC,
)  # fmt: skip
from mochic.ir.func import NOGC, NORETURN, Block, Sig, Value
from mochic.ir.ops import (
    ADD, ADDOV, ALLOCA, CALL, CAST, EQ, FCONST, FEQ, FNE, ICONST, IS_BOOL, LD, MUL, NEG, NOT, OR, AND, MULOV, NE, SDIV,
    SHL, SREM, SUB, SUBOV,
    SYMADDR, UDIV, UREM, XOR,
)  # fmt: skip
from mochic.ir.types import F64, I32, I64, VOID

M64: Final = (1 << 64) - 1
_PLAIN_OP: Final = {ADDOV: (ADD, AADDQ), SUBOV: (SUB, ASUBQ), MULOV: (MUL, AIMULQ)}
_SHIFTS: Final = {SHL: (ASHLL, ASHLQ), SHL + 1: (ASHRL, ASHRQ), SHL + 2: (ASARL, ASARQ)}
_DIVIDES: Final = {SDIV: (AIDIVL, AIDIVQ), SREM: (AIDIVL, AIDIVQ), UDIV: (ADIVL, ADIVQ), UREM: (ADIVL, ADIVQ)}
NEAR: Final = 16  # how far two halves of a pair (quotient and remainder, sum and overflow) may be apart
# Pseudo instruction: copy a double under a condition (`scond`); emit.py makes a branch around a move of it.
ACMOVSD: Final = -1


class Selector(Divider):
    """See SelectorBase; the rules call the methods here."""

    __slots__ = ()

    # Every 32-bit instruction clears the upper half (SDM 1, 3.4.1.1).
    zero_extending = frozenset((
        ADD, SUB, MUL, NEG, AND, OR, XOR, NOT, SHL, SHL + 1, SHL + 2, UDIV, UREM, SDIV, SREM, LD, LD + 1, LD + 2,
        LD + 3, LD + 4, LD + 5, LD + 6,
    ))  # fmt: skip

    def table(self) -> dict[int, Any]:
        return RULES

    def key_arg(self) -> dict[int, int]:
        return KEY_ARG

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

    def flags(self, c: Value) -> int:
        """Emit what sets the flags for the truth of c; the condition under which it is true."""
        invert = 0
        while True:
            op = c.op
            # (eq b 0), (ne b 0), (xor b 1) of a truth value b only used here
            if (op == EQ or op == NE or op == XOR) and c.args[0].type == I32 and c.args[1].op == ICONST:
                b = c.args[0]
                if (
                    b.op >= 0 and IS_BOOL[b.op] and c.args[1].imm == (1 if op == XOR else 0) and self.nuses[b.id] == 1
                    and self.regs[b.id] is None
                ):  # fmt: skip
                    invert ^= 0 if op == NE else 1
                    c = b
                    continue
            break
        if op >= 0 and IS_BOOL[op] and (self.regs[c.id] is None or self.home[c.id] == self.cur):
            f = CONDITIONS[op][c.args[0].type]
            assert f is not None
            return f(self, c) ^ invert
        a = self.use(c)
        self.emit(ATESTL, [a, a], M_USE, c.pos)
        return CC_NE ^ invert

    def overflow(self, v: Value, x: Value, y: Value) -> int:
        """The sum, difference or product whose overflow is asked for; with its value if it is wanted here.

        The plain op with the same operands, earlier in this block and not read in between, is made by
        this very instruction: it is moved down to here.
        """
        plain, opcode = _PLAIN_OP[v.op]
        target: Addr | None = None
        if self.home[v.id] == self.cur:
            values = self.code.block.values
            for i in range(self.at - 1, max(-1, self.at - NEAR), -1):
                w = values[i]
                if w.op == plain and self.regs[w.id] is not None and not self.fused[w.id] and self.fuses(w, i, x, y):
                    self.fused[w.id] = 1
                    target = self.dst(w)
                    break
        if target is None:
            target = self.temp()
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

    def fuses(self, w: Value, at: int, x: Value, y: Value) -> bool:
        """Has w, number `at` of the block, these operands, and does nothing between it and the point of selection read
        it?"""
        a, b = w.args
        if not ((a is x and b is y) or (w.op != SUB and a is y and b is x)):
            return False
        values = self.code.block.values
        return not any(w in values[i].args for i in range(at + 1, self.at))

    def branch(self, cond: Value, b: Block) -> int:
        return self.flags(cond)

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

    def condition(self, v: Value) -> int:
        """The flags for v itself, at its own place."""
        f = CONDITIONS[v.op][v.args[0].type]
        assert f is not None
        return f(self, v)

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
        invert = False
        while (
            c.op in (EQ, NE, XOR) and c.args[0].type == I32 and c.args[1].op == ICONST and c.args[0].op >= 0
            and IS_BOOL[c.args[0].op] and c.args[1].imm == (1 if c.op == XOR else 0)
            and self.nuses[c.args[0].id] == 1 and self.regs[c.args[0].id] is None
        ):  # fmt: skip
            invert ^= c.op != NE
            c = c.args[0]
        if c.op not in (FEQ, FNE) or not (self.regs[c.id] is None or self.home[c.id] == self.cur):
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
        values = self.code.block.values
        i = self.at
        for j in range(i - 1, max(-1, i - NEAR), -1):
            w = values[j]
            if any(w in values[k].args for k in range(j + 1, i)):
                break
            if w.op == other and w.args[0] is x and w.args[1] is y and self.regs[w.id] is not None:
                self.fused[w.id] = 1
                defs.append((self.dst(w).reg, AX if remainder else DX))
                break
        s = Special([(self.any(x), AX)], defs, (AX, DX))
        s.plain = v.imm == 1
        self.emit(opcode, [self.use(y)], self.special(s), v.pos)

    def multiply_high(self, v: Value, x: Value, y: Value) -> None:
        s = Special([(self.any(x), AX)], [(self.dst(v).reg, DX)], (AX, DX))
        self.emit(AMULQ, [self.use(y)], self.special(s), v.pos)

    # -- control

    def move(self, v: Value) -> None:
        """A cast that needs a register of its own."""
        self.emit(AMOVQ, [self.any_reg(v.args[0]), self.dst(v)], M_DEF, v.pos)

    def any_reg(self, v: Value) -> Addr:
        a = self.any(v)
        return self.use(v) if a.kind == ADDR else a

    def call(self, v: Value) -> None:
        """CALL: arguments by the convention, everything that the callee may change clobbered."""
        args = v.args
        sym = v.sym
        uses: list[tuple[Addr, int]] = []
        if v.op == CALL:
            flags = sym.flags
            operand = [Addr(BRANCH, 0, 0, self.ctx.lsym(sym))]
        else:
            flags = sym.flags if isinstance(sym, Sig) else 0
            uses.append((self.any(args[0]), CALL_TARGET))
            operand = [Addr(REG, CALL_TARGET)]
            args = args[1:]
        s = Special(uses, [], CLOBBERS)
        ngp = 0
        nfp = 0
        depth = 0
        for a in args:
            x = self.any(a)
            if a.type == F64:
                if nfp < len(FP_ARGS):
                    uses.append((x, FP_ARGS[nfp]))
                    nfp += 1
                    continue
            elif ngp < len(GP_ARGS):
                uses.append((x, GP_ARGS[ngp]))
                ngp += 1
                continue
            s.stack.append((x, depth))
            depth += 8
        sel = self.sel
        if depth > sel.outgoing:
            sel.outgoing = depth
        if v.type != VOID and self.regs[v.id] is not None:
            s.defs.append((VREG + v.id, X0 if v.type == F64 else AX))
        s.noreturn = flags & NORETURN != 0
        if not flags & NOGC:
            s.site = True
            if not flags & NORETURN:
                s.safepoint = True
                sel.has_safepoint = True
        elif flags & NORETURN:
            s.site = True
        self.emit(ACALL, operand, self.special(s), v.pos)

    def ret(self, b: Block) -> None:
        uses: list[tuple[Addr, int]] = []
        if b.targs:
            v = b.targs[0]
            uses.append((self.any(v), X0 if v.type == F64 else AX))
        self.emit(ARET, [], self.special(Special(uses, [], ())), b.pos)

    def trap(self, b: Block) -> None:
        # Behind a call that does not return nothing is needed but a place for its return address.
        self.emit(AUD2, [], M_USE, b.pos)

    def jump_table(self, b: Block) -> None:
        """SWITCH with dense cases (legalize.py leaves no others): addresses in a table."""
        lo = min(b.cases)
        table = LSym(f"{self.fn.sym.name}.switch{b.id}", SRODATA, A_STATIC)
        table.align = 8
        self.code.table = table
        x = self.use(b.targs[0])
        base = self.temp()
        to = self.temp()
        self.seq(
            [
                (ALEAQ, [Addr(MEM, 0, -8 * lo, table, 0, 0, NAME_EXTERN), base], M_DEF),
                (AMOVQ, [Addr(MEM, base.reg, 0, None, x.reg, 8), to], M_DEF),
                (AJMP, [to], M_USE),
            ],
            b.pos,
        )

    def entry(self, b: Block) -> None:
        """Where the convention puts the parameters."""
        ngp = 0
        nfp = 0
        depth = 0
        incoming = self.sel.incoming
        for p in b.params:
            if p.type == F64 and nfp < len(FP_ARGS):
                at = FP_ARGS[nfp]
                nfp += 1
            elif p.type != F64 and ngp < len(GP_ARGS):
                at = GP_ARGS[ngp]
                ngp += 1
            else:
                at = -1 - depth
                depth += 8
            a = self.regs[p.id]
            if a is not None:
                incoming.append((a.reg, at))
                self.code.params.append(a.reg)


_CX: Final = Addr(REG, CX)
