"""Names of SPECIAL operands: conditions, prefetch operations, branch types, system registers."""

from __future__ import annotations

from typing import Final

from backend.arm64.ops import NAMES

CONDITION_NAMES: Final = tuple("EQ NE HS LO MI PL VS VC HI LS GE LT GT LE AL NV".split())
CONDITIONS: Final = {**{name: i for i, name in enumerate(CONDITION_NAMES)}, "CS": 2, "CC": 3}
BRANCH_TYPES: Final = {"C": 1, "J": 2, "JC": 3}
# PRFM: type (load, instruction, store), cache level, keep or stream (C6.2, PRFM).
PREFETCHES: Final = {
    f"P{kind}L{level + 1}{policy}": t << 3 | level << 1 | p
    for t, kind in enumerate(("LD", "LI", "ST"))
    for level in range(3)
    for p, policy in enumerate(("KEEP", "STRM"))
}
RANGE_PREFETCHES: Final = {"PLDKEEP": 0, "PSTKEEP": 1, "PLDSTRM": 4, "PSTSTRM": 5}
_CONDITIONAL: Final = tuple("CSEL CSINC CSINV CSNEG CINC CINV CNEG CSET CCMN CCMP FCCMP FCSEL".split())


def specials() -> dict[int, dict[str, int]]:
    """The names each opcode understands as operands."""
    named = {"PRFM": PREFETCHES, "RPRFM": RANGE_PREFETCHES, "BTI": BRANCH_TYPES}
    return {
        as_: CONDITIONS if name.startswith(_CONDITIONAL) else named[name]
        for as_, name in enumerate(NAMES)
        if name in named or name.startswith(_CONDITIONAL)
    }
