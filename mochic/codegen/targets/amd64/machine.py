"""amd64: moves, frames, branches, and what instructions become once their registers are known.

MOVQ r, r      nothing               LEAQ, MOVQ $0, TEST: see peephole.py
IDIVQ y        sign extension, and a detour for y = -1, which traps on the most negative dividend
CVTSQ2SD x, f  preceded by XORPS f, f: it would wait for the last writer of f
CMOVSD         a branch around a move
"""

from __future__ import annotations

from typing import Final

from backend.obj.assemble import Assembler
from backend.obj.ctx import Ctx
from backend.obj.prog import BRANCH, CONST, MEM, NAME_EXTERN, REG, Addr, Prog
from backend.x86.encode import X86Encoder
from backend.x86.ops import (
    AADDQ, ACALL, ACDQ, ACMPL, ACMPQ, ACQO, ACVTSQ2SD, ADIVL, ADIVQ, AIDIVL, AIDIVQ, AJMP, AJNE, ALEAL, ALEAQ,
    AMOVAPS, AMOVB, AMOVL, AMOVQ, AMOVSD, ANEGL, ANEGQ, ANOP, APOPQ, APUSHQ, ARET, ASUBQ, AUD2, AXCHGQ, AXORL, AXORPS,
)  # fmt: skip
from backend.x86.regs import AX, CX, DX, R8, R9, SP, X0, X1, X2, X3
from mochic.codegen.code import Frame, Special
from mochic.codegen.machine import MEMORY, PAGE, SLOT, Machine, imm, refuse_choices
from mochic.ir.types import F64
from mochic.codegen.targets.amd64.peephole import TESTS, shorten
from mochic.codegen.targets.amd64.regs import (
    ACMOVSD, CALL_TARGET, CC_FEQ, CC_FNE, CC_NE, CC_PC, CC_PS, COMPARES, FP_ARGS, FP_REGS, GP_ARGS, GP_CALLEE,
    GP_CALLER, JCC, NREGS, READS_MEMORY, SCRATCH_FP,
)  # fmt: skip
from mochic.layout import LITTLE_64

# Below SP is the red zone, which signal handlers leave alone (psABI 3.2.2).  Windows promises none, but only exceptions
# write there, and those end our programs.
_PARK: Final = SLOT - 8
# Where functions of Windows want their first arguments.  Our own code uses one convention on all systems; what Windows
# keeps for its callers is what ours keeps, and more.
_WIN_GP: Final = (CX, DX, R8, R9)
_WIN_FP: Final = (X0, X1, X2, X3)
_WIN_SHADOW_SPACE: Final = 32
_DIVIDES: Final = frozenset((AIDIVQ, AIDIVL, ADIVQ, ADIVL))


