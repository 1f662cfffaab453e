// Writes a greeting through libSystem; its exit status comes from data, bss, a constant and a table.
#include "textflag.h"
TEXT main(SB), NOSPLIT, $16
	MOVD	$1, R0
	MOVD	$greeting<>(SB), R1
	MOVD	$6, R2
	BL	write(SB)
	BL	status<>(SB)
	BL	exit(SB)
	RET
TEXT status<>(SB), NOSPLIT, $0
	MOVD	pointer(SB), R1
	MOVD	(R1), R0
	FMOVD	$20.625, F0
	FCVTZSD	F0, R2
	ADD	R2, R0
	MOVD	$1, R2
	MOVD	R2, counter+8(SB)
	MOVD	counter+8(SB), R3
	ADD	R3, R0
	MOVBU	flag(SB), R4
	CMP	$7, R4
	BNE	wrong
	MOVWU	table<>+4(SB), R4
	MOVD	$100000, R5
	CMP	R5, R4
	BNE	wrong
	RET
wrong:
	MOVD	$1, R0
	RET
TEXT unused(SB), NOSPLIT, $0
	B	nowhere(SB)
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
