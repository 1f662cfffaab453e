"""Branch relaxation, the same for every architecture.

Problem.  A branch has a short form with a small reach and longer ones; the size of each depends on
the distance, which depends on the sizes in between.  Method (Szymanski, "Assembling code for
machines with span-dependent instructions", CACM 1978, in its grow-only form): lay everything out
short, lengthen what does not reach, repeat until nothing changes.

The forms of a site are its *ladder*: steps (lo, hi, growth) from short to long, the displacements a
form reaches and the bytes it has more than the short one.  Displacements count from the end of the
short form whatever the step, so a longer form whose jump sits elsewhere states its reach with that
difference included.

Invariants.  Sites never shrink, so at most the sum of the ladders' lengths rounds happen; in practice
two or three.  A round costs time in proportion to the sites, not to the instructions: all other code
moves by the sum of growths before it.  An alignment site takes part with the padding its address
needs in the current round; it has no reach and may shrink between rounds, which cannot revoke a
growth.
"""

from __future__ import annotations

from bisect import bisect_left

from backend.obj.ctx import AsmError
from backend.obj.prog import Prog

Ladder = tuple[tuple[int, int, int], ...]


class Sites:
    """The span-dependent places of a function, in order.

    `pcs` are addresses in the all-short layout, where an alignment counts as one byte.  For site i:
    `sizes[i]` is the size of its short form, `dests[i]` its target's address in the same layout,
    `ladders[i]` its forms, `aligns[i]` the alignment or 0, `limits[i]` the most padding an alignment
    may insert.
    """

    __slots__ = ("pcs", "sizes", "dests", "ladders", "aligns", "limits")

    def __init__(self) -> None:
        self.pcs: list[int] = []
        self.sizes: list[int] = []
        self.dests: list[int] = []
        self.ladders: list[Ladder] = []
        self.aligns: list[int] = []
        self.limits: list[int] = []


def relax(sites: Sites) -> tuple[list[int], list[int]]:
    """Which step of its ladder each site needs, and how many bytes were added before each site (one
    more entry: in all).

    The final address of anything at address x of the short layout is
    x + shifts[bisect_left(sites.pcs, x)].  Raises AsmError with the site's index as position when no
    form of a branch reaches.
    """
    pcs, sizes, ladders, aligns = sites.pcs, sites.sizes, sites.ladders, sites.aligns
    dests = sites.dests
    n = len(pcs)
    steps = [0] * n
    before = [bisect_left(pcs, d) for d in dests]
    todo = [i for i in range(n) if not aligns[i]]
    has_align = len(todo) != n
    shifts = [0] * (n + 1)
    while True:
        if has_align:
            total = 0
            for i in range(n):
                shifts[i] = total
                if aligns[i]:
                    pad = -(pcs[i] + total) % aligns[i]
                    total += (pad if pad <= sites.limits[i] else 0) - 1
                elif steps[i]:
                    total += ladders[i][steps[i]][2]
            shifts[n] = total
        grown = False
        rest: list[int] = []
        for i in todo:
            d = dests[i] + shifts[before[i]] - pcs[i] - shifts[i] - sizes[i]
            lo, hi, _ = ladders[i][steps[i]]
            if lo <= d <= hi:
                rest.append(i)
                continue
            ladder = ladders[i]
            step = steps[i] + 1
            while step < len(ladder) and not ladder[step][0] <= d <= ladder[step][1]:
                step += 1
            if step == len(ladder):
                raise AsmError(i, "branch target too far for this instruction")
            steps[i] = step
            grown = True
            rest.append(i)
        if not grown:
            return steps, shifts
        todo = rest
        if not has_align:
            total = 0
            for i in range(n):
                shifts[i] = total
                if steps[i]:
                    total += ladders[i][steps[i]][2]
            shifts[n] = total


def settle(progs: list[Prog], events: list[int], sites: Sites) -> list[int]:
    """Relax the sites of a function and move its Progs to where that leaves them.

    `events[k]` is the index of the Prog of site k.  Returns the step that each site ended on; raises AsmError at the
    Prog that cannot reach its target.
    """
    try:
        steps, shifts = relax(sites)
    except AsmError as e:
        raise AsmError(progs[events[e.pos]].pos, e.message) from None
    if shifts[-1] or any(sites.aligns):
        shift = 0
        k = 0
        n = len(events)
        following = events[0]
        for i, p in enumerate(progs):
            p.pc += shift
            if i == following:
                k += 1
                p.size += shifts[k] - shift
                shift = shifts[k]
                following = events[k] if k < n else -1
    return steps
