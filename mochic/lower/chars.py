"""Characters: strings of one code point, which mostly are only compared.

`s[i]` and the variable of `for c in s` are made by `str_char(code)`, a call without effects that is dropped where
nothing needs the string.  What compares such a value, looks for it in a constant or appends it works on the code point,
which is a byte load where the text is ASCII; UTF-8 keeps the order of code points.  Comparisons with constants need no
call either: a short text is one word of a flat string (runtime/grow.mochi).
"""

from __future__ import annotations

from mochic.ir.func import Value
from mochic.ir.ops import (
    ADD, AND, CALL, EQ, LD, LD8U, OR, READONLY, SELECT, SHR, SLE, SLT, SUB, SYMADDR, TOINT, TRUNC32, ULT, UNTAG,
)  # fmt: skip
from mochic.ir.rtabi import RUNTIME
from mochic.ir.types import I32, I64, INT, PTR
from mochic.lower.fn import Fn
from mochic.lower.objects import checked_position, word_index
from mochic.lower.strings import string_part

_ASCII = 128
_CHAR = RUNTIME["str_char"]


def part(fn: Fn, s: Value, name: str) -> Value:
    """One of STRING_PARTS; what is known of a constant is a constant."""
    text = constant_text(fn, s)
    if text is not None:
        if name == "str_data":
            return fn.b.emit(ADD, PTR, [s, fn.i64(fn.layout.string_text)])
        return fn.i64(len(text) if name == "str_chars_of" else len(text.encode()))
    return string_part(fn.b, s, name, fn.layout, fn.m.runtime_data["desc.view"])


# -- characters of a string ------------------------------------------------------------------------


def char_at(fn: Fn, s: Value, index: Value) -> Value:
    """s[index]; the index is an INT."""
    b = fn.b
    n = part(fn, s, "str_chars_of")
    # What is the same in each round of a loop comes first.
    is_ascii = b.emit(EQ, I32, [part(fn, s, "str_len"), n])
    text = part(fn, s, "str_data")
    i = word_index(fn, index)
    at = checked_position(fn, i, index, n, lambda i: fn.panic("panic_str_index", fn.tag(index), n))
    ascii, wide, done = fn.new_block(), fn.new_block(True), fn.new_block()
    b.brif(is_ascii, ascii, wide, 1)
    b.start(ascii)
    b.write("#code", b.emit(LD8U, I64, [b.emit(ADD, PTR, [text, at])], 0, READONLY))
    b.jump(done)
    b.start(wide)
    b.write("#code", fn.call_runtime("str_code_at", s, at))
    b.jump(done)
    b.start(done)
    return fn.call_runtime("str_char", b.read("#code", I64))


def char_and_next(fn: Fn, s: Value, at: Value) -> tuple[Value, Value]:
    """The character at a byte offset, and the offset of the next one."""
    b = fn.b
    byte = b.emit(LD8U, I64, [b.emit(ADD, PTR, [part(fn, s, "str_data"), at])], 0, READONLY)
    b.write("#code", byte)
    b.write("#next", b.emit(ADD, I64, [at, fn.i64(1)]))
    wide, done = fn.new_block(True), fn.new_block()
    b.brif(b.emit(ULT, I32, [byte, fn.i64(_ASCII)]), done, wide, 1)
    b.start(wide)
    b.write("#code", fn.call_runtime("str_code_from", s, at))
    b.write("#next", fn.call_runtime("str_next", s, at))
    b.jump(done)
    b.start(done)
    return fn.call_runtime("str_char", b.read("#code", I64)), b.read("#next", I64)


# -- what is known of a string ---------------------------------------------------------------------


def constant_text(fn: Fn, v: Value) -> str | None:
    return fn.m.texts.get(v.sym) if v.op == SYMADDR and v.imm == 0 else None


def code_of(fn: Fn, v: Value) -> Value | None:
    """The code point of a string that is known to be one character."""
    if v.op == CALL and v.sym is _CHAR:
        return v.args[0]
    text = constant_text(fn, v)
    return fn.i64(ord(text)) if text is not None and len(text) == 1 else None


def _lengths(fn: Fn, s: Value) -> Value:
    """Both lengths in one word."""
    return fn.b.emit(LD, I64, [s], fn.layout.string_length, READONLY)


def _lengths_of(fn: Fn, text: str) -> Value:
    raw = fn.layout.packed("II", len(text.encode()), len(text))
    return fn.i64(int.from_bytes(raw, fn.layout.order, signed=True))


def _both(fn: Fn, x: Value, y: Value) -> Value:
    return fn.b.emit(AND, I32, [x, y])


# -- comparison ------------------------------------------------------------------------------------


def equal_texts(fn: Fn, l: Value, r: Value) -> Value:
    """Are two strings, neither of them null, equal?"""
    b = fn.b
    x, y = code_of(fn, l), code_of(fn, r)
    if x is not None and y is not None:
        return b.emit(EQ, I32, [x, y])
    if constant_text(fn, l) is not None or x is not None:
        l, r, x, y = r, l, y, x
    text = constant_text(fn, r)
    if text is not None:
        return _equals_constant(fn, l, r, text)
    if y is not None:
        return _equals_char(fn, l, r, y)
    more, same, done = fn.new_block(), fn.new_block(), fn.new_block()
    b.write("#equal", fn.bool_const(True))
    b.brif(b.emit(EQ, I32, [l, r]), done, more)
    b.start(more)
    b.write("#equal", fn.bool_const(False))
    b.brif(b.emit(EQ, I32, [_lengths(fn, l), _lengths(fn, r)]), same, done)
    b.start(same)
    b.write("#equal", fn.call_runtime("str_eq", l, r))
    b.jump(done)
    b.start(done)
    return b.read("#equal", I32)


