"""Declared types: what they say of a slot, which is little, as annotations do not convert.

They decide what a variable without initialiser holds, whether a call may mean a variable, and what the slots are that
no value reaches.
"""

from __future__ import annotations

from mochic.sema.constraints import bind_signature
from mochic.sema.infer.context import Infer
from mochic.sema.symbols import Var
from mochic.sema.types import BOOL, FLOAT, FUNC, INT, LIST, MAP, NIL, RAT, STR, STRUCT, Slot, find
from mochic.syntax import ast

SCALAR_KINDS = {
    "int": INT,
    "int64": INT,
    "bigint": INT,
    "float": FLOAT,
    "string": STR,
    "bool": BOOL,
    "unit": NIL,
    "bigrat": RAT,
}


def zero_value(inf: Infer, t: Slot, ref: ast.TypeRef) -> None:
    """9.1: a variable without initialiser holds 0, 0.0, "", false, an empty list or map, else null."""
    ref = inf.info.resolve_alias(ref)
    k = NIL
    if isinstance(ref, ast.TypeName):
        k = SCALAR_KINDS.get(ref.name, NIL)
    elif isinstance(ref, ast.TypeGeneric):
        k = LIST if ref.name == "list" else MAP if ref.name == "map" else NIL
    inf.solver.grow(t, k)


def note_callable(inf: Infer, v: Var, st: ast.VarDecl) -> None:
    """docs/reference.md, 10: a call means a variable only if that can hold a function."""
    if st.type is not None:
        v.callable = may_be_function(inf, st.type)
    elif st.value is not None:
        v.callable = not isinstance(st.value, _NOT_FUNCTIONS)


_NOT_FUNCTIONS = (
    ast.IntLit, ast.FloatLit, ast.StrLit, ast.BoolLit, ast.ListLit, ast.MapLit, ast.Binary, ast.StructLit, ast.Unary,
    ast.Slice, ast.Query, ast.Cast,
)  # fmt: skip


def may_be_function(inf: Infer, ref: ast.TypeRef) -> bool:
    if isinstance(ref, ast.TypeName):
        alias = inf.info.table(ref).alias(ref.name)
        if alias is not None:
            return may_be_function(inf, alias)
        return ref.name not in SCALAR_KINDS and inf.info.table(ref).struct(ref.name) is None
    if isinstance(ref, ast.TypeOpt):
        return may_be_function(inf, ref.inner)
    return isinstance(ref, ast.TypeFun)


# -- of the solved program --------------------------------------------------------------------------


def optional_elements(inf: Infer, t: Slot, ref: ast.TypeRef) -> None:
    """The elements of a `list<T?>` may be null although nothing stores one: a list that grows by more than one
    element is filled with null (8.5), which lists without optional elements refuse."""
    ref = inf.info.resolve_alias(ref)
    while isinstance(ref, ast.TypeGeneric) and ref.name == "list" and len(ref.args) == 1:
        t = inf.solver.elem(t)
        ref = inf.info.resolve_alias(ref.args[0])
        if isinstance(ref, ast.TypeOpt):
            inf.solver.grow(t, NIL)
            ref = inf.info.resolve_alias(ref.inner)


def seed_annotations(inf: Infer) -> None:
    """Slots that no value reaches take the declared type, so that dead code compiles as written."""
    s = inf.solver
    for _ in range(3):
        for t, ref in inf.seeds:
            if not find(t).kinds:
                grow_declared(inf, t, ref, 0)
        s.solve()


def grow_declared(inf: Infer, t: Slot, ref: ast.TypeRef, depth: int) -> None:
    s = inf.solver
    if t.fixed or depth > 8:
        return
    if isinstance(ref, ast.TypeName):
        k = SCALAR_KINDS.get(ref.name)
        if k is not None:
            s.grow(t, k)
            return
        table = inf.info.table(ref)
        alias = table.alias(ref.name)
        st = table.struct(ref.name)
        union = table.union(ref.name)
        if alias is not None:
            grow_declared(inf, t, alias, depth + 1)
        elif st is not None:
            s.grow(t, STRUCT, st.bit)
        elif union is not None:
            s.grow(t, STRUCT, union.bits)
    elif isinstance(ref, ast.TypeGeneric):
        if ref.name == "list" and len(ref.args) == 1:
            s.grow(t, LIST)
            if not find(s.elem(t)).kinds:
                grow_declared(inf, s.elem(t), ref.args[0], depth + 1)
        elif ref.name == "map" and len(ref.args) == 2:
            s.grow(t, MAP)
            if not find(s.key(t)).kinds:
                grow_declared(inf, s.key(t), ref.args[0], depth + 1)
            if not find(s.val(t)).kinds:
                grow_declared(inf, s.val(t), ref.args[1], depth + 1)
    elif isinstance(ref, ast.TypeOpt):
        s.grow(t, NIL)
        grow_declared(inf, t, ref.inner, depth + 1)
    elif isinstance(ref, ast.TypeFun):
        s.grow(t, FUNC)
        bind_signature(s, t, [Slot() for _ in ref.params], Slot(NIL if ref.result is None else 0))
