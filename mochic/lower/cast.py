"""Lowering of `e as T` (docs/reference.md, 8.6)."""

from __future__ import annotations

from mochic.ir.func import Func, FuncSym, Value
from mochic.ir.ops import CAST, F2INT, UNTAG
from mochic.ir.types import F64, I32, INT, REF, TAG
from mochic.lower.chars import digit_value
from mochic.lower.control import count_loop
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import if_struct, list_len, make_struct, map_store, store_element
from mochic.sema.tree import inner_types
from mochic.sema.symbols import StructInfo
from mochic.sema.types import LIST, MAP, NIL, STR, STRUCT, Slot, find
from mochic.syntax import ast

_SCALAR_CASTS = {
    "int": "cast_int", "int64": "cast_int", "bigint": "cast_int", "float": "cast_float", "string": "cast_string",
    "bool": "cast_bool", "bigrat": "cast_bigrat",
}  # fmt: skip


def e_cast(fn: Fn, e: ast.Cast) -> Value:
    v = fn.expr(e.expr)
    fn.b.pos = e.lo
    return fn.convert(cast(fn, v, e.expr.ty, e.type, e.ty), ir_type(e.ty))


def cast(fn: Fn, v: Value, t: Slot, ref: ast.TypeRef, res: Slot) -> Value:
    b = fn.b
    ref = fn.m.info.resolve_alias(ref)
    if isinstance(ref, ast.TypeName):
        name = ref.name
        if name in ("int", "int64", "bigint"):
            if v.type == INT:
                return v
            if v.type == F64:
                return f64_to_int(fn, v)
            return digit_value(fn, v) or b.emit(UNTAG, INT, [fn.call_runtime("cast_int", fn.tag(v))])
        if name == "bigrat":
            return fn.call_runtime("cast_bigrat", fn.tag(v))
        if name == "float":
            if v.type in (INT, F64):
                return fn.to_f64(v)
            return fn.call_runtime("cast_float", fn.tag(v))
        if name == "string":
            return v if find(t).kinds == STR else fn.call_runtime("cast_string", fn.tag(v))
        if name == "bool":
            return v if v.type == I32 else fn.call_runtime("cast_bool", fn.tag(v))
        st = fn.m.info.struct_named(ref)
        if st is not None:
            return cast_struct(fn, v, t, st)
    elif isinstance(ref, ast.TypeOpt):
        return cast_optional(fn, v, t, ref.inner, res)
    elif isinstance(ref, ast.TypeStruct):
        return cast_anonymous(fn, v, t, ref, res)
    elif isinstance(ref, ast.TypeGeneric) and ref.name in ("list", "map"):
        kind = LIST if ref.name == "list" else MAP
        if find(t).kinds != kind:
            v = fn.call_runtime("cast_list" if kind == LIST else "cast_map", fn.tag(v))
        s = fn.m.solver
        inner = s.elem(res) if kind == LIST else s.val(res)
        source = s.elem(t) if kind == LIST else s.val(t)
        if find(inner) is find(source):
            return v
        v = fn.convert(v, REF)
        if kind == LIST:
            return cast_elements(fn, v, source, ref.args[-1], inner)
        return cast_entries(fn, v, t, ref, res)
    return v


def cast_any(fn: Fn, v: Value, t: Slot, ref: ast.TypeRef, res: Slot) -> Value:
    """Cast a TAG whose values are of type t."""
    ref = fn.m.info.resolve_alias(ref)
    if isinstance(ref, ast.TypeGeneric | ast.TypeOpt | ast.TypeStruct):
        return cast(fn, v, t, ref, res)
    return cast_dynamic(fn, v, ref, t)


def cast_dynamic(fn: Fn, v: Value, ref: ast.TypeRef, t: Slot) -> Value:
    """Cast a TAG to a declared type."""
    ref = fn.m.info.resolve_alias(ref)
    if isinstance(ref, ast.TypeName):
        function = _SCALAR_CASTS.get(ref.name)
        if function is not None:
            r = fn.call_runtime(function, v)
            return fn.b.emit(UNTAG, INT, [r]) if function == "cast_int" else r
        st = fn.m.info.struct_named(ref)
        if st is not None:
            return cast_struct(fn, v, t, st)
    return v


def f64_to_int(fn: Fn, v: Value) -> Value:
    return fn.b.emit(F2INT, INT, [v])


def cast_optional(fn: Fn, v: Value, t: Slot, ref: ast.TypeRef, res: Slot) -> Value:
    """none stays, anything else is cast."""
    if v.type not in (REF, TAG) or not find(t).kinds & NIL:
        return cast(fn, v, t, ref, res)
    b = fn.b
    some, none, done = fn.new_block(), fn.new_block(), fn.new_block()
    var = ("#cast", v.id)
    b.brif(fn.is_nil(v), none, some)
    b.start(some)
    b.write(var, fn.tag(cast(fn, v, t, ref, res)))
    b.jump(done)
    b.start(none)
    b.write(var, fn.nil())
    b.jump(done)
    b.start(done)
    return b.read(var, TAG)


# -- lists and maps --------------------------------------------------------------------------------


