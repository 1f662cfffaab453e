"""Whole programs: each `NAME.mochi` here is built and run, and must print what `NAME.out` says, byte for byte.

`NAME.in` is its standard input.  Programs run in a folder of their own; the files they load are in `data`.  With
`NAME.err` the program must fail with exit status 1 and that text on standard error; one line there stands for the
message alone, more for message, call graph and stack trace.  Programs whose first line is `//! no-stress` allocate too
much to collect at every allocation.

Each program runs on every ELF target that is ready: on this machine, or in the emulator that targets.py names.
MOCHI_TARGETS=linux/riscv64 selects some.  CONFIGS says how; some configurations take a sample of the programs.

A new case is a new file.  Builds happen in this process with the IR verifier and the checker of register allocation on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from building import build_program
from selecting import SMOKE, here, slow_unless
from mochic import driver
from mochic.link.linker import find_linker
from mochic.link.tools import LinkError
from mochic.link.runner import command_for
from mochic.targets import TARGETS, host_target

if TYPE_CHECKING:
    from conftest import Figures

HERE = os.path.dirname(os.path.abspath(__file__))
READY = [name for name, t in TARGETS.items() if t.status == "ready" and t.format == "elf"]  # others: test_desktop.py
SELECTED = os.environ.get("MOCHI_TARGETS", "").split(",") if os.environ.get("MOCHI_TARGETS") else READY
HOST = host_target()
NAMES = sorted(f[:-6] for f in os.listdir(HERE) if f.endswith(".mochi"))
# A program in nine, and those that walk, fill or overflow the stack and meet the pages of the address space.
SAMPLE = sorted(
    {*NAMES[::9], "error_stack_overflow", "error_in_closure", "fun_deep_recursion", "gc_deep_frames", "gc_mixed"}
)
TIME_LIMIT = 120
# An emulator spends half a second on the books of the address space that a heap without a limit reserves.
EMULATED = {"MOCHI_HEAP_LIMIT": str(1 << 28)}
STRESS = {"MOCHI_GC_STRESS": "1"}

# name | -O | -march | -branch-protection | targets | options of the emulator | programs.  Programs built with -O2 run
# under GC stress too; those of the row `checked` have the runtime that checks itself (runtime/check.mochi).
_CONFIGS: Final = """
O0        | 0 |          | none     | *             |                                      | all
O2        | 2 |          | none     | *             |                                      | all
protected | 2 |          | standard | linux/arm64   | -cpu max,pauth-impdef=on             | sample
pages-64K | 2 |          | none     | linux/arm64   | -p 65536                             | sample
rva22u64  | 2 | rva22u64 | none     | linux/riscv64 | -cpu rv64,zba=true,zbb=true,zbs=true | sample
rv64g     | 2 | rv64g    | none     | linux/riscv64 | -cpu rv64,c=false                    | sample
checked   | 2 |          | none     | *             |                                      | sample
"""


class Config:
    """One row of the table."""

    def __init__(self, row: str) -> None:
        self.name, level, self.march, self.protection, targets, options, programs = (c.strip() for c in row.split("|"))
        self.level = int(level)
        self.targets = READY if targets == "*" else [targets]
        self.options = options.split()
        self.programs = NAMES if programs == "all" else SAMPLE


CONFIGS: Final = [Config(row) for row in _CONFIGS.split("\n") if row]
CASES: Final = [(t, c, name) for t in SELECTED for c in CONFIGS if t in c.targets for name in c.programs]


def quick(target: str, config: Config, name: str) -> bool:
    """At -O2 all programs for this machine, some for others."""
    return config.name == "O2" and (here(target) or name in SMOKE)


def why_not(target: str) -> str:
    """Why programs for a target do not run here; empty when they do."""
    try:
        command_for(TARGETS[target])
        find_linker(TARGETS[target])
    except (driver.UserError, LinkError) as e:
        return e.message
    return ""


REASONS = {t: why_not(t) for t in [*READY, *SELECTED]}
# For the tests that need one target only: that of this machine.
TARGET = HOST
WHY_NOT = REASONS.get(HOST, f"there are no programs for {HOST} yet")


def read(name: str) -> bytes | None:
    try:
        with open(os.path.join(HERE, name), "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None


@pytest.mark.parametrize(
    ("target", "config", "name"), slow_unless(quick, CASES), ids=lambda x: x if isinstance(x, str) else x.name
)
def test_program(
    target: str,
    config: Config,
    name: str,
    figures: Figures,
    tmp_path: os.PathLike[str],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if REASONS[target]:
        figures.left_out[REASONS[target]] += 1
        pytest.skip(REASONS[target])
    source = read(name + ".mochi")
    assert source is not None
    monkeypatch.chdir(HERE)  # positions in messages are as written on the command line
    exe = build_program(
        name + ".mochi",
        target,
        out=tmp_path_factory.mktemp("bin") / name,
        level=config.level,
        march=config.march,
        protection=config.protection,
        verify=True,
        check=config.name == "checked",
    )
    execute(name, target, config, exe, tmp_path, {}, figures)
    if config.level == 2:
        if source.startswith(b"//! no-stress"):
            figures.left_out["too much allocation for the stress mode"] += 1
        else:
            execute(name, target, config, exe, tmp_path, STRESS, figures)
    os.unlink(exe)


def execute(
    name: str,
    target: str,
    config: Config,
    exe: str,
    folder: os.PathLike[str],
    env: dict[str, str],
    figures: Figures,
) -> None:
    """Run a program and look at all it does."""
    command = command_for(TARGETS[target])
    emulated = EMULATED if command else {}
    run = subprocess.run(
        [*command, *(config.options if command else []), exe],
        input=read(name + ".in") or b"",
        cwd=folder,
        capture_output=True,
        env={**os.environ, "MOCHI_ROOT": os.path.join(HERE, "data"), **emulated, **env},
        timeout=TIME_LIMIT,
        check=False,
    )
    expected = read(name + ".out")
    assert expected is not None, f"{name}.out is missing"
    error = read(name + ".err")
    stderr = run.stderr.decode("utf-8", "replace")
    # A byte that is not UTF-8 must not pass for U+FFFD.
    assert run.stdout.decode("utf-8", "surrogateescape") == expected.decode(), stderr
    if error is None:
        assert (run.returncode, stderr) == (0, "")
    else:
        if error.count(b"\n") == 1:
            stderr = stderr[: stderr.find("\n") + 1]
        assert (run.returncode, stderr) == (1, error.decode())
    figures.program(name, target, config.name + ("-stress" if env else ""))


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


@pytest.mark.parametrize("name", slow_unless(lambda name: name == DETERMINISM[0], DETERMINISM))
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
