"""The CPUs that have a code generator.  Each is loaded when it is needed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from mochic.codegen.context import CpuTarget

if TYPE_CHECKING:
    from mochic.codegen.unwind import CpuUnwind


def _load(arch: str, module: str) -> ModuleType:
    """A module of a CPU's folder; ValueError when there is no such folder."""
    name = f"{__name__}.{arch}.{module}"
    try:
        return import_module(name)
    except ModuleNotFoundError as e:
        if e.name is None or not name.startswith(e.name):
            raise
        raise ValueError(f"there is no code generator for {arch}") from None


def load_target(arch: str, march: str = "", protection: str = "none", system: str = "") -> CpuTarget:
    """The record of a GOARCH name, for an instruction set (empty: the least one) and a protection of branches
    (mochic.options.PROTECTIONS), on a system whose rules go beyond the CPU's (darwin, windows).  Raises ValueError when
    there is none.

    >>> load_target("amd64").machine.link_bytes
    8
    """
    made: CpuTarget = _load(arch, "target").make_target(march, protection, system)
    return made


def load_unwind(arch: str) -> CpuUnwind:
    """What unwind information needs to know of a CPU, by its GOARCH name."""
    made: CpuUnwind = _load(arch, "unwind").UNWIND
    return made
