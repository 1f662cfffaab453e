"""The rows of forms.tbl as objects: operand patterns, fields of the word, expansions.

Problem.  RISC-V has few instruction formats but many assembler forms: two- and three-operand spellings,
register mnemonics with constants, pseudo-instructions of up to five instructions, 16-bit variants with
their own register subsets.  Method: one text row says all of it (notation at the head of forms.tbl).  Its encoding is
one of

    fields      a machine word: constant bits, and pieces of operands with their places
    macro       a list of other instructions whose operands are this row's operands or constants
    computed    the name of a function of expand.py that returns such a list

Invariants.  A machine row has 16 or 32 bits in all, each from a constant or from an operand the row
names (checked here, once per row, and for all rows by the tests).  An optional operand makes two forms
of one row, so that matching compares a fixed number of operands.
"""

from __future__ import annotations

import os
from typing import Final

from backend.obj.formtable import FormTable, Row, format_row, read_table
from backend.obj.prog import ADDR, BRANCH, CONST, FCONST, MEM, REG, SPECIAL, Addr, Prog
from backend.obj.sym import STLSBSS, LSym
from backend.riscv import regs
from backend.riscv.ops import NAMES, OPS

# Pattern kinds beside those of Addr.
SYMBOL: Final = 32  # sym(SB) or a branch to a symbol
TLS: Final = 33
SYMBOL_ADDR: Final = 34
TLS_ADDR: Final = 35

# Numbers of SPECIAL operands: control registers 0..4095, and from here sets of I O R W.
FENCE_SET: Final = 1 << 16
SEW: Final = 2 << 16  # and the parts of vtype
LMUL: Final = 3 << 16
TAIL: Final = 4 << 16
MASK: Final = 5 << 16

_WIDTHS: Final = {
    "rd": 5, "rs1": 5, "rs2": 5, "rs3": 5, "vd": 5, "vs1": 5, "vs2": 5, "vs3": 5, "rd'": 3, "rs1'": 3, "rs2'": 3,
    "csr": 12, "fence1": 4, "fence2": 4, "rm": 3, "sew": 3, "lmul": 3, "ta": 1, "ma": 1,
}  # fmt: skip
_ROUNDING: Final = {"RNE": 0, "RTZ": 1, "RDN": 2, "RUP": 3, "RMM": 4, "DYN": 7}
SUFFIXES: Final = {name: mode + 1 for name, mode in _ROUNDING.items()}  # Prog.scond
_BASES: Final = {"r": (regs.X0, 0), "f": (regs.F0, 1), "v": (regs.V0, 0)}  # first letter -> first register, skip


class Pattern:
    """What one operand may be: kind, register bounds, constant bounds."""

    __slots__ = (
        "kind",
        "name",
        "lowest",
        "highest",
        "barred",
        "lo",
        "hi",
        "step",
        "nonzero",
        "written",
        "read",
        "simple",
    )

    def __init__(self, kind: int, name: str) -> None:
        self.kind = kind
        self.name = name  # of the register or constant; of the base register for memory
        self.lowest = self.highest = 0
        self.barred = -1
        self.lo = self.hi = 0
        self.step = 1
        self.nonzero = False
        self.written = self.read = False
        self.simple = False  # the bounds alone decide, once the kind is right and there is no symbol

    def fits(self, a: Addr) -> bool:
        """Whether the operand is one of these."""
        kind = self.kind
        if kind == REG:
            return a.kind == REG and self.lowest <= a.reg <= self.highest and a.reg != self.barred
        if kind == CONST:
            if a.kind != CONST:
                return False
        elif kind == MEM or kind == ADDR:
            if a.kind != kind or a.sym is not None or not self.lowest <= a.reg <= self.highest:
                return False
        elif kind == BRANCH:
            return a.kind == BRANCH and type(a.sym) is Prog
        elif kind == SPECIAL:
            return a.kind == SPECIAL and self.lo <= a.offset <= self.hi
        elif kind == FCONST:
            return a.kind == FCONST
        else:
            return symbol_class(a) == kind
        value: int = a.offset
        if not self.lo <= value <= self.hi or (self.nonzero and value == 0):
            return False
        return self.step == 1 or value % self.step == 0

    def settle(self) -> None:
        """Finds out whether bounds alone decide, and widens those that do not matter for the kind."""
        if self.kind == REG:
            self.lo, self.hi = -(1 << 64), 1 << 64
        elif self.kind == CONST:
            self.lowest, self.highest = -(1 << 64), 1 << 64
        self.simple = self.kind in (REG, CONST, MEM, ADDR) and self.barred < 0 and self.step == 1 and not self.nonzero


