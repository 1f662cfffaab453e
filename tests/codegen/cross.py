"""Runs random IR on another CPU: many functions in one program under its emulator, compared with the interpreter.

The program is the functions, the IR of driver.ir, a main function that calls each with its arguments, and the runtime's
assembly file for entry and system calls (`runtime.start` is the main function).  It writes 64-bit words, for each
function: a mark, what the externs noted, a second mark, the result, sums of words and of doubles that were in registers
during the call, the memory datum.  Before they return the externs call code that overwrites every register a call may
change, so that a value left in one shows.

    python3 tests/codegen/cross.py linux/riscv64 1000 2000 [LEVEL [ISA]]     seeds 1000 to 1999
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from differ import Log, extern
from randir import EXTERNS, MEMORY, bits_of, random_args, random_module
from backend.obj.asmparse import parse_assembly
from backend.obj.prog import Prog
from backend.obj.sym import A_UNDEF, STEXT, LSym
from backend.arches import load_arch
from mochic.codegen.compile import emit_data, emit_func
from mochic.codegen.context import Context
from mochic.codegen.targets import load_target
from mochic.ir.interp import InterpError, Machine
from mochic.ir.parser import parse_module
from mochic.ir.types import F64, TYPE_NAMES
from mochic.ir.verify import verify_module
from mochic.link.linker import find_linker, link_command
from mochic.link.tools import run_tool
from mochic.link.runner import command_for
from mochic.link.runtime_lib import RUNTIME_DIR
from mochic.opt.pipeline import run_pipeline
from mochic.targets import TARGETS, Target
from objwriter.build import build_object
from objwriter.targets import TARGETS as ELF
from objwriter.elf import write_elf

DRIVER = (Path(__file__).parent / "driver.ir").read_text()
BEGIN = 0x6265_6769_6E00_0000  # marks; the number of the function is added
END = 0x656E_6465_6400_0000
BUFFER = 1 << 16
JUNK = 0x5A5A_A5A5_1234_8765
NOT_A_NUMBER = 99
STEPS = 50_000
# Held in registers while a function runs: more than any machine has that a call keeps.
KEPT = tuple(1 << i for i in range(14))
M64 = (1 << 64) - 1


class Case:
    """A random module, and the words that its function makes according to the interpreter."""

    def __init__(self, seed: int, number: int) -> None:
        """Raises InterpError when it takes too long."""
        self.seed = seed
        self.number = number
        self.module = m = random_module(seed)
        verify_module(m)
        self.sym = m.funcs[0].sym
        self.args = random_args(seed, self.sym.params)
        log = Log()
        machine = Machine(m, {s.name: partial(extern, getattr(log, s.name)) for s in EXTERNS}, steps=STEPS)
        result = machine.call("f", self.args)
        at = machine.addresses["mem"] - (1 << 20)
        memory = struct.unpack(f"<{MEMORY // 8}Q", machine.memory[at : at + MEMORY])
        notes = [word(x) for call in log.calls for x in call]
        self.want = [BEGIN + number, *notes, END + number, result & M64, sum(KEPT), sum(KEPT), *memory]

    def rename(self) -> None:
        """Names that are this case's own in a program of many."""
        self.sym.name = f"f{self.number}"
        for d in self.module.data:
            d.name += str(self.number)

    def call(self, ids: Any) -> list[str]:
        """The IR that runs it; `ids` makes fresh ids."""
        lines: list[str] = []

        def value(type_: str, text: str) -> str:
            lines.append(f"    v{next(ids)} {type_} = {text}")
            return lines[-1].split()[0]

        lines.append(f"    call @note({value('i64', f'iconst {BEGIN + self.number}')})")
        names = []
        for t, x in zip(self.sym.params, self.args, strict=True):
            op = f"fconst {bits_of(x):#x}" if t == F64 else f"iconst {x}"
            names.append(value(TYPE_NAMES[t], op))
        at = value("ptr", "symaddr @kept")
        words = [value("i64", f"ld {at}+{8 * i}") for i in range(len(KEPT))]
        doubles = [value("f64", f"i2f {value('i64', f'ld {at}+{8 * i}')}") for i in range(len(KEPT))]
        result = value("i64", f"call @{self.sym.name}({', '.join(names)})")
        total = words[0]
        for w in words[1:]:
            total = value("i64", f"add {total}, {w}")
        double = doubles[0]
        for w in doubles[1:]:
            double = value("f64", f"fadd {double}, {w}")
        lines.append(f"    call @note({value('i64', f'iconst {END + self.number}')})")
        for w in (result, total, value("i64", f"f2i {double}")):
            lines.append(f"    call @note({w})")
        lines.append(f"    call @dump({value('ptr', f'symaddr @mem{self.number}')})")
        return lines


def word(x: Any) -> int:
    """A noted argument as 64 bits.  `Log` keeps doubles as text, so that NaNs are equal and zeros are not."""
    if isinstance(x, str):
        if x[-1].isdigit() and "." not in x and "e" not in x:
            return int(x) & M64
        x = float(x)
        return bits_of(x) if x == x else NOT_A_NUMBER
    return int(x) & M64


