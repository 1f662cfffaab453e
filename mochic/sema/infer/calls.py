"""Calls of functions, variants, builtins, members of modules, values and methods (docs/reference.md, 10)."""

from __future__ import annotations

from mochic.diag.diagnostic import Diagnostic, has_errors
from mochic.sema.builtins import BUILTINS, METHODS, arguments_wanted, extreme_of
from mochic.sema.constraints import CallConstraint, bind_signature, each_struct
from mochic.sema.infer.bodies import function_body
from mochic.sema.infer.context import Infer
from mochic.sema.infer.declarations import declare_function
from mochic.sema.infer.imports import exported, foreign
from mochic.sema.modules import module_member
from mochic.sema.specialise import Call, Specialiser
from mochic.sema.symbols import BuiltinRef, FunInfo, ImportInfo, Named, Scope, StructInfo, Var
from mochic.sema.tree import copy_tree, listed
from mochic.sema.types import BOOL, FLOAT, FUNC, INT, LIST, MAP, NIL, RAT, STR, STRUCT, Solver, Slot, find
from mochic.syntax import ast
from mochic.syntax.parser import parse

BUILTIN_REFS = {name: BuiltinRef(name) for name in BUILTINS}


def call_expression(inf: Infer, e: ast.Call) -> Slot:
    fn = e.fn
    if isinstance(fn, ast.Ident):
        r = callee(inf, fn)
        fn.ref = r
        if isinstance(r, FunInfo):
            return call_function(inf, e, r)
        if isinstance(r, BuiltinRef):
            return call_builtin(inf, e, r.name)
        if isinstance(r, StructInfo):
            return call_variant(inf, e, r)
        if r is None:
            if fn.name == "eval":
                return call_eval(inf, e)
            for a in e.args:
                inf.expr(a)
            inf.error("T003", fn.lo, e.hi, fn.name)
            return Slot()
    elif isinstance(fn, ast.Field):
        if isinstance(fn.obj, ast.Ident):
            r = inf.lookup(fn.obj.name)
            if isinstance(r, ImportInfo):
                return call_member(inf, e, fn, r)
        return call_method(inf, e, fn)
    t = inf.expr(fn)
    args = [inf.expr(a) for a in e.args]
    return call_value(inf, e, t, args)


def callee(inf: Infer, fn: ast.Ident) -> Named | BuiltinRef | None:
    """docs/reference.md, 10: a variable only if it can hold a function, then functions, then builtins."""
    name = fn.name
    sc: Scope | None = inf.scope
    var: Var | None = None
    while sc is not None:
        r = sc.names.get(name)
        if r is not None:
            if isinstance(r, Var):
                undeclared = not r.declared and r.owner is None and inf.fun is inf.info.main
                if r.callable and not undeclared:
                    return r
                if not undeclared:
                    var = r
                h = inf.hidden.get(name) if r.owner is None else None
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
    st = inf.types.struct(name)
    if st is not None:
        return st
    return var


# -- functions --------------------------------------------------------------------------------------


def call_function(inf: Infer, e: ast.Call, f: FunInfo) -> Slot:
    if f.owner is None and f.struct is None:
        inf.calls[f] = inf.calls.get(f, 0) + 1
        if inf.special is not None:
            f = instance(inf, e, f, inf.special)
    inf.use_fun(f, e)
    e.ref = f
    if f.struct is not None:
        inf.use_self()
    return apply(inf, e, f)


def apply(inf: Infer, e: ast.Call, f: FunInfo) -> Slot:
    s = inf.solver
    args = [inf.expr(a) for a in e.args]
    params = f.params
    for i, (t, p) in enumerate(zip(args, params, strict=False)):
        s.flow(t, p.ty)
        if p.decl is not None:
            inf.checks.append(("T007", e.lo, (e.hi, i + 1), p.decl, t))
    if len(args) < len(params):
        res = Slot(FUNC)
        bind_signature(s, res, [p.ty for p in params[len(args) :]], f.ret)
        return res
    return f.ret


def instance(inf: Infer, e: ast.Call, f: FunInfo, special: Specialiser) -> FunInfo:
    """What a call of f calls: f, or a copy of it made for this call (see `specialise`)."""
    g = special.active.get(f)
    if g is None:
        if inf.info.table(f.node) is not inf.types or not special.wants(f):
            return f
        g = declare_function(inf, copy_tree(f.node), None)
        special.instances[f].append(g)
        scope, active = inf.scope, special.active
        inf.scope = inf.root
        special.active = {**active, f: g}
        function_body(inf, g)
        inf.scope, special.active = scope, active
    special.calls.append(Call(e, g))
    return g


def call_variant(inf: Infer, e: ast.Call, st: StructInfo) -> Slot:
    """`Node(l, 1, r)`: fields in declaration order."""
    args = [inf.expr(a) for a in e.args]
    if len(args) > len(st.fields):
        inf.error("T006", e.lo, e.hi, len(st.fields), len(args))
    e.ref = st
    for i, f in enumerate(st.fields.values()):
        if i < len(args):
            inf.solver.flow(args[i], f)
        else:
            inf.solver.grow(f, NIL)
    t = Slot(STRUCT)
    t.structs = st.bit
    return t


