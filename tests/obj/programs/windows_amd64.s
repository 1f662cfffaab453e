// Writes a greeting through KERNEL32; its exit status comes from data, bss, a constant and a table.
#include "textflag.h"
TEXT main(SB), NOSPLIT, $48
	MOVQ	$-11, CX
	CALL	GetStdHandle(SB)
	MOVQ	AX, CX
	LEAQ	greeting<>(SB), DX
	MOVQ	$6, R8
	LEAQ	counter(SB), R9
	MOVQ	$0, 32(SP)
	MOVQ	__imp_WriteFile(SB), AX
	CALL	AX
	CALL	status<>(SB)
	MOVQ	AX, CX
	CALL	ExitProcess(SB)
TEXT status<>(SB), NOSPLIT, $0
	MOVQ	pointer(SB), BX
	MOVQ	(BX), AX
	MOVSD	$(20.5), X0
	CVTTSD2SQ X0, CX
	ADDQ	CX, AX
	MOVQ	$1, counter+8(SB)
	ADDQ	counter+8(SB), AX
	CMPB	flag(SB), $7
	JNE	wrong
	CMPL	table<>+4(SB), $100000
	JNE	wrong
	CMPL	counter(SB), $6
	JNE	wrong
	RET
wrong:	MOVQ	$1, AX
	RET
TEXT unused(SB), NOSPLIT, $0
	RET
DATA	greeting<>(SB)/8, $"hello\n"
GLOBL	greeting<>(SB), RODATA, $8
DATA	pointer(SB)/8, $value+8(SB)
GLOBL	pointer(SB), RODATA, $8
DATA	value+8(SB)/8, $21
GLOBL	value(SB), $16
GLOBL	counter(SB), $16
DATA	flag(SB)/1, $7
GLOBL	flag(SB), $1
DATA	table<>+4(SB)/4, $100000
GLOBL	table<>(SB), RODATA, $8
