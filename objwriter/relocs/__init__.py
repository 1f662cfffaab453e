"""Relocation tables, one per architecture: what a kind of the assembler is called in each format.

A row is `kind/size` and per format a list of `offset:TYPE` records (one kind may need two records),
or `-` when the format has no such thing.  `offset:@TYPE` is a record without addend against a label at
the start of the field, which the writer makes.  Type names are those of the psABIs, verbatim; each module
has their numbers.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from objwriter.model import ObjectError

Record = tuple[int, int]  # offset inside the field, type number
Table = dict[str, dict[tuple[str, int], tuple[Record, ...]]]
FORMATS = ("elf", "macho", "coff")
LABEL: Final = 1 << 24  # added to the type number of a record against a label
ARCHES: Final = ("amd64", "arm64", "riscv64")  # those that have a module here


def parse_table(rows: str, numbers: dict[str, int]) -> Table:
    """format -> (kind, size) -> records.

    >>> parse_table("R_ADDR/8  0:R_X86_64_64  -  -", {"R_X86_64_64": 1})["elf"]
    {('R_ADDR', 8): ((0, 1),)}
    """
    out: Table = {name: {} for name in FORMATS}
    for line in rows.split("\n"):
        words = line.split()
        if not words or words[0][0] == "#":
            continue
        kind, _, size = words[0].partition("/")
        for name, cell in zip(FORMATS, words[1:], strict=True):
            if cell != "-":
                records: list[Record] = []
                for part in cell.split("+"):
                    offset, _, kind_name = part.partition(":")
                    number = numbers[kind_name.lstrip("@")]
                    records.append((int(offset), number | LABEL if kind_name[0] == "@" else number))
                out[name][kind, int(size)] = tuple(records)
    return out


def load_relocs(arch: str) -> Table:
    """The table of an architecture (GOARCH name): a module of this package beside this file."""
    if arch not in ARCHES:
        raise ObjectError(f"no relocation table for {arch}")
    table: Table = import_module(f"objwriter.relocs.{arch}").TABLE
    return table
