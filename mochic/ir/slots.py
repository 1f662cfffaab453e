"""Places that hold exact ints: variables, parameters, results, fields, elements."""

from __future__ import annotations


class IntSlot:
    """The interval of an int slot and, after `opt.intrep`, its representation."""

    __slots__ = ("id", "lo", "hi", "word", "node")

    def __init__(self, id: int) -> None:
        self.id = id
        self.lo = 0
        self.hi = -1  # empty
        self.word = False
        self.node = -1

    def __repr__(self) -> str:
        return f"slot{self.id}"
