"""Literals of lists, maps and structs whose elements are all constants: data, and a call that makes a copy.

Written out as code, a literal of 100,000 elements is as many stores, and every element's value takes its way through
all of the compiler.  From SMALLEST elements on, the literal becomes a template in read-only data, and each evaluation
copies it: lists, maps and structs are made anew, since the program may change them; texts and boxed numbers are shared,
as they are elsewhere.  docs/runtime.md ("Templates") has the layout.

A template is made when int representations are known (`LazyDesc`).  The interval analysis is told the smallest and the
largest int that each slot gets.
"""

from __future__ import annotations

from typing import Final

from mochic.ir.floats import float_bits
from mochic.ir.func import DataSym, FuncSym, Value
from mochic.ir.types import F64, I32, INT
from mochic.lower.descs import LazyDesc
from mochic.lower.fn import Fn
from mochic.lower.module import ModuleLower, ir_type
from mochic.layout import E_BOOL, E_TAG, TAG_FALSE, TAG_TRUE
from mochic.sema.tree import is_none
from mochic.sema.symbols import StructInfo
from mochic.ir.slots import IntSlot
from mochic.sema.types import Slot
from mochic.syntax import ast

SMALLEST: Final = 16
_SMALL_INTS: Final = range(-(1 << 62), 1 << 62)  # what a tag holds itself
_AGGREGATES: Final = (ast.ListLit, ast.MapLit, ast.StructLit)

Symbol = DataSym | FuncSym
Word = tuple[int, Symbol | None]  # a word of data: a number, or the address of a symbol


def template(fn: Fn, e: ast.Expr) -> Value | None:
    """The literal as a copy of a template, if it is made of enough constants."""
    if constant_size(fn.m, e) < SMALLEST or (fn.given and meant_otherwise(fn, e)):
        return None
    bounds: dict[IntSlot, tuple[int, int, Slot]] = {}
    _bounds(fn.m, e, bounds)
    for lo, hi, t in bounds.values():
        fn.feed(t, fn.int_const(lo))
        fn.feed(t, fn.int_const(hi))
    m = fn.m
    return fn.call_runtime("from_template", fn.sym(LazyDesc(lambda: make_template(m, e))))


def meant_otherwise(fn: Fn, e: ast.Expr) -> bool:
    """Something in it stands for another value here."""
    return e in fn.given or any(meant_otherwise(fn, x) for x in parts(e))


def scalar(e: ast.Expr) -> int | float | str | bool | tuple[()] | None:
    """The value of a constant without parts; () if it is none."""
    if isinstance(e, ast.Unary) and e.op == "-" and isinstance(e.operand, ast.IntLit | ast.FloatLit):
        return -e.operand.value
    if isinstance(e, ast.IntLit | ast.FloatLit | ast.StrLit | ast.BoolLit):
        return e.value
    return None if is_none(e) else ()


def parts(e: ast.Expr) -> list[ast.Expr]:
    """The elements of a literal, keys included."""
    if isinstance(e, ast.ListLit):
        return e.elems
    if isinstance(e, ast.MapLit):
        return [x for entry in e.entries for x in entry]
    return [f.value for f in e.fields] if isinstance(e, ast.StructLit) else []


def constant_size(m: ModuleLower, e: ast.Expr) -> int:
    """The number of scalars in a constant, -1 if e is not one."""
    if not isinstance(e, _AGGREGATES):
        return -1 if scalar(e) == () else 1
    known = m.constant_sizes.get(e)
    if known is not None:
        return known
    n = 0
    if isinstance(e, ast.StructLit) and not (isinstance(e.ref, StructInfo) and e.ref.fields):
        n = -1
    else:
        for x in parts(e):
            k = constant_size(m, x)
            if k < 0:
                n = -1
                break
            n += k
    m.constant_sizes[e] = n
    return n


def _slots(m: ModuleLower, e: ast.Expr) -> list[tuple[ast.Expr, Slot]]:
    """The parts of a literal and the slots they go to."""
    s = m.solver
    if isinstance(e, ast.ListLit):
        elem = s.elem(e.ty)
        return [(x, elem) for x in e.elems]
    if isinstance(e, ast.MapLit):
        key, val = s.key(e.ty), s.val(e.ty)
        return [pair for k, x in e.entries for pair in ((k, key), (x, val))]
    if isinstance(e, ast.StructLit):
        return [(f.value, e.ref.fields[f.name]) for f in e.fields]
    return []


def _bounds(m: ModuleLower, e: ast.Expr, out: dict[IntSlot, tuple[int, int, Slot]]) -> None:
    for x, t in _slots(m, e):
        n = scalar(x)
        if n == ():
            _bounds(m, x, out)
        elif type(n) is int:
            slot = m.slot(t)
            if slot is not None:
                lo, hi, _ = out.get(slot, (n, n, t))
                out[slot] = min(lo, n), max(hi, n), t


def make_template(m: ModuleLower, e: ast.Expr) -> DataSym:
    """The data of a literal."""
    words: list[Word]
    raw: bytes | None = None
    if isinstance(e, ast.ListLit):
        elem = m.solver.elem(e.ty)
        words = [(0, m.list_desc(elem)), (len(e.elems), None)]
        if m.elem_code(elem) == E_BOOL:
            raw = bytes(scalar(x) is True for x in e.elems)
        else:
            words += [_word(m, x, elem) for x in e.elems]
    elif isinstance(e, ast.MapLit):
        words = [(0, m.map_desc(m.solver.key(e.ty), m.solver.val(e.ty))), (len(e.entries), None)]
        words += [_tag(m, x) for x in parts(e)]
    else:
        assert isinstance(e, ast.StructLit)
        given = {f.name: f.value for f in e.fields}
        words = [(0, m.struct_desc(e.ref))]
        words += [_word(m, given[n], t) if n in given else (0, None) for n, t in e.ref.fields.items()]
    data = m.layout.packed(f"{len(words)}Q", *[n & 0xFFFFFFFFFFFFFFFF for n, _ in words])
    if raw is not None:
        data += raw + bytes(m.layout.padding(len(raw)))
    d = DataSym(m.unique("mochi.const"), "rodata", data)
    for i, (_, sym) in enumerate(words):
        if sym is not None:
            d.items[m.layout.slot * i] = (sym.resolve() if isinstance(sym, LazyDesc) else sym, 0)
    m.module.data.append(d)
    return d


def _word(m: ModuleLower, e: ast.Expr, t: Slot) -> Word:
    """What a slot of type t holds."""
    n = scalar(e)
    ty = ir_type(t)
    if ty == INT and m.elem_code(t) != E_TAG:
        assert isinstance(n, int)
        return n, None
    if ty == F64:
        assert isinstance(n, float)
        return float_bits(n), None
    if ty == I32:
        return int(n is True), None
    return _tag(m, e)


def _tag(m: ModuleLower, e: ast.Expr) -> Word:
    n = scalar(e)
    if n == ():
        return 0, make_template(m, e)
    if n is None:
        return 0, None
    if isinstance(n, bool):
        return TAG_TRUE if n else TAG_FALSE, None
    if isinstance(n, int):
        return (2 * n + 1, None) if n in _SMALL_INTS else (0, m.bigint(n))
    if isinstance(n, float):
        return 0, m.double(float_bits(n))
    assert isinstance(n, str)
    return 0, m.string(n)
