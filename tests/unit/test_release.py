"""Release sets: `-target=` with several targets, archives, sums; universal files."""

from __future__ import annotations

import gc
import hashlib
import io
import os
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from mochic.console import UserError
from mochic.link.linker import find_linker
from mochic.link.tools import LinkError
from mochic.options import Options
from mochic.release import targets_of
from mochic.release import release as release_set
from mochic.targets import TARGETS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIST = "linux/amd64,windows/amd64,darwin/universal"
PROGRAM = 'print("hello")\n'


def need_linkers() -> None:
    for name in ("linux/amd64", "windows/amd64", "darwin/arm64"):
        try:
            find_linker(TARGETS[name])
        except LinkError as e:
            pytest.skip(e.message)


def release(folder: str, target: str, out: str, text: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    with open(os.path.join(folder, "hello.mochi"), "w", encoding="utf-8") as f:
        f.write(text)
    argv = [sys.executable, "-m", "mochic", "build", f"-target={target}", *(["-o", out] if out else []), "hello.mochi"]
    env = {**os.environ, "PYTHONPATH": ROOT}
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, env=env, check=False)


@pytest.mark.slow
def test_set(tmp_path: os.PathLike[str]) -> None:
    need_linkers()
    found: list[dict[str, bytes]] = []
    for name, out in (("a", ""), ("another folder", "release")):
        folder = os.path.join(tmp_path, name)
        os.mkdir(folder)
        done = release(folder, LIST, out)
        assert done.returncode == 0, done.stderr
        assert [line.split()[1] for line in sorted(done.stderr.splitlines(), key=str.split)] and "[3/3]" in done.stderr
        place = os.path.join(folder, out or "dist")
        files = {}
        for file in sorted(os.listdir(place)):
            with open(os.path.join(place, file), "rb") as f:
                files[file] = f.read()
        found.append(files)
        assert sorted(os.listdir(folder)) == sorted(["hello.mochi", out or "dist"])
    files = found[0]
    assert files == found[1]
    names = ["hello-darwin-universal.tar.gz", "hello-linux-amd64.tar.gz", "hello-windows-amd64.zip"]
    assert sorted(files) == ["SHA256SUMS", *names]
    sums = "".join(f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in names)
    assert files["SHA256SUMS"].decode() == sums
    with tarfile.open(fileobj=io.BytesIO(files[names[0]])) as tar:
        (member,) = tar.getmembers()
        assert (member.name, member.mode, member.mtime, member.uid) == ("hello-darwin-universal/hello", 0o755, 0, 0)
        stream = tar.extractfile(member)
        assert stream is not None
        assert struct.unpack(">2I", stream.read(8)) == (0xCAFEBABE, 2)
    with zipfile.ZipFile(io.BytesIO(files[names[2]])) as zipped:
        assert zipped.namelist() == ["hello-windows-amd64/hello.exe"]
        assert zipped.read(zipped.namelist()[0])[:2] == b"MZ"


@pytest.mark.slow
def test_universal(tmp_path: os.PathLike[str]) -> None:
    need_linkers()
    folder = str(tmp_path)
    done = release(folder, "darwin/universal", "program")
    assert (done.returncode, done.stderr) == (0, "")
    with open(os.path.join(folder, "program"), "rb") as f:
        header = struct.unpack(">7I", f.read(28))
    assert header[:3] == (0xCAFEBABE, 2, 0x1000007)
    assert os.access(os.path.join(folder, "program"), os.X_OK)


def test_errors_are_told_once(tmp_path: os.PathLike[str]) -> None:
    done = release(str(tmp_path), "all", "", "let x: int = true\n")
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert os.listdir(tmp_path) == ["hello.mochi"]


def test_names() -> None:
    ready = [n for n, t in TARGETS.items() if t.status == "ready"]
    assert targets_of("all") == ready
    assert targets_of("darwin/arm64, linux/amd64,darwin/arm64,") == ["darwin/arm64", "linux/amd64"]
    for text, message in (
        (",", "names no target"),
        ("linux/amd64,linux/vax", "is unknown"),
        ("linux/386,all", "not supp"),
    ):
        with pytest.raises(UserError, match=message):
            targets_of(text)


def test_emit_needs_one_target() -> None:
    opt = Options("all")
    opt.emit = "asm"
    try:
        with pytest.raises(UserError, match="needs one target"):
            release_set("x.mochi", opt)
    finally:
        gc.enable()


