"""Rules of the house that a reader relies on: facts about targets and their memory stand in tables and nowhere else."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ours import OURS, ROOT, files, tree_of

from mochic.targets import TARGETS, ready_targets
from objwriter.targets import FORMATS
from objwriter.targets import TARGETS as OBJECTS

FAMILIES = ("x86", "i386", "riscv", "x86_64", "aarch64")
NAMES = frozenset(FAMILIES) | set(TARGETS) | {t.arch for t in TARGETS.values()} | {t.os for t in TARGETS.values()}
# Where the names of CPUs and systems belong: the tables, and each CPU's own folders.
TABLES = re.compile(
    r"mochic/targets\.py"
    r"|mochic/codegen/targets/\w+/\w+\.py"
    r"|backend/arches\.py|backend/(x86|arm64|riscv)/\w+\.py"
    r"|objwriter/(targets|unwind)\.py|objwriter/(relocs|cpus)/\w+\.py"
    r"|mochic/inspect/\w+\.py"  # names of the formats' own, as their readers have them
)
HELP = frozenset(("mochic/cli.py",))  # texts for users


def modules() -> list[tuple[str, ast.Module]]:
    """The project's modules: path in the repository, syntax tree."""
    return [
        (os.path.relpath(path, ROOT).replace(os.sep, "/"), tree_of(path)) for package in OURS for path in files(package)
    ]


def docstrings(tree: ast.Module) -> set[int]:
    """The constants that are docstrings, by identity."""
    return {
        id(n.body[0].value)
        for n in ast.walk(tree)
        if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)
        and n.body
        and isinstance(n.body[0], ast.Expr)
        and isinstance(n.body[0].value, ast.Constant)
    }


def targets_named(tree: ast.Module) -> list[int]:
    """Lines with a text that is the name of a target, a CPU or a system."""
    skip = docstrings(tree)
    return [
        n.lineno
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in skip and n.value in NAMES
    ]


def test_targets_are_named_in_tables_only() -> None:
    wrong = [
        f"{path}:{line}"
        for path, tree in modules()
        if not TABLES.fullmatch(path) and path not in HELP
        for line in targets_named(tree)
    ]
    assert not wrong


@pytest.mark.parametrize("text", ["if t.os == 'linux': pass", "x = {'amd64': 1}", "f('darwin/arm64')"])
def test_a_name_is_found(text: str) -> None:
    assert targets_named(ast.parse(text)) == [1]


def test_both_tables_of_targets_agree() -> None:
    """objwriter knows nothing of mochic, so it has rows of its own: for the same targets with the same facts."""
    ours = {name: (t.format, t.bits, t.big_endian) for name, t in TARGETS.items() if t.format in FORMATS}
    theirs = {name: (t.format, t.bits, t.big_endian) for name, t in OBJECTS.items()}
    assert ours == theirs


# Where code is made for any target: sizes, offsets and the order of bytes are the layout's (mochic/layout.py).
ANY_TARGET = re.compile(r"mochic/(lower|opt|ir)/.*|mochic/codegen/\w+\.py|mochic/codegen/targets/\w+\.py")
NO_MEMORY = frozenset((
    "mochic/ir/interp.py",  # a machine of its own
    "mochic/opt/rulegen.py", "mochic/codegen/rulec.py",  # text to text
))  # fmt: skip
WORDS = (8, -8)
SHIFTS = (3,)


def memory_assumed(tree: ast.Module) -> list[int]:
    """Lines that compute with the size of a word or spell out an order of bytes."""
    skip = docstrings(tree)
    lines = []
    for n in ast.walk(tree):
        if isinstance(n, ast.BinOp):
            sizes = SHIFTS if isinstance(n.op, ast.LShift | ast.RShift) else WORDS
            operands = [n.right] if sizes is SHIFTS else [n.left, n.right]
            if any(isinstance(a, ast.Constant) and a.value in sizes for a in operands):
                lines.append(n.lineno)
        elif isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in skip:
            if n.value in ("little", "big") or re.fullmatch(r"[<>][\dxcbBhHiIqQ]+", n.value):
                lines.append(n.lineno)
    return lines


def test_code_for_any_target_assumes_no_memory() -> None:
    wrong = [
        f"{path}:{line}"
        for path, tree in modules()
        if ANY_TARGET.fullmatch(path) and path not in NO_MEMORY
        for line in memory_assumed(tree)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "text", ["x = y + 8 * i", "x = n // 8", "x = i << 3", "b.to_bytes(8, 'little')", "pack('<IQ', 1, 2)"]
)
def test_an_assumption_is_found(text: str) -> None:
    assert memory_assumed(ast.parse(text)) == [1]


# What a short program does without: its build takes as long as its imports do.
NOT_LOADED = (
    "backend.obj.asmlex", "backend.obj.asmparse", "mochic.lower.ccall", "mochic.lower.load", "mochic.lower.match",
    "mochic.lower.query.select", "mochic.sema.strict.program", "objwriter.archive", "click", "dataclasses", "inspect",
)  # fmt: skip
BUILD = """
import sys
from mochic.driver import build
from mochic.options import Options
opt = Options(sys.argv[1])
opt.emit = "obj"
opt.out = sys.argv[3]
build(sys.argv[2], opt)
print(*sys.modules)
"""


@pytest.mark.parametrize("target", ready_targets())
def test_a_short_program_loads_little(tmp_path: Path, target: str) -> None:
    source = tmp_path / "hello.mochi"
    source.write_text('print("hello")\n')
    command = [sys.executable, "-c", BUILD, target, str(source), str(tmp_path / "hello.o")]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert "mochic.lower.program" in loaded
    assert not set(NOT_LOADED) & set(loaded)
