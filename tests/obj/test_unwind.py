"""Unwind information: LLVM's readers decode it from objects and linked images to what the frames say."""

# ruff: noqa: E501
from __future__ import annotations

import re
import shutil

import pytest
from images import link_coff, link_macho, linker, run, save, tool

from backend.obj.sym import STEXT, LSym, Reloc
from objwriter import coff, elf, macho
from objwriter.targets import TARGETS
from objwriter.build import build_object
from objwriter.model import ObjectError
from objwriter.unwind import ALLOC, PUSH, PUSH_PAIR, SAVE, SAVE_PAIR, SET_FP, Frame, Step, simple_frame
from objwriter.unwind_compact import compact_encoding, compact_unwind, needs_dwarf
from objwriter.unwind_dwarf import eh_frame
from objwriter.cpus.arm64 import arm64_packed
from objwriter.unwind_windows import windows_unwind

OPS = {"alloc": ALLOC, "push": PUSH, "pushp": PUSH_PAIR, "save": SAVE, "savep": SAVE_PAIR, "fp": SET_FP}
RET = {"amd64": b"\xc3", "arm64": bytes.fromhex("c0035fd6"), "riscv64": bytes.fromhex("67800000")}


def frame_of(arch: str, text: str, length: int = 64) -> Frame:
    """`pc:op,reg,value` words; `variable` at the end, `@n` an epilogue."""
    frame = Frame(arch, length, [])
    for word in text.split():
        if word == "variable":
            frame.variable = True
        elif word[0] == "@":
            frame.epilogues.append(int(word[1:]))
        elif word != "-":
            pc, _, rest = word.partition(":")
            op, reg, value = rest.split(",")
            frame.steps.append(Step(int(pc), OPS[op], int(reg), int(value)))
    return frame


