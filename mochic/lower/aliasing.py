"""Lowering of `append`, and what keeps it from changing a list that something else refers to.

`xs = append(xs, v)` extends the list in place when nothing else can see it: the flags of the list object are 0.

* *Aliased* (bit 0, for good): a second reference to the list has been stored.  `mark_aliased` sets it: a variable's
  list stored elsewhere, anything but a local returned, a value captured by a closure, and on entry the parameters that
  the function appends to.  An operation that copies elements (a slice, a concatenation, a reversed list ...) makes
  second references to those that are lists (`share_elements`).
* *Held* (the bits above, a count): the list is an argument, an operand or what a loop runs over, while code runs that
  may append to it (`appends.py` tells).  `hold` and `release` stand around that code.  A count that is not taken back
  (an error was caught on the way) costs one copy.

Lists whose element type no append touches never pay: aliasing lists share an element Slot, so the type tells.
"""

from __future__ import annotations

from collections.abc import Iterable

from mochic.ir.func import Value
from mochic.ir.ops import ADD, EQ, SHL, ST8, SUB, ULT
from mochic.ir.types import I32, I64, REF, TAG, VOID
from mochic.lower.appends import APPEND, STORE, Code, Region, local
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import elem_ty, list_len, store_element
from mochic.sema.symbols import BuiltinRef, Var
from mochic.sema.types import LIST, Slot, find
from mochic.syntax import ast

# Builtins whose result may be an argument or an element of one
_NOT_FRESH = ("first", "min", "max", "print", "json")

# What one holder adds to the flags of a list
_HOLDER = 2


