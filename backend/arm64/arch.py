"""The arm64 Arch record: what the shared code needs to know of this family."""

from __future__ import annotations

from typing import Final

from backend.arm64 import expand, operands, ops, regs
from backend.arm64.encode import Assembler
from backend.arm64.forms import SUFFIXES
from backend.arm64.sysreg import specials
from backend.obj.plist import Arch


def make_arch(go_shapes: bool = False) -> Arch:
    """The Arch.  `go_shapes`: byte for byte as Go's assembler, with its far branches and literals, and its
    stack check in functions without NOSPLIT.

    >>> make_arch().name
    'arm64'
    """
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
        progedit=expand.progedit,
        preprocess=expand.preprocess_checked if go_shapes else expand.preprocess,
        assemble=Assembler(go_shapes).assemble,
        suffixes=SUFFIXES,
        specials=specials(),
        parse_operand=operands.parse_operand,
        parse_index=operands.parse_index,
        format_operand=operands.format_operand,
    )


ARM64: Final = make_arch()
