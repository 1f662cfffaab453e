"""Joins the blocks of a function: jumps where the next block is not the target, empty blocks stepped over.

A two-way branch jumps to the successor that does not follow.  Machine.branch makes the jump.
"""

from __future__ import annotations

from backend.obj.prog import Addr, Prog
from backend.obj.sym import LSym
from mochic.codegen.code import BlockCode
from mochic.codegen.machine import Machine
from mochic.ir.func import Func
from mochic.ir.ops import BRIF, JUMP


def join(
    m: Machine, fn: Func, codes: list[BlockCode], bodies: list[list[Prog]]
) -> tuple[list[Prog], list[tuple[LSym, list[Prog]]]]:
    """The instructions of the function, and its jump tables with the instructions they lead to."""
    out: list[Prog] = []
    tables: list[tuple[LSym, list[Prog]]] = []
    n = fn.nblocks
    final = list(range(n))  # where a jump to the block really goes
    for c in codes:
        b = c.block
        if b.term == JUMP and not bodies[b.id] and b.succs[0] is not b:
            final[b.id] = b.succs[0].id
    for i in range(n):
        seen = 0
        t = i
        while final[t] != t and seen <= n:
            t = final[t]
            seen += 1
        if seen > n:  # an endless loop without a body
            t = i
            final[i] = i
        final[i] = t
    order = [c for c in codes if final[c.block.id] == c.block.id or c.block is fn.blocks[0]]
    pads: set[int] = set()
    if m.jump_pads:
        pads.update([final[s.id] for c in order if c.table is not None for s in c.block.succs[:-1]])
    pending: list[tuple[Addr, int]] = []
    switches: list[BlockCode] = []
    heads: list[Prog | None] = [None] * n
    for k, c in enumerate(order):
        b = c.block
        following = order[k + 1].block.id if k + 1 < len(order) else -1
        mark = len(out)
        if b.id in pads:
            out.append(m.jump_pad(b.pos))
        out += bodies[b.id]
        if b.term == JUMP:
            t = final[b.succs[0].id]
            if t != following:
                m.jump(m.jmp, [], t, b.pos, out, pending)
        elif b.term == BRIF:
            t = final[b.succs[0].id]
            e = final[b.succs[1].id]
            cc = c.cc
            if t == e:
                m.drop_branch(cc, out)
                if t != following:
                    m.jump(m.jmp, [], t, b.pos, out, pending)
            else:
                if t == following:
                    t, e = e, t
                    cc ^= 1
                m.branch(cc, t, e, b.pos, out, pending)
                if e != following:
                    m.jump(m.jmp, [], e, b.pos, out, pending)
        if len(out) == mark:  # an empty block something jumps to
            out.append(Prog(m.nop, [], b.pos))
        heads[b.id] = out[mark]
        if c.table is not None:
            switches.append(c)
    for a, t in pending:
        a.sym = heads[t]
    for c in switches:
        targets = [heads[final[s.id]] for s in c.block.succs[:-1]]
        tables.append((c.table, [t for t in targets if t is not None]))
    return out, tables
