"""What the printer writes, the parser reads back to the same bytes."""

from __future__ import annotations

import pytest

from backend.obj.asmparse import Parser
from backend.obj.ctx import Ctx
from backend.obj.printer import format_addr, format_function, format_prog
from backend.obj.prog import REG, VREG, Addr, Prog
from backend import load_arch

AMD64 = load_arch("amd64")
OPERANDS = """
$(0x2000000+116)  $33554548
$~15              $-16
$(1<<63)          $-9223372036854775808
$(-1.5)           $(-1.5)
14(AX)            14(AX)
(6+8)(AX)         14(AX)
(BP)(DX*4)        (BP)(DX*4)
16(R8*8)          16(R8*8)
foo+4(SB)         foo+4(SB)
foo<>(SB)         foo<>(SB)
$foo-8(SB)        $foo-8(SB)
*8(SP)            *8(SP)
x-8(SP)           x-8(SP)
a+16(FP)          a+16(FP)
$'a'              $97
$-(3*4)           $-12
$(7&3|8)          $11
"""


@pytest.mark.parametrize("line", [x for x in OPERANDS.split("\n") if x])
def test_operand(line: str) -> None:
    text, _, wanted = line.partition("  ")
    parser = Parser(AMD64, Ctx(), text.strip())
    assert format_addr(AMD64, parser.operand()) == wanted.strip()


SOURCE = """TEXT f(SB), 4, $16-8
\tMOVQ\t$1, AX
again:
\tADDQ\tx+8(SB), AX
\tCMPQ\tAX, $100
\tJLT\tagain
\tCALL\truntime\u00b7f(SB)
\tRET
"""


def test_function_round_trip() -> None:
    def parse(source: str) -> tuple[str, str]:
        ctx = Ctx()
        parser = Parser(AMD64, ctx, source)
        while parser.i < len(parser.toks):
            parser.statement()
        progs, text = list(parser.progs), parser.text
        assert text is not None
        for name, p in parser.labels.items():
            p.label = name
            for q in progs:
                for a in q.args:
                    if a.sym == name:
                        a.sym = p
        printed = format_function(AMD64, text, progs)
        parser.end_text()
        assert not ctx.errors
        return printed, text.data.hex()

    printed, code = parse(SOURCE)
    assert parse(printed) == (printed, code)


def test_virtual_register() -> None:
    p_text = format_prog(AMD64, Prog(AMD64.ops["NEGQ"], [Addr(REG, VREG + 7)]))
    assert p_text == "NEGQ\tv7"