class Amd64(Machine):
    """See Machine."""

    __slots__ = ()

    def __init__(self, shadow_space: int = 0) -> None:
        super().__init__(LITTLE_64)
        self.name = "amd64"
        self.shadow_space = shadow_space
        self.gp_args, self.fp_args = GP_ARGS, FP_ARGS
        self.gp_result, self.fp_result = AX, X0
        self.gp_caller, self.gp_callee, self.fp_caller = GP_CALLER, GP_CALLEE, FP_REGS
        self.set_registers(AX, NREGS, X0, NREGS)
        self.stack = SP
        self.scratch_fp = SCRATCH_FP
        self.call_target = CALL_TARGET
        self.link_bytes = 8
        self.call = self.call_near = self.call_reg = ACALL
        # Branches that cross or touch a border of 32 bytes are decoded again in each round on many processors (Intel,
        # "Mitigations for Jump Conditional Code Erratum", 2019).  In a function that begins at such a border it depends
        # on the function alone which ones do, and not on what is linked before it.
        self.loop_align = 32
        self.ret, self.jmp, self.nop, self.trap = ARET, AJMP, ANOP, AUD2
        self.lea = ALEAQ
        self.copies = frozenset((ALEAQ, ALEAL, AMOVQ, AMOVL, AMOVSD))
        self.moves = frozenset((AMOVQ, AMOVL, AMOVSD, AMOVAPS))
        self.makes = frozenset((ALEAQ, AXORL, AXORPS))
        self.exchange = AXCHGQ
        self.reads_memory, self.compares = READS_MEMORY, COMPARES
        self.ops = _DIVIDES | TESTS | {ALEAQ, ALEAL, AMOVQ, AMOVL, AMOVSD, ACVTSQ2SD, ACMOVSD}
        self.assemble = Assembler(X86Encoder()).assemble

    def foreign_places(self, types: list[int]) -> list[int] | None:
        """ "x64 calling convention": the first four arguments by their position, the rest above room for those four."""
        if not self.shadow_space:
            return None
        out = []
        for i, t in enumerate(types):
            out.append((_WIN_FP[i] if t == F64 else _WIN_GP[i]) if i < len(_WIN_GP) else -1 - 8 * i)
        return out

    # -- places

    def move(self, dst: int, src: int, pos: int, out: list[Prog]) -> None:
        is_float = self.is_float
        if dst >= MEMORY:
            if src >= MEMORY:
                out.append(Prog(AMOVQ, [self.place(src), self.regs[SCRATCH_FP]], pos))
                out.append(Prog(AMOVQ, [self.regs[SCRATCH_FP], self.place(dst)], pos))
                return
            as_ = AMOVSD if is_float[src] else AMOVQ
        elif src >= MEMORY:
            as_ = AMOVSD if is_float[dst] else AMOVQ
        elif is_float[dst]:
            as_ = AMOVAPS if is_float[src] else AMOVQ
        else:
            as_ = AMOVQ
        out.append(Prog(as_, [self.place(src), self.place(dst)], pos))

    def park(self) -> int:
        return _PARK

    def integer(self, dst: int, n: int, pos: int, out: list[Prog]) -> None:
        if dst >= MEMORY:
            p = self.place(dst)
            if not -0x80000000 <= n <= 0x7FFFFFFF:
                out.append(Prog(AMOVL, [imm(n & 0xFFFFFFFF), p], pos))
                out.append(Prog(AMOVL, [imm(n >> 32 & 0xFFFFFFFF), Addr(MEM, SP, p.offset + 4)], pos))
                return
            out.append(Prog(AMOVQ, [imm(n), p], pos))
        elif n == 0:
            # Flags are dead wherever moves for edges and calls stand.
            out.append(Prog(AXORL, [self.regs[dst], self.regs[dst]], pos))
        else:
            out.append(Prog(AMOVQ, [imm(n), self.regs[dst]], pos))

    def double(self, dst: int, bits: int, asm: Ctx, pos: int, out: list[Prog]) -> None:
        if dst >= MEMORY:
            self.integer(dst, bits - (1 << 64) if bits >> 63 else bits, pos, out)
        elif not bits:
            out.append(Prog(AXORPS, [self.regs[dst], self.regs[dst]], pos))
        else:
            s = asm.constant("f64", bits.to_bytes(8, "little"))
            out.append(Prog(AMOVSD, [Addr(MEM, 0, 0, s, 0, 0, NAME_EXTERN), self.regs[dst]], pos))

    def address(self, dst: int, place: Addr, pos: int, out: list[Prog]) -> None:
        if dst >= MEMORY:  # borrow AX through the scratch register
            regs = self.regs
            out.append(Prog(AMOVQ, [regs[AX], regs[SCRATCH_FP]], pos))
            out.append(Prog(ALEAQ, [place, regs[AX]], pos))
            out.append(Prog(AMOVQ, [regs[AX], self.place(dst)], pos))
            out.append(Prog(AMOVQ, [regs[SCRATCH_FP], regs[AX]], pos))
        else:
            out.append(Prog(ALEAQ, [place, self.regs[dst]], pos))

    # -- frames

    def enter(self, f: Frame, pos: int, out: list[Prog]) -> None:
        for reg in f.saved:
            out.append(Prog(APUSHQ, [self.regs[reg]], pos))
        left = f.total - 8 - 8 * len(f.saved)
        if left:
            # Touch every page of a large frame in order, so that the guard page catches overflow.
            while left > PAGE:
                out.append(Prog(ASUBQ, [imm(PAGE), self.regs[SP]], pos))
                out.append(Prog(AMOVB, [imm(0), Addr(MEM, SP, 0)], pos))
                left -= PAGE
            out.append(Prog(ASUBQ, [imm(left), self.regs[SP]], pos))

    def leave(self, f: Frame, pos: int, out: list[Prog]) -> None:
        left = f.total - 8 - 8 * len(f.saved)
        if left:
            out.append(Prog(AADDQ, [imm(left), self.regs[SP]], pos))
        for reg in reversed(f.saved):
            out.append(Prog(APOPQ, [self.regs[reg]], pos))

    # -- blocks

    def branch(
        self, cc: int, then: int, orelse: int, pos: int, out: list[Prog], pending: list[tuple[Addr, int]]
    ) -> None:
        # Float equality needs two flags and so two jumps.
        if cc == CC_FNE:
            self.jump(JCC[CC_NE], [], then, pos, out, pending)
            self.jump(JCC[CC_PS], [], then, pos, out, pending)
        elif cc == CC_FEQ:
            self.jump(JCC[CC_NE], [], orelse, pos, out, pending)
            self.jump(JCC[CC_PC], [], then, pos, out, pending)
        else:
            self.jump(JCC[cc], [], then, pos, out, pending)

    def finish(self, p: Prog, out: list[Prog], last: bool, special: Special | None, candidates: list[int]) -> bool:
        as_ = p.as_
        args = p.args
        regs = self.regs
        if as_ == ALEAQ or as_ == ALEAL:
            a = args[0]
            d = args[1].reg
            if (a.reg == d or a.index == d) and a.sym is None:
                candidates.append(len(out))
            elif not a.index and not a.offset and a.sym is None:
                p.as_ = AMOVQ if as_ == ALEAQ else AMOVL
                args[0] = regs[a.reg]
        elif as_ == AMOVQ or as_ == AMOVL:
            a = args[0]
            if a.kind == REG:
                return as_ == AMOVQ and a is args[1]
            if a.kind == CONST and args[1].kind == REG:
                if a.offset == 0:
                    candidates.append(len(out))
                elif as_ == AMOVL:
                    args[0] = imm(a.offset & 0xFFFFFFFF)
        elif as_ == AMOVSD:
            if args[0].kind == REG and args[1].kind == REG:
                if args[0] is args[1]:
                    return True
                p.as_ = AMOVAPS
        elif as_ == ACVTSQ2SD:
            d = args[1].reg
            out.append(Prog(AXORPS, [regs[d], regs[d]], p.pos))
        elif as_ == ACMOVSD:
            self._conditional_move(p, out)
            return True
        elif as_ in _DIVIDES:
            self._divide(p, special, out)
            return True
        elif last and args[0] is args[1]:  # a TEST of one register
            candidates.append(len(out))
        return False

    def shorten(self, candidates: list[int], out: list[Prog], cc: int) -> None:
        shorten(self.regs, candidates, out, cc)

    def _conditional_move(self, p: Prog, out: list[Prog]) -> None:
        """A branch around a move: there is no CMOV for doubles."""
        cc = p.scond
        copy = Prog(AMOVAPS, [p.args[0], p.args[1]], p.pos)
        after = Prog(ANOP, [], p.pos)
        if cc == CC_FEQ:
            for t in (CC_NE, CC_PS):
                out.append(Prog(JCC[t], [Addr(BRANCH, 0, 0, after)], p.pos))
        elif cc == CC_FNE:
            # Move if not equal or unordered: skip only when equal and ordered.
            out.append(Prog(JCC[CC_NE], [Addr(BRANCH, 0, 0, copy)], p.pos))
            out.append(Prog(JCC[CC_PC], [Addr(BRANCH, 0, 0, after)], p.pos))
        else:
            out.append(Prog(JCC[cc ^ 1], [Addr(BRANCH, 0, 0, after)], p.pos))
        out.append(copy)
        out.append(after)

    def _divide(self, p: Prog, s: Special | None, out: list[Prog]) -> None:
        """Extend the dividend; a divisor of -1 gets a negation: the processor traps on MIN / -1."""
        as_ = p.as_
        pos = p.pos
        regs = self.regs
        if as_ == ADIVQ or as_ == ADIVL:
            out.append(Prog(AXORL, [regs[DX], regs[DX]], pos))
            out.append(p)
            return
        wide = as_ == AIDIVQ
        extend = Prog(ACQO if wide else ACDQ, [], pos)
        if s is not None and s.plain:
            out.append(extend)
            out.append(p)
            return
        after = Prog(ANOP, [], pos)
        out.append(Prog(ACMPQ if wide else ACMPL, [p.args[0], imm(-1)], pos))
        out.append(Prog(AJNE, [Addr(BRANCH, 0, 0, extend)], pos))
        out.append(Prog(ANEGQ if wide else ANEGL, [regs[AX]], pos))
        out.append(Prog(AXORL, [regs[DX], regs[DX]], pos))
        out.append(Prog(AJMP, [Addr(BRANCH, 0, 0, after)], pos))
        out.append(extend)
        out.append(p)
        out.append(after)


def make_machine(march: str = "", protection: str = "none", system: str = "") -> Machine:
    """A new machine; there is one instruction set."""
    refuse_choices("amd64", march, protection)
    return Amd64(_WIN_SHADOW_SPACE if system == "windows" else 0)
