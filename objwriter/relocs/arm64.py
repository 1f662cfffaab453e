"""Relocations of arm64: ELF for the Arm 64-bit Architecture (AAELF64) 5.7; S, A, P, G as there, Page(x) is x
without its low 12 bits.

Names of ELF's types are those of AAELF64 without R_AARCH64_.  A page+offset kind takes two records: the high 21 bits of a page distance in ADRP, and the low 12 bits of
the address in the instruction after it.  Those are scaled by the size of the access, so each size has a type
of its own, and the linker refuses a symbol that is not aligned to it.
"""

from __future__ import annotations

from typing import Final

NUMBERS: Final = {
    "ABS64": 257,  # S + A
    "ABS32": 258,
    "PREL64": 260,  # S + A - P
    "PREL32": 261,
    "ADR_PREL_PG_HI21": 275,  # Page(S + A) - Page(P)
    "ADD_ABS_LO12_NC": 277,  # S + A
    "LDST8_ABS_LO12_NC": 278,
    "JUMP26": 282,  # S + A - P; the linker may put a veneer between
    "CALL26": 283,
    "LDST16_ABS_LO12_NC": 284,
    "LDST32_ABS_LO12_NC": 285,
    "LDST64_ABS_LO12_NC": 286,
    "LDST128_ABS_LO12_NC": 299,
    "ADR_GOT_PAGE": 311,  # Page(G) - Page(P)
    "LD64_GOT_LO12_NC": 312,
    "TLSIE_ADR_GOTTPREL_PAGE21": 541,
    "TLSIE_LD64_GOTTPREL_LO12_NC": 542,
    "TLSLE_MOVW_TPREL_G0": 547,  # S + A relative to the thread pointer
}

# How Mach-O and COFF number their types, and where an addend goes (formats.py).
TYPES: Final = """
# format  type                 number  pcrel  rule
macho     UNSIGNED             0       0      field
macho     SUBTRACTOR           1       0      diff
macho     BRANCH26             2       1      label
macho     PAGE21               3       1      pair
macho     PAGEOFF12            4       0      pair
macho     GOT_LOAD_PAGE21      5       1      none
macho     GOT_LOAD_PAGEOFF12   6       0      none
macho     POINTER_TO_GOT       7       1      none
macho     TLVP_LOAD_PAGE21     8       1      none
macho     TLVP_LOAD_PAGEOFF12  9       0      none
macho     ADDEND               10      0      none
coff      ADDR32               1       0      field
coff      ADDR32NB             2       0      field
coff      BRANCH26             3       1      none
coff      PAGEBASE_REL21       4       1      adr
coff      REL21                5       1      adr
coff      PAGEOFFSET_12A       6       0      add12
coff      PAGEOFFSET_12L       7       0      ldst12
coff      SECREL               8       0      field
coff      SECTION              13      0      field
coff      ADDR64               14      0      field
coff      BRANCH19             15      1      none
coff      BRANCH14             16      1      none
coff      REL32                17      1      end
"""

ROWS: Final = """
# kind/size              elf                                                        macho                                     coff
R_ADDR/8                 0:ABS64                                                    0:UNSIGNED                                0:ADDR64
R_ADDR/4                 0:ABS32                                                    0:UNSIGNED                                0:ADDR32
R_PCREL/4                0:PREL32                                                   0:SUBTRACTOR                              0:REL32
R_PCREL32/4              0:PREL32                                                   0:SUBTRACTOR                              0:REL32
R_PCREL/8                0:PREL64                                                   0:SUBTRACTOR                              -
R_CALLARM64/4            0:CALL26                                                   0:BRANCH26                                0:BRANCH26
R_JUMPARM64/4            0:JUMP26                                                   0:BRANCH26                                0:BRANCH26
R_ADDRARM64/8            0:ADR_PREL_PG_HI21+4:ADD_ABS_LO12_NC                       4:PAGEOFF12+0:PAGE21                      0:PAGEBASE_REL21+4:PAGEOFFSET_12A
R_ARM64_PCREL_PAGE/4     0:ADR_PREL_PG_HI21                                         0:PAGE21                                  0:PAGEBASE_REL21
R_ARM64_PCREL_LDST8/8    0:ADR_PREL_PG_HI21+4:LDST8_ABS_LO12_NC                     4:PAGEOFF12+0:PAGE21                      0:PAGEBASE_REL21+4:PAGEOFFSET_12L
R_ARM64_PCREL_LDST16/8   0:ADR_PREL_PG_HI21+4:LDST16_ABS_LO12_NC                    4:PAGEOFF12+0:PAGE21                      0:PAGEBASE_REL21+4:PAGEOFFSET_12L
R_ARM64_PCREL_LDST32/8   0:ADR_PREL_PG_HI21+4:LDST32_ABS_LO12_NC                    4:PAGEOFF12+0:PAGE21                      0:PAGEBASE_REL21+4:PAGEOFFSET_12L
R_ARM64_PCREL_LDST64/8   0:ADR_PREL_PG_HI21+4:LDST64_ABS_LO12_NC                    4:PAGEOFF12+0:PAGE21                      0:PAGEBASE_REL21+4:PAGEOFFSET_12L
R_ARM64_PCREL_LDST128/8  0:ADR_PREL_PG_HI21+4:LDST128_ABS_LO12_NC                   4:PAGEOFF12+0:PAGE21                      0:PAGEBASE_REL21+4:PAGEOFFSET_12L
R_ARM64_GOTPCREL/8       0:ADR_GOT_PAGE+4:LD64_GOT_LO12_NC                          4:GOT_LOAD_PAGEOFF12+0:GOT_LOAD_PAGE21    -
R_ARM64_TLS_IE/8         0:TLSIE_ADR_GOTTPREL_PAGE21+4:TLSIE_LD64_GOTTPREL_LO12_NC  -                                         -
R_ARM64_TLS_LE/4         0:TLSLE_MOVW_TPREL_G0                                      -                                         -
R_GOTPCREL/4             -                                                          0:POINTER_TO_GOT                          -
R_ARM64_TLVP/8           -                                                          4:TLVP_LOAD_PAGEOFF12+0:TLVP_LOAD_PAGE21  -
R_PEIMAGEOFF/4           -                                                          -                                         0:ADDR32NB
R_SECREL/4               -                                                          -                                         0:SECREL
R_SECTION/2              -                                                          -                                         0:SECTION
"""
