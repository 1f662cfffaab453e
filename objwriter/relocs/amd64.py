"""Relocations of amd64: System V psABI 4.4.1; S, A, P and G as there.

All PC-relative kinds count from the field itself (A already holds the distance to the end of the
instruction), so ELF takes the addend as it is.  R_CALL is PLT32 even inside one object: linkers turn
it into PC32 where no PLT is needed.  A GOT entry has three types: linkers rewrite the instruction of the last two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from objwriter.model import S_TEXT, Relocation, Section
from objwriter.relocs.records import Chooser, Records
from objwriter.relocs.x86_code import GOT_FIXED, GOT_MOVQ, GOT_PLAIN, GOT_REX, got_forms

NUMBERS: Final = {
    "R_X86_64_64": 1,  # S + A, 8 bytes
    "R_X86_64_PC32": 2,  # S + A - P
    "R_X86_64_PLT32": 4,  # L + A - P
    "R_X86_64_GOTPCREL": 9,  # G + GOT + A - P
    "R_X86_64_32": 10,  # S + A, zero-extended
    "R_X86_64_32S": 11,  # S + A, sign-extended
    "R_X86_64_GOTTPOFF": 22,
    "R_X86_64_TPOFF32": 23,
    "R_X86_64_PC64": 24,  # S + A - P, 8 bytes
    "R_X86_64_SIZE32": 32,  # Z + A
    "R_X86_64_GOTPCRELX": 41,
    "R_X86_64_REX_GOTPCRELX": 42,
}

# How Mach-O and COFF number their types, and where an addend goes (formats.py).
TYPES: Final = """
# format  type        number  pcrel  rule
macho     UNSIGNED    0       0      field
macho     SIGNED      1       1      end
macho     BRANCH      2       1      end
macho     GOT_LOAD    3       1      got
macho     GOT         4       1      got
macho     SUBTRACTOR  5       0      diff
macho     SIGNED_1    6       1      end
macho     SIGNED_2    7       1      end
macho     SIGNED_4    8       1      end
macho     TLV         9       1      got
coff      ADDR64      1       0      field
coff      ADDR32      2       0      field
coff      ADDR32NB    3       0      field
coff      REL32       4       1      end
coff      REL32_1     5       1      end
coff      REL32_2     6       1      end
coff      REL32_3     7       1      end
coff      REL32_4     8       1      end
coff      REL32_5     9       1      end
coff      SECTION     10      0      field
coff      SECREL      11      0      field
"""

ROWS: Final = """
# kind/size     elf                  macho         coff
R_ADDR/8        0:R_X86_64_64        0:UNSIGNED    0:ADDR64
R_ADDR/4        0:R_X86_64_32        0:UNSIGNED    0:ADDR32
R_ADDR32S/4     0:R_X86_64_32S       0:UNSIGNED    0:ADDR32
R_PCREL/4       0:R_X86_64_PC32      0:SIGNED      0:REL32
R_PCREL32/4     0:R_X86_64_PC32      0:SIGNED      0:REL32
R_PCREL/8       0:R_X86_64_PC64      0:SUBTRACTOR  -
R_CALL/4        0:R_X86_64_PLT32     0:BRANCH      0:REL32
R_GOTPCREL/4    0:R_X86_64_GOTPCREL  0:GOT_LOAD    -
R_TLS_LE/4      0:R_X86_64_TPOFF32   -             0:SECREL
R_TLS_IE/4      0:R_X86_64_GOTTPOFF  -             -
R_SIZE/4        0:R_X86_64_SIZE32    -             -
R_TLVP/4        -                    0:TLV         -
R_PEIMAGEOFF/4  -                    -             0:ADDR32NB
R_SECREL/4      -                    -             0:SECREL
R_SECTION/2     -                    -             0:SECTION
"""
_GOT: Final[dict[int, Records]] = {
    form: ((0, NUMBERS[name], 0),)
    for form, name in (
        (GOT_FIXED, "R_X86_64_GOTPCREL"),
        (GOT_PLAIN, "R_X86_64_GOTPCRELX"),
        (GOT_REX, "R_X86_64_REX_GOTPCRELX"),
        (GOT_MOVQ, "R_X86_64_REX_GOTPCRELX"),
    )
}


def _choose_got(section: Section, starts: Iterable[int]) -> Callable[[Relocation], Records]:
    forms = got_forms(section.data, starts) if section.kind == S_TEXT else {}
    # An entry has no offset: with another addend than the field's own size nothing may be rewritten.
    return lambda r: _GOT[forms.get(r.off, GOT_FIXED) if r.add == -4 else GOT_FIXED]


CHOOSE: Final[dict[tuple[str, int], Chooser]] = {("R_GOTPCREL", 4): _choose_got}
