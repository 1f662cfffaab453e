"""Mach-O relocatable objects for 64-bit machines: <mach-o/loader.h>, <mach-o/nlist.h>, <mach-o/reloc.h>.

Problem: the model has one section per function, Mach-O at most 255 in all.  Method: sections of one kind
are joined, and MH_SUBSECTIONS_VIA_SYMBOLS tells the linker to cut them up again at symbols, so a model section is an
*atom* that is kept, dropped and moved as a whole.  Invariants: every atom starts with a symbol (a local one is
made where the object has none) and symbols inside it are N_ALT_ENTRY, which do not cut.

Notes have S_ATTR_LIVE_SUPPORT: kept if something they refer to is kept, which is what SHF_LINK_ORDER does in ELF.
There is no order by another section; the linkers lay out atoms in the order of the command line and of the objects,
so notes are written in the order of the code they describe, and both come out in the same order.

The ends of a section are the linker's `section$start$SEG$SECT` and `section$end$SEG$SECT` (Object.bounds).

Thread-local data: the storage becomes `NAME$tlv$init` in __thread_bss, the name itself a descriptor of three words
in __thread_vars that R_TLVP relocations load.
"""

from __future__ import annotations

from struct import Struct, pack
from typing import Final

from objwriter.check import Names, check_object, check_only_elf
from objwriter.inplace import Labels, cannot_express, find_records, store
from objwriter.model import (
    ABSOLUTE,
    B_LOCAL,
    B_WEAK,
    K_FILE,
    K_OBJECT,
    K_SECTION,
    K_TLS,
    S_BSS,
    S_DATA,
    S_INFO,
    S_NOTE,
    S_RELRO,
    S_RODATA,
    S_TEXT,
    SECTION_KINDS,
    UNDEF,
    Object,
    ObjectError,
    Relocation,
    Section,
    Symbol,
)
from objwriter.relocs.formats import DIFF, END, GOT, LABELLED, NONE, PAIR, load_format
from objwriter.relocs.x86_code import GOT_MOVQ, got_forms
from objwriter.strtab import build_strtab

MH_MAGIC_64: Final = 0xFEEDFACF
MH_OBJECT: Final = 1
MH_SUBSECTIONS_VIA_SYMBOLS: Final = 0x2000
LC_SYMTAB: Final = 2
LC_DYSYMTAB: Final = 0xB
LC_SEGMENT_64: Final = 0x19
LC_BUILD_VERSION: Final = 0x32
PLATFORM_MACOS: Final = 1
N_UNDF: Final = 0
N_EXT: Final = 1
N_ABS: Final = 2
N_SECT: Final = 0xE
N_PEXT: Final = 0x10
N_WEAK_REF: Final = 0x40
N_WEAK_DEF: Final = 0x80
N_ALT_ENTRY: Final = 0x200
S_ZEROFILL: Final = 1
S_THREAD_LOCAL_REGULAR: Final = 0x11
S_THREAD_LOCAL_ZEROFILL: Final = 0x12
S_THREAD_LOCAL_VARIABLES: Final = 0x13
S_ATTR_LIVE_SUPPORT: Final = 0x08000000
MAX_SECTIONS: Final = 255
MAX_SYMBOLS: Final = 1 << 24  # that relocations can name
_ZERO: Final = (S_ZEROFILL, S_THREAD_LOCAL_ZEROFILL)  # without contents
_THREAD: Final = (S_THREAD_LOCAL_REGULAR, S_THREAD_LOCAL_ZEROFILL)
_MAX_NAME: Final = 16

