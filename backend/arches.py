"""The CPUs that there is an assembler for, by their GOARCH names.  Each is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from backend.obj.plist import Arch

# Makes the Arch of an instruction set; True: with the shapes of Go's assembler (load_arch).
Maker = Callable[[str, bool], Arch]

# GOARCH name, family, its window of opcodes and registers (backend.obj.prog), the module with `make_arch`.
_ROWS: Final = """
amd64    x86    0  backend.x86.arch
riscv64  riscv  1  backend.riscv.arch
arm64    arm64  2  backend.arm64.arch
"""


class _Row:
    """A CPU of the table.  `make` is None until the CPU is first used."""

    __slots__ = ("family", "window", "module", "make")

    def __init__(self, family: str, window: int, module: str, make: Maker | None) -> None:
        self.family = family
        self.window = window
        self.module = module
        self.make = make


def _rows() -> dict[str, _Row]:
    out: dict[str, _Row] = {}
    for line in _ROWS.strip().split("\n"):
        name, family, window, module = line.split()
        out[name] = _Row(family, int(window), module, None)
    return out


_TABLE: Final[dict[str, _Row]] = _rows()


def arch_names() -> tuple[str, ...]:
    """The names that `load_arch` takes, in alphabetical order.

    >>> arch_names()
    ('amd64', 'arm64', 'riscv64')
    """
    return tuple(sorted(_TABLE))


def load_arch(name: str, march: str = "", go_shapes: bool = False) -> Arch:
    """A new Arch of a GOARCH name.

    `march`: the instruction set, empty for the one most machines have; `go_shapes`: byte for byte as Go's assembler
    (its defaults, its forms of far branches, its stack checks), for comparison with it.  Raises ValueError for a name
    that is in no table and for an unknown `march`.

    >>> load_arch("amd64").name
    'amd64'
    >>> load_arch("vax")
    Traceback (most recent call last):
    ...
    ValueError: no assembler for vax; available: amd64, arm64, riscv64
    """
    row = _TABLE.get(name)
    if row is None:
        raise ValueError(f"no assembler for {name}; available: {', '.join(arch_names())}")
    if row.make is None:
        row.make = import_module(row.module).make_arch
    return row.make(march, go_shapes)


def register_arch(name: str, family: str, window: int, make: Maker) -> None:
    """Adds a CPU that is not part of this package.

    `window` is the number of its window of opcodes and registers (OP_WINDOW, REG_WINDOW); CPUs of one family share one.
    `make(march, go_shapes)` returns a new Arch.  Raises ValueError when the name is taken, or the window is by another
    family.
    """
    if name in _TABLE:
        raise ValueError(f"there is an assembler for {name} already")
    for other, row in _TABLE.items():
        if (row.window == window) != (row.family == family):
            raise ValueError(f"{family} asks for window {window}; {other}, of {row.family}, has {row.window}")
    _TABLE[name] = _Row(family, window, "", make)
