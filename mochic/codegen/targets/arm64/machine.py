"""arm64: pairs of saved registers, branches on flags or on a register, constants, protected branches.

Branch protection (Arm ARM D8.4 "Branch target identification", D8.10 "Pointer authentication"): with `bti` each
function and each target of a jump table begins with a landing pad, and an indirect branch to anything else faults; with
`pac` a function that keeps its return address in memory signs it against SP, and a changed one faults.  PACIASP is a
landing pad for calls too.  All of these are hints, which older CPUs ignore.  The kernel asks for landing pads where the
program's property note says that all of its code has them (AAELF64 5.7, "Program property"); the linker keeps the bits
that all objects have.  A signature is in the high bits of the address: stack walks leave those out (PC_MASK in
runtime/linux_arm64.mochi)."""

from __future__ import annotations

from struct import pack
from typing import Final

from backend.arm64.encode import Arm64Encoder
from backend.arm64.immediates import float8
from backend.arm64.ops import (
    AADD, AAUTIASP, AB, ABL, ABRK, ABTI, AFLDPD, AFMOVD, AFSTPD, ALDP, AMOVB, AMOVD, ANOP, APACIASP, ARET, ASTP, ASUB,
)  # fmt: skip
from backend.arm64.regs import F0, R0, FP as R29
from backend.arm64.sysreg import BRANCH_TYPES
from backend.obj.assemble import Assembler
from backend.obj.ctx import Ctx
from backend.obj.prog import FCONST, MEM, NAME_EXTERN, REGREG, SPECIAL, Addr, Prog
from backend.obj.sym import A_STATIC, SNOTE, LSym
from mochic.codegen.code import Frame, Special
from mochic.codegen.machine import MEMORY, Machine, imm, refuse_choices
from mochic.codegen.targets.arm64.regs import (
    CALL_TARGET, CONDITIONAL, FP_ARGS, FP_CALLEE, FP_CALLER, FUSED, GP_ARGS, GP_CALLEE, GP_CALLER, LINK, NREGS, SCRATCH,
    SCRATCH_FP, STACK, ZERO,
)  # fmt: skip
from mochic.codegen.targets.risc import Risc
from mochic.ir.ops import POPCNT
from mochic.layout import LITTLE_64


_NT_GNU_PROPERTY_TYPE_0: Final = 5
_FEATURE_1_AND: Final = 0xC0000000  # GNU_PROPERTY_AARCH64_FEATURE_1_AND
_FEATURE_BTI: Final = 1
_FEATURE_PAC: Final = 2
_PROTECTIONS: Final = {
    "none": 0,
    "bti": _FEATURE_BTI,
    "pac-ret": _FEATURE_PAC,
    "standard": _FEATURE_BTI | _FEATURE_PAC,
}


class Arm64(Risc):
    """See Machine.  `bti`: landing pads; `pac`: signed return addresses; `frame_pointer`: R29 is the system's, whose
    tools follow it from frame record to frame record."""

    __slots__ = ("bti", "pac")

    def __init__(self, features: int, frame_pointer: bool) -> None:
        super().__init__(LITTLE_64)
        self.bti = self.jump_pads = features & _FEATURE_BTI != 0
        self.pac = features & _FEATURE_PAC != 0
        self.name = "arm64"
        self.gp_args, self.fp_args = GP_ARGS, FP_ARGS
        self.gp_result, self.fp_result = GP_ARGS[0], FP_ARGS[0]
        self.gp_caller = GP_CALLER
        self.gp_callee = tuple([r for r in GP_CALLEE if r != R29]) if frame_pointer else GP_CALLEE
        self.fp_caller, self.fp_callee = FP_CALLER, FP_CALLEE
        self.set_registers(R0, NREGS, F0, NREGS)
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
        self.assemble = Assembler(Arm64Encoder()).assemble

    def double(self, dst: int, bits: int, asm: Ctx, pos: int, out: list[Prog]) -> None:
        if dst >= MEMORY:
            self.integer(dst, bits - (1 << 64) if bits >> 63 else bits, pos, out)
        else:
            out.append(Prog(AFMOVD, [double_operand(bits, asm), self.regs[dst]], pos))

    # -- protection of branches

    def start(self, framed: Frame | None, pos: int, out: list[Prog]) -> None:
        if self.bti and not (self.pac and framed is not None and framed.linked):
            out.append(Prog(ABTI, [Addr(SPECIAL, 0, BRANCH_TYPES["C"])], pos))

    def jump_pad(self, pos: int) -> Prog:
        return Prog(ABTI, [Addr(SPECIAL, 0, BRANCH_TYPES["J"])], pos)

    def notes(self) -> list[LSym]:
        features = (_FEATURE_BTI if self.bti else 0) | (_FEATURE_PAC if self.pac else 0)
        if not features:
            return []
        # name size, description size, type, name; one property: kind, size, value, padding to 8 (Linux ABI 2.1.7)
        s = LSym("property", SNOTE, A_STATIC)
        s.section = ".note.gnu.property"
        s.align = 8
        s.data += pack("<III4sIIII", 4, 16, _NT_GNU_PROPERTY_TYPE_0, b"GNU\0", _FEATURE_1_AND, 4, features, 0)
        s.size = len(s.data)
        return [s]

    # -- frames

    def enter(self, f: Frame, pos: int, out: list[Prog]) -> None:
        if self.pac and f.linked:
            out.append(Prog(APACIASP, [], pos))
        super().enter(f, pos, out)

    def leave(self, f: Frame, pos: int, out: list[Prog]) -> None:
        super().leave(f, pos, out)
        if self.pac and f.linked:
            out.append(Prog(AAUTIASP, [], pos))

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


# Writing ARM64 Code for Apple Platforms, "Respect the purpose of specific CPU registers"; Overview of ARM64 ABI
# conventions (Windows), "Integer registers".
_FRAME_POINTERS: Final = ("darwin", "windows")


def make_machine(march: str = "", protection: str = "none", system: str = "") -> Machine:
    """A new machine; there is one instruction set."""
    refuse_choices("arm64", march, "none")
    return Arm64(_PROTECTIONS[protection], system in _FRAME_POINTERS)
