"""Writes an image for people and grep: one fact a line, columns that stay where they are."""

from __future__ import annotations

from itertools import pairwise
from typing import TextIO

from mochic.inspect.disasm import Names, disassemble, disassembler, is_label
from mochic.inspect.image import Image, Section, Symbol


class Wanted:
    """What to show: everything, or what belongs to a section, to a symbol; or the sizes of symbols."""

    __slots__ = ("section", "symbol", "sizes", "code", "hits")

    def __init__(self, section: str = "", symbol: str = "", sizes: bool = False, code: bool = True) -> None:
        self.section = section
        self.symbol = symbol
        self.sizes = sizes
        self.code = code
        self.hits: set[str] = set()  # which of the names were found

    def has_section(self, name: str) -> bool:
        if self.section and self.section not in (name, name.partition(",")[2]):
            return False
        self.hits.add("section")
        return True

    def has_symbol(self, image: Image, s: Symbol) -> bool:
        if self.symbol and s.name not in (self.symbol, image.prefix + self.symbol):
            return False
        self.hits.add("symbol")
        return True


def extents(image: Image) -> dict[Symbol, int]:
    """The sizes of the symbols of sections; where the format has none, up to the next symbol or the section's end."""
    out: dict[Symbol, int] = {}
    values: dict[int, list[int]] = {}
    rows = []
    for _, symbols in image.symbols:
        for s in symbols:
            if s.section > 0 and is_label(s):
                owner = image.sections[s.section - 1]
                if owner.address <= s.value <= owner.address + owner.size:
                    rows.append(s)
    for s in rows:
        values.setdefault(s.section, []).append(s.value)
    follows: dict[tuple[int, int], int] = {}
    for number, found in values.items():
        owner = image.sections[number - 1]
        ordered = sorted({*found, owner.address + owner.size})
        follows.update({(number, a): b - a for a, b in pairwise(ordered)})
    for s in rows:
        out[s] = s.size or max(0, follows.get((s.section, s.value), 0))
    return out


def write_image(image: Image, wanted: Wanted, out: TextIO, code: bool) -> None:
    if wanted.sizes:
        _write_sizes(image, wanted, out)
        return
    whole = not wanted.section and not wanted.symbol
    write = out.write
    if whole:
        write(f"{image.title}\n")
        for key, value in [*image.facts, ("size", f"{len(image.data)} bytes")]:
            write(f"{key} {value}\n")
        for title, lines in (
            ("segments", image.segments),
            ("libraries", image.libraries),
            ("imports", [f"{name}  [{library}]" for library, name in image.imports]),
            ("exports", [f"{address:#010x} {name}" for address, name in image.exports]),
        ):
            if lines:
                write(f"\n{title}\n" + "".join([f"  {line}\n" for line in lines]))
    sections = [s for s in image.sections if wanted.has_section(s.name)]
    if not wanted.symbol and sections:
        write("\nsections\n" if whole else "sections\n")
        for s in sections:
            write(
                f"  {s.number:>4} {s.name:<27} {s.kind:<13} {s.flags:<5}{s.size:>9} bytes  align {s.align}"
                + (f"  address {s.address:#x}" if s.address else "")
                + "\n"
            )
    _write_symbols(image, wanted, out)
    ranges = _ranges(image, wanted, sections)
    _write_relocations(image, wanted, ranges, out)
    if code:
        _write_code(image, ranges, out)


def _write_symbols(image: Image, wanted: Wanted, out: TextIO) -> None:
    for table, symbols in image.symbols:
        rows = [s for s in symbols if wanted.has_symbol(image, s)] if wanted.symbol else symbols
        if wanted.section:
            rows = [s for s in rows if s.section > 0 and wanted.has_section(s.place)]
        if not rows and (wanted.symbol or wanted.section):
            continue
        out.write(f"\nsymbols ({table})\n")
        for s in rows:
            out.write(f"  {s.value:#010x} {s.size:>7} {s.kind:<7} {s.binding:<6} {s.name}  [{s.place}]\n")


def _ranges(image: Image, wanted: Wanted, sections: list[Section]) -> list[tuple[Section, int, int]]:
    """The parts of sections that were asked for, as addresses."""
    if not wanted.symbol:
        return [(s, s.address, s.address + s.size) for s in sections]
    chosen = {s.number for s in sections}
    found: set[tuple[int, int, int]] = set()
    for symbol, size in extents(image).items():
        if symbol.section in chosen and wanted.has_symbol(image, symbol):
            found.add((symbol.section, symbol.value, symbol.value + size))
    return [(image.sections[number - 1], start, end) for number, start, end in sorted(found)]


def _write_relocations(image: Image, wanted: Wanted, ranges: list[tuple[Section, int, int]], out: TextIO) -> None:
    lines = []
    for s, start, end in ranges:
        part = wanted.symbol != ""
        for r in s.relocs:
            if not part or start <= s.address + r.offset < end:
                lines.append(f"  {s.name}+{r.offset:#x}  {r}\n")
    whole = not wanted.section and not wanted.symbol
    for r in image.relocs:
        if whole or any(start <= r.offset < end for _, start, end in ranges):
            lines.append(f"  {r.offset:#010x}  {r}\n")
    if lines:
        out.write("\nrelocations\n" + "".join(lines))


def _write_code(image: Image, ranges: list[tuple[Section, int, int]], out: TextIO) -> None:
    code = [(s, start, end) for s, start, end in ranges if s.code and s.stored and start < end]
    if not code:
        return
    engine = disassembler(image)
    if engine is None:
        out.write("\nno disassembly: capstone does not know this machine\n")
        return
    names = Names(image)
    for s, start, end in code:
        out.write(f"\ndisassembly of {s.name}\n")
        disassemble(engine, image, names, s, start, min(end, s.address + s.stored), out)


def _write_sizes(image: Image, wanted: Wanted, out: TextIO) -> None:
    """Symbols with their sizes, the largest first; an alias of the same place and size is shown, too."""
    rows: set[tuple[int, str, str]] = set()
    for s, extent in extents(image).items():
        size = s.size if image.sized else extent
        if size and s.kind != "LABEL" and wanted.has_section(s.place) and wanted.has_symbol(image, s):
            rows.add((-size, s.place, s.name))
    for size, place, name in sorted(rows):
        out.write(f"{-size:>9}  {place:<20}  {name}\n")
