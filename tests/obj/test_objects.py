"""Random objects, most of them wrong: a writer gives an object that readers accept or an ObjectError, nothing else."""

from __future__ import annotations

import random
import subprocess

import pytest
from images import save, tool

from backend.obj.sym import A_DUPOK, A_HIDDEN, A_STATIC, SBSS, SDATA, SNOTE, SRODATA, STEXT, STLSBSS, LSym, Reloc
from objwriter import coff, elf, macho
from objwriter.targets import TARGETS, targets_of
from objwriter.build import build_object
from objwriter.model import ObjectError
from objwriter.relocs.formats import load_format

WRITERS = [(TARGETS[name], macho.write_macho) for name in sorted(targets_of("macho"))]
WRITERS += [(TARGETS[name], coff.write_coff) for name in sorted(targets_of("coff"))]
WRITERS += [(TARGETS[f"linux/{arch}"], elf.write_elf) for arch in ("amd64", "arm64", "riscv64")]
KINDS = sorted(
    {
        (kind, str(size))
        for target in TARGETS.values()
        if target.format != "elf"
        for kind, size in load_format(target)[0]
    }
)
KINDS += [
    ("MACHO:ADDEND", "4"),
    ("MACHO:PAGE21", "3"),
    ("COFF:REL21", "4"),
    ("COFF:ADDR64", "0"),
    ("ELF:1", "8"),
    ("X", "1"),
]
NAMES = ("a", "", "\1x", "x" * 20, "é", ".q", "\udcff")
SECTIONS = (
    "foo",
    "__A,__b",
    ".xdata",
    ".text",
    ".eh_frame",
    ".compact_unwind",
    ".init_array",
    ",",
    "",
    "x" * 30,
    "é",
    ".bss",
)
ADDENDS = (0, 0, -4, -5, 8, 1 << 20, -(1 << 23), 1 << 40, -1 << 63, 1 << 64)


def some_symbols(rnd: random.Random, wild: bool) -> list[LSym]:
    symbols: list[LSym] = []
    for i in range(rnd.randint(1, 5)):
        kind = rnd.choice((STEXT, SRODATA, SDATA, SBSS, STLSBSS, SNOTE))
        s = LSym(f"{rnd.choice(NAMES)}{i}", kind, rnd.choice((0, 0, A_STATIC, A_DUPOK, A_HIDDEN, A_STATIC | A_DUPOK)))
        size = rnd.choice((0, 1, 4, 8, 16, 33))
        if kind in (SBSS, STLSBSS):
            s.size = size
        else:
            s.data = bytearray(rnd.randbytes(size))
        if rnd.random() < 0.2:
            s.align = rnd.choice((1, 8, 64, 3, 1 << 20) if wild else (1, 8, 64))
        if rnd.random() < 0.2:
            s.section = rnd.choice(SECTIONS if wild else SECTIONS[:3])
        if kind == SNOTE and symbols and symbols[0].kind == STEXT:
            s.link = symbols[0]
        symbols.append(s)
    for s in symbols:
        for _ in range(rnd.randint(0, 2)):
            kind, size_text = rnd.choice(KINDS)
            to = rnd.choice([*symbols, LSym("u"), None] if wild else [*symbols, LSym("u")])
            s.relocs.append(Reloc(rnd.randint(-1 if wild else 0, 12), int(size_text), kind, to, rnd.choice(ADDENDS)))
    return symbols


@pytest.mark.parametrize("number", range(len(WRITERS)), ids=[t.name for t, _ in WRITERS])
def test_random(number: int, tmp_path: object) -> None:
    target, write = WRITERS[number]
    readers = 0
    for seed in range(400):
        rnd = random.Random(seed)
        try:
            data = write(build_object(target, some_symbols(rnd, seed % 2 == 0), rnd.random() < 0.5))
        except ObjectError:
            continue
        readers += 1
        if readers <= 8:
            path = save(tmp_path, f"{seed}.o", data)
            done = subprocess.run([tool("llvm-readobj"), "--all", path], capture_output=True, check=False)
            assert done.returncode == 0, (seed, done.stderr)
    assert readers > 8
