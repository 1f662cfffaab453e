"""Packages: where an import leads, and modules of other languages written in Mochi (docs/reference.md, 15).

`import "./lib"` names a directory, all of whose `.mochi` files share one namespace, or one file.  `import go "strings"`
names a file below mochic/runtime/lib/go, which has the functions of that module that a native program can have; those
that are single operations of the runtime are in `modules`.  Both are compiled with the program: what it does not use
costs nothing but parsing and inference.
"""

from __future__ import annotations

import os

from mochic.diag.diagnostic import Diagnostic, has_errors
from mochic.sema.symbols import Package, ProgramInfo
from mochic.source import SourceFile, SourceMap
from mochic.syntax import ast
from mochic.syntax.parser import parse


LIBRARY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "runtime", "lib")
PROJECT_FILES = ("mochi.mod", "go.mod")
EXTENSION = ".mochi"


def project_root(folder: str) -> str:
    """The nearest directory around with a project file, else the working directory."""
    d = os.path.abspath(folder)
    while True:
        if any(os.path.exists(os.path.join(d, f)) for f in PROJECT_FILES):
            return d
        up = os.path.dirname(d)
        if up == d:
            return ""
        d = up


def locate(path: str, importer: str) -> list[str]:
    """The files of the package that the file `importer` calls `path`; none if there is no such package."""
    folder = os.path.dirname(importer)
    base = folder if path.startswith(("./", "../")) or path in (".", "..") else project_root(folder)
    full = os.path.normpath(os.path.join(base, path))
    if os.path.isdir(full):
        names = sorted(n for n in os.listdir(full) if n.endswith(EXTENSION))
        files = [os.path.join(full, n) for n in names if os.path.isfile(os.path.join(full, n))]
        return [f for f in files if os.path.realpath(f) != os.path.realpath(importer)]
    for f in (full + EXTENSION, full):
        if os.path.isfile(f):
            return [f]
    return []


def library_file(lang: str, path: str) -> str | None:
    """The library's file for a module of another language."""
    parts = path.split("/")
    if any(p in ("", ".", "..") for p in parts):
        return None
    f = os.path.join(LIBRARY, lang, *parts) + EXTENSION
    return f if os.path.isfile(f) else None


def library_name(file: str) -> str:
    """How messages call a file of the library, wherever it is installed."""
    return "lib" + file[len(LIBRARY) :].replace(os.sep, "/")


def library_modules(lang: str) -> list[str]:
    """The modules of a language that the library has."""
    top = os.path.join(LIBRARY, lang)
    out = []
    for folder, dirs, files in os.walk(top):
        dirs.sort()
        out += [os.path.relpath(os.path.join(folder, f), top)[: -len(EXTENSION)] for f in files]
    return sorted(m.replace(os.sep, "/") for m in out)


def parse_files(info: ProgramInfo, p: Package, files: list[str], diags: list[Diagnostic]) -> None:
    """The statements of a package's files; test and bench blocks are their author's concern."""
    for path in files:
        data = info.sources.read(path)
        library = path.startswith(LIBRARY + os.sep)
        name = library_name(path) if library else path
        file = info.sources.named(name, library) or info.sources.add(name, data, library)
        info.tables[file] = p.types
        program, found = parse(file)
        diags += found
        if not has_errors(found):
            p.body += [st for st in program.body if not isinstance(st, ast.TestDecl | ast.BenchDecl)]
            p.qualified += program.qualified


def program_files(path: str, texts: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """A program's main file and all files that it imports, directly or not, with their texts.  `texts`: files that were
    read already."""
    sources = SourceMap(texts)
    out = {path: sources.read(path)}
    todo = [(path, out[path])]
    while todo:
        at, text = todo.pop()
        if b"import" not in text:
            continue
        program, _ = parse(SourceFile(at, text, 1))
        for st in program.body:
            if isinstance(st, ast.ImportDecl) and not st.lang:
                for f in locate(st.path, at):
                    if f not in out:
                        out[f] = sources.read(f)
                        todo.append((f, out[f]))
    return out
