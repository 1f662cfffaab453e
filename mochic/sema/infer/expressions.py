"""Literals, names, operators and access."""

from __future__ import annotations

from mochic.sema.builtins import BUILTINS
from mochic.sema.constraints import (
    ArithmeticConstraint,
    FieldConstraint,
    IndexConstraint,
    LogicConstraint,
    NegationConstraint,
    SliceConstraint,
    bind_signature,
)
from mochic.sema.infer.bodies import function_body
from mochic.sema.infer.context import Infer
from mochic.sema.infer.declarations import add_param
from mochic.sema.infer.imports import exported, foreign, known_type
from mochic.sema.infer.narrowing import facts, with_facts
from mochic.sema.modules import module_member
from mochic.sema.symbols import FunInfo, ImportInfo, KeyEntry, StructInfo, Var
from mochic.sema.types import ANYKIND, BOOL_TY, FLOAT_TY, FUNC, INT_TY, LIST, MAP, NIL, NIL_TY, STRUCT, STR_TY, Slot
from mochic.syntax import ast

_ARITHMETIC = frozenset("+-*/%")
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">=", "in"))
_SET_OPERATORS = frozenset(("union", "union all", "except", "intersect"))


# -- literals ---------------------------------------------------------------------------------------


def int_literal(inf: Infer, e: ast.Expr) -> Slot:
    return INT_TY


def float_literal(inf: Infer, e: ast.Expr) -> Slot:
    return FLOAT_TY


def string_literal(inf: Infer, e: ast.StrLit) -> Slot:
    if e.value[:6].lower() == "https:":
        inf.info.network.https = True
    return STR_TY


def bool_literal(inf: Infer, e: ast.Expr) -> Slot:
    return BOOL_TY


def none_literal(inf: Infer, e: ast.Expr) -> Slot:
    return NIL_TY


def list_literal(inf: Infer, e: ast.ListLit) -> Slot:
    t = Slot(LIST)
    s = inf.solver
    el = s.elem(t)
    for x in e.elems:
        s.flow(inf.expr(x), el)
    return t


def map_literal(inf: Infer, e: ast.MapLit) -> Slot:
    t = Slot(MAP)
    s = inf.solver
    for k, v in e.entries:
        s.flow(inf.expr(k), s.key(t))
        s.flow(inf.expr(v), s.val(t))
    return t


def struct_literal(inf: Infer, e: ast.StructLit) -> Slot:
    st = inf.types.struct(e.name)
    s = inf.solver
    if st is None:
        alias = inf.types.alias(e.name)
        if alias is not None:
            alias = inf.info.resolve_alias(alias)
            if isinstance(alias, ast.TypeName):
                st = inf.info.struct_named(alias)
    if st is None:
        for f in e.fields:
            inf.expr(f.value)
        if "." in e.name and not known_type(inf, e):
            return Slot()
        inf.error("T025", e.lo, e.hi, e.name)
        return Slot()
    e.ref = st
    given = set()
    for f in e.fields:
        vt = inf.expr(f.value)
        ft = st.fields.get(f.name)
        if ft is None:
            inf.error("T026", f.lo, f.hi, f.name, e.name)
            continue
        given.add(f.name)
        s.flow(vt, ft)
        inf.checks.append(("T008", f.value.lo, f.value.hi, st.decls[f.name], vt))
    for name, ft in st.fields.items():
        if name not in given:
            s.grow(ft, NIL)
    t = Slot(STRUCT)
    t.structs = st.bit
    return t


def function_expression(inf: Infer, e: ast.FunExpr) -> Slot:
    f = FunInfo(len(inf.info.functions), "<fun>", inf.fun, e)
    inf.info.functions.append(f)
    e.info = f
    f.body = e.body
    f.expr = e.expr
    f.decl_ret = e.result
    for p in e.params:
        add_param(inf, f, p)
    inf.use_fun(f, e)
    function_body(inf, f)
    t = Slot(FUNC)
    bind_signature(inf.solver, t, [p.ty for p in f.params], f.ret)
    return t


# -- names ------------------------------------------------------------------------------------------


def identifier(inf: Infer, e: ast.Ident) -> Slot:
    r = inf.lookup(e.name)
    e.ref = r
    if isinstance(r, Var):
        inf.use_var(r)
        return inf.narrow.get(r, r.ty)
    if isinstance(r, FunInfo):
        if r.struct is not None:  # a sibling method as a value
            inf.unsupported(e, "a method of the same struct as a value")
        return inf.fun_value(r, e)
    if isinstance(r, StructInfo):
        t = Slot(STRUCT)
        t.structs = r.bit
        if r.fields:
            inf.error("T002", e.lo, e.hi, e.name)
        return t
    if isinstance(r, tuple):
        assert inf.fun is not None
        inf.use_self()
        f: Slot = r[0].fields[r[1]]
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
            return function_expression(inf, wrapper)
        inf.error("T002", e.lo, e.hi, e.name)
        return Slot()
    if isinstance(r, KeyEntry):
        group = ast.Ident(e.lo, e.hi, r.group)
        e.ref = ast.Field(e.lo, e.hi, ast.Field(e.lo, e.hi, group, "key", False, e.lo), e.name, False, e.lo)
        return inf.expr(e.ref)
    if isinstance(r, ImportInfo):
        inf.error("T002", e.lo, e.hi, e.name)
    return Slot()


# -- operators --------------------------------------------------------------------------------------


