"""Instruction selection: IR to Progs with virtual registers.

Blocks are walked from their end to their start, and in an order in which every use of a value comes
before its definition (reverse of a reverse postorder: definitions dominate uses).  A value gets a
virtual register when something asks for it as a register operand (`use`); at its definition it is
selected only if something did, so what was folded into its users costs nothing and needs no dead
code elimination.  The rules (targets/<cpu>/isel.rules) decide what is folded.  Constants and addresses of
symbols never live in registers of their own: each use makes them anew.

Virtual register VREG + i belongs to value i; scratch registers follow.  Each has exactly one
definition.  Prog.mark says what the allocator must know about a Prog (code.py).

Only readers of the flags, and moves that leave flags alone, stand between an instruction that sets flags
and the last of its readers; allocation and emission rely on that.

Folding a load moves it down to its user, so it must not cross a store or call.  `version[load]` counts
the stores and calls before it in its block and `now` those before the point of selection: equal
means nothing in between.
"""

from __future__ import annotations


from backend.obj.prog import ADDR, FCONST as A_FCONST, REG, VREG, Addr, Prog
from mochic.codegen.context import Context
from mochic.codegen.machine import imm, signed64
from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import (
    ALLOCA, BRIF, CAST, FCONST, ICONST, IS_CALL, IS_STORE, JUMP, LD, RET, SWITCH, SYMADDR, TRUNC32, ZEXT32,
)  # fmt: skip
from mochic.ir.types import I32, I64, TRACED
from mochic.codegen.code import Selection, BlockCode, PR_ALLOCA, Special


