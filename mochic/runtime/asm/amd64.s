// amd64 on every system: stacks and long runs of memory.  Arguments and results as in the System V ABI: DI SI DX CX R8 R9, AX.

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
