"""Which tests the inner loop leaves out: those marked `slow` (`pytest -m "not slow"`, `make quick`).

Quick are, of what takes more than a moment,

* whole programs for this machine, at -O2;
* a few programs for each other target (SMOKE), but none on Wine, whose first start takes as long as many programs;
* the first SEEDS seeds of random programs.

Slow is the same once more: on more targets, at more levels, with more seeds.  And what is large on purpose: objects
with 65,536 sections, growth of time and memory, random code on other CPUs, hundreds
of random instructions, what `mochi inspect` shows of every target, mutants, runtimes that are built anew (a
cold or a broken cache, a fault put in, other instruction sets), builds that are killed, sets of releases, the wheel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import pytest

from mochic.link.runner import find_runner
from mochic.targets import TARGETS, host_target

SEEDS: Final = 3
# Wide products, traces, arguments on the stack: what another CPU or system can have wrong.
SMOKE: Final = frozenset(("bigint_gcd", "error_in_closure", "fun_many_parameters"))


def slow_unless(quick: Callable[..., bool], rows: Iterable[Any]) -> list[Any]:
    """The values of a parametrize, of which those that are not quick are slow.

    A row is a value, or a tuple of values for several parameters; `quick` gets them as its arguments.
    """
    made = []
    for row in rows:
        values = row if isinstance(row, tuple) else (row,)
        made.append(pytest.param(*values, marks=() if quick(*values) else pytest.mark.slow))
    return made


def here(target: str) -> bool:
    """The target of this machine."""
    return target == host_target()


def few(seeds: Iterable[int]) -> list[Any]:
    """Seeds of which the first ones are quick."""
    return slow_unless(lambda seed: seed < SEEDS, seeds)


def without_wine(target: str) -> bool:
    """Programs for it do not run on Wine here."""
    return not find_runner(TARGETS[target]).endswith(("wine", "wine64"))
