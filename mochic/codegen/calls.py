"""The part of selection that calling conventions and conditions share on all register machines."""

from __future__ import annotations

from typing import Final

from backend.obj.prog import BRANCH, REG, VREG, Addr
from backend.obj.sym import A_STATIC, SRODATA, LSym
from mochic.codegen.code import M_USE, Special
from mochic.codegen.isel import SelectorBase
from mochic.ir.func import FOREIGN, NOGC, NORETURN, Block, Sig, Value
from mochic.ir.ops import CALL, EQ, ICONST, IS_BOOL, IS_COMMUTATIVE, NE, XOR
from mochic.ir.types import F64, I32, VOID

NEAR: Final = 16  # how far two halves of a pair (quotient and remainder, sum and overflow) may be apart
# An instruction in the making: opcode, operands, mark (isel.py).
Item = tuple[int, list[Addr], int]


class Calls(SelectorBase):
    """Calls, entry and return in the Machine's registers; conditions from truth values; pairs of results."""

    __slots__ = ()

    def seq(self, items: list[Item], pos: int) -> None:
        """Emit instructions given in program order."""
        constants = self.pend  # operands of several instructions: they stand before all
        self.pend = []
        for as_, args, mark in reversed(items):
            self.emit(as_, args, mark, pos)
        self.out += constants

    # -- conditions

    def peel(self, c: Value) -> tuple[Value, int]:
        """Look through (eq b 0), (ne b 0) and (xor b 1) of a truth value b that is only used there: (b, 1 if
        inverted)."""
        invert = 0
        while True:
            op = c.op
            if (op == EQ or op == NE or op == XOR) and c.args[0].type == I32 and c.args[1].op == ICONST:
                b = c.args[0]
                if (
                    b.op >= 0 and IS_BOOL[b.op] and c.args[1].imm == (1 if op == XOR else 0) and self.nuses[b.id] == 1
                    and self.regs[b.id] is None
                ):  # fmt: skip
                    invert ^= 0 if op == NE else 1
                    c = b
                    continue
            return c, invert

    def testable(self, c: Value) -> bool:
        """Is c a comparison that may be made here?  (One with a register elsewhere has its result there already.)"""
        return c.op >= 0 and IS_BOOL[c.op] and (self.regs[c.id] is None or self.home[c.id] == self.cur)

    def flags(self, c: Value) -> int:
        """Emit what tests the truth of c; the condition under which it is true."""
        c, invert = self.peel(c)
        if self.testable(c):
            return self.condition(c) ^ invert
        return self.test(c) ^ invert

    def condition(self, v: Value) -> int:
        """The test for v itself."""
        f = self.rules.conditions[v.op][v.args[0].type]
        assert f is not None
        cc: int = f(self, v)
        return cc

    def test(self, c: Value) -> int:
        """The condition for a truth value in a register not being 0."""
        raise NotImplementedError

    def branch(self, cond: Value, b: Block) -> int:
        return self.flags(cond)

    # -- pairs of results

    def partner(self, op: int, x: Value, y: Value, v: Value) -> Value | None:
        """A value of `op` with the operands of v that stands earlier in this block, is wanted, and is not read in
        between.  The instruction for v makes it too, so it is marked as made."""
        if self.home[v.id] != self.cur:
            return None
        values = self.code.block.values
        for i in range(self.at - 1, max(-1, self.at - NEAR), -1):
            w = values[i]
            if w.op == op and self.regs[w.id] is not None and not self.fused[w.id]:
                a, b = w.args
                if (a is x and b is y) or (IS_COMMUTATIVE[op] and a is y and b is x):
                    if any(w in values[k].args for k in range(i + 1, self.at)):
                        continue
                    self.fused[w.id] = 1
                    return w
        return None

    # -- calls

    def places(self, types: list[int]) -> list[int]:
        """Where the convention puts arguments: a register, or -1 - offset on the stack."""
        m = self.machine
        gp = m.gp_args
        fp = m.fp_args
        ngp = 0
        nfp = 0
        depth = 0
        out: list[int] = []
        for t in types:
            if t == F64 and nfp < len(fp):
                out.append(fp[nfp])
                nfp += 1
            elif (t != F64 or m.floats_follow_gp) and ngp < len(gp):
                out.append(gp[ngp])
                ngp += 1
            else:
                out.append(-1 - depth)
                depth += m.layout.slot
        return out

    def call(self, v: Value) -> None:
        """CALL: arguments by the convention, everything that the callee may change clobbered."""
        m = self.machine
        args = v.args
        sym = v.sym
        uses: list[tuple[Addr, int]] = []
        if v.op == CALL:
            flags = sym.flags
            as_ = m.call_near if self.ctx.near and not flags & FOREIGN else m.call
            operand = [Addr(BRANCH, 0, 0, self.ctx.lsym(sym))]
        else:
            as_ = m.call_reg
            flags = sym.flags if isinstance(sym, Sig) else 0
            uses.append((self.any(args[0]), m.call_target))
            operand = [Addr(REG, m.call_target)]
            args = args[1:]
        s = Special(uses, [], m.clobbers)
        types = [a.type for a in args]
        places = m.foreign_places(types) if flags & FOREIGN else None
        for a, at in zip(args, self.places(types) if places is None else places, strict=True):
            if at >= 0:
                uses.append((self.any(a), at))
            else:
                s.stack.append((self.any(a), -1 - at))
        sel = self.sel
        depth = m.layout.slot * len(s.stack) + (m.shadow_space if flags & FOREIGN else 0)
        if depth > sel.outgoing:
            sel.outgoing = depth
        if v.type != VOID and self.regs[v.id] is not None:
            s.defs.append((VREG + v.id, m.fp_result if v.type == F64 else m.gp_result))
        s.noreturn = flags & NORETURN != 0
        if not flags & NOGC:
            s.site = True
            if not flags & NORETURN:
                s.safepoint = True
                sel.has_safepoint = True
        elif flags & NORETURN or (self.ctx.record_all and not flags & FOREIGN):
            s.site = True
        self.emit(as_, operand, self.special(s), v.pos)

    def ret(self, b: Block) -> None:
        uses: list[tuple[Addr, int]] = []
        if b.targs:
            v = b.targs[0]
            uses.append((self.any(v), self.machine.fp_result if v.type == F64 else self.machine.gp_result))
        self.emit(self.machine.ret, [], self.special(Special(uses, [], ())), b.pos)

    def trap(self, b: Block) -> None:
        # A call that does not return needs nothing behind it but a place for its return address.
        self.emit(self.machine.trap, [], M_USE, b.pos)

    def entry(self, b: Block) -> None:
        incoming = self.sel.incoming
        for p, at in zip(b.params, self.places([p.type for p in b.params]), strict=True):
            a = self.regs[p.id]
            if a is not None:
                incoming.append((a.reg, at))
                self.code.params.append(a.reg)

    def switch_table(self, b: Block) -> LSym:
        """The symbol of a block's jump table: addresses, filled in when the code is placed."""
        table = LSym(f"{self.fn.sym.name}.switch{b.id}", SRODATA, A_STATIC)
        table.align = self.machine.layout.word
        self.code.table = table
        return table
