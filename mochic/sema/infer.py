"""Name resolution and whole-program type inference: declarations and statements.

One walk over the tree resolves every name and creates the slots and constraints of `sema.types`;
solving them gives each expression its kinds (`expr.ty`).  Expressions are in `infer_expr`, the rules
that depend on operand kinds in `constraints`, the builtins in `builtins`.

Narrowing.  `if x != none` and its relatives give the *variable* x, inside the branch, a Ty without
NIL.  `self.narrow` maps a variable to its narrowed Ty at the current point of the walk; assignment
removes the entry, branches copy it, joins intersect, loops first drop what their body assigns.
Only variables that no other activation can assign are narrowed.

Diagnostics.  The default mode rejects only what cannot mean anything: unknown names, kinds that can
never agree (`check.py` looks at the solved kinds), and constructs that this compiler does not have.
"""

from __future__ import annotations

import os
from typing import Any

from mochic.diag.diagnostic import Diagnostic, make
from mochic.sema import trycatch
from mochic.sema.cfun import CDeclarations
from mochic.sema.gaps import Lengths
from mochic.sema.constraints import IterC, StoreFieldC, StoreIndexC, bind_sig
from mochic.sema.infer_decl import SCALARS, Declarations
from mochic.sema.infer_narrow import Narrowing, has_break
from mochic.sema.symbols import Package
from mochic.sema.specialise import Specialiser
from mochic.sema.symbols import (
    BuiltinRef, FunInfo, ImportInfo, ProgramInfo, Scope, Var,
)  # fmt: skip
from mochic.sema.types import (
    FUNC, INT, LIST, MAP, NIL, STRUCT, Solver, Ty, find,
)  # fmt: skip
from mochic.syntax import ast


