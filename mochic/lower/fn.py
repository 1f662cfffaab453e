"""The context of lowering: one function of the program on its way to IR.

The files of this package are functions over a context.  `e_binary(fn, e)` makes the code of a binary expression and
gives its value, `s_for(fn, st)` makes that of a loop.  They reach the functions for the parts of what they lower
through `Fn.expr` and `Fn.block`, which look them up by the class of the syntax tree (`Dispatch`, see dispatch.py), so
that files import only files below them.

Representations (see docs/ir.md): INT exact integer, F64, I32 (bool), REF (one reference kind or null),
TAG (anything).  `convert` goes from one representation to another; the inference
guarantees that the value fits, so narrowing conversions do not check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mochic.ir.builder import Builder
from mochic.ir.func import Block, DataSym, Func, FuncSym, Sig, Value
from mochic.ir.ops import (
    ALLOC, AND, CALL, CALLI, CAST, EQ, FCONST, FEED, ICONST, INT2F, LD, OR, SHL, SHR, ST, SYMADDR, TOTAG, TRUNC32,
    UNTAG, ZEXT32,
)  # fmt: skip
from mochic.ir.types import F64, I32, I64, INT, PTR, REF, TAG, VOID
from mochic.lower.module import ModuleLower
from mochic.layout import TAG_FALSE, TAG_SHIFT
from mochic.ir.rtabi import RUNTIME
from mochic.sema.symbols import FunInfo, Var
from mochic.ir.slots import IntSlot
from mochic.sema.types import LIST, MAP, STRUCT, Slot, find
from mochic.syntax import ast


class Dispatch:
    """What lowers each class of expression and of statement."""

    __slots__ = ("expressions", "statements")

    def __init__(
        self,
        expressions: dict[type, Callable[[Fn, Any], Value]],
        statements: dict[type, Callable[[Fn, Any], None]],
    ) -> None:
        self.expressions = expressions
        self.statements = statements


class Fn:
    """One function on its way to IR.

    `m` is the module, shared by all functions; `info` the function of the program, `ir` what it becomes, `b` the
    builder of its code.  `env` is the closure that runs, where the function takes one, and `env_index` the places of
    the captured variables in it.  `loops` has the targets of `continue` and `break` for each loop around this place,
    the innermost last.
    """

    __slots__ = (
        "m", "layout", "info", "ir", "dispatch", "b", "env", "env_index", "loops", "running", "own_append", "given",
    )  # fmt: skip

    def __init__(self, m: ModuleLower, info: FunInfo, ir: Func, dispatch: Dispatch) -> None:
        self.m = m
        self.layout = m.layout
        self.info = info
        self.ir = ir
        self.dispatch = dispatch
        self.b = Builder(ir)
        self.env: Value | None = None
        self.env_index: dict[Var, int] = {v: i for i, v in enumerate(m.captures(info))}
        self.loops: list[tuple[Block, Block]] = []
        # Lists that the loops around this place hold: variable of the builder, IR type, type.
        self.running: list[tuple[object, int, Slot]] = []
        # The `append` whose list the assignment around it gives up.
        self.own_append: ast.Call | None = None
        # What expressions mean here instead of what they say (see query/group.py).
        self.given: dict[ast.Expr, Callable[[], Value]] = {}

    # -- the parts of what is lowered -----------------------------------------------------------------

    def expr(self, e: ast.Expr) -> Value:
        """The value of e in the representation of e.ty."""
        if self.given:
            known = self.given.get(e)
            if known is not None:
                return known()
        return self.dispatch.expressions[type(e)](self, e)

    def expr_as(self, e: ast.Expr, ty: int) -> Value:
        """The value of e in the representation `ty`."""
        return self.convert(self.expr(e), ty)

    def block(self, body: list[ast.Stmt]) -> None:
        """The statements, up to one that leaves the block."""
        for st in body:
            if isinstance(st, ast.FunDecl) and st.info.local_var is not None and st.info.local_var.boxed:
                # Siblings may capture it before its statement runs.
                self.declare_var(st.info.local_var, self.b.iconst(REF, 0))
        statements = self.dispatch.statements
        for st in body:
            if not self.b.reachable:
                break
            self.b.pos = st.lo
            statements[type(st)](self, st)

    def ret(self, v: Value) -> None:
        """Return v, whatever its representation."""
        t = self.ir.sym.ret
        if t == VOID:
            self.b.ret()
        else:
            self.b.ret(self.convert(v, t))

    # -- emitting -------------------------------------------------------------------------------------

    def call_runtime(self, name: str, *args: Value) -> Value:
        """Call a runtime function."""
        sym = RUNTIME[name]
        return self.b.emit(CALL, sym.ret, list(args), 0, sym)

    def call(self, sym: FuncSym, args: list[Value]) -> Value:
        """Call a function whose symbol is known."""
        return self.b.emit(CALL, sym.ret, args, 0, sym)

    def call_indirect(self, closure: Value, sig: Sig, args: list[Value]) -> Value:
        """Call the code of a closure, which gets the closure as its first argument."""
        code = self.load(PTR, closure, self.layout.closure_code)
        return self.b.emit(CALLI, sig.ret, [code, closure, *args], 0, sig)

    def sym(self, s: DataSym | FuncSym, type: int = PTR) -> Value:
        """The address of a symbol; of type REF where it is a static object."""
        return self.b.emit(SYMADDR, type, [], 0, s)

    def str_const(self, text: str) -> Value:
        """A string, as a static object."""
        return self.sym(self.m.string(text), REF)

    def int_const(self, n: int) -> Value:
        """An int of the program, of any size."""
        return self.b.emit(ICONST, INT, [], n)

    def i64(self, n: int) -> Value:
        """A machine word."""
        return self.b.emit(ICONST, I64, [], n)

    def bool_const(self, v: bool) -> Value:
        return self.b.emit(ICONST, I32, [], int(v))

    def nil(self) -> Value:
        """null, as a TAG."""
        return self.b.emit(ICONST, TAG, [], 0)

    def load(self, type: int, p: Value, off: int, slot: IntSlot | None = None) -> Value:
        """What is `off` bytes behind p; an INT is in the representation of its slot."""
        return self.b.emit(LD, type, [p], off, slot)

    def store(self, p: Value, v: Value, off: int, slot: IntSlot | None = None) -> None:
        """Store v `off` bytes behind p, an INT in the representation of its slot."""
        self.b.emit(ST, VOID, [p, v], off, slot)

    def not_(self, v: Value) -> Value:
        """The opposite of a bool."""
        return self.b.emit(EQ, I32, [v, self.bool_const(False)])

    def alloc(self, desc: DataSym, size: int) -> Value:
        """A new object of `size` bytes, all zero behind the descriptor."""
        return self.b.emit(ALLOC, REF, [], size, desc)

    def panic(self, name: str, *args: Value) -> None:
        """Call a runtime function that does not return; ends the block."""
        self.call_runtime(name, *args)
        self.b.cur.cold = True
        self.b.trap()

    def new_block(self, cold: bool = False) -> Block:
        return self.b.block(cold=cold)

    # -- conversions ----------------------------------------------------------------------------------

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
            if t == F64 and v.op == FCONST:
                return self.sym(self.m.double(v.imm & (1 << 64) - 1), TAG)
            if t == F64:
                o = self.alloc(self.m.runtime_data["desc.float"], self.layout.float_value + self.layout.slot)
                self.store(o, v, self.layout.float_value)
                return b.emit(CAST, TAG, [o])
            if t == I32:
                w = b.emit(SHL, I64, [b.emit(ZEXT32, I64, [v]), self.i64(TAG_SHIFT)])
                return b.emit(CAST, TAG, [b.emit(OR, I64, [w, self.i64(TAG_FALSE)])])
            if t == VOID:
                return self.nil()
        elif t == TAG and not (v.op == ICONST and v.imm == 0):  # null is in none of the other types, see below
            if to == INT:
                return b.emit(UNTAG, INT, [v])
            if to == REF:
                return b.emit(CAST, REF, [v])
            if to == F64:
                return self.load(F64, b.emit(CAST, REF, [v]), self.layout.float_value)
            if to == I32:
                w = b.emit(SHR, I64, [b.emit(CAST, I64, [v]), self.i64(TAG_SHIFT)])
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
        return self.b.emit(UNTAG, INT, [self.call_runtime("cast_int", self.tag(v))])

    def tag(self, v: Value) -> Value:
        """v as a TAG."""
        return self.convert(v, TAG)

    def is_nil(self, v: Value) -> Value:
        """Whether a REF or TAG is null."""
        return self.b.emit(EQ, I32, [v, self.b.iconst(v.type, 0)])

    # -- the interval analysis ------------------------------------------------------------------------

    def feed(self, dst: Slot, v: Value | None = None, src: Slot | None = None) -> None:
        """Tell the interval analysis of a store that happens inside the runtime: value v, or what src holds."""
        slot = self.m.slot(dst)
        if slot is None:
            return
        if v is not None and v.type == INT:
            self.b.emit(FEED, VOID, [v], 0, (slot, None))
        else:
            self.b.emit(FEED, VOID, [], 0, (slot, self.m.slot(src) if src is not None else None))

    def feed_contents(self, t: Slot, v: Value, key: Value | None = None) -> None:
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

    def either(
        self, some: Block, none: Block, value: Callable[[], Value], other: Callable[[], Value], want: int
    ) -> Value:
        """After a branch to one of two blocks: what value() gives in the first and other() in the second, as `want`."""
        b = self.b
        done = self.new_block()
        b.start(some)
        b.write("#opt", self.convert(value(), want))
        b.jump(done)
        b.start(none)
        b.write("#opt", self.convert(other(), want))
        b.jump(done)
        b.start(done)
        return b.read("#opt", want)

    # -- variables ------------------------------------------------------------------------------------

    def captured_at(self, v: Var) -> int:
        """The offset of a captured variable in the closure."""
        return self.layout.closure_captured + self.layout.slot * self.env_index[v]

    def cell_of(self, v: Var) -> Value:
        """The cell of a variable shared by closures."""
        if v in self.env_index:
            assert self.env is not None
            return self.load(REF, self.env, self.captured_at(v))
        return self.b.read(v, REF)

    def read_var(self, v: Var, ty: int) -> Value:
        """The variable's value in the representation of its own slot; `ty` is that representation."""
        if v.const is not None:
            return self.expr(v.const)
        if v.global_:
            return self.load(ty, self.sym(self.m.global_sym(v)), 0, self.m.slot(v.ty))
        if v.fun is not None and v.fun is self.info:
            assert self.env is not None
            return self.env
        if v.boxed:
            return self.load(ty, self.cell_of(v), self.layout.cell_value, self.m.slot(v.ty))
        if v in self.env_index:
            assert self.env is not None
            return self.load(ty, self.env, self.captured_at(v), self.m.slot(v.ty))
        return self.b.read(v, ty)

    def write_var(self, v: Var, val: Value) -> None:
        """Assign; val is in the representation of the variable's slot."""
        if v.const is not None:
            return
        if v.global_:
            self.store(self.sym(self.m.global_sym(v)), val, 0, self.m.slot(v.ty))
        elif v.boxed:
            self.store(self.cell_of(v), val, self.layout.cell_value, self.m.slot(v.ty))
        else:
            self.b.write(v, val)

    def declare_var(self, v: Var, val: Value) -> None:
        """A new variable with its first value."""
        if v.boxed:
            cell = self.alloc(self.m.cell_desc(v.ty), self.layout.cell_value + self.layout.slot)
            self.store(cell, val, self.layout.cell_value, self.m.slot(v.ty))
            self.b.write(v, cell)
        else:
            self.write_var(v, val)

    def self_value(self) -> Value:
        """The struct whose method this function is or stands in."""
        f: FunInfo | None = self.info
        while f is not None and f.struct is None:
            f = f.owner
        assert f is not None and f.self_var is not None
        return self.read_var(f.self_var, REF)
