"""An engine with memory, imports that are Python functions, and faults that become signals or exceptions.

Subclasses load an image, name the registers of calls and say what the imports do.  The checks are those that real
systems make or rely on: protection of pages, alignment of the stack at calls, nothing expected of registers that calls
may change.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import Any

import unicorn
from unicorn import arm64_const as arm
from unicorn import x86_const as x86

STUBS = 0x7FFA00000000
SYSTEM = 0x7FFB00000000  # the system's own data: argument vectors, records of faults
SYSTEM_SIZE = 1 << 20
ALLOCATIONS = 0x200000000000
SLIDE = 0x3210000
MAX_STACK = 128 << 20  # more is refused: the engine takes long to fill it
# The engine maps memory in pieces of this size: to take away a page of a piece, it copies the piece.
PIECE = 1 << 24
READ, WRITE, EXECUTE = 1, 2, 4
_SPOIL = 0xDEADDEADDEADDEAD


class Fault(Exception):
    """The program did what the system would stop it for, or what this one does not know."""


class Machine:
    """`page` is the size of a page; `arguments` the registers of integer arguments."""

    def __init__(self, arch: str, page: int, names: str) -> None:
        self.arch = arch
        self.page = page
        if arch == "amd64":
            self.uc: Any = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
            self.sp, self.pc, self.result, self.link = (
                x86.UC_X86_REG_RSP, x86.UC_X86_REG_RIP, x86.UC_X86_REG_RAX, -1,
            )  # fmt: skip
            self.arguments = [getattr(x86, "UC_X86_REG_" + n) for n in names.split()]
            volatile = [getattr(x86, "UC_X86_REG_" + n) for n in "RCX RDX R8 R9 R10 R11".split()]
            self.spoiled = volatile + [x86.UC_X86_REG_XMM0 + i for i in range(6)]
            stub = b"\xc3".ljust(16, b"\x90")
        else:
            self.uc = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
            self.uc.reg_write(arm.UC_ARM64_REG_CPACR_EL1, 3 << 20)  # vector registers may be used
            self.sp, self.pc, self.result, self.link = (
                arm.UC_ARM64_REG_SP, arm.UC_ARM64_REG_PC, arm.UC_ARM64_REG_X0, arm.UC_ARM64_REG_X30,
            )  # fmt: skip
            self.arguments = [arm.UC_ARM64_REG_X0 + i for i in range(8)]
            self.spoiled = [arm.UC_ARM64_REG_X0 + i for i in range(1, 18)]
            self.spoiled += [arm.UC_ARM64_REG_D0 + i for i in (*range(8), *range(16, 32))]
            stub = bytes.fromhex("c0035fd6") * 4
        self.status: int | None = None
        self.stubs: list[str] = []
        self.next = ALLOCATIONS
        self.reserved: dict[int, int] = {}  # start of an allocation -> its size
        self.mapped: set[int] = set()  # numbers of pages inside allocations that have memory
        self.resume = 0
        self.uc.mem_map(STUBS, 0x10000, READ | EXECUTE)
        self.uc.mem_write(STUBS, stub * 0x1000)
        self.uc.mem_map(SYSTEM, SYSTEM_SIZE)
        self.system = SYSTEM
        self.uc.hook_add(unicorn.UC_HOOK_CODE, self._called, None, STUBS, STUBS + 0xFFFF)
        self.end = self.stub("the end of the program")

    # -- memory

    def load(self, address: int, data: bytes, size: int, access: int) -> None:
        """A segment of the image."""
        if access & (WRITE | EXECUTE) == WRITE | EXECUTE:
            raise Fault(f"{address:#x} is writable and executable")
        start, end = address & -0x1000, address + max(size, len(data)) + 0xFFF & -0x1000
        if end > start:
            self.uc.mem_map(start, end - start, access)
            self.uc.mem_write(address, data)

    def reserve(self, size: int, unit: int) -> int:
        size = -(-size // unit) * unit
        at = self.next
        self.next = -(-(at + size + unit) // unit) * unit
        self.reserved[at] = size
        return at

    def commit(self, address: int, size: int) -> bool:
        """Give pages of an allocation memory; false outside of one."""
        start = next((a for a, n in self.reserved.items() if a <= address and address + size <= a + n), None)
        if start is None:
            return False
        first, last = address // self.page, -(-(address + size) // self.page)
        run = first
        for number in range(first, last + 1):
            if number == last or number in self.mapped:
                for at in range(run * self.page, number * self.page, PIECE):
                    self.uc.mem_map(at, min(PIECE, number * self.page - at))
                self.mapped.update(range(run, number))
                run = number + 1
        return True

    def release(self, address: int, size: int) -> None:
        """Take the memory of pages away."""
        run = first = address // self.page
        last = -(-(address + size) // self.page)
        for number in range(first, last + 1):
            if number == last or number not in self.mapped:
                if number > run:
                    self.uc.mem_unmap(run * self.page, (number - run) * self.page)
                    self.mapped.difference_update(range(run, number))
                run = number + 1

    def put(self, address: int, value: int) -> None:
        self.uc.mem_write(address, struct.pack("<Q", value & (1 << 64) - 1))

    def put32(self, address: int, value: int) -> None:
        self.uc.mem_write(address, struct.pack("<I", value & 0xFFFFFFFF))

    def word(self, address: int) -> int:
        return int.from_bytes(self.uc.mem_read(address, 8), "little")

    def text(self, address: int, unit: int = 1) -> bytes:
        """The bytes up to a zero unit."""
        out = bytearray()
        while any(piece := self.uc.mem_read(address + len(out), unit)):
            out += piece
        return bytes(out)

    def own(self, data: bytes) -> int:
        """The address of data of the system's."""
        at = self.system
        self.uc.mem_write(at, data)
        self.system = at + len(data) + 15 & -16
        return at

    # -- calls

    def stub(self, name: str) -> int:
        """The address that stands for an import."""
        if name not in self.stubs:
            self.stubs.append(name)
        return STUBS + 16 * self.stubs.index(name)

    def _called(self, uc: Any, address: int, size: int, data: object) -> None:
        name = self.stubs[(address - STUBS) // 16]
        if address == self.end:
            self.status = uc.reg_read(self.result) & 0xFFFFFFFF
            uc.emu_stop()
            return
        if (uc.reg_read(self.sp) + (8 if self.arch == "amd64" else 0)) % 16:
            raise Fault(f"the stack is not aligned at the call of {name}")
        method: Callable[..., int | None] | None = getattr(self, "do_" + name.lstrip("_"), None)
        if method is None:
            raise Fault(f"{name} is not known")
        count = method.__code__.co_argcount - 1  # type: ignore[attr-defined]
        result = method(*[self.argument(i) for i in range(count)])
        if self.status is not None or self.resume:
            uc.emu_stop()
            return
        for reg in self.spoiled:
            uc.reg_write(reg, _SPOIL)
        if result is not None:
            uc.reg_write(self.result, result & (1 << 64) - 1)

    def argument(self, i: int) -> int:
        if i < len(self.arguments):
            return int(self.uc.reg_read(self.arguments[i]))
        return self.word(self.uc.reg_read(self.sp) + self.stack_arguments + 8 * (i - len(self.arguments)))

    stack_arguments = 8  # from SP to the first argument that is not in a register

    # -- C's own library, as far as tests call it

    def do_fflush(self, stream: int) -> int:
        return 0

    def do_puts(self, text: int) -> int:
        return os.write(1, self.text(text) + b"\n")

    def do_strlen(self, text: int) -> int:
        return len(self.text(text))

    # -- running

    def enter(self, address: int, stack: int, *values: int) -> None:
        """Registers for a call of a function that returns to the end of the program."""
        stack &= -16
        if self.arch == "amd64":
            stack -= 8
            self.put(stack, self.end)
        else:
            self.uc.reg_write(self.link, self.end)
        self.uc.reg_write(self.sp, stack)
        for reg, value in zip(self.arguments, values, strict=False):
            self.uc.reg_write(reg, value)
        self.resume = address

    def run(self) -> int:
        """The exit status, from where `enter` said."""
        fault: list[int] = []

        def note(uc: Any, kind: int, address: int, size: int, value: int, data: object) -> bool:
            if self.grow(address):
                return True
            fault[:] = [address]
            return False

        self.uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, note)
        while self.status is None:
            at, self.resume = self.resume, 0
            fault.clear()
            try:
                self.uc.emu_start(at, (1 << 64) - 1)
            except unicorn.UcError as e:
                self.fault(fault[0] if fault else -1, f"{e} at {self.uc.reg_read(self.pc):#x}")
            if self.status is None and not self.resume:
                raise Fault(f"the engine stopped at {self.uc.reg_read(self.pc):#x}")
        return self.status & 0xFF

    def grow(self, address: int) -> bool:
        """Is this an access that makes the stack larger?  It has memory then."""
        return False

    def fault(self, address: int, why: str) -> None:
        """Deliver a fault: set `resume`, or raise."""
        raise Fault(why)
