"""Imports go only downwards: mochic -> objwriter -> backend.obj.sym; mochic -> backend -> nothing."""

from __future__ import annotations

import ast
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = ("mochic", "backend", "objwriter", "linkscripts")
# package -> modules of ours it may import (prefixes)
ALLOWED = {"backend": ("backend",), "objwriter": ("objwriter", "backend.obj.sym"), "linkscripts": ()}
# packages that the build path never loads; who may import them lazily is listed
HEAVY = ("lief", "elftools", "capstone", "click", "dataclasses", "inspect", "unicorn")
HEAVY_USERS = ("mochic/cli.py", "mochic/__main__.py", "mochic/inspect.py")


def imports(path: str) -> list[tuple[int, str]]:
    with open(path, encoding="utf-8") as fh:
        tree = ast.parse(fh.read())
    out: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            out.extend((node.lineno, a.name) for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            out.append((node.lineno, node.module))
    return out


def files(package: str) -> list[str]:
    found = []
    for folder, _, names in os.walk(os.path.join(ROOT, package)):
        found += [os.path.join(folder, n) for n in sorted(names) if n.endswith(".py")]
    return found


def test_layers() -> None:
    wrong = []
    for package, allowed in ALLOWED.items():
        for path in files(package):
            for line, name in imports(path):
                if name.split(".")[0] in OURS and not name.startswith(allowed):
                    wrong.append(f"{os.path.relpath(path, ROOT)}:{line}: imports {name}")
    assert not wrong, "\n".join(wrong)


def test_nothing_heavy() -> None:
    wrong = []
    for package in OURS:
        for path in files(package):
            if os.path.relpath(path, ROOT) not in HEAVY_USERS:
                wrong += [
                    f"{os.path.relpath(path, ROOT)}:{line}: imports {name}"
                    for line, name in imports(path)
                    if name.split(".")[0] in HEAVY
                ]
    assert not wrong, "\n".join(wrong)
