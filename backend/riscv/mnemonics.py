"""Mnemonics of riscv that are in no form table; `backend.obj.genops` makes numbers of them."""

from __future__ import annotations

from typing import Final

# Names that an expansion handles.
EXTRA: Final[tuple[str, ...]] = ()

# Other spellings that the text parser accepts.
ALIASES: Final = ""
