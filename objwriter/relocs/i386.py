"""Relocations of 386: System V psABI, Intel386 supplement; S, A, P, G as there.  REL: addends are in the fields.

No type is "the distance to a GOT entry": the machine has no such addressing.  Two records at one field add up to it,
GOT + A - P and the offset in the GOT, as GNU ld applies them one after the other.  lld applies the last alone.
"""

from __future__ import annotations

from typing import Final

NUMBERS: Final = {
    "R_386_32": 1,  # S + A
    "R_386_PC32": 2,  # S + A - P
    "R_386_GOT32": 3,  # G + A
    "R_386_PLT32": 4,  # L + A - P
    "R_386_GOTPC": 10,  # GOT + A - P
    "R_386_TLS_GOTIE": 16,  # offset in the GOT of the distance from the thread pointer
    "R_386_TLS_LE": 17,  # S + A relative to the thread pointer
    "R_386_SIZE32": 38,  # Z + A
}

ROWS: Final = """
# kind/size   elf
R_ADDR/4      0:R_386_32
R_PCREL/4     0:R_386_PC32
R_PCREL32/4   0:R_386_PC32
R_CALL/4      0:R_386_PLT32
R_GOTPCREL/4  0:$R_386_GOTPC+0:R_386_GOT32
R_TLS_LE/4    0:R_386_TLS_LE
R_TLS_IE/4    0:$R_386_GOTPC+0:R_386_TLS_GOTIE
R_SIZE/4      0:R_386_SIZE32
"""
