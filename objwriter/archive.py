"""Archives (`ar`) of the System V/GNU and BSD kinds, and COFF import libraries.

An archive is the magic, then members: a 60-byte header of text fields and the contents, padded to even.  A first
member lists the global symbols with the offset of the member that defines each, so that a linker takes what it
needs without reading the rest.  GNU calls it `/` and keeps long names in `//`; BSD calls it `__.SYMDEF SORTED` and puts
long names in front of the contents (`#1/LENGTH`), which it aligns to 8.  An import library has both `/` and
a second index sorted by name (Microsoft PE Format, "Archive (Library) File Format").

A member of an import library is *short*: a 20-byte header, the name of the symbol and that of the DLL; the
linker makes the import table entries and the stub from it ("Import Library Format").  Three ordinary objects per DLL
hold the descriptor, the end of the DLL's list and the end of all descriptors.

Dates, owners and modes are 0, 0 and 644: same members, same bytes.
"""

from __future__ import annotations

from struct import pack
from typing import Final

from objwriter.check import check_name
from objwriter.coff import write_coff
from objwriter.deffile import IMPORT_CODE, IMPORT_CONST, IMPORT_DATA, Import, parse_def
from objwriter.model import (
    B_GLOBAL,
    B_LOCAL,
    K_OBJECT,
    K_SECTION,
    S_DATA,
    UNDEF,
    Object,
    ObjectError,
    Relocation,
    Section,
    Symbol,
)
from objwriter.targets import TARGETS

__all__ = (
    "BSD", "COFF", "GNU", "IMPORT_CODE", "IMPORT_CONST", "IMPORT_DATA", "Import", "Member", "defined_symbols",
    "parse_def", "short_import", "write_archive", "write_import_library",
)  # fmt: skip
MAGIC: Final = b"!<arch>\n"
GNU: Final = 0
BSD: Final = 1
COFF: Final = 2
_NAME_ORDINAL: Final = 0  # import by number
_NAME_EXACT: Final = 1  # the symbol is the name
_NAME_NO_PREFIX: Final = 2  # without a leading ? @ or _
_NAME_UNDECORATE: Final = 3  # nor what follows the first @


class Member:
    """One file of an archive and the global symbols it defines."""

    __slots__ = ("name", "data", "symbols")

    def __init__(self, name: str, data: bytes, symbols: list[str]) -> None:
        self.name = name
        self.data = data
        self.symbols = symbols


def defined_symbols(obj: Object, prefix: str = "") -> list[str]:
    """The names an archive's index lists for an object, as its format spells them (`prefix`: Mach-O's `_`)."""
    out: list[str] = []
    for s in obj.symbols:
        if s.section != UNDEF and s.binding != B_LOCAL and s.kind < K_SECTION:
            out.append(s.name[1:] if s.name[:1] == "\1" else prefix + s.name)
    return out


def write_archive(members: list[Member], style: int = GNU) -> bytes:
    """The archive of the members, in their order.

    >>> write_archive([Member("a.o", b"x", [])])[:8]
    b'!<arch>\\n'
    """
    for m in members:
        for name in (m.name, *m.symbols):
            check_name(name, "archive member" if name is m.name else "symbol")
    return _bsd(members) if style == BSD else _gnu(members, style == COFF)


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _header(name: bytes, size: int, mode: bytes = b"644") -> bytes:
    if size >= 10**10:
        raise ObjectError(f"archive member {name.decode('utf-8', 'replace')} is too large")
    return b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name, 0, 0, 0, mode, size)


