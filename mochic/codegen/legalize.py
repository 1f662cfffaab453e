"""What the selector does not want to see, rewritten in the IR, and the shape of the control-flow graph it needs.

ALLOC       bump allocation inline, the runtime's allocator on a cold path (docs/runtime.md, "Allocation")
SWITCH      a bounds check and a table where the cases are dense, else a balanced tree of comparisons
CLZ ...     where the machine has no instruction for them: arithmetic on words
edges       only an edge from a block with one successor passes arguments, and no edge is critical: each edge has
            a place for the moves that belong to it
"""

from __future__ import annotations

from typing import Final

from mochic.codegen.context import Context
from mochic.ir import cfg
from mochic.ir.builder import simplify_params
from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import (
    ADD, ALLOC, AND, BRIF, CALL, CAST, CLZ, CTZ, EQ, ICONST, JUMP, LD, MUL, OR, PARAM, SHR, SLT, ST, SUB, SWITCH,
    SYMADDR, ULE, ULT, XOR,
)  # fmt: skip
from mochic.ir.types import I32, I64, PTR, VOID

# A table pays from so many cases on, and while at least a third of it is in use.
TABLE_FAR: Final = 1 << 20  # cases up to here index their table without a subtraction
TABLE_MIN: Final = 5
TABLE_SPARSE: Final = 3


def legalize(fn: Func, ctx: Context) -> None:
    """Rewrite in place; leaves `preds` computed and no block unreachable."""
    cfg.remove_unreachable(fn)
    lacks = ctx.machine.lacks
    if lacks:
        _write_out(fn, lacks)
    allocs = False
    for b in list(fn.blocks):
        if b.term == SWITCH:
            _lower_switch(fn, b)
        if not allocs:
            for v in b.values:
                if v.op == ALLOC:
                    allocs = True
                    break
    if allocs:
        _lower_allocs(fn, ctx)
    _shape_edges(fn)


# -- bits


class _Words:
    """Appends arithmetic on 64-bit words to a list of values."""

    __slots__ = ("fn", "out", "pos")

    def __init__(self, fn: Func, out: list[Value], pos: int) -> None:
        self.fn = fn
        self.out = out
        self.pos = pos

    def op(self, op: int, a: Value, b: Value | int) -> Value:
        if isinstance(b, int):
            c = self.fn.new_value(ICONST, I64, [], b, None, self.pos)
            self.out.append(c)
            b = c
        v = self.fn.new_value(op, I64, [a, b], 0, None, self.pos)
        self.out.append(v)
        return v


def _write_out(fn: Func, lacks: frozenset[int]) -> None:
    """Replace bit counting ops (Hacker's Delight, 5-1 and 5-3)."""
    for b in fn.blocks:
        if not any(v.op in lacks for v in b.values):
            continue
        out: list[Value] = []
        for v in b.values:
            if v.op in lacks:
                w = _Words(fn, out, v.pos)
                x = v.args[0]
                if v.op == CTZ:  # the ones below the lowest one
                    x = w.op(AND, w.op(SUB, x, 1), w.op(XOR, x, -1))
                elif v.op == CLZ:  # the zeros above the highest one, once all below it are ones
                    for n in (1, 2, 4, 8, 16, 32):
                        x = w.op(OR, x, w.op(SHR, x, n))
                    x = w.op(XOR, x, -1)
                x = w.op(SUB, x, w.op(AND, w.op(SHR, x, 1), 0x5555555555555555))
                x = w.op(ADD, w.op(AND, x, 0x3333333333333333), w.op(AND, w.op(SHR, x, 2), 0x3333333333333333))
                x = w.op(AND, w.op(ADD, x, w.op(SHR, x, 4)), 0x0F0F0F0F0F0F0F0F)
                last = w.op(MUL, x, 0x0101010101010101)
                v.op = SHR
                v.args = [last, fn.new_value(ICONST, I64, [], 56, None, v.pos)]
                out.append(v.args[1])
            out.append(v)
        b.values = out


# -- allocation


def _lower_allocs(fn: Func, ctx: Context) -> None:
    out: list[Block] = []
    for b in fn.blocks:
        out.append(b)
        values, b.values = b.values, []
        for v in values:
            if v.op != ALLOC:
                b.values.append(v)
                continue
            if not ctx.inline_alloc or b.cold:
                size = fn.new_value(ICONST, I64, [], v.imm, None, v.pos)
                desc = fn.new_value(SYMADDR, PTR, [], 0, v.sym, v.pos)
                v.op = CALL
                v.args = [desc, size]
                v.sym = ctx.alloc
                v.imm = 0
                b.values += [size, desc, v]
                continue
            b = _split_alloc(fn, ctx, b, v, out)
    fn.blocks = out


