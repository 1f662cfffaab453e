"""String tables with suffix merging: `.rela.text.f`, `.text.f` and `f` are one entry.

Method: sort by the reversed strings; a string that is the suffix of another then stands directly
before one that ends in it, so one backward pass finds every sharing.
"""

from __future__ import annotations


def _reversed(s: bytes) -> bytes:
    return s[::-1]


def build_strtab(strings: list[str]) -> tuple[bytes, dict[str, int]]:
    """The table (it begins with a NUL) and the offset of each string.

    >>> build_strtab(["main", ".text.main", "x"])
    (b'\\x00.text.main\\x00x\\x00', {'': 0, '.text.main': 1, 'main': 7, 'x': 12})
    """
    encoded = {s: s.encode("utf-8", "surrogateescape") for s in strings if s}
    ordered = sorted(encoded, key=lambda s: encoded[s][::-1])
    owner: dict[str, str] = {}  # string -> the string it is a suffix of
    previous = ""
    tail = b""
    for s in reversed(ordered):
        e = encoded[s]
        if tail.endswith(e):
            owner[s] = previous
        else:
            previous, tail = s, e
    offsets = {"": 0}
    parts = [b"\0"]
    size = 1
    for s, e in encoded.items():  # in order of first use: the table reads like the symbol table
        if s not in owner:
            offsets[s] = size
            parts.append(e)
            parts.append(b"\0")
            size += len(e) + 1
    for s, full in owner.items():
        offsets[s] = offsets[full] + len(encoded[full]) - len(encoded[s])
    return b"".join(parts), dict(sorted(offsets.items(), key=lambda item: item[1]))
