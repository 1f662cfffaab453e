"""An interpreter for IR: the definition of what every op does, and the oracle of the tests.

Values: I32 and I64 are signed Python ints, wrapped after every operation; PTR, REF and TAG are
unsigned words; F64 are floats; INT is exact.  Memory is one bytearray that starts at address BASE:
first the module's data, then everything the program allocates, never freed.  Functions have
addresses of their own below BASE, so that code pointers can be stored, compared and called.  Tags
follow docs/runtime.md, except that ints beyond 63 bits are numbered objects of the interpreter.

Functions without IR are Python callables, given by name:

    m = Machine(module, {"print": lambda machine, args: print(args[0])})
    m.call("main", [])
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any, Final

from mochic.ir.func import Block, DataSym, Func, FuncSym, Module, Value
from mochic.ir.ops import (
    ALLOC, ALLOCA, BRIF, CALL, CALLI, FCONST, ICONST, JUMP, OP_BY_NAME, OP_NAMES, RET, SWITCH, SYMADDR,
)  # fmt: skip
from mochic.ir.types import F64, I32, I64, INT

M32: Final = (1 << 32) - 1
M64: Final = (1 << 64) - 1
BASE: Final = 1 << 20  # address of the first byte of memory
CODE_BASE: Final = 1 << 12  # functions: 16 bytes apart
MIN64: Final = -(1 << 63)
MAX64: Final = (1 << 63) - 1

Extern = Callable[["Machine", list[Any]], Any]


class InterpError(Exception):
    """The program did something no correct program does, or ran out of steps."""


def s32(x: int) -> int:
    x &= M32
    return x - (1 << 32) if x >> 31 else x


def s64(x: int) -> int:
    x &= M64
    return x - (1 << 64) if x >> 63 else x


def wrap(t: int, x: int) -> int:
    """The value of type `t` that the low bits of `x` are."""
    if t == I64:
        return s64(x)
    if t == I32:
        return s32(x)
    return x if t == INT else x & M64


def trunc_div(a: int, b: int) -> int:
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


def float_of_bits(bits: int) -> float:
    x: float = struct.unpack("<d", (bits & M64).to_bytes(8, "little"))[0]
    return x


def bits_of_float(x: float) -> int:
    return int.from_bytes(struct.pack("<d", x), "little")


def _fdiv(a: float, b: float) -> float:
    if b == 0.0:
        if a != a or b != b or a == 0.0:
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)
    return a / b


def _f2i(x: float) -> int:
    if x != x or x >= 9223372036854775808.0 or x < -9223372036854775808.0:
        return MIN64
    return int(x)


def _width(v: Value) -> int:
    return 32 if v.args[0].type == I32 else 64


def _unsigned(v: Value, x: int) -> int:
    return x & (M32 if v.args[0].type == I32 else M64)


def _shift(v: Value, n: int) -> int:
    return n & (31 if v.type == I32 else 63)


def _cmp_same(a: Any, b: Any) -> bool:
    return bool(a == b)


def _ov(x: int) -> int:
    return 0 if MIN64 <= x <= MAX64 else 1


def _udiv(v: Value, a: int, b: int) -> int:
    return _unsigned(v, a) // _unsigned(v, b)


def _urem(v: Value, a: int, b: int) -> int:
    return _unsigned(v, a) % _unsigned(v, b)


def _clz(a: int) -> int:
    return 64 - (a & M64).bit_length()


def _ctz(a: int) -> int:
    a &= M64
    return (a & -a).bit_length() - 1 if a else 64


# Pure ops with integer arguments: (value, arguments...) -> unwrapped result.
_INTS: Final[dict[str, Callable[..., Any]]] = {
    "add": lambda v, a, b: a + b,
    "sub": lambda v, a, b: a - b,
    "mul": lambda v, a, b: a * b,
    "sdiv": lambda v, a, b: trunc_div(a, b),
    "srem": lambda v, a, b: a - trunc_div(a, b) * b,
    "udiv": _udiv,
    "urem": _urem,
    "neg": lambda v, a: -a,
    "and": lambda v, a, b: a & b,
    "or": lambda v, a, b: a | b,
    "xor": lambda v, a, b: a ^ b,
    "not": lambda v, a: ~a,
    "shl": lambda v, a, n: a << _shift(v, n),
    "shr": lambda v, a, n: _unsigned(v, a) >> _shift(v, n),
    "sar": lambda v, a, n: a >> _shift(v, n),
    "umulh": lambda v, a, b: (a & M64) * (b & M64) >> 64,
    "clz": lambda v, a: _clz(a),
    "ctz": lambda v, a: _ctz(a),
    "popcnt": lambda v, a: (a & M64).bit_count(),
    "addov": lambda v, a, b: _ov(a + b),
    "subov": lambda v, a, b: _ov(a - b),
    "mulov": lambda v, a, b: _ov(a * b),
    "eq": lambda v, a, b: _cmp_same(a, b),
    "ne": lambda v, a, b: not _cmp_same(a, b),
    "slt": lambda v, a, b: a < b,
    "sle": lambda v, a, b: a <= b,
    "ult": lambda v, a, b: _unsigned(v, a) < _unsigned(v, b),
    "ule": lambda v, a, b: _unsigned(v, a) <= _unsigned(v, b),
    "feq": lambda v, a, b: a == b,
    "fne": lambda v, a, b: a != b,
    "flt": lambda v, a, b: a < b,
    "fle": lambda v, a, b: a <= b,
    "fadd": lambda v, a, b: a + b,
    "fsub": lambda v, a, b: a - b,
    "fmul": lambda v, a, b: a * b,
    "fdiv": lambda v, a, b: _fdiv(a, b),
    "fneg": lambda v, a: -a,
    "fabs": lambda v, a: abs(a),
    "fsqrt": lambda v, a: math.sqrt(a) if a >= 0.0 else (a if a == 0.0 else math.nan),
    "i2f": lambda v, a: float(a),
    "f2i": lambda v, a: _f2i(a),
    "fbits": lambda v, a: bits_of_float(a),
    "bitsf": lambda v, a: float_of_bits(a),
    "sext32": lambda v, a: a,
    "zext32": lambda v, a: a & M32,
    "trunc32": lambda v, a: a,
    "cast": lambda v, a: a,
    "select": lambda v, c, a, b: a if c else b,
    "toint": lambda v, a: a,
    "fromint": lambda v, a: max(MIN64, min(MAX64, a)),
    "int2f": lambda v, a: _int2f(a),
    "f2int": lambda v, a: int(a),
}

# Loads and stores: bytes, signed.
_WIDTHS: Final = {
    "ld8u": (1, False), "ld8s": (1, True), "ld16u": (2, False), "ld16s": (2, True), "ld32u": (4, False),
    "ld32s": (4, True), "st8": (1, False), "st16": (2, False), "st32": (4, False),
}  # fmt: skip


def _int2f(a: int) -> float:
    try:
        return float(a)
    except OverflowError:
        return math.inf if a > 0 else -math.inf


class Machine:
    """Memory and functions of one run.  `steps` bounds the number of values computed."""

    def __init__(self, module: Module, externs: dict[str, Extern] | None = None, steps: int = 10_000_000) -> None:
        self.module = module
        self.externs = externs or {}
        self.steps = steps
        self.memory = bytearray()
        self.funcs: dict[str, Func] = {fn.sym.name: fn for fn in module.funcs}
        self.addresses: dict[str, int] = {}
        self.code: list[FuncSym] = []
        self.bigints: list[int] = []
        self.depth = 0
        for d in module.data:
            self.addresses[d.name] = self.allocate(max(d.size, 1), d.align)
        for d in module.data:
            at = self.addresses[d.name] - BASE
            data = bytes(d.data or b"")
            self.memory[at : at + len(data)] = data
            for off, (sym, add) in d.items.items():
                self.store(at + BASE + off, 8, self.address(sym) + add)
        handlers: dict[str, Callable[[Machine, Value, list[Any]], Any]] = {
            "ld": Machine._ld,
            "st": Machine._st,
            "totag": lambda m, v, a: m.to_tag(a[0]),
            "untag": lambda m, v, a: m.of_tag(a[0]),
        }
        self.handlers = [handlers.get(name) for name in OP_NAMES]

    # -- memory

    def allocate(self, size: int, align: int = 8) -> int:
        """Zeroed memory; its address."""
        at = -(-len(self.memory) // align) * align
        self.memory.extend(bytes(at + size - len(self.memory)))
        return BASE + at

    def check(self, address: int, size: int) -> int:
        at = address - BASE
        if at < 0 or at + size > len(self.memory):
            raise InterpError(f"access to {address:#x} outside memory")
        return at

    def load(self, address: int, size: int, signed: bool = False) -> int:
        at = self.check(address, size)
        return int.from_bytes(self.memory[at : at + size], "little", signed=signed)

    def store(self, address: int, size: int, x: int) -> None:
        at = self.check(address, size)
        self.memory[at : at + size] = (x & ((1 << 8 * size) - 1)).to_bytes(size, "little")

    def address(self, sym: FuncSym | DataSym) -> int:
        """Where a symbol is."""
        at = self.addresses.get(sym.name)
        if at is None:
            if isinstance(sym, DataSym):
                raise InterpError(f"{sym!r} is not defined")
            at = self.addresses[sym.name] = CODE_BASE + 16 * len(self.code)
            self.code.append(sym)
        return at

    def _ld(self, v: Value, a: list[Any]) -> Any:
        t = v.type
        if t == F64:
            return float_of_bits(self.load(a[0] + v.imm, 8))
        return wrap(t, self.load(a[0] + v.imm, 4 if t == I32 else 8))

    def _st(self, v: Value, a: list[Any]) -> None:
        t = v.args[1].type
        x = bits_of_float(a[1]) if t == F64 else a[1]
        self.store(a[0] + v.imm, 4 if t == I32 else 8, x)

    def to_tag(self, n: int) -> int:
        """The tag of an int; one beyond 63 bits becomes a numbered object of the interpreter."""
        if -(1 << 62) <= n < 1 << 62:
            return (2 * n + 1) & M64
        self.bigints.append(n)
        return (1 << 60) + 8 * (len(self.bigints) - 1)

    def of_tag(self, t: int) -> int:
        if t & 1:
            return s64(t) >> 1
        i = (t - (1 << 60)) // 8
        if not 0 <= i < len(self.bigints):
            raise InterpError(f"tag {t:#x} is not an int")
        return self.bigints[i]

    # -- running

    def call(self, name: str, args: list[Any]) -> Any:
        """Call a function by name with Python values; None when it returns nothing."""
        fn = self.funcs.get(name)
        if fn is not None:
            return self.run(fn, args)
        extern = self.externs.get(name)
        if extern is None:
            raise InterpError(f"@{name} is not defined")
        return extern(self, args)

    def call_address(self, address: int, args: list[Any]) -> Any:
        i, rest = divmod(address - CODE_BASE, 16)
        if rest or not 0 <= i < len(self.code):
            raise InterpError(f"call of {address:#x}, which is no function")
        return self.call(self.code[i].name, args)

    def run(self, fn: Func, args: list[Any]) -> Any:
        """Execute a function."""
        self.depth += 1
        if self.depth > 150:  # of Python's own recursion limit
            self.depth = 0
            raise InterpError("calls nest too deeply")
        regs: list[Any] = [None] * fn.nvalues
        frame: dict[int, int] = {}
        b: Block | None = fn.blocks[0]
        incoming = args
        while b is not None:
            self.steps -= len(b.values) + 1
            if self.steps < 0:
                raise InterpError("too many steps")
            for p, x in zip(b.params, incoming, strict=True):
                regs[p.id] = x
            for v in b.values:
                regs[v.id] = self.value(v, [regs[a.id] for a in v.args], frame)
            term = b.term
            if term == JUMP:
                i = 0
            elif term == BRIF:
                i = 0 if regs[b.targs[0].id] else 1
            elif term == SWITCH:
                x = regs[b.targs[0].id]
                i = b.cases.index(x) if x in b.cases else len(b.cases)
            elif term == RET:
                self.depth -= 1
                return regs[b.targs[0].id] if b.targs else None
            else:
                raise InterpError("trap")
            incoming = [regs[a.id] for a in b.sargs[i]]
            b = b.succs[i]

    def value(self, v: Value, args: list[Any], frame: dict[int, int]) -> Any:
        op = v.op
        t = v.type
        fn = _TABLE[op]
        if fn is not None:
            if op in _DIVISIONS and not args[1]:
                raise InterpError("division by zero")
            r = fn(v, *args)
            return float(r) if t == F64 else wrap(t, int(r))
        size = _SIZES[op]
        if size is not None:
            if len(args) == 2:
                return self.store(args[0] + v.imm, size[0], args[1])
            return self.load(args[0] + v.imm, size[0], size[1])
        handler = self.handlers[op]
        if handler is not None:
            return handler(self, v, args)
        if op == ICONST:
            return wrap(t, v.imm)
        if op == FCONST:
            return float_of_bits(v.imm)
        if op == SYMADDR:
            return (self.address(v.sym) + v.imm) & M64
        if op == CALL:
            return self.call(v.sym.name, args)
        if op == CALLI:
            return self.call_address(args[0], args[1:])
        if op == ALLOC:
            p = self.allocate(v.imm)
            if v.sym is not None:
                self.store(p, 8, self.address(v.sym))
            return p
        if op == ALLOCA:  # one place per activation
            at = frame.get(v.id)
            if at is None:
                at = frame[v.id] = self.allocate(v.imm, 16)
            return at
        raise InterpError(f"no meaning for {OP_NAMES[op]}")


_TABLE: Final = [_INTS.get(name) for name in OP_NAMES]
_SIZES: Final = [_WIDTHS.get(name) for name in OP_NAMES]
_DIVISIONS: Final = frozenset(OP_BY_NAME[n] for n in ("sdiv", "srem", "udiv", "urem"))
