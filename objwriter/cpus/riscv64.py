"""Unwind information of riscv64: registers (RISC-V ELF psABI, "DWARF").  There is DWARF alone."""

from __future__ import annotations

from typing import Final

from objwriter.frames import Machine

MACHINE: Final = Machine("riscv64", 2, 1, 8, 0, 2)
