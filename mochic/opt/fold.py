"""Constant folding: what an op gives for constant operands, bit for bit as the machine does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mochic.ir.floats import float_bits, float_of
from mochic.ir.func import Value
from mochic.ir.ops import (
    ADD, ADDOV, AND, BITSF, CAST, CLZ, CTZ, EQ, FABS, FADD, FBITS, FCONST, FEQ, FLE, FLT, FMUL, FNE, FNEG, FSUB, I2F,
    ICONST, IS_BOOL, MUL, MULOV, NE, NEG, NOT, OR, POPCNT, SAR, SDIV, SEXT32, SHL, SHR, SLE, SLT, SREM, SUB, SUBOV,
    TRUNC32, UDIV, ULE, ULT, UMULH, UREM, XOR, ZEXT32,
)  # fmt: skip
from mochic.ir.types import F64, I32

M64: Final = (1 << 64) - 1


def wrap(n: int, type: int) -> int:
    """n as a signed number of the type's width."""
    if type == I32:
        return ((n + 0x80000000) & 0xFFFFFFFF) - 0x80000000
    return ((n + (1 << 63)) & M64) - (1 << 63)


def isconst(v: Value) -> bool:
    return v.op == ICONST


def isbool(v: Value) -> bool:
    """The value is 0 or 1."""
    return v.op >= 0 and IS_BOOL[v.op]


# Comparisons and their negations: (op, whether the operands change places)
_INVERSE: Final = {EQ: (NE, False), NE: (EQ, False), SLT: (SLE, True), SLE: (SLT, True), ULT: (ULE, True),
                   ULE: (ULT, True), FEQ: (FNE, False), FNE: (FEQ, False)}  # fmt: skip


def inverted(v: Value) -> bool:
    return v.op in _INVERSE


def invert(v: Value, make: Callable[..., Value]) -> Value:
    op, swap = _INVERSE[v.op]
    a, b = v.args
    return make(op, I32, [b, a] if swap else [a, b], 0)


def _bits(type: int) -> int:
    return 32 if type == I32 else 64


def _unsigned(n: int, type: int) -> int:
    return n & 0xFFFFFFFF if type == I32 else n & M64


def _div(a: int, b: int) -> int | None:
    if b == 0:
        return None
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


def _rem(a: int, b: int) -> int | None:
    q = _div(a, b)
    return None if q is None else a - q * b


def _over(n: int, t: int) -> int:
    return int(n != wrap(n, t))


# Integer ops: (a, b, type of the operands) -> result before wrapping, None: leave it
_INT2: Final[dict[int, Callable[[int, int, int], int | None]]] = {
    ADD: lambda a, b, t: a + b,
    SUB: lambda a, b, t: a - b,
    MUL: lambda a, b, t: a * b,
    SDIV: lambda a, b, t: _div(a, b),
    SREM: lambda a, b, t: _rem(a, b),
    UDIV: lambda a, b, t: _unsigned(a, t) // _unsigned(b, t) if b else None,
    UREM: lambda a, b, t: _unsigned(a, t) % _unsigned(b, t) if b else None,
    AND: lambda a, b, t: a & b,
    OR: lambda a, b, t: a | b,
    XOR: lambda a, b, t: a ^ b,
    SHL: lambda a, b, t: a << (b & _bits(t) - 1),
    SHR: lambda a, b, t: _unsigned(a, t) >> (b & _bits(t) - 1),
    SAR: lambda a, b, t: a >> (b & _bits(t) - 1),
    UMULH: lambda a, b, t: _unsigned(a, t) * _unsigned(b, t) >> 64,
    ADDOV: lambda a, b, t: _over(a + b, t),
    SUBOV: lambda a, b, t: _over(a - b, t),
    MULOV: lambda a, b, t: _over(a * b, t),
    EQ: lambda a, b, t: int(a == b),
    NE: lambda a, b, t: int(a != b),
    SLT: lambda a, b, t: int(a < b),
    SLE: lambda a, b, t: int(a <= b),
    ULT: lambda a, b, t: int(_unsigned(a, t) < _unsigned(b, t)),
    ULE: lambda a, b, t: int(_unsigned(a, t) <= _unsigned(b, t)),
}
_INT1: Final[dict[int, Callable[[int, int], int]]] = {
    NEG: lambda a, t: -a,
    NOT: lambda a, t: ~a,
    CLZ: lambda a, t: _bits(t) - _unsigned(a, t).bit_length(),
    CTZ: lambda a, t: (_unsigned(a, t) & -_unsigned(a, t)).bit_length() - 1 if a else _bits(t),
    POPCNT: lambda a, t: _unsigned(a, t).bit_count(),
    SEXT32: lambda a, t: wrap(a, I32),
    ZEXT32: lambda a, t: a & 0xFFFFFFFF,
    TRUNC32: lambda a, t: wrap(a, I32),
    CAST: lambda a, t: a,
    BITSF: lambda a, t: a & M64,
    I2F: lambda a, t: float_bits(float(a)),
}
_FLOAT2: Final[dict[int, Callable[[float, float], float]]] = {
    FADD: lambda a, b: a + b,
    FSUB: lambda a, b: a - b,
    FMUL: lambda a, b: a * b,
}
_FLOATCMP: Final[dict[int, Callable[[float, float], bool]]] = {
    FEQ: lambda a, b: a == b,
    FNE: lambda a, b: a != b,
    FLT: lambda a, b: a < b,
    FLE: lambda a, b: a <= b,
}


def fold(v: Value) -> tuple[int, int] | None:
    """(op of the constant, its imm) when all operands are constants and the result is known, else None."""
    args = v.args
    op = v.op
    a = args[0]
    if a.op == ICONST:
        t = a.type
        if len(args) == 1:
            f1 = _INT1.get(op)
            if f1 is None:
                return None
            r: Any = f1(a.imm, t)
            if v.type == F64:
                return FCONST, r
            return ICONST, wrap(r, v.type)
        b = args[1]
        if len(args) == 2 and b.op == ICONST:
            f2 = _INT2.get(op)
            if f2 is None:
                return None
            r = f2(wrap(a.imm, t), wrap(b.imm, b.type), t)
            return None if r is None else (ICONST, wrap(r, v.type))
    elif a.op == FCONST:
        x = float_of(a.imm)
        if op == FNEG:
            return FCONST, a.imm ^ (1 << 63)
        if op == FABS:
            return FCONST, a.imm & ~(1 << 63)
        if op == FBITS:
            return ICONST, wrap(a.imm, v.type)
        if len(args) == 2 and args[1].op == FCONST:
            y = float_of(args[1].imm)
            fc = _FLOATCMP.get(op)
            if fc is not None:
                return ICONST, int(fc(x, y))
            ff = _FLOAT2.get(op)
            if ff is not None and x == x and y == y:
                z = ff(x, y)
                if z == z:
                    return FCONST, float_bits(z)
    return None
