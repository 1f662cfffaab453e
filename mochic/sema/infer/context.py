"""The state of one program's inference, and the lookup of names that all its rules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mochic.diag.diagnostic import Diagnostic, make
from mochic.sema.cfun import CDeclarations
from mochic.sema.constraints import bind_signature
from mochic.sema.specialise import Specialiser
from mochic.sema.symbols import FunInfo, Named, Package, ProgramInfo, Scope, Var
from mochic.sema.types import FUNC, Slot
from mochic.syntax import ast

# The rule for one class of expressions or statements, see `Infer.expr` and `Infer.stmt`.
Expression = Callable[["Infer", Any], Slot]
Statement = Callable[["Infer", Any], bool]
# What `sema.check` looks at when the types are solved: the name of its rule, where, and what it compares.
Check = tuple[str, int, Any, Any, Any]


class Infer:
    """One program's inference.

    `expressions` and `statements` have the rule for each class of the tree: rules call each other through them.
    """

    def __init__(
        self,
        info: ProgramInfo,
        expressions: dict[type, Expression],
        statements: dict[type, Statement],
        special: Specialiser | None = None,
    ) -> None:
        self.info = info
        self.expressions = expressions
        self.statements = statements
        self.solver = info.solver
        self.diags: list[Diagnostic] = []
        self.checks: list[Check] = []
        self.seeds: list[tuple[Slot, ast.TypeRef]] = []  # slots with a declared type
        # Instances of functions.
        self.special = special
        self.calls: dict[FunInfo, int] = {}  # of top-level functions by name: how many there are
        # The program or package that is being walked.
        self.types = info.types
        self.scope = Scope(None, None)
        self.root = self.scope
        self.hidden: dict[str, Named] = {}  # functions with the name of a top-level variable
        self.first_ref: dict[FunInfo, int] = {}  # where the top level first mentions a function
        self.relations: dict[str, None] = {}
        # All of them.
        self.packages: dict[str, Package] = {}
        self.streams: dict[str, ast.StreamDecl] = {}
        self.agents: dict[str, ast.AgentDecl] = {}
        self.models: dict[str, ast.ModelDecl] = {}
        self.c_declarations = CDeclarations(info, self.diags)
        # The function that is being walked.
        self.fun: FunInfo | None = None
        self.loops = 0
        self.narrow: dict[Var, Slot] = {}
        self.last_facts: tuple[ast.Expr | None, tuple[list[Var], list[Var]]] = None, ([], [])
        # For names that are new.
        self.nvars = 0
        self.tries = 0

    # -- rules --------------------------------------------------------------------------------------

    def expr(self, e: ast.Expr) -> Slot:
        """The type of an expression, which is noted in it."""
        t = self.expressions[type(e)](self, e)
        e.ty = t
        return t

    def stmt(self, st: ast.Stmt) -> bool:
        """Whether control can reach the end of a statement."""
        return self.statements[type(st)](self, st)

    # -- names --------------------------------------------------------------------------------------

    def lookup(self, name: str) -> Named | None:
        """What a name means here; None if it is unknown."""
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

    def new_var(self, name: str, ty: Slot, mutable: bool, owner: FunInfo | None, kind: str, pos: int) -> Var:
        self.nvars += 1
        return Var(self.nvars, name, ty, mutable, owner, kind, pos)

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
        """Record that the current function refers to g, by a call or as a value."""
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

    def fun_value(self, g: FunInfo, e: ast.Expr) -> Slot:
        self.use_fun(g, e)
        t = Slot(FUNC)
        bind_signature(self.solver, t, [p.ty for p in g.params], g.ret)
        return t

    def use_self(self) -> None:
        """Record a use of the struct whose method is being walked, or holds the function that is."""
        f = self.fun
        while f is not None and f.struct is None:
            f = f.owner
        assert f is not None and f.self_var is not None
        self.use_var(f.self_var)

    def note_methods(self, name: str, at: ast.Node) -> None:
        """Any method of this name may run: which one depends on types not known yet."""
        for st in self.info.structs:
            m = st.methods.get(name)
            if m is not None:
                self.use_fun(m, at)

    # -- diagnostics --------------------------------------------------------------------------------

    def error(self, code: str, lo: int, hi: int, *args: object) -> None:
        self.diags.append(make(code, lo, hi, *args))

    def unsupported(self, n: ast.Node, what: str) -> None:
        self.diags.append(
            Diagnostic(
                "M001",
                f"{what}: not supported yet",
                n.lo,
                n.hi,
                "This construct is part of the language, but this version of the compiler cannot compile it.",
            )
        )
