"""The frame maps of a program of ours: how many, and the sources they name (docs/runtime.md, "frame maps")."""

from __future__ import annotations

from struct import Struct
from typing import Final

from mochic.inspect.image import Damage, Image, text

_RECORD: Final = Struct("<iIIiQ")
_INFO: Final = Struct("<IIi")
_SOURCE: Final = Struct("<IIII")


def frame_facts(image: Image) -> list[tuple[str, str]]:
    """Facts for a linked program with the section of frame maps; PE images have merged it with others."""
    section = next((s for s in image.sections if s.name.endswith("mochi_frames")), None)
    if section is None or not image.linked:
        return []
    data = image.contents(section)
    functions: set[int] = set()
    for at in range(0, len(data) - _RECORD.size + 1, _RECORD.size):
        functions.add(section.address + at + 12 + _RECORD.unpack_from(data, at)[3])
    sources: set[int] = set()
    for info in functions:
        raw = image.at(info, _INFO.size)
        if len(raw) < _INFO.size:
            raise Damage(f"damaged: a frame map names a function at {info:#x}, outside the file")
        distance = _INFO.unpack(raw)[2]
        if distance:
            sources.add(info + 8 + distance)
    facts = [("frame-maps", f"{len(data) // _RECORD.size} in {len(functions)} functions")]
    rows = []
    for place in sources:
        raw = image.at(place, _SOURCE.size)
        if len(raw) < _SOURCE.size:
            raise Damage(f"damaged: a function names a source at {place:#x}, outside the file")
        length, size, crc, _ = _SOURCE.unpack(raw)
        path = text(image.at(place + _SOURCE.size, length))
        rows.append(("source", f"{path}  {size} bytes  CRC-32 {crc:08x}"))
    return facts + sorted(rows)
