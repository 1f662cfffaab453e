"""Division by constants.

A quotient is the upper word of a product with a scaled reciprocal, then shifted: Warren, Hacker's Delight, 2nd
edition, chapter 10 (signed: 10-1, unsigned: 10-9), after Granlund and Montgomery, "Division by Invariant
Integers using Multiplication" (PLDI 1994).  Powers of two are shifts, with a correction for negative dividends.
"""

from __future__ import annotations

from typing import Final

from backend.obj.prog import Addr
from mochic.codegen.calls import Calls, Item
from mochic.codegen.machine import imm
from mochic.ir.func import Value
from mochic.ir.types import I32, I64

M64: Final = (1 << 64) - 1

# The operations that division is made of: out = a OP b, b a register or a constant.
D_ADD: Final = 0
D_SUB: Final = 1
D_AND: Final = 2
D_SHR: Final = 3
D_SAR: Final = 4
D_NEG: Final = 5  # out = -a
D_MOV: Final = 6  # out = b


def magic_signed(d: int, bits: int) -> tuple[int, int]:
    """(multiplier as a signed word, shift) for division by d, |d| >= 2 (Hacker's Delight, 10-1)."""
    two = 1 << (bits - 1)
    ad = abs(d)
    t = two + (1 if d < 0 else 0)
    anc = t - 1 - t % ad
    p = bits - 1
    while True:
        p += 1
        if (1 << p) > anc * (ad - (1 << p) % ad):
            break
    m = ((1 << p) + ad - (1 << p) % ad) // ad
    if d < 0:
        m = -m
    m &= (1 << bits) - 1
    return (m - (1 << bits) if m >> (bits - 1) else m), p - bits


