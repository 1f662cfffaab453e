"""Shows damaged files: FOLDER KIND FIRST COUNT.  One line a case: number, exit status, message.

A process of its own, since a reader in C may crash or hang: an alarm ends it, and the last line tells the case.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import sys

from mochic.driver import guarded
from mochic.inspect import Wanted, inspect_files

_EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutate(good: bytes, number: int) -> bytes:
    """Damage that depends on the number alone: bytes, words, runs, cuts, most of it where headers are."""
    rng = random.Random(number)
    data = bytearray(good)
    for _ in range(rng.randrange(1, 6)):
        limit = max(8, min(len(data), rng.choice((64, 512, 4096, len(data)))))
        at = rng.randrange(4, limit) if limit > 4 else 0
        if rng.random() < 0.3:
            at = max(4, len(data) - at)  # tables at the end
        how = rng.randrange(5)
        if how == 0:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif how == 1:
            data[at : at + 4] = rng.choice(_EDGES).to_bytes(4, "little")
        elif how == 2:
            data[at : at + 8] = rng.getrandbits(64).to_bytes(8, "little")
        elif how == 3:
            size = rng.randrange(1, 40)
            data[at : at + size] = bytes([rng.choice((0, 0xFF))]) * size
        elif rng.random() < 0.5:
            del data[at : at + rng.randrange(1, 40)]
        else:
            data[at:at] = rng.randbytes(rng.randrange(1, 40))
    return bytes(data)


def main(path: str, first: int, count: int) -> None:
    with open(path, "rb") as fh:
        good = fh.read()
    name = path + f".{first}.damaged"
    for number in range(first, first + count):
        with open(name, "wb") as fh:
            fh.write(mutate(good, number))
        signal.alarm(10)
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            status = guarded(lambda: inspect_files([name], Wanted(), io.StringIO()))
        signal.alarm(0)
        print(number, status, errors.getvalue().replace("\n", " ")[:300], flush=True)
    os.remove(name)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
