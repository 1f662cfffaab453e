"""The last rewrites, when registers are known.

    LEAQ c(r), r       ADDQ $c, r        where nothing reads the flags behind it
    LEAQ (r)(x*1), r   ADDQ x, r
    MOVQ $0, r         XORL r, r
    ANDQ x, r ; TESTQ r, r ; JEQ        without the TESTQ

Only LEA with its destination among its operands is worth the trouble: ADD is shorter and runs on more ports.
"""

from __future__ import annotations

from typing import Final

from backend.obj.prog import CONST, Addr, Prog
from backend.x86 import ops
from backend.x86.ops import (
    AADDL, AADDQ, AANDL, AANDQ, ALEAQ, ANEGL, ANEGQ, AORL, AORQ, ASUBL, ASUBQ, ATESTL, ATESTQ, AXORL, AXORQ,
)  # fmt: skip
from mochic.codegen.machine import imm
from mochic.codegen.targets.amd64.regs import CC_EQ, CC_FEQ, CC_MI, CC_NE, CC_PL, READS_FLAGS

# Opcodes that neither read nor write flags: all moves, LEA, SSE arithmetic (UCOMISD and COMISD write them).
_NEUTRAL: Final = frozenset(
    n for name, n in ops.OPS.items()
    if name.startswith(("MOV", "LEA", "NOT", "PUSH", "POP", "CVT", "XCHGQ", "SQRT", "CMOV", "SET"))
    or (name.endswith(("SD", "PS", "PD")) and "COMI" not in name)
)  # fmt: skip
TESTS: Final = frozenset((ATESTL, ATESTQ))
_LOGIC: Final = frozenset((AANDL, AANDQ, AORL, AORQ, AXORL, AXORQ))
_ARITHMETIC: Final = frozenset((AADDL, AADDQ, ASUBL, ASUBQ, ANEGL, ANEGQ))
_SHORT: Final = frozenset((AANDL, AORL, AXORL, AADDL, ASUBL, ANEGL))
_ZERO: Final = (CC_EQ, CC_NE)
_ZERO_SIGN: Final = (CC_EQ, CC_NE, CC_MI, CC_PL)


def shorten(regs: dict[int, Addr], candidates: list[int], out: list[Prog], cc: int) -> None:
    """Replace LEA by ADD and MOV $0 by XOR where nothing reads the flags behind them; drop a final TEST of what the
    instruction before it has just computed, flags included.  `cc` is the condition of the branch that follows."""
    n = len(out)
    branches = cc >= 0
    for i in candidates:
        if out[i].as_ in TESTS:
            if i == n - 1 and i and same_flags(out[i - 1], out[i], cc):
                out.pop()
            continue
        k = i + 1
        while k < n and out[k].as_ in _NEUTRAL and out[k].as_ not in READS_FLAGS:
            k += 1
        if (k < n and out[k].as_ in READS_FLAGS) or (k == n and branches):
            continue
        p = out[i]
        a = p.args[0]
        if a.kind == CONST:
            p.as_ = AXORL
            p.args[0] = p.args[1]
            continue
        d = p.args[1]
        wide = p.as_ == ALEAQ
        if not a.index:
            p.as_ = AADDQ if wide else AADDL
            p.args[0] = imm(a.offset)
        elif a.scale == 1 and not a.offset:
            if a.reg == d.reg:
                if a.index == d.reg:
                    p.as_ = AADDQ if wide else AADDL
                    p.args[0] = d
                    continue
                p.as_ = AADDQ if wide else AADDL
                p.args[0] = regs[a.index]
            elif a.index == d.reg:
                p.as_ = AADDQ if wide else AADDL
                p.args[0] = regs[a.reg]


def same_flags(p: Prog, test: Prog, cc: int) -> bool:
    """Do the flags that p leaves give `cc` the meaning that `test` of p's result would give it?"""
    if len(p.args) < 1 or p.args[-1] is not test.args[0]:
        return False
    # ADD, SUB, NEG: zero and sign; AND, OR, XOR clear carry and overflow as TEST does.
    if not ((p.as_ in _LOGIC and cc < CC_FEQ) or (p.as_ in _ARITHMETIC and cc in _ZERO_SIGN)):
        return False
    # A 32-bit result was extended with zeros: as a 64-bit word it is zero or not, but has another sign.
    return (p.as_ in _SHORT) == (test.as_ == ATESTL) or (p.as_ in _SHORT and cc in _ZERO)
