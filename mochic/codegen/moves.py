"""Parallel moves: many copies that happen at once, as a sequence of single ones.

A location is an int (machine.py): a machine register, or SLOT + offset for the word at that offset from SP.  A move
is emitted as soon as nothing pending reads its destination; what remains then are cycles.  A cycle among
integer registers is a chain of exchanges where the CPU can exchange; in any other cycle one value is parked in a
free place: a scratch register, or below SP where signal handlers leave it alone.
"""

from __future__ import annotations

from backend.obj.prog import Prog
from mochic.codegen.machine import MEMORY, Machine


def parallel(m: Machine, moves: list[tuple[int, int]], pos: int, out: list[Prog]) -> None:
    """Emit (destination, source) pairs as if all at once; destinations differ."""
    if len(moves) == 1:
        dst, src = moves[0]
        if dst != src:
            m.move(dst, src, pos, out)
        return
    source: dict[int, int] = {}
    readers: dict[int, int] = {}
    for dst, src in moves:
        if dst != src:
            source[dst] = src
            readers[src] = readers.get(src, 0) + 1
    ready = [d for d in source if d not in readers]
    while source:
        while ready:
            d = ready.pop()
            s = source.pop(d)
            m.move(d, s, pos, out)
            readers[s] -= 1
            if not readers[s]:
                del readers[s]
                if s in source:
                    ready.append(s)
        if not source:
            break
        d = next(iter(source))
        s = source[d]
        if m.exchange >= 0 and _exchanges(m, d, source):
            # An exchange puts d's value in place; what s should get is now in s's old register chain.
            out.append(Prog(m.exchange, [m.regs[d], m.regs[s]], pos))
            del source[d]
            # The old value of d is now in s; whoever wanted it reads s.
            for k, x in list(source.items()):
                if x == d:
                    source[k] = s
            if source.get(s) == s:
                del source[s]
            readers = {}
            for x in source.values():
                readers[x] = readers.get(x, 0) + 1
        else:
            park = m.park()
            m.move(park, d, pos, out)
            for k, x in source.items():
                if x == d:
                    source[k] = park
            readers[park] = readers.pop(d)
            ready.append(d)


def _exchanges(m: Machine, d: int, source: dict[int, int]) -> bool:
    """Does the cycle through d consist of integer registers?"""
    x = d
    while True:
        if x >= MEMORY or m.is_float[x]:
            return False
        x = source[x]
        if x == d:
            return True
