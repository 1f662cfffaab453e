"""riscv64: registers, the LP64D calling convention, opcode tables by condition.

RISC-V ELF psABI, "Integer Calling Convention" and "Hardware Floating-point": integers and addresses in A0-A7, doubles
in FA0-FA7, doubles beyond those as integers, then the stack in order; results in A0 or FA0; S0-S11 and FS0-FS11 survive
calls.  32-bit values are kept sign-extended to 64 bits.  Not allocated: RA, SP, GP, TP; T6, which the
assembler's expansions overwrite; T5 and FT11, the scratch registers of parallel moves.
"""

from __future__ import annotations

from typing import Final

from backend.obj.prog import REG, Addr
from backend.riscv.ops import ABEQ, ABGE, ABGEU, ABLT, ABLTU, ABNE
from backend.riscv.regs import (
    A0, A1, A2, A3, A4, A5, A6, A7, F0, RA, S0, S1, S2, S3, S4, S5, S6, S7, S8, S9, S10, S11, SP, T0, T1, T2, T3, T4,
    T5, X0,
)  # fmt: skip

GP_ARGS: Final = (A0, A1, A2, A3, A4, A5, A6, A7)
FP_ARGS: Final = tuple(range(F0 + 10, F0 + 18))
# X8-X15 first: most 16-bit instructions reach only those (ISA I, 26.2).
GP_CALLER: Final = (A5, A4, A3, A2, A1, A0, A6, A7, T0, T1, T2, T3, T4)
GP_CALLEE: Final = (S0, S1, S2, S3, S4, S5, S6, S7, S8, S9, S10, S11)
FP_CALLER: Final = (*range(F0 + 15, F0 + 9, -1), F0 + 16, F0 + 17, *range(F0, F0 + 8), *range(F0 + 28, F0 + 31))
FP_CALLEE: Final = (F0 + 8, F0 + 9, *range(F0 + 18, F0 + 28))
SCRATCH: Final = T5
SCRATCH_FP: Final = F0 + 31
CALL_TARGET: Final = T1  # not T0: a JALR through X5 would be predicted as a return (ISA I, 2.5.1)
LINK: Final = RA
STACK: Final = SP
ZERO: Final = X0
REG_X0: Final = Addr(REG, X0)
NREGS: Final = F0 + 32

# Conditions of the compare-and-branch instructions; the lowest bit inverts.
CC_EQ, CC_NE, CC_LT, CC_GE, CC_LTU, CC_GEU = range(6)
BRANCHES: Final = (ABEQ, ABNE, ABLT, ABGE, ABLTU, ABGEU)

# Pseudo instructions `a, b, x, d`: copy x to d when a and b compare as `scond` says; machine.py makes a branch around
# a move.
ACMOV: Final = -1
ACMOVD: Final = -2
