"""Mutants of the programs in tests/run and of the cases here: see `mutants`."""

from __future__ import annotations

import os

import pytest
from mutants import complaint, mutants

from selecting import few

RUN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "run")
PROGRAMS = sorted(n for n in os.listdir(RUN) if n.endswith(".mochi"))
PARTS = 8


@pytest.mark.parametrize("part", few(range(PARTS)))
def test_mutants(part: int) -> None:
    """Default mode and strict mode; two mutants of every program."""
    for name in PROGRAMS[part::PARTS]:
        for what, text in mutants(os.path.join(RUN, name), 1, 2):
            for strict in (False, True):
                wrong = complaint(text, RUN, strict)
                assert not wrong, f"{what}\n{text}\n{wrong}"


@pytest.mark.parametrize("part", few(range(PARTS)))
def test_mutants_that_check_compile(part: int) -> None:
    """What the checker lets pass, the compiler can translate; one mutant of some programs."""
    for name in PROGRAMS[part :: PARTS * 4]:
        for what, text in mutants(os.path.join(RUN, name), 900, 1):
            wrong = complaint(text, RUN, False, True)
            assert not wrong, f"{what}\n{text}\n{wrong}"
