"""amd64 prologues for unwind information: registers are pushed, then SP goes down by what is left."""

from __future__ import annotations

from typing import Final

from backend.x86.regs import dwarf_number
from mochic.codegen.code import Frame
from mochic.codegen.unwind import CpuUnwind, Opening
from objwriter.unwind import ALLOC, PUSH, SET_FP, Step

_MAX_PC: Final = 255  # how far into the code a prologue of Windows may reach
_BP: Final = 6  # DWARF number


def _steps(frame: Frame, ends: list[int], windows: bool) -> list[Step]:
    steps = [Step(ends[i], PUSH, dwarf_number(reg), 8) for i, reg in enumerate(frame.saved)]
    left = frame.total - 8 - 8 * len(frame.saved)
    if left:
        steps.append(Step(ends[-1], ALLOC, 0, left))
    for step in steps if windows else ():
        step.pc = min(step.pc, _MAX_PC)
    return steps


UNWIND: Final = CpuUnwind(
    dwarf_number,
    (
        Opening("55 4889e5", ((1, PUSH, _BP, 8), (4, SET_FP, 0, 0)), True),  # PUSHQ BP; MOVQ SP, BP
        Opening("4883ec28", ((4, ALLOC, 0, 40),), False),  # SUBQ $40, SP
    ),
    _steps,
    0,
)
