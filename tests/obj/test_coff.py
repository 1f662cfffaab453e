"""COFF objects: sections, COMDATs, symbols, names and the large forms as llvm-readobj, lief and lld-link read them."""

from __future__ import annotations

import struct

import pytest
from images import Image, link_coff, run, save, tool

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
from objwriter.targets import TARGETS, targets_of
from objwriter.coff import _Strings, section_name_field, write_coff
from objwriter.model import (
    ABSOLUTE,
    B_LOCAL,
    B_WEAK,
    K_FILE,
    K_SECTION,
    S_DATA,
    UNDEF,
    Object,
    ObjectError,
    Section,
    Symbol,
)

AMD = TARGETS["windows/amd64"]
KINDS = {"text": STEXT, "rodata": SRODATA, "data": SDATA, "bss": SBSS, "note": SNOTE, "tls": STLSBSS}
ATTRS = {"0": 0, "static": A_STATIC, "hidden": A_HIDDEN, "dupok": A_DUPOK}

# LSym kind, attrs, section override -> section, characteristics, selection, storage class, type
SYMBOLS = """
text    0            -            .text$m              0x60501020  1  2  0x20
text    static       -            .text$m              0x60501020  1  3  0x20
text    hidden       -            .text$m              0x60501020  1  2  0x20
text    dupok        -            .text$m              0x60501020  2  2  0x20
rodata  0            -            .rdata$m             0x40501040  1  2  0
rodata  static+dupok -            .rdata$m             0x40500040  0  3  0
data    0            -            .data$m              0xc0501040  1  2  0
data    0            mochi_roots  .data$mochi_roots$m  0xc0501040  1  2  0
data    0            .CRT$XCU     .CRT$XCU             0xc0500040  0  2  0
bss     0            -            .bss$m               0xc0501080  1  2  0
tls     0            -            .tls$m               0xc0501040  1  2  0
"""


def sym(name: str, kind: int = STEXT, size: int = 16, attrs: int = 0) -> LSym:
    s = LSym(name, kind, attrs)
    if kind in (SBSS, STLSBSS):
        s.size = size
    else:
        s.data = bytearray(b"\xc3" * size)
    return s


class Parsed:
    """Sections and symbols of an object, straight from the structures of the format's description."""

    def __init__(self, data: bytes) -> None:
        self.big = data[:4] == b"\0\0\xff\xff"
        if self.big:
            machine, stamp = struct.unpack_from("<HI", data, 6)
            count, table, symbols = struct.unpack_from("<III", data, 44)
            at = 56
        else:
            machine, count, stamp, table, symbols, optional, flags = struct.unpack_from("<HHIIIHH", data)
            assert (optional, flags) == (0, 0)
            at = 20
        assert stamp == 0
        self.machine = machine
        size = 20 if self.big else 18
        strings = table + symbols * size
        assert struct.unpack_from("<I", data, strings)[0] == len(data) - strings
        self.sections: list[tuple[str, int, int, int, int]] = []  # name, size, relocations, flags, data
        for i in range(count):
            raw, _, _, length, where, _, _, relocs, _, bits = struct.unpack_from("<8sIIIIIIHHI", data, at + 40 * i)
            name = raw.rstrip(b"\0").decode()
            if name[:1] == "/":
                start = strings + int(name[1:])
                name = data[start : data.index(b"\0", start)].decode()
            self.sections.append((name, length, relocs, bits, where))
        self.symbols: dict[str, tuple[int, int, int, int]] = {}  # value, section, type, class
        self.selection: dict[int, tuple[int, int]] = {}  # section -> selection, associate
        i = 0
        while i < symbols:
            where = table + i * size
            raw, value, section, type_, storage, aux = struct.unpack_from(
                "<8sIiHBB" if self.big else "<8sIhHBB", data, where
            )
            if raw[:4] == bytes(4):
                start = strings + int.from_bytes(raw[4:], "little")
                raw = data[start : data.index(b"\0", start)]
            name = raw.rstrip(b"\0").decode()
            if storage == 3 and aux == 1 and name[:1] in (".", "$"):
                low, selection, _, high = struct.unpack_from("<HBBH", data, where + size + 12)
                self.selection[section] = (selection, low | high << 16)
            else:
                self.symbols[name] = (value, section, type_, storage)
            i += 1 + aux


