"""Operand classes: which of the table's operand patterns an Addr satisfies.

Every operand falls into exactly one *fine class* (a small int); a pattern of forms.tbl such as
`r/m64` or `$i32` is a bit mask over fine classes.  A form is therefore chosen by the opcode and the
fine classes of its operands alone, and the choice can be remembered (encode.find_form).

Go's conventions that the masks carry: integer registers have no width of their own, and byte
instructions take AX..R15 as well as AL..R15B; the shift count may be written CL or CX; constants for
32-bit immediates may be given signed or unsigned.
"""

from __future__ import annotations

from typing import Final

from backend.obj.prog import ADDR, BRANCH, CONST, FCONST, INDIR, MEM, REG, VREG, Addr, Prog
from backend.obj.sym import LSym
from backend.x86 import regs

# Fine classes.
C_BAD: Final = 0
C_GP: Final = 1
C_AX: Final = 2
C_CX: Final = 3
C_BYTE: Final = 4
C_AL: Final = 5
C_CL: Final = 6
C_HIGH: Final = 7
C_X0: Final = 8
C_X: Final = 9
C_MM: Final = 10
C_F0: Final = 11
C_ST: Final = 12
C_FS: Final = 13
C_GS: Final = 14
C_SEG: Final = 15
C_CR: Final = 16
C_DR: Final = 17
C_ONE: Final = 18  # 1
C_U2: Final = 19  # 0 2 3
C_I7: Final = 20  # 4..127
C_NEG8: Final = 21  # -128..-1
C_U8: Final = 22  # 128..255
C_S31: Final = 23  # 256..2^31-1
C_NEG32: Final = 24  # -2^31..-129
C_U32: Final = 25  # 2^31..2^32-1
C_I64: Final = 26  # all others
C_MEM: Final = 27
C_MEMSYM: Final = 28  # sym(SB): RIP-relative
C_ADDR: Final = 29  # $8(BX)
C_ADDRSYM: Final = 30  # $sym(SB)
C_REL: Final = 31  # branch to a Prog of the function
C_SYM: Final = 32  # branch to a symbol
C_INDIR: Final = 33  # *8(SP)
C_INDIRSYM: Final = 34  # *sym(SB)
C_FCONST: Final = 35
C_MEMWIDE: Final = 36  # an offset of 2^31..2^32-1, which only a 32-bit LEA can use

_R: Final = 1 << C_GP | 1 << C_AX | 1 << C_CX
_R8: Final = _R | 1 << C_BYTE | 1 << C_AL | 1 << C_CL | 1 << C_HIGH
_M: Final = 1 << C_MEM | 1 << C_MEMSYM
_XMM: Final = 1 << C_X0 | 1 << C_X
_MM: Final = 1 << C_MM
_ST: Final = 1 << C_F0 | 1 << C_ST
_U2: Final = 1 << C_ONE | 1 << C_U2
_U7: Final = _U2 | 1 << C_I7
_S32: Final = _U7 | 1 << C_NEG8 | 1 << C_U8 | 1 << C_S31 | 1 << C_NEG32
_U32: Final = _U7 | 1 << C_U8 | 1 << C_S31 | 1 << C_U32

# Operand pattern -> mask of fine classes.
PATTERNS: Final[dict[str, int]] = {
    "r8": _R8,
    "r16": _R,
    "r32": _R,
    "r64": _R,
    "r/m8": _R8 | _M,
    "r/m16": _R | _M,
    "r/m32": _R | _M,
    "r/m64": _R | _M,
    "xmm": _XMM,
    "xmm/m16": _XMM | _M,
    "xmm/m32": _XMM | _M,
    "xmm/m64": _XMM | _M,
    "xmm/m128": _XMM | _M,
    "mm": _MM,
    "mm/m64": _MM | _M,
    "st": _ST,
    "m": _M,
    "m16": _M,
    "m32": _M,
    "m64": _M,
    "m128": _M,
    "m*": _M | 1 << C_INDIR | 1 << C_INDIRSYM,
    "&m": _M,
    "&m32": _M | 1 << C_MEMWIDE,
    "$&m": 1 << C_ADDR | 1 << C_ADDRSYM,
    "*m64": 1 << C_INDIR | 1 << C_INDIRSYM,
    "AL": 1 << C_AL,
    "AX": 1 << C_AX,
    "CL": 1 << C_CL | 1 << C_CX,
    "X0": 1 << C_X0,
    "F0": 1 << C_F0,
    "FS": 1 << C_FS,
    "GS": 1 << C_GS,
    "sreg": 1 << C_SEG | 1 << C_FS | 1 << C_GS,
    "cr": 1 << C_CR,
    "dr": 1 << C_DR,
    "$1": 1 << C_ONE,
    "$u2": _U2,
    "$i8": _U7 | 1 << C_NEG8,
    "$u8": _U7 | 1 << C_U8,
    "$s32": _S32,
    "$u32": _U32,
    "$i32": _S32 | _U32,
    "$i64": _S32 | _U32 | 1 << C_I64,
    "rel": 1 << C_REL,
    "sym": 1 << C_SYM | 1 << C_MEMSYM,
}


