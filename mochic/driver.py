"""The stages in order, with their timings; output.py knows where results go.

`build` returns an exit status and prints diagnostics; it raises nothing for a user's mistake.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from mochic.console import EXIT_BUG, EXIT_ERRORS, EXIT_OK, EXIT_TOOL, EXIT_USAGE, UserError, say
from mochic.frontend import RECURSION, Timer, front, render_errors
from mochic.options import Options
from mochic.output import Workplace, place, write_output
from mochic.targets import TARGETS, Target, ready_targets

if TYPE_CHECKING:
    from mochic.ir.func import Module
    from mochic.link.clibs import Libraries
    from mochic.link.tools import LinkError
    from mochic.lower.module import ModuleLower
    from mochic.sema.symbols import NetworkUse, ProgramInfo


def default_output(path: str, opt: Options) -> str:
    """The name of the program, or of another stage's result, in the current folder."""
    name = os.path.basename(path)
    stem = name.removesuffix(".mochi")
    if opt.emit != "exe":
        return stem + (".o" if opt.emit == "obj" else "." + opt.emit)
    suffix = TARGETS[opt.target].system.program_suffix if opt.target in TARGETS else ""
    if suffix:
        return stem + suffix
    if not stem.strip("."):  # `.mochi`: what is left names no file
        raise UserError(f"mochi: {path} gives the program no name; give it one with -o", EXIT_USAGE)
    return stem if stem != name else stem + ".out"


def output_place(path: str, opt: Options, inputs: list[str]) -> str:
    """Where the result of a build goes, see output.place; an empty string for a text on standard output."""
    if opt.emit not in ("obj", "exe") and not opt.out:
        return ""
    files = [f for f in opt.libraries if os.path.exists(f)]
    default = default_output(path, opt)
    out = place(opt.out, default, [path, *inputs, *files])
    if not opt.out and os.path.isdir(default):
        say(f"mochi: {default} is a folder; the result is {out}")
    return out


def drop_output() -> None:
    """Drop what is still buffered for standard output, so that nothing complains at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _terminated(number: int, frame: object) -> None:
    raise SystemExit(128 + number)  # so that half-written files are removed on the way out


def guarded(action: Callable[[], int]) -> int:
    """Run a command: every failure becomes one message and the right exit status."""
    import signal

    from mochic.compile import CompileError

    signal.signal(signal.SIGTERM, _terminated)
    try:
        status = action()
        if sys.stdout is not None:
            sys.stdout.flush()  # while a failure can still be told
        return status
    except UserError as e:
        say(e.message)
        return e.status
    except CompileError as e:
        say(render_errors(e))
        return EXIT_ERRORS
    except KeyboardInterrupt:
        say("mochi: interrupted")
        return 130
    except BrokenPipeError:
        drop_output()  # the reader has gone
        return EXIT_OK
    except OSError as e:  # a full disk, a failing device: no change of ours could mend that
        drop_output()
        say(f"mochi: {e.filename or 'cannot write to standard output'}: {e.strerror}")
        return EXIT_TOOL
    except (MemoryError, RecursionError) as e:
        say(f"mochi: internal error: {type(e).__name__} while compiling; please report this program")
        return EXIT_BUG
    except Exception as e:  # the last line of defence: our own bug, told in one line
        if os.environ.get("MOCHI_DEBUG"):
            raise
        say(
            f"mochi: internal error: {type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}\n"
            "  This is a bug in the compiler. Please report it with the program; MOCHI_DEBUG=1 shows the traceback."
        )
        return EXIT_BUG


def target_of(opt: Options) -> Target:
    t = TARGETS.get(opt.target)
    if t is None:
        known = ", ".join(sorted(TARGETS))
        raise UserError(f"mochi: unknown target `{opt.target}`; known targets: {known}", EXIT_USAGE)
    if not t.ready:
        ready = ", ".join(sorted(ready_targets()))
        raise UserError(f"mochi: target {opt.target} is not supported yet; supported: {ready}", EXIT_USAGE)
    if opt.branch_protection != "none" and t.format != "elf":
        raise UserError(f"mochi: -branch-protection is not supported for {opt.target}", EXIT_USAGE)
    if opt.march or opt.branch_protection != "none":
        from mochic.codegen.targets import load_target

        try:
            load_target(t.arch, opt.march, opt.branch_protection)
        except ValueError as e:
            raise UserError(f"mochi: {e}", EXIT_USAGE) from None
    return t


def build(path: str, opt: Options, texts: dict[str, bytes] | None = None) -> int:
    """`mochi build` for one target; `texts`: files that were read already."""
    target = target_of(opt)
    timer = Timer()
    gc.disable()
    sys.setrecursionlimit(RECURSION)
    if opt.emit in ("tokens", "ast"):
        from mochic.emit import emit_syntax

        status: int = emit_syntax(path, opt, output_place(path, opt, []))
        return status
    info = front(path, opt, timer, texts)
    if opt.emit == "types":
        from mochic.emit import put, types_text

        status = put(types_text(info), output_place(path, opt, [f.name for f in info.sources.files]))
        return status
    from mochic import compile as c

    try:
        libs = c_libraries(info, opt, target)
        inputs = [f.name for f in info.sources.files] + (libs.files if libs is not None else [])
        out = output_place(path, opt, inputs)
        lowered = c.lower(info, opt, libs is not None and libs.process, libs is not None and libs.tls)
        if libs is not None or lowered.c_symbols:
            libs = claim_functions(libs, lowered, opt, target)
    except c.CompileError as e:
        e.sources = info.sources
        raise
    module = lowered.module
    timer.mark("lower")
    if opt.emit == "ir":
        return emit_text(module, out)
    c.represent(lowered, opt)
    timer.mark("ints")
    c.optimise(module, opt)
    timer.mark("optimise")
    if opt.emit == "ir-opt":
        return emit_text(module, out)
    if opt.emit in ("prog", "asm"):
        from mochic.emit import emit_code

        status = emit_code(module, target, opt, out)
        return status
    symbols = c.generate(module, target, opt)
    timer.mark("codegen")
    data = c.object_bytes(symbols, target)
    timer.mark("object")
    if opt.emit == "obj":
        write_output(out, data)
        return EXIT_OK
    link_program(data, target, opt, out, timer, libs, lowered)
    if opt.time:
        say(timer.table())
    return EXIT_OK


def explain_link_error(e: LinkError, libs: Libraries, lowered: ModuleLower) -> None:
    """If functions of C are missing, raises an error that says more than the linker's own messages."""
    from mochic.compile import CompileError
    from mochic.link.clibs import undefined

    calls = {s: c for s, (_, c) in lowered.c_symbols.items()}
    diags, others = undefined(e.detail, calls, "_" if libs.target.format == "macho" else "")
    if diags:
        error = CompileError("link", diags)
        error.sources = lowered.info.sources
        raise error from None
    if others:
        raise UserError(
            f"mochi: the C libraries need what no library has: {', '.join(others)}\n"
            "  Add the library that has it with -l NAME; `-l c` is C's own.",
            EXIT_ERRORS,
        ) from None


