"""C libraries of a program: what `import c "NAME"` and `-l NAME` lead to, and what the linker is given for it.

A library is shared by name, or a file.

* Shared by name: "c" and "m" (C's own library), or a name that the loader of the target's system knows, such
  as "libz.so.1", "libz.1.dylib", "zlib1.dll".  The file is not needed to build: the linker gets a stub with the
  functions that the program calls (objwriter.elfstub, an import library, a .tbd text).  So any machine builds for any
  system, with the same result; if the library happens to be on this machine, a function that it lacks is found now and
  not at the start of the program.
* A file: a path, or what a search for libNAME in the folders of -L and in those of the system finds.  An archive or
  object becomes part of the program, a shared library is named in it as its file says.

Linux programs are static until a shared library comes in.  Then the system's loader starts them, and C's
own library is one of theirs: it runs the program and ends it, so that its output is flushed (runtime/os_linux.mochi).
"""

from __future__ import annotations

import os
import re
from struct import iter_unpack, unpack_from
from typing import Final

from linkscripts import script_path
from mochic.compile import CompileError
from mochic.diag.diagnostic import Diagnostic, make
from mochic.link.tools import LinkError
from mochic.options import Options
from mochic.sema.symbols import CFun, CLibrary
from mochic.targets import SYSTEMS, Target, host_target

# What every program with shared libraries on Linux calls (runtime/os_linux.mochi), and all that end C's library.
PROCESS: Final = ("exit", "fflush")
START: Final = "__libc_start_main"
# The system's TLS library (OpenSSL 3), and what runtime/os_tls_linux.mochi calls of it.
TLS: Final = {
    "libssl.so.3": (
        "SSL_CTX_ctrl", "SSL_CTX_new", "SSL_CTX_set_default_verify_paths", "SSL_CTX_set_verify", "SSL_connect",
        "SSL_ctrl", "SSL_free", "SSL_get0_param", "SSL_get_error", "SSL_get_verify_result", "SSL_new", "SSL_read",
        "SSL_set1_host", "SSL_set_fd", "SSL_set_hostflags", "SSL_shutdown", "SSL_write", "TLS_client_method",
    ),
    "libcrypto.so.3": (
        "ERR_clear_error", "ERR_get_error", "ERR_reason_error_string", "X509_VERIFY_PARAM_set1_ip_asc",
        "X509_verify_cert_error_string",
    ),
}  # fmt: skip
_SHARED: Final = re.compile("|".join([*(s.shared for s in SYSTEMS.values()), r"\.tbd\Z"]))
# Names go to linkers and into programs.
_SOUND: Final = re.compile(r"[^\x00-\x1f\x7f'\"]+")
_FILES: Final = (".a", ".o", ".obj", ".lib", ".tbd")
_C_RUNTIMES: Final = re.compile(r"(ucrtbase|msvcrt|msvcr[0-9]+|api-ms-win-crt-.*)\.dll$", re.IGNORECASE)


class Libraries:
    """What a program is linked with.  `stubs`: the system's name of a library -> the functions wanted of it; `names`:
    what a library's import resolved to; `process`: C's library is in the program."""

    __slots__ = ("target", "stubs", "names", "files", "folders", "process", "given", "tls")

    def __init__(self, target: Target) -> None:
        self.target = target
        self.stubs: dict[str, dict[str, None]] = {}
        self.names: dict[tuple[str, str], str] = {}
        self.files: list[str] = []
        self.folders: list[str] = []
        self.process = False
        self.given = False  # libraries or objects on the command line
        self.tls = False  # the program fetches over https

    @property
    def shared(self) -> bool:
        """Does the system's loader have to start the program (System.loaded)?"""
        return self.target.system.loaded and (bool(self.stubs) or any(is_shared(f) for f in self.files))

    def stub(self, soname: str) -> None:
        self.stubs.setdefault(soname, {})

    def file(self, path: str) -> None:
        if path not in self.files:
            self.files.append(path)


