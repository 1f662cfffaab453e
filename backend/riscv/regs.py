"""RISC-V registers: numbers, names, classes, DWARF numbers.

A register number carries its hardware number in the low five bits.  Names are Go's: X0..X31 and the
ABI names (psABI, "Register Convention"), except that X4 is written TP only and X27 `g` only.
"""

from __future__ import annotations

from typing import Final

WINDOW: Final = 1  # of opcodes and registers (backend.obj.prog)
X0: Final = 1056
RA: Final = 1057  # X1, the link register
SP: Final = 1058  # X2
GP: Final = 1059  # X3
TP: Final = 1060  # X4, the thread pointer
T0: Final = 1061
T1: Final = 1062
T2: Final = 1063
S0: Final = 1064
S1: Final = 1065
A0: Final = 1066
A1: Final = 1067
A2: Final = 1068
A3: Final = 1069
A4: Final = 1070
A5: Final = 1071
A6: Final = 1072
A7: Final = 1073
S2: Final = 1074
S3: Final = 1075
S4: Final = 1076
S5: Final = 1077
S6: Final = 1078
S7: Final = 1079
S8: Final = 1080
S9: Final = 1081
S10: Final = 1082
S11: Final = 1083  # X27, Go's g
T3: Final = 1084
T4: Final = 1085
T5: Final = 1086
TMP: Final = 1087  # X31: expansions of the assembler overwrite it
F0: Final = 1088
F31: Final = 1119
V0: Final = 1120
V31: Final = 1151

_ABI: Final = (
    "ZERO RA SP GP TP T0 T1 T2 S0 S1 A0 A1 A2 A3 A4 A5 A6 A7 S2 S3 S4 S5 S6 S7 S8 S9 S10 S11 T3 T4 T5 T6"
).split()
_FLOAT_ABI: Final = (
    "FT0 FT1 FT2 FT3 FT4 FT5 FT6 FT7 FS0 FS1 FA0 FA1 FA2 FA3 FA4 FA5 FA6 FA7 FS2 FS3 FS4 FS5 FS6 FS7 FS8 FS9 FS10 FS11 "
    "FT8 FT9 FT10 FT11"
).split()
_RESERVED: Final = {"X4", "X27", "S11"}


def _build() -> tuple[dict[str, int], dict[int, str]]:
    numbers: dict[str, int] = {}
    names: dict[int, str] = {}
    for i in range(32):
        for base, spellings in (
            (X0, (f"X{i}", _ABI[i])),
            (F0, (f"F{i}", _FLOAT_ABI[i])),
            (V0, (f"V{i}",)),
        ):
            names[base + i] = spellings[0]
            for name in spellings:
                if name not in _RESERVED:
                    numbers[name] = base + i
    numbers["g"] = S11
    numbers["CTXT"] = S10
    names[TP], names[S11] = "TP", "g"
    return numbers, names


_TABLES: Final = _build()
REGS: Final[dict[str, int]] = _TABLES[0]  # name -> number
NAMES: Final[dict[int, str]] = _TABLES[1]  # number -> name
DWARF_RETURN: Final = 1


def dwarf_number(reg: int) -> int:
    """The psABI's DWARF number of a register ("DWARF Register Numbers"), -1 when it has none.

    >>> dwarf_number(SP), dwarf_number(F0)
    (2, 32)
    """
    if X0 <= reg <= F31:
        return reg - X0
    if V0 <= reg <= V31:
        return 96 + reg - V0
    return -1
