"""Module-definition texts: llvm-dlltool makes an import library of the same text, and both must import the same.

`MOCHI_DEF_FUZZ=20000` sets the number of random texts.
"""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest
from images import run, tool

from selecting import slow_unless
from objwriter.archive import Import, parse_def, write_archive, write_import_library
from objwriter.archive import Member as ArchiveMember
from objwriter.deffile import IMPORT_DATA
from objwriter.model import ObjectError

MACHINES = {"windows/amd64": "i386:x86-64", "windows/arm64": "arm64", "windows/386": "i386"}
COUNT = int(os.environ.get("MOCHI_DEF_FUZZ", "3000"))

# One text is a line; \n is the end of a line in it.
SAME = r"""
LIBRARY k.dll\nEXPORTS\n f
LIBRARY k.dll\nEXPORTS f g h
LIBRARY k\nEXPORTS\n f
LIBRARY "my lib.dll"\nEXPORTS\n f
LIBRARY "a long name with spaces"\nEXPORTS\n f
NAME k\nEXPORTS\n f
NAME k.dll\nEXPORTS\n f
LIBRARY k.dll\nEXPORTS\n f=g
LIBRARY k.dll\nEXPORTS\n f = g
LIBRARY k.dll\nEXPORTS\n f= g
LIBRARY k.dll\nEXPORTS\n f =g
LIBRARY k.dll\nEXPORTS\n f\n =\n g
LIBRARY k.dll\nEXPORTS\n f=other.g
LIBRARY k.dll\nEXPORTS\n f=other.#7
LIBRARY k.dll\nEXPORTS\n DllWindowName = Name DATA
LIBRARY k.dll\nEXPORTS\n f == g
LIBRARY k.dll\nEXPORTS\n f==g DATA
LIBRARY k.dll\nEXPORTS\n f EXPORTAS g
LIBRARY k.dll\nEXPORTS\n f PRIVATE\n g
LIBRARY k.dll\nEXPORTS\n f=h PRIVATE\n g PRIVATE
LIBRARY k.dll\nEXPORTS\n DllGetClassObject @4 NONAME PRIVATE\n DllCanUnloadNow @1 PRIVATE\n f @2
LIBRARY k.dll\nEXPORTS\n f DATA\n g CONSTANT
LIBRARY k.dll\nEXPORTS\n f @7
LIBRARY k.dll\nEXPORTS\n f @ 7
LIBRARY k.dll\nEXPORTS\n f @7 NONAME
LIBRARY k.dll\nEXPORTS\n f @ 7 NONAME DATA
LIBRARY k.dll\nEXPORTS\n f=g @65535 NONAME
LIBRARY k.dll\nEXPORTS\n f == g @3
LIBRARY k.dll\nEXPORTS\n "f"
LIBRARY k.dll\nEXPORTS\n "f"="g" @1
LIBRARY k.dll\nEXPORTS\n "DATA"\n "EXPORTS" DATA
LIBRARY k.dll\nEXPORTS\n "f;g" ; a comment\n h
; first\nLIBRARY k.dll ; second\n;third\nEXPORTS ; fourth\n f;fifth\n g ;@7
LIBRARY k.dll\nEXPORTS\n f\nEXPORTS\n g\nEXPORTS h
EXPORTS\n f\nLIBRARY k.dll
LIBRARY k.dll\nEXPORTS
LIBRARY k.dll\nHEAPSIZE 4096,512\nEXPORTS\n f
LIBRARY k.dll\nSTACKSIZE 4096\nVERSION 2.5\nEXPORTS\n f
LIBRARY k.dll\nEXPORTS\n f\nVERSION 2.5\nEXPORTS\n g
LIBRARY k.dll BASE=1234\nEXPORTS\n f
LIBRARY k.dll\r\nEXPORTS\r\n\tf\t=\tg\r\n h\r\n
LIBRARY k.dll\nEXPORTS\n ?f@@YAXXZ\n ??0C@@QEAA@XZ
LIBRARY k.dll\nEXPORTS\n f data
"""
ONLY_64 = r"""
LIBRARY k.dll\nEXPORTS\n f == f
LIBRARY k.dll\nEXPORTS\n @f@8\n g
LIBRARY k.dll\nEXPORTS\n f@4\n _g
"""
# What dlltool does not take but Microsoft's page (or its older editions) has; the same as the text beside it.
ALSO = r"""
LIBRARY k.dll\nDESCRIPTION "what it is"\nEXPORTS\n f | LIBRARY k.dll\nEXPORTS\n f
LIBRARY k.dll INITINSTANCE\nEXPORTS\n f | LIBRARY k.dll\nEXPORTS\n f
LIBRARY k.dll\nSECTIONS\n .rdata READ WRITE\nEXPORTS\n f | LIBRARY k.dll\nEXPORTS\n f
LIBRARY k.dll\nSTUB "stub.exe"\nEXPORTS\n f | LIBRARY k.dll\nEXPORTS\n f
LIBRARY k.dll\nEXPORTS\n f\nIMPORTS\n a=b.c\nSEGMENTS\n X CLASS 'CODE' | LIBRARY k.dll\nEXPORTS\n f
LIBRARY k.dll\nEXPORTS\n f NONAME @7 | refused: NONAME needs an ordinal
LIBRARY k.dll\nEXPORTS\n f @0x7 | refused: line 3 of the definitions: unexpected @0x7
LIBRARY k.dll\nEXPORTS\n f @65536 | refused: unexpected @65536
LIBRARY k.dll\nEXPORTS\n f @ g | refused: unexpected @ g
LIBRARY k.dll\nEXPORTS\n f=g=h | refused: unexpected =|no name
LIBRARY k.dll\nEXPORTS\n f= | refused: no name
LIBRARY k.dll\nEXPORTS\n f=PRIVATE | refused: unexpected PRIVATE
LIBRARY k.dll\nEXPORTS\n == f | refused: unexpected ==
LIBRARY k.dll\nEXPORTS\n "" | refused: no name
LIBRARY k.dll\nEXPORTS\n "f | refused: line 3 of the definitions: a quote without an end
LIBRARY k.dll\nEXPORTS\n f, g | refused: unexpected ,
LIBRARY k.dll\nf | refused: line 2 of the definitions: unexpected f
LIBRARY k.dll\nVERSION 1.2\nexports\n f | refused: unexpected exports
LIBRARY\nEXPORTS\n f | refused: no LIBRARY
exports\n f | refused: line 1 of the definitions: unexpected exports
"""


