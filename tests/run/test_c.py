"""Functions of C: the programs of the folder `c`, conventions of calls, libraries that are found and missing.

Programs with the C library need it where they run: emulated Linux has it in /usr/TRIPLE (Debian: libc6-arm64-cross),
Wine brings its own, and the emulator of tests/emulate has the few functions of EMULATED_LIBRARY.

Objects come from zig, which compiles C for every target (for this machine, cc does too).  The test of conventions makes
C functions with random parameters and compares what they saw with what the program gave.  They need no library.
"""

from __future__ import annotations

import gc
import os
import random
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest
import test_desktop
from test_run import EMULATED, HERE, HOST, READY, SELECTED, STRESS, TIME_LIMIT, why_not

from building import build_program, write_source
from selecting import here, slow_unless
from mochic import driver
from mochic.link.linker import find_linker
from mochic.link.tools import find_zig, which
from mochic.link.runner import command_for, find_runner, sysroot
from mochic.options import Options
from mochic.targets import TARGETS
from objwriter.archive import BSD, COFF, GNU, Member, parse_def, write_archive, write_import_library

if TYPE_CHECKING:
    from conftest import Figures

PROGRAMS: Final = os.path.join(HERE, "c")
NAMES: Final = sorted(f[:-6] for f in os.listdir(PROGRAMS) if f.endswith(".mochi"))
LINUX: Final = [t for t in SELECTED if t in READY]


def skip(reason: str, figures: Figures) -> None:
    figures.left_out[reason] += 1
    pytest.skip(reason)


def execute(exe: str, target: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    command = command_for(TARGETS[target])
    run = subprocess.run(
        [*command, exe],
        capture_output=True,
        env={**os.environ, **(EMULATED if command else {}), **(env or {})},
        timeout=TIME_LIMIT,
        check=False,
    )
    return run.returncode, run.stdout.decode("utf-8", "replace"), run.stderr.decode("utf-8", "replace")


def judge(name: str, result: tuple[int, str, str]) -> None:
    """Is this what the files beside a program say?"""
    status, out, err = result
    with open(os.path.join(PROGRAMS, name + ".out"), encoding="utf-8") as f:
        assert out.replace("\r\n", "\n") == f.read(), err
    try:
        with open(os.path.join(PROGRAMS, name + ".err"), encoding="utf-8") as f:
            assert (status, err.splitlines()[0]) == (1, f.read().strip())
    except FileNotFoundError:
        assert (status, err) == (0, "")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("target", slow_unless(here, LINUX))
def test_program(target: str, name: str, tmp_path: os.PathLike[str], figures: Figures) -> None:
    reason = why_not(target)
    if not reason and target != HOST and not sysroot(TARGETS[target]):
        reason = f"there is no C library for {target} here"
    if reason:
        skip(reason, figures)
    source = os.path.join(PROGRAMS, name + ".mochi")
    for level in (0, 2):
        exe = build_program(source, target, out=os.path.join(tmp_path, "p"), level=level, verify=True)
        judge(name, execute(exe, target))
        if level:
            judge(name, execute(exe, target, STRESS))
        figures.program("c/" + name, target, f"O{level}")


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in NAMES if n != "error_unsigned"])
def test_windows(
    name: str, tmp_path: os.PathLike[str], figures: Figures, tmp_path_factory: pytest.TempPathFactory
) -> None:
    target = "windows/amd64"
    if target not in test_desktop.SELECTED:
        pytest.skip("another target is selected")
    if not find_runner(TARGETS[target]):
        skip("Wine has the C library of Windows", figures)
    source = os.path.join(PROGRAMS, name + ".mochi")
    exe = build_program(source, target, out=os.path.join(tmp_path, "p.exe"), verify=True)
    judge(name, test_desktop.execute(target, exe, tmp_path, wine(tmp_path_factory)))
    figures.program("c/" + name, target, "O2")


_WINE: dict[str, str] = {}


