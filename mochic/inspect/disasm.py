"""Disassembly with capstone: labels, relocations beside their instructions, names of what instructions refer to."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from typing import Any, Final, TextIO

from mochic.inspect.image import Image, Section, Symbol
from mochic.inspect.readers import package, reading

# cpu, architecture and modes of capstone; `big`: the byte order is the file's
_ROWS: Final = """
x86_64  X86   64
i386    X86   32
aarch64 ARM64 ARM
arm     ARM   ARM
thumb   ARM   THUMB
riscv64 RISCV RISCV64 RISCVC
riscv32 RISCV RISCV32 RISCVC
ppc64   PPC   64 big
ppc     PPC   32 big
mips64  MIPS  MIPS64 big
mips    MIPS  MIPS32 big
s390x   SYSZ  BIG_ENDIAN
"""
_NO_LABEL: Final = ("SECTION", "FILE", "STAB", "TLS", "COMMON")
_MAPPING: Final = ("$x", "$d", "$a", "$t")  # where code and data begin (ELF for Arm, RISC-V): no names of the program


def disassembler(image: Image) -> Any:
    """A capstone instance for the image's CPU, None where capstone does not know it."""
    row = next((r.split()[1:] for r in _ROWS.strip().split("\n") if r.split()[0] == image.cpu), None)
    if row is None:
        return None
    capstone = package("capstone")
    mode = 0
    for word in row[1:]:
        if word != "big":
            mode |= getattr(capstone, f"CS_MODE_{word}")
        elif not image.little:
            mode |= capstone.CS_MODE_BIG_ENDIAN
    engine = capstone.Cs(getattr(capstone, f"CS_ARCH_{row[0]}"), mode)
    engine.skipdata = True
    return engine


def is_label(symbol: Symbol) -> bool:
    return bool(symbol.name) and symbol.kind not in _NO_LABEL and symbol.name[:2] not in _MAPPING


class Names:
    """Names of addresses.  Sections of an object all begin at 0, so there each has names of its own."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.labels: dict[int, dict[int, list[str]]] = {}  # section, address
        self.sorted: dict[int, list[int]] = {}
        self.ends: dict[tuple[int, int], int] = {}  # of symbols with a size, by section and address
        self.exact: dict[int, str] = dict(image.names)
        for _, symbols in image.symbols:
            for s in symbols:
                if s.section > 0 and is_label(s):
                    names = self.labels.setdefault(s.section, {}).setdefault(s.value, [])
                    if s.size:
                        self.ends[s.section, s.value] = max(s.value + s.size, self.ends.get((s.section, s.value), 0))
                    if s.name not in names:
                        names.append(s.name)
                        if image.linked:
                            self.exact.setdefault(s.value, s.name)
        for number, found in self.labels.items():
            self.sorted[number] = sorted(found)
        spans = [(s.address, s.address + s.size, s.number) for s in image.sections if s.address and s.size]
        self.spans = sorted(spans) if image.linked else []
        self.starts = [start for start, _, _ in self.spans]

    def find(self, address: int, here: Section) -> str:
        """`name` or `name+0x10` for an address that an instruction of a section refers to, or nothing."""
        if self.image.linked:
            name = self.exact.get(address)
            if name is not None:
                return name
            k = bisect_right(self.starts, address) - 1
            if k < 0 or address >= self.spans[k][1]:
                return ""
            number = self.spans[k][2]
        else:
            number = here.number
            if not here.address <= address < here.address + here.size:
                return ""
        known = self.sorted.get(number)
        if not known:
            return ""
        k = bisect_right(known, address) - 1
        if k < 0:
            return ""
        if address >= self.ends.get((number, known[k]), address + 1):
            return ""  # between the symbols
        name = self.labels[number][known[k]][0]
        return name if known[k] == address else f"{name}+{address - known[k]:#x}"


# What an instruction refers to: (address or None, whether the operand shows that address itself).
Refers = Callable[[int, int, str, str], tuple[int | None, bool]]
_NOTHING: Final = (None, False)


def _x86(address: int, size: int, mnemonic: str, operands: str) -> tuple[int | None, bool]:
    if operands.startswith("0x"):
        if (mnemonic[0] == "j" or mnemonic == "call") and operands.isalnum():
            return int(operands, 16), True
        return _NOTHING
    if "[rip " in operands and (m := _RIP.search(operands)):
        return address + size + int(m[1] + m[2], 0), False
    return _NOTHING


_RIP: Final = re.compile(r"\[rip ([+-]) (0x[0-9a-f]+|\d+)\]")
_NUMBER: Final = r"(?P<offset>-?(?:0x[0-9a-f]+|\d+))"
_ARM_BRANCHES: Final = re.compile(r"(?:bl?|b\.\w+|cbn?z \w+,|tbn?z \w+, #\w+,|adr \w+,) #(0x[0-9a-f]+)$")
_ARM_USES: Final = (
    re.compile(rf"add (?P<to>\w+), (?P<base>\w+), #{_NUMBER}$"),
    re.compile(rf"(?:ld|st)\w+ (?P<to>\w+), (?:\w+, )?\[(?P<base>\w+)(?:, #{_NUMBER})?\]$"),
)
_RISCV_BRANCHES: Final = frozenset("j jal beq bne blt bge bltu bgeu beqz bnez blez bgez bltz bgtz".split())
_RISCV_STORES: Final = frozenset("sb sh sw sd fsw fsd".split())
_RISCV_USES: Final = (
    re.compile(rf"addi (?P<to>\w+), (?P<base>\w+), {_NUMBER}$"),
    re.compile(rf"j(?:al)?r (?:(?P<to>\w+), )?(?P<base>[a-z]\w*)(?:, {_NUMBER})?$"),
    re.compile(rf"[a-z.]+ (?P<to>\w+), {_NUMBER}\((?P<base>\w+)\)$"),
)


class _Pairs:
    """RISC CPUs form an address in two instructions: remembers the first one's value by its register."""

    def __init__(self, riscv: bool) -> None:
        self.high: dict[str, int] = {}
        self.uses = _RISCV_USES if riscv else _ARM_USES
        self.refers: Refers = self.riscv if riscv else self.arm

    def arm(self, address: int, size: int, mnemonic: str, operands: str) -> tuple[int | None, bool]:
        if mnemonic == "adrp":
            register, _, page = operands.partition(", #")
            self.high[register] = int(page, 0)
            return _NOTHING
        if mnemonic[0] in "abct" and (m := _ARM_BRANCHES.match(f"{mnemonic} {operands}")):
            return int(m[1], 16), True
        return self.use(mnemonic, operands) if self.high else _NOTHING

    def riscv(self, address: int, size: int, mnemonic: str, operands: str) -> tuple[int | None, bool]:
        name = mnemonic.removeprefix("c.")
        if name == "auipc":
            register, _, digits = operands.partition(", ")
            self.high[register] = address + ((int(digits, 0) ^ 0x80000) - 0x80000) * 4096
        elif name in _RISCV_BRANCHES:
            return address + int(operands.rpartition(" ")[2], 0), False
        elif self.high:
            return self.use(name, operands)
        return _NOTHING

    def use(self, mnemonic: str, operands: str) -> tuple[int | None, bool]:
        """The address that the second instruction of a pair forms.  What any other writes is no first half any more."""
        text = f"{mnemonic} {operands}"
        m = next((m for pattern in self.uses if (m := pattern.match(text))), None)
        value = self.high.get(m["base"]) if m is not None else None
        written = operands.partition(",")[0]
        if mnemonic[:2] != "st" and mnemonic not in _RISCV_STORES:
            self.high.pop("x" + written[1:] if written[:1] == "w" else written, None)
        if m is None or value is None:
            return _NOTHING
        return value + int(m["offset"] or "0", 0), False


