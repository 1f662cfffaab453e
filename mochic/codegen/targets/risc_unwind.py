"""Prologues of machines with a link register (risc.py) for unwind information.

Registers are stored at the top of a frame made in one step.  Windows has codes only for small distances from SP, so
there the frame is described as made in two steps, the saves after the first.
"""

from __future__ import annotations

from collections.abc import Callable

from mochic.codegen.code import Frame
from objwriter.unwind import ALLOC, SAVE, Step


def prologue_steps(
    link: int, word: int, dwarf_number: Callable[[int], int]
) -> Callable[[Frame, list[int], bool], list[Step]]:
    """CpuUnwind.steps of a machine whose link register has the DWARF number `link`;
    `word`: bytes that a register takes in the frame."""

    def steps(frame: Frame, ends: list[int], windows: bool) -> list[Step]:
        top = frame.total
        if not top:
            return []
        end = ends[-1]
        saved = ([link] if frame.linked else []) + [dwarf_number(reg) for reg in frame.saved]
        area = word * len(saved) + 15 & -16 if windows and saved else top
        made = [Step(end, ALLOC, 0, area)]
        made += [Step(end, SAVE, reg, area - word - word * i) for i, reg in enumerate(saved)]
        if top > area:
            made.append(Step(end, ALLOC, 0, top - area))
        return made

    return steps