def function(arch: str, name: str = "main", length: int = 64) -> LSym:
    s = LSym(name, STEXT)
    s.data = bytearray(RET[arch] * (length // len(RET[arch])))
    return s


# frame; rules that llvm-dwarfdump prints, in order of the rows
DWARF = """
amd64   -                                               | CFA=RSP+8: RIP=[CFA-8]
amd64   1:push,6,8 4:fp,0,0 8:alloc,0,48 13:save,3,40   | CFA=RSP+8: RIP=[CFA-8]; CFA=RSP+16: RBP=[CFA-16], RIP=[CFA-8]; CFA=RBP+16: RBP=[CFA-16], RIP=[CFA-8]; CFA=RBP+16: RBX=[CFA-24], RBP=[CFA-16], RIP=[CFA-8]
amd64   1:push,3,8 8:alloc,0,4096                       | CFA=RSP+8: RIP=[CFA-8]; CFA=RSP+16: RBX=[CFA-16], RIP=[CFA-8]; CFA=RSP+4112: RBX=[CFA-16], RIP=[CFA-8]
arm64   -                                               | CFA=WSP
arm64   4:pushp,29,32 8:fp,0,0 12:savep,19,16           | CFA=WSP; CFA=WSP+32: W29=[CFA-32], W30=[CFA-24]; CFA=W29+32: W29=[CFA-32], W30=[CFA-24]; CFA=W29+32: W19=[CFA-16], W20=[CFA-8], W29=[CFA-32], W30=[CFA-24]
arm64   4:push,30,16 8:save,72,8                        | CFA=WSP; CFA=WSP+16: W30=[CFA-16]; CFA=WSP+16: W30=[CFA-16], B8=[CFA-8]
riscv64 4:alloc,0,32 8:save,1,24                        | CFA=X2; CFA=X2+32; CFA=X2+32: X1=[CFA-8]
"""


@pytest.mark.parametrize("fmt", ["elf", "macho"])
@pytest.mark.parametrize("row", [r for r in DWARF.split("\n") if r])
def test_dwarf(row: str, fmt: str, tmp_path: object) -> None:
    head, _, rules = row.partition("|")
    arch, text = head.split(None, 1)
    if arch == "riscv64" and fmt == "macho":
        pytest.skip("no such target")
    f = function(arch)
    symbols = [f, eh_frame([(f, frame_of(arch, text))], fmt == "macho")]
    if fmt == "elf":
        data = elf.write_elf(build_object(TARGETS[f"linux/{arch}"], symbols))
    else:
        data = macho.write_macho(build_object(TARGETS[f"darwin/{arch}"], symbols))
    out = run([tool("llvm-dwarfdump"), "--eh-frame", save(tmp_path, "a.o", data)])
    fde = out[out.index(" FDE ") :]
    found = "; ".join(re.findall(r"0x[0-9a-f]+: (CFA=.*)", fde))
    assert found.replace("reg", "") == rules.strip()


# frame; compact encoding
COMPACT = """
amd64 -                                                              | 0x02010000
amd64 1:push,6,8 4:fp,0,0 8:alloc,0,48                               | 0x01000000
amd64 1:push,6,8 4:fp,0,0 5:push,15,8 6:push,14,8 7:push,3,8         | 0x01030161
amd64 1:push,6,8 4:fp,0,0 8:alloc,0,48 13:save,3,40                  | 0x01010001
amd64 1:push,6,8 4:fp,0,0 8:alloc,0,80 13:save,3,0                   | 0x010a0001
amd64 1:push,6,8 4:fp,0,0 8:alloc,0,80 13:save,3,0 14:save,12,72     | 0x04000000
amd64 7:alloc,0,24                                                   | 0x02040000
amd64 1:push,3,8 5:alloc,0,16                                        | 0x02040400
amd64 1:push,15,8 2:push,14,8 3:push,3,8                             | 0x02040c0a
amd64 7:alloc,0,4096                                                 | 0x04000000
amd64 1:push,7,8                                                     | 0x04000000
arm64 -                                                              | 0x02000000
arm64 4:alloc,0,64                                                   | 0x02004000
arm64 4:pushp,29,16 8:fp,0,0                                         | 0x04000000
arm64 4:alloc,0,48 8:save,20,16 8:save,19,24 12:savep,29,32 16:fp,0,32 | 0x04000001
arm64 4:alloc,0,64 8:save,73,16 8:save,72,24 8:save,20,32 8:save,19,40 12:savep,29,48 16:fp,0,48 | 0x04000101
arm64 4:push,30,32                                                   | 0x03000000
"""


@pytest.mark.parametrize("row", [r for r in COMPACT.split("\n") if r])
def test_compact(row: str) -> None:
    head, _, number = row.partition("|")
    arch, text = head.split(None, 1)
    assert hex(compact_encoding(frame_of(arch, text))) == hex(int(number, 16))


@pytest.mark.parametrize("choice", ["ld64.lld", "zig"])
@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_compact_linked(arch: str, choice: str, tmp_path: object) -> None:
    """Both sections in one image; functions with DWARF frames point to their FDEs."""
    texts = {
        "amd64": ["1:push,6,8 4:fp,0,0", "7:alloc,0,24", "7:alloc,0,4096", "1:push,7,8"],
        "arm64": ["4:pushp,29,16 8:fp,0,0", "4:alloc,0,32", "4:push,30,32", "4:push,30,48"],
    }[arch]
    symbols: list[LSym] = []
    dwarf: list[tuple[LSym, Frame]] = []
    want: dict[str, int] = {}
    main = function(arch)
    symbols.append(main)
    symbols.append(compact_unwind(main, frame_of(arch, "-")))
    for i, text in enumerate(texts):
        f, frame = function(arch, f"f{i}"), frame_of(arch, text)
        symbols += [f, compact_unwind(f, frame)]
        want[f.name] = compact_encoding(frame)
        if needs_dwarf(frame):
            dwarf.append((f, frame))
    symbols.append(eh_frame(dwarf, macho=True))
    path = save(tmp_path, "a.o", macho.write_macho(build_object(TARGETS[f"darwin/{arch}"], symbols)))
    assert "Contents of __compact_unwind section" in run([tool("llvm-objdump"), "--unwind-info", path])
    image = link_macho(choice, arch, [path], tmp_path)
    out = run([tool("llvm-objdump"), "--unwind-info", image])
    base = 0x100000000
    nm = run([tool("llvm-nm"), image])
    at = {int(line.split()[0], 16) - base: line.split()[2][1:] for line in nm.split("\n") if " T _" in line}
    found: dict[str, int] = {}
    for offset, number in re.findall(r"function offset=0x([0-9a-f]+), encoding(?:\[\d+\])?=0x([0-9a-f]+)", out):
        found[at.get(int(offset, 16), "")] = int(number, 16)
    last = 0
    mode = 0x03000000 if arch == "arm64" else 0x04000000
    for i, text in enumerate(texts):
        number = found.get(f"f{i}", last)  # equal neighbours may share an entry
        wanted = want[f"f{i}"]
        assert (number if wanted != mode else number & 0x0F000000) == wanted, text
        last = number
    frames = run([tool("llvm-dwarfdump"), "--eh-frame", image])
    assert frames.count(" FDE ") == len(dwarf)


# frame; what llvm-readobj prints of it
WINDOWS = """
amd64 1:push,6,8 4:fp,0,0 8:alloc,0,48               | ALLOC_SMALL size=48; PUSH_NONVOL reg=RBP
amd64 1:push,3,8 8:alloc,0,4096 12:save,14,32        | SAVE_NONVOL reg=R14, offset=0x20; ALLOC_LARGE size=4096; PUSH_NONVOL reg=RBX
amd64 8:alloc,0,600000 16:save,23,64                 | SAVE_XMM128 reg=XMM6, offset=0x40; ALLOC_LARGE size=600000
amd64 8:alloc,0,1200000 16:save,5,600000 24:save,23,1100000 | SAVE_XMM128_FAR reg=XMM6, offset=0x10C8E0; SAVE_NONVOL_FAR reg=RDI, offset=0x927C0; ALLOC_LARGE size=1200000
amd64 1:push,6,8 8:alloc,0,64 13:fp,0,32 variable    | SET_FPREG reg=RBP, offset=0x20; ALLOC_SMALL size=64; PUSH_NONVOL reg=RBP
arm64 4:pushp,29,32 8:fp,0,0 12:save,19,16           | str x19, [sp, #16]; mov fp, sp; stp x29, x30, [sp, #-32]!; end
arm64 4:push,30,32 8:alloc,0,4080 12:savep,21,32     | stp x21, x22, [sp, #32]; sub sp, #4080; str x30, [sp, #-32]!; end
arm64 4:pushp,19,32 8:savep,21,16 12:savep,72,0      | stp d8, d9, [sp, #0]; stp x21, x22, [sp, #16]; stp x19, x20, [sp, #-32]!; end
arm64 4:alloc,0,96 8:fp,0,16 16:save,73,8            | str d9, [sp, #8]; nop; add fp, sp, #16; sub sp, #96; end
arm64 4:pushp,21,64 8:pushp,72,16 12:alloc,0,131072  | sub sp, #131072; stp d8, d9, [sp, #-16]!; stp x21, x22, [sp, #-64]!; end
arm64 4:push,72,16 8:save,72,8 12:savep,29,0         | stp x29, x30, [sp, #0]; str d8, [sp, #8]; str d8, [sp, #-16]!; end
"""


def _prologue(out: str) -> list[str]:
    lines = [line.strip() for line in out[out.index("Prologue [") :].split("\n")[1:]]
    return lines[: lines.index("]")]


def _codes(out: str, arch: str) -> str:
    if arch == "amd64":
        return "; ".join(re.findall(r"0x[0-9A-F]{2}: (.*)", out))
    return "; ".join(line.partition(";")[2].strip() for line in _prologue(out))


@pytest.mark.parametrize("row", [r for r in WINDOWS.split("\n") if r])
def test_windows(row: str, tmp_path: object) -> None:
    head, _, codes = row.partition("|")
    arch, text = head.split(None, 1)
    f = function(arch)
    symbols = [f, *windows_unwind(f, frame_of(arch, text))]
    data = coff.write_coff(build_object(TARGETS[f"windows/{arch}"], symbols))
    path = save(tmp_path, "a.obj", data)
    out = run([tool("llvm-readobj"), "--unwind", path])
    found = _codes(out, arch)
    assert re.sub(r"\s+", " ", found) == codes.strip()
    image = link_coff("lld-link", arch, [path], tmp_path)
    assert _codes(run([tool("llvm-readobj"), "--unwind", image]), arch) == found


# canonical prologues: RegI, CR, frame size
PACKED = """
4:pushp,29,16 8:fp,0,0                                          | 0 3 16
4:pushp,19,32 8:savep,21,16 12:pushp,29,48 16:fp,0,0            | 4 3 80
4:pushp,19,16 8:alloc,0,32                                      | 2 0 48
4:pushp,19,32 8:save,30,16                                      | 2 1 32
4:push,30,16 8:alloc,0,16                                       | 0 1 32
4:pushp,19,32 8:save,21,16 12:pushp,29,16 16:fp,0,0             | 3 3 48
4:pushp,19,16 8:alloc,0,1024 12:savep,29,0 16:fp,0,0            | 2 3 1040
4:pushp,29,16                                                   | -
4:push,30,32                                                    | -
8:pushp,29,16 12:fp,0,0                                         | -
4:pushp,21,16 8:alloc,0,32                                      | -
"""


@pytest.mark.parametrize("row", [r for r in PACKED.split("\n") if r])
def test_packed(row: str, tmp_path: object) -> None:
    text, _, fields = row.partition("|")
    frame = frame_of("arm64", text)
    number = arm64_packed(frame)
    if fields.strip() == "-":
        assert number is None
        return
    assert number is not None
    assert [number >> 16 & 15, number >> 21 & 3, (number >> 23) * 16] == [int(w) for w in fields.split()]
    f = function("arm64")
    notes = windows_unwind(f, frame)
    assert [n.section for n in notes] == [".pdata"]
    data = coff.write_coff(build_object(TARGETS["windows/arm64"], [f, *notes]))
    out = run([tool("llvm-readobj"), "--unwind", save(tmp_path, "a.obj", data)])
    shown = _prologue(out)
    assert len([line for line in shown if line != "end"]) == len(frame.steps)


def test_epilogue_scopes(tmp_path: object) -> None:
    f = function("arm64")
    frame = frame_of("arm64", "4:pushp,29,32 8:fp,0,0 12:save,19,16 @40 @52")
    notes = windows_unwind(f, frame, LSym("handler"))
    data = coff.write_coff(build_object(TARGETS["windows/arm64"], [f, *notes]))
    out = run([tool("llvm-readobj"), "--unwind", save(tmp_path, "a.obj", data)])
    assert re.findall(r"StartOffset: (\d+)", out) == ["10", "13"]
    assert out.count("ldr x19, [sp, #16]") == 2
    assert "ExceptionHandler" in out
    assert "handler" in out


def test_handler_amd64(tmp_path: object) -> None:
    f = function("amd64")
    notes = windows_unwind(f, frame_of("amd64", "4:alloc,0,40"), LSym("handler"))
    data = coff.write_coff(build_object(TARGETS["windows/amd64"], [f, *notes]))
    out = run([tool("llvm-readobj"), "--unwind", save(tmp_path, "a.obj", data)])
    assert "ExceptionHandler (0x1)" in out
    assert "Handler: handler" in out


def test_simple_frame() -> None:
    frame = simple_frame("amd64", 100, 12, 64, [(3, 56)], 64)
    assert frame.prologue == 12
    assert compact_encoding(simple_frame("amd64", 100, 12, 24, [])) == 0x02040000


BAD = [
    ("amd64", "300:alloc,0,8", "step at 0x12c of a function of 0x40 bytes"),
    ("amd64", "8:alloc,0,8 4:alloc,0,8", "step at 0x4"),
    ("amd64", "8:alloc,0,7", "alloc of 7 bytes"),
    ("amd64", "8:pushp,3,16", "cannot express push pair of register 3, 16 bytes"),
    ("amd64", "8:save,90,16", "cannot express save of register 90"),
    ("amd64", "8:alloc,0,8 variable", "without a frame pointer"),
    ("arm64", "4:alloc,0,8", "cannot express alloc"),
    ("arm64", "4:save,3,8", "cannot express save of register 3"),
    ("arm64", "4:pushp,29,1024", "cannot express push pair"),
]


@pytest.mark.parametrize(("arch", "text", "message"), BAD)
def test_refused(arch: str, text: str, message: str) -> None:
    with pytest.raises(ObjectError, match=message):
        windows_unwind(function(arch), frame_of(arch, text))


@pytest.mark.parametrize("choice", ["ld.lld", "zig", "ld"])
def test_elf_linked(choice: str, tmp_path: object) -> None:
    """FDEs go with their functions, and the linker makes its search table from them."""
    f, g, unused = function("amd64", "_start"), function("amd64", "g"), function("amd64", "unused")
    f.data[:5] = b"\xe8\0\0\0\0"
    f.relocs = [Reloc(1, 4, "R_CALL", g, -4)]
    frames = [(fn, frame_of("amd64", "4:alloc,0,24")) for fn in (f, g, unused)]
    obj = build_object(TARGETS["linux/amd64"], [f, g, unused, eh_frame(frames)])
    path = save(tmp_path, "a.o", elf.write_elf(obj))
    if choice == "ld" and not shutil.which("ld"):
        pytest.skip("no GNU ld")
    argv = ["ld"] if choice == "ld" else linker(choice, "ld.lld")
    run([*argv, "-static", "--gc-sections", "--eh-frame-hdr", "-o", f"{path}.exe", path])
    out = run([tool("llvm-dwarfdump"), "--eh-frame", f"{path}.exe"])
    assert out.count(" FDE ") == 2
    assert ".eh_frame_hdr" in run([tool("llvm-readobj"), "--sections", f"{path}.exe"])