def is_shared(path: str) -> bool:
    """Is this a shared library by its name?"""
    return bool(_SHARED.search(os.path.basename(path)))


def folders(target: Target, opt: Options) -> list[str]:
    """Where libraries are: the folders of -L, then the system's."""
    system = target.system
    own = system.own_folders if target.name == host_target() else ()
    return [*opt.folders, *(d.format(triple=target.triple) for d in system.folders), *own]


def _fits(path: str, target: Target) -> bool:
    """Not a shared library or object for another CPU.  (Linker scripts and archives are the linker's to judge.)"""
    with open(path, "rb") as f:
        head = f.read(20)
    if head[:4] != b"\x7fELF" or len(head) < 20:
        return True
    from objwriter.targets import targets_of

    machine: int = unpack_from("<H", head, 18)[0]
    return any(row.arch == target.arch and row.machine == machine for row in targets_of("elf").values())


_BINARY: Final = (
    b"\x7fELF", b"!<arch>\n", b"!<thin>\n", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\x64\x86", b"\x64\xaa",
)  # fmt: skip


def _is_library(path: str) -> bool:
    """Does a file begin as an archive, object or library of some format does, or as texts that linkers take for one?"""
    with open(path, "rb") as f:
        head = f.read(4096)
    return head.startswith((*_BINARY, b"--- !tapi")) or bool(re.search(rb"\b(GROUP|INPUT|OUTPUT_FORMAT)\s*\(", head))


def _found(folder: str, names: list[str], target: Target) -> str:
    for n in names:
        path = os.path.join(folder, n)
        if os.path.isfile(path) and _fits(path, target):
            return path
    return ""


def search(name: str, target: Target, places: list[str]) -> str:
    """The file of the library `name`, an empty string when there is none."""
    plain = [s.format(name) for s in target.system.searched]
    for d in places:
        path = _found(d, plain, target)
        if path:
            return path
    if target.system.versioned:  # a machine without the files for development has the library all the same
        versioned = re.compile(rf"lib{re.escape(name)}\.so(\.[0-9]+)+$")
        for d in places:
            try:
                files = sorted(f for f in os.listdir(d) if versioned.match(f))
            except OSError:
                continue
            path = _found(d, files, target)
            if path:
                return path
    return ""


def resolve(imported: list[CLibrary], opt: Options, target: Target, tls: bool = False) -> Libraries:
    """What the imports and the command line lead to; `tls`: and the system's TLS library.  Raises
    CompileError or, for the command line, LinkError."""
    out = Libraries(target)
    if tls:
        out.tls = True
        for soname, functions in TLS.items():
            out.stubs[soname] = dict.fromkeys(functions)
    if not imported and not opt.libraries and not tls:
        return out
    out.folders = folders(target, opt)
    diags: list[Diagnostic] = []
    for lib in imported:
        where = os.path.dirname(lib.importer)
        fault = _place(out, lib.name, where, lib)
        if fault:
            d = make("M012", lib.lo, lib.hi, lib.name)
            if fault != "?":
                d.message += ": " + fault
            diags.append(d)
    if diags:
        raise CompileError("link", diags)
    for name in opt.libraries:
        fault = _place(out, name, "", None)
        if fault:
            raise LinkError(
                f"cannot find the C library `{name}` of -l" + (f": {fault}" if fault != "?" else ""),
                "It is not in the folders of -L nor in those of the system." if fault == "?" else "",
            )
        out.given = True
    _process(out)
    return out


