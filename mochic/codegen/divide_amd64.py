"""Division by constants on amd64.

A quotient is the upper word of a product with a scaled reciprocal, then shifted: Warren, Hacker's Delight, 2nd
edition, chapter 10 (signed: 10-1, unsigned: 10-9), after Granlund and Montgomery, "Division by Invariant
Integers using Multiplication" (PLDI 1994).  Powers of two are shifts, with a correction for negative dividends.
"""

from __future__ import annotations

from typing import Final

from backend.obj.prog import Addr
from backend.x86.ops import (
    AADDL, AADDQ, AANDL, AANDQ, AIMUL3L, AIMUL3Q, AIMULL, AIMULQ, ALEAL, ALEAQ, AMOVL, AMOVQ, AMULL, AMULQ, ANEGL,
    ANEGQ, ASARL, ASARQ, ASHLL, ASHLQ, ASHRL, ASHRQ, ASUBL, ASUBQ,
)  # fmt: skip
from backend.x86.regs import AX, DX
from mochic.codegen.isel import M_DEF, SelectorBase, Special, imm
from mochic.ir.func import Value
from mochic.ir.types import I32, I64

M64: Final = (1 << 64) - 1
# An instruction in the making: opcode, operands, mark (isel.py).
Item = tuple[int, list[Addr], int]
_OPS64: Final = (AMOVQ, ALEAQ, AADDQ, ASUBQ, ANEGQ, ASHLQ, ASHRQ, ASARQ)
_OPS32: Final = (AMOVL, ALEAL, AADDL, ASUBL, ANEGL, ASHLL, ASHRL, ASARL)


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


