"""Runs a program for macOS or Windows (amd64, arm64) on the unicorn engine: python3 tests/emulate PROGRAM ARGUMENTS...

Exit status: the program's; 126 when the image is bad or the program does what its system would stop it for.
"""

from __future__ import annotations

import sys


def main() -> int:
    path = sys.argv[1]
    with open(path, "rb") as f:
        magic = f.read(2)
    from machine import Fault

    try:
        if magic == b"MZ":
            from pe import Windows

            return Windows(path, sys.argv[2:]).run()
        from macho import Darwin

        return Darwin(path, sys.argv[2:]).run()
    except Fault as e:
        sys.stderr.write(f"emulate: {path}: {e}\n")
        return 126


if __name__ == "__main__":
    sys.exit(main())
