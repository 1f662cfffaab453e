"""Control flow clean-up: jump threading, merging of straight-line blocks.

    b1: jump b2(c1)          b2(v): brif v, b3, b4     =>   b1: jump b3

A block that only tests its own parameter is bypassed by predecessors that pass a constant; empty blocks are
bypassed; a block with one predecessor that jumps to it is merged into that.
"""

from __future__ import annotations

from mochic.ir.builder import drop_unreachable, simplify_params
from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import BRIF, ICONST, JUMP, TRAP


def run(fn: Func) -> bool:
    changed = _thread(fn)
    if drop_unreachable(fn):
        changed = True
    if simplify_params(fn):
        changed = True
    if _merge(fn):
        changed = True
    return changed


def _thread(fn: Func) -> bool:
    changed = False
    used_elsewhere = _params_used_outside(fn)
    for b in fn.blocks:
        for i in range(len(b.succs)):
            for _ in range(8):
                s = b.succs[i]
                if s is b or s.values or s.id in used_elsewhere:
                    break
                sa = b.sargs[i]
                if s.term == JUMP and s.succs[0] is not s:
                    t = s.succs[0]
                    if len(b.succs) > 1 and any(x is t for j, x in enumerate(b.succs) if j != i) and t.params:
                        break  # two edges of one branch to one block with different arguments
                    args = _through(s, sa, s.sargs[0])
                    if s.cold and not t.cold and b.term == BRIF:
                        break  # keeps the edge's placement hint
                elif s.term == BRIF and s.params:
                    c = s.targs[0]
                    if c not in s.params:
                        break
                    k = sa[s.params.index(c)]
                    if k.op != ICONST:
                        break
                    side = 0 if k.imm else 1
                    t = s.succs[side]
                    if len(b.succs) > 1 and any(x is t for j, x in enumerate(b.succs) if j != i) and t.params:
                        break
                    args = _through(s, sa, s.sargs[side])
                else:
                    break
                b.succs[i] = t
                b.sargs[i] = args
                changed = True
    return changed


def _through(s: Block, given: list[Value], args: list[Value]) -> list[Value]:
    """Arguments of an edge leaving s, seen from an edge entering it with `given`."""
    if not s.params:
        return list(args)
    m = {p.id: a for p, a in zip(s.params, given, strict=True)}
    return [m.get(a.id, a) for a in args]


def _params_used_outside(fn: Func) -> set[int]:
    """Blocks without values whose parameters are used by other blocks: bypassing them would break dominance."""
    empty: dict[int, int] = {}
    for b in fn.blocks:
        if not b.values and b.params:
            for p in b.params:
                empty[p.id] = b.id
    out: set[int] = set()
    if not empty:
        return out
    for b in fn.blocks:
        for v in b.values:
            for a in v.args:
                if a.id in empty:
                    out.add(empty[a.id])
        for a in b.targs:
            if empty.get(a.id, b.id) != b.id:
                out.add(empty[a.id])
        for sa in b.sargs:
            for a in sa:
                if empty.get(a.id, b.id) != b.id:
                    out.add(empty[a.id])
    return out


def _merge(fn: Func) -> bool:
    npreds = [0] * fn.nblocks
    for b in fn.blocks:
        for s in b.succs:
            npreds[s.id] += 1
    gone: set[int] = set()
    subst: dict[int, Value] = {}
    entry = fn.blocks[0]
    for b in fn.blocks:
        if b.id in gone:
            continue
        while b.term == JUMP:
            s = b.succs[0]
            if s is b or s is entry or npreds[s.id] != 1:
                break
            for p, a in zip(s.params, b.sargs[0], strict=True):
                subst[p.id] = a
            b.values = b.values + s.values
            b.term, b.targs, b.succs, b.sargs, b.cases, b.hint, b.pos = (
                s.term, s.targs, s.succs, s.sargs, s.cases, s.hint, s.pos,
            )  # fmt: skip
            b.cold = b.cold and s.cold
            gone.add(s.id)
            s.succs = []
            s.term = TRAP
    if not gone:
        return False
    fn.blocks = [b for b in fn.blocks if b.id not in gone]
    if subst:
        replace(fn, subst)
    return True


def replace(fn: Func, subst: dict[int, Value]) -> None:
    """Replace values by others everywhere; chains are followed."""
    for k, first in subst.items():
        w = first
        while w.id in subst:
            w = subst[w.id]
        subst[k] = w
    for b in fn.blocks:
        for v in b.values:
            args = v.args
            for i, a in enumerate(args):
                if a.id in subst:
                    args[i] = subst[a.id]
        for i, a in enumerate(b.targs):
            if a.id in subst:
                b.targs[i] = subst[a.id]
        for sa in b.sargs:
            for i, a in enumerate(sa):
                if a.id in subst:
                    sa[i] = subst[a.id]
