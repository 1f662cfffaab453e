"""The amd64 Arch record: what the shared code needs to know of this family."""

from __future__ import annotations

from typing import Final

from backend.obj.plist import Arch
from backend.x86 import encode, expand, ops, regs

AMD64: Final = Arch(
    name="amd64",
    family="x86",
    ptr_size=8,
    big_endian=False,
    min_insn=1,
    regs=regs.REGS,
    reg_names=regs.NAMES,
    ops=ops.OPS,
    op_names=ops.NAMES,
    progedit=expand.progedit,
    preprocess=expand.preprocess,
    assemble=encode.assemble,
)
assemble = encode.assemble
