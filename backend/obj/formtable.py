"""Form tables: text rows in the manual's notation, found by mnemonic, parsed on first use.

Problem.  A table of 1,300 forms as Python objects costs tens of milliseconds at every start, yet one program uses a
tenth of the rows.  Method: a file is read as one string and split into lines, and an index from mnemonic to its lines
is all that is made when it is loaded (about a millisecond).  Rows become forms when their opcode is first used.  The
tables of extensions are files of their own, loaded when an opcode is not in those before.

A row is `MNEMONIC operand, operand | encoding ~ RELOCATION`, the relocation optional.  What operands and encodings
mean is the architecture's business (`backend/<arch>/forms.py`); it hands in the function that makes forms of a row.

Invariants, checked by `check_lines` in the tests: every row follows an `@` line that names its source; rows of one
mnemonic and operand list are not repeated; each row has the `|` that separates operands from encoding.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

F = TypeVar("F")


class FormError(ValueError):
    """A row that makes no sense.  The message is `FILE:LINE: what is wrong: the row`."""


class Row:
    """A row of a table, split into its parts; `format_row` puts them together again."""

    __slots__ = ("mnemonic", "operands", "implicit", "encoding", "reloc")

    def __init__(self, mnemonic: str, operands: list[str], implicit: str, encoding: str, reloc: str) -> None:
        self.mnemonic = mnemonic
        self.operands = operands  # as written, without spaces around them
        self.implicit = implicit  # `{AX! DX=}`: registers used without being named, without the braces
        self.encoding = encoding  # words with one space between them
        self.reloc = reloc


def parse_row(text: str) -> Row:
    """The parts of a row.  Raises ValueError when it has none of an encoding's.

    >>> row = parse_row("MULQ   r/m64 {AX! DX=}  | REX.W F7 /4")
    >>> row.mnemonic, row.operands, row.implicit, row.encoding
    ('MULQ', ['r/m64'], 'AX! DX=', 'REX.W F7 /4')
    """
    head, bar, encoding = text.partition("|")
    if not bar:
        raise ValueError("no `|` between operands and encoding")
    mnemonic, _, operands = " ".join(head.split()).partition(" ")
    if not mnemonic:
        raise ValueError("no mnemonic")
    operands = operands.strip()
    implicit = ""
    if operands.endswith("}"):
        operands, _, implicit = operands[:-1].partition("{")
    encoding, _, reloc = encoding.partition("~")
    encoding = " ".join(encoding.split())
    if not encoding:
        raise ValueError("no encoding")
    return Row(mnemonic, split_operands(operands), " ".join(implicit.split()), encoding, reloc.strip())


def format_row(row: Row) -> str:
    """The row in the notation of its table, in one spacing.

    >>> format_row(parse_row("ADD rs2,[rs1], rd|0000000 rs2 rs1 000  rd 0110011"))
    'ADD         rs2, [rs1], rd | 0000000 rs2 rs1 000 rd 0110011'
    """
    head = ", ".join(row.operands)
    if row.implicit:
        head = f"{head} {{{row.implicit}}}" if head else f"{{{row.implicit}}}"
    text = f"{row.mnemonic:<11} {head} | {row.encoding}" if head else f"{row.mnemonic:<11} | {row.encoding}"
    return f"{text} ~ {row.reloc}" if row.reloc else text


def split_operands(text: str) -> list[str]:
    """The operands of a row: commas inside parentheses belong to a pair.

    >>> split_operands("(Rt,Rt2), i7/8(SPn)")
    ['(Rt,Rt2)', 'i7/8(SPn)']
    """
    out: list[str] = []
    depth = start = 0
    for i, c in enumerate(text):
        if c in "([":
            depth += 1
        elif c in ")]":
            depth -= 1
        elif c == "," and depth == 0:
            out.append(text[start:i].strip())
            start = i + 1
    last = text[start:].strip()
    return [*out, last] if last else out


class FormTable(Generic[F]):
    """The forms of one architecture.  Two tables share nothing; a table that is dropped takes its forms with it."""

    __slots__ = ("folder", "files", "names", "make", "_rows", "_forms", "_loaded")

    def __init__(
        self, folder: str, files: tuple[str, ...], names: Mapping[int, str], make: Callable[[Row], list[F]]
    ) -> None:
        self.folder: Final = folder
        self.files: Final = files  # in the order in which they are searched
        self.names: Final = names  # opcode -> mnemonic
        self.make: Final = make  # the forms of one row, in the order in which they are tried
        self._rows: dict[str, list[str]] = {}
        self._forms: dict[int, list[F]] = {}
        self._loaded = 0

    def forms_of(self, as_: int) -> list[F]:
        """The forms of an opcode in table order, [] for one that no table has.  Raises FormError for a bad row."""
        forms = self._forms.get(as_)
        if forms is None:
            forms = self._forms[as_] = [f for row in self.rows_of(as_) for f in self._parse(row)]
        return forms

    def rows_of(self, as_: int) -> list[str]:
        """The rows of an opcode as they stand in the table."""
        name = self.names.get(as_, "")
        while name not in self._rows and self._loaded < len(self.files):
            self._rows |= index_lines(read_table(self.folder, self.files[self._loaded]))
            self._loaded += 1
        return self._rows.get(name, [])

    def _parse(self, text: str) -> list[F]:
        try:
            return self.make(parse_row(text))
        except (ValueError, LookupError, StopIteration) as e:
            raise FormError(f"{self._where(text)}: {_fault(e)}: {' '.join(text.split())}") from e

    def _where(self, text: str) -> str:
        """FILE:LINE of a row.  Only asked for when it is bad: the index has no line numbers."""
        for file in self.files:
            lines = read_table(self.folder, file).split("\n")
            if text in lines:
                return f"{os.path.join(os.path.basename(self.folder), file)}:{lines.index(text) + 1}"
        return "row"


def _fault(e: Exception) -> str:
    if isinstance(e, LookupError):  # a word that is looked up in one of the architecture's vocabularies
        return f"unknown word {e.args[0]}" if isinstance(e, KeyError) else "a word or an operand is missing"
    return str(e) or "no operand goes there"


def read_table(folder: str, name: str) -> str:
    """The text of a table file."""
    with open(os.path.join(folder, name), encoding="utf-8") as fh:
        return fh.read()


def index_lines(text: str) -> dict[str, list[str]]:
    """Mnemonic -> its rows (unparsed, in table order).

    >>> index_lines("@ SDM\\nRET   | C3\\n")
    {'RET': ['RET   | C3']}
    """
    index: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if not line or line[0] == "#" or line[0] == "@":
            continue
        name = line.split(None, 1)[0]
        rows = index.get(name)
        if rows is None:
            index[name] = [line]
        else:
            rows.append(line)
    return index


def mnemonics_of(text: str) -> list[str]:
    """The mnemonics of a table, each once, in order of appearance."""
    return list(index_lines(text))


def check_lines(text: str) -> list[str]:
    """What is wrong with the form of a table: one message per line, empty when all is well."""
    problems: list[str] = []
    source = ""
    seen: set[str] = set()
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line[0] == "#":
            continue
        if line[0] == "@":
            source = line[1:].strip()
            if not source:
                problems.append(f"{number}: empty source")
            continue
        if not source:
            problems.append(f"{number}: row before any source line")
        head, bar, _ = line.partition("|")
        if not bar:
            problems.append(f"{number}: no `|`")
        key = " ".join(head.split())
        if key in seen:
            problems.append(f"{number}: form listed twice: {key}")
        seen.add(key)
    return problems
