"""Dead code: values without uses, block parameters that only feed themselves, empty blocks.

Mark from the roots (stores, calls, terminators) backwards; a block parameter is needed only if it is
used, and only then are the arguments on its incoming edges.
"""

from __future__ import annotations

from mochic.ir.builder import drop_unreachable
from mochic.ir.func import PURE, Func, Value
from mochic.ir.ops import CALL, IS_REMOVABLE, PARAM


def run(fn: Func) -> bool:
    """Remove what is not needed; tells whether anything was."""
    changed = drop_unreachable(fn)
    n = fn.nvalues
    needed = bytearray(n)
    work: list[Value] = []
    incoming: dict[int, list[Value]] = {}
    for b in fn.blocks:
        for v in b.values:
            op = v.op
            if not IS_REMOVABLE[op] and not (op == CALL and v.sym.flags & PURE):
                if not needed[v.id]:
                    needed[v.id] = 1
                    work.append(v)
        for a in b.targs:
            if not needed[a.id]:
                needed[a.id] = 1
                work.append(a)
        for s, sa in zip(b.succs, b.sargs, strict=True):
            for p, a in zip(s.params, sa, strict=True):
                incoming.setdefault(p.id, []).append(a)
    while work:
        v = work.pop()
        for a in incoming.get(v.id, ()) if v.op == PARAM else v.args:
            if not needed[a.id]:
                needed[a.id] = 1
                work.append(a)
    entry = fn.blocks[0]
    for b in fn.blocks:
        values = [v for v in b.values if needed[v.id]]
        if len(values) != len(b.values):
            b.values = values
            changed = True
        if b.sargs:
            for s, sa in zip(b.succs, b.sargs, strict=True):
                if sa and s is not entry:
                    sa[:] = [a for a, p in zip(sa, s.params, strict=True) if needed[p.id]]
    for b in fn.blocks:
        if b is not entry and b.params:
            keep = [p for p in b.params if needed[p.id]]
            if len(keep) != len(b.params):
                b.params = keep
                changed = True
    return changed