@pytest.mark.parametrize("row", [r for r in SYMBOLS.split("\n") if r])
def test_symbol(row: str) -> None:
    kind, attrs, section, name, flags, selection, storage, type_ = row.split()
    s = sym("s", KINDS[kind], 16, sum(ATTRS[a] for a in attrs.split("+")))
    if section != "-":
        s.section = section
    s.align = 16
    for big in (False, True):
        parsed = Parsed(write_coff(build_object(AMD, [s]), big))
        got = parsed.symbols["s"]
        found = parsed.sections[got[1] - 1]
        assert (found[0], hex(found[3]), found[1]) == (name, flags, 16)
        assert parsed.selection[got[1]][0] == int(selection)
        assert got == (0, 1, int(type_, 16), int(storage))
        assert parsed.big is big


@pytest.mark.parametrize("name", sorted(targets_of("coff")))
def test_header(name: str) -> None:
    lief = pytest.importorskip("lief")
    data = write_coff(build_object(TARGETS[name], [sym("s")]))
    parsed = Parsed(data)
    assert parsed.machine == TARGETS[name].machine
    prefix = "_" if name == "windows/386" else ""
    assert prefix + "s" in parsed.symbols
    assert ("@feat.00" in parsed.symbols) is bool(prefix)
    seen = lief.COFF.parse(list(data))
    assert [s.name for s in seen.sections] == [".text$m"]
    assert seen.header.timedatestamp == 0


def test_notes_are_associative_and_in_the_order_of_the_code() -> None:
    f, g = sym("f"), sym("g")
    notes = []
    for to in (g, f):
        n = LSym(to.name + ".n", SNOTE, A_STATIC)
        n.section, n.link, n.data = "frames", to, bytearray(to.name.encode())
        notes.append(n)
    data = write_coff(build_object(AMD, [*notes, f, g]))
    parsed = Parsed(data)
    assert [s[0] for s in parsed.sections] == [".text$m", ".text$m", ".rdata$frames$m", ".rdata$frames$m"]
    assert [data[s[4] : s[4] + 1] for s in parsed.sections[2:]] == [b"f", b"g"]
    assert [parsed.selection[i] for i in (1, 2, 3, 4)] == [(1, 0), (1, 0), (5, 1), (5, 2)]


def test_symbols_of_other_kinds(tmp_path: object) -> None:
    obj = Object(AMD)
    section = Section(".data.t", S_DATA, 8)
    section.data, section.size = bytes(32), 32
    obj.sections = [section]
    obj.symbols = [Symbol("a_file_name_that_is_long.s", ABSOLUTE, 0, 0, K_FILE, B_LOCAL), Symbol("t", 0)]
    obj.symbols += [Symbol("inner_symbol", 0, 8, 0, 0, B_LOCAL), Symbol("weak", UNDEF, 0, 0, 0, B_WEAK)]
    obj.symbols += [Symbol("abs", ABSOLUTE, 77), Symbol("", 0, 0, 0, K_SECTION, B_LOCAL), Symbol("\1_bare", UNDEF)]
    for big in (False, True):
        data = write_coff(obj, big)
        parsed = Parsed(data)
        assert parsed.symbols[".file"][1:] == (-2, 0, 103)
        assert parsed.symbols["inner_symbol"] == (8, 1, 0, 3)
        assert parsed.symbols["weak"] == (0, 0, 0, 105)
        assert parsed.symbols["abs"] == (77, -1, 0, 2)
        assert "_bare" in parsed.symbols
        out = run([tool("llvm-readobj"), "--symbols", save(tmp_path, "a.obj", data)])
        assert "a_file_name_that_is_long.s" in out
        assert "Search: NoLibrary" in out
        assert "Linked: .weak.weak.default" in out


def test_weak_reference_is_null(tmp_path: object) -> None:
    obj = Object(AMD)
    text, data = Section(".text.main", 0, 16), Section(".data.p", S_DATA, 8)
    text.data, text.size, data.data, data.size = b"\xc3", 1, bytes(8), 8
    from objwriter.model import Relocation

    data.relocs = [Relocation(0, 8, "R_ADDR", 1, 0)]
    obj.sections = [text, data]
    obj.symbols = [Symbol("main", 0, 0, 1, 1), Symbol("absent", UNDEF, 0, 0, 0, B_WEAK), Symbol("p", 1)]
    path = save(tmp_path, "a.obj", write_coff(obj))
    image = Image(link_coff("lld-link", "amd64", [path], tmp_path, ("/opt:noref",)))
    assert image.word(image.symbols["p"], 8) == 0


