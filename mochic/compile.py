"""The stages between source text and object file, one function each.

Nothing here prints or exits: errors are diagnostics (`CompileError`) for the driver to show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mochic.diag.diagnostic import WARNING, Diagnostic, has_errors
from mochic.options import Options
from mochic.sema.infer.program import infer_program
from mochic.sema.specialise import Specialiser, choose
from mochic.sema.symbols import ProgramInfo
from mochic.source import SourceFile, SourceMap
from mochic.syntax import ast
from mochic.syntax.parser import parse

Builder = Callable[..., Any]  # objwriter.build.build_object, imported when it is needed

if TYPE_CHECKING:
    from backend.obj.sym import LSym
    from mochic.ir.func import Module
    from mochic.lower.module import ModuleLower
    from mochic.targets import Target


class CompileError(Exception):
    """The program has errors.  `kind` is "parse", "type" or "link", `warnings` come on top of `diagnostics`."""

    def __init__(self, kind: str, diagnostics: list[Diagnostic]) -> None:
        super().__init__(kind)
        self.kind = kind
        self.diagnostics = diagnostics
        self.sources: SourceMap | None = None


# What the strict mode refuses and the default mode only warns about: such programs have a meaning.
LENIENT = frozenset(("P065", "P066", "T024"))


def demote(diags: list[Diagnostic]) -> list[Diagnostic]:
    """Default mode: errors that do not keep a program from running become warnings."""
    for d in diags:
        if d.code in LENIENT:
            d.severity = WARNING
    return diags


def parse_file(file: SourceFile, warnings: list[Diagnostic] | None = None) -> ast.Program:
    """Source text to syntax tree; raises CompileError.  Warnings are added to the list given."""
    program, diags = parse(file)
    demote(diags)
    if has_errors(diags):
        raise CompileError("parse", diags)
    if warnings is not None:
        warnings += diags
    return program


def check(sources: SourceMap, program: ast.Program, warnings: list[Diagnostic] | None = None) -> ProgramInfo:
    """Names and types; raises CompileError."""
    from mochic.sema.check import check_solved

    info = ProgramInfo(sources)
    inf = infer_program(info, program)
    # Slots that an error left without kinds raise no further ones.  Functions are looked at before the statements
    # around them; the user reads from top to bottom.
    diags = demote(sorted(inf.diags + check_solved(inf), key=lambda d: d.lo))
    if has_errors(diags):
        raise CompileError("type", diags)
    if warnings is not None:
        warnings += diags
    special = choose(info, inf.calls)
    return info if special is None else specialised(sources, program, special) or info


def specialised(sources: SourceMap, program: ast.Program, special: Specialiser) -> ProgramInfo | None:
    """The program with instances of its polymorphic functions; None if it cannot be compiled in that form."""
    from mochic.sema.check import check_solved

    info = ProgramInfo(sources)
    inf = infer_program(info, parse(sources.file_of(program.lo))[0], special)
    return None if has_errors(demote(inf.diags + check_solved(inf))) else info


def check_strict(file: SourceFile, sources: SourceMap | None = None) -> None:
    """Syntax and the rules of the strict mode; raises CompileError.  Nothing is demoted to a warning."""
    from mochic.sema.strict.program import check_strict

    program, diags = parse(file)
    if diags:
        raise CompileError("parse", diags)
    diags = check_strict(program, sources)
    if diags:
        raise CompileError("type", diags)


def lower(info: ProgramInfo, opt: Options, c_process: bool = False, tls: bool = False) -> ModuleLower:
    """Checked tree to IR, with ints still without representation; `module` of the result has it.
    `c_process`: C's library is in the program; `tls`: so is the system's TLS library."""
    from mochic.layout import layout_of
    from mochic.lower.module import ModuleLower
    from mochic.lower.program import lower_program
    from mochic.targets import TARGETS

    target = TARGETS[opt.target]
    m = ModuleLower(info, layout_of(target))
    m.c_process = c_process
    m.tls = tls
    m.pack_stack_arguments = target.abi == "darwinpcs"
    m.run_tests = opt.tests
    m.test_mode = opt.test_mode
    module = lower_program(m)
    if opt.verify:
        from mochic.ir.verify import verify_module

        verify_module(module)
    return m


def represent(lowered: ModuleLower, opt: Options) -> None:
    """Ints become words and tags; descriptors become data."""
    from mochic.opt.intrep import select_representations

    module = lowered.module
    if opt.opt:
        from mochic.opt import gvn

        for fn in module.funcs:  # two spellings of one value have one range
            gvn.run(fn, words=False)
        if opt.verify:
            from mochic.ir.verify import verify_module

            verify_module(module)
    select_representations(module, lowered.bigint, opt.opt > 0, opt.int_mode == "checked")
    lowered.resolve()
    if opt.opt >= 2:
        from mochic.opt import dynamic

        data = lowered.runtime_data
        kinds = dynamic.Kinds(data["desc.string"], data["desc.float"], lowered.layout)
        for fn in module.funcs:
            dynamic.run(fn, kinds)
    if opt.verify:
        from mochic.ir.verify import verify_module

        verify_module(module, False)


def optimise(module: Module, opt: Options) -> None:
    from mochic.opt.inline import drop_uncalled
    from mochic.layout import layout_of
    from mochic.opt.pipeline import run_pipeline
    from mochic.targets import TARGETS

    run_pipeline(module, opt.opt, opt.verify, layout=layout_of(TARGETS[opt.target]))
    if opt.opt:
        drop_uncalled(module)


def generate(module: Module, target: Target, opt: Options) -> list[LSym]:
    """IR to machine code: functions, frame maps, data."""
    from mochic.codegen.module import compile_module
    from mochic.codegen.targets import load_target

    cpu = load_target(target.arch, opt.march, opt.branch_protection, target.os)
    return compile_module(module, cpu, opt.verify, record_all=opt.check_runtime)


def object_bytes(symbols: list[LSym], target: Target) -> bytes:
    """The object file."""
    from objwriter.build import build_object

    if target.format != "elf":
        from mochic.codegen.targets import load_unwind
        from mochic.codegen.unwind import unwind_symbols

        symbols = symbols + unwind_symbols(symbols, target, load_unwind(target.arch))
    return _WRITERS[target.format](build_object, symbols, target.name)


def _elf(build: Builder, symbols: list[LSym], name: str) -> bytes:
    from objwriter.elf import write_elf
    from objwriter.targets import TARGETS

    return write_elf(build(TARGETS[name], symbols))


def _macho(build: Builder, symbols: list[LSym], name: str) -> bytes:
    from objwriter.macho import write_macho
    from objwriter.targets import TARGETS

    obj = build(TARGETS[name], symbols)
    obj.bounds = _bounds()
    return write_macho(obj, unsigned_addends=True)  # zig may be the linker


def _coff(build: Builder, symbols: list[LSym], name: str) -> bytes:
    from objwriter.coff import write_coff
    from objwriter.targets import TARGETS

    obj = build(TARGETS[name], symbols)
    obj.bounds = _bounds()
    return write_coff(obj)


def _bounds() -> dict[str, tuple[str, int, bool]]:
    """The ends of the tables that the linker collects, which linker scripts name in ELF."""
    from mochic.codegen.framemap import SECTION
    from mochic.codegen.module import ROOTS_SECTION
    from objwriter.model import S_DATA, S_NOTE

    return {
        f"runtime.{name}_{end}": (section, kind, end == "end")
        for name, section, kind in (("frames", SECTION, S_NOTE), ("roots", ROOTS_SECTION, S_DATA))
        for end in ("start", "end")
    }


_WRITERS: dict[str, Callable[[Builder, list[LSym], str], bytes]] = {"elf": _elf, "macho": _macho, "coff": _coff}