def magic_unsigned(d: int, bits: int) -> tuple[int, int]:
    """(multiplier with up to bits + 1 bits, shift): n // d == n * m >> (bits + shift) for every word n."""
    p = (d - 1).bit_length()
    m = -(-(1 << (bits + p)) // d)
    # Halve while the multiplier stays exact, to get it into a word where possible.
    while p > 0 and not m & 1 and m >> bits:
        m >>= 1
        p -= 1
    return m, p


class Divider(Calls):
    """The part of the selector that divides by constants; `items` are instructions in program order."""

    __slots__ = ()

    # -- what a target provides

    def arith(self, kind: int, wide: bool, a: Addr, b: Addr, out: Addr) -> Item:
        """One operation on words (wide) or 32-bit words."""
        raise NotImplementedError

    def high(self, x: Addr, m: int, wide: bool, signed: bool, items: list[Item]) -> Addr:
        """The upper word of x * m."""
        raise NotImplementedError

    def times(self, q: Addr, c: int, wide: bool, items: list[Item], x: Addr, d: Addr) -> None:
        """d = x - q * c"""
        raise NotImplementedError

    # -- quotients

    def step(self, kind: int, wide: bool, a: Addr, b: Addr, items: list[Item]) -> Addr:
        """An operation into a scratch register."""
        t = self.temp(I64 if wide else I32)
        items.append(self.arith(kind, wide, a, b, t))
        return t

    def biased(self, x: Addr, k: int, wide: bool, items: list[Item]) -> Addr:
        """x, with 2^k - 1 added if it is negative: shifted by k it then rounds toward zero (Hacker's Delight, 10-1)."""
        bits = 64 if wide else 32
        if k == 1:
            t = self.step(D_SHR, wide, x, imm(bits - 1), items)
        else:
            t = self.step(D_SAR, wide, x, imm(bits - 1), items)
            t = self.step(D_SHR, wide, t, imm(bits - k), items)
        return self.step(D_ADD, wide, t, x, items)

    def sdiv_items(self, x: Addr, d: int, wide: bool, items: list[Item], out: Addr | None) -> Addr:
        """x / d truncating, into `out` or a scratch register."""
        bits = 64 if wide else 32
        q = out if out is not None else self.temp(I64 if wide else I32)
        if d == 1:
            items.append(self.arith(D_MOV, wide, x, x, q))
            return q
        if d == -1:
            items.append(self.arith(D_NEG, wide, x, x, q))
            return q
        ad = abs(d)
        if not ad & (ad - 1):
            k = ad.bit_length() - 1
            t = self.biased(x, k, wide, items)
            if d > 0:
                items.append(self.arith(D_SAR, wide, t, imm(k), q))
            else:
                t = self.step(D_SAR, wide, t, imm(k), items)
                items.append(self.arith(D_NEG, wide, t, t, q))
            return q
        m, s = magic_signed(d, bits)
        h = self.high(x, m, wide, True, items)
        if d > 0 > m:
            h = self.step(D_ADD, wide, h, x, items)
        elif d < 0 < m:
            h = self.step(D_SUB, wide, h, x, items)
        if s:
            h = self.step(D_SAR, wide, h, imm(s), items)
        # Add one to a negative quotient: the sign bit of x, negated with d.
        t = self.step(D_SHR, wide, h, imm(bits - 1), items)
        items.append(self.arith(D_ADD, wide, h, t, q))
        return q

    def udiv_items(self, x: Addr, d: int, wide: bool, items: list[Item], out: Addr | None) -> Addr:
        bits = 64 if wide else 32
        q = out if out is not None else self.temp(I64 if wide else I32)
        if d == 1:
            items.append(self.arith(D_MOV, wide, x, x, q))
            return q
        if not d & (d - 1):
            items.append(self.arith(D_SHR, wide, x, imm(d.bit_length() - 1), q))
            return q
        m, s = magic_unsigned(d, bits)
        if m >> bits == 0:
            h = self.high(x, m - (1 << bits) if m >> (bits - 1) else m, wide, False, items)
            items.append(self.arith(D_SHR, wide, h, imm(s), q) if s else self.arith(D_MOV, wide, h, h, q))
            return q
        # A multiplier of bits + 1 bits: q = (((x - h) >> 1) + h) >> (s - 1) with h from its low bits.
        m -= 1 << bits
        h = self.high(x, m - (1 << bits) if m >> (bits - 1) else m, wide, False, items)
        t = self.step(D_SUB, wide, x, h, items)
        t = self.step(D_SHR, wide, t, imm(1), items)
        t = self.step(D_ADD, wide, t, h, items)
        items.append(self.arith(D_SHR, wide, t, imm(s - 1), q) if s > 1 else self.arith(D_MOV, wide, t, t, q))
        return q

    # -- what rules call

    def sdiv_const(self, v: Value, x: Value, c: int) -> None:
        items: list[Item] = []
        self.sdiv_items(self.use(x), c, v.type == I64, items, self.dst(v))
        self.seq(items, v.pos)

    def udiv_const(self, v: Value, x: Value, c: int) -> None:
        items: list[Item] = []
        wide = v.type == I64
        self.udiv_items(self.use(x), c & (M64 if wide else 0xFFFFFFFF), wide, items, self.dst(v))
        self.seq(items, v.pos)

    def srem_const(self, v: Value, x: Value, c: int) -> None:
        wide = v.type == I64
        ad = abs(c)
        items: list[Item] = []
        d = self.dst(v)
        if ad == 1:
            self.seq([self.arith(D_MOV, wide, imm(0), imm(0), d)], v.pos)
            return
        a = self.use(x)
        if not ad & (ad - 1) and ad <= 1 << 31:
            # x - ((x + bias) & -2^k): the sign of the result is that of x.
            t = self.biased(a, ad.bit_length() - 1, wide, items)
            t = self.step(D_AND, wide, t, imm(-ad), items)
            items.append(self.arith(D_SUB, wide, a, t, d))
        else:
            q = self.sdiv_items(a, c, wide, items, None)
            self.times(q, c, wide, items, a, d)
        self.seq(items, v.pos)

    def urem_const(self, v: Value, x: Value, c: int) -> None:
        wide = v.type == I64
        c &= M64 if wide else 0xFFFFFFFF
        items: list[Item] = []
        d = self.dst(v)
        if c == 1:
            self.seq([self.arith(D_MOV, wide, imm(0), imm(0), d)], v.pos)
            return
        a = self.use(x)
        if not c & (c - 1) and c <= 1 << 31:
            items.append(self.arith(D_AND, wide, a, imm(c - 1), d))
        else:
            q = self.udiv_items(a, c, wide, items, None)
            self.times(q, c - (1 << 64) if c >> 63 else c, wide, items, a, d)
        self.seq(items, v.pos)
