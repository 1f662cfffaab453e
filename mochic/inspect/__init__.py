"""`mochi inspect FILE...`: what is in objects, programs, archives: headers, sections, symbols, relocations, code.

One module reads each format into an `Image` (image.py), text.py writes it, disasm.py its code.  A reader raises
`Damage` for a file that cannot be what it says; any other exception is a mistake of ours and must not be
called the user's.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Final, TextIO

from mochic.console import EXIT_OK, EXIT_USAGE, say
from mochic.inspect import archive
from mochic.inspect.coff import is_coff, read_coff
from mochic.inspect.elf import read_elf
from mochic.inspect.frames import frame_facts
from mochic.inspect.image import Damage, Image
from mochic.inspect.macho import read_macho
from mochic.inspect.pe import read_pe
from mochic.inspect.text import Wanted as Wanted
from mochic.inspect.text import write_image
from mochic.inspect.wasm import read_wasm

_READERS: Final[tuple[tuple[bytes, Callable[[bytes, Image], None]], ...]] = (
    (b"\x7fELF", read_elf),
    (b"MZ", read_pe),
    (b"\xcf\xfa\xed\xfe", read_macho),
    (b"\xce\xfa\xed\xfe", read_macho),
    (b"\xfe\xed\xfa\xcf", read_macho),
    (b"\xfe\xed\xfa\xce", read_macho),
    (b"\0asm", read_wasm),
)
_DEPTH: Final = 4  # archives in universal files in archives


def inspect_files(paths: list[str], wanted: Wanted, stdout: TextIO | None = None) -> int:
    """Shows the files, `-` is standard input; 0, or 2 when one is unreadable, damaged or without what was asked for."""
    out = stdout if stdout is not None else sys.stdout
    status = EXIT_OK
    for i, path in enumerate(paths):
        try:
            data = _read(path)
        except OSError as e:
            say(f"mochi inspect: cannot read {path}: {e.strerror}")
            status = EXIT_USAGE
            continue
        name = "standard input" if path == "-" else path
        if len(paths) > 1:
            out.write(f"{chr(10) * bool(i)}{name}:\n")
        wanted.hits = set()
        try:
            if not _show(name, data, wanted, out, 0):
                say(f"mochi inspect: {name} is not an object file, archive or executable")
                status = EXIT_USAGE
                continue
        except Damage as e:
            out.flush()
            say(f"mochi inspect: {name} is {e}")
            status = EXIT_USAGE
            continue
        for what in ("section", "symbol"):
            if getattr(wanted, what) and what not in wanted.hits:
                say(f"mochi inspect: {name} has no {what} {getattr(wanted, what)}")
                status = EXIT_USAGE
    return status


def _read(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    with open(path, "rb") as fh:
        return fh.read()


def _show(name: str, data: bytes, wanted: Wanted, out: TextIO, depth: int) -> bool:
    """Shows a file or a part of one; whether it is of a kind that this command knows."""
    if depth > _DEPTH:
        raise Damage("damaged: archives within archives without end")
    if data.startswith((archive.MAGIC, archive.THIN)):
        _show_archive(name, data, wanted, out, depth)
        return True
    if archive.is_universal(data):
        parts = list(archive.slices(data))
        if not wanted.sizes:
            out.write(f"universal file, {len(parts)} slices: {' '.join(cpu for cpu, _ in parts)}\n")
        for cpu, part in parts:
            out.write(f"\n{name}({cpu}):\n")
            if not _show(f"{name}({cpu})", part, wanted, out, depth + 1):
                raise Damage(f"damaged: the slice for {cpu} is no object")
        return True
    reader = next((reader for magic, reader in _READERS if data.startswith(magic)), None)
    if reader is None and is_coff(data):
        reader = read_coff
    if reader is None:
        return False
    image = Image(data)
    try:
        reader(data, image)
        image.facts += frame_facts(image)
    except Damage:
        if image.title:
            write_image(image, wanted, out, code=False)  # what came before the damage
        raise
    write_image(image, wanted, out, code=wanted.code)
    return True


def _show_archive(name: str, data: bytes, wanted: Wanted, out: TextIO, depth: int) -> None:
    whole = not (wanted.sizes or wanted.section or wanted.symbol)
    file = archive.Archive(data)
    damage: Damage | None = None
    try:
        file.read()
    except Damage as e:
        damage = e  # told when the members in front of it have been shown
    members = file.seen
    if whole:
        kind = f"{file.kind} " if file.kind else ""
        out.write(f"{kind}{'thin ' if file.thin else ''}archive\nsize {len(data)} bytes\n")
        out.write("\nmembers\n" + "".join([f"  {m.size:>9} bytes  {m.name}\n" for m in members]))
        if file.index:
            names = {m.at: m.name for m in members}
            out.write("\nindex\n" + "".join([f"  {s}  [{names.get(at, '?')}]\n" for s, at in file.index]))
    for m in members:
        if m.data is None:
            continue
        title = f"\n{name}({m.name}):\n"
        part = None if whole else io.StringIO()  # a member without what was asked for is not mentioned
        if part is None:
            out.write(title)
        try:
            if not _show(f"{name}({m.name})", m.data, wanted, out if part is None else part, depth + 1) and whole:
                out.write("not an object\n")
        except Damage as e:
            raise Damage(f"damaged: member {m.name} is {e}") from None
        finally:
            if part is not None and part.getvalue():
                out.write(title + part.getvalue())
    if damage is not None:
        raise damage
