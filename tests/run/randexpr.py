"""Random expressions of every type, as text: the tables of makers that `randmix` grows programs from.

A maker takes a type and a depth, and gives the empty string when the pieces it needs are not in scope.
"""

from __future__ import annotations

import random

INTS = (
    0,
    1,
    2,
    3,
    5,
    7,
    10,
    64,
    255,
    1000003,
    4294967296,
    4611686018427387903,
    4611686018427387904,
    9223372036854775807,
)
FLOATS = ("0.0", "0.5", "1.0", "2.25", "3.0", "100.0", "1e-3", "12345.678", "0.1", "1e6")
STRINGS = ('""', '"a"', '"b"', '"abc"', '"héllo"', '"日本語"', '"😀x"', '"x y"', '"A\\n"', '"10"', '"ß"')
CUTS = (7, 100, 1000003, 1000000007, 4611686018427387904, 9223372036854775807)
KEYS = ('"a"', '"b"', '"k"', '"é"')
SCALARS = ("int", "float", "string", "bool")
LISTS = {
    "list<int>": "int",
    "list<float>": "float",
    "list<string>": "string",
    "list<P>": "P",
    "list<any>": "any",
    "list<list<int>>": "list<int>",
}
MAPS = {
    "map<string,int>": ("string", "int"),
    "map<int,int>": ("int", "int"),
    "map<string,list<int>>": ("string", "list<int>"),
    "map<string,any>": ("string", "any"),
    "map<int,string>": ("int", "string"),
}
SHOWN = ("int", "float", "bool", "any", "list<any>", "P", "map<string,any>", "list<float>", "U")
FUNCTION = "fun(int): int"
TYPES = (*SCALARS, "int", "int", "any", "any", *LISTS, *MAPS, "P", "Q", "U", FUNCTION)
FIELDS = {
    "P": (("a", "int"), ("b", "float"), ("s", "string"), ("xs", "list<int>")),
    "Q": (("p", "P"), ("o", "any"), ("n", "int"), ("m", "map<string,int>")),
}

Env = list[tuple[str, str, bool]]


