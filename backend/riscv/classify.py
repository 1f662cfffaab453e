"""Why an instruction has no form: the message for operands that fit no row of the table."""

from __future__ import annotations

from backend.obj.prog import ADDR, CONST, MEM, REG, VREG, Addr
from backend.riscv.forms import Form, Pattern


def explain(forms: list[Form], args: list[Addr]) -> str:
    """A message about the form that comes closest: the one that fits the most operands.

    >>> from backend.riscv.forms import Forms
    >>> from backend.riscv.ops import ASLLI
    >>> from backend.riscv.regs import A0
    >>> explain(Forms().forms_of(ASLLI), [Addr(CONST, offset=64), Addr(REG, A0), Addr(REG, A0)])
    'constant 64 is out of range 0 to 63'
    """
    for a in args:
        if a.kind == REG and a.reg >= VREG:
            return "virtual register left over"
    best: Form | None = None
    best_score = -1
    for f in forms:
        if len(f.patterns) != len(args):
            continue
        score = sum([2 if t.fits(a) else a.kind == t.kind for t, a in zip(f.patterns, args, strict=True)])
        if score > best_score:
            best, best_score = f, score
    if best is None:
        return f"this instruction does not take {len(args)} operands"
    for t, a in zip(best.patterns, args, strict=True):
        if not t.fits(a):
            return _mismatch(t, a)
    if best.equal is not None:
        return "the two registers must be the same"
    return "invalid instruction"


def _mismatch(t: Pattern, a: Addr) -> str:
    """What is wrong with one operand of the right kind."""
    if a.kind != t.kind:
        return "invalid instruction"
    if t.kind == REG:
        return "this register cannot be used here"
    if t.kind in (MEM, ADDR, CONST):
        word = "constant" if t.kind == CONST else "offset"
        if t.kind != CONST and not t.lowest <= a.reg <= t.highest:
            return "this base register cannot be used here"
        if t.lo <= a.offset <= t.hi:
            return f"{word} must not be zero" if a.offset == 0 else f"{word} {a.offset} is not a multiple of {t.step}"
        return f"{word} {a.offset} is out of range {t.lo} to {t.hi}"
    return "invalid instruction"
