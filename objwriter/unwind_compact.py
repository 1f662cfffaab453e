"""Compact unwind of Mach-O: one 32-bit number per function (<mach-o/compact_unwind_encoding.h>).

The number names a shape of frame: with a frame pointer and up to five registers saved below it, or without one
and registers directly under the return address.  A frame of another shape has the number that sends the unwinder to its
FDE in __eh_frame.  The numbers describe the body of a function, not its prologue.
"""

from __future__ import annotations

from struct import pack
from typing import Final

from backend.obj.sym import A_STATIC, SNOTE, LSym, Reloc
from objwriter.model import ObjectError
from objwriter.unwind import Frame, Layout, check_frame, final_layout

X86_64_MODE_RBP_FRAME: Final = 0x01000000
X86_64_MODE_STACK_IMMD: Final = 0x02000000
X86_64_MODE_DWARF: Final = 0x04000000
ARM64_MODE_FRAMELESS: Final = 0x02000000
ARM64_MODE_DWARF: Final = 0x03000000
ARM64_MODE_FRAME: Final = 0x04000000
_RBP: Final = 6
# DWARF number -> the format's: RBX, R12 to R15, RBP
_X86_64_REGS: Final = {3: 1, 12: 2, 13: 3, 14: 4, 15: 5, 6: 6}
# Weights of the digits of a permutation, by the number of registers saved.
_WEIGHTS: Final = ((), (1,), (5, 1), (20, 4, 1), (60, 12, 3, 1), (120, 24, 6, 2, 1), (120, 24, 6, 2, 1, 0))
# Pairs in the order in which they lie below the frame pointer: first register, bit.
_ARM64_PAIRS: Final = (
    (19, 1), (21, 2), (23, 4), (25, 8), (27, 16), (72, 0x100), (74, 0x200), (76, 0x400), (78, 0x800),
)  # fmt: skip


def compact_encoding(frame: Frame) -> int:
    """The number for a frame; `needs_dwarf` tells whether it asks for an FDE."""
    layout = final_layout(frame)
    if frame.arch == "arm64":
        return _arm64(frame, layout)
    if frame.arch == "amd64":
        return _x86_64(frame, layout)
    raise ObjectError(f"no compact unwind for {frame.arch}")


def needs_dwarf(frame: Frame) -> bool:
    """Whether the frame has no compact form."""
    mode = ARM64_MODE_DWARF if frame.arch == "arm64" else X86_64_MODE_DWARF
    return compact_encoding(frame) & 0x0F000000 == mode


def _x86_64(frame: Frame, layout: Layout) -> int:
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


def _arm64(frame: Frame, layout: Layout) -> int:
    saved = dict(layout.saved)
    if layout.fp_to_cfa < 0:
        if saved or layout.depth % 16 or layout.depth > 4095 * 16 or frame.variable:
            return ARM64_MODE_DWARF
        return ARM64_MODE_FRAMELESS | layout.depth // 16 << 12
    if layout.fp_to_cfa != 16 or saved.pop(29, 0) != 16 or saved.pop(30, 0) != 8:
        return ARM64_MODE_DWARF
    number = ARM64_MODE_FRAME
    distance = 24  # of the next register from the CFA
    for reg, bit in _ARM64_PAIRS:
        if saved.get(reg) == distance and saved.get(reg + 1) == distance + 8:
            number |= bit
            distance += 16
            del saved[reg], saved[reg + 1]
    return ARM64_MODE_DWARF if saved else number


def compact_unwind(text: LSym, frame: Frame) -> LSym:
    """The entry of a function for __LD,__compact_unwind, as a note of the function.

    Where `needs_dwarf` says so the function must have an FDE too.
    """
    check_frame(frame, text.name)
    s = LSym(text.name + ".unwind", SNOTE, A_STATIC)
    s.section = ".compact_unwind"
    s.link = text
    s.align = 8
    s.data = bytearray(pack("<QIIQQ", 0, frame.length, compact_encoding(frame), 0, 0))
    s.size = len(s.data)
    s.relocs = [Reloc(0, 8, "R_ADDR", text, 0)]
    return s
