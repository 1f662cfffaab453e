"""Sources that are read once, standard streams that are closed or full, names and locales that are not UTF-8."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEST = 'test "t" { expect 1 == 2 }\n'
ODD = os.fsdecode(b"\xff\xfe.mochi")


@pytest.fixture
def here(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    with open("hello.mochi", "w", encoding="utf-8") as f:
        f.write('print("hello")\n')
    return str(tmp_path)


def shell(words: str, text: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """A command of the shell, in which $M is mochi."""
    return subprocess.run(
        ["sh", "-c", words.replace("$M", f"{sys.executable} -P -m mochic")],
        env={**os.environ, "PYTHONPATH": ROOT, **env},
        input=text,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "text", "status", "out"),
    [
        ("$M run /dev/stdin", 'print("once")\n', 0, "once\n"),
        ("mkfifo p; echo 'print(5)' > p & $M run p", "", 0, "5\n"),
        ("$M test /dev/stdin | grep -c fail", TEST, 0, "1\n"),
        (
            "$M build -o x -target=linux/amd64, /dev/stdin && tar xzOf x/*.gz | grep -c only",
            'print("only")\n',
            0,
            "1\n",
        ),
        ("$M build -", "", 2, ""),
    ],
)
def test_read_once(words: str, text: str, status: int, out: str, here: str) -> None:
    done = shell(words, text)
    assert (done.returncode, done.stdout) == (status, out), done.stderr
    assert status == 0 or "write /dev/stdin for standard input" in done.stderr


NOWHERE = "mochi: cannot write to standard output"


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("$M build hello.mochi >&- && ./hello", 0, ""),
        ("$M build --emit=asm hello.mochi >&-", 3, NOWHERE),
        ("$M build --emit=asm hello.mochi > /dev/full", 3, NOWHERE),
        ("$M explain T002 >&-", 3, NOWHERE),
        ("$M --help > /dev/full", 3, NOWHERE),
        ("$M --version > /dev/full", 3, NOWHERE),
        ("$M inspect /bin/sh > /dev/full", 3, NOWHERE),
        ("$M asm -arch amd64 --lines <&-", 0, ""),
        ("$M run hello.mochi 2>&-", 0, ""),
        ("$M run hello.mochi <&-", 0, ""),
        ("$M build -target=linux/amd64, hello.mochi 2> /dev/full", 0, ""),
        ("$M build -target=linux/amd64, hello.mochi <&- >&- 2>&-", 0, ""),
        ("$M build nothing.mochi 2> /dev/full", 2, ""),
        ("$M build nothing.mochi 2>&-", 2, ""),
    ],
)
def test_streams(words: str, status: int, message: str, here: str) -> None:
    done = shell(words)
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith(message)
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="asks Linux")
def test_programs_ignore_no_signals(here: str) -> None:
    """What Python ignores is not passed on: a program behaves as when it is started by itself."""
    with open("signals.mochi", "w", encoding="utf-8") as f:
        f.write('for line in split(readFile("/proc/self/status"), "\\n") { if "SigIgn" in line { print(line) } }\n')
    done = shell("$M run signals.mochi; $M build -o signals signals.mochi; ./signals")
    through_run, alone = done.stdout.splitlines()
    assert through_run == alone, done.stderr


def test_texts_are_utf8_in_any_locale(here: str) -> None:
    """The middle dot of symbols, and a name that the locale cannot say."""
    done = shell("$M build --emit=asm hello.mochi", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0 and "mochi·main" in done.stdout
    os.rename("hello.mochi", "é.mochi")
    done = shell("echo 'nope()' >> é.mochi; $M check é.mochi", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 1 and "--> é.mochi:2:1" in done.stderr


@pytest.mark.parametrize("command", [["run"], ["test"], ["build", "-target=linux/amd64,windows/amd64"]])
def test_names_of_any_bytes(command: list[str], here: str) -> None:
    os.rename("hello.mochi", ODD)
    env = {**os.environ, "PYTHONPATH": ROOT}
    done = subprocess.run(
        [sys.executable, "-m", "mochic", *command, ODD], env=env, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    if command[0] == "build":
        sums = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd="dist", capture_output=True, check=True)
        assert sums.stdout.count(b"OK") == 2


def test_own_packages(here: str) -> None:
    """A project's folder on PYTHONPATH may have packages of the names of ours."""
    for name in ("backend", "objwriter", "linkscripts"):
        os.makedirs(f"project/{name}")
        with open(f"project/{name}/__init__.py", "w", encoding="utf-8") as f:
            f.write("raise SystemExit('the project runs')\n")
    done = shell("$M build hello.mochi && ./hello", PYTHONPATH=f"{here}/project{os.pathsep}{ROOT}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
