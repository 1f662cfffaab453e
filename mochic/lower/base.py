"""What all parts of function lowering share: emitting, conversions between representations, variables.

Representations (see docs/ir.md): INT exact integer, F64, I32 (bool), REF (one reference kind or null),
TAG (anything).  `coerce` goes from the representation of one Ty to that of another; the inference
guarantees that the value fits, so narrowing conversions do not check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mochic.ir.builder import Builder
from mochic.ir.func import Block, Func, FuncSym, Value
from mochic.ir.ops import (
    ADD, ALLOC, AND, CALL, CALLI, CAST, EQ, FCONST, FEED, ICONST, INT2F, LD, OR, SHL, SHR, ST, SYMADDR, TOTAG, TRUNC32,
    UNTAG, ZEXT32,
)  # fmt: skip
from mochic.ir.types import F64, I32, I64, INT, PTR, REF, TAG, VOID
from mochic.lower.descs import runtime_data
from mochic.lower.module import ModuleLower
from mochic.lower.rtabi import RUNTIME
from mochic.sema.symbols import FunInfo, Var
from mochic.sema.types import LIST, MAP, STRUCT, Ty, find
from mochic.syntax import ast

TAG_FALSE = 2
TAG_TRUE = 10

# Field offsets of objects (docs/runtime.md)
STR_LENS = 8
STR_CHARS = 12
STR_DATA = 16
LIST_LEN = 8
LIST_FLAGS = 16
LIST_DATA = 24
ARRAY_SIZE = 8
ARRAY_DATA = 16
MAP_COUNT = 8
CLOSURE_CODE = 8
CLOSURE_ENV = 16
CELL_VALUE = 8
FLOAT_VALUE = 8
STRUCT_FIELDS = 8
GROUP_KEY = 8
GROUP_ITEMS = 16
DESC_CODE = 4

LEN_RANGE = (0, 1 << 40)


class Base:
    """State of one function's lowering."""

    m: ModuleLower
    f: FunInfo
    fn: Func
    b: Builder
    env: Value | None
    env_index: dict[Var, int]
    given: dict[ast.Expr, Callable[[], Value]]  # what expressions mean here instead of what they say (query_group)

    # -- emitting -------------------------------------------------------------------------------

    def rt(self, name: str, *args: Value) -> Value:
        """Call a runtime function."""
        sym = RUNTIME[name]
        return self.b.emit(CALL, sym.ret, list(args), 0, sym)

    def call(self, sym: FuncSym, args: list[Value]) -> Value:
        return self.b.emit(CALL, sym.ret, args, 0, sym)

    def sym(self, s: Any, type: int = PTR) -> Value:
        return self.b.emit(SYMADDR, type, [], 0, s)

    def str_const(self, text: str) -> Value:
        return self.sym(self.m.string(text), REF)

    def int_const(self, n: int) -> Value:
        return self.b.emit(ICONST, INT, [], n)

    def i64(self, n: int) -> Value:
        return self.b.emit(ICONST, I64, [], n)

    def bool_const(self, v: bool) -> Value:
        return self.b.emit(ICONST, I32, [], int(v))

    def nil(self) -> Value:
        return self.b.emit(ICONST, TAG, [], 0)

    def ld(self, type: int, p: Value, off: int, sym: Any = None) -> Value:
        return self.b.emit(LD, type, [p], off, sym)

    def st(self, p: Value, v: Value, off: int, sym: Any = None) -> None:
        self.b.emit(ST, VOID, [p, v], off, sym)

    def not_(self, v: Value) -> Value:
        return self.b.emit(EQ, I32, [v, self.bool_const(False)])

    def panic(self, name: str, *args: Value) -> None:
        """Call a runtime function that does not return; ends the block."""
        self.rt(name, *args)
        self.b.cur.cold = True
        self.b.trap()

    def alloc(self, desc: Any, size: int) -> Value:
        return self.b.emit(ALLOC, REF, [], size, desc)

    # -- conversions ----------------------------------------------------------------------------

    def convert(self, v: Value, to: int) -> Value:
        """From the representation v has to another."""
        t = v.type
        if t == to:
            return v
        b = self.b
        if to == TAG:
            if t == INT:
                return b.emit(TOTAG, TAG, [v])
            if t == REF:
                return b.emit(CAST, TAG, [v])
            if t == F64:
                o = self.alloc(runtime_data("desc.float"), 16)
                self.st(o, v, FLOAT_VALUE)
                return b.emit(CAST, TAG, [o])
            if t == I32:
                w = b.emit(SHL, I64, [b.emit(ZEXT32, I64, [v]), self.i64(3)])
                return b.emit(CAST, TAG, [b.emit(OR, I64, [w, self.i64(TAG_FALSE)])])
            if t == VOID:
                return self.nil()
        elif t == TAG and not (v.op == ICONST and v.imm == 0):  # null is in none of the other types, see below
            if to == INT:
                return b.emit(UNTAG, INT, [v])
            if to == REF:
                return b.emit(CAST, REF, [v])
            if to == F64:
                return self.ld(F64, b.emit(CAST, REF, [v]), FLOAT_VALUE)
            if to == I32:
                w = b.emit(SHR, I64, [b.emit(CAST, I64, [v]), self.i64(3)])
                return b.emit(TRUNC32, I32, [b.emit(AND, I64, [w, self.i64(1)])])
        # A slot that no value reaches on this path, such as the parameter that the callee in hand does not have:
        # anything of the right type will do.
        if to == F64:
            return b.emit(FCONST, F64, [], 0)
        if to == VOID:
            return v
        return b.emit(ICONST, to, [], 0)

    def to_f64(self, v: Value) -> Value:
        """An int or a float as F64."""
        return self.b.emit(INT2F, F64, [v]) if v.type == INT else v

    def int_of(self, v: Value) -> Value:
        """An int, by the rules of `as int` where it is something else."""
        if v.type == INT:
            return v
        return self.b.emit(UNTAG, INT, [self.rt("cast_int", self.tag(v))])

    def tag(self, v: Value) -> Value:
        return self.convert(v, TAG)

    def is_nil(self, v: Value) -> Value:
        """Whether a REF or TAG is null."""
        return self.b.emit(EQ, I32, [v, self.b.iconst(v.type, 0)])

    def feed(self, dst: Ty, v: Value | None = None, src: Ty | None = None) -> None:
        """Tell the interval analysis of a store that happens inside the runtime: value v, or what src holds."""
        slot = self.m.slot(dst)
        if slot is None:
            return
        if v is not None and v.type == INT:
            self.b.emit(FEED, VOID, [v], 0, (slot, None))
        else:
            self.b.emit(FEED, VOID, [], 0, (slot, self.m.slot(src) if src is not None else None))

    def feed_contents(self, t: Ty, v: Value, key: Value | None = None) -> None:
        """v may become an element, value or field of whatever t holds."""
        s = self.m.solver
        k = find(t).kinds
        if k & LIST:
            self.feed(s.elem(t), v)
        if k & MAP:
            self.feed(s.val(t), v)
            if key is not None:
                self.feed(s.key(t), key)
        if k & STRUCT:
            bits = find(t).structs
            for st in self.m.info.structs:
                if bits & st.bit:
                    for f in st.fields.values():
                        self.feed(f, v)

    # -- variables ------------------------------------------------------------------------------

    def cell_of(self, v: Var) -> Value:
        """The cell of a variable shared by closures."""
        if v in self.env_index:
            assert self.env is not None
            return self.ld(REF, self.env, CLOSURE_ENV + 8 * self.env_index[v])
        return self.b.read(v, REF)

    def read_var(self, v: Var, ty: int) -> Value:
        """The variable's value in the representation of its own slot; `ty` is that representation."""
        if v.const is not None:
            return self.constant(v.const)
        if v.global_:
            return self.ld(ty, self.sym(self.m.global_sym(v)), 0, self.m.slot(v.ty))
        if v.fun is not None and v.fun is self.f:
            assert self.env is not None
            return self.env
        if v.boxed:
            return self.ld(ty, self.cell_of(v), CELL_VALUE, self.m.slot(v.ty))
        if v in self.env_index:
            assert self.env is not None
            return self.ld(ty, self.env, CLOSURE_ENV + 8 * self.env_index[v], self.m.slot(v.ty))
        return self.b.read(v, ty)

    def write_var(self, v: Var, val: Value) -> None:
        """Assign; val is in the representation of the variable's slot."""
        if v.const is not None:
            return
        if v.global_:
            self.st(self.sym(self.m.global_sym(v)), val, 0, self.m.slot(v.ty))
        elif v.boxed:
            self.st(self.cell_of(v), val, CELL_VALUE, self.m.slot(v.ty))
        else:
            self.b.write(v, val)

    def declare_var(self, v: Var, val: Value) -> None:
        """A new variable with its first value."""
        if v.boxed:
            cell = self.alloc(self.m.cell_desc(v.ty), 16)
            self.st(cell, val, CELL_VALUE, self.m.slot(v.ty))
            self.b.write(v, cell)
        else:
            self.write_var(v, val)

    def constant(self, e: ast.Expr) -> Value:
        from mochic.lower.literals import literal

        return literal(self, e)

    # -- loads of elements ----------------------------------------------------------------------

    def element_address(self, lst: Value, index: Value, ty: int) -> Value:
        """Address of the element's payload minus ARRAY_DATA; `index` I64 in range."""
        data = self.ld(REF, lst, LIST_DATA)
        off = index if ty == I32 else self.b.emit(SHL, I64, [index, self.i64(3)])
        return self.b.emit(ADD, PTR, [data, off])

    def call_indirect(self, closure: Value, sig: Any, args: list[Value]) -> Value:
        code = self.ld(PTR, closure, CLOSURE_CODE)
        return self.b.emit(CALLI, sig.ret, [code, closure, *args], 0, sig)

    def new_block(self, cold: bool = False) -> Block:
        return self.b.block(cold=cold)