class Held:
    """Values that are protected until the code that they outlive has run."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: list[tuple[Value, Slot]] = []


def appends_to(fn: Fn, t: Slot) -> bool:
    """Some append in the program may extend lists of this type in place."""
    return bool(find(t).kinds & LIST) and find(fn.m.solver.elem(t)) in fn.m.appended


def mark_aliased(fn: Fn, v: Value, t: Slot) -> None:
    """A second reference to the list v comes into being."""
    if not appends_to(fn, t):
        return
    k = find(t).kinds
    if v.type == REF and k == LIST:
        fn.b.emit(ST8, VOID, [v, fn.bool_const(True)], fn.layout.list_flags)
    elif v.type in (REF, TAG):
        fn.call_runtime("mark_aliased", fn.tag(v))


def share_elements(fn: Fn, v: Value, t: Slot) -> Value:
    """The new list v has elements of another collection; gives v."""
    if v.type in (REF, TAG) and find(t).kinds & LIST and appends_to(fn, fn.m.solver.elem(t)):
        fn.call_runtime("mark_elements", fn.tag(v))
    return v


def is_fresh(e: ast.Expr) -> bool:
    """The expression makes a new list, or gives one that is already marked."""
    if isinstance(e, ast.Call):
        callee = e.fn
        if isinstance(callee, ast.Ident):
            return not (isinstance(callee.ref, BuiltinRef) and callee.ref.name in _NOT_FRESH)
        return not (isinstance(callee, ast.Field) and callee.name == "get")
    if isinstance(e, ast.ListLit | ast.Slice | ast.Query | ast.Cast):
        return not isinstance(e, ast.Cast) or is_fresh(e.expr)
    return isinstance(e, ast.Binary) and e.op not in ("??", "&&", "||")


def moved(fn: Fn, e: ast.Expr) -> Value:
    """The value of an expression that is stored in a second place."""
    v = fn.expr(e)
    if not is_fresh(e):
        mark_aliased(fn, v, e.ty)
    return v


def append(fn: Fn, lst: Value, lt: Slot, v: Value, own: bool) -> Value:
    """append(lst, v); `own`: the caller gives the list up, so it may be extended in place."""
    b = fn.b
    k = find(lt).kinds
    elem = elem_ty(fn, lt)
    if not (lst.type == REF and k == LIST):
        fn.feed(elem, v)
        return fn.call_runtime("dyn_append_own" if own else "dyn_append", fn.tag(lst), fn.tag(v))
    ety = ir_type(elem)
    v = fn.convert(v, ety)
    if not own:
        lst = share_elements(fn, fn.call_runtime("list_copy_room", lst), lt)
    else:
        flags = fn.load(I64, lst, fn.layout.list_flags)
        n = list_len(fn, lst)
        data = fn.load(REF, lst, fn.layout.list_data)
        cap = fn.load(I64, data, fn.layout.array_size)
        test, slow, done = fn.new_block(), fn.new_block(True), fn.new_block()
        b.write("#list", lst)
        b.brif(flags_clear(fn, flags), test, slow, 1)
        b.start(test)
        used = n if ety == I32 else b.emit(SHL, I64, [n, fn.i64(fn.layout.shift)])
        b.brif(b.emit(ULT, I32, [used, cap]), done, slow, 1)
        b.start(slow)
        b.write("#list", fn.call_runtime("list_room", lst))
        b.jump(done)
        b.start(done)
        lst = b.read("#list", REF)
    n = list_len(fn, lst)
    store_element(fn, lst, n, v, elem)
    fn.store(lst, b.emit(ADD, I64, [n, fn.i64(1)]), fn.layout.list_length)
    return lst


def flags_clear(fn: Fn, flags: Value) -> Value:
    return fn.b.emit(EQ, I32, [flags, fn.i64(0)])


# -- values that are held while other code runs ----------------------------------------------------


def may_extend(fn: Fn, e: ast.Expr, code: Iterable[Code]) -> bool:
    """The code may append in place to the list that e gave before it ran."""
    return extended(fn, e, code) is not None


def may_disturb(fn: Fn, e: ast.Expr, code: Iterable[Code]) -> bool:
    """The same for a list that is only walked, element by element up to the length that it had: an append shows
    when a store into the list follows."""
    region = extended(fn, e, code)
    return region is not None and (STORE, find(fn.m.solver.elem(e.ty))) in region.effects


def extended(fn: Fn, e: ast.Expr, code: Iterable[Code]) -> Region | None:
    """What the code does, if it may append in place to the list that e gave before it ran."""
    if not appends_to(fn, e.ty) or is_fresh(e):
        return None
    region = fn.m.appends.of(code)
    elem = find(fn.m.solver.elem(e.ty))
    if isinstance(e, ast.Ident) and isinstance(e.ref, Var) and local(e.ref):
        found = e.ref in region.locals
    elif isinstance(e, ast.Ident | ast.Field | ast.Index):
        found = (APPEND, elem) in region.effects
    else:  # the value of a condition may be that of a variable
        found = (APPEND, elem) in region.effects or elem in region.locals.values()
    return region if found else None


def extends(fn: Fn, t: Slot, code: Iterable[Code]) -> bool:
    """The code may append in place to a list of type t that an element or a field refers to."""
    return appends_to(fn, t) and (APPEND, find(fn.m.solver.elem(t))) in fn.m.appends.of(code).effects


def extends_any(fn: Fn, t: Slot, code: Iterable[Code]) -> bool:
    """The code may append in place to a list of type t, whatever refers to it."""
    if not appends_to(fn, t):
        return False
    region = fn.m.appends.of(code)
    elem = find(fn.m.solver.elem(t))
    return (APPEND, elem) in region.effects or elem in region.locals.values()


def hold(fn: Fn, held: Held, e: ast.Expr, v: Value, code: Iterable[Code]) -> None:
    """v, the value of e, is used after the code has run."""
    if may_extend(fn, e, code):
        count_holder(fn, v, e.ty, True)
        held.values.append((v, e.ty))


def release(fn: Fn, held: Held) -> None:
    for v, t in held.values:
        count_holder(fn, v, t, False)


def count_holder(fn: Fn, v: Value, t: Slot, more: bool) -> None:
    if v.type == REF and find(t).kinds == LIST:
        flags = fn.load(I64, v, fn.layout.list_flags)
        fn.store(v, fn.b.emit(ADD if more else SUB, I64, [flags, fn.i64(_HOLDER)]), fn.layout.list_flags)
    elif v.type in (REF, TAG):
        fn.call_runtime("hold_list" if more else "release_list", fn.tag(v))


def operands(fn: Fn, es: list[ast.Expr]) -> list[Value]:
    """The values of expressions that are evaluated one after the other."""
    held = Held()
    out = []
    for i, e in enumerate(es):
        v = fn.expr(e)
        if i + 1 < len(es):
            hold(fn, held, e, v, es[i + 1 :])
        out.append(v)
    release(fn, held)
    return out
