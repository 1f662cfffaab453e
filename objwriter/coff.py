"""COFF relocatable objects: Microsoft PE Format, sections 3 to 5; little-endian, timestamp 0.

A model section is a section of its own.  So that the linker can drop it, it is a COMDAT whose leader is its symbol
(except where it has a dotted name of its own): NODUPLICATES, or ANY for a weak definition, which other objects may
repeat.  A note is ASSOCIATIVE: it comes and goes with the section it describes.

Names group: the linker sorts the inputs of an image section by what follows `$`, and inputs of the same name by
object and section number.  Code is `.text$m`; a section with a name of its own, `frames`, becomes `.rdata$frames$m`
(`.data$...` when writable), a part of an existing image section, as image names have eight bytes.  The ends of a
group are empty sections `...$a` and `...$z` (Object.bounds).  Nothing sorts by another section: notes are
written in the order of the code they describe, so both come out in the same order.

An object with more than 65,279 sections has the big-object header, with 32-bit section numbers; a section with more
than 65,534 relocations says so in its first one.
"""

from __future__ import annotations

from struct import Struct, pack, pack_into
from typing import Final

from objwriter.check import Names, check_object, check_only_elf
from objwriter.inplace import Labels, cannot_express, find_records, store
from objwriter.model import (
    ABSOLUTE,
    B_LOCAL,
    B_WEAK,
    K_FILE,
    K_FUNC,
    K_SECTION,
    S_NOTE,
    S_TEXT,
    S_TLSBSS,
    SECTION_KINDS,
    UNDEF,
    Object,
    ObjectError,
    Section,
    Symbol,
)
from objwriter.relocs.formats import ADD12, ADR, END, LDST12, NONE, FormatTable, RelocType, load_format

MAX_SECTIONS: Final = 0xFEFF  # 65,279: larger numbers mean something else
MAX_RELOCS: Final = 0xFFFF
IMAGE_SCN_CNT_UNINITIALIZED_DATA: Final = 0x80
IMAGE_SCN_LNK_COMDAT: Final = 0x1000
IMAGE_SCN_LNK_NRELOC_OVFL: Final = 0x01000000
_OWN_FLAGS: Final = IMAGE_SCN_LNK_COMDAT | IMAGE_SCN_LNK_NRELOC_OVFL | 0x00F00000  # and the alignment
SYM_UNDEFINED: Final = 0
SYM_ABSOLUTE: Final = -1
SYM_DEBUG: Final = -2
CLASS_EXTERNAL: Final = 2
CLASS_STATIC: Final = 3
CLASS_FILE: Final = 103
CLASS_WEAK_EXTERNAL: Final = 105
TYPE_FUNCTION: Final = 0x20
SELECT_NODUPLICATES: Final = 1
SELECT_ANY: Final = 2
SELECT_ASSOCIATIVE: Final = 5
WEAK_SEARCH_NOLIBRARY: Final = 1
BIGOBJ_CLASS: Final = bytes.fromhex("c7a1bad1eebaa94baf20faf66aa4dcb8")

# Section.kind -> image section, characteristics, prefix of the names that build.py gives.
_KINDS: Final = (
    (".text", 0x60000020, ".text."),
    (".rdata", 0x40000040, ".rodata."),
    (".rdata", 0x40000040, ".data.rel.ro."),
    (".data", 0xC0000040, ".data."),
    (".bss", 0xC0000080, ".bss."),
    (".tls", 0xC0000040, ".tbss."),  # the template of a thread's block has contents in an image
    (".rdata", 0x40000040, ".note."),
    (".info", 0x42000040, ".info."),
    (".tls", 0xC0000040, ".tdata."),
)
assert len(_KINDS) == len(SECTION_KINDS)
# ELF's names -> ours.
_SPECIAL: Final = {".rodata": ".rdata", ".tbss": ".tls", ".tdata": ".tls"}


class _Sect:
    """A section of the file: a model section (`number`) or the end of a group (-1)."""

    __slots__ = ("name", "flags", "data", "size", "relocs", "count", "number", "selection", "associate")

    def __init__(self, name: str, flags: int, align: int, number: int) -> None:
        self.name = name
        self.flags = flags | align.bit_length() << 20
        self.data: bytes | bytearray = b""
        self.size = 0
        self.relocs = b""
        self.count = 0
        self.number = number
        self.selection = 0
        self.associate = 0