def _place(out: Libraries, name: str, where: str, lib: CLibrary | None) -> str:
    """Take a library in; what is wrong with it, `?` when it is not there."""
    system = out.target.system
    if not _SOUND.fullmatch(name):
        return "that is not a name of a library"
    soname = system.common.get(name, "")
    if not soname and ("/" not in name or (system.builtin and name.startswith(system.builtin))):
        if re.search(system.shared, name):
            soname = name if "/" in name else system.builtin + name
        else:
            other = next((s for s in SYSTEMS.values() if re.search(s.shared, name)), None)
            if other is not None:
                return f"that is a name of {other.title}, and this program is for {system.title}"
    if soname and lib is None and name in system.common and system.loaded:
        # `-l` means all of the library, and no stub has that.
        found = search(name, out.target, out.folders)
        if found:
            out.file(found)
            return ""
    if soname and lib is not None:
        out.stub(soname)
        out.names[name, lib.importer] = soname
        return ""
    if soname and name in system.common:
        out.stub(soname)
        return ""
    if "/" in name or os.sep in name or name.endswith(_FILES) or soname:
        path = os.path.join(where, name)
        if not os.path.isfile(path):
            return "there is no such file"
        if not _fits(path, out.target):
            return "that file is for another CPU"
        if not _is_library(path):
            return "that file is no library, object or linker script"
    else:
        path = search(name, out.target, out.folders)
        if not path:
            return "?"
    out.file(path)
    return ""


def _process(out: Libraries) -> None:
    """Is C's library among them, and under which name?"""
    system = out.target.system
    if system.loaded and not out.shared:
        return
    if system.loaded or system.builtin:
        own = system.common["c"]
        out.stub(own)
    else:
        own = next((s for s in out.stubs if _C_RUNTIMES.match(s)), "")
        if not own:
            return
    if system.loaded:
        out.stubs[own][START] = None
    out.process = True
    for f in PROCESS:
        out.stubs[own][f] = None


_IMPORT: Final = re.compile(rb'\bimport\s+c\s+"([^"\n]*)"')


def fingerprint(sources: list[tuple[str, bytes]], opt: Options, target: Target) -> bytes:
    """What of libraries goes into a program from these sources (path, text): for caches of programs."""
    imported = [
        CLibrary(name.decode("utf-8", "replace"), 0, 0, path)
        for path, text in sources
        if b"import" in text
        for name in _IMPORT.findall(text)
    ]
    if not imported and not opt.libraries:
        return b""
    from hashlib import sha256

    try:
        libs = resolve(imported, opt, target)
    except (CompileError, LinkError, OSError):
        return b"?"  # the build will say why
    digest = sha256()
    for f in libs.files:
        digest.update(f.encode() + b"\0")
        with open(f, "rb") as opened:
            digest.update(sha256(opened.read()).digest())
    return digest.digest()


def claim(libs: Libraries, calls: dict[str, CFun], opt: Options) -> None:
    """The functions that the program calls, each in the stub of its library.  Raises CompileError for one that no
    library can have."""
    diags: list[Diagnostic] = []
    for symbol, c in calls.items():
        lib = c.library
        soname = "" if lib is None else libs.names.get((lib.name, lib.importer), "")
        if soname:
            libs.stubs[soname][symbol] = None
            real = _real(libs, soname)
            if real and symbol not in _exported(real):
                diags.append(_missing(c, f"{soname} of this machine does not have it."))
        elif lib is None and not libs.given:
            diags.append(_missing(c, ""))
    if diags:
        raise CompileError("link", diags)


def _missing(c: CFun, note: str) -> Diagnostic:
    d = make("M013", c.decl.lo, c.decl.hi, c.symbol)
    if note:
        d.notes.append(note)
    return d


def undefined(text: str, calls: dict[str, CFun], prefix: str = "") -> tuple[list[Diagnostic], list[str]]:
    """What a linker's messages say about symbols that nothing defines: errors of declarations, and names that only the
    libraries themselves know."""
    diags: list[Diagnostic] = []
    others: dict[str, None] = {}
    for m in re.finditer(r"undefined (?:symbol:|reference to) [`']?([^\s'`,]+)", text):
        name = m.group(1)
        name = name[len(prefix) :] if prefix and name.startswith(prefix) else name
        c = calls.get(name)
        if c is None:
            others[name] = None
        elif not any(d.lo == c.decl.lo for d in diags):
            diags.append(_missing(c, ""))
    return diags, list(others)


