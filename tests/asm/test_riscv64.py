"""riscv64.s and riscv64error.s, line by line; the bytes again through an independent disassembler.

A line of riscv64.s is `instruction // hex (rv64g) [// hex (rv64gc)]`; BLESS=1 rewrites the bytes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest
from backend.obj.ctx import Ctx
from backend.obj.prog import ADDR, BRANCH, CONST, FCONST, MEM, REG, SPECIAL, Addr, Prog
from backend.obj.sym import STLSBSS, LSym
from backend.obj.formtable import check_lines, parse_row
from backend.riscv import expand, ops, regs
from backend.riscv.arch import make_arch
from backend.riscv.encode import RiscvEncoder, parse_candidate
from backend.riscv.expand import load_constant, split32
from backend.riscv.forms import SYMBOL, SYMBOL_ADDR, TLS, TLS_ADDR, Forms, Pattern, load_table, make_forms
from backend.riscv.ops import NAMES, OPS

from backend.arches import load_arch
from mochic.asmcmd import assemble_line

HERE = os.path.dirname(os.path.abspath(__file__))
FORMS = Forms()
PLAIN = load_arch("riscv64", "rv64g", True)
SHORT = load_arch("riscv64", "rv64gc", True)
assert PLAIN is not None and SHORT is not None


def read(name: str) -> list[tuple[int, list[str]]]:
    with open(os.path.join(HERE, name), encoding="utf-8") as fh:
        return [(i, ln.rstrip("\n").split(" // ")) for i, ln in enumerate(fh, 1) if ln.strip() and ln[:2] != "//"]


LINES = read("riscv64.s")


def test_bytes() -> None:
    wrong: dict[int, str] = {}
    for number, (text, *wanted) in LINES:
        plain, short = assemble_line(PLAIN, text)[0], assemble_line(SHORT, text)[0]
        got = [plain] if plain == short else [plain, short]
        if got != wanted:
            wrong[number] = " // ".join([text, *got])
    if wrong and os.environ.get("BLESS"):
        path = os.path.join(HERE, "riscv64.s")
        with open(path, encoding="utf-8") as fh:
            lines = fh.read().split("\n")
        for number, line in wrong.items():
            lines[number - 1] = line
        with open(path, "w", encoding="utf-8") as fh:
            fh.write("\n".join(lines))
    assert not wrong, "got:\n" + "\n".join(f"{n}: {t}" for n, t in list(wrong.items())[:20])


def test_refused() -> None:
    wrong = []
    for number, (text, wanted) in read("riscv64error.s"):
        for arch in (PLAIN, SHORT):
            got = assemble_line(arch, text)[0]
            if not got.startswith("ERROR: ") or wanted not in got:
                wrong.append(f"{number}: {text}: wanted {wanted}, got {got}")
    assert not wrong, "\n".join(wrong)


# ---------------------------------------------------------------------------------------------------
# The tables


def test_tables_are_well_formed() -> None:
    text = load_table("forms.tbl") + load_table("ext_v.tbl")
    heads = set()
    for line in text.split("\n"):
        if line and line[0] not in "#@":
            make_forms(parse_row(line))  # widths, unknown fields and opcodes raise
            heads.add(line.split(None, 1)[0])
    # rows that only some ISA has repeat the operands of the row that follows
    repeated = [p for p in check_lines(text) if "listed twice" not in p]
    assert not repeated
    assert heads <= set(OPS)
    for line in load_table("compress.rules").split("\n"):
        if line and line[0] != "#":
            parse_candidate(line)


def _sample(t: Pattern, salt: int, last: Addr | None) -> Addr:
    """An operand the pattern takes, with values no narrower row would take."""
    reg = t.lowest + (7 * salt + 5) % (t.highest - t.lowest + 1)
    if reg == t.barred:
        reg += 1
    if t.kind == REG:
        return last if last is not None and not t.name and t.lowest != t.highest else Addr(REG, reg)
    value = t.hi - t.hi % t.step
    if t.hi > 1 << 20:
        value = 0x12345678
    if t.kind in (CONST, MEM, ADDR):
        return Addr(t.kind, 0 if t.kind == CONST else reg, value)
    if t.kind == SPECIAL:
        return Addr(SPECIAL, offset=t.hi)
    if t.kind == BRANCH:
        return Addr(BRANCH, sym=Prog(0, []))
    if t.kind == FCONST:
        return Addr(FCONST, offset=1)
    kinds = {SYMBOL: MEM, TLS: MEM, SYMBOL_ADDR: ADDR, TLS_ADDR: ADDR}
    return Addr(kinds[t.kind], sym=LSym("s", STLSBSS if t.kind in (TLS, TLS_ADDR) else 0))


def test_every_row_is_reachable() -> None:
    unreachable = []
    encoders: dict[str, RiscvEncoder] = {}
    for as_ in NAMES:
        for f in FORMS.forms_of(as_):
            args: list[Addr] = []
            last = None
            for t in reversed(f.patterns):
                args.insert(0, _sample(t, 3 * len(args), last))
                last = last or args[0]
            assert f.fits(args), f.row
            encoder = encoders.setdefault(f.extension, RiscvEncoder(frozenset({f.extension})))
            found = encoder.find_form(as_, args)
            if (found.row, len(found.patterns)) != (f.row, len(f.patterns)):
                unreachable.append(f.row)
            rw = FORMS.operand_rw(as_, args)
            assert len(rw) == len(args)
            assert all(x == 1 or a.kind == REG for x, a in zip(rw, args, strict=True)), f.row
    assert not unreachable, "\n".join(unreachable)


def test_read_write() -> None:
    def rw(text: str) -> list[int]:
        name, _, rest = text.partition(" ")
        args = []
        for word in rest.split(", "):
            if word[0] == "$":
                args.append(Addr(CONST, offset=int(word[1:])))
            elif word[-1] == ")":
                args.append(Addr(MEM, regs.REGS[word.partition("(")[2][:-1]]))
            else:
                args.append(Addr(REG, regs.REGS[word]))
        return FORMS.operand_rw(OPS[name], args)

    assert rw("ADD X5, X6, X7") == [1, 1, 2]
    assert rw("ADD X5, X6") == [1, 3]
    assert rw("LD (X5), X6") == [1, 2]
    assert rw("SD X5, (X6)") == [1, 1]
    assert rw("CADD X5, X6") == [1, 3]
    assert rw("AMOADDD X5, (X6), X7") == [1, 1, 2]
    assert rw("FMADDD F1, F2, F3, F4") == [1, 1, 1, 2]
    assert rw("NEG X5") == [3]


# ---------------------------------------------------------------------------------------------------
# Meaning


def run(insns: list[tuple[int, list[Addr]]]) -> int:
    """What a sequence of constant-making instructions leaves in its register."""
    value = 0
    for as_, args in insns:
        name, c = NAMES[as_], args[0].offset
        if name == "LUI":
            value = c << 12
        elif name in ("ADDI", "ADDIW"):
            value = (0 if args[1].reg == regs.X0 else value) + c
        else:
            value = (value & (1 << 64) - 1) >> c if name == "SRLI" else value << c
        bits = 32 if name in ("ADDIW", "LUI") else 64
        value &= (1 << bits) - 1
        value -= (value >> bits - 1) << bits
    return value


def test_constants_load_what_they_say() -> None:
    from backend.riscv.expand import move_constant

    shapes = [
        0,
        1,
        -1,
        0x7FF,
        0x800,
        0xFFF,
        0x1000,
        0x7FFFF7FF,
        0x7FFFF800,
        0x7FFFFFFF,
        0x80000000,
        0xDEADBEEF,
        -(1 << 63),
    ]
    values = [s << k for s in shapes for k in (0, 1, 11, 12, 20, 31, 32, 33)] + [(1 << 63) - 1, 0x123456789ABCDEF0]
    for v in values:
        for c in (v, ~v, -v):
            c &= (1 << 64) - 1
            c -= (c >> 63) << 64
            short = load_constant(c, regs.A0)
            assert short is None or (run(short) == c and len(short) <= 4), c
            assert run(move_constant(0, [Addr(CONST, offset=c), Addr(REG, regs.A0)], "")) == c
            if -(1 << 31) <= c < 1 << 31:
                high, low = split32(c)
                assert -(1 << 19) <= high < 1 << 19 and -2048 <= low < 2048
                assert ((high << 12) + low - c) % (1 << 32) == 0


def test_march() -> None:
    assert assemble_line(make_arch("rva22u64"), "MAX X26, X28")[0] == "336eae0b"
    assert assemble_line(make_arch("rv64g_zba"), "MOVWU X5, X6")[0] == "3b830208"
    with pytest.raises(ValueError, match="unknown ISA"):
        make_arch("rv64q")


def test_far_jumps() -> None:
    """Every form of a branch lands where it should, by reading the words back."""
    for count, size in ((10, 4), (1 << 11, 8), (1 << 19, 12)):
        nop = Prog(OPS["ADDI"], [Addr(CONST), Addr(REG, regs.X0), Addr(REG, regs.X0)])
        end = Prog(OPS["RET"], [])
        branch = Prog(OPS["BEQ"], [Addr(REG, regs.A0), Addr(REG, regs.A1), Addr(BRANCH, sym=end)])
        text = LSym("f")
        make_arch("rv64g").assemble(text, [branch] + [nop] * count + [end])
        assert branch.size == size
        if size == 12:
            far = int.from_bytes(text.data[4:8], "little") >> 12 << 12
            low = int.from_bytes(text.data[8:12], "little") >> 20
            assert 4 + far + low - ((low & 0x800) << 1) == end.pc


# ---------------------------------------------------------------------------------------------------
# LLVM agrees


def disassemble(codes: list[str]) -> list[list[str]]:
    """What llvm-mc prints for each byte string."""
    tool = next((t for t in ("llvm-mc-19", "llvm-mc") if shutil.which(t)), None)
    if tool is None:
        pytest.skip("llvm-mc is not installed")
    marker = "0x73 0x60 0x01 0x40"  # csrrsi with an odd CSR number separates the instances
    text = "\n".join(" ".join(f"0x{c[i : i + 2]}" for i in range(0, len(c), 2)) + "\n" + marker for c in codes)
    done = subprocess.run(
        [tool, "--disassemble", "-triple=riscv64", "-M", "no-aliases",
         "-mattr=+m,+a,+f,+d,+c,+zba,+zbb,+zbc,+zbs,+zicond,+zicsr,+zifencei,+v,+zvbb,+zvbc"],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "invalid" not in done.stderr, done.stderr[:2000]
    out: list[list[str]] = [[]]
    for line in done.stdout.split("\n"):
        words = line.strip().replace("\t", " ")
        if words.startswith("csrrsi") and "1024" in words:
            out.append([])
        elif words and words[0] != ".":
            out[-1].append(words)
    return out[: len(codes)]


_ALIASES = {
    "ZERO": "X0",
    **{regs._ABI[i]: f"X{i}" for i in range(32)},
    **{regs._FLOAT_ABI[i]: f"F{i}" for i in range(32)},
}
_SAME_ORDER = re.compile(r"S[BHWD] |FS[WD] |C?FENCE|JALR|C?J|CF?S[DW]|F(N?)M(ADD|SUB)|B")
_MACHINE_NAMES = {"FMVXS": "FMVXW", "FMVSX": "FMVWX", "SFENCEVMA": "SFENCE.VMA", "FENCEI": "FENCE.I", "ADDUW": "ADD.UW"}


def _operand(text: str) -> str:
    text = text.strip().upper()
    m = re.fullmatch(r"(-?\w*)\((\w+)\)", text)
    if m:
        return f"{m.group(1) or 0}({_ALIASES.get(m.group(2), m.group(2))})"
    text = text.lstrip("$")
    text = _ALIASES.get(text, text)
    return {"SP": "X2"}.get(text, text)


EXEMPT = ("V", "CSR", "RD", "FENCE", "UNDEF", "PAUSE", "J", "CALL", "MOV")  # LLVM prints another name or other operands


def compare(go: str, llvm: str) -> str:
    """What disagrees between a Go line and LLVM's text of its only instruction."""
    name, _, rest = go.partition(" ")
    llvm_name, _, llvm_rest = llvm.partition(" ")
    if name not in OPS:
        name = name.partition(".")[0]
    plain = _MACHINE_NAMES.get(name, name).replace(".", "")
    seen = re.sub(r"\.(AQ|AQRL|RL)$", "", llvm_name.upper()).replace(".", "")
    if seen != plain:
        return f"decoded as {llvm}"
    ops = [_operand(t) for t in rest.split(",") if t.strip()]
    got = [_operand(t) for t in llvm_rest.split(",") if t.strip()]
    got = [t for t in got if t not in ("RNE", "RTZ", "RDN", "RUP", "RMM", "DYN")]
    if re.match(r"F(N?)M(ADD|SUB)", name):
        ops = [ops[3], *ops[:3]]
    elif name.startswith("AMO") or name[:2] == "SC":
        ops = [ops[2], *ops[:2]]
    elif not _SAME_ORDER.match(go) or name in ("BCLR", "BCLRI", "BEXT", "BEXTI", "BINV", "BINVI", "BSET", "BSETI"):
        ops.reverse()
    ops = [t.removeprefix("0(")[:-1] if t.startswith("0(") and name[:2] in ("LR", "SC", "AM") else t for t in ops]
    got = [t.removeprefix("0(").removeprefix("(").rstrip(")") if name[:2] in ("LR", "SC", "AM") else t for t in got]
    if len(ops) < len(got) and ops and name[:3] != "JAL":
        ops.insert(1, ops[0])  # the operand that may be missing
    wide = {
        str(int(t, 0) & 0xFFFFF) if re.fullmatch(r"-?\d+", t) and name in ("LUI", "AUIPC", "CLUI") else t for t in ops
    }
    have = {
        str(int(t, 0) & 0xFFFFF) if re.fullmatch(r"-?\d+", t) and name in ("LUI", "AUIPC", "CLUI") else t for t in got
    }
    if ops != got and wide != have:
        return f"decoded as {llvm}"
    return ""


