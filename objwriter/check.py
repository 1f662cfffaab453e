"""What every object must satisfy before a format writes it; each error names section or symbol, and why.

The writers index lists and pack numbers without a second look: what passes here leads to no other exception there.
Limits of one format (alignments, sizes of its fields, names) are errors of its writer.
"""

from __future__ import annotations

from typing import Final

from objwriter.model import (
    ABSOLUTE,
    B_LOCAL,
    B_WEAK,
    K_FILE,
    K_FUNC,
    K_OBJECT,
    K_SECTION,
    K_TLS,
    S_BSS,
    S_TLSBSS,
    S_TLSDATA,
    SECTION_KINDS,
    UNDEF,
    Object,
    ObjectError,
    Relocation,
    Section,
    Symbol,
)

EMPTY_KINDS: Final = (S_BSS, S_TLSBSS)  # a size and no contents
TLS_KINDS: Final = (S_TLSBSS, S_TLSDATA)
_INT64: Final = 1 << 63


FORMAT_NAMES: Final = {"elf": "ELF", "macho": "Mach-O", "coff": "COFF"}


def check_object(obj: Object, fmt: str) -> None:
    """Raises ObjectError for an object that is not one, or not for a target of the format (elf, macho, coff)."""
    if obj.target.format != fmt:
        raise ObjectError(f"{obj.target.name} is no target of {FORMAT_NAMES[fmt]}")
    try:
        if not 0 <= obj.target.flags | obj.flags < 1 << 32:
            raise ObjectError(f"the flags {obj.flags:#x} of the object do not fit 32 bits")
        for number, s in enumerate(obj.sections):
            _check_section(obj, number, s)
        _check_symbols(obj)
        files = {i for i, symbol in enumerate(obj.symbols) if symbol.kind == K_FILE}
        for s in obj.sections:
            if s.relocs:
                _check_relocs(obj, s, files)
        for name, (section, kind, _end) in obj.bounds.items():
            check_name(name, "symbol")
            check_name(section, "section")
            if not 0 <= kind < len(SECTION_KINDS):
                raise ObjectError(f"{name} bounds section {section}, whose kind {kind} does not exist")
    except (TypeError, AttributeError, ValueError) as e:
        raise ObjectError(f"the object has a value of a wrong type: {e}") from e


def check_name(name: str, what: str) -> None:
    """Names are text that ends at a NUL in every format."""
    if "\0" in name:
        raise ObjectError(f"{what} name {name!r} contains a NUL")
    if not name.isascii():
        try:
            name.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise ObjectError(f"{what} name {name!r} cannot be written in UTF-8") from None


def check_only_elf(obj: Object, fmt: str) -> None:
    """What only ELF can say: refused, not left out."""
    if obj.flags:
        raise ObjectError(f"{fmt} has no place for the flags {obj.flags:#x} of an object")
    for s in obj.sections:
        if s.raw_type >= 0:
            raise ObjectError(f"{fmt} has no place for the type {s.raw_type} of section {s.name}")
        if s.raw_flags >= 1 << 32:
            raise ObjectError(f"flags {s.raw_flags:#x} of section {s.name} do not fit the 32 bits of {fmt}")
    for symbol in obj.symbols:
        if symbol.section == ABSOLUTE and symbol.binding == B_WEAK:
            raise ObjectError(f"cannot express weak {symbol.name} in {fmt}: it is a number, not a place")


class Names:
    """The names of a file as its format spells them: what two symbols define there may be one name after all."""

    __slots__ = ("seen",)

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def add(self, s: Symbol, spelled: str) -> None:
        """Takes the name that a symbol gets in the file."""
        if s.kind >= K_SECTION:
            return
        if not spelled:
            raise ObjectError(f"symbol {s.name!r} has no name in the file")
        if s.section != UNDEF and s.binding != B_LOCAL:
            if spelled in self.seen:
                raise ObjectError(f"symbol {spelled} is defined twice")
            self.seen.add(spelled)


def _check_section(obj: Object, number: int, s: Section) -> None:
    check_name(s.name, "section")
    if not s.name:
        raise ObjectError(f"section {number} has no name")
    bits = obj.target.bits
    s.kind | s.align | s.size | s.entry | s.link | s.raw_type | s.raw_flags  # a TypeError unless all are whole numbers
    if not 0 <= s.kind < len(SECTION_KINDS):
        raise ObjectError(f"section {s.name} is of kind {s.kind}, which does not exist")
    if s.align < 1 or s.align & (s.align - 1):
        raise ObjectError(f"alignment {s.align} of section {s.name} is not a power of two")
    if not 0 <= s.size < 1 << bits:
        raise ObjectError(f"size {s.size} of section {s.name} does not fit {bits} bits")
    if s.data or s.kind not in EMPTY_KINDS:
        length = len(s.data)
        raw = not length and (s.raw_type >= 0 or s.raw_flags >= 0)  # may be a kind of its format without contents
        if s.kind in EMPTY_KINDS:
            raise ObjectError(f"section {s.name} has {length} bytes of contents, but its kind has none")
        if length != s.size and not raw:
            raise ObjectError(f"section {s.name} has {length} bytes of {s.size}")
    if not -1 <= s.raw_type < 1 << 32:
        raise ObjectError(f"type {s.raw_type} of section {s.name} does not fit 32 bits")
    if not -1 <= s.raw_flags < 1 << bits:
        raise ObjectError(f"flags {s.raw_flags} of section {s.name} do not fit {bits} bits")
    if s.entry and (s.entry < 0 or s.size % s.entry):
        raise ObjectError(f"size {s.size} of section {s.name} is no multiple of its entries of {s.entry} bytes")
    if s.link != -1:
        if not 0 <= s.link < len(obj.sections) or s.link == number:
            raise ObjectError(f"section {s.name} describes section {s.link}, which does not exist")
        if obj.sections[s.link].link != -1:
            raise ObjectError(f"section {s.name} describes {obj.sections[s.link].name}, which describes another itself")


