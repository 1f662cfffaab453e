"""What lists, maps and structs hold: lengths, elements, entries and fields of values in hand.

Nothing here evaluates a part of the program; `access.py` has the expressions.

Bounds checks.  One unsigned comparison covers both ends; the cold path wraps a negative index and
reports what is still out of range.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mochic.ir.func import Block, Value
from mochic.ir.ops import (
    ADD,
    EQ,
    FROMINT,
    LD,
    LD8U,
    LD32U,
    MAP_LENGTH,
    MAPFIND,
    MAPSLOT,
    READONLY,
    SHL,
    SLT,
    ST8,
    TOINT,
    ULT,
)
from mochic.ir.types import F64, I32, I64, INT, PTR, REF, VOID
from mochic.lower.control import check_ref
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.sema.symbols import StructInfo
from mochic.sema.types import GROUP, LIST, MAP, NIL, STR, Slot, find


LEN_RANGE: Final = (0, 1 << 40)  # of the lengths of lists and maps

# -- lists and strings -----------------------------------------------------------------------------


def elem_ty(fn: Fn, t: Slot) -> Slot:
    e: Slot = fn.m.solver.elem(t)
    return e


def list_len(fn: Fn, lst: Value) -> Value:
    return fn.load(I64, lst, fn.layout.list_length)


def len_of(fn: Fn, v: Value, t: Slot) -> Value:
    """len(x) as INT; a group has been replaced by its items."""
    k = find(t).kinds
    if k == GROUP:
        k = LIST
    b = fn.b
    if v.type == REF and not k & NIL:
        if k == LIST:
            return b.emit(TOINT, INT, [list_len(fn, v)], 0, LEN_RANGE)
        if k == STR:
            n = b.emit(LD32U, I64, [v], fn.layout.string_characters, READONLY)
            return b.emit(TOINT, INT, [n], 0, (0, 1 << 32))
        if k == MAP:
            n = b.emit(LD, I64, [v], fn.layout.map_count, MAP_LENGTH)
            return b.emit(TOINT, INT, [n], 0, LEN_RANGE)
    return b.emit(TOINT, INT, [fn.call_runtime("dyn_len", fn.tag(v))], 0, LEN_RANGE)


def word_index(fn: Fn, v: Value) -> Value:
    return fn.b.emit(FROMINT, I64, [v])


def checked_index(fn: Fn, lst: Value, index: Value) -> Value:
    """The position an INT index means in a list, or a run-time error."""
    i = word_index(fn, index)
    n = list_len(fn, lst)
    return checked_position(fn, i, index, n, lambda i: fn.panic("panic_index", i, n))


def checked_position(fn: Fn, i: Value, index: Value, n: Value, panic: Callable[[Value], None]) -> Value:
    """The position among n that the word `i` of an INT index means; `panic` emits the error."""
    b = fn.b
    cold, neg, bad, ok = fn.new_block(True), fn.new_block(True), fn.new_block(True), fn.new_block()
    b.write("#ix", i)
    b.brif(b.emit(ULT, I32, [i, n]), ok, cold, 1)
    b.start(cold)
    b.brif(b.emit(SLT, I32, [index, fn.int_const(0)]), neg, bad)
    b.start(neg)
    w = b.emit(ADD, I64, [i, n])
    b.write("#ix", w)
    b.brif(b.emit(ULT, I32, [w, n]), ok, bad)
    b.start(bad)
    panic(i)
    b.start(ok)
    return b.read("#ix", I64)


def element_address(fn: Fn, lst: Value, index: Value, ty: int) -> Value:
    """Address of the element's payload minus Layout.array_data; `index` I64 in range."""
    data = fn.load(REF, lst, fn.layout.list_data)
    off = index if ty == I32 else fn.b.emit(SHL, I64, [index, fn.i64(fn.layout.shift)])
    return fn.b.emit(ADD, PTR, [data, off])


def load_element(fn: Fn, lst: Value, i: Value, elem: Slot) -> Value:
    ty = ir_type(elem)
    p = element_address(fn, lst, i, ty)
    if ty == I32:
        return fn.b.emit(LD8U, I32, [p], fn.layout.array_data)
    return fn.load(ty, p, fn.layout.array_data, fn.m.slot(elem))


