"""Helpers of the front-end tests: parse text, compare trees, dump trees."""

from __future__ import annotations

from typing import Any

from mochic.diag.diagnostic import Diagnostic
from mochic.source import SourceMap
from mochic.syntax import ast
from mochic.syntax.parser import parse

# Positions, and what later stages fill in.
_NOT_COMPARED = {"lo", "hi", "op_lo", "paren_lo", "name_lo", "ty", "ref", "sym", "info"}


def parse_text(text: str | bytes, name: str = "t.mochi") -> tuple[ast.Program, list[Diagnostic], SourceMap]:
    sources = SourceMap()
    data = text.encode() if isinstance(text, str) else text
    program, diags = parse(sources.add(name, data))
    return program, diags, sources


def slots_of(node: object) -> list[str]:
    out: list[str] = []
    for cls in reversed(type(node).__mro__):
        out += getattr(cls, "__slots__", ())
    return [s for s in out if s not in _NOT_COMPARED]


def dump(node: Any) -> Any:
    """A tree as nested tuples, positions left out: equal dumps mean equal trees."""
    if isinstance(node, ast.Node):
        return (type(node).__name__, *((s, dump(getattr(node, s))) for s in slots_of(node)))
    if isinstance(node, (list, tuple)):
        return [dump(x) for x in node]
    return repr(node) if isinstance(node, float) else node


def show(node: Any) -> str:
    """A tree in one line: `(Binary + (Ident a) (IntLit 1))`; empty and absent parts are left out."""
    if isinstance(node, ast.Node):
        parts = [type(node).__name__]
        for s in slots_of(node):
            value = getattr(node, s)
            if value is None or value is False or value == "" or value == []:
                continue
            parts.append(s if value is True else show(value))
        return "(" + " ".join(parts) + ")"
    if isinstance(node, (list, tuple)):
        return "[" + " ".join(show(x) for x in node) + "]"
    text = str(node)
    return repr(text) if any(c in " \n()[].|'\"" for c in text) and isinstance(node, str) else text


def check_spans(node: Any, lo: int, hi: int) -> None:
    """Every node lies inside its parent and is not inside out."""
    if isinstance(node, ast.Node):
        assert lo <= node.lo <= node.hi <= hi, (type(node).__name__, lo, node.lo, node.hi, hi)
        for s in slots_of(node):
            check_spans(getattr(node, s), node.lo, node.hi)
    elif isinstance(node, (list, tuple)):
        for x in node:
            check_spans(x, lo, hi)
