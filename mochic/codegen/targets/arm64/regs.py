"""arm64: registers, the AAPCS64 calling convention, opcode tables by condition.

Procedure Call Standard for the Arm 64-bit Architecture, 6: integers and addresses in R0-R7, doubles in F0-F7, more
arguments on the stack in order; results in R0 or F0; R19-R29 and the low halves of F8-F15 survive calls.  Not
allocated: R30, RSP; R18, the platform's; R27, which the assembler's expansions overwrite; R16 and R17, which
linker veneers may overwrite: R16 holds the address during an indirect call, R17 and F31 are the scratch registers of
parallel moves.
"""

from __future__ import annotations

from typing import Final

from backend.arm64.ops import (
    ABEQ, ABGE, ABGT, ABHI, ABHS, ABLE, ABLO, ABLS, ABLT, ABMI, ABNE, ABPL, ABVC, ABVS, ACBNZ, ACBNZW, ACBZ, ACBZW,
    ATBNZ, ATBZ,
)  # fmt: skip
from backend.arm64.regs import F0, G, LR, R0, R16, R17, RSP, ZR
from backend.arm64.regs import FP as R29
from backend.obj.prog import FCONST, REG, SPECIAL, Addr

GP_ARGS: Final = tuple(range(R0, R0 + 8))
FP_ARGS: Final = tuple(range(F0, F0 + 8))
GP_CALLER: Final = (*range(R0 + 8, R0 + 16), *range(R0 + 7, R0 - 1, -1))
GP_CALLEE: Final = (*range(R0 + 19, R0 + 27), G, R29)
FP_CALLER: Final = (*range(F0 + 16, F0 + 31), *range(F0 + 7, F0 - 1, -1))
FP_CALLEE: Final = tuple(range(F0 + 8, F0 + 16))
CALL_TARGET: Final = R16
SCRATCH: Final = R17
SCRATCH_FP: Final = F0 + 31
LINK: Final = LR
STACK: Final = RSP
ZERO: Final = ZR
REG_ZR: Final = Addr(REG, ZR)
NREGS: Final = F0 + 32

# Conditions are the hardware's four bits (Arm ARM, C1.2.4); the lowest bit inverts.
(
    CC_EQ, CC_NE, CC_HS, CC_LO, CC_MI, CC_PL, CC_VS, CC_VC, CC_HI, CC_LS, CC_GE, CC_LT, CC_GT, CC_LE,
) = range(14)  # fmt: skip
CONDITIONAL: Final = (
    ABEQ, ABNE, ABHS, ABLO, ABMI, ABPL, ABVS, ABVC, ABHI, ABLS, ABGE, ABLT, ABGT, ABLE,
)  # fmt: skip
COND: Final = tuple(Addr(SPECIAL, 0, i) for i in range(14))
# Branches that test a register themselves.
CC_Z, CC_NZ, CC_ZW, CC_NZW, CC_BIT0, CC_BIT1 = range(32, 38)
FUSED: Final = {CC_Z: ACBZ, CC_NZ: ACBNZ, CC_ZW: ACBZW, CC_NZW: ACBNZW, CC_BIT0: ATBZ, CC_BIT1: ATBNZ}
REG_ZERO: Final = Addr(FCONST, 0, 0)  # FCMPD's zero
