"""Parallel moves: many copies that happen at once, as a sequence of single ones.

A location is an int: a machine register, or SLOT + offset for the word at that offset from SP.  A move
is emitted as soon as nothing pending reads its destination; what remains then are cycles.  A cycle among
integer registers is a chain of exchanges; any other one is opened by parking one value below SP (the psABI's
red zone, 3.2.2: signal handlers leave it alone).  Memory to memory goes through the scratch X register.
"""

from __future__ import annotations

from typing import Final

from backend.obj.prog import MEM, REG, Addr, Prog
from backend.x86.ops import AMOVAPS, AMOVQ, AMOVSD, AXCHGQ
from backend.x86.regs import X0
from mochic.codegen.targets.amd64 import NREGS, SCRATCH_FP, STACK

SLOT: Final = 1 << 16
PARK: Final = SLOT - 8

# Shared operands: Progs never change a register operand.
REGS: Final = [Addr(REG, r) for r in range(NREGS)]


def place(loc: int) -> Addr:
    """The operand for a location."""
    return REGS[loc] if loc < NREGS else Addr(MEM, STACK, loc - SLOT)


def move(dst: int, src: int, pos: int, out: list[Prog]) -> None:
    """One copy between two locations."""
    if dst >= NREGS and src >= NREGS:
        out.append(Prog(AMOVQ, [place(src), REGS[SCRATCH_FP]], pos))
        src = SCRATCH_FP
        out.append(Prog(AMOVQ, [REGS[src], place(dst)], pos))
    elif X0 <= dst < NREGS:
        out.append(Prog(AMOVAPS if X0 <= src < NREGS else AMOVSD, [place(src), REGS[dst]], pos))
    elif X0 <= src < NREGS:
        out.append(Prog(AMOVSD, [REGS[src], place(dst)], pos))
    else:
        out.append(Prog(AMOVQ, [place(src), place(dst)], pos))


def parallel(moves: list[tuple[int, int]], pos: int, out: list[Prog]) -> None:
    """Emit (destination, source) pairs as if all at once; destinations differ."""
    if len(moves) == 1:
        dst, src = moves[0]
        if dst != src:
            move(dst, src, pos, out)
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
            move(d, s, pos, out)
            readers[s] -= 1
            if not readers[s]:
                del readers[s]
                if s in source:
                    ready.append(s)
        if not source:
            break
        d = next(iter(source))
        s = source[d]
        if _exchanges(d, source):
            # XCHG d, s puts d's value in place; what s should get is now in s's old register chain.
            out.append(Prog(AXCHGQ, [REGS[d], REGS[s]], pos))
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
            move(PARK, d, pos, out)
            for k, x in source.items():
                if x == d:
                    source[k] = PARK
            readers[PARK] = readers.pop(d)
            ready.append(d)


def _exchanges(d: int, source: dict[int, int]) -> bool:
    """Does the cycle through d consist of integer registers?"""
    x = d
    while True:
        if x >= X0:
            return False
        x = source[x]
        if x == d:
            return True


__all__ = ["PARK", "REGS", "SLOT", "move", "parallel", "place"]
