"""The walk of a whole program: its packages, its declarations, then what runs."""

from __future__ import annotations

import os
from typing import Final

from mochic.diag.diagnostic import Diagnostic, has_errors
from mochic.sema.infer.annotations import note_callable, optional_elements, seed_annotations
from mochic.sema.infer.bodies import block, function_body, method_bodies
from mochic.sema.infer.calls import call_expression
from mochic.sema.infer.casts import cast
from mochic.sema.infer.context import Expression, Infer, Statement
from mochic.sema.infer.data import fetch, load, save
from mochic.sema.infer.declarations import declare_function, declare_types, declared_function
from mochic.sema.infer.expansion import expanded, generate, logic_query, struct_or_agent
from mochic.sema.infer.expressions import (
    binary_chain, bool_literal, field, float_literal, function_expression, identifier, if_expression, index,
    int_literal, later, list_literal, map_literal, none_literal, slice_expression, string_literal, unary,
)  # fmt: skip
from mochic.sema.infer.externs import extern_declarations
from mochic.sema.infer.imports import known_type
from mochic.sema.infer.matches import match_expression
from mochic.sema.infer.queries import query_expression
from mochic.sema.infer.statements import (
    assignment, emit_statement, expect_statement, expression_statement, fetch_statement, for_loop, if_statement, jump,
    nested_function, nothing, on_handler, only_at_top_level, return_statement, test_block, try_statement,
    update_statement, variable_declaration, while_loop,
)  # fmt: skip
from mochic.sema.infer.sugar import interpolation, set_literal
from mochic.sema.modules import module_path
from mochic.sema.packages import library_file, library_name, locate, parse_files
from mochic.sema.specialise import Specialiser
from mochic.sema.symbols import CLibrary, FunInfo, ImportInfo, Named, Package, ProgramInfo, Scope, TypeTable, Var
from mochic.sema.types import NIL, Slot
from mochic.syntax import ast


EXPRESSIONS: Final[dict[type, Expression]] = {
    ast.IntLit: int_literal,
    ast.FloatLit: float_literal,
    ast.StrLit: string_literal,
    ast.Interpolation: interpolation,
    ast.BoolLit: bool_literal,
    ast.NoneLit: none_literal,
    ast.ListLit: list_literal,
    ast.MapLit: map_literal,
    ast.SetLit: set_literal,
    ast.OMapLit: later,
    ast.StructLit: struct_or_agent,
    ast.FunExpr: function_expression,
    ast.Ident: identifier,
    ast.Binary: binary_chain,
    ast.Unary: unary,
    ast.IfExpr: if_expression,
    ast.Match: match_expression,
    ast.Index: index,
    ast.Slice: slice_expression,
    ast.Field: field,
    ast.Cast: cast,
    ast.Call: call_expression,
    ast.Query: query_expression,
    ast.LogicQuery: logic_query,
    ast.Load: load,
    ast.Save: save,
    ast.Fetch: fetch,
    ast.Generate: generate,
    ast.Async: later,
}
STATEMENTS: Final[dict[type, Statement]] = {
    ast.VarDecl: variable_declaration,
    ast.Assign: assignment,
    ast.Return: return_statement,
    ast.If: if_statement,
    ast.While: while_loop,
    ast.For: for_loop,
    ast.Break: jump,
    ast.Continue: jump,
    ast.Try: try_statement,
    ast.ExprStmt: expression_statement,
    ast.Expect: expect_statement,
    ast.TestDecl: test_block,
    ast.BenchDecl: test_block,
    ast.FunDecl: nested_function,
    ast.TypeDecl: nothing,
    ast.ImportDecl: nothing,
    ast.ExternDecl: nothing,
    ast.Update: update_statement,
    ast.FetchStmt: fetch_statement,
    ast.OnHandler: on_handler,
    ast.Emit: emit_statement,
    ast.FactDecl: only_at_top_level,
    ast.RuleDecl: only_at_top_level,
    ast.StreamDecl: only_at_top_level,
    ast.ModelDecl: only_at_top_level,
    ast.AgentDecl: only_at_top_level,
    ast.IntentDecl: only_at_top_level,
}


def infer_program(info: ProgramInfo, prog: ast.Program, special: Specialiser | None = None) -> Infer:
    """Resolve all names of a program and solve its types.

    What is found is noted in `info` and in the tree; the result has the diagnostics, and the checks to be made on the
    solved types (`check.check_solved`).  `special`: functions that shall have instances (`specialise`).
    """
    inf = Infer(info, EXPRESSIONS, STATEMENTS, special)
    info.program = prog
    main = FunInfo(0, "main", None, prog)
    info.functions.append(main)
    info.main = main
    main.body = []
    # A package that imports the program back finds it unfinished.
    path = os.path.realpath(info.sources.file_of(prog.lo).name)
    inf.packages[path] = Package(path, False, info.types)
    unit(inf, prog.body, prog.qualified)
    for t, ref in inf.seeds:
        optional_elements(inf, t, ref)
    inf.solver.solve()
    if special is not None:
        special.join(inf.solver)
    seed_annotations(inf)
    return inf


