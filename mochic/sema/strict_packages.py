"""Packages in the strict mode: each is checked once, like a program; who imports it knows the types of its exports.

A package is a struct type whose fields are what it exports; its types are known under the name `alias.T`.
"""

from __future__ import annotations

import os

from mochic.diag.diagnostic import Diagnostic
from mochic.sema.packages import locate
from mochic.sema.strict_types import STRUCT_K, SType
from mochic.source import SourceMap
from mochic.syntax import ast
from mochic.syntax.parser import parse


class Checked:
    """What a package exports, with types; empty while it is being checked."""

    __slots__ = ("members", "types", "done")

    def __init__(self) -> None:
        self.done = False
        self.members: dict[str, SType] = {}
        self.types: dict[str, SType] = {}


class Packages:
    """The packages of one run of the strict checker."""

    __slots__ = ("sources", "known")

    def __init__(self, sources: SourceMap) -> None:
        self.sources = sources
        self.known: dict[tuple[str, ...], Checked] = {}

    def load(self, st: ast.ImportDecl, diags: list[Diagnostic]) -> Checked | None:
        """The package that an import names; None if there is none (the default mode's check says so)."""
        from mochic.sema.strict import Strict

        files = locate(st.path, self.sources.file_of(st.lo).name)
        if not files:
            return None
        key = tuple(os.path.realpath(f) for f in files)
        found = self.known.get(key)
        if found is not None:
            if not found.done:
                text = f'the package "{st.path}" imports itself'
                diags.append(Diagnostic("M003", text, st.lo, st.hi, "Move what both sides need into a third package."))
            return found
        found = self.known[key] = Checked()
        body: list[ast.Stmt] = []
        for path in files:
            try:
                with open(path, "rb") as f:
                    data = f.read()
            except OSError:
                return None
            program, errors = parse(self.sources.add(path, data))
            diags += errors
            if not errors:
                body += program.body
        strict = Strict(self)
        diags += strict.program(ast.Program(0, 0, None, body))
        for decl in body:
            if isinstance(decl, ast.TypeDecl) and decl.export:
                for name in [decl.name, *(v.name for v in decl.variants or ())]:
                    if name in strict.types:
                        found.types[name] = strict.types[name]
                    if name in strict.scopes[0]:
                        found.members[name] = strict.scopes[0][name].type
            elif isinstance(decl, ast.FunDecl | ast.VarDecl) and decl.export and decl.name in strict.scopes[0]:
                found.members[decl.name] = strict.scopes[0][decl.name].type
        found.done = True
        return found


def as_type(found: Checked, alias: str) -> SType:
    """A package as the type of the name that it is imported under."""
    t = SType(STRUCT_K, alias)
    t.fields.update(found.members)
    return t
