"""Declarations of types and functions: their names, fields and parameters."""

from __future__ import annotations

from mochic.sema.infer.annotations import may_be_function
from mochic.sema.infer.context import Infer
from mochic.sema.symbols import FunInfo, StructInfo, UnionInfo
from mochic.sema.tree import inner_types
from mochic.sema.types import Slot
from mochic.syntax import ast


# -- types ------------------------------------------------------------------------------------------


def declare_types(inf: Infer, body: list[ast.Stmt]) -> None:
    declared = [st for st in body if isinstance(st, ast.TypeDecl)]
    for st in declared:
        declare_type(inf, st)
    finite_aliases(inf, body)
    for st in declared:
        type_fields(inf, st)


def declare_type(inf: Infer, st: ast.TypeDecl) -> None:
    if st.export:
        inf.types.exports.update([st.name, *(v.name for v in st.variants or ())])
    if st.alias is not None:
        inf.types.aliases[st.name] = st.alias
    elif st.variants is not None:
        u = UnionInfo(st.name, st.lo)
        inf.types.unions[st.name] = u
        for var in st.variants:
            si = declare_struct(inf, var.name, var.lo)
            si.union = u
            u.variants.append(si)
    else:
        declare_struct(inf, st.name, st.lo)


def declare_struct(inf: Infer, name: str, pos: int) -> StructInfo:
    si = StructInfo(len(inf.info.structs), name, pos)
    inf.info.structs.append(si)
    inf.types.structs[name] = si
    return si


def finite_aliases(inf: Infer, body: list[ast.Stmt]) -> None:
    """An alias that stands for itself, or for something made of itself, names no type."""
    for st in body:
        if isinstance(st, ast.TypeDecl) and st.alias is not None and inf.types.aliases.get(st.name) is st.alias:
            seen: dict[str, None] = {}
            todo = [st.alias]
            while todo:
                ref = todo.pop()
                alias = inf.types.alias(ref.name) if isinstance(ref, ast.TypeName) else None
                if alias is None:
                    todo += inner_types(ref)
                elif isinstance(ref, ast.TypeName) and ref.name not in seen:
                    seen[ref.name] = None
                    todo.append(alias)
            if st.name in seen:
                inf.types.aliases[st.name] = ast.TypeName(st.lo, st.hi, "any")
                inf.error("M005", st.lo, st.hi, st.name)


def type_fields(inf: Infer, st: ast.TypeDecl) -> None:
    if st.variants is not None:
        for var in st.variants:
            si = inf.types.structs[var.name]
            for f in var.fields:
                add_field(inf, si, f)
    elif st.fields is not None:
        si = inf.types.structs[st.name]
        for f in st.fields:
            add_field(inf, si, f)
        for m in st.methods:
            fi = declare_function(inf, m, None)
            fi.struct = si
            fi.name = f"{st.name}.{m.name}"
            si.methods[m.name] = fi


def add_field(inf: Infer, si: StructInfo, f: ast.FieldDecl) -> None:
    t = Slot()
    si.fields[f.name] = t
    si.decls[f.name] = f.type
    inf.seeds.append((t, f.type))


# -- functions --------------------------------------------------------------------------------------


def declare_function(inf: Infer, st: ast.FunDecl, owner: FunInfo | None) -> FunInfo:
    f = FunInfo(len(inf.info.functions), st.name, owner, st)
    inf.info.functions.append(f)
    st.info = f
    f.body = st.body
    f.decl_ret = st.result
    for p in st.params:
        add_param(inf, f, p)
    if st.result is not None:
        inf.seeds.append((f.ret, st.result))
    return f


def add_param(inf: Infer, f: FunInfo, p: ast.Param) -> None:
    v = inf.new_var(p.name, Slot(), True, f, "param", p.lo)
    v.decl = p.type
    if p.type is not None:
        inf.seeds.append((v.ty, p.type))
        v.callable = may_be_function(inf, p.type)
    p.sym = v
    f.params.append(v)


def declared_function(st: ast.FunDecl) -> FunInfo:
    f: FunInfo = st.info
    return f