def lines(table: str) -> list[str]:
    return table.strip("\n").split("\n")


def unescape(text: str) -> str:
    return text.replace(r"\n", "\n").replace(r"\t", "\t").replace(r"\r", "\r")


def contents(path: Path) -> tuple[list[str], list[str]]:
    """The imports of a library, each as one text, and the symbols of its index."""
    out: list[str] = []
    for block in run([tool("llvm-readobj"), "--coff-imports", str(path)]).split("\nFile: "):
        name, _, rest = block.strip().partition("\n")
        if "Name type" in rest:
            out.append(f"{name}: {rest}")
    lines_ = run([tool("llvm-nm"), "--print-armap", str(path)]).split("\n\n")[0].split("\n")
    return sorted(out), sorted({line.rpartition(" in ")[0] for line in lines_ if " in " in line})


def ours(target: str, text: str, folder: Path) -> tuple[list[str], list[str]]:
    path = folder / "ours.lib"
    path.write_bytes(write_import_library(target, *parse_def(text)))
    return contents(path)


def theirs(target: str, text: str, folder: Path) -> tuple[list[str], list[str]] | None:
    source, path = folder / "k.def", folder / "theirs.lib"
    source.write_text(text, newline="")
    argv = [tool("llvm-dlltool"), "-d", str(source), "-l", str(path), "-m", MACHINES[target]]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return contents(path) if done.returncode == 0 else None


