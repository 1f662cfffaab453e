"""Mach-O relocations of amd64 and arm64: <mach-o/x86_64/reloc.h>, <mach-o/arm64/reloc.h>.

Records of a two-instruction kind stand in the order of the file, highest address first.  A difference in data is a
SUBTRACTOR, which names what is subtracted, directly followed by an UNSIGNED for what it is subtracted from.
"""

from __future__ import annotations

from typing import Final

from objwriter.model import ObjectError
from objwriter.relocs.formats import FormatTable, RelocType, parse_format

TYPES: Final = """
# arch  type                   number pcrel rule
amd64   UNSIGNED               0  0  field
amd64   SIGNED                 1  1  end
amd64   BRANCH                 2  1  end
amd64   GOT_LOAD               3  1  got
amd64   GOT                    4  1  got
amd64   SUBTRACTOR             5  0  diff
amd64   SIGNED_1               6  1  end
amd64   SIGNED_2               7  1  end
amd64   SIGNED_4               8  1  end
amd64   TLV                    9  1  got
arm64   UNSIGNED               0  0  field
arm64   SUBTRACTOR             1  0  diff
arm64   BRANCH26               2  1  label
arm64   PAGE21                 3  1  pair
arm64   PAGEOFF12              4  0  pair
arm64   GOT_LOAD_PAGE21        5  1  none
arm64   GOT_LOAD_PAGEOFF12     6  0  none
arm64   POINTER_TO_GOT         7  1  none
arm64   TLVP_LOAD_PAGE21       8  1  none
arm64   TLVP_LOAD_PAGEOFF12    9  0  none
arm64   ADDEND                 10 0  none
"""

ROWS: Final = """
# arch  kind/size                records
amd64   R_ADDR/8                 0:UNSIGNED
amd64   R_ADDR/4                 0:UNSIGNED
amd64   R_ADDR32S/4              0:UNSIGNED
amd64   R_PCREL/4                0:SIGNED
amd64   R_PCREL32/4              0:SIGNED
amd64   R_PCREL/8                0:SUBTRACTOR
amd64   R_CALL/4                 0:BRANCH
amd64   R_GOTPCREL/4             0:GOT_LOAD
amd64   R_TLVP/4                 0:TLV
arm64   R_ADDR/8                 0:UNSIGNED
arm64   R_ADDR/4                 0:UNSIGNED
arm64   R_PCREL/4                0:SUBTRACTOR
arm64   R_PCREL32/4              0:SUBTRACTOR
arm64   R_PCREL/8                0:SUBTRACTOR
arm64   R_CALLARM64/4            0:BRANCH26
arm64   R_JUMPARM64/4            0:BRANCH26
arm64   R_ADDRARM64/8            4:PAGEOFF12+0:PAGE21
arm64   R_ARM64_PCREL_PAGE/4     0:PAGE21
arm64   R_ARM64_PCREL_LDST8/8    4:PAGEOFF12+0:PAGE21
arm64   R_ARM64_PCREL_LDST16/8   4:PAGEOFF12+0:PAGE21
arm64   R_ARM64_PCREL_LDST32/8   4:PAGEOFF12+0:PAGE21
arm64   R_ARM64_PCREL_LDST64/8   4:PAGEOFF12+0:PAGE21
arm64   R_ARM64_PCREL_LDST128/8  4:PAGEOFF12+0:PAGE21
arm64   R_ARM64_GOTPCREL/8       4:GOT_LOAD_PAGEOFF12+0:GOT_LOAD_PAGE21
arm64   R_GOTPCREL/4             0:POINTER_TO_GOT
arm64   R_ARM64_TLVP/8           4:TLVP_LOAD_PAGEOFF12+0:TLVP_LOAD_PAGE21
"""
ARCHES: Final = ("amd64", "arm64")


def load_macho(arch: str) -> tuple[FormatTable, dict[str, RelocType]]:
    """The table of an architecture and its types by name."""
    if arch not in ARCHES:
        raise ObjectError(f"no Mach-O relocations for {arch}")
    return parse_format(TYPES, ROWS, arch)
