"""The parts of string objects, as programs and the runtime read them inline.

Strings never change, so these loads are of the class that no store touches.
"""

from __future__ import annotations

from typing import Final

from mochic.ir.builder import Builder
from mochic.ir.func import DataSym, Value
from mochic.ir.ops import ADD, EQ, LD, LD32U, READONLY, SELECT, SYMADDR
from mochic.ir.types import I32, I64, PTR
from mochic.layout import Layout

# Functions of the runtime's dialect: length in bytes, number of characters, address of the text.
STRING_PARTS: Final = ("str_len", "str_chars_of", "str_data")


def string_part(b: Builder, s: Value, name: str, layout: Layout, view: DataSym) -> Value:
    """One of STRING_PARTS of a string that is not null.  `view`: the descriptor of views."""
    if name == "str_len":
        return b.emit(LD32U, I64, [s], layout.string_length, READONLY)
    if name == "str_chars_of":
        return b.emit(LD32U, I64, [s], layout.string_characters, READONLY)
    # The text of a view is elsewhere; what a flat string has in the place of the offset is part of its text.
    is_view = b.emit(EQ, I32, [b.emit(LD, PTR, [s], 0, READONLY), b.emit(SYMADDR, PTR, [], 0, view)])
    offset = b.emit(LD, I64, [s], layout.view_offset, READONLY)
    return b.emit(ADD, PTR, [s, b.emit(SELECT, I64, [is_view, offset, b.iconst(I64, layout.string_text)])])