def call_member(inf: Infer, e: ast.Call, fn: ast.Field, imp: ImportInfo) -> Slot:
    target = exported(imp, fn.name)
    if isinstance(target, FunInfo):
        return call_function(inf, e, target)
    if isinstance(target, StructInfo):
        return call_variant(inf, e, target)
    if isinstance(target, Var):
        t = inf.expr(fn)
        return call_value(inf, e, t, [inf.expr(a) for a in e.args])
    args = [inf.expr(a) for a in e.args]
    m = module_member(imp, fn.name)
    if m is None or m.code == "const" or len(args) != len(m.kinds):
        if m is not None and m.code != "const":
            inf.error("T039", e.lo, e.hi, fn.name, len(m.kinds), len(args))
        else:
            foreign(inf, e, imp, fn.name)
        return Slot()
    e.ref = m
    return m.result_type(inf.solver)


# -- builtins ---------------------------------------------------------------------------------------


def call_builtin(inf: Infer, e: ast.Call, name: str) -> Slot:
    lo, hi, rule = BUILTINS[name]
    args = [inf.expr(a) for a in e.args]
    if not lo <= len(args) <= hi:
        inf.error("T039", e.lo, e.hi, name, arguments_wanted(lo, hi, len(args)), len(args))
        return Slot()
    e.ref = BUILTIN_REFS[name]
    if listed(e) is not None:
        res = inf.solver.new(0)
        extreme_of(inf.solver, args[0], res, True)
        return res
    return rule(inf.solver, args)


def call_eval(inf: Infer, e: ast.Call) -> Slot:
    """`eval` of a literal text: the program in it, in an environment of its own, as a function called here."""
    if len(e.args) != 1:
        inf.error("T039", e.lo, e.hi, "eval", 1, len(e.args))
        return Slot()
    text = e.args[0]
    if not isinstance(text, ast.StrLit):
        inf.expr(text)
        inf.diags.append(
            Diagnostic(
                "M002",
                "`eval` of a text that is known only at run time cannot be compiled into a native binary",
                text.lo,
                text.hi,
                "A binary has no compiler in it: `eval` takes a string literal, compiled with the program.",
            )
        )
        return Slot()
    program, diags = parse(inf.info.sources.add("<eval>", text.value.encode("utf-8", "replace")))
    diags = [d for d in diags if d.code != "P065"]
    inf.diags += diags
    if has_errors(diags):
        return Slot()
    body = program.body
    if body and isinstance(body[-1], ast.ExprStmt):
        last = body[-1]
        body[-1] = ast.Return(last.lo, last.hi, last.expr)
    if any(not isinstance(st, _EVALUATED) for st in body):
        inf.unsupported(e, "this declaration inside `eval`")
        return Slot()
    call = ast.Call(e.lo, e.hi, ast.FunExpr(e.lo, e.hi, [], [], None, None, body, None), [], e.lo)
    outer = inf.scope
    inf.scope = Scope(None, inf.fun)
    t = inf.expr(call)
    inf.scope = outer
    e.ref = call
    return t


_EVALUATED = (
    ast.ExprStmt, ast.Return, ast.VarDecl, ast.Assign, ast.If, ast.While, ast.For, ast.FunDecl, ast.Expect,
)  # fmt: skip


# -- values -----------------------------------------------------------------------------------------


def call_value(inf: Infer, e: ast.Call, t: Slot, args: list[Slot]) -> Slot:
    res = Slot()
    c = CallConstraint(t, args, res)
    inf.solver.attach(t, c)
    inf.checks.append(("T004", e.fn.lo, e, None, t))
    return res


def call_method(inf: Infer, e: ast.Call, fn: ast.Field) -> Slot:
    obj = inf.expr(fn.obj)
    args = [inf.expr(a) for a in e.args]
    inf.note_methods(fn.name, e)
    res = Slot()
    c = MethodConstraint(inf, e, fn, obj, args, res)
    inf.solver.attach(obj, c)
    inf.checks.append(("method", fn.name_lo, e, fn.name, obj))
    return res


_SCALARS = BOOL | INT | FLOAT | RAT


class MethodConstraint:
    """obj.name(args): a struct's method, a function in a field, or a method of a builtin kind."""

    __slots__ = ("inf", "e", "fn", "obj", "args", "res", "seen", "done")

    def __init__(self, inf: Infer, e: ast.Call, fn: ast.Field, obj: Slot, args: list[Slot], res: Slot) -> None:
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
        for st in each_struct(new, self.inf.info.structs):
            m = st.methods.get(name)
            if m is not None:
                for a, p in zip(self.args, m.params, strict=False):
                    s.flow(a, p.ty)
                missing = [p.ty for p in m.params[len(self.args) :]]
                if missing:
                    s.grow(self.res, FUNC)
                    bind_signature(s, self.res, missing, m.ret)
                else:
                    s.flow(m.ret, self.res)
            elif name in st.fields:
                c = CallConstraint(st.fields[name], self.args, self.res)
                s.attach(st.fields[name], c)
        k = o.kinds & ~self.done
        if not k:
            return
        self.done |= k
        rest = k & ~STRUCT
        if k & NIL:
            s.grow(self.res, NIL)
        if rest & _SCALARS and name == "padStart":  # any scalar's text can be padded
            s.grow(self.res, STR)
        if rest & (STR | LIST | MAP) and name in METHODS:
            lo, hi, rule = METHODS[name]
            if lo <= len(self.args) <= hi and not (rest & MAP and name == "contains"):
                s.flow(rule(s, [self.obj, *self.args]), self.res)
        if rest & MAP and name not in METHODS:
            t = s.val(self.obj)
            s.grow(s.key(self.obj), STR)
            c = CallConstraint(t, self.args, self.res)
            s.attach(t, c)