class _Entry:
    """A symbol of the file; `aux` are its auxiliary records of 18 bytes each."""

    __slots__ = ("name", "value", "section", "type", "storage", "aux")

    def __init__(self, name: str, value: int, section: int, type_: int, storage: int, aux: bytes = b"") -> None:
        self.name = name
        self.value = value
        self.section = section
        self.type = type_
        self.storage = storage
        self.aux = aux


def group_name(name: str, kind: int) -> str:
    """The group that sections of a name belong to.

    >>> group_name("frames", S_NOTE), group_name(".text", S_TEXT), group_name(".pdata", S_NOTE)
    ('.rdata$frames', '.text', '.pdata')
    """
    base, _, prefix = _KINDS[kind]
    if name in _SPECIAL:
        return _SPECIAL[name]
    if name.startswith(prefix):
        return base
    return name if name[:1] == "." else f"{base}${name}"


class _File:
    """The file in the making."""

    __slots__ = (
        "obj", "big", "table", "types", "labels", "sects", "home", "bounds", "raw", "entries", "place", "strings",
        "where", "size",
    )  # fmt: skip

    def __init__(self, obj: Object, big: bool) -> None:
        self.obj = obj
        self.big = big  # whether it has the big-object header
        self.table, self.types = load_format(obj.target)
        self.labels = Labels(obj, "$L")
        self.sects: list[_Sect] = []
        self.home: list[int] = []  # for each model section its number in the file, from 1
        self.bounds: dict[str, int] = {}  # symbols at the ends of groups: number of their section
        self.raw: list[list[tuple[int, int, int]]] = []  # for each section offset, symbol and type of its relocations
        self.entries: list[_Entry] = []
        self.place: list[int] = []  # for each model symbol its index in the file
        self.strings = _Strings()
        self.where: list[tuple[int, int]] = []  # for each section where its contents and its relocations are
        self.size = 0  # of everything before the symbols


def write_coff(obj: Object, big: bool = False) -> bytes:
    """The bytes of the relocatable object; `big` asks for the big-object header where it is not needed.

    Raises ObjectError for what COFF cannot express.
    """
    check_object(obj, "coff")
    check_only_elf(obj, "COFF")
    f = _File(obj, big)
    sections(f)
    symbols(f)
    relocate(f)
    layout(f)
    return emit(f)


def sections(f: _File) -> None:
    """The sections of the file, their contents with the addends stored in them."""
    obj = f.obj
    f.sects, f.home = _sections(obj)
    f.bounds = _bounds(obj, f.sects)
    f.big = f.big or len(f.sects) > MAX_SECTIONS
    for sect in f.sects:
        records: list[tuple[int, int, int]] = []
        if sect.number >= 0:
            s = obj.sections[sect.number]
            if s.relocs:
                data = bytearray(sect.data)
                records = _store_addends(obj, s, data, f.table, f.types, f.labels)
                sect.data = data
        f.raw.append(records)
        sect.count = len(records)


