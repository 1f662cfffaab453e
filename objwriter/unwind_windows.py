"""Unwind information of Windows: .pdata and .xdata of amd64 ("x64 exception handling") and arm64 ("ARM64 exception
handling"), both in Microsoft's documentation.

.pdata has a record for each function, sorted by address by the linker; functions without one are leaves that
move no stack pointer.  The record points to codes in .xdata, or is *packed* and needs none.  What the codes are is the
CPU's business (objwriter.cpus).
"""

from __future__ import annotations

from backend.obj.sym import A_STATIC, SNOTE, LSym, Reloc
from objwriter.unwind import Frame, check_frame, machine_of


def windows_unwind(text: LSym, frame: Frame, handler: LSym | None = None) -> list[LSym]:
    """The notes of a function: its .pdata record and, unless that is packed, its .xdata.

    `handler` is called for exceptions that pass through the frame.
    """
    check_frame(frame, text.name)
    codes = machine_of(frame.arch).windows(text.name, frame, handler is not None)
    if codes.packed:
        return [_pdata(text, bytes(4) + codes.packed, [])]
    data = codes.xdata
    xdata = LSym(text.name + ".xdata", SNOTE, A_STATIC)
    xdata.section, xdata.link, xdata.align = ".xdata", text, 4
    if handler is not None:
        xdata.relocs = [Reloc(len(data), 4, "R_PEIMAGEOFF", handler, 0)]
        data += bytes(8)  # and a word of data for the handler, which readers expect
    xdata.data = bytearray(data)
    xdata.size = len(data)
    if not codes.with_end:
        return [xdata, _pdata(text, bytes(8), [Reloc(4, 4, "R_PEIMAGEOFF", xdata, 0)])]
    relocs = [Reloc(4, 4, "R_PEIMAGEOFF", text, frame.length), Reloc(8, 4, "R_PEIMAGEOFF", xdata, 0)]
    return [xdata, _pdata(text, bytes(12), relocs)]


def _pdata(text: LSym, record: bytes, relocs: list[Reloc]) -> LSym:
    s = LSym(text.name + ".pdata", SNOTE, A_STATIC)
    s.section, s.link, s.align = ".pdata", text, 4
    s.data = bytearray(record)
    s.size = len(record)
    s.relocs = [Reloc(0, 4, "R_PEIMAGEOFF", text, 0), *relocs]
    return s
