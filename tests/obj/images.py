"""Links test objects with the linkers at hand and looks into the images: addresses of symbols, bytes at an address."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

import pytest

from mochic.link.tools import find_zig

# What programs of the tests import; the version and the name are those of the real library.
TBD = """--- !tapi-tbd
tbd-version:     4
targets:         [ x86_64-macos, arm64-macos ]
install-name:    '/usr/lib/libSystem.B.dylib'
current-version: 1311
exports:
  - targets:         [ x86_64-macos, arm64-macos ]
    symbols:         [ _write, _exit, dyld_stub_binder, __tlv_bootstrap ]
...
"""
MACHO_ARCH = {"amd64": "x86_64", "arm64": "arm64"}
COFF_ARCH = {"amd64": "x64", "arm64": "arm64", "386": "x86"}


def run(argv: list[str]) -> str:
    """Runs a tool that must succeed without a word on stderr; its output."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}: {done.stderr[-2000:]}{done.stdout[-500:]}"
    assert "warning" not in done.stderr, done.stderr[-2000:]
    return done.stdout


def tool(name: str) -> str:
    """The path of an LLVM tool (newest of the versioned names); skips the test when there is none."""
    for version in ("-21", "-20", "-19", ""):  # an unversioned one may be very old
        found = shutil.which(name + version)
        if found:
            return found
    pytest.skip(f"{name} is not installed")


def linker(choice: str, zig_name: str) -> list[str]:
    """The beginning of a linker's command line: an LLD by its name, or `zig`."""
    if choice != "zig":
        return [tool(choice)]
    zig = find_zig()
    if not zig:
        pytest.skip("the ziglang wheel is not installed")
    return [zig, zig_name]


def save(folder: object, name: str, data: bytes) -> str:
    path = os.path.join(str(folder), name)
    with open(path, "wb") as fh:
        fh.write(data)
    return path


def link_macho(choice: str, arch: str, inputs: list[str], folder: object, options: tuple[str, ...] = ()) -> str:
    """The executable made of `inputs` by ld64.lld or zig; `main` is its entry."""
    out = os.path.join(str(folder), f"out-{choice}-{arch}")
    if choice == "zig":
        cpu = {"amd64": "x86_64", "arm64": "aarch64"}[arch]
        argv = [*linker("zig", "cc"), "-target", f"{cpu}-macos.11.0", "-nostdlib", "-lSystem"]
        argv += [f"-Wl,{option}" for option in options]
    else:
        argv = [*linker(choice, ""), "-arch", MACHO_ARCH[arch], "-platform_version", "macos", "11.0", "11.0"]
        argv += ["-no_fixup_chains", "-e", "_main", *options]
        argv.append(save(folder, "libSystem.tbd", TBD.encode()))
    run([*argv, "-o", out, *inputs])
    return out


def link_coff(choice: str, arch: str, inputs: list[str], folder: object, options: tuple[str, ...] = ()) -> str:
    """The executable made of `inputs` by lld-link or zig's; `main` is its entry, a map lies beside it."""
    out = os.path.join(str(folder), f"out-{choice}-{arch}.exe")
    argv = [*linker(choice, "lld-link"), "/nologo", "/subsystem:console", "/entry:main", "/nodefaultlib", "/Brepro"]
    argv += [f"/machine:{COFF_ARCH[arch]}", "/opt:ref", f"/out:{out}", f"/map:{out}.map", *options, *inputs]
    run(argv)
    return out


class Image:
    """A linked executable, loaded at its preferred address."""

    def __init__(self, path: str) -> None:
        lief: Any = pytest.importorskip("lief")
        self.path = path
        self.lief = lief.parse(path)
        self.symbols: dict[str, int] = {}
        if path.endswith(".exe"):
            self.base = self.lief.optional_header.imagebase
            with open(path + ".map", encoding="utf-8") as fh:
                for line in fh:
                    words = line.split()
                    if len(words) >= 4 and words[0][4:5] == ":" and len(words[2]) == 16:
                        self.symbols[words[1]] = int(words[2], 16)
        else:
            self.base = self.lief.imagebase
            self.symbols = {s.name[1:]: s.value for s in self.lief.symbols if s.name.startswith("_") and s.value}

    def bytes_at(self, address: int, size: int) -> bytes:
        if self.path.endswith(".exe"):
            return bytes(self.lief.get_content_from_virtual_address(address - self.base, size))
        return bytes(self.lief.get_content_from_virtual_address(address, size))

    def word(self, address: int, size: int = 4, signed: bool = False) -> int:
        return int.from_bytes(self.bytes_at(address, size), "little", signed=signed)

    def section_start(self, address: int) -> int:
        """The address of the section around one."""
        for s in self.lief.sections:
            start = s.virtual_address + (self.base if self.path.endswith(".exe") else 0)
            if start <= address < start + max(s.size, s.virtual_size if self.path.endswith(".exe") else 0):
                return int(start)
        raise AssertionError(f"no section at {address:#x}")


def read_field(image: Image, how: str, at: int) -> int:
    """What a relocated field refers to, decoded from the image.  `how`: abs4 abs8 rel4 rel8 branch page pair
    imageoff secrel."""
    if how.startswith("abs"):
        return image.word(at, int(how[3]))
    if how.startswith("rel"):
        size = int(how[3])
        return at + image.word(at, size, True)
    if how == "imageoff":
        return image.base + image.word(at)
    if how == "branch":
        word = image.word(at)
        return at + 4 * ((word & 0x3FFFFFF ^ 0x2000000) - 0x2000000)
    assert how in ("pair", "page")  # ADRP, then ADD or a load (Arm ARM C4.1.92, C4.1.94)
    adrp, second = image.word(at), image.word(at + 4)
    pages = (adrp >> 29 & 3) | (adrp >> 5 & 0x7FFFF) << 2
    pages = (pages ^ 1 << 20) - (1 << 20)
    low = second >> 10 & 0xFFF if how == "pair" else 0
    if adrp >> 31 == 0:  # turned into NOP and ADR by the linker, or ADR and NOP
        raise AssertionError(f"not an ADRP: {adrp:#x}")
    if how == "pair" and second >> 24 & 0x3B == 0x39:
        low <<= (second >> 30) + (4 if second & 0x04800000 == 0x04800000 else 0)
    return (at & ~0xFFF) + (pages << 12) + low
