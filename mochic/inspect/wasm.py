"""WebAssembly modules: sections, imports, exports (WebAssembly core specification, 5.5).  No package reads these."""

from __future__ import annotations

from typing import Final

from mochic.inspect.image import Damage, Image, Section, text, within

_SECTIONS: Final = (
    "CUSTOM", "TYPE", "IMPORT", "FUNCTION", "TABLE", "MEMORY", "GLOBAL", "EXPORT", "START", "ELEM", "CODE", "DATA",
    "DATACOUNT", "TAG",
)  # fmt: skip
_KINDS: Final = ("function", "table", "memory", "global", "tag")


class _Bytes:
    """Reads numbers and names from a part of the module."""

    __slots__ = ("data", "at", "end")

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data = data
        self.at = at
        self.end = end

    def byte(self) -> int:
        if self.at >= self.end:
            raise Damage(f"truncated: a section ends at byte {self.end} in the middle of an entry")
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        """An unsigned LEB128 number (5.2.2)."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value
            if shift > 63:
                raise Damage(f"damaged: a number without an end at byte {self.at}")

    def name(self) -> str:
        size = self.number()
        if self.at + size > self.end:
            raise Damage(f"truncated: a name ends at byte {self.at + size}, its section at {self.end}")
        self.at += size
        return text(self.data[self.at - size : self.at])

    def limits(self) -> None:
        if self.number() & 1:
            self.number()
        self.number()


def read_wasm(data: bytes, image: Image) -> None:
    within(data, "the header", 0, 8)
    image.title = f"WebAssembly module, version {int.from_bytes(data[4:8], 'little')}"
    reader = _Bytes(data, 8, len(data))
    counts: dict[str, int] = {}
    while reader.at < len(data):
        number = reader.byte()
        size = reader.number()
        start = reader.at
        end = start + size
        kind = _SECTIONS[number] if number < len(_SECTIONS) else f"section {number}"
        within(data, f"section {kind}", start, size)
        inner = _Bytes(data, start, end)
        name = kind
        if kind == "CUSTOM":
            name = inner.name()
            start = inner.at  # the contents begin behind it
        elif kind == "IMPORT":
            for _ in range(inner.number()):
                library, item = inner.name(), inner.name()
                what = inner.byte()
                _skip_import(inner, what)
                image.imports.append((library, f"{item} ({_KINDS[what]})"))
        elif kind == "EXPORT":
            for _ in range(inner.number()):
                item, what, index = inner.name(), inner.byte(), inner.number()
                image.exports.append((index, f"{item} ({_KINDS[what] if what < len(_KINDS) else what})"))
        elif kind in ("FUNCTION", "CODE"):
            counts[kind] = inner.number()
        s = Section(len(image.sections) + 1, name, kind, "", 0, end - start, 1, start, end - start)
        image.sections.append(s)
        reader.at = end
    if counts.get("FUNCTION", 0) != counts.get("CODE", 0):
        raise Damage(
            f"truncated: {counts.get('FUNCTION', 0)} functions are declared, {counts.get('CODE', 0)} have code"
        )


def _skip_import(inner: _Bytes, kind: int) -> None:
    """The description of an import (5.5.5)."""
    if kind == 0:
        inner.number()
    elif kind == 1:
        inner.byte()
        inner.limits()
    elif kind == 2:
        inner.limits()
    elif kind == 3:
        inner.byte()
        inner.byte()
    elif kind == 4:
        inner.byte()
        inner.number()
    else:
        raise Damage(f"damaged: import of kind {kind}")
