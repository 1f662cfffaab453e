"""Where things are in memory: the word, the order of bytes, and the fields of every object (docs/runtime.md).

The compiler makes objects and reads their fields inline, the runtime does the same in its own dialect.  Both take
their offsets from here: the compiler as attributes of a `Layout`, the runtime as the constants of `runtime_source`.
There is one Layout for each size of word and order of bytes; a target's row says which is its own (`layout_of`).

All offsets and sizes are in bytes.  A *word* holds a reference, an address or a tag.  A *slot* is a place that can hold
a value of any representation: a field, a captured value, an entry of an array, a double or an integer of 64 bits.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from mochic.targets import Target

# What a descriptor describes.
KINDS: Final = {
    "NIL": 0, "BOOL": 1, "INT": 2, "FLOAT": 3, "STRING": 4, "LIST": 5, "MAP": 6, "STRUCT": 7, "CLOSURE": 8, "BIGRAT": 9,
    "GROUP": 10, "CELL": 16, "RAW": 17, "TAGS": 18, "BIGINT": 19,
}  # fmt: skip
K_FLOAT: Final = KINDS["FLOAT"]
K_STRING: Final = KINDS["STRING"]
K_LIST: Final = KINDS["LIST"]
K_MAP: Final = KINDS["MAP"]
K_STRUCT: Final = KINDS["STRUCT"]
K_CLOSURE: Final = KINDS["CLOSURE"]
K_BIGRAT: Final = KINDS["BIGRAT"]
K_CELL: Final = KINDS["CELL"]
K_RAW: Final = KINDS["RAW"]
K_TAGS: Final = KINDS["TAGS"]
K_BIGINT: Final = KINDS["BIGINT"]

# How an element or a field is held, and what the field table of a struct has beside fields.
E_TAG: Final = 0
E_I64: Final = 1
E_F64: Final = 2
E_BOOL: Final = 3
E_NAME: Final = 4
E_METHOD: Final = 5
ELEMENTS: Final = ("tag", "i64", "f64", "bool")

# How a map holds its keys.
KEY_STR: Final = 0
KEY_I64: Final = 1
KEY_INT: Final = 2
KEYS: Final = ("str", "i64", "int")

# Tags: what is neither a reference nor a small int (2n + 1).
TAG_SHIFT: Final = 3  # bits below the value of a bool
TAG_FALSE: Final = 2
TAG_TRUE: Final = 10

# The flags of a list: it may be referred to from elsewhere; above that the number of holders.
LIST_ALIASED: Final = 1
LIST_HOLDER: Final = 2

BYTE: Final = 8  # bits
# Records of frame maps (codegen/framemap.py): of a call, 32 bits each except the bitmap; of a function, before its
# name; of a source file, before its path.
FRAME: Final = {"RETURN": 0, "SIZE": 4, "LINE": 8, "INFO": 12, "BITMAP": 16, "END": 24}
INFO: Final = {"SLOTS": 0, "NAME_LENGTH": 4, "FILE": 8, "PARENT": 12, "CALL_LINE": 16, "TEXT": 20}
FILE: Final = {"PATH_LENGTH": 0, "SIZE": 4, "CRC": 8, "ADLER": 12, "PATH": 16}


class Layout:
    """One layout.  The attributes are those of `runtime_source`, in lower case."""

    __slots__ = (
        "word", "slot", "order", "prefix", "shift", "stack_align", "string_length", "string_characters", "string_text",
        "view_offset", "view_owner", "view_size",
        "list_length", "list_flags", "list_data", "list_size", "array_size", "array_data", "map_count", "map_keys",
        "map_values", "map_hash", "map_order", "map_ascending", "map_size", "map_traced", "closure_code",
        "closure_captured", "cell_value", "float_value", "struct_fields", "group_key", "group_items", "index_heads",
        "index_entries", "index_keys", "index_state", "index_width", "entry_next", "entry_row", "entry_size",
        "bigint_count", "bigint_data", "bigrat_numerator", "bigrat_size", "desc_kind", "desc_code", "desc_size",
        "desc_map", "desc_long_map", "desc_name", "desc_field_count", "desc_fields", "desc_real_fields", "desc_end",
        "field_size",
    )  # fmt: skip

    def __init__(self, word: int, order: Literal["little", "big"]) -> None:
        assert word == 8, "the objects of 32-bit machines are not laid out yet"
        self.word = word
        self.slot = slot = 8
        self.order: Final = order
        self.prefix: Final = "<" if order == "little" else ">"  # of struct's formats
        self.shift = slot.bit_length() - 1  # an index to the offset of a slot
        self.stack_align = 16
        # Every object begins with the address of its descriptor.
        first = word
        self.string_length = first  # u32, in bytes
        self.string_characters = first + 4  # u32; equal: ASCII
        self.string_text = first + 8  # the bytes of a flat string
        self.view_offset = first + 8  # from a view to its bytes
        self.view_owner = self.view_offset + slot
        self.view_size = self.view_owner + word
        self.list_length = first
        self.list_flags = first + slot
        self.list_data = self.list_flags + slot
        self.list_size = self.list_data + word
        self.array_size = first
        self.array_data = first + slot
        self.map_count = first
        self.map_keys = first + slot
        self.map_values = self.map_keys + word
        self.map_hash = self.map_values + word
        self.map_order = self.map_hash + word
        self.map_ascending = self.map_order + word
        self.map_size = self.map_ascending + 2 * word
        self.map_traced = [i > 1 for i in range(self.map_size // word)]  # all but the descriptor and the count
        self.closure_code = first
        self.closure_captured = first + slot
        self.cell_value = first
        self.float_value = first
        self.struct_fields = first
        self.group_key = first
        self.group_items = first + slot
        # The index of a join or group (runtime/join.mochi) is an array of words, its entries are another.
        self.index_heads = self.array_data
        self.index_entries = self.index_heads + slot
        self.index_keys = self.index_entries + slot
        self.index_state = self.index_keys + slot
        self.index_width = self.index_state + slot
        self.entry_next = 4  # after 32 bits of the hash
        self.entry_row = 8
        self.entry_size = 16
        self.bigint_count = first
        self.bigint_data = first + slot
        self.bigrat_numerator = first
        self.bigrat_size = first + 2 * slot
        self.desc_kind = 0
        self.desc_code = 4
        self.desc_size = 8
        self.desc_map = self.desc_size + slot
        self.desc_long_map = self.desc_map + slot
        self.desc_name = self.desc_long_map + word
        self.desc_field_count = self.desc_name + word
        self.desc_fields = self.desc_field_count + slot
        self.desc_real_fields = self.desc_fields + word
        self.desc_end = self.desc_real_fields + slot
        self.field_size = word + 2 * slot  # of an entry of the field table: name, offset, code

    def words(self, *values: int) -> bytes:
        """Unsigned words, one after the other."""
        return b"".join([v.to_bytes(self.word, self.order) for v in values])

    def bits(self, bitmap: int, count: int) -> bytes:
        """A bitmap as `count` units of 64 bits, the unit of its lowest bits first."""
        return b"".join([(bitmap >> 64 * i & (1 << 64) - 1).to_bytes(8, self.order) for i in range(count)])

    def packed(self, fields: str, *values: int) -> bytes:
        """Values of fixed sizes by the letters of struct (I: 32 bits, Q: 64), without gaps."""
        return pack(self.prefix + fields, *values)

    def padding(self, size: int) -> int:
        """The zero bytes that follow `size` bytes of payload up to the next object."""
        return -size % self.slot

    def aligned(self, size: int) -> int:
        """`size` rounded up to a multiple of the alignment of SP."""
        return (size + self.stack_align - 1) & -self.stack_align


LITTLE_64: Final = Layout(8, "little")
_LAYOUTS: Final = {(64, False): LITTLE_64}


def layout_of(target: Target) -> Layout:
    """The layout of a target that programs can be built for."""
    return _LAYOUTS[target.bits, target.big_endian]


def runtime_source(layout: Layout) -> str:
    """The file of the runtime with the layout's constants: offsets, sizes, kinds and codes."""
    rows: list[tuple[str, int]] = []
    for prefix, table in (("K_", KINDS), ("FRAME_", FRAME), ("INFO_", INFO), ("FILE_", FILE)):
        rows += [(prefix + name, n) for name, n in table.items()]
    rows += [(name, value) for name, value in globals().items() if name.startswith(_SHARED)]
    rows += [(name.upper(), value) for name in Layout.__slots__ if isinstance(value := getattr(layout, name), int)]
    return "package runtime\n\n" + "".join([f"let {name} = {n}\n" for name, n in rows])


# Names of constants above that the runtime shares, whatever the layout.
_SHARED: Final = ("E_", "KEY_", "TAG_", "LIST_")
