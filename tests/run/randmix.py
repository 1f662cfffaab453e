"""Random programs over the whole core language: every value kind, aliasing, closures, dynamic values, queries, matches.

A program is grown from typed grammars: one table of expression makers for each type (`randexpr.EXPRESSIONS`), one of
statements (`STATEMENTS`).  All of it is defined behaviour, run errors included: an index or a divisor is left unguarded
now and then.
What keeps the programs small: loops have constant bounds, numbers and strings are cut where they are stored, functions
call only earlier ones and do so outside loops, function values are never assigned again, and a union value grows by
one node at a time.
"""

from __future__ import annotations

from randexpr import FIELDS, FUNCTION, KEYS, LISTS, MAPS, SCALARS, TYPES, Env, Expressions

HEADER = """type P { a: int, b: float, s: string, xs: list<int> }
type Q { p: P, o: any, n: int, m: map<string,int>
  fun total(k: int): int { return (n + k * len(m)) % 1000003 }
  fun label(): string { return p.s + str(n % 100) }
}
type U = A | B(n: int, s: string) | C(l: U, r: U) | D(xs: list<int>, f: float)
fun nz(x: int): int { return if x == 0 { 1 } else { x } }
fun nf(x: float): float { return if x == 0.0 { 1.0 } else { x } }
fun add3(a: int, b: int, c: int): int { return (a + b * 2 - c) % 1000003 }
fun same(x) { return x }
fun twice(f: fun(int): int, x: int): int { return f(f(x)) }
fun pick(c: bool, x, y) { if c { return x } return y }
fun at(xs, i) { return xs[i] }
fun size(u: U): int {
  return match u { A => 1 B(n, s) => n % 10 + len(s) C(l, r) => size(l) + size(r) D(xs, _) => len(xs) }
}
"""


