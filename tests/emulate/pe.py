"""PE executables and the part of KERNEL32 that programs call."""

from __future__ import annotations

import os
import struct
import time

from machine import ALLOCATIONS, MAX_STACK, SLIDE, SYSTEM, Fault, Machine, arm, x86

CPU = {0x8664: "amd64", 0xAA64: "arm64"}
_UNIT = 0x10000  # addresses of allocations are multiples
_STACK_SIZE = 1 << 20
_RESERVE = 0x20000  # what is left of the stack for the handler of its overflow
_MEM_COMMIT, _MEM_DECOMMIT, _RELOC_DIR64 = 0x1000, 0x4000, 10
_ACCESS_VIOLATION, _STACK_OVERFLOW = 0xC0000005, 0xC00000FD
_TEB = SYSTEM + 0xE0000
_RECORD = SYSTEM + 0xF0000
# errno -> the last error
_ERRORS = {2: 2, 13: 5, 20: 3, 21: 5, 28: 112, 9: 6, 32: 109}


def command_line(arguments: list[str]) -> str:
    """One text from which programs find the arguments again."""
    out = []
    for a in arguments:
        if a and not any(c in a for c in ' \t"'):
            out.append(a)
            continue
        text = '"'
        slashes = 0
        for c in a:
            if c == '"':
                text += "\\" * (slashes + 1)
            slashes = slashes + 1 if c == "\\" else 0
            text += c
        out.append(text + "\\" * slashes + '"')
    return " ".join(out)


# Programs that fetch import sockets; those that run here fetch from files, and a call of one is a fault.
_LIBRARIES = (b"kernel32.dll", b"advapi32.dll", b"ws2_32.dll", b"ucrtbase.dll")


