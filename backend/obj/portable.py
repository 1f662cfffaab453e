"""The opcodes that every architecture has, as numbers 0, 1, 2, ...  Those of an architecture are in its ops.py."""

from __future__ import annotations

from typing import Final

PORTABLE: Final = (
    "XXX", "CALL", "DUFFCOPY", "DUFFZERO", "END", "FUNCDATA", "JMP", "NOP", "PCALIGN", "PCALIGNMAX", "PCDATA", "RET",
    "GETCALLERPC", "TEXT", "UNDEF",
)  # fmt: skip
AXXX: Final = 0
ACALL: Final = 1
AEND: Final = 4
AFUNCDATA: Final = 5
AJMP: Final = 6
ANOP: Final = 7
APCALIGN: Final = 8
APCALIGNMAX: Final = 9
APCDATA: Final = 10
ARET: Final = 11
AGETCALLERPC: Final = 12
ATEXT: Final = 13
AUNDEF: Final = 14