def cast_elements(fn: Fn, src: Value, st: Slot, ref: ast.TypeRef, elem: Slot) -> Value:
    """A new list of the elements of src, each cast."""
    n = list_len(fn, src)
    out = fn.call_runtime("list_new", fn.sym(fn.m.list_desc(elem)), n)

    def one(i: Value) -> None:
        x = cast_any(fn, fn.call_runtime("list_get_raw", src, i), st, ref, elem)
        store_element(fn, out, i, fn.convert(x, ir_type(elem)), elem)

    count_loop(fn, n, one)
    return out


def cast_entries(fn: Fn, src: Value, mt: Slot, ref: ast.TypeGeneric, res: Slot) -> Value:
    """A new map with every value cast (and every key, where ints are wanted)."""
    s = fn.m.solver
    key, val = s.key(res), s.val(res)
    out = fn.call_runtime("map_new", fn.sym(fn.m.map_desc(key, val)), fn.i64(0))
    keys = fn.call_runtime("map_order", src)

    def one(i: Value) -> None:
        k = fn.call_runtime("list_get_raw", keys, i)
        x = cast_any(fn, fn.call_runtime("map_get", src, k), s.val(mt), ref.args[1], val)
        kv = cast_any(fn, k, s.key(mt), ref.args[0], key)
        map_store(fn, out, res, fn.convert(kv, ir_type(key)), x, find(key).kinds)

    count_loop(fn, list_len(fn, keys), one)
    return out


def cast_anonymous(fn: Fn, v: Value, t: Slot, ref: ast.TypeStruct, res: Slot) -> Value:
    """A map or struct becomes a map of the fields, each cast to its declared type."""
    src = fn.tag(v)
    key, val = fn.m.solver.key(res), fn.m.solver.val(res)
    out = fn.call_runtime("map_new", fn.sym(fn.m.map_desc(key, val)), fn.i64(0))
    for f in ref.fields:
        got = fn.call_runtime("cast_field", src, fn.str_const(f.name), fn.str_const("struct"))
        x = cast_any(fn, got, ref.info[f.name], f.type, val)
        map_store(fn, out, res, fn.str_const(f.name), x)
    return out


# -- structs ---------------------------------------------------------------------------------------


def cast_struct(fn: Fn, v: Value, t: Slot, st: StructInfo) -> Value:
    """A map becomes a struct, each field cast to its declared type; a struct of the type stays.

    Done in place, except that a type which contains itself has a function for it.
    """
    if find(t).kinds == STRUCT and find(t).structs == st.bit:
        return v
    b = fn.b
    src = fn.tag(v)
    if contains_itself(fn, st):
        return fn.call(caster(fn, st), [src])
    if not find(t).structs & st.bit:
        return cast_fields(fn, src, st)
    other, same, done = fn.new_block(), fn.new_block(), fn.new_block()
    var = ("#cast", src.id)
    if_struct(fn, src, st, same, other)
    b.start(same)
    b.write(var, b.emit(CAST, REF, [src]))
    b.jump(done)
    b.start(other)
    b.write(var, cast_fields(fn, src, st))
    b.jump(done)
    b.start(done)
    return b.read(var, REF)


def contains_itself(fn: Fn, st: StructInfo) -> bool:
    """Whether casting to st casts to st again."""
    if st.recursive is None:
        seen = {st}
        todo = list(st.decls.values())
        st.recursive = False
        while todo:
            ref = fn.m.info.resolve_alias(todo.pop())
            todo += inner_types(ref)
            if isinstance(ref, ast.TypeName):
                inner = fn.m.info.struct_named(ref)
                if inner is st:
                    st.recursive = True
                    break
                if inner is not None and inner not in seen:
                    seen.add(inner)
                    todo += inner.decls.values()
    return st.recursive


def cast_fields(fn: Fn, src: Value, st: StructInfo) -> Value:
    given: dict[str, Value] = {}
    assert st.sources is not None
    for name, ft in st.fields.items():
        got = fn.call_runtime("cast_field", src, fn.str_const(name), fn.str_const(st.name))
        given[name] = fn.convert(cast_any(fn, got, st.sources[name], st.decls[name], ft), ir_type(ft))
    return make_struct(fn, st, given)


def caster(fn: Fn, st: StructInfo) -> FuncSym:
    """The function that makes an st of a TAG."""
    if st.caster is None:
        sym = st.caster = FuncSym(fn.m.unique(f"mochi.cast.{st.name}"), [TAG], REF)
        sym.slots = [None, None]
        sym.display = f"as {st.name}"
        sym.pos = st.pos

        def make() -> Func:
            assert fn.m.info.main is not None
            ir = Func(sym)
            inner = Fn(fn.m, fn.m.info.main, ir, fn.dispatch)
            b = inner.b
            b.pos = st.pos
            src = ir.new_param(ir.blocks[0], TAG)
            same, other = inner.new_block(), inner.new_block()
            if_struct(inner, src, st, same, other)
            b.start(same)
            b.ret(b.emit(CAST, REF, [src]))
            b.start(other)
            b.ret(cast_fields(inner, src, st))
            return b.finish()

        fn.m.pending.append(make)
    made: FuncSym = st.caster
    return made
