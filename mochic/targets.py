"""The table of targets: one row each, everything that differs between them outside the backends.

status   `ready`: programs build and run; `object`: the object format is known, no code generator
         yet; `planned`: nothing yet
linker   command family (see link/linker.py): lld-elf, lld-coff, lld-macho, lld-wasm
runner   what executes the result on a linux/amd64 host: `-` is the host itself
"""

from __future__ import annotations

from typing import Final

_ROWS: Final = """
# target        format  bits  order   abi      linker     emulation          script          runner            status
linux/amd64     elf     64    little  sysv     lld-elf    elf_x86_64         linux_amd64.ld  -                 ready
linux/arm64     elf     64    little  aapcs64  lld-elf    aarch64linux       -               qemu-aarch64      object
linux/riscv64   elf     64    little  lp64d    lld-elf    elf64lriscv        -               qemu-riscv64      object
linux/386       elf     32    little  sysv386  lld-elf    elf_i386           -               qemu-i386         object
linux/arm       elf     32    little  aapcs    lld-elf    armelf_linux_eabi  -               qemu-arm          object
linux/ppc64le   elf     64    little  elfv2    lld-elf    elf64lppc          -               qemu-ppc64le      object
linux/ppc64     elf     64    big     elfv2    lld-elf    elf64ppc           -               qemu-ppc64        object
linux/mips64le  elf     64    little  n64      lld-elf    elf64ltsmip        -               qemu-mips64el     object
linux/mips64    elf     64    big     n64      lld-elf    elf64btsmip        -               qemu-mips64       object
linux/mipsle    elf     32    little  o32      lld-elf    elf32ltsmip        -               qemu-mipsel       object
linux/mips      elf     32    big     o32      lld-elf    elf32btsmip        -               qemu-mips         object
linux/s390x     elf     64    big     s390x    lld-elf    elf64_s390         -               qemu-s390x        object
linux/loong64   elf     64    little  lp64d    lld-elf    elf64loongarch     -               qemu-loongarch64  object
darwin/arm64    macho   64    little  aapcs64  lld-macho  arm64              -               macho_run         planned
darwin/amd64    macho   64    little  sysv     lld-macho  x86_64             -               macho_run         planned
windows/amd64   coff    64    little  win64    lld-coff   x64                -               wine              planned
windows/arm64   coff    64    little  aapcs64  lld-coff   arm64              -               wine              planned
windows/386     coff    32    little  win32    lld-coff   x86                -               wine              planned
freebsd/amd64   elf     64    little  sysv     lld-elf    elf_x86_64_fbsd    -               fbsd_run          object
freebsd/arm64   elf     64    little  aapcs64  lld-elf    aarch64fbsd        -               fbsd_run          object
netbsd/amd64    elf     64    little  sysv     lld-elf    elf_x86_64         -               none              object
netbsd/arm64    elf     64    little  aapcs64  lld-elf    aarch64nbsd        -               none              object
openbsd/amd64   elf     64    little  sysv     lld-elf    elf_x86_64         -               none              object
openbsd/arm64   elf     64    little  aapcs64  lld-elf    aarch64elf         -               none              object
wasip1/wasm     wasm    32    little  wasm     lld-wasm   wasm32             -               wasmtime          planned
"""


class Target:
    """One row."""

    __slots__ = (
        "name", "os", "arch", "format", "bits", "big_endian", "abi", "linker", "emulation", "script", "runner",
        "status",
    )  # fmt: skip

    def __init__(self, row: str) -> None:
        name, format_, bits, order, abi, linker, emulation, script, runner, status = row.split()
        self.name = name
        self.os, _, self.arch = name.partition("/")
        self.format = format_
        self.bits = int(bits)
        self.big_endian = order == "big"
        self.abi = abi
        self.linker = linker
        self.emulation = emulation
        self.script = "" if script == "-" else script
        self.runner = "" if runner == "-" else runner
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
