"""What the readers of all formats give and the printer takes: an Image, and Damage for a file that cannot be right."""

from __future__ import annotations

from struct import Struct
from typing import Any


class Damage(Exception):
    """The file is not what its headers say; the text completes `FILE is ...`."""


class Relocation:
    """`offset` counts from the section, or is an address where the image has no section for it."""

    __slots__ = ("offset", "kind", "target", "addend")

    def __init__(self, offset: int, kind: str, target: str = "", addend: int = 0) -> None:
        self.offset = offset
        self.kind = kind
        self.target = target
        self.addend = addend

    def __str__(self) -> str:
        add = f"{self.addend:+d}" if self.addend else ""
        return f"{self.kind} {self.target}{add}".rstrip()


class Section:
    """`stored` is the number of its bytes in the file, from `offset` on; `code` says whether they are instructions."""

    __slots__ = ("number", "name", "kind", "flags", "address", "size", "align", "offset", "stored", "code", "relocs")

    def __init__(
        self,
        number: int,
        name: str,
        kind: str,
        flags: str,
        address: int,
        size: int,
        align: int,
        offset: int,
        stored: int,
    ) -> None:
        self.number = number
        self.name = name
        self.kind = kind
        self.flags = flags
        self.address = address
        self.size = size
        self.align = align
        self.offset = offset
        self.stored = stored
        self.code = False
        self.relocs: list[Relocation] = []


class Symbol:
    """`value` is an address as the sections have them; `section` is a Section's number or -1 for `place`'s word."""

    __slots__ = ("name", "value", "size", "kind", "binding", "section", "place")

    def __init__(self, name: str, value: int, size: int, kind: str, binding: str, section: int, place: str) -> None:
        self.name = name
        self.value = value
        self.size = size
        self.kind = kind
        self.binding = binding
        self.section = section
        self.place = place


class Image:
    """An object or a program.  `names` has addresses that are no symbols of the file: slots of imports, stubs."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.title = ""
        self.cpu = ""
        self.little = True
        self.prefix = ""  # what the format puts in front of names of C
        self.linked = False
        self.sized = False  # whether the format has sizes of symbols
        self.facts: list[tuple[str, str]] = []
        self.segments: list[str] = []
        self.sections: list[Section] = []
        self.symbols: list[tuple[str, list[Symbol]]] = []
        self.relocs: list[Relocation] = []
        self.libraries: list[str] = []
        self.imports: list[tuple[str, str]] = []
        self.exports: list[tuple[int, str]] = []
        self.names: dict[int, str] = {}

    def contents(self, section: Section) -> bytes:
        return self.data[section.offset : section.offset + section.stored]

    def at(self, address: int, size: int) -> bytes:
        """The bytes at an address of a linked image; fewer or none where the file has none."""
        for s in self.sections:
            if s.address <= address < s.address + s.stored:
                start = s.offset + address - s.address
                return self.data[start : min(start + size, s.offset + s.stored)]
        return b""


def within(data: bytes, what: str, offset: int, size: int) -> None:
    """Checks that a part of a file ends inside it."""
    if offset + size > len(data):
        raise Damage(f"truncated: {what} ends at byte {offset + size}, the file at {len(data)}")


def fields(data: bytes, layout: Struct, what: str, offset: int) -> tuple[Any, ...]:
    """The fields of a record of the file."""
    within(data, what, offset, layout.size)
    return layout.unpack_from(data, offset)


def text(raw: bytes) -> str:
    """A name as it can be printed on one line."""
    name = raw.decode("utf-8", "replace")
    return name if name.isprintable() else "".join(c if c.isprintable() else "?" for c in name)


def padded(raw: bytes) -> str:
    """A name in a field of fixed size, filled up with NUL."""
    return text(raw.rstrip(b"\0"))


def string_at(data: bytes, offset: int, end: int) -> str:
    """The text that ends with NUL, or at `end`."""
    stop = data.find(b"\0", offset, end)
    return text(data[offset : stop if stop >= 0 else end])