def emit_text(module: Module, out: str) -> int:
    from mochic.emit import put
    from mochic.ir.printer import print_module

    return put(print_module(module), out)


def c_libraries(info: ProgramInfo, opt: Options, target: Target) -> Libraries | None:
    """The C libraries that a program asks for, None for most programs."""
    if not info.libraries and not opt.libraries and not info.network.fetches:
        return None
    tls = wants_tls(info.network, opt, target)
    if not info.libraries and not opt.libraries and not tls:
        return None
    from mochic.link.clibs import resolve
    from mochic.link.tools import LinkError

    try:
        libs = resolve(info.libraries, opt, target, tls)
    except LinkError as e:
        raise UserError(e.told(), EXIT_ERRORS) from None
    except OSError as e:
        raise UserError(f"mochi: cannot read {e.filename}: {e.strerror}", EXIT_TOOL) from None
    if libs.shared and opt.branch_protection != "none":
        raise UserError("mochi: -branch-protection is not supported for programs that share C libraries", EXIT_USAGE)
    return libs


def wants_tls(network: NetworkUse, opt: Options, target: Target) -> bool:
    """Does a program that fetches need TLS?  Raises CompileError where it cannot have it and names an https URL."""
    if opt.https == "yes" and not target.system.tls:
        raise UserError(
            f"mochi: --https=yes: programs for {target.name} have no TLS yet; those for Linux do", EXIT_USAGE
        )
    if opt.https != "no" and target.system.tls:
        return opt.https == "yes" or network.https
    if network.urls:
        from mochic.compile import CompileError
        from mochic.diag.diagnostic import make

        why = "--https=no leaves it out" if opt.https == "no" else f"programs for {target.name} have no TLS yet"
        raise CompileError("type", [make("M014", lo, hi, why) for lo, hi in network.urls])
    return False


def claim_functions(libs: Libraries | None, lowered: ModuleLower, opt: Options, target: Target) -> Libraries:
    """The libraries, asked for the functions that the program calls."""
    from mochic.link.clibs import Libraries, claim

    if libs is None:
        libs = Libraries(target)
    claim(libs, {s: c for s, (_, c) in lowered.c_symbols.items()}, opt)
    return libs


def link_program(
    data: bytes, target: Target, opt: Options, out: str, timer: Timer, libs: Libraries | None, lowered: ModuleLower
) -> None:
    from mochic.link.linker import link
    from mochic.link.tools import LinkError
    from mochic.link.runtime_lib import runtime_object

    runtime = runtime_object(target, opt)
    timer.mark("runtime")
    with Workplace(out) as work:
        obj = work.write("program.o", data)
        try:
            files = [obj, runtime]
            if libs is not None:
                from mochic.link.clibs import inputs

                files += inputs(libs)
            shared = libs is not None and libs.shared
            link(target, files, work, opt.linker, opt.strip, opt.branch_protection != "none", shared)
        except LinkError as e:
            if libs is not None:
                explain_link_error(e, libs, lowered)
            raise UserError(e.told(), e.exit_status) from None
        except OSError as e:
            raise UserError(f"mochi: cannot write {out}: {e.strerror}", EXIT_TOOL) from None
    timer.mark("link")
