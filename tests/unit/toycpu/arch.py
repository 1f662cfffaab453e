"""The toy's opcodes, registers and Encoder, for either byte order."""

from __future__ import annotations

import os

from backend import Arch
from backend.obj.assemble import Branch, Encoder, Fixup
from backend.obj.formtable import FormTable, Row
from backend.obj.portable import PORTABLE
from backend.obj.prog import BRANCH, CONST, OP_WINDOW, REG, REG_WINDOW, Addr, Prog
from backend.obj.sym import LSym

WINDOW = 77
ASET, AADD = WINDOW * OP_WINDOW, WINDOW * OP_WINDOW + 1
NAMES = {**dict(enumerate(PORTABLE)), ASET: "SET", AADD: "ADD"}
R0 = WINDOW * REG_WINDOW
REG_NAMES = {R0 + i: f"R{i}" for i in range(16)}


class Form:
    def __init__(self, row: Row) -> None:
        self.operands = row.operands
        self.words = row.encoding.split()
        self.reloc = row.reloc

    def fits(self, args: list[Addr]) -> bool:
        return len(args) == len(self.operands) and all(
            a.kind == REG
            if t[0] == "r"
            else a.kind == CONST and -(1 << 15) <= a.offset < 1 << 15
            if t[0] == "$"
            else a.kind == BRANCH and type(a.sym) is (Prog if t == "label" else LSym)
            for t, a in zip(self.operands, args, strict=True)
        )


class Jump(Branch):
    def __init__(self, order: str) -> None:
        super().__init__(((-(1 << 17), (1 << 17) - 4, 0),))
        self.order = order

    def patch(self, chunk: bytes, pc: int, target: int, step: int) -> bytes:
        word = int.from_bytes(chunk, "big" if self.order == "be" else "little")
        return (word | (target - pc >> 2 & 0xFFFF)).to_bytes(4, "big" if self.order == "be" else "little")


class ToyEncoder(Encoder):
    def __init__(self, order: str) -> None:
        super().__init__("toy", WINDOW)
        self.order = order
        folder = os.path.dirname(__file__)
        self.forms = FormTable(folder, ("forms.tbl",), NAMES, lambda row: [Form(row)])

    def encode(self, p: Prog) -> tuple[bytes, Fixup | None]:
        form = next((f for f in self.forms.forms_of(p.as_) if f.fits(p.args)), None)
        if form is None:
            raise ValueError("no such instruction")
        word = 0
        named = dict(zip(form.operands, p.args, strict=True))
        for w in form.words:
            if w in ("rd", "rs"):
                word = word << 8 | (named[w].reg & 15)
            elif w == "imm":
                word = word << 16 | (named["$i16"].offset & 0xFFFF)
            else:
                word = word << 16 if w == "disp" else word << 4 * len(w) | int(w, 16)
        data = word.to_bytes(4, "big" if self.order == "be" else "little")
        if "disp" in form.words:
            return data, Fixup(Jump(self.order))
        return data, Fixup(None, form.reloc, 0, 4) if form.reloc else None

    def padding(self, size: int) -> bytes:
        return bytes(size)


def make(bits: int, order: str) -> Arch:
    return Arch(
        name=f"toy{bits}{order}",
        family="toy",
        ptr_size=bits // 8,
        big_endian=order == "be",
        min_insn=4,
        regs={name: reg for reg, name in REG_NAMES.items()},
        reg_names=REG_NAMES,
        ops={name: as_ for as_, name in NAMES.items()},
        op_names=NAMES,
        encoder=ToyEncoder(order),
    )