def test_llvm_decodes_the_same() -> None:
    """Machine rows: name and operands; expansions: every word is an instruction."""
    plain = [(text, hexes[0]) for _, (text, *hexes) in LINES if not text.startswith("WORD") and "MSTATUS" not in text]
    wrong = []
    compared = 0
    for (text, code), decoded in zip(plain, disassemble([c for _, c in plain]), strict=True):
        name = text.partition(" ")[0]
        if len(decoded) != 1 or ";" in text or "(SB)" in text or name.startswith(EXEMPT):
            continue
        forms = FORMS.forms_of(OPS[name.partition(".")[0] if name not in OPS else name])
        if all(f.macro or (f.full is not None and f.full.macro) for f in forms):
            continue
        problem = compare(text, decoded[0])
        if problem and "$" in text and (name.strip("UW") + "I" in OPS or name[:3] == "SUB"):
            continue  # the register mnemonic with a constant: another instruction
        compared += 1
        if problem:
            wrong.append(f"{text} // {code}: {problem}")
    assert not wrong, "\n".join(wrong[:30])
    assert compared > 400


def test_compressed_means_the_same() -> None:
    """LLVM's text with aliases is the same for an instruction and its compressed form."""
    pairs = [(text, hexes[0], hexes[1]) for _, (text, *hexes) in LINES if len(hexes) == 2 and ";" not in text]
    assert len(pairs) > 40
    long = disassemble([p[1] for p in pairs])
    short = disassemble([p[2] for p in pairs])
    wrong = []
    for (text, _, _), a, b in zip(pairs, long, short, strict=True):
        if [_canonical(x) for x in a] != [_canonical(x) for x in b]:
            wrong.append(f"{text}: {a} and {b}")
    assert not wrong, "\n".join(wrong[:20])


