"""Expressions that read a part of an object: `x[i]`, `x[a:b]`, `x.f`."""

from __future__ import annotations

from mochic.ir.func import Value
from mochic.ir.ops import TOINT
from mochic.ir.types import INT, PTR, REF, TAG
from mochic.lower.aliasing import Held, hold, operands, release, share_elements
from mochic.lower.chars import char_at
from mochic.lower.closures import bound_method, e_fun, fun_ref
from mochic.lower.control import unless_nil
from mochic.lower.fn import Fn
from mochic.lower.literals import e_literal
from mochic.lower.module import ir_type
from mochic.lower.objects import (
    checked_index, elem_ty, is_struct, list_len, load_element, load_field, map_find, map_value_or_nil, structs_of,
    word_index,
)  # fmt: skip
from mochic.lower.objects import LEN_RANGE
from mochic.sema.modules import Member
from mochic.sema.symbols import FunInfo, StructInfo, Var
from mochic.sema.types import INT as KINT
from mochic.sema.types import GROUP, LIST, MAP, NIL, STR, STRUCT, Slot, find
from mochic.syntax import ast


# -- elements --------------------------------------------------------------------------------------


def e_index(fn: Fn, e: ast.Index) -> Value:
    """obj[key] in the representation of e.ty."""
    b = fn.b
    want = ir_type(e.ty)
    ot = e.obj.ty
    k = find(ot).kinds
    obj, key = operands(fn, [e.obj, e.index])
    b.pos = e.lo
    kk = find(e.index.ty).kinds
    if obj.type == REF and k & NIL and k != NIL:
        return unless_nil(fn, obj, want, lambda: index_known(fn, obj, k & ~NIL, ot, key, kk, want))
    return index_known(fn, obj, k, ot, key, kk, want)


def index_known(fn: Fn, obj: Value, k: int, ot: Slot, key: Value, kk: int, want: int) -> Value:
    if obj.type == REF and kk == KINT:
        if k == LIST:
            i = checked_index(fn, obj, key)
            return fn.convert(load_element(fn, obj, i, elem_ty(fn, ot)), want)
        if k == STR:
            return fn.convert(char_at(fn, obj, key), want)
    if obj.type == REF and k == MAP:
        slot = map_find(fn, obj, ot, key, kk)
        if slot is not None:
            return map_value_or_nil(fn, slot, ot, want)
    return fn.convert(fn.call_runtime("dyn_index", fn.tag(obj), fn.tag(key)), want)


def e_slice(fn: Fn, e: ast.Slice) -> Value:
    k = find(e.obj.ty).kinds
    obj = fn.expr(e.obj)
    held = Held()
    hold(fn, held, e.obj, obj, (e.start, e.end))
    bounds = []
    for x in (e.start, e.end):
        bounds.append(fn.expr(x) if x is not None else None)
    release(fn, held)
    fn.b.pos = e.lo
    want = ir_type(e.ty)
    if obj.type == REF and k in (STR, LIST) and all(v is None or v.type == INT for v in bounds):
        lo = word_index(fn, bounds[0]) if bounds[0] is not None else fn.i64(0)
        hi = word_index(fn, bounds[1]) if bounds[1] is not None else fn.i64((1 << 63) - 1)
        if k == STR:
            return fn.convert(fn.call_runtime("str_slice", obj, lo, hi), want)
        return fn.convert(share_elements(fn, fn.call_runtime("list_slice", obj, lo, hi), e.obj.ty), want)
    lo = fn.tag(bounds[0]) if bounds[0] is not None else fn.nil()
    hi = fn.tag(bounds[1]) if bounds[1] is not None else fn.nil()
    return fn.convert(share_elements(fn, fn.call_runtime("dyn_slice", fn.tag(obj), lo, hi), e.ty), want)


# -- fields ----------------------------------------------------------------------------------------


