"""Operators on values of unknown kind: the common kinds inline, the others by a call.

    r = call dyn_add(x, y)
 =>
    brif (x & y & 1), small, slow        both are small ints: tags 2n + 1
    small: s = x + (y - 1); brif overflow, slow, done(s)
    slow:  c = call dyn_add(x, y); jump done(c)
    done(r):

A comparison with a constant asks the other side what it is and compares at once: small ints by their words, texts by
`str_eq`, doubles by themselves.  Where one operand is an int whose tag is made on the spot, value numbering folds the
test of its lowest bit, so what remains is the test of the other.

The pass runs when ints have their representations and before the first value numbering.
"""

from __future__ import annotations

from struct import unpack_from
from typing import Final

from mochic.ir.floats import float_bits, float_of
from mochic.ir.func import Block, DataSym, Func, Value
from mochic.ir.ops import (
    ADD, ADDOV, AND, BRIF, CALL, CAST, EQ, FCONST, FEQ, I2F, ICONST, JUMP, LD, MUL, MULOV, OR, SAR, SDIV, SLE, SLT,
    SREM, SUB, SUBOV, SYMADDR,
)  # fmt: skip
from mochic.ir.rtabi import RUNTIME
from mochic.ir.types import F64, I32, I64, PTR, REF, TAG
from mochic.layout import Layout
from mochic.opt.jumpthread import replace

_ARITHMETIC: Final = {"dyn_add": (ADD, ADDOV), "dyn_sub": (SUB, SUBOV), "dyn_mul": (MUL, MULOV)}
_DIVISION: Final = {"dyn_div": SDIV, "dyn_rem": SREM}
_ORDER: Final = {"dyn_lt": SLT, "dyn_le": SLE}
_NAMES: Final = {RUNTIME[name]: name for name in (*_ARITHMETIC, *_DIVISION, *_ORDER, "dyn_eq")}

EXACT: Final = 1 << 53  # below this an int and the double nearest to it are equal or not as the numbers are
MAX_SITES: Final = 200  # in one function


class Kinds:
    """The descriptors that tell a string and a double, and where a double is in its object."""

    __slots__ = ("string", "double", "value", "layout")

    def __init__(self, string: DataSym, double: DataSym, layout: Layout) -> None:
        self.string = string
        self.double = double
        self.value = layout.float_value
        self.layout = layout

    def bits_of(self, sym: DataSym) -> int:
        """The bits of the double in a static object."""
        assert sym.data is not None
        bits: int = unpack_from(self.layout.prefix + "Q", sym.data, self.value)[0]
        return bits


def run(fn: Func, kinds: Kinds) -> bool:
    """Expand the operators in a function's hot blocks; tells whether there were any."""
    work = [b for b in fn.blocks if not b.cold]
    subst: dict[int, Value] = {}
    sites = 0
    while work:
        b = work.pop()
        for i, v in enumerate(b.values):
            if v.op != CALL or v.sym not in _NAMES or sites >= MAX_SITES:
                continue
            sites += 1
            name = _NAMES[v.sym]
            if name == "dyn_eq" and not _constant(v.args[0]) and _constant(v.args[1]):
                v.args = [v.args[1], v.args[0]]  # equality takes either order
            e = _Expansion(fn, b, i, kinds)
            if name in _ARITHMETIC:
                e.arithmetic(*_ARITHMETIC[name])
            elif name in _DIVISION:
                e.division(_DIVISION[name])
            elif name in _ORDER:
                e.order(_ORDER[name])
            else:
                e.equality()
            subst[v.id] = e.done.params[0]
            work.append(e.done)
            break
    if subst:
        replace(fn, subst)
    return bool(subst)


def _constant(v: Value) -> bool:
    while v.op == CAST:
        v = v.args[0]
    return v.op in (ICONST, SYMADDR)


