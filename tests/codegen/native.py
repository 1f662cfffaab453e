"""Runs machine code made from IR in this process: symbols are placed in anonymous memory and called with ctypes.

For linux/amd64 hosts; elsewhere `available()` is false.  Externs of the IR may be given as Python
callables of up to six integer arguments.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import sys
from collections.abc import Callable
from typing import Any

from backend.obj.sym import LSym
from mochic.codegen.compile import emit_data, emit_func
from mochic.codegen.context import Context, Lines, no_lines
from mochic.codegen.targets import load_target
from mochic.ir.func import FuncSym, Module
from mochic.ir.types import F64, I32, VOID

_CTYPES = {F64: ctypes.c_double, I32: ctypes.c_int32, VOID: None}


def available() -> bool:
    return sys.platform == "linux" and platform.machine() == "x86_64"


def ctype(t: int) -> Any:
    return _CTYPES.get(t, ctypes.c_int64)


class Native:
    """A module in memory.  `call(name, args)` runs a function."""

    def __init__(
        self,
        m: Module,
        externs: dict[str, Callable[..., Any]] | None = None,
        check: bool = True,
        lines: Lines = no_lines,
    ) -> None:
        self.syms = {fn.sym.name: fn.sym for fn in m.funcs}
        ctx = Context(load_target("amd64"), lines=lines)
        ctx.inlined = m.inlined
        ctx.check = check
        self.ctx = ctx
        placed: list[LSym] = []
        for fn in m.funcs:
            placed += emit_func(fn, ctx)
        for d in m.data:
            s = emit_data(d, ctx)
            if s is not None:
                placed.append(s)
        placed += ctx.asm.constants.values()
        self.keep: list[Any] = []
        self.sp = ctypes.c_uint64(0)
        addresses: dict[str, int] = {}
        stubs: list[tuple[str, bytes]] = []
        for name, f in (externs or {}).items():
            sym = self._extern(m, name)
            proto = ctypes.CFUNCTYPE(ctype(sym.ret), *[ctype(t) for t in sym.params])
            cb = proto(f)
            self.keep.append(cb)
            target = ctypes.cast(cb, ctypes.c_void_p).value or 0
            # MOVQ $sp, R11; MOVQ SP, (R11): for `live_slots`.
            # MOVQ $target, R11; JMP R11: rel32 calls do not reach libffi's closures.
            note = b"\x49\xbb" + ctypes.addressof(self.sp).to_bytes(8, "little") + b"\x49\x89\x23"
            stubs.append((name, note + b"\x49\xbb" + target.to_bytes(8, "little") + b"\x41\xff\xe3"))
        size = sum(len(s.data) + s.size + 32 for s in placed) + 64 * (len(stubs) + 1)
        self.map = mmap.mmap(-1, (size + 4095) & -4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        base = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        at = 0
        places: dict[int, int] = {}
        for s in placed:
            at = (at + 15) & -16
            places[id(s)] = at
            addresses[s.name] = base + at
            self.map[at : at + len(s.data)] = bytes(s.data)
            at += max(len(s.data), s.size)
        for name, code in stubs:
            at = (at + 15) & -16
            self.map[at : at + len(code)] = code
            addresses[name] = base + at
            at += len(code)
        self.map[at : at + 2] = b"\x0f\x0b"  # UD2: what an extern without a Python function does
        for s in placed:
            for r in s.relocs:
                if r.sym is not None and id(r.sym) not in places:
                    addresses.setdefault(r.sym.name, base + at)
        for s in placed:
            for r in s.relocs:
                assert r.sym is not None
                target = places.get(id(r.sym))
                value = (base + target if target is not None else addresses[r.sym.name]) + r.add
                field = places[id(s)] + r.off
                if r.kind in ("R_PCREL", "R_PCREL32", "R_CALL"):
                    value -= base + field
                elif r.kind != "R_ADDR":
                    raise NotImplementedError(r.kind)
                self.map[field : field + r.size] = (value & ((1 << 8 * r.size) - 1)).to_bytes(r.size, "little")
        self.addresses = addresses
        self.records: dict[int, int] = {}  # return address -> address of its frame map record
        for s in placed:
            if s.section == "mochi_frames":
                for at in range(base + places[id(s)], base + places[id(s)] + len(s.data), 24):
                    self.records[at + ctypes.c_int32.from_address(at).value] = at

    def live_slots(self) -> list[int]:
        """Inside an extern: the words that the frame map of the call says are traced (docs/runtime.md)."""
        sp = self.sp.value
        at = self.records[ctypes.c_uint64.from_address(sp).value]
        info = at + 12 + ctypes.c_int32.from_address(at + 12).value
        slots = sp + 8 + ctypes.c_uint32.from_address(info).value
        bitmap = ctypes.c_uint64.from_address(at + 16).value
        if bitmap >> 63:
            long = at + 16 + ctypes.c_int32.from_address(at + 16).value
            words = ctypes.c_uint32.from_address(long).value
            bitmap = int.from_bytes(ctypes.string_at(long + 8, 8 * words), "little")
        marked = [i for i in range(bitmap.bit_length()) if bitmap >> i & 1]
        return [ctypes.c_uint64.from_address(slots + 8 * i).value for i in marked]

    def _extern(self, m: Module, name: str) -> FuncSym:
        for fn in m.funcs:
            for b in fn.blocks:
                for v in b.values:
                    if isinstance(v.sym, FuncSym) and v.sym.name == name:
                        return v.sym
        return FuncSym(name, [], VOID)

    def call(self, name: str, args: list[Any]) -> Any:
        """Call with Python ints and floats; ints come back signed."""
        sym = self.syms[name]
        proto = ctypes.CFUNCTYPE(ctype(sym.ret), *[ctype(t) for t in sym.params])
        f = proto(self.addresses[name])
        return f(*args)
