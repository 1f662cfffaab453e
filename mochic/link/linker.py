"""Finds the system linker and runs it.

Order (docs: `mochi doctor` prints it): the --linker option, the MOCHI_LINKER variable, the LLVM linker
of the target's family on PATH (unversioned, then the newest versioned name), the one inside the
`ziglang` wheel, GNU ld for the target.  An explicit choice that does not exist is an error, not a reason to go on.

Commands are argv lists, never a shell.  The output is made in the build's workplace, so an interrupted
or failed link leaves nothing half-written.
"""

from __future__ import annotations

import errno
import os
from typing import Final

from linkscripts import script_path
from mochic.link.identify import flaw_of
from mochic.link.tools import INSTALL_HINT, LinkError, find_zig, run_tool, which
from mochic.output import Workplace
from mochic.targets import Target, host_target

# Linker family -> command names to try on PATH, the subcommand of zig, and the GNU command.
_FAMILIES: Final[dict[str, tuple[str, str, str]]] = {
    "lld-elf": ("ld.lld", "ld.lld", "ld"),
    "lld-coff": ("lld-link", "lld-link", ""),
    "lld-macho": ("ld64.lld", "cc", ""),
    "lld-wasm": ("wasm-ld", "wasm-ld", ""),
}
_NEWEST: Final = 30
_OLDEST: Final = 15  # linker scripts with PHDRS and SHF_LINK_ORDER mixing


class Linker:
    """A usable linker: `argv` is how its command line begins, `source` says how it was found, `origin` is the user's
    own word for it, if it has one."""

    __slots__ = ("argv", "source", "gnu", "origin")

    def __init__(self, argv: list[str], source: str, gnu: bool = False, origin: str = "") -> None:
        self.argv = argv
        self.source = source
        self.gnu = gnu
        self.origin = origin


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
    if gnu_name and target.triple:
        # Without a prefix it is the machine's own; those of Debian know one family of machines each.
        full = which(f"{target.triple}-{gnu_name}") or (which(gnu_name) if target.name == host_target() else "")
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
        "--build-id=none", "--hash-style=gnu", "--allow-shlib-undefined", "-dynamic-linker", target.loader,
    ]  # fmt: skip
    if not linker.gnu:
        argv.append("--threads=1")
    if strip:
        argv.append("--strip-all")
    return [*argv, "-o", out, *inputs]


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
        argv = [*linker.argv, "-target", f"{target.triple}.{MACOS}", "-nostdlib", "-lSystem"]
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
_COMMANDS: Final = {"lld-elf": _elf_command, "lld-coff": _coff_command, "lld-macho": _macho_command}


PROGRAM: Final = "program"  # the fixed name under which linkers see the result: signatures of macOS have it


def link(
    target: Target,
    inputs: list[str],
    work: Workplace,
    choice: str = "",
    strip: bool = False,
    protected: bool = False,
    shared: bool = False,
) -> Linker:
    """Links to the result of the workplace; raises LinkError when there is no linker or it fails.  Returns the linker
    used.  The other parameters are those of `link_command`."""
    if not target.script:
        raise LinkError(f"linking for {target.name} is not supported yet")
    linker = find_linker(target, choice)
    if linker.gnu or linker.origin:
        from mochic.link.identify import why_not

        why = why_not(linker.argv[0], target, run_tool) if len(linker.argv) == 1 else ""
        if why:
            raise LinkError(f"{linker.origin or linker.argv[0]}: {why}; {INSTALL_HINT}")
    out = work.path(PROGRAM)
    argv = link_command(target, linker, inputs, out, strip, protected, shared)
    status, text = run_tool(argv)
    if status != 0:
        if _is_full(work.folder, inputs):
            raise LinkError(f"cannot write {work.out}: {os.strerror(errno.ENOSPC)}")
        how = f"exit status {status}" if status > 0 else f"signal {-status}"
        raise LinkError(f"the linker {linker.argv[0]} failed with {how}", text.replace(work.folder + os.sep, ""))
    if not os.path.isfile(out):
        raise LinkError(f"the linker {linker.argv[0]} wrote nothing; {INSTALL_HINT}", text)
    wrong = flaw_of(out, target)
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
