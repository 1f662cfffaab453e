"""Unwind information of functions: what debuggers and the system's exception handling know of frames.

Each format has its own (objwriter/unwind*.py): .pdata and .xdata on Windows, compact unwind and __eh_frame on macOS.
The frame is described as it is at calls, which is where frames below stand: by the registers that the prologue saved
and the bytes from SP to the caller's.  Machines with a link register store registers at the top of a frame made in
one step; Windows has codes only for small distances from SP, so there it is described as made in two steps, the saves
after the first.  Functions in assembly are known by the first bytes of their code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from backend.obj.sym import STEXT, LSym
from objwriter.unwind import ALLOC, PUSH, PUSH_PAIR, SAVE, SET_FP, Frame, Step
from objwriter.unwind_compact import compact_unwind, needs_dwarf
from objwriter.unwind_dwarf import eh_frame
from objwriter.unwind_windows import windows_unwind

if TYPE_CHECKING:
    from mochic.targets import Target

Number = Callable[[int], int]
_LR: Final = 30
_MAX_LENGTH: Final = 1 << 20  # of functions that records of arm64 can describe; larger ones have none
_MAX_PC: Final = 255  # how far into the code a prologue of Windows may reach

# The beginnings of functions in assembly: bytes -> (end, op, DWARF register, bytes) of each step; whether SP moves
# later.
_FRAMED: Final = {
    "amd64": (
        (b"\x55\x48\x89\xe5", ((1, PUSH, 6, 8), (4, SET_FP, 0, 0)), True),  # PUSHQ BP; MOVQ SP, BP
        (b"\x48\x83\xec\x28", ((4, ALLOC, 0, 40),), False),  # SUBQ $40, SP
    ),
    "arm64": (
        # STP.W (R29, R30), -16(RSP); MOVD RSP, R29, signed or not
        (bytes.fromhex("fd7bbfa9fd030091"), ((4, PUSH_PAIR, 29, 16), (8, SET_FP, 0, 0)), True),
        (bytes.fromhex("3f2303d5fd7bbfa9fd030091"), ((8, PUSH_PAIR, 29, 16), (12, SET_FP, 0, 0)), True),
        (bytes.fromhex("fe0f1ff8"), ((4, PUSH, 30, 16),), False),  # MOVD.W R30, -16(RSP)
    ),
}


def unwind_symbols(symbols: list[LSym], target: Target) -> list[LSym]:
    """The notes to add to an object of the target, whose functions are among `symbols`."""
    number = _numbers(target.arch)
    out: list[LSym] = []
    dwarf: list[tuple[LSym, Frame]] = []
    windows = target.format == "coff"
    for s in symbols:
        if s.kind != STEXT:
            continue
        frame = _frame_of(s, target.arch, number, windows)
        if windows:
            # A function without record is one that changes no register of its caller.
            if frame.steps and (target.arch == "amd64" or frame.length < _MAX_LENGTH):
                out += windows_unwind(s, frame)
        else:
            out.append(compact_unwind(s, frame))
            if needs_dwarf(frame):
                dwarf.append((s, frame))
    if dwarf:
        out.append(eh_frame(dwarf, macho=True))
    return out


def _numbers(arch: str) -> Number:
    if arch == "amd64":
        from backend.x86.regs import dwarf_number as amd64

        return amd64
    from backend.arm64.regs import dwarf_number as arm64

    return arm64


def _frame_of(s: LSym, arch: str, number: Number, windows: bool) -> Frame:
    length = len(s.data)
    if s.info is None:
        for start, steps, variable in _FRAMED[arch]:
            if s.data.startswith(start):
                return Frame(arch, length, [Step(*step) for step in steps], variable)
        return Frame(arch, length, [])
    f, prologue = s.info
    ends = [p.pc + p.size for p in prologue]
    if arch == "amd64":
        steps_made = [Step(ends[i], PUSH, number(reg), 8) for i, reg in enumerate(f.saved)]
        left = f.total - 8 - 8 * len(f.saved)
        if left:
            steps_made.append(Step(ends[-1], ALLOC, 0, left))
        for step in steps_made if windows else ():
            step.pc = min(step.pc, _MAX_PC)
        return Frame(arch, length, steps_made)
    if not f.total:
        return Frame(arch, length, [])
    end = ends[-1]
    saved = ([_LR] if f.linked else []) + [number(reg) for reg in f.saved]
    top = f.total
    area = 8 * len(saved) + 15 & -16
    if windows and saved:
        made = [Step(end, ALLOC, 0, area)]
        made += [Step(end, SAVE, reg, area - 8 - 8 * i) for i, reg in enumerate(saved)]
        if top > area:
            made.append(Step(end, ALLOC, 0, top - area))
    else:
        made = [Step(end, ALLOC, 0, top)]
        made += [Step(end, SAVE, reg, top - 8 - 8 * i) for i, reg in enumerate(saved)]
    return Frame(arch, length, made)
