"""Mach-O objects: sections, symbols, atoms and names as llvm-readobj, lief and the linkers read them."""

from __future__ import annotations

import re
import struct

import pytest
from images import Image, link_macho, run, save, tool

from backend.obj.sym import (
    A_DUPOK,
    A_HIDDEN,
    A_STATIC,
    SBSS,
    SDATA,
    SNOTE,
    SRODATA,
    STEXT,
    STLSBSS,
    LSym,
    Reloc,
)
from objwriter.build import build_object
from objwriter.macho import write_macho
from objwriter.targets import TARGETS, targets_of
from objwriter.model import ABSOLUTE, B_WEAK, K_FILE, S_DATA, UNDEF, Object, ObjectError, Section, Symbol
from objwriter.universal import write_universal

AMD = TARGETS["darwin/amd64"]
KINDS = {"text": STEXT, "rodata": SRODATA, "data": SDATA, "bss": SBSS, "note": SNOTE, "tls": STLSBSS}
ATTRS = {"0": 0, "static": A_STATIC, "hidden": A_HIDDEN, "dupok": A_DUPOK}

# LSym kind, attrs, section override, size -> segment,section, section flags, symbol type, n_desc
SYMBOLS = """
text    0            -            16  __TEXT,__text     0x80000400  0xf   0
text    static       -            16  __TEXT,__text     0x80000400  0xe   0
text    hidden       -            16  __TEXT,__text     0x80000400  0x1f  0
text    dupok        -            16  __TEXT,__text     0x80000400  0xf   0x80
text    dupok+hidden -            16  __TEXT,__text     0x80000400  0x1f  0x80
rodata  0            -            16  __TEXT,__const    0x0         0xf   0
rodata  static+dupok -            4   __TEXT,__literal4 0x3         0xe   0
rodata  static+dupok -            8   __TEXT,__literal8 0x4         0xe   0
rodata  static+dupok -            16  __TEXT,__literal16 0xe        0xe   0
data    0            -            16  __DATA,__data     0x0         0xf   0
data    0            mochi_roots  16  __DATA,__mochi_roots 0x0      0xf   0
data    0            __X,__y      16  __X,__y           0x0         0xf   0
data    0            .init_array  16  __DATA,__mod_init_func 0x9    0xf   0
bss     0            -            16  __DATA,__bss      0x1         0xf   0
tls     0            -            16  __DATA,__thread_vars 0x13     0xf   0
"""


def sym(name: str, kind: int = STEXT, size: int = 16, attrs: int = 0) -> LSym:
    s = LSym(name, kind, attrs)
    if kind in (SBSS, STLSBSS):
        s.size = size
    else:
        s.data = bytearray(b"\xc3" * size)
    return s


class Parsed:
    """Sections and symbols of an object, straight from the structures of <mach-o/loader.h>."""

    def __init__(self, data: bytes) -> None:
        magic, self.cpu, self.sub, kind, count, _, self.flags, _ = struct.unpack_from("<8I", data)
        assert (magic, kind) == (0xFEEDFACF, 1)
        self.sections: list[tuple[str, int, int, int]] = []  # name, address, size, flags
        self.symbols: dict[str, tuple[int, int, int, int]] = {}  # type, section, n_desc, value
        self.version: tuple[int, ...] = ()
        self.order: tuple[int, ...] = ()
        at = 32
        for _ in range(count):
            command, size = struct.unpack_from("<II", data, at)
            if command == 0x19:
                number = struct.unpack_from("<I", data, at + 64)[0]
                for i in range(number):
                    sect, seg, address, length = struct.unpack_from("<16s16sQQ", data, at + 72 + 80 * i)
                    flags = struct.unpack_from("<I", data, at + 72 + 80 * i + 64)[0]
                    name = seg.rstrip(b"\0").decode() + "," + sect.rstrip(b"\0").decode()
                    self.sections.append((name, address, length, flags))
            elif command == 2:
                where, number, strings, _ = struct.unpack_from("<4I", data, at + 8)
                for i in range(number):
                    name_at, type_, section, desc, value = struct.unpack_from("<IBBHQ", data, where + 16 * i)
                    end = data.index(b"\0", strings + name_at)
                    self.symbols[data[strings + name_at : end].decode()] = (type_, section, desc, value)
            elif command == 0x32:
                self.version = struct.unpack_from("<4I", data, at + 8)
            elif command == 0xB:
                self.order = struct.unpack_from("<6I", data, at + 8)
            at += size