def _sections(obj: Object) -> tuple[list[_Sect], list[int]]:
    """The sections of the file in order, and for each model section its number there (from 1)."""
    leaders: list[list[Symbol]] = [[] for _ in obj.sections]
    for symbol in obj.symbols:
        if symbol.section >= 0 and symbol.kind < K_SECTION:
            leaders[symbol.section].append(symbol)

    def rank(number: int) -> tuple[bool, bool, int]:
        """What describes a section stands behind it; notes in the order of what they describe."""
        s = obj.sections[number]
        return s.link >= 0, s.kind == S_NOTE, s.link if s.kind == S_NOTE else 0

    sects: list[_Sect] = []
    home = [0] * len(obj.sections)
    for number in sorted(range(len(obj.sections)), key=rank):
        s = obj.sections[number]
        group = group_name(s.name, s.kind)
        flags = _KINDS[s.kind][1] if s.raw_flags < 0 else s.raw_flags
        if s.align > 8192:
            raise ObjectError(f"alignment {s.align} of section {s.name} is not a power of two up to 8192")
        if s.size >= 1 << 32:
            raise ObjectError(f"size {s.size} of section {s.name} does not fit the 32 bits of COFF")
        if flags & _OWN_FLAGS:
            raise ObjectError(f"flags {flags & _OWN_FLAGS:#x} of section {s.name} are for the writer to set")
        own = s.name[:1] == "." and group == s.name and s.name not in (".text", ".data", ".bss")
        sect = _Sect(group if own else group + "$m", flags, s.align, number)
        sect.size = s.size
        if flags & IMAGE_SCN_CNT_UNINITIALIZED_DATA:
            if s.data:
                raise ObjectError(f"section {s.name} has {len(s.data)} bytes of contents, but its flags say none")
        else:
            sect.data = bytes(s.size) if s.kind == S_TLSBSS else s.data
            if len(sect.data) != s.size:
                raise ObjectError(f"section {s.name} has {len(sect.data)} bytes of {s.size}")
        found = leaders[number]
        if s.link >= 0 and sects[home[s.link] - 1].selection:
            sect.selection, sect.associate = SELECT_ASSOCIATIVE, home[s.link]
        elif own and all(other.binding != B_WEAK for other in found):
            pass  # of a meaning to the system or the linker (.CRT$XCU, .idata$5): kept without a reference
        elif found and found[0].value == 0 and all(other.binding == B_LOCAL for other in found[1:]) and not s.entry:
            sect.selection = SELECT_ANY if found[0].binding == B_WEAK else SELECT_NODUPLICATES
        elif any(other.binding == B_WEAK for other in found):
            raise ObjectError(f"cannot express weak {found[0].name} in COFF: section {s.name} has other symbols")
        if sect.selection:
            sect.flags |= IMAGE_SCN_LNK_COMDAT
        sects.append(sect)
        home[number] = len(sects)
    return sects, home


def _bounds(obj: Object, sects: list[_Sect]) -> dict[str, int]:
    """Empty sections at the ends of groups; symbol name -> number of its section."""
    out: dict[str, int] = {}
    for symbol in obj.symbols:
        if symbol.section == UNDEF and symbol.name in obj.bounds:
            name, kind, end = obj.bounds[symbol.name]
            sects.append(_Sect(group_name(name, kind) + ("$z" if end else "$a"), _KINDS[kind][1], 8, -1))
            out[symbol.name] = len(sects)
    return out


def _store_addends(
    obj: Object, s: Section, data: bytearray, table: FormatTable, types: dict[str, RelocType], labels: Labels
) -> list[tuple[int, int, int]]:
    """The entries of one section as (offset, symbol, type); addends go into `data`."""
    out: list[tuple[int, int, int]] = []
    in_code = s.kind == S_TEXT
    get = table.get
    zeros = bytes(8)
    for r in sorted(s.relocs, key=lambda r: r.off):
        records = get((r.kind, r.size)) or find_records(obj, s, r, "COFF", types)
        add = r.add
        symbol = r.symbol
        if add and records[0][1].rule > END and _has_no_place(records, data, r.off, add):
            symbol, add = labels.sum_of(s, r, "COFF", "the instruction has no place for it"), 0
        for offset, t in records:
            rule = t.rule
            kind = t.number
            off = r.off + offset
            if rule == END:
                value = add + r.size
                if in_code and -5 <= value < 0 and "REL32_1" in types:
                    kind, value = kind - value, 0  # REL32_1 to REL32_5: bytes follow the field
                if value:
                    store(obj, s, data, r, value, "COFF")
                else:
                    data[off : off + r.size] = zeros[: r.size]
            elif rule == ADR:
                word = int.from_bytes(data[off : off + 4], "little") & 0x9F00001F
                word |= (add & 3) << 29 | (add >> 2 & 0x7FFFF) << 5
                data[off : off + 4] = word.to_bytes(4, "little")
            elif rule in (ADD12, LDST12):
                word = int.from_bytes(data[off : off + 4], "little")
                low = (add & 0xFFF) >> (_access_shift(word) if rule == LDST12 else 0)
                data[off : off + 4] = (word & ~(0xFFF << 10) | low << 10).to_bytes(4, "little")
            elif rule != NONE:
                if not -(1 << 8 * r.size - 1) <= add < 1 << 8 * r.size:
                    raise cannot_express(obj, s, r, "COFF", f"{add} does not fit the field")
                store(obj, s, data, r, add, "COFF")
            out.append((off, symbol, kind))
    return out