def symbol_class(a: Addr) -> int:
    """SYMBOL, TLS, SYMBOL_ADDR or TLS_ADDR for an operand that names a symbol, else 0."""
    s = a.sym
    if type(s) is not LSym:
        return 0
    if a.kind == MEM:
        return TLS if s.kind == STLSBSS else SYMBOL
    if a.kind == ADDR:
        return TLS_ADDR if s.kind == STLSBSS else SYMBOL_ADDR
    return SYMBOL if a.kind == BRANCH else 0


# A field: operand index, 1 for its constant and 0 for its register, right shift, mask, left shift.
Field = tuple[int, int, int, int, int]
# An operand of a macro: operand index (-1: none) whose register is meant, a register, operand index of the
# constant (-1), its sign (1 or -1), the constant added, mask (0: none), kind of the result.
MacroArg = tuple[int, int, int, int, int, int, int]


class Form:
    """One row of the table, for one number of operands."""

    __slots__ = (
        "as_", "row", "patterns", "equal", "extension", "base", "size", "fields", "rounding", "branch", "macro",
        "computed", "argument", "reloc", "reloc_size", "rw", "full", "missing",
    )  # fmt: skip

    def __init__(self, as_: int, row: str, patterns: list[Pattern]) -> None:
        self.as_ = as_
        self.row = row
        self.patterns = patterns
        self.equal: tuple[int, int] | None = None  # two operands that must be the same register
        self.extension = ""
        self.base = 0
        self.size = 0
        self.fields: list[Field] = []
        self.rounding = -1  # default rounding mode of a form that has one
        self.branch: list[Field] = []  # the fields of a branch displacement
        self.macro: list[tuple[int, list[MacroArg]]] = []
        self.computed = ""
        self.argument = ""
        self.reloc = ""
        self.reloc_size = 0
        self.rw: list[int] = []
        self.full: Form | None = None  # of a form without its optional operand: the one that has it
        self.missing = 0  # where that operand, equal to the last one, belongs

    def fits(self, args: list[Addr]) -> bool:
        """Whether the form takes these operands."""
        patterns = self.patterns
        if len(patterns) != len(args):
            return False
        for t, a in zip(patterns, args, strict=True):
            if not t.fits(a):
                return False
        equal = self.equal
        return equal is None or args[equal[0]].reg == args[equal[1]].reg


def _bounds(t: Pattern, text: str) -> None:
    """Reads `i12`, `u7/4`, `i6+`, `w32`, `0`."""
    if text.endswith("+"):
        t.nonzero = True
        text = text[:-1]
    text, _, step = text.partition("/")
    if step:
        t.step = int(step)
    if text == "0" or not text:
        return
    bits = int(text[1:])
    if text[0] == "s":  # one more than signed: for an instruction that encodes the constant less one
        t.lo, t.hi = 1 - (1 << bits - 1), 1 << bits - 1
    elif text[0] == "i":
        t.lo, t.hi = -(1 << bits - 1), (1 << bits - 1) - 1
    else:
        t.hi = (1 << bits) - 1


def _register(t: Pattern, text: str) -> None:
    if text in regs.REGS:
        t.lowest = t.highest = regs.REGS[text]
        t.name = ""
        return
    base, skip = _BASES[text[0]]
    name = text[skip:]
    if name[-1] == "!":
        t.read = True
        name = name[:-1]
    t.lowest, t.highest = base, base + 31
    if name[-1] == "'":
        t.lowest, t.highest = base + 8, base + 15
        name = name[:-1]
    elif name[-1] in "+*":
        t.lowest = base + 1
        if name[-1] == "*":
            t.barred = regs.SP
        name = name[:-1]
    t.name = name
    t.written = name in ("rd", "vd")


