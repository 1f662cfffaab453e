"""How A64 writes constants into instructions: the coders of operand patterns.

A coder takes a constant and returns the bits of its field, or -1 when the instruction cannot hold it.
Logical immediates (Arm ARM, DecodeBitMasks): a pattern of `size` bits, 2 to 64, that is a rotated run of
ones, repeated over the register.  N:imms holds the size and the length of the run, immr the rotation.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

MASK64: Final = (1 << 64) - 1
MASK32: Final = (1 << 32) - 1


def logical64(value: int) -> int:
    """N:immr:imms of a 64-bit logical immediate, -1 when the value is none.

    >>> f"{logical64(0xff):013b}", logical64(0), logical64(5)
    ('1000000000111', -1, -1)
    """
    value &= MASK64
    if value == 0 or value == MASK64:
        return -1
    size = 64
    while size > 2:
        half = size >> 1
        if value >> half & (1 << half) - 1 != value & (1 << half) - 1:
            break
        size = half
        value &= (1 << half) - 1
    full = (1 << size) - 1
    # Rotate right until the run of ones starts at bit 0.
    if value & 1:
        rotation = size - ((value ^ full).bit_length())  # ones at the top belong to the run
        run = (value << rotation | value >> size - rotation) & full
    else:
        rotation = (value & -value).bit_length() - 1
        run = value >> rotation
        rotation = -rotation
    if run & (run + 1):
        return -1
    ones = run.bit_length()
    n = 1 if size == 64 else 0
    imms = (~(size * 2 - 1) & 0x3F | ones - 1) & 0x3F
    return n << 12 | (rotation % size) << 6 | imms


def logical32(value: int) -> int:
    """The same for a 32-bit register.  Bits beyond 32 are ignored, as Go ignores them.

    >>> logical32(0x3ff00000) == logical64(0x3ff000003ff00000)
    True
    """
    value &= MASK32
    return logical64(value << 32 | value)


def not64(value: int) -> int:
    """The immediate of BIC, ORN and EON, which the machine only has without the inversion."""
    return logical64(~value)


def not32(value: int) -> int:
    """The same for 32 bits."""
    return logical32(~value)


def add12(value: int) -> int:
    """sh:imm12 of ADD and SUB: 12 bits, perhaps shifted left by 12.

    >>> add12(5), add12(0x5000), add12(-1)
    (5, 4101, -1)
    """
    if 0 <= value <= 0xFFF:
        return value
    if 0 <= value <= 0xFFF000 and value & 0xFFF == 0:
        return 1 << 12 | value >> 12
    return -1


def halfword64(value: int) -> int:
    """hw:imm16 of MOVZ and MOVK: one halfword of a register, the others zero.

    >>> hex(halfword64(0xABC0000))
    '0x10abc'
    """
    value &= MASK64
    for hw in range(4):
        if value & ~(0xFFFF << 16 * hw) == 0:
            return hw << 16 | value >> 16 * hw
    return -1


def halfword32(value: int) -> int:
    """The same for a 32-bit register."""
    return halfword64(value) if 0 <= value <= MASK32 else -1


def lsl64(value: int) -> int:
    """immr:imms of LSL by a constant, an alias of UBFM."""
    return (-value & 63) << 6 | 63 - value if 0 <= value <= 63 else -1


def lsl32(value: int) -> int:
    """The same for 32 bits."""
    return (-value & 31) << 6 | 31 - value if 0 <= value <= 31 else -1


def float8(bits: int) -> int:
    """The 8 bits of FMOV's constant (VFPExpandImm): sign, 3 bits of exponent, 4 of fraction; of a double.

    >>> float8(0x3FF0000000000000), float8(0)
    (112, -1)
    """
    bits &= MASK64
    exponent = bits >> 52 & 0x7FF
    if bits & (1 << 48) - 1 or not 0x3FC <= exponent <= 0x403:
        return -1
    return bits >> 63 << 7 | (exponent >> 10 ^ 1) << 6 | (exponent & 3) << 4 | bits >> 48 & 15


def zero_float(bits: int) -> int:
    """$(0.0), the constant of comparisons with zero."""
    return 0 if bits & MASK64 == 0 else -1


def single_bits(bits: int) -> int:
    """A double's bits as those of a single; -1 when it overflows."""
    try:
        return int.from_bytes(
            struct.pack("<f", struct.unpack("<d", (bits & MASK64).to_bytes(8, "little"))[0]), "little"
        )
    except OverflowError:
        return -1


CODERS: Final[dict[str, Callable[[int], int]]] = {
    "log64": logical64, "log32": logical32, "not64": not64, "not32": not32, "add12": add12, "half64": halfword64,
    "half32": halfword32, "lsl64": lsl64, "lsl32": lsl32, "f8": float8, "f0": zero_float,
}  # fmt: skip
