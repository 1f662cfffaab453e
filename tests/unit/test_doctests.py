"""The examples in docstrings and docs are true."""

from __future__ import annotations

import doctest
import importlib
import os

import pytest
from ours import OURS, ROOT


def _sources() -> list[str]:
    out = [os.path.join("docs", n) for n in sorted(os.listdir(os.path.join(ROOT, "docs"))) if n.endswith(".md")]
    for package in OURS:
        for folder, _, names in os.walk(os.path.join(ROOT, package)):
            out += [os.path.relpath(os.path.join(folder, n), ROOT) for n in sorted(names) if n.endswith((".py", ".md"))]
    found = []
    for path in out:
        with open(os.path.join(ROOT, path), encoding="utf-8") as fh:
            if ">>> " in fh.read():
                found.append(path)
    return found


@pytest.mark.parametrize("path", _sources())
def test_examples(path: str) -> None:
    if path.endswith(".md"):
        result = doctest.testfile(os.path.join(ROOT, path), module_relative=False)
    else:
        module = importlib.import_module(path[:-3].replace(os.sep, ".").removesuffix(".__init__"))
        result = doctest.testmod(module)
        assert result.attempted, f"{path} has examples that doctest does not find"
    assert result.failed == 0
