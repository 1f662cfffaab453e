"""Finds the system linker and runs it.

Order (docs: `mochi doctor` prints it): the --linker option, the MOCHI_LINKER variable, the LLVM linker
of the target's family on PATH (unversioned, then the newest versioned name), the one inside the
`ziglang` wheel, GNU ld for the target.  An explicit choice that does not exist is an error, not a reason to go on.

Commands are argv lists, never a shell.  The output is made in the build's workplace, so an interrupted
or failed link leaves nothing half-written.  This module is on the path of every build:
it uses os.posix_spawn and walks PATH itself, because importing subprocess and shutil costs more time
than the link of a small program.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Final

from linkscripts import script_path
from mochic.link.identify import flaw
from mochic.output import Workplace
from mochic.targets import Target, host_target

if TYPE_CHECKING:
    from mochic.link.clibs import Libraries

EXIT_TOOL: Final = 3

# Linker family -> command names to try on PATH, the subcommand of zig, and the GNU command.
_FAMILIES: Final[dict[str, tuple[str, str, str]]] = {
    "lld-elf": ("ld.lld", "ld.lld", "ld"),
    "lld-coff": ("lld-link", "lld-link", ""),
    "lld-macho": ("ld64.lld", "cc", ""),
    "lld-wasm": ("wasm-ld", "wasm-ld", ""),
}
# What GNU's cross linkers are called.
_GNU_PREFIXES: Final = {
    "linux/amd64": "x86_64-linux-gnu-",
    "linux/arm64": "aarch64-linux-gnu-",
    "linux/riscv64": "riscv64-linux-gnu-",
}
_NEWEST: Final = 30
_OLDEST: Final = 15  # linker scripts with PHDRS and SHF_LINK_ORDER mixing
INSTALL_HINT: Final = "install one with `pip install ziglang` or `apt-get install lld`"


DETAIL: Final = 40  # lines of a linker that are shown


class LinkError(Exception):
    """The link cannot be done: no linker (exit status 3), or it failed; `detail` is what it printed."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.exit_status = EXIT_TOOL

    def told(self) -> str:
        """For the user: each line of a linker once, and no more than somebody reads."""
        lines = list(dict.fromkeys(self.detail.splitlines()))
        if len(lines) > DETAIL:
            lines[DETAIL:] = [f"... and {len(lines) - DETAIL} more lines"]
        return "\n".join(["mochi: " + self.message, *lines])


class Linker:
    """A usable linker: `argv` is how its command line begins, `source` says how it was found, `origin` is the user's
    own word for it, if it has one."""

    __slots__ = ("argv", "source", "gnu", "origin")

    def __init__(self, argv: list[str], source: str, gnu: bool = False, origin: str = "") -> None:
        self.argv = argv
        self.source = source
        self.gnu = gnu
        self.origin = origin


def which(name: str, path: str | None = None) -> str:
    """The full path of a command, an empty string when PATH has none."""
    if os.path.dirname(name):
        return name if os.path.isfile(name) and os.access(name, os.X_OK) else ""
    for folder in (os.environ.get("PATH", os.defpath) if path is None else path).split(os.pathsep):
        if folder:
            full = os.path.join(folder, name)
            if os.path.isfile(full) and os.access(full, os.X_OK):
                return full
    return ""


def find_zig() -> str:
    """The zig binary of the `ziglang` wheel, found without importing the package."""
    binary = "zig.exe" if sys.platform == "win32" else "zig"
    for folder in sys.path:
        full = os.path.join(folder, "ziglang", binary)
        if os.path.isfile(full):
            return full
    return ""


def find_linker(target: Target, choice: str = "") -> Linker:
    """The linker for a target, by the order above.  `choice` is the --linker option.

    Raises LinkError with the command that installs one.
    """
    name, zig_name, gnu_name = _FAMILIES[target.linker]
    for origin, wanted in (("--linker", choice), ("MOCHI_LINKER", os.environ.get("MOCHI_LINKER", ""))):
        if wanted:
            return _chosen(origin, wanted, zig_name)
    full = which(name)
    if full:
        return Linker([full], "PATH")
    for version in range(_NEWEST, _OLDEST - 1, -1):
        full = which(f"{name}-{version}")
        if full:
            return Linker([full], "PATH")
    if zig_name:
        full = find_zig()
        if full:
            return Linker([full, zig_name], "ziglang")
    prefix = _GNU_PREFIXES.get(target.name, "")
    if gnu_name and prefix:
        # Without a prefix it is the machine's own; those of Debian know one family of machines each.
        full = which(prefix + gnu_name) or (which(gnu_name) if target.name == host_target() else "")
        if full:
            return Linker([full], "PATH", gnu=True)
    raise LinkError(f"no linker for {target.name} found ({name}); {INSTALL_HINT}")