@pytest.mark.parametrize("row", [r for r in SYMBOLS.split("\n") if r])
def test_symbol(row: str) -> None:
    kind, attrs, section, size, where, flags, type_, desc = row.split()
    s = sym("s", KINDS[kind], int(size), sum(ATTRS[a] for a in attrs.split("+")))
    if section != "-":
        s.section = section
    parsed = Parsed(write_macho(build_object(AMD, [s])))
    name = "l_s" if "literal" in where else "_s"
    got = parsed.symbols[name]
    found = parsed.sections[got[1] - 1]
    assert (found[0], hex(found[3]), hex(got[0]), got[2]) == (where, flags, type_, int(desc, 16))
    assert parsed.flags == 0x2000  # MH_SUBSECTIONS_VIA_SYMBOLS


@pytest.mark.parametrize("name", sorted(targets_of("macho")))
def test_header(name: str) -> None:
    lief = pytest.importorskip("lief")
    data = write_macho(build_object(TARGETS[name], [sym("s")]), "12.3", "13.0.1")
    parsed = Parsed(data)
    assert (parsed.cpu, parsed.sub) == (TARGETS[name].machine, TARGETS[name].flags)
    assert parsed.version == (1, 0x000C0300, 0x000D0001, 0)
    seen = lief.parse(list(data))
    assert seen.header.file_type == lief.MachO.Header.FILE_TYPE.OBJECT
    assert seen.build_version.minos == [12, 3, 0]


def test_order_of_symbols() -> None:
    """Local, defined, undefined, with the counts in LC_DYSYMTAB."""
    a, b, c = sym("a"), sym("b", attrs=A_STATIC), sym("c")
    a.relocs = [Reloc(0, 4, "R_CALL", LSym("u"), -4), Reloc(4, 4, "R_CALL", LSym("v"), -4)]
    parsed = Parsed(write_macho(build_object(AMD, [a, b, c])))
    assert list(parsed.symbols) == ["_b", "_a", "_c", "_u", "_v"]
    assert parsed.order == (0, 1, 1, 2, 3, 2)


def test_inner_symbols_do_not_cut() -> None:
    obj = Object(AMD)
    section = Section(".data.t", S_DATA, 8)
    section.data, section.size = bytes(32), 32
    obj.sections = [section]
    obj.symbols = [
        Symbol("t", 0),
        Symbol("middle", 0, 8),
        Symbol("end", UNDEF, 0, 0, 0, B_WEAK),
        Symbol("abs", ABSOLUTE, 77),
    ]
    obj.symbols += [Symbol("x.s", ABSOLUTE, 0, 0, K_FILE), Symbol("\1bare", 0, 16)]
    symbols = Parsed(write_macho(obj)).symbols
    assert symbols["_t"][2] == 0
    assert symbols["_middle"][2] == 0x200
    assert symbols["_end"] == (1, 0, 0x40, 0)
    assert symbols["_abs"] == (3, 0, 0, 77)
    assert symbols["bare"] == (0xF, 1, 0x200, 16)
    assert "_x.s" not in symbols


def test_every_atom_has_a_symbol() -> None:
    f = sym("f")
    note = LSym("n", SNOTE, A_STATIC)
    note.section, note.link, note.data = "frames", f, bytearray(16)
    parsed = Parsed(write_macho(build_object(AMD, [note, f])))
    number = [s[0] for s in parsed.sections].index("__TEXT,__frames") + 1
    assert [name for name, s in parsed.symbols.items() if s[1] == number] == ["l_mark.0"]


def test_rodata_with_addresses_is_not_in_text() -> None:
    s = sym("s", SRODATA)
    s.relocs = [Reloc(0, 8, "R_ADDR", LSym("u"), 0)]
    parsed = Parsed(write_macho(build_object(AMD, [s])))
    assert parsed.sections[parsed.symbols["_s"][1] - 1][0] == "__DATA,__const"


def test_alignment_and_padding() -> None:
    a, b = sym("a", size=3), sym("b", size=5)
    b.align = 64
    data = write_macho(build_object(AMD, [a, b]))
    parsed = Parsed(data)
    assert parsed.symbols["_b"][3] == 64
    assert b"\xc3\xc3\xc3" + b"\x90" * 61 + b"\xc3" * 5 in data


