"""What register allocation is about and what comes of it: bundles, and the machine register or slot of every value."""

from __future__ import annotations

from typing import Final

from mochic.codegen.liveness import Intervals

# How far a bundle has been taken apart.
S_WHOLE: Final = 0
S_MEMBER: Final = 1
S_SEGMENT: Final = 2
S_LOCAL: Final = 3
S_TINY: Final = 4


class Bundle:
    """Virtual registers (or a piece of one) that get one machine register.  The hot part of a bundle has a shadow
    per member: what the pieces of that member list, with the register of the whole."""

    __slots__ = ("start", "bits", "members", "weight", "hints", "stage", "reg", "float", "shadows")

    def __init__(
        self, start: int, bits: int, members: list[int], weight: int, hints: list[int], is_float: bool
    ) -> None:
        self.start = start
        self.bits = bits
        self.members = members
        self.weight = weight
        self.hints = hints
        self.stage = S_WHOLE
        self.reg = 0
        self.float = is_float
        self.shadows: list[Bundle] = []


class Allocation:
    """The result.  `reg[r]` is the machine register of virtual register r, or 0 if it is split: then
    `pieces[r]` are its bundles and the rest of it is in its slot.  `slot[r]` numbers its slot group or is -1;
    `late[r]`: stored where it leaves a register, not at its definition.  `live` lists the traced registers
    live across each safepoint, by instruction index."""

    __slots__ = ("iv", "reg", "pieces", "slot", "late", "groups", "used", "live", "extended")

    def __init__(self, iv: Intervals, n: int) -> None:
        self.iv = iv
        self.reg = [0] * n
        self.pieces: dict[int, list[Bundle]] = {}
        self.slot = [-1] * n
        self.late = bytearray(n)
        self.groups: list[list[int]] = []  # members of each slot group
        self.used: list[int] = []  # callee-saved registers in use, in order
        self.live: dict[int, list[int]] = {}
        self.extended: dict[int, int] = {}  # base -> its interval with those of the pointers into it

    def at(self, r: int, pos: int) -> int:
        """The machine register that holds r at a position, 0 for the slot."""
        x = self.reg[r]
        if x:
            return x
        for p in self.pieces[r]:
            d = pos - p.start
            if d >= 0 and p.bits >> d & 1:
                return p.reg
        return 0