class SelectorBase:
    """The part of selection that is the same for all register machines."""

    __slots__ = (
        "ctx", "fn", "sel", "out", "pend", "regs", "nuses", "types", "home", "cur", "gen", "version", "now", "allocas",
        "specials", "bases", "fused", "code", "at", "machine", "rules",
    )  # fmt: skip

    def __init__(self, ctx: Context, fn: Func, bases: dict[int, Value]) -> None:
        self.ctx = ctx
        self.fn = fn
        self.bases = bases
        self.machine = ctx.machine
        self.rules = ctx.target.rules
        self.sel = sel = Selection(fn)
        self.types = sel.types
        self.home = sel.home
        self.specials = sel.specials
        self.out: list[Prog] = []
        self.pend: list[Prog] = []
        self.regs: list[Addr | None] = [None] * fn.nvalues
        self.nuses = [0] * fn.nvalues
        self.version = [0] * fn.nvalues
        self.allocas: dict[int, int] = {}
        self.fused = bytearray(fn.nvalues)
        self.cur = 0
        self.now = 0
        self.at = 0  # index in the block of the value being selected
        self.gen: dict[int, None] = {}
        self.code = BlockCode(fn.blocks[0])

    # -- operands

    def use(self, v: Value) -> Addr:
        """The register of a value, read at the point of selection."""
        a = self.regs[v.id]
        if a is None:
            a = self.first_use(v)
        r = a.reg - VREG
        if self.home[r] != self.cur:
            self.gen[r] = None
        return a

    def first_use(self, v: Value) -> Addr:
        """Give a value its register, or make a constant in a scratch register for this use."""
        op = v.op
        if op == ICONST or op == FCONST or op == SYMADDR or op == ALLOCA:
            return self.materialize(v)
        if op in self.free or (op == ZEXT32 and v.args[0].op in self.zero_extending):
            src = v.args[0]
            # No code, unless a raw word becomes a traced one: the register's type tells the collector.
            if TRACED[src.type] or not TRACED[v.type]:
                a = self.use(src)
                if a.reg - VREG < self.fn.nvalues:  # a constant's scratch register serves one use only
                    self.regs[v.id] = a
                return a
        a = Addr(REG, VREG + v.id)
        self.regs[v.id] = a
        self.types[v.id] = v.type
        return a

    def dst(self, v: Value) -> Addr:
        """The register a value's instruction writes."""
        a = self.regs[v.id]
        return a if a is not None else self.first_use(v)

    def temp(self, type: int = I64) -> Addr:
        """A scratch register of this block."""
        r = len(self.types)
        self.types.append(type)
        self.home.append(self.cur)
        return Addr(REG, VREG + r)

    def any(self, v: Value) -> Addr:
        """A value as the source of a move: a register, constant or address."""
        op = v.op
        while op == CAST or op == TRUNC32:
            src = v.args[0]
            if op == TRUNC32:
                if src.op == ICONST:
                    return imm(((src.imm + 0x80000000) & 0xFFFFFFFF) - 0x80000000)
                break
            if src.op not in (ICONST, SYMADDR, ALLOCA, CAST, TRUNC32):
                break
            v = src
            op = v.op
        if op == ICONST:
            return imm(v.imm)
        if op == FCONST:
            return Addr(A_FCONST, 0, v.imm)
        if op == SYMADDR:
            return Addr(ADDR, 0, v.imm, self.ctx.lsym(v.sym))
        if op == ALLOCA:
            return Addr(ADDR, PR_ALLOCA, self.allocas[v.id])
        return self.use(v)

    # Ops that make no code: the result is the operand's register.  A CPU whose registers hold 32-bit values
    # extended in one way has its extension here instead of the truncation.
    free: frozenset[int] = frozenset((CAST, TRUNC32))
    # I32 ops whose instructions clear the upper half of the register: ZEXT32 of them makes no code.
    zero_extending: frozenset[int] = frozenset()

    def materialize(self, v: Value) -> Addr:
        raise NotImplementedError

    # -- questions that patterns ask

    def single(self, v: Value) -> bool:
        """May v be computed inside its only user?"""
        return self.nuses[v.id] == 1 and self.home[v.id] == self.cur and self.regs[v.id] is None

    def folds(self, v: Value) -> bool:
        """May the load v be done by its only user, here?"""
        i = v.id
        return self.nuses[i] == 1 and self.home[i] == self.cur and self.version[i] == self.now and self.regs[i] is None

    def same_place(self, store: Value, load: Value) -> bool:
        """Does the load read what the store overwrites?"""
        return store.imm == load.imm and store.args[0] is load.args[0]

    # -- code

    def emit(self, as_: int, args: list[Addr], mark: int, pos: int) -> None:
        """Append an instruction: the code grows backwards."""
        p = Prog(as_, args, pos)
        p.mark = mark
        out = self.out
        out.append(p)
        if self.pend:
            self.pend.reverse()
            out += self.pend
            self.pend = []

    def special(self, s: Special) -> int:
        """The mark of an instruction with fixed operands."""
        self.specials.append(s)
        return -len(self.specials)

    # -- the walk

    def prepare(self, order: list[Block]) -> None:
        """Uses, homes and memory versions of all values; places of allocas."""
        nuses = self.nuses
        home = self.home
        version = self.version
        offset = 0
        for b in order:
            at = b.id
            for p in b.params:
                home[p.id] = at
            now = 0
            for v in b.values:
                home[v.id] = at
                op = v.op
                for a in v.args:
                    nuses[a.id] += 1
                if op >= LD:
                    if IS_STORE[op] or IS_CALL[op]:
                        now += 1
                    elif op == ALLOCA:
                        self.allocas[v.id] = offset
                        offset += self.machine.layout.aligned(v.imm)
                    else:
                        version[v.id] = now
                elif op == ICONST:
                    t = v.type
                    if t == I32:
                        v.imm = ((v.imm + 0x80000000) & 0xFFFFFFFF) - 0x80000000
                    else:
                        v.imm = signed64(v.imm)
            for a in b.targs:
                nuses[a.id] += 1
            for args in b.sargs:
                for a in args:
                    nuses[a.id] += 1
        self.sel.alloca_size = offset

    def run(self, order: list[Block], layout: list[Block]) -> Selection:
        """Select all blocks; `order` is a reverse postorder, `layout` the order of the code."""
        sel = self.sel
        self.prepare(order)
        for b in reversed(order):
            self.select_block(b)
        sel.codes = [c for c in (sel.by_block[b.id] for b in layout) if c is not None]
        return sel

    def select_block(self, b: Block) -> None:
        code = BlockCode(b)
        self.sel.by_block[b.id] = code
        self.code = code
        self.cur = b.id
        self.gen = {}
        out: list[Prog] = []
        self.out = out
        regs = self.regs
        now = 0
        for v in b.values:
            if v.op >= LD and (IS_STORE[v.op] or IS_CALL[v.op]):
                now += 1
        self.now = now
        self.at = len(b.values)
        term = b.term
        if term == JUMP:
            code.edge = [self.any(a) for a in b.sargs[0]]
        elif term == BRIF:
            code.cc = self.branch(b.targs[0], b)
        elif term == RET:
            self.ret(b)
        elif term == SWITCH:
            self.jump_table(b)
        else:
            self.trap(b)
        if self.pend:  # constants for the edge: no instruction has taken them along
            self.pend.reverse()
            out += self.pend
            self.pend = []
        table = self.rules.by_op
        key_arg = self.rules.key_arg
        bases = self.bases
        fused = self.fused
        self.at = len(b.values)
        for v in reversed(b.values):
            self.at -= 1
            op = v.op
            if op >= LD and (IS_STORE[op] or IS_CALL[op]):
                self.now -= 1
                if IS_CALL[op]:
                    self.call(v)
                    continue
            else:
                a = regs[v.id]
                if a is None or fused[v.id] or (a.reg != VREG + v.id):  # unused, already made, or an alias
                    continue
                if bases and v.id in bases:
                    self.keep(v)
            row = table.get(op)
            if row is not None:
                k = key_arg.get(op)
                f = row[v.type if k is None else v.args[k].type]
                f(self, v)
            elif op == CAST or op == TRUNC32:
                self.move(v)
        if b is self.fn.blocks[0]:
            self.entry(b)
        else:
            for p in b.params:
                code.params.append(self.dst(p).reg)
                if bases and p.id in bases:
                    self.keep(p)
        out.reverse()
        code.progs = out
        code.gen = list(self.gen)

    def keep(self, v: Value) -> None:
        """Note that the collector must see v's base while v lives."""
        base = self.bases[v.id]
        at = base
        while at.op == CAST:
            at = at.args[0]
        if at.op == ICONST or at.op == SYMADDR:
            return  # static objects are not collected
        a = self.regs[base.id]
        if a is None:
            a = self.first_use(base)
        if a.reg != VREG + v.id:
            self.sel.keeps.append((VREG + v.id, a.reg))

    # -- what the parts above provide (calls.py, targets/*/select.py)

    def branch(self, cond: Value, b: Block) -> int:
        """Emit the test that ends a block; the condition for Machine.branch."""
        raise NotImplementedError

    def ret(self, b: Block) -> None:
        raise NotImplementedError

    def trap(self, b: Block) -> None:
        raise NotImplementedError

    def jump_table(self, b: Block) -> None:
        """SWITCH with dense cases (legalize.py leaves no others)."""
        raise NotImplementedError

    def call(self, v: Value) -> None:
        raise NotImplementedError

    def move(self, v: Value) -> None:
        """A cast that needs a register of its own."""
        raise NotImplementedError

    def entry(self, b: Block) -> None:
        """Where the convention puts the parameters."""
        raise NotImplementedError
