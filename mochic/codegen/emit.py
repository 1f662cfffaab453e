"""From allocated Progs to the final ones: registers in place, moves between places, prologue and epilogue.

A CPU's Machine may rewrite an instruction once its registers are known (`finish`, `shorten`).
"""

from __future__ import annotations

from bisect import bisect_right
from backend.obj.prog import CONST, FCONST, MEM, NAME_EXTERN, REG, VREG, Addr, Prog
from mochic.codegen.context import Context
from mochic.codegen.code import M_USE, PR_ALLOCA, Allocation, BlockCode, Compiled, Frame, Selection, Special
from mochic.codegen.frame import lay_out
from mochic.codegen.join import join
from mochic.codegen.machine import SLOT
from mochic.codegen.moves import parallel
from mochic.codegen.regcheck import Checker, Trace
from mochic.ir.ops import JUMP


class Emitter:
    __slots__ = (
        "ctx", "sel", "alloc", "frame", "out", "result", "gaps", "stores", "tails", "heads", "trace", "candidates",
        "bare", "machine",
    )  # fmt: skip

    def __init__(self, ctx: Context, sel: Selection, alloc: Allocation, frame: Frame) -> None:
        self.ctx = ctx
        self.machine = ctx.machine
        self.sel = sel
        self.alloc = alloc
        self.frame = frame
        self.out: list[Prog] = []
        self.result = Compiled(frame)
        # Moves by the instruction index they stand before; at the end and start of blocks by block id.  `stores`
        # read registers as they are after the parallel moves of the same gap.
        self.gaps: dict[int, list[tuple[int, int]]] = {}
        self.stores: dict[int, list[tuple[int, int]]] = {}
        self.candidates: list[tuple[list[int], list[Prog], int]] = []
        self.bare = False  # in a block without a frame
        self.trace = Trace(sel) if ctx.check else None
        self.tails: dict[int, list[tuple[int, int]]] = {}
        self.heads: dict[int, list[tuple[int, int]]] = {}

    # -- where values are

    def slot(self, r: int) -> int:
        g = self.alloc.slot[r]
        assert g >= 0, "value without a slot"
        return SLOT + self.frame.offsets[g]

    def location(self, r: int, pos: int) -> int:
        reg = self.alloc.reg[r] or self.alloc.at(r, pos)
        return reg or self.slot(r)

    def enter(self, out: list[Prog]) -> None:
        """The prologue."""
        first = len(out)
        self.machine.enter(self.frame, self.sel.fn.pos, out)
        self.result.prologue = out[first:]

    # -- moves

    def plan(self) -> None:
        """Stores, reloads and the moves on edges."""
        alloc = self.alloc
        iv = alloc.iv
        stores = self.stores
        for members in alloc.groups:
            for r in members:
                if alloc.late[r]:
                    continue
                d = iv.define[r]
                reg = alloc.reg[r] or alloc.at(r, d)
                if reg:
                    stores.setdefault((d >> 1) + 1, []).append((self.slot(r), reg))
        for j, live in alloc.live.items():
            for r in live:
                if alloc.late[r]:
                    reg = alloc.reg[r] or alloc.at(r, 2 * j)
                    if reg:
                        stores.setdefault(j, []).append((self.slot(r), reg))
        if alloc.pieces:
            self.plan_pieces()
        self.plan_edges()

    def plan_pieces(self) -> None:
        """Transitions inside blocks: reload where a piece begins, store where a late value loses its register."""
        alloc = self.alloc
        iv = alloc.iv
        gaps = self.gaps
        edges = bytearray(2 * self.sel.codes[-1].end + 2)
        for c in self.sel.codes:
            edges[2 * c.first] = 1
        for r, pieces in alloc.pieces.items():
            d = iv.define[r]
            start = iv.start[r]
            bits = iv.bits[r]
            for p in pieces:
                if not p.reg:
                    continue
                s = p.start
                e = s + p.bits.bit_length()
                if s != d and not edges[s]:
                    src = alloc.at(r, s - 1) or self.slot(r)
                    gaps.setdefault((s + 1) >> 1, []).append((p.reg, src))
                if alloc.late[r] and not edges[e] and bits >> (e - start) & 1 and not alloc.at(r, e):
                    where = gaps if e & 1 else self.stores
                    where.setdefault((e + 1) >> 1, []).append((self.slot(r), p.reg))

    def plan_edges(self) -> None:
        """A split value moves on an edge only where some piece of it reaches the edge's start or end."""
        alloc = self.alloc
        number = alloc.iv.number
        codes = self.sel.codes
        by_block = self.sel.by_block
        starts = [2 * c.first for c in codes]
        n = self.sel.fn.nblocks
        at_start: list[dict[int, int]] = [{} for _ in range(n)]
        at_end: list[dict[int, int]] = [{} for _ in range(n)]
        for r, pieces in alloc.pieces.items():
            if r not in number:
                continue
            for p in pieces:
                if not p.reg:
                    continue
                lo = p.start
                stop = lo + p.bits.bit_length()
                i = bisect_right(starts, lo) - 1
                while i < len(codes) and starts[i] < stop:
                    c = codes[i]
                    d = starts[i] - lo
                    if d >= 0 and p.bits >> d & 1:
                        at_start[c.block.id][r] = p.reg
                    d = 2 * c.end - 1 - lo
                    if d >= 0 and p.bits >> d & 1:
                        at_end[c.block.id][r] = p.reg
                    i += 1
        for c in codes:
            b = c.block
            before = at_end[b.id]
            for s in b.succs:
                to = by_block[s.id]
                assert to is not None
                after = at_start[s.id]
                moves: list[tuple[int, int]] = []
                live = to.live_in
                for r in before if not after else after if not before else {**before, **after}:
                    if not live >> number[r] & 1:
                        continue
                    src = before.get(r, 0)
                    dst = after.get(r, 0)
                    if src == dst:
                        continue
                    if dst:
                        moves.append((dst, src or self.slot(r)))
                    elif alloc.late[r]:
                        moves.append((self.slot(r), src))
                if b.term == JUMP:
                    self.tails[b.id] = moves
                elif moves:
                    self.heads[s.id] = moves

    def edge(self, c: BlockCode, out: list[Prog]) -> None:
        """The moves at the end of a block with one successor."""
        moves = self.tails.get(c.block.id, [])
        alloc = self.alloc
        constants: list[tuple[int, Addr]] = []
        if c.edge:
            to = self.sel.by_block[c.block.succs[0].id]
            assert to is not None
            first = 2 * to.first
            end = 2 * c.end - 1
            for a, v in zip(c.edge, to.params, strict=True):
                d = v - VREG
                reg = alloc.reg[d] or alloc.at(d, first)
                if not reg and alloc.slot[d] < 0:
                    continue  # the parameter is never read
                dst = reg or self.slot(d)
                if a.kind == REG:
                    r = a.reg - VREG
                    src = self.location(r, end)
                    if dst >= SLOT and alloc.slot[r] == alloc.slot[d] and not alloc.late[r]:
                        continue  # stored there at its definition
                    moves.append((dst, src))
                else:
                    constants.append((dst, a))
        if moves:
            parallel(self.machine, moves, c.block.pos, out)
        for dst, a in constants:
            self.constant(dst, a, c.block.pos, out)

    def constant(self, dst: int, a: Addr, pos: int, out: list[Prog]) -> None:
        """Load a constant, an address or a double into a location."""
        kind = a.kind
        if kind == CONST:
            self.machine.integer(dst, a.offset, pos, out)
        elif kind == FCONST:
            self.machine.double(dst, a.offset & ((1 << 64) - 1), self.ctx.asm, pos, out)
        elif a.sym is not None:
            self.machine.address(dst, Addr(MEM, 0, a.offset, a.sym, 0, 0, NAME_EXTERN), pos, out)
        else:
            self.machine.address(dst, Addr(MEM, self.machine.stack, a.offset + self.frame.alloca), pos, out)

    # -- instructions

    def register(self, r: int, pos: int) -> int:
        reg = self.alloc.at(r, pos)
        if not reg:
            raise AssertionError(f"@{self.sel.fn.sym.name}: v{r} has no register at {pos}")
        return reg

    def block(self, c: BlockCode, out: list[Prog]) -> None:
        """Put the instructions of a block into `out`."""
        alloc = self.alloc
        reg_of = alloc.reg
        gaps = self.gaps
        stores = self.stores
        machine = self.machine
        regs = machine.regs
        stack = machine.stack
        wanted = machine.ops
        frame = self.frame
        alloca = frame.alloca
        specials = self.sel.specials
        candidates: list[int] = []
        head = self.heads.get(c.block.id)
        if head:
            parallel(machine, head, c.block.pos, out)
        sel = self.sel
        self.bare = c.block.id in sel.head
        if c.block is sel.fn.blocks[0]:
            machine.start(frame if sel.prologue < 0 else None, sel.fn.pos, out)
        if c.block.id == sel.prologue:
            self.enter(out)
        elif c.block is sel.fn.blocks[0]:
            if sel.prologue < 0:
                self.enter(out)
            self.receive(out)
        j = c.first
        trace = self.trace.items[c.block.id] if self.trace is not None else None
        for p in c.progs:
            j += 1
            if trace:
                trace[-1] = (trace[-1][0], len(out), trace[-1][2])
            if j in gaps:
                parallel(machine, gaps[j], p.pos, out)
            if j in stores:
                for dst, src in stores[j]:
                    machine.move(dst, src, p.pos, out)
            mark = p.mark
            args = p.args
            as_ = p.as_
            gap = 2 * j - 1
            if mark >= VREG:
                r = args[-1].reg - VREG
                d = reg_of[r] or self.register(r, gap + 1)
                s = self.location(mark - VREG, gap)
                if s != d:
                    machine.move(d, s, p.pos, out)
            elif mark < 0:
                if self.fixed(p, specials[-1 - mark], j, out):
                    if trace is not None:
                        trace.append((len(out), len(out), p))
                    continue
            if trace is not None:
                trace.append((len(out), 0, p))
            last = len(args) - 1
            for k, a in enumerate(args):
                r = a.reg - VREG
                if a.kind == REG:
                    if r >= 0:
                        x = reg_of[r]
                        if not x:
                            # (XORPS t, t names what it writes twice.)
                            written = k == last or a is args[last]
                            if mark < 0:
                                written = written and specials[-1 - mark].tie != 0
                            elif mark == M_USE:
                                written = False
                            if written:
                                x = self.register(r, gap + 1)
                            else:
                                # With fixed registers, the other operands are read after the moves into those.
                                x = alloc.at(r, gap) if mark >= 0 else self.register(r, gap + 1)
                                if not x:  # cuts.in_memory
                                    args[k] = machine.place(self.slot(r))
                                    continue
                        args[k] = regs[x]
                else:
                    if r >= 0:
                        a.reg = reg_of[r] or self.register(r, gap if mark >= 0 else gap + 1)
                    elif a.reg == PR_ALLOCA:
                        a.reg = stack
                        a.offset += alloca
                    r = a.index - VREG
                    if r >= 0:
                        a.index = reg_of[r] or self.register(r, gap if mark >= 0 else gap + 1)
            if as_ in wanted and machine.finish(
                p, out, p is c.progs[-1], specials[-1 - mark] if mark < 0 else None, candidates
            ):
                continue
            out.append(p)
        if trace:
            trace[-1] = (trace[-1][0], len(out), trace[-1][2])
        if c.end in gaps:
            parallel(machine, gaps[c.end], c.block.pos, out)
        for dst, src in stores.get(c.end, ()):
            machine.move(dst, src, c.block.pos, out)
        if c.block.term == JUMP:
            self.edge(c, out)
        if candidates:
            self.candidates.append((candidates, out, c.cc))

    def fixed(self, p: Prog, s: Special, j: int, out: list[Prog]) -> bool:
        """The moves around an instruction with fixed operands; True when it has been put out already."""
        gap = 2 * j - 1
        moves: list[tuple[int, int]] = []
        constants: list[tuple[int, Addr]] = []
        for a, reg in s.uses:
            if a.kind == REG:
                moves.append((reg, self.location(a.reg - VREG, gap)))
            else:
                constants.append((reg, a))
        for a, offset in s.stack:
            if a.kind == REG:
                moves.append((SLOT + offset, self.location(a.reg - VREG, gap)))
            else:
                constants.append((SLOT + offset, a))
        if s.tie:
            r = p.args[-1].reg - VREG
            moves.append((self.alloc.reg[r] or self.register(r, gap + 1), self.location(s.tie - VREG, gap)))
        # Constants for stack places come before the registers are loaded: a machine may borrow one for them.
        for dst, a in constants:
            if dst >= SLOT:
                self.constant(dst, a, p.pos, out)
        if moves:
            parallel(self.machine, moves, p.pos, out)
        for dst, a in constants:
            if dst < SLOT:
                self.constant(dst, a, p.pos, out)
        if s.defs:
            after = self.gaps.setdefault(j + 1, [])
            for v, reg in s.defs:
                r = v - VREG
                # An unused result has a position too, but need not be moved anywhere.
                after.append((self.alloc.reg[r] or self.register(r, gap + 2), reg))
        if p.as_ == self.machine.ret:
            p.args = []
            if not self.bare:
                self.machine.leave(self.frame, p.pos, out)
            out.append(p)
            return True
        if s.site:
            self.site(p, j, out)
        return False

    def site(self, p: Prog, j: int, out: list[Prog]) -> None:
        """Note a call that has a frame map record."""
        bitmap = 0
        frame = self.frame
        machine = self.machine
        for r in self.alloc.live.get(j, ()):
            bitmap |= 1 << (frame.offsets[self.alloc.slot[r]] - frame.slots_offset) // machine.layout.slot
        depth = machine.link_bytes if self.bare else frame.total
        if not machine.link_bytes and (self.bare or not frame.linked):
            depth += machine.push_link(p.pos, out)
        self.result.sites.append((p, bitmap, depth - machine.layout.word))

    # -- frame

    def receive(self, out: list[Prog]) -> None:
        """The parameters, from where the caller put them."""
        depth = self.machine.link_bytes if self.bare else self.frame.total
        moves: list[tuple[int, int]] = []
        alloc = self.alloc
        for v, at in self.sel.incoming:
            r = v - VREG
            d = alloc.iv.define[r]
            dst = alloc.reg[r] or alloc.at(r, d)
            if not dst:
                if alloc.slot[r] < 0:
                    continue
                dst = self.slot(r)
            moves.append((dst, at if at > 0 else SLOT + depth + (-1 - at)))
        if moves:
            parallel(self.machine, moves, self.sel.fn.pos, out)

    # -- the function

    def run(self) -> Compiled:
        self.plan()
        sel = self.sel
        codes = sel.codes
        bodies: list[list[Prog]] = [[] for _ in range(sel.fn.nblocks)]
        for c in codes:
            self.block(c, bodies[c.block.id])
        if self.trace is not None:
            self.check(self.trace, bodies)
        for candidates, out, cc in self.candidates:
            self.machine.shorten(candidates, out, cc)
        self.result.progs, self.result.tables = join(self.machine, sel.fn, codes, bodies)
        return self.result

    def check(self, trace: Trace, bodies: list[list[Prog]]) -> None:
        """Let the symbolic checker go over the result (regcheck.py)."""
        sel = self.sel
        alloc = self.alloc
        slots = {r: self.slot(r) for r, g in enumerate(alloc.slot) if g >= 0}
        places: dict[int, int] = {}
        for c in sel.codes:
            for v in c.params:
                r = v - VREG
                x = alloc.reg[r] or alloc.at(r, 2 * c.first)
                if x or r in slots:
                    places[v] = x or slots[r]
        depth = self.machine.link_bytes if sel.head else self.frame.total
        incoming = {at if at > 0 else SLOT + depth + (-1 - at): v for v, at in sel.incoming}
        checker = Checker(self.machine, sel, trace, bodies, slots, incoming, places)
        checker.first_slot = self.frame.slots_offset
        checker.sites = {id(p): bitmap for p, bitmap, _ in self.result.sites}
        checker.run(sel.codes)


def emit(ctx: Context, sel: Selection, alloc: Allocation) -> Compiled:
    """The final code of a function."""
    # Calls that do not return need no aligned stack: they are the runtime's own panics, which use no aligned
    # moves.  A leaf with bounds checks thus has no frame.
    clobbers = ctx.machine.clobbers
    calls = any(s.clobbers is clobbers and (not s.noreturn or s.stack) for s in sel.specials)
    frame = lay_out(ctx.machine, sel, alloc, calls)
    return Emitter(ctx, sel, alloc, frame).run()
