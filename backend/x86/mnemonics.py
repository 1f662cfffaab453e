"""Mnemonics of x86 that are in no form table; `backend.obj.genops` makes numbers of them."""

from __future__ import annotations

from typing import Final

# Names that an expansion handles.
EXTRA: Final[tuple[str, ...]] = ("ADJSP",)

# Other spellings that the text parser accepts.
ALIASES: Final = """
JA=JHI JAE=JCC JB=JCS JBE=JLS JC=JCS JE=JEQ JG=JGT JHS=JCC JL=JLT JLO=JCS JNA=JLS JNAE=JCS JNB=JCC JNBE=JHI JNC=JCC
JNG=JLE JNGE=JLT JNL=JGE JNLE=JGT JNO=JOC JNP=JPC JNS=JPL JNZ=JNE JO=JOS JP=JPS JPE=JPS JPO=JPC JS=JMI JZ=JEQ
MASKMOVDQU=MASKMOVOU MOVD=MOVQ MOVDQ2Q=MOVQ MOVNTDQ=MOVNTO MOVOA=MOVO PSLLDQ=PSLLO PSRLDQ=PSRLO PADDD=PADDL
"""
