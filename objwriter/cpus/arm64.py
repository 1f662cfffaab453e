"""Unwind information of arm64: registers (DWARF for the Arm 64-bit Architecture 4.1), compact unwind of macOS, codes of
Windows.

Windows: the codes stand for instructions one for one, so that the unwinder can tell how far a prologue or epilogue has
come; a frame whose prologue is exactly the canonical one needs no codes, its record is *packed*.
"""

from __future__ import annotations

from struct import pack
from typing import Final

from objwriter.model import ObjectError
from objwriter.frames import (
    ALLOC, PUSH, PUSH_PAIR, SAVE, SAVE_PAIR, SET_FP, Frame, Layout, Machine, Step, WindowsCodes, final_layout,
    windows_error,
)  # fmt: skip

ARM64_MODE_FRAMELESS: Final = 0x02000000
ARM64_MODE_DWARF: Final = 0x03000000
ARM64_MODE_FRAME: Final = 0x04000000
# Pairs in the order in which they lie below the frame pointer: first register, bit.
_ARM64_PAIRS: Final = (
    (19, 1), (21, 2), (23, 4), (25, 8), (27, 16), (72, 0x100), (74, 0x200), (76, 0x400), (78, 0x800),
)  # fmt: skip
_D0: Final = 64  # DWARF number of the first vector register


class Arm64(Machine):
    """See Machine."""

    __slots__ = ()

    def compact(self, frame: Frame, layout: Layout) -> int:
        return _compact(frame, layout)

    def dwarf_mode(self) -> int:
        return ARM64_MODE_DWARF

    def windows(self, name: str, frame: Frame, handler: bool) -> WindowsCodes:
        packed = None if handler else arm64_packed(frame)
        if packed is not None:
            return WindowsCodes(packed=pack("<I", packed))
        return WindowsCodes(xdata=_codes(name, frame, handler))


MACHINE: Final = Arm64("arm64", 31, 30, 29, 0, 4)


def _compact(frame: Frame, layout: Layout) -> int:
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


