"""Frames of functions, described once for all unwind formats.

A frame is what the prologue does: steps with the offset in the code after which each holds.  From the steps follow the
canonical frame address (CFA: the caller's stack pointer at the call), where registers are saved, the size of the
frame, and whether a frame pointer is set up.  Registers have DWARF numbers.  `unwind_dwarf.py`, `unwind_compact.py`
and `unwind_windows.py` encode frames; what a format cannot express is an ObjectError, or for compact unwind a reference
to the DWARF form.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Final

from objwriter.frames import (
    ALLOC, OPS, PUSH, PUSH_PAIR, SAVE, SAVE_PAIR, SET_FP, Frame, Layout, Machine, Step, WindowsCodes, check_frame,
    final_layout, machine_of, register_machine, simple_frame,
)  # fmt: skip

__all__ = [
    "ALLOC", "OPS", "PUSH", "PUSH_PAIR", "SAVE", "SAVE_PAIR", "SET_FP", "Frame", "Layout", "Machine", "Step",
    "WindowsCodes", "check_frame", "final_layout", "machine_of", "register_machine", "simple_frame",
]  # fmt: skip

CPUS: Final = ("amd64", "arm64", "riscv64")  # each has a module of this name in objwriter.cpus


def _load(name: str) -> Machine:
    machine: Machine = import_module(f"objwriter.cpus.{name}").MACHINE
    return machine


for _name in CPUS:
    register_machine(_name, partial(_load, _name))
