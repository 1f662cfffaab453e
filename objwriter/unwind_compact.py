"""Compact unwind of Mach-O: one 32-bit number per function (<mach-o/compact_unwind_encoding.h>).

The number names a shape of frame: with a frame pointer and up to five registers saved below it, or without one
and registers directly under the return address.  A frame of another shape has the number that sends the unwinder to its
FDE in __eh_frame.  The numbers describe the body of a function, not its prologue.
"""

from __future__ import annotations

from struct import pack
from backend.obj.sym import A_STATIC, SNOTE, LSym, Reloc
from objwriter.unwind import Frame, check_frame, final_layout, machine_of


def compact_encoding(frame: Frame) -> int:
    """The number for a frame; `needs_dwarf` tells whether it asks for an FDE."""
    return machine_of(frame.arch).compact(frame, final_layout(frame))


def needs_dwarf(frame: Frame) -> bool:
    """Whether the frame has no compact form."""
    return compact_encoding(frame) == machine_of(frame.arch).dwarf_mode()


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