def _canonical(text: str) -> str:
    """An instruction with its compressed spelling undone."""
    name, _, rest = text.partition(" ")
    ops = [t.strip() for t in rest.split(",") if t.strip()]
    if name.startswith("c."):
        name = name[2:]
        simple = {"mv": ("addi", [*ops, "0"]), "li": ("addi", [ops[0], "zero", ops[-1]]) if ops else ("", [])}
        if name in simple:
            name, ops = simple[name]
        elif name in ("addi16sp", "addi4spn"):
            name, ops = "addi", ["sp", *ops[-2:]] if name == "addi16sp" else ops
        elif name in ("ldsp", "lwsp", "sdsp", "swsp", "fldsp", "fsdsp"):
            name = name[:-2]
        elif name == "ebreak" or name == "lui" or "(" in rest:
            pass
        else:
            ops = [ops[0], *ops]
            if ops[-1].lstrip("-").isdigit() and name == "add":
                name = "addi"
    if name == "add" and "zero" in ops:
        name, ops = "addi", [ops[0], *(t for t in ops[1:] if t != "zero"), "0"]
    if name in ("add", "addw", "and", "or", "xor"):
        ops = [ops[0], *sorted(ops[1:])]
    if name == "lui":
        ops[1] = str(int(ops[1], 0) & 0xFFFFF)
    return f"{name} {','.join(ops)}"