# Section.kind -> segment, section, flags, prefix of the names that build.py gives.
_KINDS: Final = (
    ("__TEXT", "__text", 0x80000400, ".text."),
    ("__TEXT", "__const", 0, ".rodata."),
    ("__DATA", "__const", 0, ".data.rel.ro."),
    ("__DATA", "__data", 0, ".data."),
    ("__DATA", "__bss", S_ZEROFILL, ".bss."),
    ("__DATA", "__thread_bss", S_THREAD_LOCAL_ZEROFILL, ".tbss."),
    ("__TEXT", "__note", S_ATTR_LIVE_SUPPORT, ".note."),
    ("__DWARF", "__debug", 0x02000000, ".info."),
    ("__DATA", "__thread_data", S_THREAD_LOCAL_REGULAR, ".tdata."),
)
assert len(_KINDS) == len(SECTION_KINDS)
# Names with a meaning of their own: ELF's -> segment, section, flags.
_SPECIAL: Final = {
    ".text": ("__TEXT", "__text", 0x80000400),
    ".rodata": ("__TEXT", "__const", 0),
    ".data": ("__DATA", "__data", 0),
    ".bss": ("__DATA", "__bss", S_ZEROFILL),
    ".tdata": ("__DATA", "__thread_data", S_THREAD_LOCAL_REGULAR),
    ".eh_frame": ("__TEXT", "__eh_frame", 0x6800000B),
    ".compact_unwind": ("__LD", "__compact_unwind", 0x02000000),
    ".init_array": ("__DATA", "__mod_init_func", 9),
}
_LITERALS: Final = {4: ("__literal4", 3), 8: ("__literal8", 4), 16: ("__literal16", 0xE)}
_RANK: Final = (0, 1, 3, 4, 6, 6, 2, 5, 4)  # order in the file by kind; zero-filled sections last
assert [_RANK[k] for k in (S_TEXT, S_RODATA, S_NOTE, S_RELRO, S_DATA, S_INFO, S_BSS)] == list(range(7))


class _Sect:
    """A section of the file: the model sections joined in it, with their offsets."""

    __slots__ = ("seg", "name", "flags", "align", "members", "address", "size", "rank", "relocs", "offset")

    def __init__(self, seg: str, name: str, flags: int, rank: int) -> None:
        self.seg = seg
        self.name = name
        self.flags = flags
        self.align = 1
        self.members: list[int] = []
        self.address = 0
        self.size = 0
        self.rank = rank
        self.relocs: list[bytes] = []
        self.offset = 0


class _File:
    """The file in the making."""

    __slots__ = (
        "obj", "minos", "sdk", "unsigned_addends", "table", "types", "labels", "sects", "home", "address", "contents",
        "raw", "symtab", "place", "counts", "strtab", "base", "file_size", "relocs_at", "symbols_at", "size",
    )  # fmt: skip

    def __init__(self, obj: Object, minos: int, sdk: int, unsigned_addends: bool) -> None:
        self.obj = obj
        self.minos = minos
        self.sdk = sdk
        self.unsigned_addends = unsigned_addends
        self.table, self.types = load_format(obj.target)
        self.labels = Labels(obj, "l_mark.")
        self.sects: list[_Sect] = []
        self.home: list[int] = []  # for each model section the index of its section in the file
        self.address: list[int] = []  # and its address
        self.contents: list[bytes | bytearray] = []  # and its bytes, addends in them
        self.raw: list[list[tuple[int, int, int, int]]] = []  # and its relocations
        self.symtab = b""
        self.place: list[int] = []  # for each model symbol its index in the file
        self.counts = (0, 0, 0)  # of local, defined and undefined symbols
        self.strtab = b""
        self.base = 0  # where the contents begin
        self.file_size = 0  # of the contents
        self.relocs_at = 0
        self.symbols_at = 0
        self.size = 0


def write_macho(obj: Object, minos: str = "11.0", sdk: str = "11.0", unsigned_addends: bool = False) -> bytes:
    """The bytes of the relocatable object, for macOS `minos` and later.

    `unsigned_addends` is for linkers that take arm64 ADDEND records for unsigned (docs/objwriter.md): a negative one is
    then a label at the sum, or an error where there can be none.  Raises ObjectError for what Mach-O cannot express.
    """
    check_object(obj, "macho")
    check_only_elf(obj, "Mach-O")
    f = _File(_with_descriptors(obj), _version(minos), _version(sdk), unsigned_addends)
    sections(f)
    symbols(f)
    relocate(f)
    layout(f)
    return emit(f)


