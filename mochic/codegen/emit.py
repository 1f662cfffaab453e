"""From allocated Progs to the final ones: registers in place, moves between places, prologue and epilogue.

Also what needs to know registers:

    MOVQ r, r      nothing               LEAQ, MOVQ $0, TEST: see peephole.py
    IDIVQ y        sign extension, and a detour for y = -1, which traps on the most negative dividend
    CVTSQ2SD x, f  preceded by XORPS f, f: it would wait for the last writer of f
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from backend.obj.prog import BRANCH, CONST, FCONST, MEM, NAME_EXTERN, REG, VREG, Addr, Prog
from backend.obj.sym import LSym
from backend.x86 import ops
from backend.x86.ops import (
    AADDQ, ACDQ, ACMPL, ACMPQ, ACQO, ACVTSQ2SD, ADIVL, ADIVQ, AIDIVL, AIDIVQ, AJMP, AJNE, ALEAL,
    ALEAQ, AMOVAPS, AMOVL, AMOVQ, AMOVSD, ANEGL, ANEGQ, APOPQ, APUSHQ, ARET, ASUBQ, AXORL, AXORPS, AMOVB,
)  # fmt: skip
from backend.x86.regs import AX, DX, SP
from mochic.codegen.context import Context
from mochic.codegen.frame import Frame, lay_out
from mochic.codegen.isel import M_USE, PR_ALLOCA, BlockCode, Selection, Special, imm
from mochic.codegen.join import join
from mochic.codegen.moves import REGS, SLOT, move, parallel, place
from mochic.codegen.peephole import TESTS, shorten
from mochic.codegen.regalloc import Allocation
from mochic.codegen.regcheck import Checker, Trace
from mochic.codegen.select_amd64 import ACMOVSD
from mochic.codegen.targets.amd64 import (
    CC_FEQ, CC_FNE, CC_NE, CC_PC, CC_PS, CLOBBERS, JCC, STACK,
)  # fmt: skip
from mochic.ir.ops import JUMP

PAGE: Final = 4096


class Compiled:
    """A function ready for the assembler.  `sites`: (call, bitmap of live traced slots, frame size there)."""

    __slots__ = ("progs", "sites", "frame", "tables")

    def __init__(self, frame: Frame) -> None:
        self.progs: list[Prog] = []
        self.sites: list[tuple[Prog, int, int]] = []
        self.frame = frame
        self.tables: list[tuple[LSym, list[Prog]]] = []


class Emitter:
    __slots__ = (
        "ctx", "sel", "alloc", "frame", "out", "result", "gaps", "stores", "tails", "heads", "trace", "candidates",
        "bare",
    )  # fmt: skip

    def __init__(self, ctx: Context, sel: Selection, alloc: Allocation, frame: Frame) -> None:
        self.ctx = ctx
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
            parallel(moves, c.block.pos, out)
        for dst, a in constants:
            self.constant(dst, a, c.block.pos, out)

    def constant(self, dst: int, a: Addr, pos: int, out: list[Prog]) -> None:
        """Load a constant, an address or a double into a location."""
        kind = a.kind
        if kind == CONST:
            n = a.offset
            if dst >= SLOT:
                if not -0x80000000 <= n <= 0x7FFFFFFF:
                    p = place(dst)
                    out.append(Prog(AMOVL, [imm(n & 0xFFFFFFFF), p], pos))
                    out.append(Prog(AMOVL, [imm(n >> 32 & 0xFFFFFFFF), Addr(MEM, STACK, p.offset + 4)], pos))
                    return
                out.append(Prog(AMOVQ, [a, place(dst)], pos))
            elif n == 0:
                # Flags are dead wherever moves for edges and calls stand.
                out.append(Prog(AXORL, [REGS[dst], REGS[dst]], pos))
            else:
                out.append(Prog(AMOVQ, [a, REGS[dst]], pos))
        elif kind == FCONST:
            bits = a.offset & ((1 << 64) - 1)
            if dst >= SLOT:
                self.constant(dst, Addr(CONST, 0, bits - (1 << 64) if bits >> 63 else bits), pos, out)
            elif not bits:
                out.append(Prog(AXORPS, [REGS[dst], REGS[dst]], pos))
            else:
                s = self.ctx.asm.constant("f64", bits.to_bytes(8, "little"))
                out.append(Prog(AMOVSD, [Addr(MEM, 0, 0, s, 0, 0, NAME_EXTERN), REGS[dst]], pos))
        else:
            if a.sym is not None:
                src = Addr(MEM, 0, a.offset, a.sym, 0, 0, NAME_EXTERN)
            else:
                src = Addr(MEM, STACK, a.offset + self.frame.alloca)
            if dst >= SLOT:
                from mochic.codegen.targets.amd64 import SCRATCH_FP

                # Borrow AX through the scratch register.
                out.append(Prog(AMOVQ, [REGS[AX], REGS[SCRATCH_FP]], pos))
                out.append(Prog(ALEAQ, [src, REGS[AX]], pos))
                out.append(Prog(AMOVQ, [REGS[AX], place(dst)], pos))
                out.append(Prog(AMOVQ, [REGS[SCRATCH_FP], REGS[AX]], pos))
            else:
                out.append(Prog(ALEAQ, [src, REGS[dst]], pos))

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
        regs = REGS
        frame = self.frame
        alloca = frame.alloca
        specials = self.sel.specials
        candidates: list[int] = []
        head = self.heads.get(c.block.id)
        if head:
            parallel(head, c.block.pos, out)
        sel = self.sel
        self.bare = c.block.id in sel.head
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
                parallel(gaps[j], p.pos, out)
            if j in stores:
                for dst, src in stores[j]:
                    move(dst, src, p.pos, out)
            mark = p.mark
            args = p.args
            as_ = p.as_
            p.mark = None
            gap = 2 * j - 1
            if mark >= VREG:
                r = args[-1].reg - VREG
                d = reg_of[r] or self.register(r, gap + 1)
                s = self.location(mark - VREG, gap)
                if s != d:
                    parallel([(d, s)], p.pos, out)
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
                                x = alloc.at(r, gap)
                                if not x:  # regalloc.in_memory
                                    args[k] = place(self.slot(r))
                                    continue
                        args[k] = regs[x]
                else:
                    if r >= 0:
                        a.reg = reg_of[r] or self.register(r, gap)
                    elif a.reg == PR_ALLOCA:
                        a.reg = STACK
                        a.offset += alloca
                    r = a.index - VREG
                    if r >= 0:
                        a.index = reg_of[r] or self.register(r, gap)
            if as_ == ALEAQ or as_ == ALEAL:
                a = args[0]
                d = args[1].reg
                if (a.reg == d or a.index == d) and a.sym is None:
                    candidates.append(len(out))
                elif not a.index and not a.offset and a.sym is None:
                    p.as_ = AMOVQ if as_ == ALEAQ else AMOVL
                    args[0] = regs[a.reg]
            elif as_ == AMOVQ or as_ == AMOVL:
                a = args[0]
                if a.kind == REG:
                    if as_ == AMOVQ and a is args[1]:
                        continue
                elif a.kind == CONST and args[1].kind == REG:
                    if a.offset == 0:
                        candidates.append(len(out))
                    elif as_ == AMOVL:
                        args[0] = imm(a.offset & 0xFFFFFFFF)
            elif as_ == AMOVSD:
                if args[0].kind == REG and args[1].kind == REG:
                    if args[0] is args[1]:
                        continue
                    p.as_ = AMOVAPS
            elif as_ == ACVTSQ2SD:
                d = args[1].reg
                out.append(Prog(AXORPS, [regs[d], regs[d]], p.pos))
            elif as_ == ACMOVSD:
                self.conditional_move(p, out)
                continue
            elif (as_ in TESTS) and args[0] is args[1] and p is c.progs[-1]:
                candidates.append(len(out))
            out.append(p)
        if trace:
            trace[-1] = (trace[-1][0], len(out), trace[-1][2])
        if c.end in gaps:
            parallel(gaps[c.end], c.block.pos, out)
        for dst, src in stores.get(c.end, ()):
            move(dst, src, c.block.pos, out)
        if c.block.term == JUMP:
            self.edge(c, out)
        if candidates:
            self.candidates.append((candidates, out, c.cc))

    def conditional_move(self, p: Prog, out: list[Prog]) -> None:
        """A branch around a move: there is no CMOV for doubles."""
        cc = p.scond
        copy = Prog(AMOVAPS, [p.args[0], p.args[1]], p.pos)
        after = Prog(ops.ANOP, [], p.pos)
        if cc == CC_FEQ:
            tests = [CC_NE, CC_PS]
            for t in tests:
                out.append(Prog(JCC[t], [Addr(BRANCH, 0, 0, after)], p.pos))
        elif cc == CC_FNE:
            # Move if not equal or unordered: skip only when equal and ordered.
            out.append(Prog(JCC[CC_NE], [Addr(BRANCH, 0, 0, copy)], p.pos))
            out.append(Prog(JCC[CC_PC], [Addr(BRANCH, 0, 0, after)], p.pos))
        else:
            out.append(Prog(JCC[cc ^ 1], [Addr(BRANCH, 0, 0, after)], p.pos))
        out.append(copy)
        out.append(after)

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
        # Constants for stack places borrow AX at most and come before the registers are loaded.
        for dst, a in constants:
            if dst >= SLOT:
                self.constant(dst, a, p.pos, out)
        if moves:
            parallel(moves, p.pos, out)
        for dst, a in constants:
            if dst < SLOT:
                self.constant(dst, a, p.pos, out)
        if s.defs:
            after = self.gaps.setdefault(j + 1, [])
            for v, reg in s.defs:
                r = v - VREG
                # An unused result has a position too, but need not be moved anywhere.
                after.append((self.alloc.reg[r] or self.register(r, gap + 2), reg))
        as_ = p.as_
        if as_ == ARET:
            self.leave(p, out)
            return True
        if s.site:
            self.site(p, s, j)
        if as_ == AIDIVQ or as_ == AIDIVL or as_ == ADIVQ or as_ == ADIVL:
            r = p.args[0].reg - VREG
            y = REGS[self.alloc.reg[r] or self.register(r, gap + 1)]
            self.divide(p, y, s, out)
            return True
        return False

    def site(self, p: Prog, s: Special, j: int) -> None:
        bitmap = 0
        frame = self.frame
        for r in self.alloc.live.get(j, ()):
            bitmap |= 1 << (frame.offsets[self.alloc.slot[r]] - frame.slots_offset) // 8
        self.result.sites.append((p, bitmap, 0 if self.bare else frame.size))

    def divide(self, p: Prog, y: Addr, s: Special, out: list[Prog]) -> None:
        """Extend the dividend; a divisor of -1 gets a negation: the processor traps on MIN / -1."""
        as_ = p.as_
        p.args = [y]
        pos = p.pos
        if as_ == ADIVQ or as_ == ADIVL:
            out.append(Prog(AXORL, [REGS[DX], REGS[DX]], pos))
            out.append(p)
            return
        wide = as_ == AIDIVQ
        extend = Prog(ACQO if wide else ACDQ, [], pos)
        if s.plain:
            out.append(extend)
            out.append(p)
            return
        after = Prog(ops.ANOP, [], pos)
        out.append(Prog(ACMPQ if wide else ACMPL, [y, imm(-1)], pos))
        out.append(Prog(AJNE, [Addr(BRANCH, 0, 0, extend)], pos))
        out.append(Prog(ANEGQ if wide else ANEGL, [REGS[AX]], pos))
        out.append(Prog(AXORL, [REGS[DX], REGS[DX]], pos))
        out.append(Prog(AJMP, [Addr(BRANCH, 0, 0, after)], pos))
        out.append(extend)
        out.append(p)
        out.append(after)

    # -- frame

    def enter(self, out: list[Prog]) -> None:
        """The prologue."""
        f = self.frame
        pos = self.sel.fn.pos
        for reg in f.saved:
            out.append(Prog(APUSHQ, [REGS[reg]], pos))
        if f.adjust:
            # Touch every page of a large frame in order, so that the guard page catches overflow.
            left = f.adjust
            while left > PAGE:
                out.append(Prog(ASUBQ, [imm(PAGE), REGS[SP]], pos))
                out.append(Prog(AMOVB, [imm(0), Addr(MEM, SP, 0)], pos))
                left -= PAGE
            out.append(Prog(ASUBQ, [imm(left), REGS[SP]], pos))

    def receive(self, out: list[Prog]) -> None:
        """The parameters, from where the caller put them."""
        size = 0 if self.bare else self.frame.size
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
            moves.append((dst, at if at > 0 else SLOT + size + 8 + (-1 - at)))
        if moves:
            parallel(moves, self.sel.fn.pos, out)

    def leave(self, p: Prog, out: list[Prog]) -> None:
        p.args = []
        if self.bare:
            out.append(p)
            return
        f = self.frame
        if f.adjust:
            out.append(Prog(AADDQ, [imm(f.adjust), REGS[SP]], p.pos))
        for reg in reversed(f.saved):
            out.append(Prog(APOPQ, [REGS[reg]], p.pos))
        out.append(p)

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
            shorten(candidates, out, cc)
        self.result.progs, self.result.tables = join(sel.fn, codes, bodies)
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
        size = 0 if sel.head else self.frame.size
        incoming = {at if at > 0 else SLOT + size + 8 + (-1 - at): v for v, at in sel.incoming}
        checker = Checker(sel, trace, bodies, slots, incoming, places)
        checker.first_slot = self.frame.slots_offset
        checker.sites = {id(p): bitmap for p, bitmap, _ in self.result.sites}
        checker.run(sel.codes)


def emit(ctx: Context, sel: Selection, alloc: Allocation) -> Compiled:
    """The final code of a function."""
    # Calls that do not return need no aligned stack: they are the runtime's own panics, which use no aligned
    # moves.  A leaf with bounds checks thus has no frame.
    calls = any(s.clobbers is CLOBBERS and not s.noreturn for s in sel.specials)
    frame = lay_out(sel, alloc, calls)
    return Emitter(ctx, sel, alloc, frame).run()
