"""A symbolic checker of register allocation.

The checker does not depend on how the allocator decides.  It follows the emitted moves with a state that says which
virtual registers' values each place (machine register or frame word) holds.  At each instruction it demands that the
operands are where the instruction reads them.  The idea is that of regalloc2's checker (Fallin, 2021).

  move d <- s      d holds what s holds
  instruction      reads checked, clobbered registers forget, written registers hold the result only
  safepoint        a traced value that is not in a slot of the frame map is forgotten everywhere, and so is a raw
                   pointer whose base is not: any later read of it is an error
  edge             parameters' places must hold the arguments; then they hold the parameters
  block entry      what all predecessors agree on (iterated to a fixpoint, then checked)
"""

from __future__ import annotations

from typing import Final

from backend.obj.prog import CONST, MEM, REG, VREG, Addr, Prog
from mochic.codegen.code import M_DEF, M_DEF_LATE, BlockCode, Selection, Special
from mochic.codegen.machine import SLOT, Machine
from mochic.ir.ops import JUMP
from mochic.ir.types import TRACED

State = dict[int, frozenset[int]]
_EMPTY: Final[frozenset[int]] = frozenset()


class Operands:
    """What an instruction reads and writes, in virtual registers."""

    __slots__ = ("reads", "write", "tie", "special", "plain")

    def __init__(self, p: Prog, specials: list[Special]) -> None:
        mark = p.mark
        args = p.args
        self.reads: list[tuple[int, int, int]] = []  # (operand, 0 register or 1 index, virtual register)
        self.write = -1
        self.tie = mark if mark >= VREG else 0
        self.special = specials[-1 - mark] if mark < 0 else None
        self.plain = [i for i, a in enumerate(args) if a.kind == REG]  # registers, which may become slots
        n = len(args)
        if mark in (M_DEF, M_DEF_LATE) or mark >= VREG or (self.special is not None and self.special.tie):
            n -= 1
            self.write = args[-1].reg
            if self.special is not None:
                self.tie = self.special.tie
        for i in range(n):
            if args[i].reg >= VREG and args[i].reg != self.write:
                self.reads.append((i, 0, args[i].reg))
            if args[i].index >= VREG:
                self.reads.append((i, 1, args[i].index))


class Trace:
    """Filled by the emitter: `items[block]` lists (start, end, Prog): out[start:end] implements the Prog."""

    __slots__ = ("operands", "items", "edges")

    def __init__(self, sel: Selection) -> None:
        self.operands = {id(p): Operands(p, sel.specials) for c in sel.codes for p in c.progs}
        self.items: list[list[tuple[int, int, Prog]]] = [[] for _ in range(sel.fn.nblocks)]
        # Per block: the operands for the parameters of the only successor.
        self.edges = {c.block.id: list(c.edge) for c in sel.codes}


