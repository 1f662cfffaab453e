"""Type inference of expressions (see `infer`)."""

from __future__ import annotations

from typing import Any

from mochic.diag.diagnostic import Diagnostic, make
from mochic.sema.builtins import BUILTINS, LATER, METHODS
from mochic.sema.constraints import (
    ArithC, CallC, FieldC, IndexC, LogicC, MatchNilC, NegC, SliceC, bind_sig,
)  # fmt: skip
from mochic.sema.modules import module_member
from mochic.sema.symbols import BuiltinRef, FunInfo, ImportInfo, ProgramInfo, Scope, StructInfo, Var
from mochic.sema.types import (
    ANYKIND, BOOL, BOOL_TY, FLOAT_TY, FUNC, INT_TY, LIST, MAP, NIL, NIL_TY, STR, STR_TY, STRUCT, Solver, Ty,
    find,
)  # fmt: skip
from mochic.syntax import ast

_ARITH = frozenset("+-*/%")
_COMPARE = frozenset(("==", "!=", "<", "<=", ">", ">=", "in"))
_SETS = frozenset(("union", "union all", "except", "intersect"))
BUILTIN_REFS = {name: BuiltinRef(name) for name in BUILTINS}


class ExprInfer:
    """The expression half of `infer.Infer`."""

    info: ProgramInfo
    s: Solver
    diags: list[Diagnostic]
    scope: Scope
    root: Scope
    fun: FunInfo | None
    narrow: dict[Var, Ty]
    structs: dict[str, StructInfo]
    aliases: dict[str, ast.TypeRef]
    first_ref: dict[FunInfo, int]
    checks: list[tuple[str, Any, Any, Any, Any]]
    hidden: dict[str, Any]

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
        return self.structs.get(name)

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
        g.as_value = True
        t = Ty(FUNC)
        bind_sig(self.s, t, [p.ty for p in g.params], g.ret)
        return t

    # -- dispatch -------------------------------------------------------------------------------

    def expr(self, e: ast.Expr) -> Ty:
        t: Ty = _EXPRS[type(e)](self, e)
        e.ty = t
        return t

    def e_int(self, e: ast.Expr) -> Ty:
        return INT_TY

    def e_float(self, e: ast.Expr) -> Ty:
        return FLOAT_TY

    def e_str(self, e: ast.Expr) -> Ty:
        return STR_TY

    def e_bool(self, e: ast.Expr) -> Ty:
        return BOOL_TY

    def e_none(self, e: ast.Expr) -> Ty:
        return NIL_TY

    def e_ident(self, e: ast.Ident) -> Ty:
        r = self.lookup(e.name, e)
        e.ref = r
        if isinstance(r, Var):
            self.use_var(r)
            return self.narrow.get(r, r.ty)
        if isinstance(r, FunInfo):
            if r.struct is not None:  # a sibling method as a value
                self.unsupported(e, "a method of the same struct as a value")
            return self.fun_value(r, e)
        if isinstance(r, StructInfo):
            t = Ty(STRUCT)
            t.structs = r.bit
            if r.fields:
                self.error("T002", e.lo, e.hi, e.name)
            return t
        if isinstance(r, tuple):
            assert self.fun is not None
            self.use_self()
            f: Ty = r[0].fields[r[1]]
            return f
        if r is None:
            if e.name in ("null", "nil"):
                return NIL_TY
            if e.name in BUILTINS:
                # A builtin as a value is a lambda around a call of it.
                n = max(BUILTINS[e.name][0], 1)
                params = [ast.Param(e.lo, e.hi, f"a{i}", None) for i in range(n)]
                args: list[ast.Expr] = [ast.Ident(e.lo, e.hi, p.name) for p in params]
                call = ast.Call(e.lo, e.hi, ast.Ident(e.lo, e.hi, e.name), args, e.lo)
                wrapper = ast.FunExpr(e.lo, e.hi, [], params, None, None, None, call)
                e.ref = wrapper
                return self.e_fun(wrapper)
            self.error("T002", e.lo, e.hi, e.name)
            return Ty()
        if isinstance(r, ImportInfo):
            self.error("T002", e.lo, e.hi, e.name)
        return Ty()

    def use_self(self) -> None:
        f = self.fun
        while f is not None and f.struct is None:
            f = f.owner
        assert f is not None and f.self_var is not None
        self.use_var(f.self_var)

    # -- operators ------------------------------------------------------------------------------

    def e_binary(self, e: ast.Binary) -> Ty:
        # The left spine of a chain is walked with a loop: `a + b + c + ...` may have thousands of terms.
        spine = [e]
        left = e.left
        while isinstance(left, ast.Binary) and left.op not in ("&&", "||", "??"):
            spine.append(left)
            left = left.left
        self.expr(left)
        t = NIL_TY
        for b in reversed(spine):
            t = self.binary(b)
            b.ty = t
        return t

    def binary(self, e: ast.Binary) -> Ty:
        op = e.op
        s = self.s
        l: Ty = e.left.ty
        if op in ("&&", "||"):
            yes, no = self.facts(e.left)
            before = self.narrow
            self.narrow = self.with_facts(before, yes if op == "&&" else no)
            r = self.expr(e.right)
            self.narrow = before
            if l is BOOL_TY and r is BOOL_TY:
                return BOOL_TY
            res = Ty()
            LogicC(l, r, res).run(s)
            return res
        r = self.expr(e.right)
        if op in _COMPARE:
            if op != "in":
                self.checks.append(("T013", e.op_lo, e.hi, l, r))
            else:
                # `k in m` makes the map's keys comparable with k, it does not store k
                pass
            return BOOL_TY
        if op in _ARITH:
            if l.fixed and r.fixed and l is r and (l is INT_TY or l is FLOAT_TY or (l is STR_TY and op == "+")):
                return l
            res = Ty()
            c = ArithC(op, l, r, res)
            s.watch(l, c)
            s.watch(r, c)
            c.run(s)
            self.checks.append(("T020", e.op_lo, op, l, r))
            return res
        if op == "??":
            res = Ty()
            s.flow(l, res, ANYKIND & ~NIL)
            s.flow(r, res)
            return res
        if op in _SETS:
            res = Ty(LIST)
            s.flow(l, res, LIST)
            s.flow(r, res, LIST)
            return res
        self.unsupported(e, f"operator `{op}`")
        return Ty()

    def e_unary(self, e: ast.Unary) -> Ty:
        t = self.expr(e.operand)
        if e.op == "!":
            return BOOL_TY
        if t is INT_TY or t is FLOAT_TY:
            return t
        res = Ty()
        c = NegC(t, res)
        self.s.watch(t, c)
        c.run(self.s)
        return res

    # -- access ---------------------------------------------------------------------------------

    def e_index(self, e: ast.Index) -> Ty:
        obj = self.expr(e.obj)
        key = self.expr(e.index)
        res = Ty()
        c = IndexC(obj, key, res)
        self.s.watch(obj, c)
        c.run(self.s)
        self.checks.append(("T018", e.op_lo, e.hi, key, obj))
        return res

    def e_slice(self, e: ast.Slice) -> Ty:
        obj = self.expr(e.obj)
        for x in (e.start, e.end, e.step):
            if x is not None:
                self.expr(x)
        res = Ty()
        c = SliceC(obj, res)
        self.s.watch(obj, c)
        c.run(self.s)
        return res

    def e_field(self, e: ast.Field) -> Ty:
        if isinstance(e.obj, ast.Ident):
            r = self.lookup(e.obj.name, e.obj)
            if isinstance(r, ImportInfo):
                return self.member(e, r)
        obj = self.expr(e.obj)
        return self.field_of(e, obj)

    def field_of(self, e: ast.Field, obj: Ty) -> Ty:
        res = Ty()
        c = FieldC(obj, e.name, res, self.info.structs)
        self.s.watch(obj, c)
        c.run(self.s)
        self.note_methods(e.name, e)
        self.checks.append(("T026", e.name_lo, e.hi, e.name, obj))
        return res

    def note_methods(self, name: str, at: ast.Node) -> None:
        """Any method of this name may run: which one depends on types not known yet."""
        for st in self.info.structs:
            m = st.methods.get(name)
            if m is not None:
                self.use_fun(m, at)

    def member(self, e: ast.Field, imp: ImportInfo) -> Ty:
        m = module_member(imp, e.name)
        if m is None:
            self.foreign(e, imp, e.name)
            return Ty()
        e.ref = m
        return m.result

    def foreign(self, at: ast.Node, imp: ImportInfo, name: str) -> None:
        self.diags.append(
            Diagnostic(
                "M002",
                f'`{name}` of the {imp.lang} module "{imp.path}" cannot be compiled into a native binary',
                at.lo,
                at.hi,
                "Only well-known functions of well-known modules are compiled natively; write this one in Mochi.",
            )
        )

    # -- calls ----------------------------------------------------------------------------------

    def e_call(self, e: ast.Call) -> Ty:
        fn = e.fn
        if isinstance(fn, ast.Ident):
            r = self.callee(fn)
            fn.ref = r
            if isinstance(r, FunInfo):
                return self.call_fun(e, r)
            if isinstance(r, BuiltinRef):
                return self.call_builtin(e, r.name)
            if isinstance(r, StructInfo):
                return self.call_variant(e, r)
            if r is None:
                for a in e.args:
                    self.expr(a)
                if fn.name in LATER or fn.name in ("fetch", "load", "save"):
                    self.unsupported(e, f"the builtin `{fn.name}`")
                else:
                    self.error("T003", fn.lo, e.hi, fn.name)
                return Ty()
        elif isinstance(fn, ast.Field):
            if isinstance(fn.obj, ast.Ident):
                r = self.lookup(fn.obj.name, fn.obj)
                if isinstance(r, ImportInfo):
                    return self.call_member(e, fn, r)
            return self.call_method(e, fn)
        t = self.expr(fn)
        args = [self.expr(a) for a in e.args]
        return self.call_value(e, t, args)

    def call_value(self, e: ast.Call, t: Ty, args: list[Ty]) -> Ty:
        res = Ty()
        c = CallC(t, args, res)
        self.s.watch(t, c)
        c.run(self.s)
        self.checks.append(("T004", e.fn.lo, e, None, t))
        return res

    def callee(self, fn: ast.Ident) -> Any:
        """Section 10: a variable only if it can hold a function, then functions, then builtins."""
        name = fn.name
        sc: Scope | None = self.scope
        var: Var | None = None
        while sc is not None:
            r = sc.names.get(name)
            if r is not None:
                if isinstance(r, Var):
                    undeclared = not r.declared and r.owner is None and self.fun is self.info.main
                    if r.callable and not undeclared:
                        return r
                    if not undeclared:
                        var = r
                    h = self.hidden.get(name) if r.owner is None else None
                    if isinstance(h, FunInfo):
                        return h
                else:
                    return r
            f = sc.fun
            if f is not None and f.struct is not None:
                m = f.struct.methods.get(name)
                if m is not None:
                    return m
                if name in f.struct.fields:
                    return (f.struct, name)
            sc = sc.parent
        if name in BUILTIN_REFS:
            return BUILTIN_REFS[name]
        st = self.structs.get(name)
        if st is not None:
            return st
        return var

    def call_fun(self, e: ast.Call, f: FunInfo) -> Ty:
        self.use_fun(f, e)
        e.ref = f
        if f.struct is not None:
            self.use_self()
        return self.apply(e, f)

    def apply(self, e: ast.Call, f: FunInfo) -> Ty:
        s = self.s
        args = [self.expr(a) for a in e.args]
        params = f.params
        for i, (t, p) in enumerate(zip(args, params, strict=False)):
            s.flow(t, p.ty)
            if p.decl is not None:
                self.checks.append(("T007", e.lo, (e.hi, i + 1), p.decl, t))
        if len(args) < len(params):
            res = Ty(FUNC)
            bind_sig(s, res, [p.ty for p in params[len(args) :]], f.ret)
            f.as_value = True
            return res
        return f.ret

    def call_builtin(self, e: ast.Call, name: str) -> Ty:
        lo, hi, rule = BUILTINS[name]
        args = [self.expr(a) for a in e.args]
        if not lo <= len(args) <= hi:
            want = str(lo) if lo == hi else f"{lo} to {hi}" if hi < 1000 else f"at least {lo}"
            self.error("T039", e.lo, e.hi, name, want, len(args))
            return Ty()
        e.ref = BUILTIN_REFS[name]
        self.checks.append(("builtin", e.lo, e.hi, name, args))
        return rule(self.s, args)

    def call_variant(self, e: ast.Call, st: StructInfo) -> Ty:
        """`Node(l, 1, r)`: fields in declaration order."""
        args = [self.expr(a) for a in e.args]
        if len(args) > len(st.fields):
            self.error("T006", e.lo, e.hi, len(st.fields), len(args))
        e.ref = st
        for i, f in enumerate(st.fields.values()):
            if i < len(args):
                self.s.flow(args[i], f)
            else:
                self.s.grow(f, NIL)
        t = Ty(STRUCT)
        t.structs = st.bit
        return t

    def call_member(self, e: ast.Call, fn: ast.Field, imp: ImportInfo) -> Ty:
        args = [self.expr(a) for a in e.args]
        m = module_member(imp, fn.name)
        if m is None or len(args) != m.nargs:
            if m is not None:
                self.error("T039", e.lo, e.hi, fn.name, m.nargs, len(args))
            else:
                self.foreign(e, imp, fn.name)
            return Ty()
        e.ref = m
        return m.result

    def call_method(self, e: ast.Call, fn: ast.Field) -> Ty:
        obj = self.expr(fn.obj)
        args = [self.expr(a) for a in e.args]
        self.note_methods(fn.name, e)
        res = Ty()
        c = MethodC(self, e, fn, obj, args, res)
        self.s.watch(obj, c)
        c.run(self.s)
        self.checks.append(("method", fn.name_lo, e, fn.name, obj))
        return res

    # -- literals -------------------------------------------------------------------------------

    def e_list(self, e: ast.ListLit) -> Ty:
        t = Ty(LIST)
        s = self.s
        el = s.elem(t)
        for x in e.elems:
            s.flow(self.expr(x), el)
        return t

    def e_map(self, e: ast.MapLit) -> Ty:
        t = Ty(MAP)
        s = self.s
        for k, v in e.entries:
            s.flow(self.expr(k), s.key(t))
            s.flow(self.expr(v), s.val(t))
        return t

    def e_struct(self, e: ast.StructLit) -> Ty:
        st = self.structs.get(e.name)
        s = self.s
        if st is None:
            alias = self.aliases.get(e.name)
            if isinstance(alias, ast.TypeName):
                st = self.structs.get(alias.name)
        if st is None:
            for f in e.fields:
                self.expr(f.value)
            self.unsupported(e, f"a struct literal of the undeclared type `{e.name}`")
            return Ty()
        e.ref = st
        given = set()
        for f in e.fields:
            vt = self.expr(f.value)
            ft = st.fields.get(f.name)
            if ft is None:
                self.error("T026", f.lo, f.hi, f.name, e.name)
                continue
            given.add(f.name)
            s.flow(vt, ft)
            self.checks.append(("T008", f.value.lo, f.value.hi, st.decls[f.name], vt))
        for name, ft in st.fields.items():
            if name not in given:
                s.grow(ft, NIL)
        t = Ty(STRUCT)
        t.structs = st.bit
        return t

    def e_fun(self, e: ast.FunExpr) -> Ty:
        f = FunInfo(len(self.info.functions), "<fun>", self.fun, e)
        self.info.functions.append(f)
        e.info = f
        f.body = e.body
        f.expr = e.expr
        f.decl_ret = e.result
        for p in e.params:
            self.add_param(f, p)
        self.use_fun(f, e)
        f.as_value = True
        self.fun_body(f)
        t = Ty(FUNC)
        bind_sig(self.s, t, [p.ty for p in f.params], f.ret)
        return t

    # -- control --------------------------------------------------------------------------------

    def e_if(self, e: ast.IfExpr) -> Ty:
        self.expr(e.cond)
        yes, no = self.facts(e.cond)
        before = self.narrow
        res = Ty()
        self.narrow = self.with_facts(before, yes)
        self.s.flow(self.expr(e.then), res)
        self.narrow = self.with_facts(before, no)
        if e.orelse is not None:
            self.s.flow(self.expr(e.orelse), res)
        else:
            self.s.grow(res, NIL)
        self.narrow = before
        return res

    def e_match(self, e: ast.Match) -> Ty:
        subj = self.expr(e.subject)
        res = Ty()
        s = self.s
        covered = 0
        structs = 0
        bools = 0
        nonnil = False
        for c in e.cases:
            outer = self.scope
            self.scope = Scope(outer, self.fun)
            before = self.narrow
            p = c.pattern
            self.pattern(p, subj, nonnil)
            if c.guard is not None:
                self.expr(c.guard)
            else:
                ref = p.ref if isinstance(p, ast.Ident | ast.Call) else None
                if isinstance(p, ast.NoneLit):
                    covered |= NIL
                    nonnil = True
                elif isinstance(ref, StructInfo):
                    if not isinstance(p, ast.Call) or all(_binds_all(a) for a in p.args):
                        structs |= ref.bit
                elif isinstance(p, ast.BoolLit):
                    bools |= 1 << int(p.value)
                    if bools == 3:
                        covered |= BOOL
                elif isinstance(p, ast.Ident):
                    covered = ANYKIND
                    structs = -1
            if c.body is not None:
                self.case_body(c, res)
            else:
                assert c.expr is not None
                s.flow(self.expr(c.expr), res)
            self.narrow = before
            self.scope = outer
        mc = MatchNilC(subj, res, covered, structs)
        s.watch(subj, mc)
        mc.run(s)
        return res

    def case_body(self, c: ast.MatchCase, res: Ty) -> None:
        """A block as a result: the value of a final expression statement, else null."""
        assert c.body is not None
        last = c.body[-1] if c.body else None
        if isinstance(last, ast.ExprStmt):
            falls = self.block(c.body[:-1])
            t = self.expr(last.expr)
            if falls:
                self.s.flow(t, res)
        elif self.block(c.body):
            self.s.grow(res, NIL)

    def pattern(self, p: ast.Expr, subj: Ty, nonnil: bool) -> None:
        """Resolve a pattern and declare what it binds; `nonnil`: an earlier arm took null."""
        if isinstance(p, ast.Ident):
            p.ty = subj
            if p.name == "_":
                return
            st = self.structs.get(p.name)
            if st is not None:
                p.ref = st
                return
            v = self.new_var(p.name, Ty(), True, self.fun, "bind", p.lo)
            v.declared = True
            self.s.flow(subj, v.ty, ANYKIND & ~NIL if nonnil else ANYKIND)
            self.scope.names[p.name] = v
            p.ref = v
            return
        if isinstance(p, ast.Call) and isinstance(p.fn, ast.Ident):
            st = self.structs.get(p.fn.name)
            p.ty = subj
            if st is None:
                self.error("T002", p.lo, p.hi, p.fn.name)
                return
            p.ref = st
            if len(p.args) != len(st.fields):
                self.error("T006", p.lo, p.hi, len(st.fields), len(p.args))
            for a, ft in zip(p.args, st.fields.values(), strict=False):
                self.pattern(a, ft, False)
            return
        self.expr(p)

    def e_cast(self, e: ast.Cast) -> Ty:
        t = self.expr(e.expr)
        return self.cast_type(t, e.type, e)

    def cast_type(self, t: Ty, ref: ast.TypeRef, e: ast.Cast) -> Ty:
        for _ in range(16):
            if isinstance(ref, ast.TypeName) and ref.name in self.aliases:
                ref = self.aliases[ref.name]
        s = self.s
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
                self.unsupported(e, "the type bigrat")
                return Ty()
            st = self.structs.get(name)
            if st is not None and st.union is None:
                res = Ty(STRUCT)
                res.structs = st.bit
                self.checks.append(("cast_struct", e.lo, e.hi, st, t))
                for fname, ft in st.fields.items():
                    cast = self.cast_type(s.val(t), st.decls[fname], e)
                    s.flow(cast, ft)
                return res
        elif isinstance(ref, ast.TypeGeneric) and (ref.name, len(ref.args)) in (("list", 1), ("map", 2)):
            inner = ref.args[-1]
            if self.casts_nothing(inner):
                res = Ty()
                s.flow(t, res, LIST if ref.name == "list" else MAP)
                return res
            # Each element is cast: a new list or map.
            if ref.name == "list":
                res = Ty(LIST)
                s.flow(self.cast_type(s.elem(t), inner, e), s.elem(res))
            else:
                res = Ty(MAP)
                s.flow(self.cast_type(s.val(t), inner, e), s.val(res))
                s.flow(self.cast_type(s.key(t), ref.args[0], e), s.key(res))
            return res
        res = Ty()
        s.flow(t, res)
        return res

    def casts_nothing(self, ref: ast.TypeRef) -> bool:
        """A cast to this type leaves every value as it is."""
        for _ in range(16):
            if isinstance(ref, ast.TypeName) and ref.name in self.aliases:
                ref = self.aliases[ref.name]
        if isinstance(ref, ast.TypeName):
            st = self.structs.get(ref.name)
            return ref.name not in _SCALAR_CASTS and (st is None or st.union is not None)
        return not (isinstance(ref, ast.TypeGeneric) and ref.name in ("list", "map"))

    # -- later ----------------------------------------------------------------------------------

    def e_later(self, e: ast.Expr) -> Ty:
        self.unsupported(e, _LATER_EXPRS.get(type(e).__name__, type(e).__name__))
        return Ty()

    # provided by Infer
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


