"""Lowering of element and field access.

Bounds checks.  One unsigned comparison covers both ends; the cold path wraps a negative index and
reports what is still out of range.
"""

from __future__ import annotations

from collections.abc import Callable

from mochic.ir.func import Value
from mochic.ir.ops import ADD, EQ, FROMINT, LD8U, LD32U, MAPFIND, MAPSLOT, SLT, ST8, TOINT, ULT
from mochic.ir.types import F64, I32, I64, INT, PTR, REF, TAG, VOID
from mochic.lower.aliasing import Aliasing
from mochic.lower.base import (
    ARRAY_DATA, GROUP_ITEMS, GROUP_KEY, LEN_RANGE, LIST_LEN, STR_CHARS,
    STRUCT_FIELDS,
)  # fmt: skip
from mochic.lower.module import ir_type
from mochic.sema.symbols import StructInfo
from mochic.sema.types import INT as KINT
from mochic.sema.types import GROUP, LIST, MAP, NIL, STR, STRUCT, Ty, find
from mochic.syntax import ast


class Access(Aliasing):
    # -- lengths --------------------------------------------------------------------------------

    def list_len(self, lst: Value) -> Value:
        return self.ld(I64, lst, LIST_LEN)

    def len_of(self, v: Value, t: Ty) -> Value:
        """len(x) as INT; a group has been replaced by its items."""
        k = find(t).kinds
        if k == GROUP:
            k = LIST
        b = self.b
        if v.type == REF and not k & NIL:
            if k == LIST:
                return b.emit(TOINT, INT, [self.list_len(v)], 0, LEN_RANGE)
            if k == STR:
                n = b.emit(LD32U, I64, [v], STR_CHARS)
                return b.emit(TOINT, INT, [n], 0, (0, 1 << 32))
            if k == MAP:
                return b.emit(TOINT, INT, [self.ld(I64, v, LIST_LEN)], 0, LEN_RANGE)
        return b.emit(TOINT, INT, [self.rt("dyn_len", self.tag(v))], 0, LEN_RANGE)

    # -- lists ----------------------------------------------------------------------------------

    def word_index(self, v: Value) -> Value:
        return self.b.emit(FROMINT, I64, [v])

    def checked_index(self, lst: Value, index: Value) -> Value:
        """The position an INT index means in a list, or a run-time error."""
        b = self.b
        i = self.word_index(index)
        n = self.list_len(lst)
        cold, neg, bad, ok = self.new_block(True), self.new_block(True), self.new_block(True), self.new_block()
        b.write("#ix", i)
        b.brif(b.emit(ULT, I32, [i, n]), ok, cold, 1)
        b.start(cold)
        b.brif(b.emit(SLT, I32, [index, self.int_const(0)]), neg, bad)
        b.start(neg)
        w = b.emit(ADD, I64, [i, n])
        b.write("#ix", w)
        b.brif(b.emit(ULT, I32, [w, n]), ok, bad)
        b.start(bad)
        self.panic("panic_index", i, n)
        b.start(ok)
        return b.read("#ix", I64)

    def load_element(self, lst: Value, i: Value, elem: Ty) -> Value:
        ty = ir_type(elem)
        p = self.element_address(lst, i, ty)
        if ty == I32:
            return self.b.emit(LD8U, I32, [p], ARRAY_DATA)
        return self.ld(ty, p, ARRAY_DATA, self.m.slot(elem))

    def store_element(self, lst: Value, i: Value, v: Value, elem: Ty) -> None:
        ty = ir_type(elem)
        p = self.element_address(lst, i, ty)
        if ty == I32:
            self.b.emit(ST8, VOID, [p, v], ARRAY_DATA)
        else:
            self.st(p, v, ARRAY_DATA, self.m.slot(elem))

    def elem_ty(self, t: Ty) -> Ty:
        e: Ty = self.m.solver.elem(t)
        return e

    def index_value(self, e: ast.Index) -> Value:
        """obj[key] in the representation of e.ty."""
        b = self.b
        want = ir_type(e.ty)
        ot = e.obj.ty
        k = find(ot).kinds
        obj, key = self.operands([e.obj, e.index])
        b.pos = e.lo
        kk = find(e.index.ty).kinds
        if obj.type == REF and k & NIL and k != NIL:
            return self.unless_nil(obj, want, lambda: self.index_known(obj, k & ~NIL, ot, key, kk, want))
        return self.index_known(obj, k, ot, key, kk, want)

    def index_known(self, obj: Value, k: int, ot: Ty, key: Value, kk: int, want: int) -> Value:
        if obj.type == REF and kk == KINT:
            if k == LIST:
                i = self.checked_index(obj, key)
                return self.convert(self.load_element(obj, i, self.elem_ty(ot)), want)
            if k == STR:
                return self.convert(self.rt("str_index", obj, self.word_index(key)), want)
        if obj.type == REF and k == MAP:
            slot = self.map_find(obj, ot, key, kk)
            if slot is not None:
                return self.map_value_or_nil(slot, ot, want)
        return self.convert(self.rt("dyn_index", self.tag(obj), self.tag(key)), want)

    def unless_nil(self, obj: Value, want: int, make: Callable[[], Value]) -> Value:
        """nil if obj is null, else what make() gives; the result has representation `want`."""
        b = self.b
        some, none, done = self.new_block(), self.new_block(True), self.new_block()
        b.brif(self.is_nil(obj), none, some, -1)
        b.start(some)
        v = self.convert(make(), want)
        b.write("#opt", v)
        b.jump(done)
        b.start(none)
        b.write("#opt", self.convert(self.nil(), want))
        b.jump(done)
        b.start(done)
        return b.read("#opt", want)

    # -- maps -----------------------------------------------------------------------------------

    def map_key(self, mt: Ty, key: Value, kk: int) -> tuple[str, Value] | None:
        """How to look a key of kinds kk up in a map of type mt: suffix of the runtime function and the key word."""
        kt = self.m.solver.key(mt)
        kind = ir_type(kt)
        if kind == INT:
            if key.type != INT:
                return None
            return "int", key
        if key.type == REF and kk == STR:
            return "str", key
        if key.type in (REF, INT, F64, I32):
            return "str", self.rt("key_text", self.tag(key))
        return None

    def map_find(self, m: Value, mt: Ty, key: Value, kk: int) -> Value | None:
        """Address of the value slot or 0; None when only the dynamic path knows."""
        r = self.map_key(mt, key, kk)
        if r is None:
            return None
        kind, k = r
        if kind == "int":
            return self.b.emit(MAPFIND, PTR, [m, k], 0, self.m.slot(self.m.solver.key(mt)))
        return self.rt("map_find_str", m, k)

    def map_value_or_nil(self, slot: Value, mt: Ty, want: int) -> Value:
        b = self.b
        vt = self.m.solver.val(mt)
        vty = ir_type(vt)
        some, none, done = self.new_block(), self.new_block(), self.new_block()
        b.brif(b.emit(EQ, I32, [slot, b.iconst(PTR, 0)]), none, some, -1)
        b.start(some)
        b.write("#opt", self.convert(self.ld(vty, slot, 0, self.m.slot(vt)), want))
        b.jump(done)
        b.start(none)
        b.write("#opt", self.convert(self.nil(), want))
        b.jump(done)
        b.start(done)
        return b.read("#opt", want)

    def map_store(self, m: Value, mt: Ty, key: Value, v: Value, kk: int = STR) -> None:
        """m[key] = v, for a key of kinds kk."""
        val = self.m.solver.val(mt)
        r = self.map_key(mt, key, kk)
        if r is None:
            self.feed_contents(mt, v, key)
            self.rt("map_set", m, self.tag(key), self.tag(v))
            return
        kind, k = r
        w = self.convert(v, ir_type(val))
        if kind == "int":
            slot = self.b.emit(MAPSLOT, PTR, [m, k], 0, self.m.slot(self.m.solver.key(mt)))
        else:
            slot = self.rt("map_slot_str", m, k)
        self.st(slot, w, 0, self.m.slot(val))

    # -- fields ---------------------------------------------------------------------------------

    def structs_of(self, t: Ty) -> list[StructInfo]:
        bits = find(t).structs
        return [s for s in self.m.info.structs if bits & s.bit]

    def field_offset(self, st: StructInfo, name: str) -> int:
        return STRUCT_FIELDS + 8 * list(st.fields).index(name)

    def load_field(self, obj: Value, st: StructInfo, name: str) -> Value:
        ft = st.fields[name]
        return self.ld(ir_type(ft), obj, self.field_offset(st, name), self.m.slot(ft))

    def store_field(self, obj: Value, st: StructInfo, name: str, v: Value) -> None:
        ft = st.fields[name]
        self.st(obj, self.convert(v, ir_type(ft)), self.field_offset(st, name), self.m.slot(ft))

    def field_value(self, e: ast.Field) -> Value:
        obj = self.expr(e.obj)
        self.b.pos = e.lo
        return self.field_of(obj, e.obj.ty, e.name, ir_type(e.ty))

    def group_field(self, g: Value, name: str) -> Value:
        """key, items and count of a group; other names are those of its keys (12.3)."""
        if name == "items":
            return self.ld(REF, g, GROUP_ITEMS)
        if name == "count":
            return self.b.emit(TOINT, INT, [self.list_len(self.ld(REF, g, GROUP_ITEMS))], 0, LEN_RANGE)
        key = self.ld(TAG, g, GROUP_KEY)
        return key if name == "key" else self.rt("dyn_field", key, self.str_const(name))

    def row_field(self, row: Value, st: StructInfo, name: str) -> Value:
        """12.5: a name that is no query variable: the first non-null one among the variables' values, in name order."""
        b = self.b
        done = self.new_block()
        for field in sorted(st.fields):
            ft = st.fields[field]
            if find(ft).kinds & ~(MAP | STRUCT | NIL):
                continue
            got = self.rt("dyn_field", self.tag(self.load_field(row, st, field)), self.str_const(name))
            b.write("#row", got)
            nxt = self.new_block()
            b.brif(self.is_nil(got), nxt, done)
            b.start(nxt)
        b.write("#row", self.nil())
        b.jump(done)
        b.start(done)
        return b.read("#row", TAG)

    def field_of(self, obj: Value, ot: Ty, name: str, want: int) -> Value:
        k = find(ot).kinds
        if k == GROUP and obj.type == REF:
            return self.convert(self.group_field(obj, name), want)
        if k == STRUCT and obj.type == REF:
            only = self.structs_of(ot)
            if len(only) == 1 and only[0].row and name not in only[0].fields:
                return self.convert(self.row_field(obj, only[0], name), want)
        if k & ~NIL == STRUCT and obj.type == REF:
            sts = self.structs_of(ot)
            having = [s for s in sts if name in s.fields]
            if having and len(sts) <= 8:
                if k & NIL:
                    return self.unless_nil(obj, want, lambda: self.field_among(obj, sts, name, want))
                return self.field_among(obj, sts, name, want)
            if len(sts) == 1 and name in sts[0].methods:
                return self.convert(self.bound_method(obj, sts[0], name), want)
        return self.convert(self.rt("dyn_field", self.tag(obj), self.str_const(name)), want)

    def bound_method(self, obj: Value, st: StructInfo, name: str) -> Value:
        raise AssertionError

    def field_among(self, obj: Value, sts: list[StructInfo], name: str, want: int) -> Value:
        """The field of a value that is one of several structs."""
        if len(sts) == 1:
            return self.convert(self.load_field(obj, sts[0], name), want)
        b = self.b
        desc = self.ld(PTR, obj, 0)
        done = self.new_block()
        for i, st in enumerate(sts):
            last = i == len(sts) - 1
            nxt = None
            if not last:
                here = self.new_block()
                nxt = self.new_block()
                b.brif(b.emit(EQ, I32, [desc, self.sym(self.m.struct_desc(st))]), here, nxt)
                b.start(here)
            v = self.load_field(obj, st, name) if name in st.fields else self.nil()
            b.write("#field", self.convert(v, want))
            b.jump(done)
            if nxt is not None:
                b.start(nxt)
        b.start(done)
        return b.read("#field", want)

    # provided by the other parts
    def expr(self, e: ast.Expr) -> Value:
        raise AssertionError