def _access_shift(word: int) -> int:
    """log2 of the bytes that an arm64 load or store with unsigned offset accesses (Arm ARM C4.1.94)."""
    shift = word >> 30
    if word & 0x04800000 == 0x04800000:  # 128-bit vector
        shift += 4
    return shift


def _has_no_place(records: tuple[tuple[int, RelocType], ...], data: bytearray, off: int, add: int) -> bool:
    for offset, t in records:
        if t.rule == NONE or (t.rule == ADR and not -(1 << 20) <= add < 1 << 20):
            return True
        if t.rule == LDST12:
            word = int.from_bytes(data[off + offset : off + offset + 4], "little")
            if add & (1 << _access_shift(word)) - 1:
                return True
    return False


def symbols(f: _File) -> None:
    """The symbols of the file, and for each model symbol its index there (auxiliary records count)."""
    obj, labels, sects, home, bounds, big = f.obj, f.labels, f.sects, f.home, f.bounds, f.big
    entries, place = f.entries, f.place
    next_index = 0
    if obj.target.safe_handlers:
        entries.append(_Entry("@feat.00", 1, SYM_ABSOLUTE, 0, CLASS_STATIC))  # no handlers but registered ones
        next_index = 1
    section_index: list[int] = []
    for i, sect in enumerate(sects, 1):
        relocs = min(sect.count, MAX_RELOCS)
        associate = sect.associate
        aux = pack("<IHHIHBBH", sect.size, relocs, 0, 0, associate & 0xFFFF, sect.selection, 0, associate >> 16)
        section_index.append(next_index)
        entries.append(_Entry(sect.name, 0, i, 0, CLASS_STATIC, aux))
        next_index += 2
    used = Names()
    prefix = obj.target.prefix
    made_from = len(obj.symbols)
    for number, s in enumerate(obj.symbols + labels.made):
        place.append(next_index)
        name = s.name
        if s.kind == K_FILE:
            text = name.encode("utf-8", "surrogateescape")
            step = 20 if big else 18
            if len(text) > 255 * step:
                raise ObjectError(f"file name {name[:40]}... of {len(text)} bytes is too long: COFF has {255 * step}")
            aux = text + bytes(-len(text) % step)
            entries.append(_Entry(".file", 0, SYM_DEBUG, 0, CLASS_FILE, aux))
            next_index += 1 + len(aux) // step
            continue
        if s.kind == K_SECTION and s.section >= 0:
            place[-1] = section_index[home[s.section] - 1]
            continue
        if name[:1] == "\1":
            name = name[1:]
        elif number < made_from:
            name = prefix + name
        used.add(s, name)
        next_index += 1
        type_ = TYPE_FUNCTION if s.kind == K_FUNC else 0
        storage = CLASS_STATIC if s.binding == B_LOCAL else CLASS_EXTERNAL
        if s.section == UNDEF:
            if s.name in bounds:
                entries.append(_Entry(name, 0, bounds[s.name], 0, CLASS_STATIC))
            elif s.binding == B_WEAK:
                aux = pack("<II", next_index + 1, WEAK_SEARCH_NOLIBRARY) + bytes(10)
                entries.append(_Entry(name, 0, SYM_UNDEFINED, type_, CLASS_WEAK_EXTERNAL, aux))
                entries.append(_Entry(f".weak.{name}.default", 0, SYM_ABSOLUTE, 0, CLASS_STATIC))
                next_index += 2
            else:
                entries.append(_Entry(name, 0, SYM_UNDEFINED, type_, storage))
        elif s.section == ABSOLUTE:
            entries.append(_Entry(name, s.value, SYM_ABSOLUTE, type_, storage))
        else:
            entries.append(_Entry(name, s.value, home[s.section], type_, storage))


def relocate(f: _File) -> None:
    """The relocations of each section, with the places of the symbols they name."""
    pack_reloc = Struct("<IIH").pack
    place = f.place
    for sect, records in zip(f.sects, f.raw, strict=True):
        parts = [pack_reloc(off, place[symbol], type_) for off, symbol, type_ in records]
        if len(parts) >= MAX_RELOCS:
            sect.flags |= IMAGE_SCN_LNK_NRELOC_OVFL
            parts.insert(0, pack_reloc(len(parts) + 1, 0, 0))
            sect.count = MAX_RELOCS
        sect.relocs = b"".join(parts)


