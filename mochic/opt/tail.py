"""Tail recursion becomes a loop.

    fun f(a, b):                      fun f(x, y):
    b0: ...                           e:  jump b0(x, y)
    b3: r = call f(c, d); ret r   =>  b0(a, b): ...
                                      b3: jump b0(c, d)

The stack does not grow, and what is known of loops holds for the function's body (Steele, "Debunking the expensive
procedure call myth", 1977).  A stack trace does not show the activations that were left this way.
"""

from __future__ import annotations

from mochic.ir.func import Block, Func
from mochic.ir.ops import ALLOCA, CALL, JUMP, RET


def run(fn: Func, typed: bool = True) -> bool:
    """Replace the calls of the function itself that are the last thing it does; tells whether there were any."""
    ends = [b for b in fn.blocks if _ends_in_itself(fn, b)]
    if not ends or any(v.op == ALLOCA for b in fn.blocks for v in b.values):
        return False
    header = fn.blocks[0]
    entry = fn.new_block()
    entry.pos = header.pos
    args = [fn.new_param(entry, p.type, p.sym) for p in header.params]
    entry.term, entry.succs, entry.sargs = JUMP, [header], [args]
    fn.blocks.remove(entry)
    fn.blocks.insert(0, entry)
    for b in ends:
        call = b.values.pop()
        b.term, b.targs, b.succs, b.sargs, b.hint = JUMP, [], [header], [list(call.args)], 0
    return True


def _ends_in_itself(fn: Func, b: Block) -> bool:
    call = b.values[-1] if b.values else None
    if call is None or call.op != CALL or call.sym is not fn.sym:
        return False
    if b.term == RET:
        return not b.targs or b.targs[0] is call
    if b.term != JUMP:
        return False
    end = b.succs[0]
    if end.values or end.term != RET:
        return False
    if not end.targs:
        return True
    r = end.targs[0]
    return r in end.params and b.sargs[0][end.params.index(r)] is call
