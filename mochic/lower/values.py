"""Operators on values in hand: arithmetic, text, comparison, membership."""

from __future__ import annotations

from mochic.ir.func import Value
from mochic.ir.ops import (
    ADD, EQ, FADD, FCONST, FDIV, FEQ, FLE, FLT, FMUL, FNE, FSUB, ICONST, MUL, NE, SDIV, SLE, SLT, SREM, SUB,
)  # fmt: skip
from mochic.ir.types import F64, I32, INT, REF, TAG
from mochic.lower.aliasing import share_elements
from mochic.lower.chars import equal_texts, in_constant, less_texts
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import map_find
from mochic.sema.types import LIST, MAP, NIL, NUMERIC, STR, Slot, find
from mochic.syntax import ast

_INT_OPS = {"+": ADD, "-": SUB, "*": MUL, "/": SDIV, "%": SREM}
_FLOAT_OPS = {"+": FADD, "-": FSUB, "*": FMUL, "/": FDIV}
_DYN_OPS = {"+": "dyn_add", "-": "dyn_sub", "*": "dyn_mul", "/": "dyn_div", "%": "dyn_rem"}
_SET_OPS = {
    "union": "list_union", "union all": "list_union_all", "except": "list_except", "intersect": "list_intersect",
}  # fmt: skip


def operation(fn: Fn, e: ast.Binary, l: Value, r: Value) -> Value:
    op = e.op
    if op in _INT_OPS:
        return arithmetic(fn, op, l, r, e.left.ty, e.right.ty, e.ty)
    if op == "in":
        return contains(fn, l, r, e.left.ty, e.right.ty)
    if op in _SET_OPS:
        if find(e.left.ty).kinds == LIST and find(e.right.ty).kinds == LIST:
            v = fn.call_runtime(_SET_OPS[op], l, r)
        else:
            v = fn.call_runtime(
                _SET_OPS[op], fn.call_runtime("dyn_iter", fn.tag(l)), fn.call_runtime("dyn_iter", fn.tag(r))
            )
        return share_elements(fn, v, e.ty)
    return compare(fn, op, l, r, e.left.ty, e.right.ty)


def arithmetic(fn: Fn, op: str, l: Value, r: Value, lt: Slot, rt: Slot, res: Slot) -> Value:
    b = fn.b
    lk, rk = l.type, r.type
    want = ir_type(res)
    if lk == INT and rk == INT:
        if op in "/%":
            check_zero_int(fn, r)
        return fn.convert(b.emit(_INT_OPS[op], INT, [l, r]), want)
    if lk in (INT, F64) and rk in (INT, F64):
        x = fn.to_f64(l)
        y = fn.to_f64(r)
        if op in "/%":
            check_zero_f64(fn, y)
            if op == "%":
                return fn.convert(fn.call_runtime("f64_rem", x, y), want)
        return fn.convert(b.emit(_FLOAT_OPS[op], F64, [x, y]), want)
    if op == "+" and find(lt).kinds == LIST and find(rt).kinds == LIST:
        return fn.convert(share_elements(fn, fn.call_runtime("list_concat", l, r), lt), want)
    v = fn.call_runtime(_DYN_OPS[op], fn.tag(l), fn.tag(r))
    return fn.convert(share_elements(fn, v, res) if op == "+" else v, want)


def check_zero_int(fn: Fn, v: Value) -> None:
    if v.op == ICONST and v.imm:
        return
    b = fn.b
    bad, ok = fn.new_block(True), fn.new_block()
    b.brif(b.emit(EQ, I32, [v, fn.int_const(0)]), bad, ok, -1)
    b.start(bad)
    fn.panic("panic_div0")
    b.start(ok)


def check_zero_f64(fn: Fn, v: Value) -> None:
    if v.op == FCONST and v.imm << 1 & (1 << 64) - 1:
        return
    b = fn.b
    bad, ok = fn.new_block(True), fn.new_block()
    b.brif(b.emit(FEQ, I32, [v, b.emit(FCONST, F64, [], 0)]), bad, ok, -1)
    b.start(bad)
    fn.panic("panic_div0")
    b.start(ok)


def text_of(fn: Fn, v: Value, t: Slot) -> Value:
    """Form S of a value, as a string."""
    if v.type == REF and find(t).kinds == STR:
        return v
    if v.type == INT:
        return fn.call_runtime("str_of_int", fn.tag(v))
    if v.type == F64:
        return fn.call_runtime("str_of_f64", v)
    if v.type == I32:
        return fn.call_runtime("str_of_bool", v)
    return fn.call_runtime("str_of_tag", fn.tag(v))


# -- comparison ------------------------------------------------------------------------------------


def compare(fn: Fn, op: str, l: Value, r: Value, lt: Slot, rt: Slot) -> Value:
    b = fn.b
    lk, rk = find(lt).kinds, find(rt).kinds
    if op in ("==", "!="):
        v = equal(fn, l, r, lk, rk)
        if v.op == EQ and op == "!=":
            v.op = NE
            return v
        if v.op == FEQ and op == "!=":
            v.op = FNE
            return v
        return v if op == "==" else fn.not_(v)
    if op in (">", ">="):
        l, r, lk, rk = r, l, rk, lk
    strict = op in ("<", ">")
    if l.type == INT and r.type == INT:
        return b.emit(SLT if strict else SLE, I32, [l, r])
    if l.type in (INT, F64) and r.type in (INT, F64):
        return b.emit(FLT if strict else FLE, I32, [fn.to_f64(l), fn.to_f64(r)])
    if lk == STR and rk == STR:
        return less_texts(fn, strict, l, r)
    return fn.call_runtime("dyn_lt" if strict else "dyn_le", fn.tag(l), fn.tag(r))


def equal(fn: Fn, l: Value, r: Value, lk: int, rk: int) -> Value:
    b = fn.b
    if l.type == INT and r.type == INT:
        return b.emit(EQ, I32, [l, r])
    if l.type in (INT, F64) and r.type in (INT, F64):
        return b.emit(FEQ, I32, [fn.to_f64(l), fn.to_f64(r)])
    if l.type == I32 and r.type == I32:
        return b.emit(EQ, I32, [l, r])
    if lk == NIL and r.type in (REF, TAG):
        return fn.is_nil(r)
    if rk == NIL and l.type in (REF, TAG):
        return fn.is_nil(l)
    if lk == STR and rk == STR:
        return equal_texts(fn, l, r)
    if not lk & rk and not (lk & NUMERIC and rk & NUMERIC):
        return fn.bool_const(False)
    return fn.call_runtime("dyn_eq", fn.tag(l), fn.tag(r))


def contains(fn: Fn, x: Value, c: Value, xt: Slot, ct: Slot) -> Value:
    b = fn.b
    ck = find(ct).kinds
    if c.type == REF:
        if ck == MAP:
            slot = map_find(fn, c, ct, x, find(xt).kinds)
            if slot is not None:
                return b.emit(NE, I32, [slot, b.iconst(slot.type, 0)])
        elif ck == STR and find(xt).kinds == STR:
            found = in_constant(fn, x, c)
            return fn.call_runtime("str_contains", c, x) if found is None else found
        elif ck == LIST:
            return fn.call_runtime("list_contains", c, fn.tag(x))
    return fn.call_runtime("dyn_in", fn.tag(x), fn.tag(c))
