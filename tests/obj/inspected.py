"""One file of each kind that `mochi inspect` reads: programs of ours, their objects, archives, a WebAssembly module."""

from __future__ import annotations

import os

from images import save
from test_archive import call, library

from building import build_program
from objwriter import coff
from objwriter.archive import parse_def, write_import_library
from objwriter.build import build_object
from objwriter.targets import TARGETS
from objwriter.macho import write_macho
from objwriter.universal import write_universal

EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "examples")
LINUX = ("linux/amd64", "linux/arm64", "linux/riscv64")
OTHERS = ("darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64")
DEF = "LIBRARY KERNEL32.dll\nEXPORTS\n ExitProcess\n Data DATA\n WriteFile\n"
# A function of type () -> i32 that is exported as `main`, an imported one, a custom section (core specification, 5.5).
WASM = bytes.fromhex(
    "0061736d 01000000"  # magic, version
    "01 05 01 60 00 01 7f"  # types
    "02 07 01 01 6d 01 66 00 00"  # imports: m.f
    "03 02 01 00"  # functions
    "07 08 01 04 6d61696e 00 01"  # exports
    "0a 06 01 04 00 41 2a 0b"  # code
    "00 05 02 6869 01 02"  # a custom section, `hi`
)


def make_files(folder: str, example: str) -> dict[str, str]:
    """Paths by kind: `OS/ARCH obj`, `OS/ARCH exe`, `archive gnu` and so on."""
    made: dict[str, str] = {}
    for target in (*LINUX, *OTHERS):
        for stage in ("obj", "exe"):
            out = os.path.join(folder, f"{target.replace('/', '-')}.{stage}")
            made[f"{target} {stage}"] = build_program(os.path.join(EXAMPLES, example), target, emit=stage, out=out)
    objects = [call("amd64", "leaf"), call("amd64", "top", "other")]
    big = coff.write_coff(build_object(TARGETS["windows/amd64"], objects), big=True)
    made["bigobj"] = save(folder, "big.obj", big)
    for style in ("gnu", "bsd", "coff"):
        made[f"archive {style}"] = save(folder, f"lib{style}.a", library(style))
    made["import library"] = save(folder, "k.lib", write_import_library("windows/amd64", *parse_def(DEF)))
    made["wasm"] = save(folder, "m.wasm", WASM)
    slices = [write_macho(build_object(TARGETS[f"darwin/{a}"], [call(a, "leaf", "other")])) for a in ("amd64", "arm64")]
    made["universal"] = save(folder, "fat.o", write_universal(slices))
    return made
