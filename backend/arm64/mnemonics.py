"""Mnemonics of arm64 that are in no form table; `backend.obj.genops` makes numbers of them."""

from __future__ import annotations

from typing import Final

# Names that an expansion handles.
EXTRA: Final[tuple[str, ...]] = ("VMOVS", "VMOVD", "VMOVQ")

# Other spellings that the text parser accepts.
ALIASES: Final = "BCS=BHS BCC=BLO"
