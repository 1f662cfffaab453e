"""How much memory programs keep for what they have alive: objects of all sizes among garbage, and after a peak.

The programs of memory.mochi print how many bytes are alive and wait; their memory is that of the process then, and its
greatest.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from building import build_program

HERE = os.path.dirname(os.path.abspath(__file__))
MB = 1 << 20
# What a process has anyway, and how much more than is alive may be garbage where little is.
CONSTANT = 32 * MB

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]


@pytest.fixture(scope="module")
def exe(tmp_path_factory: pytest.TempPathFactory) -> str:
    return build_program(os.path.join(HERE, "memory.mochi"), out=tmp_path_factory.mktemp("bin") / "memory")


def measure(exe: str, what: str, limit: int = 0) -> tuple[int, int, int]:
    """Bytes alive, memory now, greatest memory."""
    env = {**os.environ, **({"MOCHI_HEAP_LIMIT": str(limit)} if limit else {})}
    with subprocess.Popen(
        [exe], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as p:
        assert p.stdin and p.stdout and p.stderr
        p.stdin.write(what + "\n")
        p.stdin.flush()
        line = p.stdout.readline()
        figures = {}
        if line:
            # The line comes when the program waits for the next one, because input() writes what was printed.
            with open(f"/proc/{p.pid}/status", encoding="utf-8") as f:
                figures = dict(row.split(":", 1) for row in f.read().split("\n") if row)
        p.stdin.close()
        assert (p.wait(60), p.stderr.read()) == (0, "")
    now, most = (1024 * int(figures[name].split()[0]) for name in ("VmRSS", "VmHWM"))
    return int(line), now, most


@pytest.mark.parametrize("what", ["one of 32", "filter", "replace", "replace any", "lists", "large"])
def test_garbage(what: str, exe: str) -> None:
    alive, _, most = measure(exe, what)
    assert most < 3 * alive + CONSTANT, f"{most / MB:.0f} MB for {alive / MB:.1f}"


@pytest.mark.parametrize("what", ["one of 32", "replace", "replace any", "lists", "large"])
def test_limit(what: str, exe: str) -> None:
    """What lives needs little of a heap that is four times as large."""
    alive, _, _ = measure(exe, what)
    measure(exe, what, 4 * alive)


@pytest.mark.parametrize("what", ["peak", "pinned peak", "deep peak"])
def test_after_a_peak(what: str, exe: str) -> None:
    alive, now, most = measure(exe, what)
    if what == "deep peak":
        alive = 2 * MB
    assert most > 100 * MB
    assert now < 3 * alive + 2 * CONSTANT, f"{now / MB:.0f} MB for {alive / MB:.1f} after {most / MB:.0f}"
