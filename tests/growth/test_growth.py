"""Programs whose parts must take linear time: the least of some runs at a size and at four times that size.

Quadratic time would be sixteen times as long.  Times below MEASURABLE say nothing and count as linear.
"""

from __future__ import annotations

import os
import sys

import pytest

from building import build_program

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import measure

MEASURABLE = 2_000  # microseconds
TRIES = 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["appends"])
def test_linear(name: str, tmp_path: os.PathLike[str]) -> None:
    program = build_program(os.path.join(measure.HERE, name + ".mochi"), out=os.path.join(tmp_path, name))
    slow: dict[str, dict[int, int]] = {}
    for _ in range(TRIES):  # another process may have had the processor
        slow = {}
        for part, row in measure.least_times(program, 2).items():
            small, large = sorted(row)
            assert large == 4 * small
            if row[large] > MEASURABLE and row[large] > 9 * row[small]:
                slow[part] = row
        if not slow:
            return
    raise AssertionError(f"not linear: {slow}")
