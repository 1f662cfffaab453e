"""Random programs must do the same at -O0, where every int is a tagged word, at -O2, and under GC stress.

`randprog` makes programs about integers, `randmix` programs over the whole language; those may end with a run error.
`randquery` makes queries, with the answer that nested loops give.  `randalias` makes programs whose results are known
by construction, since all levels agreed on what held lists looked like after an append, and were wrong.

Seeds are fixed, so a failure repeats; MOCHI_FUZZ=N tries N more, starting at MOCHI_FUZZ_SEED.
"""

from __future__ import annotations

import gc
import os
import subprocess

import pytest
from randalias import random_aliases
from randmix import random_mix
from randprog import random_program
from randquery import random_queries
from test_run import TARGET, WHY_NOT

from mochic import driver
from mochic.options import Options

MORE = int(os.environ.get("MOCHI_FUZZ", "0"))
FIRST = int(os.environ.get("MOCHI_FUZZ_SEED", "1000"))
SEEDS = [*range(24), *range(FIRST, FIRST + MORE)]
TIME_LIMIT = 10


def build(source: str, level: int) -> str:
    opt = Options(TARGET)
    opt.out = f"{source}-O{level}"
    opt.opt = level
    opt.verify = True
    try:
        assert driver.build(source, opt) == 0
    finally:
        gc.enable()
    return opt.out


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("seed", SEEDS)
def test_levels_agree(seed: int, tmp_path: os.PathLike[str]) -> None:
    source = os.path.join(tmp_path, "random.mochi")
    with open(source, "w", encoding="utf-8") as f:
        f.write(random_program(seed))
    outputs = []
    for level in (0, 2):
        program = build(source, level)
        try:
            run = subprocess.run([program], capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
        except subprocess.TimeoutExpired:
            if level == 0:
                return  # a large number grew in every round: correct, but of no use here
            raise
        assert (run.returncode, run.stderr) == (0, "")
        outputs.append(run.stdout)
    assert outputs[0] == outputs[1]


def outcome(program: str, stress: bool) -> tuple[int, str, str]:
    """Exit status, output and message of a run; the trace may differ where functions are inlined."""
    env = {**os.environ, "MOCHI_GC_STRESS": "1"} if stress else None
    run = subprocess.run([program], capture_output=True, text=True, timeout=TIME_LIMIT, check=False, env=env)
    return run.returncode, run.stdout, run.stderr.partition("\n")[0]


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("seed", [*range(16), *SEEDS[24:]])
def test_mixed_programs(seed: int, tmp_path: os.PathLike[str]) -> None:
    source = os.path.join(tmp_path, "random.mochi")
    with open(source, "w", encoding="utf-8") as f:
        f.write(random_mix(seed))
    programs = [build(source, level) for level in (0, 2)]
    expected = outcome(programs[0], False)
    assert expected[0] in (0, 1)
    assert outcome(programs[1], False) == expected
    assert outcome(programs[1], True) == expected


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("seed", [*range(20), *SEEDS[24:]])
def test_queries(seed: int, tmp_path: os.PathLike[str]) -> None:
    text, answer, status = random_queries(seed)
    source = os.path.join(tmp_path, "random.mochi")
    with open(source, "w", encoding="utf-8") as f:
        f.write(text)
    for level in (0, 2):
        program = build(source, level)
        for stress in (False, True)[: 1 + (level == 2)]:
            assert outcome(program, stress)[:2] == (status, answer)


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("seed", SEEDS)
def test_aliases(seed: int, tmp_path: os.PathLike[str]) -> None:
    text, expected = random_aliases(seed)
    source = os.path.join(tmp_path, "random.mochi")
    with open(source, "w", encoding="utf-8") as f:
        f.write(text)
    for level in (0, 2):
        assert outcome(build(source, level), level == 2) == (0, expected, "")
