"""The top of lowering: a program's functions, each when something refers to it.

Function bodies are lowered on demand from the program's top level, so code that nothing reaches costs nothing.
"""

from __future__ import annotations

from mochic.ir.func import Func, Module
from mochic.ir.ops import EQ
from mochic.ir.types import I32
from mochic.lower.aliasing import mark_aliased
from mochic.lower.dispatch import DISPATCH
from mochic.lower.fn import Fn
from mochic.lower.module import ModuleLower
from mochic.lower.stmt import moved_out
from mochic.sema.symbols import FunInfo
from mochic.syntax import ast


def lower_program(m: ModuleLower) -> Module:
    """The IR of the program, ints still without representation: its main function and all that it reaches."""
    main = m.info.main
    assert main is not None
    m.fun_sym(main)
    done = 0
    while done < len(m.queue) or m.pending:
        while done < len(m.queue):
            f = m.queue[done]
            done += 1
            m.module.funcs.append(lower_function(m, f))
        while m.pending:
            m.module.funcs.append(m.pending.pop(0)())
    return m.module


def lower_function(m: ModuleLower, f: FunInfo) -> Func:
    """The body of a function whose symbol exists."""
    ir = Func(f.sym)
    fn = Fn(m, f, ir, DISPATCH)
    b = fn.b
    b.pos = f.node.lo
    entry = ir.blocks[0]
    ps = [ir.new_param(entry, t, s) for t, s in zip(ir.sym.params, ir.sym.slots, strict=False)]
    at = 0
    if f.struct is not None:
        assert f.self_var is not None
        fn.declare_var(f.self_var, ps[0])
        at = 1
    elif m.need_env.get(f):
        fn.env = ps[0]
        at = 1
    for v, p in zip(f.params, ps[at:], strict=True):
        if v.appended or v.captured:
            mark_aliased(fn, p, v.ty)
        fn.declare_var(v, p)
    if f.c is not None:
        from mochic.lower.ccall import call_c

        fn.ret(call_c(fn, f.c, f.params, ps))
    elif f.expr is not None:
        fn.ret(moved_out(fn, f.expr))
    else:
        assert f.body is not None
        if f is m.info.main and m.c_process:
            from mochic.lower.ccall import begin_c

            begin_c(fn)
            if m.tls:
                fn.call_runtime("use_tls")
        if m.test_mode and f is m.info.main:
            test_main(fn, f.body)
        else:
            fn.block(f.body)
        if b.reachable:
            fn.ret(fn.nil())
    return b.finish()


def test_main(fn: Fn, body: list[ast.Stmt]) -> None:
    """docs/reference.md, 17: all other top-level statements with their output discarded, then the chosen block."""
    b = fn.b
    tests = [st for st in body if isinstance(st, ast.TestDecl)]
    fn.call_runtime("out_mute", fn.i64(1))
    fn.block([st for st in body if not isinstance(st, ast.TestDecl)])
    if not b.reachable:
        return
    fn.call_runtime("out_mute", fn.i64(0))
    chosen = fn.call_runtime("test_block")
    for i, st in enumerate(tests):
        here, nxt = fn.new_block(), fn.new_block()
        b.brif(b.emit(EQ, I32, [chosen, fn.i64(i)]), here, nxt)
        b.start(here)
        fn.block(st.body)
        b.jump(nxt)
        b.start(nxt)
