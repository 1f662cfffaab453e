"""Live intervals of virtual registers.

Instructions are numbered through the layout; instruction j owns the positions 2j (operands are read,
results of two-address and plain instructions are written) and 2j+1 (late reads end, late results of calls
are written).  Each block's first index belongs to no instruction: block parameters are defined there.
Position 2j-1 is thus also the gap before instruction j, where moves are put.

An interval is the set of positions at which a register holds its value, as an int used as a bitset
relative to its first position.  That makes the questions of the allocator (do two intervals meet? where
first? is a machine register free all along?) single operations on ints, holes included, at about 50 ns
for a small function and 300 ns for one of 20,000 instructions.

Between blocks the usual backward dataflow runs over bitsets of those registers only that live across
a block boundary (`gen` is known from selection, each register has one definition).
"""

from __future__ import annotations


from backend.obj.prog import MEM, REG, VREG, Addr
from mochic.codegen.machine import Machine
from mochic.codegen.code import M_DEF, M_DEF_LATE, M_USE, U_ANY, U_EARLY, U_LATE, BlockCode, Intervals, Selection


def positions(m: int) -> list[int]:
    """The bits that are set, ascending."""
    out: list[int] = []
    if m.bit_length() < 256:
        while m:
            low = m & -m
            out.append(low.bit_length() - 1)
            m ^= low
        return out
    # Each operation above would copy a long number.
    text = bin(m)[:1:-1]
    find = text.find
    i = find("1")
    while i >= 0:
        out.append(i)
        i = find("1", i + 1)
    return out


def number_instructions(sel: Selection) -> int:
    """Give each block its index range and frequency; the number of indices."""
    at = 0
    for c in sel.codes:
        c.first = at
        at += 1 + len(c.progs)
        c.end = at
        b = c.block
        f = 1 << (3 * min(b.depth, 8) + 6)
        c.freq = max(1, f >> 9) if b.cold else f
    return at


def flow(sel: Selection, iv: Intervals, rpo: list[BlockCode]) -> None:
    """live_in and live_out of all blocks."""
    number = iv.number
    order = iv.order
    home = sel.home
    n = len(sel.by_block)
    gens = [0] * n
    kills = [0] * n
    for c in sel.codes:
        g = 0
        for r in c.gen:
            i = number.get(r)
            if i is None:
                i = number[r] = len(order)
                order.append(r)
                kills[home[r]] |= 1 << i
            g |= 1 << i
        gens[c.block.id] = g
    by_block = sel.by_block
    changed = True
    while changed:
        changed = False
        for c in reversed(rpo):
            b = c.block
            out = 0
            for s in b.succs:
                to = by_block[s.id]
                if to is not None:
                    out |= to.live_in
            i = b.id
            new = gens[i] | (out & ~kills[i])
            c.live_out = out
            if new != c.live_in:
                c.live_in = new
                changed = True


