"""Whole programs: each `NAME.mochi` here is built and run, and must print what `NAME.out` says, byte for byte.

`NAME.in` is its standard input.  Programs run in a folder of their own; the files they load are in `data`.  With
`NAME.err` the program must fail with exit status 1 and that text on standard error; one line there stands for the
message alone, more for message, call graph and stack trace.  Programs whose first line is `//! no-stress` allocate too
much to collect at every allocation.

Each program runs on every ELF target that is ready: on this machine, or in the emulator that targets.py names.
MOCHI_TARGETS=linux/riscv64 selects some.

A new case is a new file.  Builds happen in this process with the IR verifier and the checker of register allocation on.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from shutil import which
from typing import TYPE_CHECKING

import pytest

from mochic import driver
from mochic.link.linker import LinkError, find_linker
from mochic.options import Options
from mochic.targets import TARGETS, host_target

if TYPE_CHECKING:
    from conftest import Figures

HERE = os.path.dirname(os.path.abspath(__file__))
READY = [name for name, t in TARGETS.items() if t.status == "ready" and t.format == "elf"]  # others: test_desktop.py
SELECTED = os.environ.get("MOCHI_TARGETS", "").split(",") if os.environ.get("MOCHI_TARGETS") else READY
HOST = host_target()
NAMES = sorted(f[:-6] for f in os.listdir(HERE) if f.endswith(".mochi"))
# Configuration -> (optimisation level, environment of the program)
CONFIGS: dict[str, tuple[int, dict[str, str]]] = {
    "O0": (0, {}),
    "O2": (2, {}),
    "O2-stress": (2, {"MOCHI_GC_STRESS": "1"}),
}
TIME_LIMIT = 120
# An emulator spends a second on the books of the address space that a heap without a limit reserves.
EMULATED = {"MOCHI_HEAP_LIMIT": str(1 << 28)}


def command_for(target: str) -> tuple[list[str], str]:
    """What runs a program of that target here, in front of its path; or why nothing does."""
    if target != HOST:
        runner = TARGETS[target].runner
        found = next((f for f in (which(runner), which(runner + "-static")) if f), "")
        if not found:
            return [], f"{target} programs need {runner}" if runner else f"{target} programs need such a machine"
    try:
        find_linker(TARGETS[target])
    except LinkError as e:
        return [], e.message
    return ([found] if target != HOST else []), ""


COMMANDS = {t: command_for(t) for t in READY}
# For the tests that need one target only: that of this machine.
TARGET = HOST
WHY_NOT = COMMANDS[HOST][1] if HOST in COMMANDS else f"there are no programs for {HOST} yet"


def read(name: str) -> bytes | None:
    try:
        with open(os.path.join(HERE, name), "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, int], str]:
    """(program, target, level) -> its binary: configurations that differ only at run time share one."""
    return {}


def build(name: str, target: str, level: int, folder: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Build in this process; the binary's path."""
    monkeypatch.chdir(HERE)  # positions in messages are as written on the command line
    out = os.path.join(folder, f"{name}-{target.replace('/', '-')}-{level}")
    opt = Options(target)
    opt.out = out
    opt.opt = level
    opt.verify = True
    try:
        status = driver.build(name + ".mochi", opt)
    finally:
        gc.enable()  # a build switches it off; this process goes on
    assert status == 0
    return out


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("target", SELECTED)
def test_program(
    target: str,
    name: str,
    config: str,
    binaries: dict[tuple[str, str, int], str],
    figures: Figures,
    tmp_path: os.PathLike[str],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command, why_not = COMMANDS[target]
    if why_not:
        figures.left_out[why_not] += 1
        pytest.skip(why_not)
    level, env = CONFIGS[config]
    source = read(name + ".mochi")
    assert source is not None
    if env and source.startswith(b"//! no-stress"):
        figures.left_out["too much allocation for the stress mode"] += 1
        return
    exe = binaries.get((name, target, level))
    if exe is None:
        exe = build(name, target, level, str(tmp_path_factory.getbasetemp()), monkeypatch)
        binaries[name, target, level] = exe
    run = subprocess.run(
        [*command, exe],
        input=read(name + ".in") or b"",
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "MOCHI_ROOT": os.path.join(HERE, "data"), **env},
        timeout=TIME_LIMIT,
        check=False,
    )
    expected = read(name + ".out")
    assert expected is not None, f"{name}.out is missing"
    error = read(name + ".err")
    stderr = run.stderr.decode("utf-8", "replace")
    assert run.stdout.decode("utf-8", "replace") == expected.decode(), stderr
    if error is None:
        assert (run.returncode, stderr) == (0, "")
    else:
        if error.count(b"\n") == 1:
            stderr = stderr[: stderr.find("\n") + 1]
        assert (run.returncode, stderr) == (1, error.decode())
    figures.programs.add(name)
    figures.ran[f"{target} {config}"] += 1


def test_every_file_belongs_to_a_program() -> None:
    data = [f for f in sorted(os.listdir(HERE)) if f.endswith((".out", ".in", ".err"))]
    stray = [f for f in data if f.rsplit(".", 1)[0] not in NAMES]
    assert not stray


# Builds in processes of their own: the hash seed, the folder and the name of the output must not matter.
DETERMINISM = ("dynamic_mixed_maps", "closure_in_collections", "union_tree", "bigint_fib")
BUILD = """
import sys
from mochic.driver import build
from mochic.options import Options
opt = Options("linux/amd64")
opt.out = sys.argv[2]
sys.exit(build(sys.argv[1], opt))
"""


@pytest.mark.parametrize("name", DETERMINISM)
def test_same_bytes(name: str, tmp_path: os.PathLike[str]) -> None:
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    source = read(name + ".mochi")
    assert source is not None
    images = []
    for seed, folder in (("1", "a"), ("4242", "another folder")):
        where = os.path.join(tmp_path, folder)
        os.mkdir(where)
        with open(os.path.join(where, name + ".mochi"), "wb") as f:
            f.write(source)
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.path.dirname(os.path.dirname(HERE))}
        out = os.path.join(where, "out" + seed)
        subprocess.run([sys.executable, "-c", BUILD, name + ".mochi", out], cwd=where, env=env, check=True)
        with open(out, "rb") as f:
            images.append(f.read())
    assert images[0] == images[1]
