"""IR file tests.

A file is IR text whose comments say what to do, one directive a line, before or between functions:

    ; test verify                 the verifier accepts it
    ; test verify MESSAGE         the verifier refuses it with a message that contains this
    ; test opt PASS...            after the passes, the function's text is what `;=` lines say
    ; test isel [CPU [ISA]]       the final code (default: amd64) is what `;=` lines say
    ; run: f(1, -2) == 3          the interpreter, the machine code, and both at -O2 agree on that
    ; run: f(5) traps             the interpreter stops at a trap (not run natively)

A directive is about the function that follows it; `;=` lines stand behind the function.  With MOCHI_BLESS=1 in the
environment the expectations are rewritten.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from backend.obj.printer import format_function
from backend.arches import load_arch
from mochic.codegen.compile import compile_func
from mochic.codegen.context import Context
from mochic.codegen.targets import load_target
from mochic.ir.func import Func, Module
from mochic.ir.interp import InterpError, Machine
from mochic.ir.ops import OP_NAMES
from mochic.ir.parser import parse_module
from mochic.ir.printer import print_func
from mochic.ir.verify import verify, verify_module
from mochic.opt import dce, gvn, jumpthread, peel
from mochic.opt.pipeline import run_pipeline
from native import Native, available

HERE = Path(__file__).parent
PASSES = {"gvn": gvn.run, "dce": dce.run, "jumpthread": jumpthread.run, "peel": peel.run}
BLESS = os.environ.get("MOCHI_BLESS") == "1"


class Case:
    """One function of a file with its directives and expectations."""

    def __init__(self, path: Path, line: int) -> None:
        self.path = path
        self.line = line
        self.name = ""
        self.tests: list[str] = []
        self.runs: list[str] = []
        self.want: list[str] = []
        self.text = ""  # the function, what it calls and the data of the file
        self.end = 0  # line the expectations start at, and their number
        self.found = 0


def read(path: Path) -> list[Case]:
    cases: list[Case] = []
    case = Case(path, 1)
    inside = False
    shared: list[str] = []
    bodies: dict[str, list[str]] = {}
    for n, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip()
        if text.startswith(("; test ", "; run: ")) and case.end:
            case = Case(path, n)
        if text.startswith("; test "):
            case.tests.append(text[7:])
        elif text.startswith("; run: "):
            case.runs.append(text[7:])
        elif text.startswith("fun @"):
            if case.end or case.name:
                case = Case(path, n)
            case.name = text[5:].partition("(")[0]
            inside = True
            bodies[case.name] = []
        elif text.startswith(("data ", "extern ")):
            shared.append(line)
        if inside:
            bodies[case.name].append(line)
        if text == "}" and inside:
            inside = False
            case.end = n
            cases.append(case)
        elif text.startswith(";="):
            case.want.append(line[3:] if line.startswith(";= ") else "")
            case.found += 1
    for case in cases:
        names = [case.name]
        for name in names:
            for line in bodies[name][1:]:
                names += [w for w in bodies if w not in names and f"@{w}(" in line]
        case.text = "\n".join(shared + [line for name in names for line in bodies[name]])
    return cases


CASES = [c for p in sorted(HERE.glob("*.ir")) for c in read(p)]


def function(m: Module, name: str) -> Func:
    return next(fn for fn in m.funcs if fn.sym.name == name)


def expect(case: Case, got: str) -> None:
    lines = got.rstrip("\n").splitlines()
    if BLESS and lines != case.want:
        pending.append((case, lines))
        return
    assert lines == case.want, f"{case.path.name}:{case.line}\n" + got


pending: list[tuple[Case, list[str]]] = []


@pytest.fixture(scope="module", autouse=True)
def bless() -> Any:
    """Write new expectations at the end, from the last line of each file to the first."""
    yield
    for case, lines in sorted(pending, key=lambda x: -x[0].end):
        text = case.path.read_text().splitlines()
        text[case.end : case.end + case.found] = [f";= {x}".rstrip() for x in lines]
        case.path.write_text("\n".join(text) + "\n")


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.path.stem}:{c.name}")
def test_ir(case: Case) -> None:
    text = case.text
    m = parse_module(text)
    fn = function(m, case.name)
    for test in case.tests:
        what, _, rest = test.partition(" ")
        if what == "verify":
            if rest:
                with pytest.raises(AssertionError) as e:
                    verify(fn)
                assert rest in str(e.value)
            else:
                verify(fn)
        elif what == "opt":
            verify(fn)
            for name in rest.split():
                PASSES[name](fn)
                verify(fn)
            expect(case, print_func(fn))
        elif what == "isel":
            verify(fn)
            expect(case, machine_code(fn, *(rest.split() or ["amd64"])))
        else:
            raise AssertionError(f"unknown test {what}")
    for run in case.runs:
        check_run(text, case.name, run)


def machine_code(fn: Func, cpu: str, march: str = "") -> str:
    """The final Progs of a function as text."""
    ctx = Context(load_target(cpu, march))
    ctx.check = True
    code = compile_func(fn, ctx)
    sym = ctx.lsym(fn.sym)
    ctx.machine.assemble(sym, code.progs)
    arch = load_arch(cpu, march)
    return format_function(arch, sym, code.progs)


@pytest.mark.parametrize("cpu", ["arm64", "riscv64"])
def test_every_rule_is_used(cpu: str) -> None:
    """The isel files of a CPU reach the code of each of its rules (rulec.py writes the rule in front of it)."""
    module = import_module(f"mochic.codegen.targets.{cpu}.rules")
    path = module.__file__
    assert path is not None
    rule_of: dict[int, str] = {}  # line of the code of a match -> its rule
    rule = ""
    for n, line in enumerate(Path(path).read_text().splitlines(), 1):
        text = line.strip()
        if text.startswith("# ") and "=>" in text:
            rule = text[2:]
        elif text.startswith(("return", "s.")) and rule:
            rule_of[n] = rule
        elif text.startswith("def "):
            rule = ""
    used: set[str] = set()

    def line_trace(frame: Any, event: str, arg: object) -> Any:
        if event == "line":
            used.add(rule_of.get(frame.f_lineno, ""))
        return line_trace

    def call_trace(frame: Any, event: str, arg: object) -> Any:
        return line_trace if frame.f_code.co_filename == path else None

    before = sys.gettrace()
    for case in CASES:
        for test in case.tests:
            what, *choice = test.split()
            if what == "isel" and choice[:1] == [cpu]:
                m = parse_module(case.text)
                sys.settrace(call_trace)
                try:
                    machine_code(function(m, case.name), *choice)
                finally:
                    sys.settrace(before)
    free = {OP_NAMES[op] for op in load_target(cpu).selector.free}  # no code, but every op must have a rule
    unused = sorted({r for r in rule_of.values() if r not in used})
    assert [r for r in unused if "@unreachable" not in r and r[1:].split()[0] not in free] == []


def number(word: str) -> Any:
    return float(word) if any(c in word for c in ".n") or ("e" in word and "x" not in word) else int(word, 0)


def same(a: Any, b: Any) -> bool:
    return bool(a == b or (a != a and b != b))


def check_run(text: str, name: str, run: str) -> None:
    m = parse_module(text)
    call, _, want = run.partition(")")
    args = [number(a.strip()) for a in call.partition("(")[2].split(",") if a.strip()]
    if want.strip() == "traps":
        with pytest.raises(InterpError):
            Machine(m).call(name, args)
        return
    value = number(want.strip().removeprefix("==").strip()) if want.strip() else None
    got = Machine(m).call(name, args)
    assert same(got, value), f"interpreter: {got}"
    if not available():
        return
    for level in (0, 2):
        m = parse_module(text)
        verify_module(m)
        run_pipeline(m, level, check=True)
        got = Native(m).call(name, args)
        assert same(got, value), f"machine code at -O{level}: {got}"
