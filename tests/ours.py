"""The project's own modules, for tests that read them."""

from __future__ import annotations

import ast
import os
from functools import cache
from typing import Final

ROOT: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OURS: Final = ("mochic", "backend", "objwriter", "linkscripts")


def files(package: str) -> list[str]:
    """The paths of the modules of one package."""
    found = []
    for folder, _, names in os.walk(os.path.join(ROOT, package)):
        found += [os.path.join(folder, n) for n in sorted(names) if n.endswith(".py")]
    return found


@cache
def tree_of(path: str) -> ast.Module:
    """The syntax tree of a module, read once for all tests of a process."""
    with open(path, encoding="utf-8") as f:
        return ast.parse(f.read())
