"""The table of targets: one row each, everything that differs between them outside the backends.

status   `ready`: programs build and run; `object`: the object format is known, no code generator
         yet; `planned`: nothing yet
linker   command family (see link/linker.py): lld-elf, lld-coff, lld-macho, lld-wasm
page     the largest page size that a kernel for the target may use: segments are aligned to it
runner   what executes the result on a machine of another kind
"""

from __future__ import annotations

from typing import Final

_ROWS: Final = """
# target       format bits order  abi     linker    emulation         script           page  runner           status
linux/amd64    elf    64   little sysv    lld-elf   elf_x86_64        linux_amd64.ld   4096  qemu-x86_64      ready
linux/arm64    elf    64   little aapcs64 lld-elf   aarch64linux      linux_arm64.ld   65536 qemu-aarch64     ready
linux/riscv64  elf    64   little lp64d   lld-elf   elf64lriscv       linux_riscv64.ld 4096  qemu-riscv64     ready
linux/386      elf    32   little sysv386 lld-elf   elf_i386          -                4096  qemu-i386        object
linux/arm      elf    32   little aapcs   lld-elf   armelf_linux_eabi -                65536 qemu-arm         object
linux/ppc64le  elf    64   little elfv2   lld-elf   elf64lppc         -                65536 qemu-ppc64le     object
linux/ppc64    elf    64   big    elfv2   lld-elf   elf64ppc          -                65536 qemu-ppc64       object
linux/mips64le elf    64   little n64     lld-elf   elf64ltsmip       -                65536 qemu-mips64el    object
linux/mips64   elf    64   big    n64     lld-elf   elf64btsmip       -                65536 qemu-mips64      object
linux/mipsle   elf    32   little o32     lld-elf   elf32ltsmip       -                65536 qemu-mipsel      object
linux/mips     elf    32   big    o32     lld-elf   elf32btsmip       -                65536 qemu-mips        object
linux/s390x    elf    64   big    s390x   lld-elf   elf64_s390        -                4096  qemu-s390x       object
linux/loong64  elf    64   little lp64d   lld-elf   elf64loongarch    -                65536 qemu-loongarch64 object
darwin/arm64   macho  64   little aapcs64 lld-macho arm64             libSystem.tbd    16384 none             ready
darwin/amd64   macho  64   little sysv    lld-macho x86_64            libSystem.tbd    4096  none             ready
windows/amd64  coff   64   little win64   lld-coff  x64               kernel32.def     4096  wine64           ready
windows/arm64  coff   64   little aapcs64 lld-coff  arm64             kernel32.def     4096  none             ready
windows/386    coff   32   little win32   lld-coff  x86               -                4096  wine64           planned
freebsd/amd64  elf    64   little sysv    lld-elf   elf_x86_64_fbsd   -                4096  fbsd_run         object
freebsd/arm64  elf    64   little aapcs64 lld-elf   aarch64fbsd       -                65536 fbsd_run         object
netbsd/amd64   elf    64   little sysv    lld-elf   elf_x86_64        -                4096  none             object
netbsd/arm64   elf    64   little aapcs64 lld-elf   aarch64nbsd       -                65536 none             object
openbsd/amd64  elf    64   little sysv    lld-elf   elf_x86_64        -                4096  none             object
openbsd/arm64  elf    64   little aapcs64 lld-elf   aarch64elf        -                65536 none             object
wasip1/wasm    wasm   32   little wasm    lld-wasm  wasm32            -                65536 wasmtime         planned
"""


# What Debian and GNU tools call a CPU's Linux.
TRIPLES: Final = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "riscv64": "riscv64-linux-gnu"}


class Target:
    """One row."""

    __slots__ = (
        "name", "os", "arch", "format", "bits", "big_endian", "abi", "linker", "emulation", "script", "page", "runner",
        "status",
    )  # fmt: skip

    def __init__(self, row: str) -> None:
        name, format_, bits, order, abi, linker, emulation, script, page, runner, status = row.split()
        self.name = name
        self.os, _, self.arch = name.partition("/")
        self.format = format_
        self.bits = int(bits)
        self.big_endian = order == "big"
        self.abi = abi
        self.linker = linker
        self.emulation = emulation
        self.script = "" if script == "-" else script
        self.page = int(page)
        self.runner = "" if runner == "none" else runner
        self.status = status


TARGETS: Final[dict[str, Target]] = {
    row.split(None, 1)[0]: Target(row) for row in _ROWS.strip().split("\n") if row[0] != "#"
}


def find_target(name: str) -> Target | None:
    """The target of that name, None when there is none.

    >>> find_target("linux/amd64").format
    'elf'
    """
    return TARGETS.get(name)


def host_target() -> str:
    """The name of the machine this runs on, in the table's terms (it may not be in the table)."""
    import os
    import sys

    machine = os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "amd64")
    names = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "ARM64": "arm64", "i686": "386"}
    system = {"win32": "windows"}.get(sys.platform, sys.platform.rstrip("0123456789"))
    return f"{system}/{names.get(machine, machine)}"


def _default_target() -> str:
    host = TARGETS.get(host_target())
    return host.name if host is not None and host.status == "ready" else "linux/amd64"


# What programs are built for when nothing is said: this machine, if that is possible.
DEFAULT_TARGET: Final = _default_target()
