"""The strict check of a whole program, in the order in which its errors come, and of the packages that it imports."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from mochic.diag.diagnostic import Diagnostic, make
from mochic.sema import logic
from mochic.sema.packages import locate
from mochic.sema.strict.access import cast, field, index, slice_expression
from mochic.sema.strict.calls import call, declared_effects, function_expression
from mochic.sema.strict.context import Expression, Statement, Strict, StrictError
from mochic.sema.strict.declarations import (
    agent_declaration, extern_declaration, function_declaration, import_declaration, intent_declaration, local_type,
    model_declaration, register_type, signature, stream_declaration, type_declaration, variable_declaration,
)  # fmt: skip
from mochic.sema.strict.effects import function_effects
from mochic.sema.strict.expressions import (
    bool_literal, float_literal, identifier, if_expression, int_literal, interpolation, list_literal, map_literal,
    newer, none_literal, string_literal, struct_literal,
)  # fmt: skip
from mochic.sema.strict.matches import match_expression
from mochic.sema.strict.operators import binary, unary
from mochic.sema.strict.outside import fetch_expression, generate, load, logic_query, save
from mochic.sema.strict.packages import Checked, Packages
from mochic.sema.strict.queries import query
from mochic.sema.strict.statements import (
    assignment, emit_statement, expect_statement, expression_statement, fetch_statement, for_loop, if_statement, jump,
    nothing, on_handler, return_statement, test_block, try_statement, update_statement, while_loop,
)  # fmt: skip
from mochic.sema.strict.types import STRUCT_K, UNIT, SType
from mochic.source import SourceMap
from mochic.syntax import ast
from mochic.syntax.parser import parse

EXPRESSIONS: Final[dict[type, Expression]] = {
    ast.IntLit: int_literal, ast.FloatLit: float_literal, ast.StrLit: string_literal, ast.BoolLit: bool_literal,
    ast.NoneLit: none_literal, ast.ListLit: list_literal, ast.MapLit: map_literal, ast.StructLit: struct_literal,
    ast.Interpolation: interpolation, ast.SetLit: newer, ast.OMapLit: newer, ast.Async: newer, ast.Ident: identifier,
    ast.Unary: unary, ast.Binary: binary, ast.IfExpr: if_expression, ast.Match: match_expression, ast.Index: index,
    ast.Slice: slice_expression, ast.Field: field, ast.Cast: cast, ast.Call: call, ast.FunExpr: function_expression,
    ast.Query: query, ast.LogicQuery: logic_query, ast.Fetch: fetch_expression, ast.Generate: generate,
    ast.Load: load, ast.Save: save,
}  # fmt: skip
STATEMENTS: Final[dict[type, Statement]] = {
    ast.VarDecl: variable_declaration, ast.FunDecl: function_declaration, ast.TypeDecl: local_type,
    ast.ImportDecl: import_declaration, ast.ExternDecl: extern_declaration, ast.StreamDecl: stream_declaration,
    ast.ModelDecl: model_declaration, ast.AgentDecl: agent_declaration, ast.IntentDecl: intent_declaration,
    ast.FactDecl: nothing, ast.RuleDecl: nothing, ast.Assign: assignment, ast.Return: return_statement,
    ast.If: if_statement, ast.While: while_loop, ast.For: for_loop, ast.Break: jump, ast.Continue: jump,
    ast.ExprStmt: expression_statement, ast.Expect: expect_statement, ast.TestDecl: test_block,
    ast.BenchDecl: test_block, ast.Try: try_statement, ast.OnHandler: on_handler, ast.Emit: emit_statement,
    ast.FetchStmt: fetch_statement, ast.Update: update_statement,
}  # fmt: skip


def check_strict(p: ast.Program, sources: SourceMap | None = None) -> list[Diagnostic]:
    """All errors of a program in the strict mode, in upstream's order, after those of the packages that it imports.

    Without sources, packages are not looked at.
    """
    packages = None
    if sources is not None:
        packages = Packages(sources)
        packages.known[(os.path.realpath(sources.file_of(p.lo).name),)] = Checked()  # a package may import it back
    return check_program(Strict(EXPRESSIONS, STATEMENTS, packages), p)


# -- one program ------------------------------------------------------------------------------------


def check_program(strict: Strict, p: ast.Program) -> list[Diagnostic]:
    """All errors of one program or package, in upstream's order."""
    for st in p.body:
        if isinstance(st, ast.ImportDecl) and not st.lang and strict.packages is not None:
            load_import(strict, st, strict.packages)
    check_logic(strict, p.body)
    functions = [st for st in p.body if isinstance(st, ast.FunDecl)]
    types = [st for st in p.body if isinstance(st, ast.TypeDecl)]
    for decl in types:
        register_type(strict, decl)
    for st in p.body:
        if isinstance(st, ast.StreamDecl):
            strict.streams[st.name] = strict.types[st.name] = SType(STRUCT_K, st.name)
        elif isinstance(st, ast.AgentDecl):
            strict.agents[st.name] = strict.types[st.name] = SType(STRUCT_K, st.name)
    strict.effects, bodies = function_effects(functions)
    for f in functions:
        strict.declare(f.name, signature(strict, f, UNIT), False, True)
    for rule in (0, 1):
        for f in functions:
            guarded(strict, contract, f, rule, bodies[f.name])
    for decl in types:
        guarded(strict, type_declaration, decl)
    for st in p.body:
        if not isinstance(st, ast.TypeDecl):
            guarded(strict, Strict.stmt, st)
    # A type may be looked up more than once, in the signature and in the body.
    seen: dict[int, None] = {}
    for d in strict.unknown:
        if d.lo not in seen:
            seen[d.lo] = None
            strict.diags.append(d)
    return strict.diags