class MethodC:
    """obj.name(args): a struct's method, a function in a field, or a method of a builtin kind."""

    __slots__ = ("inf", "e", "fn", "obj", "args", "res", "seen", "done")

    def __init__(self, inf: ExprInfer, e: ast.Call, fn: ast.Field, obj: Ty, args: list[Ty], res: Ty) -> None:
        self.inf = inf
        self.e = e
        self.fn = fn
        self.obj = obj
        self.args = args
        self.res = res
        self.seen = 0
        self.done = 0

    def run(self, s: Solver) -> None:
        o = find(self.obj)
        name = self.fn.name
        new = o.structs & ~self.seen
        self.seen |= new
        structs = self.inf.info.structs
        while new:
            low = new & -new
            new ^= low
            st = structs[low.bit_length() - 1]
            m = st.methods.get(name)
            if m is not None:
                for a, p in zip(self.args, m.params, strict=False):
                    s.flow(a, p.ty)
                s.flow(m.ret, self.res)
                if len(self.args) < len(m.params):
                    m.as_value = True
            elif name in st.fields:
                c = CallC(st.fields[name], self.args, self.res)
                s.watch(st.fields[name], c)
                c.run(s)
        k = o.kinds & ~self.done
        if not k:
            return
        self.done |= k
        rest = k & ~STRUCT
        if k & NIL:
            s.grow(self.res, NIL)
        if rest & (STR | LIST | MAP) and name in METHODS:
            lo, hi, rule = METHODS[name]
            if lo <= len(self.args) <= hi and not (rest & MAP and name == "contains"):
                s.flow(rule(s, [self.obj, *self.args]), self.res)
        if rest & MAP and name not in METHODS:
            t = s.val(self.obj)
            s.grow(s.key(self.obj), STR)
            c = CallC(t, self.args, self.res)
            s.watch(t, c)
            c.run(s)


