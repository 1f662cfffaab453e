"""Linker discovery in its documented order, and what happens when linking fails."""

from __future__ import annotations

import os
import sys

import pytest

from mochic.codegen.targets import load_machine
from mochic.link import linker as L
from mochic.link.linker import LinkError, find_linker, link, link_command, which
from mochic.targets import TARGETS, find_target, host_target

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
ld.lld mold               | mold     |           | error: mold does not read linker scripts
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


def test_failure_leaves_nothing(tmp_path: object) -> None:
    folder = str(tmp_path)
    out = os.path.join(folder, "prog")
    bad = fake(folder, "ld.lld-bad", "echo 'ld: undefined symbol: x' >&2; exit 1")
    with pytest.raises(LinkError) as caught:
        link(TARGET, ["a.o"], out, bad)
    assert "exit status 1" in caught.value.message
    assert "undefined symbol: x" in caught.value.detail
    silent = fake(folder, "ld.lld-silent")
    with pytest.raises(LinkError, match="wrote nothing"):
        link(TARGET, ["a.o"], out, silent)
    killed = fake(folder, "ld.lld-killed", "kill -9 $$")
    with pytest.raises(LinkError, match="signal 9"):
        link(TARGET, ["a.o"], out, killed)
    assert sorted(os.listdir(folder)) == ["ld.lld-bad", "ld.lld-killed", "ld.lld-silent"]


def test_success_replaces_the_output(tmp_path: object) -> None:
    folder = str(tmp_path)
    out = os.path.join(folder, "prog")
    with open(out, "w", encoding="utf-8") as fh:
        fh.write("old")
    good = fake(folder, "ld.lld-good", 'while [ "$1" != -o ]; do shift; done; echo new > "$2"')
    link(TARGET, ["a.o"], out, good)
    with open(out, encoding="utf-8") as fh:
        assert fh.read() == "new\n"
    assert sorted(os.listdir(folder)) == ["ld.lld-good", "prog"]


def test_not_executable_script(tmp_path: object) -> None:
    path = os.path.join(str(tmp_path), "ld.lld")
    with open(path, "wb") as fh:
        fh.write(b"\0")
    os.chmod(path, 0o755)
    with pytest.raises(LinkError):
        link(TARGET, ["a.o"], os.path.join(str(tmp_path), "x"), path)


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
            assert load_machine(t.arch).name == t.arch
    assert "/" in host_target()


def test_target_without_linking(tmp_path: object) -> None:
    with pytest.raises(LinkError, match="not supported yet"):
        link(TARGETS["windows/386"], ["a.o"], os.path.join(str(tmp_path), "x"))
