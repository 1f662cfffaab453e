"""Linker discovery in its documented order, and what happens when linking fails."""

from __future__ import annotations

import os
import sys

import pytest

from mochic.codegen.targets import load_target
from mochic.link import linker as L
from mochic.link.linker import find_linker, link, link_command
from mochic.link.tools import LinkError, which
from mochic.output import Workplace
from mochic.targets import TARGETS, Target, find_target, host_target

TARGET = TARGETS["linux/amd64"]


def fake(folder: str, name: str, script: str = "exit 0") -> str:
    path = os.path.join(folder, name)
    os.makedirs(folder, exist_ok=True)
    with open(path, "w", encoding="utf-8") as fh:
        fh.write("#!/bin/sh\n" + script + "\n")
    os.chmod(path, 0o755)
    return path


# What exists (PATH names; zig = the wheel) | --linker | MOCHI_LINKER | what is chosen
ORDER = """
ld.lld ld.lld-19 zig ld   |          |           | ld.lld
ld.lld-16 ld.lld-19 ld    |          |           | ld.lld-19
ld.lld-14 zig ld          |          |           | zig ld.lld
ld                        |          |           | ld
x86_64-linux-gnu-ld       |          |           | x86_64-linux-gnu-ld
                          |          |           | error: no linker for linux/amd64
ld.lld ld                 | ld       |           | ld
ld.lld ld                 |          | ld        | ld
ld.lld ld ld.lld-18       | ld.lld-18| ld        | ld.lld-18
ld.lld                    | nope     |           | error: --linker=nope
ld.lld                    |          | nope      | error: MOCHI_LINKER=nope
ld.lld zig                | zig      |           | zig ld.lld
ld.lld                    | zig      |           | error: pip install ziglang
"""


