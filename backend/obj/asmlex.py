"""Tokens and constant expressions of assembly text: the lower half of asmparse.

Expressions have C's operators with Go's two precedences, * / % << >> & over + - | ^, and wrap at 64
bits.  Every error is an AsmError whose `pos` is `line << 12 | column` (see `position`).
"""

from __future__ import annotations

import re
from typing import Final

from backend.obj.ctx import AsmError

_TOKEN: Final = re.compile(
    r"""[ \t\r]+|//[^\n]*|/\*.*?\*/
    |(?P<float>(?:\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+))
    |(?P<int>0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9][0-9_]*)
    |(?P<name>[A-Za-z_\u00b7\u2215\u0080-\uffff][\w\u00b7\u2215.\u0080-\uffff]*)
    |(?P<str>"(?:[^"\\\n]|\\.)*")
    |(?P<chr>'(?:[^'\\\n]|\\.[0-9a-fA-F]*)')
    |(?P<op><<|>>|[-+*/%&|^~()<>,:;$\[\]\n\#.@{}=])""",
    re.X | re.S,
)
_LINE_SHIFT: Final = 12
_MASK64: Final = (1 << 64) - 1
_ESCAPES: Final = {"n": 10, "t": 9, "r": 13, "0": 0, "\\": 92, '"': 34, "'": 39, "a": 7, "b": 8, "f": 12, "v": 11}

Token = tuple[str, str, int]  # kind (a group name, or the operator itself), text, position


def position(pos: int) -> tuple[int, int]:
    """(line, column) of a position of this parser.

    >>> position(3 << 12 | 7)
    (3, 7)
    """
    return pos >> _LINE_SHIFT, pos & (1 << _LINE_SHIFT) - 1


def tokenize(text: str) -> list[Token]:
    """The tokens of a file; newlines are `;` tokens.  Raises AsmError at a character of no token."""
    out: list[Token] = []
    line, start, i, n = 1, 0, 0, len(text)
    match = _TOKEN.match
    while i < n:
        m = match(text, i)
        pos = line << _LINE_SHIFT | min(i - start + 1, (1 << _LINE_SHIFT) - 1)
        if m is None:
            if text[i] == '"':
                raise AsmError(pos, "string is not closed")
            raise AsmError(pos, f"unexpected character {text[i]!r}")
        kind = m.lastgroup
        word = m.group()
        i = m.end()
        if kind == "op":
            if word == "\n":
                out.append((";", ";", pos))
                line += 1
                start = i
            else:
                out.append((word, word, pos))
        elif kind is not None:
            out.append((kind, word, pos))
        elif "\n" in word:  # a comment over several lines separates statements
            out.append((";", ";", pos))
            line += word.count("\n")
            start = i - (len(word) - word.rfind("\n") - 1)
    # Several end marks, so that looking a few tokens ahead never leaves the list.
    out.extend([(";", ";", line << _LINE_SHIFT | 1)] * 4)
    return out


def _signed(value: int) -> int:
    value &= _MASK64
    return value - (1 << 64) if value >> 63 else value


class Expressions:
    """A token list with a cursor, and the constant expressions found there."""

    __slots__ = ("toks", "i")

    def __init__(self, source: str) -> None:
        self.toks: list[Token] = tokenize(source)
        self.i = 0

    def expect(self, kind: str) -> str:
        """The text of the current token, which must be of that kind."""
        k, word, pos = self.toks[self.i]
        if k != kind:
            shown = "end of line" if k == ";" else word
            raise AsmError(pos, f"expected {kind}, found {shown}")
        self.i += 1
        return word

    def number(self) -> int:
        """A plain number, no sign."""
        if self.toks[self.i][0] != "int":
            self.expect("int")
        return self.factor()

    def expression(self) -> int:
        """expr = term {(+ - | ^) term}, as a signed 64-bit number."""
        value = self.term()
        while True:
            op = self.toks[self.i][0]
            if op not in ("+", "-", "|", "^"):
                return _signed(value)
            self.i += 1
            other = self.term()
            if op == "+":
                value += other
            elif op == "-":
                value -= other
            elif op == "|":
                value |= other
            else:
                value ^= other

    def term(self) -> int:
        value = self.factor()
        while True:
            op, _, pos = self.toks[self.i]
            if op not in ("*", "/", "%", "<<", ">>", "&"):
                return value
            self.i += 1
            other = self.factor()
            value &= _MASK64
            if op == "*":
                value *= other
            elif op == "&":
                value &= other
            elif op == "<<" or op == ">>":
                if not 0 <= other < 1 << 16:
                    raise AsmError(pos, "bad shift count")
                value = value << min(other, 64) if op == "<<" else value >> other
            else:
                if other == 0:
                    raise AsmError(pos, "division by zero")
                if value >> 63 or other < 0:
                    raise AsmError(pos, "division of a negative number")
                value = value // other if op == "/" else value % other

    def factor(self) -> int:
        kind, word, pos = self.toks[self.i]
        if kind == ";":
            raise AsmError(pos, "expected a number, found end of line")
        self.i += 1
        if kind == "int":
            try:
                value = int(word, 8) if word[0] == "0" and word.isdigit() else int(word, 0)
            except ValueError:
                raise AsmError(pos, f"bad number {word}") from None
            if value > _MASK64:
                raise AsmError(pos, f"number {word} does not fit in 64 bits")
            return value
        if kind == "chr":
            text = unquote(word, pos)
            if len(text) != 1:
                raise AsmError(pos, "bad character constant")
            return ord(text)
        if kind == "+":
            return self.factor()
        if kind == "-":
            return -self.factor()
        if kind == "~":
            return ~self.factor()
        if kind == "(":
            value = self.expression()
            self.expect(")")
            return value
        raise AsmError(pos, f"expected a number, found {word}")


def unquote(word: str, pos: int) -> str:
    """The text of a quoted string or character."""
    out: list[str] = []
    body = word[1:-1]
    i = 0
    while i < len(body):
        c = body[i]
        if c != "\\":
            out.append(c)
            i += 1
            continue
        e = body[i + 1]
        if e == "x" and len(body) >= i + 4:
            try:
                byte = int(body[i + 2 : i + 4], 16)
            except ValueError:
                raise AsmError(pos, "bad escape in string") from None
            out.append(bytes((byte,)).decode("utf-8", "surrogateescape"))
            i += 4
        elif e in _ESCAPES:
            out.append(chr(_ESCAPES[e]))
            i += 2
        else:
            raise AsmError(pos, f"unknown escape \\{e}")
    return "".join(out)
