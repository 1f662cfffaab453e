"""Type inference of expressions (see `infer`)."""

from __future__ import annotations

from typing import Any

from mochic.diag.diagnostic import Diagnostic
from mochic.sema.builtins import BUILTINS
from mochic.sema.constraints import (
    ArithC, CastFieldC, FieldC, IndexC, LogicC, MatchNilC, NegC, SliceC, bind_sig,
)  # fmt: skip
from mochic.sema.infer_query import QueryInfer
from mochic.sema.modules import module_member
from mochic.sema.symbols import FunInfo, ImportInfo, KeyEntry, Scope, StructInfo, Var
from mochic.sema.types import (
    ANYKIND, BOOL, BOOL_TY, FLOAT_TY, FUNC, INT_TY, LIST, MAP, NIL, NIL_TY, RAT_TY, STR, STR_TY, STRUCT, Ty,
)  # fmt: skip
from mochic.syntax import ast

_ARITH = frozenset("+-*/%")
_COMPARE = frozenset(("==", "!=", "<", "<=", ">", ">=", "in"))
_SETS = frozenset(("union", "union all", "except", "intersect"))


class ExprInfer(QueryInfer):
    """The expression half of `infer.Infer`."""

    # -- dispatch -------------------------------------------------------------------------------

    def expr(self, e: ast.Expr) -> Ty:
        t: Ty = EXPRS.get(type(e), ExprInfer.e_unknown)(self, e)
        e.ty = t
        return t

    def e_unknown(self, e: ast.Expr) -> Ty:
        self.unsupported(e, _LATER.get(type(e), type(e).__name__))
        return Ty()

    def e_int(self, e: ast.Expr) -> Ty:
        return INT_TY

    def e_float(self, e: ast.Expr) -> Ty:
        return FLOAT_TY

    def e_str(self, e: ast.StrLit) -> Ty:
        if e.value[:6].lower() == "https:":
            self.info.network.https = True
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
        if isinstance(r, KeyEntry):
            group = ast.Ident(e.lo, e.hi, r.group)
            e.ref = ast.Field(e.lo, e.hi, ast.Field(e.lo, e.hi, group, "key", False, e.lo), e.name, False, e.lo)
            return self.expr(e.ref)
        if isinstance(r, ImportInfo):
            self.error("T002", e.lo, e.hi, e.name)
        return Ty()

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
            s.on(r, c)
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
        self.s.on(t, c)
        return res

    # -- access ---------------------------------------------------------------------------------

    def e_index(self, e: ast.Index) -> Ty:
        obj = self.expr(e.obj)
        key = self.expr(e.index)
        res = Ty()
        c = IndexC(obj, key, res, self.info.structs)
        self.s.on(obj, c)
        self.checks.append(("T018", e.op_lo, e.hi, key, obj))
        return res

    def e_slice(self, e: ast.Slice) -> Ty:
        obj = self.expr(e.obj)
        for x in (e.start, e.end, e.step):
            if x is not None:
                self.expr(x)
        res = Ty()
        c = SliceC(obj, res)
        self.s.on(obj, c)
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
        self.s.on(obj, c)
        self.note_methods(e.name, e)
        self.checks.append(("T026", e.name_lo, e.hi, e.name, obj))
        return res

    def member(self, e: ast.Field, imp: ImportInfo) -> Ty:
        target = self.exported(imp, e.name)
        if isinstance(target, FunInfo):
            e.ref = target
            return self.fun_value(target, e)
        if isinstance(target, Var):
            e.ref = target
            self.use_var(target)
            return target.ty
        if isinstance(target, StructInfo) and not target.fields:
            e.ref = target
            t = Ty(STRUCT)
            t.structs = target.bit
            return t
        m = module_member(imp, e.name)
        if m is not None and m.code != "const":
            # A native function as a value is a lambda around a call of it.
            params = [ast.Param(e.lo, e.hi, f"a{i}", None) for i in range(len(m.kinds))]
            args: list[ast.Expr] = [ast.Ident(e.lo, e.hi, p.name) for p in params]
            wrapper = ast.FunExpr(e.lo, e.hi, [], params, None, None, None, ast.Call(e.lo, e.hi, e, args, e.lo))
            e.ref = wrapper
            return self.e_fun(wrapper)
        if m is None:
            self.foreign(e, imp, e.name)
            return Ty()
        e.ref = m
        return m.result

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
        st = self.types.struct(e.name)
        s = self.s
        if st is None:
            alias = self.types.alias(e.name)
            if alias is not None:
                alias = self.info.resolve_alias(alias)
                if isinstance(alias, ast.TypeName):
                    st = self.info.struct_named(alias)
        if st is None:
            for f in e.fields:
                self.expr(f.value)
            if "." in e.name and not self.known_type(e):
                return Ty()
            self.error("T025", e.lo, e.hi, e.name)
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
        s.on(subj, mc)
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
            st = self.types.struct(p.name)
            if st is not None:
                p.ref = st
                return
            if "." in p.name:
                self.known_type(ast.TypeName(p.lo, p.hi, p.name))
                return
            v = self.new_var(p.name, Ty(), True, self.fun, "bind", p.lo)
            v.declared = True
            self.s.flow(subj, v.ty, ANYKIND & ~NIL if nonnil else ANYKIND)
            self.scope.names[p.name] = v
            p.ref = v
            return
        if isinstance(p, ast.Call) and isinstance(p.fn, ast.Ident):
            st = self.types.struct(p.fn.name)
            p.ty = subj
            if st is None:
                if "." in p.fn.name:
                    self.known_type(ast.TypeName(p.lo, p.hi, p.fn.name))
                else:
                    self.error("T002", p.lo, p.hi, p.fn.name)
                return
            p.ref = st
            if len(p.args) != len(st.fields):
                text = f"the pattern has {len(p.args)} fields, `{p.fn.name}` has {len(st.fields)}"
                help = "Name all fields in the order of their declaration; `_` is for those that do not matter."
                self.diags.append(Diagnostic("T006", text, p.lo, p.hi, help))
            for a, ft in zip(p.args, st.fields.values(), strict=False):
                self.pattern(a, ft, False)
            return
        self.expr(p)

    def e_cast(self, e: ast.Cast) -> Ty:
        t = self.expr(e.expr)
        return self.cast_type(t, e.type, e)

    def cast_type(self, t: Ty, ref: ast.TypeRef, e: ast.Expr) -> Ty:
        s = self.s
        ref = self.info.resolve_alias(ref)
        if t.fixed:
            t = Ty(t.kinds)  # what follows asks for the contents
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
            st = self.info.struct_named(ref)
            if st is not None:
                return self.cast_struct(t, st, e)
        elif isinstance(ref, ast.TypeOpt):
            if not self.casts_nothing(ref.inner):
                # none stays, anything else is cast
                res = Ty()
                s.flow(t, res, NIL)
                s.flow(self.cast_type(t, ref.inner, e), res)
                return res
        elif isinstance(ref, ast.TypeStruct):
            res = Ty(MAP)
            s.grow(s.key(res), STR)
            if ref.info is None:
                ref.info = {f.name: Ty() for f in ref.fields}
            for f in ref.fields:
                source = ref.info[f.name]
                c = CastFieldC(t, f.name, source, self.info.structs)
                s.on(t, c)
                s.flow(self.cast_type(source, f.type, e), s.val(res))
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

    def cast_struct(self, t: Ty, st: StructInfo, e: ast.Expr) -> Ty:
        """A map or another struct becomes an st.

        What comes into a field is one slot for all casts to st (`StructInfo.sources`): a type that contains itself,
        such as `type Tree { value: int, children: list<Tree> }`, has no end otherwise.
        """
        s = self.s
        if st.sources is None:
            st.sources = {name: Ty() for name in st.fields}
            for name, source in st.sources.items():
                s.flow(self.cast_type(source, st.decls[name], e), st.fields[name])
        for name, source in st.sources.items():
            c = CastFieldC(t, name, source, self.info.structs)
            s.on(t, c)
        res = Ty(STRUCT)
        res.structs = st.bit
        return res

    def casts_nothing(self, ref: ast.TypeRef) -> bool:
        """A cast to this type leaves every value as it is."""
        ref = self.info.resolve_alias(ref)
        if isinstance(ref, ast.TypeName):
            return ref.name not in _SCALAR_CASTS and self.info.struct_named(ref) is None
        if isinstance(ref, ast.TypeOpt):
            return self.casts_nothing(ref.inner)
        return not (isinstance(ref, ast.TypeStruct) or _is_collection(ref))


def _is_collection(ref: ast.TypeRef) -> bool:
    return isinstance(ref, ast.TypeGeneric) and ref.name in ("list", "map")


def _binds_all(p: ast.Expr) -> bool:
    """The pattern matches any value."""
    return isinstance(p, ast.Ident) and not isinstance(p.ref, StructInfo)


EXPRS: dict[type, Any] = {
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
    ast.Query: ExprInfer.e_query,
}

# What the newer language has and this compiler has not.
_LATER = {
    ast.OMapLit: "`omap` literals",
    ast.Async: "`async` and `await`",
}

_SCALAR_CASTS = frozenset(("int", "int64", "bigint", "float", "string", "bool", "bigrat"))