def _split_alloc(fn: Func, ctx: Context, b: Block, v: Value, out: list[Block]) -> Block:
    """End b with v, an ALLOC; the result is the block that goes on behind it, still without values.

    p = alloc_ptr; q = p + size; if q <= alloc_limit { alloc_ptr = q; *p = desc } else p = alloc(desc, size)
    """
    pos = v.pos
    fast = _block(fn, b)
    slow = _block(fn, b)
    slow.cold = True
    rest = _block(fn, b)
    out += [fast, slow, rest]
    rest.term, rest.targs, rest.succs, rest.sargs = b.term, b.targs, b.succs, b.sargs
    rest.cases, rest.hint = b.cases, b.hint

    def new(to: Block, op: int, type: int, args: list[Value], imm: int = 0, sym: object = None) -> Value:
        w = fn.new_value(op, type, args, imm, sym, pos)
        to.values.append(w)
        return w

    at = new(b, SYMADDR, PTR, [], 0, ctx.alloc_ptr)
    p = new(b, LD, PTR, [at])
    q = new(b, ADD, PTR, [p, new(b, ICONST, I64, [], v.imm)])
    limit = new(b, LD, PTR, [new(b, SYMADDR, PTR, [], 0, ctx.alloc_limit)])
    b.term, b.targs, b.succs, b.sargs = BRIF, [new(b, ULE, I32, [q, limit])], [fast, slow], [[], []]
    b.cases, b.hint = [], 1
    new(fast, ST, VOID, [new(fast, SYMADDR, PTR, [], 0, ctx.alloc_ptr), q])
    new(fast, ST, VOID, [p, new(fast, SYMADDR, PTR, [], 0, v.sym)])
    ref = new(fast, CAST, v.type, [p])
    fast.term, fast.succs, fast.sargs = JUMP, [rest], [[ref]]
    desc = new(slow, SYMADDR, PTR, [], 0, v.sym)
    size = new(slow, ICONST, I64, [], v.imm)
    ref = new(slow, CALL, v.type, [desc, size], 0, ctx.alloc)
    slow.term, slow.succs, slow.sargs = JUMP, [rest], [[ref]]
    v.op, v.args, v.imm, v.sym = PARAM, [], 0, None
    rest.params = [v]
    return rest


def _block(fn: Func, like: Block) -> Block:
    b = Block(fn.nblocks)
    fn.nblocks += 1
    b.cold = like.cold
    b.pos = like.pos
    return b


# -- switches


def _lower_switch(fn: Func, b: Block) -> None:
    x = b.targs[0]
    default = _landing(fn, b, len(b.cases))
    targets = sorted((c, _landing(fn, b, i)) for i, c in enumerate(b.cases))
    b.cases = []
    lo, hi = targets[0][0] if targets else 0, targets[-1][0] if targets else 0
    if len(targets) >= TABLE_MIN and (hi - lo + 1) <= TABLE_SPARSE * len(targets):
        table = _block(fn, b)
        fn.blocks.append(table)
        if 0 < lo <= len(targets):
            lo = 0  # a few more entries cost less than a subtraction
        by_case = dict(targets)
        table.term = SWITCH
        table.succs = [by_case.get(c, default) for c in range(lo, hi + 1)] + [default]
        table.sargs = [[] for _ in table.succs]
        t = _value(fn, b, SUB, I64, [x, _const(fn, b, lo)]) if lo else x
        table.targs = [t]
        table.cases = list(range(hi - lo + 1))
        c = _value(fn, b, ULT, I32, [t, _const(fn, b, hi - lo + 1)])
        _branch(b, c, table, default, 0)
    else:
        _search(fn, b, x, targets, default)


def _landing(fn: Func, b: Block, i: int) -> Block:
    """The target of edge i, or a new block in between that passes the arguments."""
    if not b.sargs[i]:
        return b.succs[i]
    e = _block(fn, b)
    e.term, e.succs, e.sargs = JUMP, [b.succs[i]], [b.sargs[i]]
    fn.blocks.append(e)
    return e


def _search(fn: Func, b: Block, x: Value, targets: list[tuple[int, Block]], default: Block) -> None:
    """Binary search over the sorted cases; up to three are compared in a row."""
    work = [(b, targets)]
    while work:
        b, some = work.pop()
        if len(some) > 3:
            mid = len(some) // 2
            left, right = _block(fn, b), _block(fn, b)
            fn.blocks += [left, right]
            _branch(b, _value(fn, b, SLT, I32, [x, _const(fn, b, some[mid][0])]), left, right, 0)
            work.append((right, some[mid:]))
            work.append((left, some[:mid]))
            continue
        if not some:
            b.term, b.targs, b.succs, b.sargs = JUMP, [], [default], [[]]
            continue
        for k, (c, to) in enumerate(some):
            test = _value(fn, b, EQ, I32, [x, _const(fn, b, c)])
            if k == len(some) - 1:
                _branch(b, test, to, default, 0)
            else:
                other = _block(fn, b)
                fn.blocks.append(other)
                _branch(b, test, to, other, 0)
                b = other


def _value(fn: Func, b: Block, op: int, type: int, args: list[Value]) -> Value:
    v = fn.new_value(op, type, args, 0, None, b.pos)
    b.values.append(v)
    return v


def _const(fn: Func, b: Block, c: int) -> Value:
    v = fn.new_value(ICONST, I64, [], c, None, b.pos)
    b.values.append(v)
    return v


def _branch(b: Block, c: Value, then: Block, orelse: Block, hint: int) -> None:
    b.term, b.targs, b.succs, b.sargs, b.hint = BRIF, [c], [then, orelse], [[], []], hint


# -- edges


def _shape_edges(fn: Func) -> None:
    cfg.compute_preds(fn)
    trivial = False
    for b in fn.blocks:
        if b.term == BRIF and b.succs[0] is b.succs[1] and not b.sargs[0]:
            s = b.succs[0]
            b.term, b.targs, b.succs, b.sargs, b.hint = JUMP, [], [s], [[]], 0
            s.preds.remove(b)
        if b.params and len(b.preds) == 1:
            trivial = True
    if trivial:
        simplify_params(fn)
    cfg.split_critical_edges(fn)


__all__ = ["legalize"]