def test_thread_local(tmp_path: object) -> None:
    """The descriptor leads to the storage; the linker accepts the pair."""
    v = sym("v", STLSBSS, 8)
    main = sym("main")
    main.data = bytearray.fromhex("488b3d00000000c3")
    main.relocs = [Reloc(3, 4, "R_TLVP", v, -4)]
    path = save(tmp_path, "a.o", write_macho(build_object(AMD, [main, v])))
    out = run([tool("llvm-readobj"), "--relocations", path])
    assert re.findall(r"X86_64_RELOC_(\w+) 0 (\S+)", out) == [
        ("TLV", "_v"), ("UNSIGNED", "_v$tlv$init"), ("UNSIGNED", "__tlv_bootstrap"),
    ]  # fmt: skip
    image = Image(link_macho("ld64.lld", "amd64", [path], tmp_path))
    names = [s.name for s in image.lief.sections]
    assert "__thread_vars" in names
    assert "__thread_bss" in names


BAD = [
    ({"section": "a_section_with_a_long_name"}, "16 bytes"),
    ({"align": 12}, "alignment 12 of section"),
    ({"name": "a\0b"}, "NUL"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_refused(change: dict[str, object], message: str) -> None:
    s = sym("s", SDATA)
    for key, value in change.items():
        setattr(s, key, value)
    with pytest.raises(ObjectError, match=message):
        write_macho(build_object(AMD, [s]))


def test_too_many_sections_and_versions() -> None:
    symbols = []
    for i in range(256):
        s = sym(f"d{i}", SDATA)
        s.section = f"s{i}"
        symbols.append(s)
    with pytest.raises(ObjectError, match="at most 255"):
        write_macho(build_object(AMD, symbols))
    for version in ("x", "1.2.3.4", "1.256", ""):
        with pytest.raises(ObjectError, match="not a version"):
            write_macho(build_object(AMD, []), version)


def test_same_bytes_twice_and_readers() -> None:
    def make() -> bytes:
        a, b = sym("a"), sym("b", SDATA)
        a.relocs = [Reloc(0, 4, "R_PCREL", b, -4), Reloc(4, 4, "R_CALL", LSym("c"), -4)]
        return write_macho(build_object(AMD, [a, b]))

    assert make() == make()


def test_readers_do_not_complain(tmp_path: object) -> None:
    for name in sorted(targets_of("macho")):
        f = sym("main")
        f.relocs = [Reloc(0, 8, "R_ADDR", f, 0)]
        data = sym("d", SDATA)
        data.relocs = [Reloc(0, 8, "R_ADDR", f, 4), Reloc(8, 4, "R_PCREL", f, 0)]
        path = save(tmp_path, "a.o", write_macho(build_object(TARGETS[name], [f, data, sym("z", SBSS)])))
        assert "File" in run([tool("llvm-readobj"), "--all", path])
        run([tool("llvm-objdump"), "-dr", path])
        run([tool("llvm-objdump"), "--macho", "--all-headers", path])


def test_universal(tmp_path: object) -> None:
    slices = [write_macho(build_object(TARGETS[name], [sym("main")])) for name in sorted(targets_of("macho"))]
    path = save(tmp_path, "fat", write_universal(slices))
    out = run([tool("llvm-objdump"), "--macho", "--universal-headers", path])
    assert re.findall(r"cputype CPU_TYPE_(\w+)", out) == ["X86_64", "ARM64"]
    assert re.findall(r"align 2\^(\d+)", out) == ["12", "14"]
    assert "_main" in run([tool("llvm-nm"), "--arch=arm64", path])
    for bad in ([], [b"x" * 40], [slices[0], slices[0]]):
        with pytest.raises(ObjectError):
            write_universal(bad)


# Instruction with a relocated disp32 at its end; type.  Only a MOVQ load may become LEAQ in the linker.
GOT_USES = [
    ("488b0500000000", "GOT_LOAD"),
    ("4c8b0d00000000", "GOT_LOAD"),
    ("483b0500000000", "GOT"),
    ("ff3500000000", "GOT"),
]


@pytest.mark.parametrize(("code", "kind"), GOT_USES)
def test_got(code: str, kind: str, tmp_path: object) -> None:
    s = sym("main")
    s.data = bytearray.fromhex(code + "c3")
    s.relocs = [Reloc(len(s.data) - 5, 4, "R_GOTPCREL", LSym("exit"), -4)]
    path = save(tmp_path, "a.o", write_macho(build_object(AMD, [s])))
    out = run([tool("llvm-readobj"), "--relocations", path])
    assert re.findall(r"X86_64_RELOC_(\w+)", out) == [kind]
    link_macho("ld64.lld", "amd64", [path], tmp_path)
    link_macho("zig", "amd64", [path], tmp_path)
