"""`mochi build --emit=STAGE`: the result of a stage as text."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mochic.console import EXIT_OK
from mochic.options import Options
from mochic.output import write_output

if TYPE_CHECKING:
    from mochic.ir.func import Module
    from mochic.sema.symbols import ProgramInfo
    from mochic.targets import Target


def put(text: str, out: str) -> int:
    """To the output file if there is one, else to stdout."""
    if not text.endswith("\n"):
        text += "\n"
    if out:
        write_output(out, text.encode("utf-8", "surrogateescape"))
    else:
        sys.stdout.write(text)
    return EXIT_OK


def emit_syntax(path: str, opt: Options, out: str) -> int:
    """Stages that need the file alone: tokens, ast."""
    from mochic.compile import CompileError, parse_file
    from mochic.source import SourceMap

    sources = SourceMap()
    file = sources.add(path, sources.read(path))
    if opt.emit == "tokens":
        from mochic.syntax.lexer import LOOKAHEAD, tokenize

        tokens, diags = tokenize(file)
        if diags:
            e = CompileError("parse", diags)
            e.sources = sources
            raise e
        rows = []
        for i in range(len(tokens.texts) - LOOKAHEAD):
            _, line, col = sources.position(tokens.starts[i])
            rows.append(f"{line}:{col}\t{tokens.texts[i]}")
        return put("\n".join(rows), out)
    from mochic.syntax.printer import print_program

    try:
        return put(print_program(parse_file(file)), out)
    except CompileError as e2:
        e2.sources = sources
        raise


def types_text(info: ProgramInfo) -> str:
    """The inferred type of every global, function and field."""
    from mochic.sema.check import type_text

    out = []
    for st in info.structs:
        fields = ", ".join(f"{n}: {type_text(info, t)}" for n, t in st.fields.items())
        out.append(f"type {st.name} {{ {fields} }}")
    for v in info.globals:
        out.append(f"{'var' if v.mutable else 'let'} {v.name}: {type_text(info, v.ty)}")
    for f in info.functions:
        if f is not info.main:
            params = ", ".join(f"{p.name}: {type_text(info, p.ty)}" for p in f.params)
            out.append(f"fun {f.name}({params}): {type_text(info, f.ret)}")
    return "\n".join(out)


def emit_code(module: Module, target: Target, opt: Options, out: str) -> int:
    """`prog`: the Progs of every function; `asm`: the same with the bytes they become."""
    from backend.obj.ctx import Ctx
    from backend.obj.printer import format_function
    from backend.arches import load_arch
    from mochic.codegen.compile import compile_func
    from mochic.codegen.context import Context
    from mochic.codegen.module import line_table
    from mochic.codegen.targets import load_target

    arch = load_arch(target.arch, opt.march)
    ctx = Context(
        load_target(target.arch, opt.march, opt.branch_protection, target.os), Ctx(), line_table(module.sources)
    )
    parts = []
    for fn in module.funcs:
        code = compile_func(fn, ctx)
        text = ctx.lsym(fn.sym)
        if opt.emit == "asm":
            arch.assemble(text, code.progs)
        parts.append(format_function(arch, text, code.progs, opt.emit == "asm"))
    return put("\n".join(parts), out)
