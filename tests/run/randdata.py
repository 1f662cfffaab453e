"""Random data files and programs that ask them, with the answers of Python.

A table is written as CSV, TSV, JSON, JSON Lines or YAML by Python's own modules (YAML as JSON, which it contains); the
program loads it with a struct type and asks random questions: filters, sorted rows, groups with sums and counts, joins
of two files, matches and closures over the rows, rows that are appended to lists while others are walked.
"""

from __future__ import annotations

import csv
import io
import json
import random
from typing import Any

Row = dict[str, Any]

NAMES = ("Ann", "bob", "Zoë", "李", "a,b", 'q"t', "x y", "-", "e\u0301")
FORMATS = ("csv", "tsv", "json", "jsonl", "yaml")


def rem(a: int, b: int) -> int:
    """The remainder with the sign of a (docs/reference.md, 8.2)."""
    return a - b * int(a / b)


# A condition of a row, in Mochi and in Python; `{v}` is the row, `{n}` a number
CONDITIONS = (
    ("{v}.n % 3 == {n} % 3", lambda r, n: rem(r["n"], 3) == rem(n, 3)),
    ("{v}.n > {n}", lambda r, n: r["n"] > n),
    ("len({v}.name) <= {n} % 4", lambda r, n: len(r["name"]) <= rem(n, 4)),
    ("{v}.ok", lambda r, n: r["ok"]),
    ("!({v}.ok) || {v}.n == {n}", lambda r, n: not r["ok"] or r["n"] == n),
    ('"b" in {v}.name', lambda r, n: "b" in r["name"]),
    ("{v}.x > 0.5", lambda r, n: r["x"] > 0.5),
    ("keep({v}.n, {n})", lambda r, n: (r["n"] + n) % 2 == 0),
)
HEADER = """type Row { id: int, n: int, name: string, x: float, ok: bool }
fun keep(a: int, b: int): bool { return (a + b) % 2 == 0 }
fun word(ok: bool, n: int): string { return match n % 3 { 0 => "zero" 1 => if ok { "yes" } else { "no" } _ => "many" } }
"""


class Tables:
    __slots__ = ("files", "program", "expected")

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.program = HEADER
        self.expected = ""


def table(rand: random.Random) -> list[Row]:
    return [
        {
            "id": i,
            "n": rand.randrange(-20, 20),
            "name": rand.choice(NAMES),
            "x": rand.randrange(-8, 9) / 4,  # sums of these are exact
            "ok": rand.random() < 0.5,
        }
        for i in range(rand.randrange(0, 12))
    ]


def written(rows: list[Row], format: str) -> bytes:
    if format in ("csv", "tsv"):
        out = io.StringIO()
        w = csv.writer(out, delimiter="\t" if format == "tsv" else ",", lineterminator="\n")
        w.writerow(("id", "n", "name", "x", "ok"))
        w.writerows((r["id"], r["n"], r["name"], r["x"], "yes" if r["ok"] else "no") for r in rows)
        return out.getvalue().encode()
    if format == "jsonl":
        return "".join(json.dumps(r, ensure_ascii=r["ok"]) + "\n" for r in rows).encode()
    return json.dumps(rows, ensure_ascii=False).encode()


class Asker:
    def __init__(self, seed: int) -> None:
        self.rand = random.Random(seed)
        self.out = Tables()

    def say(self, mochi: str, value: str) -> None:
        self.out.program += f"print({mochi})\n"
        self.out.expected += value + "\n"

    def load(self, name: str, rows: list[Row]) -> None:
        format = self.rand.choice(FORMATS)
        path = f"{name}.{format}"
        self.out.files[path] = written(rows, format)
        if format in ("csv", "tsv"):  # there are no bools in these
            source = f'load "{path}" as any with {{ format: "{format}" }}'
            fields = 'id: r.id, n: r.n, name: str(r.name), x: float(r.x), ok: r.ok == "yes"'
            self.out.program += f"let {name}: list<Row> = from r in ({source}) select Row {{ {fields} }}\n"
        else:
            self.out.program += f'let {name} = load "{path}" as Row with {{ format: "{format}" }}\n'

    def condition(self, v: str) -> tuple[str, Any]:
        text, test = self.rand.choice(CONDITIONS)
        n = self.rand.randrange(-5, 10)
        return text.format(v=v, n=f"({n})"), lambda r: test(r, n)

    def ask(self, name: str, rows: list[Row], other: str, more: list[Row]) -> None:
        cond, test = self.condition("r")
        kept = [r for r in rows if test(r)]
        way = self.rand.randrange(8)
        if way == 0:
            self.say(f"(from r in {name} where {cond} select r.id)", str([r["id"] for r in kept]))
        elif way == 1:
            self.say(f"sum(from r in {name} where {cond} select r.n)", str(sum(r["n"] for r in kept)))
        elif way == 2:
            got = sorted(kept, key=lambda r: (r["name"].encode(), -r["n"]))
            query = f'(from r in {name} where {cond} sort by [r.name, -r.n] select r.name + ":" + str(r.n))'
            self.say(f'join({query}, "|")', "|".join(f"{r['name']}:{r['n']}" for r in got))
        elif way == 3:
            groups: dict[str, list[Row]] = {}
            for r in kept:
                groups.setdefault(r["name"], []).append(r)
            query = (
                f"(from r in {name} where {cond} group by r.name into g "
                'select g.key + "=" + str(count(g)) + "," + str(sum(from r in g select r.n)))'
            )
            parts = [f"{k}={len(g)},{sum(r['n'] for r in g)}" for k, g in groups.items()]
            self.say(f'join({query}, "|")', "|".join(parts))
        elif way == 4:
            pairs = [(a, b) for a in kept for b in more if a["name"] == b["name"]]
            query = f"(from r in {name} join s in {other} on r.name == s.name where {cond} select r.id * 100 + s.id)"
            self.say(query, str([a["id"] * 100 + b["id"] for a, b in pairs]))
        elif way == 5:
            words = [("zero", "yes" if r["ok"] else "no", "many")[abs(r["n"]) % 3] for r in kept if r["n"] >= 0]
            query = f"(from r in {name} where ({cond}) && r.n >= 0 select word(r.ok, r.n))"
            self.say(f'join({query}, "|")', "|".join(words))
        elif way == 6:
            self.walk(name, rows, cond, test)
        else:
            query = f"(from r in {name} where {cond} skip 1 take 2 select r.x > 0.0)"
            self.say(query, str([r["x"] > 0 for r in kept][1:3]).replace("T", "t").replace("F", "f"))

    def walk(self, name: str, rows: list[Row], cond: str, test: Any) -> None:
        """A loop with a closure that appends; the list that is printed first is what it was."""
        v = f"got{len(self.out.program)}"
        self.out.program += f"""var {v}: list<int> = [0]
let add{v} = fun(k: int): int {{
  {v} = append({v}, k)
  return len({v})
}}
for r in {name} {{
  if {cond} {{ print({v}, add{v}(r.id), {v}) }}
}}
"""
        got = [0]
        for r in rows:
            if test(r):
                longer = [*got, r["id"]]
                self.out.expected += f"{got} {len(longer)} {longer}\n"
                got = longer


def random_tables(seed: int) -> Tables:
    a = Asker(seed)
    one, two = table(a.rand), table(a.rand)
    a.load("one", one)
    a.load("two", two)
    for _ in range(a.rand.randrange(4, 10)):
        first = a.rand.random() < 0.5
        a.ask(*(("one", one, "two", two) if first else ("two", two, "one", one)))
    return a.out
