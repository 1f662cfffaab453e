"""Mach-O executables and the part of libSystem that programs call."""

from __future__ import annotations

import hashlib
import os
import struct
import time
from collections.abc import Iterator

from machine import MAX_STACK, READ, SLIDE, SYSTEM, WRITE, Fault
from sockets import Sockets

LC_SEGMENT_64, LC_MAIN, LC_DYLD_INFO_ONLY, LC_CODE_SIGNATURE = 0x19, 0x80000028, 0x80000022, 0x1D
LC_CHAINED_FIXUPS, MH_PIE = 0x80000034, 0x200000
CPU = {0x1000007: "amd64", 0x100000C: "arm64"}
_STACK_SIZE = 8 << 20
_SIGBUS, _SA_SIGINFO_ONSTACK = 10, 0x41
_ENOENT, _EINVAL, _MAP_FIXED = 2, 22, 0x10


class Segment:
    def __init__(self, name: str, address: int, size: int, data: bytes, access: int) -> None:
        self.name, self.address, self.size, self.data, self.access = name, address, size, data, access


class Image:
    """A parsed executable; `fixups` gives (address, name of an import or "", addend or address)."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        magic, cpu, _, kind, count, _, self.flags = struct.unpack_from("<7I", data)
        if magic != 0xFEEDFACF or kind != 2:
            raise Fault("not a 64-bit executable")
        self.arch = CPU[cpu]
        self.segments: list[Segment] = []
        self.commands: dict[int, tuple[int, ...]] = {}
        self.entry = -1
        at = 32
        for _ in range(count):
            command, length = struct.unpack_from("<2I", data, at)
            if command == LC_SEGMENT_64:
                name, va, vs, fo, fs, _, access = struct.unpack_from("<16s4Q2I", data, at + 8)
                self.segments.append(Segment(name.rstrip(b"\0").decode(), va, vs, data[fo : fo + fs], access))
            else:
                self.commands[command] = struct.unpack_from(f"<{length // 4 - 2}I", data, at + 8)
            at += length
        self.base = next(s.address for s in self.segments if s.name == "__TEXT")

    def check(self) -> None:
        """What the kernel refuses."""
        page = 0x4000 if self.arch == "arm64" else 0x1000
        if not self.flags & MH_PIE:
            raise Fault("not position-independent")
        for s in self.segments:
            if s.address % page:
                raise Fault(f"{s.name} is not aligned to pages")
        if LC_CODE_SIGNATURE in self.commands:
            self._check_signature(*self.commands[LC_CODE_SIGNATURE][:2])
        elif self.arch == "arm64":
            raise Fault("no signature")

    def _check_signature(self, offset: int, size: int) -> None:
        blob = self.data[offset : offset + size]
        for i in range(struct.unpack_from(">I", blob, 8)[0]):
            slot, at = struct.unpack_from(">2I", blob, 12 + 8 * i)
            if slot == 0:  # the code directory: a hash for each page
                hashes, _, _, count, limit = struct.unpack_from(">5I", blob, at + 16)
                width, kind, _, shift = struct.unpack_from("4B", blob, at + 36)
                for n in range(count):
                    page = self.data[n << shift : min((n + 1) << shift, limit)]
                    where = at + hashes + n * width
                    if kind != 2 or hashlib.sha256(page).digest() != blob[where : where + width]:
                        raise Fault(f"page {n} does not have the hash of the signature")

    def fixups(self) -> Iterator[tuple[int, str, int]]:
        if LC_DYLD_INFO_ONLY in self.commands:
            places = self.commands[LC_DYLD_INFO_ONLY]
            yield from self._opcodes(places[0], places[1], True)
            for i in (2, 4, 6):
                yield from self._opcodes(places[i], places[i + 1], False)
        if LC_CHAINED_FIXUPS in self.commands:
            yield from self._chains(self.commands[LC_CHAINED_FIXUPS][0])

    def _word(self, segment: int, offset: int) -> int:
        return int(struct.unpack_from("<Q", self.segments[segment].data, offset)[0])

    def _opcodes(self, start: int, size: int, rebase: bool) -> Iterator[tuple[int, str, int]]:
        """The two little languages of LC_DYLD_INFO: both move a place and act on it."""
        at, end = start, start + size
        segment = offset = addend = 0
        name = ""
        data = self.data

        def uleb() -> int:
            nonlocal at
            value = shift = 0
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    return value

        while at < end:
            op, low = data[at] & 0xF0, data[at] & 0xF
            at += 1
            count = skip = 0
            if rebase:
                if op == 0x20:
                    segment, offset = low, uleb()
                elif op == 0x30:
                    offset += uleb()
                elif op == 0x40:
                    offset += 8 * low
                elif op == 0x50:
                    count = low
                elif op == 0x60:
                    count = uleb()
                elif op == 0x70:
                    count, skip = 1, uleb()
                elif op == 0x80:
                    count, skip = uleb(), uleb()
            elif op == 0x40:
                stop = data.index(b"\0", at)
                name = data[at:stop].decode()
                at = stop + 1
            elif op == 0x20:
                uleb()
            elif op == 0x60:
                addend = uleb()
            elif op == 0x70:
                segment, offset = low, uleb()
            elif op == 0x80:
                offset = offset + uleb() & (1 << 64) - 1
            elif op == 0x90:
                count = 1
            elif op == 0xA0:
                count, skip = 1, uleb()
            elif op == 0xB0:
                count, skip = 1, 8 * low
            elif op == 0xC0:
                count, skip = uleb(), uleb()
            for _ in range(count):
                value = self._word(segment, offset) if rebase else addend
                yield self.segments[segment].address + offset, "" if rebase else name, value
                offset = offset + 8 + skip & (1 << 64) - 1

    def _chains(self, start: int) -> Iterator[tuple[int, str, int]]:
        """LC_DYLD_CHAINED_FIXUPS: each place says how far the next one is."""
        data = self.data
        _, starts, imports, symbols, count, _, _ = struct.unpack_from("<7I", data, start)
        names = []
        for i in range(count):
            at = start + symbols + (struct.unpack_from("<I", data, start + imports + 4 * i)[0] >> 9)
            names.append(data[at : data.index(b"\0", at)].decode())
        starts += start
        for number in range(struct.unpack_from("<I", data, starts)[0]):
            at = struct.unpack_from("<I", data, starts + 4 + 4 * number)[0]
            if not at:
                continue
            _, size, form, _, _, pages = struct.unpack_from("<IHHQIH", data, starts + at)
            for page in range(pages):
                offset = struct.unpack_from("<H", data, starts + at + 22 + 2 * page)[0]
                if offset == 0xFFFF:
                    continue
                offset += page * size
                while True:
                    value = self._word(number, offset)
                    step = value >> 51 & 0xFFF
                    place = self.segments[number].address + offset
                    if value >> 63:
                        yield place, names[value & 0xFFFFFF], value >> 24 & 0xFF
                    else:
                        yield place, "", (value & 0xFFFFFFFFF) + (self.base if form == 6 else 0)
                    if not step:
                        break
                    offset += 4 * step


class Darwin(Sockets):
    """libSystem: the functions of linkscripts/libSystem.tbd, and some that programs of the tests call."""

    def __init__(self, path: str, arguments: list[str]) -> None:
        with open(path, "rb") as f:
            image = Image(f.read())
        image.check()
        super().__init__(image.arch, 0x4000 if image.arch == "arm64" else 0x1000, "RDI RSI RDX RCX R8 R9")
        for s in image.segments:
            if s.name != "__PAGEZERO" and s.size:
                self.load(s.address + SLIDE, s.data, s.size, s.access)
        for place, name, value in image.fixups():
            self.put(place + SLIDE, self.stub(name) + value if name else value + SLIDE)
        self.errno = self.own(bytes(8))
        self.handlers: dict[int, int] = {}
        self.signal_stack = 0
        low = self.reserve(_STACK_SIZE, self.page)
        self.commit(low, _STACK_SIZE)
        argv = [self.own(os.fsencode(a) + b"\0") for a in [path, *arguments]]
        envp = [self.own(os.fsencode(f"{k}={v}") + b"\0") for k, v in os.environ.items()]
        vector = self.own(struct.pack(f"<{len(argv) + len(envp) + 2}Q", *argv, 0, *envp, 0))
        start = image.base + image.commands[LC_MAIN][0] + SLIDE
        self.enter(start, low + _STACK_SIZE - 64, len(argv), vector, vector + 8 * (len(argv) + 1))

    def fail(self, number: int) -> int:
        self.put32(self.errno, number)
        return -1

    def do_error(self) -> int:
        return self.errno

    def do_exit(self, status: int) -> None:
        self.status = status & 0xFF

    def do_write(self, fd: int, address: int, size: int) -> int:
        try:
            return os.write(fd, self.uc.mem_read(address, size)) if size else 0
        except OSError as e:
            return self.fail(e.errno or 0)

    def do_read(self, fd: int, address: int, size: int) -> int:
        try:
            data = os.read(fd, size)
        except OSError as e:
            return self.fail(e.errno or 0)
        self.uc.mem_write(address, data)
        return len(data)

    def do_open(self, path: int, how: int) -> int:
        # The mode is one of a variable number of arguments.
        mode = self.word(self.uc.reg_read(self.sp)) if self.arch == "arm64" else self.argument(2)
        flags = how & 3
        for bit, flag in ((8, os.O_APPEND), (0x200, os.O_CREAT), (0x400, os.O_TRUNC)):
            flags |= flag if how & bit else 0
        try:
            return os.open(self.text(path), flags, mode & 0o777)
        except OSError as e:
            return self.fail(e.errno or 0)

    def do_close(self, fd: int) -> int:
        try:
            os.close(fd)
        except OSError as e:
            return self.fail(e.errno or 0)
        return 0

    def do_isatty(self, fd: int) -> int:
        return int(os.isatty(fd))

    def do_mmap(self, address: int, size: int, access: int, flags: int) -> int:
        if flags & 0x1002 != 0x1002:
            return self.fail(_EINVAL)
        if flags & _MAP_FIXED:  # over pages that the program has
            if address % self.page or size % self.page:
                return self.fail(_EINVAL)
            self.release(address, size)
            self.commit(address, size)
            return address
        if access and size > MAX_STACK:
            return self.fail(12)
        at = self.reserve(size, self.page)
        if access:
            self.commit(at, size)
        return at

    def do_munmap(self, address: int, size: int) -> int:
        self.release(address, size)
        return 0

    def do_mprotect(self, address: int, size: int, access: int) -> int:
        if address % self.page:
            return self.fail(_EINVAL)
        if access == READ | WRITE:
            return 0 if self.commit(address, size) else self.fail(12)
        self.release(address, size)
        return 0

    def do_clock_gettime(self, clock: int, place: int) -> int:
        now = time.time_ns() if clock == 0 else time.monotonic_ns()
        self.uc.mem_write(place, struct.pack("<2Q", *divmod(now, 10**9)))
        return 0

    def do_getentropy(self, place: int, size: int) -> int:
        self.uc.mem_write(place, os.urandom(size))
        return 0

    def do_sysctlbyname(self, name: int, old: int, size: int) -> int:
        if self.text(name) != b"hw.memsize" or self.word(size) != 8:
            return self.fail(_ENOENT)
        self.put(old, 8 << 30)
        return 0

    def do_sigaltstack(self, stack: int, old: int) -> int:
        self.signal_stack = self.word(stack) + self.word(stack + 8)
        return 0

    def do_sigaction(self, number: int, action: int, old: int) -> int:
        if self.word(action) > 1 and self.word(action + 8) >> 32 != _SA_SIGINFO_ONSTACK:
            return self.fail(_EINVAL)
        self.handlers[number] = self.word(action)
        return 0

    def fault(self, address: int, why: str) -> None:
        """Accesses become SIGBUS, as those of protected pages do on macOS."""
        if _SIGBUS not in self.handlers or address < 0 or not self.signal_stack:
            raise Fault(why)
        self.put(SYSTEM + 0xF0000 + 24, address)
        # The context has the address of the registers, and these the stack pointer (mach/ARCH/_structs.h).
        self.put(SYSTEM + 0xF0800 + 48, SYSTEM + 0xF0900)
        self.put(SYSTEM + 0xF0900 + (264 if self.arch == "arm64" else 72), self.uc.reg_read(self.sp))
        self.enter(self.handlers[_SIGBUS], self.signal_stack - 256, _SIGBUS, SYSTEM + 0xF0000, SYSTEM + 0xF0800)
