"""The arm64 assembler: bytes of arm64.s, messages of arm64error.s, the tables themselves, and LLVM's opinion."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess

import pytest
from backend.arm64 import operands, regs
from backend.arm64.arch import make_arch
from backend.arm64.encode import Arm64Encoder
from backend.arm64.expand import load_constant
from backend.arm64.forms import Form, load_table, make_forms
from backend.arm64.immediates import MASK64, logical64
from backend.arm64.ops import NAMES, OPS
from backend.obj.asmparse import Parser
from backend.obj.ctx import Ctx
from backend.obj.plist import resolve_branches
from backend.obj.printer import format_prog
from backend.obj.prog import BRANCH, CONST, MEM, REG, SPECIAL, Addr, Prog
from backend.obj.sym import LSym
from backend.obj.formtable import check_lines, parse_row
from backend.obj.portable import PORTABLE

from backend.arches import load_arch
from mochic.asmcmd import assemble_line

HERE = os.path.dirname(os.path.abspath(__file__))
GO = load_arch("arm64", "", True)
ENCODER = Arm64Encoder(True)
assert GO is not None


def read(name: str) -> list[tuple[int, list[str]]]:
    with open(os.path.join(HERE, name), encoding="utf-8") as fh:
        return [(i, ln.rstrip("\n").split(" // ")) for i, ln in enumerate(fh, 1) if ln.strip() and ln[:2] != "//"]


LINES = read("arm64.s")


def test_bytes() -> None:
    wrong: dict[int, str] = {}
    for number, (text, wanted) in LINES:
        got = assemble_line(GO, text)[0]
        if got != wanted:
            wrong[number] = f"{text} // {got}"
    if wrong and os.environ.get("BLESS"):
        path = os.path.join(HERE, "arm64.s")
        with open(path, encoding="utf-8") as fh:
            lines = fh.read().split("\n")
        for number, line in wrong.items():
            lines[number - 1] = line
        with open(path, "w", encoding="utf-8") as fh:
            fh.write("\n".join(lines))
    assert not wrong, "got:\n" + "\n".join(f"{n}: {t}" for n, t in list(wrong.items())[:20])


def test_refused() -> None:
    wrong = []
    for number, (text, wanted) in read("arm64error.s"):
        got = assemble_line(GO, text)[0]
        if not got.startswith("ERROR: ") or wanted not in got:
            wrong.append(f"{number}: {text}: wanted {wanted}, got {got}")
    assert not wrong, "\n".join(wrong)


# ---------------------------------------------------------------------------------------------------
# The tables


def test_tables_are_well_formed() -> None:
    heads = set()
    problems = []
    for name in ("forms.tbl", "ext_simd.tbl"):
        text = load_table(name)
        # rows that differ in their arrangements have the same operands
        problems += [p for p in check_lines(text) if name == "forms.tbl" or "listed twice" not in p]
        for line in text.split("\n"):
            if line and line[0] not in "#@":
                make_forms(parse_row(line))  # widths, unknown fields and opcodes raise
                heads.add(line.split(None, 1)[0])
    assert not problems
    assert heads <= set(OPS)


def test_every_row_is_used() -> None:
    """Each form is the first to take the operands of some line of arm64.s, so that none is unreachable."""
    used: set[int] = set()
    for _, (text, _) in LINES:
        used.update(_forms_used(text))
    missing = sorted({f.row for as_ in NAMES for f in ENCODER.forms.forms_of(as_) if id(f) not in used and _sole(f)})
    assert not missing, "\n".join(missing)


def _sole(f: Form) -> bool:
    """Whether a form is not one of several of its row: rows for many arrangements have samples of two."""
    return "{" not in f.row


def progs_of(text: str) -> list[Prog]:
    """The Progs of a line, branches resolved, nothing else done to them."""
    parser = Parser(GO, Ctx(), "GLOBL tls(SB), TLSBSS, $8\nTEXT f(SB), 516, $0\n" + text)
    while parser.toks[parser.i + 1 :]:
        try:
            parser.statement()
        except IndexError:
            break
    progs = parser.progs
    for p in progs:
        for name in [n for n, q in parser.labels.items() if q is p]:
            p.label = name
    resolve_branches(progs)
    return progs


def _forms_used(text: str) -> list[int]:
    if text.startswith("TEXT"):
        return []
    found: list[int] = []
    for p in progs_of(text)[1:]:
        machine: list[tuple[Form, list[Addr]]] = []
        try:
            found.append(id(ENCODER.find_form(p.as_, p.args, p.scond)))
            found.append(id(ENCODER.expand(p.as_, p.args, p.scond, machine)))
        except ValueError:
            continue  # left to progedit
        found += [id(f) for f, _ in machine]
    return found


def test_read_write() -> None:
    def rw(text: str, scond: int = 0) -> list[int]:
        name, _, rest = text.partition(" ")
        args = []
        for word in rest.split(", "):
            if word[0] == "$":
                args.append(Addr(CONST, offset=int(word[1:])))
            elif "+" in word:
                a, b = word.split("+")
                args.append(operands.pair(regs.REGS[a], regs.REGS[b]))
            elif word[0] == "(":
                args.append(Addr(MEM, regs.REGS[word[1:-1]]))
            elif word in regs.REGS:
                args.append(Addr(REG, regs.REGS[word]))
            else:
                args.append(Addr(SPECIAL, offset=1))
        return ENCODER.forms.operand_rw(OPS[name], args, scond)

    assert rw("ADD R5, R6, R7") == [1, 1, 2]
    assert rw("ADD R5, R6") == [1, 3]
    assert rw("CMP R5, R6") == [1, 1]
    assert rw("MOVD (R5), R6") == [1, 2]
    assert rw("MOVD (R5), R6", 1) == [3, 2]
    assert rw("MOVD R5, (R6)") == [1, 1]
    assert rw("LDP (R5), R6+R7") == [1, 2]
    assert rw("STP R6+R7, (R5)", 2) == [1, 3]
    assert rw("MOVK $1, R6") == [1, 3]
    assert rw("BFI $1, R5, $2, R6") == [1, 1, 1, 3]
    assert rw("LDADDD R5, (R6), R7") == [1, 1, 2]
    assert rw("CASD R5, (R6), R7") == [3, 1, 1]
    assert rw("STXR R5, (R6), R7") == [1, 1, 2]
    assert rw("FMADDD F1, F2, F3, F4") == [1, 1, 1, 2]
    assert rw("CSEL NE, R1, R2, R3") == [1, 1, 1, 2]
    assert rw("VFMLA V1.D2, V2.D2, V3.D2") == [1, 1, 3]


def test_opcodes_are_current() -> None:
    from backend.obj.genops import ops_source

    with open(os.path.join(os.path.dirname(regs.__file__), "ops.py"), encoding="utf-8") as fh:
        assert fh.read() == ops_source("arm64"), "run `python3 -m backend.obj.genops arm64`"


def test_lines_print_as_they_are_read() -> None:
    wrong = []
    for _, (text, wanted) in LINES:
        if ";" in text or "(SB)" in text or "(SP)" in text or text.startswith("TEXT"):
            continue
        printed = format_prog(GO, progs_of(text)[1]).replace("\t", " ")
        again = assemble_line(GO, printed)[0]
        if again != wanted:
            wrong.append(f"{text}: {printed}: {again}")
    assert not wrong, "\n".join(wrong[:20])


# ---------------------------------------------------------------------------------------------------
# Meaning


def test_logical_immediates() -> None:
    """All 5,334 of them, by the manual's DecodeBitMasks, and nothing near them."""
    valid: dict[int, int] = {}
    for size in (2, 4, 8, 16, 32, 64):
        for ones in range(1, size):
            for rotation in range(size):
                run = (1 << ones) - 1
                element = (run >> rotation | run << size - rotation) & (1 << size) - 1
                value = sum(element << i for i in range(0, 64, size))
                imms = (~(size * 2 - 1) & 0x3F) | ones - 1
                valid[value] = (1 if size == 64 else 0) << 12 | rotation << 6 | imms
    assert len(valid) == 5334
    for value, code in valid.items():
        assert logical64(value) == code, hex(value)
        for other in (value ^ 1, value ^ 1 << 40):
            assert (logical64(other) >= 0) == (other in valid), hex(other)


