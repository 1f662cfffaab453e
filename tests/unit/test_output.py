"""Where results go: what `-o` means, what is never replaced, and that nothing half written is seen."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from mochic.console import UserError
from mochic.output import Workplace, is_null, place, write_output

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NULL = (1, 3)  # major and minor number of the null device of Linux


@pytest.fixture
def here(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    os.mkdir("folder")
    os.mkdir("hello")
    os.makedirs("deep/hello")
    with open("hello.mochi", "w", encoding="utf-8") as f:
        f.write("print(1)\n")
    os.symlink("hello.mochi", "link.mochi")
    os.link("hello.mochi", "hard")
    os.symlink("folder/made", "away")
    os.mkfifo("pipe")
    return str(tmp_path)


def null(path: str) -> str:
    """A null device of our own: no mistake here may reach the machine's."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(*NULL))
    except (OSError, AttributeError):
        pytest.skip("makes no devices")
    return path


# -o, the default name -> the place, or part of the message
PLACES = [
    ("", "prog", "prog"),
    ("x", "prog", "x"),
    ("folder", "prog", "folder/prog"),
    ("folder/", "prog", "folder/prog"),
    ("new/", "prog", "new/prog"),
    ("", "hello", "hello/hello"),
    ("deep", "hello", "deep/hello: it is a directory"),
    ("-", "prog", "nothing is written to standard output"),
    ("pipe", "prog", "pipe is a pipe"),
    ("hello.mochi", "prog", "is an input of this build"),
    ("./folder/../hello.mochi", "prog", "is an input of this build"),
    ("link.mochi", "prog", "is an input of this build"),
    ("hard", "prog", "is an input of this build"),
    ("", "hello.mochi", "is an input of this build"),
    ("hello.mochi/x", "prog", "cannot write"),
]


@pytest.mark.parametrize(("out", "default", "expected"), PLACES)
def test_place(out: str, default: str, expected: str, here: str) -> None:
    try:
        got = place(out, default, ["hello.mochi"])
    except UserError as e:
        assert expected in e.message
    else:
        assert got == expected


def test_symbolic_link_is_followed(here: str) -> None:
    write_output(place("away", "prog", []), b"new")
    assert os.readlink("away") == "folder/made"
    with open("folder/made", "rb") as f:
        assert f.read() == b"new"


def test_null_device_stays(here: str) -> None:
    path = null("null")
    os.symlink("null", "other")
    assert is_null(path) and is_null("other") and not is_null("hello.mochi")
    for name in (path, "other"):
        write_output(place(name, "prog", []), b"gone")
        assert stat.S_ISCHR(os.stat(path).st_mode) and os.path.islink("other")
    argv = [sys.executable, "-P", "-m", "mochic", "build", "-o", path, "hello.mochi"]
    done = subprocess.run(argv, capture_output=True, env={**os.environ, "PYTHONPATH": ROOT}, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert stat.S_ISCHR(os.stat(path).st_mode)


def test_other_devices_are_refused(here: str) -> None:
    null("full")
    os.unlink("full")
    os.mknod("full", stat.S_IFCHR | 0o666, os.makedev(1, 7))
    with pytest.raises(UserError, match="full is a device and is not replaced"):
        place("full", "prog", [])


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_permissions_follow_the_umask(umask: int, here: str) -> None:
    before = os.umask(umask)
    try:
        write_output("plain", b"")
        write_output("program", b"", 0o777)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat("plain").st_mode) == 0o666 & ~umask
    assert stat.S_IMODE(os.stat("program").st_mode) == 0o777 & ~umask


def test_interrupted_work_leaves_the_old_file(here: str) -> None:
    write_output("x", b"old")
    before = sorted(os.listdir("."))
    with pytest.raises(KeyboardInterrupt), Workplace("x") as work:
        work.write("result", b"new")
        raise KeyboardInterrupt
    with open("x", "rb") as f:
        assert f.read() == b"old"
    assert sorted(os.listdir(".")) == before


def test_names_of_any_length(here: str) -> None:
    name = "n" * 250
    write_output(name, b"x")
    assert os.path.getsize(name) == 1


def test_leftovers_of_a_killed_build_are_in_nobodys_way(here: str) -> None:
    os.mkdir(f".mochi-{os.getpid()}")
    write_output("x", b"x")
    assert os.path.getsize("x") == 1
