"""Unwind information of Windows: .pdata and .xdata of amd64 ("x64 exception handling") and arm64 ("ARM64 exception
handling"), both in Microsoft's documentation.

.pdata has a record for each function, sorted by address by the linker; functions without one are leaves that
move no stack pointer.  amd64: the record points to codes in .xdata, one per step of the prologue, last step first; the
unwinder recognises epilogues by their instructions.  arm64: the codes stand for instructions one for one, so
that the unwinder can tell how far a prologue or epilogue has come; a frame whose prologue is exactly the canonical one
needs no codes, its record is *packed*.

The frame pointer that Go-style amd64 prologues set (PUSHQ BP; MOVQ SP, BP; SUBQ $n, SP) is not mentioned unless the
frame has a variable size: unwinding from the stack pointer needs no SET_FPREG, and saves below the frame pointer could
not be expressed with it.
"""

from __future__ import annotations

from struct import pack
from typing import Final

from backend.obj.sym import A_STATIC, SNOTE, LSym, Reloc
from objwriter.model import ObjectError
from objwriter.unwind import (
    ALLOC,
    OPS,
    PUSH,
    PUSH_PAIR,
    SAVE,
    SAVE_PAIR,
    SET_FP,
    Frame,
    Layout,
    Step,
    check_frame,
    final_layout,
)
from objwriter.unwind import MACHINES as _MACHINES

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
_D0: Final = 64  # and of arm64
# DWARF number -> number in instructions: RAX RDX RCX RBX RSI RDI RBP RSP, then R8 to R15.
_X86_NUMBER: Final = (0, 2, 1, 3, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15)


def windows_unwind(text: LSym, frame: Frame, handler: LSym | None = None) -> list[LSym]:
    """The notes of a function: its .pdata record and, unless that is packed, its .xdata.

    `handler` is called for exceptions that pass through the frame.
    """
    check_frame(frame, text.name)
    if frame.arch == "amd64":
        data, record = _x64_codes(text.name, frame, handler is not None), b""
    elif frame.arch == "arm64":
        packed = None if handler is not None else arm64_packed(frame)
        if packed is not None:
            return [_pdata(text, pack("<II", 0, packed), [])]
        data, record = _arm64_codes(text.name, frame, handler is not None), bytes(8)
    else:
        raise ObjectError(f"no Windows unwind information for {frame.arch}")
    xdata = LSym(text.name + ".xdata", SNOTE, A_STATIC)
    xdata.section, xdata.link, xdata.align = ".xdata", text, 4
    if handler is not None:
        xdata.relocs = [Reloc(len(data), 4, "R_PEIMAGEOFF", handler, 0)]
        data += bytes(8)  # and a word of data for the handler, which readers expect
    xdata.data = bytearray(data)
    xdata.size = len(data)
    if record:
        return [xdata, _pdata(text, record, [Reloc(4, 4, "R_PEIMAGEOFF", xdata, 0)])]
    relocs = [Reloc(4, 4, "R_PEIMAGEOFF", text, frame.length), Reloc(8, 4, "R_PEIMAGEOFF", xdata, 0)]
    return [xdata, _pdata(text, bytes(12), relocs)]


def _pdata(text: LSym, record: bytes, relocs: list[Reloc]) -> LSym:
    s = LSym(text.name + ".pdata", SNOTE, A_STATIC)
    s.section, s.link, s.align = ".pdata", text, 4
    s.data = bytearray(record)
    s.size = len(record)
    s.relocs = [Reloc(0, 4, "R_PEIMAGEOFF", text, 0), *relocs]
    return s


def _wrong(name: str, step: Step) -> ObjectError:
    return ObjectError(
        f"cannot express {OPS[step.op]} of register {step.reg}, {step.value} bytes, in the Windows unwind codes "
        f"({name}+{step.pc:#x})"
    )


def _x64_codes(name: str, frame: Frame, handler: bool) -> bytes:
    """UNWIND_INFO up to the handler."""
    final = final_layout(frame)
    layout = Layout(_MACHINES["amd64"])
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
                raise _wrong(name, step)
        elif op == PUSH:
            if value != 8 or reg >= 16:
                raise _wrong(name, step)
            group = bytes((pc, UWOP_PUSH_NONVOL | _X86_NUMBER[reg] << 4))
        elif op == SET_FP:
            if not frame.variable:
                continue
            offset = value
            if offset % 16 or offset > 240:
                raise _wrong(name, step)
            fp = _X86_NUMBER[_MACHINES["amd64"].fp] | offset // 16 << 4
            group = bytes((pc, UWOP_SET_FPREG))
        elif op == SAVE:
            at = final.depth - layout.depth + value  # from the body's stack pointer
            if reg < 16:
                number, scale, near = _X86_NUMBER[reg], 8, UWOP_SAVE_NONVOL
            elif _XMM0 <= reg < _XMM0 + 16:
                number, scale, near = reg - _XMM0, 16, UWOP_SAVE_XMM128
            else:
                raise _wrong(name, step)
            if at % scale or at >= 1 << 32:
                raise _wrong(name, step)
            if at < scale * 65536:
                group = pack("<BBH", pc, near | number << 4, at // scale)
            else:
                group = pack("<BBI", pc, near + 1 | number << 4, at)
        elif op != ALLOC:
            raise _wrong(name, step)
        groups.append(group)
    codes = b"".join(reversed(groups))
    count = len(codes) // 2
    if count > 255:
        raise ObjectError(f"the prologue of {name} needs {count} Windows unwind codes of at most 255")
    flags = UNW_FLAG_EHANDLER if handler else 0
    return bytes((1 | flags << 3, frame.prologue, count, fp)) + codes + bytes(2 * (count % 2))


def _arm64_code(name: str, step: Step) -> bytes:
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
    raise _wrong(name, step)


def _two(base: int, x: int, width: int, z: int) -> bytes:
    return (base | x << width | z).to_bytes(2, "big")


_NOP: Final = b"\xe3"
_END: Final = b"\xe4"


def _arm64_codes(name: str, frame: Frame, handler: bool) -> bytes:
    """The .xdata record up to the handler."""
    prologue: list[bytes] = []
    at = 0
    for step in frame.steps:
        gap = step.pc - at
        if step.pc % 4 or gap < 0:
            raise _wrong(name, step)
        prologue += [_NOP] * (gap // 4 - 1)
        prologue.append(_arm64_code(name, step))
        at = step.pc
    codes = b"".join(reversed(prologue)) + _END
    scopes = b""
    if frame.epilogues:
        # The same codes serve when no step is left out: they then start at 0.
        undo = b"".join([_arm64_code(name, s) for s in reversed(frame.steps) if s.op != SET_FP]) + _END
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
