"""Whole programs for macOS and Windows: a sample of the corpus, the same bytes out as everywhere.

Programs for windows/amd64 run on Wine where it is installed; all others, and those where it is not, on the emulator of
tests/emulate.  MOCHI_DESKTOP=all takes every program, MOCHI_TARGETS=darwin/arm64 selects targets.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest
from test_run import HERE, NAMES, read

from building import build_program
from selecting import SMOKE, slow_unless, without_wine
from mochic.link.linker import find_linker
from mochic.link.tools import LinkError
from mochic.link.runner import find_runner
from mochic.targets import TARGETS

if TYPE_CHECKING:
    from conftest import Figures

ROOT: Final = os.path.dirname(os.path.dirname(HERE))
DESKTOP: Final = [name for name, t in TARGETS.items() if t.status == "ready" and t.format in ("macho", "coff")]
_SELECTED: Final = os.environ.get("MOCHI_TARGETS", "")
SELECTED: Final = [t for t in DESKTOP if not _SELECTED or t in _SELECTED.split(",")]
# Too slow for the emulator, which executes some ten million instructions a second.
SLOW: Final = frozenset("gc_deep_frames".split())
SAMPLE: Final = NAMES if os.environ.get("MOCHI_DESKTOP") == "all" else [n for n in NAMES[::5] if n not in SLOW]
EXTRA: Final = ["error_stack_overflow", "fun_deep_recursion", "error_division", "text_bad_input"]
TIME_LIMIT: Final = 300
EMULATOR: Final = [sys.executable, os.path.join(ROOT, "tests", "emulate")]
# What an emulator keeps books on.
ENVIRONMENT: Final = {"MOCHI_HEAP_LIMIT": str(1 << 28), "MOCHI_ROOT": os.path.join(HERE, "data")}


def why_not(target: str) -> str:
    """Why programs for a target do not run here; empty when they do."""
    try:
        find_linker(TARGETS[target])
        if not find_runner(TARGETS[target]):
            import unicorn  # noqa: F401
    except LinkError as e:
        return e.message
    except ImportError:
        return f"{target} programs need unicorn"
    return ""


REASONS: Final = {t: why_not(t) for t in DESKTOP}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What programs and Wine are started with."""
    wine = {"WINEPREFIX": str(tmp_path_factory.mktemp("wine")), "WINEDEBUG": "-all"}
    env = {k: v for k, v in os.environ.items() if not k.startswith("WINE")}
    if find_runner(TARGETS["windows/amd64"]) and "windows/amd64" in SELECTED:
        # Its first start makes its files, which takes seconds and says so.
        subprocess.run([find_runner(TARGETS["windows/amd64"]), "cmd", "/c", "exit"], env={**env, **wine}, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    return {**env, **wine, **ENVIRONMENT}


def need(target: str, figures: Figures) -> None:
    if REASONS[target]:
        figures.left_out[REASONS[target]] += 1
        pytest.skip(REASONS[target])


def execute(
    target: str, exe: str, folder: object, env: dict[str, str], arguments: tuple[str, ...] = (), text: bytes = b""
) -> tuple[int, str, str]:
    """(exit status, output, standard error)."""
    found = find_runner(TARGETS[target])
    command = [found] if found else EMULATOR
    run = subprocess.run(
        [*command, exe, *arguments], input=text, cwd=str(folder), capture_output=True, env=env, timeout=TIME_LIMIT,
        check=False,
    )  # fmt: skip
    # Wine's own processes have our standard error and report their faults there, now and then when the machine is busy;
    # a fault of the program would show in its exit status.
    err = "".join(x for x in run.stderr.decode("utf-8", "replace").splitlines(True) if not x.startswith("wine: "))
    # A byte that is not UTF-8 must not pass for U+FFFD.
    return run.returncode, run.stdout.decode("utf-8", "surrogateescape"), err


def quick(target: str, name: str = "") -> bool:
    return without_wine(target) and (not name or name in SMOKE)


CASES: Final = [(t, name) for t in SELECTED for name in sorted({*SAMPLE, *EXTRA, *SMOKE})]


@pytest.mark.parametrize(("target", "name"), slow_unless(quick, CASES))
def test_program(
    target: str,
    name: str,
    environment: dict[str, str],
    figures: Figures,
    tmp_path: os.PathLike[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need(target, figures)
    monkeypatch.chdir(HERE)
    exe = build_program(name + ".mochi", target, out=os.path.join(tmp_path, "program"))
    status, out, err = execute(target, exe, tmp_path, environment, (), read(name + ".in") or b"")
    os.unlink(exe)
    expected, error = read(name + ".out"), read(name + ".err")
    assert expected is not None
    assert out == expected.decode(), err
    if error is None:
        assert (status, err) == (0, "")
    else:
        if error.count(b"\n") == 1:
            err = err[: err.find("\n") + 1]
        assert (status, err) == (1, error.decode())
    figures.program(name, target, "O2")


TEXT: Final = """
import go "os" as os
let name = input()
print("hello", name, len(os.Args), os.Args[1], os.Args[2], os.Args[3])
print(os.Getenv("MOCHI_TEXT"))
writeFile("données.txt", name + "\\n")
appendFile("données.txt", "двa\\n")
print(readFile("données.txt"))
print(os.Getenv("MOCHI_NO_SUCH_NAME") == "")
for n in ["MOCHI_RAW", "MOCHI_PAIR"] { print([os.Getenv(n)]) }
if len(os.Args) > 4 { print([os.Args[4]]) }
let raw = input()
print(len(raw), [raw], len(reverse(raw)))
print(readFile("."))
"""


@pytest.mark.parametrize("target", slow_unless(quick, SELECTED))
def test_text(target: str, environment: dict[str, str], figures: Figures, tmp_path: os.PathLike[str]) -> None:
    """Arguments, environment, standard input, files and their names are UTF-8 on the inside whatever the system has.

    What is no text becomes U+FFFD: bytes of the input; bytes (macOS) or halves of pairs (Windows) of the environment.
    """
    need(target, figures)
    source = os.path.join(tmp_path, "text.mochi")
    with open(source, "w", encoding="utf-8") as f:
        f.write(TEXT)
    exe = build_program(source, target)
    arguments = ("a b", 'q"\\', "wörld 🐍")
    env = {**environment, "MOCHI_TEXT": "ключ 🗝", "LC_ALL": "C.UTF-8"}
    # The emulator makes a half of a pair of a byte that is not UTF-8; Wine has rules of its own.
    raw = {"MOCHI_RAW": os.fsdecode(b"e\xc3\xa9\xf0\x9fz\xff"), "MOCHI_PAIR": "😀"}
    if not find_runner(TARGETS[target]):
        env.update(raw)
        arguments = (*arguments, raw["MOCHI_RAW"])
    status, out, err = execute(target, exe, tmp_path, env, arguments, "Zoë 🎈\n".encode() + b"x\xff\xe2\x82\r\n")
    assert out.split("\n")[:-1] == [
        f'hello Zoë 🎈 {len(arguments) + 1} a b q"\\ wörld 🐍', "ключ 🗝", "Zoë 🎈", "двa", "", "true",
        *(['["eé\ufffd\ufffdz\ufffd"]', '["😀"]', '["eé\ufffd\ufffdz\ufffd"]'] if "MOCHI_RAW" in env else ['[""]'] * 2),
        '4 ["x\ufffd\ufffd\ufffd"] 4',
    ], err  # fmt: skip
    assert status == 1
    assert err.split("\n")[0] in ("cannot read .: is a directory", "cannot open .: is a directory")
    with open(os.path.join(tmp_path, "données.txt"), "rb") as f2:
        assert f2.read() == "Zoë 🎈\nдвa\n".encode()


@pytest.mark.slow
def test_large_frames(figures: Figures, tmp_path: os.PathLike[str]) -> None:
    """The stack of Windows grows by its guard page only, so the pages of a large frame are touched in order."""
    count = 3000
    source = os.path.join(tmp_path, "frames.mochi")
    with open(source, "w", encoding="utf-8") as f:
        f.write("fun one(n: int): int {\n  if n < 0 { print(n) }\n  return n + len(str(n))\n}\nfun f(n: int): int {\n")
        f.writelines(f"  let v{i} = one(n + {i})\n" for i in range(count))
        f.write("  return " + " + ".join(f"v{i}" for i in range(count)) + "\n}\nprint(f(0))\n")
    for target in SELECTED:
        if target.startswith("windows/") and not REASONS[target]:
            pytest.importorskip("unicorn")
            exe = build_program(source, target)
            run = subprocess.run([*EMULATOR, exe], capture_output=True, env={**os.environ, **ENVIRONMENT}, check=False)
            expected = sum(i + len(str(i)) for i in range(count))
            assert (run.returncode, run.stdout, run.stderr) == (0, b"%d\n" % expected, b"")


@pytest.mark.parametrize("target", SELECTED)
def test_same_bytes(target: str, figures: Figures, tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the folder nor the name of the output, nor the cache, is in the bytes."""
    need(target, figures)
    monkeypatch.chdir(HERE)
    images = []
    for name in ("a", "another one"):
        folder = os.path.join(tmp_path, name)
        os.mkdir(folder)
        exe = build_program("union_tree.mochi", target, out=os.path.join(folder, "program"))
        renamed = os.path.join(folder, name)
        os.replace(exe, renamed)
        with open(renamed, "rb") as f:
            images.append(f.read())
    assert images[0] == images[1]
    assert str(tmp_path).encode() not in images[0]


@pytest.mark.parametrize("target", SELECTED)
def test_headers(target: str, figures: Figures, tmp_path: os.PathLike[str]) -> None:
    """What the system's loaders and their protections want to see."""
    need(target, figures)
    lief = pytest.importorskip("lief")
    source = os.path.join(ROOT, "examples", "hello.mochi")
    image = lief.parse(build_program(source, target, out=os.path.join(tmp_path, "hello")))
    if target.startswith("windows/"):
        wanted = {"DYNAMIC_BASE", "NX_COMPAT", "HIGH_ENTROPY_VA"}
        assert wanted <= {c.name for c in image.optional_header.dll_characteristics_lists}
        assert image.optional_header.subsystem.name == "WINDOWS_CUI"
        assert [library.name for library in image.imports] == ["KERNEL32.dll"]
        assert image.has_exceptions
    else:
        assert image.is_pie
        assert image.build_version.minos[:2] == [11, 0]
        assert [library.name for library in image.libraries] == ["/usr/lib/libSystem.B.dylib"]
        assert image.has_code_signature == (target == "darwin/arm64")
        assert image.get_section("__unwind_info") is not None
    assert all(
        not (s.name == "__mochi_roots" and s.size % 8) and not (s.name == "__mochi_frames" and s.size % 24)
        for s in image.sections
    )
