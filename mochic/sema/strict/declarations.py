"""Declarations in the strict mode: types, functions, variables, imports, streams and agents."""

from __future__ import annotations

from mochic.sema.cfun import C_TYPES
from mochic.sema.strict.context import Strict
from mochic.sema.strict.packages import as_type
from mochic.sema.strict.types import (
    ANY, ANY_K, LIST_K, MAP_K, PRIMITIVES, STRUCT_K, UNION_K, UNIT, VAR_K, SType, fun_of, opt_of, text,
)  # fmt: skip
from mochic.syntax import ast


# -- types ------------------------------------------------------------------------------------------


def register_type(strict: Strict, st: ast.TypeDecl) -> None:
    """Makes the names known, without what is in them."""
    if st.variants is not None:
        u = strict.types[st.name] = SType(UNION_K, st.name)
        for v in st.variants:
            # A union with one constructor of its own name is that constructor.
            t = SType(STRUCT_K, v.name)
            u.variants[v.name] = t
            if v.name != st.name:
                strict.types[v.name] = t
    elif st.alias is None:
        strict.types[st.name] = SType(STRUCT_K, st.name)
    else:
        strict.types[st.name] = ANY


def type_declaration(strict: Strict, st: ast.TypeDecl) -> None:
    if st.alias is not None:
        del strict.types[st.name]
        strict.types[st.name] = strict.resolve(st.alias)
        return
    if st.variants is not None:
        u = strict.types[st.name]
        for v in st.variants:
            t = u.variants[v.name]
            for f in v.fields:
                t.fields[f.name] = strict.resolve(f.type)
            if t.fields:
                strict.declare(v.name, fun_of(list(t.fields.values()), u), False)
            else:
                strict.declare(v.name, u, False)
        return
    t = strict.types[st.name]
    for f in st.fields or []:
        t.fields[f.name] = strict.resolve(f.type)
    for m in st.methods:
        for p in m.params:
            if p.type is None:
                raise strict.fail("T005", m.lo, m.hi, p.name)
        t.methods[m.name] = signature(strict, m, UNIT)
    for m in st.methods:
        strict.scopes.append({})
        for name, ft in t.fields.items():
            strict.declare(name, ft, True)
        for name, ft in t.methods.items():
            strict.declare(name, ft, False, True)
        check_function(strict, m)
        strict.scopes.pop()


def local_type(strict: Strict, st: ast.TypeDecl) -> None:
    register_type(strict, st)
    type_declaration(strict, st)


# -- functions --------------------------------------------------------------------------------------


def signature(strict: Strict, f: ast.FunDecl, missing: SType) -> SType:
    outer = strict.tparams
    strict.tparams = (*outer, *f.tparams)
    t = fun_of(
        [strict.resolve(p.type) for p in f.params], strict.resolve(f.result, missing), strict.effects.get(f.name, 0)
    )
    t.tparams = tuple(f.tparams)
    strict.tparams = outer
    return t


def function_declaration(strict: Strict, st: ast.FunDecl) -> None:
    strict.declare(st.name, signature(strict, st, ANY), False, True)
    check_function(strict, st)


def check_function(strict: Strict, f: ast.FunDecl) -> None:
    outer = strict.tparams
    strict.tparams = (*outer, *f.tparams)
    params = [strict.resolve(p.type) for p in f.params]
    strict.function_body(f.params, params, f.body, strict.resolve(f.result) if f.result is not None else ANY)
    strict.tparams = outer


# -- variables --------------------------------------------------------------------------------------


def variable_declaration(strict: Strict, st: ast.VarDecl) -> None:
    if st.type is None and st.value is None:
        raise strict.fail("T000", st.lo, st.hi)
    if st.value is None:
        strict.declare(st.name, strict.resolve(st.type), st.mutable)
        return
    if st.type is None:
        t = strict.expr(st.value)
        refuse_alias(strict, st)
    else:
        t = strict.resolve(st.type)
        got = strict.check(st.value, t)
        if got.kind == ANY_K and t.kind not in (ANY_K, VAR_K) and not is_unknown(strict, st.type):
            raise strict.fail("T008", st.lo, st.hi, text(t), text(got))
        refuse_alias(strict, st)
        if st.mutable:
            strict.alias(st.value, t, st if not isinstance(st.value, (ast.ListLit, ast.MapLit)) else None)
    strict.declare(st.name, t, st.mutable)


def is_unknown(strict: Strict, ref: ast.TypeRef) -> bool:
    return any(d.lo == ref.lo for d in strict.unknown)


def refuse_alias(strict: Strict, st: ast.VarDecl) -> None:
    """T051: a mutable name for a value that another name promises to leave alone."""
    if not st.mutable or not isinstance(st.value, ast.Ident):
        return
    v = strict.find(st.value.name)
    if v is not None and not v.mutable and v.type.kind in (LIST_K, MAP_K, STRUCT_K):
        raise strict.fail("T051", st.lo, st.hi, v.name)


# -- other modules ----------------------------------------------------------------------------------


def import_declaration(strict: Strict, st: ast.ImportDecl) -> None:
    name = st.name
    found = strict.imported.get(name)
    strict.declare(name, ANY if found is None else as_type(found, name), False)


def extern_declaration(strict: Strict, st: ast.ExternDecl) -> None:
    if st.kind == "type":
        strict.types[st.name] = SType(STRUCT_K, st.name)
    elif "." not in st.name:
        t = ANY
        if st.kind == "fun":
            t = fun_of([c_type(strict, p.type) for p in st.params or []], c_type(strict, st.type, UNIT))
        elif st.kind == "var":
            t = strict.resolve(st.type)
        strict.declare(st.name, t, False)


def c_type(strict: Strict, ref: ast.TypeRef | None, default: SType = ANY) -> SType:
    """The type of a C function's parameter or result: numbers of C's sizes are ints and floats."""
    if isinstance(ref, ast.TypeOpt):
        return opt_of(c_type(strict, ref.inner))
    if isinstance(ref, ast.TypeName) and ref.name in C_TYPES and ref.name not in strict.types:
        return PRIMITIVES[C_TYPES[ref.name].base]
    return strict.resolve(ref, default)


# -- streams, models, agents ------------------------------------------------------------------------


def stream_declaration(strict: Strict, st: ast.StreamDecl) -> None:
    t = strict.streams[st.name]
    for f in st.fields:
        t.fields[f.name] = strict.resolve(f.type)


def model_declaration(strict: Strict, st: ast.ModelDecl) -> None:
    for f in st.fields:
        strict.expr(f.value)


def agent_declaration(strict: Strict, st: ast.AgentDecl) -> None:
    """Its variables and intents are the fields and methods of its instances."""
    t = strict.agents[st.name]
    for x in st.body:
        if isinstance(x, ast.IntentDecl):
            t.methods[x.name] = fun_of([strict.resolve(p.type) for p in x.params], strict.resolve(x.result))
    strict.scopes.append({})
    for name, method in t.methods.items():
        strict.declare(name, method, False, True)
    for x in st.body:
        strict.stmt(x)
        if isinstance(x, ast.VarDecl):
            t.fields[x.name] = strict.scopes[-1][x.name].type
    strict.scopes.pop()


def intent_declaration(strict: Strict, st: ast.IntentDecl) -> None:
    params = [strict.resolve(p.type) for p in st.params]
    strict.function_body(st.params, params, st.body, strict.resolve(st.result) if st.result is not None else ANY)
