"""ELF relocatable objects (gABI chapters 4 and 5), any class and byte order.

Five steps, which the writers of the other formats have too: sections, symbols, relocate, layout, emit.  Everything has
its place in the file (contents, relocations, symbols, strings, section headers, in this order) before a byte is
written, and the size is checked against what was reserved.  Local symbols come first, as the gABI demands.  An object
with 65,280 sections or more uses the extended numbering of gABI 4.1 (SHN_XINDEX).  Class, byte order, machine, flags
and RELA or REL are the target's row (objwriter.targets); no code asks for an architecture by name.
"""

from __future__ import annotations

from struct import Struct, pack_into
from typing import Final

from objwriter.check import check_object
from objwriter.elf_relocs import RelocWriter
from objwriter.model import (
    ABSOLUTE,
    B_LOCAL,
    K_FILE,
    K_SECTION,
    K_TLS,
    S_NOTE,
    SECTION_KINDS,
    UNDEF,
    Object,
    ObjectError,
    Section,
    Symbol,
)
from objwriter.strtab import build_strtab

SHT_PROGBITS: Final = 1
SHT_SYMTAB: Final = 2
SHT_STRTAB: Final = 3
SHT_RELA: Final = 4
SHT_NOTE: Final = 7
SHT_NOBITS: Final = 8
SHT_REL: Final = 9
SHT_SYMTAB_SHNDX: Final = 18
SHF_WRITE: Final = 1
SHF_ALLOC: Final = 2
SHF_EXECINSTR: Final = 4
SHF_MERGE: Final = 0x10
SHF_INFO_LINK: Final = 0x40
SHF_LINK_ORDER: Final = 0x80
SHF_TLS: Final = 0x400
SHN_LORESERVE: Final = 0xFF00
SHN_ABS: Final = 0xFFF1
SHN_XINDEX: Final = 0xFFFF
STV_HIDDEN: Final = 2
MAX_FILE_ALIGN: Final = 4096  # of contents in the file: only an image needs more

# Section.kind -> type, flags.
_SECTION_INFO: Final = (
    (SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR),
    (SHT_PROGBITS, SHF_ALLOC),
    (SHT_PROGBITS, SHF_ALLOC | SHF_WRITE),
    (SHT_PROGBITS, SHF_ALLOC | SHF_WRITE),
    (SHT_NOBITS, SHF_ALLOC | SHF_WRITE),
    (SHT_NOBITS, SHF_ALLOC | SHF_WRITE | SHF_TLS),
    (SHT_PROGBITS, SHF_ALLOC),
    (SHT_PROGBITS, 0),
    (SHT_PROGBITS, SHF_ALLOC | SHF_WRITE | SHF_TLS),
)
assert len(_SECTION_INFO) == len(SECTION_KINDS)
# Types and names whose contents the writer makes, or refer to such by number; a caller's would not be read as meant.
_OWN_TYPES: Final = frozenset(
    (0, SHT_SYMTAB, SHT_STRTAB, SHT_RELA, 5, 6, SHT_REL, 11, 17, SHT_SYMTAB_SHNDX, 19)
    + (0x6FFFFFF6, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF)
)  # and HASH, DYNAMIC, DYNSYM, GROUP, RELR, those of GNU hashes and versions
_OWN_NAMES: Final = (".symtab", ".strtab", ".symtab_shndx")
# Symbol.kind -> STT_*: none, func, object, tls, section, file.
_SYMBOL_TYPE: Final = (0, 2, 1, 6, 3, 4)


class _Header:
    """A section header in the making; offset and size are filled in by layout."""

    __slots__ = ("name", "type", "flags", "offset", "size", "link", "info", "align", "entry")

    def __init__(self, name: str, type_: int, flags: int, link: int, info: int, align: int, entry: int) -> None:
        self.name = name
        self.type = type_
        self.flags = flags
        self.offset = 0
        self.size = 0
        self.link = link
        self.info = info
        self.align = align
        self.entry = entry


class _File:
    """The file in the making: section headers, and the contents of each section beside them."""

    __slots__ = (
        "obj", "is64", "order", "word", "relocs", "headers", "blobs", "ordered", "first_global", "offsets", "size",
        "strtab_number",
    )  # fmt: skip

    def __init__(self, obj: Object) -> None:
        self.obj = obj
        self.is64 = obj.target.bits == 64
        self.order = ">" if obj.target.big_endian else "<"
        self.word = 8 if self.is64 else 4
        self.relocs = RelocWriter(obj)
        self.headers: list[_Header] = [_Header("", 0, 0, 0, 0, 0, 0)]
        self.blobs: list[bytes | bytearray] = [b""]
        self.ordered: list[Symbol] = []
        self.first_global = 0
        self.offsets: dict[str, int] = {}  # of names in the string table
        self.size = 0  # of everything before the section headers
        self.strtab_number = 0