def run(insns: list[tuple[int, list[Addr], int]], bits: int) -> int:
    """What a sequence of constant-making instructions leaves in its register."""
    value = 0
    for as_, args, _ in insns:
        name, c = NAMES[as_].removesuffix("W") if bits == 32 else NAMES[as_], args[0].offset
        if name == "MOVK":
            shift = 16 * args[1].offset
            value = value & ~(0xFFFF << shift) | c << shift
        else:
            value = ~c if name == "MOVN" else c
        value &= (1 << bits) - 1
    return value


def test_constants_load_what_they_say() -> None:
    shapes = [0, 1, 5, 0xFFFF, 0x10000, 0x12345678, 0xDEADBEEF, 0x123456789ABC, 0x5555555555551234, 0xFFFF0000FFFF1234]
    for shape in shapes:
        for shift in range(0, 64, 7):
            for value in (shape << shift, ~(shape << shift), -(shape << shift)):
                for bits in (64, 32):
                    insns = load_constant(value, regs.R0, bits)
                    assert run(insns, bits) == value & (MASK64 if bits == 64 else 0xFFFFFFFF), hex(value)
                    assert len(insns) <= bits // 16


def test_far_branches() -> None:
    """Branches out of reach land where they should, by reading the words back."""
    nop = Prog(OPS["NOOP"], [])
    for name, args, count in (
        ("TBZ", [Addr(CONST, offset=3), Addr(REG, regs.R0)], 1 << 13),
        ("CBNZ", [Addr(REG, regs.R0)], 1 << 18),
        ("BLT", [], 1 << 18),
    ):
        for go_shapes, size in ((False, 8), (True, 12)):
            end = Prog(OPS["RET"], [])
            branch = Prog(OPS[name], [*args, Addr(BRANCH, sym=end)])
            text = LSym("f")
            make_arch("", go_shapes).assemble(text, [branch] + [nop] * count + [end])
            assert branch.size == size
            jump = int.from_bytes(text.data[size - 4 : size], "little")
            assert jump >> 26 == 0b000101
            assert size - 4 + 4 * (jump & 0x3FFFFFF) == end.pc


