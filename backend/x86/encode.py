"""From one instruction to bytes, in forms of forms.tbl.

1. A row is found by the opcode and the fine classes of the operands (`Forms.find`).
2. `encode_form` writes the bytes of a form: prefixes, REX, opcode, ModRM, SIB, displacement, immediates (SDM 2A,
   chapter 2).  One function serves each ModRM shape (none, register, memory).

Invariants.  The field of a symbol is zero and its relocation counts from the field, so A holds the distance from
there to the end of the instruction.  Branches start in their short form and only grow (backend.obj.relax).
"""

from __future__ import annotations

from typing import Final

from backend.obj.assemble import Branch, Encoder, Fixup
from backend.obj.prog import BRANCH, MEM, REG, Addr, Prog
from backend.obj.relax import Ladder
from backend.obj.sym import LSym
from backend.x86 import regs
from backend.x86.classify import C_HIGH, REG_CLASS
from backend.x86.forms import DIGIT_R, Form, Forms
from backend.x86.ops import NAMES

# ---------------------------------------------------------------------------------------------------
# Bytes of one instruction

_SCALE: Final = {1: 0x00, 2: 0x40, 4: 0x80, 8: 0xC0}
_LOW_BYTES: Final = (regs.SP, regs.BP, regs.SI, regs.DI, regs.SPB, regs.BPB, regs.SIB, regs.DIB)

# What encode_form returns: the bytes, and when a symbol is involved the offset of its 4-byte field
# (else -1).
Code = tuple[bytes, int]


def encode_form(f: Form, args: list[Addr]) -> Code:
    """The bytes of one instruction in a given form."""
    rex = f.rex
    field = -1
    body = b""
    rm = f.rm
    if rm >= 0:
        a = args[rm]
        digit = f.digit
        if digit >= DIGIT_R:
            digit = args[f.reg].reg & 15
            if digit >= 8:
                rex |= 0x44
                digit &= 7
        if a.kind == REG:
            n = a.reg & 15
            if n >= 8:
                rex |= 0x41
            body = bytes((0xC0 | digit << 3 | n & 7,))
        elif a.sym is not None:  # RIP-relative: mod 0, rm 5 (SDM 2A 2.2.1.6)
            body = bytes((digit << 3 | 5, 0, 0, 0, 0))
            field = 1
        else:
            body, extra = encode_memory(a, digit)
            rex |= extra
    opcode = f.opcode
    if f.plus >= 0:
        n = args[f.plus].reg & 15
        if n >= 8:
            rex |= 0x41
        opcode = opcode[:-1] + bytes((opcode[-1] + (n & 7),))
    for i in f.bytes_:
        a = args[i]
        if a.kind == REG:
            if a.reg in _LOW_BYTES:
                rex |= 0x40
            elif REG_CLASS[a.reg] == C_HIGH and (
                rex or any(args[j].kind == REG and args[j].reg in _LOW_BYTES for j in f.bytes_)
            ):
                raise ValueError("high byte register cannot be encoded in an instruction that needs REX")
    if rex:
        head = f.prefix + bytes((rex,)) + opcode
    else:
        head = f.prefix + opcode
    if field >= 0:
        field += len(head)
    code = head + body
    for i, size in f.imms:
        code += (args[i].offset & (1 << 8 * size) - 1).to_bytes(size, "little")
    return code, field


