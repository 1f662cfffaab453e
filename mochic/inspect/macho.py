"""Mach-O objects, programs and libraries (<mach-o/loader.h>, <mach-o/nlist.h>, <mach-o/reloc.h>).

The load commands and what they point to are checked and read here, since lief does not say that something is missing
and gives relocations by their place in the file.  lief reads the compressed tables of linked files: bindings,
rebases and exports.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, Final

from mochic.inspect.archive import CPUS
from mochic.inspect.image import Damage, Image, Relocation, Section, Symbol, fields, padded, string_at, within
from mochic.inspect.readers import lief_name, lief_parse, reading

_HEADER: Final = Struct("<IiIIIII")
_COMMAND: Final = Struct("<II")
_SEGMENT: Final = Struct("<16sIIIIiiII")
_SEGMENT64: Final = Struct("<16sQQQQiiII")
_SECTION: Final = Struct("<16s16sIIIIIIIII")
_SECTION64: Final = Struct("<16s16sQQIIIIIIII")
_NLIST: Final = Struct("<IBBHI")
_NLIST64: Final = Struct("<IBBHQ")
_RELOCATION: Final = Struct("<II")
_TYPES: Final = (
    "", "OBJECT", "EXECUTE", "FVMLIB", "CORE", "PRELOAD", "DYLIB", "DYLINKER", "BUNDLE", "DYLIB_STUB", "DSYM",
    "KEXT_BUNDLE", "FILESET",
)  # fmt: skip
_FLAGS: Final = (
    "NOUNDEFS INCRLINK DYLDLINK BINDATLOAD PREBOUND SPLIT_SEGS LAZY_INIT TWOLEVEL FORCE_FLAT NOMULTIDEFS"
    " NOFIXPREBINDING PREBINDABLE ALLMODSBOUND SUBSECTIONS_VIA_SYMBOLS CANONICAL WEAK_DEFINES BINDS_TO_WEAK"
    " ALLOW_STACK_EXECUTION ROOT_SAFE SETUID_SAFE NO_REEXPORTED_DYLIBS PIE DEAD_STRIPPABLE_DYLIB"
    " HAS_TLV_DESCRIPTORS NO_HEAP_EXECUTION APP_EXTENSION_SAFE"
).split()
_SECTION_TYPES: Final = (
    "REGULAR ZEROFILL CSTRINGS LITERALS4 LITERALS8 LITERAL_PTRS POINTERS LAZY_PTRS STUBS INIT_PTRS TERM_PTRS COALESCED"
    " GB_ZEROFILL INTERPOSING LITERALS16 DTRACE LAZY_DYLIB TLS TLS_ZEROFILL TLS_VARS TLS_PTRS TLS_INIT_PTRS"
    " INIT_OFFSETS"
).split()
_ZEROFILL: Final = (1, 12, 18)
_PLATFORMS: Final = ("", "macOS", "iOS", "tvOS", "watchOS", "bridgeOS", "Mac Catalyst", "iOS simulator")
_RELOCATIONS: Final = {
    "x86_64": "X86_64_RELOC_ UNSIGNED SIGNED BRANCH GOT_LOAD GOT SUBTRACTOR SIGNED_1 SIGNED_2 SIGNED_4 TLV",
    "arm64": "ARM64_RELOC_ UNSIGNED SUBTRACTOR BRANCH26 PAGE21 PAGEOFF12 GOT_LOAD_PAGE21 GOT_LOAD_PAGEOFF12"
    " POINTER_TO_GOT TLVP_LOAD_PAGE21 TLVP_LOAD_PAGEOFF12 ADDEND AUTHENTICATED_POINTER",
    "i386": "GENERIC_RELOC_ VANILLA PAIR SECTDIFF PB_LA_PTR LOCAL_SECTDIFF TLV",
}
_CODE: Final = 0x80000400  # pure instructions, some instructions
# Load commands that have the place and size of a part of __LINKEDIT.
_PARTS: Final = {
    0x1D: "the signature", 0x1E: "the split information", 0x26: "the starts of functions", 0x29: "the data in code",
    0x2B: "the signatures of libraries", 0x2E: "the hints of the linker", 0x33: "the exports", 0x34: "the fixups",
}  # fmt: skip
_DYLIBS: Final = {0xC: "", 0xD: "id", 0x80000018: " (weak)", 0x8000001F: " (re-exported)", 0x23: " (upward)"}


def _version(word: int) -> str:
    return f"{word >> 16}.{word >> 8 & 255}" + (f".{word & 255}" if word & 255 else "")


class _Reader:
    """One thin file: what its load commands say goes into `image`."""

    def __init__(self, data: bytes, image: Image) -> None:
        self.data = data
        self.wide = data[0] == 0xCF
        magic, cpu, _, kind, count, size, flags = fields(data, _HEADER, "the header", 0)
        self.cpu = CPUS.get(cpu, "")
        name = _TYPES[kind] if kind < len(_TYPES) else str(kind)
        self.image = image
        image.title = f"Mach-O {64 if magic & 1 else 32} bits {self.cpu or f'cpu {cpu:#x}'} {name}"
        self.image.cpu = {"arm64": "aarch64"}.get(self.cpu, self.cpu)
        self.image.prefix = "_"
        self.image.linked = kind != 1
        words = [f for bit, f in enumerate(_FLAGS) if flags >> bit & 1]
        self.image.facts.append(("flags", f"{flags:#x} {' '.join(words)}".rstrip()))
        self.tables: list[tuple[int, int]] = []  # place and number of the relocations of each section
        self.symtab = self.dysymtab = (0, 0, 0, 0)
        self.stubs: list[tuple[Section, int, int]] = []
        self.base = 0
        self.entry = -1
        self.commands(count, size)

    def commands(self, count: int, size: int) -> None:
        at = 32 if self.wide else 28
        within(self.data, "the table of load commands", at, size)
        end = at + size
        for _ in range(count):
            command, length = fields(self.data, _COMMAND, "a load command", at)
            if length < 8 or at + length > end:
                raise Damage(f"damaged: a load command of {length} bytes at byte {at}")
            body = self.data[at + 8 : at + length]
            if command in (1, 0x19):
                self.segment(body, command == 0x19)
            else:
                self.command(command, body)
            at += length

    def word(self, body: bytes, index: int) -> int:
        if 4 * index + 4 > len(body):
            raise Damage("damaged: a load command is too short")
        return int.from_bytes(body[4 * index : 4 * index + 4], "little")

    def command(self, command: int, body: bytes) -> None:
        facts = self.image.facts
        if command in _PARTS:
            offset, size = self.word(body, 0), self.word(body, 1)
            within(self.data, _PARTS[command], offset, size)
            if command == 0x1D:
                facts.append(("signature", f"{size} bytes"))
        elif command == 2:
            self.symtab = (self.word(body, 0), self.word(body, 1), self.word(body, 2), self.word(body, 3))
        elif command == 0xB:
            self.dysymtab = (self.word(body, 12), self.word(body, 13), 0, 0)
        elif command in (0x22, 0x80000022):
            for i, what in enumerate(("rebases", "bindings", "weak bindings", "lazy bindings", "exports")):
                within(self.data, f"the table of {what}", self.word(body, 2 * i), self.word(body, 2 * i + 1))
        elif command == 0x1B:
            facts.append(("uuid", body[:16].hex()))
        elif command == 0x32:
            platform = self.word(body, 0)
            name = _PLATFORMS[platform] if platform < len(_PLATFORMS) else str(platform)
            facts.append(("platform", f"{name} {_version(self.word(body, 1))}, SDK {_version(self.word(body, 2))}"))
        elif command in (0x24, 0x25):
            facts.append(("platform", f"{_PLATFORMS[command - 0x23]} {_version(self.word(body, 0))}"))
        elif command == 0x80000028:
            self.entry = self.word(body, 0) | self.word(body, 1) << 32
        elif command in _DYLIBS:
            name = string_at(body, self.word(body, 0) - 8, len(body))
            if command == 0xD:
                facts.append(("install-name", name))
            else:
                self.image.libraries.append(name + _DYLIBS[command])
        elif command == 0x8000001C:
            facts.append(("rpath", string_at(body, self.word(body, 0) - 8, len(body))))
        elif command == 0xE:
            facts.append(("dynamic-linker", string_at(body, self.word(body, 0) - 8, len(body))))

    def segment(self, body: bytes, wide: bool) -> None:
        layout, inner = (_SEGMENT64, _SECTION64) if wide else (_SEGMENT, _SECTION)
        if len(body) < layout.size:
            raise Damage("damaged: a segment command is too short")
        raw, address, memory, offset, size, _, access, count, _ = layout.unpack_from(body)
        name = padded(raw)
        within(self.data, f"segment {name}", offset, size)
        if layout.size + count * inner.size > len(body):
            raise Damage(f"damaged: segment {name} has no room for its {count} sections")
        flags = "".join(c if access & bit else "-" for c, bit in (("r", 1), ("w", 2), ("x", 4)))
        self.image.segments.append(
            f"{name:<17}{flags}  address {address:#011x}  file {size:>8}  memory {memory:>8}  at {offset:#x}"
        )
        if name == "__TEXT":
            self.base = address
        for i in range(count):
            row = inner.unpack_from(body, layout.size + i * inner.size)
            self.section(*row[:11])

    def section(
        self, raw: bytes, owner: bytes, address: int, size: int, offset: int, align: int, reloc_at: int, relocs: int,
        bits: int, first: int, each: int,
    ) -> None:  # fmt: skip
        name = f"{padded(owner)},{padded(raw)}"
        kind = bits & 0xFF
        stored = 0 if kind in _ZEROFILL else size
        within(self.data, f"section {name}", offset if stored else 0, stored)
        within(self.data, f"the relocations of {name}", reloc_at if relocs else 0, relocs * 8)
        if align > 63:
            raise Damage(f"damaged: section {name} is aligned to 2^{align}")
        letters = "x" * bool(bits & _CODE) + "d" * bool(bits & 0x02000000) + "l" * bool(bits & 0x08000000)
        word = _SECTION_TYPES[kind] if kind < len(_SECTION_TYPES) else str(kind)
        number = len(self.image.sections) + 1
        s = Section(number, name, word, letters, address, size, 1 << align, offset, stored)
        s.code = bool(bits & _CODE)
        self.image.sections.append(s)
        self.tables.append((reloc_at, relocs))
        if kind in (6, 7, 8, 20):
            self.stubs.append((s, first, each if kind == 8 else 8 if self.wide else 4))

    def symbols(self) -> list[str]:
        """Reads the symbol table; the names by their numbers."""
        at, count, strings, size = self.symtab
        layout = _NLIST64 if self.wide else _NLIST
        within(self.data, "the symbol table", at, count * layout.size)
        within(self.data, "the string table", strings, size)
        out: list[Symbol] = []
        sections = self.image.sections
        for start, bits, number, desc, value in layout.iter_unpack(self.data[at : at + count * layout.size]):
            if start > size or (start == size and start):
                raise Damage(f"damaged: no name at {start} of the string table")
            name = string_at(self.data, strings + start, strings + size)
            kind = bits & 0xE
            binding = "GLOBAL" if bits & 1 else "LOCAL"
            if desc & (0x80 if kind else 0x40) and bits & 1:
                binding = "WEAK"
            if bits & 0xE0:
                out.append(Symbol(name, value, 0, "STAB", binding, -1, "DEBUG"))
            elif kind == 0xE:
                if not 0 < number <= len(sections):
                    raise Damage(f"damaged: symbol {name} is in section {number} of {len(sections)}")
                s = sections[number - 1]
                out.append(Symbol(name, value, 0, "FUNC" if s.code else "OBJECT", binding, number, s.name))
            elif kind == 0 and value and bits & 1:
                out.append(Symbol(name, 0, value, "COMMON", binding, -1, "COMMON"))
            else:
                place = {0: "UNDEF", 2: "ABS", 0xA: "INDIRECT", 0xC: "UNDEF"}.get(kind, f"type {kind}")
                out.append(Symbol(name, value, 0, "NOTYPE", binding, -1, place))
        if count:
            self.image.symbols.append(("symbol table", out))
        return [s.name for s in out]

    def relocations(self, names: list[str]) -> None:
        words = _RELOCATIONS.get(self.cpu, "RELOC_").split()
        sections = self.image.sections
        for s, (at, count) in zip(sections, self.tables, strict=True):
            for offset, bits in _RELOCATION.iter_unpack(self.data[at : at + 8 * count]):
                if offset >> 31 and self.cpu not in ("x86_64", "arm64"):
                    kind, number, own = offset >> 24 & 15, -1, False  # scattered: the target is an address
                    offset &= 0xFFFFFF
                else:
                    kind, number, own = bits >> 28, bits & 0xFFFFFF, bool(bits >> 27 & 1)
                name = words[0] + words[kind + 1] if kind + 1 < len(words) else f"TYPE_{kind}"
                if name == "ARM64_RELOC_ADDEND":
                    s.relocs.append(Relocation(offset, name, "", (number ^ 0x800000) - 0x800000))
                    continue
                if number >= (len(names) if own else len(sections) + 1):
                    what = "symbol" if own else "section"
                    raise Damage(f"damaged: a relocation of {s.name} names {what} {number}")
                target = names[number] if own else sections[number - 1].name if number > 0 else ""
                s.relocs.append(Relocation(offset, name, target))

    def indirect(self, names: list[str]) -> None:
        """Names the stubs and pointers through the table of indirect symbols."""
        at, count = self.dysymtab[:2]
        within(self.data, "the table of indirect symbols", at, 4 * count)
        for s, first, each in self.stubs:
            for i in range(min(s.size // each if each else 0, max(0, count - first))):
                place = at + 4 * (first + i)
                number = int.from_bytes(self.data[place : place + 4], "little")
                if number < len(names):
                    self.image.names[s.address + i * each] = names[number]


def read_macho(data: bytes, image: Image) -> None:
    if data[:4] in (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf"):
        raise Damage("a big-endian Mach-O file, which this command does not read")
    reader = _Reader(data, image)
    names = reader.symbols()
    reader.relocations(names)
    reader.indirect(names)
    if reader.entry >= 0:
        image.facts.append(("entry", f"{reader.base + reader.entry:#x}"))
    if image.linked and image.segments:
        with reading("lief"):
            _linked(lief_parse("MachO", data), image)


def _linked(fat: Any, image: Image) -> None:
    """What dyld does with a linked file: bindings, rebases and exports."""
    binary = fat.at(0)
    libraries: set[tuple[str, str]] = set()
    for b in binary.bindings:
        if not b.has_symbol:
            continue
        name = lief_name(b.symbol, "name")
        library = lief_name(b.library, "name") if b.has_library else "flat"
        image.names[b.address] = name
        image.relocs.append(Relocation(b.address, "BIND", name, b.addend))
        if (library, name) not in libraries:
            libraries.add((library, name))
            image.imports.append((library, name))
    for r in binary.relocations:
        image.relocs.append(Relocation(r.address, "REBASE"))
    for s in binary.symbols:
        if s.has_export_info:
            name = lief_name(s, "name")
            image.exports.append((binary.imagebase + s.export_info.address, name))
