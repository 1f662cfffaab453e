"""The import libraries of a Windows target, made from our module-definition files and cached."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from linkscripts import script_path
from mochic import cache
from mochic.targets import Target


# Besides the target's own library.  A program does not name a library from which it calls nothing.
MORE: Final = ("ws2_32.def", "advapi32.def")


def import_libraries(target: Target) -> list[str]:
    """Paths of the libraries that give a program of the target what the definition files list."""
    return [_import_library(target, name) for name in (target.script, *MORE)]


def _import_library(target: Target, definitions: str) -> str:
    with open(script_path(definitions), encoding="utf-8") as f:
        text = f.read()
    key = sha256(f"{target.name}\n{text}".encode()).hexdigest()[:32]

    def make() -> bytes:
        from objwriter.archive import parse_def, write_import_library

        return write_import_library(target.name, *parse_def(text))

    return cache.entry("imports", f"{target.os}-{target.arch}-{key}.lib", make)
