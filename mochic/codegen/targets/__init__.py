"""The CPUs that there is a code generator for.  Each is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from mochic.codegen.machine import Machine

_CPUS: Final = ("amd64", "arm64", "riscv64")


def load_machine(arch: str, march: str = "", protection: str = "none", system: str = "") -> Machine:
    """The Machine of a GOARCH name, for an instruction set (empty: the least one) and a protection of branches
    (mochic.options.PROTECTIONS), on a system whose rules go beyond the CPU's (darwin, windows).  Raises ValueError when
    there is none.

    >>> load_machine("amd64").link_bytes
    8
    """
    if arch not in _CPUS:
        raise ValueError(f"there is no code generator for {arch}")
    made: Machine = import_module(f"mochic.codegen.targets.{arch}.machine").make_machine(march, protection, system)
    return made
