"""One search of a map where a statement has looked an entry up and then sets it.

    f = call map_find(m, k); ...; s = call map_slot(m, k)
 =>
    f = call map_find(m, k); ...; brif (ne f, 0), done(f), add
    add: n = call map_slot(m, k); jump done(n)
    done(s): ...

Value numbering tells which look-ups are still true where an entry is wanted: `m[k] = (m[k] ?? 0) + 1` searches once
when the key is there, and twice only when it is new.
"""

from __future__ import annotations

from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import BRIF, ICONST, JUMP, NE
from mochic.ir.types import I32, PTR
from mochic.opt.jumpthread import replace


def run(fn: Func, pairs: list[tuple[Value, Value]]) -> None:
    """`pairs`: calls that insert, each with what an earlier look-up of the same key found."""
    inserts = {v.id: found for v, found in pairs}
    subst: dict[int, Value] = {}
    work = list(fn.blocks)
    while work:
        b = work.pop()
        for i, v in enumerate(b.values):
            found = inserts.pop(v.id, None)
            if found is not None:
                rest = _split(fn, b, i, found)
                subst[v.id] = rest.params[0]
                work.append(rest)
                break
    replace(fn, subst)


def _split(fn: Func, b: Block, at: int, found: Value) -> Block:
    """Call only if nothing was found; gives the block behind the call, whose parameter is the entry."""
    old = b.values[at]
    insert = fn.new_value(old.op, old.type, old.args, old.imm, old.sym, old.pos)  # what used the old one gets `entry`
    done, add = fn.cut(b, at), fn.new_block()
    entry = fn.new_param(done, PTR)
    add.values = [insert]
    add.term, add.succs, add.sargs = JUMP, [done], [[insert]]
    add.pos, add.cold, add.depth = insert.pos, b.cold, b.depth
    zero = fn.new_value(ICONST, PTR, [], 0, None, insert.pos)
    test = fn.new_value(NE, I32, [found, zero], 0, None, insert.pos)
    b.values += [zero, test]
    b.term, b.targs, b.succs, b.sargs = BRIF, [test], [done, add], [[found], []]
    entry.pos = insert.pos
    return done