def _equals_char(fn: Fn, s: Value, char: Value, code: Value) -> Value:
    """Is a string that character?  Only if that is not ASCII the text needs to be looked at."""
    b = fn.b
    one, other, wide, done = fn.new_block(), fn.new_block(), fn.new_block(True), fn.new_block()
    b.brif(b.emit(EQ, I32, [_lengths(fn, s), _lengths_of(fn, "c")]), one, other)
    b.start(one)
    b.write("#equal", b.emit(EQ, I32, [b.emit(LD8U, I64, [s], fn.layout.string_text, READONLY), code]))
    b.jump(done)
    b.start(other)
    b.write("#equal", fn.bool_const(False))
    b.brif(b.emit(ULT, I32, [code, fn.i64(_ASCII)]), done, wide, 1)
    b.start(wide)
    b.write("#equal", fn.call_runtime("str_eq", s, char))
    b.jump(done)
    b.start(done)
    return b.read("#equal", I32)


def _equals_constant(fn: Fn, s: Value, constant: Value, text: str) -> Value:
    b = fn.b
    raw = text.encode()
    same = b.emit(EQ, I32, [_lengths(fn, s), _lengths_of(fn, text)])
    if not raw:
        return same
    word = fn.layout.slot
    if len(raw) <= word:
        # Flat, with zeros behind it.
        want = int.from_bytes(raw + bytes(word - len(raw)), fn.layout.order, signed=True)
        return _both(fn, same, b.emit(EQ, I32, [b.emit(LD, I64, [s], fn.layout.string_text, READONLY), fn.i64(want)]))
    more, done = fn.new_block(), fn.new_block()
    b.write("#equal", same)
    b.brif(same, more, done)
    b.start(more)
    b.write("#equal", fn.call_runtime("str_eq", s, constant))
    b.jump(done)
    b.start(done)
    return b.read("#equal", I32)


def less_texts(fn: Fn, strict: bool, l: Value, r: Value) -> Value:
    """l < r, or l <= r."""
    b = fn.b
    x, y = code_of(fn, l), code_of(fn, r)
    if x is not None and y is not None:
        return b.emit(SLT if strict else SLE, I32, [x, y])
    left, right = constant_text(fn, l), constant_text(fn, r)
    if right is not None and len(right) == 1 and "\0" < right < "\x80":
        return _before(fn, l, right, strict)
    if left is not None and len(left) == 1 and "\0" < left < "\x80":
        return fn.not_(_before(fn, r, left, not strict))
    return b.emit(SLT if strict else SLE, I32, [fn.call_runtime("str_cmp", l, r), fn.i64(0)])


def _before(fn: Fn, s: Value, c: str, strict: bool) -> Value:
    """s < c, or s <= c, of an ASCII character c: the first byte decides, which is zero in an empty string."""
    b = fn.b
    first = b.emit(LD8U, I64, [part(fn, s, "str_data")], 0, READONLY)
    less = b.emit(SLT, I32, [first, fn.i64(ord(c))])
    return less if strict else b.emit(OR, I32, [less, _equals_constant(fn, s, s, c)])


# -- other uses ------------------------------------------------------------------------------------


def in_constant(fn: Fn, x: Value, container: Value) -> Value | None:
    """`x in text` for a character and a constant of ASCII characters: a bit of a set."""
    text = constant_text(fn, container)
    code = code_of(fn, x)
    if not text or code is None or not text.isascii():
        return None
    b = fn.b
    codes = {ord(c) for c in text}
    low = min(codes)
    bits = sum(1 << c - low for c in codes)
    span = max(codes) - low + 1
    at = b.emit(SUB, I64, [code, fn.i64(low)]) if low else code
    inside = b.emit(ULT, I32, [at, fn.i64(span)])
    if bits == (1 << span) - 1:
        return inside
    mask = (1 << 64) - 1
    word = _word(fn, bits & mask)
    if span > 64:
        word = b.emit(SELECT, I64, [b.emit(ULT, I32, [at, fn.i64(64)]), word, _word(fn, bits >> 64)])
    bit = b.emit(AND, I64, [b.emit(SHR, I64, [word, at]), fn.i64(1)])
    return _both(fn, inside, b.emit(TRUNC32, I32, [bit]))


def _word(fn: Fn, bits: int) -> Value:
    return fn.i64(bits - (1 << 64) if bits >> 63 else bits)


def digit_value(fn: Fn, v: Value) -> Value | None:
    """`int(c)` of a character, as INT."""
    if v.op != CALL or v.sym is not _CHAR:
        return None
    b = fn.b
    n = b.emit(SUB, I64, [v.args[0], fn.i64(ord("0"))])
    digit, other, done = fn.new_block(), fn.new_block(True), fn.new_block()
    b.brif(b.emit(ULT, I32, [n, fn.i64(10)]), digit, other, 1)
    b.start(digit)
    b.write("#digit", b.emit(TOINT, INT, [n], 0, (0, 9)))
    b.jump(done)
    b.start(other)
    b.write("#digit", b.emit(UNTAG, INT, [fn.call_runtime("cast_int", fn.tag(v))]))
    b.jump(done)
    b.start(done)
    return b.read("#digit", INT)


def append_text(fn: Fn, s: Value, t: Value) -> Value:
    """s + t."""
    if t.op == CALL and t.sym is _CHAR:
        return fn.call_runtime("str_add_char", s, t.args[0])
    return fn.call_runtime("str_concat", s, t)
