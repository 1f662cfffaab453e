"""Builds that are killed at any moment, many at once on a cold cache, and disks that are full.

What is there afterwards is whole, and the next build is right.

MOCHI_KILLS=N kills N builds of each kind (default 4).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("MOCHI_KILLS", "4"))
OLD = b"the old program"
STARTED = 0.1  # seconds: an interrupt before that meets the interpreter, not us


def command(*args: str) -> list[str]:
    return [sys.executable, "-P", "-m", "mochic", *args]


def environment(folder: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": ROOT, "MOCHI_CACHE": os.path.join(folder, "cache"), "TMPDIR": folder}


@pytest.fixture
def folder(tmp_path: os.PathLike[str]) -> str:
    with open(os.path.join(tmp_path, "p.mochi"), "w", encoding="utf-8") as f:
        f.write("fun f(n: int): int { return n * 2 }\nprint(f(21))\n")
    return str(tmp_path)


def check_program(path: str) -> None:
    done = subprocess.run([path], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"42\n", b"")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_builds(number: int, folder: str) -> None:
    rand = random.Random(number)
    out = os.path.join(folder, "p")
    env = environment(folder)
    whole = 0.0
    for i in range(KILLS + 1):
        with open(out, "wb") as f:
            f.write(OLD)
        start = time.monotonic()
        p = subprocess.Popen(command("build", "p.mochi"), cwd=folder, env=env, stderr=subprocess.PIPE, process_group=0)
        if i:  # the first run says how long the others take
            with contextlib.suppress(subprocess.TimeoutExpired):
                # The first ones find a cold cache.
                p.wait(rand.uniform(STARTED, whole))
            with contextlib.suppress(ProcessLookupError):
                if number == signal.SIGKILL:
                    os.killpg(p.pid, number)
                else:
                    p.send_signal(number)
        _, err = p.communicate(timeout=120)
        if not i:
            assert (p.returncode, err) == (0, b"")
            whole = time.monotonic() - start
            subprocess.run(["rm", "-rf", env["MOCHI_CACHE"]], check=True)
        assert b"Traceback" not in err
        with open(out, "rb") as f:
            data = f.read()
        if data != OLD:
            check_program(out)
        if number != signal.SIGKILL:  # what cannot be caught leaves its workplace behind
            assert sorted(set(os.listdir(folder)) - {"cache"}) == ["p", "p.mochi"]
    subprocess.run(command("build", "p.mochi"), cwd=folder, env=env, check=True)
    check_program(out)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_release_sets(number: int, folder: str) -> None:
    """The folder has one whole set, or one without sums."""
    rand = random.Random(number)
    env = environment(folder)
    argv = command("build", "-target=linux/amd64,linux/arm64", "p.mochi")
    start = time.monotonic()
    subprocess.run(argv, cwd=folder, env=env, capture_output=True, check=True)
    whole = time.monotonic() - start
    for i in range(KILLS):
        with open(os.path.join(folder, "p.mochi"), "a", encoding="utf-8") as f:
            f.write(f"// {i}\n")
        p = subprocess.Popen(argv, cwd=folder, env=env, stderr=subprocess.DEVNULL, process_group=0)
        with contextlib.suppress(subprocess.TimeoutExpired):
            p.wait(rand.uniform(0, whole))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(p.pid, number)
        p.wait(timeout=120)
        dist = os.path.join(folder, "dist")
        if os.path.exists(os.path.join(dist, "SHA256SUMS")):
            subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=dist, check=True)
        for name in os.listdir(dist):
            if name.endswith(".tar.gz"):
                with tarfile.open(os.path.join(dist, name)) as t:
                    assert len(t.getmembers()) == 1


def test_many_at_once_on_a_cold_cache(folder: str) -> None:
    env = environment(folder)
    running = [
        subprocess.Popen(command("build", "-o", f"p{i % 5}", "p.mochi"), cwd=folder, env=env, stderr=subprocess.PIPE)
        for i in range(20)
    ]
    for p in running:
        _, err = p.communicate(timeout=300)
        assert (p.returncode, err) == (0, b"")
    for i in range(5):
        check_program(os.path.join(folder, f"p{i}"))
    assert sorted(os.listdir(folder)) == ["cache", "p.mochi", "p0", "p1", "p2", "p3", "p4"]
    assert not [n for n in os.listdir(os.path.join(folder, "cache", "runtime")) if n.endswith(".tmp")]


@pytest.fixture
def small_disk(tmp_path: os.PathLike[str]) -> Iterator[str]:
    place = os.path.join(tmp_path, "disk")
    os.mkdir(place)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounts nothing")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("what", ["out", "cache", "temporary"])
def test_full_disk(what: str, folder: str, small_disk: str) -> None:
    env = environment(folder)
    if what == "cache":
        env["MOCHI_CACHE"] = os.path.join(small_disk, "cache")
    elif what == "temporary":
        env["TMPDIR"] = small_disk
    out = os.path.join(small_disk if what == "out" else folder, "p")
    with open(out, "wb") as f:
        f.write(OLD)
    with open(os.path.join(small_disk, "fill"), "wb") as f, contextlib.suppress(OSError):
        f.write(bytes(56 << 10))
    done = subprocess.run(command("build", "-o", out, "p.mochi"), cwd=folder, env=env, capture_output=True, check=False)
    assert b"Traceback" not in done.stderr and b"internal error" not in done.stderr
    if what == "out":
        assert done.returncode == 3 and b"No space left" in done.stderr
        with open(out, "rb") as f2:
            assert f2.read() == OLD
        assert sorted(os.listdir(small_disk)) == ["fill", "p"]
    else:
        assert done.returncode == 0, done.stderr
        check_program(out)