def _chosen(origin: str, wanted: str, zig_name: str) -> Linker:
    base = os.path.basename(wanted)
    if base in ("zig", "zig.exe", "ziglang"):
        full = which(wanted) or find_zig()
        if full and zig_name:
            return Linker([full, zig_name], origin, origin=f"{origin}={wanted}")
        raise LinkError(f"{origin}={wanted}: zig was not found; install it with `pip install ziglang`")
    full = which(wanted)
    if not full:
        raise LinkError(f"{origin}={wanted}: no such linker; {INSTALL_HINT}")
    return Linker([full], origin, gnu="lld" not in os.path.basename(full), origin=f"{origin}={wanted}")


def link_command(
    target: Target,
    linker: Linker,
    inputs: list[str],
    out: str,
    strip: bool = False,
    protected: bool = False,
    shared: bool = False,
) -> list[str]:
    """The argv that links `inputs` (objects and archives) to the executable `out`; `protected`: the objects have
    program properties; `shared`: there are shared libraries, and the system's loader starts the program (Linux)."""
    if shared:
        return _shared_command(target, linker, inputs, out, strip)
    return _COMMANDS[target.linker](target, linker, inputs, out, strip, protected)


def _shared_command(target: Target, linker: Linker, inputs: list[str], out: str, strip: bool) -> list[str]:
    """All functions are bound when the program starts (-z now), so that one that is missing is not found too late.
    What is missing in shared libraries themselves is theirs to find: stubs need nothing."""
    argv = [
        *linker.argv, "-nostdlib", "--gc-sections", "--discard-locals", "-z", "noexecstack", "-z", "now", "-z",
        "norelro", "-z", f"max-page-size={target.page}", "-m", target.emulation, "-T", script_path(SHARED_SCRIPT),
        "--build-id=none", "--hash-style=gnu", "--allow-shlib-undefined", "-dynamic-linker", LOADERS[target.arch],
    ]  # fmt: skip
    if not linker.gnu:
        argv.append("--threads=1")
    if strip:
        argv.append("--strip-all")
    return [*argv, "-o", out, *inputs]


# The loaders of shared libraries by the C library's (glibc's) ABI.
LOADERS: Final = {
    "amd64": "/lib64/ld-linux-x86-64.so.2",
    "arm64": "/lib/ld-linux-aarch64.so.1",
    "riscv64": "/lib/ld-linux-riscv64-lp64d.so.1",
}
SHARED_SCRIPT: Final = "linux_shared.ld"


def _elf_command(
    target: Target, linker: Linker, inputs: list[str], out: str, strip: bool, protected: bool
) -> list[str]:
    script = target.script.replace(".ld", "_protected.ld") if protected else target.script
    argv = [
        *linker.argv, "-static", "-nostdlib", "--gc-sections", "--discard-locals", "-z", "noexecstack",
        "-z", f"max-page-size={target.page}",
        "-m", target.emulation, "-T", script_path(script), "--build-id=none",
    ]  # fmt: skip
    if not linker.gnu:
        argv.append("--threads=1")  # starting threads costs more than they save on small programs
    if strip:
        argv.append("--strip-all")
    argv += ["-o", out]
    argv += inputs
    return argv


def _coff_command(
    target: Target, linker: Linker, inputs: list[str], out: str, strip: bool, protected: bool
) -> list[str]:
    """Images have no symbols unless debug information is asked for: nothing to strip."""
    from mochic.link.imports import import_libraries

    return [
        *linker.argv, "/nologo", "/subsystem:console", "/entry:mainCRTStartup", "/nodefaultlib",
        f"/machine:{target.emulation}", "/Brepro", "/opt:ref", "/opt:noicf", "/dynamicbase", "/nxcompat",
        "/highentropyva", "/threads:1", f"/out:{out}", *inputs,
        *import_libraries(target),
    ]  # fmt: skip


