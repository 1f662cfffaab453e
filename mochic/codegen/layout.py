"""The order of blocks in the code, and which of them are cold.

Hot blocks come first, in a reverse postorder that lets the likely successor follow its branch and keeps loops
together; cold blocks (calls that do not return, slow paths) come last.  A loop that is entered at its test
is rotated, so that the test stands at the bottom and each round takes one branch instead of two.
"""

from __future__ import annotations

from mochic.ir import cfg
from mochic.ir.func import COLD, NORETURN, Block, Func
from mochic.ir.ops import BRIF, CALL, JUMP, TRAP


def mark_cold(order: list[Block]) -> None:
    """Spread coldness: to what only cold blocks reach, and to what only leads to cold blocks."""
    entry = order[0]
    for b in reversed(order):
        if b.cold or b is entry:
            continue
        if b.term == TRAP:
            b.cold = True
        elif b.succs and all(s.cold for s in b.succs):
            b.cold = True
        else:
            for v in b.values:
                if v.op == CALL and v.sym.flags & (COLD | NORETURN):
                    b.cold = True
                    break
    for b in order:
        if b is entry or b.cold:
            continue
        cold = True
        for p in b.preds:
            # Leaving a loop is unlikely each time but happens once: not cold.
            if p.cold or (p.hint and p.term == BRIF and b.depth >= p.depth and p.succs[1 if p.hint > 0 else 0] is b):
                continue
            cold = False
            break
        b.cold = cold


def arrange(fn: Func, order: list[Block], loops: list[cfg.Loop]) -> tuple[list[Block], list[Block]]:
    """(a reverse postorder, the layout).  Needs `mark_cold` and loop depths."""
    rpo = _reverse_postorder(fn)
    hot = [b for b in rpo if not b.cold]
    for loop in reversed(loops):
        _rotate(hot, loop)
    return rpo, hot + [b for b in rpo if b.cold]


def _reverse_postorder(fn: Func) -> list[Block]:
    """As cfg.reverse_postorder, but the successor that should follow directly is visited last."""
    seen = bytearray(fn.nblocks)
    post: list[Block] = []
    entry = fn.blocks[0]
    seen[entry.id] = 1
    stack: list[tuple[Block, list[Block]]] = [(entry, _preferred(entry))]
    while stack:
        b, succs = stack.pop()
        while succs:
            s = succs.pop()
            if not seen[s.id]:
                seen[s.id] = 1
                stack.append((b, succs))
                b = s
                succs = _preferred(s)
        post.append(b)
    post.reverse()
    return post


def _preferred(b: Block) -> list[Block]:
    """Successors, the one to lay out next first (they are taken from the end)."""
    succs = b.succs
    if len(succs) != 2:
        return list(succs)
    s, t = succs
    if s.cold != t.cold:
        return [t, s] if s.cold else [s, t]
    if b.hint:
        return [s, t] if b.hint > 0 else [t, s]
    return [t, s] if t.depth > s.depth else [s, t]


def _rotate(hot: list[Block], loop: cfg.Loop) -> None:
    h = loop.header
    if h.cold or h.term != BRIF:
        return
    at = hot.index(h)
    body = loop.body
    end = at
    while end < len(hot) and body >> hot[end].id & 1:
        end += 1
    last = hot[end - 1]
    # Worth it when the code falls into the test from the bottom and out of it to the exit.  An empty last block is a
    # split edge: the branch before it will go to the header itself.
    if end - at < 2 or last.term != JUMP or last.succs[0] is not h or at == 0:
        return
    if not last.values and len(last.preds) == 1 and not last.sargs[0]:
        return
    inside = [s for s in h.succs if body >> s.id & 1]
    if any(s.cold for s in h.succs):
        return
    if len(inside) != 1 or hot[at + 1] is not inside[0] or hot[at - 1].term != JUMP:
        return
    hot[at:end] = [*hot[at + 1 : end], h]
