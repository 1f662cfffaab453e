"""Questions about the tree that several stages ask."""

from __future__ import annotations

from typing import Final

from mochic.syntax import ast

AGGREGATES: Final = ("sum", "avg", "min", "max", "count")  # of which a query makes one value


def is_none(e: ast.Expr) -> bool:
    return isinstance(e, ast.NoneLit) or (isinstance(e, ast.Ident) and e.name in ("null", "nil") and e.ref is None)


def inner_types(ref: ast.TypeRef) -> list[ast.TypeRef]:
    """The types of which values of a type are made: elements, entries, fields; a function is made of nothing."""
    if isinstance(ref, ast.TypeOpt):
        return [ref.inner]
    if isinstance(ref, ast.TypeGeneric):
        return ref.args
    if isinstance(ref, ast.TypeStruct):
        return [f.type for f in ref.fields]
    return []


def key_name(k: ast.Expr, i: int) -> str:
    """The entry name of a group key among several (12.3)."""
    if isinstance(k, ast.Field):
        return k.name
    if isinstance(k, ast.Ident):
        return k.name
    return f"k{i + 1}"
