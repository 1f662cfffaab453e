"""Form tables: text rows in the manual's notation, found by mnemonic, parsed on first use.

Problem.  A table of 1,300 forms as Python objects costs tens of milliseconds at every start, yet one
program uses a tenth of the rows.  Method: the file is read as one string and split into lines; an
index from mnemonic to its line range is all that is built at load time (about a millisecond).  What
a row means is the architecture's business (`backend/<arch>/classify.py`, `encode.py`).

Invariants, checked by `check_lines` in the tests and whenever a file is indexed with check=True:
every row follows an `@` line that names its source; rows of one mnemonic and operand list are not
repeated; each row has the `|` that separates operands from encoding.
"""

from __future__ import annotations

from typing import Final

# The opcodes every architecture has, in this order, as numbers 0, 1, 2, ...
PORTABLE: Final = (
    "XXX", "CALL", "DUFFCOPY", "DUFFZERO", "END", "FUNCDATA", "JMP", "NOP", "PCALIGN", "PCALIGNMAX", "PCDATA", "RET",
    "GETCALLERPC", "TEXT", "UNDEF",
)  # fmt: skip
AXXX: Final = 0
ACALL: Final = 1
AEND: Final = 4
AFUNCDATA: Final = 5
AJMP: Final = 6
ANOP: Final = 7
APCALIGN: Final = 8
APCALIGNMAX: Final = 9
APCDATA: Final = 10
ARET: Final = 11
AGETCALLERPC: Final = 12
ATEXT: Final = 13
AUNDEF: Final = 14


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
