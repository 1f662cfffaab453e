"""The long texts of `mochi explain CODE`: what a code means, a program that gives it, and the same program mended.

They are data (pages_*.txt, one file for each letter; the head of each file describes the form), read when one is
asked for: no build pays for them.  A test compiles every program in them.
"""

from __future__ import annotations

import os
from typing import Final

from mochic.diag.codes import CODES

FOLDER: Final = os.path.dirname(os.path.abspath(__file__))


class Page:
    """`wrong` and `right` are programs, empty where the code is never reported; `flags` are those of the `@` line."""

    __slots__ = ("code", "flags", "prose", "wrong", "right")

    def __init__(self, code: str, flags: list[str], prose: str, wrong: str, right: str) -> None:
        self.code = code
        self.flags = flags
        self.prose = prose
        self.wrong = wrong
        self.right = right


def page(code: str) -> Page | None:
    """The page of a code, or None if there is no such code."""
    if code not in CODES:
        return None
    with open(os.path.join(FOLDER, f"pages_{code[0]}.txt"), encoding="utf-8") as f:
        text = f.read()
    for part in text.split("\n@")[1:]:
        head, _, body = part.partition("\n")
        name, *flags = head.split(" ")
        if name == code:
            prose, wrong, right, *_ = [*body.split("---\n"), "", ""]
            return Page(code, flags, prose.strip(), wrong.strip("\n"), right.strip("\n"))
    return None


def explain(code: str) -> str | None:
    """The text of `mochi explain CODE`, or None for an unknown code.  `explain("t001")` works too."""
    found = page(code.strip().upper())
    if found is None:
        return None
    row = CODES[found.code]
    message, help = row.message, row.help
    for i in range(8):
        message = message.replace("{" + str(i) + "}", "...")
        help = help.replace("{" + str(i) + "}", "...")
    parts = [f"{row.code}: {'syntax error' if message == '...' else message}", found.prose, f"help: {help}"]
    if found.wrong:
        strict = "With `mochi check --strict` this" if "strict" in found.flags else "This"
        parts += [f"{strict} is refused:", indented(found.wrong), "This is accepted:", indented(found.right)]
    return "\n\n".join(parts) + "\n"


def indented(program: str) -> str:
    return "\n".join("    " + line if line else "" for line in program.split("\n"))
