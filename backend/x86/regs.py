"""x86 registers: numbers, names, classes, DWARF numbers.

A register number carries its hardware number in the low bits (four for integer registers, five for
vector registers), so that encoders mask instead of looking up.  Integer registers have one name for
every width, as in Go: the opcode's suffix tells the width (ADDL AX, BX adds EAX to EBX).  AL..R15B
exist for the byte forms; AH CH DH BH are the old high bytes, which no instruction with a REX prefix
can name (SDM 1, 3.4.1.1).
"""

from __future__ import annotations

from typing import Final

WINDOW: Final = 0  # of opcodes and registers (backend.obj.prog)
# Integer registers 16..31, in hardware order.
AX: Final = 16
CX: Final = 17
DX: Final = 18
BX: Final = 19
SP: Final = 20
BP: Final = 21
SI: Final = 22
DI: Final = 23
R8: Final = 24
R9: Final = 25
R10: Final = 26
R11: Final = 27
R12: Final = 28
R13: Final = 29
R14: Final = 30
R15: Final = 31
# Their low bytes 32..47.
AL: Final = 32
CL: Final = 33
DL: Final = 34
BL: Final = 35
SPB: Final = 36
BPB: Final = 37
SIB: Final = 38
DIB: Final = 39
R8B: Final = 40
R9B: Final = 41
R10B: Final = 42
R11B: Final = 43
R12B: Final = 44
R13B: Final = 45
R14B: Final = 46
R15B: Final = 47
# The high bytes: hardware numbers 4..7 again, distinguished by the absence of REX.
AH: Final = 52
CH: Final = 53
DH: Final = 54
BH: Final = 55
# Vector registers.
X0: Final = 64
X1: Final = 65
X2: Final = 66
X3: Final = 67
X4: Final = 68
X5: Final = 69
X6: Final = 70
X7: Final = 71
X8: Final = 72
X9: Final = 73
X10: Final = 74
X11: Final = 75
X12: Final = 76
X13: Final = 77
X14: Final = 78
X15: Final = 79
Y0: Final = 96
Z0: Final = 128
K0: Final = 160
M0: Final = 176
F0: Final = 240
# Segment registers in hardware order, control, debug and test registers.
ES: Final = 192
CS: Final = 193
SS: Final = 194
DS: Final = 195
FS: Final = 196
GS: Final = 197
CR0: Final = 208
DR0: Final = 224
TR0: Final = 256
GDTR: Final = 264
IDTR: Final = 265
LDTR: Final = 266
MSW: Final = 267
TASK: Final = 268
TLS: Final = 269
NREG: Final = 270

_GP: Final = "AX CX DX BX SP BP SI DI R8 R9 R10 R11 R12 R13 R14 R15".split()
_LOW: Final = "AL CL DL BL SPB BPB SIB DIB R8B R9B R10B R11B R12B R13B R14B R15B".split()

# Register classes, the finest partition the encoding rows distinguish (classify.py builds on it).
RC_NONE: Final = 0
RC_GP: Final = 1
RC_BYTE: Final = 2
RC_HIGH: Final = 3
RC_X: Final = 4
RC_Y: Final = 5
RC_Z: Final = 6
RC_K: Final = 7
RC_M: Final = 8
RC_F: Final = 9
RC_SEG: Final = 10
RC_CR: Final = 11
RC_DR: Final = 12
RC_TR: Final = 13
RC_SPECIAL: Final = 14


def _build() -> tuple[dict[str, int], list[str], list[int]]:
    numbers: dict[str, int] = {}
    names = [""] * NREG
    classes = [RC_NONE] * NREG
    blocks: list[tuple[int, list[str], int]] = [
        (AX, _GP, RC_GP),
        (AL, _LOW, RC_BYTE),
        (AH, "AH CH DH BH".split(), RC_HIGH),
        (X0, [f"X{i}" for i in range(32)], RC_X),
        (Y0, [f"Y{i}" for i in range(32)], RC_Y),
        (Z0, [f"Z{i}" for i in range(32)], RC_Z),
        (K0, [f"K{i}" for i in range(8)], RC_K),
        (M0, [f"M{i}" for i in range(8)], RC_M),
        (F0, [f"F{i}" for i in range(8)], RC_F),
        (ES, "ES CS SS DS FS GS".split(), RC_SEG),
        (CR0, [f"CR{i}" for i in range(16)], RC_CR),
        (DR0, [f"DR{i}" for i in range(16)], RC_DR),
        (TR0, [f"TR{i}" for i in range(8)], RC_TR),
        (GDTR, "GDTR IDTR LDTR MSW TASK TLS".split(), RC_SPECIAL),
    ]
    for base, block, cls in blocks:
        for i, name in enumerate(block):
            numbers[name] = base + i
            names[base + i] = name
            classes[base + i] = cls
    return numbers, names, classes


_TABLES: Final = _build()
REGS: Final[dict[str, int]] = _TABLES[0]  # name -> number
NAMES: Final[dict[int, str]] = {reg: name for reg, name in enumerate(_TABLES[1]) if name}  # number -> name
CLASSES: Final[list[int]] = _TABLES[2]  # number -> RC_*

# DWARF numbers of the integer registers in hardware order (System V AMD64 psABI, figure 3.36); the
# return address column is 16 and the vector registers follow from 17.
_DWARF_GP: Final = (0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15)
DWARF_RETURN: Final = 16


def dwarf_number(reg: int) -> int:
    """The psABI's DWARF number of an integer or SSE register, -1 when it has none.

    >>> dwarf_number(SP), dwarf_number(X0)
    (7, 17)
    """
    if AX <= reg <= R15:
        return _DWARF_GP[reg - AX]
    if X0 <= reg <= X15:
        return 17 + reg - X0
    return -1
