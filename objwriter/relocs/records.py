"""What a relocation becomes, as the tables of the CPUs and the loader of tables both say it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from objwriter.model import Relocation, Section

Record = tuple[int, int, int]  # offset inside the field, type number, what is added to A
Records = tuple[Record, ...]
# Given a section and the offsets of its functions: what tells the records of a relocation there.
Chooser = Callable[[Section, Iterable[int]], Callable[[Relocation], Records]]
