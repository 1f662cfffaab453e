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
