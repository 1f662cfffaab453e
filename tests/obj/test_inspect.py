"""`mochi inspect` on every format that the project links, held against LLVM's tools; its options; its exit statuses."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys

import pytest
from images import link_macho, run, save, tool
from inspected import EXAMPLES, LINUX, OTHERS, make_files
from test_archive import call

from mochic.driver import guarded
from mochic.inspect import Wanted, inspect_files
from objwriter.build import build_object
from objwriter.targets import TARGETS as ELF
from objwriter.elf import write_elf
from objwriter.targets import TARGETS as MACHO
from objwriter.macho import write_macho

_SECTION = re.compile(r"^ +(\d+) (.*?) +([A-Z]\S*) +([a-z]*) +(\d+) bytes  align")
_SYMBOL = re.compile(r"^  0x([0-9a-f]+) +(\d+) (\S+) +(\S+) +(.*)  \[(.*)\]$")
_PLACED = re.compile(r"^  (\S+)\+0x([0-9a-f]+)  (\S+) ?(.*)$")
_ADDRESSED = re.compile(r"^  0x([0-9a-f]+)  (\S+) ?(.*)$")


def inspect(*paths: str, **wanted: object) -> str:
    """What the command shows of files that are right."""
    out = io.StringIO()
    assert inspect_files(list(paths), Wanted(**wanted), out) == 0  # type: ignore[arg-type]
    return out.getvalue()


pytestmark = pytest.mark.slow  # of programs for all targets


class Shown:
    """Our output as data: sections (name, size), symbols (name, value, size), relocations (offset, type, target)."""

    def __init__(self, text: str) -> None:
        self.sections: list[tuple[str, int]] = []
        self.symbols: list[tuple[str, int, int]] = []
        self.relocs: list[tuple[int, str, str]] = []
        part = ""
        for line in text.split("\n"):
            if line and line[0] != " ":
                part = line.split()[0]
            elif part == "sections" and (m := _SECTION.match(line)):
                self.sections.append((m[2], int(m[5])))
            elif part == "symbols" and (m := _SYMBOL.match(line)):
                if m[3] not in ("SECTION", "FILE"):
                    self.symbols.append((m[5], int(m[1], 16), int(m[2])))
            elif part == "relocations" and (m := _PLACED.match(line)):
                self.relocs.append((int(m[2], 16), m[3], m[4]))
            elif part == "relocations" and (m := _ADDRESSED.match(line)):
                self.relocs.append((int(m[1], 16), m[2], m[3]))


class Judged:
    """The same of llvm-readobj."""

    def __init__(self, path: str, image: bool = False) -> None:
        self.sections: list[tuple[str, int]] = []
        self.symbols: list[tuple[str, int, int]] = []
        self.relocs: list[tuple[int, str, str]] = []
        block: dict[str, str] = {}
        kind = ""
        for line in run([tool("llvm-readobj"), "--sections", "--symbols", "--relocs", path]).split("\n"):
            words = line.split()
            if line in ("  Section {", "  Symbol {"):
                kind, block = words[0], {}
            elif line == "  }" and kind:
                self.close(kind, block, image)
                kind = ""
            elif line.startswith("    ") and ": " in line and not line.startswith("     "):
                key, _, value = line.strip().partition(": ")
                block[key] = re.sub(r" \((?:[0-9A-F]{2} ?)+\)$| \(\d+\)$", "", value)
            elif words and words[0].startswith("0x") and "R" in line:
                at = next(i for i, w in enumerate(words) if re.match(r"R_|IMAGE_REL|(X86_64|ARM64)_RELOC", w))
                rest = [w for w in words[at + 1 :] if not w.startswith("(")]
                if at > 1:  # Mach-O: pc-relative, length, external, type, scattered, name
                    rest = rest[1:]
                self.relocs.append((int(words[0], 16), words[at], _target(rest)))

    def close(self, kind: str, block: dict[str, str], image: bool) -> None:
        name = block["Name"]
        if kind == "Section":
            if "Segment" in block:
                name = f"{block['Segment']},{name}"
            if block.get("Type") != "SHT_NULL (0x0)":
                key = "Size" if "RawDataSize" not in block else "VirtualSize" if image else "RawDataSize"
                self.sections.append((name, int(block[key], 0)))
        elif block.get("Type", "").startswith(("Section", "File")) and "Binding" in block:
            return
        elif block.get("StorageClass", "").startswith("File") or (
            block.get("StorageClass", "").startswith("Static") and block.get("AuxSymbolCount") != "0"
        ):
            return
        elif name or "Binding" not in block:
            self.symbols.append((name, int(block["Value"].split()[0], 0), int(block.get("Size", "0"))))


def _target(words: list[str]) -> str:
    """`name+8`, as we write it; LLVM writes `-` for no name, and an addend of its own."""
    name = "" if words[:1] == ["-"] or not words else words[0]
    addend = int(words[1], 0) if len(words) > 1 else 0
    addend = addend - (1 << 64) if addend >> 63 else addend
    return f"{name}{addend:+d}" if addend else name


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return make_files(str(tmp_path_factory.mktemp("inspect")), "shapes.mochi")


KINDS = [*[f"{t} obj" for t in (*LINUX, *OTHERS)], *[f"{t} exe" for t in (*LINUX, *OTHERS)], "bigobj"]


@pytest.mark.parametrize("kind", KINDS)
def test_as_readobj(kind: str, files: dict[str, str]) -> None:
    """Sections with sizes, symbols with values and sizes, relocations with places, types and targets."""
    ours = Shown(inspect(files[kind], code=False))
    theirs = Judged(files[kind], image=kind.startswith("windows") and kind.endswith("exe"))
    assert ours.sections == theirs.sections and ours.sections
    assert sorted(ours.symbols) == sorted(theirs.symbols)
    if kind.endswith("obj"):
        assert sorted(ours.relocs) == sorted(theirs.relocs) and ours.relocs


@pytest.mark.parametrize("machine", ["x86_64", "aarch64", "riscv64"])
def test_dynamic_relocations(machine: str) -> None:
    """The C library of a machine: relocations of shared objects, the libraries it needs, names of symbols."""
    places = (f"/usr/{machine}-linux-gnu/lib/libc.so.6", f"/lib/{machine}-linux-gnu/libc.so.6")
    path = next((p for p in places if os.path.exists(p)), "")
    if not path:
        pytest.skip(f"no C library for {machine}")
    text = inspect(path, code=False)
    ours, theirs = Shown(text), Judged(path)
    assert {(at, kind) for at, kind, _ in ours.relocs} == {(at, kind) for at, kind, _ in theirs.relocs} and ours.relocs
    assert {name for name, _, _ in theirs.symbols if "@" not in name} <= {name for name, _, _ in ours.symbols}
    needed = re.findall(r"NEEDED.*\[(.*)\]", run([tool("llvm-readelf"), "--dynamic", path]))
    assert text.partition("\nlibraries\n")[2].partition("\n\n")[0].split() == needed


@pytest.mark.parametrize("kind", ["windows/amd64 exe", "windows/arm64 exe"])
def test_directories_of_pe(kind: str, files: dict[str, str]) -> None:
    text = inspect(files[kind], code=False)
    theirs = run([tool("llvm-readobj"), "--coff-imports", "--coff-basereloc", "--file-headers", files[kind]])
    base = int(re.search(r"ImageBase: (\w+)", theirs)[1], 0)  # type: ignore[index]
    entry = int(re.search(r"AddressOfEntryPoint: (\w+)", theirs)[1], 0)  # type: ignore[index]
    assert f"\nimage-base {base:#x}\n" in text and f"\nentry {base + entry:#x}\n" in text
    assert "\nsubsystem console\n" in text and "\n  KERNEL32.dll\n" in text
    assert set(re.findall(r"^  (\w+)  \[KERNEL32.dll\]", text, re.M)) == set(re.findall(r"Symbol: (\w+)", theirs))
    ours = {(at - base, name) for at, name, _ in Shown(text).relocs}
    found = re.findall(r"Type: (\w+)\n +Address: (\w+)", theirs)
    assert ours == {(int(at, 0), name) for name, at in found if name != "ABSOLUTE"} and ours  # which is padding
    assert "<KERNEL32.dll!" in inspect(files[kind])


@pytest.mark.parametrize("kind", ["darwin/amd64 exe", "darwin/arm64 exe", "chained"])
def test_directories_of_macho(kind: str, files: dict[str, str], tmp_path: object) -> None:
    path = files.get(kind, "")
    if kind == "chained":
        obj = save(tmp_path, "a.o", write_macho(build_object(MACHO["darwin/arm64"], [call("arm64", "main", "write")])))
        path = link_macho("ld64.lld", "arm64", [obj], tmp_path, ("-fixup_chains",))
    text = inspect(path, code=False)
    dump = [tool("llvm-objdump"), "--macho"]
    headers = run([*dump, "--private-headers", path])
    uuid = re.search(r"uuid (\S+)", headers)[1].replace("-", "").lower()  # type: ignore[index]
    entry = int(re.search(r"entryoff (\d+)", headers)[1])  # type: ignore[index]
    assert f"\nuuid {uuid}\n" in text and f"\nentry {(1 << 32) + entry:#x}\n" in text
    assert "\nplatform macOS 11.0, SDK 11.0\n" in text and "\n  /usr/lib/libSystem.B.dylib\n" in text
    assert ("\nsignature " in text) == ("LC_CODE_SIGNATURE" in headers)
    tables = [run([*dump, option, path]) for option in ("--bind", "--lazy-bind", "--rebase", "--exports-trie")]
    if kind != "chained":
        rows = [line.split() for line in tables[2].split("\n") if " 0x" in line]
        assert {at for at, name, _ in Shown(text).relocs if name == "REBASE"} == {int(w[-2], 16) for w in rows}
    rows = [line.split() for table in tables[:2] for line in table.split("\n") if " 0x" in line]
    if kind == "chained":  # this version of the tool does not list them
        rows = [["__DATA_CONST", "__got", "0", "libSystem", "_write"]]
    assert {name for _, name, _ in _binds(text)} == {w[-1] for w in rows}
    exports = {(int(a, 16), n) for a, n in re.findall(r"^(0x\w+)  (\S+)", tables[3], re.M)}
    ours = text.partition("\nexports\n")[2].partition("\n\n")[0]
    assert {(int(a, 16), n) for a, n in re.findall(r"(0x\w+) (\S+)", ours)} == exports and exports


def _binds(text: str) -> list[tuple[int, str, str]]:
    return [(at, target.partition("+")[0], name) for at, name, target in Shown(text).relocs if name == "BIND"]


@pytest.mark.parametrize("kind", ["linux/amd64 exe", "linux/arm64 exe", "darwin/amd64 exe", "darwin/arm64 exe"])
def test_code(kind: str, files: dict[str, str]) -> None:
    """Calls are named as llvm-objdump names them, and labels stand where the symbols are."""
    text = inspect(files[kind])
    theirs = run([tool("llvm-objdump"), "-d", "--no-show-raw-insn", "--no-print-imm-hex", files[kind]])
    pattern = r"^ *{}([0-9a-f]+):?\s+(?:callq?|bl)\s+#?0x([0-9a-f]+)( <[^+>]+>)?$"
    ours = set(re.findall(pattern.format("0x"), text, re.M))
    judged = set(re.findall(pattern.format(""), theirs, re.M))
    if kind.startswith("darwin"):  # stubs have names in a table of their own
        table = run([tool("llvm-objdump"), "--macho", "--indirect-symbols", files[kind]])
        stubs = {(int(a, 16), f" <{n}>") for a, n in re.findall(r"^(0x\w+) +\d+ (\S+)$", table, re.M)}
        assert {(int(target, 16), name) for _, target, name in ours - judged} <= stubs
        ours &= judged
    assert ours == judged and len(ours) > 50
    labels = dict(re.findall(r"^([^ \n]+):\n +0x([0-9a-f]+) ", text, re.M))
    for name, value, _ in Shown(text).symbols:
        if value and name in labels:  # what is imported has a stub
            assert int(labels[name], 16) == value


@pytest.mark.parametrize("target", (*LINUX, "darwin/amd64", "darwin/arm64"))
def test_frames(target: str, files: dict[str, str]) -> None:
    text = inspect(files[f"{target} exe"], code=False)
    size = os.path.getsize(os.path.join(EXAMPLES, "shapes.mochi"))
    assert re.search(r"^frame-maps \d\d+ in \d\d+ functions$", text, re.M)
    assert re.search(rf"^source shapes.mochi  {size} bytes  CRC-32 [0-9a-f]{{8}}$", text, re.M)


def test_riscv_pairs(files: dict[str, str]) -> None:
    text = inspect(files["linux/riscv64 exe"], symbol="mochi.main")
    assert re.search(r"j(al)?r? .*# 0x\w+ <runtime\.\w+>", text)


@pytest.mark.parametrize("style", ["gnu", "bsd", "coff"])
def test_archives(style: str, files: dict[str, str]) -> None:
    path = files[f"archive {style}"]
    text = inspect(path)
    names = run([tool("llvm-ar"), "t", path]).split()
    assert re.findall(r"^ +\d+ bytes  (\S+)$", text, re.M) == names
    assert text.startswith(f"{style.upper()} archive\n")
    assert re.findall(rf"^{re.escape(path)}\((\S+)\):$", text, re.M) == names
    table = run([tool("llvm-nm"), "--print-armap", path]).partition("\n\n")[0]
    theirs = set(re.findall(r"^(\S+) in (\S+)$", table, re.M))
    index = text.partition("\nindex\n")[2].partition("\n\n")[0]
    assert set(re.findall(r"^  (\S+)  \[(\S+)\]$", index, re.M)) == theirs and theirs
    assert "call 0x5   #" in text or "call 5   #" in text  # code of members, with its relocation


def test_import_library(files: dict[str, str]) -> None:
    text = inspect(files["import library"])
    theirs = run([tool("llvm-readobj"), files["import library"]])
    symbols = set(re.findall(r"Symbol: (\S+)", theirs))
    found = re.findall(r"  GLOBAL (\S+)  \[KERNEL32.dll\]", text)
    assert set(found) == {s for s in symbols if "KERNEL32" not in s and "NULL" not in s}
    assert text.count("COFF import AMD64\nkind code\nby name\n") == 2 and text.count("kind data") == 1


def test_universal(files: dict[str, str]) -> None:
    text = inspect(files["universal"])
    archs = run([tool("llvm-lipo"), files["universal"], "-archs"]).split()
    assert text.split("\n")[0] == f"universal file, {len(archs)} slices: {' '.join(archs)}"
    assert "X86_64_RELOC_BRANCH _other" in text and "ARM64_RELOC_BRANCH26 _other" in text


def test_wasm(files: dict[str, str]) -> None:
    text = inspect(files["wasm"])
    theirs = run([tool("llvm-readobj"), "--sections", files["wasm"]])
    rows = list(zip(re.findall(r"Type: (\w+)", theirs), re.findall(r" Size: (\d+)", theirs), strict=True))
    ours = [(m[3], m[5]) for line in text.split("\n") if (m := _SECTION.match(line))]
    assert ours == rows and rows
    assert "  f (function)  [m]" in text and "main (function)" in text


def test_options(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    path = files["linux/amd64 exe"]
    sizes = run([tool("llvm-nm"), "--print-size", "--size-sort", "--reverse-sort", "--radix=d", path])
    theirs = [(int(w[1]), w[3]) for w in map(str.split, sizes.strip().split("\n")) if int(w[1])]
    ours = [(int(w[0]), w[2]) for w in map(str.split, inspect(path, sizes=True).strip().split("\n"))]
    assert sorted(ours) == sorted(theirs) and [n for n, _ in ours] == sorted((n for n, _ in ours), reverse=True)
    one = inspect(path, symbol="runtime.alloc")
    assert [s[0] for s in Shown(one).symbols] == ["runtime.alloc"]
    assert re.findall(r"^(\S+):$", one, re.M) == ["runtime.alloc"] and "sections" not in one
    assert "disassembly" not in inspect(path, code=False)
    assert Shown(inspect(path, section=".data")).sections[0][0] == ".data"
    assert "_mochi.main:" in inspect(files["darwin/arm64 exe"], symbol="mochi.main")  # the name without C's prefix
    assert Shown(inspect(files["darwin/arm64 exe"], section="__text")).sections[0][0] == "__TEXT,__text"
    found = inspect(files["archive gnu"], symbol="three", code=False)  # defined in one member, used in another
    assert re.findall(r"\((\S+)\):$", found, re.M) == [
        "a_member_with_a_long_name.o",
        "another_member_with_a_long_name.o",
    ]
    both = inspect(path, files["wasm"], code=False)
    assert both.startswith(f"{path}:\nELF64 ") and f"\n\n{files['wasm']}:\nWebAssembly" in both
    for what in ("section", "symbol"):
        assert inspect_files([path], Wanted(**{what: "nothing"}), io.StringIO()) == 2
        assert capsys.readouterr().err == f"mochi inspect: {path} has no {what} nothing\n"


def test_command_line(files: dict[str, str]) -> None:
    """Standard input, a reader that goes away, and several files of which one is missing."""
    argv = [sys.executable, "-m", "mochic", "inspect"]
    with open(files["linux/arm64 exe"], "rb") as fh:
        done = subprocess.run([*argv, "--no-code", "-"], stdin=fh, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("ELF64 little-endian AARCH64 EXEC\n")
    with subprocess.Popen([*argv, files["linux/amd64 exe"]], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 0)
    done = subprocess.run([*argv, "/nowhere/x", files["wasm"]], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.startswith("mochi inspect: cannot read /nowhere/x: ")
    assert "WebAssembly" in done.stdout


def test_own_mistakes(files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails in our code is not called damage, what fails in a reader's is."""
    import mochic.inspect.elf as reader

    def wrong(*_: object) -> None:
        raise AttributeError("nothing of that name")

    monkeypatch.setattr(reader, "_symbols", wrong)
    assert guarded(lambda: inspect_files([files["linux/amd64 exe"]], Wanted(), io.StringIO())) == 70


@pytest.mark.slow
def test_old_numbering(tmp_path: object) -> None:
    """Objects with more sections than the header can count."""
    many = [call("amd64", f"f{i}") for i in range(65300)]
    path = save(tmp_path, "many.o", write_elf(build_object(ELF["linux/amd64"], many)))
    text = inspect(path, symbol="f65299", code=False)
    assert "GLOBAL f65299  [.text.f65299]" in text
