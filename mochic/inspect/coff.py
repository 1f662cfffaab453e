"""COFF objects, ordinary and big, and the short members of import libraries (Microsoft PE Format, 3 to 5, 8).

lief reads neither big objects nor import members, and before 0.17 no objects at all, so this reader is ours.  The
symbol table is also that of images which have one (MinGW).
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from mochic.inspect.image import Damage, Image, Relocation, Section, Symbol, fields, padded, string_at, text, within

# machine, title, cpu for the disassembler, prefix of the names of relocations
_MACHINE_ROWS: Final = """
0x8664 AMD64   x86_64  IMAGE_REL_AMD64_
0xaa64 ARM64   aarch64 IMAGE_REL_ARM64_
0xa641 ARM64EC aarch64 IMAGE_REL_ARM64_
0x014c I386    i386    IMAGE_REL_I386_
0x01c4 ARMNT   thumb   IMAGE_REL_ARM_
"""
_ROWS: Final = [row.split() for row in _MACHINE_ROWS.strip().split("\n")]
MACHINES: Final = {int(number, 16): (name, cpu, prefix) for number, name, cpu, prefix in _ROWS}
# 5.2.1; the position is the number, `-` one that is not in use
_RELOCATIONS: Final = {
    "IMAGE_REL_AMD64_": "ABSOLUTE ADDR64 ADDR32 ADDR32NB REL32 REL32_1 REL32_2 REL32_3 REL32_4 REL32_5 SECTION SECREL"
    " SECREL7 TOKEN SREL32 PAIR SSPAN32",
    "IMAGE_REL_ARM64_": "ABSOLUTE ADDR32 ADDR32NB BRANCH26 PAGEBASE_REL21 REL21 PAGEOFFSET_12A PAGEOFFSET_12L SECREL"
    " SECREL_LOW12A SECREL_HIGH12A SECREL_LOW12L TOKEN SECTION ADDR64 BRANCH19 BRANCH14 REL32",
    "IMAGE_REL_I386_": "ABSOLUTE DIR16 REL16 - - - DIR32 DIR32NB - SEG12 SECTION SECREL TOKEN SECREL7"
    " - - - - - - REL32",
    "IMAGE_REL_ARM_": "ABSOLUTE ADDR32 ADDR32NB BRANCH24 BRANCH11 - - - - - REL32 - - - SECTION SECREL MOV32A MOV32T"
    " - - BRANCH20T - BRANCH24T BLX23T PAIR",
}
_STORAGE: Final = {2: "GLOBAL", 3: "LOCAL", 6: "LABEL", 103: "FILE", 104: "SECTION", 105: "WEAK"}
_PLACES: Final = {0: "UNDEF", -1: "ABS", -2: "DEBUG"}
_HEADER: Final = Struct("<HHIIIHH")
_BIG_HEADER: Final = Struct("<HHHHI16sIIIIIII")
_SECTION: Final = Struct("<8sIIIIIIHHI")
_RELOCATION: Final = Struct("<IIH")
_SYMBOL: Final = Struct("<8sIhHBB")
_BIG_SYMBOL: Final = Struct("<8sIiHBB")
_IMPORT: Final = Struct("<HHHHIIHH")
_SIZE: Final = Struct("<I")
_BIG_CLASS: Final = bytes.fromhex("c7a1bad1eebaa94baf20faf66aa4dcb8")
_IMPORT_KINDS: Final = ("code", "data", "const")
_IMPORT_NAMES: Final = ("ordinal", "name", "name without prefix", "name undecorated", "name exported as")


def is_coff(data: bytes) -> bool:
    """Whether a file begins like an object: the format has no magic of its own but a machine and no optional header."""
    if len(data) < 20:
        return data[:2] in (b"\x64\x86", b"\x64\xaa") or data[:4] == b"\0\0\xff\xff"
    machine, _, _, _, _, optional, _ = _HEADER.unpack_from(data)
    return (machine in MACHINES and optional == 0) or data.startswith(b"\0\0\xff\xff")


class Strings:
    """The string table, which begins with its own size."""

    __slots__ = ("data", "start", "end")

    def __init__(self, data: bytes, start: int) -> None:
        self.data = data
        self.start = start
        (size,) = fields(data, _SIZE, "the string table", start)
        within(data, "the string table", start, size)
        self.end = start + size

    def at(self, offset: int) -> str:
        if not 4 <= offset < self.end - self.start:
            raise Damage(f"damaged: no string at {offset} of the string table")
        return string_at(self.data, self.start + offset, self.end)


def _section_name(raw: bytes, strings: Strings | None) -> str:
    """A name of eight bytes, or `/DECIMAL` or `//BASE64`, its place in the string table."""
    if raw[:1] == b"/" and strings is not None:
        digits = raw.rstrip(b"\0")
        if digits[1:].isdigit():
            return strings.at(int(digits[1:]))
        if digits[1:2] == b"/":
            at = 0
            for c in digits[2:]:
                found = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".find(c)
                if found < 0:
                    raise Damage(f"damaged: section name {text(digits)}")
                at = at * 64 + found
            return strings.at(at)
    return padded(raw)


def read_symbols(
    data: bytes, where: int, count: int, big: bool, sections: list[Section]
) -> tuple[list[Symbol], list[str]]:
    """The symbols, and the name of each record for relocations (auxiliary records have the empty name)."""
    layout = _BIG_SYMBOL if big else _SYMBOL
    within(data, "the symbol table", where, count * 18 if not big else count * 20)
    size = 20 if big else 18
    strings = Strings(data, where + count * size)
    out: list[Symbol] = []
    names: list[str] = []
    i = 0
    while i < count:
        raw, value, number, type_, storage, extra = layout.unpack_from(data, where + i * size)
        name = strings.at(int.from_bytes(raw[4:], "little")) if raw[:4] == b"\0\0\0\0" else padded(raw)
        if i + extra >= count:
            raise Damage(f"damaged: symbol {name} has more records than the symbol table")
        names.append(name)
        names.extend([""] * extra)
        if storage == 103:
            at = where + (i + 1) * size
            name = padded(data[at : at + extra * size]) or name
        kind = (
            "FILE"
            if storage == 103
            else "FUNC"
            if type_ >> 4 & 3 == 2
            else "SECTION"
            if storage == 3 and extra
            else "NOTYPE"
        )
        binding = _STORAGE.get(storage, str(storage))
        if 0 < number <= len(sections):
            s = sections[number - 1]
            out.append(Symbol(name, s.address + value, 0, kind, binding, number, s.name))
        else:
            if number == 0 and value and storage == 2:
                out.append(Symbol(name, 0, value, "COMMON", binding, -1, "COMMON"))
            else:
                out.append(Symbol(name, value, 0, kind, binding, -1, _PLACES.get(number, f"section {number}?")))
            if number > 0:
                raise Damage(f"damaged: symbol {name} is in section {number} of {len(sections)}")
        i += 1 + extra
    return out, names


def read_section_table(
    data: bytes, where: int, count: int, strings: Strings | None, image: Image
) -> list[tuple[int, int]]:
    """Reads the sections into `image`; (place, number) of the relocations of each."""
    within(data, "the section table", where, count * _SECTION.size)
    tables = []
    for i in range(count):
        raw, virtual, address, stored, offset, reloc_at, _, relocs, _, bits = _SECTION.unpack_from(
            data, where + i * _SECTION.size
        )
        name = _section_name(raw, strings)
        bss = bits & 0x80 and not offset
        if not bss and stored:
            within(data, f"section {name}", offset, stored)
        letters = "".join(c for c, bit in (("r", 30), ("w", 31), ("x", 29), ("d", 25), ("c", 12)) if bits >> bit & 1)
        kind = "CODE" if bits & 0x20 else "BSS" if bits & 0x80 else "DATA" if bits & 0x40 else "INFO"
        align = 1 << ((bits >> 20 & 15) - 1) if bits >> 20 & 15 and not image.linked else 1
        size = min(stored, virtual) if image.linked and virtual else stored
        s = Section(i + 1, name, kind, letters, address, stored, align, offset, 0 if bss else size)
        if image.linked:
            s.size = virtual
        s.code = bool(bits & 0x20)
        image.sections.append(s)
        if relocs == 0xFFFF and bits & 0x01000000:
            (total, _, _) = fields(data, _RELOCATION, f"the relocations of {name}", reloc_at)
            if total == 0:
                raise Damage(f"damaged: section {name} has no number of relocations")
            reloc_at, relocs = reloc_at + _RELOCATION.size, total - 1
        within(data, f"the relocations of {name}", reloc_at if relocs else 0, relocs * _RELOCATION.size)
        tables.append((reloc_at, relocs))
    return tables


def relocation_name(machine: int, number: int) -> str:
    prefix = MACHINES[machine][2] if machine in MACHINES else ""
    names = _RELOCATIONS.get(prefix, "").split()
    return prefix + names[number] if number < len(names) and names[number] != "-" else f"TYPE_{number}"


def read_coff(data: bytes, image: Image) -> None:
    """An object, or a member of an import library."""
    within(data, "the header", 0, _HEADER.size)
    big = False
    if data.startswith(b"\0\0\xff\xff"):
        version = int.from_bytes(data[4:6], "little")
        if version == 0:
            _read_import(data, image)
            return
        header = fields(data, _BIG_HEADER, "the header", 0)
        machine, class_id, flags, count, where, symbols = header[3], header[5], header[7], *header[10:13]
        if class_id != _BIG_CLASS:
            raise Damage("an object of another compiler's own kind (such as link-time code generation)")
        big, first = True, _BIG_HEADER.size
    else:
        machine, count, _, where, symbols, optional, flags = _HEADER.unpack_from(data)
        first = _HEADER.size + optional
    name, cpu, _ = MACHINES.get(machine, (f"machine {machine:#x}", "", ""))
    image.title = f"COFF {'big ' if big else ''}object {name}"
    image.cpu = cpu
    image.prefix = "_" if machine == 0x14C else ""
    image.facts.append(("flags", f"{flags:#x}"))
    strings = None
    if where:
        within(data, "the symbol table", where, symbols * (20 if big else 18))
        strings = Strings(data, where + symbols * (20 if big else 18))
    tables = read_section_table(data, first, count, strings, image)
    names: list[str] = []
    if where:
        rows, names = read_symbols(data, where, symbols, big, image.sections)
        image.symbols.append(("symbol table", rows))
    for s, (at, total) in zip(image.sections, tables, strict=True):
        for offset, symbol, number in _RELOCATION.iter_unpack(data[at : at + total * _RELOCATION.size]):
            if symbol >= len(names):
                raise Damage(f"damaged: a relocation of {s.name} names symbol {symbol} of {len(names)}")
            s.relocs.append(Relocation(offset - s.address, relocation_name(machine, number), names[symbol]))


def _read_import(data: bytes, image: Image) -> None:
    _, _, _, machine, _, size, hint, bits = fields(data, _IMPORT, "the header", 0)
    within(data, "the import", _IMPORT.size, size)
    parts = data[_IMPORT.size : _IMPORT.size + size].split(b"\0")
    if len(parts) < 3:
        raise Damage("damaged: an import without a name or a library")
    kind, how = bits & 3, bits >> 2 & 7
    symbol, library = text(parts[0]), text(parts[1])
    image.title = f"COFF import {MACHINES.get(machine, (f'machine {machine:#x}',))[0]}"
    image.facts += [
        ("kind", _IMPORT_KINDS[kind] if kind < 3 else str(kind)),
        ("by", _IMPORT_NAMES[how] if how < len(_IMPORT_NAMES) else str(how)),
        ("ordinal" if how == 0 else "hint", str(hint)),
    ]
    image.imports.append((library, symbol if how else f"{symbol} (ordinal {hint})"))
    slots = [f"__imp_{symbol}"] + ([symbol] if kind == 0 else [])
    image.symbols.append(("symbols", [Symbol(n, 0, 0, "IMPORT", "GLOBAL", -1, library) for n in slots]))