def _refers(cpu: str) -> Refers | None:
    if cpu in ("x86_64", "i386"):
        return _x86
    if cpu == "aarch64" or cpu.startswith("riscv"):
        return _Pairs(cpu != "aarch64").refers
    return None


def disassemble(engine: Any, image: Image, names: Names, section: Section, start: int, end: int, out: TextIO) -> None:
    """Writes the instructions from one address of a section to another."""
    data = image.contents(section)
    base = section.address
    labels = names.labels.get(section.number, {})
    extra = image.names if image.linked else {}
    marks = names.sorted.get(section.number, [])
    cuts = [m for m in marks[bisect_right(marks, start) :] if m < end]
    rows = sorted(section.relocs, key=lambda r: r.offset)
    if not image.linked and start > base:
        rows = [r for r in rows if r.offset >= start - base]
    k, count = 0, len(rows)
    following = rows[0].offset + base if rows else 1 << 65
    write, find = out.write, names.find
    # Each label begins anew: data in front of it may look like the beginning of an instruction.
    for low, high in zip([start, *cuts], [*cuts, end], strict=True):
        for name in labels.get(low, ()):
            write(f"{name}:\n")
        refers = _refers(image.cpu)
        with reading("capstone"):
            for address, size, mnemonic, operands in engine.disasm_lite(data[low - base : high - base], low):
                if extra and address in extra and address not in labels:
                    write(f"{extra[address]}:\n")
                note = ""
                if following < address + size:
                    notes = []
                    while k < count and rows[k].offset + base < address + size:
                        notes.append(str(rows[k]))
                        k += 1
                    following = rows[k].offset + base if k < count else 1 << 65
                    note = "   # " + ", ".join(notes)
                elif refers is not None:
                    target, shown = refers(address, size, mnemonic, operands)
                    if target is not None:
                        name = find(target, section)
                        if shown:
                            note = f" <{name}>" if name else ""
                        else:
                            note = f"   # {target:#x} <{name}>" if name else f"   # {target:#x}"
                write(f"  {address:#8x}  {mnemonic} {operands}{note}\n")
