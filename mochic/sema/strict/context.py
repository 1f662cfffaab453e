"""The state of one strict check, and what all its rules share: scopes, errors, declared types, narrowing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mochic.diag.diagnostic import Diagnostic, make
from mochic.sema.strict.packages import Checked, Packages
from mochic.sema.strict.types import (
    ANY, LIST_K, MAP_K, OPT_K, PRIMITIVES, STRUCT_K, UNIT, VAR_K, SType, erased, fits, fun_of, list_of,
    map_of, opt_of, same, text,
)  # fmt: skip
from mochic.syntax import ast


class StrictError(Exception):
    """The first error of a statement; the rest of the statement is not looked at."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Var:
    """A name in scope.  Functions, imports and `let` are not mutable; parameters and loop variables are."""

    __slots__ = ("name", "type", "mutable", "function")

    def __init__(self, name: str, type: SType, mutable: bool, function: bool = False) -> None:
        self.name = name
        self.type = type
        self.mutable = mutable
        self.function = function


# The rule for one class of expressions or statements, see `Strict.expr`.
Expression = Callable[["Strict", Any, "SType | None"], SType]
Statement = Callable[["Strict", Any], None]


class Strict:
    """One check.  `scopes` goes from the program to the innermost block.

    `expressions` and `statements` have the rule for each class of the tree: rules call each other through them.
    """

    def __init__(
        self,
        expressions: dict[type, Expression],
        statements: dict[type, Statement],
        packages: Packages | None = None,
    ) -> None:
        self.expressions = expressions
        self.statements = statements
        self.packages = packages
        self.imported: dict[str, Checked] = {}
        self.scopes: list[dict[str, Var]] = [{}]
        self.types: dict[str, SType] = {}
        self.streams: dict[str, SType] = {}
        self.agents: dict[str, SType] = {}
        self.relations: dict[str, None] = {}
        self.effects: dict[str, int] = {}  # of functions, by name
        self.narrowed: dict[Var, SType] = {}
        self.tparams: tuple[str, ...] = ()
        self.loops = 0  # around the statement that is being checked
        self.result: SType | None = None  # of the function that is being checked
        self.diags: list[Diagnostic] = []
        self.unknown: list[Diagnostic] = []  # names of types; a name may be looked up several times

    # -- rules -----------------------------------------------------------------------------------

    def expr(self, e: ast.Expr, want: SType | None = None) -> SType:
        """The type of an expression; `want`: what its surroundings expect, if they expect something."""
        return self.expressions[type(e)](self, e, want)

    def stmt(self, st: ast.Stmt) -> None:
        self.statements[type(st)](self, st)

    def block(self, body: list[ast.Stmt]) -> None:
        """Statements in a scope of their own."""
        self.scopes.append({})
        for st in body:
            self.stmt(st)
        self.scopes.pop()

    def function_body(
        self, params: list[ast.Param], types: list[SType], body: list[ast.Stmt], result: SType | None
    ) -> None:
        """The body of a function; `result`: what its `return` must fit, None where there is none to check."""
        outer = self.result, self.loops, self.narrowed
        self.result, self.loops, self.narrowed = result, 0, {}
        self.scopes.append({})
        for p, t in zip(params, types, strict=False):
            self.declare(p.name, t, True)
        for st in body:
            self.stmt(st)
        self.scopes.pop()
        self.result, self.loops, self.narrowed = outer

    # -- errors -------------------------------------------------------------------------------------

    def fail(self, code: str, lo: int, hi: int, *args: object) -> StrictError:
        """The error to raise."""
        return StrictError(make(code, lo, hi, *args))

    # -- names --------------------------------------------------------------------------------------

    def find(self, name: str) -> Var | None:
        for scope in reversed(self.scopes):
            v = scope.get(name)
            if v is not None:
                return v
        return None

    def declare(self, name: str, type: SType, mutable: bool, function: bool = False) -> Var:
        v = self.scopes[-1][name] = Var(name, type, mutable, function)
        return v

    # -- types --------------------------------------------------------------------------------------

    def resolve(self, ref: ast.TypeRef | None, default: SType = ANY) -> SType:
        """The type that a reference names; unknown names are noted (T025) and are `any`."""
        if ref is None:
            return default
        if isinstance(ref, ast.TypeName):
            name = ref.name
            if name in self.tparams:
                return SType(VAR_K, name)
            t = PRIMITIVES.get(name) or self.types.get(name)
            if t is not None:
                return t
            if len(name) > 1 or not name.isupper():
                self.unknown.append(make("T025", ref.lo, ref.hi, name))
            return ANY
        if isinstance(ref, ast.TypeOpt):
            return opt_of(self.resolve(ref.inner))
        if isinstance(ref, ast.TypeGeneric):
            args = [self.resolve(a) for a in ref.args]
            if ref.name == "list" and len(args) == 1:
                return list_of(args[0])
            if ref.name == "map" and len(args) == 2:
                return map_of(args[0], args[1])
            return ANY
        if isinstance(ref, ast.TypeFun):
            return fun_of([self.resolve(p) for p in ref.params], self.resolve(ref.result, UNIT))
        assert isinstance(ref, ast.TypeStruct)
        t = SType(STRUCT_K)
        for f in ref.fields:
            t.fields[f.name] = self.resolve(f.type)
        return t

    # -- values that must fit -----------------------------------------------------------------------

    def check(self, e: ast.Expr, want: SType) -> SType:
        """The type of an expression where one is expected; T008 at the expression."""
        got = self.expr(e, want)
        if got.tparams:
            got = erased(got)
        if not fits(want, got):
            raise self.fail("T008", e.lo, e.hi, text(want), text(got))
        return got

    def alias(self, e: ast.Expr, want: SType, at: ast.Node | None = None) -> None:
        """T052: a second name for a list or map must not admit other elements than the first one.

        Literals are looked into: they hold references to what their elements name.
        """
        if want.kind not in (LIST_K, MAP_K):
            return
        if isinstance(e, ast.ListLit) and want.kind == LIST_K:
            for x in e.elems:
                self.alias(x, want.args[0])
        elif isinstance(e, ast.MapLit) and want.kind == MAP_K:
            for _, x in e.entries:
                self.alias(x, want.args[1])
        elif isinstance(e, (ast.Ident, ast.Index, ast.Field)):
            name = path_text(e)
            got = self.expr(e)
            if name and got.kind == want.kind and not same(got, want):
                node = e if at is None else at
                raise self.fail("T052", node.lo, node.hi, name, text(got), text(want))

    # -- narrowing ----------------------------------------------------------------------------------

    def type_of(self, v: Var) -> SType:
        return self.narrowed.get(v, v.type)

    def facts(self, cond: ast.Expr, holds: bool) -> dict[Var, SType]:
        """Which variables are not none when a condition holds (or does not)."""
        out: dict[Var, SType] = {}
        work = [cond]
        while work:
            e = work.pop()
            if not isinstance(e, ast.Binary):
                continue
            if e.op == ("&&" if holds else "||"):
                work += (e.left, e.right)
            elif e.op == ("!=" if holds else "=="):
                x, y = (e.left, e.right) if isinstance(e.right, ast.NoneLit) else (e.right, e.left)
                v = self.find(x.name) if isinstance(x, ast.Ident) and isinstance(y, ast.NoneLit) else None
                if v is not None and self.type_of(v).kind == OPT_K:
                    out[v] = self.type_of(v).args[0]
        return out

    def enter(self, facts: dict[Var, SType]) -> dict[Var, SType]:
        """Begins a region in which facts hold; the result is for `leave`."""
        before = self.narrowed
        if facts:
            self.narrowed = {**before, **facts}
        return before

    def leave(self, before: dict[Var, SType]) -> None:
        """What was known before and has not been lost inside."""
        inner = self.narrowed
        if inner is not before:
            self.narrowed = {v: t for v, t in before.items() if v in inner}

    def forget_mutable(self) -> None:
        """A call with effects may have changed any variable."""
        if any(v.mutable for v in self.narrowed):
            self.narrowed = {v: t for v, t in self.narrowed.items() if not v.mutable}


def path_text(e: ast.Expr) -> str:
    """A place as diagnostics name it, `rows[...]` or `p.items`; "" for anything else."""
    suffix = ""
    while True:
        if isinstance(e, ast.Ident):
            return e.name + suffix
        if isinstance(e, ast.Index):
            suffix = "[...]" + suffix
            e = e.obj
        elif isinstance(e, ast.Field):
            suffix = f".{e.name}" + suffix
            e = e.obj
        else:
            return ""


def root_name(e: ast.Expr) -> str:
    """The variable that a place belongs to."""
    while isinstance(e, (ast.Index, ast.Field)):
        e = e.obj
    return e.name if isinstance(e, ast.Ident) else ""
