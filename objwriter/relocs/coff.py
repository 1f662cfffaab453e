"""COFF relocations of amd64, arm64 and 386: Microsoft PE Format, "COFF Relocations (Object Only)".

No kind for a GOT exists (imports are loaded from `__imp_NAME`, an ordinary symbol), and of the thread-local kinds only
the offset in the section.
"""

from __future__ import annotations

from typing import Final

from objwriter.model import ObjectError
from objwriter.relocs.formats import FormatTable, RelocType, parse_format

TYPES: Final = """
# arch  type            number pcrel rule
amd64   ADDR64          1   0  field
amd64   ADDR32          2   0  field
amd64   ADDR32NB        3   0  field
amd64   REL32           4   1  end
amd64   REL32_1         5   1  end
amd64   REL32_2         6   1  end
amd64   REL32_3         7   1  end
amd64   REL32_4         8   1  end
amd64   REL32_5         9   1  end
amd64   SECTION         10  0  field
amd64   SECREL          11  0  field
arm64   ADDR32          1   0  field
arm64   ADDR32NB        2   0  field
arm64   BRANCH26        3   1  none
arm64   PAGEBASE_REL21  4   1  adr
arm64   REL21           5   1  adr
arm64   PAGEOFFSET_12A  6   0  add12
arm64   PAGEOFFSET_12L  7   0  ldst12
arm64   SECREL          8   0  field
arm64   SECTION         13  0  field
arm64   ADDR64          14  0  field
arm64   BRANCH19        15  1  none
arm64   BRANCH14        16  1  none
arm64   REL32           17  1  end
386     DIR32           6   0  field
386     DIR32NB         7   0  field
386     SECTION         10  0  field
386     SECREL          11  0  field
386     REL32           20  1  end
"""

ROWS: Final = """
# arch  kind/size                records
amd64   R_ADDR/8                 0:ADDR64
amd64   R_ADDR/4                 0:ADDR32
amd64   R_ADDR32S/4              0:ADDR32
amd64   R_PEIMAGEOFF/4           0:ADDR32NB
amd64   R_PCREL/4                0:REL32
amd64   R_PCREL32/4              0:REL32
amd64   R_CALL/4                 0:REL32
amd64   R_TLS_LE/4               0:SECREL
amd64   R_SECREL/4               0:SECREL
amd64   R_SECTION/2              0:SECTION
arm64   R_ADDR/8                 0:ADDR64
arm64   R_ADDR/4                 0:ADDR32
arm64   R_PEIMAGEOFF/4           0:ADDR32NB
arm64   R_PCREL/4                0:REL32
arm64   R_PCREL32/4              0:REL32
arm64   R_CALLARM64/4            0:BRANCH26
arm64   R_JUMPARM64/4            0:BRANCH26
arm64   R_ADDRARM64/8            0:PAGEBASE_REL21+4:PAGEOFFSET_12A
arm64   R_ARM64_PCREL_PAGE/4     0:PAGEBASE_REL21
arm64   R_ARM64_PCREL_LDST8/8    0:PAGEBASE_REL21+4:PAGEOFFSET_12L
arm64   R_ARM64_PCREL_LDST16/8   0:PAGEBASE_REL21+4:PAGEOFFSET_12L
arm64   R_ARM64_PCREL_LDST32/8   0:PAGEBASE_REL21+4:PAGEOFFSET_12L
arm64   R_ARM64_PCREL_LDST64/8   0:PAGEBASE_REL21+4:PAGEOFFSET_12L
arm64   R_ARM64_PCREL_LDST128/8  0:PAGEBASE_REL21+4:PAGEOFFSET_12L
arm64   R_SECREL/4               0:SECREL
arm64   R_SECTION/2              0:SECTION
386     R_ADDR/4                 0:DIR32
386     R_PEIMAGEOFF/4           0:DIR32NB
386     R_PCREL/4                0:REL32
386     R_PCREL32/4              0:REL32
386     R_CALL/4                 0:REL32
386     R_SECREL/4               0:SECREL
386     R_SECTION/2              0:SECTION
"""
ARCHES: Final = ("386", "amd64", "arm64")


def load_coff(arch: str) -> tuple[FormatTable, dict[str, RelocType]]:
    """The table of an architecture and its types by name."""
    if arch not in ARCHES:
        raise ObjectError(f"no COFF relocations for {arch}")
    return parse_format(TYPES, ROWS, arch)
