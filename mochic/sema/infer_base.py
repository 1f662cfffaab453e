"""State and name lookup that all parts of type inference share (see `infer`)."""

from __future__ import annotations

from typing import Any

from mochic.diag.diagnostic import Diagnostic, make
from mochic.sema.constraints import bind_sig
from mochic.sema.modules import module_names, native_modules
from mochic.sema.packages import library_modules
from mochic.sema.specialise import Specialiser
from mochic.sema.symbols import FunInfo, ImportInfo, ProgramInfo, Scope, TypeTable, Var
from mochic.sema.types import FUNC, Solver, Ty
from mochic.syntax import ast


class InferBase:
    info: ProgramInfo
    s: Solver
    diags: list[Diagnostic]
    scope: Scope
    root: Scope
    fun: FunInfo | None
    narrow: dict[Var, Ty]
    last_facts: tuple[ast.Expr | None, tuple[list[Var], list[Var]]]
    types: TypeTable
    first_ref: dict[FunInfo, int]
    checks: list[tuple[str, Any, Any, Any, Any]]
    hidden: dict[str, Any]
    calls: dict[FunInfo, int]
    special: Specialiser | None

    # -- names ----------------------------------------------------------------------------------

    def lookup(self, name: str, at: ast.Node) -> Any:
        """Var, FunInfo, StructInfo, ImportInfo, or (StructInfo, field) inside a method; None if unknown."""
        sc: Scope | None = self.scope
        while sc is not None:
            r = sc.names.get(name)
            if r is not None:
                if isinstance(r, Var) and not r.declared and r.owner is None and self.fun is self.info.main:
                    hidden = self.hidden.get(name)
                    return hidden if isinstance(hidden, FunInfo) else None
                return r
            f = sc.fun
            if f is not None and f.struct is not None and sc.names.get("") is None:
                if name in f.struct.fields:
                    return (f.struct, name)
                if name in f.struct.methods:
                    return f.struct.methods[name]
            sc = sc.parent
        return self.types.struct(name)

    def use_var(self, v: Var) -> None:
        """Record a use of v by the current function: captures, and which globals need memory."""
        f = self.fun
        if v.owner is None:
            if f is not self.info.main:
                v.global_ = True
                assert f is not None
                f.reads[v] = None
            return
        while f is not None and f is not v.owner:
            f.captures[v] = None
            v.captured = True
            f = f.owner

    def use_fun(self, g: FunInfo, at: ast.Node) -> None:
        f = self.fun
        assert f is not None
        f.funs[g] = None
        if f is self.info.main:
            self.first_ref.setdefault(g, at.lo)
        v = g.local_var
        if v is not None and f is not g:
            if not v.declared:
                v.writes += 1
            self.use_var(v)

    def fun_value(self, g: FunInfo, e: ast.Expr) -> Ty:
        self.use_fun(g, e)
        t = Ty(FUNC)
        bind_sig(self.s, t, [p.ty for p in g.params], g.ret)
        return t

    def use_self(self) -> None:
        f = self.fun
        while f is not None and f.struct is None:
            f = f.owner
        assert f is not None and f.self_var is not None
        self.use_var(f.self_var)

    def exported(self, imp: ImportInfo, name: str) -> object:
        """What a package makes visible under a name, or a function declared for a C library; None for neither."""
        if imp.c is not None:
            return imp.functions.get(name)
        p = imp.package
        return None if p is None or p.names is None else p.names.get(name)

    def foreign(self, at: ast.Node, imp: ImportInfo, name: str) -> None:
        """The import has nothing of this name that can be compiled."""
        if imp.broken or (imp.package is not None and (imp.package.broken or imp.package.names is None)):
            return
        if not imp.lang:
            text = f'the package "{imp.path}" exports no `{name}`'
            help = f"Only what is declared with `export` can be used as `{imp.alias}.name`."
            if imp.package is not None and name in imp.package.private:
                help = f"`{name}` is there, without `export` before its declaration."
            elif imp.package is not None and imp.package.names:
                help += f" There are: {', '.join(sorted({*imp.package.names, *imp.package.types.exports}))}."
        elif imp.c is not None:
            if name in imp.members:
                return  # its declaration was refused
            text = f"the C function `{imp.alias}.{name}` is not declared"
            help = f"Declare it with its types: `extern fun {imp.alias}.{name}(x: float): float`."
        else:
            known = sorted({*module_names(imp), *((imp.package.names or ()) if imp.package is not None else ())})
            text = f'`{name}` of the {imp.lang} module "{imp.path}" cannot be compiled into a native binary'
            if known:
                help = f"Of this module there are: {', '.join(known)}. Write others in Mochi."
            else:
                modules = sorted({*native_modules(imp.lang), *library_modules(imp.lang)})
                help = f"A binary has no {imp.lang} runtime. Write the function in Mochi" + (
                    f"; of {imp.lang}'s modules there are: {', '.join(modules)}." if modules else "."
                )
        self.diags.append(Diagnostic("M002" if imp.lang else "M003", text, at.lo, at.hi, help))

    def note_methods(self, name: str, at: ast.Node) -> None:
        """Any method of this name may run: which one depends on types not known yet."""
        for st in self.info.structs:
            m = st.methods.get(name)
            if m is not None:
                self.use_fun(m, at)

    # provided by the other parts
    def declare_fun(self, st: ast.FunDecl, owner: FunInfo | None) -> FunInfo:
        raise AssertionError

    def known_type(self, ref: ast.TypeName | ast.StructLit) -> bool:
        raise AssertionError

    def is_type(self, name: str) -> bool:
        raise AssertionError

    def facts(self, e: ast.Expr) -> tuple[list[Var], list[Var]]:
        raise AssertionError

    def with_facts(self, env: dict[Var, Ty], facts: list[Var]) -> dict[Var, Ty]:
        raise AssertionError

    def block(self, body: list[ast.Stmt]) -> bool:
        raise AssertionError

    def new_var(self, name: str, ty: Ty, mutable: bool, owner: FunInfo | None, kind: str, pos: int) -> Var:
        raise AssertionError

    def add_param(self, f: FunInfo, p: ast.Param) -> None:
        raise AssertionError

    def fun_body(self, f: FunInfo) -> None:
        raise AssertionError

    def error(self, code: str, lo: int, hi: int, *args: object) -> None:
        self.diags.append(make(code, lo, hi, *args))

    def unsupported(self, n: ast.Node, what: str) -> None:
        raise AssertionError

    def expr(self, e: ast.Expr) -> Ty:
        raise AssertionError
