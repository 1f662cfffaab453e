"""What kind of linker a command is, and whether a linked file is what was asked for.

Some linkers take our command line, exit with status 0 and leave out what programs need: gold drops the frame maps,
without which the first collection crashes.  So a linker that the user names, or that is called just `ld`, is asked for
its version, and the result of every link is looked at, whoever made it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from mochic.targets import TARGETS, Target

if TYPE_CHECKING:
    import mmap

# First words of what `--version` prints -> kind.  LLD answers for all its flavours alike but the ELF one.
_VERSIONS: Final = (
    ("GNU ld", "gnu"),
    ("GNU gold", "gold"),
    ("mold", "mold"),
    ("Wild", "wild"),
    ("lld is a generic driver", "lld"),
)
_FLAVOURS: Final = (("lld-link", "lld-coff"), ("ld64", "lld-macho"), ("wasm-ld", "lld-wasm"))
_REASONS: Final = {
    "gold": "gold leaves the frame maps out, and programs would crash",
    "mold": "mold does not read linker scripts and cannot be used",
    "wild": "wild does not read linker scripts and cannot be used",
    "lld": "it is LLD's common driver; name ld.lld, lld-link or ld64.lld",
    "": "it is no linker that is known to work (LLD and GNU ld are); a compiler driver cannot be used either",
}
_SYSTEMS: Final = {"lld-elf": "Linux", "lld-coff": "Windows", "lld-macho": "macOS", "lld-wasm": "WebAssembly"}

Run = Callable[[list[str]], tuple[int, str]]


def kind_of(path: str, run: Run) -> str:
    """`gnu`, `lld-elf`, `lld-coff`, `lld-macho`, `lld-wasm`, a kind that cannot be used, or an empty string."""
    _, text = run([path, "--version"])
    first = text.lstrip().partition("\n")[0]
    for words, kind in _VERSIONS:
        if first.startswith(words):
            return kind
    if "LLD " in first:
        if "compatible with GNU linkers" in first:
            return "lld-elf"
        name = os.path.basename(path)
        return next((kind for part, kind in _FLAVOURS if part in name), "lld")
    return ""


def why_not(path: str, target: Target, run: Run) -> str:
    """Why a linker cannot link for a target, an empty string when it can."""
    kind = kind_of(path, run)
    if kind in _REASONS:
        return _REASONS[kind]
    if kind == "gnu":
        if target.linker != "lld-elf":
            return f"GNU ld cannot link for {target.name} here"
        _, text = run([path, "-V"])
        if target.emulation not in text.split():
            return f"this GNU ld is for other machines than {target.name}"
        return ""
    if kind != target.linker:
        return f"this linker is for {_SYSTEMS[kind]}, not for {target.name}"
    return ""


# -- results (the numbers of machines are those of the rows of objwriter, which the build has loaded)

FRAMES: Final = b"mochi_frames"


def flaw_of(path: str, target: Target) -> str:
    """`flaw` of a file, of any size."""
    with open(path, "rb") as f:
        if not os.fstat(f.fileno()).st_size:
            return flaw(b"", target)
        import mmap

        with mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return flaw(data, target)


def flaw(data: bytes | mmap.mmap, target: Target) -> str:
    """What a linked program lacks, an empty string when it is whole."""
    try:
        return _CHECKS[target.format](data, target)
    except (struct.error, IndexError):
        return "is cut short"


def _elf(data: bytes | mmap.mmap, target: Target) -> str:
    from objwriter.targets import TARGETS as ROWS

    if data[:6] != b"\x7fELF\x02\x01":
        return "is no ELF file"
    kind, machine, _, entry, _, sections = struct.unpack_from("<HHIQQQ", data, 16)
    if kind not in (2, 3) or machine != ROWS[target.name].machine or not entry:
        return f"is no program for {target.name}"
    size, count, names_at = struct.unpack_from("<HHH", data, 58)
    rows = [struct.unpack_from("<IIQQQQ", data, sections + size * i) for i in range(count)]
    names = rows[names_at][4]
    for name, _, _, _, offset, length in rows:
        start = names + name
        if data[start : start + len(FRAMES) + 1] == FRAMES + b"\0":
            return "" if length and offset else "has no frame maps"
    return "has no frame maps"


def _coff(data: bytes | mmap.mmap, target: Target) -> str:
    from objwriter.targets import TARGETS as ROWS

    at = struct.unpack_from("<I", data, 60)[0]
    if data[:2] != b"MZ" or data[at : at + 4] != b"PE\0\0":
        return "is no PE file"
    machine = struct.unpack_from("<H", data, at + 4)[0]
    entry = struct.unpack_from("<I", data, at + 40)[0]
    return "" if machine == ROWS[target.name].machine and entry else f"is no program for {target.name}"


def _macho(data: bytes | mmap.mmap, target: Target) -> str:
    from objwriter.targets import TARGETS as ROWS

    magic, cpu, _, kind = struct.unpack_from("<IIII", data, 0)
    if magic != 0xFEEDFACF:
        return "is no Mach-O file"
    return "" if cpu == ROWS[target.name].machine and kind == 2 else f"is no program for {target.name}"


_CHECKS: Final[dict[str, Callable[[Any, Target], str]]] = {"elf": _elf, "coff": _coff, "macho": _macho}

assert all(t.format in _CHECKS for t in TARGETS.values() if t.status == "ready")
