"""The command line: options to `Options`, no logic.  Each command imports its stage when it runs."""

from __future__ import annotations

import os
import sys
from typing import Any, Final

import click

from mochic import __version__
from mochic.console import EXIT_USAGE
from mochic.driver import guarded
from mochic.options import HTTPS, INT_MODES, PROTECTIONS, STAGES, Options
from mochic.targets import DEFAULT_TARGET


class Single(click.Group):
    """Accepts `-target=X` and `-target X` for `--target=X` (and the other long options below), as Go's tools do."""

    def main(self, args: Any = None, **kw: Any) -> Any:  # type: ignore[override]
        argv = list(sys.argv[1:] if args is None else args)
        out = []
        rest = False
        for a in argv:
            if a == "--":
                rest = True
            if not rest and a.startswith(("-target", "-arch", "-march", "-branch-protection", "-int=")):
                a = "-" + a
            out.append(a)
        return super().main(out, **kw)


@click.group(cls=Single, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mochi")
def main() -> None:
    """Ahead-of-time compiler for Mochi: one command from source to a standalone native binary."""


def _level(ctx: click.Context, param: click.Parameter, value: str) -> int:
    if value not in ("0", "1", "2"):
        raise click.BadParameter("the optimisation level is 0, 1 or 2")
    return int(value)


# The options of everything that makes machine code, in the order of `--help`.
_CODE: Final = (
    click.option(
        "--target",
        default=DEFAULT_TARGET,
        show_default=True,
        metavar="OS/ARCH",
        help="What to build for; a list, `all` or darwin/universal.",
    ),
    click.option("-O", "opt", default="2", callback=_level, help="Optimisation level 0, 1 or 2 (default)."),
    click.option("--march", default="", metavar="ISA", help="riscv64: instruction set, such as rv64gc or rva22u64."),
    click.option(
        "--branch-protection",
        type=click.Choice(PROTECTIONS),
        default="none",
        help="arm64: landing pads, signed returns.",
    ),
    click.option(
        "--int",
        "int_mode",
        type=click.Choice(INT_MODES),
        default="exact",
        help="checked: an int that leaves 64 bits is a run-time error.",
    ),
    click.option("--linker", default="", metavar="PATH|NAME", help="Linker to use."),
    click.option(
        "-l", "libraries", multiple=True, metavar="NAME|FILE", help="C library, archive or object to link with."
    ),
    click.option(
        "--https", type=click.Choice(HTTPS), default="auto", help="Link the system's TLS library for `fetch`."
    ),
    click.option("-L", "folders", multiple=True, metavar="DIR", help="Folder with C libraries."),
)


def code_options(command: Any) -> Any:
    for option in reversed(_CODE):
        command = option(command)
    return command


def _options(target: str, **chosen: Any) -> Options:
    """Options from those of the command line, which have the names of the fields."""
    result = Options(target)
    for name, value in chosen.items():
        setattr(result, name, value)
    result.verify = bool(os.environ.get("MOCHI_VERIFY"))
    result.check_runtime = bool(os.environ.get("MOCHI_CHECK"))
    return result


@main.command()
@click.argument("file")
@click.option("-o", "out", default="", metavar="OUT", help="Output file (default: the program's name).")
@code_options
@click.option("-g", "debug", is_flag=True, help="Keep symbols for debuggers.")
@click.option("--emit", type=click.Choice(STAGES), default="exe", help="Stop after a stage and write its result.")
@click.option("--strip", is_flag=True, help="Leave symbols out of the binary.")
@click.option("--time", is_flag=True, help="Print how long each stage took.")
def build(file: str, **chosen: Any) -> None:
    """Compile FILE to a native binary."""
    opt = _options(**chosen)
    if opt.several:
        from mochic.release import release as run
    else:
        from mochic.driver import build as run
    sys.exit(guarded(lambda: run(file, opt)))


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("file")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@code_options
def run(file: str, args: tuple[str, ...], **chosen: Any) -> None:
    """Build FILE (cached) and run it, other targets' programs in an emulator; exit with its status."""
    from mochic.run import run_program

    opt = _options(**chosen)
    sys.exit(guarded(lambda: run_program(file, list(args), opt)))


@main.command()
@click.argument("paths", nargs=-1, required=True)
@code_options
def test(paths: tuple[str, ...], **chosen: Any) -> None:
    """Run the `test` blocks of files, natively compiled."""
    from mochic.run import test_programs

    opt = _options(**chosen)
    sys.exit(guarded(lambda: test_programs(list(paths), opt)))


@main.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--strict", is_flag=True, help="Hold the program to its declared types.")
def check(files: tuple[str, ...], strict: bool) -> None:
    """Report errors without building."""
    from mochic.run import check_files

    opt = Options(DEFAULT_TARGET)
    opt.strict = strict
    sys.exit(guarded(lambda: check_files(list(files), opt)))


@main.command()
@click.argument("file", required=False)
@click.option("--arch", required=True, metavar="ARCH", help="Architecture, as GOARCH.")
@click.option("-o", "out", metavar="OUT.o", help="Object file to write.")
@click.option("--format", "fmt", type=click.Choice(["elf", "macho", "coff"]), default="elf", help="Object format.")
@click.option("--march", default="", metavar="ISA", help="Instruction set, such as rv64gc or rva22u64.")
@click.option("--lines", is_flag=True, help="Read `id<TAB>instruction` from stdin, print `id<TAB>hex`.")
@click.option("--relocs", is_flag=True, help="With --lines: a third column with the relocations.")
def asm(file: str | None, arch: str, out: str | None, fmt: str, march: str, lines: bool, relocs: bool) -> None:
    """Assemble Go-syntax assembly to an object file."""
    from mochic import asmcmd

    if lines:
        sys.exit(guarded(lambda: asmcmd.asm_lines(arch, sys.stdin, sys.stdout, relocs, march)))
    if file is None:
        click.echo("mochi: asm needs a FILE.s or --lines", err=True)
        sys.exit(EXIT_USAGE)
    sys.exit(guarded(lambda: asmcmd.asm_file(arch, file, out or "", fmt, march=march)))


@main.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--section", default="", metavar="NAME", help="Only this section.")
@click.option("--symbol", default="", metavar="NAME", help="Only this symbol, its relocations and its code.")
@click.option("--sizes", is_flag=True, help="Symbols with their sizes, the largest first.")
@click.option("--code/--no-code", default=True, help="With the code, disassembled (default), or without.")
def inspect(files: tuple[str, ...], section: str, symbol: str, sizes: bool, code: bool) -> None:
    """Show headers, sections, symbols, relocations and code of objects, archives and binaries (`-`: standard input)."""
    from mochic.inspect import Wanted, inspect_files

    sys.exit(guarded(lambda: inspect_files(list(files), Wanted(section, symbol, sizes, code))))


@main.command()
def targets() -> None:
    """List the targets and what this machine has for them."""
    from mochic.report import print_targets

    sys.exit(guarded(print_targets))


@main.command()
def clean() -> None:
    """Empty the cache of compiled programs and runtimes."""
    from mochic.report import clean_cache

    sys.exit(guarded(clean_cache))


@main.command()
@click.argument("code")
def explain(code: str) -> None:
    """Explain a diagnostic code such as T002."""
    from mochic.report import explain_code

    sys.exit(guarded(lambda: explain_code(code)))


@main.command()
def doctor() -> None:
    """Say what is missing on this machine and how to install it."""
    from mochic.report import doctor_report

    sys.exit(guarded(doctor_report))
