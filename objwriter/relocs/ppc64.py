"""Relocations of ppc64 and ppc64le: Power ABI for Linux, ELF V2 3.5.2; S, A, P, G as there, TOC the base in R2.

An address takes two instructions, the high half rounded (`HA`), as the low half is signed.  A 16-bit field is the
low half of its instruction, and the record says where that half is.  DS fields lack the two lowest bits.
"""

from __future__ import annotations

from typing import Final

NUMBERS: Final = {
    "R_PPC64_ADDR32": 1,  # S + A
    "R_PPC64_ADDR16_LO": 4,
    "R_PPC64_ADDR16_HA": 6,
    "R_PPC64_REL24": 10,  # S + A - P; the linker may put a stub between
    "R_PPC64_GOT16_HA": 17,  # G - TOC
    "R_PPC64_REL32": 26,  # S + A - P
    "R_PPC64_ADDR64": 38,
    "R_PPC64_REL64": 44,
    "R_PPC64_TOC16_LO": 48,  # S + A - TOC
    "R_PPC64_TOC16_HA": 50,
    "R_PPC64_ADDR16_LO_DS": 57,
    "R_PPC64_GOT16_LO_DS": 59,
    "R_PPC64_TOC16_LO_DS": 64,
    "R_PPC64_TLS": 67,  # marks ADD of the thread pointer
    "R_PPC64_TPREL16_LO": 70,  # S + A relative to the thread pointer
    "R_PPC64_TPREL16_HA": 72,
    "R_PPC64_GOT_TPREL16_LO_DS": 88,
    "R_PPC64_GOT_TPREL16_HA": 90,
    "R_PPC64_REL24_NOTOC": 116,
    "R_PPC64_D34": 128,  # S + A, in a prefixed instruction
    "R_PPC64_PCREL34": 132,
    "R_PPC64_GOT_PCREL34": 133,
    "R_PPC64_TPREL34": 146,
    "R_PPC64_GOT_TPREL_PCREL34": 150,
    "R_PPC64_REL16_LO": 250,  # S + A - P
    "R_PPC64_REL16_HA": 252,
}

ROWS: Final = """
# kind/size                   elf
R_ADDR/8                      0:R_PPC64_ADDR64
R_ADDR/4                      0:R_PPC64_ADDR32
R_PCREL/4                     0:R_PPC64_REL32
R_PCREL32/4                   0:R_PPC64_REL32
R_PCREL/8                     0:R_PPC64_REL64
R_CALLPOWER/4                 0:R_PPC64_REL24
R_CALLPOWER_NOTOC/4           0:R_PPC64_REL24_NOTOC
R_ADDRPOWER/8                 0:R_PPC64_ADDR16_HA+4:R_PPC64_ADDR16_LO
R_ADDRPOWER_DS/8              0:R_PPC64_ADDR16_HA+4:R_PPC64_ADDR16_LO_DS
R_ADDRPOWER_TOCREL/8          0:R_PPC64_TOC16_HA+4:R_PPC64_TOC16_LO
R_ADDRPOWER_TOCREL_DS/8       0:R_PPC64_TOC16_HA+4:R_PPC64_TOC16_LO_DS
R_ADDRPOWER_GOT/8             0:R_PPC64_GOT16_HA+4:R_PPC64_GOT16_LO_DS
R_ADDRPOWER_PCREL/8           0:R_PPC64_REL16_HA+4:R_PPC64_REL16_LO
R_ADDRPOWER_D34/8             0:R_PPC64_D34
R_ADDRPOWER_PCREL34/8         0:R_PPC64_PCREL34
R_ADDRPOWER_GOT_PCREL34/8     0:R_PPC64_GOT_PCREL34
R_POWER_TLS_LE/8              0:R_PPC64_TPREL16_HA+4:R_PPC64_TPREL16_LO
R_POWER_TLS_IE/8              0:R_PPC64_GOT_TPREL16_HA+4:R_PPC64_GOT_TPREL16_LO_DS
R_POWER_TLS/4                 0:R_PPC64_TLS
R_POWER_TLS_LE_TPREL34/8      0:R_PPC64_TPREL34
R_POWER_TLS_IE_PCREL34/8      0:R_PPC64_GOT_TPREL_PCREL34
"""
RELATIVE: Final = ("R_PPC64_REL16_HA", "R_PPC64_REL16_LO")
HALVES: Final = tuple(name for name in NUMBERS if "16_" in name)
