"""Arithmetic of large integers, judged by Python's.

One program reads pairs of numbers and prints quotient, remainder and product.  The sizes lie on both sides of every
threshold of the run time (Karatsuba, division by halves, text by halves), and the bit patterns are those that break
estimates: long runs of ones and zeros, powers of ten and of two and their neighbours, and dividends next to a multiple.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_run import EMULATED, READY
from test_targets import need

from building import build_program, write_source
from selecting import here, slow_unless
from mochic.link.runner import command_for
from mochic.targets import TARGETS

PROGRAM = """\
let n = int(input())
for i in 0..n {
  let a = input() as bigint
  let b = input() as bigint
  print(a / b)
  print(a % b)
  print(a * b)
}
"""
# Seed, pairs, bits: a line is a case.
CASES = [
    (1, 200, 200),
    (2, 200, 3_000),
    (3, 60, 12_000),
    (4, 20, 60_000),
    (5, 6, 200_000),
]


@pytest.fixture(autouse=True)
def long_texts() -> Iterator[None]:
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    yield
    sys.set_int_max_str_digits(limit)


def number(rnd: random.Random, most: int) -> int:
    bits = rnd.randint(1, most if rnd.random() < 0.7 else min(most, 400))
    kind = rnd.randrange(6)
    if kind < 2:
        value = rnd.getrandbits(bits)
    elif kind == 2:
        value = (1 << bits) - rnd.getrandbits(rnd.randint(1, 64))
    elif kind == 3:
        value = (1 << bits) + rnd.getrandbits(min(bits, rnd.randint(1, 128)))
    elif kind == 4:
        value = 10 ** (bits * 3 // 10) + rnd.randint(-1, 1)
    else:
        value = 0
        while value.bit_length() < bits:
            run = rnd.randint(1, 200)
            value = value << run | ((1 << run) - 1 if rnd.random() < 0.5 else 0)
    return max(abs(value), 1) * rnd.choice((1, 1, -1))


def pairs(seed: int, count: int, bits: int) -> list[tuple[int, int]]:
    rnd = random.Random(seed)
    found = [(number(rnd, bits), number(rnd, bits)) for _ in range(count)]
    for i in range(0, count, 3):
        b = found[i][1]
        found[i] = (number(rnd, bits) * b + rnd.choice((0, -1, 1, abs(b) - 1)), b)
    return found


@pytest.mark.parametrize("target", slow_unless(here, [t for t in READY if t.startswith("linux/")]))
@pytest.mark.parametrize("env", [{}, {"MOCHI_GC_STRESS": "1"}], ids=["", "stress"])
def test_quotients_and_products(target: str, env: dict[str, str], tmp_path: Path) -> None:
    need(target)
    exe = build_program(write_source(PROGRAM, tmp_path), target)
    for seed, count, bits in CASES:
        cases = pairs(seed, count, bits)
        text = f"{count}\n" + "".join(f"{a}\n{b}\n" for a, b in cases)
        done = subprocess.run(
            [*command_for(TARGETS[target]), exe],
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, **EMULATED, **env},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        lines = done.stdout.split()
        for i, (a, b) in enumerate(cases):
            q = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            expected = [str(q), str(a - q * b), str(a * b)]
            sizes = (seed, i, a.bit_length(), b.bit_length())
            assert lines[3 * i : 3 * i + 3] == expected, sizes
