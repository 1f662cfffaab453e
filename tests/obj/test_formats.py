"""Every relocation of the Mach-O and COFF tables: linked, then decoded from the image and compared with S + A.

One line is one case: architecture, kind/size, section, bytes before the field's end that hold it, offset, addend,
how to read it back.  All lines of an architecture go into one object, so a linker runs once for each.
"""

from __future__ import annotations

import subprocess

import pytest
from images import Image, link_coff, link_macho, read_field, save, tool

from backend.obj.sym import A_DUPOK, SDATA, SRODATA, STEXT, LSym, Reloc
from objwriter import coff, macho
from objwriter.targets import TARGETS, targets_of
from objwriter.build import build_object
from objwriter.model import ObjectError
from objwriter.relocs.formats import load_format

# PC-relative addends count from the field: -4 is the symbol itself where the field ends the instruction.
CASES = """
both  amd64 R_ADDR/8     data 0000000000000000     0 0      abs8
both  amd64 R_ADDR/8     data 0000000000000000     0 24     abs8
both  amd64 R_ADDR/8     data 00000000000000000000000000000000 8 -8 abs8
coff  amd64 R_PEIMAGEOFF/4 data 00000000           0 8      imageoff
coff  amd64 R_SECREL/4   data 00000000             0 8      secrel
both  amd64 R_PCREL/4    text 488d0500000000c3     3 -4     rel4
both  amd64 R_PCREL/4    text 488d0500000000c3     3 28     rel4
both  amd64 R_PCREL32/4  text 488d0500000000c3     3 -36    rel4
both  amd64 R_PCREL/4    text 803d0000000007c3     2 -5     rel4
both  amd64 R_PCREL/4    text 66813d000000000700c3 3 -6     rel4
both  amd64 R_PCREL/4    text 813d0000000007000000c3 2 -8   rel4
both  amd64 R_PCREL/4    text 813d0000000007000000c3 2 4    rel4
both  amd64 R_PCREL/4    text 488d0500000000c3     3 -7     rel4
both  amd64 R_PCREL/4    text 488d0500000000c3     3 -9     rel4
both  amd64 R_CALL/4     text e800000000c3         1 -4     rel4
both  amd64 R_PCREL/4    data 0000000000000000     4 0      rel4
both  amd64 R_PCREL32/4  data 0000000000000000     4 17     rel4
macho amd64 R_PCREL/8    data 00000000000000000000000000000000 8 -16 rel8
both  arm64 R_ADDR/8     data 0000000000000000     0 0      abs8
both  arm64 R_ADDR/8     data 00000000000000000000000000000000 8 24 abs8
coff  arm64 R_PEIMAGEOFF/4 data 00000000           0 8      imageoff
coff  arm64 R_SECREL/4   data 00000000             0 8      secrel
both  arm64 R_PCREL/4    data 0000000000000000     4 0      rel4
both  arm64 R_PCREL32/4  data 0000000000000000     4 -17    rel4
macho arm64 R_PCREL/8    data 00000000000000000000000000000000 8 16 rel8
both  arm64 R_CALLARM64/4 text 00000094c0035fd6    0 0      branch
both  arm64 R_JUMPARM64/4 text 00000094c0035fd6    0 8      branch
both  arm64 R_JUMPARM64/4 text 00000014c0035fd6    0 0      branch
both  arm64 R_ADDRARM64/8 text 0000009000000091c0035fd6 0 0 pair
both  arm64 R_ADDRARM64/8 text 0000009000000091c0035fd6 0 4100 pair
both  arm64 R_ADDRARM64/8 text 0000009000000091c0035fd6 0 -12 pair
both  arm64 R_ADDRARM64/8 text 0000009000000091c0035fd6 0 -70001 pair
both  arm64 R_ADDRARM64/8 text 0000009000000091c0035fd6 0 2097153 pair
both  arm64 R_ADDRARM64/8 text 0000009000000091c0035fd6 0 16777216 pair
both  arm64 R_ARM64_PCREL_PAGE/4 text 00000090c0035fd6 0 20 page
both  arm64 R_ARM64_PCREL_LDST8/8   text 0000009000004039c0035fd6 0 5 pair
both  arm64 R_ARM64_PCREL_LDST16/8  text 0000009000004079c0035fd6 0 4098 pair
both  arm64 R_ARM64_PCREL_LDST32/8  text 00000090000040b9c0035fd6 0 -4 pair
both  arm64 R_ARM64_PCREL_LDST64/8  text 00000090000040f9c0035fd6 0 8 pair
both  arm64 R_ARM64_PCREL_LDST128/8 text 000000900000c03dc0035fd6 0 32 pair
"""
# What is seen in the object only: the linkers refuse it in a position-independent image, or replace it.
OBJECT_ONLY = """
macho amd64 R_ADDR/4        data UNSIGNED             0
macho amd64 R_ADDR32S/4     data UNSIGNED             0
macho amd64 R_GOTPCREL/4    text GOT                  -4
macho amd64 R_TLVP/4        text TLV                  -4
macho arm64 R_ADDR/4        data UNSIGNED             0
macho arm64 R_ARM64_GOTPCREL/8 text GOT_LOAD_PAGEOFF12+GOT_LOAD_PAGE21 0
macho arm64 R_GOTPCREL/4    data POINTER_TO_GOT       0
macho arm64 R_ARM64_TLVP/8  text TLVP_LOAD_PAGEOFF12+TLVP_LOAD_PAGE21 0
macho arm64 MACHO:BRANCH26/4 text BRANCH26            0
coff  amd64 R_ADDR/4        data ADDR32               0
coff  amd64 R_ADDR32S/4     data ADDR32               0
coff  amd64 R_TLS_LE/4      text SECREL               0
coff  amd64 R_SECTION/2     data SECTION              0
coff  arm64 R_ADDR/4        data ADDR32               0
coff  arm64 R_SECTION/2     data SECTION              0
coff  arm64 COFF:REL32/4    data REL32                -4
coff  386   R_ADDR/4        data DIR32                0
coff  386   R_PEIMAGEOFF/4  data DIR32NB              0
coff  386   R_PCREL/4       text REL32                -4
coff  386   R_PCREL32/4     data REL32                -4
coff  386   R_CALL/4        text REL32                -4
coff  386   R_SECREL/4      data SECREL               0
coff  386   R_SECTION/2     data SECTION              0
"""
RET = {"amd64": b"\xc3", "arm64": bytes.fromhex("c0035fd6"), "386": b"\xc3"}
FORMATS = {"macho": (TARGETS, macho.write_macho, "darwin"), "coff": (TARGETS, coff.write_coff, "windows")}
ELSEWHERE = 24 << 20  # large enough for the largest addend


