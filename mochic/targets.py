"""The tables of targets and of their systems: everything that differs between them outside the backends.

format   the object format, and so the module of objwriter
abi      the calling convention of C; `darwinpcs` is Apple's variant of AAPCS64
linker   command family (see link/linker.py): lld-elf, lld-coff, lld-macho, lld-wasm
page     the largest page size that a kernel for the target may use: segments are aligned to it
runner   what executes the result on a machine of another kind
status   `ready`: programs build and run; `object`: the object format is known, no code generator
         yet; `planned`: nothing yet
triple   what GNU tools, Debian and zig call the target
loader   what starts programs with shared libraries, by the C library's (glibc's) ABI
"""

from __future__ import annotations

from typing import Final

_ROWS: Final = """
# target       format bits order  abi       linker    emulation         script           page  runner           status  triple              loader
linux/amd64    elf    64   little sysv      lld-elf   elf_x86_64        linux_amd64.ld   4096  qemu-x86_64      ready   x86_64-linux-gnu    /lib64/ld-linux-x86-64.so.2
linux/arm64    elf    64   little aapcs64   lld-elf   aarch64linux      linux_arm64.ld   65536 qemu-aarch64     ready   aarch64-linux-gnu   /lib/ld-linux-aarch64.so.1
linux/riscv64  elf    64   little lp64d     lld-elf   elf64lriscv       linux_riscv64.ld 4096  qemu-riscv64     ready   riscv64-linux-gnu   /lib/ld-linux-riscv64-lp64d.so.1
linux/386      elf    32   little sysv386   lld-elf   elf_i386          -                4096  qemu-i386        object  -                   -
linux/arm      elf    32   little aapcs     lld-elf   armelf_linux_eabi -                65536 qemu-arm         object  -                   -
linux/ppc64le  elf    64   little elfv2     lld-elf   elf64lppc         -                65536 qemu-ppc64le     object  -                   -
linux/ppc64    elf    64   big    elfv2     lld-elf   elf64ppc          -                65536 qemu-ppc64       object  -                   -
linux/mips64le elf    64   little n64       lld-elf   elf64ltsmip       -                65536 qemu-mips64el    object  -                   -
linux/mips64   elf    64   big    n64       lld-elf   elf64btsmip       -                65536 qemu-mips64      object  -                   -
linux/mipsle   elf    32   little o32       lld-elf   elf32ltsmip       -                65536 qemu-mipsel      object  -                   -
linux/mips     elf    32   big    o32       lld-elf   elf32btsmip       -                65536 qemu-mips        object  -                   -
linux/s390x    elf    64   big    s390x     lld-elf   elf64_s390        -                4096  qemu-s390x       object  -                   -
linux/loong64  elf    64   little lp64d     lld-elf   elf64loongarch    -                65536 qemu-loongarch64 object  -                   -
darwin/arm64   macho  64   little darwinpcs lld-macho arm64             libSystem.tbd    16384 none             ready   aarch64-macos       -
darwin/amd64   macho  64   little sysv      lld-macho x86_64            libSystem.tbd    4096  none             ready   x86_64-macos        -
windows/amd64  coff   64   little win64     lld-coff  x64               kernel32.def     4096  wine64           ready   x86_64-windows-gnu  -
windows/arm64  coff   64   little aapcs64   lld-coff  arm64             kernel32.def     4096  none             ready   aarch64-windows-gnu -
windows/386    coff   32   little win32     lld-coff  x86               -                4096  wine64           planned -                   -
freebsd/amd64  elf    64   little sysv      lld-elf   elf_x86_64_fbsd   -                4096  fbsd_run         object  -                   -
freebsd/arm64  elf    64   little aapcs64   lld-elf   aarch64fbsd       -                65536 fbsd_run         object  -                   -
netbsd/amd64   elf    64   little sysv      lld-elf   elf_x86_64        -                4096  none             object  -                   -
netbsd/arm64   elf    64   little aapcs64   lld-elf   aarch64nbsd       -                65536 none             object  -                   -
openbsd/amd64  elf    64   little sysv      lld-elf   elf_x86_64        -                4096  none             object  -                   -
openbsd/arm64  elf    64   little aapcs64   lld-elf   aarch64elf        -                65536 none             object  -                   -
wasip1/wasm    wasm   32   little wasm      lld-wasm  wasm32            -                65536 wasmtime         planned -                   -
"""


