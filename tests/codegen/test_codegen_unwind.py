"""Unwind information agrees with the frame maps, which the collector proves on every program."""

from __future__ import annotations

import gc
import os

import pytest

from backend.obj.ctx import Ctx
from backend.obj.sym import STEXT, LSym
from mochic import compile as c
from mochic.codegen.code import Compiled
from mochic.codegen.module import compile_module
from mochic.codegen.targets import load_target, load_unwind
from mochic.codegen.unwind import frame_of
from mochic.options import Options
from mochic.source import SourceMap
from mochic.targets import TARGETS
from objwriter.unwind import final_layout, machine_of

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ("gc_deep_frames", "closure_in_collections", "fun_mutual_recursion", "union_tree")
DESKTOP = [n for n, t in TARGETS.items() if t.format != "elf" and t.status == "ready"]


def symbols_of(name: str, target: str) -> list[LSym]:
    sources = SourceMap()
    with open(os.path.join(HERE, "..", "run", name + ".mochi"), "rb") as f:
        file = sources.add(name, f.read())
    opt = Options(target)
    lowered = c.lower(c.check(sources, c.parse_file(file)), opt)
    c.represent(lowered, opt)
    module = lowered.module
    c.optimise(module, opt)
    try:
        return compile_module(module, load_target(TARGETS[target].arch), False, Ctx())
    finally:
        gc.enable()


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("target", DESKTOP)
def test_frames(target: str, name: str) -> None:
    t = TARGETS[target]
    machine = load_target(t.arch).machine
    symbols = symbols_of(name, target)
    notes = {s.link.name: s for s in symbols if s.section == "mochi_frames" and s.link is not None}
    cpu = load_unwind(t.arch)
    framed = 0
    for s in symbols:
        if s.kind != STEXT:
            continue
        frame = frame_of(s, t.arch, cpu, t.format == "coff")
        layout = final_layout(frame)
        assert isinstance(s.owner, Compiled)
        f, prologue = s.owner.frame, s.owner.prologue
        assert layout.depth == f.total if f.total else layout.depth == machine_of(t.arch).entry
        if s.name in notes:
            # Distances from SP to the return address, of calls that come back.
            data = notes[s.name].data
            sizes = {int.from_bytes(data[i + 4 : i + 8], "little") for i in range(0, len(data), 24)}
            assert not sizes or layout.depth - 8 in sizes or not prologue
        saved = {cpu.dwarf_number(reg) for reg in f.saved} | ({30} if f.linked else set())
        assert set(layout.saved) == saved
        # One word each, the first right below the caller's SP and what the call pushed there.
        first = machine_of(t.arch).entry + 8
        assert sorted(layout.saved.values()) == [first + 8 * i for i in range(len(saved))]
        framed += bool(frame.steps)
    assert framed
    assert machine.link_bytes == machine_of(t.arch).entry
