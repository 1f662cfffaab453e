"""The low-level dialect of `package runtime`: syntax tree to IR.

The runtime is Mochi text, parsed by the ordinary parser, but compiled by this module alone: no inference, no
promotion, no allocation behind the programmer's back.  Every expression has one of six static types (int, float,
bool, ptr, ref, tag), known from its operands; the only thing that flows inwards is the type that `none` and integer
constants take.  docs/runtime.md defines the dialect.

Conditions are lowered as control flow (`cond`), so `&&`, `||` and `!` cost no truth values in registers.  Loads and
stores fold the constant part of their offset into the instruction.

In the checked runtime (`Names.checked`, runtime/check.mochi) a call that tests the address comes before every load and
store, and before every call of a function that works on a run of bytes.
"""

from __future__ import annotations

from typing import Final

from mochic.diag.diagnostic import Diagnostic
from mochic.ir.builder import Builder
from mochic.ir.floats import float_bits
from mochic.ir.func import NOGC, NORETURN, Block, DataSym, Func, FuncSym, Module, Sig, Value
from mochic.ir.ops import (
    ADD, ALLOC, ALLOCA, CALL, CALLI, CAST, EQ, F2I, FADD, FCONST, FDIV, FEQ, FLE, FLT, FMUL, FNE, FNEG, FSUB, I2F,
    ICONST, MUL, NE, NEG, OP_BY_NAME, SDIV, SELECT, SLE, SLT, SREM, SUB, SYMADDR, ULE, ULT, ZEXT32,
)  # fmt: skip
from mochic.ir.types import F64, I32, I64, PTR, REF, TAG, VOID
from mochic.lower.strings import STRING_PARTS, string_part
from mochic.lower.lowlevel_names import Failure, Names, fail, name_type
from mochic.syntax import ast
from mochic.layout import BYTE

_WORDS: Final = (I64, PTR, REF, TAG)
_ADDRESSES: Final = (PTR, REF, TAG)

# Loads and stores: IR op name, type of the value.
_LOADS: Final[dict[str, tuple[str, int]]] = {
    "load64": ("ld", I64),
    "load32": ("ld32u", I64),
    "load32s": ("ld32s", I64),
    "load16": ("ld16u", I64),
    "load8": ("ld8u", I64),
    "load8s": ("ld8s", I64),
    "loadf": ("ld", F64),
    "loadptr": ("ld", PTR),
    "loadref": ("ld", REF),
    "loadtag": ("ld", TAG),
    "loadbool": ("ld", I32),
}
_STORES: Final[dict[str, tuple[str, int]]] = {
    "store64": ("st", I64),
    "store32": ("st32", I64),
    "store16": ("st16", I64),
    "store8": ("st8", I64),
    "storef": ("st", F64),
    "storeptr": ("st", PTR),
    "storeref": ("st", REF),
    "storetag": ("st", TAG),
    "storebool": ("st", I32),
}
# Intrinsics that are one op: op name, parameter types, result.
_SIMPLE: Final[dict[str, tuple[str, tuple[int, ...], int]]] = {
    "and": ("and", (I64, I64), I64),
    "or": ("or", (I64, I64), I64),
    "xor": ("xor", (I64, I64), I64),
    "not": ("not", (I64,), I64),
    "shl": ("shl", (I64, I64), I64),
    "shr": ("shr", (I64, I64), I64),
    "sar": ("sar", (I64, I64), I64),
    "udiv": ("udiv", (I64, I64), I64),
    "urem": ("urem", (I64, I64), I64),
    "umulh": ("umulh", (I64, I64), I64),
    "ult": ("ult", (I64, I64), I32),
    "ule": ("ule", (I64, I64), I32),
    "clz": ("clz", (I64,), I64),
    "ctz": ("ctz", (I64,), I64),
    "popcnt": ("popcnt", (I64,), I64),
    "addov": ("addov", (I64, I64), I32),
    "subov": ("subov", (I64, I64), I32),
    "mulov": ("mulov", (I64, I64), I32),
    "sqrt": ("fsqrt", (F64,), F64),
    "fabs": ("fabs", (F64,), F64),
    "fbits": ("fbits", (F64,), I64),
    "bitsf": ("bitsf", (I64,), F64),
}
_CALLS: Final[dict[str, int]] = {"callptr": I64, "callref": REF, "calltag": TAG, "callvoid": VOID}
_INT_OPS: Final[dict[str, int]] = {"+": ADD, "-": SUB, "*": MUL, "/": SDIV, "%": SREM}
_FLOAT_OPS: Final[dict[str, int]] = {"+": FADD, "-": FSUB, "*": FMUL, "/": FDIV}
# op -> (op for int, op for float, op for ptr, swap operands)
_COMPARE: Final[dict[str, tuple[int, int, int, bool]]] = {
    "==": (EQ, FEQ, EQ, False),
    "!=": (NE, FNE, NE, False),
    "<": (SLT, FLT, ULT, False),
    "<=": (SLE, FLE, ULE, False),
    ">": (SLT, FLT, ULT, True),
    ">=": (SLE, FLE, ULE, True),
}
_MAX_INLINE_ALLOC: Final = 256
# Functions that read or write runs of bytes: the places of address and length among their parameters.
_RANGES: Final[dict[str, tuple[tuple[int, int], ...]]] = {
    "copy": ((0, 2), (1, 2)),
    "copy_bytes": ((0, 2), (1, 2)),
    "mem_eq": ((0, 2), (1, 2)),
    "zero": ((0, 1),),
    "os_read": ((1, 2),),
    "os_write": ((1, 2),),
}
# Files of the memory's own code, which meets what is no object.
_UNCHECKED: Final = ("mem.mochi", "blocks.mochi", "holes.mochi", "gc.mochi", "check.mochi")


