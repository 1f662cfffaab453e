"""The form tables as text and back, and what is said of a row that makes no sense."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module

import pytest

from backend.obj.formtable import FormError, FormTable, Row, format_row, index_lines, parse_row, read_table

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FAMILIES = ("arm64", "riscv", "x86")


def rows(family: str) -> list[str]:
    folder = os.path.join(ROOT, "backend", family)
    out = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".tbl"):
            out += [row for found in index_lines(read_table(folder, name)).values() for row in found]
    return out


def plain(text: str) -> str:
    """A row without the spacing that the tables are free to choose."""
    head, _, tail = text.partition("|")
    head = ", ".join(part.strip() for part in head.split(","))
    return f"{' '.join(head.split())} | {' '.join(tail.split())}"


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_print_as_they_are_written(family: str) -> None:
    found = rows(family)
    assert len(found) > 500
    wrong = [row for row in found if plain(format_row(parse_row(row))) != plain(row)]
    assert not wrong, "\n".join(wrong[:20])
    assert all(format_row(parse_row(format_row(parse_row(row)))) == format_row(parse_row(row)) for row in found)


# What a word of a row is replaced by, and what is said then.
BAD = """
x86   | ADDQ  $i8, r65!  | REX.W 83 /0 ib           | unknown operand r65
x86   | ADDQ  $i8, r64!  | REX.W 83 /0              | immediates do not match
x86   | MULQ  r64 {AY!}  | REX.W F7 /4              | unknown word AY
x86   | RET              | C3 zz                    | invalid literal
arm64 | ADD Rm, Rn, Rd   | 1 0 0 01011 00 0 Rm Rn Rd | 26 bits instead of 32
arm64 | ADD Rm, Rn, Rd   | 1 0 0 01011 Rx           | unknown word Rx
riscv | ADD rs2, rd      | 0000000 rs2 000 rd       | 20 bits instead of 16 or 32
riscv | ADD rs2, rd      | = NOSUCH rs2, rd         | unknown word NOSUCH
riscv | ADD rs2, rd      |                          | no encoding
"""


@pytest.mark.parametrize("line", [x for x in BAD.split("\n") if x])
def test_bad_rows_name_file_line_and_fault(line: str, tmp_path: object) -> None:
    family, head, encoding, fault = (part.strip() for part in line.split("|"))
    folder = os.path.join(str(tmp_path), family)
    os.makedirs(folder)
    row = f"{head} | {encoding}"
    with open(os.path.join(folder, "forms.tbl"), "w", encoding="utf-8") as fh:
        fh.write(f"# a table\n@ a manual\n{row}\n")
    make: Callable[[Row], list[object]] = import_module(f"backend.{family}.forms").make_forms
    table = FormTable(folder, ("forms.tbl",), {7: head.split()[0]}, make)
    with pytest.raises(FormError) as caught:
        table.forms_of(7)
    assert str(caught.value).startswith(f"{family}/forms.tbl:3: ")
    assert fault in str(caught.value) and " ".join(row.split()) in str(caught.value)


def test_tables_share_nothing() -> None:
    from backend.x86.forms import Forms

    one, two = Forms(), Forms()
    from backend.x86.ops import AADDQ

    assert one.table.forms_of(AADDQ)[0] is not two.table.forms_of(AADDQ)[0]
    assert one.table.forms_of(-1) == []
