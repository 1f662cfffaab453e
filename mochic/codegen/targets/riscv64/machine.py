"""riscv64: branches that compare, conditional moves made of them, constants."""

from __future__ import annotations


from backend.obj.ctx import Ctx
from backend.obj.prog import BRANCH, MEM, NAME_EXTERN, Addr, Prog
from backend.riscv.arch import DEFAULT_MARCH, extensions_of, make_arch
from backend.riscv.ops import AADD, ACALL, ACALLFAR, AEBREAK, AJMP, AMOV, AMOVB, AMOVD, ANOP, ARET
from mochic.codegen.code import Special
from mochic.codegen.machine import MEMORY, refuse_choices
from mochic.codegen.targets.risc import Risc
from mochic.codegen.targets.riscv64.regs import (
    ACMOV, ACMOVD, BRANCHES, CALL_TARGET, FP_ARGS, FP_CALLEE, FP_CALLER, GP_ARGS, GP_CALLEE, GP_CALLER, LINK, NREGS,
    SCRATCH, SCRATCH_FP, STACK, ZERO,
)  # fmt: skip
from mochic.ir.ops import CLZ, CTZ, POPCNT
from backend.riscv.regs import F0, X0
from mochic.layout import LITTLE_64


class Riscv64(Risc):
    """See Machine.  `zba`, `zbb`: those extensions may be used."""

    __slots__ = ("zba", "zbb")

    def __init__(self, march: str) -> None:
        super().__init__(LITTLE_64)
        extensions = extensions_of(march)
        self.zba = "zba" in extensions
        self.zbb = "zbb" in extensions
        if not self.zbb:
            self.lacks = frozenset((CLZ, CTZ, POPCNT))
        self.name = "riscv64"
        self.gp_args, self.fp_args, self.floats_follow_gp = GP_ARGS, FP_ARGS, True
        self.gp_result, self.fp_result = GP_ARGS[0], FP_ARGS[0]
        self.gp_caller, self.gp_callee = GP_CALLER, GP_CALLEE
        self.fp_caller, self.fp_callee = FP_CALLER, FP_CALLEE
        self.set_registers(X0, NREGS, F0, NREGS)
        self.stack, self.link, self.zero = STACK, LINK, ZERO
        self.scratch, self.scratch_fp = SCRATCH, SCRATCH_FP
        self.call_target = CALL_TARGET
        self.call, self.call_near, self.call_reg = ACALLFAR, ACALL, ACALL
        self.ret, self.jmp, self.nop, self.trap = ARET, AJMP, ANOP, AEBREAK
        self.mov, self.fmov, self.add, self.store8 = AMOV, AMOVD, AADD, AMOVB
        self.copies = frozenset((AMOV, AMOVD))
        self.moves = self.copies
        self.makes = frozenset((AADD,))
        self.ops = frozenset((AMOV, AMOVD, ACMOV, ACMOVD))
        self.assemble = make_arch(march).assemble

    def double(self, dst: int, bits: int, asm: Ctx, pos: int, out: list[Prog]) -> None:
        if dst >= MEMORY or not self.is_float[dst]:  # a place in memory or a double passed as an integer
            self.integer(dst, bits - (1 << 64) if bits >> 63 else bits, pos, out)
        elif bits:
            s = asm.constant("f64", bits.to_bytes(8, "little"))
            out.append(Prog(AMOVD, [Addr(MEM, 0, 0, s, 0, 0, NAME_EXTERN), self.regs[dst]], pos))
        else:
            out.append(Prog(AMOVD, [self.regs[ZERO], self.regs[dst]], pos))

    # -- blocks

    def branch(
        self, cc: int, then: int, orelse: int, pos: int, out: list[Prog], pending: list[tuple[Addr, int]]
    ) -> None:
        p = out.pop()
        assert p.as_ in BRANCHES, "a block ends with what compares"
        self.jump(BRANCHES[cc], p.args, then, p.pos, out, pending)

    def drop_branch(self, cc: int, out: list[Prog]) -> None:
        out.pop()

    def finish(self, p: Prog, out: list[Prog], last: bool, special: Special | None, candidates: list[int]) -> bool:
        as_ = p.as_
        if as_ == AMOV or as_ == AMOVD:
            a, b = p.args
            return a is b
        x, y, src, dst = p.args
        after = Prog(ANOP, [], p.pos)
        out.append(Prog(BRANCHES[p.scond ^ 1], [x, y, Addr(BRANCH, 0, 0, after)], p.pos))
        out.append(Prog(AMOV if as_ == ACMOV else AMOVD, [src, dst], p.pos))
        out.append(after)
        return True


def make_machine(march: str = "", protection: str = "none", system: str = "") -> Riscv64:
    """A new machine for an ISA string or profile.  Raises ValueError for an unknown one."""
    refuse_choices("riscv64", "", protection)
    return Riscv64(march or DEFAULT_MARCH)
