"""The rule compiler: selection rules in text to plain Python functions.

    python3 -m mochic.codegen.rulec amd64

reads targets/amd64/isel.rules and writes targets/amd64/rules.py.  Directives: `!backend x86` names the folder of the
assembler, `!width L Q` is what `?` in a mnemonic stands for (32 and 64 bits; `.` is nothing), `!tests CMP` how the
mnemonics begin that write none of their operands, `!cc slt LT GT` the conditions of an op and of the op with its
operands exchanged.

A rule is `(op TYPES operand...) && guard => TEMPLATE ; TEMPLATE`.

Patterns.  An operand is
    x              any value; the same name twice: the same value
    (iconst c)     a constant, bound to c;  (iconst 0): that constant
    (fconst c)     a float constant, c its bits
    (op a b)       a value of that op whose only use is here, in the same block: it is computed as part of this
                   instruction and gets no register;  (op* a b): also when others use it, if none of those needs it in a
                   register: for what costs nothing here
    {m}            a load of the operation's width that may be folded into the instruction; {m:i32} one of i32
For commutative ops a rule is tried with its operands in both orders.

Templates are Go assembly, sources first; `;` separates instructions.  Operands are
    v              the result               v/x   the result, which starts as a copy of x (two-address forms)
    x              a value in a register    t t2  scratch registers
    $c $(expr)     an immediate             c(x)  (x)(y*4)   an address
    [a]            the memory at a plus the op's offset;   {m}   the folded load's memory;   [a:4] {m:4}  4 bytes of it
    x<<c x>>c x->c a shifted register, where the CPU has such operands
    x!             the register of x, or the zero register if x is the constant 0;   %ZR   a machine register
    #c             a double in memory       ##n   a 16-byte constant in memory
    @proc(args)    calls that method of the target's selector instead
`cond` rules end in `-> CC`: the condition, or `cc`/`rcc` for the op's own and the one with exchanged operands.

The guard is a Python expression over the bound names with simm12(c), simm32(c), uimm12(c), pow2(c), log2(c), wrap32(c),
`bits` (32 or 64), and the methods of the target's selector as s.name(c).

Checked: ops and arities exist, names are bound, mnemonics exist, and each op x type that the verifier
admits ends in a rule without guard and with plain operands only, so that selection cannot fail.

The output is one function per op and type: a straight line of tests.  Interpreting patterns instead costs twice
the time per value.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

from mochic.ir.ops import IS_COMMUTATIVE, OP_ARITY, OP_BY_NAME, OP_NAMES
from mochic.ir.types import TYPE_BY_NAME, TYPE_NAMES
from mochic.ir.verify import SIGNATURES

# Ops whose rules are chosen by the type of an argument instead of that of the result.
KEY_ARG: Final = {
    **dict.fromkeys("eq ne slt sle ult ule feq fne flt fle addov subov mulov".split(), 0),
    **dict.fromkeys("st st8 st16 st32".split(), 1),
}
# Selected by code in isel.py (constants, addresses of symbols, what makes no code, calls) or gone before (opt.intrep).
UNRULED: Final = frozenset(
    """iconst fconst symaddr cast trunc32 alloca call calli alloc toint fromint totag untag int2f f2int
    mapfind mapslot feed""".split()
)
GUARDS: Final = (
    (re.compile(r" && "), " and "),
    (re.compile(r"simm32\((-?\w+)\)"), r"-0x80000000 <= \1 <= 0x7FFFFFFF"),
    (re.compile(r"simm12\((-?\w+)\)"), r"-0x800 <= \1 <= 0x7FF"),
    (re.compile(r"uimm12\((-?\w+)\)"), r"0 <= \1 <= 0xFFF"),
    (re.compile(r"pow2\((\w+)\)"), r"(\1 > 0 and not \1 & (\1 - 1))"),
    (re.compile(r"log2\((\w+)\)"), r"(\1.bit_length() - 1)"),
    (re.compile(r"wrap32\((\w+)\)"), r"((\1 + 0x80000000) & 0xFFFFFFFF) - 0x80000000"),
)

# A pattern is a name, an int, or [op, operands...]; {m} is ["{}", "m"].
Pattern = Any


class RuleError(Exception):
    """A mistake in a rules file."""


class Rule:
    __slots__ = ("cond", "ops", "types", "args", "guard", "templates", "cc", "text", "line")

    def __init__(self, text: str, line: int) -> None:
        self.text = " ".join(text.split())
        self.line = line
        left, arrow, right = text.partition("=>")
        if not arrow:
            raise RuleError(f"line {line}: no `=>`")
        pattern, _, self.guard = (p.strip() for p in left.partition("&&"))
        self.cond = pattern.startswith("cond ")
        tokens = re.findall(r"\(|\)|\{[\w:]+\}|[^\s(){}]+", pattern.removeprefix("cond "))
        tree, end = _parse(tokens, 0, line)
        if end != len(tokens) or not isinstance(tree, list) or len(tree) < 3:
            raise RuleError(f"line {line}: malformed pattern")
        self.ops: list[str] = tree[0].split("|")
        self.types: list[str] = tree[1].split("|")
        self.args: list[Pattern] = tree[2:]
        self.cc = ""
        if self.cond and "->" in right:
            right, _, self.cc = (p.strip() for p in right.rpartition("->"))
        self.templates = [t.strip() for t in right.split(";")]
        for op in self.ops:
            if OP_BY_NAME.get(op) is None or OP_ARITY[OP_BY_NAME[op]] != len(self.args):
                raise RuleError(f"line {line}: no op {op} with {len(self.args)} operands")
        for t in self.types:
            if t not in TYPE_BY_NAME:
                raise RuleError(f"line {line}: no type {t}")

    @property
    def total(self) -> bool:
        """Does the rule always apply?"""
        return not self.guard and all(isinstance(a, str) for a in self.args) and len(set(self.args)) == len(self.args)


def _parse(tokens: list[str], i: int, line: int) -> tuple[Pattern, int]:
    if i >= len(tokens) or tokens[i] == ")":
        raise RuleError(f"line {line}: malformed pattern")
    t = tokens[i]
    if t[0] == "{":
        return ["{}", t[1:-1]], i + 1
    if t != "(":
        return (int(t) if t.lstrip("-").isdigit() else t), i + 1
    out: list[Pattern] = []
    i += 1
    while i < len(tokens) and tokens[i] != ")":
        node, i = _parse(tokens, i, line)
        out.append(node)
    return out, i + 1


def parse_rules(text: str) -> tuple[list[Rule], dict[str, list[str]]]:
    """All rules of a file, and its directives."""
    rules = []
    directives: dict[str, list[str]] = {}
    for n, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line.startswith("!"):
            name, *rest = line[1:].split()
            if name == "cc":
                name += rest.pop(0)
            directives[name] = rest
        elif line and line[0] != "#":
            rules.append(Rule(line, n))
    return rules, directives


def variants(args: list[Pattern], op: str) -> Iterator[list[Pattern]]:
    """The operand orders to try: both when the op is commutative and they differ in kind."""
    choices = [list(_nested(a)) for a in args]
    orders: list[list[Pattern]] = [[]]
    for c in choices:
        orders = [[*o, x] for o in orders for x in c]
    for o in orders:
        yield o
        plain = all(isinstance(x, str) for x in o)
        if op in OP_BY_NAME and IS_COMMUTATIVE[OP_BY_NAME[op]] and not plain:
            yield [o[1], o[0]]


def _nested(p: Pattern) -> Iterator[Pattern]:
    if isinstance(p, list) and p[0] not in ("iconst", "fconst", "{}"):
        for args in variants(p[1:], p[0]):
            yield [p[0], *args]
    else:
        yield p


class _Matcher:
    """Turns one pattern into tests and bindings."""

    def __init__(self, rule: Rule, type: str) -> None:
        self.rule = rule
        self.type = type
        self.tests: list[tuple[str, str]] = []  # ("if", expr) or ("let", "name = expr")
        self.values: dict[str, str] = {}  # operand name -> Python expression for the Value
        self.consts: set[str] = set()

    def match(self, p: Pattern, at: str) -> None:
        if isinstance(p, str):
            old = self.values.get(p)
            if old is not None:
                self.tests.append(("if", f"{at} is {old}"))
            else:
                self.values[p] = at
        elif p[0] == "{}":
            name, _, type = p[1].partition(":")
            width = {"i32": f"{at}.type == I32", "f64": f"{at}.type == F64"}.get(
                type or self.type, f"{at}.type != I32 and {at}.type != F64"
            )
            self.tests.append(("if", f"{at}.op == LD and {width} and s.folds({at})"))
            self.values[name] = at
        elif p[0] in ("iconst", "fconst"):
            if isinstance(p[1], int):
                self.tests.append(("if", f"{at}.op == {p[0].upper()} and {at}.imm == {p[1]}"))
            else:
                self.tests.append(("if", f"{at}.op == {p[0].upper()}"))
                self.tests.append(("let", f"{p[1]} = {at}.imm"))
                self.consts.add(p[1])
        else:
            op = p[0].rstrip("*")
            arity = OP_ARITY[OP_BY_NAME[op]] if op in OP_BY_NAME else -1
            if arity != len(p) - 1:
                raise RuleError(f"line {self.rule.line}: no op {op} with {len(p) - 1} operands")
            free = f"s.single({at})" if op == p[0] else f"s.regs[{at}.id] is None"
            self.tests.append(("if", f"{at}.op == {op.upper()} and {free}"))
            names = [f"{at}_{i}" for i in range(arity)]
            self.tests.append(("let", f"{', '.join(names)}{',' if arity == 1 else ''} = {at}.args"))
            for q, name in zip(p[1:], names, strict=True):
                self.match(q, name)


class Compiler:
    """Collects the functions of one target."""

    def __init__(self, ops: dict[str, int], directives: dict[str, list[str]]) -> None:
        self.mnemonics = ops
        self.directives = directives
        self.tests = tuple(directives["tests"])
        self.widths = ["" if w == "." else w for w in directives["width"]]
        self.used: set[str] = set()
        self.ir_ops: set[str] = set()

    def guard(self, text: str, bits: int) -> str:
        for pattern, repl in GUARDS:
            text = pattern.sub(repl, text)
        return re.sub(r"\bbits\b", str(bits), text)

    def opcode(self, mnemonic: str, type: str, line: int) -> str:
        name = mnemonic.replace("?", self.widths[type != "i32"])
        if name not in self.mnemonics:
            raise RuleError(f"line {line}: no instruction {name}")
        self.used.add("A" + name)
        return "A" + name

    def operand(self, text: str, m: _Matcher, temps: list[str], bits: int) -> tuple[str, str]:
        """(Python expression for the Addr, expression for the tied value or "")."""
        line = m.rule.line

        def value(name: str) -> str:
            if name in m.values:
                return f"s.use({m.values[name]})"
            if re.fullmatch(r"t\d?", name):
                if name not in temps:
                    temps.append(name)
                return name
            raise RuleError(f"line {line}: {name} is not bound")

        if text == "v":
            return "d", ""
        if "/" in text:
            dst, _, src = text.partition("/")
            return ("d" if dst == "v" else value(dst)), value(src)
        if text[0] == "$":
            return f"imm({self.guard(text[1:], bits)})", ""
        if text[0] == "[":
            name, _, width = text[1:-1].partition(":")
            return f"s.addr({m.values[name]}, v.imm{', ' * bool(width)}{width})", ""
        if text[0] == "{":
            name, _, width = text[1:-1].partition(":")
            at = m.values[name]
            return f"s.addr({at}.args[0], {at}.imm{', ' * bool(width)}{width})", ""
        if text[0] == "%":
            return f"REG_{text[1:]}", ""
        if text[-1] == "!":
            if text[:-1] not in m.values:
                raise RuleError(f"line {line}: {text} is not bound")
            return f"s.zero_or({m.values[text[:-1]]})", ""
        if text.startswith("##"):
            return f"s.wide_constant({text[2:]})", ""
        if text[0] == "#":
            return f"s.float_constant({text[1:]})", ""
        shift = re.fullmatch(r"(\w+)(<<|>>|->)(.+)", text)
        if shift:
            return f"s.shifted({value(shift[1])}, '{shift[2]}', {self.guard(shift[3], bits)})", ""
        mem = re.fullmatch(r"(\w+|\(-\w+\))?\((\w+)\)(?:\((\w+)\*(.+)\))?", text)
        if mem:
            offset = mem[1] or "0"
            if mem[3]:
                scale = self.guard(mem[4].strip("()") if mem[4][0] == "(" else mem[4], bits)
                return (
                    f"Addr(MEM, {value(mem[2])}.reg, {offset}, None, {value(mem[3])}.reg, {scale})",
                    "",
                )
            return f"Addr(MEM, {value(mem[2])}.reg, {offset})", ""
        return value(text), ""

    def templates(self, rule: Rule, m: _Matcher, type: str, op: str) -> list[str]:
        bits = 32 if type == "i32" else 64
        out: list[str] = []
        temps: list[str] = []
        first = rule.templates[0]
        if first[0] == "@":
            name, _, rest = first[1:].partition("(")
            args = [a.strip() for a in rest.rstrip(")").split(",")]
            call = f"s.{name}({', '.join(m.values.get(a, a) for a in args)})"
            return [f"return {call}" if rule.cond else call] + ([] if rule.cond else ["return"])
        for text in reversed(rule.templates):
            mnemonic, _, rest = text.partition(" ")
            fields = _split_operands(rest)
            opcode = self.opcode(mnemonic, type, rule.line)
            tied = ""
            exprs: list[str] = []
            for f in fields:
                expr, tie = self.operand(f, m, temps, bits)
                exprs.append(expr)
                tied = tie or tied
            last = fields[-1] if fields else ""
            if tied:
                mark = f"{tied}.reg"
            elif last == "v" or (re.fullmatch(r"t\d?", last) and not mnemonic.startswith(self.tests)):
                mark = "M_DEF"
            else:
                mark = "M_USE"
            out.append(f"s.emit({opcode}, [{', '.join(exprs)}], {mark}, v.pos)")
        head = [f"{t} = s.temp()" for t in temps]
        if any(re.search(r"\bd\b", o.replace("M_DEF", "")) for o in out):
            head.append("d = s.dst(v)")
        if rule.cond:
            cc = rule.cc
            if cc in ("cc", "rcc"):
                if f"cc{op}" not in self.directives:
                    raise RuleError(f"line {rule.line}: no !cc {op}")
                cc = self.directives[f"cc{op}"][0 if cc == "cc" else 1]
            self.used.add("CC_" + cc)
            return head + out + [f"return CC_{cc}"]
        return head + out + ["return"]

    def function(self, name: str, op: str, type: str, rules: list[Rule]) -> list[str]:
        arity = OP_ARITY[OP_BY_NAME[op]]
        cond = rules[0].cond
        out = [f"def {name}(s: Selector, v: Value) -> {'int' if cond else 'None'}:"]
        names = [f"a{i}" for i in range(arity)]
        out.append(f"    {', '.join(names)}{',' if arity == 1 else ''} = v.args")
        for rule in rules:
            out.append(f"    # {rule.text}")
            for args in variants(rule.args, op):
                m = _Matcher(rule, type)
                for p, at in zip(args, names, strict=True):
                    m.match(p, at)
                tests = list(m.tests)
                if rule.guard:
                    tests.append(("if", self.guard(rule.guard, 32 if type == "i32" else 64)))
                    for n in sorted(m.values, key=len, reverse=True):
                        tests[-1] = ("if", re.sub(rf"\b{n}\b(?=[,)])", m.values[n], tests[-1][1]))
                depth = 1
                for i, (kind, text) in enumerate(tests):
                    if kind == "let":
                        out.append("    " * depth + text)
                        continue
                    follows = i + 1 < len(tests) and tests[i + 1][0] == "if"
                    if follows:  # join neighbouring tests
                        tests[i + 1] = ("if", f"{_and(text)} and {_and(tests[i + 1][1])}")
                        continue
                    out.append("    " * depth + f"if {text}:")
                    depth += 1
                tied = [t for t in rule.templates if "v/" in t]
                if rule.total and tied and IS_COMMUTATIVE[OP_BY_NAME[op]] and rule.templates[0][0] != "@":
                    out.append("    " * depth + "if s.nuses[a0.id] != 1 and s.nuses[a1.id] == 1:")
                    out.append("    " * depth + "    a0, a1 = a1, a0  # overwrite the operand that dies here")
                out += ["    " * depth + text for text in self.templates(rule, m, type, op)]
                for _, text in m.tests:
                    self.ir_ops.update(re.findall(r"\.op == ([A-Z0-9]+)", text))
        if out[-1].strip() == "return":
            out.pop()
        return out


def _and(text: str) -> str:
    return f"({text})" if " or " in text else text


def _split_operands(text: str) -> list[str]:
    out: list[str] = []
    depth = 0
    start = 0
    for i, c in enumerate(text):
        depth += c in "([{"
        depth -= c in ")]}"
        if c == "," and not depth:
            out.append(text[start:i].strip())
            start = i + 1
    last = text[start:].strip()
    return [*out, last] if last else out


def key_types(op: str) -> list[str]:
    """The types by which rules of an op are chosen, as far as the verifier admits them after opt.intrep."""
    rows = SIGNATURES[OP_BY_NAME[op]]
    assert rows is not None
    at = KEY_ARG.get(op, -1)
    int_type = TYPE_BY_NAME["int"]
    return [TYPE_NAMES[t] for t in sorted({row[at] for row in rows if int_type not in row})]


def compile_rules(text: str, target: str, ops: dict[str, int]) -> str:
    """The Python module for a rules file; `ops` are the target's mnemonics."""
    rules, directives = parse_rules(text)
    for name in ("backend", "width", "tests"):
        if name not in directives:
            raise RuleError(f"no !{name}")
    backend = directives["backend"][0]
    c = Compiler(ops, directives)
    body: list[str] = []
    tables: dict[bool, list[str]] = {False: [], True: []}
    for op in OP_NAMES:
        for cond in (False, True):
            mine = [r for r in rules if op in r.ops and r.cond == cond]
            if not mine and (op in UNRULED or (cond and op not in KEY_ARG) or (cond and op.startswith("st"))):
                continue
            row: dict[str, str] = {}
            seen: dict[str, str] = {}
            for type in key_types(op):
                chain = [r for r in mine if type in r.types]
                if not chain or not chain[-1].total:
                    raise RuleError(f"{'cond ' if cond else ''}{op} {type}: no final unconditional rule")
                for r in chain[:-1]:
                    if r.total:
                        raise RuleError(f"line {r.line}: the rules after it are never reached for {op} {type}")
                name = f"{'cond_' if cond else ''}{op}_{type}"
                code = c.function(name, op, type, chain)
                text = "\n".join(code[1:])
                if text not in seen:  # i64, ptr, ref and tag mostly share one function
                    seen[text] = name
                    body += ["", "", *code]
                row[type] = seen[text]
            cells = [row.get(t, "None") for t in TYPE_NAMES]
            tables[cond].append(f"    {op.upper()}: ({', '.join(cells)}),")
            c.ir_ops.add(op.upper())
    ccs = sorted(u for u in c.used if u.startswith("CC_"))
    opcodes = sorted(u for u in c.used if not u.startswith("CC_"))
    ccs += sorted(set(re.findall(r"\bREG_\w+", "\n".join(body))))
    head = [
        f'"""Instruction selection for {target}.  Generated by mochic.codegen.rulec from isel.rules; do not edit."""',
        "",
        "# ruff: noqa",
        "# fmt: off",
        "from __future__ import annotations",
        "",
        "from collections.abc import Callable",
        "from typing import TYPE_CHECKING, Final",
        "",
        "from backend.obj.prog import MEM, Addr",
        *_wrap(f"from backend.{backend}.ops import ", opcodes),
        *_wrap("from mochic.codegen.code import ", ["M_DEF", "M_USE"]),
        "from mochic.codegen.machine import imm",
        *_wrap(f"from mochic.codegen.targets.{target}.regs import ", ccs),
        "from mochic.ir.func import Value",
        *_wrap("from mochic.ir.ops import ", sorted(c.ir_ops)),
        "from mochic.ir.types import F64, I32",
        "",
        "if TYPE_CHECKING:",
        f"    from mochic.codegen.targets.{target}.select import Selector",
    ]
    tail = [
        "",
        "",
        "# Functions by op, then by the number of the type that chooses the rule.",
        "RULES: Final[dict[int, tuple[Callable[[Selector, Value], None] | None, ...]]] = {",
        *tables[False],
        "}",
        "CONDITIONS: Final[dict[int, tuple[Callable[[Selector, Value], int] | None, ...]]] = {",
        *tables[True],
        "}",
        f"KEY_ARG: Final = {{{', '.join(f'{op.upper()}: {i}' for op, i in KEY_ARG.items())}}}",
    ]
    return "\n".join(head + body + tail) + "\n"


def _wrap(prefix: str, names: list[str]) -> list[str]:
    lines = [prefix + "("]
    line = "   "
    for n in names:
        if len(line) + len(n) > 110:
            lines.append(line)
            line = "   "
        line += f" {n},"
    return [*lines, line, ")"]


def target_folder(target: str) -> str:
    """The folder of a target's code generator."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "targets", target)


def rules_source(target: str) -> str:
    """What rules.py of a target should be."""
    with open(os.path.join(target_folder(target), "isel.rules"), encoding="utf-8") as f:
        text = f.read()
    backend = parse_rules(text)[1]["backend"][0]
    ops: dict[str, int] = import_module(f"backend.{backend}.ops").OPS
    return compile_rules(text, target, ops)


def main(argv: list[str]) -> int:
    """Compile the rules of the named targets."""
    for target in argv[1:]:
        text = rules_source(target)
        with open(os.path.join(target_folder(target), "rules.py"), "w", encoding="utf-8") as f:
            f.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
