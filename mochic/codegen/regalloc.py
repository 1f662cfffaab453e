"""Register allocation: linear scan over SSA intervals, with coalescing, eviction and splitting.

Terms.  An *interval* is where a virtual register is live (liveness.py).  A *bundle* is a set of virtual
registers that do not interfere and want the same machine register; it is allocated as one.  A *piece* is
the part of one virtual register's interval that got a register after a split; elsewhere the value is in
its *slot* of the frame.

Method.  As in Wimmer and Franz, "Linear Scan Register Allocation on SSA Form" (CGO 2010), intervals with
holes are taken in the order of their start, calls and fixed operands occupy machine registers, values are
split around them, and moves on edges resolve block parameters and splits.  The difference is that intervals
are ints used as bitsets.  A machine register's occupation is one int too, so one AND tells whether an interval
fits, and nothing must be kept in the order of a sweep.  That leaves time for two things that newer allocators
do (LLVM's greedy, Cranelift's regalloc2): copies are coalesced before allocation wherever intervals do not meet, and
an interval without a free register may evict cheaper ones, which then are split and queued again.

Splitting goes in steps, each of which is only taken when the one before did not find a register:

    bundle -> its hot part and the pieces of its members in cold code (if it crosses calls only there)
           -> its members -> pieces between calls, widened to whole loops -> pieces within blocks -> single uses

The last are too small to be evicted, so the process ends.  The first step keeps a loop's variables in one register
each even if a slow path of the loop calls something; they are stored and reloaded on the way there and back.

Slots.  A value has one definition, so its slot never changes once written.  It is stored either right at the
definition, or late: where it leaves a register for the slot.  Late pays when that happens only in colder or
outer code than the definition.  All members of a bundle share a slot.

Traced values (REF, TAG) that are live across a safepoint are in their slot there, where the collector finds
them through the frame map, and in no register.  (As the heap does not move, a copy in a callee-saved register would
do no harm; measured on the benchmark pack it gains 5 to 8 % on binary_trees and nothing elsewhere.)  A raw
pointer's base (gcroots.py) is kept in its slot as long as the pointer lives.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final

from backend.obj.prog import VREG
from mochic.codegen.machine import Machine
from mochic.codegen.code import (
    STAGE_LOCAL,
    STAGE_MEMBER,
    STAGE_SEGMENT,
    STAGE_TINY,
    STAGE_WHOLE,
    Allocation,
    Bundle,
    Intervals,
    Selection,
)
from mochic.codegen.cuts import Cuts
from mochic.codegen.liveness import positions
from mochic.ir.cfg import Loop
from mochic.ir.types import F64, TRACED

UNSPILLABLE: Final = 1 << 60
_SCALE: Final = 1 << 16
STRETCH: Final = 512  # positions
WIDE: Final = 8  # stretches
MANY_PIECES: Final = 32


class Allocator:
    __slots__ = (
        "sel", "iv", "out", "busy", "fixed", "occupants", "queue", "serial", "root", "bundles", "call_bits",
        "safe_bits", "hot_bits", "partners", "machine", "cuts",
    )  # fmt: skip

    def __init__(self, machine: Machine, sel: Selection, iv: Intervals, loops: list[Loop]) -> None:
        self.sel = sel
        self.machine = machine
        self.iv = iv
        n = len(sel.types)
        self.out = Allocation(iv, n)
        self.fixed = dict.fromkeys(machine.regs, 0)
        call_bits = 0
        for j in reversed(iv.calls):
            call_bits |= 1 << 2 * j
        self.call_bits = call_bits
        self.safe_bits = 0
        for j in reversed(iv.safepoints):
            self.safe_bits |= 1 << 2 * j
        for reg in machine.clobbers:
            self.fixed[reg] = call_bits
        for reg, bits in iv.fixed.items():
            self.fixed[reg] |= bits
        self.busy = dict(self.fixed)
        # Assigned bundles by machine register and stretch of positions; those over many stretches under -1.
        self.occupants: dict[int, dict[int, list[Bundle]]] = {reg: {} for reg in machine.regs}
        self.queue: list[tuple[int, int, Bundle]] = []
        self.serial = 0
        self.root = list(range(n))
        self.bundles: list[Bundle | None] = [None] * n
        self.partners: dict[int, list[int]] = {}
        self.cuts = Cuts(machine, sel, iv, loops, call_bits)
        self.hot_bits = 0  # positions of blocks that are not cold: they come first in the layout
        for c in sel.codes:
            if c.block.cold:
                self.hot_bits = (1 << 2 * c.first) - 1
                break
        else:
            self.hot_bits = (1 << 2 * sel.codes[-1].end) - 1

    # -- bundles

    def make_bundles(self) -> None:
        """One bundle per register, then merge along copies, the most frequent first."""
        iv = self.iv
        types = self.sel.types
        bundles = self.bundles
        weight = iv.weight
        hints = iv.hints
        starts = iv.start
        for r, bits in enumerate(iv.bits):
            if bits:
                bundles[r] = Bundle(starts[r], bits, [r], weight[r], hints[r] or [], types[r] == F64)
        root = self.root
        pairs = iv.pairs
        pairs.sort(key=_frequency)
        for _, a, b in pairs:
            ra = root[a]
            while root[ra] != ra:
                ra = root[ra]
            rb = root[b]
            while root[rb] != rb:
                rb = root[rb]
            root[a] = ra
            root[b] = rb
            if ra == rb:
                continue
            x = bundles[ra]
            y = bundles[rb]
            if x is None or y is None or x.float != y.float:
                continue
            if x.start > y.start:
                x, y = y, x
                ra, rb = rb, ra
            shift = y.start - x.start
            if (x.bits >> shift) & y.bits:
                self.partners.setdefault(a, []).append(b)
                self.partners.setdefault(b, []).append(a)
                continue
            x.bits |= y.bits << shift
            x.members += y.members
            x.weight += y.weight
            if y.hints:
                x.hints = x.hints + y.hints
            root[rb] = ra
            bundles[rb] = None

    # -- the scan

    def push(self, b: Bundle) -> None:
        self.serial += 1
        heappush(self.queue, (b.start, self.serial, b))

    def run(self) -> Allocation:
        self.make_bundles()
        queue = self.queue
        serial = 0
        groups = self.out.groups
        for b in self.bundles:
            if b is not None:
                serial += 1
                queue.append((b.start, serial, b))
                groups.append(b.members)
        self.serial = serial
        heapify(queue)
        busy = self.busy
        call_bits = self.call_bits
        safe_bits = self.safe_bits
        hot_calls = call_bits & self.hot_bits
        types = self.sel.types
        traced = TRACED
        reg = self.out.reg
        partners = self.partners
        occupants = self.occupants
        gp_callee = self.machine.gp_callee
        fp_callee = self.machine.fp_callee
        gp_all = self.machine.gp_all
        fp_all = self.machine.fp_all
        while queue:
            b = heappop(queue)[2]
            start = b.start
            bits = b.bits
            if (call_bits >> start) & bits:
                choice = fp_callee if b.float else gp_callee
                # A saved register costs a store and a load: not worth it for calls on cold paths alone, unless it is
                # in use anyway.
                if not (hot_calls >> start) & bits:
                    choice = tuple([h for h in choice if occupants[h]])
                if not b.float and (safe_bits >> start) & bits:
                    for r in b.members:
                        if traced[types[r]]:
                            choice = ()
                            break
            else:
                choice = fp_all if b.float else gp_all
            found = 0
            for h in b.hints:
                if h in choice and not (busy[h] >> start) & bits:
                    found = h
                    break
            if not found and partners:
                for r in b.members:
                    for o in partners.get(r, ()):
                        h = reg[o]
                        if h and h in choice and not (busy[h] >> start) & bits:
                            found = h
                            break
                    if found:
                        break
            if not found:
                for h in choice:
                    if not (busy[h] >> start) & bits:
                        found = h
                        break
            if not found:
                found = self.evict(b, choice)
                if not found:
                    self.split(b)
                    continue
            busy[found] |= bits << start
            b.reg = found
            first = start // STRETCH
            last = (start + bits.bit_length()) // STRETCH
            mine = occupants[found]
            if last - first > WIDE:
                mine.setdefault(-1, []).append(b)
            else:
                while first <= last:
                    mine.setdefault(first, []).append(b)
                    first += 1
            if b.stage <= STAGE_MEMBER:
                for r in b.members:
                    reg[r] = found
            for x in b.shadows:
                x.reg = found
        self.finish()
        return self.out

    def density(self, b: Bundle) -> int:
        """The cost of not having b in a register per position it occupies."""
        if b.stage == STAGE_TINY:
            return UNSPILLABLE
        return b.weight * _SCALE // b.bits.bit_count()

    def evict(self, b: Bundle, choice: tuple[int, ...]) -> int:
        """Free a register for b by evicting bundles that are cheaper together; 0 if there are none."""
        start = b.start
        bits = b.bits
        end = start + bits.bit_length()
        best = self.density(b)
        found = 0
        victims: list[Bundle] = []
        low = start // STRETCH
        high = end // STRETCH
        if high - low > WIDE:
            return 0  # too long to be worth more than what it meets
        for h in choice:
            if (self.fixed[h] >> start) & bits:
                continue
            cost = 0
            some: list[Bundle] = []
            mine = self.occupants[h]
            near = mine.get(-1, []) + mine.get(low, [])
            for k in range(low + 1, high + 1):
                near += [o for o in mine.get(k, ()) if o.start // STRETCH == k]
            for o in near:
                s = o.start
                if s >= end or s + o.bits.bit_length() <= start:
                    continue
                if (o.bits >> (start - s)) & bits if s <= start else (bits >> (s - start)) & o.bits:
                    cost += self.density(o)
                    if cost >= best:
                        break
                    some.append(o)
            if cost < best:
                best = cost
                found = h
                victims = some
        for o in victims:
            self.busy[found] ^= o.bits << o.start
            for some in self.occupants[found].values():
                if o in some:
                    some.remove(o)
            if o.stage <= STAGE_MEMBER:
                for r in o.members:
                    self.out.reg[r] = 0
            o.reg = 0
            for x in o.shadows:
                x.reg = 0
            self.split(o)
        return found

    # -- splitting

    def split(self, b: Bundle) -> None:
        """Replace b by smaller bundles."""
        stage = b.stage
        if stage == STAGE_TINY:
            raise AssertionError(f"@{self.sel.fn.sym.name}: no register for a single use")
        iv = self.iv
        if b.shadows:
            for x in b.shadows:
                self.push(x)
            return
        if stage == STAGE_WHOLE and len(b.members) > 1:
            if (self.call_bits >> b.start) & b.bits and self.split_hot(b):
                return
            for r in b.members:
                x = Bundle(iv.start[r], iv.bits[r], [r], iv.weight[r], iv.hints[r] or [], b.float)
                x.stage = STAGE_MEMBER
                others = self.partners.setdefault(r, [])
                others += [o for o in b.members if o != r][:4]
                self.push(x)
            return
        r = b.members[0]
        pieces = self.out.pieces
        if stage <= STAGE_MEMBER:
            pieces[r] = []
        else:
            pieces[r].remove(b)
        made: list[tuple[int, int, int]] = []
        while not made and stage < STAGE_TINY:
            stage = max(stage, STAGE_MEMBER) + 1
            if stage == STAGE_SEGMENT:
                made = self.cuts.segments(r, b)
            elif stage == STAGE_LOCAL:
                made = self.cuts.local(r, b)
            else:
                made = self.cuts.tiny(r, b)
            if stage < STAGE_TINY and len(made) == 1 and made[0][1] == b.bits and made[0][0] == b.start:
                made = []
            if not made and all(self.cuts.in_memory(r, s) for s in self.cuts.points(r, b)):
                return  # only used where the slot will do
        for start, bits, weight in made:
            x = Bundle(start, bits, [r], weight, b.hints, b.float)
            x.stage = stage
            pieces[r].append(x)
            self.push(x)

    def split_hot(self, b: Bundle) -> bool:
        """Split b into its hot part and pieces in cold code, if it lives across calls only in the latter."""
        start = b.start
        hot = b.bits & (self.hot_bits >> start)
        if not hot or (self.call_bits >> start) & hot:
            return False
        shift = (hot & -hot).bit_length() - 1
        x = Bundle(start + shift, hot >> shift, b.members, b.weight, b.hints, b.float)
        x.stage = STAGE_SEGMENT
        iv = self.iv
        pieces = self.out.pieces
        for r in b.members:
            at = iv.start[r]
            bits = iv.bits[r]
            mine = bits & (self.hot_bits >> at)
            pieces[r] = []
            if mine:
                shift = (mine & -mine).bit_length() - 1
                shadow = Bundle(at + shift, mine >> shift, [r], iv.weight[r], iv.hints[r] or [], b.float)
                shadow.stage = STAGE_SEGMENT
                x.shadows.append(shadow)
                pieces[r].append(shadow)
            rest = bits & ~mine
            if rest:
                cold = Bundle(at, rest, [r], iv.weight[r], iv.hints[r] or [], b.float)
                for begin, part, weight in self.cuts.segments(r, cold):
                    y = Bundle(begin, part, [r], weight, iv.hints[r] or [], b.float)
                    y.stage = STAGE_SEGMENT
                    pieces[r].append(y)
                    self.push(y)
        self.push(x)
        return True

    def saved(self) -> tuple[int, ...]:
        """The registers that a function must save if it uses them."""
        return self.machine.gp_callee + self.machine.fp_callee

    # -- slots, frame maps

    def finish(self) -> None:
        """Which values need slots, when they are stored, and what lives across the safepoints."""
        out = self.out
        iv = self.iv
        sel = self.sel
        types = sel.types
        safe = self.safe_bits
        needs = bytearray(len(types))
        for r in out.pieces:
            needs[r] = 1
        if safe:
            self.extend(safe)
            live = out.live
            for j in iv.safepoints:
                live[j] = []
            for r, bits in enumerate(iv.bits):
                if bits and TRACED[types[r]]:
                    at = iv.start[r]
                    x = out.extended.get(r)
                    if x is not None:
                        at = 0
                        bits = x
                    m = (safe >> at) & bits
                    if m:
                        needs[r] = 1
                        for i in positions(m):
                            live[(at + i) >> 1].append(r)
        groups: list[list[int]] = []
        for members in out.groups:
            some = [r for r in members if needs[r] and r not in out.extended]
            if some:
                groups.append(some)
            groups += [[r] for r in members if needs[r] and r in out.extended]
        out.groups = groups
        for i, members in enumerate(groups):
            for r in members:
                out.slot[r] = i
        if groups:
            self.choose_stores(safe)
        out.used = [reg for reg in self.saved() if any(self.occupants[reg].values())]

    def extend(self, safe: int) -> None:
        """The base of a pointer lives across the same safepoints as the pointer."""
        iv = self.iv
        extended = self.out.extended
        again = True
        while again:  # a base may itself be kept by another register's interval
            again = False
            for p, base in self.sel.keeps:
                p -= VREG
                base -= VREG
                bits = iv.bits[p] << iv.start[p]
                if not bits & safe:
                    continue
                old = extended.get(base)
                if old is None:
                    old = iv.bits[base] << iv.start[base]
                if bits & safe & ~old:
                    extended[base] = old | bits
                    again = True

    def choose_stores(self, safe: int) -> None:
        """Store at the definition, or late where the value leaves its register."""
        out = self.out
        iv = self.iv
        deep: list[int] = []  # per depth: positions of hot blocks at that depth or below
        for c in self.sel.codes:
            if c.block.cold:
                continue
            m = ((1 << (2 * (c.end - c.first))) - 1) << 2 * c.first
            for d in range(c.block.depth + 1):
                if d == len(deep):
                    deep.append(0)
                deep[d] |= m
        for members in out.groups:
            for r in members:
                if r in out.extended:
                    continue
                block = self.cuts.code_at(iv.define[r]).block
                if block.cold:
                    continue
                at = iv.start[r]
                memory = 0
                if r in out.pieces:
                    if len(out.pieces[r]) > MANY_PIECES:
                        continue
                    held = 0
                    for p in out.pieces[r]:
                        held |= p.bits << (p.start - at)
                    memory = iv.bits[r] & ~held
                if TRACED[self.sel.types[r]]:
                    memory |= iv.bits[r] & (safe >> at)
                if not memory & (deep[block.depth] >> at):
                    out.late[r] = 1


def _frequency(pair: tuple[int, int, int]) -> int:
    return -pair[0]


def allocate(machine: Machine, sel: Selection, iv: Intervals, loops: list[Loop]) -> tuple[Allocation, dict[int, int]]:
    """Give every virtual register a machine register or a slot; also tell where saved registers are in use."""
    a = Allocator(machine, sel, iv, loops)
    return a.run(), {reg: a.busy[reg] for reg in a.saved() if any(a.occupants[reg].values())}
