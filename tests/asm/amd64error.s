// Refused instructions: line // part of the message
MOVQ 3395469782(R10), R8 // offset too large
MOVQ AX // invalid instruction
MOVB AH, (R9) // high byte register
ADDQ AL, BX // invalid instruction
ADDQ $0x1ffffffff, AX // invalid instruction
MOVQ foo(SB)(BX*8), AX // symbol and register
MOVQ (AX)(SP*1), CX // SP cannot be an index
MOVQ (AX)(CX*3), DX // scale must be 1, 2, 4 or 8
MOVQ (AX), (BX) // invalid instruction
MOVQ X16, AX // invalid instruction
MOVQ (TLS), AX // thread-local
FROB AX // unrecognized instruction
MOVQ AX, // expected
MOVQ $1+, AX // expected a number
MOVQ $(1/0), AX // division by zero
MOVQ $0x10000000000000000, AX // does not fit in 64 bits
MOVQ $1 AX // unexpected AX
JMP nowhere // undefined label
JMP 9(PC) // outside the function
L: RET ; L: RET // defined twice
LOOP foo(SB) // cannot reach a symbol
JCXZQ L ; {130:XORL AX, AX} ; L: RET // too far
PCALIGN $7 // power of two
PCALIGN AX // constant
ADJSP AX // one constant
PUSHQ AX ; MOVSD $"x", X0 // invalid instruction
ADDQ $(1.5), AX // no float constant
TEXT f(SB), NOSPLIT, $7 ; RET // not a multiple of 8
TEXT f(SB), NOSPLIT, $16 ; PUSHQ AX ; RET // unbalanced
DATA x(SB)/3, $1 // width
DATA x(SB)/8, $1 // without GLOBL
DATA x+8(SB)/8, $1 ; DATA x(SB)/8, $2 // goes back
GLOBL x(SB), RODATA, $99999999999 // bad size
GLOBL x(SB), WHAT, $8 // unknown symbol flag
TEXT f(SB), $0 ; RET ; TEXT f(SB), $0 ; RET // redeclared
MOVQ 'a, BX // unexpected character
MOVQ $"abc, BX // not closed
#define X // preprocessor
LEAQ foo(SB), AX ; LEAQ foo+0x100000000(SB), AX // offset too large
