"""Frame maps: what the collector and stack traces know of each call (docs/runtime.md, "Stack, frame maps, roots").

One 24-byte record per call that may collect or fail, in the note symbol NAME.frames; the function's
name and file in NAME.info.  All references are relative, so the section needs no relocation at load time.
"""

from __future__ import annotations

from struct import pack
from typing import Final

from backend.obj.sym import A_STATIC, SNOTE, SRODATA, LSym, Reloc
from mochic.codegen.context import Context
from mochic.codegen.emit import Compiled
from mochic.ir.func import Func

SECTION: Final = "mochi_frames"
INLINE_SLOTS: Final = 63


def build(ctx: Context, fn: Func, text: LSym, code: Compiled) -> list[LSym]:
    """The records and what they refer to; needs the pcs of the assembled Progs."""
    name = text.name
    frame = code.frame
    lines = ctx.lines
    file, _ = lines(fn.pos)
    info = LSym(name + ".info", SRODATA, A_STATIC)
    display = fn.sym.display.encode()
    path = file.encode()
    info.data += pack("<III", frame.slots_offset, len(display), len(path)) + display + path
    info.size = len(info.data)
    info.align = 4
    notes = LSym(name + ".frames", SNOTE, A_STATIC)
    notes.section = SECTION
    notes.link = text
    notes.align = 8
    out = [notes, info]
    chunks: list[bytes] = []
    relocs = notes.relocs
    maps: dict[int, LSym] = {}
    at = 0
    for p, bitmap, size in code.sites:
        _, line = lines(p.pos)
        relocs.append(Reloc(at, 4, "R_PCREL32", text, p.pc + p.size))
        relocs.append(Reloc(at + 12, 4, "R_PCREL32", info, 0))
        if bitmap >> INLINE_SLOTS:
            long = maps.get(bitmap)
            if long is None:
                long = maps[bitmap] = LSym(f"{name}.map{len(maps)}", SRODATA, A_STATIC)
                words = -(-bitmap.bit_length() // 64)
                long.data += pack("<II", words, 0) + bitmap.to_bytes(8 * words, "little")
                long.size = len(long.data)
                long.align = 8
                out.append(long)
            relocs.append(Reloc(at + 16, 4, "R_PCREL32", long, 0))
            bitmap = 1 << 63
        chunks.append(pack("<IIIIQ", 0, size, line, 0, bitmap))
        at += 24
    notes.data = bytearray(b"".join(chunks))
    notes.size = at
    return out
