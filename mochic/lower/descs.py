"""Type descriptors and static objects as data symbols (layout: docs/runtime.md, "Descriptors").

Descriptors whose content depends on the representation of int slots are `LazyDesc`s: lowering refers to
them, `resolve` makes the data after `opt.intrep` has decided.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from mochic.ir.func import DataSym
from mochic.layout import (
    E_I64, E_TAG, ELEMENTS, K_BIGINT, K_BIGRAT, K_CELL, K_FLOAT, K_LIST, K_MAP, K_RAW, K_STRING, K_STRUCT, K_TAGS, KEYS,
    Layout,
)  # fmt: skip

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


def make_string(layout: Layout, name: str, text: str, desc: DataSym) -> DataSym:
    """A static string object, of valid UTF-8 as every string is: bytes of file names that are not become U+FFFD."""
    text = _SURROGATE.sub("\ufffd", text)
    raw = text.encode()
    pad = layout.padding(len(raw)) or layout.slot
    head = layout.packed("II", len(raw), len(text))
    d = DataSym(name, "rodata", layout.words(0) + head + raw + bytes(pad))
    d.items[0] = (desc, 0)
    return d


def make_bigint(layout: Layout, name: str, n: int, desc: DataSym) -> DataSym:
    """A static bigint object."""
    limbs = (abs(n).bit_length() + 63) // 64
    raw = layout.packed("q", limbs if n >= 0 else -limbs) + layout.bits(abs(n), limbs)
    d = DataSym(name, "rodata", layout.words(0) + raw)
    d.items[0] = (desc, 0)
    return d


def make_desc(
    layout: Layout,
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
        long_map = DataSym(name + ".map", "rodata", layout.bits(bits, nwords))
        out.append(long_map)
        bits = 1 << 63
    table: DataSym | None = None
    if fields:
        raw = b"".join(layout.words(0) + layout.packed("QQ", off, c) for _, off, c in fields)
        table = DataSym(name + ".fields", "rodata", raw)
        for i, (s, _, _) in enumerate(fields):
            table.items[layout.field_size * i] = (s, 0)
        out.append(table)
    data = layout.packed("IIQQ", kind, code, size, bits) + layout.words(0, 0)
    data += layout.packed("Q", len(fields)) + layout.words(0) + layout.packed("Q", nreal)
    assert len(data) == layout.desc_end
    d = DataSym(name, "rodata", data)
    if long_map is not None:
        d.items[layout.desc_long_map] = (long_map, 0)
    if type_name is not None:
        d.items[layout.desc_name] = (type_name, 0)
    if table is not None:
        d.items[layout.desc_fields] = (table, 0)
    out.append(d)
    return out


def runtime_descs(layout: Layout) -> list[DataSym]:
    """The descriptors and static objects that live in the runtime (symbols `runtime.*`)."""
    out: list[DataSym] = []

    def add(name: str, kind: int, code: int, size: int, traced: list[bool]) -> None:
        for d in make_desc(layout, "runtime.desc." + name, kind, code, size, traced, None, [], 0):
            d.local = False
            out.append(d)

    add("string", K_STRING, 0, 0, [])
    add("joined", K_STRING, 0, 0, [])
    add(
        "view", K_STRING, 0, layout.view_size, [w == layout.view_owner for w in range(0, layout.view_size, layout.word)]
    )
    add("float", K_FLOAT, 0, layout.float_value + layout.slot, [])
    add("bigint", K_BIGINT, 0, 0, [])
    add("bigrat", K_BIGRAT, 0, layout.bigrat_size, [False, True, True])
    add("raw", K_RAW, 0, 0, [])
    add("tags", K_TAGS, 0, 0, [])
    add("cell", K_CELL, E_TAG, layout.cell_value + layout.slot, [False, True])
    add("cell_raw", K_CELL, E_I64, layout.cell_value + layout.slot, [])
    for e, n in enumerate(ELEMENTS):
        add("list_" + n, K_LIST, e, layout.list_size, [False, False, False, True])
    for k, kn in enumerate(KEYS):
        for e, n in enumerate(ELEMENTS):
            add(f"map_{kn}_{n}", K_MAP, k + 256 * e, layout.map_size, layout.map_traced)
    raw = next(d for d in out if d.name == "runtime.desc.raw")
    string = next(d for d in out if d.name == "runtime.desc.string")
    empty = DataSym("runtime.empty_array", "rodata", bytes(layout.array_data))
    empty.items[0] = (raw, 0)
    empty.local = False
    out.append(empty)
    names = []
    for n in ("items", "key"):
        text = make_string(layout, "runtime.name." + n, n, string)
        out.append(text)
        names.append(text)
    for d in make_desc(
        layout, "runtime.desc.group", K_STRUCT, 0, layout.group_items + layout.slot, [False, True, True], None,
        [(names[0], layout.group_items, E_TAG), (names[1], layout.group_key, E_TAG)], 2,
    ):  # fmt: skip
        d.local = False
        out.append(d)
    chars = DataSym("runtime.chars", "rodata", bytes(layout.word * 128))
    chars.local = False
    for c in range(128):
        s = make_string(layout, f"runtime.char.{c}", chr(c), string)
        out.append(s)
        chars.items[layout.word * c] = (s, 0)
    out.append(chars)
    return out