def encode_memory(a: Addr, digit: int) -> tuple[bytes, int]:
    """ModRM, SIB and displacement of a register-based address, and its REX bits (SDM 2A 2.1.5)."""
    disp = a.offset
    base, index = a.reg, a.index
    rex = 0
    digit <<= 3
    if base == 0:  # no base: SIB with base 5 and a 32-bit displacement
        if index == 0:
            sib = 0x25
        else:
            n = index & 15
            if n >= 8:
                rex = 0x42
            sib = _SCALE[a.scale] | (n & 7) << 3 | 5
        return bytes((digit | 4, sib)) + (disp & 0xFFFFFFFF).to_bytes(4, "little"), rex
    b = base & 15
    if b >= 8:
        rex = 0x41
        b &= 7
    if disp == 0 and b != 5:  # BP and R13 as base need a displacement
        mod = 0
        tail = b""
    elif -128 <= disp <= 127:
        mod = 0x40
        tail = bytes((disp & 0xFF,))
    else:
        mod = 0x80
        tail = (disp & 0xFFFFFFFF).to_bytes(4, "little")
    if index == 0:
        if b != 4:
            return bytes((mod | digit | b,)) + tail, rex
        return bytes((mod | digit | 4, 0x24)) + tail, rex  # SP and R12 as base need a SIB
    n = index & 15
    if n >= 8:
        rex |= 0x42
    return bytes((mod | digit | 4, _SCALE[a.scale] | (n & 7) << 3 | b)) + tail, rex


# ---------------------------------------------------------------------------------------------------
# What the assembler needs

_MIN_ALIGN: Final = 8
_NOPS: Final = tuple(
    bytes.fromhex(h)
    for h in (
        "", "90", "6690", "0f1f00", "0f1f4000", "0f1f440000", "660f1f440000", "0f1f8000000000", "0f1f840000000000",
        "660f1f840000000000",
    )
)  # fmt: skip  # SDM 2B NOP, table 4-12
_JUMPS: Final = frozenset(a for a, n in NAMES.items() if n[0] == "J" or n in ("CALL", "RET", "XBEGIN"))

# Reach of the branch forms (backend.obj.relax).
_REL32: Final = (-(1 << 31), (1 << 31) - 1)
_NEAR_ONLY: Final[Ladder] = ((*_REL32, 0),)
_SHORT_ONLY: Final[Ladder] = ((-128, 127, 0),)


def nops(n: int) -> bytes:
    """n bytes of padding in as few instructions as the SDM recommends."""
    return _NOPS[9] * (n // 9) + _NOPS[n % 9]


class _Jump(Branch):
    """A branch with a displacement of one or four bytes behind its opcode."""

    __slots__ = ("short", "near")

    def __init__(self, short: bytes | None, near: bytes | None) -> None:
        if short is None or near is None:
            super().__init__(_NEAR_ONLY if short is None else _SHORT_ONLY)
        else:
            super().__init__((*_SHORT_ONLY, (*_REL32, len(near) + 4 - len(short) - 1)))
        self.short = short
        self.near = near

    def patch(self, chunk: bytes, pc: int, target: int, step: int) -> bytes:
        if step or self.short is None:
            assert self.near is not None
            return self.near + (target - pc - len(self.near) - 4 & 0xFFFFFFFF).to_bytes(4, "little")
        return self.short + (target - pc - len(self.short) - 1 & 0xFF).to_bytes(1, "little")


class X86Encoder(Encoder):
    """The instructions of amd64."""

    __slots__ = ("forms",)

    def __init__(self) -> None:
        super().__init__("amd64", regs.WINDOW, _MIN_ALIGN)
        self.forms: Final = Forms()

    def encode(self, p: Prog) -> tuple[bytes, Fixup | None]:
        args = p.args
        form = self.forms.find(p.as_, args)
        if form.rel >= 0:
            if type(args[form.rel].sym) is not LSym:
                jump = _Jump(form.short, form.near)
                return jump.patch(b"", 0, 0, 0), Fixup(jump)
            if form.near is None:
                raise ValueError("this branch cannot reach a symbol")
            code, field = form.near + bytes(4), len(form.near)
        else:
            code, field = encode_form(form, args)
        if field < 0:
            return code, None
        symbol = next(a for a in args if a.sym is not None)
        kind = "R_CALL" if symbol.kind == BRANCH or (p.as_ in _JUMPS and symbol.kind == MEM) else "R_PCREL"
        # The processor counts from the end of the instruction, S + A - P from the field: the distance between the two
        # goes into the addend.
        return code, Fixup(None, kind, field, 4, field - len(code))

    def padding(self, size: int) -> bytes:
        return nops(size)
