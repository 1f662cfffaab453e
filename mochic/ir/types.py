"""IR types.

I32   32-bit word; comparison results and booleans (0 or 1)
I64   64-bit word, wraps
F64   IEEE double
PTR   raw address, not traced; a PTR derived from a REF keeps that REF alive (liveness knows)
REF   reference traced by the collector, or 0
TAG   dynamic value: one traced word, see docs/runtime.md (small int, special, or reference)
INT   an exact Mochi integer without a representation yet; `opt.intrep` turns every INT into
      I64 (proven to fit) or TAG (small int or bigint); none is left after that pass
"""

from __future__ import annotations

from typing import Final

VOID: Final = 0
I32: Final = 1
I64: Final = 2
F64: Final = 3
PTR: Final = 4
REF: Final = 5
TAG: Final = 6
INT: Final = 7

TYPE_NAMES: Final = ("void", "i32", "i64", "f64", "ptr", "ref", "tag", "int")
TYPE_BY_NAME: Final = {n: i for i, n in enumerate(TYPE_NAMES)}

# Traced by the collector: must sit in a frame slot at every safepoint.
TRACED: Final = (False, False, False, False, False, True, True, False)
