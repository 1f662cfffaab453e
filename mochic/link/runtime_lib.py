"""The compiled runtime, cached: one object per target and option set.

The key is a hash over everything that can change its bytes: the compiler's and the runtime's own files,
the target and the options.
"""

from __future__ import annotations

import os
import sys
from hashlib import sha256

from mochic import cache
from mochic.diag.diagnostic import Diagnostic
from mochic.diag.render import render_short
from mochic.layout import layout_of, runtime_source
from mochic.options import Options
from mochic.source import SourceMap
from mochic.targets import SYSTEMS, Target

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUNTIME_DIR = os.path.join(_ROOT, "runtime")
_SPECIAL = ("os", *SYSTEMS)  # what names of files for some systems only begin with


def source_key() -> str:
    """A digest of the toolchain's files by path, size and modification time."""
    top = os.path.dirname(_ROOT)
    rows = []
    for part in ("mochic", "backend", "objwriter"):
        stack = [os.path.join(top, part)]
        while stack:
            d = stack.pop()
            with os.scandir(d) as it:
                for e in it:
                    if e.is_dir(follow_symlinks=False):
                        if e.name != "__pycache__":
                            stack.append(e.path)
                    elif not e.name.endswith(".pyc"):
                        st = e.stat()
                        rows.append(f"{e.path[len(top) :]} {st.st_size} {st.st_mtime_ns}")
    rows.sort()
    return sha256("\n".join(rows).encode()).hexdigest()


def runtime_object(target: Target, opt: Options) -> str:
    """Path of the runtime's object file, compiled now if the cache has none."""

    def make() -> bytes:
        if sys.stderr.isatty():
            sys.stderr.write(f"mochi: compiling the runtime for {target.name} (once)\n")
        return build_runtime(target, opt)

    key = sha256(f"{source_key()} {opt.variant()}".encode()).hexdigest()[:32]
    return cache.entry("runtime", f"{target.os}-{target.arch}-{key}.o", make)


def runtime_sources(target: Target) -> list[str]:
    """The runtime's files for a target, in name order: those without a system in their name, and its system's."""
    own = (*target.system.runtime, f"{target.os}_{target.arch}")
    out = []
    for name in sorted(os.listdir(RUNTIME_DIR)):
        if name.endswith(".mochi"):
            stem = name[:-6]
            if stem in own or stem.partition("_")[0] not in _SPECIAL:
                out.append(os.path.join(RUNTIME_DIR, name))
    return out


def runtime_texts(target: Target) -> list[tuple[str, bytes]]:
    """Names and texts of the runtime's files: the layout's constants (mochic/layout.py), then `runtime_sources`."""
    out = [("constants.mochi", runtime_source(layout_of(target)).encode())]
    for path in runtime_sources(target):
        with open(path, "rb") as f:
            out.append((os.path.basename(path), f.read()))
    return out


def runtime_error(diags: list[Diagnostic], sources: SourceMap) -> AssertionError:
    """The runtime does not compile: our own bug, told with its place."""
    return AssertionError("the runtime does not compile:\n" + "\n".join(render_short(d, sources) for d in diags))


def build_runtime(target: Target, opt: Options) -> bytes:
    """Compile the runtime: its Mochi files, descriptors and assembly."""
    from backend.obj.asmparse import parse_assembly
    from backend.obj.ctx import Ctx
    from backend.arches import load_arch
    from mochic.codegen.module import compile_module
    from mochic.codegen.targets import load_target
    from mochic.compile import CompileError, object_bytes, parse_file
    from mochic.lower.descs import runtime_descs
    from mochic.lower.lowlevel import RuntimeLower
    from mochic.opt.pipeline import run_pipeline

    layout = layout_of(target)
    sources = SourceMap()
    programs = []
    for name, text in runtime_texts(target):
        source = sources.add("runtime/" + name, text)
        try:
            programs.append(parse_file(source))
        except CompileError as e:
            raise runtime_error(e.diagnostics, sources) from None
    module, diags = RuntimeLower(sources, layout, opt.check_runtime).run(programs)
    if diags:
        raise runtime_error(diags, sources)
    module.data.extend(runtime_descs(layout))
    if opt.verify:
        from mochic.ir.verify import verify_module

        verify_module(module, False)
    run_pipeline(module, opt.opt, opt.verify, typed=False)
    ctx = Ctx()
    symbols = compile_module(
        module,
        load_target(target.arch, opt.march, opt.branch_protection, target.os),
        opt.verify,
        ctx,
        opt.check_runtime,
    )
    arch = load_arch(target.arch, opt.march)
    for stem in (target.arch, f"{target.os}_{target.arch}"):
        asm = os.path.join(RUNTIME_DIR, "asm", stem + ".s")
        with open(asm, encoding="utf-8") as f2:
            symbols = symbols + parse_assembly(arch, ctx, f2.read())
        if ctx.errors:
            raise AssertionError(f"{asm}: {ctx.errors[0]}")
    return object_bytes(symbols, target)
