"""Relocations of riscv64: RISC-V ELF psABI, "Relocations"; S, A, P, G as there.

A two-instruction kind takes two records.  The second names no symbol of the program but a label at its
AUIPC (`@`), where the linker finds the high part and with it the whole distance.  No R_RISCV_RELAX is
written, so the linker removes nothing and offsets inside a function are final.
"""

from __future__ import annotations

from typing import Final

NUMBERS: Final = {
    "R_RISCV_32": 1,  # S + A
    "R_RISCV_64": 2,
    "R_RISCV_JAL": 17,  # S + A - P
    "R_RISCV_CALL_PLT": 19,  # AUIPC and JALR
    "R_RISCV_GOT_HI20": 20,  # G + GOT + A - P
    "R_RISCV_TLS_GOT_HI20": 21,
    "R_RISCV_PCREL_HI20": 23,  # S + A - P
    "R_RISCV_PCREL_LO12_I": 24,  # the symbol is the label of the high part
    "R_RISCV_PCREL_LO12_S": 25,
    "R_RISCV_TPREL_HI20": 29,  # S + A relative to the thread pointer
    "R_RISCV_TPREL_LO12_I": 30,
    "R_RISCV_ADD64": 36,  # V + S + A
    "R_RISCV_SUB64": 40,  # V - S - A
    "R_RISCV_32_PCREL": 57,  # S + A - P
}

ROWS: Final = """
# kind/size                elf
R_ADDR/8                   0:R_RISCV_64
R_ADDR/4                   0:R_RISCV_32
R_PCREL/4                  0:R_RISCV_32_PCREL
R_PCREL32/4                0:R_RISCV_32_PCREL
R_PCREL/8                  0:R_RISCV_ADD64+0:@R_RISCV_SUB64
R_RISCV_JAL/4              0:R_RISCV_JAL
R_RISCV_CALL/8             0:R_RISCV_CALL_PLT
R_RISCV_PCREL_ITYPE/8      0:R_RISCV_PCREL_HI20+4:@R_RISCV_PCREL_LO12_I
R_RISCV_PCREL_STYPE/8      0:R_RISCV_PCREL_HI20+4:@R_RISCV_PCREL_LO12_S
R_RISCV_GOT_PCREL_ITYPE/8  0:R_RISCV_GOT_HI20+4:@R_RISCV_PCREL_LO12_I
R_RISCV_TLS_IE/8           0:R_RISCV_TLS_GOT_HI20+4:@R_RISCV_PCREL_LO12_I
R_RISCV_TLS_LE/8           0:R_RISCV_TPREL_HI20+4:R_RISCV_TPREL_LO12_I
"""
