"""Notes and groups in linked images: dropped with their function, in the order of the code, between two symbols.

Two objects, functions in an order other than that of their notes; half of the functions are unused.
"""

from __future__ import annotations

import pytest
from images import Image, link_coff, link_macho, save

from backend.obj.sym import A_DUPOK, A_STATIC, SDATA, SNOTE, STEXT, LSym, Reloc
from objwriter import coff, macho
from objwriter.build import build_object
from objwriter.targets import TARGETS
from objwriter.model import S_DATA, S_NOTE, S_TEXT

RET = {"amd64": b"\xc3", "arm64": bytes.fromhex("c0035fd6")}
CALL = {
    "amd64": ("R_PCREL", 4, b"\x48\x8d\x05\0\0\0\0", 3, -4),
    "arm64": ("R_CALLARM64", 4, bytes.fromhex("00000094"), 0, 0),
}
BOUNDS = {
    "frames_start": ("frames", S_NOTE, False),
    "frames_end": ("frames", S_NOTE, True),
    "roots_start": ("roots", S_DATA, False),
    "roots_end": ("roots", S_DATA, True),
    "text_start": (".text", S_TEXT, False),
    "text_end": (".text", S_TEXT, True),
}


def function(arch: str, name: str, calls: list[LSym], attrs: int = 0) -> list[LSym]:
    """A function that refers to others, with a note of two records and a root of its own."""
    kind, size, code, off, add = CALL[arch]
    f = LSym(name, STEXT, attrs)
    for callee in calls:
        f.relocs.append(Reloc(len(f.data) + off, size, kind, callee, add))
        f.data += code
    f.data += RET[arch] * 4
    f.align = 16
    note = LSym(name + ".frames", SNOTE, A_STATIC)
    note.section, note.link, note.align = "frames", f, 8
    note.data = bytearray(16)
    note.relocs = [Reloc(0, 4, "R_PCREL32", f, 1), Reloc(8, 4, "R_PCREL32", f, len(f.data))]
    return [note, f]


def objects(arch: str) -> list[list[LSym]]:
    ends = LSym("ends", SDATA)
    ends.data = bytearray(8 * len(BOUNDS))
    ends.relocs = [Reloc(8 * i, 8, "R_ADDR", LSym(name), 0) for i, name in enumerate(BOUNDS)]
    root = LSym("root", SDATA)
    root.section, root.data, root.align = "roots", bytearray(b"root1234"), 8
    other_root = LSym("other_root", SDATA)
    other_root.section, other_root.data, other_root.align = "roots", bytearray(b"more1234"), 8
    weak = function(arch, "weak", [], A_DUPOK)
    again = function(arch, "weak", [], A_DUPOK)
    b1, b2, b3 = (function(arch, f"b{i}", []) for i in range(1, 4))
    main = (
        function(arch, "main", [ends, LSym("b3"), LSym("b1"), root, weak[1], other_root])
        if arch == "amd64"
        else (function(arch, "main", [LSym("b3"), LSym("b1"), weak[1]]))
    )
    a1, a2 = function(arch, "a1", []), function(arch, "a2", [])
    main_code = main[1]
    if arch == "arm64":  # data that the code only reaches by calls would be dropped: keep it by the code
        main_code.data = bytearray()
        main_code.relocs = []
        for to in (LSym("b3"), LSym("b1"), weak[1], ends, root, other_root):
            main_code.relocs.append(Reloc(len(main_code.data), 8, "R_ADDRARM64", to, 0))
            main_code.data += bytes.fromhex("0000009000000091")
        main_code.data += RET[arch]
        main[0].relocs[1].add = len(main_code.data)
    notes = [a2[0], weak[0], main[0], a1[0]]
    return [
        [*notes, a1[1], main[1], weak[1], a2[1], ends, root],
        [b3[0], again[0], b1[0], b2[0], b1[1], b2[1], again[1], b3[1], other_root],
    ]


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
@pytest.mark.parametrize(
    ("fmt", "choice"), [("macho", "ld64.lld"), ("macho", "zig"), ("coff", "lld-link"), ("coff", "zig")]
)
def test_groups(fmt: str, choice: str, arch: str, tmp_path: object) -> None:
    paths = []
    for i, symbols in enumerate(objects(arch)):
        obj = build_object(TARGETS[("darwin/" if fmt == "macho" else "windows/") + arch], symbols)
        obj.bounds = BOUNDS
        data = macho.write_macho(obj) if fmt == "macho" else coff.write_coff(obj)
        paths.append(save(tmp_path, f"{i}.o", data))
    if fmt == "macho":
        options = ("-dead_strip",) if choice != "zig" else ()  # which does not know S_ATTR_LIVE_SUPPORT
        image = Image(link_macho(choice, arch, paths, tmp_path, options))
    else:
        image = Image(link_coff(choice, arch, paths, tmp_path))
    at = image.symbols["ends"]
    ends = dict(zip(BOUNDS, (image.word(at + 8 * i, 8) for i in range(len(BOUNDS))), strict=True))
    start, end = ends["frames_start"], ends["frames_end"]
    stripped = (fmt, choice) != ("macho", "zig")
    kept = ["main", "weak", "b1", "b3"] if stripped else ["main", "weak", "b1", "b2", "b3", "a1", "a2"]
    found = [a + image.word(a, 4, True) for a in range(start, end, 8)]
    functions = sorted(image.symbols[name] for name in kept)
    assert found == sorted(found)
    described = [a - 1 for a in found[::2]]
    assert described == functions if stripped else set(functions) <= set(described)
    assert ends["text_start"] <= functions[0] < found[-1] <= ends["text_end"]
    roots = image.bytes_at(ends["roots_start"], ends["roots_end"] - ends["roots_start"])
    assert sorted((roots[:8], roots[8:])) == [b"more1234", b"root1234"]
    assert not stripped or not {"a1", "a2", "b2"} & image.symbols.keys()
