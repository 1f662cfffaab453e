"""Random integer programs must print the same at -O0, where every int is a tagged word, and at -O2.

Seeds are fixed, so a failure repeats; MOCHI_FUZZ=N tries N more, starting at MOCHI_FUZZ_SEED.
"""

from __future__ import annotations

import gc
import os
import subprocess

import pytest
from randprog import random_program
from test_run import TARGET, WHY_NOT

from mochic import driver
from mochic.options import Options

MORE = int(os.environ.get("MOCHI_FUZZ", "0"))
FIRST = int(os.environ.get("MOCHI_FUZZ_SEED", "1000"))
SEEDS = [*range(24), *range(FIRST, FIRST + MORE)]
TIME_LIMIT = 10


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("seed", SEEDS)
def test_levels_agree(seed: int, tmp_path: os.PathLike[str]) -> None:
    source = os.path.join(tmp_path, "random.mochi")
    with open(source, "w", encoding="utf-8") as f:
        f.write(random_program(seed))
    outputs = []
    for level in (0, 2):
        opt = Options(TARGET)
        opt.out = os.path.join(tmp_path, f"random-{level}")
        opt.opt = level
        opt.verify = True
        try:
            assert driver.build(source, opt) == 0
        finally:
            gc.enable()
        try:
            run = subprocess.run([opt.out], capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
        except subprocess.TimeoutExpired:
            if level == 0:
                return  # a large number grew in every round: correct, but of no use here
            raise
        assert (run.returncode, run.stderr) == (0, "")
        outputs.append(run.stdout)
    assert outputs[0] == outputs[1]
