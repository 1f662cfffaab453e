"""GOT loads of amd64: the relocation that lets a linker rewrite an instruction stands only where it may.

The judges are two assemblers and, for what the choice is worth, four linkers: all must make programs that compute the
same.
"""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from crosslink import find_tool

from backend.obj.sym import SDATA, STEXT, LSym, Reloc
from objwriter import elf, macho
from objwriter.targets import TARGETS
from objwriter.build import build_object
from objwriter.relocs.x86_code import got_forms

elffile = pytest.importorskip("elftools.elf.elffile")

ASSEMBLERS = {
    "llvm": ("llvm-mc-19", "-triple=x86_64-linux-gnu", "-filetype=obj", "--x86-relax-relocations"),
    "gnu": ("as", "--64", "-mrelax-relocations=yes"),
}
OPERATIONS = "add adc and cmp or sbb sub xor mov imul lea test".split()
REGISTERS = ("ecx", "r9d", "rcx", "r15", "cx", "r10w", "dl", "r8b")
# Instructions one by one; V is the field's operand.
OTHERS = """
call *V
jmp *V
push V
pop V
incl V
negq V
mov %rcx, V
add %ecx, V
test %rcx, V
test %r9d, V
movl $1, V
addl $0x12345678, V
cmpq $3, V
testl $-1, V
imul $77, V, %rcx
imul $7777, V, %r9d
shlq $3, V
shld $3, %rcx, V
bt $5, V
xchg %rcx, V
cmpxchg %ecx, V
xadd %r9, V
movzbl V, %ecx
movzwq V, %rcx
movsbl V, %r9d
movslq V, %rcx
cmovne V, %rcx
cmova V, %r9d
popcnt V, %rcx
bsf V, %ecx
lsl V, %ecx
movbe V, %rcx
crc32q V, %rcx
adcx V, %rcx
movsd V, %xmm0
movss V, %xmm9
movaps V, %xmm1
movups V, %xmm1
movntps %xmm1, V
movdqa V, %xmm8
addsd V, %xmm0
cvtsi2sdq V, %xmm0
cvttsd2siq V, %rcx
comisd V, %xmm3
pshufd $4, V, %xmm3
pshufb V, %xmm3
pmulhrsw V, %xmm3
packusdw V, %xmm3
pmovzxwd V, %xmm3
pminud V, %xmm3
phaddsw V, %xmm3
insertps $3, V, %xmm3
pextrq $1, %xmm3, V
vmovsd V, %xmm0
vmovapd V, %ymm9
vaddpd V, %ymm1, %ymm2
vpmulhrsw V, %xmm1, %xmm9
vmovntpd %ymm1, V
vshufps $3, V, %ymm1, %ymm12
vpinsrd $1, V, %xmm1, %xmm2
vpaddd V, %zmm1, %zmm20
vpternlogd $5, V, %zmm1, %zmm2
andn V, %rcx, %rdx
rorx $5, V, %rcx
fldl V
fstpl V
fildll V
lock addl %ecx, V
notrack jmp *V
notrack call *V
bnd call *V
bnd jmp *V
mov %cs:V, %ecx
prefetcht0 V
nopl V
setne V
sldt V
cmpxchg16b V
ret $0x8b48
mov $0x48, %al
mov $0x4444444444444444, %rcx
movabs 0x48, %al
enter $0x4848, $0x48
test $0x48, %cl
testq $0x48484848, (%rcx,%rdx,4)
movw $0x4848, 0x48(%rsp)
out %al, $0x48
loop .
jne .+0x480000
mov %cr4, %rcx
vzeroupper
"""