# Another machine, as far as one can be: folder, spelling of the path, permissions, time, language, home, cache, hashes.
# The clock is another one for all of Python; linkers are told nothing of the time.
CLOCK = """import time
_real = time.time
time.time = lambda: _real() + 3 * 365 * 86400
time.time_ns = lambda: int(time.time() * 1e9)
"""
WORLDS: list[dict[str, str]] = [
    {},
    {
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
        "LANG": "C",
        "PYTHONHASHSEED": "777",
        "SOURCE_DATE_EPOCH": "1",
        "PYTHONUTF8": "0",
    },
]
SAME = os.environ.get("MOCHI_SAME_TARGETS", "linux/riscv64,darwin/universal,windows/amd64")


@pytest.mark.slow
def test_same_bytes_from_anywhere(tmp_path: os.PathLike[str]) -> None:
    need_linkers()
    text = 'import "./parts" as parts\nlet xs = [3, 1, 2]\nprint(parts.twice(len(xs)), {"ü": xs}, "fails:", xs[7])\n'
    sums = []
    for i, world in enumerate(WORLDS):
        folder = os.path.join(tmp_path, ("here", "another place/deep")[i])
        os.makedirs(os.path.join(folder, "src"))
        for name, content in (("p.mochi", text), ("parts.mochi", "export fun twice(n: int): int { return n * 2 }\n")):
            with open(os.path.join(folder, "src", name), "w", encoding="utf-8") as f:
                f.write(content)
        site = os.path.join(folder, "site")
        os.mkdir(site)
        env = {**os.environ, **world, "PYTHONPATH": ROOT}
        if i:
            with open(os.path.join(site, "sitecustomize.py"), "w", encoding="utf-8") as f:
                f.write(CLOCK)
            env |= {"HOME": folder, "MOCHI_CACHE": os.path.join(folder, "cache")}
            env["PYTHONPATH"] = site + os.pathsep + ROOT
        where, path = ((folder, "src/p.mochi"), (os.path.join(folder, "src"), "./p.mochi"))[i]
        done = subprocess.run(
            [sys.executable, "-m", "mochic", "build", f"-target={SAME}", "-o", os.path.join(folder, "out"), path],
            cwd=where, env=env, capture_output=True, text=True, check=False, umask=(0o022, 0o077)[i],
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        with open(os.path.join(folder, "out", "SHA256SUMS"), encoding="utf-8") as f:
            sums.append(f.read())
    assert sums[0] == sums[1]
    assert sums[0].count("\n") == 3 or "MOCHI_SAME_TARGETS" in os.environ


def linked(name: str) -> None:
    with open("elsewhere", "w", encoding="utf-8") as f:
        f.write("old\n")
    os.symlink("../elsewhere", name)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "kind"), [(os.mkdir, "a directory"), (linked, "a symbolic link")])
@pytest.mark.parametrize("name", ["SHA256SUMS", "hello-linux-amd64.tar.gz"])
def test_own_files(
    name: str, make: Callable[[str], None], kind: str, tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A set goes into its folder: not into a folder in it, nor behind a link."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("dist")
    make("dist/" + name)
    done = release(str(tmp_path), "linux/amd64,", "")
    assert done.returncode == 2
    assert f"mochi: dist/{name} is {kind} and is not replaced" in done.stderr
    assert os.listdir("dist") == [name]
    assert release(str(tmp_path), "linux/amd64,", "-").returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize("stem", ["x" * 120, "x" * 230, "two\nlines", "back\\slash"])
def test_names_of_sources(stem: str, tmp_path: os.PathLike[str]) -> None:
    """Long ones have room in archives; `sha256sum` finds all of them."""
    path = os.path.join(tmp_path, stem + ".mochi")
    with open(path, "w", encoding="utf-8") as f:
        f.write(PROGRAM)
    opt = Options("linux/amd64,windows/amd64")
    opt.out = os.path.join(tmp_path, "dist")
    assert release_set(path, opt) == 0
    sums = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=opt.out, capture_output=True, check=True)
    assert sums.stdout.count(b"OK\n") == 2
    subprocess.run(["tar", "xzf", f"{stem}-linux-amd64.tar.gz"], cwd=opt.out, check=True)
    run = subprocess.run([os.path.join(opt.out, f"{stem}-linux-amd64", stem)], capture_output=True, check=True)
    assert run.stdout == b"hello\n"