@pytest.mark.slow
def test_more_sections_than_16_bits(tmp_path: object) -> None:
    """The big-object form starts by itself; the linker reads it."""
    n = 65300
    symbols = [sym(f"d{i}", SDATA, 1) for i in range(n)]
    main = sym("main")
    symbols[0].data = bytearray(8)
    symbols[0].relocs = [Reloc(0, 8, "R_ADDR", symbols[-1], 0)]
    main.relocs = [Reloc(3, 4, "R_PCREL", symbols[0], -4)]
    data = write_coff(build_object(AMD, [*symbols, main]))
    parsed = Parsed(data)
    assert parsed.big
    assert parsed.symbols["main"][1] == n + 1
    path = save(tmp_path, "a.obj", data)
    image = Image(link_coff("lld-link", "amd64", [path], tmp_path))
    assert image.word(image.symbols["d0"], 8) == image.symbols[f"d{n - 1}"]
    few = write_coff(build_object(AMD, symbols[:50000]))
    assert not Parsed(few).big
    assert Parsed(few).symbols["d49999"][1] & 0xFFFF == 50000


def test_more_relocations_than_16_bits(tmp_path: object) -> None:
    s, main = sym("table", SDATA, 8 * 70000), sym("main")
    s.relocs = [Reloc(8 * i, 8, "R_ADDR", main, 0) for i in range(70000)]
    data = write_coff(build_object(AMD, [main, s]))
    assert Parsed(data).sections[1][2] == 0xFFFF
    assert Parsed(data).sections[1][3] & 0x01000000
    path = save(tmp_path, "a.obj", data)
    image = Image(link_coff("lld-link", "amd64", [path], tmp_path, ("/opt:noref",)))
    table, entry = image.symbols["table"], image.symbols["main"]
    for i in (0, 1, 69999):
        assert image.word(table + 8 * i, 8) == entry


def test_long_section_names() -> None:
    strings = _Strings()
    assert section_name_field(b".text$m", strings) == b".text$m"
    assert section_name_field(b".data$mochi_roots$m", strings) == b"/4"
    strings.data += bytes(10_000_000)
    field = section_name_field(b"another_long_name", strings)
    assert field == b"//AAmJaY"  # 10,000,024 in base 64


def test_undefined_weak_definition_with_company() -> None:
    obj = Object(AMD)
    section = Section(".data.t", S_DATA, 8)
    section.data, section.size = bytes(16), 16
    obj.sections = [section]
    obj.symbols = [Symbol("a", 0), Symbol("b", 0, 8, 0, 0, B_WEAK)]
    with pytest.raises(ObjectError, match="cannot express weak a in COFF"):
        write_coff(obj)


def test_refused() -> None:
    bad = sym("s")
    bad.align = 16384
    with pytest.raises(ObjectError, match="up to 8192"):
        write_coff(build_object(AMD, [bad]))
    with pytest.raises(ObjectError, match="NUL"):
        write_coff(build_object(AMD, [sym("a\0b")]))
    b = sym("s", SBSS)
    obj = build_object(AMD, [b])
    from objwriter.model import Relocation

    obj.sections[0].relocs = [Relocation(0, 8, "R_ADDR", 0, 0)]
    with pytest.raises(ObjectError, match="has no contents"):
        write_coff(obj)


def test_same_bytes_twice() -> None:
    def make() -> bytes:
        a, b = sym("a"), sym("b", SDATA)
        a.relocs = [Reloc(0, 4, "R_PCREL", b, -4), Reloc(4, 4, "R_CALL", LSym("c"), -4)]
        return write_coff(build_object(AMD, [a, b]))

    assert make() == make()


def test_readers_do_not_complain(tmp_path: object) -> None:
    for name in sorted(targets_of("coff")):
        f, data = sym("main"), sym("d", SDATA)
        data.relocs = [Reloc(0, 4, "R_ADDR", f, 4), Reloc(8, 4, "R_PCREL", f, 0)]
        path = save(tmp_path, "a.obj", write_coff(build_object(TARGETS[name], [f, data, sym("z", SBSS)])))
        assert "File" in run([tool("llvm-readobj"), "--all", path])
        run([tool("llvm-objdump"), "-dr", path])
