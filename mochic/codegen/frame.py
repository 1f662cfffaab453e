"""Frame layout.

From SP upward: arguments for callees, slots of traced values (one contiguous run: the frame maps number
them), other slots, allocas, saved registers, then the return address as the last word below the caller's SP: pushed by
the call, or stored there with the saved registers.  Slots are shared by groups whose intervals, taken from first to
last position, do not overlap.

SP is 16-aligned at calls (amd64 psABI 3.2.2, where the return address counts).  On machines with a link register it is
always so (AAPCS64 6.4.5.1, RISC-V psABI "Integer Calling Convention").
"""

from __future__ import annotations

from mochic.codegen.machine import Machine
from mochic.codegen.code import Allocation, Frame, Selection
from mochic.ir.types import TRACED


def _color(spans: list[tuple[int, int, int]], offsets: list[int], base: int, slot: int) -> int:
    """Give each (start, end, group) a word of `slot` bytes from `base` up; returns the bytes taken."""
    spans.sort()
    ends: list[tuple[int, int]] = []  # (end, word) in use
    free: list[int] = []
    words = 0
    for start, end, g in spans:
        if ends:
            keep = []
            for e in ends:
                if e[0] <= start:
                    free.append(e[1])
                else:
                    keep.append(e)
            ends = keep
        if free:
            free.sort(reverse=True)
            w = free.pop()
        else:
            w = words
            words += 1
        ends.append((end, w))
        offsets[g] = base + slot * w
    return slot * words


def lay_out(machine: Machine, sel: Selection, alloc: Allocation, calls: bool) -> Frame:
    """Place everything; `calls`: the function contains calls that need an aligned SP and come back."""
    f = Frame()
    iv = alloc.iv
    f.slots_offset = sel.outgoing
    f.offsets = [0] * len(alloc.groups)
    traced: list[tuple[int, int, int]] = []
    plain: list[tuple[int, int, int]] = []
    for g, members in enumerate(alloc.groups):
        start = 1 << 60
        end = 0
        is_traced = False
        for r in members:
            x = alloc.extended.get(r)
            if x is not None:
                start = min(start, (x & -x).bit_length() - 1)
                end = max(end, x.bit_length())
            else:
                start = min(start, iv.start[r])
                end = max(end, iv.start[r] + iv.bits[r].bit_length())
            if TRACED[sel.types[r]]:
                is_traced = True
        (traced if is_traced else plain).append((start, end, g))
    layout = machine.layout
    slot = layout.slot
    top = f.slots_offset
    top += _color(traced, f.offsets, top, slot)
    top += _color(plain, f.offsets, top, slot)
    if sel.alloca_size:
        top = layout.aligned(top)
        f.alloca = top
        top += sel.alloca_size
    f.saved = alloc.used
    link_bytes = machine.link_bytes
    f.linked = calls and not link_bytes
    top += slot * len(f.saved) + (layout.word if f.linked else link_bytes)
    if calls or sel.alloca_size or not link_bytes:
        top = layout.aligned(top)
    f.total = top
    return f