def write_elf(obj: Object) -> bytes:
    """The bytes of the relocatable object.  Raises ObjectError for what ELF cannot express."""
    check_object(obj, "elf")
    f = _File(obj)
    sections(f)
    symbols(f)
    relocate(f)
    layout(f)
    return emit(f)


def sections(f: _File) -> None:
    """A section of the file for each of the object, and the mark that no stack need be executable."""
    for s in f.obj.sections:
        f.headers.append(_section_header(s, f.obj.target.bits))
        f.blobs.append(s.data)
    f.headers.append(_Header(".note.GNU-stack", SHT_PROGBITS, 0, 0, 0, 1, 0))
    f.blobs.append(b"")


def _section_header(s: Section, bits: int) -> _Header:
    type_, flags = _SECTION_INFO[s.kind]
    if s.name.startswith(".note.gnu.") and s.kind == S_NOTE:  # in the form of gABI 5.2, for the linker and the loader
        type_ = SHT_NOTE
    if s.raw_type >= 0:
        type_ = s.raw_type
    if s.raw_flags >= 0:
        flags = s.raw_flags
    if s.entry:
        flags |= SHF_MERGE
    link = 0
    if s.link >= 0:
        flags |= SHF_LINK_ORDER
        link = s.link + 1
    if s.align >= 1 << bits:
        raise ObjectError(f"alignment {s.align} of section {s.name} does not fit {bits} bits")
    if type_ in _OWN_TYPES or s.name in _OWN_NAMES:
        raise ObjectError(f"section {s.name} of type {type_:#x} is one that the writer makes itself")
    if type_ == SHT_NOBITS and s.data:
        raise ObjectError(f"section {s.name} has {len(s.data)} bytes of contents, but its type has none")
    if type_ != SHT_NOBITS and len(s.data) != s.size:
        raise ObjectError(f"section {s.name} has {len(s.data)} bytes of {s.size}")
    if s.entry >= 1 << bits:
        raise ObjectError(f"entries of {s.entry} bytes in section {s.name} do not fit {bits} bits")
    return _Header(s.name, type_, flags, link, 0, s.align, s.entry)


def symbols(f: _File) -> None:
    """The symbols in file order, local ones first, and the place of each."""
    f.relocs.place, f.ordered, f.first_global = _order_symbols(f.obj.symbols + f.relocs.labels)


def _order_symbols(symbols: list[Symbol]) -> tuple[list[int], list[Symbol], int]:
    """New index of each symbol, the symbols in file order (locals first), index of the first global."""
    place = [0] * len(symbols)
    ordered: list[Symbol] = []
    for i, s in enumerate(symbols):
        if s.binding == B_LOCAL or s.kind == K_FILE:
            ordered.append(s)
            place[i] = len(ordered)
    first_global = len(ordered) + 1
    for i, s in enumerate(symbols):
        if s.binding != B_LOCAL and s.kind != K_FILE:
            ordered.append(s)
            place[i] = len(ordered)
    return place, ordered, first_global


def relocate(f: _File) -> None:
    """The relocation sections; REL stores addends into the contents."""
    rela = f.obj.target.rela
    prefix, type_ = (".rela", SHT_RELA) if rela else (".rel", SHT_REL)
    entry = f.word * (3 if rela else 2)
    symtab_number = len(f.headers) + sum([1 for s in f.obj.sections if s.relocs])
    for number, s in enumerate(f.obj.sections):
        if s.relocs:
            packed, f.blobs[number + 1] = f.relocs.pack(number, s.data)
            f.headers.append(_Header(prefix + s.name, type_, SHF_INFO_LINK, symtab_number, number + 1, f.word, entry))
            f.blobs.append(packed)