class Infer(Narrowing, Declarations):
    """State of one program's inference."""

    def __init__(self, info: ProgramInfo, special: Specialiser | None = None) -> None:
        self.info = info
        self.special = special
        self.calls: dict[FunInfo, int] = {}  # of top-level functions by name: how many there are
        self.s = Solver()
        info.solver = self.s
        self.diags: list[Diagnostic] = []
        self.scope = Scope(None, None)
        self.fun: FunInfo | None = None
        self.narrow: dict[Var, Ty] = {}
        self.last_facts: tuple[ast.Expr | None, tuple[list[Var], list[Var]]] = None, ([], [])
        self.types = info.types
        self.c = CDeclarations(info, self.diags)
        self.loops = 0
        self.nvars = 0
        self.seeds: list[tuple[Ty, ast.TypeRef]] = []
        self.checks: list[tuple[str, Any, Any, Any, Any]] = []
        self.root = self.scope
        self.hidden: dict[str, Any] = {}
        self.first_ref: dict[FunInfo, int] = {}
        self.packages: dict[str, Package] = {}
        self.streams: dict[str, ast.StreamDecl] = {}
        self.agents: dict[str, ast.AgentDecl] = {}
        self.models: dict[str, ast.ModelDecl] = {}
        self.relations: dict[str, None] = {}
        self.tries = 0

    # -- program --------------------------------------------------------------------------------

    def program(self, prog: ast.Program) -> None:
        info = self.info
        info.program = prog
        main = FunInfo(0, "main", None, prog)
        info.functions.append(main)
        info.main = main
        main.body = []
        # A package that imports the program back finds it unfinished.
        path = os.path.realpath(info.sources.file_of(prog.lo).name)
        self.packages[path] = Package(path, False, info.types)
        self.unit(prog.body, prog.qualified)
        for t, ref in self.seeds:
            self.optional_elements(t, ref)
        self.s.solve()
        if self.special is not None:
            self.special.join(self.s)
        self.seed_annotations()

    def unit(self, body: list[ast.Stmt], qualified: list[ast.TypeName]) -> None:
        """The program, or one of its packages: names, functions, then what runs.  Imported packages come first."""
        info = self.info
        main = info.main
        assert main is not None and main.body is not None
        for st in body:
            if isinstance(st, ast.ImportDecl):
                self.import_decl(st)
        for ref in qualified:
            self.known_type(ref)
        body = self.expanded(body)
        main.body.extend(body)
        first_global = len(info.globals)
        self.declare_types(body)
        for st in body:
            if isinstance(st, ast.FunDecl):
                f = self.declare_fun(st, None)
                self.root.names[st.name] = f
        self.extern_decls(body)
        # Functions may use any top-level variable, so these are known before bodies are walked.
        toplevel = dict(self.root.names)
        for st in body:
            if isinstance(st, ast.VarDecl) and not isinstance(self.root.names.get(st.name), Var):
                v = self.new_var(st.name, Ty(), st.mutable, None, "var" if st.mutable else "let", st.lo)
                v.mutable = st.mutable
                self.note_callable(v, st)
                info.globals.append(v)
                self.root.names[st.name] = v
        self.method_bodies(body)
        self.hidden = toplevel
        globals_view = self.root.names
        for st in body:
            if isinstance(st, ast.FunDecl) and st.info is globals_view.get(st.name):
                self.top_body(declared(st))
        for f in toplevel.values():  # a function hidden by a variable of the same name
            if isinstance(f, FunInfo) and globals_view.get(f.name) is not f:
                self.top_body(f)
        self.fun = main
        self.block(body)
        self.fun = None
        self.uninitialised_reads(info.globals[first_global:])

    def package_unit(self, p: Package) -> None:
        """Walk an imported package, with a top level of its own."""
        outer = (self.root, self.hidden, self.first_ref, self.fun, self.narrow, self.types)
        self.types = p.types
        self.root = self.scope = Scope(None, None)
        self.hidden, self.first_ref, self.narrow = {}, {}, {}
        relations, self.relations = self.relations, {}
        self.unit(p.body, p.qualified)
        self.relations = relations
        names: dict[str, object] = {n: t for n, t in p.types.structs.items() if n in p.types.exports}
        for st in p.body:
            if isinstance(st, ast.FunDecl | ast.VarDecl):
                if st.export or (p.library and isinstance(st, ast.VarDecl)):
                    names[st.name] = self.root.names[st.name]
                else:
                    p.private.add(st.name)
            elif isinstance(st, ast.TypeDecl) and not st.export:
                p.private.update([st.name, *(v.name for v in st.variants or ())])
        p.names = names
        self.root, self.hidden, self.first_ref, self.fun, self.narrow, self.types = outer
        self.scope = self.root

    def uninitialised_reads(self, variables: list[Var]) -> None:
        """A global read by a function that can run before the declaration holds null until then."""
        first_ref = self.first_ref
        for v in variables:
            if not v.global_:
                continue
            reach: dict[FunInfo, None] = {}
            stack = [f for f, at in first_ref.items() if at <= v.pos]
            while stack:
                f = stack.pop()
                if f in reach:
                    continue
                reach[f] = None
                stack.extend(f.funs)
            if any(v in f.reads for f in reach):
                self.s.grow(v.ty, NIL)
                v.const = None

    def optional_elements(self, t: Ty, ref: ast.TypeRef) -> None:
        """The elements of a `list<T?>` may be null although nothing stores one: a list that grows by more than one
        element is filled with null (8.5), which lists without optional elements refuse."""
        ref = self.info.resolve_alias(ref)
        while isinstance(ref, ast.TypeGeneric) and ref.name == "list" and len(ref.args) == 1:
            t = self.s.elem(t)
            ref = self.info.resolve_alias(ref.args[0])
            if isinstance(ref, ast.TypeOpt):
                self.s.grow(t, NIL)
                ref = self.info.resolve_alias(ref.inner)

    def seed_annotations(self) -> None:
        """Slots that no value reaches take the declared type, so that dead code compiles as written."""
        s = self.s
        for _ in range(3):
            for t, ref in self.seeds:
                if not find(t).kinds:
                    self.grow_declared(t, ref, 0)
            s.solve()

    # -- functions ------------------------------------------------------------------------------

    def top_body(self, f: FunInfo) -> None:
        """The body of a top-level function.  One that gets instances is itself for rare uses, so it makes none."""
        base = self.special is not None and f.node.lo in self.special.chosen
        if self.special is not None and base:
            self.special.base += 1
        self.fun_body(f)
        if self.special is not None and base:
            self.special.base -= 1

    def fun_body(self, f: FunInfo) -> None:
        """Walk a function's body in a fresh scope."""
        if f.c is not None:
            return
        outer_scope, outer_fun, outer_narrow, outer_loops = self.scope, self.fun, self.narrow, self.loops
        self.fun = f
        self.narrow = {}
        self.loops = 0
        self.scope = Scope(outer_scope, f)
        if f.struct is not None:
            me = self.new_var("self", Ty(), False, f, "self", f.node.lo)
            self.s.grow(me.ty, STRUCT, f.struct.bit)
            f.self_var = me
        for v in f.params:
            self.scope.names[v.name] = v
        if f.expr is not None:
            self.s.flow(self.expr(f.expr), f.ret)
        else:
            assert f.body is not None
            falls = self.block(f.body)
            f.falls = falls
            if falls:
                self.s.grow(f.ret, NIL)
        self.scope, self.fun, self.narrow, self.loops = outer_scope, outer_fun, outer_narrow, outer_loops

    # -- statements: each returns whether control can reach its end ------------------------------

    def block(self, body: list[ast.Stmt]) -> bool:
        """Statements in the current scope.  Nested functions of a block are known throughout it."""
        top = self.fun is self.info.main and self.scope is self.root
        types = self.types
        if not top:
            if any(isinstance(st, ast.TypeDecl) for st in body):
                self.local_types(body)
            for st in body:
                if isinstance(st, ast.FunDecl):
                    f = self.declare_fun(st, self.fun)
                    v = self.new_var(st.name, Ty(), False, self.fun, "fun", st.lo)
                    self.s.grow(v.ty, FUNC)
                    bind_sig(self.s, v.ty, [p.ty for p in f.params], f.ret)
                    f.local_var = v
                    v.fun = f
                    self.scope.names[st.name] = f
        falls = True
        lengths = Lengths(self.s)
        for st in body:
            if not self.stmt(st):
                falls = False
            lengths.after(st)
        self.types = types
        return falls

    def inner(self, body: list[ast.Stmt]) -> bool:
        if len(body) == 1 and isinstance(body[0], ast.If):
            return self.block(
                body
            )  # it declares nothing; the scopes of a chain of `else if` would be as deep as it is long
        self.scope = Scope(self.scope, self.fun)
        falls = self.block(body)
        parent = self.scope.parent
        assert parent is not None
        self.scope = parent
        return falls

    def stmt(self, st: ast.Stmt) -> bool:
        m = _STMTS.get(type(st))
        if m is None:
            self.error("M007", st.lo, st.hi, _TOP_LEVEL[type(st)])
            return True
        falls: bool = m(self, st)
        return falls

    def s_vardecl(self, st: ast.VarDecl) -> bool:
        t = None
        if st.value is not None:
            t = self.expr(st.value)
        top = self.scope is self.root
        if top:
            v = self.root.names.get(st.name)
            if not isinstance(v, Var) or (v.declared and not v.global_):
                v = self.new_var(st.name, Ty(), st.mutable, None, "var" if st.mutable else "let", st.lo)
                self.note_callable(v, st)
                self.info.globals.append(v)
                self.root.names[st.name] = v
            elif v.declared:
                v.writes += 1
                v.const = None
            v.mutable = st.mutable
        else:
            v = self.new_var(st.name, Ty(), st.mutable, self.fun, "var" if st.mutable else "let", st.lo)
            self.note_callable(v, st)
            if self.loops:
                pass  # a fresh variable each iteration
            self.scope.names[st.name] = v
        first = not v.declared
        v.declared = True
        v.pos = st.lo
        st.sym = v
        if st.type is not None:
            v.decl = st.type
            self.seeds.append((v.ty, st.type))
        if t is not None:
            self.s.flow(t, v.ty)
            if st.type is not None:
                self.checks.append(("T008", st.lo, st.hi, st.type, t))
            if not st.mutable and first and type(st.value) in _CONSTS and not v.writes:
                v.const = st.value
        elif st.type is not None:
            self.zero_value(v.ty, st.type)
        else:
            self.error("T000", st.lo, st.hi)
        self.narrow.pop(v, None)
        return True

    def zero_value(self, t: Ty, ref: ast.TypeRef) -> None:
        """9.1: a variable without initialiser holds 0, 0.0, "", false, an empty list or map, else null."""
        ref = self.info.resolve_alias(ref)
        k = NIL
        if isinstance(ref, ast.TypeName):
            k = SCALARS.get(ref.name, NIL)
        elif isinstance(ref, ast.TypeGeneric):
            k = LIST if ref.name == "list" else MAP if ref.name == "map" else NIL
        self.s.grow(t, k)

    def s_assign(self, st: ast.Assign) -> bool:
        target = st.target
        s = self.s
        if isinstance(target, ast.Ident):
            t = self.expr(st.value)
            sym = self.lookup(target.name, target)
            if isinstance(sym, Var):
                target.ref = sym
                self.use_var(sym)
                target.ty = sym.ty
                if sym.kind == "let" and not sym.mutable:
                    self.error("T024", st.lo, st.hi, target.name)
                sym.writes += 1
                sym.const = None
                s.flow(t, sym.ty)
                if sym.decl is not None:
                    self.checks.append(("T009", st.lo, st.hi, (sym.decl, target.name), t))
                self.narrow.pop(sym, None)
                if (
                    isinstance(st.value, ast.Call)
                    and isinstance(st.value.fn, ast.Ident)
                    and st.value.fn.name in ("append", "push")
                ):
                    sym.appended = True
            elif isinstance(sym, ast.FieldDecl):
                pass
            elif isinstance(sym, tuple):  # a field, inside a method
                si, name = sym
                target.ref = sym
                target.ty = si.fields[name]
                s.flow(t, si.fields[name])
            elif sym is None:
                self.error("T001", st.lo, st.hi, target.name)
            else:
                self.error("T024", st.lo, st.hi, target.name)
            return True
        if isinstance(target, ast.Field) and isinstance(target.obj, ast.Ident):
            imp = self.lookup(target.obj.name, target.obj)
            if isinstance(imp, ImportInfo):
                self.assign_member(st, target, imp)
                return True
        if isinstance(target, ast.Index):
            obj = self.lvalue(target.obj)
            key = self.expr(target.index)
            t = self.expr(st.value)
            target.ty = t
            c = StoreIndexC(obj, key, t, self.info.structs)
            s.on(obj, c)
            self.checks.append(("store", st.lo, st.hi, target, obj))
        elif isinstance(target, ast.Field):
            obj = self.lvalue(target.obj)
            t = self.expr(st.value)
            target.ty = t
            f = StoreFieldC(obj, target.name, t, self.info.structs)
            s.on(obj, f)
            self.checks.append(("field", target.name_lo, st.hi, target.name, obj))
        else:
            self.expr(st.value)
            self.error("P999", st.lo, st.hi, "this expression cannot be assigned to")
        return True

    def assign_member(self, st: ast.Assign, target: ast.Field, imp: ImportInfo) -> None:
        """`lib.v = value`: a package's exported `var`."""
        t = self.expr(st.value)
        self.expr(target)
        v = self.exported(imp, target.name)
        if isinstance(v, Var) and v.mutable:
            v.writes += 1
            self.s.flow(t, v.ty)
            if v.decl is not None:
                self.checks.append(("T009", st.lo, st.hi, (v.decl, target.name), t))
        elif v is not None:
            text = f"cannot assign to `{imp.alias}.{target.name}` (immutable)"
            help = "Only what a package declares with `export var` can be assigned to from outside."
            self.diags.append(Diagnostic("M003", text, st.lo, st.hi, help))

    def lvalue(self, e: ast.Expr) -> Ty:
        """The container of an indexed or field assignment."""
        return self.expr(e)

    def s_return(self, st: ast.Return) -> bool:
        f = self.fun
        assert f is not None
        if st.value is not None:
            t = self.expr(st.value)
            if f is not self.info.main:
                self.s.flow(t, f.ret)
                if f.decl_ret is not None:
                    self.checks.append(("T010", st.lo, st.hi, f.decl_ret, t))
        elif f is not self.info.main:
            self.s.grow(f.ret, NIL)
        return False

    def s_if(self, st: ast.If) -> bool:
        self.expr(st.cond)
        yes, no = self.facts(st.cond)
        before = self.narrow
        self.narrow = self.with_facts(before, yes)
        falls = self.inner(st.then)
        after_then = self.narrow
        self.narrow = self.with_facts(before, no)
        falls2 = True
        if st.orelse is not None:
            falls2 = self.inner(st.orelse)
        after_else = self.narrow
        if not falls:
            self.narrow = after_else
        elif not falls2:
            self.narrow = after_then
        else:
            self.narrow = {v: t for v, t in after_then.items() if after_else.get(v) is t}
        return falls or falls2

    def s_while(self, st: ast.While) -> bool:
        self.drop_assigned(st.body)
        self.expr(st.cond)
        yes, no = self.facts(st.cond)
        before = self.narrow
        self.narrow = self.with_facts(before, yes)
        self.loops += 1
        self.inner(st.body)
        self.loops -= 1
        self.narrow = before if has_break(st.body) else self.with_facts(before, no)
        return not (isinstance(st.cond, ast.BoolLit) and st.cond.value and not has_break(st.body))

    def s_for(self, st: ast.For) -> bool:
        src = self.expr(st.source)
        s = self.s
        if st.end is not None:
            end = self.expr(st.end)
            v = self.new_var(st.var, Ty(), True, self.fun, "loop", st.lo)
            s.grow(v.ty, INT)
            self.checks.append(("T023", st.lo, st.hi, src, end))
        else:
            v = self.new_var(st.var, Ty(), True, self.fun, "loop", st.lo)
            c = IterC(src, v.ty)
            s.on(src, c)
            self.checks.append(("T022", st.lo, st.hi, None, src))
        v.declared = True
        st.sym = v
        self.drop_assigned(st.body)
        before = dict(self.narrow)
        self.scope = Scope(self.scope, self.fun)
        self.scope.names[st.var] = v
        self.loops += 1
        self.inner(st.body)
        self.loops -= 1
        parent = self.scope.parent
        assert parent is not None
        self.scope = parent
        self.narrow = before
        return True

    def s_jump(self, st: ast.Stmt) -> bool:
        if not self.loops:
            self.error("T045", st.lo, st.hi, "break" if isinstance(st, ast.Break) else "continue")
        return False

    def s_expr(self, st: ast.ExprStmt) -> bool:
        self.expr(st.expr)
        e = st.expr
        if isinstance(e, ast.Call) and isinstance(e.fn, ast.Ident) and isinstance(e.fn.ref, BuiltinRef):
            return e.fn.ref.name not in trycatch.ENDS
        return True

    def ends(self, fn: ast.Ident) -> bool:
        """A call of it does not return."""
        return fn.name in trycatch.ENDS and isinstance(self.callee(fn), BuiltinRef)

    def s_expect(self, st: ast.Expect) -> bool:
        self.expr(st.expr)
        return True

    def s_test(self, st: Any) -> bool:
        outer = dict(self.narrow)
        self.inner(st.body)
        self.narrow = outer
        return True

    def s_fun(self, st: ast.FunDecl) -> bool:
        if self.scope is not self.root:
            f = st.info
            self.fun_body(f)
            v = f.local_var
            v.declared = True
        return True

    def s_update(self, st: ast.Update) -> bool:
        st.loop = self.update_loop(st)
        return self.s_for(st.loop)

    def s_fetch(self, st: ast.FetchStmt) -> bool:
        value = ast.Fetch(st.lo, st.hi, st.url, st.options)
        st.decl = ast.VarDecl(st.lo, st.hi, st.target, None, value, True, "")
        return self.s_vardecl(st.decl)

    def s_on(self, st: ast.OnHandler) -> bool:
        st.code = self.on_code(st)
        return self.block(st.code)

    def s_try(self, st: ast.Try) -> bool:
        made = trycatch.desugar(st, self.tries, self.ends)
        self.tries = made.last + 1
        st.code = made.code
        self.drop_assigned(st.body)
        falls = self.inner(st.code)
        self.drop_assigned(st.body)
        return falls

    def s_emit(self, st: ast.Emit) -> bool:
        st.code = self.emit_code(st)
        return self.block(st.code)

    def s_nothing(self, st: ast.Stmt) -> bool:
        return True

    # -- diagnostics ----------------------------------------------------------------------------

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


