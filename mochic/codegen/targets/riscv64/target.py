"""riscv64 as one record (see CpuTarget)."""

from __future__ import annotations

from typing import Final

from mochic.codegen.context import CpuTarget, Rules
from mochic.codegen.targets.riscv64.machine import make_machine
from mochic.codegen.targets.riscv64.rules import CONDITIONS, KEY_ARG, RULES
from mochic.codegen.targets.riscv64.select import Selector

_RULES: Final = Rules(RULES, KEY_ARG, CONDITIONS)


def make_target(march: str = "", protection: str = "none", system: str = "") -> CpuTarget:
    """The parameters are those of load_target."""
    return CpuTarget(make_machine(march, protection, system), Selector, _RULES)
