"""`mochi run`, `mochi test`, `mochi check`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from mochic import cache
from mochic.console import EXIT_ERRORS, EXIT_OK, EXIT_TOOL, UserError, read_source, say
from mochic.driver import build, target_of
from mochic.frontend import RECURSION, Timer, front, front_strict, render_errors
from mochic.link.runner import command_for
from mochic.options import Options


def cached_binary(path: str, opt: Options, texts: dict[str, bytes] | None = None) -> str:
    """Build into the cache, keyed by source, toolchain and options; returns the binary's path.  `texts`: the program's
    files if they were read already.  The key is made of the texts that are compiled."""
    import tempfile
    from hashlib import sha256

    from mochic.link.runtime_lib import source_key
    from mochic.sema.packages import program_files

    variant = f"{source_key()} {opt.program_key()} {os.environ.get('MOCHI_LINKER', '')} {path} {os.path.abspath(path)}"
    texts = program_files(path, texts)
    digest = sha256(os.fsencode(variant))
    for name, text in texts.items():
        digest.update(b"%s\0%d\0%s" % (os.fsencode(name), len(text), text))
    if opt.libraries or any(b"import c" in text for text in texts.values()):
        from mochic.link.clibs import fingerprint

        digest.update(fingerprint(list(texts.items()), opt, target_of(opt)))

    def make() -> bytes:
        with tempfile.TemporaryDirectory(prefix="mochi-") as folder:
            opt.out = os.path.join(folder, "program")
            build(path, opt, texts)
            return read_source(opt.out)

    return cache.entry("run", digest.hexdigest()[:32], make, 0o777)


def tell_sources(path: str) -> None:
    """Programs that are started from here show the lines of their sources in stack traces wherever they run."""
    os.environ.setdefault("MOCHI_SOURCES", os.path.dirname(os.path.abspath(path)))


def run_program(path: str, args: list[str], opt: Options) -> int:
    """Build (cached) and replace this process by the program, or by the emulator of its target."""
    command = command_for(target_of(opt), path)
    exe = cached_binary(path, opt)
    tell_sources(path)
    sys.stdout.flush()
    sys.stderr.flush()
    if not cache.is_kept(exe):  # it is removed when this process ends
        status = subprocess.run([*command, exe, *args], check=False).returncode
        return status if status >= 0 else 128 - status
    first = command[0] if command else exe
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and programs would inherit that
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execv(first, [*command, exe, *args] if command else [path, *args])
    except OSError as e:
        way = "" if command else "; MOCHI_CACHE=FOLDER keeps programs where they may run"
        raise UserError(f"mochi: cannot run {first}: {e.strerror}{way}", EXIT_TOOL) from None


def check_files(paths: list[str], opt: Options) -> int:
    """Diagnostics of each file; silent when there are none."""
    from mochic.compile import CompileError

    sys.setrecursionlimit(RECURSION)

    status = EXIT_OK
    for p in paths:
        try:
            if opt.strict:
                front_strict(p)
            else:
                front(p, opt, Timer())
        except CompileError as e:
            say(render_errors(e))
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
    """Each test block in a fresh process: top-level statements silently, then the block (docs/reference.md, 17)."""
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
        exe = cached_binary(p, opt, info.sources.texts)
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