def _gnu(members: list[Member], coff: bool) -> bytes:
    long_names = bytearray()
    names: list[bytes] = []
    known: dict[bytes, int] = {}
    for m in members:
        name = _bytes(m.name)
        if not name or b"/" in name or b"\n" in name or b"\0" in name:
            raise ObjectError(f"archive member name {m.name!r} cannot be written")
        if len(name) < 16:
            names.append(name + b"/")
            continue
        at = known.get(name)
        if at is None:
            at = known[name] = len(long_names)
            long_names += name + (b"\0" if coff else b"/\n")
        names.append(b"/%d" % at)
    symbols = [(_bytes(s), i) for i, m in enumerate(members) for s in m.symbols]
    text = b"".join([name + b"\0" for name, _ in symbols])
    ordered = sorted(symbols)
    first = 4 + 4 * len(symbols) + len(text)
    second = 4 + 4 * len(members) + 4 + 2 * len(symbols) + len(text)
    where = len(MAGIC) + 60 + first + first % 2
    if coff:
        where += 60 + second + second % 2
    if long_names:
        where += 60 + len(long_names) + len(long_names) % 2
    offsets: list[int] = []
    for m in members:
        offsets.append(where)
        where += 60 + len(m.data) + len(m.data) % 2
    if where >= 1 << 32:
        raise ObjectError("the archive is larger than 4 GiB")
    index = pack(f">{len(symbols) + 1}I", len(symbols), *[offsets[i] for _, i in symbols]) + text
    parts = [MAGIC, _header(b"/", len(index), b"0"), index, bytes(len(index) % 2)]
    if coff:
        if len(members) > 0xFFFF:
            raise ObjectError(f"an import library has at most 65535 members, not {len(members)}")
        index = pack(f"<{len(members) + 2}I", len(members), *offsets, len(symbols))
        index += pack(f"<{len(ordered)}H", *[i + 1 for _, i in ordered]) + b"".join(
            [name + b"\0" for name, _ in ordered]
        )
        parts += [_header(b"/", len(index), b"0"), index, bytes(len(index) % 2)]
    if long_names:
        parts += [_header(b"//", len(long_names), b""), bytes(long_names), b"\n" * (len(long_names) % 2)]
    for m, name in zip(members, names, strict=True):
        parts += [_header(name, len(m.data)), m.data, b"\n" * (len(m.data) % 2)]
    return b"".join(parts)


def _bsd(members: list[Member]) -> bytes:
    names = [_bytes(m.name) for m in members]
    for m, name in zip(members, names, strict=True):
        if not name or b"\n" in name or b"\0" in name:
            raise ObjectError(f"archive member name {m.name!r} cannot be written")
    symbols = sorted((_bytes(s), i) for i, m in enumerate(members) for s in m.symbols)
    text = bytearray()
    strings: list[int] = []
    for name, _ in symbols:
        strings.append(len(text))
        text += name + b"\0"
    text += bytes(-len(text) % 8)
    index_size = 4 + 8 * len(symbols) + 4 + len(text)
    where = len(MAGIC) + 60 + 20 + index_size + -index_size % 8
    offsets: list[int] = []
    heads: list[bytes] = []
    for m, name in zip(members, names, strict=True):
        padded = name + bytes(-(len(name) + 60 + where) % 8)  # the contents begin at a multiple of 8
        pad = -len(m.data) % 8
        offsets.append(where)
        heads.append(_header(b"#1/%d" % len(padded), len(padded) + len(m.data) + pad) + padded)
        where += len(heads[-1]) + len(m.data) + pad
    if where >= 1 << 32:
        raise ObjectError("the archive is larger than 4 GiB")
    index = bytearray(pack("<I", 8 * len(symbols)))
    for (_, i), at in zip(symbols, strings, strict=True):
        index += pack("<II", at, offsets[i])
    index += pack("<I", len(text)) + text
    index += bytes(-len(index) % 8)
    parts = [MAGIC, _header(b"#1/20", 20 + len(index)), b"__.SYMDEF SORTED".ljust(20, b"\0"), bytes(index)]
    for m, head in zip(members, heads, strict=True):
        parts += [head, m.data, bytes(-len(m.data) % 8)]
    return b"".join(parts)


def short_import(machine: int, dll: str, item: Import, prefix: str = "") -> bytes:
    """A short import member ("Import Header")."""
    name = prefix + item.name
    rule = _NAME_EXACT
    extra = b""
    hint = 0
    if item.ordinal >= 0:
        rule, hint = _NAME_ORDINAL, item.ordinal
    elif prefix:
        rule = _NAME_UNDECORATE if "@" in item.name else _NAME_NO_PREFIX
    if item.exported and item.exported != item.name and rule != _NAME_ORDINAL:
        rule, extra = 4, _bytes(item.exported) + b"\0"  # IMPORT_OBJECT_NAME_EXPORTAS
    body = _bytes(name) + b"\0" + _bytes(dll) + b"\0" + extra
    return pack("<HHHHIIHH", 0, 0xFFFF, 0, machine, 0, len(body), hint, item.kind | rule << 2) + body


