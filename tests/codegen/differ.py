"""Runs a random module interpreted and natively and compares results, calls and memory."""

from __future__ import annotations

import ctypes
from functools import partial
from typing import Any

from native import Native
from randir import EXTERNS, random_args, random_module
from mochic.ir.interp import Machine, s64
from mochic.ir.verify import verify_module


class Log:
    """The externs: they note their scalar arguments and return something that depends on them."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.native: Native | None = None

    def collect(self) -> None:
        """What the collector would do: every traced slot must hold a tag."""
        if self.native is None:
            return
        lo = self.native.addresses["obj"]
        for word in self.native.live_slots():
            assert word == 0 or word & 1 or lo <= word < lo + 512, hex(word)

    def e0(self, a: int, b: int) -> int:
        self.collect()
        self.calls.append((0, a, b))
        return s64(a * 3 + b)

    def e1(self, a: int, x: float, b: int, y: float) -> float:
        self.calls.append((1, a, repr(x), b, repr(y)))
        return x - y if x == x and y == y else 1.0

    def e2(self, r: int, a: int) -> int:
        self.collect()
        self.calls.append((2, a))
        return r

    def e3(self) -> None:
        self.collect()
        self.calls.append((3,))

    def e4(self, *args: Any) -> int:
        self.calls.append((4, *[repr(a) for a in args]))
        return args[8]  # type: ignore[no-any-return]


def extern(f: Any, machine: Machine, args: list[Any]) -> Any:
    return f(*args)


def compare(seed: int, prepare: Any = None) -> None:
    """AssertionError when machine code and interpreter disagree on the module of that seed."""
    m = random_module(seed)
    verify_module(m)
    args = random_args(seed, m.funcs[0].sym.params)
    log = Log()
    names = [s.name for s in EXTERNS]
    machine = Machine(m, {n: partial(extern, getattr(log, n)) for n in names}, steps=200_000)
    want = machine.call("f", args)
    at = machine.addresses["mem"] - (1 << 20)
    memory = bytes(machine.memory[at : at + 256])
    if prepare is not None:
        prepare(m)
        verify_module(m)
    log2 = Log()
    native = Native(m, {n: getattr(log2, n) for n in names})
    log2.native = native
    got = native.call("f", args)
    assert got == want, (seed, got, want)
    assert log2.calls == log.calls, seed
    assert ctypes.string_at(native.addresses["mem"], 256) == memory, seed
