"""Lowering of `append`, and what keeps it from changing a list that something else refers to.

`xs = append(xs, v)` extends the list in place when nothing else can see it: the flags of the list object are 0.

* *Aliased* (bit 0, for good): a second reference to the list has been stored.  `mark` sets it: a variable's list stored
  elsewhere, anything but a local returned, a value captured by a closure, and on entry the parameters that the function
  appends to.  An operation that copies elements (a slice, a concatenation, a reversed list ...) makes second references
  to those that are lists (`share_elements`).
* *Held* (the bits above, a count): the list is an argument, an operand or what a loop runs over, while code runs that
  may append to it (`appends.py` tells).  `hold` and `release` stand around that code.  A count that is not taken back
  (an error was caught on the way) costs one copy.

Lists whose element type no append touches never pay: aliasing lists share an element Ty, so the type tells.
"""

from __future__ import annotations

from collections.abc import Iterable

from mochic.ir.func import Value
from mochic.ir.ops import ADD, EQ, SHL, ST8, SUB, ULT
from mochic.ir.types import I32, I64, REF, TAG, VOID
from mochic.lower.appends import APPEND, STORE, Code, Region, local
from mochic.lower.base import ARRAY_SIZE, LIST_DATA, LIST_FLAGS, LIST_LEN, Base
from mochic.lower.module import ir_type
from mochic.sema.symbols import BuiltinRef, Var
from mochic.sema.types import LIST, Ty, find
from mochic.syntax import ast

# Builtins whose result may be an argument or an element of one
_NOT_FRESH = ("first", "min", "max", "print", "json")
# What one holder adds to the flags of a list
_HOLDER = 2


