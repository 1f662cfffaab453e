"""Loop peeling: the first round of an innermost loop is copied in front of it.

    h: check(i); x = ld p; ...; brif c, h, exit
 =>
    h': check(i); x' = ld p; ...; brif c', h, exit      (the first round)
    h:  check(i); x = ld p; ...;  brif c, h, exit       (GVN: x is x', the check is known to hold)

A load may not move above the checks that guard it, and most checks vary with the loop, so there is little that could
be hoisted as such.  But what the first round has loaded and checked dominates all later ones: value numbering, which
knows loads across blocks that do not write and conditions of dominating branches, removes from the loop
whatever does not change, loads and checks and arithmetic alike (as in LuaJIT's loop optimisation, where the idea is
described by Mike Pall, 2009).

Only loops are peeled in which some load would be removed.  Values used behind the loop get a parameter in the exit
blocks first (loop-closed SSA), as they now have two definitions.
"""

from __future__ import annotations

from typing import Final

from mochic.ir.cfg import DomTree, Loop, compute_preds, find_loops
from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import IS_CALL, IS_LOAD, IS_PURE, IS_STORE, PARAM, READONLY
from mochic.opt.memory import Place, clobbers, place, writes

MAX_VALUES: Final = 90  # in a loop that is peeled
MAX_BLOCKS: Final = 40
MAX_LOOPS: Final = 12  # in one function
MAX_FUNCTION: Final = 4000  # values


def run(fn: Func, typed: bool = True) -> bool:
    """Peel the innermost loops that profit; tells whether any did."""
    compute_preds(fn)
    dom = DomTree(fn)
    loops = find_loops(fn, dom)
    if not loops:
        return False
    outer = {id(lp.parent) for lp in loops if lp.parent is not None}
    inner = [lp for lp in loops if id(lp) not in outer]
    if sum(len(b.values) for b in fn.blocks) > MAX_FUNCTION:
        return False
    changed = False
    for lp in inner[:MAX_LOOPS]:
        body = [b for b in dom.order if lp.body >> b.id & 1]
        if len(body) <= MAX_BLOCKS and sum(len(b.values) for b in body) <= MAX_VALUES and _profits(lp, body, typed):
            if changed:  # an earlier copy has changed edges and dominance
                compute_preds(fn)
                dom = DomTree(fn)
            changed |= _peel(fn, lp, body, dom)
    return changed


def _profits(lp: Loop, body: list[Block], typed: bool) -> bool:
    """Is there a load in the loop whose address and memory do not change?  Cold blocks load again (`opt.reload`)."""
    stores: list[Value] = []
    places: set[Place] = set()
    loads: list[Value] = []
    inside: set[int] = set()
    fixed: set[int] = set()  # values of the loop that are the same in each round
    for b in body:
        for p in b.params:
            inside.add(p.id)
        for v in b.values:
            inside.add(v.id)
            op = v.op
            if b.cold:
                continue
            if IS_STORE[op]:
                stores.append(v)
            elif IS_CALL[op]:
                some = writes(v)
                if some is None or (some and not typed):
                    return False
                places |= some
            elif IS_LOAD[op]:
                loads.append(v)
    found = False
    for b in body:
        for v in b.values:
            op = v.op
            if not (IS_PURE[op] or IS_LOAD[op]) or any(a.id in inside and a.id not in fixed for a in v.args):
                continue
            if IS_LOAD[op]:
                if v.sym != READONLY and (place(v) in places or any(clobbers(s, v, typed) for s in stores)):
                    continue
                found = True
            fixed.add(v.id)
    return found


def _peel(fn: Func, lp: Loop, body: list[Block], dom: DomTree) -> bool:
    if not _close(fn, lp, body, dom):
        return False
    header = lp.header
    copies: dict[int, Block] = {}
    values: dict[int, Value] = {}
    entries = [(b, i) for b in header.preds if not lp.body >> b.id & 1 for i, s in enumerate(b.succs) if s is header]
    single = len(entries) == 1
    if single:  # what the loop starts with is known in the first round
        b, i = entries[0]
        for p, a in zip(header.params, b.sargs[i], strict=True):
            values[p.id] = a
        b.sargs[i] = []
    for b in body:
        c = fn.new_block()
        c.cold = b.cold
        c.hint = 0 if header in b.succs else b.hint  # "again" says nothing about the first round
        c.pos = b.pos
        c.term = b.term
        c.cases = list(b.cases)
        copies[b.id] = c
        for p in b.params if b is not header or not single else ():
            values[p.id] = q = fn.new_param(c, p.type, p.sym)
            q.pos = p.pos
    for b in body:
        c = copies[b.id]
        for v in b.values:
            w = fn.new_value(v.op, v.type, [values.get(a.id, a) for a in v.args], v.imm, v.sym, v.pos)
            values[v.id] = w
            c.values.append(w)
    for b in body:
        c = copies[b.id]
        c.targs = [values.get(a.id, a) for a in b.targs]
        c.sargs = [[values.get(a.id, a) for a in args] for args in b.sargs]
        # The back edge of the copy enters the loop itself; edges out of the copy leave where those of the loop do.
        c.succs = [copies[s.id] if s.id in copies and s is not header else s for s in b.succs]
    first = copies[header.id]
    for b, i in entries:
        b.succs[i] = first
    return True


def _close(fn: Func, lp: Loop, body: list[Block], dom: DomTree) -> bool:
    """Give each value of the loop that is used behind it a parameter in the exit block that dominates the use.

    False, with nothing changed but edges split, when some use is dominated by no exit.
    """
    inside = {b.id for b in body}
    defined: dict[int, Value] = {}
    for b in body:
        for v in b.params + b.values:
            defined[v.id] = v
    exits: list[Block] = []
    for b in body:
        for s in b.succs:
            if s.id not in inside and s not in exits:
                exits.append(s)
    uses: list[tuple[list[Value], int, Block]] = []  # argument lists outside the loop, index, exit that dominates
    for b in dom.order:
        if b.id in inside:
            continue
        found: Block | None = None
        for args in [*[v.args for v in b.values], b.targs, *b.sargs]:
            for i, a in enumerate(args):
                if a.id not in defined:
                    continue
                if found is None:
                    for x in exits:
                        if dom.dominates(x, b):
                            found = x
                            break
                    if found is None:
                        return False
                uses.append((args, i, found))
    if any(p.id not in inside for _, _, x in uses for p in x.preds):
        return False  # an exit that is entered from elsewhere too cannot be dominated by the loop
    params: dict[tuple[int, int], Value] = {}
    for args, i, x in uses:
        v = args[i]
        p = params.get((x.id, v.id))
        if p is None:
            p = params[(x.id, v.id)] = Value(fn.nvalues, PARAM, v.type, [], 0, None, v.pos)
            fn.nvalues += 1
            x.params.append(p)
            for b in body:
                for k, s in enumerate(b.succs):
                    if s is x:
                        b.sargs[k] = [*b.sargs[k], v]
        args[i] = p
    return True
