"""One call for every format: the target's row says which."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from backend.obj.sym import LSym
from objwriter.model import Object, ObjectError, Target
from objwriter.targets import TARGETS


def write(source: Object | Iterable[LSym], target: Target | str) -> bytes:
    """The bytes of the relocatable object file.

    `source` is an Object, or the symbols to make one of (`build_object`); `target` a row of TARGETS, or its name, and
    counts for an Object too, whatever target that was made for.  Raises ObjectError, whose message names symbol,
    section and offset, for an unknown target and for what its format cannot express.

    >>> from objwriter.model import Object
    >>> write([], "linux/amd64")[:4], write([], "darwin/arm64")[:4].hex(), write([], "windows/386")[:2].hex()
    (b'\\x7fELF', 'cffaedfe', '4c01')
    """
    if isinstance(target, str):
        found = TARGETS.get(target)
        if found is None:
            raise ObjectError(f"no target {target}; there are {', '.join(TARGETS)}")
        target = found
    if isinstance(source, Object):
        obj = Object(target)
        obj.flags, obj.sections, obj.symbols, obj.bounds = source.flags, source.sections, source.symbols, source.bounds
    else:
        from objwriter.build import build_object

        obj = build_object(target, list(source))
    return _WRITERS[target.format](obj)


def _elf(obj: Object) -> bytes:
    from objwriter.elf import write_elf

    return write_elf(obj)


def _macho(obj: Object) -> bytes:
    from objwriter.macho import write_macho

    return write_macho(obj)


def _coff(obj: Object) -> bytes:
    from objwriter.coff import write_coff

    return write_coff(obj)


# Each writer is loaded when its format is first written.
_WRITERS: Final[dict[str, Callable[[Object], bytes]]] = {"elf": _elf, "macho": _macho, "coff": _coff}
