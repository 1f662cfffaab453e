"""Shrink-wrapping: the prologue stands where the function first needs its frame.

    fun f(n) {                       f:  CMPQ DI, $2
      if n < 2 { return n }              JGE  L
      ... calls ...              =>      MOVQ DI, AX ; RET
    }                                L:  PUSHQ BX ; MOVQ DI, BX ; ...

The *head* is the part at the entry without returning calls, before loops.  If it contains a return and leaves
to one block only, an empty block is put on that edge: it gets the prologue.  Values of the head that are used behind it
pass through parameters there, so that each has one register before (where the convention put it) and another, saved
one behind.  Only allocation tells whether the head really needs no saved register and no slot
(`is_bare`); if it needs one, the prologue stays at the entry and nothing is lost.  (Simplified from Chow, "Minimizing
Register Usage Penalty at Procedure Calls", PLDI 1988: one place, chosen by the shape of the graph.)
"""

from __future__ import annotations

from typing import Final

from mochic.codegen.code import Allocation, Selection
from mochic.ir.func import NORETURN, Block, Func, Value
from mochic.ir.ops import ALLOCA, CALL, FCONST, ICONST, IS_CALL, JUMP, PARAM, RET, SYMADDR

MAX_VALUES: Final = 10
MAX_HEAD: Final = 8


def _returns_calls(b: Block) -> bool:
    return any(IS_CALL[v.op] and not (v.op == CALL and v.sym.flags & NORETURN) for v in b.values)


def split_head(fn: Func) -> tuple[list[Block], Block] | None:
    """(head, block for the prologue) after rewriting, or None.  Needs preds and depths."""
    entry = fn.blocks[0]
    if len(entry.succs) < 2 or _returns_calls(entry):
        return None
    inside = {entry.id}
    head = [entry]
    leaves: Block | None = None
    returns = False
    i = 0
    while i < len(head):
        b = head[i]
        i += 1
        if b.term == RET:
            returns = True
        for s in b.succs:
            if s.id in inside:
                continue
            fits = s.depth == 0 and all(p.id in inside for p in s.preds) and not _returns_calls(s)
            # A block that goes on to calls anyway gains nothing from standing before the prologue.
            if fits and (s.term == RET or (not s.succs) or any(t.term == RET for t in s.succs)):
                inside.add(s.id)
                head.append(s)
                if len(head) > MAX_HEAD:
                    return None
            elif leaves is None:
                leaves = s
            elif leaves is not s:
                return None
    if leaves is None or leaves.id in inside or not returns or leaves.depth or leaves.params:
        return None
    if any(p.id not in inside for p in leaves.preds):
        return None
    for b in fn.blocks:
        for v in b.values:
            if v.op == ALLOCA:
                return None
    return _rewrite(fn, head, inside, leaves)


def _rewrite(fn: Func, head: list[Block], inside: set[int], leaves: Block) -> tuple[list[Block], Block] | None:
    defined: dict[int, Value] = {}
    for b in head:
        for v in b.params:
            defined[v.id] = v
        for v in b.values:
            if v.op not in (ICONST, FCONST, SYMADDR):
                defined[v.id] = v
    lists: list[list[Value]] = []
    used: dict[int, Value] = {}
    for b in fn.blocks:
        if b.id in inside:
            continue
        for args in [*[v.args for v in b.values], b.targs, *b.sargs]:
            for a in args:
                if a.id in defined:
                    used[a.id] = a
                    lists.append(args)
                    break
    if len(used) > MAX_VALUES:
        return None
    place = Block(fn.nblocks)
    fn.nblocks += 1
    place.term = JUMP
    place.succs = [leaves]
    place.sargs = [list(used.values())]
    place.pos = leaves.pos
    place.preds = list(leaves.preds)
    for b in head:
        for i, s in enumerate(b.succs):
            if s is leaves:
                b.succs[i] = place
    leaves.preds = [place]
    renamed: dict[int, Value] = {}
    for v in used.values():
        renamed[v.id] = p = fn.new_value(PARAM, v.type, [])
        leaves.params.append(p)
    for args in lists:
        for i, a in enumerate(args):
            if a.id in renamed:
                args[i] = renamed[a.id]
    fn.blocks.insert(fn.blocks.index(leaves), place)
    return head, place


def is_bare(sel: Selection, alloc: Allocation, head: list[Block], occupied: dict[int, int]) -> bool:
    """Does the head need no frame?  `occupied`: saved register -> positions at which it is in use."""
    if sel.outgoing:
        return False  # a call in the head might put arguments where no frame is
    iv = alloc.iv
    mask = 0
    for b in head:
        c = sel.by_block[b.id]
        assert c is not None
        mask |= ((1 << 2 * (c.end - c.first)) - 1) << 2 * c.first
    if any(bits & mask for bits in occupied.values()):
        return False
    return not any(g >= 0 and (iv.bits[r] << iv.start[r]) & mask for r, g in enumerate(alloc.slot))