class _Expansion:
    """One call on its way to blocks: `cur` is written to, `slow` has the call, `done` what comes behind it."""

    __slots__ = ("fn", "kinds", "x", "y", "pos", "type", "cur", "slow", "done")

    def __init__(self, fn: Func, b: Block, at: int, kinds: Kinds) -> None:
        call = b.values[at]
        self.fn = fn
        self.kinds = kinds
        self.x, self.y = call.args
        self.pos = call.pos
        self.type = call.type
        self.done = done = fn.cut(b, at)
        fn.new_param(done, call.type).pos = call.pos
        self.slow = slow = fn.new_block()
        again = fn.new_value(CALL, call.type, list(call.args), call.imm, call.sym, call.pos)
        slow.values = [again]
        slow.term, slow.succs, slow.sargs, slow.pos = JUMP, [done], [[again]], call.pos
        self.cur = b

    def emit(self, op: int, type: int, args: list[Value], imm: int = 0, sym: object = None) -> Value:
        v = self.fn.new_value(op, type, args, imm, sym, self.pos)
        self.cur.values.append(v)
        return v

    def word(self, n: int) -> Value:
        return self.emit(ICONST, I64, [], n)

    def jump(self, to: Block, args: list[Value]) -> None:
        b = self.cur
        b.term, b.targs, b.succs, b.sargs, b.hint, b.pos = JUMP, [], [to], [args], 0, self.pos

    def branch(self, c: Value, no: Block, hint: int = 0, args: list[Value] | None = None) -> None:
        """Go on in a new block if c is true, else to `no`."""
        b = self.cur
        self.cur = self.fn.new_block()
        b.term, b.targs, b.succs, b.sargs, b.hint, b.pos = BRIF, [c], [self.cur, no], [[], args or []], hint, self.pos

    def both_small(self) -> tuple[Value, Value]:
        """Go on where both operands are small ints; gives their tags as words."""
        x, y = self.emit(CAST, I64, [self.x]), self.emit(CAST, I64, [self.y])
        bit = self.emit(AND, I64, [self.emit(AND, I64, [x, y]), self.word(1)])
        self.branch(self.emit(EQ, I32, [bit, self.word(1)]), self.slow)
        return x, y

    def unless_overflow(self, op: int, x: Value, y: Value) -> None:
        overflow = self.emit(op, I32, [x, y])
        self.branch(self.emit(EQ, I32, [overflow, self.emit(ICONST, I32, [])]), self.slow, 1)

    def arithmetic(self, op: int, overflows: int) -> None:
        x, y = self.both_small()
        even = self.emit(SUB, I64, [y, self.word(1)])
        if op == MUL:
            x = self.emit(SAR, I64, [x, self.word(1)])
        r = self.emit(op, I64, [x, even])
        self.unless_overflow(overflows, x, even)
        if op == MUL:
            r = self.emit(OR, I64, [r, self.word(1)])
        self.jump(self.done, [self.emit(CAST, TAG, [r])])

    def division(self, op: int) -> None:
        """By what is more than zero: no error, and no quotient that a tag cannot hold."""
        x, y = self.both_small()
        a, b = self.emit(SAR, I64, [x, self.word(1)]), self.emit(SAR, I64, [y, self.word(1)])
        self.branch(self.emit(SLT, I32, [self.word(0), b]), self.slow, 1)
        q = self.emit(op, I64, [a, b], 1)
        shifted = self.emit(ADD, I64, [q, q])
        self.jump(self.done, [self.emit(CAST, TAG, [self.emit(OR, I64, [shifted, self.word(1)])])])

    def order(self, op: int) -> None:
        x, y = self.both_small()
        self.jump(self.done, [self.emit(op, I32, [x, y])])

    # -- equality -------------------------------------------------------------------------------

    def equality(self) -> None:
        c = self.x
        while c.op == CAST:
            c = c.args[0]
        if c.op == ICONST:
            self.equal_word()
        elif c.op == SYMADDR and isinstance(c.sym, DataSym) and not c.imm and c.sym.data is not None:
            desc = c.sym.items.get(0)
            if desc is not None and desc[0] is self.kinds.double:
                self.equal_double(c.sym)
            elif desc is not None and desc[0] is self.kinds.string:
                self.equal_text()
            else:
                self.jump(self.slow, [])
        else:
            x, y = self.both_small()
            self.jump(self.done, [self.emit(EQ, I32, [x, y])])

    def truth(self, n: int) -> Value:
        return self.emit(ICONST, I32, [], n)

    def equal_word(self) -> None:
        """x is null, a bool or a small int.  Only a small int has an equal that is another word: a double."""
        x, y = self.emit(CAST, I64, [self.x]), self.emit(CAST, I64, [self.y])
        c = self.x
        while c.op == CAST:
            c = c.args[0]
        if not c.imm & 1:
            self.jump(self.done, [self.emit(EQ, I32, [x, y])])
            return
        small = self.fn.new_block()
        n = c.imm >> 1
        if abs(n) < EXACT:
            obj = self.object_of(self.kinds.double, small)
            value = self.emit(LD, F64, [obj], self.kinds.value)
            self.jump(self.done, [self.emit(FEQ, I32, [value, self.emit(FCONST, F64, [], float_bits(float(n)))])])
        else:
            bit = self.emit(AND, I64, [y, self.word(1)])
            self.branch(self.emit(EQ, I32, [bit, self.word(0)]), small)
            self.jump(self.slow, [])
        self.cur = small
        self.jump(self.done, [self.emit(EQ, I32, [x, y])])

    def object_of(self, desc: DataSym, other: Block) -> Value:
        """Go on where y is an object with the descriptor; small ints go to `other`, null and bools are unequal."""
        y = self.emit(CAST, I64, [self.y])
        low = self.emit(AND, I64, [y, self.word(1)])
        self.branch(self.emit(EQ, I32, [low, self.word(0)]), other)
        low = self.emit(AND, I64, [y, self.word(7)])
        self.branch(self.emit(EQ, I32, [low, self.word(0)]), self.done, 0, [self.truth(0)])
        zero = self.emit(EQ, I32, [y, self.word(0)])
        self.branch(self.emit(EQ, I32, [zero, self.truth(0)]), self.done, 1, [self.truth(0)])
        obj = self.emit(CAST, REF, [self.y])
        here = self.emit(LD, PTR, [obj])
        self.branch(self.emit(EQ, I32, [here, self.emit(SYMADDR, PTR, [], 0, desc)]), self.slow)
        return obj

    def equal_text(self) -> None:
        """A small int is no text."""
        no = self.fn.new_block()
        obj = self.object_of(self.kinds.string, no)
        text = self.emit(CAST, REF, [self.x])
        self.jump(self.done, [self.emit(CALL, I32, [text, obj], 0, RUNTIME["str_eq"])])
        self.cur = no
        self.jump(self.done, [self.truth(0)])

    def equal_double(self, sym: DataSym) -> None:
        """A small int is compared as the double nearest to it, exact where the constant is below 2^53."""
        bits = self.kinds.bits_of(sym)
        if not abs(float_of(bits)) < EXACT:
            self.jump(self.slow, [])
            return
        integer = self.fn.new_block()
        obj = self.object_of(self.kinds.double, integer)
        value = self.emit(LD, F64, [obj], self.kinds.value)
        self.jump(self.done, [self.emit(FEQ, I32, [value, self.emit(FCONST, F64, [], bits)])])
        self.cur = integer
        n = self.emit(SAR, I64, [self.emit(CAST, I64, [self.y]), self.word(1)])
        self.jump(self.done, [self.emit(FEQ, I32, [self.emit(I2F, F64, [n]), self.emit(FCONST, F64, [], bits)])])
