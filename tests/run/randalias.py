"""Random programs about who sees an append, with results that are known by construction.

Each program is written twice from one choice of statements: in Mochi, and in Python with the rules of the language
spelled out (`append` gives a new list; a loop takes the length of its source once and reads the elements as they are
then; an assignment evaluates container, index and value in this order; everything else from left to right).  Python
runs its half when the program is made, and what it prints is the expected output.  No level or target of the compiler
takes part.

What keeps programs small: lists stop growing at LIMIT, and every call takes from a supply of fuel.
"""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Iterator
from typing import Any

LIMIT = 9
FUEL = 400

_PYTHON_HEADER = """
class Panic(Exception): pass
def bad(n):
    if n > 4: raise Panic
    return n
class Box:
    def __init__(self, items, rows):
        self.items = items
        self.rows = rows
    def add(self, p, n):
        global fuel
        fuel = fuel - 1
        if fuel < 0: return 0
        if len(self.items) < LIMIT: self.items = append(self.items, n)
        return len(p) + len(self.items)
def at(p, i):
    if len(p) == 0: return 0
    return p[i % len(p)]
def later(p): return lambda: len(p)
def plus(p, n): return len(p) + n
"""

_MOCHI_HEADER = """fun bad(n: int): int {
  if n > 4 { panic("bad") }
  return n
}
type Box {
  items: list<int>
  rows: list<list<int>>
  fun add(p: list<int>, n: int): int {
    fuel = fuel - 1
    if fuel < 0 { return 0 }
    if len(items) < LIMIT { items = append(items, n) }
    return len(p) + len(items)
  }
}
fun at(p: list<int>, i: int): int {
  if len(p) == 0 { return 0 }
  return p[i % len(p)]
}
fun later(p: list<int>): fun(): int { return fun(): int => len(p) }
fun plus(p: list<int>, n: int): int { return len(p) + n }
"""


def append(xs: list[Any], v: Any) -> list[Any]:
    return [*xs, v]


def live(xs: list[Any]) -> Iterator[Any]:
    for i in range(len(xs)):
        yield xs[i]


def store(container: Any, key: Any, value: Any) -> None:
    container[key] = value


def store_field(obj: Any, name: str, value: Any) -> None:
    setattr(obj, name, value)


Pair = tuple[str, str]  # the same in Mochi and in Python


