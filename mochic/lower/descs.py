"""Type descriptors and static objects as data symbols (layout: docs/runtime.md, "Descriptors").

Descriptors whose content depends on the representation of int slots are `LazyDesc`s: lowering refers to
them, `resolve` makes the data after `opt.intrep` has decided.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Final

from mochic.ir.func import DataSym

K_FLOAT: Final = 3
K_STRING: Final = 4
K_LIST: Final = 5
K_MAP: Final = 6
K_STRUCT: Final = 7
K_CLOSURE: Final = 8
K_BIGRAT: Final = 9
K_GROUP: Final = 10
K_CELL: Final = 16
K_RAW: Final = 17
K_TAGS: Final = 18
K_BIGINT: Final = 19

E_TAG: Final = 0
E_I64: Final = 1
E_F64: Final = 2
E_BOOL: Final = 3
E_NAME: Final = 4
E_METHOD: Final = 5

ELEM_NAMES: Final = ("tag", "i64", "f64", "bool")
KEY_NAMES: Final = ("str", "i64", "int")

DESC_SIZE: Final = 64
MAP_WORDS: Final = 8  # words of a map object, the header included
MAP_TRACED: Final = 0b11111100  # all of them but the header and the count are refs or 0

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class RuntimeData(dict[str, DataSym]):
    """Data of the runtime that one compilation refers to, by their names without `runtime.`."""

    __slots__ = ()

    def __missing__(self, name: str) -> DataSym:
        s = self[name] = DataSym("runtime." + name, "rodata", None)
        s.local = False
        return s


class LazyDesc(DataSym):
    """A descriptor that exists once int representations are known: `resolve` gives the real symbol."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], DataSym]) -> None:
        super().__init__("<descriptor>", "rodata", None)
        self._make = make
        self._made: DataSym | None = None

    def resolve(self) -> DataSym:
        if self._made is None:
            self._made = self._make()
        return self._made


def make_string(name: str, text: str, desc: DataSym) -> DataSym:
    """A static string object, of valid UTF-8 as every string is: bytes of file names that are not become U+FFFD."""
    text = _SURROGATE.sub("\ufffd", text)
    raw = text.encode()
    pad = -len(raw) % 8 or 8
    d = DataSym(name, "rodata", bytes(8) + struct.pack("<II", len(raw), len(text)) + raw + bytes(pad))
    d.items[0] = (desc, 0)
    return d


def make_bigint(name: str, n: int, desc: DataSym) -> DataSym:
    """A static bigint object."""
    limbs = (abs(n).bit_length() + 63) // 64
    raw = struct.pack("<q", limbs if n >= 0 else -limbs) + abs(n).to_bytes(8 * limbs, "little")
    d = DataSym(name, "rodata", bytes(8) + raw)
    d.items[0] = (desc, 0)
    return d


def make_desc(
    name: str,
    kind: int,
    code: int,
    size: int,
    traced: list[bool],
    type_name: DataSym | None,
    fields: list[tuple[DataSym, int, int]],
    nreal: int,
) -> list[DataSym]:
    """The descriptor and its helper data; `traced[i]` tells about word i of the object.

    `fields`: (name string, offset, code) in the order of the field table.
    """
    out = []
    bits = 0
    for i, t in enumerate(traced):
        if t:
            bits |= 1 << i
    long_map: DataSym | None = None
    if len(traced) > 63:
        nwords = (len(traced) + 63) // 64
        long_map = DataSym(name + ".map", "rodata", bits.to_bytes(8 * nwords, "little"))
        out.append(long_map)
        bits = 1 << 63
    table: DataSym | None = None
    if fields:
        raw = b"".join(struct.pack("<QQQ", 0, off, c) for _, off, c in fields)
        table = DataSym(name + ".fields", "rodata", raw)
        for i, (s, _, _) in enumerate(fields):
            table.items[24 * i] = (s, 0)
        out.append(table)
    d = DataSym(name, "rodata", struct.pack("<IIQQQQQQQ", kind, code, size, bits, 0, 0, len(fields), 0, nreal))
    if long_map is not None:
        d.items[24] = (long_map, 0)
    if type_name is not None:
        d.items[32] = (type_name, 0)
    if table is not None:
        d.items[48] = (table, 0)
    out.append(d)
    return out


def runtime_descs() -> list[DataSym]:
    """The descriptors and static objects that live in the runtime (symbols `runtime.*`)."""
    out: list[DataSym] = []

    def add(name: str, kind: int, code: int, size: int, traced: list[bool]) -> None:
        for d in make_desc("runtime.desc." + name, kind, code, size, traced, None, [], 0):
            d.local = False
            out.append(d)

    add("string", K_STRING, 0, 0, [])
    add("float", K_FLOAT, 0, 16, [])
    add("bigint", K_BIGINT, 0, 0, [])
    add("bigrat", K_BIGRAT, 0, 24, [False, True, True])
    add("raw", K_RAW, 0, 0, [])
    add("tags", K_TAGS, 0, 0, [])
    add("cell", K_CELL, E_TAG, 16, [False, True])
    add("cell_raw", K_CELL, E_I64, 16, [])
    for e, n in enumerate(ELEM_NAMES):
        add("list_" + n, K_LIST, e, 32, [False, False, False, True])
    for k, kn in enumerate(KEY_NAMES):
        for e, n in enumerate(ELEM_NAMES):
            traced = [bool(MAP_TRACED >> i & 1) for i in range(MAP_WORDS)]
            add(f"map_{kn}_{n}", K_MAP, k + 256 * e, 8 * MAP_WORDS, traced)
    raw = next(d for d in out if d.name == "runtime.desc.raw")
    string = next(d for d in out if d.name == "runtime.desc.string")
    empty = DataSym("runtime.empty_array", "rodata", bytes(16))
    empty.items[0] = (raw, 0)
    empty.local = False
    out.append(empty)
    names = []
    for n in ("items", "key"):
        text = make_string("runtime.name." + n, n, string)
        out.append(text)
        names.append(text)
    for d in make_desc(
        "runtime.desc.group", K_STRUCT, 0, 24, [False, True, True], None,
        [(names[0], 16, E_TAG), (names[1], 8, E_TAG)], 2,
    ):  # fmt: skip
        d.local = False
        out.append(d)
    chars = DataSym("runtime.chars", "rodata", bytes(8 * 128))
    chars.local = False
    for c in range(128):
        s = make_string(f"runtime.char.{c}", chr(c), string)
        out.append(s)
        chars.items[8 * c] = (s, 0)
    out.append(chars)
    return out