def numbers(target: Target) -> dict[str, str]:
    """The constants of the runtime's file for a target: numbers of system calls."""
    text = Path(RUNTIME_DIR, f"{target.os}_{target.arch}.mochi").read_text()
    rows = [line.split() for line in text.splitlines() if line.startswith("let ")]
    return {row[1]: row[3] for row in rows}


def clobber(ctx: Context) -> LSym:
    """A function that overwrites every register that does not survive a call."""
    m = ctx.machine
    progs: list[Prog] = []
    for reg in m.gp_caller:
        m.integer(reg, JUNK, 0, progs)
    for reg in m.fp_caller:
        m.double(reg, JUNK, ctx.asm, 0, progs)
    progs.append(Prog(m.ret, [], 0))
    s = ctx.asm.lookup("clobber")
    s.kind = STEXT
    s.attrs &= ~A_UNDEF
    m.assemble(s, progs)
    return s


def program(target: Target, cases: list[Case], level: int, march: str = "", protection: str = "none") -> bytes:
    """The object file with everything."""
    ctx = Context(load_target(target.arch, march, protection))
    ctx.check = True
    ids = iter(range(1 << 30))
    calls = [line for case in cases for line in case.call(ids)]
    text = DRIVER
    values = {"BUFFER": BUFFER, "MEMORY": MEMORY, "NOT_A_NUMBER": NOT_A_NUMBER, **numbers(target)}
    for name in sorted(values, key=len, reverse=True):
        text = text.replace("$" + name, str(values[name]))
    externs = []
    for case in cases:
        params = ", ".join(TYPE_NAMES[t] for t in case.sym.params)
        externs.append(f"extern @{case.sym.name}({params}) i64")
        externs.append(f"data @mem{case.number} data extern")
    kept = struct.pack(f"<{len(KEPT)}Q", *KEPT).hex()
    externs.append(f"data @kept data align 8 size {8 * len(KEPT)} = {kept}")
    main = ["fun @runtime.start() {", "b0:", *calls, "    call @leave()", "    ret", "}"]
    driver = parse_module("\n".join([*externs, text, *main]))
    verify_module(driver)
    symbols: list[LSym] = []
    for m in [case.module for case in cases] + [driver]:
        run_pipeline(m, level if m is not driver else 0, check=True, typed=False)
        ctx.inlined = m.inlined
        for fn in m.funcs:
            symbols += emit_func(fn, ctx)
        for d in m.data:
            s = emit_data(d, ctx)
            if s is not None:
                symbols.append(s)
    symbols.append(clobber(ctx))
    symbols += ctx.asm.constants.values()
    symbols += ctx.machine.notes()
    arch = load_arch(target.arch, march)
    symbols += parse_assembly(arch, ctx.asm, Path(RUNTIME_DIR, "asm", f"{target.os}_{target.arch}.s").read_text())
    assert not ctx.asm.errors
    return write_elf(build_object(ELF[target.name], symbols))


def compare(
    name: str, seeds: list[int], level: int, folder: str, march: str = "", protection: str = "none", options: Any = ()
) -> tuple[int, list[str]]:
    """How many functions ran, and what is wrong with those that do not do what the interpreter says."""
    target = TARGETS[name]
    cases: list[Case] = []
    for seed in seeds:
        try:
            cases.append(Case(seed, len(cases)))
        except InterpError:  # too many steps
            continue
    for case in cases:
        case.rename()
    obj, exe = os.path.join(folder, "a.o"), os.path.join(folder, "a")
    Path(obj).write_bytes(program(target, cases, level, march, protection))
    status, output = run_tool(link_command(target, find_linker(target), [obj], exe, False, protection != "none"))
    assert status == 0, output
    run = subprocess.run([*command_for(target), *options, exe], stdout=subprocess.PIPE, timeout=300, check=False)
    got = struct.unpack(f"<{len(run.stdout) // 8}Q", run.stdout)
    bad: list[str] = []
    at = 0
    for case in cases:
        words = list(got[at : at + len(case.want)])
        if words != case.want:
            i = next((i for i, (a, b) in enumerate(zip(words, case.want, strict=False)) if a != b), len(words))
            what = "no output"
            if i < len(words):
                what = f"word {i} of {len(case.want)} is {words[i]:#x}, not {case.want[i]:#x}"
            bad.append(f"seed {case.seed} at -O{level} on {name}: {what} (exit status {run.returncode})")
            if BEGIN + case.number + 1 not in got[at:]:
                break  # it did not come back
            at = got.index(BEGIN + case.number + 1, at)
        else:
            at += len(words)
    return len(cases), bad


def main(argv: list[str]) -> int:
    name, first, end = argv[1], int(argv[2]), int(argv[3])
    level = int(argv[4]) if len(argv) > 4 else 0
    march = argv[5] if len(argv) > 5 else ""
    status = total = 0
    with tempfile.TemporaryDirectory() as folder:
        for lo in range(first, end, 200):
            n, bad = compare(name, list(range(lo, min(lo + 200, end))), level, folder, march)
            total += n
            for line in bad:
                print(line)
                status = 1
    print(f"{total} functions on {name} at -O{level}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv))
