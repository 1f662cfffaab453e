"""Branch relaxation, the same for every architecture.

Problem.  A branch has a short form with a small reach and a long one; the size of each depends on
the distance, which depends on the sizes in between.  Method (Szymanski, "Assembling code for
machines with span-dependent instructions", CACM 1978, in its grow-only form): lay everything out
short, lengthen what does not reach, repeat until nothing changes.

Invariants.  Sites never shrink, so at most len(sites) rounds happen; in practice two or three.
A round costs time in proportion to the sites, not to the instructions: all other code moves by the
sum of growths before it.  An alignment site takes part with the padding its address needs in the
current round; it has no reach and may shrink between rounds, which cannot revoke a growth.
"""

from __future__ import annotations

from bisect import bisect_left

from backend.obj.ctx import AsmError


class Sites:
    """The span-dependent places of a function, in order.

    `pcs` are addresses in the all-short layout, where an alignment counts as one byte.  For site i:
    `ends[i]` is the size of its short form, `dests[i]` its target's address in the same layout,
    `growth[i]` what the long form adds (0: there is none), `aligns[i]` the alignment or 0,
    `limits[i]` the most padding an alignment may insert.
    """

    __slots__ = ("pcs", "sizes", "dests", "growth", "aligns", "limits")

    def __init__(self) -> None:
        self.pcs: list[int] = []
        self.sizes: list[int] = []
        self.dests: list[int] = []
        self.growth: list[int] = []
        self.aligns: list[int] = []
        self.limits: list[int] = []


def relax(sites: Sites, lo: int, hi: int) -> tuple[list[bool], list[int]]:
    """Which sites are long, and how many bytes were added before each (one more entry: in all).

    The final address of anything at address x of the short layout is
    x + shifts[bisect_left(sites.pcs, x)].  `lo` and `hi` bound the short displacement, counted from
    the end of the branch.  Raises AsmError with the site's index as position when a branch without
    a long form does not reach.
    """
    pcs, sizes, growth, aligns = sites.pcs, sites.sizes, sites.growth, sites.aligns
    n = len(pcs)
    long = [False] * n
    before = [bisect_left(pcs, d) for d in sites.dests]
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
                elif long[i]:
                    total += growth[i]
            shifts[n] = total
        grown = False
        rest: list[int] = []
        dests = sites.dests
        for i in todo:
            d = dests[i] + shifts[before[i]] - pcs[i] - shifts[i] - sizes[i]
            if lo <= d <= hi:
                rest.append(i)
            elif growth[i] == 0:
                raise AsmError(i, "branch target too far for this instruction")
            else:
                long[i] = grown = True
        if not grown:
            return long, shifts
        todo = rest
        if not has_align:
            total = 0
            for i in range(n):
                shifts[i] = total
                if long[i]:
                    total += growth[i]
            shifts[n] = total