class Local:
    """A variable of a function; the builder's key for it."""

    __slots__ = ("name", "type", "mutable")

    def __init__(self, name: str, type: int, mutable: bool) -> None:
        self.name = name
        self.type = type
        self.mutable = mutable


class Body:
    """The body of one function of the runtime on its way to IR."""

    __slots__ = ("names", "sym", "decl", "fn", "b", "scopes", "loops", "checked")

    def __init__(self, names: Names, sym: FuncSym, decl: ast.FunDecl) -> None:
        self.names = names
        self.sym = sym
        self.decl = decl
        self.fn = Func(sym)
        self.fn.pos = decl.lo
        self.b = Builder(self.fn)
        self.scopes: list[dict[str, Local]] = [{}]
        self.loops: list[tuple[Block, Block]] = []  # (break, continue)
        file = names.module.sources.file_of(decl.lo).name
        self.checked = names.checked and "@unchecked" not in decl.doc.split() and not file.endswith(_UNCHECKED)

    def run(self) -> Func:
        b = self.b
        for p, t in zip(self.decl.params, self.sym.params, strict=True):
            local = Local(p.name, t, True)
            self.scopes[0][p.name] = local
            b.write(local, self.fn.new_param(self.fn.entry, t))
        self.block(self.decl.body)
        if b.reachable:
            if self.sym.ret == VOID and not self.sym.flags & NORETURN:
                b.ret()
            elif self.sym.flags & NORETURN:
                b.trap()
            else:
                fail(self.decl, f"{self.decl.name} can end without a result")
        return b.finish()

    # -- statements

    def block(self, body: list[ast.Stmt]) -> None:
        self.scopes.append({})
        for stmt in body:
            self.b.pos = stmt.lo
            self.stmt(stmt)
        self.scopes.pop()

    def stmt(self, s: ast.Stmt) -> None:
        b = self.b
        if isinstance(s, ast.ExprStmt):
            self.expr(s.expr)
        elif isinstance(s, ast.Assign):
            self.assign(s)
        elif isinstance(s, ast.VarDecl):
            want = VOID if s.type is None else self.names.type_of(s.type)
            v = self.zero(want) if s.value is None else self.typed(s.value, want) if want else self.expr(s.value)
            if v.type == VOID:
                fail(s, "no value")
            local = Local(s.name, v.type, s.mutable)
            self.scopes[-1][s.name] = local
            b.write(local, v)
        elif isinstance(s, ast.If):
            self.if_stmt(s)
        elif isinstance(s, ast.While):
            head, body, done = b.block(), b.block(), b.block()
            b.jump(head)
            b.at(head)
            self.cond(s.cond, body, done)
            b.start(body)
            self.loops.append((done, head))
            self.block(s.body)
            self.loops.pop()
            b.jump(head)
            b.seal(head)
            b.start(done)
        elif isinstance(s, ast.For):
            self.for_stmt(s)
        elif isinstance(s, ast.Return):
            if s.value is None:
                if self.sym.ret != VOID:
                    fail(s, "a result is needed")
                b.ret()
            else:
                b.ret(self.typed(s.value, self.sym.ret))
        elif isinstance(s, (ast.Break, ast.Continue)):
            if not self.loops:
                fail(s, "not in a loop")
            b.jump(self.loops[-1][0 if isinstance(s, ast.Break) else 1])
        else:
            fail(s, "not a statement of the runtime dialect")

    def assign(self, s: ast.Assign) -> None:
        if not isinstance(s.target, ast.Ident):
            fail(s, "only variables can be assigned")
        name = s.target.name
        local = self.local(name)
        if local is not None:
            if not local.mutable:
                fail(s, f"{name} is immutable")
            self.b.write(local, self.typed(s.value, local.type))
            return
        if name not in self.names.vars:
            fail(s, f"undefined variable {name}")
        sym, t = self.names.vars[name]
        v = self.typed(s.value, t)
        self.b.emit(OP_BY_NAME["st"], VOID, [self.b.emit(SYMADDR, PTR, [], 0, sym), v])

    def if_stmt(self, s: ast.If) -> None:
        b = self.b
        done = b.block()
        while True:
            if isinstance(s.cond, ast.Ident) and s.cond.name in self.names.consts:
                # Decided here: what is left out is not even compiled.
                self.block(s.then if self.names.consts[s.cond.name] else s.orelse or [])
                b.jump(done)
                break
            then = b.block()
            other = b.block() if s.orelse is not None else done
            self.cond(s.cond, then, other)
            b.start(then)
            self.block(s.then)
            b.jump(done)
            if s.orelse is None:
                break
            b.start(other)
            if len(s.orelse) == 1 and isinstance(s.orelse[0], ast.If):
                s = s.orelse[0]
                b.pos = s.lo
                continue
            self.block(s.orelse or [])
            b.jump(done)
            break
        b.start(done)

    def for_stmt(self, s: ast.For) -> None:
        b = self.b
        if s.end is None:
            fail(s, "only ranges")
        first = self.typed(s.source, I64)
        last = self.typed(s.end, I64)
        head, body, step, done = b.block(), b.block(), b.block(), b.block()
        local = Local(s.var, I64, True)
        b.write(local, first)
        b.jump(head)
        b.at(head)
        b.brif(b.emit(SLT, I32, [b.read(local, I64), last]), body, done)
        b.start(body)
        self.scopes.append({s.var: local})
        self.loops.append((done, step))
        self.block(s.body)
        self.loops.pop()
        self.scopes.pop()
        b.jump(step)
        b.start(step)
        b.write(local, b.emit(ADD, I64, [b.read(local, I64), b.iconst(I64, 1)]))
        b.jump(head)
        b.seal(head)
        b.start(done)

    # -- conditions

    def cond(self, e: ast.Expr, then: Block, other: Block) -> None:
        """Branch on e.  `then` and `other` may get more than one predecessor: seal them afterwards."""
        b = self.b
        if isinstance(e, ast.Unary) and e.op == "!":
            self.cond(e.operand, other, then)
        elif isinstance(e, ast.Binary) and e.op in ("&&", "||"):
            mid = b.block()
            if e.op == "&&":
                self.cond(e.left, mid, other)
            else:
                self.cond(e.left, then, mid)
            b.start(mid)
            self.cond(e.right, then, other)
        else:
            b.brif(self.typed(e, I32), then, other)

    # -- expressions

    def local(self, name: str) -> Local | None:
        for scope in reversed(self.scopes):
            found = scope.get(name)
            if found is not None:
                return found
        return None

    def zero(self, t: int) -> Value:
        return self.b.emit(FCONST if t == F64 else ICONST, t, [])

    def typed(self, e: ast.Expr, want: int) -> Value:
        """The value of e, which must have this type; constants adapt."""
        if isinstance(e, ast.NoneLit) and want in _ADDRESSES:
            return self.b.iconst(want, 0)
        v = self.expr(e)
        if v.type != want:
            fail(e, f"expected {name_type(want)}, got {name_type(v.type)}")
        return v

    def expr(self, e: ast.Expr) -> Value:
        b = self.b
        if isinstance(e, ast.IntLit):
            return b.iconst(I64, e.value)
        if isinstance(e, ast.Ident):
            return self.ident(e)
        if isinstance(e, ast.Call):
            return self.call(e)
        if isinstance(e, ast.Binary):
            return self.binary(e)
        if isinstance(e, ast.Unary):
            if e.op == "!":
                return b.emit(EQ, I32, [self.typed(e.operand, I32), b.iconst(I32, 0)])
            if isinstance(e.operand, ast.IntLit):
                return b.iconst(I64, -e.operand.value)
            v = self.expr(e.operand)
            if v.type not in (I64, F64):
                fail(e, "only int and float have a sign")
            return b.emit(FNEG if v.type == F64 else NEG, v.type, [v])
        if isinstance(e, ast.Cast):
            return self.cast(e)
        if isinstance(e, ast.StrLit):
            return b.emit(SYMADDR, REF, [], 0, self.names.string(e.value))
        if isinstance(e, ast.FloatLit):
            return self.float_const(e.value)
        if isinstance(e, ast.BoolLit):
            return b.iconst(I32, int(e.value))
        if isinstance(e, ast.NoneLit):
            return b.iconst(TAG, 0)
        fail(e, "not an expression of the runtime dialect")

    def float_const(self, value: float) -> Value:
        return self.b.emit(FCONST, F64, [], float_bits(value))

    def ident(self, e: ast.Ident) -> Value:
        b = self.b
        local = self.local(e.name)
        if local is not None:
            return b.read(local, local.type)
        names = self.names
        value = names.consts.get(e.name)
        if value is not None:
            return self.float_const(value) if isinstance(value, float) else b.iconst(I64, _wrap(value))
        if e.name not in names.vars:
            fail(e, f"undefined name {e.name}")
        sym, t = names.vars[e.name]
        return b.emit(OP_BY_NAME["ld"], t, [b.emit(SYMADDR, PTR, [], 0, sym)])

    def binary(self, e: ast.Binary) -> Value:
        b = self.b
        op = e.op
        if op in ("&&", "||"):
            yes, no, done = b.block(), b.block(), b.block()
            self.cond(e, yes, no)
            key = Local("", I32, True)
            for blk, value in ((yes, 1), (no, 0)):
                b.start(blk)
                b.write(key, b.iconst(I32, value))
                b.jump(done)
            b.start(done)
            return b.read(key, I32)
        if isinstance(e.left, ast.NoneLit):
            right = self.expr(e.right)
            left = self.typed(e.left, right.type)
        else:
            left = self.expr(e.left)
            right = self.typed(e.right, left.type) if isinstance(e.right, ast.NoneLit) else self.expr(e.right)
        lt, rt = left.type, right.type
        cmp = _COMPARE.get(op)
        if cmp is not None:
            if lt != rt or (lt in (REF, TAG, I32) and op not in ("==", "!=")):
                fail(e, f"cannot compare {name_type(lt)} with {name_type(rt)}")
            code = cmp[1] if lt == F64 else cmp[2] if lt == PTR else cmp[0]
            return b.emit(code, I32, [right, left] if cmp[3] else [left, right])
        if lt == rt == I64 and op in _INT_OPS:
            return b.emit(_INT_OPS[op], I64, [left, right])
        if lt == rt == F64 and op in _FLOAT_OPS:
            return b.emit(_FLOAT_OPS[op], F64, [left, right])
        if lt in _ADDRESSES and rt == I64 and op in ("+", "-"):
            return b.emit(_INT_OPS[op], PTR, [left, right])
        if lt == rt == PTR and op == "-":
            return b.emit(SUB, I64, [left, right])
        fail(e, f"no operator {op} on {name_type(lt)} and {name_type(rt)}")

    def cast(self, e: ast.Cast) -> Value:
        b = self.b
        to = self.names.type_of(e.type)
        v = self.typed(e.expr, to) if isinstance(e.expr, ast.NoneLit) else self.expr(e.expr)
        src = v.type
        if src == to:
            return v
        if src in _WORDS and to in _WORDS:
            return b.emit(CAST, to, [v])
        if src == I32 and to == I64:
            return b.emit(ZEXT32, I64, [v])
        if src == I64 and to == F64:
            return b.emit(I2F, F64, [v])
        if src == F64 and to == I64:
            return b.emit(F2I, I64, [v])
        fail(e, f"no cast from {name_type(src)} to {name_type(to)}")

    # -- calls

    def call(self, e: ast.Call) -> Value:
        if not isinstance(e.fn, ast.Ident):
            fail(e, "only functions can be called")
        name = e.fn.name
        b = self.b
        b.pos = e.lo
        names = self.names
        sym = names.funcs.get(name)
        if sym is not None:
            if name == "alloc":
                inline = self.inline_alloc(e)
                if inline is not None:
                    return inline
            args = self.args(e, sym.params)
            self.check_nogc(e, sym)
            if self.checked:
                for p, n in _RANGES.get(name, ()):
                    self.check("check_range", args[p], 0, args[n])
            v = b.emit(CALL, sym.ret, args, 0, sym)
            if sym.flags & NORETURN:
                b.trap()
            return v
        if name in _LOADS:
            op, t = _LOADS[name]
            self.arity(e, 2)
            base, off = self.address(e.args[0], e.args[1])
            self.check_access(base, off, op, t)
            return b.emit(OP_BY_NAME[op], t, [base], off)
        if name in _STORES:
            op, t = _STORES[name]
            self.arity(e, 3)
            base, off = self.address(e.args[0], e.args[1])
            v = self.typed(e.args[2], t)
            self.check_access(base, off, op, t)
            return b.emit(OP_BY_NAME[op], VOID, [base, v], off)
        if name in _SIMPLE:
            op, params, ret = _SIMPLE[name]
            return b.emit(OP_BY_NAME[op], ret, self.args(e, list(params)))
        if name in _CALLS:
            values = [self.expr(a) for a in e.args]
            if not values or values[0].type != PTR:
                fail(e, "the first argument is the code address")
            if self.sym.flags & NOGC:
                fail(e, "an indirect call in a @nogc function")
            sig = Sig([v.type for v in values[1:]], _CALLS[name])
            return b.emit(CALLI, sig.ret, values, 0, sig)
        return self.special(e, name)

    def special(self, e: ast.Call, name: str) -> Value:
        b = self.b
        if name == "select":
            self.arity(e, 3)
            c = self.typed(e.args[0], I32)
            x = self.expr(e.args[1])
            return b.emit(SELECT, x.type, [c, x, self.typed(e.args[2], x.type)])
        if name in STRING_PARTS:
            self.arity(e, 1)
            s = self.expr(e.args[0])
            if s.type not in _ADDRESSES:
                fail(e, "not an address")
            self.check_access(s, self.names.layout.string_length, "ld", I64)
            return string_part(b, s, name, self.names.layout, self.names.runtime_data["desc.view"])
        if name == "alloca":
            self.arity(e, 1)
            n = self.names.constant(e.args[0])
            if not isinstance(n, int) or n <= 0:
                fail(e, "alloca needs a positive constant")
            return b.emit(ALLOCA, PTR, [], self.names.layout.aligned(n))
        if name == "addr":
            self.arity(e, 1)
            return b.emit(SYMADDR, PTR, [], 0, self.symbol(e.args[0]))
        if name == "trap":
            self.arity(e, 0)
            b.trap()
            return Value(-1, ICONST, VOID, [], 0, None, 0)
        fail(e, f"unknown function {name}")

    def symbol(self, e: ast.Expr) -> FuncSym | DataSym:
        """The operand of `addr`."""
        names = self.names
        if isinstance(e, ast.Ident):
            if e.name in names.funcs:
                return names.funcs[e.name]
            if e.name in names.vars:
                return names.vars[e.name][0]
        elif isinstance(e, ast.StrLit):
            if e.value.startswith("runtime."):
                return self.names.runtime_data[e.value[8:]]
            return FuncSym(e.value, [], VOID)
        fail(e, "not a symbol")

    def inline_alloc(self, e: ast.Call) -> Value | None:
        """`alloc(addr("runtime.desc.X"), CONSTANT)` becomes the inline allocation that programs use."""
        if len(e.args) != 2 or self.sym.flags & NOGC:
            return None
        desc, size = e.args
        if not (isinstance(desc, ast.Call) and isinstance(desc.fn, ast.Ident) and desc.fn.name == "addr"):
            return None
        try:
            n = self.names.constant(size)
        except Failure:
            return None
        if not isinstance(n, int) or n > _MAX_INLINE_ALLOC:
            return None
        return self.b.emit(ALLOC, REF, [], n, self.symbol(desc.args[0]))

    def args(self, e: ast.Call, params: list[int]) -> list[Value]:
        self.arity(e, len(params))
        return [self.typed(a, t) for a, t in zip(e.args, params, strict=True)]

    def arity(self, e: ast.Call, n: int) -> None:
        if len(e.args) != n:
            fail(e, f"expected {n} arguments, got {len(e.args)}")

    def check_nogc(self, e: ast.Call, sym: FuncSym) -> None:
        assert isinstance(e.fn, ast.Ident)
        # save_walk collects nothing; it is no @nogc function because its call needs a frame map.
        if self.sym.flags & NOGC and not sym.flags & NOGC and e.fn.name != "save_walk":
            fail(e, f"@nogc function {self.decl.name} calls {sym.name}, which is not")

    def check_access(self, base: Value, off: int, op: str, t: int) -> None:
        if self.checked:
            width = int("".join(c for c in op if c.isdigit()) or (32 if t == I32 else 64)) // BYTE
            self.check("check_access", base, off, self.b.iconst(I64, width))

    def check(self, name: str, base: Value, off: int, size: Value) -> None:
        """A call of the checked runtime, which stops the program unless `size` bytes may be accessed."""
        b = self.b
        p = b.emit(ADD, PTR, [base, b.iconst(I64, off)])
        b.emit(CALL, VOID, [p, size], 0, self.names.funcs[name])

    def address(self, base: ast.Expr, off: ast.Expr) -> tuple[Value, int]:
        """Base value and constant offset of a memory access."""
        p = self.expr(base)
        if p.type not in _ADDRESSES:
            fail(base, "not an address")
        n = 0
        while isinstance(off, ast.Binary) and off.op == "+":
            # x + CONSTANT: the constant goes into the instruction.
            try:
                c = self.names.constant(off.right)
            except Failure:
                break
            assert isinstance(c, int)
            n += c
            off = off.left
        try:
            c = self.names.constant(off)
            assert isinstance(c, int)
            return p, n + c
        except Failure:
            i = self.typed(off, I64)
        return self.b.emit(ADD, PTR, [p, i]), n


def _wrap(n: int) -> int:
    n &= (1 << 64) - 1
    return n - (1 << 64) if n >> 63 else n


class RuntimeLower(Names):
    """All files of the package: names first, then bodies.

    module, diagnostics = RuntimeLower(sources, layout).run(programs)
    """

    __slots__ = ()

    def run(self, programs: list[ast.Program]) -> tuple[Module, list[Diagnostic]]:
        for program in programs:
            for stmt in program.body:
                try:
                    self.declare(stmt)
                except Failure as e:
                    self.diags.append(e.diag)
        for sym, decl in self.decls:
            try:
                self.module.funcs.append(Body(self, sym, decl).run())
            except Failure as e:
                self.diags.append(e.diag)
        return self.module, self.diags
