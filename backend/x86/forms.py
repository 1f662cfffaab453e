"""The rows of forms.tbl as objects, and finding the one that takes given operands.

Which form an instruction gets depends on the opcode and the fine classes of its operands alone (classify.py), so
the choice is remembered under one integer.
"""

from __future__ import annotations

import os
from typing import Final

from backend.obj.formtable import FormTable, Row, format_row
from backend.obj.prog import Addr
from backend.x86 import regs
from backend.x86.classify import C_BAD, C_MEMSYM, C_MEMWIDE, C_SYM, PATTERNS, classify, explain
from backend.x86.ops import NAMES

NO_OPERAND: Final = -1
DIGIT_R: Final = 8  # /r: the register field holds an operand
DIGIT_RR: Final = 9  # /rr: one register in both fields


class Form:
    """A parsed row.  `rm`, `reg`, `plus` are operand indexes (or NO_OPERAND); `imms` pairs of operand
    index and byte count; `rw` has per operand 1 read, 2 written, 3 both; `implicit` the same for
    registers the instruction touches without naming them."""

    __slots__ = (
        "masks", "prefix", "rex", "opcode", "digit", "rm", "reg", "plus", "imms", "bytes_", "short", "near", "rel",
        "rw", "implicit", "text",
    )  # fmt: skip

    def __init__(self, text: str) -> None:
        self.text = text
        self.masks: list[int] = []
        self.prefix = b""
        self.rex = 0
        self.opcode = b""
        self.digit = -1
        self.rm = NO_OPERAND
        self.reg = NO_OPERAND
        self.plus = NO_OPERAND
        self.imms: list[tuple[int, int]] = []
        self.bytes_: list[int] = []  # operands used as byte registers
        self.short: bytes | None = None  # opcode of the rel8 form
        self.near: bytes | None = None  # opcode of the rel32 form
        self.rel = NO_OPERAND
        self.rw: list[int] = []
        self.implicit: list[tuple[int, int]] = []


_IMM_SIZE: Final = {"ib": 1, "iw": 2, "id": 4, "iq": 8}
_PREFIXES: Final = ("66", "67", "F2", "F3")
_SPECIAL_REG: Final = ("sreg", "cr", "dr")


def _mark(word: str) -> tuple[str, int]:
    """Splits `r64!` into the pattern and its access: 1 read, 2 written, 3 both."""
    if word.endswith("!"):
        return word[:-1], 3
    if word.endswith("="):
        return word[:-1], 2
    return word, 1


def make_forms(row: Row) -> list[Form]:
    """The form of a row of forms.tbl; raises ValueError or LookupError when it is not well-formed.

    >>> from backend.obj.formtable import parse_row
    >>> make_forms(parse_row("ADDQ  $i8, r/m64!  | REX.W 83 /0 ib"))[0].imms
    [(0, 1)]
    """
    f = Form(format_row(row).partition(" | ")[0])
    for word in row.implicit.split():
        name, access = _mark(word)
        f.implicit.append((regs.REGS[name], access))
    patterns: list[str] = []
    for word in row.operands:
        pattern, access = _mark(word)
        if pattern not in PATTERNS:
            raise ValueError(f"unknown operand {pattern}")
        patterns.append(pattern)
        f.masks.append(PATTERNS[pattern])
        f.rw.append(access)
    f.bytes_ = [i for i, p in enumerate(patterns) if p in ("r8", "r/m8")]
    constants = [i for i, p in enumerate(patterns) if p[0] == "$" and p != "$&m"]
    for i, p in enumerate(patterns):
        if p in ("rel", "sym"):
            f.rel = i
    short, _, near = row.encoding.partition(";")
    f.short, f.near = _branch_opcode(short), _branch_opcode(near)
    if f.short is None and f.near is None:
        _parse_opcode(f, row.encoding.split(), patterns, constants)
    elif f.near is None and short.split()[-1] == "cd":
        f.short, f.near = None, f.short
    return [f]


def _branch_opcode(encoding: str) -> bytes | None:
    words = encoding.split()
    if words and words[-1] in ("cb", "cd"):
        return bytes(int(w, 16) for w in words[:-1])
    return None