@pytest.mark.parametrize("row", [r for r in ORDER.split("\n") if r.strip()])
def test_order(row: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    exists, option, variable, wanted = (c.strip() for c in row.split("|"))
    folder = os.path.join(str(tmp_path), "bin")
    os.makedirs(folder)
    site = os.path.join(str(tmp_path), "site")
    for name in exists.split():
        fake(os.path.join(site, "ziglang") if name == "zig" else folder, name)
    monkeypatch.setenv("PATH", folder)
    monkeypatch.setenv("MOCHI_LINKER", variable)
    monkeypatch.setattr(sys, "path", [site])
    if wanted.startswith("error: "):
        with pytest.raises(LinkError) as caught:
            find_linker(TARGET, option)
        assert wanted[7:] in caught.value.message
        assert caught.value.exit_status == 3
        return
    found = find_linker(TARGET, option)
    assert [os.path.basename(a) for a in found.argv] == wanted.split()
    assert ("--threads=1" in link_command(TARGET, found, ["a.o"], "a")) is not found.gnu


@pytest.mark.parametrize(
    ("target", "name", "wanted"),
    [
        ("linux/arm64", "aarch64-linux-gnu-ld", True),
        ("linux/riscv64", "riscv64-linux-gnu-ld", True),
        ("linux/riscv64", "aarch64-linux-gnu-ld", False),
        ("linux/s390x", "s390x-linux-gnu-ld", False),  # no programs for it yet
    ],
)
def test_gnu_cross_linkers(
    target: str, name: str, wanted: bool, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(str(tmp_path), name)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MOCHI_LINKER", raising=False)
    monkeypatch.setattr(sys, "path", [])
    try:
        found = find_linker(TARGETS[target])
    except LinkError:
        assert not wanted
    else:
        assert wanted
        assert (os.path.basename(found.argv[0]), found.gnu) == (name, True)


# What a linker that is known to work says of itself
LLD = 'if [ "$1" = --version ]; then echo "LLD 19.1.7 (compatible with GNU linkers)"; exit; fi; '
OUT = 'while [ "$1" != -o ]; do shift; done; '


def linked(out: str, choice: str, target: Target = TARGET) -> None:
    with Workplace(out) as work:
        link(target, ["a.o"], work, choice)


def test_failure_leaves_nothing(tmp_path: object) -> None:
    folder = str(tmp_path)
    out = os.path.join(folder, "prog")
    bad = fake(folder, "ld.lld-bad", LLD + "echo 'ld: undefined symbol: x' >&2; exit 1")
    with pytest.raises(LinkError) as caught:
        linked(out, bad)
    assert "exit status 1" in caught.value.message
    assert "undefined symbol: x" in caught.value.detail
    silent = fake(folder, "ld.lld-silent", LLD)
    with pytest.raises(LinkError, match="wrote nothing"):
        linked(out, silent)
    killed = fake(folder, "ld.lld-killed", LLD + "kill -9 $$")
    with pytest.raises(LinkError, match="signal 9"):
        linked(out, killed)
    assert sorted(os.listdir(folder)) == ["ld.lld-bad", "ld.lld-killed", "ld.lld-silent"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ('echo text > "$2"', "is no ELF file"),
        (': > "$2"', "is no ELF file"),
        ('head -c 100 /proc/self/exe > "$2"', "is cut short"),
        ('cat /proc/self/exe > "$2"', "has no frame maps"),  # a good program of somebody else's
    ],
)
def test_result_that_is_no_program(script: str, message: str, tmp_path: object) -> None:
    folder = str(tmp_path)
    out = os.path.join(folder, "prog")
    with pytest.raises(LinkError, match=message):
        linked(out, fake(folder, "ld.lld-wrong", LLD + OUT + script))
    assert os.listdir(folder) == ["ld.lld-wrong"]


# --version, -V of a chosen linker | target | why it is refused
UNFIT = """
GNU gold (GNU Binutils 2.40) 1.16     |           | linux/amd64   | gold leaves the frame maps out
mold 2.31.0 (compatible with GNU ld)  |           | linux/arm64   | mold does not read linker scripts
lld is a generic driver.              |           | linux/amd64   | LLD's common driver
gcc (Debian 12.2.0-14) 12.2.0         |           | linux/amd64   | a compiler driver cannot be used
true (GNU coreutils) 9.1              |           | linux/amd64   | no linker that is known to work
                                      |           | linux/amd64   | no linker that is known to work
GNU ld (GNU Binutils) 2.40            | elf_i386  | linux/amd64   | for other machines than linux/amd64
GNU ld (GNU Binutils) 2.40            | i386pep   | windows/amd64 | GNU ld cannot link for windows/amd64
Debian LLD 19.1.7 (compatible with GNU linkers) | | darwin/arm64  | for Linux, not for darwin/arm64
Debian LLD 19.1.7                     | ld64.lld  | linux/amd64   | for macOS, not for linux/amd64
Debian LLD 19.1.7                     | lld-link  | linux/amd64   | for Windows, not for linux/amd64
Debian LLD 19.1.7                     | wasm-ld   | linux/amd64   | for WebAssembly, not for linux/amd64
"""


@pytest.mark.parametrize("row", [r for r in UNFIT.split("\n") if r.strip()])
def test_linkers_that_cannot_be_used(row: str, tmp_path: object) -> None:
    version, second, target, why = (c.strip() for c in row.split("|"))
    name = second if "l" in second and "_" not in second else "some-ld"
    script = f'case $1 in --version) echo "{version}";; -V) echo "{version}"; echo " {second}";; *) exit 9;; esac'
    path = fake(str(tmp_path), name, script)
    with pytest.raises(LinkError) as caught:
        linked(os.path.join(str(tmp_path), "prog"), path, TARGETS[target])
    assert why in caught.value.message
    assert f"--linker={path}" in caught.value.message
    assert "apt-get install lld" in caught.value.message  # the way out
    assert os.listdir(str(tmp_path)) == [name]


@pytest.mark.parametrize(
    "script",
    [
        'mkdir -p "$out/deep"',  # a folder where the program should be
        'mkdir "$(dirname "$out")/more"; exit 5',  # and one beside it
        'rm -r "$(dirname "$out")"',
        'truncate -s 40G "$out"',  # more than memory holds
        "printf '\\033[2J\\007'; exit 6",  # what a terminal would obey
    ],
)
def test_odd_results(script: str, tmp_path: object) -> None:
    """One message, and nothing is left."""
    path = fake(str(tmp_path), "ld.lld-odd", LLD + OUT + "out=$2; " + script)
    with pytest.raises(LinkError) as caught:
        linked(os.path.join(str(tmp_path), "prog"), path)
    assert caught.value.told().replace("\n", " ").isprintable()
    assert os.listdir(str(tmp_path)) == ["ld.lld-odd"]


def test_a_tool_that_reads_gets_nothing(tmp_path: object) -> None:
    path = fake(str(tmp_path), "ld.lld-cat", LLD + "cat; exit 4")
    with pytest.raises(LinkError, match="exit status 4"):
        linked(os.path.join(str(tmp_path), "x"), path)


def test_not_executable_script(tmp_path: object) -> None:
    path = os.path.join(str(tmp_path), "ld.lld")
    with open(path, "wb") as fh:
        fh.write(b"\0")
    os.chmod(path, 0o755)
    with pytest.raises(LinkError):
        linked(os.path.join(str(tmp_path), "x"), path)


def test_which() -> None:
    assert which("sh")
    assert which("no-such-command-at-all") == ""
    assert which("/no/such/file") == ""


def test_targets_table() -> None:
    assert find_target("plan9/amd64") is None
    for t in TARGETS.values():
        assert t.linker in L._FAMILIES
        assert t.format in ("elf", "macho", "coff", "wasm")
        assert not t.script or os.path.isfile(L.script_path(t.script))
        if t.status == "ready":
            assert t.script
            assert load_target(t.arch).machine.name == t.arch
    assert "/" in host_target()


def test_target_without_linking(tmp_path: object) -> None:
    with pytest.raises(LinkError, match="not supported yet"):
        linked(os.path.join(str(tmp_path), "x"), "", TARGETS["windows/386"])