def _binds_all(p: ast.Expr) -> bool:
    """The pattern matches any value."""
    return isinstance(p, ast.Ident) and not isinstance(p.ref, StructInfo)


_EXPRS: dict[type, Any] = {
    ast.IntLit: ExprInfer.e_int,
    ast.FloatLit: ExprInfer.e_float,
    ast.StrLit: ExprInfer.e_str,
    ast.BoolLit: ExprInfer.e_bool,
    ast.NoneLit: ExprInfer.e_none,
    ast.Ident: ExprInfer.e_ident,
    ast.Binary: ExprInfer.e_binary,
    ast.Unary: ExprInfer.e_unary,
    ast.Index: ExprInfer.e_index,
    ast.Slice: ExprInfer.e_slice,
    ast.Field: ExprInfer.e_field,
    ast.Call: ExprInfer.e_call,
    ast.ListLit: ExprInfer.e_list,
    ast.MapLit: ExprInfer.e_map,
    ast.StructLit: ExprInfer.e_struct,
    ast.FunExpr: ExprInfer.e_fun,
    ast.IfExpr: ExprInfer.e_if,
    ast.Match: ExprInfer.e_match,
    ast.Cast: ExprInfer.e_cast,
    ast.Query: ExprInfer.e_later,
    ast.LogicQuery: ExprInfer.e_later,
    ast.Generate: ExprInfer.e_later,
    ast.Fetch: ExprInfer.e_later,
    ast.Load: ExprInfer.e_later,
    ast.Save: ExprInfer.e_later,
}

_SCALAR_CASTS = frozenset(("int", "int64", "bigint", "float", "string", "bool", "bigrat"))

_LATER_EXPRS = {
    "Query": "queries (`from ... select`)",
    "LogicQuery": "logic queries",
    "Generate": "`generate`",
    "Fetch": "`fetch`",
    "Load": "`load`",
    "Save": "`save`",
}
