"""What every test may count on: the toolchain on the path, a cache of its own, figures at the end of the run."""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import Any

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

# Compiled runtimes are kept between runs, away from the user's own cache.
os.environ.setdefault("MOCHI_CACHE", os.path.join(ROOT, ".pytest_cache", "mochi"))
# Tests start hundreds of processes, which would spend most of their time compiling the compiler's own modules where
# Python may not keep what it made of them beside the sources.
os.environ["PYTHONPYCACHEPREFIX"] = os.path.join(ROOT, ".pytest_cache", "python")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


class Figures:
    """Counts that a passing test would otherwise hide: what ran in which configuration, what did not and why."""

    def __init__(self) -> None:
        self.ran: Counter[str] = Counter()
        self.programs: set[str] = set()
        self.targets: set[str] = set()
        self.left_out: Counter[str] = Counter()

    def program(self, name: str, target: str, config: str) -> None:
        """A program did on a target what it should."""
        self.programs.add(name)
        self.targets.add(target)
        self.ran[f"{target} {config}"] += 1

    def dump(self) -> list[Any]:
        """As plain data, for another process."""
        return [dict(self.ran), sorted(self.programs), sorted(self.targets), dict(self.left_out)]

    def add(self, dumped: list[Any]) -> None:
        """The counts of another process."""
        ran, programs, targets, left_out = dumped
        self.ran.update(ran)
        self.programs.update(programs)
        self.targets.update(targets)
        self.left_out.update(left_out)

    def lines(self) -> list[str]:
        out = []
        if self.ran:
            runs = sum(self.ran.values())
            out.append(f"{len(self.programs)} whole programs on {len(self.targets)} targets, {runs} runs")
            for target in sorted(self.targets):
                rows = [(what.split()[1], n) for what, n in sorted(self.ran.items()) if what.startswith(target + " ")]
                out.append(f"{target}: " + ", ".join(f"{what} {n}" for what, n in rows))
        out += [f"not run: {n} ({why})" for why, n in sorted(self.left_out.items())]
        return out


_FIGURES = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = Figures()


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    return pytestconfig.stash[_FIGURES]


# Where every tool is installed (.ci/run), a skipped test is a mistake unless its reason is one of these.
EVERYTHING = bool(os.environ.get("MOCHIC_ALL_LINKERS"))
NO_MISTAKE = {
    "names of this machine are decorated": "the case does not exist for that machine",
    "no such target": "the case does not exist for that format",
    "not in ELF": "the case does not exist for that format",
    "no GNU ld for it": "Debian has no binutils for loong64",
    "the superuser may read and write everything": "runs where tests are not root's",
}


def unexpected_skips(config: pytest.Config) -> list[str]:
    """The reasons of skipped tests that should have run."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter is not None else []
    reasons = [str(r.longrepr[2]).removeprefix("Skipped: ") for r in reports if isinstance(r.longrepr, tuple)]
    return [r for r in reasons if r not in NO_MISTAKE]


# With pytest-xdist each process counts for itself, and the one that reports adds up.


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["figures"] = session.config.stash[_FIGURES].dump()
    elif EVERYTHING and unexpected_skips(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    node.config.stash[_FIGURES].add(node.workeroutput["figures"] if not error else Figures().dump())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if hasattr(config, "workeroutput"):
        return
    for reason in unexpected_skips(config) if EVERYTHING else ():
        terminalreporter.write_line(f"skipped where everything is installed: {reason}", red=True)
    lines = config.stash[_FIGURES].lines()
    if lines:
        terminalreporter.section("programs")
        for line in lines:
            terminalreporter.write_line(line)