def _parse_opcode(f: Form, words: list[str], patterns: list[str], constants: list[int]) -> None:
    opcode = bytearray()
    while words and (words[0] in _PREFIXES or words[0] == "REX.W"):
        word = words[0]
        if word == "REX.W":
            f.rex = 0x48
        elif len(words) == 1:
            break  # a prefix as a statement of its own (REP)
        else:
            f.prefix += bytes((int(word, 16),))
        del words[0]
    n_imm = 0
    for word in words:
        if word in _IMM_SIZE:
            f.imms.append((constants[n_imm], _IMM_SIZE[word]))
            n_imm += 1
        elif word == "/r":
            f.digit = DIGIT_R
        elif word == "/rr":
            f.digit = DIGIT_RR
        elif word[0] == "/":
            f.digit = int(word[1])
        elif word.endswith(("+r", "+i")):
            opcode.append(int(word[:-2], 16))
            f.plus = next(i for i, p in enumerate(patterns) if p in ("r8", "r16", "r32", "r64", "st"))
        else:
            opcode.append(int(word, 16))
    f.opcode = bytes(opcode)
    if f.digit >= 0:
        _place_modrm(f, patterns)
    named = [i for i in constants if patterns[i] != "$1"]
    if len(named) != len(f.imms):
        raise ValueError("immediates do not match")


def _place_modrm(f: Form, patterns: list[str]) -> None:
    """Which operand is in ModRM.rm and which in ModRM.reg (SDM 2A 3.1.1.3).  A memory-capable operand
    is rm; a control or segment register is reg; between two plain registers the source is rm."""
    fixed = ("AL", "AX", "CL", "X0", "F0", "FS", "GS")
    named = [i for i, p in enumerate(patterns) if p not in fixed and (p[0] != "$" or p == "$&m")]
    memory = [i for i in named if "m" in patterns[i].replace("mm", "")]
    special = [i for i in named if patterns[i] in _SPECIAL_REG]
    if memory:
        f.rm = memory[0]
    elif special:
        f.rm = next(i for i in named if i not in special)
    else:
        f.rm = named[0]
    if f.digit == DIGIT_R:
        f.reg = next(i for i in named if i != f.rm)
    elif f.digit == DIGIT_RR:
        f.reg = f.rm


# ---------------------------------------------------------------------------------------------------
# Form selection


class Forms:
    """The form table with the choices made from it so far."""

    __slots__ = ("table", "_choice")

    def __init__(self) -> None:
        self.table: Final = FormTable(os.path.dirname(__file__), ("forms.tbl",), NAMES, make_forms)
        self._choice: dict[int, Form] = {}

    def find(self, as_: int, args: list[Addr]) -> Form:
        """The first row whose patterns take these operands; raises ValueError with a message if none does."""
        key = as_
        classes: list[int] = []
        for a in args:
            c = classify(a)
            if c == C_BAD:
                raise ValueError(explain(a) or "invalid instruction")
            key = key << 6 | c
            classes.append(c)
        key = key << 4 | len(args)
        form = self._choice.get(key)
        if form is None:
            n = len(classes)
            for form in self.table.forms_of(as_):
                if len(form.masks) == n:
                    for mask, c in zip(form.masks, classes, strict=True):
                        if not mask >> c & 1:
                            break
                    else:
                        self._choice[key] = form
                        return form
            raise ValueError(self._refusal(as_, classes))
        return form

    def _refusal(self, as_: int, classes: list[int]) -> str:
        if C_MEMWIDE in classes:
            return "offset too large"
        if classes == [C_SYM] or classes == [C_MEMSYM]:
            rel = PATTERNS["rel"]
            if any(f.masks == [rel] for f in self.table.forms_of(as_)):
                return "this branch cannot reach a symbol"
        return "invalid instruction"

    def operand_rw(self, as_: int, args: list[Addr]) -> tuple[list[int], list[tuple[int, int]]]:
        """What an instruction reads and writes: per operand 1 read, 2 written, 3 both, and the same for
        implicit registers.  Memory operands always read their base and index.

        >>> from backend.obj.prog import REG
        >>> from backend.x86.ops import AMULQ
        >>> Forms().operand_rw(AMULQ, [Addr(REG, regs.BX)]) == ([1], [(regs.AX, 3), (regs.DX, 2)])
        True
        """
        form = self.find(as_, args)
        return form.rw, form.implicit
