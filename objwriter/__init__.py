"""Object files as a library: ELF, Mach-O and COFF from one model, in pure Python.

    obj = Object(TARGETS["linux/amd64"])    sections, symbols and relocations, all named by small integers
    build_object(target, symbols)           the same from assembled symbols (backend.LSym)
    write(obj, target)                      the bytes of the file, in the format of the target

docs/objwriter.md starts with a whole program, and has the rest: archives, import libraries, unwind information.  Sizes,
offsets, values and alignments are in bytes.  What a format cannot express, and what is no object, is an ObjectError
whose message names symbol, section and offset.  The same input gives the same bytes on every machine.

Sources: gABI chapters 4 and 5 and the psABIs for ELF, <mach-o/*.h> for Mach-O, Microsoft's PE Format for COFF; each
table names its own.

Stability: the names of `__all__`, the fields of the classes and the kinds of relocations (docs/relocations.md) stay as
they are, or CHANGELOG.md says what changed; so do the modules that docs/objwriter.md lists.  `register_target` adds a
target, and with it a CPU's relocations, from outside.

Importing this package loads no writer: `write` does.
"""

from __future__ import annotations

from objwriter.build import build_object
from objwriter.model import (
    ABSOLUTE,
    B_GLOBAL,
    B_LOCAL,
    B_WEAK,
    K_FILE,
    K_FUNC,
    K_NONE,
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
from objwriter.targets import TARGETS, register_target, targets_of
from objwriter.write import write

__all__ = [
    "ABSOLUTE",
    "B_GLOBAL",
    "B_LOCAL",
    "B_WEAK",
    "K_FILE",
    "K_FUNC",
    "K_NONE",
    "K_OBJECT",
    "K_SECTION",
    "K_TLS",
    "S_BSS",
    "S_DATA",
    "S_INFO",
    "S_NOTE",
    "S_RELRO",
    "S_RODATA",
    "S_TEXT",
    "S_TLSBSS",
    "S_TLSDATA",
    "TARGETS",
    "UNDEF",
    "Object",
    "ObjectError",
    "Relocation",
    "Section",
    "Symbol",
    "Target",
    "build_object",
    "register_target",
    "targets_of",
    "write",
]