class Expressions:
    """What is in scope, and makers of expressions over it."""

    def __init__(self, seed: int) -> None:
        self.rand = random.Random(seed)
        self.names = 0
        self.out: list[str] = []
        self.env: Env = []
        self.functions: list[tuple[str, list[str], str]] = []
        self.returns = ""
        self.loops = 0
        self.small = 0  # values must be cut: inside a loop or a function that may run in one
        self.captures = seed % 3 == 0  # closures made in loops
        self.pure = 0  # no calls with effects

    # Parts

    def chance(self, p: float) -> bool:
        return self.rand.random() < p

    def fresh(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def variables(self, kind: str, assigned: bool = False) -> list[str]:
        found = {}
        for name, t, mutable in self.env:
            found[name] = t == kind and (mutable or not assigned)
        return [n for n, ok in found.items() if ok]

    def variable(self, kind: str, assigned: bool = False) -> str:
        """A visible variable of a type, or the empty string."""
        names = self.variables(kind, assigned)
        return self.rand.choice(names) if names else ""

    def expr(self, kind: str, depth: int) -> str:
        if depth <= 0 or self.chance(0.2):
            return self.leaf(kind)
        text = self.rand.choice(EXPRESSIONS.get(kind) or COLLECTIONS)(self, kind, depth - 1)
        return text or self.leaf(kind)

    def leaf(self, kind: str) -> str:
        if self.chance(0.75) and (name := self.variable(kind)):
            return name
        rand = self.rand
        if kind == "int":
            c = rand.choice(INTS) if self.chance(0.5) else rand.randint(0, 9)
            return str(c) if self.chance(0.8) else f"(-{c})"
        if kind == "float":
            return rand.choice(FLOATS)
        if kind == "string":
            return rand.choice(STRINGS)
        if kind == "bool":
            a = self.variable("int")
            return (
                f"({a} {rand.choice(('<', '>=', '!='))} {rand.randint(-3, 9)})" if a else rand.choice(("true", "false"))
            )
        if kind == "any":
            if self.chance(0.4):
                return self.leaf(rand.choice(("int", "float", "string", "list<int>", "P")))
            return rand.choice(("1", "2.5", '"s"', "true", "none", "[1, 2]", '{"a": 1}', "7", "3.0"))
        if kind in FIELDS:
            return self.struct(kind, 0)
        if kind == "U":
            return rand.choice(("A", f"B({rand.randint(0, 99)}, {rand.choice(STRINGS)})", "D([1, 2], 0.5)"))
        if kind == FUNCTION:
            return self.function_value(kind, 0)
        if kind in MAPS:
            return self.map_literal(kind, 0)
        return self.list_literal(kind, 0)

    def stored(self, kind: str, depth: int = 2) -> str:
        """An expression that may be stored over and over without growing."""
        e = self.expr(kind, depth)
        if kind == "int":
            return f"{e} % {self.rand.choice(CUTS)}" if self.small or self.chance(0.5) else e
        if kind == "float":
            return f"{e} % 1000.5"
        if kind == "string":
            return f"({e})[0:{self.rand.randint(3, 9)}]"
        if kind in LISTS and self.small:
            return f"({e})[0:6]"
        return e

    def index(self, sequence: str, depth: int, wrong: bool = True) -> str:
        """An index of a sequence that is not empty; rarely one that may be out of range."""
        e = self.expr("int", depth)
        if wrong and self.chance(0.02):
            return f"{e} % 5"
        return f"abs({e}) % len({sequence})" if self.chance(0.8) else f"-1 - abs({e}) % len({sequence})"

    # Expressions: each takes (type, depth) and gives text, or "" when the pieces are missing

    def arithmetic(self, kind: str, depth: int) -> str:
        return f"({self.expr(kind, depth)} {self.rand.choice('+-*')} {self.expr(kind, depth)})"

    def int_division(self, _: str, depth: int) -> str:
        b = self.expr("int", depth)
        return f"({self.expr('int', depth)} {self.rand.choice('/%')} {b if self.chance(0.03) else f'nz({b})'})"

    def float_division(self, _: str, depth: int) -> str:
        return f"({self.expr('float', depth)} {self.rand.choice('/%')} nf({self.expr('float', depth)}))"

    def mixed_arithmetic(self, _: str, depth: int) -> str:
        a, b = f"({self.expr('int', depth)} % 1000)", self.expr("float", depth)
        if self.chance(0.5):
            a, b = b, a
        return f"({a} {self.rand.choice('+-*')} {b})"

    def negate(self, kind: str, depth: int) -> str:
        return f"({'!' if kind == 'bool' else '-'}{self.expr(kind, depth)})"

    def choice(self, kind: str, depth: int) -> str:
        return f"(if {self.expr('bool', depth)} {{ {self.expr(kind, depth)} }} else {{ {self.expr(kind, depth)} }})"

    def compare(self, _: str, depth: int) -> str:
        kind = self.rand.choice(("int", "int", "float", "string"))
        op = self.rand.choice(("<", "<=", ">", ">=", "==", "!="))
        return f"({self.expr(kind, depth)} {op} {self.expr(kind, depth)})"

    def equal(self, _: str, depth: int) -> str:
        kind = self.rand.choice(("any", "list<int>", "P", "U", "map<string,int>", "list<any>"))
        return f"({self.expr(kind, depth)} {self.rand.choice(('==', '!='))} {self.expr(kind, depth)})"

    def both(self, _: str, depth: int) -> str:
        return f"({self.expr('bool', depth)} {self.rand.choice(('&&', '||'))} {self.expr('bool', depth)})"

    def member(self, _: str, depth: int) -> str:
        kind = self.rand.choice((*LISTS, *MAPS, "string"))
        item = "string" if kind == "string" else LISTS[kind] if kind in LISTS else MAPS[kind][0]
        return f"({self.expr(item, depth)} in {self.expr(kind, depth)})"

    def length(self, _: str, depth: int) -> str:
        kind = self.rand.choice((*LISTS, *MAPS, "string"))
        return f"{self.rand.choice(('len', 'len', 'count')) if kind in LISTS else 'len'}({self.expr(kind, depth)})"

    def aggregate(self, kind: str, depth: int) -> str:
        if kind == "int" and self.chance(0.7):
            x = self.fresh("r")
            how = self.rand.choice(("min", "max", "sum"))
            return f"{how}((from {x} in {self.leaf('list<int>')} select {x} % 1000003))"
        return f"sum({self.leaf('list<int>')})" if kind == "int" else f"(sum({self.leaf('list<float>')}) + 0.0)"

    def conversion(self, kind: str, depth: int) -> str:
        if kind == "int":
            return self.rand.choice(
                (
                    f"(({self.expr('float', depth)} % 1000.0) as int)",
                    f"abs({self.expr('int', depth)})",
                    f"int(str({self.expr('int', depth)}))",
                )
            )
        if kind == "float":
            return f"(({self.expr('int', depth)} % 100000) as float)"
        return f"str({self.expr(self.rand.choice(SHOWN), depth)})"

    def call(self, kind: str, depth: int) -> str:
        fits = [f for f in self.functions if f[2] == kind]
        if self.pure or self.loops or not fits:
            return ""
        name, params, _ = self.rand.choice(fits)
        args = [str(self.rand.randint(0, 3)) if p == "left" else self.stored(p, depth) for p in params]
        return f"{name}({', '.join(args)})"

    def method(self, kind: str, depth: int) -> str:
        q = self.variable("Q")
        return "" if not q else f"{q}.total({self.expr('int', depth)})" if kind == "int" else f"{q}.label()"

    def from_dynamic(self, kind: str, depth: int) -> str:
        """A typed value out of a dynamic one: a record's entry, a list of many kinds, a cast."""
        k = self.rand.choice(KEYS)
        e = self.expr(kind, depth)
        if self.pure:
            return f'({{{k}: {e}, "z": none}}[{k}] as {kind})'
        return self.rand.choice(
            (
                f'({{{k}: {e}, "z": "s"}}[{k}] as {kind})',
                f"([{e}, none][0] as {kind})",
                f"(same({e}) as {kind})",
                f"(at([{e}, {self.expr('any', depth)}], 0) as {kind})",
            )
        )

    def call_value(self, _: str, depth: int) -> str:
        f = self.variable(FUNCTION)
        if self.pure or not f:
            return ""
        return self.rand.choice((f"{f}({self.expr('int', depth)})", f"twice({f}, {self.expr('int', depth)})"))

    def partial(self, _: str, depth: int) -> str:
        a, b, c = (self.expr("int", depth) for _ in range(3))
        return self.rand.choice((f"add3({a})({b}, {c})", f"add3({a}, {b})({c})", f"add3({a})({b})({c})"))

    def element(self, kind: str, depth: int) -> str:
        lists = [t for t, item in LISTS.items() if item == kind]
        xs = self.variable(self.rand.choice(lists)) if lists else ""
        if kind == "string" and self.chance(0.5):
            xs = self.variable("string")
        if not xs:
            return ""
        return f"(if len({xs}) > 0 {{ {xs}[{self.index(xs, depth)}] }} else {{ {self.leaf(kind)} }})"

    def looked_up(self, kind: str, depth: int) -> str:
        maps = [t for t, (_, value) in MAPS.items() if value == kind]
        t = self.rand.choice(maps) if maps else ""
        m = self.variable(t) if t else ""
        return f"({m}[{self.key(t, depth)}] ?? {self.leaf(kind)})" if m else ""

    def narrowed(self, kind: str, depth: int) -> str:
        m = self.variable("map<string,int>")
        if not m:
            return ""
        k = self.rand.choice(KEYS)
        a, b = self.expr("int", depth), self.expr("int", depth)
        return f"(if {m}[{k}] != none {{ ({m}[{k}] as int) + {a} }} else {{ {b} }})"

    def key(self, kind: str, depth: int) -> str:
        return f"(abs({self.expr('int', depth)}) % 5)" if MAPS[kind][0] == "int" else self.rand.choice(KEYS)

    def field(self, kind: str, depth: int) -> str:
        fits = [(t, f) for t, fields in FIELDS.items() for f, k in fields if k == kind]
        if not fits:
            return ""
        t, f = self.rand.choice(fits)
        base = self.variable(t)
        return f"{base}.{f}" if base else f"{self.expr(t, depth)}.{f}" if self.chance(0.3) and depth else ""

    def slice(self, kind: str, depth: int) -> str:
        a = self.rand.choice(("", str(self.rand.randint(0, 4)), f" -{self.rand.randint(1, 3)}"))
        b = self.rand.choice(("", str(self.rand.randint(0, 4)), "4"))
        if not a and not b:
            a = "1"
        return f"({self.expr(kind, depth)})[{a}:{b}]"

    def concat(self, kind: str, depth: int) -> str:
        if kind == "string" and self.chance(0.3):
            other = self.expr(self.rand.choice(("int", "bool", "list<any>")), depth)
            return f"({self.expr('string', depth)} + {other})"
        return f"({self.expr(kind, depth)} + {self.expr(kind, depth)})"

    def text_builtin(self, _: str, depth: int) -> str:
        s = self.expr("string", depth)
        return self.rand.choice(
            (
                f"upper({s})",
                f"lower({s})",
                f"reverse({s})",
                f"trim({s})",
                f"substring({s}, 1, 3)",
                f"repeat(({s})[0:3], 2)",
            )
        )

    def list_literal(self, kind: str, depth: int) -> str:
        n = self.rand.choice((0, 1, 2, 3, 3)) if depth else self.rand.choice((1, 2, 3))
        return "[" + ", ".join(self.expr(LISTS[kind], depth) for _ in range(n)) + "]"

    def map_literal(self, kind: str, depth: int) -> str:
        key, value = MAPS[kind]
        keys = self.rand.sample(KEYS, 2) if key == "string" else [str(k) for k in self.rand.sample(range(10), 2)]
        return "{" + ", ".join(f"{k}: {self.expr(value, depth)}" for k in keys) + "}"

    def appended(self, kind: str, depth: int) -> str:
        return f"append({self.expr(kind, depth)}, {self.expr(LISTS[kind], depth)})" if kind in LISTS else ""

    def list_builtin(self, kind: str, depth: int) -> str:
        if kind not in LISTS:
            return ""
        a, b = self.expr(kind, depth), self.expr(kind, depth)
        if LISTS[kind] in ("int", "string") and self.chance(0.5):
            return f"({a} {self.rand.choice(('union', 'union all', 'except', 'intersect'))} {b})"
        return self.rand.choice((f"reverse({a})", f"concat({a}, {b})", f"distinct({a})"))

    def struct(self, kind: str, depth: int) -> str:
        return f"{kind} {{ " + ", ".join(f"{f}: {self.expr(t, depth)}" for f, t in FIELDS[kind]) + " }"

    def variant(self, kind: str, depth: int) -> str:
        if (u := self.variable("U")) and self.chance(0.4):
            return f"C({u}, B({self.expr('int', depth)} % 100, {self.rand.choice(STRINGS)}))"
        return self.rand.choice(
            (
                f"B({self.expr('int', depth)} % 100, {self.rand.choice(STRINGS)})",
                f"D({self.expr('list<int>', depth)}, {self.expr('float', depth)})",
                "A",
            )
        )

    def matched(self, kind: str, depth: int) -> str:
        """A match on a union, an int or a string."""
        saved, env = self.env, list(self.env)
        k = self.rand.random()
        if k < 0.5:
            n, s, xs, f, u = (self.fresh(c) for c in "nszfu")
            arms = [
                ("A", []),
                (f"B({n}, {s})", [(n, "int", False), (s, "string", False)]),
                (f"D({xs}, {f})", [(xs, "list<int>", False), (f, "float", False)]),
            ]
            arms = self.rand.sample(arms, self.rand.choice((2, 3)))
            arms.append(
                (f"C(B({n}, _), {u})", [(n, "int", False), (u, "U", False)])
                if self.chance(0.4)
                else (f"C({u}, _)", [(u, "U", False)])
            )
            head = self.expr("U", depth)
        else:
            t = "int" if k < 0.75 else "string"
            values = [str(v) for v in range(3)] if t == "int" else list(STRINGS[:4])
            arms = [(v, []) for v in values]
            head = f"({self.expr('int', depth)} % 3)" if t == "int" else self.expr(t, depth)
        lines = []
        for pattern, bound in arms:
            self.env = env + bound
            lines.append(f"{pattern} => {self.expr(kind, depth)}")
        self.env = saved
        lines.append(f"_ => {self.expr(kind, depth)}")
        return f"(match ({head}) {{ {' '.join(lines)} }})"

    def dynamic(self, _: str, depth: int) -> str:
        rand = self.rand
        kind = rand.choice(("int", "float", "string", "bool", "list<int>", "P", "map<string,any>", "list<any>", "U"))
        e = self.expr(kind, depth)
        k = rand.random()
        if k < 0.4:
            return e
        if k < 0.5:
            return f"same({e})"
        if k < 0.65:
            return f"pick({self.expr('bool', depth)}, {e}, {self.expr('any', depth)})"
        if k < 0.75:
            return f"(if {self.expr('bool', depth)} {{ {e} }} else {{ {self.expr('any', depth)} }})"
        if k < 0.85:
            return f"({self.expr('any', depth)} ?? {e})"
        other = rand.choice((self.expr("float", depth), "none"))
        number = f"pick({self.expr('bool', depth)}, {self.expr('int', depth)}, {other})"
        return f"({number} {rand.choice('+-*')} {self.expr('int', depth)})"

    def query(self, kind: str, depth: int) -> str:
        """A query whose result is a list of `kind`'s elements, or any list."""
        rand = self.rand
        source = rand.choice(("list<int>", "list<P>", "list<string>", "list<P>"))
        self.pure += 1
        saved = self.env
        x, y = self.fresh("r"), self.fresh("r")
        text = f"from {x} in {self.leaf(source)}"
        self.env = [*saved, (x, LISTS[source], False)]
        if self.chance(0.25):
            text += f" from {y} in {self.leaf('list<int>')}"
            self.env = [*self.env, (y, "int", False)]
        elif self.chance(0.35):
            side = rand.choice(("", "", "left ", "right ", "outer "))
            other = rand.choice((source, "list<P>", "list<any>"))
            a = f"{x}.{rand.choice('abs')}" if source == "list<P>" and self.chance(0.7) else x
            b = f"{y}.{a[-1]}" if other == "list<P>" and a != x else y
            if side in ("right ", "outer "):  # their sources do not see the variables before
                self.env = saved
            text += f" {side}join {y} in {self.leaf(other)} on {a} {rand.choice(('==', '==', '==', '!='))} {b}"
            if side in ("right ", "outer "):
                self.env = [*saved, (x, "any", False)]
            self.env = [*self.env, (y, "any" if side in ("left ", "outer ") else LISTS[other], False)]
        if self.chance(0.5):
            text += f" where {self.expr('bool', 1)}"
        item = LISTS.get(kind, "any")
        if kind == "any" and self.chance(0.5):
            g = self.fresh("g")
            key = rand.choice((f"{self.expr('int', 1)} % 3", self.expr("string", 1)))
            text += f" group by {key} into {g}"
            self.env = saved
            if self.chance(0.3):
                text += f" having count({g}) > {rand.randint(0, 2)}"
            text += f" sort by {rand.choice((f'{g}.key', f'[count({g}), {g}.key]'))}"
            text += f' select {{"k": {g}.key, "n": count({g}), "items": {g}.items}}'
        else:
            if self.chance(0.5):
                by = self.expr("int", 1)
                text += f" sort by {rand.choice((by, f'-({by})', self.expr('string', 1)))}"
            if self.chance(0.3):
                text += f" {rand.choice(('skip', 'take'))} {rand.randint(0, 3)}"
            e = self.expr(item, 1)
            if e.startswith(("sum(", "min(", "max(", "count(")):
                e = f"[{e}][0]"  # alone it would aggregate the rows
            text += f" select {rand.choice(('', '', 'distinct ')) if item in ('int', 'string') else ''}{e}"
        self.env = saved
        self.pure -= 1
        return f"({text})"

    def total(self, kind: str, depth: int) -> str:
        self.pure += 1
        x, saved = self.fresh("r"), self.env
        xs = self.leaf("list<P>")
        self.env = [*saved, (x, "P", False)]
        how = self.rand.choice(("sum", "min", "max"))
        item = f"{self.leaf(kind)} + {self.expr(kind, 0)} % 1000"
        text = f"(from {x} in {xs} where {self.expr('bool', 1)} select {how}({item}))"
        self.env = saved
        self.pure -= 1
        return text if kind == "int" else f"({text} + 0.0)"

    def function_value(self, _: str, depth: int) -> str:
        rand = self.rand
        if self.chance(0.15):
            return f"add3({self.expr('int', min(depth, 1))}, {self.expr('int', 0)})"
        x, saved, loops = self.fresh("q"), self.env, self.loops
        self.env = [v for v in saved if v[1] != "list<fun(int): int>"] + [(x, "int", True)]
        self.small += 1
        typed = rand.choice((f"({x}: int): int", f"({x}: int): int", f"({x})"))
        self.loops += 1
        target = self.variable("int", True)
        if self.chance(0.4) and target and not self.pure:
            s = self.variable("string", True)
            more = f" {s} = {self.stored('string', 1)}" if s and self.chance(0.3) else ""
            text = f"fun{typed} {{ {target} = {self.stored('int', 1)}{more} return {self.expr('int', 1)} % 1000003 }}"
        else:
            text = f"fun{typed} => {self.expr('int', 1)} % 1000003"
        self.loops = loops
        self.small -= 1
        self.env = saved
        return f"({text})"


M = Expressions
EXPRESSIONS = {
    "int": (
        M.arithmetic, M.arithmetic, M.arithmetic, M.int_division, M.negate, M.choice, M.length, M.aggregate,
        M.conversion, M.call, M.call_value, M.call_value, M.partial, M.method, M.from_dynamic, M.from_dynamic,
        M.element, M.element, M.looked_up, M.narrowed, M.field, M.field, M.matched, M.total,
    ),
    "float": (
        M.arithmetic, M.float_division, M.mixed_arithmetic, M.negate, M.choice, M.aggregate, M.conversion, M.call,
        M.element, M.field, M.matched, M.total, M.from_dynamic,
    ),
    "string": (
        M.concat, M.concat, M.slice, M.choice, M.conversion, M.call, M.element, M.element, M.looked_up, M.field,
        M.text_builtin, M.matched, M.method, M.from_dynamic,
    ),
    "bool": (
        M.compare, M.compare, M.equal, M.both, M.negate, M.member, M.call, M.matched,
    ),
    "any": (
        M.dynamic, M.dynamic, M.dynamic, M.element, M.looked_up, M.field, M.call, M.query, M.matched,
    ),
    "P": (M.struct, M.element, M.field, M.call, M.choice, M.matched),
    "Q": (M.struct, M.call, M.choice),
    "U": (M.variant, M.variant, M.call, M.choice, M.matched),
    FUNCTION: (M.function_value,),
    **dict.fromkeys(MAPS, (M.map_literal, M.map_literal, M.call, M.choice, M.field)),
}  # fmt: skip
COLLECTIONS = (
    M.list_literal, M.list_literal, M.appended, M.appended, M.slice, M.concat, M.list_builtin, M.query, M.call,
    M.choice, M.field, M.looked_up, M.element, M.matched,
)  # fmt: skip