def sections(f: _File) -> None:
    """The sections of the file with their addresses, their contents with the addends stored in them."""
    obj = f.obj
    f.sects, f.home, f.address = _place(obj)
    atoms = _atoms(obj, f.home, f.sects, f.labels)
    starts: list[list[int]] = obj.code_starts()
    for number, s in enumerate(obj.sections):
        data: bytes | bytearray = s.data
        records: list[tuple[int, int, int, int]] = []
        if f.sects[f.home[number]].flags & 0xFF in _ZERO:
            if data:
                raise ObjectError(f"section {s.name} has {len(data)} bytes of contents, but its type has none")
        elif len(data) != s.size:
            raise ObjectError(f"section {s.name} has {len(data)} bytes of {s.size}")
        if s.relocs:
            data = bytearray(data)
            records = _store_addends(f, number, data, atoms, starts)
        f.contents.append(data)
        f.raw.append(records)


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _version(text: str) -> int:
    """`X.Y.Z` as the nibbles xxxx.yy.zz.

    >>> hex(_version("11.2"))
    '0xb0200'
    """
    parts = text.split(".") + ["0", "0"]
    if not all(p.isascii() and p.isdigit() for p in parts) or len(parts) > 5:
        raise ObjectError(f"{text} is not a version X.Y.Z")
    x, y, z = int(parts[0]), int(parts[1]), int(parts[2])
    if x > 0xFFFF or y > 0xFF or z > 0xFF:
        raise ObjectError(f"{text} is not a version X.Y.Z")
    return x << 16 | y << 8 | z


def _with_descriptors(obj: Object) -> Object:
    """The object with a descriptor for each thread-local symbol; itself when there is none."""
    if not any(s.kind == K_TLS and s.section >= 0 for s in obj.symbols):
        return obj
    out = Object(obj.target)
    out.flags, out.bounds = obj.flags, obj.bounds
    out.sections = list(obj.sections)
    out.symbols = list(obj.symbols)
    bootstrap = len(out.symbols)
    out.symbols.append(Symbol("_tlv_bootstrap", UNDEF))
    for i, s in enumerate(obj.symbols):
        if s.kind == K_TLS and s.section >= 0:
            if section_of(obj.sections[s.section])[2] & 0xFF not in _THREAD:
                raise ObjectError(
                    f"symbol {s.name} is thread-local, but its section {obj.sections[s.section].name} is not"
                )
            section = Section("__DATA,__thread_vars", S_DATA, 8)
            section.raw_flags = S_THREAD_LOCAL_VARIABLES
            section.data = bytes(24)
            section.size = 24
            storage = len(out.symbols)
            out.symbols.append(Symbol(s.name + "$tlv$init", s.section, s.value, s.size, K_OBJECT, B_LOCAL))
            section.relocs = [Relocation(0, 8, "R_ADDR", bootstrap, 0), Relocation(16, 8, "R_ADDR", storage, 0)]
            descriptor = Symbol(s.name, len(out.sections), 0, 24, K_OBJECT, s.binding)
            descriptor.hidden = s.hidden
            out.symbols[i] = descriptor
            out.sections.append(section)
    return out


def section_of(s: Section) -> tuple[str, str, int]:
    """Segment, section and flags for a model section: by kind, or by the name where that is no default one."""
    seg, name, flags, prefix = _KINDS[s.kind]
    if s.entry in _LITERALS and s.kind == S_RODATA:
        name, flags = _LITERALS[s.entry]
    elif not s.name.startswith(prefix):
        seg, name, flags = named_section(s.name, s.kind)
    elif s.kind == S_RODATA and any(r.kind == "R_ADDR" for r in s.relocs):
        seg, name, flags, _ = _KINDS[S_RELRO]  # addresses are relocated at load time: not in __TEXT
    return seg, name, flags if s.raw_flags < 0 else s.raw_flags


def named_section(name: str, kind: int) -> tuple[str, str, int]:
    """Segment, section and flags of a section with a name of its own: `SEG,SECT`, one of ELF's, or any.

    >>> named_section("frames", S_NOTE)
    ('__TEXT', '__frames', 134217728)
    """
    if name in _SPECIAL:
        return _SPECIAL[name]
    seg, _, flags, _ = _KINDS[kind]
    if "," in name:
        seg, _, name = name.partition(",")
    else:
        name = "__" + name.lstrip("._")
    for part in (seg, name):
        if not 0 < len(part.encode("utf-8", "surrogateescape")) <= _MAX_NAME:
            raise ObjectError(f"cannot express the name {part} in Mach-O: segments and sections have 16 bytes")
    return seg, name, flags