def test_context_is_separate() -> None:
    """Two instruction sets in one process do not share encodings."""
    line = "ADD X5, X6"
    assert assemble_line(SHORT, line)[0] == "1693"
    assert assemble_line(PLAIN, line)[0] == "33035300"
    assert Ctx().errors == []


def test_opcodes_are_current() -> None:
    from backend.obj.genops import ops_source

    with open(os.path.join(os.path.dirname(regs.__file__), "ops.py"), encoding="utf-8") as fh:
        assert fh.read() == ops_source("riscv"), "run `python3 -m backend.obj.genops riscv`"


def _run(items: list[tuple[int, list[Addr]]]) -> int:
    """What a sequence that makes a constant leaves in its register."""
    value = 0
    for as_, args in items:
        n = args[0].offset
        name = ops.NAMES[as_]
        if name == "ADDI":
            value = (0 if args[1].reg == regs.X0 else value) + n
        elif name == "ADDIW":
            value = (value + n + (1 << 31) & 0xFFFFFFFF) - (1 << 31)
        elif name == "LUI":
            value = (n << 12) + (1 << 31) & 0xFFFFFFFF
            value -= 1 << 31
        elif name == "SLLI":
            value <<= n
        else:
            assert name == "SRLI"
            value = (value & (1 << 64) - 1) >> n
        value = (value + (1 << 63) & (1 << 64) - 1) - (1 << 63)
    return value


def test_constants_are_what_was_asked_for() -> None:
    """Runs of ones and their neighbours: each shape of a wide constant, and where one ends and the next begins."""
    wanted = set()
    for low in range(64):
        for high in range(low, 65):
            run = (1 << high) - (1 << low)
            for near in (-0x800, -2, -1, 0, 1, 2, 0x7FF, 0x800):
                wanted.update((run + near, ~run + near))
    for value in sorted(wanted):
        value = (value + (1 << 63) & (1 << 64) - 1) - (1 << 63)
        short = expand.load_constant(value, regs.A0)
        assert short is None or _run(short) == value, hex(value)
        always = expand.move_constant(ops.AMOV, [Addr(CONST, 0, value), Addr(REG, regs.A0)], "")
        assert _run(always) == value, hex(value)
