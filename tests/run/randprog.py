"""Random programs about integers: arithmetic near the borders of words and tags, loops, conditions, calls, lists.

They always end: loops are bounded, values are cut back before they explode, divisors are never zero.
"""

from __future__ import annotations

import random

CONSTANTS = (
    0, 1, 2, 3, 5, 7, 10, 63, 64, 100, 255, 1000, 65536, 1000003, 2147483647, 4294967296, 1000000007,
    4611686018427387903, 4611686018427387904, 9223372036854775807,
)  # fmt: skip
DIVISORS = (2, 3, 7, 10, 16, 1000003, 4294967296, 9223372036854775807)
TOO_LARGE = "1000000000000000000 * 1000000000000"


class Generator:
    def __init__(self, seed: int) -> None:
        self.rand = random.Random(seed)
        self.functions: list[tuple[str, int]] = []
        self.names = 0

    def fresh(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def constant(self) -> str:
        c = self.rand.choice(CONSTANTS)
        return str(c) if self.rand.random() < 0.75 else f"(0 - {c})"

    def expr(self, names: list[str], depth: int) -> str:
        """An int expression over `names`."""
        rand = self.rand
        k = rand.random()
        if depth <= 0 or k < 0.25:
            return rand.choice(names) if names and rand.random() < 0.7 else self.constant()
        a = self.expr(names, depth - 1)
        if k < 0.55:
            return f"({a} {rand.choice('+-*')} {self.expr(names, depth - 1)})"
        if k < 0.75:
            b = str(rand.choice(DIVISORS)) if rand.random() < 0.6 else f"nz({self.expr(names, depth - 1)})"
            return f"({a} {rand.choice('/%')} {b})"
        if k < 0.8:
            return f"(-{a})"
        if k < 0.85:
            return f"(if {self.condition(names, depth - 1)} {{ {a} }} else {{ {self.expr(names, depth - 1)} }})"
        if k < 0.9:
            return f"abs({a})"
        if k < 0.95 and self.functions:
            name, count = rand.choice(self.functions)
            return f"{name}({', '.join(self.expr(names, depth - 1) for _ in range(count))})"
        return f"{rand.choice(('min', 'max'))}({a}, {self.expr(names, depth - 1)})"

    def condition(self, names: list[str], depth: int) -> str:
        op = self.rand.choice(("<", "<=", ">", ">=", "==", "!="))
        text = f"{self.expr(names, depth)} {op} {self.expr(names, depth)}"
        if self.rand.random() < 0.2:
            link, op = self.rand.choice(("&&", "||")), self.rand.choice("<>")
            text += f" {link} {self.expr(names, depth)} {op} {self.expr(names, depth)}"
        return text

    def block(self, variables: list[str], fixed: list[str], indent: str, depth: int) -> list[str]:
        """A few statements that may assign to `variables` and read `fixed` too."""
        rand = self.rand
        out: list[str] = []
        variables = list(variables)
        inner = indent + "  "
        for _ in range(rand.randint(2, 4)):
            names = variables + fixed
            k = rand.random()
            target = rand.choice(variables)
            if k < 0.3:
                name = self.fresh("v")
                out.append(f"{indent}var {name} = {self.expr(names, 2)}")
                variables.append(name)
            elif k < 0.6 or depth == 0:
                out.append(f"{indent}{target} = {self.expr(names, 2)}")
            elif k < 0.72:
                out.append(f"{indent}if {self.condition(names, 1)} {{")
                out += self.block(variables, fixed, inner, depth - 1)
                if rand.random() < 0.5:
                    out.append(f"{indent}}} else {{")
                    out += self.block(variables, fixed, inner, depth - 1)
                out.append(f"{indent}}}")
            elif k < 0.86:
                counter = self.fresh("i")
                last = rand.choice(("5", "9", "12"))
                if rand.random() < 0.3:
                    last += f" + abs({target}) % 4"
                out.append(f"{indent}for {counter} in {rand.choice(('0', '1', '-3', '2'))}..{last} {{")
                out += self.block(variables, [*fixed, counter], inner, depth - 1)
                out.append(f"{inner}if abs({target}) > {TOO_LARGE} {{ {target} = {target} % 9223372036854775807 }}")
                out.append(f"{indent}}}")
            elif k < 0.93:
                counter = self.fresh("c")
                out.append(f"{indent}var {counter} = {rand.choice((10, 7, 20))}")
                out.append(f"{indent}while {counter} > 0 {{")
                out.append(f"{inner}{counter} = {counter} - {rand.choice((1, 2, 3))}")
                out += self.block(variables, [*fixed, counter], inner, depth - 1)
                out.append(f"{indent}}}")
            else:
                out.append(f"{indent}xs[{rand.randint(0, 3)}] = {self.expr(names, 1)} % 1000000007000")
                out.append(f"{indent}{target} = xs[abs({self.expr(names, 1)}) % 4]")
        return out

    def program(self) -> str:
        rand = self.rand
        out = ["var xs = [1, 2, 3, 4]", "fun nz(x: int): int { return if x == 0 { 1 } else { x } }"]
        for i in range(rand.randint(1, 3)):
            params = [f"p{j}" for j in range(rand.randint(1, 3))]
            typed = rand.random() < 0.5
            head = ", ".join(p + (": int" if typed else "") for p in params)
            out.append(f"fun f{i}({head}){': int' if typed else ''} {{")
            out += self.block(params, [], "  ", 1)
            out.append(f"  return {self.expr(params, 2)} % {rand.choice((1000000007, 9223372036854775807, 100))}")
            out.append("}")
            self.functions.append((f"f{i}", len(params)))
        out += ["fun main() {", "  var a = 1", "  var b = 2"]
        out += self.block(["a", "b"], [], "  ", 2)
        out += ["  print(a, b)", "}", "main()", "print(xs)"]
        for name, count in self.functions:
            out.append(f"print({name}({', '.join(self.constant() for _ in range(count))}))")
        return "\n".join(out) + "\n"


def random_program(seed: int) -> str:
    return Generator(seed).program()
