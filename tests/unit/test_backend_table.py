"""The form table of amd64 is well-formed, every row can be reached, and ops.py is current."""

from __future__ import annotations

import itertools
import os

import pytest

from backend.obj.ctx import AsmError
from backend.obj.genops import ops_source
from backend.obj.prog import BRANCH, CONST, MEM, REG, VREG, Addr, Prog
from backend.obj.sym import LSym
from backend.obj.formtable import check_lines, parse_row
from backend.obj.portable import PORTABLE
from backend.x86 import encode, ops, regs
from backend.x86.arch import make_arch
from backend.x86.forms import Forms, make_forms

FOLDER = os.path.dirname(os.path.abspath(encode.__file__))


def table_text() -> str:
    with open(os.path.join(FOLDER, "forms.tbl"), encoding="utf-8") as fh:
        return fh.read()


def test_rows_are_well_formed() -> None:
    assert check_lines(table_text()) == []


def test_check_lines_reports() -> None:
    problems = check_lines("RET  | C3\n@ SDM\nRET | C3\nRET  | C3\nNOP\n@\n")
    assert [p.split(":")[0] for p in problems] == ["1", "3", "4", "5", "6"] or len(problems) == 5


def test_opcodes_are_current() -> None:
    with open(os.path.join(FOLDER, "ops.py"), encoding="utf-8") as fh:
        assert fh.read() == ops_source("x86"), "run `python3 -m backend.obj.genops x86`"


def test_portable_opcodes_come_first() -> None:
    assert tuple(ops.NAMES[i] for i in range(len(PORTABLE))) == PORTABLE


def _bits(mask: int) -> list[int]:
    return [i for i in range(mask.bit_length()) if mask >> i & 1]


def test_every_row_is_reachable() -> None:
    hidden = []
    table = Forms().table
    for as_ in ops.NAMES:
        rows = table.forms_of(as_)
        for k, form in enumerate(rows):
            earlier = [f.masks for f in rows[:k] if len(f.masks) == len(form.masks)]
            for combo in itertools.product(*map(_bits, form.masks)):
                if not any(all(m >> c & 1 for m, c in zip(masks, combo, strict=True)) for masks in earlier):
                    break
            else:
                hidden.append(form.text)
    assert hidden == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("ADDQ  r65, r64!  | 01 /r", "unknown operand"),
        ("ADDQ  $i8, r64!  | 01 /0", "immediates do not match"),
    ],
)
def test_bad_rows(row: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_forms(parse_row(row))


def test_operand_rw() -> None:
    operand_rw = Forms().operand_rw
    bx, m = Addr(REG, regs.BX), Addr(MEM, regs.SP, 8)
    assert operand_rw(ops.AADDQ, [Addr(CONST, offset=1), bx]) == ([1, 3], [])
    assert operand_rw(ops.AMOVQ, [m, bx]) == ([1, 2], [])
    assert operand_rw(ops.ACMPQ, [bx, m]) == ([1, 1], [])
    assert operand_rw(ops.AIDIVQ, [bx]) == ([1], [(regs.AX, 3), (regs.DX, 3)])


def test_compiler_mistakes_are_errors() -> None:
    """What no text can say but a code generator could: left-over virtual registers, foreign branch
    targets, constants beyond 64 bits."""
    far = Prog(ops.ARET, [])
    bad = [
        Prog(ops.AMOVQ, [Addr(REG, VREG), Addr(REG, regs.AX)]),
        Prog(ops.AMOVQ, [Addr(MEM, VREG + 2), Addr(REG, regs.AX)]),
        Prog(ops.AJMP, [Addr(BRANCH, sym=far)]),
        Prog(ops.AMOVQ, [Addr(CONST, offset=1 << 64), Addr(REG, regs.AX)]),
        Prog(ops.AMOVQ, [Addr(MEM, regs.AX, index=regs.CX), Addr(REG, regs.AX)]),
        Prog(ops.AMOVQ, []),
    ]
    for p in bad:
        with pytest.raises(AsmError):
            make_arch().assemble(LSym("f"), [p])