def _place(obj: Object) -> tuple[list[_Sect], list[int], list[int]]:
    """The file's sections, and for each model section the index of its own and its address."""
    by_key: dict[tuple[str, str], _Sect] = {}
    found: list[_Sect] = []
    for number, s in enumerate(obj.sections):
        seg, name, flags = section_of(s)
        sect = by_key.get((seg, name))
        if sect is None:
            sect = by_key[seg, name] = _Sect(seg, name, flags, _RANK[s.kind])
            found.append(sect)
        elif sect.flags != flags:
            raise ObjectError(f"section {seg},{name} has two kinds of contents ({s.name})")
        if s.align < 1 or s.align & (s.align - 1) or s.align > 1 << 15:
            raise ObjectError(f"alignment {s.align} of section {s.name} is not a power of two up to 32768")
        if s.align > sect.align:
            sect.align = s.align
        sect.members.append(number)
    sects = sorted(found, key=lambda sect: sect.rank)
    if len(sects) > MAX_SECTIONS:
        raise ObjectError(f"{len(sects)} sections with names of their own: Mach-O has at most {MAX_SECTIONS}")
    home = [0] * len(obj.sections)
    address = [0] * len(obj.sections)
    where = 0
    for i, sect in enumerate(sects):
        if obj.sections[sect.members[0]].kind == S_NOTE:
            sect.members.sort(key=lambda number: obj.sections[number].link)
        where += -where % sect.align
        sect.address = where
        for number in sect.members:
            s = obj.sections[number]
            where += -where % s.align
            home[number], address[number] = i, where
            where += s.size
        sect.size = where - sect.address
        if where >= 1 << 64:
            raise ObjectError(f"the sections of the object do not fit 64 bits ({sect.seg},{sect.name})")
    return sects, home, address


def _atoms(obj: Object, home: list[int], sects: list[_Sect], labels: Labels) -> list[int]:
    """For each model section the symbol at its start that differences are taken from."""
    atoms = [-1] * len(obj.sections)
    for i, s in enumerate(obj.symbols):
        if s.section >= 0 and s.value == 0 and s.binding != B_WEAK and s.kind < K_SECTION and atoms[s.section] < 0:
            atoms[s.section] = i
    started = list(atoms)
    for i, s in enumerate(obj.symbols):
        if s.section >= 0 and s.value == 0 and s.kind < K_SECTION:
            started[s.section] = i
    for number, section in enumerate(obj.sections):
        if atoms[number] < 0 and not section.entry and section.kind != S_INFO and sects[home[number]].seg != "__LD":
            needed = started[number] < 0 or any(r.kind.startswith("R_PCREL") for r in section.relocs)
            if needed:
                atoms[number] = labels.at(number, 0)
    return atoms


def _store_addends(
    f: _File, number: int, data: bytearray, atoms: list[int], starts: list[list[int]]
) -> list[tuple[int, int, int, int]]:
    """The entries of one model section, highest offset first, as (offset, symbol or -1, rest, number);
    addends go into `data`."""
    obj, table, types, labels, unsigned_addends = f.obj, f.table, f.types, f.labels, f.unsigned_addends
    s = obj.sections[number]
    out: list[tuple[int, int, int, int]] = []
    append = out.append
    in_code = s.kind == S_TEXT
    is_note = s.kind == S_NOTE
    subtractor = types["SUBTRACTOR"]
    addend = types.get("ADDEND")
    external = 1 << 27
    forms: dict[int, int] | None = None
    get = table.get
    zeros = bytes(8)
    for r in sorted(s.relocs, key=_descending):
        records = get((r.kind, r.size)) or find_records(obj, s, r, "MACHO", types)
        symbol = r.symbol
        add = r.add
        if obj.symbols[symbol].kind == K_SECTION:
            symbol = labels.at(obj.symbols[symbol].section, 0)
        elif is_note and obj.symbols[symbol].binding == B_WEAK and obj.symbols[symbol].section >= 0:
            # A place in this very definition, which goes when another object's is taken: no name that both share.
            # The linkers move labels at the start of such an atom over to the other, so it lies behind that.
            to = obj.symbols[symbol]
            inside = max(min(to.value + add, obj.sections[to.section].size - 1), 0)
            symbol, add = labels.at(to.section, inside), to.value + add - inside
        length = r.size.bit_length() - 1 if len(records) == 1 else 2
        for offset, t in records:
            rule = t.rule
            kind = t.number
            off = r.off + offset
            if not in_code and t.name == "SIGNED":
                t, rule = subtractor, DIFF
            if rule == DIFF:
                if atoms[number] < 0:
                    raise cannot_express(obj, s, r, "MACHO", "no symbol to subtract")
                store(obj, s, data, r, add - off, "MACHO")
                append((off, atoms[number], length << 25 | external | subtractor.number << 28, 0))
                append((off, symbol, length << 25 | external, 0))
                continue
            if rule == END:
                value = add + r.size
                if t.name == "SIGNED" and value in (-1, -2, -4):
                    kind = types[f"SIGNED_{-value}"].number
                if value:
                    store(obj, s, data, r, value, "MACHO")
                else:
                    data[off : off + r.size] = zeros[: r.size]
            elif rule == GOT:
                if add != -r.size:
                    raise cannot_express(obj, s, r, "MACHO", "the entry of a table has no offset")
                if t.name == "GOT_LOAD":
                    if forms is None:
                        forms = got_forms(data, starts[number]) if in_code else {}
                    if forms.get(off) != GOT_MOVQ:
                        kind = types["GOT"].number  # not a MOVQ load, which alone may become LEAQ
                store(obj, s, data, r, 0, "MACHO")
            elif rule == NONE:
                if add:
                    raise cannot_express(obj, s, r, "MACHO", "the entry of a table has no offset")
            elif rule in (PAIR, LABELLED):
                labelled = rule == LABELLED or (unsigned_addends and add < 0)
                if not -(1 << 23) <= add < 1 << 23 or (add and labelled and labels.possible(r)):
                    symbol, add = labels.sum_of(s, r, "MACHO", "the addend has 24 bits"), 0
                if add:
                    assert addend is not None
                    if add < 0 and unsigned_addends:
                        raise cannot_express(obj, s, r, "MACHO", "the linker takes addends for unsigned")
                    append((off, -1, 2 << 25 | addend.number << 28, add & 0xFFFFFF))
            else:
                store(obj, s, data, r, add, "MACHO")
            append((off, symbol, t.pcrel << 24 | length << 25 | external | kind << 28, 0))
    return out


