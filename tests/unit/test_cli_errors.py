"""Bad input to the command line: one clear message, the documented exit status, no traceback, nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

HELLO = b'print("hello")\n'
FILES = {
    "hello.mochi": HELLO,
    ".mochi": HELLO,
    "imports.mochi": b'import "./pack" as p\nprint(p.x)\n',
    "pack.mochi": b"export let x = 1\n",
    "empty.mochi": b"",
    "comment.mochi": b"// nothing\n",
    "syntax.mochi": b"let x = = 1\n",
    "unclosed.mochi": b"fun f() {\n  print(1)\n",
    "string.mochi": b'print("abc\n',
    "type.mochi": b"print(nope)\n",
    "latin1.mochi": b'print("caf\xe9")\n',
    "utf16.mochi": 'print("x")\n'.encode("utf-16"),
    "nul.mochi": b"print(1)\0print(2)\n",
    "binary.mochi": bytes(range(256)) * 8,
    "deep.mochi": b"print(" + b"(" * 20000 + b"1" + b")" * 20000 + b")\n",
    "deeplist.mochi": b"let x = " + b"[" * 5000 + b"]" * 5000 + b"\n",
    "deepif.mochi": b"if true {\n" * 3000 + b"}\n" * 3000,
    "chain.mochi": b"print(1" + b" + 1" * 5000 + b")\n",
    "net.mochi": b'print(fetch "https://localhost/")\n',
    "bad.s": b"TEXT f(SB), 4, $0\n\tNOSUCH AX, BX\n\tRET\n",
    "good.s": b"TEXT f(SB), 4, $0\n\tRET\n",
    "not_an_object": b"plain text\n",
    "short.o": b"\x7fELF\x02\x01\x01",
}

# arguments | exit status | part of the message (empty: nothing on standard error at all)
TABLE = """
build                                       | 2  | Missing argument
build missing.mochi                         | 2  | mochi: missing.mochi: No such file or directory
build folder                                | 2  | mochi: folder: is a directory
build folder/missing.mochi                  | 2  | No such file or directory
build -l surely_no_such hello.mochi         | 1  | cannot find the C library
build --https=yes -target=darwin/arm64 net.mochi | 2 | have no TLS yet
build hello.mochi/x.mochi                   | 2  | Not a directory
build hello.mochi extra                     | 2  | unexpected extra argument
build --nonsense hello.mochi                | 2  | No such option
build -O7 hello.mochi                       | 2  | the optimisation level is 0, 1 or 2
build --emit=nothing hello.mochi            | 2  | 'nothing' is not one of
build -target=plan9/vax hello.mochi         | 2  | unknown target `plan9/vax`
build --target plan9/vax hello.mochi        | 2  | unknown target `plan9/vax`
build -target= hello.mochi                  | 2  | unknown target
build -target=linux/s390x hello.mochi       | 2  | target linux/s390x is not supported yet
build -target=linux/riscv64 -march=rv32i hello.mochi         | 2 | unknown ISA rv32i; known: rv64g, rv64gc, rva20u64
build -target=linux/riscv64 -march=rv64gc_zbx hello.mochi    | 2 | unknown ISA rv64gc_zbx
build -target=linux/arm64 -march=armv9 hello.mochi           | 2 | arm64 has no -march=armv9
build -march v3 hello.mochi                                  | 2 | amd64 has no -march=v3
build -branch-protection=bti hello.mochi                     | 2 | amd64 has no -branch-protection=bti; arm64 has
build -target=darwin/arm64 -branch-protection=bti hello.mochi | 2 | -branch-protection is not supported for darwin/arm64
build -target=linux/riscv64 -branch-protection=standard hello.mochi | 2 | riscv64 has no -branch-protection
build -target=linux/arm64 -branch-protection=all hello.mochi | 2 | 'all' is not one of 'none', 'bti'
build -target=linux/riscv64 -march=rv64g_zba --emit=asm hello.mochi | 0 |
build -target=linux/arm64 -branch-protection=standard --emit=asm hello.mochi | 0 |
run -target=plan9/vax hello.mochi           | 2  | unknown target `plan9/vax`
run -target=linux/s390x hello.mochi         | 2  | target linux/s390x is not supported yet
run -target=linux/riscv64 -march=rv32i hello.mochi | 2 | unknown ISA rv32i
run -target=linux/arm64 missing.mochi       | 2  | missing.mochi
test -target=plan9/vax hello.mochi          | 2  | unknown target `plan9/vax`
test -target=windows/386 hello.mochi        | 2  | target windows/386 is not supported yet
asm -arch=riscv64 -march=rv32i good.s       | 2  | unknown ISA rv32i
nonsense                                    | 2  | No such command
build empty.mochi -o e                      | 0  |
build comment.mochi -o c                    | 0  |
build syntax.mochi                          | 1  | syntax.mochi:1:9
build unclosed.mochi                        | 1  | unclosed.mochi
build string.mochi                          | 1  | unterminated string literal
build type.mochi                            | 1  | undefined variable: nope
build latin1.mochi                          | 1  | latin1.mochi:1:
build utf16.mochi                           | 1  | utf16.mochi:1:1
build nul.mochi                             | 1  | nul.mochi:1:9
build binary.mochi                          | 1  | binary.mochi
build deep.mochi                            | 1  | nested too deeply
build deeplist.mochi                        | 1  | nested too deeply
build deepif.mochi                          | 1  | nested too deeply
build --https=no net.mochi                  | 1  | error[M014]
check type.mochi syntax.mochi               | 1  | undefined variable: nope
check missing.mochi                         | 2  | missing.mochi
check hello.mochi                           | 0  |
run missing.mochi                           | 2  | missing.mochi
run type.mochi                              | 1  | undefined variable: nope
test missing.mochi                          | 2  | missing.mochi
test type.mochi                             | 1  | undefined variable: nope
build -o folder hello.mochi                 | 0  |
build -o folder/ hello.mochi                | 0  |
build -o new/ hello.mochi                   | 0  |
build -o hello.mochi hello.mochi            | 2  | hello.mochi is an input of this build
build -o ./folder/../hello.mochi hello.mochi | 2 | is an input of this build
build --emit=obj -o hello.mochi hello.mochi | 2  | is an input of this build
build --emit=ir -o hello.mochi hello.mochi  | 2  | is an input of this build
build --emit=ast -o hello.mochi hello.mochi | 2  | is an input of this build
build -target=darwin/universal -o hello.mochi hello.mochi | 2 | is an input of this build
build -o - hello.mochi                      | 2  | nothing is written to standard output with -o
build -o pipe hello.mochi                   | 2  | pipe is a pipe and is not replaced
build --emit=obj -o pipe hello.mochi        | 2  | pipe is a pipe and is not replaced
build --emit=ir -o pipe hello.mochi         | 2  | pipe is a pipe and is not replaced
build --emit=types -o pack.mochi imports.mochi | 2 | pack.mochi is an input of this build
build .mochi                                | 2  | .mochi gives the program no name; give it one with -o
build -target=linux/amd64, .mochi           | 2  | .mochi gives the archives no name
build -o hello.mochi/ hello.mochi           | 3  | cannot write hello.mochi/: Not a directory
build -o loop hello.mochi                   | 3  | cannot write
build -target=linux/amd64,linux/arm64 -o hello.mochi hello.mochi | 2 | hello.mochi is not a folder
asm -arch=amd64 -o good.s good.s            | 2  | good.s is an input of this build
build -o nowhere/out hello.mochi            | 3  | cannot write
build -o hello.mochi/out hello.mochi        | 3  | cannot write
build -o /proc/nothing hello.mochi          | 3  | cannot write
build /proc/self/mem                        | 2  | Input/output error
build --emit=obj -o folder hello.mochi      | 0  |
build --emit=asm -o folder hello.mochi      | 0  |
build --emit=ir -o nowhere/x hello.mochi    | 3  | cannot write nowhere/x
build --linker=missing hello.mochi          | 3  | --linker=missing: no such linker
build --linker=/bin/false hello.mochi       | 3  | --linker=/bin/false: it is no linker that is known to work
build --linker=/bin/true hello.mochi        | 3  | --linker=/bin/true: it is no linker that is known to work
asm -arch=vax good.s                        | 2  | vax
asm -arch=amd64 missing.s                   | 2  | missing.s
asm -arch=amd64 bad.s                       | 1  | bad.s:2
asm -arch=amd64                             | 2  | asm needs a FILE.s
inspect missing                             | 2  | missing
inspect not_an_object                       | 2  | not_an_object
inspect short.o                             | 2  | short.o
explain XYZZY                               | 1  | no diagnostic has the code
"""


@pytest.fixture
def folder(tmp_path: os.PathLike[str]) -> str:
    for name, data in FILES.items():
        with open(os.path.join(tmp_path, name), "wb") as f:
            f.write(data)
    os.mkdir(os.path.join(tmp_path, "folder"))
    os.mkfifo(os.path.join(tmp_path, "pipe"))
    os.symlink("loop", os.path.join(tmp_path, "loop"))
    return str(tmp_path)


def mochi(args: list[str], cwd: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "mochic", *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": ROOT, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )


def check(done: subprocess.CompletedProcess[bytes], status: int, message: str) -> None:
    err = done.stderr.decode("utf-8", "replace")
    assert "Traceback" not in err
    assert "internal error" not in err
    assert done.returncode == status, err[:2000]
    if message:
        assert message in err
    else:
        assert err == ""


@pytest.mark.parametrize("row", [r for r in TABLE.split("\n") if r.strip()])
def test_command(row: str, folder: str) -> None:
    args, status, message = (c.strip() for c in row.split("|"))
    before = sorted(os.listdir(folder))
    check(mochi(args.split(), folder), int(status), message)
    if status != "0":
        assert sorted(os.listdir(folder)) == before  # nothing was left behind


def test_long_expression(folder: str) -> None:
    """Length, unlike depth, is no reason to refuse."""
    check(mochi(["build", "-o", "chain", "chain.mochi"], folder), 0, "")
    run = subprocess.run([os.path.join(folder, "chain")], capture_output=True, check=True)
    assert run.stdout == b"5001\n"


@pytest.mark.parametrize("command", ["run", "test"])
@pytest.mark.parametrize(("target", "runner"), [("linux/arm64", "qemu-aarch64"), ("linux/riscv64", "qemu-riscv64")])
def test_no_runner(command: str, target: str, runner: str, folder: str) -> None:
    done = mochi([command, f"-target={target}", "hello.mochi"], folder, PATH=os.path.join(folder, "folder"))
    check(done, 3, f"nothing here runs programs for {target}; install {runner} with `apt-get install qemu-user-static`")


@pytest.mark.parametrize("variable", ["PATH", "MOCHI_LINKER"])
def test_no_linker(variable: str, folder: str) -> None:
    env = {"PATH": {"PATH": os.path.join(folder, "folder")}, "MOCHI_LINKER": {"MOCHI_LINKER": "missing"}}[variable]
    # -S: without site-packages, where a ziglang wheel may be; click is found through PYTHONPATH
    import click

    site = os.path.join(folder, "site")
    os.mkdir(site)
    os.symlink(os.path.dirname(os.path.abspath(click.__file__)), os.path.join(site, "click"))
    done = subprocess.run(
        [sys.executable, "-S", "-m", "mochic", "build", "hello.mochi"],
        cwd=folder,
        env={**os.environ, **env, "PYTHONPATH": ROOT + os.pathsep + site},
        capture_output=True,
        timeout=120,
        check=False,
    )
    check(done, 3, "linker")
    assert b"apt-get install lld" in done.stderr
    assert not os.path.exists(os.path.join(folder, "hello"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read and write everything")
def test_permissions(folder: str) -> None:
    os.chmod(os.path.join(folder, "hello.mochi"), 0)
    check(mochi(["build", "hello.mochi"], folder), 2, "Permission denied")
    os.chmod(os.path.join(folder, "hello.mochi"), 0o644)
    os.chmod(folder, 0o555)
    check(mochi(["build", "hello.mochi"], folder), 3, "cannot write")
    os.chmod(folder, 0o755)


def test_failed_build_keeps_the_old_output(folder: str) -> None:
    out = os.path.join(folder, "hello")
    with open(out, "wb") as f:
        f.write(b"old")
    check(mochi(["build", "-o", "hello", "--linker=/bin/false", "hello.mochi"], folder), 3, "no linker")
    check(mochi(["build", "-o", "hello", "type.mochi"], folder), 1, "undefined")
    with open(out, "rb") as f:
        assert f.read() == b"old"


# Jobs of a shell in the background, which tests may be, start with interrupts ignored.
INTERRUPTIBLE = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("mochic", run_name="__main__")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_build(number: int, folder: str) -> None:
    """A linker that hangs, and a user who gives up: no output, no leftovers."""
    slow = os.path.join(folder, "slow-ld")
    started = os.path.join(folder, "started")
    with open(slow, "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\n: > {started}\nexec sleep 60\n")
    os.chmod(slow, 0o755)
    before = sorted(os.listdir(folder))
    p = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "build", "--linker=" + slow, "-o", "out", "hello.mochi"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ROOT},
        stderr=subprocess.PIPE,
    )
    assert p.stderr is not None
    for _ in range(600):
        if os.path.exists(started):
            break
        time.sleep(0.05)
    p.send_signal(number)
    err = p.stderr.read()
    p.stderr.close()
    assert p.wait(timeout=60) in (128 + number, -number)
    assert b"Traceback" not in err
    os.unlink(started)
    assert sorted(os.listdir(folder)) == before


def test_closed_pipe(folder: str) -> None:
    """`mochi targets | head -1` is not an error."""
    p = subprocess.Popen(
        [sys.executable, "-m", "mochic", "build", "--emit=ir", "hello.mochi"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ROOT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert p.stdout is not None and p.stderr is not None
    p.stdout.close()
    err = p.stderr.read()
    p.stderr.close()
    p.wait(timeout=60)
    assert b"Traceback" not in err and b"Exception ignored" not in err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_full_disk(folder: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mochic", "build", "--emit=ir", "hello.mochi"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": ROOT},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr == b"mochi: cannot write to standard output: No space left on device\n"