def parse_pattern(text: str) -> Pattern:
    """One operand of a row (without the brackets of an optional one).

    >>> t = parse_pattern("u7/4(rs1')")
    >>> t.fits(Addr(MEM, regs.S0, 124)), t.fits(Addr(MEM, regs.S0, 126)), t.fits(Addr(MEM, regs.RA, 0))
    (True, False, False)
    """
    kind = _NAMED.get(text)
    if kind is not None:
        t = Pattern(kind, text)
        if kind == SPECIAL:
            t.lo, t.hi = _SPECIALS[text]
        return t
    if text[-1] == ")":
        offset, _, base = text[:-1].partition("(")
        t = Pattern(ADDR if text[0] == "$" else MEM, "")
        _register(t, base)
        t.written = False
        _bounds(t, offset.lstrip("$"))
        return t
    if text[0] == "$":
        t = Pattern(CONST, "imm")
        _bounds(t, text[1:])
        return t
    t = Pattern(REG, "")
    _register(t, text)
    return t


_NAMED: Final = {
    "label": BRANCH, "sym": SYMBOL, "tls": TLS, "$sym": SYMBOL_ADDR, "$tls": TLS_ADDR, "$f": FCONST, "csr": SPECIAL,
    "fence1": SPECIAL, "fence2": SPECIAL, "sew": SPECIAL, "lmul": SPECIAL, "ta": SPECIAL, "ma": SPECIAL,
}  # fmt: skip


_SPECIALS: Final = {
    "csr": (0, 4095), "fence1": (FENCE_SET + 1, FENCE_SET + 15), "fence2": (FENCE_SET + 1, FENCE_SET + 15),
    "sew": (SEW, SEW + 3), "lmul": (LMUL, LMUL + 7), "ta": (TAIL, TAIL + 1), "ma": (MASK, MASK + 1),
}  # fmt: skip


def make_forms(row: Row) -> list[Form]:
    """The forms of a row.  Raises ValueError or LookupError when the row makes no sense.

    >>> from backend.obj.formtable import parse_row
    >>> [len(f.patterns) for f in make_forms(parse_row("ADD rs2, [rs1], rd | 0000000 rs2 rs1 000 rd 0110011"))]
    [3, 2]
    """
    texts, encoding = row.operands, row.encoding
    optional = next((i for i, t in enumerate(texts) if t[0] == "["), -1)
    if optional < 0:
        return [_form(row, texts, encoding, -1)]
    inner = texts[optional][1:-1]
    before, after = texts[:optional], texts[optional + 1 :]
    if inner == "V0":
        masked = _form(row, [*before, inner, *after], encoding.replace("[V0]", "V0").replace(" vm ", " 0 "), -1)
        return [masked, _form(row, before + after, encoding.replace(" [V0],", "").replace(" vm ", " 1 "), -1)]
    must_equal = inner[0] == "="
    f = _form(row, [*before, texts[-1] if must_equal else inner, *after], encoding, optional if must_equal else -1)
    short = Form(f.as_, f.row, f.patterns[:optional] + f.patterns[optional + 1 :])
    short.extension = f.extension
    short.full, short.missing = f, optional
    short.rw = [*f.rw[:optional], *f.rw[optional + 1 : -1], 3]
    return [f, short]


def _form(row: Row, texts: list[str], encoding: str, equal: int) -> Form:
    """`equal`: an operand that must equal the last."""
    f = Form(OPS[row.mnemonic], format_row(row), [parse_pattern(t) for t in texts])
    for t in f.patterns:
        t.settle()
    last = len(texts) - 1
    if equal >= 0:
        f.equal = (equal, last)
        f.patterns[equal].written = False
        f.patterns[equal].name = ""
    names: dict[str, tuple[int, int]] = {}
    for i, t in enumerate(f.patterns):
        if t.kind == CONST or t.kind == MEM or t.kind == ADDR:
            names["imm"] = (i, 1)
        elif t.kind == BRANCH:
            names["label"] = (i, 1)
        elif t.kind == SPECIAL:
            names[t.name] = (i, 1)
        if t.kind in (REG, MEM, ADDR) and t.name:
            names[t.name] = (i, 0)
        f.rw.append(3 if t.read else 2 if t.written else 1)
    f.reloc = row.reloc
    body = encoding
    if body[0] == "{":
        f.extension, _, body = body[1:].partition("}")
        body = body.strip()
    if body[0] == "=":
        f.macro = [_macro(part.strip(), names) for part in body[1:].split(";")]
        f.reloc_size = 8 if f.reloc else 0
    elif body[0] == ":":
        f.computed, _, f.argument = body[1:].strip().partition(" ")
    else:
        _word(f, body, names)
        f.reloc_size = f.size if f.reloc else 0
    return f


def _register_name(text: str) -> str:
    return text.lstrip("f").rstrip("'+*")