def _descending(r: Relocation) -> int:
    return -r.off


def symbols(f: _File) -> None:
    """The symbol table with its strings, the place of each symbol, how many are local, defined and undefined."""
    obj, labels, home, address = f.obj, f.labels, f.home, f.address
    every = obj.symbols + labels.made
    made_from = len(obj.symbols)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for i, s in enumerate(every):
        if s.kind not in (K_FILE, K_SECTION):
            parts[0 if s.binding == B_LOCAL else 2 if s.section == UNDEF else 1].append(i)
    place = [-1] * len(every)
    names: list[str] = []
    fields: list[tuple[int, int, int, int]] = []
    for i in parts[0] + parts[1] + parts[2]:
        s = every[i]
        section = s.section
        place[i] = len(fields)
        desc = 0
        if section == UNDEF:
            type_, sect, value = N_UNDF | N_EXT, 0, 0
            if s.binding == B_WEAK:
                desc = N_WEAK_REF
        else:
            type_, sect, value = N_ABS, 0, s.value
            if section != ABSOLUTE:
                type_, sect, value = N_SECT, home[section] + 1, address[section] + s.value
                if s.value and not obj.sections[section].entry:
                    desc = N_ALT_ENTRY
            if s.binding != B_LOCAL:
                type_ |= N_EXT | (N_PEXT if s.hidden else 0)
                if s.binding == B_WEAK:
                    desc |= N_WEAK_DEF
        fields.append((type_, sect, desc, value))
        if i >= made_from:
            names.append(s.name)
        elif section >= 0 and obj.sections[section].entry and s.binding == B_LOCAL:
            names.append("l_" + s.name)  # entries of literal sections may be joined: a name private to the linker
        else:
            names.append(_mangle(obj, s))
    used = Names()
    for i, name in zip(parts[0] + parts[1] + parts[2], names, strict=True):
        used.add(every[i], name)
    strtab, offsets = build_strtab(names)
    nlist = Struct("<IBBHQ").pack
    f.symtab = b"".join([nlist(offsets[name], *field) for name, field in zip(names, fields, strict=True)])
    f.strtab = strtab + bytes(-len(strtab) % 8)
    f.place = place
    f.counts = len(parts[0]), len(parts[1]), len(parts[2])


def _mangle(obj: Object, s: Symbol) -> str:
    """C names have an underscore; a name that starts with \\1 is taken as it is."""
    name = s.name
    if s.section == UNDEF and name in obj.bounds:
        section, kind, end = obj.bounds[name]
        seg, sect, _ = named_section(section, kind)
        return f"section${'end' if end else 'start'}${seg}${sect}"
    return name[1:] if name[:1] == "\1" else "_" + name


