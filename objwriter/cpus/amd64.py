"""Unwind information of amd64: registers (System V psABI, figure 3.36), compact unwind of macOS, codes of Windows.

Windows: .pdata points to codes in .xdata, one per step of the prologue, last step first; the unwinder recognises
epilogues by their instructions.  The frame pointer that Go-style prologues set (PUSHQ BP; MOVQ SP, BP; SUBQ $n, SP) is
not mentioned unless the frame has a variable size: unwinding from the stack pointer needs no SET_FPREG, and saves below
the frame pointer could not be expressed with it.
"""

from __future__ import annotations

from struct import pack
from typing import Final

from objwriter.model import ObjectError
from objwriter.frames import (
    ALLOC,
    PUSH,
    SAVE,
    SET_FP,
    Frame,
    Layout,
    Machine,
    WindowsCodes,
    final_layout,
    windows_error,
)

X86_64_MODE_RBP_FRAME: Final = 0x01000000
X86_64_MODE_STACK_IMMD: Final = 0x02000000
X86_64_MODE_DWARF: Final = 0x04000000
_RBP: Final = 6
# DWARF number -> the format's: RBX, R12 to R15, RBP
_X86_64_REGS: Final = {3: 1, 12: 2, 13: 3, 14: 4, 15: 5, 6: 6}
# Weights of the digits of a permutation, by the number of registers saved.
_WEIGHTS: Final = ((), (1,), (5, 1), (20, 4, 1), (60, 12, 3, 1), (120, 24, 6, 2, 1), (120, 24, 6, 2, 1, 0))
UWOP_PUSH_NONVOL: Final = 0
UWOP_ALLOC_LARGE: Final = 1
UWOP_ALLOC_SMALL: Final = 2
UWOP_SET_FPREG: Final = 3
UWOP_SAVE_NONVOL: Final = 4
UWOP_SAVE_NONVOL_FAR: Final = 5
UWOP_SAVE_XMM128: Final = 8
UWOP_SAVE_XMM128_FAR: Final = 9
UNW_FLAG_EHANDLER: Final = 1
_XMM0: Final = 17  # DWARF number of the first vector register of amd64
# DWARF number -> number in instructions: RAX RDX RCX RBX RSI RDI RBP RSP, then R8 to R15.
_X86_NUMBER: Final = (0, 2, 1, 3, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15)


class Amd64(Machine):
    """See Machine."""

    __slots__ = ()

    def compact(self, frame: Frame, layout: Layout) -> int:
        return _compact(frame, layout)

    def dwarf_mode(self) -> int:
        return X86_64_MODE_DWARF

    def windows(self, name: str, frame: Frame, handler: bool) -> WindowsCodes:
        return WindowsCodes(xdata=_codes(name, frame, handler), with_end=True)


MACHINE: Final = Amd64("amd64", 7, 16, 6, 8, 1)


def _compact(frame: Frame, layout: Layout) -> int:
    saved = layout.saved
    if any(reg not in _X86_64_REGS for reg in saved):
        return X86_64_MODE_DWARF
    if layout.fp_to_cfa == 16 and saved.get(_RBP) == 16:
        below = {distance - 16: reg for reg, distance in saved.items() if reg != _RBP}
        if not below:
            return X86_64_MODE_RBP_FRAME
        lowest = max(below)
        slots = [lowest - 8 * i for i in range(5) if lowest - 8 * i > 0]
        if lowest > 255 * 8 or any(distance not in slots for distance in below):
            return X86_64_MODE_DWARF
        number = X86_64_MODE_RBP_FRAME | lowest // 8 << 16
        for i, slot in enumerate(slots):
            if slot in below:
                number |= _X86_64_REGS[below[slot]] << 3 * i
        return number
    count = len(saved)
    order = sorted(saved, key=lambda reg: -saved[reg])  # from the lowest address up
    if (
        frame.variable
        or layout.depth > 255 * 8
        or count > 6
        or [saved[reg] for reg in order] != [8 * (count + 1 - i) for i in range(count)]
    ):
        return X86_64_MODE_DWARF
    permutation = 0
    used: list[int] = []
    for reg, weight in zip(order, _WEIGHTS[count], strict=True):
        number = _X86_64_REGS[reg]
        permutation += weight * (number - 1 - sum(1 for u in used if u < number))
        used.append(number)
    return X86_64_MODE_STACK_IMMD | layout.depth // 8 << 16 | count << 10 | permutation


def _codes(name: str, frame: Frame, handler: bool) -> bytes:
    """UNWIND_INFO up to the handler."""
    final = final_layout(frame)
    layout = Layout(MACHINE)
    groups: list[bytes] = []
    fp = 0
    for step in frame.steps:
        op, pc, value, reg = step.op, step.pc, step.value, step.reg
        if pc > 255:
            raise ObjectError(f"the prologue of {name} has {pc} bytes: the Windows unwind codes reach 255")
        layout.apply(step)
        group = b""
        if op == ALLOC and value:
            if value <= 128:
                group = bytes((pc, UWOP_ALLOC_SMALL | (value // 8 - 1) << 4))
            elif value < 8 * 65536:
                group = pack("<BBH", pc, UWOP_ALLOC_LARGE, value // 8)
            elif value < 1 << 32:
                group = pack("<BBI", pc, UWOP_ALLOC_LARGE | 1 << 4, value)
            else:
                raise windows_error(name, step)
        elif op == PUSH:
            if value != 8 or reg >= 16:
                raise windows_error(name, step)
            group = bytes((pc, UWOP_PUSH_NONVOL | _X86_NUMBER[reg] << 4))
        elif op == SET_FP:
            if not frame.variable:
                continue
            offset = value
            if offset % 16 or offset > 240:
                raise windows_error(name, step)
            fp = _X86_NUMBER[MACHINE.fp] | offset // 16 << 4
            group = bytes((pc, UWOP_SET_FPREG))
        elif op == SAVE:
            at = final.depth - layout.depth + value  # from the body's stack pointer
            if reg < 16:
                number, scale, near = _X86_NUMBER[reg], 8, UWOP_SAVE_NONVOL
            elif _XMM0 <= reg < _XMM0 + 16:
                number, scale, near = reg - _XMM0, 16, UWOP_SAVE_XMM128
            else:
                raise windows_error(name, step)
            if at % scale or at >= 1 << 32:
                raise windows_error(name, step)
            if at < scale * 65536:
                group = pack("<BBH", pc, near | number << 4, at // scale)
            else:
                group = pack("<BBI", pc, near + 1 | number << 4, at)
        elif op != ALLOC:
            raise windows_error(name, step)
        groups.append(group)
    codes = b"".join(reversed(groups))
    count = len(codes) // 2
    if count > 255:
        raise ObjectError(f"the prologue of {name} needs {count} Windows unwind codes of at most 255")
    flags = UNW_FLAG_EHANDLER if handler else 0
    return bytes((1 | flags << 3, frame.prologue, count, fp)) + codes + bytes(2 * (count % 2))
