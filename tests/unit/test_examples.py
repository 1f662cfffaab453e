"""Every program of examples/ and the tour of the README print what their readers are told."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mochic.link.linker import find_linker
from mochic.link.tools import LinkError
from mochic.targets import TARGETS, host_target

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "examples")
NAMES = sorted(f[:-6] for f in os.listdir(EXAMPLES) if f.endswith(".mochi"))


def need_linker() -> None:
    if host_target() != "linux/amd64":
        pytest.skip("the programs need a linux/amd64 machine")
    try:
        find_linker(TARGETS["linux/amd64"])
    except LinkError as e:
        pytest.skip(e.message)


def mochi(*args: str, cwd: str) -> subprocess.CompletedProcess[str]:
    """The command as a user starts it."""
    return subprocess.run(
        [sys.executable, "-m", "mochic", *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=False,
    )


def read(*path: str) -> str:
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


@pytest.mark.parametrize("name", NAMES)
def test_example(name: str, tmp_path: os.PathLike[str]) -> None:
    need_linker()
    exe = os.path.join(tmp_path, name)
    built = mochi("build", "-o", exe, os.path.join("examples", name + ".mochi"), cwd=ROOT)
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    run = subprocess.run([exe], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, read("examples", name + ".out"), "")


def blocks(text: str) -> list[str]:
    """The contents of the fenced blocks of a Markdown text."""
    return [part.split("\n", 1)[1] for part in text.split("```")[1::2]]


def test_readme_tour(tmp_path: os.PathLike[str]) -> None:
    need_linker()
    tour, out, err = blocks(read("README.md"))[:3]
    assert tour.count("\n") == 20
    with open(os.path.join(tmp_path, "tour.mochi"), "w", encoding="utf-8") as f:
        f.write(tour)
    built = mochi("build", "tour.mochi", cwd=str(tmp_path))
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    run = subprocess.run([os.path.join(tmp_path, "tour")], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (1, out, err)