def _real(libs: Libraries, soname: str) -> str:
    """The file of a shared library on this machine, if it is one that programs for the target would find."""
    if not libs.target.system.loaded:
        return ""
    return next((p for p in (os.path.join(d, soname) for d in libs.folders) if os.path.isfile(p)), "")


def _exported(path: str) -> set[str]:
    """The names that a shared ELF library defines (gABI, "Symbol Table")."""
    with open(path, "rb") as f:
        head = f.read(64)
        if head[:6] != b"\x7fELF\2\1":
            return set()
        at, size, count = *unpack_from("<Q", head, 0x28), *unpack_from("<HH", head, 0x3A)
        f.seek(at)
        sections = list(iter_unpack("<IIQQQQIIQQ", f.read(size * count)))
        for s in sections:
            if s[1] == 11:  # SHT_DYNSYM
                f.seek(s[4])
                table = f.read(s[5])
                strings = sections[s[6]]
                f.seek(strings[4])
                names = f.read(strings[5])
                return {
                    names[n : names.index(b"\0", n)].decode("utf-8", "replace")
                    for n, _, _, section, _, _ in iter_unpack("<IBBHQQ", table)
                    if section
                }
    return set()


def inputs(libs: Libraries) -> list[str]:
    """What the linker is given behind the program's own objects: files, and stubs made now (they are cached)."""
    out: list[str] = []
    elf = libs.target.format == "elf"
    if elf and libs.files:
        out.append("--start-group")
    for path in libs.files:
        if elf and is_shared(path) and _is_elf(path):
            # By its name alone, so that no path of this machine gets into the program.
            out += ["-L" + (os.path.dirname(path) or "."), "-l:" + os.path.basename(path)]
        else:
            out.append(path)
    if elf and libs.files:
        out.append("--end-group")
    out += [_stub_file(libs.target, name, sorted(f)) for name, f in libs.stubs.items() if f]
    return out


def _is_elf(path: str) -> bool:
    with open(path, "rb") as f:
        return f.read(4) == b"\x7fELF"


def _stub_file(target: Target, name: str, functions: list[str]) -> str:
    """The path of a stub: linkers take files, and the cache is a place for them."""
    from hashlib import sha256

    from mochic import cache

    data = _STUBS[target.format](target, name, functions)
    key = sha256(data).hexdigest()[:32]
    suffix = {"elf": ".so", "macho": ".tbd", "coff": ".lib"}[target.format]
    return cache.entry("stubs", key + suffix, lambda: data)


def _elf_stub(target: Target, name: str, functions: list[str]) -> bytes:
    from objwriter.elfstub import write_elf_stub

    return write_elf_stub(target.name, name, functions)


def _tbd(target: Target, name: str, functions: list[str]) -> bytes:
    """A text-based stub of a dynamic library, version 4."""
    names = ["_" + f for f in functions]
    if name == target.system.common["c"]:
        # Linkers take one text for each library: what the runtime needs of this
        # one (linkscripts/libSystem.tbd) as well.
        with open(script_path(target.script), encoding="utf-8") as f:
            listed = f.read().partition("symbols:")[2].partition("[")[2].partition("]")[0]
        names = sorted({*names, *listed.replace(",", " ").split()})
    symbols = ", ".join(names)
    both = "[ x86_64-macos, arm64-macos ]"
    return (
        f"--- !tapi-tbd\ntbd-version:     4\ntargets:         {both}\ninstall-name:    '{name}'\n"
        f"exports:\n  - targets:         {both}\n    symbols:         [ {symbols} ]\n...\n"
    ).encode()


def _import_library(target: Target, name: str, functions: list[str]) -> bytes:
    from objwriter.archive import Import, write_import_library

    return write_import_library(target.name, name, [Import(f) for f in functions])


_STUBS: Final = {"elf": _elf_stub, "macho": _tbd, "coff": _import_library}
