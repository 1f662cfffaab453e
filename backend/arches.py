"""The architectures that there is an assembler for, by their GOARCH names.  Each is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from backend.obj.plist import Arch


def load_arch(name: str, march: str = "", lines: bool = False) -> Arch | None:
    """The Arch of a GOARCH name, None when there is no backend for it.

    `march`: the instruction set, empty for the least one; `lines`: for the line protocol of `mochi asm --lines`, where
    the defaults of Go's assembler hold (no compression, stack checks).  Raises ValueError for an unknown march.

    >>> load_arch("amd64").name
    'amd64'
    """
    load = _LOADERS.get(name)
    return load(march, lines) if load is not None else None


def _amd64(march: str, lines: bool) -> Arch:
    from backend.x86.arch import AMD64

    if march:
        raise ValueError(f"amd64 has no -march={march}: there is one instruction set")
    return AMD64


def _arm64(march: str, lines: bool) -> Arch:
    from backend.arm64.arch import make_arch

    if march:
        raise ValueError(f"arm64 has no -march={march}: there is one instruction set")
    return make_arch(lines)


def _riscv64(march: str, lines: bool) -> Arch:
    from backend.riscv.arch import DEFAULT_MARCH, make_arch

    return make_arch(march or ("rv64g" if lines else DEFAULT_MARCH), lines)


_LOADERS: Final[dict[str, Callable[[str, bool], Arch]]] = {"amd64": _amd64, "arm64": _arm64, "riscv64": _riscv64}
NAMES: Final = tuple(sorted(_LOADERS))