class Maker:
    def __init__(self, seed: int) -> None:
        self.rand = random.Random(seed)
        self.mochi: list[str] = []
        self.python: list[str] = []
        self.indent = 0
        self.lists = ["ga", "gb"]  # variables in scope that hold a list of ints
        self.ints: list[str] = []
        self.functions: list[tuple[str, bool]] = []  # name, gives a list
        self.owner: dict[str, int] = {"ga": 0, "gb": 0}  # depth of functions at which a variable lives
        self.level = 0
        self.count = 0
        self.blocks: list[list[str]] = []  # Python functions that stand for blocks inside expressions

    def pick(self, *ways: Any) -> Any:
        return self.rand.choice(ways)

    def chance(self, p: float) -> bool:
        return self.rand.random() < p

    def fresh(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def line(self, mochi: str, python: str) -> None:
        self.mochi.append("  " * self.indent + mochi)
        self.python.append("  " * self.indent + python)

    # -- expressions ----------------------------------------------------------------------------

    def number(self, depth: int) -> Pair:
        if depth <= 0 or self.chance(0.3):
            if self.ints and self.chance(0.5):
                v = self.rand.choice(self.ints)
                return v, v
            n = str(self.rand.randrange(10))
            return n, n
        way = self.pick("len", "at", "call", "method", "plus", "closure", "partial", "block", "reduce", "member")
        if way == "len":
            m, p = self.list(depth - 1)
            return f"len({m})", f"len({p})"
        if way in ("at", "plus"):
            (m, p), (m2, p2) = self.list(depth - 1), self.number(depth - 1)
            return f"{way}({m}, {m2})", f"{way}({p}, {p2})"
        if way == "call":
            return self.call(depth, False)
        if way == "method":
            (m, p), (m2, p2) = self.list(depth - 1), self.number(depth - 1)
            return f"box.add({m}, {m2})", f"box.add({p}, {p2})"
        if way == "closure":
            m, p = self.list(depth - 1)
            return f"later({m})()", f"later({p})()"
        if way == "partial":
            (m, p), (m2, p2) = self.list(depth - 1), self.number(depth - 1)
            return f"plus({m})({m2})", f"plus({p}, {p2})"
        if way == "reduce":
            (m, p), (m2, p2) = self.rows(), self.number(depth - 1)
            f = self.function(False)
            if f is not None:
                mochi = f"reduce({m}, fun(s: int, x: list<int>): int => s + {f}(x, s % 7), {m2})"
                return mochi, f"functools.reduce(lambda s, x: s + {f}(x, s % 7), live({p}), {p2})"
            return m2, p2
        if way == "member":
            (m, p), (m2, p2) = self.number(depth - 1), self.list(depth - 1)
            return f"(if {m} in {m2} {{ 1 }} else {{ 0 }})", f"(1 if {p} in {p2} else 0)"
        return self.block(depth, self.number)

    def function(self, gives_list: bool) -> str | None:
        names = [n for n, g in self.functions if g == gives_list]
        return self.rand.choice(names) if names else None

    def call(self, depth: int, gives_list: bool) -> Pair:
        f = self.function(gives_list)
        if f is None:
            return ("ga", "ga") if gives_list else ("3", "3")
        (m, p), (m2, p2) = self.list(depth - 1), self.number(depth - 1)
        return f"{f}({m}, {m2})", f"{f}({p}, {p2})"

    def block(self, depth: int, value: Any) -> Pair:
        """`match` with a block that appends to a variable, then a value."""
        name = self.rand.choice(self.lists)
        grown, old, outer = self.number(0), self.number(0), self.indent
        body = value(depth - 1)
        self.indent = outer
        f = self.fresh("block")
        where = "global" if self.owner[name] == 0 else "nonlocal"
        self.blocks.append([
            f"def {f}():",
            f"  {where} {name}",
            f"  if len({name}) < LIMIT: {name} = append({name}, {grown[1]})",
            f"  return {body[1]}",
        ])  # fmt: skip
        grow = f"if len({name}) < LIMIT {{ {name} = append({name}, {grown[0]}) }}"
        mochi = f"(match {old[0]} {{ _ => {{ {grow} {body[0]} }} }})"
        return mochi, f"{f}()"

    def list(self, depth: int) -> Pair:
        if depth <= 0 or self.chance(0.45):
            v = self.rand.choice([*self.lists, "ga", "gb"])
            way = self.pick("var", "var", "var", "row", "field", "entry")
            if way == "row":
                m, p = self.rows()
                i = self.pick("0", "-1", "1")
                return f"{m}[{i}]", f"{p}[{i}]"
            if way == "field":
                return "box.items", "box.items"
            if way == "entry":
                k = self.pick("a", "b")
                return f'table["{k}"]', f'table["{k}"]'
            return v, v
        way = self.pick("append", "slice", "concat", "call", "if", "first", "literal", "query", "block", "sort")
        if way == "append":
            (m, p), (m2, p2) = self.list(depth - 1), self.number(depth - 1)
            return f"append({m}, {m2})", f"append({p}, {p2})"
        if way == "slice":
            (m, p), (m2, p2) = self.list(depth - 1), self.number(depth - 1)
            return f"({m})[{m2}:]", f"({p})[{p2}:]"
        if way == "concat":
            (m, p), (m2, p2) = self.list(depth - 1), self.list(depth - 1)
            return f"({m} + {m2})[0:{LIMIT}]", f"({p} + {p2})[0:{LIMIT}]"
        if way == "call":
            return self.call(depth, True)
        if way == "if":
            (c, d), (m, p), (m2, p2) = self.number(depth - 1), self.list(depth - 1), self.list(depth - 1)
            return f"(if {c} > 3 {{ {m} }} else {{ {m2} }})", f"({p} if {d} > 3 else {p2})"
        if way == "first":
            m, p = self.rows()
            return f"first({m})", f"{p}[0]"
        if way == "literal":
            (m, p), (m2, p2) = self.number(depth - 1), self.number(depth - 1)
            return f"[{m}, {m2}]", f"[{p}, {p2}]"
        if way == "query":
            (m, p), f = self.list(depth - 1), self.function(False)
            if f is None:
                return m, p
            q = self.fresh("q")
            m2, p2 = self.list(0)
            mochi = f"(from {q} in {m} where {f}({m2}, {q}) >= 0 select {q} + 1)"
            return mochi, f"[{q} + 1 for {q} in live({p}) if {f}({p2}, {q}) >= 0]"
        if way == "sort":
            m, p = self.list(depth - 1)
            return f"sort({m})", f"sorted({p})"
        return self.block(depth, self.list)

    def rows(self) -> Pair:
        return self.pick(("rows", "rows"), ("box.rows", "box.rows"))  # type: ignore[no-any-return]

    # -- statements -----------------------------------------------------------------------------

    def emit(self, mochi: str, python: str) -> None:
        """A statement, after the functions that its blocks became."""
        for f in self.blocks:
            for x in f:
                self.python.append("  " * self.indent + x)
        self.blocks = []
        self.line(mochi, python)

    def grow(self, target: Pair, value: Pair, stored: str) -> None:
        """`target = append(target, value)` while the list is short; `stored`: how Python assigns to the target."""
        (m, p), (m2, p2) = target, value
        self.emit(
            f"if len({m}) < LIMIT {{ {m} = append({m}, {m2}) }}",
            f"if len({p}) < LIMIT: {stored.format(f'append({p}, {p2})')}",
        )

    def append_to(self) -> None:
        value = self.number(2)
        way = self.pick("var", "var", "row", "field", "entry", "plain")
        if way == "var":
            v = self.rand.choice(self.lists)
            self.grow((v, v), value, v + " = {}")
        elif way == "plain":  # the list is replaced by a longer copy of another
            v, other = self.rand.choice(self.lists), self.list(1)
            grown = [f"append({a}, {b})[0:LIMIT]" for a, b in zip(other, value, strict=True)]
            self.emit(f"{v} = {grown[0]}", f"{v} = {grown[1]}")
        elif way == "row":
            (r, s), i = self.rows(), self.pick("0", "1", "-1")
            self.grow((f"{r}[{i}]", f"{s}[{i}]"), value, f"store({s}, {i}, {{}})")
        elif way == "field":
            self.grow(("box.items", "box.items"), value, 'store_field(box, "items", {})')
        else:
            k = self.pick("a", "b")
            self.grow((f'table["{k}"]', f'table["{k}"]'), value, f'store(table, "{k}", {{}})')

    def store_into(self) -> None:
        """An element of a list, a row, a field or an entry gets a new value."""
        way = self.pick("element", "row", "rows", "field", "entry", "variable")
        if way == "element":
            v = self.rand.choice(self.lists)
            m, p = self.number(2)
            self.emit(f"if len({v}) > 0 {{ {v}[0] = {m} }}", f"if len({v}) > 0: store({v}, 0, {p})")
            return
        m, p = self.list(2)
        if way == "row":
            (r, s), i = self.rows(), self.pick("0", "1", "-1")
            self.emit(f"{r}[{i}] = {m}", f"store({s}, {i}, {p})")
        elif way == "rows":
            self.grow(("rows", "rows"), (m, p), "rows = {}")
        elif way == "field":
            self.emit(f"box.items = {m}", f'store_field(box, "items", {p})')
        elif way == "entry":
            k = self.pick("a", "b")
            self.emit(f'table["{k}"] = {m}', f'store(table, "{k}", {p})')
        else:
            v = self.rand.choice(self.lists)
            self.emit(f"{v} = {m}", f"{v} = {p}")

    def show(self) -> None:
        parts = [self.pick(self.list, self.list, self.number)(2) for _ in range(self.rand.randrange(1, 4))]
        self.emit(f"print({', '.join(m for m, _ in parts)})", f"print({', '.join(p for _, p in parts)})")

    def declare(self) -> None:
        v = self.fresh("v")
        m, p = self.list(2)
        self.emit(f"var {v} = {m}", f"{v} = {p}")
        self.lists.append(v)
        self.owner[v] = self.level

    def nested(self, depth: int) -> None:
        outer, ints = list(self.lists), list(self.ints)
        self.indent += 1
        for _ in range(self.rand.randrange(1, 4)):
            self.statement(depth - 1)
        self.indent -= 1
        self.lists, self.ints = outer, ints

    def loop(self, depth: int) -> None:
        v = self.fresh("i")
        way = self.pick("list", "list", "rows", "while", "match")
        if way == "list":
            m, p = self.list(1)
            self.emit(f"for {v} in {m} {{", f"for {v} in live({p}):")
            self.line("  fuel = fuel - 1", "  fuel = fuel - 1")
            self.line("  if fuel < 0 { break }", "  if fuel < 0: break")
            self.ints.append(v)
            self.nested(depth)
            self.ints.remove(v)
            self.line("}", "")
            return
        if way == "while":
            m, p = self.list(0)
            self.line(f"var {v} = 0", f"{v} = 0")
            self.line(f"while {v} < len({m}) && fuel > 0 {{", f"while {v} < len({p}) and fuel > 0:")
            self.line(f"  {v} = {v} + 1", f"  {v} = {v} + 1")
            self.line("  fuel = fuel - 1", "  fuel = fuel - 1")
            self.nested(depth)
            self.line("}", "")
            return
        if way == "rows":
            m, p = self.rows()
            self.emit(f"for {v} in {m} {{", f"for {v} in live({p}):")
            closing = "}"
        else:
            m, p = self.list(1)
            self.emit(f"match {m} {{ {v} => {{", f"if True:\n{'  ' * self.indent}  {v} = {p}")
            closing = "} }"
        outer = list(self.lists)
        if self.chance(0.7):
            self.lists = [*self.lists, v]  # a variable like any other: it may be appended to
            self.owner[v] = self.level
        self.nested(depth)
        self.line(f"  print({v})", f"  print({v})")
        self.lists = outer
        self.line(closing, "")

    def attempt(self, depth: int) -> None:
        """An error may leave loops and calls that hold lists; the handler sees what had been done."""
        code = self.fresh("e")
        self.line("try {", "try:")
        self.nested(depth)
        m, p = self.number(1)
        self.indent += 1
        self.emit(f"print(bad({m}))", f"print(bad({p}))")
        self.indent -= 1
        self.line(f"}} catch {code} {{", "except Panic:")
        self.nested(depth)
        self.line("}", "")

    def statement(self, depth: int) -> None:
        ways = [self.append_to, self.append_to, self.store_into, self.show, self.declare]
        if depth > 0 and self.chance(0.3):
            self.rand.choice((self.loop, self.loop, self.loop, self.attempt))(depth)
        else:
            self.rand.choice(ways)()

    def fun(self) -> None:
        name, gives_list = self.fresh("f"), self.chance(0.4)
        typed = self.chance(0.6)
        result = "list<int>" if gives_list else "int"
        head = f"fun {name}(p: list<int>, n: int): {result} {{" if typed else f"fun {name}(p, n) {{"
        self.line(head, f"def {name}(p, n):")
        self.indent += 1
        self.level += 1
        outer, ints = list(self.lists), list(self.ints)
        self.lists = ["ga", "gb", "p", "p"]
        self.owner["p"] = self.level
        self.ints = ["n"]
        self.line("fuel = fuel - 1", "global fuel, rows, ga, gb")
        self.line(f"if fuel < 0 {{ return {'p' if gives_list else '0'} }}", "fuel = fuel - 1")
        self.python.append("  " * self.indent + f"if fuel < 0: return {'p' if gives_list else '0'}")
        for _ in range(self.rand.randrange(2, 5)):
            self.statement(1)
        m, p = self.list(1) if gives_list else self.number(1)
        self.emit(f"return {m}", f"return {p}")
        self.indent -= 1
        self.level -= 1
        self.lists, self.ints = outer, ints
        self.line("}", "")
        self.functions.append((name, gives_list))

    def program(self) -> tuple[str, str]:
        self.mochi = [_MOCHI_HEADER.replace("LIMIT", str(LIMIT))]
        self.python = [_PYTHON_HEADER]
        self.line(f"var fuel = {FUEL}", f"fuel = {FUEL}")
        self.line("var ga: list<int> = [1, 2]", "ga = [1, 2]")
        self.line("var gb: list<int> = [3]", "gb = [3]")
        self.line("var rows: list<list<int>> = [[4], [5, 6]]", "rows = [[4], [5, 6]]")
        self.line("var box = Box { items: [7], rows: [[8], [9]] }", "box = Box([7], [[8], [9]])")
        self.line('var table: map<string, list<int>> = {"a": [1], "b": [2]}', 'table = {"a": [1], "b": [2]}')
        for _ in range(self.rand.randrange(2, 5)):
            self.fun()
        for _ in range(self.rand.randrange(6, 14)):
            self.statement(2)
        self.line("print(ga, gb, rows)", "print(ga, gb, rows)")
        end = 'print(box.items, box.rows, table["a"], table["b"], fuel)'
        self.line(end, end)
        return "\n".join(self.mochi).replace("LIMIT", str(LIMIT)) + "\n", "\n".join(self.python) + "\n"


def random_aliases(seed: int) -> tuple[str, str]:
    """A Mochi program and what it prints."""
    mochi, python = Maker(seed).program()
    out = io.StringIO()
    names: dict[str, Any] = {"append": append, "live": live, "store": store, "store_field": store_field, "LIMIT": LIMIT}
    with contextlib.redirect_stdout(out):
        exec(compile("import functools\n" + python, f"<seed {seed}>", "exec"), names)
    return mochi, out.getvalue()
