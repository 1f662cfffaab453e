"""What the Mach-O and COFF writers share: addends inside the contents, labels for addends that have no place.

Both formats relocate by adding S to what the field already holds.  An addend that the field cannot hold needs a
symbol at S + A; one can be made when that is inside the section of S, and no other definition can replace S.
"""

from __future__ import annotations

from objwriter.model import B_LOCAL, B_WEAK, K_NONE, Object, ObjectError, Relocation, Section, Symbol
from objwriter.relocs.formats import DIFF, END, FIELD, Records, RelocType

NAMES = {"MACHO": "Mach-O", "COFF": "COFF"}


def cannot_express(obj: Object, s: Section, r: Relocation, fmt: str, why: str = "") -> ObjectError:
    """The error for a relocation that `fmt` has no form for; names symbol, section and offset."""
    name = obj.symbols[r.symbol].name
    add = f" with addend {r.add}" if why else ""
    return ObjectError(
        f"cannot express {r.kind} of {r.size} bytes{add} in {NAMES[fmt]} for {obj.target.name} "
        f"({name}, {s.name}+{r.off:#x}){': ' + why if why else ''}"
    )


def find_records(obj: Object, s: Section, r: Relocation, fmt: str, types: dict[str, RelocType]) -> Records:
    """The records of a kind that the table does not have: the type that `FORMAT:TYPE` names."""
    prefix, _, name = r.kind.partition(":")
    t = types.get(name) if prefix == fmt else None
    if t is None:
        raise cannot_express(obj, s, r, fmt)
    if r.size not in ((1, 2, 4, 8) if t.rule in (FIELD, END) else (4, 8) if t.rule == DIFF else (4,)):
        raise cannot_express(obj, s, r, fmt)
    return ((0, t),)


def store(obj: Object, s: Section, data: bytearray, r: Relocation, value: int, fmt: str) -> None:
    """Puts the number into the field of r, little-endian; it may be read as signed or unsigned."""
    bits = 8 * r.size
    if not -(1 << bits - 1) <= value < 1 << bits:
        raise cannot_express(obj, s, r, fmt, f"{value} does not fit the field")
    data[r.off : r.off + r.size] = (value & (1 << bits) - 1).to_bytes(r.size, "little")


class Labels:
    """Symbols that the writer adds: one for each S + A that needs it.  Numbers go on after obj.symbols."""

    __slots__ = ("obj", "prefix", "made", "index")

    def __init__(self, obj: Object, prefix: str) -> None:
        self.obj = obj
        self.prefix = prefix
        self.made: list[Symbol] = []
        self.index: dict[tuple[int, int], int] = {}

    def at(self, section: int, value: int) -> int:
        """The number of the label `value` bytes into a section."""
        number = self.index.get((section, value))
        if number is None:
            number = self.index[section, value] = len(self.obj.symbols) + len(self.made)
            self.made.append(Symbol(f"{self.prefix}{len(self.made)}", section, value, 0, K_NONE, B_LOCAL))
        return number

    def possible(self, r: Relocation) -> bool:
        """Whether S + A of the relocation can have a label."""
        to = self.obj.symbols[r.symbol]
        if to.section < 0 or to.binding == B_WEAK:
            return False
        return 0 <= to.value + r.add < self.obj.sections[to.section].size

    def sum_of(self, s: Section, r: Relocation, fmt: str, why: str) -> int:
        """The number of a symbol at S + A of the relocation."""
        if not self.possible(r):
            raise cannot_express(self.obj, s, r, fmt, why)
        to = self.obj.symbols[r.symbol]
        return self.at(to.section, to.value + r.add)