def declared(st: ast.FunDecl) -> FunInfo:
    f: FunInfo = st.info
    return f


_CONSTS = (ast.IntLit, ast.FloatLit, ast.StrLit, ast.BoolLit)

_STMTS: dict[type, Any] = {
    ast.VarDecl: Infer.s_vardecl,
    ast.Assign: Infer.s_assign,
    ast.Return: Infer.s_return,
    ast.If: Infer.s_if,
    ast.While: Infer.s_while,
    ast.For: Infer.s_for,
    ast.Break: Infer.s_jump,
    ast.Continue: Infer.s_jump,
    ast.ExprStmt: Infer.s_expr,
    ast.Expect: Infer.s_expect,
    ast.TestDecl: Infer.s_test,
    ast.BenchDecl: Infer.s_test,
    ast.FunDecl: Infer.s_fun,
    ast.TypeDecl: Infer.s_nothing,
    ast.Update: Infer.s_update,
    ast.OnHandler: Infer.s_on,
    ast.Emit: Infer.s_emit,
    ast.Try: Infer.s_try,
    ast.FetchStmt: Infer.s_fetch,
    ast.ImportDecl: Infer.s_nothing,
    ast.ExternDecl: Infer.s_nothing,
}

_TOP_LEVEL = {
    ast.FactDecl: "facts",
    ast.RuleDecl: "rules",
    ast.StreamDecl: "streams",
    ast.ModelDecl: "models",
    ast.AgentDecl: "agents",
    ast.IntentDecl: "intents",
}
