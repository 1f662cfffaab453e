"""Unwind information of functions: what debuggers and the system's exception handling know of frames.

Each format has its own (objwriter/unwind*.py): .pdata and .xdata on Windows, compact unwind and __eh_frame on macOS.
The frame is described as it is at calls, which is where frames below stand: by the registers that the prologue saved
and the bytes from SP to the caller's.  targets/<cpu>/unwind.py says what a CPU's prologue does.  Functions in assembly
are known by the first bytes of their code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from backend.obj.sym import STEXT, LSym
from mochic.codegen import code
from objwriter.unwind import Frame, Step
from objwriter.unwind_compact import compact_unwind, needs_dwarf
from objwriter.unwind_dwarf import eh_frame
from objwriter.unwind_windows import windows_unwind

if TYPE_CHECKING:
    from mochic.targets import Target


class Opening:
    """How a function in assembly begins: the bytes of its code, what they do; `variable`: SP moves later."""

    __slots__ = ("code", "steps", "variable")

    def __init__(self, code: str, steps: tuple[tuple[int, int, int, int], ...], variable: bool) -> None:
        self.code = bytes.fromhex(code)
        self.steps = [Step(*step) for step in steps]
        self.variable = variable


class CpuUnwind:
    """What unwind information needs to know of a CPU.

    dwarf_number  machine register -> DWARF register
    openings      of functions in assembly
    steps         (frame, end of each instruction of the prologue in bytes, for Windows?) -> what the prologue does
    longest       functions of this many bytes and more cannot be described for Windows; 0: all can
    """

    __slots__ = ("dwarf_number", "openings", "steps", "longest")

    def __init__(
        self,
        dwarf_number: Callable[[int], int],
        openings: tuple[Opening, ...],
        steps: Callable[[code.Frame, list[int], bool], list[Step]],
        longest: int,
    ) -> None:
        self.dwarf_number = dwarf_number
        self.openings = openings
        self.steps = steps
        self.longest = longest


def unwind_symbols(symbols: list[LSym], target: Target, cpu: CpuUnwind) -> list[LSym]:
    """The notes to add to an object of the target, whose functions are among `symbols`."""
    out: list[LSym] = []
    dwarf: list[tuple[LSym, Frame]] = []
    windows = target.format == "coff"
    for s in symbols:
        if s.kind != STEXT:
            continue
        frame = frame_of(s, target.arch, cpu, windows)
        if windows:
            # A function without a record changes no register of its caller.
            if frame.steps and not 0 < cpu.longest <= frame.length:
                out += windows_unwind(s, frame)
        else:
            out.append(compact_unwind(s, frame))
            if needs_dwarf(frame):
                dwarf.append((s, frame))
    if dwarf:
        out.append(eh_frame(dwarf, macho=True))
    return out


def frame_of(s: LSym, arch: str, cpu: CpuUnwind, windows: bool) -> Frame:
    """The frame of a function, as the unwind formats describe it."""
    length = len(s.data)
    made = s.owner
    if not isinstance(made, code.Compiled):
        for opening in cpu.openings:
            if s.data.startswith(opening.code):
                return Frame(arch, length, list(opening.steps), opening.variable)
        return Frame(arch, length, [])
    return Frame(arch, length, cpu.steps(made.frame, [p.pc + p.size for p in made.prologue], windows))
