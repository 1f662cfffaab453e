"""Functions that `extern` declares: those of C libraries (`sema.cfun`), and what other modules are said to have."""

from __future__ import annotations

from mochic.sema.infer.context import Infer
from mochic.sema.infer.declarations import add_param
from mochic.sema.symbols import CLibrary, FunInfo, ImportInfo
from mochic.sema.types import NIL
from mochic.syntax import ast


def extern_declarations(inf: Infer, body: list[ast.Stmt]) -> None:
    """The `extern` declarations of a unit; one without a module belongs to the C library imported last above it."""
    library: CLibrary | None = None
    for st in body:
        if isinstance(st, ast.ExternDecl) and st.kind == "type":
            inf.c_declarations.opaque[st.lo] = None
            inf.types.aliases.setdefault(st.name, ast.TypeName(st.lo, st.hi, "any"))
            inf.types.exports.add(st.name)
    for st in body:
        if isinstance(st, ast.ImportDecl) and st.lang == "c":
            library = next(x for x in reversed(inf.info.libraries) if x.lo == st.lo)
        elif isinstance(st, ast.ExternDecl) and st.kind in ("fun", "var"):
            extern_declaration(inf, st, library)


def extern_declaration(inf: Infer, st: ast.ExternDecl, library: CLibrary | None) -> None:
    mod, _, member = st.name.rpartition(".")
    imp = inf.root.names.get(mod)
    if isinstance(imp, ImportInfo):
        imp.members[member] = st
        if imp.c is None:
            return
        library = imp.c
    elif mod or st.lang not in ("", "c"):
        inf.unsupported(st, f"`extern {st.kind}` of a name outside an imported module")
        return
    if st.kind == "var":
        inf.unsupported(st, "`extern var` of a C library")
        return
    fun = inf.c_declarations.function(st, member, library)
    if fun is None:
        return
    f = FunInfo(len(inf.info.functions), st.name, None, st)
    f.c = fun
    inf.info.functions.append(f)
    for p, t in zip(st.params or (), fun.params, strict=True):
        base: ast.TypeRef = ast.TypeName(p.lo, p.hi, t.base)
        add_param(inf, f, ast.Param(p.lo, p.hi, p.name, ast.TypeOpt(p.lo, p.hi, base) if t.optional else base))
    inf.solver.grow(f.ret, NIL if fun.ret is None else fun.ret.mochi)
    if isinstance(imp, ImportInfo):
        imp.functions[member] = f
    else:
        inf.root.names[member] = f
