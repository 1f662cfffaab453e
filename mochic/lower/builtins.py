"""Lowering of the builtin functions.

`_SIMPLE` lists those that are one runtime call, with the representation that each argument takes (see arguments.py).
The rest have a function each, in the table `_SPECIAL`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mochic.ir.func import Value
from mochic.ir.ops import FABS, NEG, SLT, UNTAG
from mochic.ir.types import F64, I32, I64, INT, REF
from mochic.lower.aliasing import (
    Held, append, count_holder, hold, is_fresh, mark_aliased, may_extend, moved, operands, release, share_elements,
)  # fmt: skip
from mochic.lower.apply import apply_value
from mochic.lower.arguments import as_kind, fresh_list, from_runtime, operand, runtime_arg, runtime_args, string_arg
from mochic.lower.cast import f64_to_int
from mochic.lower.chars import digit_value
from mochic.lower.control import count_loop
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import elem_ty, len_of, list_len, word_index
from mochic.lower.values import compare, text_of
from mochic.sema.tree import listed
from mochic.sema.types import FLOAT, FUNC, GROUP, LIST, MAP, STR, find
from mochic.sema.types import INT as KINT
from mochic.syntax import ast

_SIMPLE: Final[dict[str, tuple[str, str]]] = {
    "upper": ("s", "str_upper"),
    "trim": ("s", "str_trim"),
    "split": ("ss", "str_split"),
    "join": ("ls", "str_join"),
    "padStart": ("sis", "str_pad_start"),
    "indexOf": ("ss", "str_index_of"),
    "repeat": ("si", "str_repeat"),
    "input": ("", "input"),
    "now": ("", "now"),
    "mem": ("", "mem_used"),
    "to_json": ("t", "to_json"),
    "avg": ("t", "dyn_avg"),
    "exists": ("t", "dyn_exists"),
    "first": ("t", "dyn_first"),
    "distinct": ("t", "dyn_distinct"),
    "lower": ("t", "dyn_lower"),
    "count": ("t", "dyn_count"),
    "from_json": ("s", "json_text"),
    "#embedding": ("st", "generate_embedding"),
    "#generate": ("st", "generate_text"),
    "__try": ("t", "try_call"),
    "__caught": ("", "caught_code"),
    "__caught_text": ("", "caught_text"),
    "__chat_start": ("stt", "chat_start"),
    "__chat_next": ("t", "chat_next"),
    "__chat_result": ("ttt", "chat_result"),
    "__chat_text": ("t", "chat_text"),
    "num": ("t", "dyn_numerator"),
    "denom": ("t", "dyn_denominator"),
    "readFile": ("s", "read_file"),
    "lines": ("s", "file_lines"),
}
MAX_LISTED: Final = 8  # elements of a literal whose least or greatest is found without a list
# Of a query, which is folded where it can be.
_AGGREGATES: Final = frozenset(("count", "len", "sum", "avg", "min", "max", "exists"))


def call_builtin(fn: Fn, e: ast.Call, name: str) -> Value:
    if name in _AGGREGATES and len(e.args) == 1 and isinstance(e.args[0], ast.Query):
        from mochic.lower.query.select import folded

        whole = folded(fn, e, name)
        if whole is not None:
            return whole
    special = _SPECIAL.get(name)
    if special is not None:
        v = fn.convert(special(fn, e), ir_type(e.ty))
    else:
        kinds, function = _SIMPLE[name]
        vals = runtime_args(fn, e.args, kinds, name)
        fn.b.pos = e.lo
        v = from_runtime(fn, fn.call_runtime(function, *vals), e)
    return share_elements(fn, v, e.ty) if name in _COPY_ELEMENTS else v


def _name(e: ast.Call) -> str:
    callee = e.fn
    assert isinstance(callee, ast.Ident)
    return callee.name


# -- output ----------------------------------------------------------------------------------------


def b_print(fn: Fn, e: ast.Call) -> Value:
    args = e.args
    # Arguments are evaluated before anything is printed.
    vals = operands(fn, args)
    b = fn.b
    b.pos = e.lo
    many = len(args) > 2
    mark = fn.call_runtime("print_mark") if many else None
    for i, (v, a) in enumerate(zip(vals, args, strict=True)):
        if i:
            fn.call_runtime("print_space")
        if v.type == INT:
            fn.call_runtime("print_int", fn.tag(v))
        elif v.type == F64:
            fn.call_runtime("print_f64", v)
        elif v.type == I32:
            fn.call_runtime("print_bool", v)
        elif find(a.ty).kinds == STR:
            fn.call_runtime("print_str", v)
        else:
            fn.call_runtime("print_tag", fn.tag(v))
    if mark is not None:
        fn.call_runtime("print_trim", mark)
    else:
        fn.call_runtime("print_newline")
    return vals[0] if vals else fn.nil()


def b_json(fn: Fn, e: ast.Call) -> Value:
    v = operand(fn, e.args[0])
    fn.b.pos = e.lo
    fn.call_runtime("json_print", fn.tag(v))
    return v


def b_panic(fn: Fn, e: ast.Call) -> Value:
    code = runtime_arg(fn, e.args[0], "i", _name(e)) if len(e.args) > 1 else fn.b.iconst(I64, 1)
    message = fn.expr(e.args[-1])
    fn.b.pos = e.lo
    fn.call_runtime("panic_code", code, text_of(fn, message, e.args[-1].ty))
    return fn.nil()


def b_write_file(fn: Fn, e: ast.Call) -> Value:
    path = string_arg(fn, e.args[0], _name(e))
    text = string_arg(fn, e.args[1], _name(e))
    fn.b.pos = e.lo
    fn.call_runtime("write_file", path, text, fn.i64(int(_name(e) == "appendFile")))
    return fn.nil()


# -- sizes, conversions ----------------------------------------------------------------------------


def b_len(fn: Fn, e: ast.Call) -> Value:
    v = operand(fn, e.args[0])
    fn.b.pos = e.lo
    return len_of(fn, v, e.args[0].ty)


def b_str(fn: Fn, e: ast.Call) -> Value:
    v = operand(fn, e.args[0])
    fn.b.pos = e.lo
    return text_of(fn, v, e.args[0].ty)


def b_int(fn: Fn, e: ast.Call) -> Value:
    v = operand(fn, e.args[0])
    fn.b.pos = e.lo
    if v.type == INT:
        return v
    if v.type == F64:
        return f64_to_int(fn, v)
    return digit_value(fn, v) or fn.b.emit(UNTAG, INT, [fn.call_runtime("cast_int", fn.tag(v))])


def b_float(fn: Fn, e: ast.Call) -> Value:
    v = operand(fn, e.args[0])
    fn.b.pos = e.lo
    return fn.to_f64(v) if v.type in (INT, F64) else fn.call_runtime("cast_float_lenient", fn.tag(v))


def b_parse_int(fn: Fn, e: ast.Call) -> Value:
    s = string_arg(fn, e.args[0], "parseIntStr")
    base = as_kind(fn, fn.expr(e.args[1]), "i") if len(e.args) > 1 else fn.i64(10)
    fn.b.pos = e.lo
    return fn.b.emit(UNTAG, INT, [fn.call_runtime("parse_int_base", s, base)])


# -- lists and maps --------------------------------------------------------------------------------


def b_append(fn: Fn, e: ast.Call) -> Value:
    own = is_fresh(e.args[0]) and not isinstance(e.args[0], ast.Call)
    lst = operand(fn, e.args[0])
    held = Held()
    hold(fn, held, e.args[0], lst, e.args[1:])
    v = moved(fn, e.args[1])
    release(fn, held)
    fn.b.pos = e.lo
    return append(fn, lst, e.args[0].ty, v, own or fn.own_append is e)


def b_concat(fn: Fn, e: ast.Call) -> Value:
    vals = list(zip(operands(fn, e.args), [a.ty for a in e.args], strict=True))
    fn.b.pos = e.lo
    v, t = vals[0]
    if len(vals) == 1:
        return fn.call_runtime("list_copy_room", v if find(t).kinds == LIST else fn.call_runtime("dyn_iter", fn.tag(v)))
    for w, u in vals[1:]:
        if v.type == REF and w.type == REF and find(t).kinds == LIST and find(u).kinds == LIST:
            v = fn.call_runtime("list_concat", v, w)
        else:
            v = fn.convert(fn.call_runtime("dyn_concat", fn.tag(v), fn.tag(w)), ir_type(e.ty))
    return v


def b_range(fn: Fn, e: ast.Call) -> Value:
    ints = operands(fn, e.args)
    fn.b.pos = e.lo
    vals = [as_kind(fn, v, "i") for v in ints]
    if len(vals) == 1:
        vals = [fn.i64(0), vals[0]]
    if len(vals) == 2:
        vals.append(fn.i64(1))
    for v in ints[:2]:
        fn.feed(elem_ty(fn, e.ty), v)
    if len(ints) == 1:
        fn.feed(elem_ty(fn, e.ty), fn.int_const(0))
    return fresh_list(fn, fn.call_runtime("list_range", *vals), e)


def b_sha256(fn: Fn, e: ast.Call) -> Value:
    v = fn.tag(operand(fn, e.args[0]))
    fn.b.pos = e.lo
    fn.feed(elem_ty(fn, e.ty), fn.int_const(0))
    fn.feed(elem_ty(fn, e.ty), fn.int_const(255))
    return fresh_list(fn, fn.call_runtime("sha256", v), e)


def b_values(fn: Fn, e: ast.Call) -> Value:
    v = fn.tag(operand(fn, e.args[0]))
    fn.b.pos = e.lo
    fn.feed(elem_ty(fn, e.ty), None, fn.m.solver.val(e.args[0].ty))
    return fresh_list(fn, fn.call_runtime("dyn_values", v), e)


def b_keys(fn: Fn, e: ast.Call) -> Value:
    v = operand(fn, e.args[0])
    fn.b.pos = e.lo
    fn.feed(elem_ty(fn, e.ty), None, fn.m.solver.key(e.args[0].ty))
    if find(e.args[0].ty).kinds == MAP:
        return fresh_list(fn, fn.call_runtime("map_keys", v), e)
    return fresh_list(fn, fn.call_runtime("dyn_keys", fn.tag(v)), e)


def b_collect(fn: Fn, e: ast.Call) -> Value:
    v = fn.tag(operand(fn, e.args[0]))
    fn.b.pos = e.lo
    fn.feed(elem_ty(fn, e.ty), None, elem_ty(fn, e.args[0].ty))
    return fresh_list(fn, fn.call_runtime("dyn_collect", v), e)


def b_sort(fn: Fn, e: ast.Call) -> Value:
    v = operand(fn, e.args[0])
    fn.b.pos = e.lo
    if v.type != REF or find(e.args[0].ty).kinds & ~GROUP != LIST:
        return fn.call_runtime("dyn_sort", fn.tag(v))
    return fn.call_runtime("list_sorted", v)


def b_reverse(fn: Fn, e: ast.Call) -> Value:
    v = operand(fn, e.args[0])
    k = find(e.args[0].ty).kinds
    fn.b.pos = e.lo
    if k == STR:
        return fn.call_runtime("str_reverse", v)
    if k == LIST:
        return fn.call_runtime("list_reverse", v)
    return fn.call_runtime("dyn_reverse", fn.tag(v))


def b_substring(fn: Fn, e: ast.Call) -> Value:
    vals = operands(fn, e.args)
    k = find(e.args[0].ty).kinds
    fn.b.pos = e.lo
    if k in (STR, LIST) and vals[1].type == INT and vals[2].type == INT:
        lo, hi = word_index(fn, vals[1]), word_index(fn, vals[2])
        return fn.call_runtime("str_slice" if k == STR else "list_slice", vals[0], lo, hi)
    return fn.call_runtime("dyn_substring", *[fn.tag(v) for v in vals])


def b_contains(fn: Fn, e: ast.Call) -> Value:
    x = operand(fn, e.args[0])
    held = Held()
    hold(fn, held, e.args[0], x, e.args[1:])
    y = fn.expr(e.args[1])
    release(fn, held)
    fn.b.pos = e.lo
    if find(e.args[0].ty).kinds == STR and find(e.args[1].ty).kinds == STR:
        return fn.call_runtime("str_contains", x, y)
    return fn.call_runtime("dyn_contains", fn.tag(x), fn.tag(y))


def b_reduce(fn: Fn, e: ast.Call) -> Value:
    """A left fold: a loop of calls through the function value."""
    b = fn.b
    source, function, first = e.args
    lst = operand(fn, source)
    held = Held()
    if may_extend(fn, source, (e,)):
        count_holder(fn, lst, source.ty, True)
        held.values.append((lst, source.ty))
    closure = fn.expr(function)
    want = ir_type(e.ty)
    var = ("#reduce", e)
    b.write(var, fn.convert(moved(fn, first), want))
    b.pos = e.lo
    known = lst.type == REF and find(source.ty).kinds in (LIST, GROUP)
    rows = lst if known else fn.call_runtime("dyn_iter", fn.tag(lst))
    sig = fn.m.solver.shape(function.ty).sig
    if find(function.ty).kinds != FUNC:
        closure = fn.call_runtime("dyn_callee", fn.tag(closure))
    if sig is None:
        return fn.nil()

    def step(i: Value) -> None:
        row = fn.call_runtime("list_get_raw", rows, i)
        mark_aliased(fn, row, elem_ty(fn, source.ty))
        args = [b.read(var, want), row]
        given = [fn.convert(v, ir_type(p)) for v, p in zip(args, sig.params, strict=False)]
        b.write(var, apply_value(fn, closure, sig, given, e))

    count_loop(fn, list_len(fn, rows), step)
    release(fn, held)
    return b.read(var, want)


# -- numbers ---------------------------------------------------------------------------------------


def b_min_max(fn: Fn, e: ast.Call) -> Value:
    name = "min" if _name(e) == "min" else "max"
    b = fn.b
    args = e.args
    elems = listed(e)
    if elems is not None and len(elems) <= MAX_LISTED and find(elem_ty(fn, args[0].ty)).kinds in (KINT, FLOAT, STR):
        args = elems  # no list is needed to compare a few
    if len(args) > 1 or args is elems:
        best, bt = operand(fn, args[0]), args[0].ty
        want = ir_type(e.ty)
        for a in args[1:]:
            v = fn.expr(a)
            b.pos = e.lo
            less = compare(fn, "<", v, best, a.ty, bt) if name == "min" else compare(fn, "<", best, v, bt, a.ty)
            x, y = fn.convert(v, want), fn.convert(best, want)
            take, keep, done = fn.new_block(), fn.new_block(), fn.new_block()
            b.brif(less, take, keep)
            b.start(take)
            b.write("#best", x)
            b.jump(done)
            b.start(keep)
            b.write("#best", y)
            b.jump(done)
            b.start(done)
            best, bt = b.read("#best", want), e.ty
        return best
    v = operand(fn, e.args[0])
    b.pos = e.lo
    r = fn.call_runtime("dyn_" + name, fn.tag(v))
    if ir_type(e.ty) == F64:
        return fn.call_runtime("dyn_num_arg", r)
    return r


def b_sum(fn: Fn, e: ast.Call) -> Value:
    v = operand(fn, e.args[0])
    fn.b.pos = e.lo
    r = fn.call_runtime("dyn_sum", fn.tag(v))
    if ir_type(e.ty) == F64:
        return fn.call_runtime("dyn_num_arg", r)
    return r


def b_abs(fn: Fn, e: ast.Call) -> Value:
    v = operand(fn, e.args[0])
    b = fn.b
    b.pos = e.lo
    if v.type == INT:
        neg, done = fn.new_block(), fn.new_block()
        b.write("#abs", v)
        b.brif(b.emit(SLT, I32, [v, fn.int_const(0)]), neg, done)
        b.start(neg)
        b.write("#abs", b.emit(NEG, INT, [v]))
        b.jump(done)
        b.start(done)
        return b.read("#abs", INT)
    if v.type == F64:
        return b.emit(FABS, F64, [v])
    return fn.call_runtime("dyn_abs", fn.tag(v))


def b_floor(fn: Fn, e: ast.Call) -> Value:
    v = operand(fn, e.args[0])
    fn.b.pos = e.lo
    x = fn.to_f64(v) if v.type in (INT, F64) else fn.call_runtime("dyn_num_arg", fn.tag(v))
    return fn.call_runtime("f64_floor" if _name(e) == "floor" else "f64_ceil", x)


def b_round(fn: Fn, e: ast.Call) -> Value:
    v = operand(fn, e.args[0])
    digits = as_kind(fn, fn.expr(e.args[1]), "i") if len(e.args) > 1 else fn.i64(0)
    fn.b.pos = e.lo
    if v.type == F64:
        return fn.call_runtime("f64_round", v, digits)
    if v.type == INT and len(e.args) == 1:
        return v
    return fn.call_runtime("dyn_round", fn.tag(v), digits)


def b_pow(fn: Fn, e: ast.Call) -> Value:
    x, y = operand(fn, e.args[0]), fn.expr(e.args[1])
    fn.b.pos = e.lo
    if x.type == INT and y.type == INT:
        return fn.b.emit(UNTAG, INT, [fn.call_runtime("int_pow", fn.tag(x), fn.tag(y))])
    if x.type in (INT, F64) and y.type in (INT, F64):
        return fn.call_runtime("f64_pow", fn.to_f64(x), fn.to_f64(y))
    return fn.call_runtime("dyn_pow", fn.tag(x), fn.tag(y))


# Builtins whose result is a new list of elements of their argument
_COPY_ELEMENTS: Final = ("concat", "sort", "reverse", "distinct", "values", "collect", "substring", "substr", "slice")

_SPECIAL: Final[dict[str, Callable[[Fn, ast.Call], Value]]] = {
    "print": b_print,
    "json": b_json,
    "panic": b_panic,
    "error": b_panic,
    "len": b_len,
    "str": b_str,
    "string": b_str,
    "int": b_int,
    "float": b_float,
    "parseIntStr": b_parse_int,
    "append": b_append,
    "push": b_append,
    "concat": b_concat,
    "range": b_range,
    "sha256": b_sha256,
    "values": b_values,
    "collect": b_collect,
    "min": b_min_max,
    "max": b_min_max,
    "sum": b_sum,
    "reverse": b_reverse,
    "keys": b_keys,
    "substring": b_substring,
    "substr": b_substring,
    "slice": b_substring,
    "abs": b_abs,
    "floor": b_floor,
    "ceil": b_floor,
    "round": b_round,
    "pow": b_pow,
    "contains": b_contains,
    "sort": b_sort,
    "reduce": b_reduce,
    "writeFile": b_write_file,
    "appendFile": b_write_file,
}
