"""Broken programs made of whole ones: tokens deleted, doubled, swapped, replaced, the text cut short.

Whatever the text, the checker answers with diagnostics that have a code, a place and a help line, soon, and never
with a traceback.  `python mutants.py SEED COUNT [--build] FILE...` looks for more than the tests have time for: with
`--build` what still checks goes through the whole compiler.  It prints what makes a mutant again (`file seed`), and
what went wrong.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import traceback
from collections.abc import Iterator

from mochic.compile import (
    CompileError,
    check,
    check_strict,
    generate,
    lower,
    object_bytes,
    optimise,
    parse_file,
    represent,
)
from mochic.diag.diagnostic import Diagnostic
from mochic.diag.render import render
from mochic.frontend import RECURSION
from mochic.options import Options
from mochic.source import SourceMap
from mochic.syntax.lexer import tokenize
from mochic.targets import TARGETS

LIMIT = 5  # seconds for one mutant


def spans(text: str) -> list[tuple[int, int]]:
    """Where the tokens are; works on bytes, like the positions."""
    file = SourceMap().add("m.mochi", text.encode())
    tokens, _ = tokenize(file)
    return [(a - file.base, b - file.base) for a, b in zip(tokens.starts, tokens.ends, strict=True) if b > a]


def group(data: bytes, at: tuple[int, int]) -> int:
    """The class of a token: word, number, string, or the mark itself."""
    c = data[at[0]]
    return 1 if chr(c).isalpha() or c > 127 else 2 if chr(c).isdigit() else 3 if c == 34 else 4 + c


def mutant(text: str, rng: random.Random, words: list[str]) -> str:
    """One to three changes of a program."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = text.encode()
        at = spans(text)
        if len(at) < 2:
            return text
        kind = rng.randrange(12)
        i = rng.randrange(len(at))
        j = rng.randrange(len(at))
        if kind > 5:  # tokens of one class for each other: most of these still parse
            alike = [k for k in range(len(at)) if group(data, at[k]) == group(data, at[i])]
            j = rng.choice(alike)
            kind = 2 if kind < 8 else 4
        lo, hi = at[i]
        if kind == 0:
            data = data[:lo] + data[hi:]
        elif kind == 1:
            data = data[:hi] + b" " + data[lo:hi] + data[hi:]
        elif kind == 2 and i != j:
            (a, b), (c, d) = sorted((at[i], at[j]))
            data = data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]
        elif kind == 3:
            data = data[:lo]
        elif kind == 4:
            other = at[j]
            data = data[:lo] + data[other[0] : other[1]] + data[hi:]
        else:
            data = data[:lo] + rng.choice(words).encode() + data[hi:]
        text = data.decode("utf-8", "ignore")
    return text


class TooSlow(Exception):
    """A mutant took longer than LIMIT."""


def _alarm(number: int, frame: object) -> None:
    raise TooSlow


def complaint(text: str, folder: str, strict: bool, build: bool = False) -> str:
    """What is wrong with the compiler's answer to this text; empty if nothing."""
    sources = SourceMap()
    file = sources.add(os.path.join(folder, "m.mochi"), text.encode())
    found: list[Diagnostic] = []
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(LIMIT * (4 if build else 1))
    try:
        if strict:
            check_strict(file)
        else:
            info = check(sources, parse_file(file, found), found)
            if build:
                opt = Options("linux/amd64")
                lowered = lower(info, opt)
                represent(lowered, opt)
                optimise(lowered.module, opt)
                target = TARGETS["linux/amd64"]
                object_bytes(generate(lowered.module, target, opt), target)
    except CompileError as e:
        found += e.diagnostics
    except TooSlow:
        return "too slow"
    except Exception:
        signal.alarm(0)
        return traceback.format_exc(limit=-6)
    finally:
        signal.alarm(0)
    for d in found:
        if not d.code or d.lo <= 0 or d.hi < d.lo or not d.help:
            return f"incomplete: {d!r} help={d.help!r}"
        render(d, sources)
    return ""


def mutants(path: str, seed: int, count: int) -> Iterator[tuple[str, str]]:
    """(name, text) of mutants of a file; the name makes it again."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for n in range(seed, seed + count):
        rng = random.Random(f"{os.path.basename(path)} {n}")
        yield f"{path} {n}", mutant(text, rng, WORDS)


WORDS = (
    "let var fun if else then for while in match return from select where group by into type import extern test expect "
    'emit on as union all none true x y f ( ) [ ] { } , . .. : :- ? ?? = == != < > + - * ! => "s" "" 0 -1 1 2.5 stream '
    "set omap try catch await when query fact rule load save to with fetch generate text agent intent model null "
    "update export package join left sort skip take distinct having any int string list map _ self print len append"
).split(" ")


def main(argv: list[str]) -> int:
    sys.setrecursionlimit(RECURSION)
    build = "--build" in argv
    argv = [a for a in argv if a != "--build"]
    seen: dict[str, int] = {}
    for path in argv[2:]:
        for name, text in mutants(path, int(argv[0]), int(argv[1])):
            for strict in (False, True):
                wrong = complaint(text, os.path.dirname(path), strict, build and not strict)
                if wrong:
                    lines = wrong.strip().splitlines()
                    key = " ".join(lines[-1:] + [x.strip() for x in lines if "File" in x][-2:])
                    seen[key] = seen.get(key, 0) + 1
                    if seen[key] <= 2:
                        print(f"--- {name} {'strict' if strict else ''}\n{wrong}\n", flush=True)
    for key, n in seen.items():
        print(n, key)
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
