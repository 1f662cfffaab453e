"""Random queries with their answers: nested loops over Python rows, exactly as the language defines queries.

`random_queries(seed)` gives a program and what it must print, with the exit status.  Tables are lists of structs, of
map literals or of JSON values, some columns with nulls; a query takes any mix of sources and joins, conditions on keys
of every kind, and conditions that print or fail, so that a plan which tests too much, too little or in another order
shows.  The oracle knows no plan: it folds the joins left to right and tests each condition where it is written.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cmp_to_key
from typing import Any

Env = dict[str, Any]
Row = dict[str, Any]


class Failed(Exception):
    """The program ends with a run-time error here."""


class TooLarge(Exception):
    """The query would print or join too much for a test."""


class E:
    """An expression: its text and its meaning."""

    __slots__ = ("text", "value")

    def __init__(self, text: str, value: Callable[[Env], Any]) -> None:
        self.text = text
        self.value = value


# -- values ---------------------------------------------------------------------------------------


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b
    return type(a) is type(b) and a == b


def less(a: Any, b: Any) -> bool:
    return a is not None and b is not None and a < b


def text(v: Any) -> str:
    """Form L of the values that queries here select."""
    if v is None:
        return "nil"
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, str):
        return f'"{v}"'
    if isinstance(v, list):
        return "[" + ", ".join(map(text, v)) + "]"
    return repr(v)


def field(row: Any, name: str) -> Any:
    return None if row is None else row.get(name)


def order(a: Any, b: Any) -> int:
    """12.7: null last, numbers by value, strings by bytes, lists element by element."""
    if a is None or b is None:
        return (a is None) - (b is None)
    if isinstance(a, list):
        for x, y in zip(a, b, strict=True):
            c = order(x, y)
            if c:
                return c
        return 0
    return int(a > b) - int(a < b)


# -- tables ---------------------------------------------------------------------------------------

# Columns of every table; in maps and JSON `k` and `f` may be null.  `j` has big values, `f` whole and half ones.
COLUMNS = ("id", "k", "j", "s", "t", "f", "b")
KINDS = {"id": "int", "k": "int", "j": "int", "s": "string", "t": "string", "f": "float", "b": "bool"}
WORDS = ("ab", "abc", "b", "", "zebra", "ébène")
BIG = 3037000499
MOST_PAIRS = 3000


class Table:
    def __init__(self, rand: random.Random, name: str) -> None:
        self.name = name
        self.form = rand.choice(("struct", "struct", "map", "json"))
        self.rows: list[Row] = []
        domain = rand.choice((2, 4, 9))
        big = BIG * BIG if self.form != "json" else 1  # numbers of JSON may be doubles
        for i in range(rand.choice((0, 1, 3, 6, 9, 14))):
            row: Row = {
                "id": i,
                "k": rand.randrange(domain),
                "j": rand.randrange(3) * big if rand.random() < 0.5 else rand.randrange(domain),
                "s": rand.choice(WORDS),
                "t": "t" + str(rand.randrange(domain)),
                "f": rand.randrange(2 * domain) / 2,
                "b": rand.random() < 0.5,
            }
            if self.form != "struct":
                for c in ("k", "f"):
                    if rand.random() < 0.15:
                        row[c] = None
            if self.form == "json":
                row = {c: float(v) if type(v) is int else v for c, v in row.items()}
            self.rows.append(row)

    def declaration(self) -> str:
        if self.form == "struct":
            rows = [", ".join(f"{c}: {literal(v)}" for c, v in r.items()) for r in self.rows]
            return f"let {self.name}: list<T> = [{', '.join(f'T {{ {r} }}' for r in rows)}]"
        rows = [", ".join(f'"{c}": {literal(v)}' for c, v in r.items()) for r in self.rows]
        if self.form == "map":
            return f"let {self.name} = [{', '.join(f'{{ {r} }}' for r in rows)}]"
        body = "[" + ", ".join("{" + r + "}" for r in rows) + "]"
        return f'let {self.name} = from_json("' + body.replace('"', '\\"') + '")'


def literal(v: Any) -> str:
    if isinstance(v, int) and v >= BIG:
        return f"{BIG} * {BIG} * {v // (BIG * BIG)}"
    return "null" if v is None else text(v)


# -- conditions -----------------------------------------------------------------------------------


class Maker:
    def __init__(self, seed: int) -> None:
        self.rand = random.Random(seed)
        self.tables = [Table(self.rand, f"t{i}") for i in range(4)]
        self.out: list[str] = []
        self.forms: dict[str, str] = {}
        self.padded: set[str] = set()
        self.statement = ""
        self.pairs = 0

    def chance(self, p: float) -> bool:
        return self.rand.random() < p

    def column(self, v: str, c: str) -> E:
        return E(f"{v}.{c}", lambda env: field(env[v], c))

    def equality(self, a: str, b: str) -> E:
        c = self.rand.choice(("k", "k", "t", "s", "f", "j", "b"))
        d = self.rand.choice(("k", "f", "j", "id")) if c in ("k", "f", "j") and self.chance(0.3) else c
        x, y = self.column(a, c), self.column(b, d)
        if self.chance(0.5):
            x, y = y, x
        return E(f"{x.text} == {y.text}", lambda env: equal(x.value(env), y.value(env)))

    def test(self, vars: list[str]) -> E:
        """A condition on one variable or two."""
        v = self.rand.choice(vars)
        w = self.rand.choice(vars)
        n = self.rand.randrange(5)
        kind = self.rand.randrange(11)
        x, y = self.column(v, self.rand.choice(("k", "id", "f"))), self.column(w, self.rand.choice(("k", "id")))
        if kind == 0:
            return E(f"{x.text} < {n}", lambda env: less(x.value(env), n))
        if kind == 1:
            return E(f"{x.text} > {y.text}", lambda env: less(y.value(env), x.value(env)))
        if kind == 2:
            return E(f"{x.text} != {n}", lambda env: not equal(x.value(env), n))
        if kind == 3 and self.forms[v] == "struct":
            word = self.rand.choice(WORDS[:4])
            method, rule = self.rand.choice((("contains", str.__contains__), ("starts_with", str.startswith)))
            s = self.column(v, "s")
            call = E(f'{s.text}.{method}("{word}")', lambda env: rule(s.value(env), word))
            return self.all_of([E(f"{v} != null", lambda env: env[v] is not None), call]) if v in self.padded else call
        if kind == 4:
            words = self.rand.sample(WORDS, 2)
            s = self.column(v, "s")
            return E(f"{s.text} in [{', '.join(map(text, words))}]", lambda env: s.value(env) in words)
        if kind == 5:
            return E(f"{v} != null", lambda env: env[v] is not None)
        if kind == 9:
            return self.sub_query(v, n)
        if kind == 6 and self.chance(0.4):
            return E(f"loud({x.text}, {n})", lambda env: self.loud(x.value(env), n))
        if kind == 7 and self.chance(0.4) and v not in self.padded and self.forms[v] == "struct":
            d = self.column(v, "id")
            m = self.rand.randrange(-1, 12)
            return E(f"{n} / ({d.text} - {m}) < 3", lambda env: self.divide(n, d.value(env) - m) < 3)
        return E(f"{x.text} >= {n}", lambda env: x.value(env) is not None and x.value(env) >= n)

    def sub_query(self, v: str, n: int) -> E:
        table = self.rand.choice(self.tables)
        k = self.column(v, "k")
        form = self.rand.randrange(4)
        if form == 0:
            inner = f"(from y in {table.name} where y.id != {n} select y.k)"
            # A member is equal and of the same kind of number.
            return E(
                f"{k.text} in {inner}",
                lambda env: any(
                    type(r["k"]) is type(k.value(env)) and equal(r["k"], k.value(env))
                    for r in table.rows
                    if not equal(r["id"], n)
                ),
            )
        if form == 1:
            return E(
                f"{k.text} < max(from y in {table.name} where y.id <= {n} select y.id)",
                lambda env: less(k.value(env), aggregate("max", [r["id"] for r in table.rows if r["id"] <= n])),
            )
        if form == 2:
            return E(
                f"count(from y in {table.name} where y.k == {k.text} select y) > {n // 2}",
                lambda env: sum(equal(r["k"], k.value(env)) for r in table.rows) > n // 2,
            )
        return E(
            f"exists(from y in {table.name} where y.id > {n} select y)",
            lambda env: any(r["id"] > n for r in table.rows),
        )

    def loud(self, v: Any, n: int) -> bool:
        self.out.append(f"loud {shown(v)}")
        return v is not None and v > n

    def divide(self, a: int, b: int) -> int:
        if b == 0:
            raise Failed
        return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)

    def all_of(self, parts: list[E]) -> E:
        return E(" && ".join(p.text for p in parts), lambda env: all(p.value(env) for p in parts))

    # -- sources and joins --------------------------------------------------------------------------

    def query(self, number: int) -> str:
        """One query: its text; its answer goes to `out`."""
        rand = self.rand
        self.padded = set()
        self.pairs = 0
        names = ["a", "b", "c", "d"][: rand.choice((1, 2, 2, 2, 3, 3, 4))]
        nfroms = rand.randint(1, len(names)) if self.chance(0.4) else 1
        clauses = []
        rows: Callable[[], Iterator[Env]] = self.nothing
        for i, v in enumerate(names):
            table = rand.choice(self.tables)
            self.forms[v] = table.form
            before = names[:i]
            if i < nfroms:
                clauses.append(f"from {v} in {table.name}")
                rows = self.cross(rows, v, table.rows)
                continue
            side = rand.choice(("", "", "left", "left", "right", "outer"))
            parts = []
            self.padded |= {v} if side in ("left", "outer") else set()
            self.padded |= set(before) if side in ("right", "outer") else set()
            if self.chance(0.85):
                parts = [self.equality(rand.choice(before), v) for _ in range(rand.choice((1, 1, 1, 2)))]
            while not parts or self.chance(0.25):
                parts.insert(rand.randint(0, len(parts)), self.test([*before, v]))
            on = self.all_of(parts)
            clauses.append(f"{side + ' ' if side else ''}join {v} in {table.name} on {on.text}")
            rows = self.join(rows, side, before, v, table.rows, on)
        if self.chance(0.7):
            parts = [self.test(names) for _ in range(rand.choice((1, 2, 3)))]
            if len(names) > 1 and (nfroms > 1 or self.chance(0.2)):
                for _ in range(nfroms):
                    v, w = rand.sample(names, 2)
                    parts.insert(rand.randint(0, len(parts)), self.equality(v, w))
            where = self.all_of(parts)
            clauses.append(f"where {where.text}")
            rows = self.keep(rows, where)
        if self.chance(0.3):
            return self.grouped(clauses, names, rows, number)
        return self.plain(clauses, names, rows, number)

    def nothing(self) -> Iterator[Env]:
        return iter(({},))

    def cross(self, rows: Callable[[], Iterator[Env]], v: str, source: list[Row]) -> Callable[[], Iterator[Env]]:
        return lambda: (self.pair(env, v, row) for env in rows() for row in source)

    def pair(self, env: Env, v: str, row: Row) -> Env:
        self.pairs += 1
        if self.pairs > MOST_PAIRS:
            raise TooLarge
        return {**env, v: row}

    def keep(self, rows: Callable[[], Iterator[Env]], where: E) -> Callable[[], Iterator[Env]]:
        return lambda: (env for env in rows() if where.value(env))

    def join(
        self, rows: Callable[[], Iterator[Env]], side: str, before: list[str], v: str, source: list[Row], on: E
    ) -> Callable[[], Iterator[Env]]:
        nulls: Env = dict.fromkeys(before)

        def inner_or_left() -> Iterator[Env]:
            for env in rows():
                hit = False
                for row in source:
                    new = self.pair(env, v, row)
                    if on.value(new):
                        hit = True
                        yield new
                if side == "left" and not hit:
                    yield {**env, v: None}

        def right() -> Iterator[Env]:
            left = list(rows())
            for row in source:
                hit = False
                for env in left:
                    new = self.pair(env, v, row)
                    if on.value(new):
                        hit = True
                        yield new
                if not hit:
                    yield {**nulls, v: row}

        def outer() -> Iterator[Env]:
            out = []
            used = set()
            for env in rows():
                hit = False
                for i, row in enumerate(source):
                    new = self.pair(env, v, row)
                    if on.value(new):
                        hit = True
                        used.add(i)
                        out.append(new)
                if not hit:
                    out.append({**env, v: None})
            out += [{**nulls, v: row} for i, row in enumerate(source) if i not in used]
            return iter(out)

        return right if side == "right" else outer if side == "outer" else inner_or_left

    # -- results ------------------------------------------------------------------------------------

    def tail(self, clauses: list[str], sorted_: bool) -> Callable[[list[tuple[Any, Any]]], list[Any]]:
        """sort, skip and take of (key, value) pairs."""
        skip = self.rand.randrange(4) if self.chance(0.2) else None
        take = self.rand.randrange(6) if self.chance(0.2) else None
        if skip is not None:
            clauses.append(f"skip {skip}")
        if take is not None:
            clauses.append(f"take {take}")

        def by_key(x: tuple[Any, Any], y: tuple[Any, Any]) -> int:
            return order(x[0], y[0])

        def apply(out: list[tuple[Any, Any]]) -> list[Any]:
            if sorted_:
                out.sort(key=cmp_to_key(by_key))
            return [v for _, v in out][skip:][:take]

        return apply

    def show(self, number: int, source: str, evaluate: Callable[[], list[Any]]) -> str:
        """The statement that prints what the query gives; what it prints goes to `out`."""
        self.statement = f'{source}\nprint("-", {number})'
        res = evaluate()
        self.out += [text(r) if isinstance(r, list) else shown(r) for r in res]
        self.out.append(f"- {number}")
        return self.statement

    def plain(self, clauses: list[str], names: list[str], rows: Callable[[], Iterator[Env]], number: int) -> str:
        if self.chance(0.2):
            return self.scalar(clauses, names, rows, number)
        key: E | None = None
        if self.chance(0.5):
            parts = [self.sort_key(names) for _ in range(self.rand.choice((1, 2)))]
            key = parts[0]
            if len(parts) > 1:
                key = E(f"[{', '.join(p.text for p in parts)}]", lambda env: [p.value(env) for p in parts])
            clauses.append(f"sort by {key.text}")
        distinct = self.chance(0.15)
        chosen = [self.column(v, self.rand.choice(("k", "t")) if distinct else "id") for v in names]
        tail = self.tail(clauses, key is not None)
        clauses.append(f"select {'distinct ' if distinct else ''}[{', '.join(c.text for c in chosen)}]")

        def evaluate() -> list[Any]:
            res = tail([(key.value(env) if key else None, [c.value(env) for c in chosen]) for env in rows()])
            return list({text(r): r for r in res}.values()) if distinct else res

        return self.show(number, f"for r in {' '.join(clauses)} {{ print(r) }}", evaluate)

    def sort_key(self, names: list[str]) -> E:
        c = self.column(self.rand.choice(names), self.rand.choice(("k", "s", "id", "f", "j")))
        if c.text.endswith(("id", "k")) and self.chance(0.3):
            return E(f"-{c.text}", lambda env: None if c.value(env) is None else -c.value(env))
        return c

    def scalar(self, clauses: list[str], names: list[str], rows: Callable[[], Iterator[Env]], number: int) -> str:
        c = self.column(self.rand.choice(names), self.rand.choice(("k", "id")))
        name = self.rand.choice(("sum", "min", "max", "count"))
        query = f"print({' '.join(clauses)} select {name}({c.text}))"
        return self.show(number, query, lambda: [aggregate(name, [c.value(env) for env in rows()])])

    def grouped(self, clauses: list[str], names: list[str], rows: Callable[[], Iterator[Env]], number: int) -> str:
        rand = self.rand
        keys = [
            self.column(rand.choice(names), c) for c in rand.sample(("k", "t", "s", "b", "f"), rand.choice((1, 1, 2)))
        ]
        clauses.append(f"group by {', '.join(k.text for k in keys)} into g")
        least = rand.randrange(4) if self.chance(0.3) else -1
        if least >= 0:
            clauses.append(f"having count(g) > {least}")
        chosen = [self.key_part(k, i, len(keys)) for i, k in enumerate(keys)]
        for name in rand.sample(("count", "sum", "min", "max"), rand.choice((1, 2, 3))):
            chosen.append(self.of_group(name, names))
        sort = rand.choice(chosen) if self.chance(0.4) else None
        if sort:
            clauses.append(f"sort by {sort.text}")
        tail = self.tail(clauses, sort is not None)
        clauses.append(f"select [{', '.join(c.text for c in chosen)}]")

        def evaluate() -> list[Any]:
            groups: dict[str, Env] = {}
            for env in rows():
                vals = [k.value(env) for k in keys]
                groups.setdefault(" ".join(map(form_s, vals)), {"keys": vals, "envs": []})["envs"].append(env)
            kept = [g for g in groups.values() if len(g["envs"]) > least]
            return tail([(sort.value(g) if sort else None, [c.value(g) for c in chosen]) for g in kept])

        return self.show(number, f"for r in {' '.join(clauses)} {{ print(r) }}", evaluate)

    def key_part(self, key: E, i: int, of: int) -> E:
        return E("g.key" if of == 1 else f"g.key.{key.text[2:]}", lambda g: g["keys"][i])

    def of_group(self, name: str, names: list[str]) -> E:
        v = self.rand.choice(names)
        c = self.rand.choice(("id", "k"))
        row = f"x.{c}" if len(names) == 1 else f"x.{v}.{c}"
        if name == "count" and self.chance(0.7):
            return E(self.rand.choice(("count(g)", "len(g)", "g.count")), lambda g: len(g["envs"]))
        test = None
        if self.chance(0.3):
            test = self.rand.randrange(4)
        where = "" if test is None else f" where {row} > {test}"

        def value(g: Env) -> Any:
            vals = [field(env[v], c) for env in g["envs"]]
            return aggregate(name, [x for x in vals if test is None or (x is not None and x > test)])

        if self.chance(0.5):
            return E(f"{name}(from x in g{where} select {row})", value)
        return E(f"(from x in g{where} select {name}({row}))", value)


def aggregate(name: str, vals: list[Any]) -> Any:
    if name == "count":
        return len(vals)
    known = [v for v in vals if v is not None]
    if not known:
        return 0
    return sum(known) if name == "sum" else min(known) if name == "min" else max(known)


def form_s(v: Any) -> str:
    if isinstance(v, float) and v == int(v):
        return str(int(v))
    return "<nil>" if v is None else v if isinstance(v, str) else text(v)


def shown(v: Any) -> str:
    """Form P."""
    return form_s(v) if isinstance(v, float) else "nil" if v is None else v if isinstance(v, str) else text(v)


def random_queries(seed: int, count: int = 6) -> tuple[str, str, int]:
    """A program, what it prints, and its exit status."""
    m = Maker(seed)
    fields = ", ".join(f"{c}: {KINDS[c]}" for c in COLUMNS)
    lines = [f"type T {{ {fields} }}", "fun loud(v, n: int) {", '  print("loud", v)', "  return v > n", "}"]
    lines += [t.declaration() for t in m.tables]
    status = 0
    for i in range(count):
        at = len(m.out)
        try:
            lines.append(m.query(i))
        except Failed:
            # What conditions print comes before the failure; rows of the query itself are printed when it is done.
            status = 1
            lines.append(m.statement)
            break
        except TooLarge:
            del m.out[at:]
    return "\n".join(lines) + "\n", "".join(line + "\n" for line in m.out), status
