"""What an assembly run shares: the architecture, the symbols by name, the errors.

There is one `Ctx` per object.  Named symbols are interned (a static `foo<>` and a global `foo` are
different symbols), constant symbols such as `$f64.3ff0000000000000` are made on demand, and user
errors are collected as `AsmError` values with the position of the Prog.
"""

from __future__ import annotations

from typing import Final

from backend.obj.sym import A_DUPOK, A_HIDDEN, A_STATIC, A_UNDEF, SRODATA, LSym

CONST_PREFIX: Final = "$"


class AsmError(Exception):
    """A user error in assembly: `pos` is the Prog's position, `message` says what is wrong."""

    def __init__(self, pos: int, message: str) -> None:
        super().__init__(message)
        self.pos = pos
        self.message = message


class Ctx:
    """The symbol tables and errors of one object under assembly."""

    __slots__ = ("syms", "statics", "constants", "errors")

    def __init__(self) -> None:
        self.syms: dict[str, LSym] = {}
        self.statics: dict[str, LSym] = {}
        self.constants: dict[str, LSym] = {}
        self.errors: list[AsmError] = []

    def lookup(self, name: str, static: bool = False) -> LSym:
        """The symbol of that name; a new one starts undefined."""
        table = self.statics if static else self.syms
        s = table.get(name)
        if s is None:
            s = table[name] = LSym(name, 0, A_UNDEF | (A_STATIC if static else 0))
        return s

    def constant(self, family: str, data: bytes) -> LSym:
        """A read-only symbol with these bytes, named by its content (`$f64.400a000000000000`)."""
        name = f"{CONST_PREFIX}{family}.{data[::-1].hex()}"
        s = self.constants.get(name)
        if s is None:
            s = LSym(name, SRODATA, A_STATIC | A_HIDDEN | A_DUPOK)
            s.data += data
            s.size = s.align = len(data)
            self.constants[name] = s
        return s
