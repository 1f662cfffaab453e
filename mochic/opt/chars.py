"""What is read of a one-character string comes from its code point.

Lowering sees most comparisons of characters itself (lower/chars.py).  After inlining, what a function does with a
string parameter turns out to be done to a character: the loads of the parts of `str_char(code)`, compared with
constants, are comparisons of the code point, and when nothing else needs the string it is never made.

    s = call @runtime.str_char(code)
    eq (ld s+LENGTHS), 1 | 1 << 32       =>   ult code, 128
    eq (ld s+TEXT), "x" and zeros        =>   eq code, "x"
    slt (ld8u s+TEXT), "x"               =>   slt code, "x"      ("x" at most 128, where the bytes of others begin)
"""

from __future__ import annotations

from typing import Final

from mochic.ir.func import Func, Value
from mochic.ir.ops import (
    ADD, AND, CALL, EQ, ICONST, LD, LD8U, NE, OR, READONLY, SELECT, SLE, SLT, SUB, SYMADDR, ULE, ULT,
)  # fmt: skip
from mochic.ir.rtabi import RUNTIME
from mochic.ir.types import I32, I64, PTR
from mochic.layout import BYTE, Layout

_CHAR: Final = RUNTIME["str_char"]
_VIEW: Final = "runtime.desc.view"
_ASCII: Final = 128
# First code points of the characters of one byte more.
_STEPS: Final = (0x80, 0x800, 0x10000, 0x110000)


def run(fn: Func, layout: Layout) -> bool:
    """Rewrite such comparisons; tells whether there were any."""
    if not any(v.op == CALL and v.sym is _CHAR for b in fn.blocks for v in b.values):
        return False
    changed = False
    for b in fn.blocks:
        out: list[Value] = []
        for v in b.values:
            if v.op in (EQ, NE, SLT, SLE, ULT, ULE):
                changed = _rewrite(fn, v, layout, out) or changed
            elif changed and v.type == I32 and v.op in (AND, OR):
                _merge(v)
            out.append(v)
        b.values = out
    return changed


def _rewrite(fn: Func, v: Value, layout: Layout, out: list[Value]) -> bool:
    """Let v, which compares, work on a code point instead of a part of a character; new values go to `out`."""
    x, y = v.args
    if _is_descriptor(x) and y.op == SYMADDR and y.sym.name == _VIEW and v.op == EQ:
        # No character is a view.
        v.op, v.args, v.imm = ICONST, [], 0
        return True
    swapped = x.op == ICONST
    part, constant = (y, x) if swapped else (x, y)
    if constant.op != ICONST or part.op not in (LD, LD8U) or part.sym != READONLY:
        return False
    code = _code(part.args[0])
    at = part.imm
    if code is None:
        base = part.args[0]
        code = _code(base.args[0]) if base.op == ADD and base.type == PTR else None
        if code is None or not _is_flat_text(base.args[1], layout):
            return False
        at += layout.string_text
    n = constant.imm
    if part.op == LD8U and at == layout.string_text and 0 <= n <= _ASCII - (v.op in (EQ, NE) or swapped):
        wanted = n
    elif v.op not in (EQ, NE) or part.op != LD:
        return False
    elif at == layout.string_length:
        return _lengths(fn, v, code, layout, n, out)
    elif at == layout.string_text:
        raw = (n & (1 << BYTE * layout.slot) - 1).to_bytes(layout.slot, layout.order).rstrip(b"\0") or b"\0"
        text = raw.decode("utf-8", "replace")
        wanted = ord(text) if len(text) == 1 and text.encode() == raw else -1
    else:
        return False
    c = _new(fn, out, ICONST, I64, [], wanted)
    v.args = [c, code] if swapped else [code, c]
    return True


def _merge(v: Value) -> None:
    """`c < 128 and c == "x"` is `c == "x"`, `c < "x" or c == "x"` is `c <= "x"`."""
    for x, y in (v.args, reversed(v.args)):
        if y.op != EQ or x.op not in (SLT, ULT) or x.args[0] is not y.args[0]:
            continue
        limit, equal = x.args[1], y.args[1]
        if limit.op != ICONST or equal.op != ICONST or not 0 <= equal.imm <= limit.imm:
            continue
        if v.op == AND and x.op == ULT and equal.imm < limit.imm:
            v.op, v.args = EQ, list(y.args)
        elif v.op == OR and x.op == SLT and equal.imm == limit.imm:
            v.op, v.args = SLE, list(y.args)
        else:
            continue
        return


def _lengths(fn: Func, v: Value, code: Value, layout: Layout, n: int, out: list[Value]) -> bool:
    """v says whether a character has these lengths or not."""
    size = next((i for i in range(1, 5) if n == int.from_bytes(layout.packed("II", i, 1), layout.order)), 0)
    low = (0, *_STEPS)[size - 1] if size else 0
    count = _STEPS[size - 1] - low if size else 0
    offset = _new(fn, out, SUB, I64, [code, _new(fn, out, ICONST, I64, [], low)]) if low else code
    limit = _new(fn, out, ICONST, I64, [], count)
    v.args = [offset, limit] if v.op == EQ else [limit, offset]
    v.op = ULT if v.op == EQ else ULE
    return True


def _code(s: Value) -> Value | None:
    return s.args[0] if s.op == CALL and s.sym is _CHAR else None


def _is_descriptor(v: Value) -> bool:
    return v.op == LD and v.imm == 0 and v.sym == READONLY and _code(v.args[0]) is not None


def _is_flat_text(v: Value, layout: Layout) -> bool:
    """The distance to a string's bytes, which is not a view."""
    if v.op != SELECT:
        return v.op == ICONST and v.imm == layout.string_text
    c = v.args[0]
    return c.op == ICONST and c.imm == 0 and v.args[2].op == ICONST and v.args[2].imm == layout.string_text


def _new(fn: Func, out: list[Value], op: int, type: int, args: list[Value], imm: int = 0) -> Value:
    v = fn.new_value(op, type, args)
    v.imm = imm
    out.append(v)
    return v
