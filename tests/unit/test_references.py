"""What documents, docstrings and comments refer to is there: files, modules, sections of docs/reference.md, tests.

A fault is one line, `FILE:LINE: what is wrong`, so that a wrong name is found and mended at once.

A file's name is looked for in the folder of the file that mentions it, in the root and in `mochic`, `backend`, `docs`
and `tests`: `sema/types.py` is mochic/sema/types.py.  A name alone may be of any folder.  `<cpu>`, `CPU`, `OS`, `*` and
the like stand for any name.  Blocks of code in documents are examples, which other tests run; only plain ones are
looked at.
"""

from __future__ import annotations

import io
import os
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from glob import glob
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent.parent
CODE: Final = ("mochic", "backend", "objwriter")
REFERENCE: Final = "docs/reference.md"

Line = tuple[Path, int, str]  # file, line from 1, text


# -- texts -------------------------------------------------------------------------------------------


def documents() -> list[Path]:
    folders = ("docs", "linkscripts", *CODE)
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.md"))]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *found]


def document_lines(path: Path) -> Iterator[Line]:
    """The lines of a document without examples: blocks that name their language."""
    inside = ""
    for n, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.startswith("```"):
            inside = "" if inside else line
        elif not inside or inside == "```":
            yield path, n, line


def python_lines(path: Path) -> Iterator[Line]:
    """Comments, and strings in triple quotes: docstrings and tables."""
    text = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.string.endswith('"""')):
            for i, line in enumerate(token.string.split("\n")):
                yield path, token.start[0] + i, line


def comment_lines(path: Path) -> Iterator[Line]:
    """The comments of Mochi, assembly and tables."""
    mark = "//" if path.suffix in (".mochi", ".s") else "#"
    for n, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        at = line.find(mark)
        if at >= 0:
            yield path, n, line[at:]


@cache
def code_lines() -> list[Line]:
    out: list[Line] = []
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*")):
            if "generated" in path.parts:
                continue
            if path.suffix == ".py":
                out += python_lines(path)
            elif path.suffix in (".mochi", ".s", ".rules", ".tbl"):
                out += comment_lines(path)
    return out


@cache
def prose() -> list[Line]:
    return [line for path in documents() for line in document_lines(path)] + code_lines()


def fault(line: Line, what: str) -> str:
    return f"{line[0].relative_to(ROOT)}:{line[1]}: {what}"


# -- files -------------------------------------------------------------------------------------------

# A name with an ending that only files of the repository have, or a path that begins with one of its folders.
_NAME: Final = re.compile(
    r"(?<![\w/.:~$\"-])((?:[\w<>*-]+/)*[\w<>*.-]*[\w<>*]\.(?:py|rules|tbl|md|mochi|txt|ir|ld|def|tbd|toml))(?![\w/(])"
)
_FOLDER: Final = re.compile(r"(?<![\w/.:~$\"-])([a-z_]+(?:/[\w<>*-]*[\w>*])+)/?(?![\w/<>*(-]|\.\w)")
_ANY: Final = re.compile(r"<\w+>|(?<![A-Z])(?:ARCH|CPU|NAME|OS|SYSTEM|LANGUAGE)(?![A-Z])|\*+")

# Names of files that are not ours
OTHERS: Final = frozenset(("hello.mochi", "tour.mochi", "arch/x86/entry/syscalls/syscall_64.tbl"))


@cache
def folders() -> frozenset[str]:
    """Folders that paths begin with: those of the root and of `mochic`."""
    names = [p.name for base in (ROOT, ROOT / "mochic") for p in base.iterdir() if p.is_dir()]
    return frozenset(n for n in names if n[0] not in "._")


def exists(name: str, mentioned_in: Path) -> bool:
    pattern = _ANY.sub("*", name)
    bases = [mentioned_in.parent, ROOT / "mochic", ROOT, ROOT / "backend", ROOT / "docs", ROOT / "tests"]
    if any(glob(os.path.join(base, pattern)) for base in bases):
        return True
    if "/" in name:
        return False
    return any(not p.startswith(".") for p in glob("**/" + pattern, root_dir=ROOT, recursive=True))


def test_files_exist() -> None:
    faults = []
    for line in prose():
        path, _, text = line
        for name in _NAME.findall(text):
            if name not in OTHERS and not exists(name, path):
                faults.append(fault(line, f"there is no file {name}"))
        for name in _FOLDER.findall(text):
            if name.split("/")[0] in folders() and not exists(name, path):
                faults.append(fault(line, f"there is no file or folder {name}"))
    assert faults == [], "\n".join(["", *faults])


# -- modules -----------------------------------------------------------------------------------------

_MODULE: Final = re.compile(r"`((?:mochic|backend|objwriter|[a-z]+)(?:\.\w+)+)`")


def has_module(name: str) -> bool:
    """Whether a dotted name is a module, or a module and a name in it."""
    first, *rest = name.split(".")
    at = ROOT / first if first in CODE else ROOT / "mochic" / first
    for i, part in enumerate(rest):
        if (at / part).is_dir():
            at /= part
            continue
        file = at / (part + ".py")
        after = rest[i + 1 :] if file.exists() else rest[i:]
        if not file.exists():
            file = at / "__init__.py"
        if not file.exists():
            return False
        text = file.read_text(encoding="utf-8")
        if file.stem == "__init__":
            text = text.rpartition('"""')[2]  # its docstring may name anything
        return all(re.search(rf"\b{re.escape(n)}\b", text) for n in after)
    return True


