"""The rows of forms.tbl as objects: operand patterns, fields of the word, expansions.

Problem.  A64 instructions are one word each, but their operands are packed in many ways (logical
immediates, scaled offsets, extended registers, vector arrangements), and Go's mnemonics cover several
encodings and, for large constants, several instructions.  Method: one text row says all of it (notation
at the head of forms.tbl).  Its encoding is one of

    words       one or more machine words: constant bits, and pieces of operands with their places
    computed    the name of a function of expand.py that returns other instructions

Invariants.  Every word has 32 bits, each from a constant or from an operand the row names (checked once
per row, and for all rows by the tests).  A row with a set of arrangements stands for one form per
arrangement and an optional operand makes two forms, so that matching compares a fixed number of
operands with fixed bounds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from backend.arm64 import regs
from backend.arm64.immediates import CODERS
from backend.arm64.operands import EXTENDED, LSL, ROR, SXTW, SXTX, UXTW, UXTX
from backend.arm64.ops import NAMES, OPS
from backend.obj.formtable import FormTable, Row, format_row, read_table
from backend.obj.prog import ADDR, BRANCH, CONST, FCONST, MEM, REG, REGLIST, REGREG, SHIFT, SPECIAL, Addr, Prog
from backend.obj.sym import STLSBSS, LSym

# Pattern kinds beside those of Addr.
SYMBOL: Final = 32  # sym(SB) or a branch to a symbol
TLS: Final = 33
SYMBOL_ADDR: Final = 34
TLS_ADDR: Final = 35
INDEXED: Final = 36  # (Rn)(Rm<<3)

POST: Final = 1  # Prog.scond of OP.P: the offset is added to the base afterwards
PRE: Final = 2  # OP.W: before, and the base keeps it
SUFFIXES: Final = {"P": POST, "W": PRE}
_LIMIT: Final = 1 << 64
# Numbers of SPECIAL operands: 16 bits of a system register, from PSTATE on the fields MSR $c writes; 14 bits of an
# operation of DC, TLBI..., and this when it takes a register.
PSTATE: Final = 1 << 16
REGISTER_OPERATION: Final = 1 << 14

# Register classes of a row by first letter.
_CLASSES: Final = {"R": (regs.R0, regs.ZR), "F": (regs.F0, regs.F31), "V": (regs.V0, regs.V31)}
_SPECIAL_WIDTHS: Final = {
    "cond": 4, "icond": 4, "prfop": 5, "rprfop": 6, "sysreg": 16, "pstate": 6, "sysop": 14, "sysopr": 14,
    "btype": 2,
}  # fmt: skip
# Sets of arrangements.
_SETS: Final = {
    "all": "B8 B16 H4 H8 S2 S4 D2", "bhs": "B8 B16 H4 H8 S2 S4", "fp": "S2 S4 D2", "b": "B8 B16", "bh": "B8 B16 H4 H8",
    "hs": "H4 H8 S2 S4", "any": "B8 B16 H4 H8 S2 S4 D1 D2", "across": "B8 B16 H4 H8 S4", "lo": "B8 H4 S2",
    "hi": "B16 H8 S4", "q": "B16 H8 S4 D2",
}  # fmt: skip
_WIDER: Final = {"B": "H8", "H": "S4", "S": "D2", "D": "Q1"}
_SIZES: Final = "BHSDQ"


class Pattern:
    """What one operand may be: kind, register bounds, constant bounds or coder."""

    __slots__ = (
        "kind", "name", "name2", "lowest", "highest", "barred", "lo", "hi", "step", "coder", "written", "read",
        "simple", "scond", "scale", "count", "special",
    )  # fmt: skip

    def __init__(self, kind: int, name: str = "") -> None:
        self.kind = kind
        self.name = name  # of the register; of the base register for memory
        self.name2 = ""  # of the second register of a pair, of an index register
        self.lowest, self.highest = -_LIMIT, _LIMIT
        self.barred = -1
        self.lo, self.hi = -_LIMIT, _LIMIT
        self.step = 1
        self.coder: Callable[[int], int] | None = None
        self.written = self.read = False
        self.simple = False  # the bounds alone decide, once the kind is right and there is no symbol
        self.scond = 0
        self.scale = 0  # of an index: the size of the access
        self.count = 0  # registers of a list
        self.special = ""

    def fits(self, a: Addr) -> bool:
        """Whether the operand is one of these."""
        kind = self.kind
        if kind >= SYMBOL and kind != INDEXED:
            return symbol_class(a) == kind
        if kind == BRANCH:
            return a.kind == BRANCH and type(a.sym) is Prog
        if a.kind != (MEM if kind == INDEXED else kind) or type(a.sym) is LSym:
            return False
        if not self.lowest <= a.reg <= self.highest or a.reg == self.barred:
            return False
        if kind == REG:
            return self.lo <= a.index <= self.hi or self.hi == _LIMIT
        if kind == REGREG:
            if self.step == 2:  # an even register and the next one
                return not a.reg & 1 and a.index == a.reg + 1
            return self.lowest <= a.index <= self.highest
        if kind == REGLIST:
            return a.scale == self.count and (self.hi == _LIMIT or self.lo <= a.index <= self.hi)
        if kind == MEM and a.index:
            return False
        if kind == INDEXED:
            return a.offset == 0 and regs.R0 <= a.index <= regs.ZR and self.code(a) >= 0
        if not self.lo <= a.offset <= self.hi or a.offset % self.step:
            return False
        return self.coder is None or self.code(a) >= 0

    def code(self, a: Addr) -> int:
        """The bits of the operand that are no register; -1 when it has none that fit."""
        kind = self.kind
        if kind == SHIFT:
            if self.hi > 15:  # shifts: type and amount
                if not LSL <= a.index <= self.scale or not 0 <= a.scale <= self.hi:
                    return -1
                return a.index << 6 | a.scale
            return (a.index - EXTENDED) << 3 | a.scale if a.index >= EXTENDED and 0 <= a.scale <= 4 else -1
        if kind == INDEXED:
            option, scale = a.scale >> 4, a.scale & 15
            if scale != 1 and scale != self.scale:
                return -1
            if self.scale == 0:  # a post-index register
                return 0 if option == 0 and scale == 1 else -1
            if option not in (0, UXTW, UXTX, SXTW, SXTX):
                return -1
            return (option or UXTX) << 1 | (1 if scale != 1 else 0)
        if kind == REG or kind == REGLIST:
            return a.index
        coder = self.coder
        return a.offset if coder is None else coder(a.offset)

    def settle(self) -> None:
        """Finds out whether bounds alone decide."""
        self.simple = (
            self.kind in (REG, CONST, MEM) and self.barred < 0 and self.step == 1 and self.coder is None
            and (self.kind != REG or self.highest < regs.WINDOWS["B"])
        )  # fmt: skip


def _shift_code(value: int) -> int:
    """Stands for "this operand has a code of its own" (Pattern.code)."""
    return value


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


# A field: operand index, what of it (0 register, 1 code, 2 second register), right shift, mask, left shift.
Field = tuple[int, int, int, int, int]


class Form:
    """One row of the table, for one number of operands and one arrangement."""

    __slots__ = (
        "as_", "row", "patterns", "scond", "words", "branch", "computed", "argument", "reloc", "reloc_size", "rw",
        "full", "missing", "pool", "differ",
    )  # fmt: skip

    def __init__(self, as_: int, row: str, patterns: list[Pattern]) -> None:
        self.as_ = as_
        self.row = row
        self.patterns = patterns
        self.scond = 0
        for t in patterns:
            self.scond |= t.scond
        self.words: list[tuple[int, list[Field]]] = []
        self.branch: list[Field] = []  # the fields of a branch displacement
        self.computed = ""
        self.argument = ""
        self.reloc = ""
        self.reloc_size = 0
        self.rw: list[int] = []
        self.full: Form | None = None  # of a form without its optional operand: the one that has it
        self.missing = 0  # where that operand, equal to the last one, belongs
        self.pool = 0  # bytes of the literal that a load from the pool reads
        self.differ: list[tuple[int, int, int, int]] = []  # operand registers that must not be the same

    def fits(self, args: list[Addr], scond: int = 0) -> bool:
        """Whether the form takes these operands."""
        patterns = self.patterns
        if len(patterns) != len(args) or scond != self.scond:
            return False
        for t, a in zip(patterns, args, strict=True):
            if not t.fits(a):
                return False
        return True


def _bounds(t: Pattern, text: str) -> None:
    """Reads `i9`, `u7/4`, `0`, `1..8`, `add12`, `any`."""
    if text in CODERS:
        t.coder = CODERS[text]
        return
    if text == "any":  # 64 bits, signed or not
        t.lo, t.hi = -(1 << 63), (1 << 64) - 1
        return
    text, _, step = text.partition("/")
    if step:
        t.step = int(step)
    low, dots, high = text.partition("..")
    if dots:
        t.lo, t.hi = int(low), int(high)
    elif not text or text.lstrip("-").isdigit():
        t.lo = t.hi = int(text or 0)
    elif text[0] == "i":
        bits = int(text[1:])
        t.lo, t.hi = -(1 << bits - 1), (1 << bits - 1) - 1
    else:
        t.lo, t.hi = 0, (1 << int(text[1:])) - 1
    if step:  # the bits of the manual's field: the range is that many times larger
        t.lo, t.hi = t.lo * t.step, t.hi * t.step


def _register(t: Pattern, text: str) -> None:
    """Bounds and name of `Rd`, `SPn`, `Vd.B16`, `Vn.S[2]`, `RSP`."""
    if text in regs.REGS and text[-1] not in "dnm":
        t.lowest = t.highest = regs.REGS[text]
        return
    if text[-1] == "!":
        t.read = True
        text = text[:-1]
    if text[:2] == "SP":
        t.lowest, t.highest, t.barred = regs.R0, regs.RSP, regs.ZR
        t.name = "R" + text[2:]
        return
    name, dot, arrangement = text.partition(".")
    t.name = name
    if dot:
        arrangement, bracket, most = arrangement.partition("[")
        t.lowest = regs.WINDOWS[arrangement]
        t.highest = t.lowest + 31
        if bracket:
            t.lo, t.hi = 0, int(most[:-1])
        return
    t.lowest, t.highest = _CLASSES[text[0]]


_SYMBOLS: Final = {"label": BRANCH, "sym": SYMBOL, "tls": TLS, "$sym": SYMBOL_ADDR, "$tls": TLS_ADDR}
_SHIFTS: Final = {"sh32": (31, ROR - 1), "sh64": (63, ROR - 1), "ro32": (31, ROR), "ro64": (63, ROR), "ext": (4, 0)}


def parse_pattern(text: str, size: int = 0) -> Pattern:
    """One operand of a row (without the brackets of an optional one).  `size`: bits of the arrangement's
    elements, for the shift amounts of vectors.

    >>> t = parse_pattern("u12/8(SPn)")
    >>> t.fits(Addr(MEM, regs.RSP, 32760)), t.fits(Addr(MEM, regs.RSP, 4)), t.fits(Addr(MEM, regs.ZR))
    (True, False, False)
    """
    if text in _SYMBOLS:
        return Pattern(_SYMBOLS[text])
    if text in _SPECIAL_WIDTHS:
        t = Pattern(SPECIAL)
        t.special = text
        t.lo, t.hi = 0, (1 << _SPECIAL_WIDTHS[text]) - 1
        if text == "icond":  # AL and NV cannot be inverted
            t.hi = 13
        elif text == "pstate":
            t.lo, t.hi = PSTATE, PSTATE + 63
        elif text == "sysopr":
            t.lo, t.hi = REGISTER_OPERATION, 2 * REGISTER_OPERATION - 1
        return t
    if text[0] == "$":
        if text[1:] in ("f8", "f0"):
            t = Pattern(FCONST)
            t.coder = CODERS[text[1:]]
            return t
        t = Pattern(ADDR if text[-1] == ")" else CONST)
        if text[-1] == ")":
            offset, _, base = text[1:-1].partition("(")
            _register(t, base)
            text = "$" + offset
        if text == "$shl":  # immh:immb is the element size plus the amount
            t.lo, t.hi, t.coder = 0, size - 1, size.__add__
        elif text == "$shr":  # twice the element size less the amount
            t.lo, t.hi, t.coder = 1, size, (2 * size).__sub__
        else:
            _bounds(t, text[1:])
        return t
    if text[0] == "[":
        t = Pattern(REGLIST)
        body, _, most = text[1:].partition("]")
        body, _, count = body.partition("*")
        _register(t, body + most)
        t.count = int(count)
        return t
    if "," in text:
        t = Pattern(REGREG)
        first, _, second = text[1:].rstrip("!)").partition(",")
        _register(t, first)
        t.step = 2 if "+" in second else 1
        t.name2 = second
        t.read = text[-1] == "!"
        return t
    if "(" in text:
        return _memory(text)
    name, colon, shift = text.partition(":")
    t = Pattern(SHIFT if colon else REG)
    _register(t, name)
    if colon:
        t.hi, t.scale = _SHIFTS[shift]
        t.coder = _shift_code
        t.lo = -_LIMIT
    return t


def _memory(text: str) -> Pattern:
    text, _, suffix = text.partition(").")
    offset, _, rest = text.removesuffix(")").partition("(")
    base, _, index = rest.partition(")(")
    t = Pattern(INDEXED if index else MEM)
    _register(t, base)
    t.scond = SUFFIXES[suffix] if suffix else 0
    if index:
        t.name2, _, scale = index.partition("*")
        t.scale = int(scale or 0)
        t.coder = _shift_code
    else:
        _bounds(t, offset)
    return t


def make_forms(row: Row) -> list[Form]:
    """The forms of a row.  Raises ValueError or LookupError when the row makes no sense.

    >>> from backend.obj.formtable import parse_row
    >>> [len(f.patterns) for f in make_forms(parse_row("ADD Rm, [Rn], Rd | 1 0 0 01011 00 0 Rm 000000 Rn Rd"))]
    [3, 2]
    """
    if row.encoding[0] != "{":
        return _forms(row, row.operands, row.encoding, 0)
    names, _, encoding = row.encoding[1:].partition("}")
    out: list[Form] = []
    for arrangement in _SETS.get(names, names).split():
        out += _arranged(row, encoding.strip(), arrangement)
    return out


def _arranged(row: Row, encoding: str, arrangement: str) -> list[Form]:
    """The forms of a row for one arrangement: .T it, .W twice its element size in 128 bits, .E its element."""
    letter = arrangement[0]
    size = _SIZES.index(letter)
    lanes = int(arrangement[1:])
    quad = "1" if lanes * (8 << size) == 128 else "0"
    replaced = [(".T", "." + arrangement), (".W", "." + _WIDER.get(letter, "Q1")), (".E", "." + letter)]
    for count in range(1, 5):  # the increment of post-indexed structures: whole registers, or one element each
        replaced += [(f"bytes{count}(", f"{count * lanes << size}("), (f"each{count}(", f"{count << size}(")]
    operands: list[str] = []
    for operand in row.operands:
        for old, new in replaced:
            operand = operand.replace(old, new)
        operands.append(operand)
    encoding = (
        f" {encoding} ".replace(" Q ", f" {quad} ")
        .replace(" size ", f" {size & 3:02b} ")
        .replace(" sz ", f" {size & 1} ")
    )
    return _forms(row, operands, encoding, 8 << size)


def _forms(row: Row, texts: list[str], encoding: str, size: int) -> list[Form]:
    optional = next((i for i, t in enumerate(texts) if t[0] == "[" and "*" not in t), -1)
    if optional < 0:
        return [_form(row, texts, encoding, size)]
    full = [*texts[:optional], texts[optional][1:-1], *texts[optional + 1 :]]
    f = _form(row, full, encoding, size)
    # Without the operand, the register is that of the last one.
    short = Form(f.as_, f.row, f.patterns[:optional] + f.patterns[optional + 1 :])
    if f.patterns[-1].barred != f.patterns[optional].barred:
        last = Pattern(REG, f.patterns[-1].name)
        last.lowest, last.highest, last.barred = regs.R0, regs.LR, -1
        last.settle()
        short.patterns[-1] = last
    short.full, short.missing = f, optional
    short.rw = [*f.rw[:optional], *f.rw[optional + 1 : -1], 3]
    return [f, short]


def _form(row: Row, texts: list[str], encoding: str, size: int) -> Form:
    read_only = bool(texts) and texts[-1].endswith("-")
    texts = [t.removesuffix("-") for t in texts]
    f = Form(OPS[row.mnemonic], format_row(row), [parse_pattern(t, size) for t in texts])
    names: dict[str, tuple[int, int]] = {}
    last = len(texts) - 1
    for i, t in enumerate(f.patterns):
        t.settle()
        if t.kind in (CONST, ADDR, MEM, FCONST):
            names["imm2" if "imm" in names else "imm"] = (i, 1)
        elif t.kind == SHIFT or t.kind == INDEXED:
            names["imm"] = (i, 1)
        elif t.kind == BRANCH:
            names["label"] = (i, 1)
        elif t.kind == SPECIAL:
            names["cond" if t.special == "icond" else t.special] = (i, 1)
        elif (t.kind == REG or t.kind == REGLIST) and t.lowest >= regs.WINDOWS["B"]:
            names["idx2" if "idx" in names else "idx"] = (i, 1)
        if t.name:
            names[t.name] = (i, 0)
        if t.name2:
            names[t.name2] = (i, 2)
        if t.name:
            target = t.name[1:2] == "d" or (i == last and t.name[1:2] in "ts" and not read_only)
            t.written = target and t.kind in (REG, REGREG, REGLIST)
        f.rw.append(3 if (t.written and t.read) or t.scond else 2 if t.written else 1)
        if t.read and not t.written:
            f.rw[-1] = 3
    f.reloc = row.reloc
    body = encoding.strip()
    if body[0] == ":":
        f.computed, _, f.argument = body[1:].strip().partition(" ")
        return f
    if body.startswith("pool"):
        f.pool = int(body[4])
        body = body[5:]
    if body[0] == "<":  # <Rs Rt>: these must differ
        pairs, _, body = body[1:].partition(">")
        for pair in pairs.split(","):
            one, two = pair.split()
            f.differ.append((*names[one], *names[two]))
    for word in body.split(";"):
        _word(f, word, names)
    f.reloc_size = min(4 * len(f.words), 8) if f.reloc else 0  # a third word is not the linker's business
    return f


def _word(f: Form, body: str, names: dict[str, tuple[int, int]]) -> None:
    """Reads the fields of a machine word from the left."""
    pieces: list[tuple[int, int, int, int]] = []  # width, operand, which, right shift
    base = 0
    total = 0
    for token in body.split():
        invert = 0
        if token[0] in "01":
            width = len(token)
            base = base << width | int(token, 2)
            pieces.append((width, -1, 0, 0))
            total += width
            continue
        key, bracket, part = token.partition("[")
        if bracket:
            if key == "imm" and "imm" not in names:
                key = "label"
            high, _, low = part[:-1].partition(":")
            width, shift = int(high) - int(low or high) + 1, int(low or high)
        else:
            if key.endswith("^"):  # the inverse condition
                key, invert = key[:-1], 1
            width, shift = _SPECIAL_WIDTHS.get(key, 5), 0
        pieces.append((width, *names[key], shift))
        base = base << width | invert
        total += width
    if total != 32:
        raise ValueError(f"{total} bits instead of 32")
    fields: list[Field] = []
    at = total
    for width, operand, which, shift in pieces:
        at -= width
        if operand >= 0:
            field = (operand, which, shift, (1 << width) - 1, at)
            (f.branch if f.patterns[operand].kind == BRANCH else fields).append(field)
    f.words.append((base, fields))


_FOLDER: Final = os.path.dirname(__file__)
TABLES: Final = ("forms.tbl", "ext_simd.tbl")


def load_table(name: str) -> str:
    """The text of a table file of this folder."""
    return read_table(_FOLDER, name)


class Forms(FormTable[Form]):
    """The form table of arm64."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_FOLDER, TABLES, NAMES, make_forms)

    def operand_rw(self, as_: int, args: list[Addr], scond: int = 0) -> list[int]:
        """What an instruction does to its operands: 1 read, 2 written, 3 both, per operand.  Memory operands
        read their base; 3 says that they change it too.  Raises ValueError when no form takes the operands.

        >>> Forms().operand_rw(OPS["ADD"], [Addr(REG, regs.R0), Addr(REG, regs.R0 + 1)])
        [1, 3]
        """
        for f in self.forms_of(as_):
            if f.fits(args, scond):
                return f.rw
        raise ValueError("invalid instruction")
