"""Archives and universal files: files that hold others.  No package reads all three kinds of archives.

The kinds differ in how they keep names of more than 15 bytes: GNU in the member `//` with `/\\n` behind each, COFF
there with NUL, BSD in front of the contents (`#1/LENGTH`).
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Final

from mochic.inspect.image import Damage, fields, string_at, text, within

MAGIC: Final = b"!<arch>\n"
THIN: Final = b"!<thin>\n"
_HEADER: Final = 60
_INDEXES: Final = (b"/", b"/SYM64/", b"__.SYMDEF", b"__.SYMDEF SORTED", b"__.SYMDEF_64", b"__.SYMDEF_64 SORTED")
_FAT: Final = Struct(">II")
_SLICE: Final = Struct(">IIIII")
_SLICE64: Final = Struct(">IIQQII")
CPUS: Final = {
    7: "i386", 0x01000007: "x86_64", 12: "arm", 0x0100000C: "arm64", 0x0200000C: "arm64_32", 18: "ppc",
    0x01000012: "ppc64",
}  # fmt: skip


class Member:
    """`data` is None for a member of a thin archive, which has the name only; `at` is the place of its header."""

    __slots__ = ("name", "at", "size", "data")

    def __init__(self, name: str, at: int, size: int, data: bytes | None) -> None:
        self.name = name
        self.at = at
        self.size = size
        self.data = data


class Archive:
    """What is in an archive; `seen` has the members in front of the damage, too."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.thin = data.startswith(THIN)
        self.kind = ""
        self.index: list[tuple[str, int]] = []  # symbol, place of the member
        self.long_names = b""
        self.seen: list[Member] = []  # what was read so far

    def read(self) -> None:
        """Reads all members into `seen`."""
        at = 8
        first = True
        while at < len(self.data):
            within(self.data, "the header of a member", at, _HEADER)
            header = self.data[at : at + _HEADER]
            digits = header[48:58].strip()
            if header[58:] != b"`\n" or not digits.isdigit():
                raise Damage(f"damaged: no header of a member at byte {at}")
            size, name = int(digits), header[:16].rstrip()
            begin, stored = at + _HEADER, size
            special = name in (b"/", b"//", b"/SYM64/", b"/<ECSYMBOLS>/")
            if self.thin and not special:
                stored = 0
            within(self.data, f"member {text(name)}", begin, stored)
            content = self.data[begin : begin + stored]
            if name.startswith(b"#1/") and name[3:].isdigit():
                length = int(name[3:])
                if length > len(content):
                    raise Damage(f"damaged: a name of {length} bytes in a member of {len(content)}")
                name, content = content[:length].rstrip(b"\0"), content[length:]
                self.kind = "BSD"
            elif name.startswith(b"/") and name[1:].isdigit():
                name = self._long_name(int(name[1:]))
            elif not special and name.endswith(b"/"):
                name = name[:-1]
                self.kind = self.kind or "GNU"
            if name in _INDEXES:
                self._read_index(name, content, first)
            elif name == b"//":
                self.long_names = content
            elif not special:
                self.seen.append(
                    Member(text(name), at, size if self.thin else len(content), None if self.thin else content)
                )
            first = False
            at = begin + stored + (stored & 1)
        places = {m.at for m in self.seen}
        for symbol, place in self.index:
            if place not in places:
                raise Damage(f"truncated: the member that defines {symbol}, at byte {place}, is not there")

    def _long_name(self, start: int) -> bytes:
        table = self.long_names
        if start >= len(table):
            raise Damage(f"damaged: no name at {start} of the table of names")
        newline, nul = table.find(b"\n", start), table.find(b"\0", start)
        if nul >= 0 and (newline < 0 or nul < newline):
            self.kind = "COFF"
            return table[start:nul]
        self.kind = self.kind or "GNU"
        name = table[start : newline if newline >= 0 else len(table)]
        return name[:-1] if name.endswith(b"/") else name

    def _read_index(self, name: bytes, content: bytes, first: bool) -> None:
        if name[:1] == b"_":
            self._bsd_index(content, 8 if b"_64" in name else 4)
        elif not first:
            self.kind = "COFF"  # its second index has the same symbols, sorted
        else:
            word = 8 if name == b"/SYM64/" else 4
            self.kind = "GNU"
            count = int.from_bytes(content[:word], "big")
            if word + count * word > len(content):
                raise Damage(f"damaged: an index of {count} symbols in {len(content)} bytes")
            at = word + count * word
            for i in range(count):
                stop = content.find(b"\0", at)
                if stop < 0:
                    raise Damage(f"damaged: the index has names for {i} of {count} symbols")
                place = int.from_bytes(content[word + i * word : word + i * word + word], "big")
                self.index.append((text(content[at:stop]), place))
                at = stop + 1

    def _bsd_index(self, content: bytes, word: int) -> None:
        self.kind = "BSD"
        size = int.from_bytes(content[:word], "little")
        if word + size + word > len(content):
            raise Damage(f"damaged: an index of {size} bytes in a member of {len(content)}")
        names = word + size + word
        for at in range(word, word + size - word, 2 * word):
            offset = int.from_bytes(content[at : at + word], "little")
            place = int.from_bytes(content[at + word : at + 2 * word], "little")
            if names + offset >= len(content):
                raise Damage(f"damaged: the index has no name at {offset}")
            self.index.append((string_at(content, names + offset, len(content)), place))


def is_universal(data: bytes) -> bool:
    """Whether it is a universal file; a class of Java has the same magic and a version from 45 on in its place."""
    return data[:4] in (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf") and int.from_bytes(data[4:8], "big") < 40


def slices(data: bytes) -> Iterator[tuple[str, bytes]]:
    """(CPU, file) of each part of a universal file (<mach-o/fat.h>)."""
    _, count = fields(data, _FAT, "the header", 0)
    layout = _SLICE64 if data[3] == 0xBF else _SLICE
    within(data, "the table of slices", 0, _FAT.size + count * layout.size)
    for i in range(count):
        cpu, _, offset, size = layout.unpack_from(data, _FAT.size + i * layout.size)[:4]
        name = CPUS.get(cpu, f"cpu {cpu:#x}")
        within(data, f"the slice for {name}", offset, size)
        if offset < _FAT.size:
            raise Damage(f"damaged: the slice for {name} is in the header")
        yield name, data[offset : offset + size]