def layout(f: _File) -> None:
    """The symbol and string tables, and where in the file everything is."""
    headers, blobs = f.headers, f.blobs
    symtab_number = len(headers)
    extended = symtab_number + 3 >= SHN_LORESERVE
    f.strtab_number = symtab_number + (2 if extended else 1)
    strtab, f.offsets = build_strtab(
        [s.name for s in f.ordered if s.kind != K_SECTION]
        + [h.name for h in headers]
        + [".symtab", ".strtab", ".symtab_shndx"]
    )
    symtab, shndx = _pack_symbols(f.ordered, headers, f.offsets, f.order, f.is64)
    entry = 24 if f.is64 else 16
    headers.append(_Header(".symtab", SHT_SYMTAB, 0, f.strtab_number, f.first_global, f.word, entry))
    blobs.append(symtab)
    if extended:
        headers.append(_Header(".symtab_shndx", SHT_SYMTAB_SHNDX, 0, symtab_number, 0, 4, 4))
        blobs.append(shndx)
    headers.append(_Header(".strtab", SHT_STRTAB, 0, 0, 0, 1, 0))
    blobs.append(strtab)
    where = 64 if f.is64 else 52
    for i, (h, blob) in enumerate(zip(headers, blobs, strict=True)):
        if i == 0:
            continue
        if h.type == SHT_NOBITS:
            h.offset, h.size = where, f.obj.sections[i - 1].size
            continue
        h.offset = where + -where % min(h.align, MAX_FILE_ALIGN)
        h.size = len(blob)
        where = h.offset + h.size
    f.size = where + -where % f.word
    if f.size + len(headers) * (64 if f.is64 else 40) >= 1 << f.obj.target.bits:
        raise ObjectError("the object is larger than 4 GiB")


def _pack_symbols(
    ordered: list[Symbol], headers: list[_Header], offsets: dict[str, int], order: str, is64: bool
) -> tuple[bytes, bytes]:
    pack64 = Struct(order + "IBBHQQ").pack
    pack32 = Struct(order + "IIIBBH").pack
    parts = [bytes(24 if is64 else 16)]
    indexes = [0]
    for s in ordered:
        section = s.section
        if s.kind == K_TLS and section >= 0 and not headers[section + 1].flags & SHF_TLS:
            raise ObjectError(f"symbol {s.name} is thread-local, but section {headers[section + 1].name} is not")
        real = 0
        if section == UNDEF:
            shndx = 0
        elif section == ABSOLUTE or s.kind == K_FILE:
            shndx = SHN_ABS
        elif section + 1 >= SHN_LORESERVE:
            shndx, real = SHN_XINDEX, section + 1
        else:
            shndx = section + 1
        indexes.append(real)
        info = (s.binding if s.kind != K_FILE else B_LOCAL) << 4 | _SYMBOL_TYPE[s.kind]
        name = 0 if s.kind == K_SECTION else offsets[s.name]
        other = STV_HIDDEN if s.hidden else 0
        if is64:
            parts.append(pack64(name, info, other, shndx, s.value, s.size))
        else:
            parts.append(pack32(name, s.value, s.size, info, other, shndx))
    return b"".join(parts), Struct(f"{order}{len(indexes)}I").pack(*indexes)


def emit(f: _File) -> bytes:
    """The bytes: header, contents, section headers."""
    target, headers, is64, order = f.obj.target, f.headers, f.is64, f.order
    header_size = 64 if is64 else 52
    entry_size = 64 if is64 else 40
    parts: list[bytes | bytearray] = [b""]
    append = parts.append
    where = header_size
    for h, blob in zip(headers, f.blobs, strict=True):
        if h.type == SHT_NOBITS or h is headers[0]:
            continue
        if h.offset > where:
            append(bytes(h.offset - where))
        append(blob)
        where = h.offset + h.size
    append(bytes(f.size - where))
    count = len(headers)
    if count >= SHN_LORESERVE:  # gABI 4.1: the real numbers stand in header 0
        headers[0].size = count
        headers[0].link = f.strtab_number
    pack = Struct(order + ("IIQQQQIIQQ" if is64 else "IIIIIIIIII")).pack
    offsets = f.offsets
    for h in headers:
        append(pack(offsets[h.name], h.type, h.flags, 0, h.offset, h.size, h.link, h.info, h.align, h.entry))
    head = bytearray(header_size)
    head[:8] = b"\x7fELF" + bytes((2 if is64 else 1, 2 if target.big_endian else 1, 1, target.osabi))
    pack_into(
        order + ("HHIQQQIHHHHHH" if is64 else "HHIIIIIHHHHHH"),
        head,
        16,
        1,  # ET_REL
        target.machine,
        1,
        0,
        0,
        f.size,
        target.flags | f.obj.flags,
        header_size,
        0,
        0,
        entry_size,
        count if count < SHN_LORESERVE else 0,
        f.strtab_number if f.strtab_number < SHN_LORESERVE else SHN_XINDEX,
    )
    parts[0] = head
    out = b"".join(parts)
    assert len(out) == f.size + count * entry_size, "reserved and written sizes differ"
    return out