def _register_classes() -> list[int]:
    by_kind = {
        regs.RC_GP: C_GP,
        regs.RC_BYTE: C_BYTE,
        regs.RC_HIGH: C_HIGH,
        regs.RC_M: C_MM,
        regs.RC_F: C_ST,
        regs.RC_SEG: C_SEG,
        regs.RC_CR: C_CR,
        regs.RC_DR: C_DR,
    }
    out = [by_kind.get(kind, C_BAD) for kind in regs.CLASSES]
    for reg in range(regs.X0, regs.X0 + 16):  # X16 and up need EVEX
        out[reg] = C_X
    for reg, cls in (
        (regs.AX, C_AX),
        (regs.CX, C_CX),
        (regs.AL, C_AL),
        (regs.CL, C_CL),
        (regs.X0, C_X0),
        (regs.F0, C_F0),
        (regs.FS, C_FS),
        (regs.GS, C_GS),
    ):
        out[reg] = cls
    return out


REG_CLASS: Final = _register_classes()
_SMALL: Final = [C_NEG8] * 128 + [C_U2, C_ONE, C_U2, C_U2] + [C_I7] * 124 + [C_U8] * 128  # -128..255


def class_const(value: int) -> int:
    """The fine class of a constant.

    >>> class_const(1) == C_ONE, class_const(200) == C_U8
    (True, True)
    """
    if -128 <= value <= 255:
        return _SMALL[value + 128]
    if value > 0:
        return C_S31 if value < 1 << 31 else C_U32 if value < 1 << 32 else C_I64 if value < 1 << 64 else C_BAD
    return C_NEG32 if value >= -(1 << 31) else C_I64 if value >= -(1 << 63) else C_BAD


def _bad_memory(a: Addr) -> bool:
    """Whether a memory operand has no encoding: odd registers or scale, a displacement beyond 32 bits."""
    if a.sym is not None:
        return a.reg != 0 or a.index != 0 or not -(1 << 31) <= a.offset < 1 << 31
    return not -(1 << 31) <= a.offset < 1 << 31 or _bad_registers(a)


def _bad_registers(a: Addr) -> bool:
    rc = REG_CLASS
    if a.reg and (a.reg >= regs.NREG or not 1 << rc[a.reg] & _R):
        return True
    if a.index and (a.index >= regs.NREG or not 1 << rc[a.index] & _R or a.index == regs.SP):
        return True
    return a.index != 0 and a.scale not in (1, 2, 4, 8)


def classify(a: Addr) -> int:
    """The fine class of an operand, C_BAD when no instruction takes it."""
    kind = a.kind
    if kind == REG:
        return REG_CLASS[a.reg] if 0 <= a.reg < regs.NREG else C_BAD
    if kind == CONST:
        return class_const(a.offset)
    if kind in (MEM, ADDR, INDIR):
        if _bad_memory(a):
            if kind == MEM and a.sym is None and 1 << 31 <= a.offset < 1 << 32 and not _bad_registers(a):
                return C_MEMWIDE
            return C_BAD
        if kind == MEM:
            return C_MEM if a.sym is None else C_MEMSYM
        if kind == ADDR:
            return C_ADDR if a.sym is None else C_ADDRSYM
        return C_INDIR if a.sym is None else C_INDIRSYM
    if kind == BRANCH:
        sym = a.sym
        if type(sym) is Prog:
            return C_REL
        return C_SYM if type(sym) is LSym else C_BAD
    if kind == FCONST:
        return C_FCONST
    return C_BAD


def explain(a: Addr) -> str:
    """Why an operand is C_BAD, for messages; an empty string when there is nothing special to say."""
    if a.kind == REG and a.reg >= VREG:
        return "virtual register left over"
    if a.kind in (MEM, ADDR, INDIR):
        if regs.TLS in (a.reg, a.index):
            return "thread-local operands are not supported"
        if not -(1 << 31) <= a.offset < 1 << 31:
            return "offset too large"
        if a.sym is not None and (a.reg or a.index):
            return "symbol and register in one address"
        if a.index == regs.SP:
            return "SP cannot be an index"
        if a.index and a.scale not in (1, 2, 4, 8):
            return "scale must be 1, 2, 4 or 8"
    return ""
