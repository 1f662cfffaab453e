"""ELF relocatable objects (gABI chapters 4 and 5), any class and byte order.

Two phases: every part of the file is laid out first (contents, relocations, symbols, strings, section
headers, in this order), then written, and the offsets are checked against what was reserved.  Local
symbols come first, as the gABI demands.  An object with 65,280 sections or more uses the extended
numbering of gABI 4.1 (SHN_XINDEX).  Class, byte order, machine, flags and RELA or REL are one row
of TARGETS; no code asks for an architecture by name.
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
    Target,
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

# target, class, byte order, e_machine, e_flags, relocation style, EI_OSABI, alignment of functions; then what
# else there is: `short=` what e_flags also has when some function uses short encodings (RISC-V C), `relocs=` the module
# of the relocations, `split` for the r_info of 64-bit MIPS.
_TARGET_ROWS: Final = """
linux/amd64      64 little  62 0x0        rela 0 16
linux/386        32 little   3 0x0        rel  0 16 relocs=i386
linux/arm64      64 little 183 0x0        rela 0 16
linux/arm        32 little  40 0x5000000  rel  0 4
linux/riscv64    64 little 243 0x4        rela 0 4  short=0x1
linux/ppc64le    64 little  21 0x2        rela 0 16 relocs=ppc64
linux/ppc64      64 big     21 0x2        rela 0 16
linux/mips64le   64 little   8 0x20000004 rela 0 8  relocs=mips split
linux/mips64     64 big      8 0x20000004 rela 0 8  relocs=mips split
linux/mipsle     32 little   8 0x50001004 rel  0 4  relocs=mips
linux/mips       32 big      8 0x50001004 rel  0 4
linux/s390x      64 big     22 0x0        rela 0 16
linux/loong64    64 little 258 0x43       rela 0 16
freebsd/amd64    64 little  62 0x0        rela 9 16
freebsd/arm64    64 little 183 0x0        rela 9 16
netbsd/amd64     64 little  62 0x0        rela 0 16
netbsd/arm64     64 little 183 0x0        rela 0 16
openbsd/amd64    64 little  62 0x0        rela 0 16
openbsd/arm64    64 little 183 0x0        rela 0 16
"""


def _targets() -> dict[str, Target]:
    out: dict[str, Target] = {}
    for line in _TARGET_ROWS.strip().split("\n"):
        name, bits, order, machine, flags, rela, osabi, align, *more = line.split()
        target = out[name] = Target(
            name, int(bits), order == "big", int(machine), int(flags, 16), rela == "rela", int(osabi), int(align)
        )
        extra = {key: value for key, _, value in (word.partition("=") for word in more)}
        target.short_flags = int(extra.get("short", "0"), 16)
        target.relocs = extra.get("relocs", target.arch)
        target.split_info = "split" in extra
    return out


TARGETS: Final[dict[str, Target]] = _targets()


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


def write_elf(obj: Object) -> bytes:
    """The bytes of the relocatable object.  Raises ObjectError for what ELF cannot express."""
    check_object(obj, TARGETS, "ELF")
    target = obj.target
    is64 = target.bits == 64
    order = ">" if target.big_endian else "<"
    word = 8 if is64 else 4
    relocs = RelocWriter(obj)
    relocs.place, ordered, first_global = _order_symbols(obj.symbols + relocs.labels)

    headers: list[_Header] = [_Header("", 0, 0, 0, 0, 0, 0)]
    blobs: list[bytes | bytearray] = [b""]  # the contents, aligned like `headers`
    n = len(obj.sections)
    reloc_headers: list[tuple[_Header, bytes]] = []
    rel_prefix = ".rela" if target.rela else ".rel"
    rel_type = SHT_RELA if target.rela else SHT_REL
    rel_entry = (24 if target.rela else 16) if is64 else (12 if target.rela else 8)
    for number, s in enumerate(obj.sections, 1):
        headers.append(_section_header(s, target.bits))
        data: bytes | bytearray = s.data
        if s.relocs:
            h = _Header(rel_prefix + s.name, rel_type, SHF_INFO_LINK, 0, number, word, rel_entry)
            packed, data = relocs.pack(number - 1, data)
            reloc_headers.append((h, packed))
        blobs.append(data)
    headers.append(_Header(".note.GNU-stack", SHT_PROGBITS, 0, 0, 0, 1, 0))
    blobs.append(b"")
    symtab_number = n + 2 + len(reloc_headers)
    for h, data in reloc_headers:
        h.link = symtab_number
        headers.append(h)
        blobs.append(data)
    extended = symtab_number + 3 >= SHN_LORESERVE
    strtab_number = symtab_number + (2 if extended else 1)
    strtab, offsets = build_strtab(
        [s.name for s in ordered if s.kind != K_SECTION]
        + [h.name for h in headers]
        + [".symtab", ".strtab", ".symtab_shndx"]
    )
    symtab, shndx = _pack_symbols(ordered, headers, offsets, order, is64)
    entry = 24 if is64 else 16
    headers.append(_Header(".symtab", SHT_SYMTAB, 0, strtab_number, first_global, word, entry))
    blobs.append(symtab)
    if extended:
        headers.append(_Header(".symtab_shndx", SHT_SYMTAB_SHNDX, 0, symtab_number, 0, 4, 4))
        blobs.append(shndx)
    headers.append(_Header(".strtab", SHT_STRTAB, 0, 0, 0, 1, 0))
    blobs.append(strtab)
    return _emit(obj, headers, blobs, offsets, order, is64, strtab_number)


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


def _emit(
    obj: Object,
    headers: list[_Header],
    blobs: list[bytes | bytearray],
    offsets: dict[str, int],
    order: str,
    is64: bool,
    strtab_number: int,
) -> bytes:
    """Layout and writing."""
    target, sections = obj.target, obj.sections
    header_size = 64 if is64 else 52
    entry_size = 64 if is64 else 40
    parts: list[bytes | bytearray] = []
    append = parts.append
    where = header_size
    zeros = bytes(4096)
    for i, h in enumerate(headers):
        if i == 0:
            continue
        blob = blobs[i]
        pad = -where % min(h.align, 4096)  # only an image needs more
        if h.type == SHT_NOBITS:
            h.offset, h.size = where, sections[i - 1].size
            continue
        if pad:
            append(zeros[:pad])
            where += pad
        h.offset = where
        h.size = len(blob)
        append(blob)
        where += h.size
    pad = -where % (8 if is64 else 4)
    append(bytes(pad))
    where += pad
    count = len(headers)
    if where + count * entry_size >= 1 << target.bits:
        raise ObjectError("the object is larger than 4 GiB")
    if count >= SHN_LORESERVE:  # gABI 4.1: the real numbers stand in header 0
        headers[0].size = count
        headers[0].link = strtab_number
    pack = Struct(order + ("IIQQQQIIQQ" if is64 else "IIIIIIIIII")).pack
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
        where,
        target.flags | obj.flags,
        header_size,
        0,
        0,
        entry_size,
        count if count < SHN_LORESERVE else 0,
        strtab_number if strtab_number < SHN_LORESERVE else SHN_XINDEX,
    )
    parts.insert(0, head)
    out = b"".join(parts)
    assert len(out) == where + count * entry_size, "reserved and written sizes differ"
    return out
