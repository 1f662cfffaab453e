"""Operands that only this architecture has, as text and as Addrs.

    R1<<3  R1>>3  R1->3  R1@>3     SHIFT    reg, index = 0 1 2 3, scale = amount
    R1.UXTW<<2                     SHIFT    reg, index = EXTENDED + option, scale = amount
    (R1)(R2)  (R1)(R2<<3)          MEM      reg, index, scale = 1 << amount
    (R1)(R2.SXTW<<3)               MEM      reg, index, scale = option << 4 | 1 << amount
    (R1, R2)                       REGREG   reg, index
    V1.S[2]                        REG      a number of the element window, index = 2
    [V1.B16, V2.B16]               REGLIST  the first register, scale = their number
    [V1.S, V2.S][3]                REGLIST  the same in an element window, index = 3

An extension option is the number the manual gives it (UXTB 0 ... SXTX 7); 0 as the option of a memory
operand means that none was written, which is LSL (option 3).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from backend.arm64 import regs
from backend.obj.ctx import AsmError
from backend.obj.prog import MEM, REG, REGLIST, REGREG, SHIFT, Addr

if TYPE_CHECKING:
    from backend.obj.asmlex import Expressions

EXTENDED: Final = 8
OPTIONS: Final = ("UXTB", "UXTH", "UXTW", "UXTX", "SXTB", "SXTH", "SXTW", "SXTX")
UXTW: Final = 2
UXTX: Final = 3
SXTW: Final = 6
SXTX: Final = 7
LSL: Final = 0
LSR: Final = 1
ASR: Final = 2
ROR: Final = 3
SHIFT_SIGNS: Final = ("<<", ">>", "->", "@>")
_MAX_AMOUNT: Final = 63


def shifted(reg: int, kind: int, amount: int) -> Addr:
    """A shifted register operand (LSL, LSR, ASR, ROR), or an extended one (EXTENDED + option).

    >>> shifted(regs.R0, LSL, 3).scale
    3
    """
    return Addr(SHIFT, reg, 0, None, kind, amount)


def indexed(base: int, index: int, scale: int = 1, option: int = 0) -> Addr:
    """A memory operand base + index * scale; `option` extends the index first (UXTW, SXTW).

    >>> indexed(regs.R0, regs.R0 + 1, 8, SXTW).scale
    104
    """
    return Addr(MEM, base, 0, None, index, option << 4 | scale)


def pair(first: int, second: int) -> Addr:
    """The register pair of LDP, STP, CASP.

    >>> pair(regs.FP, regs.LR).index == regs.LR
    True
    """
    return Addr(REGREG, first, 0, None, second)


def parse_operand(parser: Expressions) -> Addr | None:
    """An operand of these kinds at the parser's cursor; None (and nothing consumed) for any other."""
    toks = parser.toks
    i = parser.i
    kind, word, pos = toks[i]
    if kind == "name":
        base, dot, option = word.partition(".")
        if base not in regs.REGS:
            return None
        if dot and f"V0.{option}" in regs.VECTORS and word not in regs.REGS:
            parser.i += 1
            return _element(parser, word, pos)
        if toks[i + 1][0] == "(" or (dot and option not in OPTIONS):
            return None
        if not dot and toks[i + 1][0] not in ("<<", ">>", "-", "@"):
            return None
        return _shift(parser)
    if kind == "[":
        return _list(parser)
    if kind == "(" and toks[i + 1][1] in regs.REGS and toks[i + 2][0] == ",":
        parser.i += 1
        first = _register(parser)
        parser.expect(",")
        second = _register(parser)
        parser.expect(")")
        return Addr(REGREG, first, 0, None, second)
    return None


def parse_index(parser: Expressions, a: Addr) -> None:
    """The second parenthesis of a memory operand: `(R2)`, `(R2<<3)`, `(R2*8)`, `(R2.SXTW<<3)`."""
    parser.expect("(")
    _, word, pos = parser.toks[parser.i]
    base, dot, option = word.partition(".")
    reg = regs.REGS.get(base)
    if reg is None or not regs.R0 <= reg <= regs.ZR or (dot and option not in OPTIONS):
        raise AsmError(pos, f"{word} is not an index register")
    parser.i += 1
    scale = 1
    if parser.toks[parser.i][0] == "*":
        parser.i += 1
        scale = parser.number()
    elif parser.toks[parser.i][0] == "<<":
        parser.i += 1
        scale = 1 << _amount(parser, 4)
    if scale not in (1, 2, 4, 8, 16):
        raise AsmError(pos, f"bad index scale {scale}")
    parser.expect(")")
    a.index = reg
    a.scale = (OPTIONS.index(option) << 4 if dot else 0) | scale
    if dot and option == "UXTB":  # the only option whose number is 0
        raise AsmError(pos, "an index cannot be extended with UXTB")


