"""Frame maps: what the collector and stack traces know of each call (docs/runtime.md, "Stack, frame maps, roots").

One 24-byte record per call that may collect or fail, in the note symbol NAME.frames; the function's
name in NAME.info, which refers to the record of its file.  A call that was inlined has an info of its own for each
inlined function, linked to that of the caller.  All references are relative, so the section needs no relocation at load
time.

The record of a file has its path below the program's folder and enough of its content (size, CRC-32, Adler-32) for a
stack trace to know whether a file of that name is the one that was compiled: only then are its lines shown.
"""

from __future__ import annotations

from typing import Final

from backend.obj.sym import A_STATIC, SNOTE, SRODATA, LSym, Reloc
from mochic.codegen.context import Context
from mochic.codegen.code import Compiled
from mochic.ir.func import Func, FuncSym, InlineTable
from mochic.layout import FRAME, INFO
from mochic.source import SourceFile

SECTION: Final = "mochi_frames"
INLINE_SLOTS: Final = 63
RUNTIME: Final = b"runtime."  # stack traces leave out functions whose names begin so


def _file_record(ctx: Context, file: SourceFile) -> LSym:
    s = ctx.files.get(file)
    if s is None:
        from zlib import adler32, crc32

        s = ctx.files[file] = LSym(f"mochi.file{len(ctx.files)}", SRODATA, A_STATIC)
        layout = ctx.machine.layout
        path = file.recorded().encode("utf-8", "surrogateescape")
        size = len(file.data) & 0xFFFFFFFF
        s.data += layout.packed("IIII", len(path), size, crc32(file.data), adler32(file.data)) + path
        s.size = len(s.data)
        s.align = 4
    return s


def build(ctx: Context, fn: Func, text: LSym, code: Compiled) -> list[LSym]:
    """The records and what they refer to; needs the pcs of the assembled Progs."""
    name = text.name
    frame = code.frame
    lines = ctx.lines
    infos: dict[tuple[int, FuncSym], LSym] = {}
    out: list[LSym] = []
    table = ctx.inlined
    layout = ctx.machine.layout

    def info_of(outer: int, sym: FuncSym) -> LSym:
        """The info of `sym`: the function itself (outer -1), or inlined at `outer`."""
        s = infos.get((outer, sym))
        if s is None:
            s = LSym(f"{name}.info" if outer < 0 else f"{name}.info{len(infos)}", SRODATA, A_STATIC)
            infos[(outer, sym)] = s
            display = sym.display.encode()
            file = lines(sym.pos)[0]
            call_line = 0
            if file is not None and not display.startswith(RUNTIME):
                s.relocs.append(Reloc(INFO["FILE"], 4, "R_PCREL32", _file_record(ctx, file), 0))
            if outer >= 0:
                parent, line_pos = resolve(outer)
                call_line = lines(line_pos)[1]
                s.relocs.append(Reloc(INFO["PARENT"], 4, "R_PCREL32", parent, 0))
            s.data += layout.packed("IIIII", frame.slots_offset, len(display), 0, 0, call_line) + display
            s.size = len(s.data)
            s.align = 4
            out.append(s)
        return s

    def resolve(pos: int) -> tuple[LSym, int]:
        """(info of the innermost function, position in it)."""
        if pos < InlineTable.BASE:
            return info_of(-1, fn.sym), pos
        outer, sym, inner = table.entries[pos - InlineTable.BASE]
        return info_of(outer, sym), inner

    info_of(-1, fn.sym)
    notes = LSym(name + ".frames", SNOTE, A_STATIC)
    notes.section = SECTION
    notes.link = text
    notes.align = layout.slot
    out.insert(0, notes)
    chunks: list[bytes] = []
    relocs = notes.relocs
    maps: dict[int, LSym] = {}
    at = 0
    for p, bitmap, size in code.sites:
        info, pos = resolve(p.pos)
        _, line = lines(pos)
        relocs.append(Reloc(at + FRAME["RETURN"], 4, "R_PCREL32", text, p.pc + p.size))
        relocs.append(Reloc(at + FRAME["INFO"], 4, "R_PCREL32", info, 0))
        if bitmap >> INLINE_SLOTS:
            long = maps.get(bitmap)
            if long is None:
                long = maps[bitmap] = LSym(f"{name}.map{len(maps)}", SRODATA, A_STATIC)
                words = -(-bitmap.bit_length() // 64)
                long.data += layout.packed("II", words, 0) + layout.bits(bitmap, words)
                long.size = len(long.data)
                long.align = layout.slot
                out.append(long)
            relocs.append(Reloc(at + FRAME["BITMAP"], 4, "R_PCREL32", long, 0))
            bitmap = 1 << 63
        chunks.append(layout.packed("IIIIQ", 0, size, line, 0, bitmap))
        at += FRAME["END"]
    notes.data = bytearray(b"".join(chunks))
    notes.size = at
    return out
