"""Offsets of what objects hold, in bytes, and the words of tags (docs/runtime.md)."""

from __future__ import annotations

from typing import Final

TAG_FALSE: Final = 2
TAG_TRUE: Final = 10

STR_LENS: Final = 8
STR_CHARS: Final = 12
LIST_LEN: Final = 8
LIST_FLAGS: Final = 16
LIST_DATA: Final = 24
ARRAY_SIZE: Final = 8
ARRAY_DATA: Final = 16
CLOSURE_CODE: Final = 8
CLOSURE_ENV: Final = 16
CELL_VALUE: Final = 8
FLOAT_VALUE: Final = 8
STRUCT_FIELDS: Final = 8
GROUP_KEY: Final = 8
GROUP_ITEMS: Final = 16
DESC_CODE: Final = 4

LEN_RANGE: Final = (0, 1 << 40)  # of the lengths of lists and maps
