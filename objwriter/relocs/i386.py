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

# How Mach-O and COFF number their types, and where an addend goes (formats.py).
TYPES: Final = """
# format  type     number  pcrel  rule
coff      DIR32    6       0      field
coff      DIR32NB  7       0      field
coff      SECTION  10      0      field
coff      SECREL   11      0      field
coff      REL32    20      1      end
"""

ROWS: Final = """
# kind/size     elf                               coff
R_ADDR/4        0:R_386_32                        0:DIR32
R_PCREL/4       0:R_386_PC32                      0:REL32
R_PCREL32/4     0:R_386_PC32                      0:REL32
R_CALL/4        0:R_386_PLT32                     0:REL32
R_GOTPCREL/4    0:$R_386_GOTPC+0:R_386_GOT32      -
R_TLS_LE/4      0:R_386_TLS_LE                    -
R_TLS_IE/4      0:$R_386_GOTPC+0:R_386_TLS_GOTIE  -
R_SIZE/4        0:R_386_SIZE32                    -
R_PEIMAGEOFF/4  -                                 0:DIR32NB
R_SECREL/4      -                                 0:SECREL
R_SECTION/2     -                                 0:SECTION
"""
