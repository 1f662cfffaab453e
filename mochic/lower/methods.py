"""Calls of methods: of structs, through fields that hold functions, and of the builtin kinds."""

from __future__ import annotations

from mochic.ir.func import Value
from mochic.ir.ops import NE, SELECT
from mochic.ir.types import I32, PTR, REF
from mochic.lower.access import field_of
from mochic.lower.aliasing import Held, hold, operands, release, share_elements
from mochic.lower.apply import call_args, call_dynamic, call_value, result_of
from mochic.lower.arguments import as_kind, fresh_list
from mochic.lower.closures import bound_method, partial
from mochic.lower.control import check_ref, unless_nil
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import elem_ty, is_struct, structs_of
from mochic.lower.values import text_of
from mochic.sema.builtins import METHODS, OF_MAPS, value_method
from mochic.sema.symbols import FunInfo
from mochic.sema.types import LIST, MAP, NIL, STR, STRUCT, Slot, find
from mochic.syntax import ast


def call_method(fn: Fn, e: ast.Call, callee: ast.Field) -> Value:
    ot = callee.obj.ty
    k = find(ot).kinds
    obj = fn.expr(callee.obj)
    name = callee.name
    if k & ~NIL == STRUCT and obj.type == REF:
        sts = structs_of(fn, ot)
        if len(sts) == 1 and name in sts[0].methods:
            m = sts[0].methods[name]
            params = [p.ty for p in m.params]
            held = Held()
            args = call_args(fn, e.args, params, held, (m,))
            fn.b.pos = e.lo
            want = ir_type(e.ty)
            if k & NIL:
                v = unless_nil(fn, obj, want, lambda: call_known(fn, obj, m, params, args, e))
            else:
                v = call_known(fn, obj, m, params, args, e)
            release(fn, held)
            return v
        if all(name in s.fields for s in sts):
            closure = field_of(fn, obj, ot, name, ir_type(sts[0].fields[name]))
            return call_value(fn, closure, sts[0].fields[name], e)
    if k == MAP and name not in OF_MAPS:
        vt = fn.m.solver.val(ot)
        closure = fn.call_runtime("dyn_field", fn.tag(obj), fn.str_const(name))
        return call_dynamic(fn, closure, vt, e)
    if (k & (STR | LIST | MAP) or name == "padStart") and not k & STRUCT:
        return call_builtin_method(fn, obj, ot, name, e)
    return method_among(fn, obj, ot, name, e)


def call_known(fn: Fn, obj: Value, m: FunInfo, params: list[Slot], args: list[Value], e: ast.Call) -> Value:
    if len(args) < len(params):
        assert m.struct is not None
        return partial(fn, bound_method(fn, obj, m.struct, m.name.split(".")[-1]), params, m.ret, args)
    return result_of(fn, fn.call(fn.m.fun_sym(m), [obj, *args]), e)


def method_among(fn: Fn, obj: Value, ot: Slot, name: str, e: ast.Call) -> Value:
    """A method call on a value of several types: dispatch on the descriptor."""
    b = fn.b
    want = ir_type(e.ty)
    held = Held()
    raw = []
    for i, a in enumerate(e.args):
        raw.append(fn.expr(a))
        hold(fn, held, a, raw[-1], (*e.args[i + 1 :], e))
    b.pos = e.lo
    v = fn.tag(obj)
    done, other = fn.new_block(), fn.new_block(True)
    ref = check_ref(fn, v, other)
    desc = fn.load(PTR, ref, 0)
    for st in structs_of(fn, ot):
        m = st.methods.get(name)
        if m is None:
            continue
        here, nxt = fn.new_block(), fn.new_block()
        b.brif(is_struct(fn, desc, st), here, nxt)
        b.start(here)
        params = [p.ty for p in m.params]
        args = [fn.convert(a, ir_type(t)) for a, t in zip(raw, params, strict=False)]
        b.write("#call", fn.convert(call_known(fn, ref, m, params, args, e), want))
        b.jump(done)
        b.start(nxt)
    b.jump(other)
    b.start(other)
    rest = find(ot).kinds & ~STRUCT
    if rest and value_method(rest, name) and len(raw) >= METHODS[name][0]:
        b.write("#call", fn.convert(builtin_method(fn, v, ot, name, e, raw), want))
        b.jump(done)
    else:
        fn.panic("panic_msg", fn.str_const(f"the value has no method `{name}`"))
    b.start(done)
    release(fn, held)
    return b.read("#call", want)


# -- methods on builtin kinds ----------------------------------------------------------------------


def call_builtin_method(fn: Fn, obj: Value, ot: Slot, name: str, e: ast.Call) -> Value:
    assert isinstance(e.fn, ast.Field)
    held = Held()
    hold(fn, held, e.fn.obj, obj, e.args)
    args = operands(fn, e.args)
    release(fn, held)
    return builtin_method(fn, obj, ot, name, e, args)


def builtin_method(fn: Fn, obj: Value, ot: Slot, name: str, e: ast.Call, args: list[Value]) -> Value:
    k = find(ot).kinds
    b = fn.b
    b.pos = e.lo
    if name == "contains":
        if k == STR and find(e.args[0].ty).kinds == STR:
            return fn.call_runtime("str_contains", obj, args[0])
        return fn.call_runtime("dyn_contains", fn.tag(obj), fn.tag(args[0]))
    if name == "starts_with":
        return fn.call_runtime(
            "str_starts_with", as_string(fn, obj, k), fn.call_runtime("cast_string", fn.tag(args[0]))
        )
    if name == "padStart":
        s = text_of(fn, obj, ot)
        return fn.call_runtime(
            "str_pad_start", s, as_kind(fn, args[0], "i"), fn.call_runtime("cast_string", fn.tag(args[1]))
        )
    if name == "keys":
        fn.feed(elem_ty(fn, e.ty), None, fn.m.solver.key(ot))
        return fresh_list(fn, fn.call_runtime("dyn_keys", fn.tag(obj)), e)
    if name == "values":
        fn.feed(elem_ty(fn, e.ty), None, fn.m.solver.val(ot))
        return share_elements(fn, fresh_list(fn, fn.call_runtime("dyn_values", fn.tag(obj)), e), e.ty)
    if name == "get" and k & MAP:
        default = fn.tag(args[1]) if len(args) > 1 else fn.nil()
        got = fn.call_runtime("dyn_index", fn.tag(obj), fn.tag(args[0]))
        got = b.emit(SELECT, got.type, [b.emit(NE, I32, [got, b.iconst(got.type, 0)]), got, default])
        return fn.convert(got, ir_type(e.ty))
    fn.panic("panic_msg", fn.str_const(f"the value has no method `{name}`"))
    b.at(fn.new_block())
    return fn.convert(fn.nil(), ir_type(e.ty))


def as_string(fn: Fn, v: Value, k: int) -> Value:
    return v if k == STR else fn.call_runtime("cast_string", fn.tag(v))