@pytest.mark.parametrize("target", slow_unless(lambda target: target == "windows/amd64", MACHINES))
@pytest.mark.parametrize("text", lines(SAME) + lines(ONLY_64))
def test_as_dlltool_does(target: str, text: str, tmp_path: Path) -> None:
    if target == "windows/386" and (text in lines(ONLY_64) or "?" in text):
        pytest.skip("names of this machine are decorated")
    text = unescape(text)
    expected = theirs(target, text, tmp_path)
    assert expected is not None, "dlltool refuses it"
    assert ours(target, text, tmp_path) == expected


@pytest.mark.parametrize("row", lines(ALSO))
def test_also(row: str, tmp_path: Path) -> None:
    text, _, expected = row.partition(" | ")
    if expected.startswith("refused: "):
        with pytest.raises(ObjectError, match=expected.removeprefix("refused: ")):
            parse_def(unescape(text))
        return
    target = "windows/amd64"
    assert ours(target, unescape(text), tmp_path) == theirs(target, unescape(expected), tmp_path)


WORDS = [
    "f",
    "g",
    "other.g",
    '"a b"',
    '"',
    "=",
    "==",
    "@",
    "@7",
    "@x",
    "7",
    "DATA",
    "PRIVATE",
    "NONAME",
    "CONSTANT",
    ",",
]
WORDS += ["EXPORTS", "LIBRARY", "NAME", "VERSION", "STACKSIZE", "DESCRIPTION", ";", "\n", "\n", "\r\n", "\t", "é", "\0"]
WORDS += [
    "\ud800",
    "\udcff",
    "@99999999999",
    "@²",
    "@f@8",
    "EXPORTAS",
    "BASE",
    "k.dll",
    "\x85",
    "\u2028",
    "x" * 70000,
    "a/b",
]


def test_random_texts() -> None:
    """Whatever the text: a library, or an ObjectError."""
    made = 0
    for i in range(COUNT):
        rnd = random.Random(i)
        text = rnd.choice(("", "LIBRARY k\nEXPORTS\n", "EXPORTS\n f\nLIBRARY "))
        text += "".join(rnd.choice(WORDS) + rnd.choice((" ", " ", "", "\n")) for _ in range(rnd.randrange(14)))
        try:
            write_import_library(rnd.choice(sorted(MACHINES)), *parse_def(text))
            made += 1
        except ObjectError as e:
            assert str(e)
    assert COUNT // 20 < made < COUNT - COUNT // 20


BAD_IMPORTS = [
    ("", Import("f"), "empty|no name|cannot be written"),
    ("a/b.dll", Import("f"), "cannot be written"),
    ("k\0.dll", Import("f"), "contains a NUL"),
    ("\ud800.dll", Import("f"), "cannot be written in UTF-8"),
    ("k.dll", Import(""), "has no name"),
    ("k.dll", Import("f\0g"), "contains a NUL"),
    ("k.dll", Import("f", "g\0"), "contains a NUL"),
    ("k.dll", Import("f", "", 65536), "ordinal 65536 of f does not fit 16 bits"),
    ("k.dll", Import("f", "", -2), "ordinal -2 of f"),
    ("k.dll", Import("f", "", -1, 7), "import f is of kind 7"),
]


@pytest.mark.parametrize(("dll", "item", "message"), BAD_IMPORTS)
def test_bad_imports(dll: str, item: Import, message: str) -> None:
    with pytest.raises(ObjectError, match=message):
        write_import_library("windows/amd64", dll, [Import("v", "", -1, IMPORT_DATA), item])


def test_bad_members() -> None:
    for style in range(3):
        with pytest.raises(ObjectError, match=r"symbol name .* contains a NUL"):
            write_archive([ArchiveMember("a.o", b"", ["f\0"])], style)
        with pytest.raises(ObjectError, match=r"archive member name .* UTF-8"):
            write_archive([ArchiveMember("\ud800", b"", [])], style)