def check_logic(strict: Strict, body: list[ast.Stmt]) -> None:
    """Facts and rules: what the translation finds, and negation, which is newer."""
    for st in body:
        if isinstance(st, ast.FactDecl):
            strict.relations[logic.relation(st.pred)] = None
            logic.check_fact(st, strict.diags)
        elif isinstance(st, ast.RuleDecl):
            strict.relations[logic.relation(st.head)] = None
            for c in st.body:
                if isinstance(c, ast.Pred) and c.negated:
                    strict.diags.append(make("M006", c.lo, c.hi, "`not` in a rule"))
    logic.program_text([st for st in body if isinstance(st, ast.FactDecl | ast.RuleDecl)], strict.diags)


def guarded(strict: Strict, check: Callable[..., None], *args: Any) -> None:
    """Check one statement at top level; its first error ends it."""
    depth = len(strict.scopes)
    try:
        check(strict, *args)
    except StrictError as e:
        strict.diags.append(e.diagnostic)
        del strict.scopes[depth:]
        strict.narrowed = {}
        strict.tparams = ()
        strict.loops = 0
        strict.result = None


def contract(strict: Strict, f: ast.FunDecl, rule: int, body: int) -> None:
    """T064 for all functions comes before T065 for all."""
    if f.effects is None:
        return
    try:
        declared_effects(strict, f, f.name, f.effects, body)
    except StrictError as e:
        if e.diagnostic.code == ("T065" if rule else "T064"):
            raise


# -- packages ---------------------------------------------------------------------------------------


def load_import(strict: Strict, st: ast.ImportDecl, packages: Packages) -> None:
    """A package's errors are the program's; its types are known before any signature mentions them."""
    found = load_package(packages, st, strict.diags)
    if found is not None:
        alias = st.name
        strict.imported[alias] = found
        for name, t in found.types.items():
            strict.types[f"{alias}.{name}"] = t


def load_package(packages: Packages, st: ast.ImportDecl, diags: list[Diagnostic]) -> Checked | None:
    """The package that an import names; None if there is none (the default mode's check says so)."""
    files = locate(st.path, packages.sources.file_of(st.lo).name)
    if not files:
        return None
    key = tuple(os.path.realpath(f) for f in files)
    found = packages.known.get(key)
    if found is not None:
        if not found.done:
            text = f'the package "{st.path}" imports itself'
            diags.append(Diagnostic("M003", text, st.lo, st.hi, "Move what both sides need into a third package."))
        return found
    found = packages.known[key] = Checked()
    body: list[ast.Stmt] = []
    for path in files:
        try:
            with open(path, "rb") as f:
                data = f.read()
        except OSError:
            return None
        program, errors = parse(packages.sources.add(path, data))
        diags += errors
        if not errors:
            body += program.body
    strict = Strict(EXPRESSIONS, STATEMENTS, packages)
    diags += check_program(strict, ast.Program(0, 0, None, body))
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
