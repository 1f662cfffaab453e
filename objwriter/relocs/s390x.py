"""Relocations of s390x: ELF ABI s390x supplement, "Relocation"; S, A, P, L, G as there.

The relative fields of instructions count in halfwords (`DBL`) and stand two bytes into the instruction.
"""

from __future__ import annotations

from typing import Final

NUMBERS: Final = {
    "R_390_32": 4,  # S + A
    "R_390_PC32": 5,  # S + A - P
    "R_390_PC16DBL": 17,  # (S + A - P) / 2
    "R_390_PC32DBL": 19,
    "R_390_PLT32DBL": 20,  # (L + A - P) / 2
    "R_390_64": 22,
    "R_390_PC64": 23,
    "R_390_GOTENT": 26,  # (G + A - P) / 2
    "R_390_TLS_IEENT": 49,
    "R_390_TLS_LE32": 50,  # S + A relative to the thread pointer
    "R_390_TLS_LE64": 51,
}

ROWS: Final = """
# kind/size    elf
R_ADDR/8       0:R_390_64
R_ADDR/4       0:R_390_32
R_PCREL/4      0:R_390_PC32
R_PCREL32/4    0:R_390_PC32
R_PCREL/8      0:R_390_PC64
R_PCRELDBL/4   0:R_390_PC32DBL
R_PCRELDBL/2   0:R_390_PC16DBL
R_CALL/4       0:R_390_PLT32DBL
R_GOTPCREL/4   0:R_390_GOTENT
R_TLS_LE/8     0:R_390_TLS_LE64
R_TLS_LE/4     0:R_390_TLS_LE32
R_TLS_IE/4     0:R_390_TLS_IEENT
"""
