"""The checked runtime (MOCHI_CHECK=1) finds faults of the runtime: each case puts one in and must be told of it.

The corpus itself runs with the checked runtime in test_run.py, where it must find nothing.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from building import build_program
from mochic.link import runtime_lib
from mochic.targets import Target

# What a program does that meets all the faults: strings, lists and maps that grow, garbage in between.
PROGRAM = """\
fun words(n: int): list<string> {
  var out: list<string> = []
  for i in 0..n { out = append(out, "word " + str(i)) }
  return out
}
let w = words(40)
var m: map<string, int> = {}
for x in w { m[x] = len(x) }
let r = reverse("h\\u00e9llo" + w[3])
var grown = ""
for i in 0..90 { grown = grown + "ab" }
print(len(grown))
print(len(w), len(m), len(to_json(m)), r, 9223372036854775807 * 4)
"""
OUTPUT = "180\n40 40 471 3 drowolléh 36893488147419103228\n"

# The end of str_joined.
CONCAT = "  copy(s + STRING_TEXT + na, str_data(b), nb)\n  return s\n}\n\n// Room for"

# A fault: file of the runtime, text, what stands there instead; and the message.
FAULTS = {
    "read_behind": ("grow.mochi", CONCAT, CONCAT.replace("nb)", "nb + 9)"), "a run of bytes that leaves its object"),
    "write_behind": (
        "list.mochi",
        "  let l = alloc(desc, LIST_SIZE)\n",
        "  let l = alloc(desc, LIST_SIZE)\n  store8(l, LIST_SIZE, 1)\n",
        "an access outside objects",
    ),
    "write_unseen": (  # by code that is not checked, as that of programs
        "mem.mochi",
        "  store64(a, ARRAY_SIZE, round8(bytes))\n",
        "  store64(a, ARRAY_SIZE, round8(bytes))\n  store8(a, ARRAY_DATA + round8(bytes), 1)\n",
        "a write behind an object",
    ),
    "freed": (
        "grow.mochi",
        CONCAT,
        CONCAT.replace(
            "  return s",
            "  let hidden = str_concat3(a, a, a) as int + heap_max\n  gc_collect()\n"
            "  copy(s + STRING_TEXT, (hidden - heap_max) as ptr + STRING_TEXT, na)\n  return s",
        ),
        "a run of bytes that leaves its object",
    ),
    "dangling": (
        "map.mochi",
        "  storetag(m, MAP_ORDER, none)\n",
        "  storetag(m, MAP_ORDER, (heap_top - 64) as tag)\n",
        "a reference to freed memory",
    ),
    "inside": (
        "map.mochi",
        "  storetag(m, MAP_ORDER, none)\n",
        "  storetag(m, MAP_ORDER, (m + 8) as tag)\n",
        "a reference into an object",
    ),
    "descriptor": (
        "list.mochi",
        "  let l = alloc(desc, LIST_SIZE)\n",
        "  let l = alloc(desc, LIST_SIZE)\n  store64(l, 0, load64(l, 0) + 4)\n",
        "an object without a descriptor",
    ),
    "size": (
        "mem.mochi",
        "  store64(a, ARRAY_SIZE, round8(bytes))\n",
        "  store64(a, ARRAY_SIZE, round8(bytes) + 8)\n",
        "an object that does not have its size",
    ),
    "list_length": (
        "list.mochi",
        "  store64(l, LIST_LENGTH, len)\n  storeref(",
        "  store64(l, LIST_LENGTH, len + 1)\n  storeref(",
        "more elements than an array has room for",
    ),
    "characters": (
        "text.mochi",
        "  store32(s, STRING_CHARACTERS, chars)\n",
        "  store32(s, STRING_CHARACTERS, chars + 1)\n",
        "a wrong count of characters",
    ),
    "padding": (
        "text.mochi",
        "  store64(s, STRING_TEXT - 8 + round8(bytes), 0)\n",
        "",
        "a string without zeros behind it",
    ),
    "view": (
        "grow.mochi",
        "  store64(buffer, BUFFER_FILL, fill + str_len(b))\n",
        "",
        "a view beyond the text of its owner",
    ),
}


def build_with_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> str:
    """The program with a fault in its runtime, or without."""
    (tmp_path / "p.mochi").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    if name:
        monkeypatch.setenv("MOCHI_CACHE", str(tmp_path / "cache"))
        sources = runtime_lib.runtime_sources
        file, old, new, _ = FAULTS[name]

        def faulty(target: Target) -> list[str]:
            paths = sources(target)
            at = next(i for i, p in enumerate(paths) if os.path.basename(p) == file)
            text = Path(paths[at]).read_text()
            assert text.count(old) == 1
            paths[at] = str(tmp_path / file)
            Path(paths[at]).write_text(text.replace(old, new))
            return paths

        monkeypatch.setattr(runtime_lib, "runtime_sources", faulty)
    return build_program("p.mochi", out=tmp_path / "p", check=True)


def run(exe: str, stress: bool) -> tuple[int, str, str]:
    env = {**os.environ, "MOCHI_GC_STRESS": str(int(stress))}
    r = subprocess.run([exe], capture_output=True, text=True, env=env, timeout=60, check=False)
    return r.returncode, r.stdout, r.stderr


def test_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exe = build_with_fault(tmp_path, monkeypatch, "")
    assert run(exe, False) == run(exe, True) == (0, OUTPUT, "")


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_fault(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exe = build_with_fault(tmp_path, monkeypatch, name)
    # Collections find what has become of objects; without them what nothing refers to is looked at in the end.
    status, _, err = next((r for r in (run(exe, True), run(exe, False)) if r[0] != 0), (0, "", "\n"))
    message, graph, *_ = err.split("\n")
    assert status == 70
    assert message.startswith("runtime check: ") and message.endswith(FAULTS[name][3])
    assert graph.startswith("call graph: runtime.run_main -> ")