def unit(inf: Infer, body: list[ast.Stmt], qualified: list[ast.TypeName]) -> None:
    """The program, or one of its packages: names, functions, then what runs.  Imported packages come first."""
    info = inf.info
    main = info.main
    assert main is not None and main.body is not None
    for st in body:
        if isinstance(st, ast.ImportDecl):
            import_declaration(inf, st)
    for ref in qualified:
        known_type(inf, ref)
    body = expanded(inf, body)
    main.body.extend(body)
    first_global = len(info.globals)
    declare_types(inf, body)
    for st in body:
        if isinstance(st, ast.FunDecl):
            f = declare_function(inf, st, None)
            inf.root.names[st.name] = f
    extern_declarations(inf, body)
    # Functions may use any top-level variable, so these are known before bodies are walked.
    toplevel = dict(inf.root.names)
    for st in body:
        if isinstance(st, ast.VarDecl) and not isinstance(inf.root.names.get(st.name), Var):
            v = inf.new_var(st.name, Slot(), st.mutable, None, "var" if st.mutable else "let", st.lo)
            v.mutable = st.mutable
            note_callable(inf, v, st)
            info.globals.append(v)
            inf.root.names[st.name] = v
    method_bodies(inf, body)
    inf.hidden = toplevel
    globals_view = inf.root.names
    for st in body:
        if isinstance(st, ast.FunDecl) and st.info is globals_view.get(st.name):
            top_body(inf, declared_function(st))
    for named in toplevel.values():  # a function hidden by a variable of the same name
        if isinstance(named, FunInfo) and globals_view.get(named.name) is not named:
            top_body(inf, named)
    inf.fun = main
    block(inf, body)
    inf.fun = None
    uninitialised_reads(inf, info.globals[first_global:])


def top_body(inf: Infer, f: FunInfo) -> None:
    """The body of a top-level function.  One that gets instances is itself for rare uses, so it makes none."""
    base = inf.special is not None and f.node.lo in inf.special.chosen
    if inf.special is not None and base:
        inf.special.base += 1
    function_body(inf, f)
    if inf.special is not None and base:
        inf.special.base -= 1


def uninitialised_reads(inf: Infer, variables: list[Var]) -> None:
    """A global read by a function that can run before the declaration holds null until then."""
    first_ref = inf.first_ref
    for v in variables:
        if not v.global_:
            continue
        reach: dict[FunInfo, None] = {}
        stack = [f for f, at in first_ref.items() if at <= v.pos]
        while stack:
            f = stack.pop()
            if f in reach:
                continue
            reach[f] = None
            stack.extend(f.funs)
        if any(v in f.reads for f in reach):
            inf.solver.grow(v.ty, NIL)
            v.const = None


# -- packages ---------------------------------------------------------------------------------------


def import_declaration(inf: Infer, st: ast.ImportDecl) -> None:
    alias = st.name
    imp = ImportInfo(st.lang, module_path(st.lang, st.path), alias, st.auto, st.lo)
    inf.root.names[alias] = imp
    if st.lang == "c":
        imp.c = CLibrary(st.path, st.lo, st.hi, inf.info.sources.file_of(st.lo).name)
        inf.info.libraries.append(imp.c)
        return
    if st.lang:
        f = library_file(st.lang, st.path)
        # The library's file about a module builds on the members that are native.
        at = inf.info.sources.file_of(st.lo)
        files = [] if f is None or (at.library and at.name == library_name(f)) else [f]
    else:
        files = locate(st.path, inf.info.sources.file_of(st.lo).name)
        if not files:
            inf.diags.append(
                Diagnostic(
                    "M003",
                    f'cannot find the package "{st.path}"',
                    st.lo,
                    st.hi,
                    "A package is a directory with .mochi files, or one file. Paths that begin with ./ or ../ "
                    "start at the importing file, others at the directory of mochi.mod or go.mod, else the "
                    "working directory.",
                )
            )
            imp.broken = True
    if files:
        imp.package = package(inf, files, bool(st.lang), st)
        if imp.package is not None:
            inf.types.imports[alias] = imp.package.types


def package(inf: Infer, files: list[str], library: bool, at: ast.ImportDecl) -> Package | None:
    """The package in these files, walked on its first import."""
    key = "\n".join(os.path.realpath(f) for f in files)
    p = inf.packages.get(key)
    if p is None:
        p = inf.packages[key] = Package(key, library, TypeTable())
        found: list[Diagnostic] = []
        try:
            parse_files(inf.info, p, files, found)
            p.broken = has_errors(found)
            inf.diags += found
        except OSError as e:
            p.broken = True
            text = f"cannot read {e.filename}: {e.strerror}"
            help = "The import names this file; it must be there and readable."
            inf.diags.append(Diagnostic("M003", text, at.lo, at.hi, help))
        package_unit(inf, p)
    elif p.names is None:
        inf.diags.append(
            Diagnostic(
                "M003",
                f'the package "{at.path}" imports itself',
                at.lo,
                at.hi,
                "Move what both sides need into a third package.",
            )
        )
    return p


def package_unit(inf: Infer, p: Package) -> None:
    """Walk an imported package, with a top level of its own."""
    outer = (inf.root, inf.hidden, inf.first_ref, inf.fun, inf.narrow, inf.types)
    inf.types = p.types
    inf.root = inf.scope = Scope(None, None)
    inf.hidden, inf.first_ref, inf.narrow = {}, {}, {}
    relations, inf.relations = inf.relations, {}
    unit(inf, p.body, p.qualified)
    inf.relations = relations
    names: dict[str, Named] = {n: t for n, t in p.types.structs.items() if n in p.types.exports}
    for st in p.body:
        if isinstance(st, ast.FunDecl | ast.VarDecl):
            if st.export or (p.library and isinstance(st, ast.VarDecl)):
                names[st.name] = inf.root.names[st.name]
            else:
                p.private.add(st.name)
        elif isinstance(st, ast.TypeDecl) and not st.export:
            p.private.update([st.name, *(v.name for v in st.variants or ())])
    p.names = names
    inf.root, inf.hidden, inf.first_ref, inf.fun, inf.narrow, inf.types = outer
    inf.scope = inf.root
