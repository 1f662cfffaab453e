"""How REL keeps an addend in an instruction: part of the word that the linker adds to S.

A rule is the mask of its bits, the step that A is a multiple of, the bits A has (signed) and what is added before A
is shifted: the high half of a MIPS address is rounded, as the low half is signed (MIPS psABI, table 4-10).
"""

from __future__ import annotations

from typing import Final

# name: mask, log2 of the step, bits of A, rounding
RULES: Final = {
    "arm24": (0xFFFFFF, 2, 26, 0),  # B and BL: words
    "mips26": (0x3FFFFFF, 2, 28, 0),  # J and JAL: words
    "high": (0xFFFF, 16, 33, 0x8000),  # LUI; with `low`
    "low": (0xFFFF, 0, 33, 0),
    "half": (0xFFFF, 0, 16, 0),
}
HIGH: Final = "high"
LOW: Final = "low"


def store_field(rule: str, word: int, add: int) -> int | None:
    """The word with A in it, None when A does not fit.

    >>> store_field("arm24", 0xEB000000, -8) == 0xEBFFFFFE
    True
    >>> [hex(store_field(rule, 0, 0x18000) or 0) for rule in ("high", "low")]
    ['0x2', '0x8000']
    """
    mask, shift, bits, rounding = RULES[rule]
    exact = rule in (HIGH, LOW) or not add & (1 << shift) - 1
    if not exact or not -(1 << bits - 1) <= add < 1 << bits - 1:
        return None
    return (word & ~mask) | ((add + rounding) >> shift & mask)
