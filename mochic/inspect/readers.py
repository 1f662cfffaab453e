"""The packages that read the formats: pyelftools, lief, capstone.  Only inspection loads them, and only here.

Their failures are told from ours by where they began: an exception that a reader's own code raised says that it met
what it cannot read, which is Damage; one that began in our code is a mistake of ours and passes.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from mochic.console import EXIT_TOOL, UserError
from mochic.inspect.image import Damage, padded

_WHEELS: Final = {"elftools": "pyelftools"}


def package(name: str) -> Any:
    """A module of a reader."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as e:
        wheel = _WHEELS.get(str(e.name), str(e.name))
        raise UserError(f"mochi inspect: needs the Python package {wheel}: `pip install {wheel}`", EXIT_TOOL) from None


@contextmanager
def reading(reader: str) -> Iterator[None]:
    """Turns the failures that began in a reader's own code into Damage."""
    try:
        yield
    except Exception as e:
        trace = e.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = str(trace.tb_frame.f_globals.get("__name__", "")) if trace is not None else ""
        if where.split(".")[0] != reader:
            raise
        why = str(e).split("\n")[0]
        raise Damage(f"damaged: {reader} says {type(e).__name__}{': ' if why else ''}{why}") from None


def lief_parse(format_name: str, data: bytes) -> Any:
    """What lief makes of an image of `PE` or `MachO`."""
    lief = package("lief")
    lief.logging.disable()  # it writes to standard error, in words that name no file
    parsed = getattr(lief, format_name).parse(io.BytesIO(data))
    if parsed is None:
        raise Damage("damaged: lief cannot read it")
    return parsed


def lief_name(owner: Any, field: str) -> str:
    """A name that lief has, which may be no UTF-8."""
    try:
        name = getattr(owner, field)
    except UnicodeDecodeError as e:
        name = e.object
    if isinstance(name, str):
        name = name.encode("utf-8", "surrogateescape")
    return padded(bytes(name))


def lief_word(owner: Any, field: str) -> str:
    """An enumerator's name; old versions have no value for a number without a name and raise."""
    try:
        return str(getattr(owner, field)).rpartition(".")[2]
    except ValueError:
        return "UNKNOWN"
