"""Calls of function values, and the arguments of calls.

A call with fewer arguments than parameters makes a partial application.  Where the type does not tell how many
parameters the callee has, the closure's own arity decides at run time.
"""

from __future__ import annotations

from collections.abc import Sequence

from mochic.ir.func import Value
from mochic.ir.ops import LD32U, ULE
from mochic.ir.types import I32, I64, PTR
from mochic.lower.aliasing import Held, appends_to, hold, moved, release
from mochic.lower.appends import Code
from mochic.lower.closures import partial
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.sema.symbols import FunInfo
from mochic.sema.types import FUNC, FunSig, Slot, find
from mochic.syntax import ast


def call_args(fn: Fn, args: list[ast.Expr], params: list[Slot], held: Held, callees: Sequence[Code]) -> list[Value]:
    """Arguments in the parameters' representations; extra ones are evaluated and dropped.

    They are held while the later ones are evaluated and while the callees run.  Arguments that are fewer than the
    parameters may be stored, in a partial application.
    """
    out = []
    stored = len(args) < len(params)
    for i, a in enumerate(args):
        v = moved(fn, a) if stored else fn.expr(a)
        if i < len(params):
            if not stored and appends_to(fn, a.ty):
                running = [c for c in callees if not isinstance(c, FunInfo) or reads_late(fn, c, i, a.ty)]
                hold(fn, held, a, v, (*args[i + 1 :], *running))
            out.append(fn.convert(v, ir_type(params[i])))
    return out


def reads_late(fn: Fn, f: FunInfo, i: int, t: Slot) -> bool:
    """Parameter i, for which a list of type t is passed, is looked at after an append."""
    return i < len(f.params) and fn.m.late_uses.of(f, f.params[i], find(fn.m.solver.elem(t)))


def result_of(fn: Fn, v: Value, e: ast.Expr) -> Value:
    """A call's value in the representation of the expression; unit calls give null."""
    return fn.convert(v, ir_type(e.ty))


def call_value(fn: Fn, callee: Value, t: Slot, e: ast.Call) -> Value:
    k = find(t).kinds
    sig = fn.m.solver.shape(t).sig
    if sig is None or not k & FUNC:
        # Nothing callable ever flows here.
        for a in e.args:
            fn.expr(a)
        fn.b.pos = e.lo
        fn.call_runtime("dyn_callee", fn.tag(callee))
        return result_of(fn, fn.nil(), e)
    held = Held()
    args = call_args(fn, e.args, sig.params, held, (e,))
    fn.b.pos = e.lo
    if k != FUNC:
        callee = fn.call_runtime("dyn_callee", fn.tag(callee))
    v = apply_value(fn, callee, sig, args, e)
    release(fn, held)
    return v


def call_dynamic(fn: Fn, callee: Value, t: Slot, e: ast.Call) -> Value:
    """Call a TAG whose functions have the signature of t."""
    sig = fn.m.solver.shape(t).sig
    if sig is None:
        fn.call_runtime("dyn_callee", callee)
        return result_of(fn, fn.nil(), e)
    held = Held()
    args = call_args(fn, e.args, sig.params, held, (e,))
    fn.b.pos = e.lo
    closure = fn.call_runtime("dyn_callee", callee)
    v = apply_value(fn, closure, sig, args, e)
    release(fn, held)
    return v


def apply_value(fn: Fn, callee: Value, sig: FunSig, args: list[Value], e: ast.Call) -> Value:
    """Call a closure, or make a partial application: known from the type, or from the closure's own arity."""
    params = sig.params
    n = len(args)
    whole = fn.m.sig(params, sig.ret)
    if n >= len(params):
        return result_of(fn, fn.call_indirect(callee, whole, args), e)
    if n < sig.fewest:
        return result_of(fn, partial(fn, callee, params, sig.ret, args), e)
    b = fn.b
    want = ir_type(e.ty)
    call, part, done = fn.new_block(), fn.new_block(), fn.new_block()
    arity = b.emit(LD32U, I64, [fn.load(PTR, callee, 0)], fn.layout.desc_code)
    b.brif(b.emit(ULE, I32, [arity, fn.i64(n)]), call, part)
    b.start(call)
    # Parameters beyond the callee's own are not looked at.
    rest = [fn.convert(fn.nil(), ir_type(p)) for p in params[n:]]
    b.write("#call", result_of(fn, fn.call_indirect(callee, whole, args + rest), e))
    b.jump(done)
    b.start(part)
    b.write("#call", result_of(fn, partial(fn, callee, params, sig.ret, args), e))
    b.jump(done)
    b.start(done)
    return b.read("#call", want)