def relocate(f: _File) -> None:
    """The relocations of each section of the file, with the places of the symbols they name."""
    obj, place, address, raw = f.obj, f.place, f.address, f.raw
    if len(place) >= MAX_SYMBOLS and any(raw):
        raise ObjectError(f"{len(place)} symbols: a relocation of Mach-O has 24 bits for one")
    pack_reloc = Struct("<iI").pack
    for sect in f.sects:
        append = sect.relocs.append
        for number in reversed(sect.members):  # highest address first, as the system's tools write them
            base = address[number] - sect.address
            if raw[number] and base + obj.sections[number].size > 1 << 31:
                raise ObjectError(
                    f"relocation in {obj.sections[number].name} lies beyond the first 2 GiB of its section"
                )
            for off, symbol, info, add in raw[number]:
                append(pack_reloc(base + off, (add if symbol < 0 else place[symbol]) | info))


def layout(f: _File) -> None:
    """Where in the file contents, relocations, symbols and strings are."""
    filled = [sect for sect in f.sects if sect.flags & 0xFF not in _ZERO]
    f.file_size = max((sect.address + sect.size for sect in filled), default=0)
    base = 32 + _commands_size(f)
    f.base = base + -base % max((sect.align for sect in filled), default=8)
    end = f.base + f.file_size
    if end >= 1 << 32:
        raise ObjectError("the object is larger than 4 GiB")
    f.relocs_at = end + -end % 8
    for sect in filled:
        sect.offset = f.base + sect.address
    f.symbols_at = f.relocs_at + 8 * sum([len(sect.relocs) for sect in f.sects])
    f.size = f.symbols_at + len(f.symtab) + len(f.strtab)


def _commands_size(f: _File) -> int:
    return 72 + 80 * len(f.sects) + 24 + 24 + 80


def emit(f: _File) -> bytes:
    """The bytes: header, commands, contents, relocations, symbols, strings."""
    obj, target, sects = f.obj, f.obj.target, f.sects
    filled = [sect for sect in sects if sect.flags & 0xFF not in _ZERO]
    memory_size = max((sect.address + sect.size for sect in sects), default=0)
    out = bytearray()
    where = f.relocs_at
    headers = bytearray()
    for sect in sects:
        start = where if sect.relocs else 0
        shift = sect.align.bit_length() - 1
        headers += pack("<16s16sQQ", _bytes(sect.name), _bytes(sect.seg), sect.address, sect.size)
        headers += pack("<8I", sect.offset, shift, start, len(sect.relocs), sect.flags, 0, 0, 0)
        where += 8 * len(sect.relocs)
    count = sum(f.counts)
    flags = MH_SUBSECTIONS_VIA_SYMBOLS
    out += pack("<8I", MH_MAGIC_64, target.machine, target.flags, MH_OBJECT, 4, _commands_size(f), flags, 0)
    segment = (72 + 80 * len(sects), b"", 0, memory_size, f.base, f.file_size, 7, 7, len(sects), 0)
    out += pack("<II16sQQQQiiII", LC_SEGMENT_64, *segment)
    out += headers
    out += pack("<6I", LC_BUILD_VERSION, 24, PLATFORM_MACOS, f.minos, f.sdk, 0)
    out += pack("<6I", LC_SYMTAB, 24, f.symbols_at, count, f.symbols_at + 16 * count, len(f.strtab))
    local, defined, undefined = f.counts
    out += pack("<8I", LC_DYSYMTAB, 80, 0, local, local, defined, local + defined, undefined) + bytes(48)
    parts: list[bytes | bytearray] = [out, bytes(f.base - len(out))]
    done = 0
    for sect in filled:
        fill = target.filler if sect.flags & 0x80000000 else b"\0"
        for number in sect.members:
            gap = f.address[number] - done
            parts.append(bytes(gap) if gap % len(fill) or done < sect.address else fill * (gap // len(fill)))
            parts.append(f.contents[number])
            done = f.address[number] + obj.sections[number].size
    parts.append(bytes(f.relocs_at - f.base - f.file_size))
    for sect in sects:
        parts += sect.relocs
    parts += [f.symtab, f.strtab]
    result = b"".join(parts)
    assert len(result) == f.size, "reserved and written sizes differ"
    return result
