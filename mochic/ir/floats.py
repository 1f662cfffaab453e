"""Doubles and their bits.  The IR has doubles as 64-bit ints, so that NaNs and signs of zero survive."""

from __future__ import annotations

from struct import Struct
from typing import Final

# Both in the order of this machine, so that the order does not matter.
_DOUBLE: Final = Struct("=d")
_WORD: Final = Struct("=Q")


def float_bits(x: float) -> int:
    """The bits of a double, as an unsigned word.

    >>> hex(float_bits(-0.0))
    '0x8000000000000000'
    """
    bits: int = _WORD.unpack(_DOUBLE.pack(x))[0]
    return bits


def float_of(bits: int) -> float:
    """The double of 64 bits, which may be given as a signed or an unsigned word."""
    x: float = _DOUBLE.unpack(_WORD.pack(bits & 0xFFFFFFFFFFFFFFFF))[0]
    return x
