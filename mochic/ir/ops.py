"""The IR operations, one row each.

Columns: name, number of arguments (-1: any), flags, meaning.  Everything that passes need to know
about an op in general is a flag here, so that no pass lists op names by hand.

Flags: p  pure: no side effect, result depends on arguments, imm and sym only (may be moved, merged,
          removed)
       c  commutative
       l  reads memory          s  writes memory
       g  safepoint: may run the collector, may not return (calls)
       x  has an effect: never removed
       b  result is an I32 truth value (0 or 1)

Division.  sdiv/srem truncate toward zero; the divisor is never 0 (the front end tests it) and
MIN / -1 wraps (MIN % -1 is 0); imm 1 says that the divisor is known not to be -1.  On INT they are exact.
Shifts take the count modulo the width.
f2i truncates; out of range or NaN gives the most negative I64.
"""

from __future__ import annotations

from typing import Final

_TABLE: Final = """
iconst    0 p    imm: the value; I32, I64, PTR, REF/TAG (0 or a tagged immediate), INT (any size)
fconst    0 p    imm: the 64 bits of the double
symaddr   0 p    sym: FuncSym or DataSym, imm: offset; PTR, REF or TAG
add       2 pc   I32 I64 PTR INT (PTR/REF + I64 -> PTR)
sub       2 p    I32 I64 PTR INT (PTR - PTR -> I64)
mul       2 pc
sdiv      2 p
srem      2 p
udiv      2 p
urem      2 p
neg       1 p
and       2 pc
or        2 pc
xor       2 pc
not       1 p    bitwise
shl       2 p
shr       2 p    logical
sar       2 p    arithmetic
umulh     2 pc   high 64 bits of the unsigned product
clz       1 p    64 for 0
ctz       1 p    64 for 0
popcnt    1 p
addov     2 pcb  1 if the signed I64 sum overflows; isel fuses it with the `add` of the same operands
subov     2 pb
mulov     2 pcb
eq        2 pcb  I32 I64 PTR REF TAG INT
ne        2 pcb
slt       2 pb   signed; I32 I64 INT
sle       2 pb
ult       2 pb   unsigned; I32 I64 PTR
ule       2 pb
feq       2 pcb  ordered: false when either is NaN
fne       2 pcb  unordered: true when either is NaN
flt       2 pb
fle       2 pb
fadd      2 pc
fsub      2 p
fmul      2 pc
fdiv      2 p
fneg      1 p
fabs      1 p
fsqrt     1 p
i2f       1 p    I64 -> F64
f2i       1 p    F64 -> I64
fbits     1 p    F64 -> I64, the same bits
bitsf     1 p    I64 -> F64, the same bits
sext32    1 p    I32 -> I64
zext32    1 p    I32 -> I64
trunc32   1 p    I64 -> I32
cast      1 p    among I64 PTR REF TAG: the same word, another type; no code
select    3 p    arg0 (I32) != 0 ? arg1 : arg2
ld        1 l    imm: offset; width of the result type; sym: alias class or None
ld8u      1 l    result I32 or I64
ld8s      1 l
ld16u     1 l
ld16s     1 l
ld32u     1 l
ld32s     1 l
st        2 s    args: address, value; imm: offset; width of the value's type
st8       2 s
st16      2 s
st32      2 s
alloca    0 x    imm: bytes of frame space, 16-aligned, one place per activation; PTR
call      -1 g   sym: FuncSym
calli     -1 g   args[0]: code address (PTR), then the arguments; sym: None or a Sig
alloc     0 g    imm: size in bytes, sym: descriptor; zeroed object of that type; REF
toint     1 p    I64 -> INT; sym: None or (lo, hi)
fromint   1 p    INT -> I64, saturating
totag     1 p    INT -> TAG (pure: equal ints need not be the same object)
untag     1 p    TAG known to hold an int -> INT
int2f     1 p    INT -> F64
f2int     1 p    F64 -> INT, truncating, exact; argument is finite
mapfind   2 l    map REF, key INT -> PTR of the value slot or 0; sym: the int slot of the map's keys
mapslot   2 g    the same, inserting a zeroed entry when missing
feed     -1 x    no code: the runtime may store args[0] in the int slot sym[0]; without args, what the slot sym[1]
                 holds, or with None any int
"""

OP_NAMES: list[str] = []
OP_ARITY: list[int] = []
OP_FLAGS: list[str] = []
OP_DOC: list[str] = []
for _line in _TABLE.strip().splitlines():
    if _line.startswith(" "):  # continuation of a meaning
        continue
    _f = _line.split(None, 3)
    if len(_f[2]) > 4 or _f[2][0] not in "plsgx":  # every op has at least one flag
        raise AssertionError(_line)
    OP_NAMES.append(_f[0])
    OP_ARITY.append(int(_f[1]))
    OP_FLAGS.append(_f[2])
    OP_DOC.append(_f[3] if len(_f) > 3 else "")
OP_BY_NAME: dict[str, int] = {n: i for i, n in enumerate(OP_NAMES)}

IS_PURE: list[bool] = ["p" in f for f in OP_FLAGS]
IS_COMMUTATIVE: list[bool] = ["c" in f for f in OP_FLAGS]
IS_LOAD: list[bool] = ["l" in f for f in OP_FLAGS]
IS_STORE: list[bool] = ["s" in f for f in OP_FLAGS]
IS_CALL: list[bool] = ["g" in f for f in OP_FLAGS]
IS_BOOL: list[bool] = ["b" in f for f in OP_FLAGS]
# May be deleted when the result is unused (loads cannot trap: every address is checked first).
IS_REMOVABLE: list[bool] = ["p" in f or "l" in f for f in OP_FLAGS]

(
    ICONST, FCONST, SYMADDR, ADD, SUB, MUL, SDIV, SREM, UDIV, UREM, NEG, AND, OR, XOR, NOT, SHL, SHR, SAR,
    UMULH, CLZ, CTZ, POPCNT, ADDOV, SUBOV, MULOV, EQ, NE, SLT, SLE, ULT, ULE, FEQ, FNE, FLT, FLE,
    FADD, FSUB, FMUL, FDIV, FNEG, FABS, FSQRT, I2F, F2I, FBITS, BITSF, SEXT32, ZEXT32, TRUNC32, CAST, SELECT,
    LD, LD8U, LD8S, LD16U, LD16S, LD32U, LD32S, ST, ST8, ST16, ST32, ALLOCA, CALL, CALLI, ALLOC,
    TOINT, FROMINT, TOTAG, UNTAG, INT2F, F2INT, MAPFIND, MAPSLOT, FEED,
) = range(75)  # fmt: skip
assert OP_BY_NAME["feed"] == FEED and len(OP_NAMES) == 75 and OP_BY_NAME["call"] == CALL

# Bytes that the widest load or store accesses.
WIDEST: Final = 8

# The `sym` of a load that is of a class of its own: what never changes; the number of a map's entries.
READONLY: Final = "ro"
MAP_LENGTH: Final = "map"

# A block parameter is a Value too; this op number is outside the table.
PARAM: Final = -1

# Terminators
JUMP: Final = 0  # succs[0]
BRIF: Final = 1  # targs[0] != 0 ? succs[0] : succs[1]
SWITCH: Final = 2  # targs[0] (I64): cases[i] -> succs[i]; otherwise succs[-1]
RET: Final = 3  # targs: [] or [value]
TRAP: Final = 4  # not reachable (after a call that does not return)
TERM_NAMES: Final = ("jump", "brif", "switch", "ret", "trap")