def binary_chain(inf: Infer, e: ast.Binary) -> Slot:
    """The left spine of a chain is walked with a loop: `a + b + c + ...` may have thousands of terms."""
    spine = [e]
    left = e.left
    while isinstance(left, ast.Binary) and left.op not in ("&&", "||", "??"):
        spine.append(left)
        left = left.left
    inf.expr(left)
    t = NIL_TY
    for b in reversed(spine):
        t = binary(inf, b)
        b.ty = t
    return t


def binary(inf: Infer, e: ast.Binary) -> Slot:
    """One operator, whose left operand has been walked."""
    op = e.op
    s = inf.solver
    l: Slot = e.left.ty
    if op in ("&&", "||"):
        yes, no = facts(inf, e.left)
        before = inf.narrow
        inf.narrow = with_facts(inf, before, yes if op == "&&" else no)
        r = inf.expr(e.right)
        inf.narrow = before
        if l is BOOL_TY and r is BOOL_TY:
            return BOOL_TY
        res = Slot()
        LogicConstraint(l, r, res).run(s)
        return res
    r = inf.expr(e.right)
    if op in _COMPARISONS:
        return BOOL_TY
    if op in _ARITHMETIC:
        if l.fixed and r.fixed and l is r and (l is INT_TY or l is FLOAT_TY or (l is STR_TY and op == "+")):
            return l
        res = Slot()
        c = ArithmeticConstraint(op, l, r, res)
        s.watch(l, c)
        s.attach(r, c)
        inf.checks.append(("T020", e.op_lo, op, l, r))
        return res
    if op == "??":
        res = Slot()
        s.flow(l, res, ANYKIND & ~NIL)
        s.flow(r, res)
        return res
    if op in _SET_OPERATORS:
        res = Slot(LIST)
        s.flow(l, res, LIST)
        s.flow(r, res, LIST)
        return res
    inf.unsupported(e, f"operator `{op}`")
    return Slot()


def unary(inf: Infer, e: ast.Unary) -> Slot:
    t = inf.expr(e.operand)
    if e.op == "!":
        return BOOL_TY
    if t is INT_TY or t is FLOAT_TY:
        return t
    res = Slot()
    c = NegationConstraint(t, res)
    inf.solver.attach(t, c)
    return res


def if_expression(inf: Infer, e: ast.IfExpr) -> Slot:
    inf.expr(e.cond)
    yes, no = facts(inf, e.cond)
    before = inf.narrow
    res = Slot()
    inf.narrow = with_facts(inf, before, yes)
    inf.solver.flow(inf.expr(e.then), res)
    inf.narrow = with_facts(inf, before, no)
    if e.orelse is not None:
        inf.solver.flow(inf.expr(e.orelse), res)
    else:
        inf.solver.grow(res, NIL)
    inf.narrow = before
    return res


# -- access -----------------------------------------------------------------------------------------


def index(inf: Infer, e: ast.Index) -> Slot:
    obj = inf.expr(e.obj)
    key = inf.expr(e.index)
    res = Slot()
    c = IndexConstraint(obj, key, res, inf.info.structs)
    inf.solver.attach(obj, c)
    inf.checks.append(("T018", e.op_lo, e.hi, key, obj))
    return res


def slice_expression(inf: Infer, e: ast.Slice) -> Slot:
    obj = inf.expr(e.obj)
    for x in (e.start, e.end, e.step):
        if x is not None:
            inf.expr(x)
    res = Slot()
    c = SliceConstraint(obj, res)
    inf.solver.attach(obj, c)
    return res


def field(inf: Infer, e: ast.Field) -> Slot:
    if isinstance(e.obj, ast.Ident):
        r = inf.lookup(e.obj.name)
        if isinstance(r, ImportInfo):
            return member_value(inf, e, r)
    obj = inf.expr(e.obj)
    return field_type(inf, e, obj)


def field_type(inf: Infer, e: ast.Field, obj: Slot) -> Slot:
    res = Slot()
    c = FieldConstraint(obj, e.name, res, inf.info.structs)
    inf.solver.attach(obj, c)
    inf.note_methods(e.name, e)
    inf.checks.append(("T026", e.name_lo, e.hi, e.name, obj))
    return res


def member_value(inf: Infer, e: ast.Field, imp: ImportInfo) -> Slot:
    target = exported(imp, e.name)
    if isinstance(target, FunInfo):
        e.ref = target
        return inf.fun_value(target, e)
    if isinstance(target, Var):
        e.ref = target
        inf.use_var(target)
        return target.ty
    if isinstance(target, StructInfo) and not target.fields:
        e.ref = target
        t = Slot(STRUCT)
        t.structs = target.bit
        return t
    m = module_member(imp, e.name)
    if m is not None and m.code != "const":
        # A native function as a value is a lambda around a call of it.
        params = [ast.Param(e.lo, e.hi, f"a{i}", None) for i in range(len(m.kinds))]
        args: list[ast.Expr] = [ast.Ident(e.lo, e.hi, p.name) for p in params]
        wrapper = ast.FunExpr(e.lo, e.hi, [], params, None, None, None, ast.Call(e.lo, e.hi, e, args, e.lo))
        e.ref = wrapper
        return function_expression(inf, wrapper)
    if m is None:
        foreign(inf, e, imp, e.name)
        return Slot()
    e.ref = m
    return m.result


# -- what the newer language has and this compiler has not ------------------------------------------

_LATER = {
    ast.OMapLit: "`omap` literals",
    ast.Async: "`async` and `await`",
}


def later(inf: Infer, e: ast.Expr) -> Slot:
    inf.unsupported(e, _LATER[type(e)])
    return Slot()
