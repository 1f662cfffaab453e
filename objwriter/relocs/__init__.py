"""ELF relocation tables, one module per architecture: what a kind of the assembler is called there.

A row is `kind/size` and a list of `offset:TYPE` records (one kind may need two), joined by `+`.  `offset:@TYPE` is a
record without addend against a label at the start of the field, which the writer makes.  Type names are those of the
psABIs, verbatim; each module has their numbers.  The tables of Mach-O and COFF, whose types also say where an addend
goes, are in `macho.py` and `coff.py`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from objwriter.model import ObjectError

Record = tuple[int, int]  # offset inside the field, type number
Table = dict[tuple[str, int], tuple[Record, ...]]
LABEL: Final = 1 << 24  # added to the type number of a record against a label
ARCHES: Final = ("amd64", "arm64", "riscv64")  # those that have a module here


def parse_table(rows: str, numbers: dict[str, int]) -> Table:
    """(kind, size) -> records.

    >>> parse_table("R_ADDR/8  0:R_X86_64_64", {"R_X86_64_64": 1})
    {('R_ADDR', 8): ((0, 1),)}
    """
    out: Table = {}
    for line in rows.split("\n"):
        words = line.split()
        if not words or words[0][0] == "#":
            continue
        kind, _, size = words[0].partition("/")
        records: list[Record] = []
        for part in words[1].split("+"):
            offset, _, name = part.partition(":")
            number = numbers[name.lstrip("@")]
            records.append((int(offset), number | LABEL if name[0] == "@" else number))
        out[kind, int(size)] = tuple(records)
    return out


def load_relocs(arch: str) -> Table:
    """The table of an architecture (GOARCH name): a module of this package beside this file."""
    if arch not in ARCHES:
        raise ObjectError(f"no relocation table for {arch}")
    table: Table = import_module(f"objwriter.relocs.{arch}").TABLE
    return table
