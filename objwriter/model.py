"""The format-neutral object: sections, symbols, relocations, all named by small integers.

`build.py` makes an Object from assembled symbols; `elf.py`, `macho.py` and `coff.py` write it.  Nothing here
knows a file format; what a format cannot express is an ObjectError of its writer.  Everything a format
might need beyond the neutral kinds goes through two escapes: `Section.raw_type`/`raw_flags` are taken as
they are, and a relocation kind `ELF:n` is the number n (`MACHO:NAME`, `COFF:NAME`: that format's type).
"""

from __future__ import annotations

from typing import Final

# Section.kind
S_TEXT: Final = 0
S_RODATA: Final = 1
S_RELRO: Final = 2  # read-only after the loader has relocated it
S_DATA: Final = 3
S_BSS: Final = 4
S_TLSBSS: Final = 5
S_NOTE: Final = 6  # read-only metadata of a section (`link`): kept and dropped with it
S_INFO: Final = 7  # not loaded: debug information, markers
S_TLSDATA: Final = 8  # initial values of thread-local data
SECTION_KINDS: Final = ("text", "rodata", "relro", "data", "bss", "tlsbss", "note", "info", "tlsdata")

# Symbol.kind
K_NONE: Final = 0
K_FUNC: Final = 1
K_OBJECT: Final = 2
K_TLS: Final = 3
K_SECTION: Final = 4
K_FILE: Final = 5

# Symbol.binding
B_LOCAL: Final = 0
B_GLOBAL: Final = 1
B_WEAK: Final = 2

# Symbol.section when it is not a section index
UNDEF: Final = -1
ABSOLUTE: Final = -2


class ObjectError(Exception):
    """The object cannot be written: the message names symbol, section and offset."""


class Relocation:
    """Put S + add (- P) in the `size` bytes at `off`; `symbol` is an index into Object.symbols."""

    __slots__ = ("off", "size", "kind", "symbol", "add")

    def __init__(self, off: int, size: int, kind: str, symbol: int, add: int) -> None:
        self.off = off
        self.size = size
        self.kind = kind
        self.symbol = symbol
        self.add = add


class Section:
    """`data` holds the bytes; bss kinds have only a `size`.  `entry` > 0 makes it mergeable: equal
    entries of that many bytes may be joined across objects.  `link` is a section index or -1."""

    __slots__ = ("name", "kind", "align", "data", "size", "relocs", "entry", "link", "raw_type", "raw_flags")

    def __init__(self, name: str, kind: int, align: int = 1) -> None:
        self.name = name
        self.kind = kind
        self.align = align
        self.data: bytes | bytearray = b""
        self.size = 0
        self.relocs: list[Relocation] = []
        self.entry = 0
        self.link = -1
        self.raw_type = -1
        self.raw_flags = -1


class Symbol:
    """A name for `value` bytes into `section` (an index, UNDEF or ABSOLUTE)."""

    __slots__ = ("name", "section", "value", "size", "kind", "binding", "hidden")

    def __init__(
        self, name: str, section: int, value: int = 0, size: int = 0, kind: int = K_NONE, binding: int = B_GLOBAL
    ) -> None:
        self.name = name
        self.section = section
        self.value = value
        self.size = size
        self.kind = kind
        self.binding = binding
        self.hidden = False


class Object:
    """One relocatable object for `target` (a row of the writer's target table).

    `bounds` says which undefined names are the ends of an output section: name -> (section name, section
    kind, False for its start and True for its end).  Mach-O and COFF make them; with ELF they come from the
    linker script.
    """

    __slots__ = ("target", "flags", "sections", "symbols", "bounds")

    def __init__(self, target: Target) -> None:
        self.target = target
        self.flags = 0  # added to the target's
        self.sections: list[Section] = []
        self.symbols: list[Symbol] = []
        self.bounds: dict[str, tuple[str, int, bool]] = {}

    def code_starts(self) -> list[list[int]]:
        """For each section, where functions may start in it: at its start and at its symbols."""
        starts = [[0] for _ in self.sections]
        for symbol in self.symbols:
            if symbol.section >= 0 and symbol.kind < K_SECTION:
                starts[symbol.section].append(symbol.value)
        return starts


class Target:
    """What an object file says of its machine: one row of the table (objwriter.targets), whatever the format.

    `name` is SYSTEM/ARCH, `format` elf, macho or coff; `bits` the size of a word; `machine` the number that the format
    has for the CPU, `flags` what else its header says (e_flags of ELF, the cpusubtype of Mach-O); `text_align` the
    alignment of functions in bytes; `relocs` the module of the CPU's relocations (objwriter.relocs).
    """

    __slots__ = (
        "name", "format", "arch", "bits", "big_endian", "machine", "flags", "text_align", "relocs", "rela", "osabi",
        "short_flags", "split_info", "prefix", "filler", "safe_handlers",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        format: str,
        bits: int,
        big_endian: bool,
        machine: int,
        flags: int = 0,
        text_align: int = 16,
        relocs: str = "",
    ) -> None:
        self.name = name
        self.format = format
        self.arch = name.partition("/")[2]
        self.bits = bits
        self.big_endian = big_endian
        self.machine = machine
        self.flags = flags
        self.text_align = text_align
        self.relocs = relocs or f"objwriter.relocs.{self.arch}"
        self.rela = True  # ELF: addends stand beside the relocations; False: in the fields
        self.osabi = 0  # ELF: EI_OSABI
        self.short_flags = 0  # ELF: flags of an object with short encodings (A_SHORT)
        self.split_info = False  # ELF: r_info is five fields instead of one number
        self.prefix = ""  # COFF: what C names have in front
        self.filler = b"\0"  # Mach-O: what stands between functions
        self.safe_handlers = False  # COFF: the object says that it has no exception handlers but registered ones
