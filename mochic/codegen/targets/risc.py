"""What machines with a link register and load-store instructions share."""

from __future__ import annotations

from backend.obj.prog import ADDR, MEM, Addr, Prog
from mochic.codegen.code import Frame
from mochic.codegen.machine import MEMORY, PAGE, Machine, imm
from mochic.layout import Layout


class Risc(Machine):
    """`mov` moves words between registers, memory and constants, `fmov` the same where a float register takes part,
    `add` adds a constant (or, `sub`, subtracts it), `store8` stores a byte; the assembler handles offsets
    of any size.  The frame is made in one step, then registers are stored at its top, the link register in the highest
    word.
    """

    __slots__ = ("mov", "fmov", "add", "store8", "link", "zero")

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self.mov = 0
        self.fmov = 0
        self.add = 0
        self.store8 = 0
        self.link = 0
        self.zero = 0

    # -- places

    def move(self, dst: int, src: int, pos: int, out: list[Prog]) -> None:
        if dst >= MEMORY and src >= MEMORY:
            t = self.regs[self.scratch_fp]
            out.append(Prog(self.fmov, [self.place(src), t], pos))
            out.append(Prog(self.fmov, [t, self.place(dst)], pos))
            return
        is_float = self.is_float
        as_ = self.fmov if (dst < MEMORY and is_float[dst]) or (src < MEMORY and is_float[src]) else self.mov
        out.append(Prog(as_, [self.place(src), self.place(dst)], pos))

    def integer(self, dst: int, n: int, pos: int, out: list[Prog]) -> None:
        if dst >= MEMORY:
            src = self.zero
            if n:
                src = self.scratch
                out.append(Prog(self.mov, [imm(n), self.regs[src]], pos))
            out.append(Prog(self.mov, [self.regs[src], self.place(dst)], pos))
        else:
            out.append(Prog(self.mov, [imm(n), self.regs[dst]], pos))

    def address(self, dst: int, place: Addr, pos: int, out: list[Prog]) -> None:
        reg = self.regs[dst if dst < MEMORY else self.scratch]
        if place.sym is not None:
            out.append(Prog(self.mov, [address_of(place), reg], pos))
        else:
            out.append(Prog(self.add, [imm(place.offset), self.regs[place.reg], reg], pos))
        if dst >= MEMORY:
            out.append(Prog(self.mov, [reg, self.place(dst)], pos))

    # -- frames

    def saved_words(self, f: Frame) -> list[int]:
        """The registers that the prologue stores, from the highest word down."""
        return ([self.link] if f.linked else []) + f.saved

    def enter(self, f: Frame, pos: int, out: list[Prog]) -> None:
        left = f.total
        sp = self.regs[self.stack]
        # Touch every page of a large frame in order, so that the guard page catches overflow.
        while left > PAGE:
            self.lower(PAGE, pos, out)
            out.append(Prog(self.store8, [self.regs[self.zero], Addr(MEM, sp.reg)], pos))
            left -= PAGE
        if left:
            self.lower(left, pos, out)
        self.save(self.saved_words(f), f.total, pos, out)

    def leave(self, f: Frame, pos: int, out: list[Prog]) -> None:
        self.restore(self.saved_words(f), f.total, pos, out)
        if f.total:
            sp = self.regs[self.stack]
            out.append(Prog(self.add, [imm(f.total), sp, sp], pos))

    def lower(self, n: int, pos: int, out: list[Prog]) -> None:
        """SP goes down by n."""
        sp = self.regs[self.stack]
        out.append(Prog(self.add, [imm(-n), sp, sp], pos))

    def save(self, saved: list[int], top: int, pos: int, out: list[Prog]) -> None:
        """Store registers from the word below SP + top down."""
        slot = self.layout.slot
        for reg in saved:
            top -= slot
            as_ = self.fmov if self.is_float[reg] else self.mov
            out.append(Prog(as_, [self.regs[reg], Addr(MEM, self.stack, top)], pos))

    def restore(self, saved: list[int], top: int, pos: int, out: list[Prog]) -> None:
        slot = self.layout.slot
        for reg in saved:
            top -= slot
            as_ = self.fmov if self.is_float[reg] else self.mov
            out.append(Prog(as_, [Addr(MEM, self.stack, top), self.regs[reg]], pos))

    def push_link(self, pos: int, out: list[Prog]) -> int:
        room = self.layout.stack_align
        self.lower(room, pos, out)
        place = Addr(MEM, self.stack, room - self.layout.word)
        out.append(Prog(self.mov, [self.regs[self.link], place], pos))
        return room


def address_of(place: Addr) -> Addr:
    """The operand that stands for the address of a symbol's memory operand."""
    return Addr(ADDR, 0, place.offset, place.sym, 0, 0, place.name)
