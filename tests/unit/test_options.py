"""Every option of the command line arrives at every stage and in every child process, whatever the way of building."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import click
import pytest
from click.testing import CliRunner

from mochic import cli, driver, run
from mochic.console import UserError
from mochic.link import clibs
from mochic.options import Options

# What each option is tried with, and the value that must arrive.  An option that is not here fails the first test.
TRIED: dict[str, tuple[list[str], Any]] = {
    "opt": (["-O1"], 1),
    "march": (["--march=rv64gc"], "rv64gc"),
    "branch_protection": (["--branch-protection=bti"], "bti"),
    "int_mode": (["--int=checked"], "checked"),
    "linker": (["--linker=some-ld"], "some-ld"),
    "libraries": (["-l", "m", "-lz"], ("m", "z")),
    "folders": (["-L", "one", "-Ltwo"], ("one", "two")),
    "https": (["--https=no"], "no"),
    "debug": (["-g"], True),
    "strip": (["--strip"], True),
    "time": (["--time"], True),
}
# These say what is built and where it goes; every way has a word of its own in them.
OWN = {"target", "out", "emit"}
# Way -> command and targets, and whether a child builds
WAYS = {
    "single": ("build", ["--target=linux/amd64"]),
    "list": ("build", ["--target=linux/amd64,linux/arm64"]),
    "list of one": ("build", ["-target=linux/riscv64,"]),
    "all": ("build", ["-target", "all"]),
    "universal": ("build", ["-target=darwin/universal"]),
    "run": ("run", []),
    "test": ("test", []),
}


def options_of(command: str) -> set[str]:
    found = cli.main.commands[command]
    return {p.name or "" for p in found.params if isinstance(p, click.Option)}


def test_every_option_is_tried_and_has_a_field() -> None:
    for command in ("build", "run", "test"):
        names = options_of(command)
        assert names - OWN - set(TRIED) == set()
        assert names <= set(Options.__slots__)


def test_fields_survive_the_way_to_a_child() -> None:
    given = Options("linux/amd64")
    for i, name in enumerate(Options.__slots__):
        old = getattr(given, name)
        setattr(
            given, name, (f"a{i}", "ü b") if isinstance(old, tuple) else not old if isinstance(old, bool) else f"v{i}"
        )
    got = Options.load(given.dump())
    moved = given.with_target("darwin/arm64")
    for name in Options.__slots__:
        assert getattr(got, name) == getattr(given, name), name
        assert getattr(moved, name) == ("darwin/arm64" if name == "target" else getattr(given, name)), name


@pytest.mark.parametrize("name", [n for n in TRIED if n not in ("time",)])
def test_cached_programs_differ_by_option(name: str) -> None:
    one, other = Options("linux/amd64"), Options("linux/amd64")
    setattr(other, name, TRIED[name][1])
    assert one.program_key() != other.program_key()


@pytest.fixture
def seen(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """The options of every build that is started, which then fails."""
    found: list[Options] = []
    monkeypatch.chdir(tmp_path)
    with open("p.mochi", "w", encoding="utf-8") as f:
        f.write('test "t" { expect true }\n')

    def stopped(path: str, opt: Options, texts: object = None) -> int:
        found.append(opt)
        raise UserError("stopped", 3)

    class Child:
        """A process that would build one target."""

        def __init__(self, argv: list[str], **kw: Any) -> None:
            assert argv[:4] == [sys.executable, "-P", "-m", "mochic.release"]
            found.append(Options.load(argv[4]))

        def poll(self) -> int:
            return 3

    monkeypatch.setattr(driver, "build", stopped)
    monkeypatch.setattr(run, "build", stopped)
    monkeypatch.setattr(subprocess, "Popen", Child)
    monkeypatch.setattr(clibs, "fingerprint", lambda *_: b"")  # libraries are looked for when it builds
    monkeypatch.setenv("MOCHI_CACHE", os.path.join(tmp_path, "cache"))
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", TRIED)
def test_options_arrive(name: str, way: str, seen: list[Options]) -> None:
    command, words = WAYS[way]
    if name not in options_of(command):
        return
    given, value = TRIED[name]
    if name in ("march", "branch_protection") and command != "build":
        words = ["--target=linux/riscv64" if name == "march" else "--target=linux/arm64"]
    result = CliRunner().invoke(cli.main, [command, *words, *given, "p.mochi"])
    assert seen, result.output
    for opt in seen:
        assert getattr(opt, name) == value


# -- children

SPY = "raise SystemExit('a module of the current folder was imported')\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["backend", "mochic", "objwriter", "linkscripts", "json", "zipfile", "click"])
def test_children_import_from_the_installation(name: str, tmp_path: os.PathLike[str]) -> None:
    """A folder of the user's that is called like a module of ours is data."""
    with open(os.path.join(tmp_path, "p.mochi"), "w", encoding="utf-8") as f:
        f.write("print(1)\n")
    os.mkdir(os.path.join(tmp_path, name))
    with open(os.path.join(tmp_path, name, "__init__.py"), "w", encoding="utf-8") as f:
        f.write(SPY)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mochic", "build", "-target=linux/amd64,", "p.mochi"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "current folder" in done.stderr) == (0, False), done.stderr
    assert sorted(os.listdir(os.path.join(tmp_path, "dist"))) == ["SHA256SUMS", "p-linux-amd64.tar.gz"]


@pytest.mark.parametrize("target", ["linux/amd64", "linux/amd64,"])
def test_checked_ints_in_every_way(target: str, tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The option whose loss was seen first: the same program, single and from a set."""
    monkeypatch.chdir(tmp_path)
    with open("p.mochi", "w", encoding="utf-8") as f:
        f.write("let x = 9223372036854775807\nprint(x + len(str(x)))\n")
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    argv = [sys.executable, "-P", "-m", "mochic", "build", "--int=checked", f"-target={target}", "-o", "out", "p.mochi"]
    subprocess.run(argv, env={**os.environ, "PYTHONPATH": root}, capture_output=True, check=True)
    if target.endswith(","):
        subprocess.run(["tar", "xzf", "out/p-linux-amd64.tar.gz"], check=True)
        os.rename("p-linux-amd64/p", "program")
    else:
        os.rename("out", "program")
    done = subprocess.run(["./program"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.partition("\n")[0]) == (1, "integer overflow")
