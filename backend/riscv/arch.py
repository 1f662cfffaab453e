"""The Arch of riscv64: what the shared code needs to know of it."""

from __future__ import annotations

from typing import Final

from backend.obj.plist import Arch
from backend.riscv import expand, ops, regs
from backend.riscv.csr import CSRS, FENCE_SETS, VTYPES
from backend.riscv.encode import RiscvEncoder
from backend.riscv.forms import SUFFIXES

# Application profiles (RISC-V Profiles, RVA20, RVA22, RVA23) by the extensions this assembler can use.
_PROFILES: Final = {
    "rva20u64": "rv64gc",
    "rva22u64": "rv64gc_zba_zbb_zbs",
    "rva23u64": "rv64gc_zba_zbb_zbs_zicond",
}
_BASES: Final = ("rv64g", "rv64gc")
_EXTENSIONS: Final = ("zba", "zbb", "zbc", "zbs", "zicond", "zicsr", "zifencei")
DEFAULT_MARCH: Final = "rv64gc"
_CSR_OPS: Final = ("CSRRW CSRRS CSRRC CSRRWI CSRRSI CSRRCI CSRR CSRW CSRS CSRC CSRWI CSRSI CSRCI").split()


def extensions_of(march: str) -> frozenset[str]:
    """The extensions beyond rv64g that an ISA string or profile names, `c` among them.  Raises ValueError for an
    unknown ISA.

    >>> sorted(extensions_of("rva22u64"))
    ['c', 'zba', 'zbb', 'zbs']
    """
    base, *extensions = _PROFILES.get(march, march).split("_")
    if base not in _BASES or any(e not in _EXTENSIONS for e in extensions):
        known = ", ".join([*_BASES, *_PROFILES])
        raise ValueError(f"unknown ISA {march}; known: {known}, {_BASES[-1]} with _{', _'.join(_EXTENSIONS)}")
    return frozenset(extensions + ["c"] if base == "rv64gc" else extensions)


def make_arch(march: str = "", go_shapes: bool = False) -> Arch:
    """The Arch for an ISA string (`rv64g`, `rv64gc_zba_zbb`) or profile (`rva22u64`).

    With `c` instructions are compressed where they can be; zba and zbb let pseudo-instructions use those extensions.
    `go_shapes` gives functions without NOSPLIT Go's stack check, and makes rv64g the default, which is Go's.  Raises
    ValueError for an unknown ISA.

    >>> make_arch("rva22u64").name
    'riscv64'
    """
    extensions = extensions_of(march or ("rv64g" if go_shapes else DEFAULT_MARCH))
    encoder = RiscvEncoder(extensions, "c" in extensions)
    return Arch(
        name="riscv64",
        family="riscv",
        ptr_size=8,
        big_endian=False,
        min_insn=2 if encoder.compress else 4,
        regs=regs.REGS,
        reg_names=regs.NAMES,
        ops=ops.OPS,
        op_names=ops.NAMES,
        encoder=encoder,
        progedit=expand.progedit,
        preprocess=expand.preprocess_checked if go_shapes else expand.preprocess,
        suffixes=SUFFIXES,
        specials=_specials,
    )


def _specials() -> dict[int, dict[str, int]]:
    out = dict.fromkeys([ops.OPS[name] for name in _CSR_OPS], CSRS)
    out[ops.AFENCE] = FENCE_SETS
    out[ops.AVSETVLI] = out[ops.AVSETIVLI] = VTYPES
    return out
