"""Calls of C functions: the body of a function that `extern fun` declares (sema.cfun).

Each argument becomes what C expects, checked: an int that C's type cannot hold, a string with a zero byte in it or a
value of another kind is a run-time error, never something else that C would see.  Then everything printed so far is
written, because C may print too (not before functions of libm, which never do), and the call is made by the
platform's convention.  The collector cannot run meanwhile, for C cannot call back, so the call is no safepoint: texts
stay where they are because objects do not move, and alive because their references are used last to make the addresses.

Conventions: words and doubles go where our own functions want them (codegen.calls), which is C's convention
everywhere but on Windows' amd64 (Machine.foreign_places).  What differs between types is settled here:

* Smaller ints are extended to a word.  Callers must do that on riscv64 (psABI, "Integer Calling Convention": from 32
  bits on always by sign) and may elsewhere.  Results have no promise beyond their size and are extended again.
* A float of 32 bits is the low half of a register; on riscv64 the upper half is ones (ISA D, "NaN Boxing").
* On Apple's arm64 arguments on the stack take their natural size (Apple, "Writing ARM64 Code for Apple Platforms"):
  they are packed into words here.  Words travel behind all others, so the order of those in registers does not change,
  as words or doubles by which kind of registers has run out.
"""

from __future__ import annotations

from typing import Final

from mochic.ir.builder import Builder
from mochic.ir.func import FOREIGN, NOGC, Func, FuncSym, Value
from mochic.ir.ops import (
    ADD, AND, BITSF, CALL, CAST, EQ, FBITS, FROMINT, NE, OR, SAR, SEXT32, SHL, SLT, TOINT, TRUNC32, UNTAG, ZEXT32,
)  # fmt: skip
from mochic.ir.types import F64, I32, I64, INT, PTR, VOID
from mochic.lower.fn import Fn
from mochic.sema.cfun import C_ADDRESS, C_BOOL, C_FLOAT, C_INT, C_TEXT
from mochic.sema.symbols import CFun, CType, Var
from mochic.sema.types import STR, find
from mochic.layout import BYTE

QUIET: Final = frozenset(("m",))  # libraries whose functions never print
_HIGH_ONES: Final = -(1 << 32)
_REGISTERS: Final = 8  # of each kind, for arguments (AAPCS64)


def begin_c(fn: Fn) -> None:
    """At the program's start: the C library in it flushes its output with ours, and ends the process.  The runtime gets
    functions of ours that call C's, for it knows neither C's convention nor how to find functions of other files."""
    fn.call_runtime("use_c", *(fn.sym(_shim(fn, name)) for name in ("exit", "fflush")))


def _shim(fn: Fn, name: str) -> FuncSym:
    sym = FuncSym(fn.m.unique("mochi.c." + name), [I64], VOID, NOGC)
    target = FuncSym(name, [I64], VOID, FOREIGN | NOGC)

    def make() -> Func:
        ir = Func(sym)
        b = Builder(ir)
        b.emit(CALL, VOID, [ir.new_param(ir.blocks[0], I64)], 0, target)
        b.ret()
        return b.finish()

    fn.m.pending.append(make)
    return sym


def call_c(fn: Fn, c: CFun, params: list[Var], given: list[Value]) -> Value:
    """The call with everything around it; its value in the program's terms."""
    b = fn.b
    # What may allocate comes first.
    ready = [_prepare(fn, c, t, p, v) for t, p, v in zip(c.params, params, given, strict=True)]
    if c.library is None or c.library.name not in QUIET:
        _write_printed(fn)
    args = [_argument(fn, t, v) for t, v in zip(c.params, ready, strict=True)]
    if fn.m.pack_stack_arguments:
        args = _packed(fn, c.params, args)
    ret = c.ret
    kind = VOID if ret is None else F64 if ret.kind == C_FLOAT else I64
    known = fn.m.c_symbols.get(c.symbol)
    sym = FuncSym(c.symbol, [a.type for a in args], kind, FOREIGN | NOGC)
    sym.display = c.decl.name
    if known is None:
        fn.m.c_symbols[c.symbol] = (sym, c)
    v = b.emit(CALL, kind, args, 0, sym)
    if ret is None:
        return fn.nil()
    out = _result(fn, c, ret, v)
    if ret.kind == C_TEXT:
        # What C returned may lead into a text that was made for the call.
        for t, text in zip(c.params, ready, strict=True):
            if t.kind == C_TEXT:
                fn.call_runtime("c_keep", text)
    return out


def _write_printed(fn: Fn) -> None:
    """Write what was printed so far, if anything was (runtime/io.mochi)."""
    b = fn.b
    at, base = (fn.load(PTR, fn.sym(fn.m.runtime_data[name]), 0) for name in ("out_at", "out_base"))
    some, go = fn.new_block(True), fn.new_block()
    b.brif(b.emit(EQ, I32, [at, base]), go, some)
    b.start(some)
    fn.call_runtime("c_enter")
    b.jump(go)
    b.start(go)


def _what(fn: Fn, c: CFun, name: str) -> Value:
    return fn.str_const(f"{c.decl.name}: {name}")


