"""Arguments of runtime functions in the representations that these take, and their results.

A representation is one letter: `s` string, `i` word, `f` double, `t` dynamic value, `l` anything iterable as a list.
"""

from __future__ import annotations

from collections.abc import Sequence

from mochic.ir.func import Value
from mochic.ir.ops import FROMINT, TOINT, UNTAG
from mochic.ir.types import F64, I64, INT, REF
from mochic.lower.aliasing import Held, hold, release
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import elem_ty
from mochic.sema.types import GROUP, STR, find
from mochic.syntax import ast


def runtime_args(fn: Fn, es: list[ast.Expr], kinds: Sequence[str], name: str) -> list[Value]:
    held = Held()
    out = []
    for i, (e, k) in enumerate(zip(es, kinds, strict=True)):
        v = runtime_arg(fn, e, k, name)
        if k in "tl":
            hold(fn, held, e, v, es[i + 1 :])
        out.append(v)
    release(fn, held)
    return out


def runtime_arg(fn: Fn, e: ast.Expr, kind: str, name: str) -> Value:
    """An argument in the representation that a runtime function takes (see the module's text)."""
    return string_arg(fn, e, name) if kind == "s" else as_kind(fn, operand(fn, e), kind)


def as_kind(fn: Fn, v: Value, kind: str) -> Value:
    if kind == "t":
        return fn.tag(v)
    if kind == "f":
        return fn.to_f64(v) if v.type in (INT, F64) else fn.call_runtime("dyn_num_arg", fn.tag(v))
    if kind == "l":
        return fn.call_runtime("dyn_iter", fn.tag(v))
    if kind == "i":
        n = v if v.type == INT else fn.b.emit(UNTAG, INT, [fn.call_runtime("cast_int", fn.tag(v))])
        return fn.b.emit(FROMINT, I64, [n])
    raise AssertionError(kind)


def string_arg(fn: Fn, e: ast.Expr, name: str) -> Value:
    v = fn.expr(e)
    if find(e.ty).kinds == STR:
        return v
    return fn.call_runtime("want_string", fn.tag(v), fn.str_const(name))


def operand(fn: Fn, e: ast.Expr) -> Value:
    """An argument; a group stands for the list of its items."""
    v = fn.expr(e)
    if v.type == REF and find(e.ty).kinds == GROUP:
        return fn.load(REF, v, fn.layout.group_items)
    return v


# -- results ---------------------------------------------------------------------------------------


def from_runtime(fn: Fn, v: Value, e: ast.Expr) -> Value:
    if v.type == I64:
        v = fn.b.emit(TOINT, INT, [v])
    return fn.convert(v, ir_type(e.ty))


def fresh_list(fn: Fn, v: Value, e: ast.Call) -> Value:
    """A list that the runtime made, its elements in the representation of the call's type.

    Only for new lists: the element type of such a result may be wider than what the elements came from.
    """
    return fn.call_runtime("list_as", fn.convert(v, REF), fn.sym(fn.m.list_desc(elem_ty(fn, e.ty))))
