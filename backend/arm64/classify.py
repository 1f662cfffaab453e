"""Why an instruction has no form: the message for operands that fit no row of the table."""

from __future__ import annotations

from backend.arm64.forms import INDEXED, SYMBOL, Form, Pattern
from backend.arm64.operands import EXTENDED
from backend.obj.prog import CONST, MEM, REG, REGREG, SHIFT, SPECIAL, VREG, Addr


def explain(forms: list[Form], args: list[Addr], scond: int = 0) -> str:
    """A message about the form that comes closest: the one that fits the most operands.

    >>> from backend.arm64.forms import Forms
    >>> from backend.arm64.ops import AASR
    >>> from backend.arm64.regs import R0
    >>> explain(Forms().forms_of(AASR), [Addr(CONST, offset=64), Addr(REG, R0), Addr(REG, R0)])
    'constant 64 is out of range 0 to 63'
    """
    for a in args:
        if (a.kind == REG and a.reg >= VREG) or a.index >= VREG:
            return "virtual register left over"
    best: Form | None = None
    best_score = -1
    suffix = False
    for f in forms:
        if len(f.patterns) != len(args):
            continue
        if f.scond != scond:
            suffix = True
            continue
        score = sum([_closeness(t, a) for t, a in zip(f.patterns, args, strict=True)])
        if score > best_score:
            best, best_score = f, score
    if best is None:
        return "invalid suffix .P or .W" if suffix else f"this instruction does not take {len(args)} operands"
    for t, a in zip(best.patterns, args, strict=True):
        if not t.fits(a):
            return _mismatch(t, a)
    return "invalid instruction"


def _same_kind(t: Pattern, a: Addr) -> bool:
    if t.kind == MEM or t.kind == INDEXED:
        return a.kind == MEM and (a.index != 0) == (t.kind == INDEXED)
    return a.kind == t.kind


def _closeness(t: Pattern, a: Addr) -> int:
    if t.fits(a):
        return 4
    return (2 if t.lowest <= a.reg <= t.highest else 1) if _same_kind(t, a) else 0


def _mismatch(t: Pattern, a: Addr) -> str:
    """What is wrong with one operand."""
    if not _same_kind(t, a) or (t.kind >= SYMBOL and t.kind != INDEXED):
        return "illegal combination of operands"
    if t.kind == SHIFT:
        if a.index >= EXTENDED or t.hi < 31:
            return "shift amount out of range 0 to 4" if a.index >= EXTENDED else "illegal combination of operands"
        return "unsupported shift operator" if a.index > t.scale else f"shift amount out of range 0 to {t.hi}"
    if t.kind == INDEXED:
        return "invalid index shift amount"
    if t.kind == SPECIAL:
        return "invalid condition" if t.special == "icond" else "invalid operand name"
    if not t.lowest <= a.reg <= t.highest or a.reg == t.barred:
        return "this base register cannot be used here" if t.kind == MEM else "illegal register"
    if t.kind == REGREG:
        return "the pair must be an even register and the next one" if t.step == 2 else "illegal register"
    if t.kind == REG:
        return f"register element index out of range 0 to {t.hi}"
    if t.kind in (MEM, CONST) and t.coder is None:
        word = "constant" if t.kind == CONST else "offset"
        if t.lo <= a.offset <= t.hi:
            return f"{word} {a.offset} is not a multiple of {t.step}"
        return f"{word} {a.offset} is out of range {t.lo} to {t.hi}"
    return "constant cannot be encoded" if t.kind == CONST else "illegal combination of operands"
