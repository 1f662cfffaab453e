"""Sockets of macOS on those of this machine: what libSystem's functions do, with the numbers of macOS (sys/errno.h)."""

from __future__ import annotations

import os
import select
import socket
import struct

from machine import Machine

# Errors of Linux as macOS numbers them.
_ERRORS = {4: 4, 11: 35, 32: 32, 101: 51, 104: 54, 110: 60, 111: 61, 113: 65, 115: 36}
_EINVAL = 22


class Sockets(Machine):
    """Descriptors are this machine's."""

    errno: int

    def net_failed(self, e: OSError) -> int:
        self.put32(self.errno, _ERRORS.get(e.errno or 0, _EINVAL))
        return -1

    def do_socket(self, family: int, kind: int, protocol: int) -> int:
        if family != 2 or kind not in (1, 2) or protocol:
            return self.net_failed(OSError(_EINVAL, ""))
        return socket.socket(socket.AF_INET, kind).detach()

    def do_fcntl(self, fd: int, command: int) -> int:
        # The third argument is one of a variable number.
        value = self.word(self.uc.reg_read(self.sp)) if self.arch == "arm64" else self.argument(2)
        if (command, value) != (4, 4):
            return self.net_failed(OSError(_EINVAL, ""))
        os.set_blocking(fd, False)
        return 0

    def do_connect(self, fd: int, address: int, size: int) -> int:
        length, family, port, a, b, c, d = struct.unpack("!BBH4B", self.uc.mem_read(address, 8))
        if (length, family, size) != (16, 2, 16):
            return self.net_failed(OSError(_EINVAL, ""))
        s = socket.socket(fileno=fd)
        try:
            s.connect((f"{a}.{b}.{c}.{d}", port))
        except OSError as e:
            return self.net_failed(e)
        finally:
            s.detach()
        return 0

    def do_getsockopt(self, fd: int, level: int, name: int, value: int, size: int) -> int:
        if (level, name) != (0xFFFF, 0x1007):
            return self.net_failed(OSError(_EINVAL, ""))
        s = socket.socket(fileno=fd)
        error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        s.detach()
        self.put32(value, _ERRORS.get(error, _EINVAL) if error else 0)
        return 0

    def do_send(self, fd: int, address: int, size: int, flags: int) -> int:
        try:
            return os.write(fd, self.uc.mem_read(address, size))
        except OSError as e:
            return self.net_failed(e)

    def do_recv(self, fd: int, address: int, size: int, flags: int) -> int:
        try:
            data = os.read(fd, size)
        except OSError as e:
            return self.net_failed(e)
        self.uc.mem_write(address, data)
        return len(data)

    def do_poll(self, places: int, count: int, ms: int) -> int:
        fd, events = struct.unpack("<iH", self.uc.mem_read(places, 6))
        poll = select.poll()
        poll.register(fd, events)
        found = poll.poll(ms)
        self.uc.mem_write(places + 6, struct.pack("<H", found[0][1] if found else 0))
        return len(found)

    def do_getaddrinfo(self, host: int, service: int, hints: int, result: int) -> int:
        family, kind = struct.unpack("<ii", self.uc.mem_read(hints + 4, 8))
        if (family, kind) != (2, 1):
            return 4
        try:
            address = socket.gethostbyname(self.text(host).decode())
        except OSError:
            return 8
        sa = self.own(struct.pack("!BBH", 16, 2, 0) + socket.inet_aton(address) + bytes(8))
        # An address of another family first: it is to be passed over.
        second = self.own(struct.pack("<4iQQQQ", 0, 2, 1, 6, 16, 0, sa, 0))
        self.put(result, self.own(struct.pack("<4iQQQQ", 0, 30, 1, 6, 28, 0, 0, second)))
        return 0

    def do_freeaddrinfo(self, list: int) -> None:
        pass
