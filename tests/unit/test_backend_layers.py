"""Imports go only downwards: mochic -> objwriter -> backend.obj.sym; mochic -> backend -> nothing; and in no circle."""

from __future__ import annotations

import ast
import os
import re
from functools import cache

from ours import OURS, ROOT, files, tree_of

# package -> modules of ours it may import (prefixes)
ALLOWED = {"backend": ("backend",), "objwriter": ("objwriter", "backend.obj.sym"), "linkscripts": ()}
# packages that the build path never loads; who may import them lazily is listed
HEAVY = ("lief", "elftools", "capstone", "click", "dataclasses", "inspect", "unicorn")
HEAVY_USERS = (
    "mochic/cli.py",
    "mochic/__main__.py",
)  # inspection loads its readers by name (mochic/inspect/readers.py)


def imports(path: str) -> list[tuple[int, str]]:
    out: list[tuple[int, str]] = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            out.extend((node.lineno, a.name) for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            out.append((node.lineno, node.module))
    return out


def test_layers() -> None:
    wrong = []
    for package, allowed in ALLOWED.items():
        for path in files(package):
            for line, name in imports(path):
                if name.split(".")[0] in OURS and not name.startswith(allowed):
                    wrong.append(f"{os.path.relpath(path, ROOT)}:{line}: imports {name}")
    assert not wrong, "\n".join(wrong)


def test_nothing_heavy() -> None:
    wrong = []
    for package in OURS:
        for path in files(package):
            if os.path.relpath(path, ROOT) not in HEAVY_USERS:
                wrong += [
                    f"{os.path.relpath(path, ROOT)}:{line}: imports {name}"
                    for line, name in imports(path)
                    if name.split(".")[0] in HEAVY
                ]
    assert not wrong, "\n".join(wrong)


def loaded_by_name(tree: ast.Module, module: str, paths: dict[str, str]) -> set[str]:
    """The modules that a file may load with import_module: those that fit a text of the file.

    A part of a text that is known only at run time stands for one name, `__name__` for the file's own.
    """
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func).endswith("import_module")]
    found: set[str] = set()
    for n in ast.walk(tree) if calls else ():
        if isinstance(n, ast.Constant) and isinstance(n.value, str):
            found |= set(n.value.split()) & set(paths)  # tables have names among other words
        elif isinstance(n, ast.JoinedStr):
            pattern = ""
            for part in n.values:
                if isinstance(part, ast.Constant):
                    pattern += re.escape(str(part.value))
                else:
                    pattern += re.escape(module) if ast.unparse(part) == "{__name__}" else "[^.]+"
            found |= {name for name in paths if "." in pattern and re.fullmatch(pattern, name)}
    return found


def import_graph() -> dict[str, set[str]]:
    """Which modules of ours each imports: at its top, inside functions, for types alone, and by names in texts."""
    paths = {}
    for package in OURS:
        for path in files(package):
            name = os.path.relpath(path, ROOT)[:-3].replace(os.sep, ".")
            paths[name.removesuffix(".__init__")] = path
    graph: dict[str, set[str]] = {}
    for module, path in paths.items():
        found = set()
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Import):
                found |= {a.name for a in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.module and not node.level, f"{path}:{node.lineno}: a relative import"
                for a in node.names:
                    whole = f"{node.module}.{a.name}"
                    found.add(whole if whole in paths else node.module)
        found |= loaded_by_name(tree_of(path), module, paths)
        graph[module] = (found & set(paths)) - {module}
    return graph


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Modules that import each other, in whatever number of steps."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        todo = list(graph[start])
        while todo:
            m = todo.pop()
            if m not in seen:
                seen.add(m)
                todo += graph[m]
        return seen

    reach = {m: reached(m) for m in graph}
    out: list[set[str]] = []
    for m in graph:
        if m in reach[m] and not any(m in c for c in out):
            out.append({n for n in reach[m] if m in reach[n]})
    return out


def test_circles() -> None:
    assert not circles(import_graph())


def test_modules_loaded_by_name_are_found() -> None:
    paths = dict.fromkeys(("p", "p.a.load", "p.b.load", "q.c"), "")
    tree = ast.parse("TABLE = 'x q.c'\nimport_module(f'{__name__}.{cpu}.load')")
    assert loaded_by_name(tree, "p", paths) == {"p.a.load", "p.b.load", "q.c"}


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"f"}, "f": {"e"}}
    assert sorted(map(sorted, circles(graph))) == [["a", "b", "c"], ["e", "f"]]


MANY_METHODS = 60


@cache
def methods_of_classes() -> dict[str, set[str]]:
    """The names of the methods of each class of ours, with those of its bases that are ours."""
    own: dict[str, set[str]] = {}
    bases: dict[str, list[str]] = {}
    for package in OURS:
        for path in files(package):
            module = os.path.relpath(path, ROOT)[:-3].replace(os.sep, ".").removesuffix(".__init__")
            tree = tree_of(path)
            names = {}  # what a name of the file stands for
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and node.module:
                    names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
                elif isinstance(node, ast.ClassDef):
                    names[node.name] = f"{module}.{node.name}"
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    name = f"{module}.{node.name}"
                    own[name] = {n.name for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
                    written = [ast.unparse(b.value if isinstance(b, ast.Subscript) else b) for b in node.bases]
                    bases[name] = [
                        ".".join([names.get(w.split(".")[0], w.split(".")[0]), *w.split(".")[1:]]) for w in written
                    ]

    def all_of(name: str) -> set[str]:
        return own[name].union(*(all_of(b) for b in bases[name] if b in own))

    return {name: all_of(name) for name in own}


def test_no_class_of_many_methods() -> None:
    found = [f"{name}: {len(m)}" for name, m in methods_of_classes().items() if len(m) > MANY_METHODS]
    assert not found


def test_inherited_methods_are_counted() -> None:
    found = methods_of_classes()
    assert found["mochic.lower.lowlevel_names.Names"] < found["mochic.lower.lowlevel.RuntimeLower"]
