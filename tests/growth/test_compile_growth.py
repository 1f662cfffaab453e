"""Compile time grows with a program, not with its square: four times the program may take eight times as long.

Each shape repeats one thing; the sizes are such that a quadratic part shows.  Times of the same process are compared
with each other only, and the better of two.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from building import build_program

LIMIT = 8.0
K = "let k = len(input())\n"
G = "fun g(i: int): string { return str(i) }\n"


def each(n: int, text: str, between: str = "") -> str:
    """The text n times, with `#` for the number."""
    return between.join(text.replace("#", str(i)) for i in range(n))


SHAPES: dict[str, tuple[int, Callable[[int], str]]] = {
    "interpolation": (1000, lambda n: K + 'print("' + "{k}" * n + '")'),
    "sum of texts": (1000, lambda n: K + 'print(""' + " + k" * n + ")"),
    "list of ints": (20000, lambda n: "let xs = [" + each(n, "#", ", ") + "]\nprint(xs)"),
    "list of lists": (4000, lambda n: "let xs = [" + each(n, "[#, 1]", ", ") + "]\nprint(xs)"),
    "list of anything": (4000, lambda n: "let xs = [" + each(n, '1, "s#", null, 2.5', ", ") + "]\nprint(xs)"),
    "list of sums": (1000, lambda n: K + "let xs = [" + each(n, "k + #", ", ") + "]\nprint(xs)"),
    "list of structs": (
        300,
        lambda n: "type P { x: int, y: int }\n" + K + "let xs = [" + each(n, "P { x: k, y: # }", ", ") + "]\nprint(xs)",
    ),
    "list of calls": (1500, lambda n: G + K + "let xs = [" + each(n, "g(k + #)", ", ") + "]\nprint(xs)"),
    "map": (4000, lambda n: "let m = {" + each(n, '"k#": #', ", ") + "}\nprint(m)"),
    "else if": (600, lambda n: K + each(n, "if k == # { print(#) }", " else ")),
    "match": (1500, lambda n: K + "print(match k {\n" + each(n, '# => "a#"\n') + "})"),
    "conditions": (600, lambda n: K + "print(" + each(n, "k != #", " && ") + ")"),
    "statements": (1000, lambda n: K + "var s = 0\n" + each(n, "s = s + k % (#+2)\n") + "print(s)"),
    "functions": (400, lambda n: each(n, "fun f#(x: int): int { return x * # }\nprint(f#(1))\n")),
}


def seconds(program: str, folder: Path) -> float:
    path = folder / "p.mochi"
    path.write_text(program)
    least = 1e9
    for _ in range(2):
        start = time.process_time()
        build_program(path, emit="obj", out=folder / "p.o")
        least = min(least, time.process_time() - start)
    return least


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_growth(shape: str, tmp_path: Path) -> None:
    n, make = SHAPES[shape]
    small = seconds(make(n), tmp_path)
    large = seconds(make(4 * n), tmp_path)
    assert large < LIMIT * small, f"{n}: {small:.2f} s, {4 * n}: {large:.2f} s"
