"""What programs know of their sources: paths below the main file's folder, and lines of the compiled file alone."""

from __future__ import annotations

import hashlib
import os
import subprocess

import pytest
from test_run import TARGET, WHY_NOT

from building import build_program
from selecting import here, slow_unless
from mochic.link.linker import find_linker
from mochic.link.tools import LinkError
from mochic.targets import TARGETS

MAIN = """import "./lib" as lib
fun inner(n: int): int {
  return [1, 2][n]
}
expect lib.twice(2) == 4
print(inner(9))
"""
LIBRARY = """export fun twice(n: int): int {
  return n * 2
}
"""
TRACE = """list index out of range: 9 (len 2)
call graph: main -> inner
stack trace:
  inner at crash.mochi:3
{}  main at crash.mochi:6
{}"""
WITHOUT = TRACE.format("", "")
WITH = TRACE.format("    return [1, 2][n]\n", "    print(inner(9))\n")


@pytest.fixture
def folder(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> str:
    place = os.path.join(tmp_path, "a user's own name", "src")
    os.makedirs(place)
    for name, text in (("crash.mochi", MAIN), ("lib.mochi", LIBRARY)):
        with open(os.path.join(place, name), "w", encoding="utf-8") as f:
            f.write(text)
    monkeypatch.chdir(place)
    monkeypatch.delenv("MOCHI_SOURCES", raising=False)
    return place


def built(path: str, out: str, target: str = TARGET, strip: bool = False) -> bytes:
    build_program(path, target, out=out, strip=strip)
    with open(out, "rb") as f:
        return f.read()


READY = [name for name, t in TARGETS.items() if t.status == "ready"]


@pytest.mark.parametrize("target", slow_unless(here, READY))
def test_spelling_of_the_path_does_not_matter(target: str, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        find_linker(TARGETS[target])
    except LinkError as e:
        pytest.skip(e.message)
    above = os.path.dirname(folder)
    spellings = {
        folder: ["crash.mochi", "./crash.mochi", "../src/crash.mochi", os.path.join(folder, "crash.mochi")],
        above: ["src/crash.mochi", ".//src/../src/crash.mochi"],
    }
    found = set()
    for where, paths in spellings.items():
        monkeypatch.chdir(where)
        for i, path in enumerate(paths):
            found.add(hashlib.sha256(built(path, os.path.join(above, f"out{i}"), target)).hexdigest())
    assert len(found) == 1
    data = built("src/crash.mochi", os.path.join(above, "plain"), target)
    stripped = built("src/crash.mochi", os.path.join(above, "bare"), target, strip=True)
    for bytes_ in (data, stripped):
        assert b"user" not in bytes_ and b"src/" not in bytes_
        assert bytes_.count(b"crash.mochi") <= 2  # the record of the file, the text of `expect`


def test_library_of_the_language(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files have the same names wherever the program is, and are none of the user's."""
    text = 'import go "strings" as s\nimport "./lib/go/strings" as own\nprint(s.Repeat("a", 3), own.mine())\n'
    os.makedirs("lib/go")
    for name, data in (("p.mochi", text), ("lib/go/strings.mochi", "export fun mine(): int { return 7 }\n")):
        with open(name, "w", encoding="utf-8") as f:
            f.write(data)
    out = os.path.join(os.path.dirname(folder), "out")
    found = set()
    above = os.path.dirname(folder)
    for where, path in ((folder, "p.mochi"), ("/", os.path.join(folder, "p.mochi")), (above, "src/p.mochi")):
        monkeypatch.chdir(where)
        build_program(path, out=out, level=0)  # nothing is inlined: traces name the library's file
        with open(out, "rb") as f2:
            found.add(f2.read())
    assert len(found) == 1
    assert b"lib/go/strings.mochi" in found.pop()
    if not WHY_NOT:
        assert subprocess.run([out], capture_output=True, check=True).stdout == b"aaa 7\n"


def trace(exe: str, where: str, **env: str) -> str:
    run = subprocess.run([exe], cwd=where, capture_output=True, timeout=10, env={**os.environ, **env}, check=False)
    assert (run.returncode, run.stdout) == (1, b"")
    return run.stderr.decode()


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_lines_of_the_source_alone(folder: str) -> None:
    exe = os.path.join(os.path.dirname(folder), "crash")
    built("crash.mochi", exe)
    elsewhere = os.path.join(os.path.dirname(folder), "elsewhere")
    os.mkdir(elsewhere)
    other = os.path.join(elsewhere, "crash.mochi")
    assert trace(exe, folder) == WITH
    assert trace(exe, elsewhere) == WITHOUT
    assert trace(exe, elsewhere, MOCHI_SOURCES=folder) == WITH
    assert trace(exe, folder, MOCHI_SOURCES=elsewhere) == WITHOUT
    assert trace(exe, folder, MOCHI_SOURCES="/" + "x" * 5000) == WITHOUT
    for text in ("secret\n" * 20, "", MAIN[:-1], MAIN + "\n", MAIN.replace("inner(9)", "inner(8)")):
        with open(other, "w", encoding="utf-8") as f:
            f.write(text)
        assert trace(exe, elsewhere) == WITHOUT
    with open(other, "w", encoding="utf-8") as f:
        f.write(MAIN)
    assert trace(exe, elsewhere) == WITH
    os.unlink(other)
    os.mkfifo(other)
    assert trace(exe, elsewhere) == WITHOUT  # and does not wait for a writer
    os.unlink(other)
    os.symlink("/dev/zero", other)
    assert trace(exe, elsewhere) == WITHOUT  # and does not read for ever
    os.unlink(other)
    os.mkdir(other)
    assert trace(exe, elsewhere) == WITHOUT


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_expect_names_the_file_as_traces_do(folder: str) -> None:
    with open("crash.mochi", "w", encoding="utf-8") as f:
        f.write("expect 1 == 2\n")
    exe = os.path.join(os.path.dirname(folder), "crash")
    built(os.path.join(folder, "crash.mochi"), exe)
    assert trace(exe, folder).startswith("expect condition failed at crash.mochi:1: 1 == 2\n")