def assemble(which: str, text: str, folder: Path) -> bytes:
    name, *flags = ASSEMBLERS[which]
    source, obj = folder / "a.s", folder / f"{which}.o"
    source.write_text(text)
    done = subprocess.run([find_tool(name), *flags, "-o", obj, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return obj.read_bytes()


def read(data: bytes, section: str = ".text") -> tuple[bytes, list[tuple[int, int, int]]]:
    """Contents and relocations (offset, type, addend) of a section."""
    file: Any = elffile.ELFFile(io.BytesIO(data))
    relocs = file.get_section_by_name(".rela" + section)
    return file.get_section_by_name(section).data(), [
        (r["r_offset"], r["r_info_type"], r["r_addend"]) for r in (relocs.iter_relocations() if relocs else ())
    ]


def write(code: bytes, relocs: list[tuple[int, int, int]]) -> LSym:
    f = LSym("f", STEXT)
    f.data = bytearray(code)
    v = LSym("v")
    f.relocs = [Reloc(off, 4, "R_GOTPCREL", v, add) for off, _, add in relocs]
    return f


def lines() -> list[str]:
    pairs = [(op, reg) for op in OPERATIONS for reg in REGISTERS if op not in ("imul", "lea") or reg[-1] not in "lb"]
    return [f"{op} V, %{reg}" for op, reg in pairs] + OTHERS.strip().split("\n")


@pytest.mark.parametrize("which", sorted(ASSEMBLERS))
def test_as_assemblers_do(which: str, tmp_path: Path) -> None:
    """All in one function, so that constants and displacements stand before the next instruction."""
    known = [line for line in lines() if which == "gnu" or line[:3] != "bnd"]
    text = "\n".join(known).replace("V", "v@GOTPCREL(%rip)") + "\n"
    code, relocs = read(assemble(which, text, tmp_path))
    assert {type_ for _, type_, _ in relocs} == {9, 41, 42}
    ours = read(elf.write_elf(build_object(TARGETS["linux/amd64"], [write(code, relocs)])), ".text.f")[1]
    assert ours == relocs


# Code, offset of the field, addend, type: what no assembler can be asked.
FIXED = """
648b0d00000000         3 -4 9    a segment, which LEA would lose
66ff1500000000         3 -4 9    a prefix
030d00000000           2 0  9    an offset from the entry
bf11000044030d00000000 7 -4 41   a constant that ends like a REX prefix
44030d00000000         3 -4 42
0f030d00000000         3 -4 9    LSL, whose second byte is that of ADD
06030d00000000         3 -4 9    behind what is no instruction
030d000000             1 -4 9    not where its instruction has the field
"""


@pytest.mark.parametrize("row", FIXED.strip().split("\n"))
def test_fixed(row: str) -> None:
    code, off, add, type_ = row.split()[:4]
    f = write(bytes.fromhex(code), [(int(off), 0, int(add))])
    assert read(elf.write_elf(build_object(TARGETS["linux/amd64"], [f])), ".text.f")[1][0][1] == int(type_)


def test_data_before_code() -> None:
    """A symbol is where instructions start anew; a field in data is never rewritten."""
    code = bytes.fromhex("0606 030d00000000")
    assert got_forms(code, [0]) == {}
    assert got_forms(code, [0, 2]) == {4: 1}
    d = LSym("d", SDATA)
    d.data = bytearray(bytes.fromhex("030d00000000"))
    d.relocs = [Reloc(2, 4, "R_GOTPCREL", LSym("v"), -4)]
    assert read(elf.write_elf(build_object(TARGETS["linux/amd64"], [d])), ".data.d")[1] == [(2, 9, -4)]


MACHO = """
488b0d00000000         3 3   GOT_LOAD
4c8b0d00000000         3 3   GOT_LOAD
8b0d00000000           2 4   GOT
48030d00000000         3 4   GOT
b800004048 8b0d00000000 7 4  GOT: 48 belongs to the constant
"""


@pytest.mark.parametrize("row", MACHO.strip().split("\n"))
def test_macho(row: str) -> None:
    """MOVQ alone becomes LEAQ."""
    lief: Any = pytest.importorskip("lief")
    words = row.partition("GOT")[0].split()
    f = write(bytes.fromhex("".join(words[:-2])), [(int(words[-2]), 0, -4)])
    data = macho.write_macho(build_object(TARGETS["darwin/amd64"], [f]))
    image = lief.parse(data)  # must outlive what it lists
    (r,) = image.relocations
    assert int(r.type.value) & 0xF == int(words[-1])


# Code that leaves its result in DI, and that.  @ the GOT entry of v, & the same before a byte, ~ that of f, ! v.
PROGRAMS = {
    "add behind 04": ("bf11000004 31c9 bf11000004 030d@ c1ef18", 4),
    "add behind 44": ("31c9 bf11000044 030d@ c1ef18", 0x44),
    "add behind 4c": ("31c9 bf1100004c 2b0d@ c1ef18", 0x4C),
    "movq": ("488b05@ 8b38", 7),
    "movq to r15": ("4c8b3d@ 418b3f", 7),
    "movl": ("8b05@ 8b38", 7),
    "addq": ("4531c9 4c030d@ 418b39", 7),
    "subl and negl": ("31c9 2b0d@ f7d9 8b39", 7),
    "cmpq": ("488d0d! 31ff 483b0d@ 400f94c7", 1),
    "testq": ("488d0d! 31ff 48850d@ 400f95c7", 1),
    "movsd": ("f20f1005@ 66480f7ec0 8b38", 7),
    "movss": ("f30f1005@ 660f7ec0 8b38", 7),
    "cmpl with a constant": ("31ff 833d&7f 400f95c7", 1),
    "call": ("31ff ff15~ ffc7", 8),
    "pushq": ("ff35@ 58 8b38", 7),
    "cmovne": ("4531ff 41ffc7 4c0f453d@ 418b3f", 7),
    "imul": ("6bc900 31c0 0faf0d@ 8bf9", 0),
}


def make(text: str) -> bytes:
    """An object whose `_start` computes and exits; v, and f that sets DI to 7."""
    v = LSym("v", SDATA)
    v.data = bytearray((7).to_bytes(16, "little"))
    v.align = 16
    f = LSym("f", STEXT)
    f.data = bytearray(bytes.fromhex("bf07000000 c3"))
    f.align = 16
    start = LSym("_start", STEXT)
    code = text.replace(" ", "")
    at = 0
    while at < len(code):
        mark = code[at]
        if mark in "@!&~":
            to, name, add = {"@": (v, "R_GOTPCREL", -4), "!": (v, "R_PCREL", -4)}.get(
                mark, (f, "R_GOTPCREL", -4) if mark == "~" else (v, "R_GOTPCREL", -5)
            )
            start.relocs.append(Reloc(len(start.data), 4, name, to, add))
            start.data += bytes(4)
            at += 1
        else:
            start.data.append(int(code[at : at + 2], 16))
            at += 2
    start.data += bytes.fromhex("b83c000000 0f05")
    return elf.write_elf(build_object(TARGETS["linux/amd64"], [start, v, f]))


@pytest.mark.parametrize("linker", ["ld.lld-19", "x86_64-linux-gnu-ld", "ld.gold", "mold"])
def test_programs(linker: str, tmp_path: Path) -> None:
    tool = find_tool(linker)
    got = {}
    for i, (name, (text, _)) in enumerate(PROGRAMS.items()):
        obj, exe = tmp_path / f"{i}.o", tmp_path / str(i)
        obj.write_bytes(make(text))
        done = subprocess.run([tool, "-o", exe, obj], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        got[name] = subprocess.run([exe], check=False).returncode
    assert got == {name: status for name, (_, status) in PROGRAMS.items()}
