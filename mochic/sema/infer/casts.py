"""Casts (`as`), of which loading data consists too."""

from __future__ import annotations

from mochic.sema.constraints import CastFieldConstraint
from mochic.sema.infer.context import Infer
from mochic.sema.symbols import StructInfo
from mochic.sema.types import BOOL_TY, FLOAT_TY, INT_TY, LIST, MAP, NIL, RAT_TY, STR, STRUCT, STR_TY, Slot
from mochic.syntax import ast


def cast(inf: Infer, e: ast.Cast) -> Slot:
    t = inf.expr(e.expr)
    return cast_type(inf, t, e.type, e)


_SCALAR_CASTS = frozenset(("int", "int64", "bigint", "float", "string", "bool", "bigrat"))


def cast_type(inf: Infer, t: Slot, ref: ast.TypeRef, e: ast.Expr) -> Slot:
    s = inf.solver
    ref = inf.info.resolve_alias(ref)
    if t.fixed:
        t = Slot(t.kinds)  # what follows asks for the contents
    if isinstance(ref, ast.TypeName):
        name = ref.name
        if name in ("int", "int64", "bigint"):
            return INT_TY
        if name == "float":
            return FLOAT_TY
        if name == "string":
            return STR_TY
        if name == "bool":
            return BOOL_TY
        if name == "bigrat":
            return RAT_TY
        st = inf.info.struct_named(ref)
        if st is not None:
            return cast_struct(inf, t, st, e)
    elif isinstance(ref, ast.TypeOpt):
        if not casts_nothing(inf, ref.inner):
            # none stays, anything else is cast
            res = Slot()
            s.flow(t, res, NIL)
            s.flow(cast_type(inf, t, ref.inner, e), res)
            return res
    elif isinstance(ref, ast.TypeStruct):
        res = Slot(MAP)
        s.grow(s.key(res), STR)
        if ref.info is None:
            ref.info = {f.name: Slot() for f in ref.fields}
        for f in ref.fields:
            source = ref.info[f.name]
            c = CastFieldConstraint(t, f.name, source, inf.info.structs)
            s.attach(t, c)
            s.flow(cast_type(inf, source, f.type, e), s.val(res))
        return res
    elif isinstance(ref, ast.TypeGeneric) and (ref.name, len(ref.args)) in (("list", 1), ("map", 2)):
        inner = ref.args[-1]
        if casts_nothing(inf, inner):
            res = Slot()
            s.flow(t, res, LIST if ref.name == "list" else MAP)
            return res
        # Each element is cast: a new list or map.
        if ref.name == "list":
            res = Slot(LIST)
            s.flow(cast_type(inf, s.elem(t), inner, e), s.elem(res))
        else:
            res = Slot(MAP)
            s.flow(cast_type(inf, s.val(t), inner, e), s.val(res))
            s.flow(cast_type(inf, s.key(t), ref.args[0], e), s.key(res))
        return res
    res = Slot()
    s.flow(t, res)
    return res


def cast_struct(inf: Infer, t: Slot, st: StructInfo, e: ast.Expr) -> Slot:
    """A map or another struct becomes an st.

    What comes into a field is one slot for all casts to st (`StructInfo.sources`): a type that contains itself,
    such as `type Tree { value: int, children: list<Tree> }`, has no end otherwise.
    """
    s = inf.solver
    if st.sources is None:
        st.sources = {name: Slot() for name in st.fields}
        for name, source in st.sources.items():
            s.flow(cast_type(inf, source, st.decls[name], e), st.fields[name])
    for name, source in st.sources.items():
        c = CastFieldConstraint(t, name, source, inf.info.structs)
        s.attach(t, c)
    res = Slot(STRUCT)
    res.structs = st.bit
    return res


def casts_nothing(inf: Infer, ref: ast.TypeRef) -> bool:
    """A cast to this type leaves every value as it is."""
    ref = inf.info.resolve_alias(ref)
    if isinstance(ref, ast.TypeName):
        return ref.name not in _SCALAR_CASTS and inf.info.struct_named(ref) is None
    if isinstance(ref, ast.TypeOpt):
        return casts_nothing(inf, ref.inner)
    return not (isinstance(ref, ast.TypeStruct) or _is_collection(ref))


def _is_collection(ref: ast.TypeRef) -> bool:
    return isinstance(ref, ast.TypeGeneric) and ref.name in ("list", "map")
