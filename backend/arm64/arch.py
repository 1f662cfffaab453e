"""The Arch of arm64: what the shared code needs to know of it."""

from __future__ import annotations

from backend.arm64 import expand, operands, ops, regs
from backend.arm64.encode import Arm64Encoder
from backend.arm64.forms import SUFFIXES
from backend.arm64.sysreg import specials
from backend.obj.plist import Arch


def make_arch(march: str = "", go_shapes: bool = False) -> Arch:
    """The Arch.  `go_shapes`: byte for byte as Go's assembler, with its far branches and literals, and its stack check
    in functions without NOSPLIT.  Raises ValueError for a `march`: there is one instruction set.

    >>> make_arch().name
    'arm64'
    """
    if march:
        raise ValueError(f"arm64 has no -march={march}: there is one instruction set")
    return Arch(
        name="arm64",
        family="arm64",
        ptr_size=8,
        big_endian=False,
        min_insn=4,
        regs=regs.REGS,
        reg_names=regs.NAMES,
        ops=ops.OPS,
        op_names=ops.NAMES,
        encoder=Arm64Encoder(go_shapes),
        progedit=expand.progedit,
        preprocess=expand.preprocess_checked if go_shapes else expand.preprocess,
        suffixes=SUFFIXES,
        specials=specials,
        parse_operand=operands.parse_operand,
        parse_index=operands.parse_index,
        format_operand=operands.format_operand,
    )