def _macho_command(
    target: Target, linker: Linker, inputs: list[str], out: str, strip: bool, protected: bool
) -> list[str]:
    """arm64 images get an ad-hoc signature from both linkers without being asked."""
    if linker.argv[-1] == "cc":
        from mochic import cache

        for kind in ("GLOBAL", "LOCAL"):
            os.environ.setdefault(f"ZIG_{kind}_CACHE_DIR", os.path.join(cache.folder(), "zig"))
        argv = [*linker.argv, "-target", f"{_ZIG_CPU[target.arch]}-macos.{MACOS}", "-nostdlib", "-lSystem"]
        if strip:
            argv.append("-s")
        return [*argv, "-o", out, *inputs]
    argv = [
        *linker.argv, "-arch", target.emulation, "-platform_version", "macos", MACOS, MACOS, "-dead_strip",
        "-e", "_main", "-o", out, *inputs, script_path(target.script),
    ]  # fmt: skip
    if strip:
        argv += ["-x", "-S"]
    return argv


MACOS: Final = "11.0"
_ZIG_CPU: Final = {"amd64": "x86_64", "arm64": "aarch64"}
_COMMANDS: Final = {"lld-elf": _elf_command, "lld-coff": _coff_command, "lld-macho": _macho_command}


PROGRAM: Final = "program"  # the fixed name under which linkers see the result: signatures of macOS have it


def link(
    target: Target,
    inputs: list[str],
    work: Workplace,
    choice: str = "",
    strip: bool = False,
    protected: bool = False,
    libraries: Libraries | None = None,
) -> Linker:
    """Links to the result of the workplace; raises LinkError when there is no linker or it fails.  Returns the linker
    used."""
    if not target.script:
        raise LinkError(f"linking for {target.name} is not supported yet")
    linker = find_linker(target, choice)
    if linker.gnu or linker.origin:
        from mochic.link.identify import why_not

        why = why_not(linker.argv[0], target, run_tool) if len(linker.argv) == 1 else ""
        if why:
            raise LinkError(f"{linker.origin or linker.argv[0]}: {why}; {INSTALL_HINT}")
    out = work.path(PROGRAM)
    shared = False
    if libraries is not None:
        from mochic.link.clibs import inputs as c_inputs

        shared = libraries.shared
        inputs = inputs + c_inputs(libraries)
    argv = link_command(target, linker, inputs, out, strip, protected, shared)
    status, text = run_tool(argv)
    if status != 0:
        if _is_full(work.folder, inputs):
            raise LinkError(f"cannot write {work.out}: {os.strerror(errno.ENOSPC)}")
        how = f"exit status {status}" if status > 0 else f"signal {-status}"
        raise LinkError(f"the linker {linker.argv[0]} failed with {how}", text.replace(work.folder + os.sep, ""))
    if not os.path.isfile(out):
        raise LinkError(f"the linker {linker.argv[0]} wrote nothing; {INSTALL_HINT}", text)
    with open(out, "rb") as f:
        wrong = flaw(f.read(), target)
    if wrong:
        raise LinkError(f"what the linker {linker.argv[0]} wrote {wrong}; {INSTALL_HINT}", text)
    work.finish(PROGRAM)
    return linker


def _is_full(folder: str, inputs: list[str]) -> bool:
    """The disk has no room for a program of these files.  LLD writes through a mapping and dies of a signal then."""
    if not hasattr(os, "statvfs"):
        return False
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < sum(os.path.getsize(p) for p in inputs if os.path.isfile(p))


def run_tool(argv: list[str]) -> tuple[int, str]:
    """Runs a command; its exit status (negative: signal) and everything it printed."""
    if not hasattr(os, "posix_spawn"):
        import subprocess

        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace")
    reader, writer = os.pipe()
    try:
        try:
            pid = os.posix_spawn(
                argv[0],
                argv,
                os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_DUP2, writer, 2)],
            )
        except OSError as e:
            raise LinkError(f"cannot run {argv[0]}: {e.strerror}") from None
        finally:
            os.close(writer)
        chunks: list[bytes] = []
        try:
            while True:
                chunk = os.read(reader, 65536)
                if not chunk:
                    break
                chunks.append(chunk)
        except BaseException:  # interrupted: the tool must not go on writing behind our back
            os.kill(pid, 15)
            os.waitpid(pid, 0)
            raise
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(reader)
    return os.waitstatus_to_exitcode(status), b"".join(chunks).decode("utf-8", "replace")