class Checker:
    __slots__ = (
        "sel", "trace", "bodies", "slots", "incoming", "places", "base", "report", "sites", "first_slot", "machine",
    )  # fmt: skip

    def __init__(
        self,
        machine: Machine,
        sel: Selection,
        trace: Trace,
        bodies: list[list[Prog]],
        slots: dict[int, int],
        incoming: dict[int, int],
        places: dict[int, int],
    ) -> None:
        """slots: virtual register -> its slot's place; incoming: place -> parameter in it at the function's entry;
        places: parameter of a block -> its place there."""
        self.sel = sel
        self.machine = machine
        self.trace = trace
        self.bodies = bodies
        self.slots = slots
        self.incoming = incoming
        self.places = places
        self.base: dict[int, list[int]] = {}
        for p, b in sel.keeps:
            self.base.setdefault(p, []).append(b)
        self.report = False
        self.sites: dict[int, int] = {}  # id of a call's Prog -> bitmap of its frame map
        self.first_slot = 0

    def fail(self, c: BlockCode, p: Prog | None, message: str) -> None:
        if self.report:
            raise AssertionError(f"@{self.sel.fn.sym.name} {c.block!r} {p.as_ if p else 'end'}: {message}")

    def place(self, a: Addr) -> int:
        if a.kind == REG:
            return a.reg
        if a.kind == MEM and a.reg == self.machine.stack and not a.index:
            return SLOT + a.offset
        return -1

    def moves(self, progs: list[Prog], state: State) -> None:
        copies = self.machine.moves
        makes = self.machine.makes
        exchange = self.machine.exchange
        for p in progs:
            as_ = p.as_
            if as_ in copies:
                src = p.args[0]
                dst = self.place(p.args[1])
                if dst >= 0:
                    state[dst] = state.get(self.place(src), _EMPTY) if src.kind != CONST else _EMPTY
            elif as_ == exchange:
                x, y = p.args[0].reg, p.args[1].reg
                state[x], state[y] = state.get(y, _EMPTY), state.get(x, _EMPTY)
            elif as_ in makes:
                state[p.args[-1].reg] = _EMPTY

    def block(self, c: BlockCode, state: State) -> None:
        out = self.bodies[c.block.id]
        at = 0
        for start, end, p in self.trace.items[c.block.id]:
            self.moves(out[at:start], state)
            at = end
            self.instruction(c, p, state)
        self.moves(out[at:], state)

    def instruction(self, c: BlockCode, p: Prog, state: State) -> None:
        o = self.trace.operands[id(p)]
        for i, index, v in o.reads:
            a = p.args[i]
            reg = a.index if index else self.place(a) if i in o.plain else a.reg
            if v not in state.get(reg, _EMPTY):
                self.fail(c, p, f"v{v - VREG} is not in register {reg}")
        s = o.special
        dst = p.args[-1].reg if o.write >= 0 else -1
        if o.tie and o.tie not in state.get(dst, _EMPTY):
            self.fail(c, p, f"v{o.tie - VREG} is not in register {dst}")
        if s is not None:
            for a, reg in s.uses:
                if a.kind == REG and a.reg not in state.get(reg, _EMPTY):
                    self.fail(c, p, f"v{a.reg - VREG} is not in register {reg}")
            for a, offset in s.stack:
                if a.kind == REG and a.reg not in state.get(SLOT + offset, _EMPTY):
                    self.fail(c, p, f"v{a.reg - VREG} is not in the argument at {offset}")
            for reg in s.clobbers:
                state[reg] = _EMPTY
            if s.safepoint:
                self.safepoint(p, state)
            for v, reg in s.defs:
                self.define(v, reg, state)
        if o.write >= 0:
            self.define(o.write, dst, state)

    def define(self, v: int, place: int, state: State) -> None:
        for k, x in state.items():
            if v in x:
                state[k] = x - {v}
        state[place] = frozenset((v,))

    def safepoint(self, p: Prog, state: State) -> None:
        types = self.sel.types
        size = self.machine.layout.slot
        bitmap = self.sites.get(id(p), 0)
        dead: set[int] = set()
        seen: set[int] = set().union(*state.values()) if state else set()
        kept: set[int] = set()
        for v in seen:
            if TRACED[types[v - VREG]]:
                slot = self.slots.get(v - VREG, -1)
                if slot < 0 or v not in state.get(slot, _EMPTY):
                    continue
                if bitmap >> ((slot - SLOT - self.first_slot) // size) & 1:
                    kept.add(v)
                else:
                    dead.add(v)
        for v in seen:
            if v in self.base and any(b not in kept for b in self.base[v]):
                dead.add(v)
        for k, x in state.items():
            if x & dead:
                state[k] = x - dead
        for k in self.machine.gp_callee:  # traced values stay in no register
            if state.get(k):
                state[k] = frozenset(v for v in state[k] if not TRACED[types[v - VREG]])

    def along(self, c: BlockCode, i: int, state: State) -> State:
        """The state at the start of successor i."""
        out = dict(state)
        to = self.sel.by_block[c.block.succs[i].id]
        assert to is not None
        if c.block.term == JUMP and to.params:
            gained: dict[int, set[int]] = {}
            for a, v in zip(self.trace.edges[c.block.id], to.params, strict=True):
                place = self.places.get(v, -1)
                if a.kind == REG:
                    if place >= 0 and a.reg not in state.get(place, _EMPTY):
                        self.fail(c, None, f"v{a.reg - VREG} does not reach parameter v{v - VREG} in place {place}")
                    for k, x in state.items():
                        if a.reg in x:
                            gained.setdefault(k, set()).add(v)
                elif place >= 0:
                    gained.setdefault(place, set()).add(v)
            old = frozenset(to.params)
            for k, x in out.items():
                out[k] = x - old
            for k, g in gained.items():
                out[k] = out.get(k, _EMPTY) | g
        return out

    def run(self, order: list[BlockCode]) -> None:
        """Raise AssertionError unless every read finds its value."""
        entry = order[0]
        states: dict[int, State] = {entry.block.id: {k: frozenset((v,)) for k, v in self.incoming.items()}}
        work = [entry]
        while work:
            c = work.pop()
            state = dict(states[c.block.id])
            self.block(c, state)
            for i, s in enumerate(c.block.succs):
                new = self.along(c, i, state)
                old = states.get(s.id)
                if old is not None:
                    new = {k: x & new[k] for k, x in old.items() if k in new and x & new[k]}
                    if new == old:
                        continue
                else:
                    new = {k: x for k, x in new.items() if x}
                states[s.id] = new
                to = self.sel.by_block[s.id]
                assert to is not None
                work.append(to)
        self.report = True
        for c in order:
            if c.block.id in states:
                state = dict(states[c.block.id])
                self.block(c, state)
                for i in range(len(c.block.succs)):
                    self.along(c, i, state)