def _prepare(fn: Fn, c: CFun, t: CType, p: Var, v: Value) -> Value:
    """An argument checked and in the representation of C's kind, texts as references."""
    b = fn.b
    if t.kind == C_TEXT:
        if find(p.ty).kinds == STR:
            return fn.call_runtime("c_text", v, _what(fn, c, p.name))
        return fn.call_runtime("c_text_of", fn.tag(v), _what(fn, c, p.name), fn.i64(int(t.optional)))
    if t.kind == C_BOOL:
        return v if v.type == I32 else fn.call_runtime("c_bool_of", fn.tag(v), _what(fn, c, p.name))
    if t.kind == C_FLOAT:
        x = fn.to_f64(v) if v.type in (INT, F64) else fn.call_runtime("c_float_of", fn.tag(v), _what(fn, c, p.name))
        if t.size == 8:
            return x
        bits = fn.call_runtime("f32_bits", x)
        return b.emit(BITSF, F64, [b.emit(OR, I64, [bits, fn.i64(_HIGH_ONES)])])
    if v.type != INT:
        v = b.emit(UNTAG, INT, [fn.call_runtime("c_int_of", fn.tag(v), _what(fn, c, p.name), fn.i64(int(t.optional)))])
    if t.kind == C_INT and t.size == 8 and not t.signed:
        return fn.call_runtime("c_unsigned", fn.tag(v), _what(fn, c, p.name))
    w = b.emit(FROMINT, I64, [v])
    if t.size == 8:
        # A word is what it is; the test vanishes where the int is known to be one.
        fits = b.emit(EQ, I32, [b.emit(TOINT, INT, [w]), v])
    else:
        low, high = fn.int_const(t.low), fn.int_const(t.high)
        fits = b.emit(AND, I32, [fn.not_(b.emit(SLT, I32, [v, low])), fn.not_(b.emit(SLT, I32, [high, v]))])
    bad, good = fn.new_block(True), fn.new_block()
    b.brif(fits, good, bad)
    b.start(bad)
    fn.panic("panic_msg", fn.str_const(f"{c.decl.name}: {p.name}: the int does not fit C's {t.name.rstrip('?')}"))
    b.start(good)
    # 32 bits without sign are extended by sign all the same (riscv64); elsewhere it does not matter.
    return b.emit(SEXT32, I64, [b.emit(TRUNC32, I32, [w])]) if t.size == 4 and not t.signed else w


def _argument(fn: Fn, t: CType, v: Value) -> Value:
    """The word or double that C gets.  Nothing here reaches the collector."""
    b = fn.b
    if t.kind == C_TEXT:
        return fn.call_runtime("c_address", v) if t.optional else b.emit(ADD, PTR, [v, fn.i64(fn.layout.string_text)])
    return b.emit(ZEXT32, I64, [v]) if t.kind == C_BOOL else v


def _packed(fn: Fn, types: list[CType], args: list[Value]) -> list[Value]:
    """Arguments that do not fit the registers, packed as Apple's arm64 has them."""
    b = fn.b
    out: list[Value] = []
    words: dict[int, Value] = {}
    used = {I64: 0, F64: 0}
    at = 0
    slot = fn.layout.slot
    for t, a in zip(types, args, strict=True):
        bank = F64 if a.type == F64 else I64
        if used[bank] < _REGISTERS:
            used[bank] += 1
            out.append(a)
            continue
        at = (at + t.size - 1) & -t.size
        w = b.emit(FBITS, I64, [a]) if bank == F64 else b.emit(CAST, I64, [a]) if a.type == PTR else a
        if t.size < 8:
            w = b.emit(AND, I64, [w, fn.i64((1 << BYTE * t.size) - 1)])
            if at % slot:
                w = b.emit(SHL, I64, [w, fn.i64(BYTE * (at % slot))])
        word = words.get(at // slot)
        words[at // slot] = w if word is None else b.emit(OR, I64, [word, w])
        at += t.size
    if used[I64] < _REGISTERS:
        return out + [b.emit(BITSF, F64, [w]) for w in words.values()]
    return out + list(words.values())


def _result(fn: Fn, c: CFun, t: CType, v: Value) -> Value:
    b = fn.b
    if t.kind == C_TEXT:
        return fn.call_runtime("c_string", v, fn.str_const(c.decl.name), fn.i64(int(t.optional)))
    if t.kind == C_BOOL:
        return b.emit(NE, I32, [b.emit(AND, I64, [v, fn.i64(0xFF)]), fn.i64(0)])
    if t.kind == C_FLOAT:
        return fn.call_runtime("f32_value", b.emit(FBITS, I64, [v])) if t.size == 4 else v
    if t.kind == C_ADDRESS:
        if t.optional:
            return fn.call_runtime("c_pointer", v)
        bad, good = fn.new_block(True), fn.new_block()
        b.brif(b.emit(NE, I32, [v, fn.i64(0)]), good, bad)
        b.start(bad)
        fn.panic("panic_msg", fn.str_const(f"{c.decl.name} returned NULL; declare its result as `{t.name}?`"))
        b.start(good)
    elif t.size == 8 and not t.signed:
        return b.emit(UNTAG, INT, [fn.call_runtime("c_unsigned_value", v)])
    elif t.size == 4:
        half = b.emit(TRUNC32, I32, [v])
        v = b.emit(SEXT32 if t.signed else ZEXT32, I64, [half])
    elif t.size < 4:
        if t.signed:
            shift = fn.i64(64 - BYTE * t.size)
            v = b.emit(SAR, I64, [b.emit(SHL, I64, [v, shift]), shift])
        else:
            v = b.emit(AND, I64, [v, fn.i64(t.high)])
    return b.emit(TOINT, INT, [v], 0, (t.low, t.high))