class System:
    """What programs of an operating system share, whatever the CPU.

    title           its own name
    program_suffix  of the names of programs
    archive_suffix  of the archives of a release set
    runtime         the files of runtime/ about it
    common          "c" and "m", C's own library and mathematics -> the name that its loader knows
    shared          a pattern for names of shared libraries
    searched        what a search for the library `{}` looks for, in this order; `versioned`: then for lib{}.so.N too
    folders         where libraries for a `{triple}` are, and `own_folders` those for the machine this runs on
    builtin         the folder of libraries that have no files, only names
    loaded          programs are static until a shared library comes in; then the system's loader starts them
    tls             the runtime can use the system's TLS library
    """

    __slots__ = (
        "title", "program_suffix", "archive_suffix", "runtime", "common", "shared", "searched", "versioned", "folders",
        "own_folders", "builtin", "loaded", "tls",
    )  # fmt: skip

    def __init__(
        self,
        title: str,
        runtime: str,
        c: str,
        m: str,
        shared: str,
        searched: str,
        program_suffix: str = "",
        archive_suffix: str = ".tar.gz",
        versioned: bool = False,
        folders: str = "",
        own_folders: str = "",
        builtin: str = "",
        loaded: bool = False,
        tls: bool = False,
    ) -> None:
        self.title = title
        self.program_suffix = program_suffix
        self.archive_suffix = archive_suffix
        self.runtime = tuple(runtime.split())
        self.common = {"c": c, "m": m}
        self.shared = shared
        self.searched = tuple(searched.split())
        self.versioned = versioned
        self.folders = tuple(folders.split())
        self.own_folders = tuple(own_folders.split())
        self.builtin = builtin
        self.loaded = loaded
        self.tls = tls


# The systems that programs can be built for.
SYSTEMS: Final = {
    "linux": System(
        "Linux",
        "os_unix os_linux os_net_linux os_dns_linux os_tls_linux",
        "libc.so.6",
        "libm.so.6",
        r"\.so(\.[0-9]+)*\Z",
        "lib{}.so lib{}.a",
        versioned=True,
        folders="/lib/{triple} /usr/lib/{triple} /usr/{triple}/lib",
        own_folders="/usr/local/lib /lib64 /usr/lib64 /lib /usr/lib",
        loaded=True,
        tls=True,
    ),
    "darwin": System(
        "macOS",
        "os_unix os_darwin os_net_darwin os_tls_none",
        "/usr/lib/libSystem.B.dylib",
        "/usr/lib/libSystem.B.dylib",
        r"\.dylib\Z",
        "lib{}.tbd lib{}.dylib lib{}.a",
        builtin="/usr/lib/",
    ),
    "windows": System(
        "Windows",
        "os_windows os_net_windows os_tls_none",
        "ucrtbase.dll",
        "ucrtbase.dll",
        r"(?i:\.dll)\Z",
        "{}.lib lib{}.dll.a lib{}.a",
        program_suffix=".exe",
        archive_suffix=".zip",
    ),
}


class Target:
    """One row."""

    __slots__ = (
        "name", "os", "arch", "format", "bits", "big_endian", "abi", "linker", "emulation", "script", "page", "runner",
        "status", "triple", "loader", "_system",
    )  # fmt: skip

    def __init__(self, row: str) -> None:
        (
            name, format_, bits, order, abi, linker, emulation, script, page, runner, status, triple, loader,
        ) = row.split()  # fmt: skip
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
        self.triple = "" if triple == "-" else triple
        self.loader = "" if loader == "-" else loader
        self._system = SYSTEMS.get(self.os)

    @property
    def system(self) -> System:
        """What the target's system is like; there is one for each target that is ready."""
        assert self._system is not None, f"{self.os} has no row"
        return self._system

    @property
    def ready(self) -> bool:
        """Can programs be built for it?"""
        return self.status == "ready"


TARGETS: Final[dict[str, Target]] = {
    row.split(None, 1)[0]: Target(row) for row in _ROWS.strip().split("\n") if row[0] != "#"
}
# Files for several CPUs in one -> their parts, in the order of the system's own files.
UNIVERSAL: Final = {"darwin/universal": ("darwin/amd64", "darwin/arm64")}


def ready_targets() -> list[str]:
    """The names of the targets that programs can be built for, in the order of the table."""
    return [name for name, row in TARGETS.items() if row.ready]


def with_format(name: str) -> list[Target]:
    """The targets whose objects have a format, in the order of the table."""
    return [row for row in TARGETS.values() if row.format == name]


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
    return host.name if host is not None and host.ready else "linux/amd64"


# What programs are built for when nothing is said: this machine, if that is possible.
DEFAULT_TARGET: Final = _default_target()
