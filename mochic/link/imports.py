"""The import library of a Windows target, made from our module-definition file and cached."""

from __future__ import annotations

import os
from hashlib import sha256

from linkscripts import script_path
from mochic.link.runtime_lib import cache_dir, save_in_cache
from mochic.targets import Target


def import_library(target: Target) -> str:
    """Path of the library that gives a program of the target what its definition file lists."""
    with open(script_path(target.script), encoding="utf-8") as f:
        text = f.read()
    key = sha256(f"{target.name}\n{text}".encode()).hexdigest()[:32]
    path = os.path.join(cache_dir(), "runtime", f"{target.os}-{target.arch}-{key}.lib")
    if not os.path.exists(path):
        from objwriter.archive import parse_def, write_import_library

        save_in_cache(path, write_import_library(target.name, *parse_def(text)))
    return path
