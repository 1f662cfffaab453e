"""LSym and Reloc: what the assembler hands to the object writer."""

from __future__ import annotations

from typing import Final

STEXT: Final = 0
SRODATA: Final = 1
SDATA: Final = 2
SBSS: Final = 3
STLSBSS: Final = 4
SNOTE: Final = 5  # read-only metadata about code: lives and dies with `LSym.link`
KIND_NAMES: Final = ("text", "rodata", "data", "bss", "tlsbss", "note")

# LSym.attrs
A_STATIC: Final = 1  # local to the object
A_DUPOK: Final = 2  # weak / COMDAT
A_HIDDEN: Final = 4  # not exported from the final image
A_UNDEF: Final = 8  # only referenced here
A_SHORT: Final = 16  # may contain instructions of an optional short encoding (RISC-V C)


class Reloc:
    """`kind` is a name of the table in docs/relocations.md (Go's vocabulary: R_ADDR, R_PCREL, R_CALL,
    ...).  `off` and `size` locate the field; `add` is A in S + A (- P), P the field itself."""

    __slots__ = ("off", "size", "kind", "sym", "add")

    def __init__(self, off: int, size: int, kind: str, sym: LSym | None, add: int) -> None:
        self.off = off
        self.size = size
        self.kind = kind
        self.sym = sym
        self.add = add


class LSym:
    """A symbol: a function or datum with its bytes and relocations.  `size` exceeds len(data) for
    bss; `align` 0 means the architecture's default; `link` (SNOTE only) the function described;
    `section` overrides the default section name; `owner` is a record of whoever made the symbol, which nothing in
    this package or in objwriter looks at."""

    __slots__ = ("name", "kind", "attrs", "data", "relocs", "size", "align", "link", "section", "owner")

    def __init__(self, name: str, kind: int = STEXT, attrs: int = 0) -> None:
        self.name = name
        self.kind = kind
        self.attrs = attrs
        self.data = bytearray()
        self.relocs: list[Reloc] = []
        self.size = 0
        self.align = 0
        self.link: LSym | None = None
        self.section: str | None = None
        self.owner: object = None

    def __repr__(self) -> str:
        return f"<LSym {self.name}>"