class Divider(SelectorBase):
    """The part of the selector that divides by constants; `items` are instructions in program order."""

    __slots__ = ()

    def seq(self, items: list[Item], pos: int) -> None:
        constants = self.pend  # operands of several instructions: they stand before all
        self.pend = []
        for as_, args, mark in reversed(items):
            self.emit(as_, args, mark, pos)
        self.out += constants

    def high(self, x: Addr, m: int, wide: bool, signed: bool, items: list[Item]) -> Addr:
        """The upper word of x * m."""
        t = self.temp()
        h = self.temp()
        items.append((AMOVQ if wide else AMOVL, [imm(m), t], M_DEF))
        s = Special([(x, AX)], [(h.reg, DX)], (AX, DX))
        opcode = (AIMULQ if signed else AMULQ) if wide else (AIMULL if signed else AMULL)
        items.append((opcode, [t], self.special(s)))
        return h

    def sdiv_items(self, x: Addr, d: int, wide: bool, items: list[Item], out: Addr | None) -> Addr:
        """x / d truncating, into `out` or a scratch register."""
        mov, lea, add, sub, neg, shl, shr, sar = _OPS64 if wide else _OPS32
        bits = 64 if wide else 32
        del lea, shl
        q = out if out is not None else self.temp(I64 if wide else I32)
        if d == 1:
            items.append((mov, [x, q], M_DEF))
            return q
        if d == -1:
            items.append((neg, [q], x.reg))
            return q
        ad = abs(d)
        if not ad & (ad - 1):
            # Round toward zero: add 2^k - 1 to negative numbers first (Hacker's Delight, 10-1).
            k = ad.bit_length() - 1
            t = self.temp()
            if k == 1:
                items.append((shr, [imm(bits - 1), t], x.reg))
            else:
                t1 = self.temp()
                items.append((sar, [imm(bits - 1), t1], x.reg))
                items.append((shr, [imm(bits - k), t], t1.reg))
            t2 = self.temp()
            items.append((add, [x, t2], t.reg))
            if d > 0:
                items.append((sar, [imm(k), q], t2.reg))
            else:
                t3 = self.temp()
                items.append((sar, [imm(k), t3], t2.reg))
                items.append((neg, [q], t3.reg))
            return q
        m, s = magic_signed(d, bits)
        h = self.high(x, m, wide, True, items)
        if d > 0 > m:
            t = self.temp()
            items.append((add, [x, t], h.reg))
            h = t
        elif d < 0 < m:
            t = self.temp()
            items.append((sub, [x, t], h.reg))
            h = t
        if s:
            t = self.temp()
            items.append((sar, [imm(s), t], h.reg))
            h = t
        # Add one to a negative quotient: the sign bit of x, negated with d.
        t = self.temp()
        items.append((shr, [imm(bits - 1), t], h.reg))
        items.append((add, [t, q], h.reg))
        return q

    def udiv_items(self, x: Addr, d: int, wide: bool, items: list[Item], out: Addr | None) -> Addr:
        mov, lea, add, sub, neg, shl, shr, sar = _OPS64 if wide else _OPS32
        del lea, neg, shl, sar
        bits = 64 if wide else 32
        q = out if out is not None else self.temp(I64 if wide else I32)
        if d == 1:
            items.append((mov, [x, q], M_DEF))
            return q
        if not d & (d - 1):
            items.append((shr, [imm(d.bit_length() - 1), q], x.reg))
            return q
        m, s = magic_unsigned(d, bits)
        if m >> bits == 0:
            h = self.high(x, m - (1 << bits) if m >> (bits - 1) else m, wide, False, items)
            items.append((shr, [imm(s), q], h.reg) if s else (mov, [h, q], M_DEF))
            return q
        # A multiplier of bits + 1 bits: q = (((x - h) >> 1) + h) >> (s - 1) with h from its low bits.
        m -= 1 << bits
        h = self.high(x, m - (1 << bits) if m >> (bits - 1) else m, wide, False, items)
        t = self.temp()
        items.append((sub, [h, t], x.reg))
        t2 = self.temp()
        items.append((shr, [imm(1), t2], t.reg))
        t3 = self.temp()
        items.append((add, [h, t3], t2.reg))
        items.append((shr, [imm(s - 1), q], t3.reg) if s > 1 else (mov, [t3, q], M_DEF))
        return q

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
        mov, lea, add, sub, neg, shl, shr, sar = _OPS64 if wide else _OPS32
        del lea, neg, shl
        bits = 64 if wide else 32
        ad = abs(c)
        items: list[Item] = []
        d = self.dst(v)
        if ad == 1:
            self.emit(mov, [imm(0), d], M_DEF, v.pos)
            return
        a = self.use(x)
        if not ad & (ad - 1) and ad <= 1 << 31:
            # x - ((x + bias) & -2^k), bias = 2^k - 1 for negative x: the sign of the result is that of x.
            k = ad.bit_length() - 1
            t = self.temp()
            if k == 1:
                items.append((shr, [imm(bits - 1), t], a.reg))
            else:
                t1 = self.temp()
                items.append((sar, [imm(bits - 1), t1], a.reg))
                items.append((shr, [imm(bits - k), t], t1.reg))
            t2 = self.temp()
            items.append((add, [a, t2], t.reg))
            t3 = self.temp()
            items.append((AANDQ if wide else AANDL, [imm(-ad), t3], t2.reg))
            items.append((sub, [t3, d], a.reg))
        else:
            q = self.sdiv_items(a, c, wide, items, None)
            self.times(q, c, wide, items, a, d)
        self.seq(items, v.pos)

    def times(self, q: Addr, c: int, wide: bool, items: list[Item], x: Addr, d: Addr) -> None:
        """d = x - q * c"""
        t = self.temp()
        if -0x80000000 <= c <= 0x7FFFFFFF:
            items.append((AIMUL3Q if wide else AIMUL3L, [imm(c), q, t], M_DEF))
        elif wide:
            t1 = self.temp()
            items.append((AMOVQ, [imm(c), t1], M_DEF))
            items.append((AIMULQ, [t1, t], q.reg))
        else:
            items.append((AIMUL3L, [imm(((c + 0x80000000) & 0xFFFFFFFF) - 0x80000000), q, t], M_DEF))
        items.append((ASUBQ if wide else ASUBL, [t, d], x.reg))

    def urem_const(self, v: Value, x: Value, c: int) -> None:
        wide = v.type == I64
        c &= M64 if wide else 0xFFFFFFFF
        items: list[Item] = []
        d = self.dst(v)
        if c == 1:
            self.emit(AMOVL, [imm(0), d], M_DEF, v.pos)
            return
        a = self.use(x)
        if not c & (c - 1) and c <= 1 << 31:
            items.append((AANDL, [imm(c - 1), d], a.reg))
        else:
            q = self.udiv_items(a, c, wide, items, None)
            self.times(q, c - (1 << 64) if c >> 63 else c, wide, items, a, d)
        self.seq(items, v.pos)