def wine(factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of Wine, prepared once."""
    if not _WINE:
        own = {"WINEPREFIX": str(factory.mktemp("wine")), "WINEDEBUG": "-all"}
        _WINE.update({k: v for k, v in os.environ.items() if not k.startswith("WINE")})
        _WINE.update(own)
        _WINE.update(test_desktop.ENVIRONMENT)
        subprocess.run([find_runner(TARGETS["windows/amd64"]), "cmd", "/c", "exit"], env=_WINE, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    return _WINE


EMULATED_LIBRARY: Final = """import c "c"
extern fun c.puts(s: string): int32
extern fun c.strlen(s: string): uint64
print("one")
c.puts("two")
print(c.strlen("three"))
"""


@pytest.mark.parametrize("target", [t for t in test_desktop.SELECTED if not find_runner(TARGETS[t])])
def test_emulated(target: str, tmp_path: os.PathLike[str], figures: Figures) -> None:
    if test_desktop.REASONS[target]:
        skip(test_desktop.REASONS[target], figures)
    exe = build_program(write_source(EMULATED_LIBRARY, tmp_path), target, verify=True)
    env = {**os.environ, **test_desktop.ENVIRONMENT}
    assert test_desktop.execute(target, exe, tmp_path, env) == (0, "one\ntwo\n5\n", "")
    figures.program("C library", target, "O2")


# -- libraries

# Source, what the command line adds, what is said.
FAULTS: Final = {
    "function": (
        'import c "m" as m\nextern fun m.sqrtt(x: float): float\nprint(m.sqrtt(2.0))\n',
        "",
        ["error[M013]: no library has the C function `sqrtt`", "t.mochi:2:1", "libm.so.6 of this machine"],
    ),
    "nowhere": (
        "print(1)\nextern fun foo(x: float): float\nprint(foo(2.0))\n",
        "",
        ["error[M013]: no library has the C function `foo`", "t.mochi:2:1"],
    ),
    "undefined": (
        "extern fun twice(x: int): int\nextern fun thrice(x: int): int\nprint(twice(2), thrice(3))\n",
        "fun.o",
        ["error[M013]: no library has the C function `thrice`", "t.mochi:2:1"],
    ),
    "inner": (
        "extern fun has(s: string, n: int): int\nprint(has(\"\", 0))\n",
        "fun.o",
        ["what no library has: strlen", "-l c"],
    ),
    "library": (
        'import c "surely_no_such" as n\nextern fun n.f()\nn.f()\n',
        "",
        ['error[M012]: cannot find the C library "surely_no_such"', "t.mochi:1:1", "-L DIR"],
    ),
    "file": ('import c "./no.a" as n\n', "", ['"./no.a": there is no such file', "t.mochi:1:1"]),
    "text": ('import c "./t.mochi" as n\n', "", ["that file is no library"]),
    "name": ('import c "libm.so.6\\n" as n\n', "", ["that is not a name of a library"]),
    "system": ('import c "z.dll" as n\n', "", ["a name of Windows, and this program is for Linux"]),
    "option": ("print(1)\n", "surely_no_such", ["cannot find the C library `surely_no_such` of -l"]),
}  # fmt: skip
SIMPLE: Final = """
extern unsigned long long strlen(const char *);
EXPORT long long twice(long long x) { return 2 * x; }
EXPORT long long has(const char *s, long long n) { return strlen(s) == n; }
"""


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(
    fault: str, tmp_path: os.PathLike[str], figures: Figures, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if not HOST.startswith("linux/"):
        pytest.skip("messages about Linux")
    text, library, said = FAULTS[fault]
    if library.endswith(".o"):
        library = compile_c(SIMPLE, HOST, str(tmp_path), figures, "-DEXPORT=")
    monkeypatch.chdir(tmp_path)
    with open("t.mochi", "w", encoding="utf-8") as f:
        f.write(text)
    opt = Options(HOST)
    opt.out = "t"
    opt.libraries = (library,) if library else ()
    try:
        assert driver.guarded(lambda: driver.build("t.mochi", opt)) == 1
    finally:
        gc.enable()
    err = capsys.readouterr().err
    assert all(part in err for part in said), err
    assert "ld" not in err.split("help:")[0].split()


def run_anywhere(
    exe: str, target: str, folder: os.PathLike[str], factory: pytest.TempPathFactory, env: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """(exit status, output, standard error) of a program for any target, with lines as Linux ends them."""
    if target not in test_desktop.DESKTOP:
        return execute(exe, target, env)
    around = wine(factory) if find_runner(TARGETS[target]) else {**os.environ, **test_desktop.ENVIRONMENT}
    status, out, err = test_desktop.execute(target, exe, folder, around)
    return status, out.replace("\r\n", "\n"), err


def why_not_anywhere(target: str) -> str:
    return test_desktop.REASONS[target] if target in test_desktop.DESKTOP else why_not(target)


def shared_library(obj: str, target: str, folder: str) -> str:
    """Link an object into a shared library beside it, where programs for the target can load one here; its path."""
    if target.startswith("linux/"):
        out = os.path.join(folder, "libkinds.so")
        subprocess.run([*find_linker(TARGETS[target]).argv, "-shared", "-o", out, obj], check=True)
        return out
    if find_runner(TARGETS[target]):  # Wine; the emulator loads no other file
        out = os.path.join(folder, "kinds.dll")
        library = os.path.join(folder, "c.lib")
        with open(library, "wb") as f:
            f.write(write_import_library(target, *parse_def("LIBRARY ucrtbase.dll\nEXPORTS\nstrlen\n")))
        command = [*find_linker(TARGETS[target]).argv, "-dll", "-noentry", "-out:" + out, obj, library]
        subprocess.run(command, check=True)
        return out
    return ""


@pytest.mark.parametrize("target", slow_unless(here, [*LINUX, *test_desktop.SELECTED]))
def test_kinds_of_files(
    target: str, tmp_path: os.PathLike[str], figures: Figures, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An object, an archive that needs C's library, a shared library; found by path and by name."""
    linux = target.startswith("linux/")
    reason = why_not_anywhere(target)
    if not reason and linux and target != HOST and not sysroot(TARGETS[target]):
        reason = f"there is no C library for {target} here"
    if reason:
        skip(reason, figures)
    folder = str(tmp_path)
    export = "-DEXPORT=__declspec(dllexport)" if target.startswith("windows/") else "-DEXPORT="
    obj = compile_c(SIMPLE, target, folder, figures, export, *(["-fPIC"] if linux else []))
    with open(obj, "rb") as f:
        data = f.read()
    style = {"darwin": BSD, "windows": COFF}.get(target.partition("/")[0], GNU)
    prefix = "_" if target.startswith("darwin/") else ""
    with open(os.path.join(folder, "libkinds.a"), "wb") as f:
        f.write(write_archive([Member("fun.o", data, [prefix + "twice", prefix + "has"])], style))
    text = (
        "extern fun {0}twice(x: int): int\nextern fun {0}has(s: string, n: int): int\n"
        'print({0}twice(21), {0}has("three", 5))\n'
    )
    if not linux:  # a library without a file has the functions that the program calls
        text += 'import c "c" as c\nextern fun c.strlen(s: string): uint64\nprint(c.strlen("three"))\n'
    output = "42 1\n" if linux else "42 1\n5\n"

    def run(program: str, *libraries: str, folders: tuple[str, ...] = ()) -> None:
        source = write_source(program, folder, "t.mochi")
        exe = build_program(source, target, libraries=libraries, folders=folders, verify=True)
        env = {"LD_LIBRARY_PATH": folder}
        assert run_anywhere(exe, target, tmp_path, tmp_path_factory, env) == (0, output, "")

    run(text.format(""), obj, "c")
    shared = 'import c "libc.so.6"\n' if linux else ""
    run('import c "./libkinds.a" as k\n' + shared + text.format("k."), "c")
    run(text.format(""), "kinds", "c", folders=(folder,))
    library = shared_library(obj, target, folder)
    if linux:
        run(text.format(""), "kinds", folders=(folder,))
        run('import c "kinds" as k\n' + text.format("k."), folders=(folder,))
    if library:
        run(f'import c "{os.path.basename(library)}" as k\n' + text.format("k."))
    figures.program("C libraries", target, "O2")


@pytest.mark.slow
def test_same_bytes(tmp_path: os.PathLike[str]) -> None:
    """Programs with stubs are the same wherever they are built."""
    if why_not(HOST):
        pytest.skip(why_not(HOST))
    images = []
    for cache in ("a", "b"):
        out = os.path.join(tmp_path, cache + ".exe")
        env = {**os.environ, "MOCHI_CACHE": os.path.join(tmp_path, cache), "PYTHONHASHSEED": str(len(images) + 1)}
        code = (
            "import sys; from mochic.driver import build; from mochic.options import Options; "
            "o = Options('linux/arm64'); o.out = sys.argv[2]; sys.exit(build(sys.argv[1], o))"
        )
        subprocess.run(
            [sys.executable, "-c", code, os.path.join(PROGRAMS, "libc.mochi"), out],
            check=True,
            env=env,
            cwd=os.path.dirname(os.path.dirname(HERE)),
        )
        with open(out, "rb") as f:
            images.append(f.read())
    assert images[0] == images[1]


# -- conventions

# zig's names of targets whose C objects the linkers of the targets take.
ZIG: Final = {
    "linux/amd64": "x86_64-linux-musl", "linux/arm64": "aarch64-linux-musl", "linux/riscv64": "riscv64-linux-musl",
    "windows/amd64": "x86_64-windows-gnu", "windows/arm64": "aarch64-windows-gnu", "darwin/amd64": "x86_64-macos.11.0",
    "darwin/arm64": "aarch64-macos.11.0",
}  # fmt: skip
C_NAMES: Final = {
    "int": "long long", "int8": "signed char", "int16": "short", "int32": "int", "uint8": "unsigned char",
    "uint16": "unsigned short", "uint32": "unsigned", "uint64": "unsigned long long", "float": "double",
    "float32": "float", "bool": "_Bool", "string": "const char *",
}  # fmt: skip
SIZES: Final = {"int": 8, "int8": 1, "int16": 2, "int32": 4, "uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8}
MASK: Final = (1 << 64) - 1


def value(r: random.Random, kind: str) -> tuple[str, int, str]:
    """A value as Mochi text, the word that C makes of it, and how it prints."""
    if kind == "bool":
        b = r.random() < 0.5
        return str(b).lower(), int(b), str(b).lower()
    if kind == "string":
        s = "".join(r.choice("abcxyz") for _ in range(r.randrange(20)))
        h = 0
        for ch in s:
            h = (h * 31 + ord(ch)) & MASK
        return f'"{s}"', h, s
    if kind in ("float", "float32"):
        x = r.choice((0.0, -1.5, 3.25, r.uniform(-1e6, 1e6), r.uniform(-1, 1) * 10.0 ** r.randrange(-30, 30)))
        if kind == "float32":
            x = struct.unpack("<f", struct.pack("<f", x))[0]
            return f"({x!r})", struct.unpack("<I", struct.pack("<f", x))[0], ""
        return f"({x!r})", struct.unpack("<Q", struct.pack("<d", x))[0], ""
    bits = 8 * SIZES[kind]
    low, high = (0, (1 << bits) - 1) if kind[0] == "u" else (-(1 << bits - 1), (1 << bits - 1) - 1)
    n = r.choice((low, high, 0, 1, r.randint(low, high)))
    # A literal has 63 bits; other ints are made.
    limit = (1 << 63) - 1
    text = str(n) if abs(n) <= limit else f"{n // 2} * 2 + {n % 2}" if n > 0 else f"{-limit} - {-limit - n}"
    return f"({text})", n & MASK, str(n)


def functions(seed: int, count: int) -> tuple[str, str, str]:
    """(C source, Mochi source, output): each function mixes what it gets; each also gives one parameter back."""
    r = random.Random(seed)
    c = [
        "typedef unsigned long long word;",
        "static word text(const char *s) { word h = 0; while (*s) h = h * 31 + (unsigned char)*s++; return h; }",
        "static word wide(double x) { union { double d; word w; } u; u.d = x; return u.w; }",
        "static word narrow(float x) { union { float f; unsigned w; } u; u.f = x; return u.w; }",
    ]
    mochi = ["//! generated"]
    calls = []
    out = []
    for i in range(count):
        kinds = [r.choice(list(C_NAMES)) for _ in range(r.choice((0, 1, 3, 7, 12, 20, 30)))]
        if i % 3 == 0:  # many of one kind of register
            kinds = [r.choice(("float", "float32") if i % 2 else ("int", "int32", "int8")) for _ in kinds]
        values = [value(r, k) for k in kinds]
        h = 7
        mix = "word h = 7;"
        for n, (k, v) in enumerate(zip(kinds, values, strict=True)):
            h = (h * 1000003 + v[1]) & MASK
            how = {"float": "wide", "float32": "narrow", "string": "text"}.get(k, "(word)(long long)")
            mix += f" h = h * 1000003 + {how}(p{n});"
        params = ", ".join(f"{C_NAMES[k]} p{n}" for n, k in enumerate(kinds))
        types = ", ".join(f"p{n}: {k}" for n, k in enumerate(kinds))
        given = ", ".join(v[0] for v in values)
        c.append(f"word mix{i}({params or 'void'}) {{ {mix} return h; }}")
        mochi.append(f"extern fun mix{i}({types}): uint64")
        calls.append(f"print(mix{i}({given}))")
        out.append(str(h))
        if kinds:
            at = r.randrange(len(kinds))
            c.append(f"{C_NAMES[kinds[at]]} pick{i}({params}) {{ return p{at}; }}")
            mochi.append(f"extern fun pick{i}({types}): {kinds[at]}")
            calls.append(f"print(pick{i}({given}) == {values[at][0]})")
            out.append("true")
    return "\n".join(c) + "\n", "\n".join(mochi + calls) + "\n", "\n".join(out) + "\n"


def compile_c(source: str, target: str, folder: str, figures: Figures, *options: str) -> str:
    """The object of a C source for a target; skips where nothing compiles C."""
    path, obj = os.path.join(folder, "fun.c"), os.path.join(folder, "fun.o")
    with open(path, "w", encoding="utf-8") as f:
        f.write(source)
    zig = find_zig()
    command = [zig, "cc", "-target", ZIG[target], "-fno-sanitize=undefined"] if zig else [which("cc")]
    if not zig and (target != HOST or not command[0]):
        skip(f"nothing here compiles C for {target}", figures)
    cache = os.path.join(folder, "zig")
    env = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    flags = ["-O1", "-ffreestanding", "-fno-stack-protector", *options, "-c", "-o", obj, path]
    subprocess.run([*command, *flags], check=True, env=env, stdout=subprocess.DEVNULL)
    return obj


@pytest.mark.slow
@pytest.mark.parametrize("target", [*LINUX, *test_desktop.SELECTED])
def test_convention(
    target: str, tmp_path: os.PathLike[str], figures: Figures, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if reason := why_not_anywhere(target):
        skip(reason, figures)
    folder = str(tmp_path)
    c, mochi, expected = functions(20, 40)
    obj = compile_c(c, target, folder, figures)
    source = write_source(mochi, folder)
    for level in (0, 2):
        exe = build_program(source, target, libraries=(obj,), level=level, verify=True)
        assert run_anywhere(exe, target, tmp_path, tmp_path_factory) == (0, expected, "")
    figures.program("C conventions", target, "O2")
