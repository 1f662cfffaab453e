"""What system linkers are given: ELF linker scripts here, `.tbd` stubs and `.def` files later."""

from __future__ import annotations

import os


def script_path(name: str) -> str:
    """The path of a file of this folder, such as linux_amd64.ld."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