class _Strings:
    """The string table: a 4-byte size, then names that do not fit their field."""

    __slots__ = ("data", "index")

    def __init__(self) -> None:
        self.data = bytearray(4)
        self.index: dict[bytes, int] = {}

    def add(self, name: bytes) -> int:
        """The offset of a name."""
        offset = self.index.get(name)
        if offset is None:
            offset = self.index[name] = len(self.data)
            self.data += name + b"\0"
        return offset


_DIGITS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def section_name_field(name: bytes, strings: _Strings) -> bytes:
    """Eight bytes: the name, or where it is: `/decimal`, from 10,000,000 on `//` and six base-64 digits."""
    if len(name) <= 8:
        return name
    offset = strings.add(name)
    if offset < 10_000_000:
        return b"/%d" % offset
    out = bytearray(b"//AAAAAA")
    for i in range(7, 1, -1):
        out[i] = _DIGITS[offset & 63]
        offset >>= 6
    return bytes(out)


def layout(f: _File) -> None:
    """Where in the file contents and relocations of the sections are."""
    where = (56 if f.big else 20) + 40 * len(f.sects)
    for sect in f.sects:
        data_at = reloc_at = 0
        if sect.data:
            data_at = where + -where % 4
            where = data_at + len(sect.data)
        if sect.relocs:
            reloc_at = where
            where += len(sect.relocs)
        f.where.append((data_at, reloc_at))
    f.size = where + -where % 4
    if f.size >= 1 << 32:
        raise ObjectError("the object is larger than 4 GiB")


def emit(f: _File) -> bytes:
    """The bytes: headers, contents and relocations of each section, symbols, strings."""
    target, strings, big = f.obj.target, f.strings, f.big
    header_size = 56 if big else 20
    out = bytearray(header_size + 40 * len(f.sects))
    at = header_size
    body: list[bytes | bytearray] = []
    where = len(out)
    for sect, (data_at, reloc_at) in zip(f.sects, f.where, strict=True):
        if sect.data:
            body += [bytes(data_at - where), sect.data]
            where = data_at + len(sect.data)
        if sect.relocs:
            body.append(sect.relocs)
            where += len(sect.relocs)
        name = section_name_field(sect.name.encode("utf-8", "surrogateescape"), strings)
        pack_into("<8sIIIIIIHHI", out, at, name, 0, 0, sect.size, data_at, reloc_at, 0, sect.count, 0, sect.flags)
        at += 40
    body.append(bytes(f.size - where))
    size = 20 if big else 18
    pack_symbol = Struct("<8sIiHBB" if big else "<8sIhHBB").pack
    count = 0
    for e in f.entries:
        name = e.name.encode("utf-8", "surrogateescape")
        if len(name) > 8:
            name = pack("<II", 0, strings.add(name))
        if not 0 <= e.value < 1 << 32:
            raise ObjectError(f"value {e.value:#x} of {e.name} does not fit 32 bits")
        section = e.section
        if not big and section > 0x7FFF:
            section -= 0x10000
        aux = e.aux
        if big and len(aux) % 20:
            aux = aux.ljust(20, b"\0")
        body.append(pack_symbol(name, e.value, section, e.type, e.storage, len(aux) // size))
        body.append(aux)
        count += 1 + len(aux) // size
    pack_into("<I", strings.data, 0, len(strings.data))
    body.append(strings.data)
    if big:
        pack_into(
            "<HHHHI16sIIIIIII",
            out,
            0,
            0,
            0xFFFF,
            2,
            target.machine,
            0,
            BIGOBJ_CLASS,
            0,
            0,
            0,
            0,
            len(f.sects),
            f.size,
            count,
        )
    else:
        pack_into("<HHIIIHH", out, 0, target.machine, len(f.sects), 0, f.size, count, 0, 0)
    result = bytes(out) + b"".join(body)
    assert len(result) == f.size + count * size + len(strings.data), "reserved and written sizes differ"
    return result
