"""Whole programs for macOS and Windows: a sample of the corpus, the same bytes out as everywhere.

Programs for windows/amd64 run on Wine where it is installed; all others, and those where it is not, on the emulator of
tests/emulate.  MOCHI_DESKTOP=all takes every program, MOCHI_TARGETS=darwin/arm64 selects targets.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest
from test_run import HERE, NAMES, read

from mochic import driver
from mochic.link.linker import LinkError, find_linker
from mochic.link.runner import find_runner
from mochic.options import Options
from mochic.targets import TARGETS

if TYPE_CHECKING:
    from conftest import Figures

ROOT: Final = os.path.dirname(os.path.dirname(HERE))
DESKTOP: Final = [name for name, t in TARGETS.items() if t.status == "ready" and t.format in ("macho", "coff")]
_SELECTED: Final = os.environ.get("MOCHI_TARGETS", "")
SELECTED: Final = [t for t in DESKTOP if not _SELECTED or t in _SELECTED.split(",")]
# Too slow for the emulator, which executes some ten million instructions a second.
SLOW: Final = frozenset("gc_deep_frames".split())
SAMPLE: Final = NAMES if os.environ.get("MOCHI_DESKTOP") == "all" else [n for n in NAMES[::5] if n not in SLOW]
EXTRA: Final = ["error_stack_overflow", "fun_deep_recursion", "error_division"]
TIME_LIMIT: Final = 300
EMULATOR: Final = [sys.executable, os.path.join(ROOT, "tests", "emulate")]
# What an emulator keeps books on.
ENVIRONMENT: Final = {"MOCHI_HEAP_LIMIT": str(1 << 28), "MOCHI_ROOT": os.path.join(HERE, "data")}


def why_not(target: str) -> str:
    """Why programs for a target do not run here; empty when they do."""
    try:
        find_linker(TARGETS[target])
        if not find_runner(TARGETS[target]):
            import unicorn  # noqa: F401
    except LinkError as e:
        return e.message
    except ImportError:
        return f"{target} programs need unicorn"
    return ""


REASONS: Final = {t: why_not(t) for t in DESKTOP}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What programs and Wine are started with."""
    wine = {"WINEPREFIX": str(tmp_path_factory.mktemp("wine")), "WINEDEBUG": "-all"}
    env = {k: v for k, v in os.environ.items() if not k.startswith("WINE")}
    if find_runner(TARGETS["windows/amd64"]) and "windows/amd64" in SELECTED:
        # Its first start makes its files, which takes seconds and says so.
        subprocess.run([find_runner(TARGETS["windows/amd64"]), "cmd", "/c", "exit"], env={**env, **wine}, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    return {**env, **wine, **ENVIRONMENT}


def need(target: str, figures: Figures) -> None:
    if REASONS[target]:
        figures.left_out[REASONS[target]] += 1
        pytest.skip(REASONS[target])


def build(source: str, target: str, folder: object, level: int = 2) -> str:
    opt = Options(target)
    opt.out = os.path.join(str(folder), "program")
    opt.opt = level
    try:
        assert driver.build(source, opt) == 0
    finally:
        gc.enable()
    return opt.out


def execute(
    target: str, exe: str, folder: object, env: dict[str, str], arguments: tuple[str, ...] = (), text: bytes = b""
) -> tuple[int, str, str]:
    """(exit status, output, standard error)."""
    found = find_runner(TARGETS[target])
    command = [found] if found else EMULATOR
    run = subprocess.run(
        [*command, exe, *arguments], input=text, cwd=str(folder), capture_output=True, env=env, timeout=TIME_LIMIT,
        check=False,
    )  # fmt: skip
    return run.returncode, run.stdout.decode("utf-8", "replace"), run.stderr.decode("utf-8", "replace")


@pytest.mark.parametrize("name", sorted({*SAMPLE, *EXTRA}))
@pytest.mark.parametrize("target", SELECTED)
def test_program(
    target: str,
    name: str,
    environment: dict[str, str],
    figures: Figures,
    tmp_path: os.PathLike[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need(target, figures)
    monkeypatch.chdir(HERE)
    exe = build(name + ".mochi", target, tmp_path)
    status, out, err = execute(target, exe, tmp_path, environment, (), read(name + ".in") or b"")
    os.unlink(exe)
    expected, error = read(name + ".out"), read(name + ".err")
    assert expected is not None
    assert out == expected.decode(), err
    if error is None:
        assert (status, err) == (0, "")
    else:
        if error.count(b"\n") == 1:
            err = err[: err.find("\n") + 1]
        assert (status, err) == (1, error.decode())
    figures.program(name, target, "O2")