class Held:
    """Values that are protected until the code that they outlive has run."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: list[tuple[Value, Ty]] = []


class Aliasing(Base):
    def appends_to(self, t: Ty) -> bool:
        """Some append in the program may extend lists of this type in place."""
        return bool(find(t).kinds & LIST) and find(self.m.solver.elem(t)) in self.m.appended

    def mark(self, v: Value, t: Ty) -> None:
        """A second reference to the list v comes into being."""
        if not self.appends_to(t):
            return
        k = find(t).kinds
        if v.type == REF and k == LIST:
            self.b.emit(ST8, VOID, [v, self.bool_const(True)], LIST_FLAGS)
        elif v.type in (REF, TAG):
            self.rt("mark_aliased", self.tag(v))

    def share_elements(self, v: Value, t: Ty) -> Value:
        """The new list v has elements of another collection; gives v."""
        if v.type in (REF, TAG) and find(t).kinds & LIST and self.appends_to(self.m.solver.elem(t)):
            self.rt("mark_elements", self.tag(v))
        return v

    def is_fresh(self, e: ast.Expr) -> bool:
        """The expression makes a new list, or gives one that is already marked."""
        if isinstance(e, ast.Call):
            fn = e.fn
            if isinstance(fn, ast.Ident):
                return not (isinstance(fn.ref, BuiltinRef) and fn.ref.name in _NOT_FRESH)
            return not (isinstance(fn, ast.Field) and fn.name == "get")
        if isinstance(e, ast.ListLit | ast.Slice | ast.Query | ast.Cast):
            return not isinstance(e, ast.Cast) or self.is_fresh(e.expr)
        return isinstance(e, ast.Binary) and e.op not in ("??", "&&", "||")

    def moved(self, e: ast.Expr) -> Value:
        """The value of an expression that is stored in a second place."""
        v = self.expr(e)
        if not self.is_fresh(e):
            self.mark(v, e.ty)
        return v

    def append(self, lst: Value, lt: Ty, v: Value, own: bool) -> Value:
        """append(lst, v); `own`: the caller gives the list up, so it may be extended in place."""
        b = self.b
        k = find(lt).kinds
        elem = self.elem_ty(lt)
        if not (lst.type == REF and k == LIST):
            self.feed(elem, v)
            return self.rt("dyn_append_own" if own else "dyn_append", self.tag(lst), self.tag(v))
        ety = ir_type(elem)
        v = self.convert(v, ety)
        if not own:
            lst = self.share_elements(self.rt("list_copy_room", lst), lt)
        else:
            flags = self.ld(I64, lst, LIST_FLAGS)
            n = self.list_len(lst)
            data = self.ld(REF, lst, LIST_DATA)
            cap = self.ld(I64, data, ARRAY_SIZE)
            test, slow, done = self.new_block(), self.new_block(True), self.new_block()
            b.write("#list", lst)
            b.brif(flags_clear(self, flags), test, slow, 1)
            b.start(test)
            used = n if ety == I32 else b.emit(SHL, I64, [n, self.i64(3)])
            b.brif(b.emit(ULT, I32, [used, cap]), done, slow, 1)
            b.start(slow)
            b.write("#list", self.rt("list_room", lst))
            b.jump(done)
            b.start(done)
            lst = b.read("#list", REF)
        n = self.list_len(lst)
        self.store_element(lst, n, v, elem)
        self.st(lst, b.emit(ADD, I64, [n, self.i64(1)]), LIST_LEN)
        return lst

    # -- values that are held while other code runs ---------------------------------------------

    def may_extend(self, e: ast.Expr, code: Iterable[Code]) -> bool:
        """The code may append in place to the list that e gave before it ran."""
        return self.extended(e, code) is not None

    def may_disturb(self, e: ast.Expr, code: Iterable[Code]) -> bool:
        """The same for a list that is only walked, element by element up to the length that it had: an append shows
        when a store into the list follows."""
        region = self.extended(e, code)
        return region is not None and (STORE, find(self.m.solver.elem(e.ty))) in region.effects

    def extended(self, e: ast.Expr, code: Iterable[Code]) -> Region | None:
        """What the code does, if it may append in place to the list that e gave before it ran."""
        if not self.appends_to(e.ty) or self.is_fresh(e):
            return None
        region = self.m.appends.of(code)
        elem = find(self.m.solver.elem(e.ty))
        if isinstance(e, ast.Ident) and isinstance(e.ref, Var) and local(e.ref):
            found = e.ref in region.locals
        elif isinstance(e, ast.Ident | ast.Field | ast.Index):
            found = (APPEND, elem) in region.effects
        else:  # the value of a condition may be that of a variable
            found = (APPEND, elem) in region.effects or elem in region.locals.values()
        return region if found else None

    def extends(self, t: Ty, code: Iterable[Code]) -> bool:
        """The code may append in place to a list of type t that an element or a field refers to."""
        return self.appends_to(t) and (APPEND, find(self.m.solver.elem(t))) in self.m.appends.of(code).effects

    def extends_any(self, t: Ty, code: Iterable[Code]) -> bool:
        """The code may append in place to a list of type t, whatever refers to it."""
        if not self.appends_to(t):
            return False
        region = self.m.appends.of(code)
        elem = find(self.m.solver.elem(t))
        return (APPEND, elem) in region.effects or elem in region.locals.values()

    def hold(self, held: Held, e: ast.Expr, v: Value, code: Iterable[Code]) -> None:
        """v, the value of e, is used after the code has run."""
        if self.may_extend(e, code):
            self.count_holder(v, e.ty, True)
            held.values.append((v, e.ty))

    def release(self, held: Held) -> None:
        for v, t in held.values:
            self.count_holder(v, t, False)

    def count_holder(self, v: Value, t: Ty, more: bool) -> None:
        if v.type == REF and find(t).kinds == LIST:
            flags = self.ld(I64, v, LIST_FLAGS)
            self.st(v, self.b.emit(ADD if more else SUB, I64, [flags, self.i64(_HOLDER)]), LIST_FLAGS)
        elif v.type in (REF, TAG):
            self.rt("hold_list" if more else "release_list", self.tag(v))

    def operands(self, es: list[ast.Expr]) -> list[Value]:
        """The values of expressions that are evaluated one after the other."""
        held = Held()
        out = []
        for i, e in enumerate(es):
            v = self.expr(e)
            if i + 1 < len(es):
                self.hold(held, e, v, es[i + 1 :])
            out.append(v)
        self.release(held)
        return out

    # provided by the other parts
    def expr(self, e: ast.Expr) -> Value:
        raise AssertionError

    def elem_ty(self, t: Ty) -> Ty:
        raise AssertionError

    def list_len(self, lst: Value) -> Value:
        raise AssertionError

    def store_element(self, lst: Value, i: Value, v: Value, elem: Ty) -> None:
        raise AssertionError


def flags_clear(fl: Base, flags: Value) -> Value:
    return fl.b.emit(EQ, I32, [flags, fl.i64(0)])
