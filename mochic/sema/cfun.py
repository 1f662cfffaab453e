"""C functions that a program declares: which types have a form in C, and what an `extern fun` declares.

    import c "m" as m                      // the library; `mochic.link.clibs` says where it comes from
    extern fun m.sqrt(x: float): float

A declared function is an ordinary function to inference: its body, the call in C's convention with the conversions
around it, is written by `lower.ccall`.  So it can be a value, be given too few arguments, be inlined.

A type is one row of `C_TYPES`, or the name of an `extern type` (an address that only C looks at), or one of the
types that may be null with `?`.  Beside Mochi's own names there are those of C's smaller numbers, which only
declarations of C functions know: to the program they are `int` and `float`.  An argument that does not fit is a
run-time error.
"""

from __future__ import annotations

from typing import Final

from mochic.diag.diagnostic import Diagnostic, make
from mochic.sema.symbols import CFun, CLibrary, CType, ProgramInfo
from mochic.sema.types import BOOL, FLOAT, INT, NIL, STR
from mochic.syntax import ast


# Kinds of C values
C_INT: Final = 0
C_FLOAT: Final = 1
C_BOOL: Final = 2
C_TEXT: Final = 3  # const char *
C_ADDRESS: Final = 4  # of an extern type


def _rows() -> dict[str, CType]:
    out = {}
    for row in _TABLE.strip().splitlines():
        name, kind, size, signed, base = row.split()[:5]
        out[name] = CType(name, _KINDS[kind], int(size), signed == "signed", _MOCHI[base], base)
    return out


_KINDS: Final = {"int": C_INT, "float": C_FLOAT, "bool": C_BOOL, "text": C_TEXT}
_MOCHI: Final = {"int": INT, "float": FLOAT, "bool": BOOL, "string": STR}
_TABLE: Final = """
int     int   8 signed   int     int64_t, and long where that has 64 bits
int8    int   1 signed   int     int8_t, signed char
int16   int   2 signed   int     int16_t, short
int32   int   4 signed   int     int32_t, int
int64   int   8 signed   int     int64_t
uint8   int   1 unsigned int     uint8_t, unsigned char
uint16  int   2 unsigned int     uint16_t, unsigned short
uint32  int   4 unsigned int     uint32_t, unsigned
uint64  int   8 unsigned int     uint64_t, size_t
float   float 8 signed   float   double
float64 float 8 signed   float   double
float32 float 4 signed   float   float
bool    bool  1 unsigned bool    bool (_Bool); for C's int that means a truth, declare int32
string  text  8 unsigned string  const char *: UTF-8, ends with a zero byte
"""
C_TYPES: Final[dict[str, CType]] = _rows()


class CDeclarations:
    """The C side of a unit's declarations: extern types, and functions turned into `CFun`."""

    __slots__ = ("opaque", "info", "diags")

    def __init__(self, info: ProgramInfo, diags: list[Diagnostic]) -> None:
        self.opaque: dict[int, None] = {}  # positions of extern types, which are aliases of `any`
        self.info = info
        self.diags = diags

    def type_of(self, ref: ast.TypeRef, depth: int = 0) -> CType | None:
        """The C form of a declared type, None when there is none."""
        if isinstance(ref, ast.TypeOpt):
            t = self.type_of(ref.inner, depth)
            if t is None or t.optional or t.kind not in (C_TEXT, C_ADDRESS):
                return None
            return CType(t.name + "?", t.kind, t.size, t.signed, t.mochi | NIL, t.base, True)
        if not isinstance(ref, ast.TypeName):
            return None
        meant = self.info.table(ref).alias(ref.name)
        if meant is not None and meant.lo in self.opaque:
            return CType(ref.name, C_ADDRESS, 8, True, INT, "int")
        if meant is not None and depth < 16:
            return self.type_of(meant, depth + 1)
        return C_TYPES.get(ref.name)

    def function(self, st: ast.ExternDecl, symbol: str, library: CLibrary | None) -> CFun | None:
        """What an `extern fun` declares; None when a type has no C form, which is reported."""
        sound = True
        params: list[CType] = []
        for p in st.params or ():
            t = None if p.type is None else self.type_of(p.type)
            if t is None:
                self.diags.append(make("M011", p.lo, p.hi, f"the parameter `{p.name}`"))
                sound = False
            else:
                params.append(t)
        ret = None
        if st.type is not None and not (isinstance(st.type, ast.TypeName) and st.type.name in ("unit", "void")):
            ret = self.type_of(st.type)
            if ret is None:
                self.diags.append(make("M011", st.type.lo, st.type.hi, "the result"))
                sound = False
        return CFun(symbol, params, ret, library, st) if sound else None
