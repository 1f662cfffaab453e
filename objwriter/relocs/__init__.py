"""Relocation tables, one module per family of machines: what a kind of the assembler is called in each format.

A row of ROWS is `kind/size` and a cell for each format that its head names (elf, macho, coff; `-`: cannot be
expressed).  A cell is a list of `offset:TYPE` records (one kind may need two), joined by `+`.  Each module has besides

NUMBERS    ELF: the numbers of the types, named as in the psABI
TYPES      Mach-O and COFF: the numbers of their types, and where each keeps an addend (`formats.py`)

and for ELF, where the machine needs them:

HALVES     types whose field is the low half of the instruction: two bytes on where the high byte comes first
RELATIVE   types that count from their own field: A grows by the distance of that from the start of the whole
FIELDS     how an addend stands in the field, for the REL style (`fields.py`); all other types: as a number
CHOOSE     kinds whose records depend on the instruction

In a cell of ELF `offset:@TYPE` is a record without addend against a label at the start of the field, which the writer
makes, `offset:$TYPE` one against the global offset table.  In one of Mach-O the records stand in the order of the
file, highest address first; a difference in data is a SUBTRACTOR, which names what is subtracted, directly followed
by an UNSIGNED for what it is subtracted from.  COFF has no kind for a GOT (imports are loaded from `__imp_NAME`, an
ordinary symbol), and of the thread-local kinds only the offset in the section.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import Final

from objwriter.model import Target
from objwriter.relocs.records import Chooser, Record, Records

Table = dict[tuple[str, int], Records]
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


def read_cells(rows: str, fmt: str) -> dict[tuple[str, int], list[tuple[int, str]]]:
    """(kind, size) -> records (offset, type name), as the column of a format has them; {} when there is no column.

    >>> read_cells("# kind/size elf coff\\nR_ADDR/8  0:R_X86_64_64  -", "elf")
    {('R_ADDR', 8): [(0, 'R_X86_64_64')]}
    """
    out: dict[tuple[str, int], list[tuple[int, str]]] = {}
    column = -1
    for line in rows.split("\n"):
        words = line.split()
        if not words:
            continue
        if words[0] == "#":
            column = words.index(fmt) - 1 if fmt in words else -1
        elif column >= 0 and words[column] != "-":
            kind, _, size = words[0].partition("/")
            parts = [part.partition(":") for part in words[column].split("+")]
            out[kind, int(size)] = [(int(offset), name) for offset, _, name in parts]
    return out


def parse_table(
    rows: str, numbers: dict[str, int], halves: Collection[str] = (), relative: Collection[str] = ()
) -> Table:
    """(kind, size) -> records of ELF.

    >>> parse_table("# kind/size elf\\nR_ADDR/8  0:R_X86_64_64", {"R_X86_64_64": 1})
    {('R_ADDR', 8): ((0, 1, 0),)}
    """
    out: Table = {}
    for key, cell in read_cells(rows, "elf").items():
        records: list[Record] = []
        for at, name in cell:
            flag = _PREFIXES.get(name[0], 0)
            name = name.lstrip("@$")
            offset = at + (2 if name in halves else 0)
            records.append((offset, numbers[name] | flag, offset if name in relative else 0))
        out[key] = tuple(records)
    return out


def load_relocs(target: Target) -> Relocs:
    """The ELF relocations of a target, from the module that its row names."""
    module = import_module(target.relocs)
    numbers: dict[str, int] = module.NUMBERS
    halves = getattr(module, "HALVES", ()) if target.big_endian else ()
    table = parse_table(module.ROWS, numbers, halves, getattr(module, "RELATIVE", ()))
    fields = {numbers[name]: rule for name, rule in getattr(module, "FIELDS", {}).items()}
    return Relocs(table, getattr(module, "CHOOSE", {}), {} if target.rela else fields)