def _amount(parser: Expressions, most: int) -> int:
    pos = parser.toks[parser.i][2]
    value = parser.factor()
    if not 0 <= value <= most:
        raise AsmError(pos, f"shift amount out of range 0 to {most}")
    return value


def _shift(parser: Expressions) -> Addr:
    """R1<<3, R1.UXTW, R1.UXTW<<2."""
    _, word, _ = parser.toks[parser.i]
    base, dot, option = word.partition(".")
    reg = regs.REGS[base]
    parser.i += 1
    sign, _, pos = parser.toks[parser.i]
    if dot:
        amount = 0
        if sign == "<<":
            parser.i += 1
            amount = _amount(parser, _MAX_AMOUNT)
        return shifted(reg, EXTENDED + OPTIONS.index(option), amount)
    if sign in ("-", "@"):
        sign += ">"
        parser.i += 1
        parser.expect(">")
    else:
        parser.i += 1
    if not regs.R0 <= reg <= regs.ZR and reg != regs.RSP:
        raise AsmError(pos, f"{word} cannot be shifted")
    return shifted(reg, SHIFT_SIGNS.index(sign), _amount(parser, _MAX_AMOUNT))


def _register(parser: Expressions) -> int:
    _, word, pos = parser.toks[parser.i]
    reg = regs.REGS.get(word)
    if reg is None:
        raise AsmError(pos, f"{word} is not a register")
    parser.i += 1
    return reg


def _element_index(parser: Expressions) -> int:
    parser.expect("[")
    pos = parser.toks[parser.i][2]
    value = parser.expression()
    parser.expect("]")
    if not 0 <= value < 16:
        raise AsmError(pos, "register element index out of range 0 to 15")
    return value


def _element(parser: Expressions, word: str, pos: int) -> Addr:
    a = Addr(REG, regs.VECTORS[word])
    if parser.toks[parser.i][0] != "[":
        raise AsmError(pos, f"{word} needs an element index")
    a.index = _element_index(parser)
    return a


def _list(parser: Expressions) -> Addr:
    """[V1.B16, V2.B16] or [V1.B16-V3.B16], consecutive registers of one arrangement."""
    parser.expect("[")
    found: list[int] = []
    while True:
        _, word, pos = parser.toks[parser.i]
        if not word.startswith("V") or word not in regs.VECTORS:
            raise AsmError(pos, f"{word} cannot be in a register list")
        parser.i += 1
        reg = regs.VECTORS[word]
        if found and parser.toks[parser.i - 2][0] == "-":
            while found[-1] != reg and len(found) < 5:
                found.append(_next(found[-1]))
        else:
            found.append(reg)
        if parser.toks[parser.i][0] not in (",", "-"):
            break
        parser.i += 1
    parser.expect("]")
    if len(found) > 4 or any(b != _next(a) for a, b in pairwise(found)):
        raise AsmError(pos, "a register list has one to four consecutive registers of one arrangement")
    a = Addr(REGLIST, found[0], scale=len(found))
    if found[0] >= regs.WINDOWS["B"]:
        a.index = _element_index(parser)
    return a


def _next(reg: int) -> int:
    """The register after this one; 0 follows 31."""
    return reg & ~31 | (reg + 1) & 31


def format_operand(a: Addr) -> str:
    """The text of an operand of these kinds, "" for any other.

    >>> format_operand(indexed(regs.R0, regs.R0 + 1, 8, SXTW)), format_operand(shifted(regs.R0, ASR, 2))
    ('(R0)(R1.SXTW<<3)', 'R0->2')
    """
    names = regs.NAMES
    if a.reg not in names or (a.kind in (MEM, REGREG) and a.index and a.index not in names):  # virtual registers
        return ""
    if a.kind == SHIFT:
        if a.index >= EXTENDED:
            amount = f"<<{a.scale}" if a.scale else ""
            return f"{names[a.reg]}.{OPTIONS[a.index - EXTENDED]}{amount}"
        return f"{names[a.reg]}{SHIFT_SIGNS[a.index]}{a.scale}"
    if a.kind == REGREG:
        return f"({names[a.reg]}, {names[a.index]})"
    if a.kind == REG and a.reg >= regs.WINDOWS["B"]:
        return f"{names[a.reg]}[{a.index}]"
    if a.kind == REGLIST:
        out = [a.reg]
        while len(out) < a.scale:
            out.append(_next(out[-1]))
        index = f"[{a.index}]" if a.reg >= regs.WINDOWS["B"] else ""
        return "[" + ", ".join([names[r] for r in out]) + "]" + index
    if a.kind == MEM and a.index and a.sym is None:
        option, scale = a.scale >> 4, a.scale & 15
        extend = f".{OPTIONS[option]}" if option else ""
        shift = f"<<{scale.bit_length() - 1}" if scale > 1 else ""
        offset = str(a.offset) if a.offset else ""
        return f"{offset}({names[a.reg]})({names[a.index]}{extend}{shift})"
    return ""