def _check_symbols(obj: Object) -> None:
    sections = obj.sections
    limit = 1 << obj.target.bits
    defined: set[str] = set()
    for number, s in enumerate(obj.symbols):
        name, section, kind = s.name, s.section, s.kind
        if "\0" in name or not name.isascii():
            check_name(name, "symbol")
        section | kind | s.binding | s.value | s.size  # as above
        if not (0 <= kind <= K_FILE and B_LOCAL <= s.binding <= B_WEAK):
            raise ObjectError(f"symbol {name} has kind {kind} and binding {s.binding}: one does not exist")
        if not ABSOLUTE <= section < len(sections):
            raise ObjectError(f"symbol {name} is in section {section}, which does not exist")
        if not (0 <= s.value < limit and 0 <= s.size < limit):
            raise ObjectError(f"value {s.value} or size {s.size} of {name} does not fit {obj.target.bits} bits")
        if kind >= K_SECTION:
            _check_special(number, s)
            continue
        if s.binding != B_LOCAL:
            if not name:
                raise ObjectError(f"symbol {number} is not local and has no name")
            if section != UNDEF:
                if name in defined:
                    raise ObjectError(f"symbol {name} is defined twice")
                defined.add(name)
        if section >= 0:
            _check_place(s, sections[section])
        elif section == UNDEF and (s.value or s.binding == B_LOCAL):
            raise ObjectError(f"symbol {name} is not defined, but {'has a value' if s.value else 'is local'}")
        elif section == ABSOLUTE and kind == K_TLS:
            raise ObjectError(f"symbol {name} is thread-local, but an absolute number")


def _check_special(number: int, s: Symbol) -> None:
    """Symbols that stand for a section or a source file (which is local whatever the binding says)."""
    what = "section" if s.kind == K_SECTION else "file"
    if s.binding != B_LOCAL and s.kind == K_SECTION:
        raise ObjectError(f"symbol {number} ({s.name}) stands for a {what}, but is not local")
    if s.value or (s.kind == K_SECTION and s.section < 0):
        raise ObjectError(f"symbol {number} ({s.name}) stands for a {what}, but not at its start")


def _check_place(s: Symbol, section: Section) -> None:
    if s.value + s.size > section.size:
        raise ObjectError(
            f"symbol {s.name} lies outside of {section.name}: value {s.value:#x}, size {s.size:#x} of {section.size:#x}"
        )
    if section.raw_flags >= 0:
        return
    threads = section.kind in TLS_KINDS
    if s.kind == K_TLS and not threads:
        raise ObjectError(f"symbol {s.name} is thread-local, but section {section.name} is not")
    if s.kind in (K_FUNC, K_OBJECT) and threads:
        raise ObjectError(f"symbol {s.name} is not thread-local, but section {section.name} is")


def _check_relocs(obj: Object, s: Section, files: set[int]) -> None:
    last = len(obj.symbols) - 1
    limit = s.size
    if not s.data:
        raise ObjectError(f"relocation in {s.name}, which has no contents")
    for r in s.relocs:
        off, size, symbol, add = r.off, r.size, r.symbol, r.add
        # Negative when one of them is; a TypeError unless all are whole numbers.
        if (off | size | limit - off - size | symbol | last - symbol | add & 0) < 0 or not -_INT64 <= add < 2 * _INT64:
            raise _bad_relocation(obj, s, r)
        if type(r.kind) is not str:
            raise TypeError(f"the kind of a relocation at {s.name}+{off:#x} is {r.kind!r}")
        if symbol in files:
            raise ObjectError(f"relocation {r.kind} at {s.name}+{off:#x} names the file {obj.symbols[symbol].name}")


def _bad_relocation(obj: Object, s: Section, r: Relocation) -> ObjectError:
    count = len(obj.symbols)
    if r.off < 0 or r.size < 0 or r.off + r.size > s.size:
        return ObjectError(f"relocation {r.kind} lies outside of {s.name}: offset {r.off:#x}, size {s.size:#x}")
    if not 0 <= r.symbol < count:
        return ObjectError(
            f"relocation {r.kind} at {s.name}+{r.off:#x} names symbol {r.symbol}, but there are {count} symbols"
        )
    return ObjectError(f"addend {r.add} does not fit 64 bits ({obj.symbols[r.symbol].name}, {s.name}+{r.off:#x})")
