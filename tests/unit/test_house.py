"""Rules of the house that a reader relies on: facts about targets stand in their tables and nowhere else."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator

import pytest

from mochic.targets import TARGETS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = ("mochic", "backend", "objwriter", "linkscripts")
NAMES = frozenset(TARGETS) | {t.arch for t in TARGETS.values()} | {t.os for t in TARGETS.values()}
# Where the names of CPUs and systems belong: the tables, and each CPU's own folders.
TABLES = re.compile(
    r"mochic/targets\.py"
    r"|mochic/codegen/targets/\w+/\w+\.py"
    r"|backend/arches\.py|backend/(x86|arm64|riscv)/\w+\.py"
    r"|objwriter/(elf|macho|coff|unwind\w*)\.py|objwriter/relocs/\w+\.py"
    r"|mochic/inspect/\w+\.py"  # names of the formats' own, as their readers have them
)
HELP = frozenset(("mochic/cli.py",))  # texts for users


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in OURS:
        for folder, _, names in os.walk(os.path.join(ROOT, package)):
            for name in sorted(names):
                if name.endswith(".py"):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as f:
                        yield os.path.relpath(path, ROOT).replace(os.sep, "/"), ast.parse(f.read())


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
