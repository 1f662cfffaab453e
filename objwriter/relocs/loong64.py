"""Relocations of loong64: ELF for the LoongArch Architecture, "Relocations"; S, A, P, G as there.

An address takes two instructions, each with a kind of its own.  No R_LARCH_RELAX is written, so the linker removes
nothing.
"""

from __future__ import annotations

from typing import Final

NUMBERS: Final = {
    "R_LARCH_32": 1,  # S + A
    "R_LARCH_64": 2,
    "R_LARCH_B26": 66,  # S + A - P
    "R_LARCH_PCALA_HI20": 71,  # Page(S + A) - Page(P)
    "R_LARCH_PCALA_LO12": 72,
    "R_LARCH_PCALA64_LO20": 73,
    "R_LARCH_PCALA64_HI12": 74,
    "R_LARCH_GOT_PC_HI20": 75,
    "R_LARCH_GOT_PC_LO12": 76,
    "R_LARCH_TLS_LE_HI20": 83,  # S + A relative to the thread pointer
    "R_LARCH_TLS_LE_LO12": 84,
    "R_LARCH_TLS_IE_PC_HI20": 87,
    "R_LARCH_TLS_IE_PC_LO12": 88,
    "R_LARCH_32_PCREL": 99,  # S + A - P
    "R_LARCH_PCREL20_S2": 103,
    "R_LARCH_64_PCREL": 109,
    "R_LARCH_CALL36": 110,  # PCADDU18I and JIRL
}

ROWS: Final = """
# kind/size                  elf
R_ADDR/8                     0:R_LARCH_64
R_ADDR/4                     0:R_LARCH_32
R_PCREL/4                    0:R_LARCH_32_PCREL
R_PCREL32/4                  0:R_LARCH_32_PCREL
R_PCREL/8                    0:R_LARCH_64_PCREL
R_CALLLOONG64/4              0:R_LARCH_B26
R_LOONG64_CALL36/8           0:R_LARCH_CALL36
R_LOONG64_ADDR_HI/4          0:R_LARCH_PCALA_HI20
R_LOONG64_ADDR_LO/4          0:R_LARCH_PCALA_LO12
R_LOONG64_ADDR64_LO/4        0:R_LARCH_PCALA64_LO20
R_LOONG64_ADDR64_HI/4        0:R_LARCH_PCALA64_HI12
R_LOONG64_ADDR_PCREL20_S2/4  0:R_LARCH_PCREL20_S2
R_LOONG64_GOT_HI/4           0:R_LARCH_GOT_PC_HI20
R_LOONG64_GOT_LO/4           0:R_LARCH_GOT_PC_LO12
R_LOONG64_TLS_LE_HI/4        0:R_LARCH_TLS_LE_HI20
R_LOONG64_TLS_LE_LO/4        0:R_LARCH_TLS_LE_LO12
R_LOONG64_TLS_IE_HI/4        0:R_LARCH_TLS_IE_PC_HI20
R_LOONG64_TLS_IE_LO/4        0:R_LARCH_TLS_IE_PC_LO12
"""
