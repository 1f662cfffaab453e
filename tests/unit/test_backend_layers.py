"""Imports go only downwards: mochic -> objwriter -> backend.obj.sym; mochic -> backend -> nothing; and in no circle."""

from __future__ import annotations

import ast
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = ("mochic", "backend", "objwriter", "linkscripts")
# package -> modules of ours it may import (prefixes)
ALLOWED = {"backend": ("backend",), "objwriter": ("objwriter", "backend.obj.sym"), "linkscripts": ()}
# packages that the build path never loads; who may import them lazily is listed
HEAVY = ("lief", "elftools", "capstone", "click", "dataclasses", "inspect", "unicorn")
HEAVY_USERS = (
    "mochic/cli.py",
    "mochic/__main__.py",
)  # inspection loads its readers by name (mochic/inspect/readers.py)


def imports(path: str) -> list[tuple[int, str]]:
    with open(path, encoding="utf-8") as fh:
        tree = ast.parse(fh.read())
    out: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            out.extend((node.lineno, a.name) for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            out.append((node.lineno, node.module))
    return out


def files(package: str) -> list[str]:
    found = []
    for folder, _, names in os.walk(os.path.join(ROOT, package)):
        found += [os.path.join(folder, n) for n in sorted(names) if n.endswith(".py")]
    return found


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


# Circles that are still there, by their folders: records in the rooms of algorithms, towers of classes.  They may only
# become fewer.
CIRCLES = {
    "mochic.codegen": 1,
    "mochic.codegen.targets.amd64": 1,
    "mochic.codegen.targets.arm64": 1,
    "mochic.codegen.targets.riscv64": 1,
    "mochic.lower": 1,
    "mochic.sema": 1,
}


def import_graph() -> dict[str, set[str]]:
    """Which modules of ours each imports: at its top, inside functions, and for types alone."""
    paths = {}
    for package in OURS:
        for path in files(package):
            name = os.path.relpath(path, ROOT)[:-3].replace(os.sep, ".")
            paths[name.removesuffix(".__init__")] = path
    graph: dict[str, set[str]] = {}
    for module, path in paths.items():
        with open(path, encoding="utf-8") as fh:
            tree = ast.parse(fh.read())
        found = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {a.name for a in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                for a in node.names:
                    whole = f"{node.module}.{a.name}"
                    found.add(whole if whole in paths else node.module)
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
    found: dict[str, int] = {}
    for c in circles(import_graph()):
        for folder in sorted({m.rpartition(".")[0] for m in c}):
            found[folder] = found.get(folder, 0) + 1
    assert found == CIRCLES


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"f"}, "f": {"e"}}
    assert sorted(map(sorted, circles(graph))) == [["a", "b", "c"], ["e", "f"]]


# Names of CPUs, and the tables that name each once.
CPUS = (
    "amd64",
    "x86",
    "386",
    "i386",
    "arm64",
    "arm",
    "riscv",
    "riscv64",
    "mips",
    "ppc64",
    "ppc64le",
    "s390x",
    "loong64",
)
ROWS = ("backend/arches.py", "objwriter/targets.py", "objwriter/unwind.py")


def test_shared_code_asks_for_no_cpu() -> None:
    """A CPU is a folder or module of its own: what all share has its name in no expression."""
    wrong = []
    for package in ("backend", "objwriter"):
        for path in files(package):
            name = os.path.relpath(path, ROOT)
            parts = name.removesuffix(".py").split(os.sep)
            if any(part in CPUS or part == "x86_code" for part in parts) or name.replace(os.sep, "/") in ROWS:
                continue
            with open(path, encoding="utf-8") as fh:
                tree = ast.parse(fh.read())
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and node.value in CPUS:
                    wrong.append(f"{name}:{node.lineno}: {node.value!r}")
    assert not wrong, "\n".join(wrong)