class Mixer(Expressions):
    # Statements: each takes the indentation and the depth of blocks left

    def declare(self, indent: str, _: int, kind: str = "") -> None:
        kind = kind or self.rand.choice(TYPES)
        name = self.fresh("v")
        mutable = kind != FUNCTION and self.chance(0.85)
        typed = f": {kind}" if self.chance(0.4) or kind in ("any", "U") or kind in LISTS or kind in MAPS else ""
        if kind == "any" and self.chance(0.5):
            typed = ""
        self.out.append(f"{indent}{'var' if mutable else 'let'} {name}{typed} = {self.stored(kind)}")
        self.env.append((name, kind, mutable))

    def assign(self, indent: str, _: int) -> None:
        targets = [(n, t) for n, t, _ in self.env if n in self.variables(t, True)]
        if targets:
            name, kind = self.rand.choice(targets)
            self.out.append(f"{indent}{name} = {self.stored(kind)}")

    def alias(self, indent: str, _: int) -> None:
        targets = [(n, t) for n, t, _ in self.env if t in (*LISTS, *MAPS, *FIELDS) and n in self.variables(t)]
        if targets:
            name, kind = self.rand.choice(targets)
            other = self.fresh("w")
            self.out.append(f"{indent}var {other} = {name}")
            self.env.append((other, kind, True))

    def grow(self, indent: str, _: int) -> None:
        """Append in place to a variable, a field, an element or a map entry."""
        k = self.rand.random()
        kind = self.rand.choice(tuple(LISTS))
        if k < 0.4:
            target = self.variable(kind, True)
        elif k < 0.6:
            base = self.variable("P")
            target, kind = base and f"{base}.xs", "list<int>"
        elif k < 0.7:
            base = self.variable("Q")
            target, kind = base and f"{base}.p.xs", "list<int>"
        elif k < 0.85:
            base = self.variable("list<list<int>>")
            if base:
                self.out.append(
                    f"{indent}if len({base}) > 0 {{ {base}[0] = append({base}[0], {self.stored('int', 1)}) }}"
                )
            return
        else:
            m, key = self.variable("map<string,list<int>>"), self.rand.choice(KEYS)
            if m:
                self.out.append(f"{indent}{m}[{key}] = append({m}[{key}], {self.stored('int', 1)})")
            return
        if target:
            self.out.append(f"{indent}{target} = append({target}, {self.stored(LISTS[kind], 1)})")

    def store(self, indent: str, _: int) -> None:
        kind = self.rand.choice((*LISTS, *MAPS))
        base = self.variable(kind)
        if not base:
            return
        if kind in MAPS:
            self.out.append(f"{indent}{base}[{self.key(kind, 1)}] = {self.stored(MAPS[kind][1])}")
        else:
            index = self.index(base, 1, False)
            self.out.append(f"{indent}if len({base}) > 0 {{ {base}[{index}] = {self.stored(LISTS[kind])} }}")

    def store_field(self, indent: str, _: int) -> None:
        kind = self.rand.choice(("P", "P", "Q"))
        base = self.variable(kind)
        xs = self.variable("list<P>")
        if kind == "P" and xs and self.chance(0.4):
            f, t = self.rand.choice(FIELDS["P"])
            self.out.append(f"{indent}if len({xs}) > 0 {{ {xs}[{self.index(xs, 0, False)}].{f} = {self.stored(t)} }}")
        elif base:
            f, t = self.rand.choice(FIELDS[kind])
            self.out.append(f"{indent}{base}.{f} = {self.stored(t)}")

    def block(self, indent: str, depth: int, more: Env, least: int = 1) -> None:
        saved = self.env
        self.env = [*saved, *more]
        for _ in range(self.rand.randint(least, least + 3)):
            self.statement(indent, depth)
        self.env = saved

    def condition(self, indent: str, depth: int) -> None:
        if depth <= 0:
            return
        test = self.expr(self.rand.choice(("bool", "bool", "bool", "any")), 2)
        self.out.append(f"{indent}if {test} {{")
        self.block(indent + "  ", depth - 1, [])
        if self.chance(0.5):
            self.out.append(f"{indent}}} else {{")
            self.block(indent + "  ", depth - 1, [])
        self.out.append(f"{indent}}}")

    def guard(self, indent: str, depth: int) -> None:
        """Narrowing: the value of a map entry, used where it is not none."""
        m = self.variable("map<string,int>")
        if not m or depth <= 0:
            return
        name = self.fresh("o")
        self.out.append(f"{indent}let {name} = {m}[{self.rand.choice(KEYS)}]")
        self.out.append(f"{indent}if {name} != none {{")
        self.block(indent + "  ", depth - 1, [(name, "int", False)])
        self.out.append(f"{indent}}}")
        self.env.append((name, "any", False))

    def attempt(self, indent: str, depth: int) -> None:
        """`try`, its body often ended by an error, or left."""
        if depth <= 0:
            return
        name = self.fresh("e")
        inner = indent + "  "
        self.out.append(f"{indent}try {{")
        self.block(inner, depth - 1, [])
        end = self.rand.choice(('panic(7, "t")', 'print(1 / (len("") - 0))', "leave", "", ""))
        if end == "leave":
            end = self.rand.choice(("break", "continue")) if self.loops else ""
        if end:
            self.out.append(f"{inner}if {self.expr('bool', 2)} {{ {end} }}")
        self.block(inner, depth - 1, [], 0)
        self.out.append(f"{indent}}} catch {name} {{")
        self.block(inner, depth - 1, [(name, "int", False)])
        self.out.append(f"{indent}}}")

    def loop(self, indent: str, depth: int) -> None:
        if depth <= 0 or self.loops > 1:
            return
        rand = self.rand
        k, name, inner = rand.random(), self.fresh("i"), indent + "  "
        more: Env = [(name, "int", False)]
        if k < 0.35:
            last = rand.choice(("3", "4", f"{self.expr('int', 1)} % 4"))
            self.out.append(f"{indent}for {name} in {rand.choice(('0', '1', '-2'))}..{last} {{")
        elif k < 0.55:
            kind = rand.choice(tuple(LISTS))
            self.out.append(
                f"{indent}for {name} in ({self.expr(kind, 1)})[0:4] {{"
                if self.chance(0.3)
                else f"{indent}for {name} in {self.leaf(kind)} {{"
            )
            more = [(name, LISTS[kind], False)]
        elif k < 0.7:
            kind = rand.choice(tuple(MAPS))
            self.out.append(f"{indent}for {name} in {self.leaf(kind)} {{")
            more = [(name, MAPS[kind][0], False)]
        elif k < 0.8:
            self.out.append(f"{indent}for {name} in ({self.leaf('string')})[0:4] {{")
            more = [(name, "string", False)]
        else:
            self.out.append(f"{indent}var {name} = {rand.randint(2, 5)}")
            self.out.append(f"{indent}while {name} > 0 {{")
            self.out.append(f"{inner}{name} = {name} - 1")
        self.loops += 1
        self.small += 1
        if self.chance(0.35):
            self.out.append(f"{inner}if {self.expr('bool', 1)} {{ {rand.choice(('break', 'continue'))} }}")
        self.block(inner, depth - 1, more, 2)
        if self.chance(0.3):
            self.out.append(f"{inner}if {self.expr('bool', 1)} {{ {rand.choice(('break', 'continue'))} }}")
        self.small -= 1
        self.loops -= 1
        self.out.append(f"{indent}}}")

    def closures(self, indent: str, depth: int) -> None:
        """Functions made in a loop, which capture its variables, called after it."""
        if depth <= 0 or self.loops or not self.captures:
            return
        fs, i, v, saved = self.fresh("fs"), self.fresh("i"), self.fresh("v"), self.env
        self.out.append(f"{indent}var {fs}: list<fun(int): int> = []")
        self.out.append(f"{indent}for {i} in 0..3 {{")
        self.small += 1
        self.loops += 1
        self.env = [*saved, (i, "int", False)]
        self.out.append(f"{indent}  var {v} = {self.stored('int', 1)}")
        self.env.append((v, "int", True))
        self.out.append(f"{indent}  {fs} = append({fs}, {self.function_value('', 1)})")
        if self.chance(0.5):
            self.out.append(f"{indent}  {v} = {self.stored('int', 1)}")
        self.loops -= 1
        self.small -= 1
        self.env = saved
        self.out.append(f"{indent}}}")
        self.out.append(f"{indent}for {i} in {fs} {{ print({i}(1), {i}({self.expr('int', 0)})) }}")

    def show(self, indent: str, _: int) -> None:
        if self.small and self.chance(0.5):
            return
        kinds = [t for t in TYPES if t != FUNCTION]
        values = [self.expr(self.rand.choice(kinds), 2) for _ in range(self.rand.choice((1, 2, 2, 3)))]
        self.out.append(f"{indent}print({', '.join(values)})")

    def early(self, indent: str, _: int) -> None:
        if self.returns:
            self.out.append(f"{indent}if {self.expr('bool', 2)} {{ return {self.stored(self.returns)} }}")

    def effect(self, indent: str, _: int) -> None:
        f = self.variable(FUNCTION)
        if f:
            self.out.append(f"{indent}{f}({self.expr('int', 1)})")

    def nested(self, indent: str, depth: int) -> None:
        """A function inside a function or block, which captures what it sees."""
        if depth <= 0 or self.loops:
            return
        name, kind = self.fresh("h"), self.rand.choice(SCALARS)
        self.function(indent, name, kind, [kind], 1, nested=True)
        self.out.append(f"{indent}print({name}({self.stored(kind, 1)}))")

    def statement(self, indent: str, depth: int) -> None:
        self.rand.choice(STATEMENTS)(self, indent, depth)

    # Functions and the program

    def function(self, indent: str, name: str, kind: str, params: list[str], depth: int, nested: bool = False) -> bool:
        names = [self.fresh("p") for _ in params]
        saved = self.env, self.returns, self.loops
        self.env = [v for v in self.env if nested or "fun" not in v[1]] + [
            (n, t, True) for n, t in zip(names, params, strict=True)
        ]
        self.returns, self.loops = kind, 0
        self.small += 1
        typed = self.chance(0.6)
        head = ", ".join(
            f"{n}: {t}" if typed or t == FUNCTION or t == "U" else n for n, t in zip(names, params, strict=True)
        )
        self.out.append(f"{indent}fun {name}({head}){f': {kind}' if typed else ''} {{")
        inner = indent + "  "
        recursive = not nested and self.chance(0.3)
        if recursive:
            self.out.append(f"{inner}if left <= 0 {{ return {self.stored(kind)} }}")
            self.out[-2] = self.out[-2].replace(f"fun {name}(", f"fun {name}(left: int, ")
            self.block(inner, 0, [], 1)
            rest = ", ".join(self.stored(t, 1) for t in params)
            self.out.append(f"{inner}let {name}_r = {name}(left - 1, {rest})")
            self.env.append((f"{name}_r", kind, False))
        for _ in range(self.rand.randint(2, 4)):
            self.statement(inner, depth)
        self.out += [f"{inner}return {self.stored(kind)}", f"{indent}}}"]
        self.small -= 1
        self.env, self.returns, self.loops = saved
        return recursive

    def program(self) -> str:
        rand = self.rand
        for kind in rand.sample(TYPES, rand.randint(6, 10)):
            self.declare("", 0, kind)
        for i in range(rand.randint(1, 3)):
            kind = rand.choice(tuple(t for t in TYPES if t != FUNCTION))
            params = [rand.choice(TYPES) for _ in range(rand.randint(1, 3))]
            recursive = self.function("", f"f{i}", kind, params, 2)
            self.functions.append((f"f{i}", ["left", *params] if recursive else params, kind))
        body = "  " if self.chance(0.5) else ""
        if body:
            self.out.append("fun main() {")
        for _ in range(rand.randint(7, 12)):
            self.statement(body, 2)
        for name, kind, _ in {v[0]: v for v in self.env}.values():
            if kind != FUNCTION:
                self.out.append(f"{body}print({name})")
        if body:
            self.out += ["}", "main()"]
        return HEADER + "\n".join(self.out) + "\n"


M = Mixer
STATEMENTS = (
    M.declare, M.declare, M.declare, M.assign, M.assign, M.assign, M.alias, M.grow, M.grow, M.store, M.store,
    M.store_field, M.condition, M.loop, M.loop, M.closures, M.show, M.show, M.early, M.effect, M.nested, M.guard,
    M.attempt,
)  # fmt: skip


def random_mix(seed: int) -> str:
    return Mixer(seed).program()
