"""Lowering of the builtin functions and of methods on builtin kinds.

`_SIMPLE` lists those that are one runtime call: per argument the representation it wants
(`s` string, `i` word, `f` double, `t` dynamic value, `l` anything iterable as a list).  The rest have a function each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mochic.ir.func import Value
from mochic.ir.ops import FABS, FROMINT, NE, NEG, SELECT, SLT, TOINT, UNTAG
from mochic.ir.types import F64, I32, I64, INT, REF
from mochic.lower.aliasing import Held
from mochic.lower.base import GROUP_ITEMS
from mochic.lower.expr import Exprs
from mochic.lower.module import ir_type
from mochic.sema.types import FUNC, GROUP, LIST, MAP, STR, FunSig, find
from mochic.syntax import ast

_SIMPLE: dict[str, tuple[str, str]] = {
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

_AGGREGATES = ("count", "len", "exists", "sum", "avg", "min", "max")


class Builtins(Exprs):
    def builtin(self, e: ast.Call, name: str) -> Value:
        if name in _AGGREGATES:
            whole = self.folded(e, name)
            if whole is not None:
                return whole
        special = _SPECIAL.get(name)
        if special is not None:
            v: Value = special(self, e)
            v = self.convert(v, ir_type(e.ty))
        else:
            kinds, fn = _SIMPLE[name]
            vals = self.args(e.args, kinds, name)
            self.b.pos = e.lo
            v = self.from_runtime(self.rt(fn, *vals), e)
        return self.share_elements(v, e.ty) if name in _COPY_ELEMENTS else v

    def folded(self, e: ast.Call, name: str) -> Value | None:
        raise AssertionError

    def args(self, es: list[ast.Expr], kinds: Sequence[str], name: str) -> list[Value]:
        held = Held()
        out = []
        for i, (e, k) in enumerate(zip(es, kinds, strict=True)):
            v = self.arg(e, k, name)
            if k in "tl":
                self.hold(held, e, v, es[i + 1 :])
            out.append(v)
        self.release(held)
        return out

    def arg(self, e: ast.Expr, kind: str, name: str) -> Value:
        """An argument in the representation that a runtime function takes (see the module's text)."""
        return self.string_arg(e, name) if kind == "s" else self.want(self.operand(e), kind)

    def want(self, v: Value, kind: str) -> Value:
        if kind == "t":
            return self.tag(v)
        if kind == "f":
            return self.to_f64(v) if v.type in (INT, F64) else self.rt("dyn_num_arg", self.tag(v))
        if kind == "l":
            return self.rt("dyn_iter", self.tag(v))
        if kind == "i":
            n = v if v.type == INT else self.b.emit(UNTAG, INT, [self.rt("cast_int", self.tag(v))])
            return self.b.emit(FROMINT, I64, [n])
        raise AssertionError(kind)

    def string_arg(self, e: ast.Expr, name: str) -> Value:
        v = self.expr(e)
        if find(e.ty).kinds == STR:
            return v
        return self.rt("want_string", self.tag(v), self.str_const(name))

    def from_runtime(self, v: Value, e: ast.Expr) -> Value:
        if v.type == I64:
            v = self.b.emit(TOINT, INT, [v])
        return self.convert(v, ir_type(e.ty))

    def operand(self, e: ast.Expr) -> Value:
        """An argument; a group stands for the list of its items."""
        v = self.expr(e)
        if v.type == REF and find(e.ty).kinds == GROUP:
            return self.ld(REF, v, GROUP_ITEMS)
        return v

    # -- output ---------------------------------------------------------------------------------

    def print_(self, e: ast.Call) -> Value:
        args = e.args
        # Arguments are evaluated before anything is printed.
        vals = self.operands(args)
        b = self.b
        b.pos = e.lo
        many = len(args) > 2
        mark = self.rt("print_mark") if many else None
        for i, (v, a) in enumerate(zip(vals, args, strict=True)):
            if i:
                self.rt("print_space")
            if v.type == INT:
                self.rt("print_int", self.tag(v))
            elif v.type == F64:
                self.rt("print_f64", v)
            elif v.type == I32:
                self.rt("print_bool", v)
            elif find(a.ty).kinds == STR:
                self.rt("print_str", v)
            else:
                self.rt("print_tag", self.tag(v))
        if mark is not None:
            self.rt("print_trim", mark)
        else:
            self.rt("print_newline")
        return vals[0] if vals else self.nil()

    def json(self, e: ast.Call) -> Value:
        v = self.operand(e.args[0])
        self.b.pos = e.lo
        self.rt("json_print", self.tag(v))
        return v

    def panic_(self, e: ast.Call) -> Value:
        code = self.arg(e.args[0], "i", _name(e)) if len(e.args) > 1 else self.b.iconst(I64, 1)
        message = self.expr(e.args[-1])
        self.b.pos = e.lo
        self.rt("panic_code", code, self.text(message, e.args[-1].ty))
        return self.nil()

    # -- sizes, conversions ---------------------------------------------------------------------

    def len_(self, e: ast.Call) -> Value:
        v = self.operand(e.args[0])
        self.b.pos = e.lo
        return self.len_of(v, e.args[0].ty)

    def str_(self, e: ast.Call) -> Value:
        v = self.operand(e.args[0])
        self.b.pos = e.lo
        return self.text(v, e.args[0].ty)

    def int_(self, e: ast.Call) -> Value:
        v = self.operand(e.args[0])
        self.b.pos = e.lo
        if v.type == INT:
            return v
        if v.type == F64:
            return self.f64_to_int(v)
        return self.b.emit(UNTAG, INT, [self.rt("cast_int", self.tag(v))])

    def float_(self, e: ast.Call) -> Value:
        v = self.operand(e.args[0])
        self.b.pos = e.lo
        return self.to_f64(v) if v.type in (INT, F64) else self.rt("cast_float_lenient", self.tag(v))

    def parse_int(self, e: ast.Call) -> Value:
        s = self.string_arg(e.args[0], "parseIntStr")
        base = self.want(self.expr(e.args[1]), "i") if len(e.args) > 1 else self.i64(10)
        self.b.pos = e.lo
        return self.b.emit(UNTAG, INT, [self.rt("parse_int_base", s, base)])

    # -- lists ----------------------------------------------------------------------------------

    def append_(self, e: ast.Call) -> Value:
        own = self.is_fresh(e.args[0]) and not isinstance(e.args[0], ast.Call)
        lst = self.operand(e.args[0])
        held = Held()
        self.hold(held, e.args[0], lst, e.args[1:])
        v = self.moved(e.args[1])
        self.release(held)
        self.b.pos = e.lo
        return self.append(lst, e.args[0].ty, v, own or self.own_append is e)

    def concat_(self, e: ast.Call) -> Value:
        vals = list(zip(self.operands(e.args), [a.ty for a in e.args], strict=True))
        self.b.pos = e.lo
        v, t = vals[0]
        if len(vals) == 1:
            return self.rt("list_copy_room", v if find(t).kinds == LIST else self.rt("dyn_iter", self.tag(v)))
        for w, u in vals[1:]:
            if v.type == REF and w.type == REF and find(t).kinds == LIST and find(u).kinds == LIST:
                v = self.rt("list_concat", v, w)
            else:
                v = self.convert(self.rt("dyn_concat", self.tag(v), self.tag(w)), ir_type(e.ty))
        return v

    def range_(self, e: ast.Call) -> Value:
        ints = self.operands(e.args)
        self.b.pos = e.lo
        vals = [self.want(v, "i") for v in ints]
        if len(vals) == 1:
            vals = [self.i64(0), vals[0]]
        if len(vals) == 2:
            vals.append(self.i64(1))
        for v in ints[:2]:
            self.feed(self.elem_ty(e.ty), v)
        if len(ints) == 1:
            self.feed(self.elem_ty(e.ty), self.int_const(0))
        return self.fresh_list(self.rt("list_range", *vals), e)

    def sha256_(self, e: ast.Call) -> Value:
        v = self.tag(self.operand(e.args[0]))
        self.b.pos = e.lo
        self.feed(self.elem_ty(e.ty), self.int_const(0))
        self.feed(self.elem_ty(e.ty), self.int_const(255))
        return self.fresh_list(self.rt("sha256", v), e)

    def fresh_list(self, v: Value, e: ast.Call) -> Value:
        """A list that the runtime made, its elements in the representation of the call's type.

        Only for new lists: the element type of such a result may be wider than what the elements came from.
        """
        return self.rt("list_as", self.convert(v, REF), self.sym(self.m.list_desc(self.elem_ty(e.ty))))

    def values_(self, e: ast.Call) -> Value:
        v = self.tag(self.operand(e.args[0]))
        self.b.pos = e.lo
        self.feed(self.elem_ty(e.ty), None, self.m.solver.val(e.args[0].ty))
        return self.fresh_list(self.rt("dyn_values", v), e)

    def collect_(self, e: ast.Call) -> Value:
        v = self.tag(self.operand(e.args[0]))
        self.b.pos = e.lo
        self.feed(self.elem_ty(e.ty), None, self.elem_ty(e.args[0].ty))
        return self.fresh_list(self.rt("dyn_collect", v), e)

    def sort_(self, e: ast.Call) -> Value:
        v = self.operand(e.args[0])
        self.b.pos = e.lo
        if v.type != REF or find(e.args[0].ty).kinds & ~GROUP != LIST:
            v = self.rt("dyn_sort", self.tag(v))
            return v
        return self.rt("list_sorted", v)

    def reduce_(self, e: ast.Call) -> Value:
        """A left fold: a loop of calls through the function value."""
        b = self.b
        source, fn, first = e.args
        lst = self.operand(source)
        held = Held()
        if self.may_extend(source, (e,)):
            self.count_holder(lst, source.ty, True)
            held.values.append((lst, source.ty))
        callee = self.expr(fn)
        want = ir_type(e.ty)
        var = ("#reduce", e)
        b.write(var, self.convert(self.moved(first), want))
        b.pos = e.lo
        rows = lst if lst.type == REF and find(source.ty).kinds in (LIST, GROUP) else self.rt("dyn_iter", self.tag(lst))
        sig = self.m.solver.shape(fn.ty).sig
        if find(fn.ty).kinds != FUNC:
            callee = self.rt("dyn_callee", self.tag(callee))
        if sig is None:
            return self.nil()

        def step(i: Value) -> None:
            row = self.rt("list_get_raw", rows, i)
            self.mark(row, self.elem_ty(source.ty))
            args = [b.read(var, want), row]
            given = [self.convert(v, ir_type(p)) for v, p in zip(args, sig.params, strict=False)]
            b.write(var, self.apply_value(callee, sig, given, e))

        self.count_loop(self.list_len(rows), step)
        self.release(held)
        return b.read(var, want)

    def write_file(self, e: ast.Call) -> Value:
        path = self.string_arg(e.args[0], _name(e))
        text = self.string_arg(e.args[1], _name(e))
        self.b.pos = e.lo
        self.rt("write_file", path, text, self.i64(int(_name(e) == "appendFile")))
        return self.nil()

    def min_max(self, e: ast.Call) -> Value:
        name = "min" if _name(e) == "min" else "max"
        b = self.b
        if len(e.args) > 1:
            best, bt = self.operand(e.args[0]), e.args[0].ty
            want = ir_type(e.ty)
            for a in e.args[1:]:
                v = self.expr(a)
                b.pos = e.lo
                less = self.compare("<", v, best, a.ty, bt) if name == "min" else self.compare("<", best, v, bt, a.ty)
                x, y = self.convert(v, want), self.convert(best, want)
                take, keep, done = self.new_block(), self.new_block(), self.new_block()
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
        v = self.operand(e.args[0])
        b.pos = e.lo
        r = self.rt("dyn_" + name, self.tag(v))
        if ir_type(e.ty) == F64:
            return self.rt("dyn_num_arg", r)
        return r

    def sum_(self, e: ast.Call) -> Value:
        v = self.operand(e.args[0])
        self.b.pos = e.lo
        r = self.rt("dyn_sum", self.tag(v))
        if ir_type(e.ty) == F64:
            return self.rt("dyn_num_arg", r)
        return r

    def reverse_(self, e: ast.Call) -> Value:
        v = self.operand(e.args[0])
        k = find(e.args[0].ty).kinds
        self.b.pos = e.lo
        if k == STR:
            return self.rt("str_reverse", v)
        if k == LIST:
            return self.rt("list_reverse", v)
        return self.rt("dyn_reverse", self.tag(v))

    def keys_(self, e: ast.Call) -> Value:
        v = self.operand(e.args[0])
        self.b.pos = e.lo
        self.feed(self.elem_ty(e.ty), None, self.m.solver.key(e.args[0].ty))
        if find(e.args[0].ty).kinds == MAP:
            return self.fresh_list(self.rt("map_keys", v), e)
        return self.fresh_list(self.rt("dyn_keys", self.tag(v)), e)

    def substring_(self, e: ast.Call) -> Value:
        vals = self.operands(e.args)
        k = find(e.args[0].ty).kinds
        self.b.pos = e.lo
        if k in (STR, LIST) and vals[1].type == INT and vals[2].type == INT:
            lo, hi = self.word_index(vals[1]), self.word_index(vals[2])
            return self.rt("str_slice" if k == STR else "list_slice", vals[0], lo, hi)
        return self.rt("dyn_substring", *[self.tag(v) for v in vals])

    def contains_(self, e: ast.Call) -> Value:
        x = self.operand(e.args[0])
        held = Held()
        self.hold(held, e.args[0], x, e.args[1:])
        y = self.expr(e.args[1])
        self.release(held)
        self.b.pos = e.lo
        if find(e.args[0].ty).kinds == STR and find(e.args[1].ty).kinds == STR:
            return self.rt("str_contains", x, y)
        return self.rt("dyn_contains", self.tag(x), self.tag(y))

    # -- numbers --------------------------------------------------------------------------------

    def abs_(self, e: ast.Call) -> Value:
        v = self.operand(e.args[0])
        b = self.b
        b.pos = e.lo
        if v.type == INT:
            neg, done = self.new_block(), self.new_block()
            b.write("#abs", v)
            b.brif(b.emit(SLT, I32, [v, self.int_const(0)]), neg, done)
            b.start(neg)
            b.write("#abs", b.emit(NEG, INT, [v]))
            b.jump(done)
            b.start(done)
            return b.read("#abs", INT)
        if v.type == F64:
            return b.emit(FABS, F64, [v])
        return self.rt("dyn_abs", self.tag(v))

    def floor_(self, e: ast.Call) -> Value:
        v = self.operand(e.args[0])
        self.b.pos = e.lo
        x = self.to_f64(v) if v.type in (INT, F64) else self.rt("dyn_num_arg", self.tag(v))
        return self.rt("f64_floor" if _name(e) == "floor" else "f64_ceil", x)

    def round_(self, e: ast.Call) -> Value:
        v = self.operand(e.args[0])
        digits = self.want(self.expr(e.args[1]), "i") if len(e.args) > 1 else self.i64(0)
        self.b.pos = e.lo
        if v.type == F64:
            return self.rt("f64_round", v, digits)
        if v.type == INT and len(e.args) == 1:
            return v
        return self.rt("dyn_round", self.tag(v), digits)

    def pow_(self, e: ast.Call) -> Value:
        x, y = self.operand(e.args[0]), self.expr(e.args[1])
        self.b.pos = e.lo
        if x.type == INT and y.type == INT:
            return self.b.emit(UNTAG, INT, [self.rt("int_pow", self.tag(x), self.tag(y))])
        if x.type in (INT, F64) and y.type in (INT, F64):
            return self.rt("f64_pow", self.to_f64(x), self.to_f64(y))
        return self.rt("dyn_pow", self.tag(x), self.tag(y))

    # -- methods on builtin kinds ---------------------------------------------------------------

    def value_method(self, obj: Value, ot: Any, name: str, e: ast.Call) -> Value:
        assert isinstance(e.fn, ast.Field)
        held = Held()
        self.hold(held, e.fn.obj, obj, e.args)
        args = self.operands(e.args)
        self.release(held)
        return self.value_call(obj, ot, name, e, args)

    def value_call(self, obj: Value, ot: Any, name: str, e: ast.Call, args: list[Value]) -> Value:
        k = find(ot).kinds
        b = self.b
        b.pos = e.lo
        if name == "contains":
            if k == STR and find(e.args[0].ty).kinds == STR:
                return self.rt("str_contains", obj, args[0])
            return self.rt("dyn_contains", self.tag(obj), self.tag(args[0]))
        if name == "starts_with":
            return self.rt("str_starts_with", self.as_string(obj, k), self.rt("cast_string", self.tag(args[0])))
        if name == "padStart":
            s = self.text(obj, ot)
            return self.rt("str_pad_start", s, self.want(args[0], "i"), self.rt("cast_string", self.tag(args[1])))
        if name == "keys":
            self.feed(self.elem_ty(e.ty), None, self.m.solver.key(ot))
            return self.fresh_list(self.rt("dyn_keys", self.tag(obj)), e)
        if name == "values":
            self.feed(self.elem_ty(e.ty), None, self.m.solver.val(ot))
            return self.share_elements(self.fresh_list(self.rt("dyn_values", self.tag(obj)), e), e.ty)
        if name == "get" and k & MAP:
            default = self.tag(args[1]) if len(args) > 1 else self.nil()
            got = self.rt("dyn_index", self.tag(obj), self.tag(args[0]))
            got = b.emit(SELECT, got.type, [b.emit(NE, I32, [got, b.iconst(got.type, 0)]), got, default])
            return self.convert(got, ir_type(e.ty))
        self.panic("panic_msg", self.str_const(f"the value has no method `{name}`"))
        b.at(self.new_block())
        return self.convert(self.nil(), ir_type(e.ty))

    def as_string(self, v: Value, k: int) -> Value:
        return v if k == STR else self.rt("cast_string", self.tag(v))

    def call_value(self, callee: Value, t: Any, e: ast.Call) -> Value:
        raise AssertionError

    def apply_value(self, callee: Value, sig: FunSig, args: list[Value], e: ast.Call) -> Value:
        raise AssertionError

    own_append: ast.Call | None


def _name(e: ast.Call) -> str:
    fn = e.fn
    assert isinstance(fn, ast.Ident)
    return fn.name


# Builtins whose result is a new list of elements of their argument
_COPY_ELEMENTS = ("concat", "sort", "reverse", "distinct", "values", "collect", "substring", "substr", "slice")

_SPECIAL: dict[str, Any] = {
    "print": Builtins.print_,
    "json": Builtins.json,
    "panic": Builtins.panic_,
    "error": Builtins.panic_,
    "len": Builtins.len_,
    "str": Builtins.str_,
    "string": Builtins.str_,
    "int": Builtins.int_,
    "float": Builtins.float_,
    "parseIntStr": Builtins.parse_int,
    "append": Builtins.append_,
    "push": Builtins.append_,
    "concat": Builtins.concat_,
    "range": Builtins.range_,
    "sha256": Builtins.sha256_,
    "values": Builtins.values_,
    "collect": Builtins.collect_,
    "min": Builtins.min_max,
    "max": Builtins.min_max,
    "sum": Builtins.sum_,
    "reverse": Builtins.reverse_,
    "keys": Builtins.keys_,
    "substring": Builtins.substring_,
    "substr": Builtins.substring_,
    "slice": Builtins.substring_,
    "abs": Builtins.abs_,
    "floor": Builtins.floor_,
    "ceil": Builtins.floor_,
    "round": Builtins.round_,
    "pow": Builtins.pow_,
    "contains": Builtins.contains_,
    "sort": Builtins.sort_,
    "reduce": Builtins.reduce_,
    "writeFile": Builtins.write_file,
    "appendFile": Builtins.write_file,
}
