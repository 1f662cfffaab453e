"""The targets of all formats: one row each.

A row is `name format bits order machine flags align`, as in `model.Target`, and then what else there is: `rel` (ELF:
addends in the fields), `osabi=`, `short=` (what e_flags also has when some function uses short encodings, RISC-V C),
`split` (the r_info of 64-bit MIPS), `relocs=` (the module of objwriter.relocs, where it has not the CPU's name),
`prefix=` (COFF: of C names), `filler=` (Mach-O: bytes between functions), `safe-handlers` (COFF: @feat.00).
"""

from __future__ import annotations

from typing import Final

from objwriter.model import Target

FORMATS: Final = ("elf", "macho", "coff")

_ROWS: Final = """
linux/amd64     elf    64  little  62         0x0         16
linux/386       elf    32  little  3          0x0         16  rel relocs=i386
linux/arm64     elf    64  little  183        0x0         16
linux/arm       elf    32  little  40         0x5000000   4   rel
linux/riscv64   elf    64  little  243        0x4         4   short=0x1
linux/ppc64le   elf    64  little  21         0x2         16  relocs=ppc64
linux/ppc64     elf    64  big     21         0x2         16
linux/mips64le  elf    64  little  8          0x20000004  8   relocs=mips split
linux/mips64    elf    64  big     8          0x20000004  8   relocs=mips split
linux/mipsle    elf    32  little  8          0x50001004  4   rel relocs=mips
linux/mips      elf    32  big     8          0x50001004  4   rel
linux/s390x     elf    64  big     22         0x0         16
linux/loong64   elf    64  little  258        0x43        16
freebsd/amd64   elf    64  little  62         0x0         16  osabi=9
freebsd/arm64   elf    64  little  183        0x0         16  osabi=9
netbsd/amd64    elf    64  little  62         0x0         16
netbsd/arm64    elf    64  little  183        0x0         16
openbsd/amd64   elf    64  little  62         0x0         16
openbsd/arm64   elf    64  little  183        0x0         16
darwin/amd64    macho  64  little  0x1000007  3           16  filler=90
darwin/arm64    macho  64  little  0x100000c  0           4   filler=1f2003d5
windows/amd64   coff   64  little  0x8664     0           16
windows/arm64   coff   64  little  0xaa64     0           16
windows/386     coff   32  little  0x14c      0           16  prefix=_ relocs=i386 safe-handlers
"""


def parse_target(row: str) -> Target:
    """The target of a row.

    >>> t = parse_target("linux/mips elf 32 big 8 0x50001004 4 rel")
    >>> t.arch, t.bits, t.big_endian, t.machine, t.rela
    ('mips', 32, True, 8, False)
    """
    name, fmt, bits, order, machine, flags, align, *more = row.split()
    target = Target(name, fmt, int(bits), order == "big", int(machine, 0), int(flags, 0), int(align))
    extra = {key: value for key, _, value in (word.partition("=") for word in more)}
    if "relocs" in extra:
        target.relocs = f"objwriter.relocs.{extra['relocs']}"
    target.rela = "rel" not in extra
    target.osabi = int(extra.get("osabi", "0"))
    target.short_flags = int(extra.get("short", "0"), 0)
    target.split_info = "split" in extra
    target.prefix = extra.get("prefix", "")
    target.filler = bytes.fromhex(extra.get("filler", "00"))
    target.safe_handlers = "safe-handlers" in extra
    return target


TARGETS: Final[dict[str, Target]] = {t.name: t for t in map(parse_target, _ROWS.strip().split("\n"))}


def targets_of(fmt: str) -> dict[str, Target]:
    """The targets of one format.

    >>> list(targets_of("macho"))
    ['darwin/amd64', 'darwin/arm64']
    """
    return {name: t for name, t in TARGETS.items() if t.format == fmt}


def register_target(target: Target) -> None:
    """Adds a target that is not part of this package; `target.relocs` is the full name of its module of relocations.

    Raises ValueError when the name is taken or the format is none of FORMATS.
    """
    if target.name in TARGETS:
        raise ValueError(f"there is a target {target.name} already")
    if target.format not in FORMATS:
        raise ValueError(f"{target.format} is no format; there are {', '.join(FORMATS)}")
    TARGETS[target.name] = target