def cases(text: str, fmt: str, arch: str) -> list[list[str]]:
    rows = [line.split() for line in text.strip().split("\n")]
    return [row for row in rows if row[0] in ("both", fmt) and row[1] == arch]


def program(arch: str, rows: list[list[str]]) -> list[LSym]:
    """main, one symbol for each row, a target in the data and one in the code."""
    main = LSym("main", STEXT)
    main.data = bytearray(RET[arch])
    data = LSym("target", SDATA)
    data.data = bytearray(4096)
    data.align = 16
    space = LSym("space", 3)  # bss behind the data: where large addends lead to
    space.size = ELSEWHERE
    code = LSym("callee", STEXT)
    code.data = bytearray(RET[arch] * 4)
    out = [main, data, space, code]
    for i, (_, _, kind, section, content, off, add, how) in enumerate(rows):
        s = LSym(f"f{i}", STEXT if section == "text" else SDATA)
        s.data = bytearray.fromhex(content)
        name, _, size = kind.partition("/")
        to = code if how == "branch" or "CALL" in name else data if abs(int(add)) < len(data.data) else space
        s.relocs = [Reloc(int(off), int(size), name, to, int(add))]
        out.append(s)
        # reached from main, so that it is not dropped
        holder = LSym(f"hold{i}", SDATA)
        holder.data = bytearray(8)
        holder.relocs = [Reloc(0, 8, "R_ADDR", s, 0)]
        out.append(holder)
    return out


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
@pytest.mark.parametrize(
    ("fmt", "choice"), [("macho", "ld64.lld"), ("macho", "zig"), ("coff", "lld-link"), ("coff", "zig")]
)
def test_linked(fmt: str, choice: str, arch: str, tmp_path: object) -> None:
    targets, write, system = FORMATS[fmt]
    rows = cases(CASES, fmt, arch)
    if (fmt, choice) == ("macho", "zig"):  # takes ADDEND for unsigned: docs/objwriter.md, "What linkers do differently"
        rows = [row for row in rows if row[-1] != "pair" or int(row[-2]) >= 0]
    obj = build_object(targets[f"{system}/{arch}"], program(arch, rows))
    path = save(tmp_path, "a.o", write(obj))
    if fmt == "macho":
        image = Image(link_macho(choice, arch, [path], tmp_path))
    else:
        image = Image(link_coff(choice, arch, [path], tmp_path, ("/opt:noref",)))
    wrong: list[str] = []
    for i, (_, _, kind, _, _, off, add, how) in enumerate(rows):
        at = image.symbols[f"f{i}"] + int(off)
        to = image.symbols[
            "callee" if how == "branch" or "CALL" in kind else "target" if abs(int(add)) < 4096 else "space"
        ]
        if how == "secrel":
            found = image.section_start(to) + image.word(at)
        else:
            found = read_field(image, how, at)
        if found != (to + int(add)) & ~(0xFFF if how == "page" else 0):
            wrong.append(f"{rows[i]}: {found:#x} is not {to:#x}{int(add):+}")
    assert not wrong, "\n".join(wrong)