def test_literals_only_for_go() -> None:
    """The code generator's large offsets are made by moves, so that functions need no literals."""
    line = "MOVD 0x12345678(R1), R2"
    assert assemble_line(GO, line)[0] == "7b00001822687bf80000000078563412"
    assert assemble_line(make_arch(), line)[0] == "1bcf8ad29b46a2f222687bf8"


def test_mixed_up_lines_are_refused_or_assembled() -> None:
    """Operands of one line in another: a message or bytes, never an exception."""
    rng = random.Random(64)
    texts = [text for _, (text, _) in LINES if ";" not in text]
    parts = [part for text in texts for part in text.partition(" ")[2].split(", ") if part]
    parts += [
        "",
        "$-1",
        "$0x8000000000000000",
        "R1@>70",
        "[V1.B]",
        "V1.S",
        "x-8(SP)",
        "1.5",
        "R1.",
        "(R1,",
        "-3(PC)",
        "*(R1)",
    ]
    for _ in range(3000):
        name = rng.choice(texts).partition(" ")[0]
        line = name + " " + ", ".join([rng.choice(parts) for _ in range(rng.randrange(5))])
        code = assemble_line(GO, line)[0]
        assert code.startswith("ERROR: ") or int(code.replace("empty", "0"), 16) >= 0, line


# ---------------------------------------------------------------------------------------------------
# LLVM agrees

# Go's mnemonic (a pattern) and what LLVM may call it; none: the same, less a trailing W or a leading V.
_LLVM_NAMES = """
BICS?W? ands?|bics?
(ORN|EON)W? orr|orn|eor|eon
MOV[NZ]W? mov|mov[nz]
(SBFM|SBFX|UBFM|UBFX|UBFIZ|SBFIZ)W? asr|lsl|lsr|[su]bf(x|iz)
BFMW? bfxil|bfi
[SU]XT[BHW]W? mov|[us]xt[bhw]|ubfx
B|JMP b|br
BL|CALL bl|blr
NOOP nop
AT|IC|TLBI|DC|SYS sys|at|dc|ic|tlbi
MOVD mov|orr|add|ldu?r|stu?r
MOVWU? mov|orr|sxtw|ldu?rs?w?|ldursw|stu?r
MOVBU? mov|sxtb|ubfx|ldu?rs?b|stu?rb
MOVHU? mov|sxth|ubfx|ldu?rs?h|stu?rh
FMOV[SDQ] fmov|ldu?r|stu?r
F?(LD|ST)P[SDQW]? (ld|st)p
LDPSW ldpsw
LDOR(A?L?)([BHWD]) ldset[alhb]*
FCVTZ[SU][SD]W? fcvtz[su]
[SU]CVTFW?[SD] [su]cvtf
FCVT[SDH][SDH] fcvt
VMOV mov|dup|[us]mov
VDUP mov|dup
VNOT mvn
V([SU])XTL(2?) [su]shll2?
"""
# Registers in LLVM's order as positions in Go's; none: reversed.
_ORDERS = """
(M|FM|FNM)(ADD|SUB)[SDW]?|[SU]M(ADD|SUB)L d n m a
CSEL.*|CSINC.*|CSINV.*|CSNEG.*|FCSEL.* cond
ST.*|FST.*|VST.*|CC.*|CB.*|TB.*|.*PRF.*|MSR|LDADD.*|SWP.*|LDCLR.*|LDEOR.*|LDOR.*|CAS.*|V(LD|TB).* any
LD.*|FLD.* any
MOV.*|FMOV.* any
"""


