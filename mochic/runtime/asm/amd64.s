// amd64 on every system: stacks, long runs of memory, limbs.  Arguments and results as in the System V ABI: DI SI DX CX R8 R9, AX.

// call_on_stack(code, sp): the frame above has no record, so stack walks end here.
TEXT runtime·call_on_stack(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	MOVQ	SI, SP
	CALL	DI
	MOVQ	BP, SP
	POPQ	BP
	RET

// save_walk(): where the caller stands, for the collector and for stack traces.
TEXT runtime·save_walk(SB), NOSPLIT|NOFRAME, $0
	MOVQ	0(SP), AX
	MOVQ	AX, runtime·walk_pc(SB)
	LEAQ	8(SP), AX
	MOVQ	AX, runtime·walk_sp(SB)
	RET

// zero_words(p, n)
TEXT runtime·zero_words(SB), NOSPLIT|NOFRAME, $0
	MOVQ	SI, CX
	XORL	AX, AX
	REP
	STOSQ
	RET

// copy_bytes(to, from, n)
TEXT runtime·copy_bytes(SB), NOSPLIT|NOFRAME, $0
	MOVQ	DX, CX
	REP
	MOVSB
	RET

// c_call(entry, a, b, c, d): a function of C, or of our own code that calls one.  Ways to an error leave SP unaligned.
TEXT runtime·c_call(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	MOVQ	DI, R11
	MOVQ	SI, DI
	MOVQ	DX, SI
	MOVQ	CX, DX
	MOVQ	R8, CX
	XORL	AX, AX
	CALL	R11
	MOVQ	BP, SP
	POPQ	BP
	RET

// set_handler(room): 0, and 1 when to_handler comes back to it.
TEXT runtime·set_handler(SB), NOSPLIT|NOFRAME, $0
	MOVQ	0(SP), AX
	MOVQ	AX, 8(DI)
	LEAQ	8(SP), AX
	MOVQ	AX, 16(DI)
	MOVQ	BX, 24(DI)
	MOVQ	BP, 32(DI)
	MOVQ	R12, 40(DI)
	MOVQ	R13, 48(DI)
	MOVQ	R14, 56(DI)
	MOVQ	R15, 64(DI)
	XORL	AX, AX
	RET

// to_handler(room)
TEXT runtime·to_handler(SB), NOSPLIT|NOFRAME, $0
	MOVQ	24(DI), BX
	MOVQ	32(DI), BP
	MOVQ	40(DI), R12
	MOVQ	48(DI), R13
	MOVQ	56(DI), R14
	MOVQ	64(DI), R15
	MOVQ	16(DI), SP
	MOVL	$1, AX
	MOVQ	8(DI), CX
	JMP	CX

// mag_add_limbs(to, a, b, n): to = a + b, of n limbs each; the last carry.  LEA and DEC leave the carry flag alone.
TEXT runtime·mag_add_limbs(SB), NOSPLIT|NOFRAME, $0
	MOVQ	CX, R8
	XORL	AX, AX
	SHRQ	$2, R8
	JEQ	rest
	TESTQ	AX, AX
four:
	MOVQ	0(SI), R9
	MOVQ	8(SI), R10
	MOVQ	16(SI), R11
	MOVQ	24(SI), AX
	ADCQ	0(DX), R9
	ADCQ	8(DX), R10
	ADCQ	16(DX), R11
	ADCQ	24(DX), AX
	MOVQ	R9, 0(DI)
	MOVQ	R10, 8(DI)
	MOVQ	R11, 16(DI)
	MOVQ	AX, 24(DI)
	LEAQ	32(SI), SI
	LEAQ	32(DX), DX
	LEAQ	32(DI), DI
	DECQ	R8
	JNE	four
	SBBQ	AX, AX
	NEGQ	AX
rest:
	ANDQ	$3, CX
	JEQ	done
one:
	MOVQ	0(SI), R9
	ADDQ	$-1, AX
	ADCQ	0(DX), R9
	MOVQ	R9, 0(DI)
	SBBQ	AX, AX
	NEGQ	AX
	LEAQ	8(SI), SI
	LEAQ	8(DX), DX
	LEAQ	8(DI), DI
	DECQ	CX
	JNE	one
done:
	RET

// mag_sub_limbs(to, a, b, n): to = a - b, of n limbs each; the last borrow.  LEA and DEC leave the carry flag alone.
TEXT runtime·mag_sub_limbs(SB), NOSPLIT|NOFRAME, $0
	MOVQ	CX, R8
	XORL	AX, AX
	SHRQ	$2, R8
	JEQ	rest
	TESTQ	AX, AX
four:
	MOVQ	0(SI), R9
	MOVQ	8(SI), R10
	MOVQ	16(SI), R11
	MOVQ	24(SI), AX
	SBBQ	0(DX), R9
	SBBQ	8(DX), R10
	SBBQ	16(DX), R11
	SBBQ	24(DX), AX
	MOVQ	R9, 0(DI)
	MOVQ	R10, 8(DI)
	MOVQ	R11, 16(DI)
	MOVQ	AX, 24(DI)
	LEAQ	32(SI), SI
	LEAQ	32(DX), DX
	LEAQ	32(DI), DI
	DECQ	R8
	JNE	four
	SBBQ	AX, AX
	NEGQ	AX
rest:
	ANDQ	$3, CX
	JEQ	done
one:
	MOVQ	0(SI), R9
	ADDQ	$-1, AX
	SBBQ	0(DX), R9
	MOVQ	R9, 0(DI)
	SBBQ	AX, AX
	NEGQ	AX
	LEAQ	8(SI), SI
	LEAQ	8(DX), DX
	LEAQ	8(DI), DI
	DECQ	CX
	JNE	one
done:
	RET

// mag_add_product(row, p, n, x): row = row + p * x, of n limbs; the limb that is carried out.
TEXT runtime·mag_add_product(SB), NOSPLIT|NOFRAME, $0
	MOVQ	DX, R8
	MOVQ	CX, R9
	XORL	R10, R10
	SHRQ	$2, DX
	MOVQ	DX, CX
	JEQ	rest
four:
	MOVQ	0(SI), AX
	MULQ	R9
	ADDQ	0(DI), AX
	ADCQ	$0, DX
	ADDQ	R10, AX
	ADCQ	$0, DX
	MOVQ	AX, 0(DI)
	MOVQ	DX, R10
	MOVQ	8(SI), AX
	MULQ	R9
	ADDQ	8(DI), AX
	ADCQ	$0, DX
	ADDQ	R10, AX
	ADCQ	$0, DX
	MOVQ	AX, 8(DI)
	MOVQ	DX, R10
	MOVQ	16(SI), AX
	MULQ	R9
	ADDQ	16(DI), AX
	ADCQ	$0, DX
	ADDQ	R10, AX
	ADCQ	$0, DX
	MOVQ	AX, 16(DI)
	MOVQ	DX, R10
	MOVQ	24(SI), AX
	MULQ	R9
	ADDQ	24(DI), AX
	ADCQ	$0, DX
	ADDQ	R10, AX
	ADCQ	$0, DX
	MOVQ	AX, 24(DI)
	MOVQ	DX, R10
	ADDQ	$32, SI
	ADDQ	$32, DI
	DECQ	CX
	JNE	four
rest:
	ANDQ	$3, R8
	JEQ	done
one:
	MOVQ	0(SI), AX
	MULQ	R9
	ADDQ	0(DI), AX
	ADCQ	$0, DX
	ADDQ	R10, AX
	ADCQ	$0, DX
	MOVQ	AX, 0(DI)
	MOVQ	DX, R10
	ADDQ	$8, SI
	ADDQ	$8, DI
	DECQ	R8
	JNE	one
done:
	MOVQ	R10, AX
	RET

// mag_sub_product(row, p, n, x): row = row - p * x, of n limbs; the limb that is borrowed.
TEXT runtime·mag_sub_product(SB), NOSPLIT|NOFRAME, $0
	MOVQ	DX, R8
	MOVQ	CX, R9
	XORL	R10, R10
	SHRQ	$2, DX
	MOVQ	DX, CX
	JEQ	rest
four:
	MOVQ	0(SI), AX
	MULQ	R9
	ADDQ	R10, AX
	ADCQ	$0, DX
	SUBQ	AX, 0(DI)
	ADCQ	$0, DX
	MOVQ	DX, R10
	MOVQ	8(SI), AX
	MULQ	R9
	ADDQ	R10, AX
	ADCQ	$0, DX
	SUBQ	AX, 8(DI)
	ADCQ	$0, DX
	MOVQ	DX, R10
	MOVQ	16(SI), AX
	MULQ	R9
	ADDQ	R10, AX
	ADCQ	$0, DX
	SUBQ	AX, 16(DI)
	ADCQ	$0, DX
	MOVQ	DX, R10
	MOVQ	24(SI), AX
	MULQ	R9
	ADDQ	R10, AX
	ADCQ	$0, DX
	SUBQ	AX, 24(DI)
	ADCQ	$0, DX
	MOVQ	DX, R10
	ADDQ	$32, SI
	ADDQ	$32, DI
	DECQ	CX
	JNE	four
rest:
	ANDQ	$3, R8
	JEQ	done
one:
	MOVQ	0(SI), AX
	MULQ	R9
	ADDQ	R10, AX
	ADCQ	$0, DX
	SUBQ	AX, 0(DI)
	ADCQ	$0, DX
	MOVQ	DX, R10
	ADDQ	$8, SI
	ADDQ	$8, DI
	DECQ	R8
	JNE	one
done:
	MOVQ	R10, AX
	RET
