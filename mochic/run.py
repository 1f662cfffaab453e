"""`mochi run`, `mochi test`, `mochi check`."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from mochic.console import EXIT_ERRORS, EXIT_OK, EXIT_TOOL, UserError, read_source, say
from mochic.driver import Timer, build, front, target_of
from mochic.link.runner import command_for
from mochic.options import Options


def cached_binary(path: str, opt: Options) -> str:
    """Build into the cache, keyed by source, toolchain and options; returns the binary's path."""
    from hashlib import sha256

    from mochic.link.runtime_lib import cache_dir, source_key
    from mochic.sema.packages import imported_files

    variant = f"{source_key()} {opt.program_key()} {os.environ.get('MOCHI_LINKER', '')} {path}"
    data = read_source(path)
    digest = sha256(variant.encode() + b"\0" + data)
    sources = [(path, data)]
    for f in imported_files(path, data):
        sources.append((f, read_source(f)))
        digest.update(f.encode() + b"\0" + sources[-1][1])
    if opt.libraries or any(b"import c" in text for _, text in sources):
        from mochic.link.clibs import fingerprint

        digest.update(fingerprint(sources, opt, target_of(opt)))
    key = digest.hexdigest()[:32]
    d = os.path.join(cache_dir(), "run")
    try:
        os.makedirs(d, exist_ok=True)
    except OSError as e:
        raise UserError(f"mochi: cannot use the cache {d}: {e.strerror}", EXIT_TOOL) from None
    out = os.path.join(d, key)
    if not os.path.exists(out):
        opt.out = out
        build(path, opt)
    return out


def run_program(path: str, args: list[str], opt: Options) -> int:
    """Build (cached) and replace this process by the program, or by the emulator of its target."""
    command = command_for(target_of(opt), path)
    exe = cached_binary(path, opt)
    sys.stdout.flush()
    sys.stderr.flush()
    if command:
        os.execv(command[0], [*command, exe, *args])
    os.execv(exe, [path, *args])


def check_files(paths: list[str], opt: Options) -> int:
    """Diagnostics of each file; silent when there are none."""
    from mochic.compile import CompileError
    from mochic.driver import RECURSION, front_strict, render_errors

    sys.setrecursionlimit(RECURSION)

    status = EXIT_OK
    for p in paths:
        try:
            if opt.strict:
                front_strict(p)
            else:
                front(p, opt, Timer())
        except CompileError as e:
            say(render_errors(e, e.sources))
            status = EXIT_ERRORS
    return status


def test_files(paths: list[str]) -> list[str]:
    out = []
    for p in paths:
        if os.path.isdir(p):
            for root, dirs, files in os.walk(p):
                dirs.sort()
                out += [os.path.join(root, f) for f in sorted(files) if f.endswith(".mochi")]
        else:
            out.append(p)
    return out


def test_programs(paths: list[str], opt: Options) -> int:
    """Each test block in a fresh process: top-level statements silently, then the block (section 17)."""
    from mochic.syntax import ast

    command = command_for(target_of(opt))
    failed = 0
    for p in test_files(paths):
        info = front(p, opt, Timer())
        assert info.program is not None
        names = [st.name for st in info.program.body if isinstance(st, ast.TestDecl)]
        if not names:
            continue
        opt.test_mode = True
        opt.out = ""
        exe = cached_binary(p, opt)
        for i, name in enumerate(names):
            start = time.perf_counter()
            env = dict(os.environ, MOCHI_TEST_BLOCK=str(i))
            r = subprocess.run([*command, exe], env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            took = time.perf_counter() - start
            sys.stdout.write(r.stdout.decode("utf-8", "replace"))
            if r.returncode == 0:
                print(f"   test {name:<30} ... ok ({_duration(took)})")
            else:
                failed += 1
                lines = r.stderr.decode("utf-8", "replace").strip().splitlines()
                print(f"   test {name:<30} ... fail {lines[0] if lines else f'exit status {r.returncode}'}")
    if failed:
        say(f"test failed: {failed} test(s) failed")
        return EXIT_ERRORS
    return EXIT_OK


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f}ms" if seconds < 1 else f"{seconds:.2f}s"
