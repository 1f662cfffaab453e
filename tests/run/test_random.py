"""Random programs must do the same in all ways: -O0, where every int is a tagged word, -O1, -O2, with a collection at
every allocation, and on other CPUs.

`randprog` makes programs about integers, `randmix` programs over the whole language; those may end with a run error.
The others know what their programs print: `randquery` makes queries, with the answer that nested loops give, `randdata`
queries over data files, with the answer of Python, and `randalias` programs about who sees an append, which Python
runs as well, since all levels agreed on what held lists looked like after an append, and were wrong.

Seeds are fixed, so a failure repeats; MOCHI_FUZZ=N tries N more in all ways, starting at MOCHI_FUZZ_SEED.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest
from randalias import random_aliases
from randdata import random_tables
from randmix import random_mix
from randprog import random_program
from randquery import random_queries
from test_run import EMULATED, READY, REASONS, TARGET, WHY_NOT

from building import build_program, write_source
from selecting import few
from mochic.link.runner import command_for
from mochic.targets import TARGETS

MORE = int(os.environ.get("MOCHI_FUZZ", "0"))
FIRST = int(os.environ.get("MOCHI_FUZZ_SEED", "1000"))
SEEDS = [*range(24), *range(FIRST, FIRST + MORE)]
TIME_LIMIT = 10
OTHERS = [t for t in READY if t != TARGET and not REASONS.get(t)]

Outcome = tuple[int, str, str]


def outcome(command: list[str], variables: dict[str, str] | None = None, limit: float = TIME_LIMIT) -> Outcome:
    """Exit status, output and message of a run; the trace may differ where functions are inlined."""
    folder = os.path.dirname(command[-1])
    env = {**os.environ, **(variables or {})}
    run = subprocess.run(command, capture_output=True, timeout=limit, check=False, env=env, cwd=folder)
    return run.returncode, run.stdout.decode(), run.stderr.decode().partition("\n")[0]


def ways(source: str, seed: int) -> Iterator[tuple[str, Outcome]]:
    """What a program does in all the ways that the seed chooses, with their names."""
    whole = seed >= FIRST
    for level in (0, 1, 2) if whole else (0, 2):
        program = build_program(source, level=level, verify=True)
        yield f"-O{level}", outcome([program])
    yield "-O2, stress", outcome([program], {"MOCHI_GC_STRESS": "1"}, 6 * TIME_LIMIT)
    if OTHERS and (whole or seed % 4 == 0):
        target = OTHERS[seed // 4 % len(OTHERS)]
        command = [*command_for(TARGETS[target]), build_program(source, target, verify=True)]
        yield target, outcome(command, EMULATED, 6 * TIME_LIMIT)


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("seed", few(SEEDS))
def test_levels_agree(seed: int, tmp_path: os.PathLike[str]) -> None:
    expected = None
    try:
        for way, got in ways(write_source(random_program(seed), tmp_path), seed):
            assert (got[0], got[2]) == (0, ""), way
            assert got == (expected or got), way
            expected = got
    except subprocess.TimeoutExpired:
        if expected is not None:
            raise
        # else a large number grew in every round: correct, but of no use here


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("seed", few([*range(16), *SEEDS[24:]]))
def test_mixed_programs(seed: int, tmp_path: os.PathLike[str]) -> None:
    expected = None
    for way, got in ways(write_source(random_mix(seed), tmp_path), seed):
        assert got[0] in (0, 1), way
        assert got == (expected or got), way
        expected = got


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("seed", few([*range(20), *SEEDS[24:]]))
def test_queries(seed: int, tmp_path: os.PathLike[str]) -> None:
    text, answer, status = random_queries(seed)
    for way, got in ways(write_source(text, tmp_path), seed):
        assert got[:2] == (status, answer), way


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("seed", few(SEEDS))
def test_aliases(seed: int, tmp_path: os.PathLike[str]) -> None:
    text, expected = random_aliases(seed)
    for way, got in ways(write_source(text, tmp_path), seed):
        assert got == (0, expected, ""), way


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("seed", few(SEEDS))
def test_data_files(seed: int, tmp_path: os.PathLike[str]) -> None:
    tables = random_tables(seed)
    for name, content in tables.files.items():
        with open(os.path.join(tmp_path, name), "wb") as f:
            f.write(content)
    for way, got in ways(write_source(tables.program, tmp_path), seed):
        assert got == (0, tables.expected, ""), way
