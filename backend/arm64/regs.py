"""A64 registers: numbers, names, classes, DWARF numbers.

A register number carries its hardware number in the low five bits, so ZR and RSP, both 31 to the
hardware, are 31 of two windows.  Names are Go's: R18 is written R18_PLATFORM and R28 `g`, because code
that means them must say so.  A vector register with an arrangement (V1.B16) or an element size (V1.S[2])
is a register number of a window of its own, so that operand patterns stay ranges of numbers.
"""

from __future__ import annotations

from typing import Final

WINDOW: Final = 2  # of opcodes and registers (backend.obj.prog)
R0: Final = 2080
R16: Final = 2096  # IP0: linker veneers overwrite it
R17: Final = 2097  # IP1
R18: Final = 2098  # the platform register
R20: Final = 2100
TMP: Final = 2107  # R27: expansions of the assembler overwrite it
G: Final = 2108  # R28, Go's g
FP: Final = 2109  # R29, the frame pointer
LR: Final = 2110  # R30, the link register
ZR: Final = 2111
RSP: Final = 2143
F0: Final = 2144
F31: Final = 2175
V0: Final = 2176
V31: Final = 2207
_FIRST_WINDOW: Final = 2208

# Arrangements and element sizes: each has a window of 32 numbers.
ARRANGEMENTS: Final = ("B8", "B16", "H4", "H8", "S2", "S4", "D1", "D2", "Q1")
ELEMENTS: Final = ("B", "H", "S", "D")
WINDOWS: Final = {name: _FIRST_WINDOW + 32 * i for i, name in enumerate((*ARRANGEMENTS, *ELEMENTS))}


def _build() -> tuple[dict[str, int], dict[int, str]]:
    names: dict[int, str] = {}
    for i in range(32):
        names[R0 + i] = f"R{i}"
        names[F0 + i] = f"F{i}"
        names[V0 + i] = f"V{i}"
        for window, first in WINDOWS.items():
            names[first + i] = f"V{i}.{window}"
    names[R18] = "R18_PLATFORM"
    names[G] = "g"
    names[ZR] = "ZR"
    names[RSP] = "RSP"
    elements = WINDOWS["B"]
    numbers = {name: i for i, name in names.items() if i < elements}
    numbers["LR"] = LR
    return numbers, names


_TABLES: Final = _build()
REGS: Final[dict[str, int]] = _TABLES[0]  # name -> number; elements need an index and are not here
NAMES: Final[dict[int, str]] = _TABLES[1]  # number -> name
VECTORS: Final = {name: reg for reg, name in NAMES.items() if reg >= V0}  # and with arrangements and elements
DWARF_RETURN: Final = 30


def dwarf_number(reg: int) -> int:
    """The number of a register in DWARF for the Arm 64-bit Architecture, 4.1; -1 when it has none.

    >>> dwarf_number(LR), dwarf_number(RSP), dwarf_number(F0)
    (30, 31, 64)
    """
    if R0 <= reg <= LR:
        return reg - R0
    if reg == RSP:
        return 31
    if F0 <= reg <= V31:
        return 64 + (reg & 31)
    return -1
