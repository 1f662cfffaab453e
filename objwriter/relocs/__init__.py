"""Relocation tables, one per architecture: what a kind of the assembler is called in each format.

A row is `kind/size` and per format a list of `offset:TYPE` records (one kind may need two records),
or `-` when the format has no such thing.  Type names are those of the psABIs, verbatim; each module
has their numbers.
"""

from __future__ import annotations

from objwriter.model import ObjectError

Record = tuple[int, int]  # offset inside the field, type number
FORMATS = ("elf", "macho", "coff")


def parse_table(rows: str, numbers: dict[str, int]) -> dict[str, dict[tuple[str, int], tuple[Record, ...]]]:
    """format -> (kind, size) -> records.

    >>> parse_table("R_ADDR/8  0:R_X86_64_64  -  -", {"R_X86_64_64": 1})["elf"]
    {('R_ADDR', 8): ((0, 1),)}
    """
    out: dict[str, dict[tuple[str, int], tuple[Record, ...]]] = {name: {} for name in FORMATS}
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
                    records.append((int(offset), numbers[kind_name]))
                out[name][kind, int(size)] = tuple(records)
    return out


def load_relocs(arch: str) -> dict[str, dict[tuple[str, int], tuple[Record, ...]]]:
    """The table of an architecture (GOARCH name)."""
    if arch == "amd64":
        from objwriter.relocs.amd64 import TABLE

        return TABLE
    raise ObjectError(f"no relocation table for {arch}")
