"""Archives of every kind: listed by llvm-ar and binutils, searched by the linkers; import libraries linked."""

from __future__ import annotations

import shutil

import pytest
from images import Image, link_coff, link_macho, run, save, tool

from backend.obj.sym import STEXT, LSym, Reloc
from mochic.link.tools import find_zig
from objwriter import coff, elf, macho
from objwriter.targets import TARGETS
from objwriter.archive import (
    BSD,
    COFF,
    GNU,
    IMPORT_DATA,
    Import,
    Member,
    defined_symbols,
    parse_def,
    short_import,
    write_archive,
    write_import_library,
)
from objwriter.build import build_object
from objwriter.model import ObjectError

STYLES = {"gnu": GNU, "bsd": BSD, "coff": COFF}
CALL = {
    "amd64": (b"\xe8\0\0\0\0\xc3", Reloc(1, 4, "R_CALL", None, -4)),
    "arm64": (bytes.fromhex("00000094c0035fd6"), Reloc(0, 4, "R_CALLARM64", None, 0)),
}


def call(arch: str, name: str, callee: str = "") -> LSym:
    s = LSym(name, STEXT)
    code, r = CALL[arch]
    s.data = bytearray(code)
    if callee:
        s.relocs = [Reloc(r.off, r.size, r.kind, LSym(callee), r.add)]
    return s


def member(fmt: str, arch: str, file: str, symbols: list[LSym]) -> Member:
    if fmt == "gnu":
        obj = build_object(TARGETS[f"linux/{arch}"], symbols)
        return Member(file, elf.write_elf(obj), defined_symbols(obj))
    if fmt == "bsd":
        obj = build_object(TARGETS[f"darwin/{arch}"], symbols)
        return Member(file, macho.write_macho(obj), defined_symbols(obj, "_"))
    obj = build_object(TARGETS[f"windows/{arch}"], symbols)
    return Member(file, coff.write_coff(obj), defined_symbols(obj))


def library(fmt: str, arch: str = "amd64") -> bytes:
    members = [
        member(fmt, arch, "one.o", [call(arch, "one")]),
        member(fmt, arch, "a_member_with_a_long_name.o", [call(arch, "two", "three")]),
        member(fmt, arch, "another_member_with_a_long_name.o", [call(arch, "three")]),
    ]
    return write_archive(members, STYLES[fmt])


@pytest.mark.parametrize("fmt", sorted(STYLES))
def test_listed(fmt: str, tmp_path: object) -> None:
    data = library(fmt)
    assert data == library(fmt)
    path = save(tmp_path, "x.a", data)
    names = ["one.o", "a_member_with_a_long_name.o", "another_member_with_a_long_name.o"]
    assert run([tool("llvm-ar"), "t", path]).split() == names
    mapped = run([tool("llvm-nm"), "--print-armap", path])
    prefix = "_" if fmt == "bsd" else ""
    for symbol, file in (("one", names[0]), ("two", names[1]), ("three", names[2])):
        assert f"{prefix}{symbol} in {file}" in mapped
    if fmt == "gnu" and shutil.which("ar"):
        assert run(["ar", "t", path]).split() == names


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_linked_macho(arch: str, tmp_path: object) -> None:
    main = member("bsd", arch, "", [call(arch, "main", "two")])
    paths = [save(tmp_path, "m.o", main.data), save(tmp_path, "libx.a", library("bsd", arch))]
    image = Image(link_macho("ld64.lld", arch, paths, tmp_path))
    assert {"two", "three"} <= image.symbols.keys()
    assert "one" not in image.symbols


@pytest.mark.parametrize("choice", ["lld-link", "zig"])
@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_linked_coff(arch: str, choice: str, tmp_path: object) -> None:
    """The library's members and the imports of two DLLs, one symbol renamed, one by number."""
    first = call(arch, "main", "two")
    second = call(arch, "ours", "ExitProcess")
    renamed = call(arch, "third", "Nap")
    main = LSym("main", STEXT)
    for s in (first, second, renamed, call(arch, "", "Numbered")):
        for r in s.relocs:
            main.relocs.append(Reloc(len(main.data) + r.off, r.size, r.kind, r.sym, r.add))
        main.data += s.data
    dll, imports = parse_def("LIBRARY KERNEL32\nEXPORTS\n ExitProcess\n Nap == Sleep\n Value DATA ; not used\n")
    other = [Import("Numbered", "", 7)]
    paths = [
        save(tmp_path, "m.obj", member("coff", arch, "", [main]).data),
        save(tmp_path, "x.lib", library("coff", arch)),
        save(tmp_path, "k.lib", write_import_library(f"windows/{arch}", dll, imports)),
        save(tmp_path, "o.lib", write_import_library(f"windows/{arch}", "other.dll", other)),
    ]
    image = Image(link_coff(choice, arch, paths, tmp_path))
    assert {"two", "three"} <= image.symbols.keys()
    assert "one" not in image.symbols
    found = {i.name: [e.name if not e.is_ordinal else e.ordinal for e in i.entries] for i in image.lief.imports}
    assert found == {"KERNEL32.dll": ["ExitProcess", "Sleep"], "other.dll": [7]}


def test_as_zig_makes_it(tmp_path: object) -> None:
    """The symbols of our import library are those of another tool's."""
    zig = find_zig()
    if not zig:
        pytest.skip("the ziglang wheel is not installed")
    text = "LIBRARY KERNEL32.dll\nEXPORTS\nExitProcess\nWriteFile\nBlob DATA\n"
    ours = save(tmp_path, "ours.lib", write_import_library("windows/amd64", *parse_def(text)))
    theirs = f"{tmp_path}/theirs.lib"
    run([zig, "dlltool", "-d", save(tmp_path, "k.def", text.encode()), "-l", theirs, "-m", "i386:x86-64"])

    def symbols(path: str) -> list[str]:
        lines = run([tool("llvm-nm"), "--print-armap", path]).split("\n\n")[0].split("\n")
        return sorted(line.split(" in ")[0] for line in lines if " in " in line)

    assert symbols(ours) == symbols(theirs)


def test_short_import() -> None:
    data = short_import(0x8664, "K.dll", Import("f"))
    assert data.hex() == "0000ffff000064860000000008000000000004006600" + b"K.dll\0".hex()
    assert short_import(0x14C, "K.dll", Import("f@4"), "_")[18:20].hex() == "0c00"
    assert short_import(0x8664, "K.dll", Import("v", "", -1, IMPORT_DATA))[18:20].hex() == "0500"


BAD_DEFS = [
    ("EXPORTS\n f\n", "no LIBRARY"),
    ("LIBRARY k\nEXPORTS\n f @x\n", "line 3 of the definitions: unexpected @x"),
    ("LIBRARY k\nEXPORTS\n f NONAME\n", "NONAME needs an ordinal"),
    ("LIBRARY k\nEXPORTS\n =g\n", "no name"),
]


@pytest.mark.parametrize(("text", "message"), BAD_DEFS)
def test_bad_definitions(text: str, message: str) -> None:
    with pytest.raises(ObjectError, match=message):
        parse_def(text)


def test_refused() -> None:
    for name in ("", "a/b", "a\nb"):
        with pytest.raises(ObjectError, match="cannot be written"):
            write_archive([Member(name, b"", [])])
    with pytest.raises(ObjectError, match="no COFF target"):
        write_import_library("windows/mips", "k.dll", [])
