"""Packages in the strict mode: each is checked once, like a program; who imports it knows the types of its exports.

A package is a struct type whose fields are what it exports; its types are known under the name `alias.T`.  Loading one
is a check of its own, see `program`.
"""

from __future__ import annotations

from mochic.sema.strict.types import STRUCT_K, SType
from mochic.source import SourceMap


class Checked:
    """What a package exports, with types; empty while it is being checked."""

    __slots__ = ("members", "types", "done")

    def __init__(self) -> None:
        self.done = False
        self.members: dict[str, SType] = {}
        self.types: dict[str, SType] = {}


class Packages:
    """The packages of one run of the strict checker, by their files."""

    __slots__ = ("sources", "known")

    def __init__(self, sources: SourceMap) -> None:
        self.sources = sources
        self.known: dict[tuple[str, ...], Checked] = {}


def as_type(found: Checked, alias: str) -> SType:
    """A package as the type of the name that it is imported under."""
    t = SType(STRUCT_K, alias)
    t.fields.update(found.members)
    return t