def e_field(fn: Fn, e: ast.Field) -> Value:
    if isinstance(e.ref, Member):
        if e.ref.code == "const":
            if ir_type(e.ref.result) == INT:
                return fn.int_const(int(e.ref.value))
            return e_literal(fn, ast.FloatLit(0, 0, e.ref.value))
        return fn.nil()
    if isinstance(e.ref, FunInfo):
        return fun_ref(fn, e.ref)
    if isinstance(e.ref, StructInfo):
        return fn.sym(fn.m.singleton(e.ref), REF)
    if isinstance(e.ref, ast.FunExpr):
        return e_fun(fn, e.ref)
    if isinstance(e.ref, Var):
        return fn.convert(fn.read_var(e.ref, ir_type(e.ref.ty)), ir_type(e.ty))
    return field_value(fn, e)


def field_value(fn: Fn, e: ast.Field) -> Value:
    obj = fn.expr(e.obj)
    fn.b.pos = e.lo
    return field_of(fn, obj, e.obj.ty, e.name, ir_type(e.ty))


def field_of(fn: Fn, obj: Value, ot: Slot, name: str, want: int) -> Value:
    k = find(ot).kinds
    if k == GROUP and obj.type == REF:
        return fn.convert(group_field(fn, obj, name), want)
    if k == STRUCT and obj.type == REF:
        only = structs_of(fn, ot)
        if len(only) == 1 and only[0].row and name not in only[0].fields:
            return fn.convert(row_field(fn, obj, only[0], name), want)
    if k & ~NIL == STRUCT and obj.type == REF:
        sts = structs_of(fn, ot)
        having = [s for s in sts if name in s.fields]
        if having and len(sts) <= 8:
            if k & NIL:
                return unless_nil(fn, obj, want, lambda: field_among(fn, obj, sts, name, want))
            return field_among(fn, obj, sts, name, want)
        if len(sts) == 1 and name in sts[0].methods:
            return fn.convert(bound_method(fn, obj, sts[0], name), want)
    return fn.convert(fn.call_runtime("dyn_field", fn.tag(obj), fn.str_const(name)), want)


def field_among(fn: Fn, obj: Value, sts: list[StructInfo], name: str, want: int) -> Value:
    """The field of a value that is one of several structs."""
    if len(sts) == 1:
        return fn.convert(load_field(fn, obj, sts[0], name), want)
    b = fn.b
    desc = fn.load(PTR, obj, 0)
    done = fn.new_block()
    for i, st in enumerate(sts):
        last = i == len(sts) - 1
        nxt = None
        if not last:
            here = fn.new_block()
            nxt = fn.new_block()
            b.brif(is_struct(fn, desc, st), here, nxt)
            b.start(here)
        v = load_field(fn, obj, st, name) if name in st.fields else fn.nil()
        b.write("#field", fn.convert(v, want))
        b.jump(done)
        if nxt is not None:
            b.start(nxt)
    b.start(done)
    return b.read("#field", want)


def group_field(fn: Fn, g: Value, name: str) -> Value:
    """key, items and count of a group; other names are those of its keys (docs/reference.md, 12.3)."""
    if name == "items":
        return fn.load(REF, g, fn.layout.group_items)
    if name == "count":
        return fn.b.emit(TOINT, INT, [list_len(fn, fn.load(REF, g, fn.layout.group_items))], 0, LEN_RANGE)
    key = fn.load(TAG, g, fn.layout.group_key)
    return key if name == "key" else fn.call_runtime("dyn_field", key, fn.str_const(name))


def row_field(fn: Fn, row: Value, st: StructInfo, name: str) -> Value:
    """12.5: a name that is no query variable: the first non-null one among the variables' values, in name order."""
    b = fn.b
    done = fn.new_block()
    for field in sorted(st.fields):
        ft = st.fields[field]
        if find(ft).kinds & ~(MAP | STRUCT | NIL):
            continue
        got = fn.call_runtime("dyn_field", fn.tag(load_field(fn, row, st, field)), fn.str_const(name))
        b.write("#row", got)
        nxt = fn.new_block()
        b.brif(fn.is_nil(got), nxt, done)
        b.start(nxt)
    b.write("#row", fn.nil())
    b.jump(done)
    b.start(done)
    return b.read("#row", TAG)
