"""Where an interval may be cut, so that its parts get registers and the rest is in the slot (see regalloc)."""

from __future__ import annotations

from backend.obj.prog import CONST, REG, VREG
from mochic.codegen.machine import Machine
from mochic.codegen.code import U_ANY, U_LATE, BlockCode, Bundle, Intervals, Selection
from mochic.ir.cfg import Loop


class Cuts:
    __slots__ = ("sel", "iv", "machine", "call_bits", "loops", "extents", "starts", "positions", "on_stack")

    def __init__(self, machine: Machine, sel: Selection, iv: Intervals, loops: list[Loop], call_bits: int) -> None:
        self.sel = sel
        self.iv = iv
        self.machine = machine
        self.call_bits = call_bits
        self.loops = loops
        self.extents: list[tuple[int, int]] | None = None
        self.positions = sel.codes
        self.starts = [2 * c.first for c in sel.codes]
        self.on_stack = frozenset([v - VREG for v, at in sel.incoming if at < 0])

    def points(self, r: int, b: Bundle) -> list[tuple[int, int, int]]:
        """(first position, end, weight) of each read in a register and of the definition, ascending, within b."""
        out: list[tuple[int, int, int]] = []
        start = b.start
        bits = b.bits
        freq = self.frequency
        d = self.iv.define[r]
        if d >= start and bits >> (d - start) & 1 and not self.is_param(r, d):
            end = (d + 2) & -2
            out.append((d, end, freq(d)))
        for u in reversed(self.iv.uses[r]):
            kind = u & 3
            if kind == U_ANY:
                continue
            j = u >> 2
            gap = 2 * j - 1
            i = gap - start
            if i < 0 or not bits >> i & 1:
                continue
            end = 2 * j + 1 if kind == U_LATE else 2 * j
            if out and out[-1][0] == gap:
                old = out.pop()
                out.append((gap, max(end, old[1]), old[2]))
            else:
                out.append((gap, end, freq(gap)))
        out.sort()
        return out

    def in_memory(self, r: int, span: tuple[int, int, int]) -> bool:
        """Is the span just one read by an instruction that can read the slot itself?"""
        pos = span[0]
        if pos == self.iv.define[r] or span[1] > pos + 2:
            return False
        c = self.code_at(pos)
        p = c.progs[((pos + 1) >> 1) - c.first - 1]
        args = p.args
        if p.as_ not in self.machine.reads_memory or len(args) != 2 or p.mark < 0:
            return False
        a, b = args
        v = r + VREG
        if a.kind != REG or a.reg != v:
            return False
        return (b.kind == REG and b.reg != v) or (b.kind == CONST and p.as_ in self.machine.compares)

    def is_param(self, r: int, d: int) -> bool:
        """Is r defined at a block's start (by moves on edges, which may write its slot)?  A parameter of the
        function counts only if it arrives on the stack: there may be more of these than registers."""
        if d == 0:
            return r in self.on_stack
        return not d & 1 and self.code_at(d).first * 2 == d

    def code_at(self, pos: int) -> BlockCode:
        lo, hi = 0, len(self.starts)
        starts = self.starts
        while hi - lo > 1:
            mid = (lo + hi) // 2
            if starts[mid] <= pos:
                lo = mid
            else:
                hi = mid
        return self.positions[lo]

    def frequency(self, pos: int) -> int:
        return self.code_at(pos).freq

    def cut(self, b: Bundle, spans: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        """(start, bits, weight) of what b has in each span."""
        out = []
        for lo, hi, weight in spans:
            lo = max(lo, b.start)
            if hi <= lo:
                continue
            bits = (b.bits >> (lo - b.start)) & ((1 << (hi - lo)) - 1)
            if bits:
                shift = (bits & -bits).bit_length() - 1
                out.append((lo + shift, bits >> shift, weight))
        return out

    def segments(self, r: int, b: Bundle) -> list[tuple[int, int, int]]:
        """Cut at the calls b lives across.  Between them, from the first read to the last, widened to whole loops
        so that a reload does not land inside one."""
        spans: list[tuple[int, int, int]] = []
        start = b.start
        last = start + b.bits.bit_length()
        calls = (self.call_bits >> start) & b.bits
        points = self.points(r, b)
        d = self.iv.define[r]
        first = start + (calls & -calls).bit_length() - 1 if calls else last
        if points and start <= d < points[0][0] < first and self.is_param(r, d):
            # A parameter should arrive in the register in which it is first read, but that alone justifies no register.
            points[0] = (d, points[0][1], points[0][2])
        i = 0
        while i < len(points) and points[i][0] < last:
            # Only the calls around the next point: there may be many more, with nothing read between them.
            k = max(0, points[i][0] + 1 - start)
            after = calls >> k
            hi = start + k + (after & -after).bit_length() - 1 if after else last
            lo = start + (calls & ((1 << k) - 1)).bit_length()
            begin = -1
            end = 0
            weight = 0
            while i < len(points) and points[i][0] < hi:
                s, e, f = points[i]
                i += 1
                if begin < 0:
                    begin = s
                end = max(end, min(e, hi))
                weight += f
            if self.in_memory(r, (begin, end, 0)):
                continue
            begin, end = self.widen(begin, end, lo, hi)
            if spans and begin < spans[-1][1]:
                begin = spans[-1][1]
            spans.append((begin, end, weight))
        return self.cut(b, spans)

    def widen(self, begin: int, end: int, lo: int, hi: int) -> tuple[int, int]:
        """Extend a span to the loops it reaches into, as far as they lie within lo..hi."""
        if self.extents is None:
            self.extents = [self.extent(loop) for loop in self.loops if not loop.header.cold]
        for first, stop in self.extents:
            if first < lo or stop > hi:
                continue
            if begin < stop and end > first:
                begin = min(begin, first)
                end = max(end, stop)
        return begin, end

    def extent(self, loop: Loop) -> tuple[int, int]:
        """Positions from the first to the last hot block of a loop."""
        first = 1 << 60
        stop = 0
        by_block = self.sel.by_block
        m = loop.body
        while m:
            low = m & -m
            c = by_block[low.bit_length() - 1]
            m ^= low
            if c is not None and not c.block.cold:
                first = min(first, 2 * c.first)
                stop = max(stop, 2 * c.end)
        return first, stop

    def local(self, r: int, b: Bundle) -> list[tuple[int, int, int]]:
        """One piece per block that reads or writes, cut at calls."""
        spans: list[tuple[int, int, int]] = []
        calls = self.call_bits
        block: BlockCode | None = None
        for s, e, f in self.points(r, b):
            c = self.code_at(s)
            if c is block and not (calls >> spans[-1][0]) & ((1 << (e - spans[-1][0])) - 1):
                lo, hi, w = spans[-1]
                spans[-1] = (lo, max(e, hi), w + f)
            else:
                spans.append((s, e, f))
            block = c
        return self.cut(b, [s for s in spans if not self.in_memory(r, s)])

    def tiny(self, r: int, b: Bundle) -> list[tuple[int, int, int]]:
        """One piece per read and for the definition."""
        return self.cut(b, [s for s in self.points(r, b) if not self.in_memory(r, s)])
