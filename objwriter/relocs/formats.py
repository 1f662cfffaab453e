"""Reading of the Mach-O and COFF columns: kinds to records, and what each relocation type does with its addend.

ELF stores an addend beside the relocation, so a type number is all its writer needs; these two formats keep addends in
the code, each type in its own way.  A table of types therefore gives, for every type, its number and its rule.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from objwriter.model import ObjectError, Target
from objwriter.relocs import read_cells

RULES: Final = (
    "field",  # the whole field holds A
    "end",  # the field holds A counted from its end: A + size
    "got",  # like `end`; A must lead exactly to the entry
    "none",  # no place for A: must be 0, or the target gets a label
    "pair",  # Mach-O arm64: an ADDEND record goes before; 24 bits signed
    "label",  # as `pair`, but a label is preferred: zig's linker takes no ADDEND before a branch
    "diff",  # Mach-O: SUBTRACTOR and UNSIGNED, the field holds A - (P - label)
    "adr",  # COFF arm64: the 21 bits of ADR/ADRP hold A in bytes
    "add12",  # COFF arm64: imm12 of ADD holds A & 0xfff
    "ldst12",  # COFF arm64: imm12 of a load or store holds A & 0xfff divided by the access size
)
FIELD, END, GOT, NONE, PAIR, LABELLED, DIFF, ADR, ADD12, LDST12 = range(len(RULES))


class RelocType:
    """One relocation type of one machine: name, number, 1 when relative to the field (Mach-O), rule."""

    __slots__ = ("name", "number", "pcrel", "rule")

    def __init__(self, name: str, number: int, pcrel: int, rule: int) -> None:
        self.name = name
        self.number = number
        self.pcrel = pcrel
        self.rule = rule


Records = tuple[tuple[int, RelocType], ...]  # (offset inside the field, type)
FormatTable = dict[tuple[str, int], Records]


def load_format(target: Target) -> tuple[FormatTable, dict[str, RelocType]]:
    """(kind, size) -> records, and type name -> type, in the format of the target.

    Raises ObjectError when the module that the target's row names has no column for the format.
    """
    module = import_module(target.relocs)
    by_name: dict[str, RelocType] = {}
    for line in getattr(module, "TYPES", "").split("\n"):
        words = line.split()
        if words and words[0] == target.format:
            _, name, number, pcrel, rule = words
            by_name[name] = RelocType(name, int(number), int(pcrel), RULES.index(rule))
    cells = read_cells(module.ROWS, target.format)
    if not cells:
        raise ObjectError(f"no relocations of {target.format} for {target.arch}")
    table = {key: tuple((offset, by_name[name]) for offset, name in cell) for key, cell in cells.items()}
    return table, by_name