def _word(f: Form, body: str, names: dict[str, tuple[int, int]]) -> None:
    """Reads the fields of a machine word from the left."""
    pieces: list[tuple[int, int, int, int]] = []  # width, operand, which, right shift
    base = 0
    total = 0
    for token in body.split():
        if token[0] in "01":
            base = base << len(token) | int(token, 2)
            total += len(token)
            pieces.append((len(token), -1, 0, 0))
            continue
        start = total
        if token.startswith("imm["):
            operand, which = names["imm"] if "imm" in names else names["label"]
            for part in token[4:-1].split("|"):
                high, _, low = part.partition(":")
                width = int(high) - int(low or high) + 1
                pieces.append((width, operand, which, int(low or high)))
                total += width
        elif token.startswith("rm"):
            f.rounding = _ROUNDING[token[3:]] if token[3:] else 0
            pieces.append((3, -2, 0, 0))
            total += 3
        else:
            key = token.rstrip("'") if token[0] in "rv" else token
            operand, which = names[key]
            pieces.append((_WIDTHS[token], operand, which, 0))
            total += _WIDTHS[token]
        base <<= total - start
    if total not in (16, 32):
        raise ValueError(f"{total} bits instead of 16 or 32")
    f.base = base
    f.size = total // 8
    at = total
    for width, operand, which, shift in pieces:
        at -= width
        if operand >= 0:
            field = (operand, which, shift, (1 << width) - 1, at)
            (f.branch if f.patterns[operand].kind == BRANCH else f.fields).append(field)


def _macro(text: str, names: dict[str, tuple[int, int]]) -> tuple[int, list[MacroArg]]:
    name, _, operands = text.partition(" ")
    return OPS[name], [_macro_arg(t.strip(), names) for t in operands.split(",") if t.strip()]


def _macro_arg(text: str, names: dict[str, tuple[int, int]]) -> MacroArg:
    if text in ("label", "csr"):
        return names[text][0], 0, -1, 0, 0, 0, BRANCH
    if text[0] == "$":
        return (-1, 0, *_constant(text[1:], names), CONST)
    if text[-1] == ")":
        offset, _, base = text[:-1].partition("(")
        index, reg = _macro_register(base, names)
        return (index, reg, *_constant(offset, names), MEM)
    index, reg = _macro_register(text, names)
    return index, reg, -1, 0, 0, 0, REG


def _macro_register(text: str, names: dict[str, tuple[int, int]]) -> tuple[int, int]:
    if text in regs.REGS:
        return -1, regs.REGS[text]
    return names[_register_name(text)][0], 0


def _constant(text: str, names: dict[str, tuple[int, int]]) -> tuple[int, int, int, int]:
    """`5`, `imm`, `-imm`, `-imm&63`, `imm-1`: operand, sign, constant, mask."""
    text, _, mask = text.partition("&")
    if text == "imm-1":
        return names["imm"][0], 1, -1, 0
    if text.lstrip("-") == "imm":
        return names["imm"][0], -1 if text[0] == "-" else 1, 0, int(mask or 0)
    return -1, 0, int(text), 0


def build_args(macro: list[MacroArg], args: list[Addr]) -> list[Addr]:
    """The operands of one instruction of a macro."""
    out: list[Addr] = []
    for index, reg, const, sign, value, mask, kind in macro:
        if kind == BRANCH:
            out.append(args[index])
            continue
        if index >= 0:
            reg = args[index].reg
        if const >= 0:
            value += sign * args[const].offset
            if mask:
                value &= mask
        out.append(Addr(kind, reg, value))
    return out


_FOLDER: Final = os.path.dirname(__file__)
TABLES: Final = ("forms.tbl", "ext_v.tbl")


def load_table(name: str) -> str:
    """The text of a table file of this folder."""
    return read_table(_FOLDER, name)


class Forms(FormTable[Form]):
    """The form table of riscv64."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_FOLDER, TABLES, NAMES, make_forms)

    def operand_rw(self, as_: int, args: list[Addr]) -> list[int]:
        """What an instruction does to its operands: 1 read, 2 written, 3 both, per operand.  Memory operands
        always read their base.  Raises ValueError when no form takes the operands.

        >>> Forms().operand_rw(OPS["ADD"], [Addr(REG, regs.A0), Addr(REG, regs.A1)])
        [1, 3]
        """
        for f in self.forms_of(as_):
            if f.fits(args):
                return f.rw
        raise ValueError("invalid instruction")
