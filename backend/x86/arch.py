"""The Arch of amd64: what the shared code needs to know of it."""

from __future__ import annotations

from backend.obj.plist import Arch
from backend.x86 import expand, ops, regs
from backend.x86.encode import X86Encoder


def make_arch(march: str = "", go_shapes: bool = False) -> Arch:
    """The Arch.  Raises ValueError for a `march`: there is one instruction set; `go_shapes` makes no difference.

    >>> make_arch().name
    'amd64'
    """
    if march:
        raise ValueError(f"amd64 has no -march={march}: there is one instruction set")
    return Arch(
        name="amd64",
        family="x86",
        ptr_size=8,
        big_endian=False,
        min_insn=1,
        regs=regs.REGS,
        reg_names=regs.NAMES,
        ops=ops.OPS,
        op_names=ops.NAMES,
        encoder=X86Encoder(),
        progedit=expand.progedit,
        preprocess=expand.preprocess,
    )
