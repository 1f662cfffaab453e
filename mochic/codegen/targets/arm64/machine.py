"""arm64: pairs of saved registers, branches on flags or on a register, constants."""

from __future__ import annotations

from typing import Final

from backend.arm64.encode import Assembler
from backend.arm64.immediates import float8
from backend.arm64.ops import (
    AADD, AB, ABL, ABRK, AFLDPD, AFMOVD, AFSTPD, ALDP, AMOVB, AMOVD, ANOP, ARET, ASTP, ASUB,
)  # fmt: skip
from backend.arm64.regs import F0
from backend.obj.ctx import Ctx
from backend.obj.prog import FCONST, MEM, NAME_EXTERN, REGREG, Addr, Prog
from mochic.codegen.isel import SelectorBase, Special
from mochic.codegen.machine import MEMORY, Machine, imm
from mochic.codegen.targets.arm64.regs import (
    CALL_TARGET, CONDITIONAL, FP_ARGS, FP_CALLEE, FP_CALLER, FUSED, GP_ARGS, GP_CALLEE, GP_CALLER, LINK, NREGS, SCRATCH,
    SCRATCH_FP, STACK, ZERO,
)  # fmt: skip
from mochic.codegen.targets.risc import Risc
from mochic.ir.ops import POPCNT


class Arm64(Risc):
    """See Machine."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self.name = "arm64"
        self.gp_args, self.fp_args = GP_ARGS, FP_ARGS
        self.gp_result, self.fp_result = GP_ARGS[0], FP_ARGS[0]
        self.gp_caller, self.gp_callee = GP_CALLER, GP_CALLEE
        self.fp_caller, self.fp_callee = FP_CALLER, FP_CALLEE
        self.set_registers(NREGS, F0, NREGS)
        self.stack, self.link, self.zero = STACK, LINK, ZERO
        self.scratch, self.scratch_fp = SCRATCH, SCRATCH_FP
        self.call_target = CALL_TARGET
        self.call = self.call_near = self.call_reg = ABL
        self.ret, self.jmp, self.nop, self.trap = ARET, AB, ANOP, ABRK
        self.mov, self.fmov, self.add, self.store8 = AMOVD, AFMOVD, AADD, AMOVB
        self.copies = frozenset((AMOVD, AFMOVD))
        self.moves = self.copies
        self.makes = frozenset((AADD,))
        self.ops = self.copies
        self.lacks = frozenset((POPCNT,))  # there is one, for vector registers only
        self.assemble = Assembler(False).assemble

    def selector(self) -> type[SelectorBase]:
        from mochic.codegen.targets.arm64.select import Selector

        return Selector

    def double(self, dst: int, bits: int, asm: Ctx, pos: int, out: list[Prog]) -> None:
        if dst >= MEMORY:
            self.integer(dst, bits - (1 << 64) if bits >> 63 else bits, pos, out)
        else:
            out.append(Prog(AFMOVD, [double_operand(bits, asm), self.regs[dst]], pos))

    # -- frames

    def lower(self, n: int, pos: int, out: list[Prog]) -> None:
        sp = self.regs[self.stack]
        out.append(Prog(ASUB, [imm(n), sp, sp], pos))

    def save(self, saved: list[int], top: int, pos: int, out: list[Prog]) -> None:
        self._pairs(saved, top, pos, out, True)

    def restore(self, saved: list[int], top: int, pos: int, out: list[Prog]) -> None:
        self._pairs(saved, top, pos, out, False)

    def _pairs(self, saved: list[int], top: int, pos: int, out: list[Prog], store: bool) -> None:
        """Neighbours of one class go by STP and LDP."""
        is_float = self.is_float
        i = 0
        while i < len(saved):
            reg = saved[i]
            single = is_float[reg]
            if i + 1 < len(saved) and is_float[saved[i + 1]] == single:
                top -= 16
                what = Addr(REGREG, saved[i + 1], 0, None, reg)
                as_ = (AFSTPD if store else AFLDPD) if single else (ASTP if store else ALDP)
                i += 2
            else:
                top -= 8
                what = self.regs[reg]
                as_ = AFMOVD if single else AMOVD
                i += 1
            place = Addr(MEM, self.stack, top)
            out.append(Prog(as_, [what, place] if store else [place, what], pos))

    # -- blocks

    def branch(
        self, cc: int, then: int, orelse: int, pos: int, out: list[Prog], pending: list[tuple[Addr, int]]
    ) -> None:
        if cc < len(CONDITIONAL):
            self.jump(CONDITIONAL[cc], [], then, pos, out, pending)
            return
        p = out.pop()
        assert p.as_ in FUSED.values(), "a block ends with what tests"
        self.jump(FUSED[cc], p.args, then, p.pos, out, pending)

    def drop_branch(self, cc: int, out: list[Prog]) -> None:
        if cc >= len(CONDITIONAL):
            out.pop()

    def finish(self, p: Prog, out: list[Prog], last: bool, special: Special | None, candidates: list[int]) -> bool:
        return p.args[0] is p.args[1]


def double_operand(bits: int, asm: Ctx) -> Addr:
    """The source of an FMOVD that makes a double: zero, a constant in the instruction, or one in memory."""
    if bits == 0:
        return imm(0)
    if float8(bits) >= 0:
        return Addr(FCONST, 0, bits)
    s = asm.constant("f64", bits.to_bytes(8, "little"))
    return Addr(MEM, 0, 0, s, 0, 0, NAME_EXTERN)


_MACHINE: Final = Arm64()


def make_machine(march: str = "") -> Machine:
    """The machine; there is one instruction set."""
    if march:
        raise ValueError(f"arm64 has no -march={march}")
    return _MACHINE