def _registers(text: str) -> list[str]:
    text = text.replace("R18_PLATFORM", "R18").upper().replace("WSP", "SP").replace("RSP", "SP")
    text = re.sub(r"\bG\b", "R28", text)
    return [m.group(1) or "SP" for m in re.finditer(r"(?<![.\w])(?:[RFVXWBHSDQ](\d+)|SP)\b", text)]


def _table(text: str) -> list[tuple[str, str]]:
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.strip().split("\n")]


def compare(go: str, llvm: str) -> str:
    """What disagrees between a Go line and LLVM's text of its only instruction."""
    name, _, rest = go.partition(" ")
    name = name.partition(".")[0]
    llvm_name, _, llvm_rest = llvm.partition(" ")
    allowed = next((right for left, right in _table(_LLVM_NAMES) if re.fullmatch(left, name)), None)
    plain = name.lower().removeprefix("v") if name[0] == "V" else name.lower()
    pattern = (
        allowed
        if allowed is not None
        else "|".join((plain, plain.removesuffix("w"), plain[:-1], plain[:1] + r"\." + plain[1:]))
    )
    if not re.fullmatch(pattern, llvm_name):
        return f"decoded as {llvm}"
    mine, theirs = _registers(rest), _registers(llvm_rest)
    if set(mine) != set(theirs):
        return f"decoded as {llvm}"
    order = next((right for left, right in _table(_ORDERS) if re.fullmatch(left, name)), "")
    if len(mine) != len(theirs) or order == "any":
        return ""
    if order == "cond":
        mine = [mine[-1], *mine[:-1]]
    elif order:
        mine = [mine[3], mine[2], mine[0], mine[1]]
    else:
        mine.reverse()
    return "" if mine == theirs else f"decoded as {llvm}"


def test_llvm_decodes_the_same() -> None:
    """One-word lines: name and registers; lines of several words: every word is an instruction."""
    tool = next((t for t in ("llvm-mc-19", "llvm-mc") if shutil.which(t)), None)
    if tool is None:
        pytest.skip("llvm-mc is not installed")
    single = [
        (text, code) for _, (text, code) in LINES
        if len(code) == 8 and ";" not in text and not text.startswith(("WORD", "UNDEF"))
    ]  # fmt: skip
    source = "\n".join(" ".join(f"0x{c[i : i + 2]}" for i in range(0, 8, 2)) for _, c in single)
    command = [tool, "--disassemble", "-triple=aarch64", "-mattr=+v9.5a,+lse,+crypto,+sha2,+sha3,+crc,+fullfp16"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    if "not a recognized feature" in done.stderr:
        command[-1] = "-mattr=+all"
        done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    assert "invalid" not in done.stderr, done.stderr[:2000]
    decoded = [x.strip().replace("\t", " ") for x in done.stdout.split("\n") if x.strip() and x.strip()[0] != "."]
    assert len(decoded) == len(single) > 1500
    wrong = [
        f"{text} // {code}: {problem}"
        for (text, code), d in zip(single, decoded, strict=True)
        if (problem := compare(text, d))
    ]
    assert not wrong, "\n".join(wrong[:40])


def test_portable_opcodes() -> None:
    assert tuple(NAMES[i] for i in range(len(PORTABLE))) == PORTABLE
