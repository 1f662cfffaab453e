"""The cache: entries are checked at every use, whatever happened to them, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from mochic import cache

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture
def home(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> str:
    path = os.path.join(tmp_path, "cache")
    monkeypatch.setenv("MOCHI_CACHE", path)
    monkeypatch.delenv("MOCHI_CACHE_LIMIT", raising=False)
    return path


def count() -> tuple[list[int], Callable[[], bytes]]:
    calls: list[int] = []

    def make() -> bytes:
        calls.append(1)
        return b"good bytes"

    return calls, make


def rewrite(path: str, change: Callable[[bytes], bytes]) -> None:
    with open(path, "rb") as f:
        data = f.read()
    with open(path, "wb") as f:
        f.write(change(data))


DAMAGE: dict[str, Callable[[str], None]] = {
    "emptied": lambda p: rewrite(p, lambda d: b""),
    "truncated": lambda p: rewrite(p, lambda d: d[:-1]),
    "flipped": lambda p: rewrite(p, lambda d: bytes((d[0] ^ 1,)) + d[1:]),
    "longer": lambda p: rewrite(p, lambda d: d + b"x"),
    "sum emptied": lambda p: rewrite(p + ".sum", lambda d: b""),
    "sum flipped": lambda p: rewrite(p + ".sum", lambda d: bytes((d[0] ^ 1,)) + d[1:]),
    "sum gone": lambda p: os.unlink(p + ".sum"),
    "gone": os.unlink,
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_mended(kind: str, home: str) -> None:
    calls, make = count()
    path = cache.entry("run", "a", make)
    assert cache.entry("run", "a", make) == path and len(calls) == 1
    DAMAGE[kind](path)
    assert cache.entry("run", "a", make) == path and len(calls) == 2
    with open(path, "rb") as f:
        assert f.read() == b"good bytes"
    assert cache.entry("run", "a", make) == path and len(calls) == 2
    assert sorted(os.listdir(os.path.dirname(path))) == ["a", "a.sum"]


def test_old_entries_make_room(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCHI_CACHE_LIMIT", "10000")
    for i in range(10):
        path = cache.entry("run", f"e{i}", lambda: bytes(900))
        old = time.time() - 100 * cache.YOUNG + i
        os.utime(path + ".sum", (old, old))
    cache.entry("run", "e0", lambda: bytes(900))  # is used again
    cache.entry("run", "new", lambda: bytes(900))
    left = {n for n in os.listdir(os.path.join(home, "run")) if not n.endswith(".sum")}
    assert "e0" in left and "new" in left and "e1" not in left
    assert sum(os.path.getsize(os.path.join(home, "run", n)) for n in os.listdir(os.path.join(home, "run"))) <= 10000


def test_clean_takes_only_what_is_ours(home: str) -> None:
    cache.entry("run", "a", lambda: bytes(100))
    with open(os.path.join(home, "note"), "w", encoding="utf-8") as f:
        f.write("the user's")
    assert cache.clean() >= 100
    assert os.listdir(home) == ["note"]


def mochi(folder: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    with open(os.path.join(folder, "p.mochi"), "w", encoding="utf-8") as f:
        f.write("print(42)\n")
    argv = [sys.executable, "-P", "-m", "mochic", *args]
    env = {**os.environ, "PYTHONPATH": ROOT, **env}
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["/dev/null/cache", "p.mochi/cache"])
def test_builds_go_on_without_a_cache(where: str, tmp_path: os.PathLike[str]) -> None:
    done = mochi(str(tmp_path), "run", "p.mochi", MOCHI_CACHE=where)
    assert (done.returncode, done.stdout) == (0, "42\n")
    assert done.stderr.count(f"cannot use the cache {where}") == 1


@pytest.mark.slow
def test_damaged_programs_are_built_again(tmp_path: os.PathLike[str]) -> None:
    folder = str(tmp_path)
    home = os.path.join(folder, "cache")
    assert mochi(folder, "run", "p.mochi", MOCHI_CACHE=home).stdout == "42\n"
    for kind in ("run", "runtime"):
        for name in os.listdir(os.path.join(home, kind)):
            if not name.endswith(".sum"):
                rewrite(os.path.join(home, kind, name), lambda d: d[: len(d) // 2])
    assert mochi(folder, "run", "p.mochi", MOCHI_CACHE=home).stdout == "42\n"
    done = mochi(folder, "clean", MOCHI_CACHE=home)
    assert (done.returncode, done.stderr) == (0, "") and "freed" in done.stdout
    assert os.listdir(home) == []
