"""LSyms to an Object: one section per function and datum, so that the linker can drop what is unused.

Naming: `.text.NAME`, `.rodata.NAME`, `.data.NAME`, `.bss.NAME`, `.tbss.NAME`; `LSym.section` overrides.
Constants that exist once per content (static, DUPOK, 4, 8 or 16 bytes, no relocations) share one
mergeable section per size, `.rodata.cst8`; the linker then joins equal ones of all objects.
Notes (SNOTE) describe the function `LSym.link` and are linked to its section.
"""

from __future__ import annotations

from typing import Final

from backend.obj.sym import (
    A_DUPOK,
    A_HIDDEN,
    A_SHORT,
    A_STATIC,
    SBSS,
    SDATA,
    SNOTE,
    SRODATA,
    STEXT,
    STLSBSS,
    LSym,
)
from objwriter.model import (
    B_GLOBAL,
    B_LOCAL,
    B_WEAK,
    K_FUNC,
    K_NONE,
    K_OBJECT,
    K_TLS,
    S_BSS,
    S_DATA,
    S_NOTE,
    S_RELRO,
    S_RODATA,
    S_TEXT,
    S_TLSBSS,
    S_TLSDATA,
    UNDEF,
    Object,
    ObjectError,
    Relocation,
    Section,
    Symbol,
    Target,
)

# By LSym.kind: section kind, prefix of the section's name, symbol kind.
_KINDS: Final = {
    STEXT: (S_TEXT, ".text.", K_FUNC),
    SRODATA: (S_RODATA, ".rodata.", K_OBJECT),
    SDATA: (S_DATA, ".data.", K_OBJECT),
    SBSS: (S_BSS, ".bss.", K_OBJECT),
    STLSBSS: (S_TLSBSS, ".tbss.", K_TLS),
    SNOTE: (S_NOTE, ".note.", K_NONE),
}
MAX_CONTENTS: Final = 1 << 32  # of one symbol: zeros behind its data are written out
_RELRO_PREFIX: Final = ".data.rel.ro."


def build_object(target: Target, symbols: list[LSym], relro: bool = False) -> Object:
    """The object that defines `symbols`; everything else they refer to is undefined in it.

    With relro, read-only data that holds addresses goes to `.data.rel.ro.NAME`, as position-independent
    executables need.  Raises ObjectError for a name defined twice or a static symbol without definition.
    """
    obj = Object(target)
    sections = obj.sections
    out = obj.symbols
    index: dict[LSym, int] = {}
    section_of: dict[LSym, int] = {}
    names: dict[str, int] = {}  # of what is not static: the index of its symbol
    merged: dict[int, int] = {}
    notes: list[LSym] = []
    for s in symbols:
        if s in section_of:
            continue
        kind = s.kind
        attrs = s.attrs
        size = s.size if s.size > len(s.data) else len(s.data)
        if kind == SNOTE:
            notes.append(s)
            section_of[s] = -1
            continue
        if not attrs & A_STATIC:
            if s.name in names:
                raise ObjectError(f"symbol {s.name} is defined twice")
            names[s.name] = len(out)
        if kind not in _KINDS:
            raise ObjectError(f"symbol {s.name} is of kind {kind}, which does not exist")
        if attrs & A_SHORT:
            obj.flags |= target.short_flags
        value = 0
        if (
            kind == SRODATA
            and attrs & A_STATIC
            and attrs & A_DUPOK
            and size in (4, 8, 16)
            and not s.relocs
            and s.section is None
        ):
            number = merged.get(size, -1)
            if number < 0:
                number = merged[size] = len(sections)
                sections.append(_mergeable(size))
            value = _append(sections[number], s, size)
        else:
            number = len(sections)
            sections.append(_own_section(s, size, target, relro))
        section_of[s] = number
        binding = B_LOCAL if attrs & A_STATIC else B_WEAK if attrs & A_DUPOK else B_GLOBAL
        index[s] = len(out)
        symbol = Symbol(s.name, number, value, size, _KINDS[kind][2], binding)
        symbol.hidden = binding != B_LOCAL and attrs & A_HIDDEN != 0
        out.append(symbol)
    for s in notes:
        section_of[s] = len(sections)
        sections.append(_note(s, section_of))
    for s, number in section_of.items():
        if s.relocs:
            sections[number].relocs = _relocations(obj, s, index, names, section_of)
    return obj