def _code(name: str, step: Step) -> bytes:
    """The code for one instruction of the prologue (and of the epilogue, where it undoes that)."""
    op, reg, value = step.op, step.reg, step.value
    z = value // 8
    if op == ALLOC and value % 16 == 0 and value:
        units = value // 16
        if units < 32:
            return bytes((units,))
        if units < 2048:
            return bytes((0xC0 | units >> 8, units & 255))
        if units < 1 << 24:
            return bytes((0xE0,)) + units.to_bytes(3, "big")
    elif op == SET_FP:
        if value == 0:
            return b"\xe1"
        if value % 8 == 0 and value <= 255 * 8:
            return bytes((0xE2, value // 8))
    elif op == PUSH_PAIR and value % 16 == 0 and value:
        if reg == 29 and z <= 64:
            return bytes((0x80 | z - 1,))
        if reg == 19 and z < 32:
            return bytes((0x20 | z,))
        if z <= 64:
            if 19 <= reg <= 28:
                return _two(0xCC00, reg - 19, 6, z - 1)
            if _D0 + 8 <= reg <= _D0 + 15:
                return _two(0xDA00, reg - _D0 - 8, 6, z - 1)
    elif op == SAVE_PAIR and z < 64:
        if reg == 29:
            return bytes((0x40 | z,))
        if 19 <= reg <= 28:
            return _two(0xC800, reg - 19, 6, z)
        if _D0 + 8 <= reg <= _D0 + 15:
            return _two(0xD800, reg - _D0 - 8, 6, z)
    elif op == PUSH and value % 16 == 0 and 0 < z <= 32:
        if 19 <= reg <= 30:
            return _two(0xD400, reg - 19, 5, z - 1)
        if _D0 + 8 <= reg <= _D0 + 15:
            return _two(0xDE00, reg - _D0 - 8, 5, z - 1)
    elif op == SAVE and z < 64:
        if 19 <= reg <= 30:
            return _two(0xD000, reg - 19, 6, z)
        if _D0 + 8 <= reg <= _D0 + 15:
            return _two(0xDC00, reg - _D0 - 8, 6, z)
    raise windows_error(name, step)


def _two(base: int, x: int, width: int, z: int) -> bytes:
    return (base | x << width | z).to_bytes(2, "big")


_NOP: Final = b"\xe3"
_END: Final = b"\xe4"


def _codes(name: str, frame: Frame, handler: bool) -> bytes:
    """The .xdata record up to the handler."""
    prologue: list[bytes] = []
    at = 0
    for step in frame.steps:
        gap = step.pc - at
        if step.pc % 4 or gap < 0:
            raise windows_error(name, step)
        prologue += [_NOP] * (gap // 4 - 1)
        prologue.append(_code(name, step))
        at = step.pc
    codes = b"".join(reversed(prologue)) + _END
    scopes = b""
    if frame.epilogues:
        # The same codes serve when no step is left out: they then start at 0.
        undo = b"".join([_code(name, s) for s in reversed(frame.steps) if s.op != SET_FP]) + _END
        start = 0
        if undo != codes:
            start = len(codes)
            codes += undo
        if start > 1023:
            raise ObjectError(f"the prologue of {name} has too many Windows unwind codes")
        for offset in frame.epilogues:
            if offset % 4 or not 0 <= offset < frame.length or offset >= 1 << 20:
                raise ObjectError(f"frame of {name}: epilogue at {offset:#x}")
            scopes += pack("<I", offset // 4 | start << 22)
    codes += bytes(-len(codes) % 4)
    words = len(codes) // 4
    count = len(frame.epilogues)
    if frame.length % 4 or frame.length >= 1 << 20:
        raise ObjectError(f"{name} has {frame.length} bytes: Windows unwind records of arm64 cover less than 1 MiB")
    head = frame.length // 4 | (1 << 20 if handler else 0)
    if count > 31 or words > 31:
        if count > 0xFFFF or words > 255:
            raise ObjectError(f"{name} has {count} epilogues and {words} words of Windows unwind codes")
        return pack("<II", head, count | words << 16) + scopes + codes
    return pack("<I", head | count << 22 | words << 27) + scopes + codes


def arm64_packed(frame: Frame) -> int | None:
    """The packed record of a frame whose prologue is the canonical one, None for any other.

    Canonical: registers from x19 up in pairs, the first with the allocation of the save area; then either `stp x29, lr,
    [sp, #-n]!; mov x29, sp` or the rest of the frame by `sub`.
    """
    size = final_layout(frame).depth
    if frame.variable or size % 16 or size > 511 * 16 or frame.length % 4 or frame.length > 2047 * 4:
        return None
    saved = sorted(reg for reg in final_layout(frame).saved if 19 <= reg <= 28)
    chained = any(s.op == SET_FP for s in frame.steps)
    lr = 30 in final_layout(frame).saved
    wanted = _canonical(len(saved), size, chained, lr)
    have = [(s.op, s.reg, s.value) for s in frame.steps]
    if have != wanted or [s.pc for s in frame.steps] != list(range(4, 4 * len(have) + 4, 4)):
        return None
    cr = 3 if chained else 1 if lr else 0
    return 1 | frame.length // 4 << 2 | len(saved) << 16 | cr << 21 | size // 16 << 23


def _canonical(count: int, size: int, chained: bool, lr: bool) -> list[tuple[int, int, int]]:
    """(op, register, value) of the canonical prologue with `count` integer registers, none of them vectors."""
    area = 8 * count + (8 if lr and not chained else 0)
    area += -area % 16
    out: list[tuple[int, int, int]] = []
    reg = 19
    at = 0
    while count:
        pair = count >= 2
        if out:
            out.append((SAVE_PAIR if pair else SAVE, reg, at))
        else:
            out.append((PUSH_PAIR if pair else PUSH, reg, area))
        step = 2 if pair else 1
        reg, at, count = reg + step, at + 8 * step, count - step
    if lr and not chained:
        if reg > 19 and at % 16:
            return []  # the last register and lr are one `stp`, which has no step of its own here
        out.append((SAVE, 30, at) if out else (PUSH, 30, area))
    rest = size - area
    if rest > 4080:
        return []  # needs more than one `sub`
    if chained:
        if 0 < rest <= 512:
            out.append((PUSH_PAIR, 29, rest))
        else:
            out += [(ALLOC, 0, rest), (SAVE_PAIR, 29, 0)]
        out.append((SET_FP, 0, 0))
    elif rest:
        out.append((ALLOC, 0, rest))
    return out
