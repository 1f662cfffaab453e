"""Diagnostics of the default mode, and in `strict_*.test` of the strict mode, as the user sees them.

`*.test` files hold cases: `[name]`, the source, a line `---`, and the rendered diagnostics: errors as a numbered list
behind `type error:` (or after `parse error:`), warnings before them, nothing at all for a program without any.  No line
of a source may begin with `[`.
MOCHI_BLESS=1 writes what the compiler says now into the files; read the diff before committing it.
"""

from __future__ import annotations

import os

import pytest

from mochic.compile import CompileError, check, check_strict, parse_file
from mochic.diag.diagnostic import Diagnostic
from mochic.diag.render import render
from mochic.frontend import render_errors
from mochic.source import SourceMap

HERE = os.path.dirname(os.path.abspath(__file__))
BLESS = bool(os.environ.get("MOCHI_BLESS"))


class Case:
    def __init__(self, path: str, name: str, source: str, expected: str) -> None:
        self.path = path
        self.name = name
        self.source = source
        self.expected = expected

    def text(self, expected: str) -> str:
        return f"[{self.name}]\n{self.source}---\n{expected}\n"


def load(path: str) -> tuple[str, list[Case]]:
    """The text before the first case, and the cases."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    head, *parts = ("\n" + text).split("\n[")
    cases = []
    for part in parts:
        name, body = part.split("]\n", 1)
        source, _, expected = body.partition("---\n")
        cases.append(Case(path, name, source, expected.rstrip("\n") + "\n" if expected.strip() else ""))
    return head[1:], cases


FILES = sorted(os.path.join(HERE, f) for f in os.listdir(HERE) if f.endswith(".test"))
CASES = [c for f in FILES for c in load(f)[1]]


def diagnose(source: str, strict: bool) -> str:
    """What `mochi check t.mochi` says about this source."""
    sources = SourceMap()
    file = sources.add("t.mochi", source.encode())
    warnings: list[Diagnostic] = []
    try:
        if strict:
            check_strict(file)
        else:
            check(sources, parse_file(file, warnings), warnings)
        errors = ""
    except CompileError as e:
        e.sources = sources
        errors = render_errors(e)
    text = "\n".join([*(render(w, sources) for w in warnings), errors])
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n")) + "\n" if text else ""


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    got = diagnose(case.source, os.path.basename(case.path).startswith("strict_"))
    if BLESS and got != case.expected:
        bless(case, got)
    else:
        assert got == case.expected


def bless(case: Case, got: str) -> None:
    head, cases = load(case.path)
    for c in cases:
        if c.name == case.name:
            c.expected = got
    with open(case.path, "w", encoding="utf-8") as f:
        f.write(head.rstrip("\n") + "\n\n" if head.strip() else "")
        f.write("\n".join(c.text(c.expected).rstrip("\n") + "\n" for c in cases))


def test_names_are_unique() -> None:
    names = [c.name for c in CASES]
    assert len(set(names)) == len(names)
