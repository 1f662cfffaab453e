"""Runs linked Mach-O and PE programs of amd64 and arm64 on the unicorn engine, with a handful of imports.

Enough of a loader for the tests: segments are mapped with their protection at a slid address, addresses inside the
image are rebased, imports are bound to addresses that stop the engine.  What an import does is a Python function.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest

SLIDE = 0x3210000
_STUBS = 0x7E0000000000
_STACK = 0x7F0000000000
_STACK_SIZE = 1 << 20
_RETURN = _STUBS + 0xFFF0
_LIMIT = 50_000_000  # instructions


class Fault(Exception):
    """The program did what the system would stop it for."""


class Machine:
    """An engine with stack and stubs; subclasses load an image and name the registers of calls."""

    def __init__(self, arch: str) -> None:
        self.uc_module: Any = pytest.importorskip("unicorn")
        uc = self.uc_module
        self.arch = arch
        if arch == "amd64":
            const: Any = pytest.importorskip("unicorn.x86_const")
            self.engine = uc.Uc(uc.UC_ARCH_X86, uc.UC_MODE_64)
            self.sp, self.result = const.UC_X86_REG_RSP, const.UC_X86_REG_RAX
            names = "RDI RSI RDX RCX R8 R9" if isinstance(self, Darwin) else "RCX RDX R8 R9"
            self.arguments = [getattr(const, f"UC_X86_REG_{name}") for name in names.split()]
            self.link = -1
        else:
            const = pytest.importorskip("unicorn.arm64_const")
            self.engine = uc.Uc(uc.UC_ARCH_ARM64, uc.UC_MODE_ARM)
            self.sp, self.result, self.link = const.UC_ARM64_REG_SP, const.UC_ARM64_REG_X0, const.UC_ARM64_REG_X30
            self.arguments = [getattr(const, f"UC_ARM64_REG_X{i}") for i in range(6)]
            self.engine.reg_write(const.UC_ARM64_REG_CPACR_EL1, 3 << 20)
        self.output = bytearray()
        self.status: int | None = None
        self.stubs: list[str] = []
        self.engine.mem_map(_STUBS, 0x10000, uc.UC_PROT_READ | uc.UC_PROT_EXEC)
        ret = b"\xc3" * 16 if arch == "amd64" else bytes.fromhex("c0035fd6") * 4
        self.engine.mem_write(_STUBS, ret * 0x1000)
        self.engine.mem_map(_STACK, _STACK_SIZE)
        self.engine.hook_add(uc.UC_HOOK_CODE, self._called, None, _STUBS, _STUBS + 0xFFFF)

    def map(self, address: int, data: bytes, size: int, access: int) -> None:
        """Pages for `size` bytes; access: 1 read, 2 write, 4 execute."""
        if access & 6 == 6:
            raise Fault(f"{address:#x} is writable and executable")
        start, end = address & ~0xFFF, address + max(size, len(data)) + 0xFFF & ~0xFFF
        if end > start:
            self.engine.mem_map(start, end - start, access)
            self.engine.mem_write(address, data)

    def put(self, address: int, value: int) -> None:
        self.engine.mem_write(address, struct.pack("<Q", value))

    def stub(self, name: str) -> int:
        """The address that stands for an import."""
        if name not in self.stubs:
            self.stubs.append(name)
        return _STUBS + 16 * self.stubs.index(name)

    def _called(self, engine: Any, address: int, size: int, data: object) -> None:
        if address == _RETURN:
            self.status = engine.reg_read(self.result) & 0xFFFFFFFF
            engine.emu_stop()
            return
        stack = engine.reg_read(self.sp)
        if (stack + (8 if self.arch == "amd64" else 0)) % 16:
            raise Fault("the stack is not aligned at a call")
        name = self.stubs[(address - _STUBS) // 16]
        method = getattr(self, "do_" + name.lstrip("_"), None)
        if method is None:
            raise Fault(f"{name} is not known")
        result = method(*[engine.reg_read(r) for r in self.arguments[:4]])
        if self.status is not None:
            engine.emu_stop()
        elif result is not None:
            engine.reg_write(self.result, result & (1 << 64) - 1)

    def run(self, entry: int) -> tuple[int, bytes]:
        """(exit status, output) of the program."""
        stack = _STACK + _STACK_SIZE - 0x1000
        if self.arch == "amd64":
            stack -= 8
            self.put(stack, _RETURN)
        else:
            self.engine.reg_write(self.link, _RETURN)
        self.engine.reg_write(self.sp, stack)
        try:
            self.engine.emu_start(entry, 0, 0, _LIMIT)
        except self.uc_module.UcError as e:
            raise Fault(str(e)) from e
        if self.status is None:
            raise Fault("the program does not end")
        return self.status & 0xFF, bytes(self.output)

    def write_out(self, address: int, size: int) -> int:
        self.output += self.engine.mem_read(address, size)
        return size


class Darwin(Machine):
    """libSystem: write and exit."""

    def do_write(self, fd: int, address: int, size: int, _: int) -> int:
        return self.write_out(address, size)

    def do_exit(self, status: int, *_: int) -> None:
        self.status = status


class Windows(Machine):
    """KERNEL32: GetStdHandle, WriteFile and ExitProcess."""

    def do_GetStdHandle(self, which: int, *_: int) -> int:
        return which & 0xFFFFFFFF

    def do_WriteFile(self, handle: int, address: int, size: int, written: int) -> int:
        self.engine.mem_write(written, struct.pack("<I", self.write_out(address, size)))
        return 1

    def do_ExitProcess(self, status: int, *_: int) -> None:
        self.status = status & 0xFFFFFFFF


def run_macho(path: str, arch: str) -> tuple[int, bytes]:
    """(exit status, output) of a Mach-O executable."""
    lief: Any = pytest.importorskip("lief")
    image = lief.parse(path)
    machine = Darwin(arch)
    for segment in image.segments:
        if segment.name != "__PAGEZERO" and segment.virtual_size:
            access = int(segment.init_protection)
            machine.map(segment.virtual_address + SLIDE, bytes(segment.content), segment.virtual_size, access)
    if not image.is_pie:
        raise Fault("not position-independent")
    for fixup in image.relocations:
        value = struct.unpack("<Q", bytes(image.get_content_from_virtual_address(fixup.address, 8)))[0]
        machine.put(fixup.address + SLIDE, value + SLIDE)
    for binding in image.bindings:
        if binding.has_symbol:
            machine.put(binding.address + SLIDE, machine.stub(binding.symbol.name))
    return machine.run(image.entrypoint + SLIDE)


def run_pe(path: str, arch: str) -> tuple[int, bytes]:
    """(exit status, output) of a PE executable."""
    lief: Any = pytest.importorskip("lief")
    image = lief.parse(path)
    machine = Windows(arch)
    base = image.optional_header.imagebase
    for section in image.sections:
        bits = section.characteristics
        access = (bits >> 30 & 1) | (bits >> 30 & 2) | (bits >> 27 & 4)
        machine.map(base + section.virtual_address + SLIDE, bytes(section.content), section.virtual_size, access)
    for block in image.relocations:
        for entry in block.entries:
            if int(entry.type.value) & 0xF == 10:  # DIR64
                at = block.virtual_address + entry.position
                value = struct.unpack("<Q", bytes(image.get_content_from_virtual_address(at, 8)))[0]
                machine.put(base + at + SLIDE, value + SLIDE)
    for library in image.imports:
        for entry in library.entries:
            machine.put(base + entry.iat_address + SLIDE, machine.stub(entry.name))
    return machine.run(base + image.optional_header.addressof_entrypoint + SLIDE)