def test_modules_exist() -> None:
    packages = {p.name for p in (ROOT / "mochic").iterdir() if (p / "__init__.py").exists()} | set(CODE)
    faults = []
    for line in prose():
        for name in _MODULE.findall(line[2]):
            if name.split(".")[0] in packages and not name.endswith((".py", ".md", ".rules", ".tbl", ".txt", ".mochi")):
                if not has_module(name):
                    faults.append(fault(line, f"there is no module or name {name}"))
    assert faults == [], "\n".join(["", *faults])


# -- sections of the language reference ----------------------------------------------------------------

_NUMBER: Final = r"\d{1,2}(?:\.\d{1,2})?"
_CITATION: Final = re.compile(rf"docs/reference\.md,\s+((?:{_NUMBER})(?:(?:, | and | to ){_NUMBER})*)")
_SHORT: Final = re.compile(r"\((\d{1,2}\.\d{1,2}(?:(?:, | and | to )\d{1,2}\.\d{1,2})*)\)")
_STALE: Final = re.compile(r"mochi-language|\blanguage(?:'s)? reference\b|\b[Ss]ections? \d")
_OTHERS: Final = re.compile(r"RFC \d|specification|manual|System V|ABI|PE Format|Unicode|YAML 1|ISO")


@cache
def sections() -> frozenset[str]:
    text = (ROOT / REFERENCE).read_text(encoding="utf-8")
    return frozenset(re.findall(rf"^###? ({_NUMBER})\.? ", text, re.MULTILINE))


def citing() -> list[Line]:
    """What may cite the reference: documents, all code, and the tests."""
    out = list(prose())
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if path != Path(__file__):
            out += python_lines(path)
    for path in sorted((ROOT / "tests").rglob("*.mochi")):
        out += comment_lines(path)
    return out


def test_sections_are_numbered_once() -> None:
    text = (ROOT / REFERENCE).read_text(encoding="utf-8")
    found = re.findall(rf"^###? ({_NUMBER})\.? ", text, re.MULTILINE)
    assert found == sorted(set(found), key=lambda s: [int(n) for n in s.split(".")])


def test_cited_sections_exist() -> None:
    """`docs/reference.md, 8.5`; in a file that has named the reference also `(8.5)`."""
    faults = []
    named = {path for path, _, text in citing() if REFERENCE in text}
    for line in citing():
        path, _, text = line
        numbers = " ".join(_CITATION.findall(text))
        if path in named or path == ROOT / REFERENCE:
            numbers += " " + " ".join(_SHORT.findall(text))
        for number in re.findall(_NUMBER, numbers):
            if number not in sections():
                faults.append(fault(line, f"{REFERENCE} has no section {number}"))
    assert faults == [], "\n".join(["", *faults])


def test_citations_name_their_document() -> None:
    """A bare `(8.5)` follows the name of its document in the file, and the reference has one name."""
    faults = []
    named: set[Path] = set()
    for line in citing():
        path, _, text = line
        if REFERENCE in text or _OTHERS.search(text):
            named.add(path)
        if path.is_relative_to(ROOT / "mochic") and _SHORT.search(text) and path not in named:
            faults.append(fault(line, f"a section of which document? {text.strip()}"))
        if path.is_relative_to(ROOT / "mochic") and _STALE.search(text) and not _OTHERS.search(text):
            faults.append(fault(line, f"cite {REFERENCE} by its name: {text.strip()}"))
    assert faults == [], "\n".join(["", *faults])


# -- tests that the reference names ----------------------------------------------------------------------


def has_test(name: str) -> bool:
    """`run/let_var`, `sema/names.test[case]` or `run/test_c.py::test_program`, below tests/."""
    base = ROOT / "tests"
    if "::" in name:
        file, _, function = name.partition("::")
        path = base / file
        return path.exists() and f"\ndef {function}(" in path.read_text(encoding="utf-8")
    if name.endswith("]"):
        file, _, case = name[:-1].partition("[")
        path = base / file
        return path.exists() and f"\n[{case}]\n" in "\n" + path.read_text(encoding="utf-8")
    return (base / (name + ".mochi")).exists() and (base / (name + ".out")).exists()


def test_tests_of_the_reference_exist() -> None:
    faults = []
    here = ROOT / REFERENCE
    lines = here.read_text(encoding="utf-8").split("\n")
    held = False
    for n, text in enumerate(lines, 1):
        held = text.startswith("Tests: ") or (held and text != "")
        if held:
            for name in re.findall(r"`([^`]+)`", text):
                if not has_test(name):
                    faults.append(fault((here, n, text), f"there is no test {name}"))
    assert faults == [], "\n".join(["", *faults])


def test_every_rule_has_a_test() -> None:
    """Each section without sections of its own says which tests hold it."""
    text = (ROOT / REFERENCE).read_text(encoding="utf-8")
    parts = re.split(r"^(?=###? \d)", text, flags=re.MULTILINE)[1:]
    heads = [p.split("\n")[0] for p in parts]
    for i, part in enumerate(parts):
        opens = i + 1 < len(parts) and heads[i].startswith("## ") and heads[i + 1].startswith("### ")
        assert opens or "\nTests: `" in part, heads[i]
