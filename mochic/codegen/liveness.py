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


from backend.obj.prog import MEM, REG, VREG, Prog
from mochic.codegen.machine import Machine
from mochic.codegen.code import (
    M_DEF, M_USE, U_ANY, U_EARLY, U_LATE, BlockCode, Intervals, Selection, Special,
)  # fmt: skip


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
    iv = Intervals(len(sel.types))
    flow(sel, iv, rpo)
    walk = _Walk(machine, sel, iv)
    # What is live at the start of the block after c and at the end of c stays open: in a long function that
    # is most of it, and the walk costs only what changes.
    still = 0
    for c in reversed(sel.codes):
        if still != c.live_out:
            for i in positions(still & ~c.live_out):
                walk.close(iv.order[i], 2 * c.end, 0)
            for i in positions(c.live_out & ~still):
                walk.open_to[iv.order[i]] = 2 * c.end
        still = c.live_in
        if c.edge:
            walk.edge(c)
        walk.instructions(c)
        walk.start(c)
    for i in positions(still):
        walk.close(iv.order[i], 0, 0)
    for v, reg in sel.incoming:
        if reg > 0:
            walk.hint(v - VREG, reg)
    walk.finish()
    return iv


class _Walk:
    """The state of the walk: `open_to[r]` is the end of the range of r that is open here, 0 when r is not live;
    `ranges[r]` are the closed ones, start and end, the last one of the program first."""

    __slots__ = ("machine", "sel", "iv", "open_to", "ranges")

    def __init__(self, machine: Machine, sel: Selection, iv: Intervals) -> None:
        self.machine = machine
        self.sel = sel
        self.iv = iv
        self.open_to = [0] * len(sel.types)
        self.ranges: list[list[int]] = [[] for _ in sel.types]

    def close(self, r: int, start: int, least: int) -> None:
        """r begins to live at `start`, for `least` positions if nothing reads it."""
        end = self.open_to[r] or start + least
        self.open_to[r] = 0
        ranges = self.ranges[r]
        if ranges and ranges[-2] == end:
            ranges[-2] = start
        else:
            ranges.append(start)
            ranges.append(end)

    def written(self, r: int, at: int, least: int, freq: int) -> None:
        """An instruction defines r."""
        self.close(r, at, least)
        self.iv.define[r] = at
        self.iv.weight[r] += freq

    def moved(self, r: int, at: int, entry: int, freq: int) -> None:
        """A move reads r, from a register or from memory."""
        if not self.open_to[r]:
            self.open_to[r] = at
        self.iv.uses[r].append(entry)
        self.iv.weight[r] += freq

    def hint(self, r: int, reg: int) -> None:
        """A machine register that would save r a move."""
        hints = self.iv.hints[r]
        if hints is None:
            self.iv.hints[r] = [reg]
        else:
            hints.append(reg)

    def edge(self, c: BlockCode) -> None:
        """The moves to the parameters of the only successor."""
        to = self.sel.by_block[c.block.succs[0].id]
        assert to is not None
        for a, v in zip(c.edge, to.params, strict=True):
            if a.kind == REG:
                r = a.reg - VREG
                self.moved(r, 2 * c.end, c.end << 2 | U_ANY, 0)
                # At the prologue values change registers on purpose.
                if c.block.id != self.sel.prologue:
                    self.iv.pairs.append((c.freq, v - VREG, r))

    def special(self, p: Prog, s: Special, j: int, freq: int) -> int:
        """What an instruction with fixed operands writes and clobbers; the register of a two-address result, or -1."""
        pos = 2 * j
        for v, reg in s.defs:
            self.written(v - VREG, pos + 1, 1, freq)
            self.hint(v - VREG, reg)
        d = -1
        if s.tie:
            d = p.args[-1].reg - VREG
            self.written(d, pos, 2, freq)
        if s.clobbers is self.machine.clobbers:
            self.iv.calls.append(j)
            if s.safepoint:
                self.iv.safepoints.append(j)
        else:
            fixed = self.iv.fixed
            for reg in s.clobbers:
                fixed[reg] = fixed.get(reg, 0) | 1 << pos
        return d

    def before(self, s: Special, j: int, freq: int) -> None:
        """The moves into fixed registers and the outgoing area before an instruction."""
        for a, reg in s.uses:
            if a.kind == REG:
                self.moved(a.reg - VREG, 2 * j, j << 2 | U_ANY, freq)
                self.hint(a.reg - VREG, reg)
        if not s.tie:
            for a, _ in s.stack:
                if a.kind == REG:
                    self.moved(a.reg - VREG, 2 * j, j << 2 | U_ANY, 0)

    def instructions(self, c: BlockCode) -> None:
        """The instructions of a block, last first.  The commonest ways are written out."""
        iv = self.iv
        uses = iv.uses
        weight = iv.weight
        define = iv.define
        pairs = iv.pairs
        open_to = self.open_to
        ranges = self.ranges
        specials = self.sel.specials
        copies = self.machine.copies
        lea = self.machine.lea
        f = c.freq
        j = c.end
        for p in reversed(c.progs):
            j -= 1
            pos = 2 * j
            mark = p.mark
            args = p.args
            last = len(args) - 1
            copy = False
            special = None
            tied = 0  # the register that the result starts as a copy of
            if mark == M_DEF:
                d = args[-1].reg - VREG
                e = open_to[d] or pos + 2
                open_to[d] = 0
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
            elif mark == M_USE:
                d = -1
                at = pos
                kind = U_EARLY
                last += 1
            else:
                at = pos + 1
                kind = U_LATE
                if mark >= 0:  # two-address, or read while the result is written
                    d = args[-1].reg - VREG
                    self.written(d, pos, 2, f)
                    if mark >= VREG:
                        tied = mark
                else:
                    special = specials[-1 - mark]
                    d = self.special(p, special, j, f)
                    tied = special.tie
                    if not tied:
                        last += 1
            for k in range(last):
                a = args[k]
                if a.kind == REG:
                    r = a.reg - VREG
                    if r >= 0 and r != d:
                        if not open_to[r]:
                            open_to[r] = at
                        uses[r].append(j << 2 | kind)
                        weight[r] += f
                        if copy:
                            pairs.append((f, d, r))
                else:
                    r = a.reg - VREG
                    if r >= 0:
                        if not open_to[r]:
                            open_to[r] = at
                        uses[r].append(j << 2 | kind)
                        weight[r] += f
                        if copy and a.kind == MEM and p.as_ == lea:
                            pairs.append((f >> 1, d, r))
                    r = a.index - VREG
                    if r >= 0:
                        if not open_to[r]:
                            open_to[r] = at
                        uses[r].append(j << 2 | kind)
                        weight[r] += f
            assert last == len(args) or args[-1].kind != MEM, "a written operand must be a register"
            if tied:
                self.moved(tied - VREG, pos, j << 2 | U_ANY, f)
                pairs.append((f, d, tied - VREG))
            if special is not None:
                self.before(special, j, f)

    def start(self, c: BlockCode) -> None:
        """The start of a block: its parameters are defined there."""
        at = 2 * c.first
        for r in c.gen:
            if not self.open_to[r]:  # selection asked for it, but nothing reads it: open it, because it is in live_in
                self.open_to[r] = at + 1
        for v in c.params:
            self.written(v - VREG, at, 2, c.freq)

    def finish(self) -> None:
        """The ranges of each register as one bitset."""
        starts = self.iv.start
        bits = self.iv.bits
        for r, ranges in enumerate(self.ranges):
            if not ranges:
                continue
            first = ranges[-2]
            starts[r] = first
            x = (1 << (ranges[-1] - first)) - 1
            for i in range(0, len(ranges) - 2, 2):
                x |= ((1 << (ranges[i + 1] - ranges[i])) - 1) << (ranges[i] - first)
            bits[r] = x
