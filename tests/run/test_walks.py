"""Values that are deep or contain themselves: random graphs of lists, maps and structs, written and compared.

What is expected is computed by recursion over the same graph: a collection inside itself is `[...]` or `{...}` where it
is met among those that are being written.  Two values are equal when no way through them leads to a difference.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Final

import pytest
from test_run import REASONS, SELECTED, STRESS
from test_text import run

from building import build_program, write_source
from selecting import here, slow_unless
from mochic.link.runner import command_for
from mochic.targets import TARGETS

if TYPE_CHECKING:
    from conftest import Figures

PROGRAM: Final = """
type Node { a: any, b: any }
var nodes: list<any> = []
fun entry(text: string): any {
  let n = int(substring(text, 1, len(text)))
  if text[0] == "n" { return nodes[n] }
  if text[0] == "s" { return str(n) }
  return n
}
for line in lines("graph.txt") {
  let p = split(line, " ")
  let n = int(p[1])
  if p[0] == "list" {
    var l: list<any> = []
    for i in 0..n { l = append(l, 0) }
    nodes = append(nodes, l)
  } else if p[0] == "map" {
    var m: map<string, any> = {}
    nodes = append(nodes, m)
  } else if p[0] == "ints" {
    var m: map<int, any> = {}
    nodes = append(nodes, m)
  } else if p[0] == "struct" {
    let o = Node { a: 0, b: 0 }
    nodes = append(nodes, o)
  } else if p[0] == "item" {
    nodes[n][int(p[2])] = entry(p[3])
  } else if p[0] == "entry" {
    nodes[n]["k" + p[2]] = entry(p[3])
  } else if p[0] == "field" {
    let o = nodes[n] as Node
    if p[2] == "0" { o.a = entry(p[3]) } else { o.b = entry(p[3]) }
  } else if p[0] == "print" {
    print(nodes[n])
  } else if p[0] == "str" {
    print(str(nodes[n]))
  } else if p[0] == "json" {
    try { print(to_json(nodes[n])) } catch e { print("cycle") }
  } else {
    let m = nodes[int(p[2])]
    let ends = sort([nodes[n], m])
    print(nodes[n] == m, nodes[n] in [0, m], len(ends))
  }
}
"""
Entry = tuple[str, int]  # n: a node, s: a text, i: an int
Graph = list[tuple[str, list[Entry]]]


def keys(kind: str, n: int) -> list[str]:
    """The names of entries in the order of writing, that of bytes."""
    if kind == "struct":
        return ["__name", "a", "b"]
    return sorted(str(i) if kind == "ints" else f"k{i}" for i in range(n))


def place(kind: str, key: str) -> int:
    return "ab".index(key) if kind == "struct" else int(key.lstrip("k"))


def text(graph: Graph, e: Entry, form: str, around: tuple[int, ...] = ()) -> str:
    """The text of a value; ValueError for JSON of a value that contains itself."""
    sort, n = e
    if sort != "n":
        return str(n) if sort == "i" or form == "str" else f'"{n}"'
    kind, entries = graph[n]
    if n in around:
        if form == "json":
            raise ValueError
        return "..." if form == "str" else "[...]" if kind == "list" else "{...}"
    if kind == "list":
        separator = {"print": ", ", "str": " ", "json": ","}[form]
        return "[" + separator.join(text(graph, x, form, (*around, n)) for x in entries) + "]"
    parts = []
    for key in keys(kind, len(entries)):
        if key == "__name":
            value = "Node" if form == "str" else '"Node"'
        else:
            value = text(graph, entries[place(kind, key)], form, (*around, n))
        parts.append({"print": f'"{key}": {value}', "str": f"{key}:{value}", "json": f'"{key}":{value}'}[form])
    if form == "str":
        return "map[" + " ".join(parts) + "]"
    return "{" + (", " if form == "print" else ",").join(parts) + "}"


def equal(graph: Graph, a: int, b: int) -> bool:
    """No way through both leads to a difference: the pairs that can be reached are all of one kind and size."""
    met = {(a, b)}
    todo = [(a, b)]
    while todo:
        x, y = todo.pop()
        (kind, xs), (other, ys) = graph[x], graph[y]
        # The kinds of maps differ in their keys alone.
        if len(xs) != len(ys) or (kind != other and (xs or {kind, other} != {"map", "ints"})):
            return False
        for (s, n), (t, m) in zip(xs, ys, strict=True):
            if s != t or (s != "n" and n != m):
                return False
            if s == "n" and (n, m) not in met:
                met.add((n, m))
                todo.append((n, m))
    return True


def random_graph(rand: random.Random, nodes: int, deep: bool) -> Graph:
    """Few kinds and values, so that pairs are often equal.  A deep one is a chain with some ways back."""
    graph: Graph = []
    one = rand.choice(["list", "map", "struct", ""])
    for i in range(nodes):
        kind = one if one and rand.random() < 0.9 else rand.choice(["list", "map", "ints", "struct"])
        n = 2 if kind == "struct" else rand.randrange(0, 4) if not deep else rand.randrange(1, 3)
        entries: list[Entry] = []
        for _ in range(n):
            k = rand.random()
            if deep:
                back = k < 0.1
                entries.append(("i", 1) if entries else ("n", rand.randrange(nodes) if back else (i + 1) % nodes))
            elif k < 0.7:
                entries.append(("n", rand.randrange(nodes)))
            else:
                entries.append((rand.choice("is"), 1 if k < 0.95 else 2))
        graph.append((kind, entries))
    return graph


def size(graph: Graph, n: int, around: tuple[int, ...] = (), room: int = 2000) -> int:
    """What is left of the room after writing a node: texts of small graphs can be very long."""
    if n in around:
        return room - 1
    for s, m in graph[n][1]:
        room = size(graph, m, (*around, n), room - 1) if s == "n" else room - 1
        if room < 0:
            break
    return room


def operations(graph: Graph, rand: random.Random) -> tuple[list[str], list[str]]:
    rows = [f"{kind} {len(entries)}" for kind, entries in graph]
    setter = {"list": "item", "map": "entry", "struct": "field", "ints": "item"}
    for i, (kind, entries) in enumerate(graph):
        rows += [f"{setter[kind]} {i} {j} {s}{n}" for j, (s, n) in enumerate(entries)]
    expected = []
    for n in rand.sample(range(len(graph)), min(4, len(graph))):
        if size(graph, n) < 0:
            continue
        for form in ("print", "str", "json"):
            rows.append(f"{form} {n}")
            try:
                expected.append(text(graph, ("n", n), form))
            except ValueError:
                expected.append("cycle")
    for _ in range(6):
        a, b = (rand.randrange(len(graph)) for _ in range(2))
        rows.append(f"equal {a} {b}")
        same = "true" if equal(graph, a, b) else "false"
        expected.append(f"{same} {same} 2")
    return rows, expected


@pytest.mark.parametrize("target", slow_unless(here, SELECTED))
def test_graphs(target: str, figures: Figures, tmp_path: os.PathLike[str]) -> None:
    """MOCHI_WALKS=N is the number of graphs."""
    if REASONS[target]:
        figures.left_out[REASONS[target]] += 1
        pytest.skip(REASONS[target])
    exe = build_program(write_source(PROGRAM, tmp_path), target)
    emulated = bool(command_for(TARGETS[target]))
    for seed in range(int(os.environ.get("MOCHI_WALKS", "8" if emulated else "60"))):
        rand = random.Random(seed)
        deep = seed % 3 == 2
        graph = random_graph(rand, rand.randrange(20, 90) if deep else rand.randrange(1, 7), deep)
        rows, expected = operations(graph, rand)
        with open(os.path.join(tmp_path, "graph.txt"), "w", encoding="utf-8") as f:
            f.write("\n".join(rows) + "\n")
        stress = STRESS if seed % 10 == 1 and not emulated else {}
        got = run(exe, target, tmp_path, **stress).decode().split("\n")[:-1]
        assert got == expected, seed
