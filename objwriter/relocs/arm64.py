"""Relocations of arm64: ELF for the Arm 64-bit Architecture (AAELF64) 5.7; S, A, P, G as there, Page(x) is x
without its low 12 bits.

A page+offset kind takes two records: the high 21 bits of a page distance in ADRP, and the low 12 bits of
the address in the instruction after it.  Those are scaled by the size of the access, so each size has a type
of its own, and the linker refuses a symbol that is not aligned to it.
"""

from __future__ import annotations

from typing import Final

NUMBERS: Final = {
    "R_AARCH64_ABS64": 257,  # S + A
    "R_AARCH64_ABS32": 258,
    "R_AARCH64_PREL64": 260,  # S + A - P
    "R_AARCH64_PREL32": 261,
    "R_AARCH64_ADR_PREL_PG_HI21": 275,  # Page(S + A) - Page(P)
    "R_AARCH64_ADD_ABS_LO12_NC": 277,  # S + A
    "R_AARCH64_LDST8_ABS_LO12_NC": 278,
    "R_AARCH64_JUMP26": 282,  # S + A - P; the linker may put a veneer between
    "R_AARCH64_CALL26": 283,
    "R_AARCH64_LDST16_ABS_LO12_NC": 284,
    "R_AARCH64_LDST32_ABS_LO12_NC": 285,
    "R_AARCH64_LDST64_ABS_LO12_NC": 286,
    "R_AARCH64_LDST128_ABS_LO12_NC": 299,
    "R_AARCH64_ADR_GOT_PAGE": 311,  # Page(G) - Page(P)
    "R_AARCH64_LD64_GOT_LO12_NC": 312,
    "R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21": 541,
    "R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC": 542,
    "R_AARCH64_TLSLE_MOVW_TPREL_G0": 547,  # S + A relative to the thread pointer
}

ROWS: Final = """
# kind/size              elf
R_ADDR/8                 0:R_AARCH64_ABS64
R_ADDR/4                 0:R_AARCH64_ABS32
R_PCREL/4                0:R_AARCH64_PREL32
R_PCREL32/4              0:R_AARCH64_PREL32
R_PCREL/8                0:R_AARCH64_PREL64
R_CALLARM64/4            0:R_AARCH64_CALL26
R_JUMPARM64/4            0:R_AARCH64_JUMP26
R_ADDRARM64/8            0:R_AARCH64_ADR_PREL_PG_HI21+4:R_AARCH64_ADD_ABS_LO12_NC
R_ARM64_PCREL_PAGE/4     0:R_AARCH64_ADR_PREL_PG_HI21
R_ARM64_PCREL_LDST8/8    0:R_AARCH64_ADR_PREL_PG_HI21+4:R_AARCH64_LDST8_ABS_LO12_NC
R_ARM64_PCREL_LDST16/8   0:R_AARCH64_ADR_PREL_PG_HI21+4:R_AARCH64_LDST16_ABS_LO12_NC
R_ARM64_PCREL_LDST32/8   0:R_AARCH64_ADR_PREL_PG_HI21+4:R_AARCH64_LDST32_ABS_LO12_NC
R_ARM64_PCREL_LDST64/8   0:R_AARCH64_ADR_PREL_PG_HI21+4:R_AARCH64_LDST64_ABS_LO12_NC
R_ARM64_PCREL_LDST128/8  0:R_AARCH64_ADR_PREL_PG_HI21+4:R_AARCH64_LDST128_ABS_LO12_NC
R_ARM64_GOTPCREL/8       0:R_AARCH64_ADR_GOT_PAGE+4:R_AARCH64_LD64_GOT_LO12_NC
R_ARM64_TLS_IE/8         0:R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21+4:R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC
R_ARM64_TLS_LE/4         0:R_AARCH64_TLSLE_MOVW_TPREL_G0
"""
