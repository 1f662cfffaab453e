"""Names of SPECIAL operands: conditions, prefetch operations, branch types, system registers and operations."""

from __future__ import annotations

from typing import Final

from backend.arm64.forms import PSTATE, REGISTER_OPERATION, load_table
from backend.arm64.ops import NAMES, OPS

CONDITIONS: Final = {
    name: i for i, name in enumerate("EQ NE HS LO MI PL VS VC HI LS GE LT GT LE AL NV".split())
} | {"CS": 2, "CC": 3}  # fmt: skip
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


class Specials(dict[int, dict[str, int]]):
    """Opcode -> the names it understands as operands.  Those of system registers are read when one is asked for."""

    def get(self, as_: int, default: dict[str, int] | None = None) -> dict[str, int] | None:  # type: ignore[override]
        """The names of an opcode, None when it takes none."""
        if as_ in _SYSTEM and as_ not in self:
            self.update(system_names())
        return super().get(as_, default)


_SYSTEM: Final = frozenset(OPS[name] for name in ("MRS", "MSR", "AT", "DC", "IC", "TLBI"))


def system_names() -> dict[int, dict[str, int]]:
    """What MRS, MSR, AT, DC, IC and TLBI call their operands, by opcode.

    >>> hex(system_names()[OPS["MRS"]]["TPIDR_EL0"])
    '0xde82'
    """
    readable: dict[str, int] = {}
    writable = {"DAIFSet": PSTATE | 0o36, "DAIFClr": PSTATE | 0o37}
    out = {OPS["MRS"]: readable, OPS["MSR"]: writable}
    for line in load_table("sysreg.txt").split("\n"):
        words = line.split()
        if not words or words[0] == "#":
            continue
        if words[1].isdigit():
            name, op0, op1, crn, crm, op2, access = words
            number = int(op0) << 14 | int(op1) << 11 | int(crn) << 7 | int(crm) << 3 | int(op2)
            if "r" in access:
                readable[name] = number
            if "w" in access:
                writable[name] = number
        else:
            mnemonic, name, op1, crn, crm, op2, *register = words
            number = int(op1) << 11 | int(crn) << 7 | int(crm) << 3 | int(op2)
            out.setdefault(OPS[mnemonic], {})[name] = number | (REGISTER_OPERATION if register else 0)
    return out


def specials() -> Specials:
    """The names each opcode understands as operands."""
    named = {"PRFM": PREFETCHES, "PRFUM": PREFETCHES, "RPRFM": RANGE_PREFETCHES, "BTI": BRANCH_TYPES}
    out = Specials()
    for as_, name in NAMES.items():
        if name in named or name.startswith(_CONDITIONAL):
            out[as_] = CONDITIONS if name.startswith(_CONDITIONAL) else named[name]
    return out
