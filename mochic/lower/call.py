"""Lowering of calls: what the callee is decides."""

from __future__ import annotations

from mochic.ir.func import Value
from mochic.ir.ops import ADD, FABS, FSQRT
from mochic.ir.types import F64, INT, REF
from mochic.lower.aliasing import Held, moved, release
from mochic.lower.apply import call_args, call_value, result_of
from mochic.lower.arguments import from_runtime, runtime_args
from mochic.lower.builtins import call_builtin
from mochic.lower.closures import closure_of, fun_ref, partial
from mochic.lower.fn import Fn
from mochic.lower.methods import call_method
from mochic.lower.module import ir_type
from mochic.lower.objects import make_struct
from mochic.sema.modules import Member
from mochic.sema.symbols import BuiltinRef, FunInfo, StructInfo, Var
from mochic.syntax import ast


def e_call(fn: Fn, e: ast.Call) -> Value:
    callee = e.fn
    if isinstance(e.ref, ast.Call):  # eval
        return fn.expr(e.ref)
    if isinstance(callee, ast.Ident):
        r = callee.ref
        if isinstance(r, FunInfo):
            return call_fun(fn, e, r)
        if isinstance(r, BuiltinRef):
            return call_builtin(fn, e, r.name)
        if isinstance(r, StructInfo):
            return call_variant(fn, e, r)
    elif isinstance(callee, ast.Field):
        if isinstance(e.ref, Member):
            return call_member(fn, e, e.ref)
        if isinstance(e.ref, FunInfo):
            return call_fun(fn, e, e.ref)
        if isinstance(e.ref, StructInfo):
            return call_variant(fn, e, e.ref)
        if isinstance(callee.ref, Var):
            return call_value(fn, fn.expr(callee), callee.ty, e)
        return call_method(fn, e, callee)
    return call_value(fn, fn.expr(callee), callee.ty, e)


def call_fun(fn: Fn, e: ast.Call, f: FunInfo) -> Value:
    params = [p.ty for p in f.params]
    held = Held()
    args = call_args(fn, e.args, params, held, (f,))
    fn.b.pos = e.lo
    if len(args) < len(params):
        return partial(fn, fun_ref(fn, f), params, f.ret, args)
    sym = fn.m.fun_sym(f)
    if f.struct is not None:
        args.insert(0, fn.self_value())
    elif fn.m.need_env.get(f):
        args.insert(0, closure_of(fn, f))
    v = fn.call(sym, args)
    release(fn, held)
    return result_of(fn, v, e)


def call_variant(fn: Fn, e: ast.Call, st: StructInfo) -> Value:
    given: dict[str, Value] = {}
    for a, name in zip(e.args, st.fields, strict=False):
        given[name] = fn.convert(moved(fn, a), ir_type(st.fields[name]))
    fn.b.pos = e.lo
    if not st.fields:
        return fn.sym(fn.m.singleton(st), REF)
    return make_struct(fn, st, given)


def call_member(fn: Fn, e: ast.Call, m: Member) -> Value:
    b = fn.b
    if m.code == "add":
        ints = [fn.int_of(fn.expr(a)) for a in e.args]
        b.pos = e.lo
        return fn.convert(b.emit(ADD, INT, ints), ir_type(e.ty))
    args = runtime_args(fn, e.args, m.kinds, m.name)
    b.pos = e.lo
    if m.code == "sqrt":
        return b.emit(FSQRT, F64, args)
    if m.code == "fabs":
        return b.emit(FABS, F64, args)
    return from_runtime(fn, fn.call_runtime(m.code, *args), e)