class Windows(Machine):
    """The functions of linkscripts/kernel32.def and advapi32.def."""

    stack_arguments = 40  # the return address and 32 bytes for the arguments in registers

    def __init__(self, path: str, arguments: list[str]) -> None:
        with open(path, "rb") as f:
            data = f.read()
        pe = struct.unpack_from("<I", data, 60)[0]
        cpu, sections, _, _, _, optional = struct.unpack_from("<2H3IH", data, pe + 4)
        at = pe + 24
        entry = struct.unpack_from("<I", data, at + 16)[0]
        base = struct.unpack_from("<Q", data, at + 24)[0]
        headers = struct.unpack_from("<I", data, at + 60)[0]
        if struct.unpack_from("<H", data, at + 70)[0] & 0x140 != 0x140:
            raise Fault("not marked for random addresses and data that is not executed")
        super().__init__(CPU[cpu], 0x1000, "RCX RDX R8 R9")
        self.base = base = base + SLIDE - SLIDE % _UNIT
        slide = SLIDE - SLIDE % _UNIT
        self.load(base, data[:headers], headers, 1)
        for i in range(sections):
            size, va, filled, start = struct.unpack_from("<4I", data, at + optional + 40 * i + 8)
            bits = struct.unpack_from("<I", data, at + optional + 40 * i + 36)[0]
            access = (bits >> 30 & 1) | (bits >> 30 & 2) | (bits >> 27 & 4)
            self.load(base + va, data[start : start + min(filled, size)], size, access)
        imports, relocs = (struct.unpack_from("<2I", data, at + 112 + 8 * i) for i in (1, 5))
        self._relocate(base + relocs[0], relocs[1], slide)
        self._bind(base, imports[0])
        self.error = 0
        self.handler = 0
        self.line = self.own((command_line([path, *arguments]) + "\0").encode("utf-16-le", "surrogatepass"))
        block = "".join(f"{k}={v}\0" for k, v in os.environ.items()) + "\0"
        self.environment = self.own(block.encode("utf-16-le", "surrogatepass"))
        if self.arch == "arm64":
            self.uc.reg_write(arm.UC_ARM64_REG_X18, _TEB)
        else:
            self.uc.reg_write(x86.UC_X86_REG_GS_BASE, _TEB)
        self.stack_low = self.stack_top = self.stack_end = 0
        self.enter(base + entry, self.new_stack(_STACK_SIZE) - 64)

    def new_stack(self, size: int) -> int:
        low = self.reserve(size, _UNIT)
        self.stack_low = low + self.page
        self.stack_top = self.stack_end = low + size
        self.grow(self.stack_end - 1)
        return low + size

    def grow(self, address: int) -> bool:
        """The stack grows by its guard page: who skips it, as a large frame without `__chkstk` would, faults.  Beyond
        the first megabyte it grows faster than on Windows, because the engine takes long for each piece."""
        low = self.stack_low
        if not low or not max(low, self.stack_end - self.page) <= address < self.stack_end:
            return False
        used = self.stack_top - self.stack_end
        step = max(self.page, used // 2 & -self.page) if used >= _STACK_SIZE else self.page
        end = max(low, self.stack_end - step)
        self.commit(end, self.stack_end - end)
        self.stack_end = end
        return True

    def _relocate(self, at: int, size: int, slide: int) -> None:
        end = at + size
        while at < end:
            page, length = struct.unpack("<2I", self.uc.mem_read(at, 8))
            for (entry,) in struct.iter_unpack("<H", self.uc.mem_read(at + 8, length - 8)):
                if entry >> 12 == _RELOC_DIR64:
                    place = self.base + page + (entry & 0xFFF)
                    self.put(place, self.word(place) + slide)
            at += length

    def _bind(self, base: int, directory: int) -> None:
        while True:
            names, _, _, library, table = struct.unpack("<5I", self.uc.mem_read(base + directory, 20))
            directory += 20
            if not library:
                return
            dll = self.text(base + library).lower()
            if dll not in _LIBRARIES:
                raise Fault(f"an import from {dll.decode()}")
            while name := self.word(base + names):
                self.put(base + table, self.stub(self.text(base + name + 2).decode()))
                names += 8
                table += 8

    # -- the process

    def do_ExitProcess(self, status: int) -> None:
        self.status = status & 0xFFFFFFFF

    def do_exit(self, status: int) -> None:
        self.status = status & 0xFFFFFFFF

    def do_GetCommandLineW(self) -> int:
        return self.line

    def do_GetEnvironmentStringsW(self) -> int:
        return self.environment

    def do_GetLastError(self) -> int:
        return self.error

    def do_AddVectoredExceptionHandler(self, first: int, handler: int) -> int:
        self.handler = handler
        return 1

    def do_CreateThread(self, security: int, size: int, start: int, value: int, flags: int, number: int) -> int:
        if size > MAX_STACK:
            return 0
        # The thread that makes it only waits for its end: it runs instead.
        self.enter(start, self.new_stack(size) - 64, value)
        return 0

    def do_WaitForSingleObject(self, handle: int, time_limit: int) -> None:
        raise Fault("the first thread goes on")

    def do_SetThreadStackGuarantee(self, size: int) -> int:
        return 1

    def do_GetConsoleOutputCP(self) -> int:
        return 437

    def do_SetConsoleOutputCP(self, page: int) -> int:
        return 1

    def fault(self, address: int, why: str) -> None:
        if not self.handler or address < 0:
            raise Fault(why)
        stack = self.uc.reg_read(self.sp)
        overflow = self.stack_low - 0x10000 <= address < self.stack_low
        if overflow:
            self.uc.mem_map(ALLOCATIONS - _RESERVE, _RESERVE)
            stack = ALLOCATIONS  # Windows keeps a part of the same stack
        self.uc.mem_write(_RECORD, struct.pack("<2Q", _RECORD + 16, _RECORD + 512))
        self.put32(_RECORD + 16, _STACK_OVERFLOW if overflow else _ACCESS_VIOLATION)
        self.enter(self.handler, stack - 1024, _RECORD)

    # -- memory

    def do_VirtualAlloc(self, address: int, size: int, how: int, access: int) -> int:
        if not address:
            address = self.reserve(size, _UNIT)
        if how & _MEM_COMMIT and not self.commit(address, size):
            self.error = 487
            return 0
        return address

    def do_VirtualFree(self, address: int, size: int, how: int) -> int:
        if how == _MEM_DECOMMIT and size:
            self.release(address, size)
            return 1
        if size or address not in self.reserved:
            self.error = 87
            return 0
        self.release(address, self.reserved.pop(address))
        return 1

    def do_SystemFunction036(self, place: int, size: int) -> int:
        self.uc.mem_write(place, os.urandom(size))
        return 1

    def do_GlobalMemoryStatusEx(self, status: int) -> int:
        self.put(status + 8, 8 << 30)
        return 1

    # -- files

    def descriptor(self, handle: int) -> int:
        return handle // 4 - 1

    def failed(self, e: OSError) -> int:
        self.error = _ERRORS.get(e.errno or 0, 1)
        return 0

    def do_GetStdHandle(self, which: int) -> int:
        return 4 * (-10 - (which - (1 << 32)) + 1)

    def do_WriteFile(self, handle: int, address: int, size: int, done: int, overlapped: int) -> int:
        try:
            count = os.write(self.descriptor(handle), self.uc.mem_read(address, size)) if size else 0
        except OSError as e:
            return self.failed(e)
        self.put32(done, count)
        return 1

    def do_ReadFile(self, handle: int, address: int, size: int, done: int, overlapped: int) -> int:
        try:
            data = os.read(self.descriptor(handle), size)
        except OSError as e:
            return self.failed(e)
        self.uc.mem_write(address, data)
        self.put32(done, len(data))
        return 1

    def _path(self, address: int) -> str:
        return self.text(address, 2).decode("utf-16-le").replace("\\", "/")

    def do_CreateFileW(
        self, path: int, access: int, share: int, security: int, make: int, flags: int, model: int
    ) -> int:
        how = {0x80000000: os.O_RDONLY, 0x40000000: os.O_WRONLY, 4: os.O_WRONLY | os.O_APPEND}[access & 0xFFFFFFFF]
        how |= {2: os.O_CREAT | os.O_TRUNC, 3: 0, 4: os.O_CREAT}[make & 0xFFFFFFFF]
        name = self._path(path)
        try:
            if os.path.isdir(name):
                raise OSError(13, "folders are opened otherwise")
            return 4 * (os.open(name, how, 0o666) + 1)
        except OSError as e:
            self.failed(e)
            return -1

    def do_GetFileAttributesW(self, path: int) -> int:
        name = self._path(path)
        return 16 if os.path.isdir(name) else 128 if os.path.exists(name) else 0xFFFFFFFF

    def do_CloseHandle(self, handle: int) -> int:
        try:
            os.close(self.descriptor(handle))
        except OSError as e:
            return self.failed(e)
        return 1

    def do_GetConsoleMode(self, handle: int, mode: int) -> int:
        return int(os.isatty(self.descriptor(handle)))

    # -- time

    def do_GetSystemTimeAsFileTime(self, place: int) -> None:
        self.put(place, time.time_ns() // 100 + 116444736000000000)

    def do_QueryPerformanceCounter(self, place: int) -> int:
        self.put(place, time.perf_counter_ns() // 100)
        return 1

    def do_QueryPerformanceFrequency(self, place: int) -> int:
        self.put(place, 10**7)
        return 1