def write_import_library(target_name: str, dll: str, imports: list[Import]) -> bytes:
    """The import library of a DLL for `windows/ARCH`: what lld-link and link.exe take as NAME.lib."""
    target = TARGETS.get(target_name)
    if target is None or target.format != "coff":
        raise ObjectError(f"no COFF target {target_name}")
    for item in imports:
        _check_import(dll, item)
    prefix = target.prefix
    stem = dll.rpartition(".")[0] or dll
    members: list[Member] = []
    for symbol, obj in _descriptors(target_name, dll, stem):
        members.append(Member(dll, write_coff(obj), [symbol]))
    for item in imports:
        name = prefix + item.name
        symbols = ["__imp_" + name] if item.kind == IMPORT_DATA else ["__imp_" + name, name]
        members.append(Member(dll, short_import(target.machine, dll, item, prefix), symbols))
    return write_archive(members, COFF)


def _check_import(dll: str, item: Import) -> None:
    for name, what in ((dll, "library"), (item.name, "import"), (item.exported, "import")):
        check_name(name, what)
    if not item.name:
        raise ObjectError(f"an import of {dll} has no name")
    if not -1 <= item.ordinal < 1 << 16:
        raise ObjectError(f"ordinal {item.ordinal} of {item.name} does not fit 16 bits")
    if item.kind not in (IMPORT_CODE, IMPORT_DATA, IMPORT_CONST):
        raise ObjectError(f"import {item.name} is of kind {item.kind}, which does not exist")


def _descriptors(target_name: str, dll: str, stem: str) -> list[tuple[str, Object]]:
    """The three objects: the DLL's import descriptor, the null descriptor, the end of the DLL's tables."""
    target = TARGETS[target_name]
    word = target.bits // 8
    null_thunk = f"\x7f{stem}_NULL_THUNK_DATA"

    def section(name: str, data: bytes, align: int) -> Section:
        s = Section(name, S_DATA, align)
        s.data, s.size = data, len(data)
        return s

    def symbol(name: str, number: int, binding: int = B_GLOBAL) -> Symbol:
        return Symbol("\1" + name, number, 0, 0, K_OBJECT, binding)

    first = Object(target)
    first.sections = [section(".idata$2", bytes(20), 4), section(".idata$6", _bytes(dll) + b"\0", 2)]
    first.sections += [section(".idata$4", b"", word), section(".idata$5", b"", word)]
    # Original thunks, name and thunks of the descriptor: relative to the image
    first.symbols = [symbol(f"__IMPORT_DESCRIPTOR_{stem}", 0), Symbol("\1.name", 1, 0, 0, K_OBJECT, B_LOCAL)]
    first.symbols += [Symbol("", 2, 0, 0, K_SECTION, B_LOCAL), Symbol("", 3, 0, 0, K_SECTION, B_LOCAL)]
    first.symbols += [symbol("__NULL_IMPORT_DESCRIPTOR", UNDEF), symbol(null_thunk, UNDEF)]
    first.sections[0].relocs = [Relocation(off, 4, "R_PEIMAGEOFF", to, 0) for off, to in ((0, 2), (12, 1), (16, 3))]
    null = Object(target)
    null.sections = [section(".idata$3", bytes(20), 4)]
    null.symbols = [symbol("__NULL_IMPORT_DESCRIPTOR", 0)]
    last = Object(target)
    last.sections = [section(".idata$5", bytes(word), word), section(".idata$4", bytes(word), word)]
    last.symbols = [symbol(null_thunk, 0)]
    return [
        (f"__IMPORT_DESCRIPTOR_{stem}", first),
        ("__NULL_IMPORT_DESCRIPTOR", null),
        (null_thunk, last),
    ]