OBJECT_CASES = [row.split() for row in OBJECT_ONLY.strip().split("\n")]


@pytest.mark.parametrize("row", OBJECT_CASES, ids=[f"{r[0]}-{r[1]}-{r[2]}" for r in OBJECT_CASES])
def test_in_object(row: list[str], tmp_path: object) -> None:
    fmt, arch, kind, section, names, add = row
    name, _, size = kind.partition("/")
    s = LSym("s", STEXT if section == "text" else SDATA)
    s.data = bytearray(16)
    s.relocs = [Reloc(4, int(size), name, LSym("u"), int(add))]
    targets, write, system = FORMATS[fmt]
    path = save(tmp_path, "a.o", write(build_object(targets[f"{system}/{arch}"], [s])))
    text = subprocess.run([tool("llvm-readobj"), "--relocations", path], capture_output=True, text=True, check=True)
    found = [w for w in text.stdout.split() if "_RELOC_" in w or "IMAGE_REL_" in w]
    assert [
        w.partition("_RELOC_" if fmt == "macho" else "IMAGE_REL_")[2].split("_", fmt == "coff")[-1] for w in found
    ] == (names.split("+"))
    assert text.stderr == ""


@pytest.mark.parametrize("fmt", ["macho", "coff"])
def test_every_row_has_a_case(fmt: str) -> None:
    """A row added to a table needs a case here."""
    rows = [
        (target.arch, f"{kind}/{size}") for target in targets_of(fmt).values() for kind, size in load_format(target)[0]
    ]
    have = {
        (r[1], r[2])
        for r in [line.split() for line in (CASES + OBJECT_ONLY).split("\n") if line]
        if r[0] in ("both", fmt)
    }
    assert [row for row in rows if row not in have] == []


