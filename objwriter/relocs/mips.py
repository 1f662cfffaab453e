"""Relocations of the MIPS family: MIPS psABI (o32, REL) and the 64-bit ELF object file specification (n64, RELA).

The high half of an address is rounded, as the low half is signed.  In the REL style the linker needs the low half to
know the carry, so each HI16 record stands before a LO16 record of the same symbol and addend.
"""

from __future__ import annotations

from typing import Final

NUMBERS: Final = {
    "R_MIPS_32": 2,  # S + A
    "R_MIPS_26": 4,  # S + A, in the 256 MiB of the instruction behind
    "R_MIPS_HI16": 5,
    "R_MIPS_LO16": 6,
    "R_MIPS_64": 18,
    "R_MIPS_TLS_TPREL_LO16": 50,  # S + A relative to the thread pointer
    "R_MIPS_PC32": 248,  # S + A - P
}

ROWS: Final = """
# kind/size        elf
R_ADDR/8           0:R_MIPS_64
R_ADDR/4           0:R_MIPS_32
R_PCREL/4          0:R_MIPS_PC32
R_PCREL32/4        0:R_MIPS_PC32
R_ADDRMIPSU/4      0:R_MIPS_HI16
R_ADDRMIPS/4       0:R_MIPS_LO16
R_CALLMIPS/4       0:R_MIPS_26
R_JMPMIPS/4        0:R_MIPS_26
R_ADDRMIPSTLS/4    0:R_MIPS_TLS_TPREL_LO16
"""
FIELDS: Final = {
    "R_MIPS_26": "mips26",
    "R_MIPS_HI16": "high",
    "R_MIPS_LO16": "low",
    "R_MIPS_TLS_TPREL_LO16": "half",
}
