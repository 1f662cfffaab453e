"""Relocations of arm: ELF for the Arm Architecture (AAELF32) 5.6; S, A, P as there.  REL: addends are in the fields.

BL without a condition is a call, which the linker may turn into BLX; every other branch must stay what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from objwriter.model import Relocation, Section
from objwriter.relocs.records import Chooser, Records

NUMBERS: Final = {
    "R_ARM_ABS32": 2,  # S + A
    "R_ARM_REL32": 3,  # S + A - P
    "R_ARM_CALL": 28,  # S + A - P; BL and BLX
    "R_ARM_JUMP24": 29,  # B, BL with a condition
    "R_ARM_GOT_PREL": 96,  # GOT(S) + A - P
    "R_ARM_TLS_IE32": 107,  # GOT(S) + A - P
    "R_ARM_TLS_LE32": 108,  # S + A relative to the thread pointer
}

ROWS: Final = """
# kind/size   elf
R_ADDR/4      0:R_ARM_ABS32
R_PCREL/4     0:R_ARM_REL32
R_PCREL32/4   0:R_ARM_REL32
R_CALLARM/4   0:R_ARM_JUMP24
R_GOTPCREL/4  0:R_ARM_GOT_PREL
R_TLS_LE/4    0:R_ARM_TLS_LE32
R_TLS_IE/4    0:R_ARM_TLS_IE32
"""
FIELDS: Final = {"R_ARM_CALL": "arm24", "R_ARM_JUMP24": "arm24"}
_CALL: Final = ((0, NUMBERS["R_ARM_CALL"], 0),)
_JUMP: Final = ((0, NUMBERS["R_ARM_JUMP24"], 0),)


def _choose_branch(section: Section, starts: Iterable[int]) -> Callable[[Relocation], Records]:
    data = section.data
    return lambda r: _CALL if data[r.off + 3] in (0xEB, 0xFA, 0xFB) else _JUMP  # BL, BLX to either half


CHOOSE: Final[dict[tuple[str, int], Chooser]] = {("R_CALLARM", 4): _choose_branch}
