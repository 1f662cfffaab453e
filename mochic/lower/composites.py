"""Literals of lists, maps and structs."""

from __future__ import annotations

from mochic.ir.func import Value
from mochic.ir.types import REF
from mochic.lower.aliasing import moved
from mochic.lower.constants import template
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import elem_ty, make_struct, map_store, store_element
from mochic.sema.symbols import StructInfo
from mochic.sema.types import find
from mochic.syntax import ast

# Lists of more elements are made before their elements, so that these need not be held, all at once, in registers.
LONG_LIST = 8


def e_list(fn: Fn, e: ast.ListLit) -> Value:
    made = template(fn, e)
    if made is not None:
        return made
    elem = elem_ty(fn, e.ty)
    ty = ir_type(elem)
    b = fn.b
    if len(e.elems) > LONG_LIST:
        b.pos = e.lo
        lst = fn.call_runtime("list_new", fn.sym(fn.m.list_desc(elem)), fn.i64(len(e.elems)))
        for i, x in enumerate(e.elems):
            v = fn.convert(moved(fn, x), ty)
            b.pos = e.lo
            store_element(fn, lst, fn.i64(i), v, elem)
        return lst
    vals = [fn.convert(moved(fn, x), ty) for x in e.elems]
    b.pos = e.lo
    lst = fn.call_runtime("list_new", fn.sym(fn.m.list_desc(elem)), fn.i64(len(vals)))
    for i, v in enumerate(vals):
        store_element(fn, lst, fn.i64(i), v, elem)
    return lst


def e_map(fn: Fn, e: ast.MapLit) -> Value:
    made = template(fn, e)
    if made is not None:
        return made
    s = fn.m.solver
    key, val = s.key(e.ty), s.val(e.ty)
    fn.b.pos = e.lo
    m = fn.call_runtime("map_new", fn.sym(fn.m.map_desc(key, val)), fn.i64(len(e.entries)))
    for k, x in e.entries:
        kv = fn.expr(k)
        v = moved(fn, x)
        map_store(fn, m, e.ty, kv, v, find(k.ty).kinds)
    return m


def e_struct(fn: Fn, e: ast.StructLit) -> Value:
    if isinstance(e.ref, ast.Call):  # an agent
        return fn.expr(e.ref)
    st: StructInfo = e.ref
    if not st.fields:
        return fn.sym(fn.m.singleton(st), REF)
    made = template(fn, e)
    if made is not None:
        return made
    given: dict[str, Value] = {}
    for f in e.fields:
        given[f.name] = fn.convert(moved(fn, f.value), ir_type(st.fields[f.name]))
    fn.b.pos = e.lo
    return make_struct(fn, st, given)