def build(machine: Machine, sel: Selection, rpo: list[BlockCode]) -> Intervals:
    """Intervals, uses, hints and occupied machine registers, in one walk from the last instruction to the first."""
    n = len(sel.types)
    iv = Intervals(n)
    flow(sel, iv, rpo)
    order = iv.order
    uses = iv.uses
    weight = iv.weight
    define = iv.define
    hints = iv.hints
    pairs = iv.pairs
    fixed = iv.fixed
    specials = sel.specials
    copies = machine.copies
    clobbers = machine.clobbers
    lea = machine.lea
    by_block = sel.by_block
    hi = [0] * n  # end of the range that is open at this point, 0: not live
    ranges: list[list[int]] = [[] for _ in range(n)]

    def close(r: int, s: int, least: int) -> None:
        e = hi[r] or s + least
        hi[r] = 0
        rg = ranges[r]
        if rg and rg[-2] == e:
            rg[-2] = s
        else:
            rg.append(s)
            rg.append(e)

    # What is live at the start of the block after c and at the end of c stays open: in a long function that
    # is most of it, and the walk costs only what changes.
    still = 0
    for c in reversed(sel.codes):
        end = 2 * c.end
        f = c.freq
        if still != c.live_out:
            for i in positions(still & ~c.live_out):
                close(order[i], end, 0)
            for i in positions(c.live_out & ~still):
                hi[order[i]] = end
        still = c.live_in
        if c.edge:
            to = by_block[c.block.succs[0].id]
            assert to is not None
            for a, v in zip(c.edge, to.params, strict=True):
                if a.kind == REG:
                    r = a.reg - VREG
                    if not hi[r]:
                        hi[r] = end
                    uses[r].append(c.end << 2 | U_ANY)
                    # At the prologue values change registers on purpose.
                    if c.block.id != sel.prologue:
                        pairs.append((f, v - VREG, r))
        j = c.end
        for p in reversed(c.progs):
            j -= 1
            pos = 2 * j
            mark = p.mark
            args = p.args
            if mark == M_DEF:
                d = args[-1].reg - VREG
                e = hi[d] or pos + 2
                hi[d] = 0
                rg = ranges[d]
                if rg and rg[-2] == e:
                    rg[-2] = pos
                else:
                    rg.append(pos)
                    rg.append(e)
                define[d] = pos
                weight[d] += f
                copy = p.as_ in copies
                at = pos
                kind = U_EARLY
                last = len(args) - 1
            elif mark == M_USE:
                d = -1
                copy = False
                at = pos
                kind = U_EARLY
                last = len(args)
            elif mark >= VREG:
                d = args[-1].reg - VREG
                close(d, pos, 2)
                define[d] = pos
                weight[d] += f
                copy = False
                at = pos + 1
                kind = U_LATE
                last = len(args) - 1
            elif mark == M_DEF_LATE:
                d = args[-1].reg - VREG
                close(d, pos, 2)
                define[d] = pos
                weight[d] += f
                copy = False
                at = pos + 1
                kind = U_LATE
                last = len(args) - 1
            else:
                sp = specials[-1 - mark]
                for v, reg in sp.defs:
                    d = v - VREG
                    close(d, pos + 1, 1)
                    define[d] = pos + 1
                    weight[d] += f
                    h = hints[d]
                    if h is None:
                        hints[d] = [reg]
                    else:
                        h.append(reg)
                last = len(args)
                d = -1
                if sp.tie:
                    last -= 1
                    d = args[-1].reg - VREG
                    close(d, pos, 2)
                    define[d] = pos
                    weight[d] += f
                    mark = sp.tie
                if sp.clobbers is clobbers:
                    iv.calls.append(j)
                    if sp.safepoint:
                        iv.safepoints.append(j)
                else:
                    for reg in sp.clobbers:
                        fixed[reg] = fixed.get(reg, 0) | 1 << pos
                copy = False
                at = pos + 1
                kind = U_LATE
            for k in range(last):
                a = args[k]
                if a.kind == REG:
                    r = a.reg - VREG
                    if r >= 0 and r != d:
                        if not hi[r]:
                            hi[r] = at
                        uses[r].append(j << 2 | kind)
                        weight[r] += f
                        if copy:
                            pairs.append((f, d, r))
                else:
                    r = a.reg - VREG
                    if r >= 0:
                        if not hi[r]:
                            hi[r] = at
                        uses[r].append(j << 2 | kind)
                        weight[r] += f
                        if copy and a.kind == MEM and p.as_ == lea:
                            pairs.append((f >> 1, d, r))
                    r = a.index - VREG
                    if r >= 0:
                        if not hi[r]:
                            hi[r] = at
                        uses[r].append(j << 2 | kind)
                        weight[r] += f
            if last < len(args) and args[-1].kind == MEM:
                raise AssertionError("a written operand must be a register")
            if mark >= VREG:
                r = mark - VREG
                if not hi[r]:
                    hi[r] = pos
                uses[r].append(j << 2 | U_ANY)
                weight[r] += f
                pairs.append((f, d, r))
            elif mark < 0:
                _special_uses(specials[-1 - mark].uses, j, f, hi, uses, weight, hints)
                _stack_uses(specials[-1 - mark].stack, j, hi, uses)
            if p.mark < 0 and mark >= VREG:
                _special_uses(specials[-1 - p.mark].uses, j, f, hi, uses, weight, hints)
        start = 2 * c.first
        for r in c.gen:
            if not hi[r]:  # selection asked for it, but nothing reads it: open it, because it is in live_in
                hi[r] = start + 1
        for v in c.params:
            d = v - VREG
            close(d, start, 2)
            define[d] = start
            weight[d] += f
    for i in positions(still):
        close(order[i], 0, 0)
    for v, reg in sel.incoming:
        if reg > 0:
            h = hints[v - VREG]
            if h is None:
                hints[v - VREG] = [reg]
            else:
                h.append(reg)
    starts = iv.start
    bits = iv.bits
    for r in range(n):
        rg = ranges[r]
        if not rg:
            continue
        s = rg[-2]
        starts[r] = s
        x = (1 << (rg[-1] - s)) - 1
        for i in range(0, len(rg) - 2, 2):
            x |= ((1 << (rg[i + 1] - rg[i])) - 1) << (rg[i] - s)
        bits[r] = x
    return iv


def _special_uses(
    operands: list[tuple[Addr, int]],
    j: int,
    f: int,
    hi: list[int],
    uses: list[list[int]],
    weight: list[int],
    hints: list[list[int] | None],
) -> None:
    for a, reg in operands:
        if a.kind != REG:
            continue
        r = a.reg - VREG
        if not hi[r]:
            hi[r] = 2 * j
        uses[r].append(j << 2 | U_ANY)
        weight[r] += f
        h = hints[r]
        if h is None:
            hints[r] = [reg]
        else:
            h.append(reg)


def _stack_uses(operands: list[tuple[Addr, int]], j: int, hi: list[int], uses: list[list[int]]) -> None:
    for a, _ in operands:
        if a.kind == REG:
            r = a.reg - VREG
            if not hi[r]:
                hi[r] = 2 * j
            uses[r].append(j << 2 | U_ANY)