ERRORS = [
    (
        "macho",
        "amd64",
        "R_TLS_LE",
        4,
        0,
        0,
        0,
        "cannot express R_TLS_LE of 4 bytes in Mach-O for darwin/amd64 .u, .text.s.0x0",
    ),
    ("macho", "amd64", "R_GOTPCREL", 4, 3, 0, 0, "with addend 0 in Mach-O .*u, .text.s.0x3.*no offset"),
    ("macho", "amd64", "R_CALL", 4, 1, 1 << 33, 0, "does not fit the field"),
    ("macho", "amd64", "R_ADDR", 8, 9, 0, 0, "lies outside of s"),
    ("macho", "amd64", "MACHO:NOPE", 8, 0, 0, 0, "cannot express MACHO:NOPE"),
    ("macho", "amd64", "MACHO:UNSIGNED", 0, 0, 0, 0, "cannot express MACHO:UNSIGNED of 0 bytes"),
    ("coff", "arm64", "COFF:PAGEOFFSET_12L", 2, 10, 0, 0, "cannot express COFF:PAGEOFFSET_12L of 2 bytes"),
    ("macho", "arm64", "R_ADDRARM64", 8, 0, 1 << 23, 0, "24 bits"),
    ("macho", "arm64", "R_ADDRARM64", 8, 0, 1 << 23, A_DUPOK, "24 bits"),
    ("macho", "arm64", "R_ARM64_GOTPCREL", 8, 0, 8, 0, "no offset"),
    ("macho", "arm64", "R_ARM64_TLS_IE", 8, 0, 0, 0, "cannot express R_ARM64_TLS_IE"),
    (
        "coff",
        "amd64",
        "R_GOTPCREL",
        4,
        0,
        0,
        0,
        "cannot express R_GOTPCREL of 4 bytes in COFF for windows/amd64 .u, .text.s.0x0",
    ),
    ("coff", "amd64", "R_ADDR", 4, 0, 1 << 33, 0, "does not fit the field"),
    ("coff", "amd64", "R_PCREL", 8, 0, 0, 0, "cannot express R_PCREL"),
    ("coff", "arm64", "R_CALLARM64", 4, 0, 8, 0, "no place"),
    ("coff", "arm64", "R_ADDRARM64", 8, 0, 1 << 20, A_DUPOK, "no place"),
    ("coff", "arm64", "R_ARM64_GOTPCREL", 8, 0, 0, 0, "cannot express R_ARM64_GOTPCREL"),
]


@pytest.mark.parametrize(("fmt", "arch", "kind", "size", "off", "add", "attrs", "message"), ERRORS)
def test_errors(fmt: str, arch: str, kind: str, size: int, off: int, add: int, attrs: int, message: str) -> None:
    s = LSym("s")
    s.data = bytearray(12)
    u = LSym("u", SRODATA, attrs)
    u.data = bytearray(8)
    s.relocs = [Reloc(off, size, kind, u, add)]
    targets, write, system = FORMATS[fmt]
    with pytest.raises(ObjectError, match=message):
        write(build_object(targets[f"{system}/{arch}"], [s, u] if attrs else [s]))


def test_unsigned_addends() -> None:
    s = LSym("s")
    s.data = bytearray(12)
    s.relocs = [Reloc(0, 8, "R_ADDRARM64", LSym("u"), -8)]
    obj = build_object(TARGETS["darwin/arm64"], [s])
    assert macho.write_macho(obj)
    with pytest.raises(ObjectError, match="takes addends for unsigned"):
        macho.write_macho(obj, unsigned_addends=True)


@pytest.mark.parametrize("choice", ["lld-link", "zig"])
def test_linked_386(choice: str, tmp_path: object) -> None:
    """windows/386: absolute and relative fields, C names with `_`, and no complaint about handlers."""
    rows = [
        row
        for row in cases(CASES, "coff", "amd64")
        if row[2] in ("R_PCREL/4", "R_PCREL32/4", "R_CALL/4", "R_PEIMAGEOFF/4")
    ]
    rows.append(["coff", "386", "R_ADDR/4", "data", "0000000000000000", "4", "24", "abs4"])
    symbols = program("386", rows)
    for s in symbols:  # what keeps the cases is a pointer: 4 bytes here
        for r in s.relocs:
            if r.size == 8:
                r.size = 4
    path = save(tmp_path, "a.o", coff.write_coff(build_object(TARGETS["windows/386"], symbols)))
    image = Image(link_coff(choice, "386", [path], tmp_path, ("/opt:noref", "/safeseh")))
    names = {name.removeprefix("_"): at for name, at in image.symbols.items()}
    for i, (_, _, kind, _, _, off, add, how) in enumerate(rows):
        to = names["callee" if "CALL" in kind else "target"]
        assert read_field(image, how, names[f"f{i}"] + int(off)) == to + int(add), rows[i]
