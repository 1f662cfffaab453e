"""What register allocation is about and what comes of it: bundles, and the machine register or slot of every value."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from mochic.codegen.liveness import Intervals

# Up to so many pieces of a value are searched one by one.
FEW: Final = 12

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

    __slots__ = ("iv", "reg", "pieces", "slot", "late", "groups", "used", "live", "extended", "index")

    def __init__(self, iv: Intervals, n: int) -> None:
        self.iv = iv
        self.reg = [0] * n
        self.pieces: dict[int, list[Bundle]] = {}
        self.slot = [-1] * n
        self.late = bytearray(n)
        self.groups: list[list[int]] = []  # members of each slot group
        self.used: list[int] = []  # callee-saved registers in use, in order
        self.live: dict[int, list[int]] = {}
        self.index: dict[int, tuple[list[int], list[int], list[Bundle]]] = {}  # the pieces of those in many
        self.extended: dict[int, int] = {}  # base -> its interval with those of the pointers into it

    def at(self, r: int, pos: int) -> int:
        """The machine register that holds r at a position, 0 for the slot."""
        x = self.reg[r]
        if x:
            return x
        pieces = self.pieces[r]
        if len(pieces) <= FEW:
            for p in pieces:
                d = pos - p.start
                if d >= 0 and p.bits >> d & 1:
                    return p.reg
            return 0
        index = self.index.get(r)
        if index is None:
            index = self.index[r] = _by_start(pieces)
        starts, ends, pieces = index
        i = bisect_right(starts, pos) - 1
        while i >= 0 and ends[i] > pos:
            p = pieces[i]
            if p.bits >> (pos - p.start) & 1:
                return p.reg
            i -= 1
        return 0


def _by_start(pieces: list[Bundle]) -> tuple[list[int], list[int], list[Bundle]]:
    """Pieces in the order of their starts, with these, and where the last of them up to each ends."""
    pieces = sorted(pieces, key=_start)
    ends = []
    end = 0
    for p in pieces:
        end = max(end, p.start + p.bits.bit_length())
        ends.append(end)
    return [p.start for p in pieces], ends, pieces


def _start(p: Bundle) -> int:
    return p.start
