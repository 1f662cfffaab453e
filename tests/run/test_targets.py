"""A program for each ready target from outside: headers, signals, protection of branches, `mochi run`."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_run import EMULATED, READY, REASONS

from building import build_program, write_source
from selecting import here, slow_unless
from mochic.link.runner import command_for
from mochic.targets import TARGETS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HELLO = os.path.join(ROOT, "examples", "hello.mochi")
GNU_LINKERS = {
    "linux/amd64": "x86_64-linux-gnu-ld",
    "linux/arm64": "aarch64-linux-gnu-ld",
    "linux/riscv64": "riscv64-linux-gnu-ld",
}
LINKERS = [(t, "") for t in READY] + list(GNU_LINKERS.items())


def need(target: str, linker: str = "") -> None:
    if REASONS.get(target, ""):
        pytest.skip(REASONS[target])
    if linker and not shutil.which(linker):
        pytest.skip(f"{linker} is not installed")


def run(target: str, exe: str, *options: str, text: bytes = b"") -> tuple[int, str, str]:
    """Exit status (negative: signal), output, standard error."""
    command = command_for(TARGETS[target])
    done = subprocess.run(
        [*command, *(options if command else ()), exe],
        input=text,
        capture_output=True,
        env={**os.environ, **EMULATED},
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


# What readelf says about a program, beside what is the same for all: machine, flags, alignment of segments.
HEADERS = {
    "linux/amd64": ("Advanced Micro Devices X86-64", "0x0", 0x1000),
    "linux/arm64": ("AArch64", "0x0", 0x10000),
    "linux/riscv64": ("RISC-V", "0x5, RVC, double-float ABI", 0x1000),
}


def headers(exe: str) -> dict[str, str]:
    """The fields of the ELF header as readelf writes them; it must have nothing to complain about in the whole file."""
    everything = subprocess.run(["readelf", "-aW", exe], capture_output=True, text=True, check=True)
    assert everything.stderr == ""
    assert "arning" not in everything.stdout
    rows = [line.partition(":") for line in everything.stdout.split("\n\n")[0].splitlines()]
    return {name.strip(): value.strip() for name, _, value in rows}


def segments(exe: str) -> list[tuple[str, str, int]]:
    """Type, flags and alignment of each program header."""
    text = subprocess.run(["readelf", "-lW", exe], capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^  ([A-Z_]+) +0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ (...) (\w+)$", text, re.MULTILINE)
    return [(kind, flags.replace(" ", ""), int(align, 16)) for kind, flags, align in rows]


@pytest.mark.parametrize(("target", "linker"), LINKERS)
def test_headers(target: str, linker: str, tmp_path: Path) -> None:
    need(target, linker)
    if not shutil.which("readelf"):
        pytest.skip("readelf is not installed")
    machine, flags, align = HEADERS[target]
    exe = build_program(HELLO, target, out=tmp_path / "hello", linker=linker)
    assert run(target, exe)[:2] == (0, "Hello, world!\n")
    header = headers(exe)
    assert header["Type"] == "EXEC (Executable file)"
    assert header["Class"] == "ELF64"
    assert (header["Machine"], header["Flags"]) == (machine, flags)
    found = segments(exe)
    assert [(kind, f) for kind, f, _ in found if kind == "LOAD"] == [("LOAD", "R"), ("LOAD", "RE"), ("LOAD", "RW")]
    assert [(kind, f) for kind, f, _ in found if kind == "GNU_STACK"] == [("GNU_STACK", "RW")]
    assert {a for kind, _, a in found if kind == "LOAD"} == {align}
    assert os.path.getsize(exe) < 38 << 10
    names = subprocess.run(["readelf", "-sW", exe], capture_output=True, text=True, check=True).stdout
    assert "mochi.main" in names
    assert " .L" not in names  # the labels that relocations of riscv64 need


@pytest.mark.slow
@pytest.mark.parametrize(
    ("march", "flags"), [("rv64g", "0x4, double-float ABI"), ("rva22u64", HEADERS["linux/riscv64"][1])]
)
def test_flags_follow_the_instruction_set(march: str, flags: str, tmp_path: Path) -> None:
    need("linux/riscv64")
    if not shutil.which("readelf"):
        pytest.skip("readelf is not installed")
    exe = build_program(HELLO, "linux/riscv64", out=tmp_path / "hello", march=march)
    assert headers(exe)["Flags"] == flags


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL])
@pytest.mark.parametrize("target", slow_unless(here, READY))
def test_fatal_signals(target: str, number: int, tmp_path: Path) -> None:
    """A fault that is no stack overflow: what was printed comes out, then a message, exit status 1."""
    need(target)
    exe = build_program(write_source('print("before")\nlet line = input()\nprint("after", line)\n', tmp_path), target)
    with subprocess.Popen(
        [*command_for(TARGETS[target]), exe],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **EMULATED},
    ) as p:
        for _ in range(200):  # until it waits for its input
            with open(f"/proc/{p.pid}/stat", encoding="ascii") as f:
                if f.read().rpartition(")")[2].split()[0] == "S":
                    break
            time.sleep(0.01)
        time.sleep(0.1)
        p.send_signal(number)
        try:
            out, err = p.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            p.kill()
            raise
    assert (p.returncode, out) == (1, b"before\n")
    message, _, trace = err.decode().partition("\n")
    assert message == "internal error: the program made an invalid memory access"
    assert trace == "call graph: main\nstack trace:\n  main at program.mochi:2\n"


CALLS = """
fun twice(f: fun(int): int, x: int): int { return f(f(x)) }
fun adder(n: int): fun(int): int { return fun(x: int): int => x + n }
print(twice(adder(20), 2))
"""
BTI_C, NOP, AUTIASP = (bytes.fromhex(x) for x in ("5f2403d5", "1f2003d5", "bf2303d5"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("protection", "properties", "taken", "status"),
    [
        ("none", "", b"", 0),
        ("bti", "BTI", b"", 0),
        ("bti", "BTI", BTI_C, -signal.SIGILL),
        ("pac-ret", "PAC", b"", 0),
        ("pac-ret", "PAC", AUTIASP, -signal.SIGSEGV),
        ("standard", "BTI, PAC", b"", 0),
    ],
)
@pytest.mark.parametrize("linker", ["", "aarch64-linux-gnu-ld"])
def test_branch_protection(
    protection: str, properties: str, taken: bytes, status: int, linker: str, tmp_path: Path
) -> None:
    """It is announced, and it is there: without the landing pads of functions, or with returns to signed addresses, the
    same program dies."""
    need("linux/arm64", linker)
    exe = build_program(write_source(CALLS, tmp_path), "linux/arm64", linker=linker, protection=protection)
    notes = subprocess.run(["readelf", "-nW", exe], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"AArch64 feature: (.*)", notes) == ([properties] if properties else [])
    assert ("GNU_PROPERTY" in [kind for kind, _, _ in segments(exe)]) == bool(properties)
    with open(exe, "rb") as f:
        data = f.read()
    if taken:
        assert taken in data
        with open(exe, "wb") as f:
            f.write(data.replace(taken, NOP))
    got = run("linux/arm64", exe, "-cpu", "max")
    if status == 0:
        assert got == (0, "42\n", "")
        assert run("linux/arm64", exe, "-cpu", "cortex-a53") == got  # older: all of it is no operation
    else:
        # The handler of the fault may be without its landing pad too.
        assert got[0] in (status, -signal.SIGSEGV, 1)
        assert got[1] == ""


@pytest.mark.parametrize("target", slow_unless(here, READY))
def test_run_command(target: str, tmp_path: Path) -> None:
    need(target)
    path = write_source('print("line", input())\n', tmp_path)

    def mochi(*args: str) -> tuple[int, bytes, bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "mochic", *args],
            env={**os.environ, **EMULATED, "PYTHONPATH": ROOT},
            input=b"7\n",
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    assert mochi("run", f"-target={target}", path) == (0, b"line 7\n", b"")
    write_source('test "sum" { expect 1 + 1 == 2 }\ntest "bad" { expect 1 == 2 }\n', tmp_path)
    status, out, err = mochi("test", "-target", target, path)
    assert status == 1
    assert b"test sum " in out
    assert b"... ok (" in out
    assert b"test bad" in out
    assert b"... fail " in out
    assert err == b"test failed: 1 test(s) failed\n"
    found = mochi("doctor")
    assert found[0] == 0
    row = next(line for line in found[1].decode().splitlines() if line.startswith(target))
    assert "linked by " in row
    assert "; run " in row
