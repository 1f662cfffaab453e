"""Bodies of functions, and the blocks in them."""

from __future__ import annotations

from mochic.sema.constraints import bind_signature
from mochic.sema.gaps import Lengths
from mochic.sema.infer.context import Infer
from mochic.sema.infer.declarations import declare_function, declare_types
from mochic.sema.symbols import FunInfo, Scope, TypeTable
from mochic.sema.types import FUNC, NIL, STRUCT, Slot
from mochic.syntax import ast


def function_body(inf: Infer, f: FunInfo) -> None:
    """Walk a function's body in a fresh scope."""
    if f.c is not None:
        return
    outer_scope, outer_fun, outer_narrow, outer_loops = inf.scope, inf.fun, inf.narrow, inf.loops
    inf.fun = f
    inf.narrow = {}
    inf.loops = 0
    inf.scope = Scope(outer_scope, f)
    if f.struct is not None:
        me = inf.new_var("self", Slot(), False, f, "self", f.node.lo)
        inf.solver.grow(me.ty, STRUCT, f.struct.bit)
        f.self_var = me
    for v in f.params:
        inf.scope.names[v.name] = v
    if f.expr is not None:
        inf.solver.flow(inf.expr(f.expr), f.ret)
    else:
        assert f.body is not None
        falls = block(inf, f.body)
        f.falls = falls
        if falls:
            inf.solver.grow(f.ret, NIL)
    inf.scope, inf.fun, inf.narrow, inf.loops = outer_scope, outer_fun, outer_narrow, outer_loops


def block(inf: Infer, body: list[ast.Stmt]) -> bool:
    """Statements in the current scope.  Nested functions of a block are known throughout it."""
    top = inf.fun is inf.info.main and inf.scope is inf.root
    types = inf.types
    if not top:
        if any(isinstance(st, ast.TypeDecl) for st in body):
            local_types(inf, body)
        for st in body:
            if isinstance(st, ast.FunDecl):
                f = declare_function(inf, st, inf.fun)
                v = inf.new_var(st.name, Slot(), False, inf.fun, "fun", st.lo)
                inf.solver.grow(v.ty, FUNC)
                bind_signature(inf.solver, v.ty, [p.ty for p in f.params], f.ret)
                f.local_var = v
                v.fun = f
                inf.scope.names[st.name] = f
    falls = True
    lengths = Lengths(inf.solver)
    for st in body:
        if not inf.stmt(st):
            falls = False
        lengths.after(st)
    inf.types = types
    return falls


def inner_block(inf: Infer, body: list[ast.Stmt]) -> bool:
    """Statements in a scope of their own."""
    if len(body) == 1 and isinstance(body[0], ast.If):
        return block(inf, body)  # no scope: those of a chain of `else if` would be as deep as the chain is long
    inf.scope = Scope(inf.scope, inf.fun)
    falls = block(inf, body)
    parent = inf.scope.parent
    assert parent is not None
    inf.scope = parent
    return falls


def local_types(inf: Infer, body: list[ast.Stmt]) -> None:
    """The types that a block declares are known throughout it.  Their methods see no variables of the block."""
    inf.types = TypeTable(inf.types)
    inf.info.local_types.append((body[0].lo, body[-1].hi, inf.types))
    declare_types(inf, body)
    scope, inf.scope = inf.scope, inf.root
    method_bodies(inf, body)
    inf.scope = scope


def method_bodies(inf: Infer, body: list[ast.Stmt]) -> None:
    for st in body:
        if isinstance(st, ast.TypeDecl):
            for m in st.methods:
                owner = inf.types.structs.get(st.name)
                if owner is not None:
                    function_body(inf, owner.methods[m.name])
