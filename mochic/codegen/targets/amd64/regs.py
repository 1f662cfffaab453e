"""amd64: registers, the System V calling convention, opcode tables by condition and class.

System V AMD64 psABI 3.2: integers and addresses in DI SI DX CX R8 R9, doubles in X0-X7, further
arguments on the stack in order; results in AX or X0; BX BP R12-R15 survive calls.
X15 is never allocated: it is the scratch register of parallel moves.
"""

from __future__ import annotations

from typing import Final

from backend.x86.ops import OPS
from backend.x86.regs import (
    AX, BP, BX, CX, DI, DX, R8, R9, R10, R11, R12, R13, R14, R15, SI, X0, X1, X2, X3, X4, X5, X6, X7, X8, X9, X10,
    X11, X12, X13, X14, X15,
)  # fmt: skip

GP_ARGS: Final = (DI, SI, DX, CX, R8, R9)
FP_ARGS: Final = (X0, X1, X2, X3, X4, X5, X6, X7)
# In the order of preference: short encodings first, argument registers last of those calls clobber.
GP_CALLER: Final = (AX, CX, DX, SI, DI, R8, R9, R10, R11)
GP_CALLEE: Final = (BX, BP, R12, R13, R14, R15)
FP_REGS: Final = (X0, X1, X2, X3, X4, X5, X6, X7, X8, X9, X10, X11, X12, X13, X14)
SCRATCH_FP: Final = X15
CALL_TARGET: Final = R11  # holds the address during an indirect call: no argument lives there
NREGS: Final = 80

# Conditions are the hardware's four bits (SDM 2, appendix B.1.4.7); the lowest bit inverts.
(
    CC_OS, CC_OC, CC_CS, CC_CC, CC_EQ, CC_NE, CC_LS, CC_HI, CC_MI, CC_PL, CC_PS, CC_PC, CC_LT, CC_GE, CC_LE, CC_GT,
) = range(16)  # fmt: skip
# Float equality needs two flags: equal and not unordered; its inverse: not equal or unordered.
CC_FEQ: Final = 16
CC_FNE: Final = 17
_CC_NAMES: Final = "OS OC CS CC EQ NE LS HI MI PL PS PC LT GE LE GT".split()

JCC: Final = tuple(OPS["J" + c] for c in _CC_NAMES)
SETCC: Final = tuple(OPS["SET" + c] for c in _CC_NAMES)
CMOVQ: Final = tuple(OPS["CMOVQ" + c] for c in _CC_NAMES)
CMOVL: Final = tuple(OPS["CMOVL" + c] for c in _CC_NAMES)

# Instructions whose first operand may be memory where the second is a register (or, for comparisons, a constant).
READS_MEMORY: Final = frozenset(
    [OPS[op + w] for op in "ADD SUB AND OR XOR IMUL CMP".split() for w in "LQ"]
    + [OPS[op] for op in "MOVQ MOVL MOVLQSX ADDSD SUBSD MULSD DIVSD SQRTSD UCOMISD CVTSQ2SD CVTTSD2SQ".split()]
) | frozenset(CMOVQ + CMOVL)
COMPARES: Final = frozenset((OPS["CMPQ"], OPS["CMPL"]))

# Opcodes that read the flags: nothing that writes them may be put in front of one.
READS_FLAGS: Final = frozenset(JCC + SETCC + CMOVQ + CMOVL)

# Pseudo instruction: copy a double under a condition (`scond`); machine.py makes a branch around a move of it.
ACMOVSD: Final = -1
