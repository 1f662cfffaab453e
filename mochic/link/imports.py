"""The import libraries of a Windows target, made from our module-definition files and cached."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Final

from linkscripts import script_path
from mochic.link.runtime_lib import cache_dir, save_in_cache
from mochic.targets import Target


# Beside the target's own; a library of which a program calls nothing is not in it.
MORE: Final = ("ws2_32.def",)


def import_libraries(target: Target) -> list[str]:
    """Paths of the libraries that give a program of the target what the definition files list."""
    return [_import_library(target, name) for name in (target.script, *MORE)]


def _import_library(target: Target, definitions: str) -> str:
    with open(script_path(definitions), encoding="utf-8") as f:
        text = f.read()
    key = sha256(f"{target.name}\n{text}".encode()).hexdigest()[:32]
    path = os.path.join(cache_dir(), "runtime", f"{target.os}-{target.arch}-{key}.lib")
    if not os.path.exists(path):
        from objwriter.archive import parse_def, write_import_library

        save_in_cache(path, write_import_library(target.name, *parse_def(text)))
    return path
