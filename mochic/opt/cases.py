"""Chains of comparisons of one value with constants become one branch on the value.

    b0: brif (eq x, 3), t3, b1           b0: switch x, 3: t3, 7: t7, 8: t8, 9: t9, b4
    b1: brif (eq x, 7), t7, b2      =>
    b2: brif (eq x, 8), t8, b3
    b3: brif (eq x, 9), t9, b4

The code generator makes a table of dense cases and a tree of comparisons of others (codegen/legalize.py), so an
interpreter's `if op == ...` or a `match` on numbers takes one jump however many arms it has.

A block of the chain may hold only what is pure; that moves to the first one.
"""

from __future__ import annotations

from typing import Final

from mochic.ir.cfg import compute_preds, remove_unreachable
from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import BRIF, EQ, ICONST, IS_PURE, NE, SWITCH
from mochic.ir.types import I64

MIN_CASES: Final = 4
MAX_CASES: Final = 64  # of one switch, for what is moved lives through all of it; a longer chain becomes several
MAX_MOVED: Final = 4  # values of a block beside its constant and comparison


def run(fn: Func, typed: bool = True) -> bool:
    """Replace chains of at least MIN_CASES comparisons; tells whether there were any."""
    if len([b for b in fn.blocks if b.term == BRIF and _test(b) is not None]) < MIN_CASES:
        return False
    compute_preds(fn)
    changed = False
    for b in list(fn.blocks):
        if b.term == BRIF and not _continues(b):
            changed |= _convert(b)
    if changed:
        remove_unreachable(fn)
    return changed


def _test(b: Block) -> tuple[Value, int, int] | None:
    """(value, constant, number of the edge taken when they are equal) of a block that ends in such a test."""
    c = b.targs[0]
    if c.op not in (EQ, NE) or c.args[0].type != I64 or c.args[1].op != ICONST:
        return None
    return c.args[0], c.args[1].imm, 0 if c.op == EQ else 1


def _continues(b: Block) -> bool:
    """The block goes on with a chain that its only predecessor began."""
    found = _test(b)
    if found is None or len(b.preds) != 1 or b.params or not _moves(b):
        return False
    p = b.preds[0]
    before = _test(p) if p.term == BRIF else None
    return before is not None and before[0] is found[0] and p.succs[1 - before[2]] is b and p is not b


def _moves(b: Block) -> bool:
    return len(b.values) <= MAX_MOVED + 2 and all(IS_PURE[v.op] for v in b.values)


def _convert(b: Block) -> bool:
    first = _test(b)
    if first is None:
        return False
    cases: list[int] = []
    succs: list[Block] = []
    sargs: list[list[Value]] = []
    chain: list[Block] = []
    at = b
    while True:
        found = _test(at)
        assert found is not None
        _, n, equal = found
        chain.append(at)
        if n not in cases:  # the second test of one number never holds
            cases.append(n)
            succs.append(at.succs[equal])
            sargs.append(at.sargs[equal])
        rest = at.succs[1 - equal]
        if len(cases) == MAX_CASES or rest.term != BRIF or not _continues(rest) or rest in chain:
            break
        at = rest
    if len(cases) < MIN_CASES:
        return False
    for x in chain[1:]:
        b.values += x.values
    b.term, b.targs, b.cases, b.hint = SWITCH, [first[0]], cases, 0
    b.succs = [*succs, rest]
    b.sargs = [*sargs, at.sargs[1 - equal]]
    return True
