"""ELF relocation tables, one module per family of machines: what a kind of the assembler is called there.

A row is `kind/size` and a list of `offset:TYPE` records (one kind may need two), joined by `+`.  `offset:@TYPE` is a
record without addend against a label at the start of the field, which the writer makes; `offset:$TYPE` one against the
global offset table.  Type names are those of the psABIs, verbatim; each module has their numbers (NUMBERS) and rows
(ROWS), and where the machine needs them:

HALVES     types whose field is the low half of the instruction: two bytes on where the high byte comes first
RELATIVE   types that count from their own field: A grows by the distance of that from the start of the whole
FIELDS     how an addend stands in the field, for the REL style (`fields.py`); all other types: as a number
CHOOSE     kinds whose records depend on the instruction

The tables of Mach-O and COFF, whose types also say where an addend goes, are in `macho.py` and `coff.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from importlib import import_module
from typing import Final

from objwriter.model import Relocation, Section, Target

Record = tuple[int, int, int]  # offset inside the field, type number, what is added to A
Records = tuple[Record, ...]
Table = dict[tuple[str, int], Records]
# Given a section and the offsets of its functions: what tells the records of a relocation there.
Chooser = Callable[[Section, Iterable[int]], Callable[[Relocation], Records]]
LABEL: Final = 1 << 40  # added to the type number of a record against a label
GOT_SYMBOL: Final = 1 << 41  # added to the type number of a record against GOT_NAME
GOT_NAME: Final = "_GLOBAL_OFFSET_TABLE_"
_PREFIXES: Final = {"@": LABEL, "$": GOT_SYMBOL}


class Relocs:
    """What the writer knows of a machine's relocations."""

    __slots__ = ("table", "choose", "fields")

    def __init__(self, table: Table, choose: dict[tuple[str, int], Chooser], fields: dict[int, str]) -> None:
        self.table = table
        self.choose = choose
        self.fields = fields


def parse_table(
    rows: str, numbers: dict[str, int], halves: Collection[str] = (), relative: Collection[str] = ()
) -> Table:
    """(kind, size) -> records.

    >>> parse_table("R_ADDR/8  0:R_X86_64_64", {"R_X86_64_64": 1})
    {('R_ADDR', 8): ((0, 1, 0),)}
    """
    out: Table = {}
    for line in rows.split("\n"):
        words = line.split()
        if not words or words[0][0] == "#":
            continue
        kind, _, size = words[0].partition("/")
        records: list[Record] = []
        for part in words[1].split("+"):
            at, _, name = part.partition(":")
            flag = _PREFIXES.get(name[0], 0)
            name = name.lstrip("@$")
            offset = int(at) + (2 if name in halves else 0)
            records.append((offset, numbers[name] | flag, offset if name in relative else 0))
        out[kind, int(size)] = tuple(records)
    return out


def load_relocs(target: Target) -> Relocs:
    """The relocations of a target: a module of this package, which the target's row names."""
    module = import_module(f"objwriter.relocs.{target.relocs}")
    numbers: dict[str, int] = module.NUMBERS
    halves = getattr(module, "HALVES", ()) if target.big_endian else ()
    table = parse_table(module.ROWS, numbers, halves, getattr(module, "RELATIVE", ()))
    fields = {numbers[name]: rule for name, rule in getattr(module, "FIELDS", {}).items()}
    return Relocs(table, getattr(module, "CHOOSE", {}), {} if target.rela else fields)