def store_element(fn: Fn, lst: Value, i: Value, v: Value, elem: Slot) -> None:
    ty = ir_type(elem)
    p = element_address(fn, lst, i, ty)
    if ty == I32:
        fn.b.emit(ST8, VOID, [p, v], fn.layout.array_data)
    else:
        fn.store(p, v, fn.layout.array_data, fn.m.slot(elem))


# -- maps ------------------------------------------------------------------------------------------


def map_key(fn: Fn, mt: Slot, key: Value, kk: int) -> tuple[str, Value] | None:
    """How to look a key of kinds kk up in a map of type mt: suffix of the runtime function and the key word."""
    kt = fn.m.solver.key(mt)
    kind = ir_type(kt)
    if kind == INT:
        if key.type != INT:
            return None
        return "int", key
    if key.type == REF and kk == STR:
        return "str", key
    if key.type in (REF, INT, F64, I32):
        return "str", fn.call_runtime("key_text", fn.tag(key))
    return None


def map_find(fn: Fn, m: Value, mt: Slot, key: Value, kk: int) -> Value | None:
    """Address of the value slot or 0; None when only the dynamic path knows."""
    r = map_key(fn, mt, key, kk)
    if r is None:
        return None
    kind, k = r
    if kind == "int":
        return fn.b.emit(MAPFIND, PTR, [m, k], 0, fn.m.slot(fn.m.solver.key(mt)))
    return fn.call_runtime("map_find_str", m, k)


def map_value_or_nil(fn: Fn, slot: Value, mt: Slot, want: int) -> Value:
    b = fn.b
    vt = fn.m.solver.val(mt)
    vty = ir_type(vt)
    some, none = fn.new_block(), fn.new_block()
    b.brif(b.emit(EQ, I32, [slot, b.iconst(PTR, 0)]), none, some, -1)
    return fn.either(some, none, lambda: fn.load(vty, slot, 0, fn.m.slot(vt)), fn.nil, want)


def map_store(fn: Fn, m: Value, mt: Slot, key: Value, v: Value, kk: int = STR) -> None:
    """m[key] = v, for a key of kinds kk."""
    val = fn.m.solver.val(mt)
    r = map_key(fn, mt, key, kk)
    if r is None:
        fn.feed_contents(mt, v, key)
        fn.call_runtime("map_set", m, fn.tag(key), fn.tag(v))
        return
    kind, k = r
    w = fn.convert(v, ir_type(val))
    if kind == "int":
        slot = fn.b.emit(MAPSLOT, PTR, [m, k], 0, fn.m.slot(fn.m.solver.key(mt)))
    else:
        slot = fn.call_runtime("map_slot_str", m, k)
    fn.store(slot, w, 0, fn.m.slot(val))


# -- structs ---------------------------------------------------------------------------------------


def structs_of(fn: Fn, t: Slot) -> list[StructInfo]:
    bits = find(t).structs
    return [s for s in fn.m.info.structs if bits & s.bit]


def field_offset(fn: Fn, st: StructInfo, name: str) -> int:
    return fn.layout.struct_fields + fn.layout.slot * list(st.fields).index(name)


def load_field(fn: Fn, obj: Value, st: StructInfo, name: str) -> Value:
    ft = st.fields[name]
    return fn.load(ir_type(ft), obj, field_offset(fn, st, name), fn.m.slot(ft))


def store_field(fn: Fn, obj: Value, st: StructInfo, name: str, v: Value) -> None:
    ft = st.fields[name]
    fn.store(obj, fn.convert(v, ir_type(ft)), field_offset(fn, st, name), fn.m.slot(ft))


def make_struct(fn: Fn, st: StructInfo, given: dict[str, Value]) -> Value:
    obj = fn.alloc(fn.m.struct_desc(st), fn.m.struct_size(st))
    for name in st.fields:
        v = given.get(name)
        if v is None:
            v = fn.convert(fn.nil(), ir_type(st.fields[name]))
        store_field(fn, obj, st, name, v)
    return obj


def is_struct(fn: Fn, desc: Value, st: StructInfo) -> Value:
    """Whether an object with the descriptor is an st."""
    return fn.b.emit(EQ, I32, [desc, fn.sym(fn.m.struct_desc(st))])


def if_struct(fn: Fn, v: Value, st: StructInfo, yes: Block, no: Block) -> None:
    """Go where it depends on whether a TAG is an st; ends the block."""
    obj = check_ref(fn, v, no)
    fn.b.brif(is_struct(fn, fn.load(PTR, obj, 0), st), yes, no)
