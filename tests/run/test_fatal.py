"""Errors that nothing catches say where they happened: memory or stack has run out, wherever the runtime notices."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from building import build_program, write_source

PROGRAM = """\
fun even(n: int): int {
  return odd(n + 1) + 1
}
fun odd(n: int): int {
  if n < 0 { return 0 }
  return even(n + 1) + 2
}
fun strings(): int {
  var out: list<string> = []
  while true { out = append(out, repeat("x", 1000)) }
  return len(out)
}
fun large(): int {
  var out: list<list<int>> = []
  while true { out = append(out, range(0, 100000)) }
  return len(out)
}
fun small(): int {
  var out: list<any> = []
  while true { out = append(out, [1]) }
  return len(out)
}
let what = input()
try {
  if what == "stack" { print(even(0)) }
  if what == "strings" { print(strings()) }
  if what == "large" { print(large()) }
  if what == "small" { print(small()) }
} catch e {
  print("not for catch")
}
"""
LINES = PROGRAM.split("\n")


@pytest.fixture(scope="module", params=[0, 2])
def exe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("fatal")
    return build_program(write_source(PROGRAM, folder, "p.mochi"), level=request.param)


def run(exe: str, what: str) -> list[str]:
    r = subprocess.run(
        [exe],
        input=what + "\n",
        capture_output=True,
        text=True,
        cwd=Path(exe).parent,
        env={**os.environ, "MOCHI_HEAP_LIMIT": "30000000"},
        timeout=60,
        check=False,
    )
    assert (r.returncode, r.stdout) == (1, "")
    return r.stderr.split("\n")


@pytest.mark.parametrize("what", ["strings", "large", "small"])
def test_memory(what: str, exe: str) -> None:
    message, graph, title, *trace = run(exe, what)
    at = next(i for i, line in enumerate(LINES) if line.startswith(f"fun {what}(")) + 3
    assert (message, title) == ("out of memory", "stack trace:")
    assert graph.split(" -> ")[0] == "call graph: main" and graph.split(" -> ")[-1] == what
    assert trace[:2] == [f"  {what} at p.mochi:{at}", "    " + LINES[at - 1].strip()]


@pytest.mark.skipif(sys.platform != "linux", reason="how deep a stack is differs")
def test_stack(exe: str) -> None:
    message, graph, title, *trace = run(exe, "stack")
    assert (message, title) == ("call stack exceeded: the recursion is too deep", "stack trace:")
    names = graph.removeprefix("call graph: ").split(" -> ")
    assert names[0] == "main" and names.count("...") == 1 and set(names[-20:]) == {"even", "odd"}
    assert names[-1] != names[-2] and len(names) == 41
    frames = [line.split()[0] for line in trace if line.startswith("  ") and not line.startswith("    ")]
    assert frames == ["..." if n == "..." else n for n in reversed(names)]
    places = {"even": ("2", LINES[1].strip()), "odd": ("6", LINES[5].strip())}
    for at, line in enumerate(trace):
        name, _, place = line.strip().partition(" at ")
        if name in places and place:
            assert (place.split(":")[1], trace[at + 1].strip()) == places[name]
