"""Diagnostics on lines and with texts that no terminal wants whole."""

from __future__ import annotations

import pytest

from mochic.diag.diagnostic import make
from mochic.diag.render import render
from mochic.source import SourceMap
from mochic.syntax.parser import parse


def shown(line: str, at: int) -> list[str]:
    """Source line and caret of a diagnostic at character `at` of a line."""
    sources = SourceMap()
    f = sources.add("x.mochi", line.encode())
    lo = f.base + len(line[:at].encode())
    return render(make("T002", lo, lo + 1, "x"), sources).split("\n")[3:5]


@pytest.mark.parametrize("at", (0, 1, 99, 100, 101, 250, 399))
@pytest.mark.parametrize("size", (400, 401, 1000, 1_000_000))
@pytest.mark.parametrize("letter", ("a", "é"))
def test_the_caret_points_at_the_place(letter: str, size: int, at: int) -> None:
    line = letter * at + "X" + letter * (size - at - 1)
    text, caret = shown(line, at)
    assert len(text) < 420
    if size <= 400:
        assert text == "  1 | " + line
        assert caret == "    | " + " " * len(line[:at].encode()) + "^"
    else:
        assert text[len(caret) - 1] == "X"
        assert text.endswith("...") == (max(0, at - 100) + 400 < size)
        assert text.startswith("  1 | ...") == (at > 100)


def test_the_end_of_a_long_line() -> None:
    text, caret = shown("a" * 1000 + "X", 1000)
    assert text == "  1 | ..." + "a" * 100 + "X"
    assert text[len(caret) - 1] == "X"


def test_a_long_message_has_its_ends() -> None:
    sources = SourceMap()
    f = sources.add("x.mochi", b"x")
    text = render(make("T002", f.base, f.base, "y" * 500_000 + "z"), sources)
    assert len(text) < 1300
    assert "variable: y" in text
    assert "yz\n" in text


def test_directions() -> None:
    sources = SourceMap()
    f = sources.add("x.mochi", '// a\u202eb\nlet s = "\\u202e" + "\u2066x"\nlet t = "\u2030\u2065"\n'.encode())
    diags = parse(f)[1]
    assert [(d.code, d.message.split()[3], sources.position(d.lo)[1:]) for d in diags] == [
        ("P066", "U+202E", (1, 5)),
        ("P066", "U+2066", (2, 21)),
    ]
    assert "\u202e" not in render(diags[0], sources)
