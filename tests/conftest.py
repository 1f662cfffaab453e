"""What every test may count on: the toolchain on the path, a cache of its own, figures at the end of the run."""

from __future__ import annotations

import os
import sys
from collections import Counter

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

# Compiled runtimes are kept between runs, away from the user's own cache.
os.environ.setdefault("MOCHI_CACHE", os.path.join(ROOT, ".pytest_cache", "mochi"))


class Figures:
    """Counts that a passing test would otherwise hide: what ran in which configuration, what did not and why."""

    def __init__(self) -> None:
        self.ran: Counter[str] = Counter()
        self.programs: set[str] = set()
        self.left_out: Counter[str] = Counter()

    def lines(self) -> list[str]:
        out = []
        if self.ran:
            each = ", ".join(f"{n} with {what}" for what, n in sorted(self.ran.items()))
            out.append(f"{len(self.programs)} whole programs, {sum(self.ran.values())} runs: {each}")
        out += [f"not run: {n} ({why})" for why, n in sorted(self.left_out.items())]
        return out


_FIGURES = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = Figures()


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    return pytestconfig.stash[_FIGURES]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash[_FIGURES].lines()
    if lines:
        terminalreporter.section("programs")
        for line in lines:
            terminalreporter.write_line(line)
