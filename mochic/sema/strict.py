"""The strict mode: `mochi check --strict` (language reference, sections 5 and 6).

The default mode accepts whatever can mean something at run time.  The strict mode holds a program to its declared
types: no conversion from int to float, reading a map gives an optional, optionals need a guard, unions must be
covered, an annotation of effects is a contract.

The checker goes over the tree once, in the order of the text, after all names of types and the signatures of top-level
functions are known.  A statement at top level has at most one error: the first one ends its check by an exception,
and the names it would have declared stay unknown.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from mochic.diag.diagnostic import Diagnostic, make
from mochic.sema import logic
from mochic.sema.cfun import C_TYPES
from mochic.sema.strict_base import StrictError, root_name
from mochic.sema.strict_effects import effects_of, function_effects, parts
from mochic.sema.strict_packages import Checked, Packages, as_type
from mochic.sema.strict_query import StrictQuery
from mochic.sema.strict_types import (
    ANY, ANY_K, BOOL, BOOL_K, GROUP_K, INT, INT64_K, INT_K, LIST_K, MAP_K, OPT_K, STRING, STRING_K, STRUCT_K, UNION_K,
    PRIMITIVES, UNIT, UNIT_K, VAR_K, SType, fun_of, opt_of, text, unify,
)  # fmt: skip
from mochic.source import SourceMap
from mochic.syntax import ast
from mochic.syntax.parse_base import package_name


class Strict(StrictQuery):
    def __init__(self, packages: Packages | None = None) -> None:
        super().__init__()
        self.packages = packages
        self.imported: dict[str, Checked] = {}
        self.loops = 0
        self.result: SType | None = None
        self.diags: list[Diagnostic] = []

    # -- program ---------------------------------------------------------------------------------

    def program(self, p: ast.Program) -> list[Diagnostic]:
        for st in p.body:
            if isinstance(st, ast.ImportDecl) and not st.lang and self.packages is not None:
                self.load(st, self.packages)
        self.logic(p.body)
        functions = [st for st in p.body if isinstance(st, ast.FunDecl)]
        types = [st for st in p.body if isinstance(st, ast.TypeDecl)]
        for decl in types:
            self.register_type(decl)
        for st in p.body:
            if isinstance(st, ast.StreamDecl):
                self.streams[st.name] = self.types[st.name] = SType(STRUCT_K, st.name)
            elif isinstance(st, ast.AgentDecl):
                self.agents[st.name] = self.types[st.name] = SType(STRUCT_K, st.name)
        self.effects, bodies = function_effects(functions)
        for f in functions:
            self.declare(f.name, self.signature(f, UNIT), False, True)
        for rule in (0, 1):
            for f in functions:
                self.guarded(self.contract, f, rule, bodies[f.name])
        for decl in types:
            self.guarded(self.type_decl, decl)
        for st in p.body:
            if not isinstance(st, ast.TypeDecl):
                self.guarded(self.stmt, st)
        # A type may be looked up more than once, in the signature and in the body.
        seen: dict[int, None] = {}
        for d in self.unknown:
            if d.lo not in seen:
                seen[d.lo] = None
                self.diags.append(d)
        return self.diags

    def load(self, st: ast.ImportDecl, packages: Packages) -> None:
        """A package's errors are the program's; its types are known before any signature mentions them."""
        found = packages.load(st, self.diags)
        if found is not None:
            alias = st.alias or package_name(st.path)
            self.imported[alias] = found
            for name, t in found.types.items():
                self.types[f"{alias}.{name}"] = t

    def logic(self, body: list[ast.Stmt]) -> None:
        """Facts and rules: what the translation finds, and negation, which is newer."""
        for st in body:
            if isinstance(st, ast.FactDecl):
                self.relations[logic.relation(st.pred)] = None
                logic.check_fact(st, self.diags)
            elif isinstance(st, ast.RuleDecl):
                self.relations[logic.relation(st.head)] = None
                for c in st.body:
                    if isinstance(c, ast.Pred) and c.negated:
                        self.diags.append(make("M006", c.lo, c.hi, "`not` in a rule"))
        logic.program_text([st for st in body if isinstance(st, ast.FactDecl | ast.RuleDecl)], self.diags)

    def guarded(self, check: Callable[..., None], *args: Any) -> None:
        """One statement at top level; its first error ends it."""
        depth = len(self.scopes)
        try:
            check(*args)
        except StrictError as e:
            self.diags.append(e.diagnostic)
            del self.scopes[depth:]
            self.narrowed = {}
            self.tparams = ()
            self.loops = 0
            self.result = None

    def contract(self, f: ast.FunDecl, rule: int, body: int) -> None:
        """T064 for all functions comes before T065 for all."""
        if f.effects is None:
            return
        try:
            self.declared_effects(f, f.name, f.effects, body)
        except StrictError as e:
            if e.diagnostic.code == ("T065" if rule else "T064"):
                raise

    # -- declarations ----------------------------------------------------------------------------

    def register_type(self, st: ast.TypeDecl) -> None:
        """Makes the names known, without what is in them."""
        if st.variants is not None:
            u = self.types[st.name] = SType(UNION_K, st.name)
            for v in st.variants:
                # A union with one constructor of its own name is that constructor.
                t = SType(STRUCT_K, v.name)
                u.variants[v.name] = t
                if v.name != st.name:
                    self.types[v.name] = t
        elif st.alias is None:
            self.types[st.name] = SType(STRUCT_K, st.name)
        else:
            self.types[st.name] = ANY

    def type_decl(self, st: ast.TypeDecl) -> None:
        if st.alias is not None:
            del self.types[st.name]
            self.types[st.name] = self.resolve(st.alias)
            return
        if st.variants is not None:
            u = self.types[st.name]
            for v in st.variants:
                t = u.variants[v.name]
                for f in v.fields:
                    t.fields[f.name] = self.resolve(f.type)
                if t.fields:
                    self.declare(v.name, fun_of(list(t.fields.values()), u), False)
                else:
                    self.declare(v.name, u, False)
            return
        t = self.types[st.name]
        for f in st.fields or []:
            t.fields[f.name] = self.resolve(f.type)
        for m in st.methods:
            for p in m.params:
                if p.type is None:
                    raise self.fail("T005", m.lo, m.hi, p.name)
            t.methods[m.name] = self.signature(m, UNIT)
        for m in st.methods:
            self.scopes.append({})
            for name, ft in t.fields.items():
                self.declare(name, ft, True)
            for name, ft in t.methods.items():
                self.declare(name, ft, False, True)
            self.fun_body(m)
            self.scopes.pop()

    def signature(self, f: ast.FunDecl, missing: SType) -> SType:
        outer = self.tparams
        self.tparams = (*outer, *f.tparams)
        t = fun_of(
            [self.resolve(p.type) for p in f.params], self.resolve(f.result, missing), self.effects.get(f.name, 0)
        )
        t.tparams = tuple(f.tparams)
        self.tparams = outer
        return t

    def s_fun(self, st: ast.FunDecl) -> None:
        self.declare(st.name, self.signature(st, ANY), False, True)
        self.fun_body(st)

    def fun_body(self, f: ast.FunDecl) -> None:
        outer = self.tparams
        self.tparams = (*outer, *f.tparams)
        params = [self.resolve(p.type) for p in f.params]
        self.function_body(f.params, params, f.body, self.resolve(f.result) if f.result is not None else ANY)
        self.tparams = outer

    def function_body(
        self, params: list[ast.Param], types: list[SType], body: list[ast.Stmt], result: SType | None
    ) -> None:
        outer = self.result, self.loops, self.narrowed
        self.result, self.loops, self.narrowed = result, 0, {}
        self.scopes.append({})
        for p, t in zip(params, types, strict=False):
            self.declare(p.name, t, True)
        for st in body:
            self.stmt(st)
        self.scopes.pop()
        self.result, self.loops, self.narrowed = outer

    def s_var(self, st: ast.VarDecl) -> None:
        if st.type is None and st.value is None:
            raise self.fail("T000", st.lo, st.hi)
        if st.value is None:
            self.declare(st.name, self.resolve(st.type), st.mutable)
            return
        if st.type is None:
            t = self.expr(st.value)
            self.no_alias(st)
        else:
            t = self.resolve(st.type)
            got = self.check(st.value, t)
            if got.kind == ANY_K and t.kind not in (ANY_K, VAR_K) and not self.is_unknown(st.type):
                raise self.fail("T008", st.lo, st.hi, text(t), text(got))
            self.no_alias(st)
            if st.mutable:
                self.alias(st.value, t, st if not isinstance(st.value, (ast.ListLit, ast.MapLit)) else None)
        self.declare(st.name, t, st.mutable)

    def is_unknown(self, ref: ast.TypeRef) -> bool:
        return any(d.lo == ref.lo for d in self.unknown)

    def no_alias(self, st: ast.VarDecl) -> None:
        """T051: a mutable name for a value that another name promises to leave alone."""
        if not st.mutable or not isinstance(st.value, ast.Ident):
            return
        v = self.find(st.value.name)
        if v is not None and not v.mutable and v.type.kind in (LIST_K, MAP_K, STRUCT_K):
            raise self.fail("T051", st.lo, st.hi, v.name)

    def s_import(self, st: ast.ImportDecl) -> None:
        name = st.alias or package_name(st.path)
        found = self.imported.get(name)
        self.declare(name, ANY if found is None else as_type(found, name), False)

    def s_extern(self, st: ast.ExternDecl) -> None:
        if st.kind == "type":
            self.types[st.name] = SType(STRUCT_K, st.name)
        elif "." not in st.name:
            t = ANY
            if st.kind == "fun":
                t = fun_of([self.resolve_c(p.type) for p in st.params or []], self.resolve_c(st.type, UNIT))
            elif st.kind == "var":
                t = self.resolve(st.type)
            self.declare(st.name, t, False)

    def resolve_c(self, ref: ast.TypeRef | None, default: SType = ANY) -> SType:
        """The type of a C function's parameter or result: numbers of C's sizes are ints and floats."""
        if isinstance(ref, ast.TypeOpt):
            return opt_of(self.resolve_c(ref.inner))
        if isinstance(ref, ast.TypeName) and ref.name in C_TYPES and ref.name not in self.types:
            return PRIMITIVES[C_TYPES[ref.name].base]
        return self.resolve(ref, default)

    def s_stream(self, st: ast.StreamDecl) -> None:
        t = self.streams[st.name]
        for f in st.fields:
            t.fields[f.name] = self.resolve(f.type)

    def s_model(self, st: ast.ModelDecl) -> None:
        for f in st.fields:
            self.expr(f.value)

    def s_on(self, st: ast.OnHandler) -> None:
        t = self.streams.get(st.stream)
        if t is None:
            raise self.fail("T031", st.lo, st.hi, st.stream)
        self.scopes.append({})
        self.declare(st.var, t, False)
        self.block(st.body)
        self.scopes.pop()

    def s_emit(self, st: ast.Emit) -> None:
        t = self.streams.get(st.stream)
        if t is None:
            raise self.fail("T031", st.lo, st.hi, st.stream)
        self.fields(st, t, st.fields)

    def s_agent(self, st: ast.AgentDecl) -> None:
        """Its variables and intents are the fields and methods of its instances."""
        t = self.agents[st.name]
        for x in st.body:
            if isinstance(x, ast.IntentDecl):
                t.methods[x.name] = fun_of([self.resolve(p.type) for p in x.params], self.resolve(x.result))
        self.scopes.append({})
        for name, method in t.methods.items():
            self.declare(name, method, False, True)
        for x in st.body:
            self.stmt(x)
            if isinstance(x, ast.VarDecl):
                t.fields[x.name] = self.scopes[-1][x.name].type
        self.scopes.pop()

    def s_intent(self, st: ast.IntentDecl) -> None:
        params = [self.resolve(p.type) for p in st.params]
        self.function_body(st.params, params, st.body, self.resolve(st.result) if st.result is not None else ANY)

    # -- statements ------------------------------------------------------------------------------

    def stmt(self, st: ast.Stmt) -> None:
        _STATEMENTS[type(st)](self, st)

    def block(self, body: list[ast.Stmt]) -> None:
        self.scopes.append({})
        for st in body:
            self.stmt(st)
        self.scopes.pop()

    def s_nothing(self, st: ast.Stmt) -> None:
        pass

    def s_local_type(self, st: ast.TypeDecl) -> None:
        self.register_type(st)
        self.type_decl(st)

    def s_assign(self, st: ast.Assign) -> None:
        target = st.target
        name = root_name(target)
        v = self.find(name)
        if v is None:
            raise self.fail("T001", st.lo, st.hi, name)
        if not v.mutable:
            raise self.fail("T024", st.lo, st.hi, name)
        if isinstance(target, ast.Ident):
            got = self.check(st.value, v.type)
            self.assigned(v.type, v, got)
            return
        want = self.place(st, target)
        self.check(st.value, want)
        self.alias(st.value, want, st)

    def assigned(self, declared: SType, v: Any, got: SType) -> None:
        """Narrowing ends, or goes on with the new value."""
        if declared.kind == OPT_K and got.kind not in (OPT_K, ANY_K):
            self.narrowed = {**self.narrowed, v: declared.args[0]}
        elif v in self.narrowed:
            self.narrowed = {x: t for x, t in self.narrowed.items() if x is not v}

    def place(self, st: ast.Assign, e: ast.Expr) -> SType:
        """The type of a place that is assigned to; reading a map there gives no optional."""
        if isinstance(e, ast.Index):
            t = self.place(st, e.obj)
            i = self.expr(e.index)
            if t.kind == MAP_K:
                if not unify(t.args[0], i):
                    raise self.fail("T019", e.op_lo, e.hi, text(t.args[0]), text(i))
                return t.args[1]
            if t.kind == LIST_K:
                if i.kind not in (INT_K, INT64_K):
                    raise self.fail("T015", e.op_lo, e.hi)
                return t.args[0]
            if t.kind == ANY_K:
                return ANY
            raise self.fail("T018", st.lo, st.hi, text(t))
        if isinstance(e, ast.Field):
            t = self.place(st, e.obj)
            self.guard(e, e.obj, t)
            return self.member(e, t)
        return self.expr(e)

    def s_return(self, st: ast.Return) -> None:
        want = self.result
        if want is None:
            if st.value is not None:
                self.expr(st.value)
            return
        if st.value is None:
            if want.kind not in (UNIT_K, ANY_K):
                raise self.fail("T010", st.lo, st.hi, text(want), text(UNIT))
            return
        got = self.check(st.value, want)
        if got.kind == ANY_K and want.kind not in (ANY_K, VAR_K):
            raise self.fail("T010", st.lo, st.hi, text(want), text(got))

    def condition(self, e: ast.Expr) -> None:
        if self.expr(e).kind not in (BOOL_K, ANY_K):
            raise self.fail("T040", e.lo, e.hi)

    def s_if(self, st: ast.If) -> None:
        self.condition(st.cond)
        start = self.narrowed
        self.enter(self.facts(st.cond, True))
        self.block(st.then)
        self.leave(start)
        after = self.narrowed
        self.narrowed = start
        if st.orelse:
            self.enter(self.facts(st.cond, False))
            self.block(st.orelse)
            self.leave(start)
        self.narrowed = {v: t for v, t in self.narrowed.items() if v in after}

    def s_while(self, st: ast.While) -> None:
        self.forget_changed(st.body)
        self.condition(st.cond)
        start = self.enter(self.facts(st.cond, True))
        self.loop(st.body)
        self.leave(start)

    def forget_changed(self, body: list[ast.Stmt]) -> None:
        """What a loop body changes is not known at its start: an earlier round may have changed it."""
        if not self.narrowed:
            return
        if effects_of(list(body), self.effects):
            self.forget_mutable()
            return
        work: list[Any] = list(body)
        names: dict[str, None] = {}
        while work:
            n = work.pop()
            if isinstance(n, ast.Assign) and isinstance(n.target, ast.Ident):
                names[n.target.name] = None
            work += parts(n)
        self.narrowed = {v: t for v, t in self.narrowed.items() if v.name not in names}

    def loop(self, body: list[ast.Stmt]) -> None:
        self.loops += 1
        self.block(body)
        self.loops -= 1

    def s_for(self, st: ast.For) -> None:
        t = self.expr(st.source)
        if st.end is not None:
            ok = (INT_K, INT64_K, ANY_K)
            if t.kind not in ok or self.expr(st.end).kind not in ok:
                raise self.fail("T023", st.lo, st.hi)
            t = t if t.kind == INT64_K else INT
        elif t.kind in (LIST_K, MAP_K, GROUP_K):
            t = t.args[0]
        elif t.kind == STRING_K:
            t = STRING
        else:
            raise self.fail("T022", st.lo, st.hi, text(t))
        self.scopes.append({})
        self.declare(st.var, t, True)
        self.forget_changed(st.body)
        before = self.narrowed
        self.loop(st.body)
        self.leave(before)
        self.scopes.pop()

    def s_break(self, st: ast.Stmt) -> None:
        if not self.loops:
            raise self.fail("T045", st.lo, st.hi, "break" if isinstance(st, ast.Break) else "continue")

    def s_expr(self, st: ast.ExprStmt) -> None:
        self.expr(st.expr)

    def s_expect(self, st: ast.Expect) -> None:
        got = self.check(st.expr, BOOL)
        if got.kind == ANY_K:
            raise self.fail("T011", st.lo, st.hi)

    def s_test(self, st: ast.TestDecl | ast.BenchDecl) -> None:
        self.block(st.body)

    def s_try(self, st: ast.Try) -> None:
        raise self.fail("M006", st.lo, st.hi, "`try`")

    def s_fetch(self, st: ast.FetchStmt) -> None:
        self.fetch(st, st.url, st.options)
        if self.find(st.target) is None:
            self.declare(st.target, ANY, True)

    def s_update(self, st: ast.Update) -> None:
        v = self.find(st.target)
        if v is None:
            raise self.fail("T001", st.lo, st.hi, st.target)
        row = v.type.args[0] if v.type.kind == LIST_K else ANY
        self.scopes.append({})
        for name, t in row.fields.items():
            self.declare(name, t, True)
        for key, value in st.sets.entries:
            name = key.value if isinstance(key, ast.StrLit) else ""
            if row.kind == STRUCT_K and name:
                want = row.fields.get(name)
                if want is None:
                    raise self.fail("T026", st.lo, st.hi, name, text(row))
                self.check(value, want)
        if st.where is not None:
            self.condition(st.where)
        self.scopes.pop()


_STATEMENTS: Final[dict[type, Any]] = {
    ast.VarDecl: Strict.s_var, ast.Assign: Strict.s_assign, ast.FunDecl: Strict.s_fun, ast.Return: Strict.s_return,
    ast.If: Strict.s_if, ast.While: Strict.s_while, ast.For: Strict.s_for, ast.Break: Strict.s_break,
    ast.Continue: Strict.s_break, ast.ExprStmt: Strict.s_expr, ast.Expect: Strict.s_expect,
    ast.TestDecl: Strict.s_test, ast.BenchDecl: Strict.s_test, ast.TypeDecl: Strict.s_local_type,
    ast.ImportDecl: Strict.s_import, ast.ExternDecl: Strict.s_extern, ast.FactDecl: Strict.s_nothing,
    ast.RuleDecl: Strict.s_nothing, ast.StreamDecl: Strict.s_stream, ast.ModelDecl: Strict.s_model,
    ast.OnHandler: Strict.s_on, ast.Emit: Strict.s_emit, ast.AgentDecl: Strict.s_agent,
    ast.IntentDecl: Strict.s_intent, ast.FetchStmt: Strict.s_fetch, ast.Update: Strict.s_update, ast.Try: Strict.s_try,
}  # fmt: skip


def check_strict(p: ast.Program, sources: SourceMap | None = None) -> list[Diagnostic]:
    """All errors of a program in the strict mode, in upstream's order, after those of the packages that it imports.

    Without sources, packages are not looked at.
    """
    packages = None
    if sources is not None:
        packages = Packages(sources)
        packages.known[(os.path.realpath(sources.file_of(p.lo).name),)] = Checked()  # a package may import it back
    return Strict(packages).program(p)
