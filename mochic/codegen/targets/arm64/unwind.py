"""arm64 prologues for unwind information."""

from __future__ import annotations

from typing import Final

from backend.arm64.regs import dwarf_number
from mochic.codegen.targets.risc_unwind import prologue_steps
from mochic.codegen.unwind import CpuUnwind, Opening
from objwriter.unwind import PUSH, PUSH_PAIR, SET_FP

_FP: Final = 29
_LR: Final = 30

UNWIND: Final = CpuUnwind(
    dwarf_number,
    (
        # STP.W (R29, R30), -16(RSP); MOVD RSP, R29, signed or not
        Opening("fd7bbfa9 fd030091", ((4, PUSH_PAIR, _FP, 16), (8, SET_FP, 0, 0)), True),
        Opening("3f2303d5 fd7bbfa9 fd030091", ((8, PUSH_PAIR, _FP, 16), (12, SET_FP, 0, 0)), True),
        Opening("fe0f1ff8", ((4, PUSH, _LR, 16),), False),  # MOVD.W R30, -16(RSP)
    ),
    prologue_steps(_LR, 8, dwarf_number),
    1 << 20,
)