def _mergeable(size: int) -> Section:
    """The section of constants of so many bytes."""
    section = Section(f".rodata.cst{size}", S_RODATA, size)
    section.entry = size
    section.data = bytearray()
    return section


def _append(section: Section, s: LSym, size: int) -> int:
    """Put a constant behind the others; its place."""
    at = section.size
    assert isinstance(section.data, bytearray)
    section.data += s.data
    section.data += bytes(size - len(s.data))
    section.size = at + size
    return at


def _own_section(s: LSym, size: int, target: Target, relro: bool) -> Section:
    """The section of one function or datum."""
    kind, prefix, _ = _KINDS[s.kind]
    if relro and s.kind == SRODATA and s.relocs:
        kind, prefix = S_RELRO, _RELRO_PREFIX
    align = s.align or (target.text_align if s.kind == STEXT else _natural_align(size))
    section = Section(s.section or prefix + s.name, kind, align)
    if s.kind == STLSBSS and (s.data or s.relocs):
        section.kind = S_TLSDATA
        section.name = s.section or ".tdata." + s.name
    if section.kind not in (S_BSS, S_TLSBSS):
        if size > MAX_CONTENTS:
            raise ObjectError(f"{s.name} has {size} bytes of contents: too large for {section.name}")
        data: bytes | bytearray = s.data
        if size > len(data):
            data = bytes(data) + bytes(size - len(data))
        section.data = data
    elif s.data or s.relocs:
        raise ObjectError(f"{s.name} has contents but its section {section.name} has none")
    section.size = size
    return section


def _note(s: LSym, section_of: dict[LSym, int]) -> Section:
    """The section of a note, linked to that of the function it describes."""
    section = Section(s.section or ".note." + s.name, S_NOTE, s.align or 4)
    section.data = s.data
    section.size = len(s.data)
    if s.link is not None:
        section.link = section_of.get(s.link, -1)
        if section.link < 0:
            raise ObjectError(f"note {s.name} describes {s.link.name}, which is not defined here")
    return section


def _natural_align(size: int) -> int:
    align = 1
    while align < size and align < 16:
        align *= 2
    return align


def _relocations(
    obj: Object, s: LSym, index: dict[LSym, int], names: dict[str, int], section_of: dict[LSym, int]
) -> list[Relocation]:
    """The relocations of one symbol; symbols met for the first time become undefined ones."""
    out: list[Relocation] = []
    append = out.append
    get = index.get
    limit = len(s.data)
    for r in s.relocs:
        to = r.sym
        if to is None:
            raise ObjectError(f"relocation {r.kind} without a symbol in {s.name}+{r.off:#x}")
        i = get(to, -1)
        if i < 0:
            i = index[to] = len(obj.symbols)
            if to not in section_of and not to.attrs & A_STATIC and to.name in names:
                i = index[to] = names[to.name]  # one name is one symbol, whoever says it
            elif to.attrs & A_STATIC or to.name in names:
                if to not in section_of:
                    raise ObjectError(f"symbol {to.name} used in {s.name}+{r.off:#x} is not defined")
                # a note that something refers to: it gets a local symbol
                obj.symbols.append(Symbol(to.name, section_of[to], 0, len(to.data), K_NONE, B_LOCAL))
            elif to in section_of:
                obj.symbols.append(Symbol(to.name, section_of[to], 0, len(to.data), K_NONE, B_LOCAL))
            else:
                names[to.name] = i
                symbol = Symbol(to.name, UNDEF, 0, 0, K_TLS if to.kind == STLSBSS else K_NONE, B_GLOBAL)
                symbol.hidden = to.attrs & A_HIDDEN != 0
                obj.symbols.append(symbol)
        if r.off < 0 or r.off + r.size > limit:
            raise ObjectError(f"relocation {r.kind} lies outside of {s.name}: offset {r.off:#x}, size {limit:#x}")
        append(Relocation(r.off, r.size, r.kind, i, r.add))
    return out
