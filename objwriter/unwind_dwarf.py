"""Call frame information: .eh_frame of ELF and __eh_frame of Mach-O (DWARF 5, 6.4; LSB Core 5.0, 10.6).

One section holds a CIE, what all functions have in common on entry, and an FDE for each function, which changes it step
by step: `advance_loc` to the end of an instruction, then what holds from there on.  Linkers know the section:
an FDE goes with its function.  Addresses are relative, of 4 bytes in ELF and 8 in Mach-O, as the system's compilers
write them.
"""

from __future__ import annotations

from typing import Final

from backend.obj.sym import A_STATIC, SNOTE, LSym, Reloc
from objwriter.bytewriter import ByteWriter
from objwriter.model import ObjectError
from objwriter.unwind import Frame, Layout, Machine, check_frame, machine_of

DW_CFA_ADVANCE_LOC1: Final = 2
DW_CFA_ADVANCE_LOC2: Final = 3
DW_CFA_ADVANCE_LOC4: Final = 4
DW_CFA_OFFSET_EXTENDED: Final = 5
DW_CFA_DEF_CFA: Final = 0xC
DW_CFA_DEF_CFA_OFFSET: Final = 0xE
DW_CFA_ADVANCE_LOC: Final = 0x40
DW_CFA_OFFSET: Final = 0x80
DW_EH_PE_SDATA4: Final = 0x0B
DW_EH_PE_PCREL: Final = 0x10
DATA_ALIGN: Final = -8


def eh_frame(functions: list[tuple[LSym, Frame]], macho: bool = False) -> LSym:
    """The section for functions of one architecture, as a symbol to add to the object's."""
    s = LSym("eh_frame", SNOTE, A_STATIC)
    s.section = ".eh_frame"
    s.align = 8
    if not functions:
        return s
    arch = functions[0][1].arch
    machine = machine_of(arch)
    w = ByteWriter()
    size = 8 if macho else 4
    encoding = DW_EH_PE_PCREL if macho else DW_EH_PE_PCREL | DW_EH_PE_SDATA4
    _cie(w, machine, encoding)
    for text, frame in functions:
        check_frame(frame, text.name)
        if frame.arch != arch:
            raise ObjectError(f"frame of {text.name} is of {frame.arch}, others of {arch}")
        start = len(w.data)
        w.u32(0)
        w.u32(len(w.data))  # back to the CIE, which is at 0
        s.relocs.append(Reloc(len(w.data), size, "R_PCREL" if macho else "R_PCREL32", text, 0))
        for value in (0, frame.length):
            if macho:
                w.u64(value)
            else:
                w.u32(value)
        w.uleb(0)
        _instructions(w, machine, frame)
        _finish(w, start)
    s.data = w.data
    s.size = len(w.data)
    return s


def _cie(w: ByteWriter, machine: Machine, encoding: int) -> None:
    w.u32(0)
    w.u32(0)
    w.u8(1)
    w.data += b"zR\0"
    w.uleb(machine.code_align)
    w.sleb(DATA_ALIGN)
    w.u8(machine.ra)
    w.uleb(1)
    w.u8(encoding)
    w.u8(DW_CFA_DEF_CFA)
    w.uleb(machine.sp)
    w.uleb(machine.entry)
    if machine.entry:  # the call has pushed the return address
        w.u8(DW_CFA_OFFSET | machine.ra)
        w.uleb(machine.entry // -DATA_ALIGN)
    _finish(w, 0)


def _finish(w: ByteWriter, start: int) -> None:
    """Pads an entry and puts its length in front."""
    w.data += bytes(-(len(w.data) - start) % 8)
    w.data[start : start + 4] = (len(w.data) - start - 4).to_bytes(4, "little")


def _instructions(w: ByteWriter, machine: Machine, frame: Frame) -> None:
    layout = Layout(machine)
    at = 0
    cfa = (machine.sp, machine.entry)
    saved: dict[int, int] = {}
    steps = frame.steps
    for i, step in enumerate(steps):
        layout.apply(step)
        if i + 1 < len(steps) and steps[i + 1].pc == step.pc:
            continue
        if layout.fp_to_cfa >= 0:
            now = (machine.fp, layout.fp_to_cfa)
        else:
            now = (machine.sp, layout.depth)
        if now == cfa and saved == layout.saved:
            continue
        _advance(w, (step.pc - at) // machine.code_align)
        at = step.pc
        if now[0] != cfa[0]:
            w.u8(DW_CFA_DEF_CFA)
            w.uleb(now[0])
            w.uleb(now[1])
        elif now != cfa:
            w.u8(DW_CFA_DEF_CFA_OFFSET)
            w.uleb(now[1])
        cfa = now
        for reg, distance in layout.saved.items():
            if saved.get(reg) != distance:
                if reg < 64:
                    w.u8(DW_CFA_OFFSET | reg)
                else:
                    w.u8(DW_CFA_OFFSET_EXTENDED)
                    w.uleb(reg)
                w.uleb(distance // -DATA_ALIGN)
        saved = dict(layout.saved)


def _advance(w: ByteWriter, delta: int) -> None:
    if delta == 0:
        return
    if delta < 64:
        w.u8(DW_CFA_ADVANCE_LOC | delta)
    elif delta < 256:
        w.u8(DW_CFA_ADVANCE_LOC1)
        w.u8(delta)
    elif delta < 65536:
        w.u8(DW_CFA_ADVANCE_LOC2)
        w.u16(delta)
    else:
        w.u8(DW_CFA_ADVANCE_LOC4)
        w.u32(delta)
