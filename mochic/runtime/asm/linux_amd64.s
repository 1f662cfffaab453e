// Linux on amd64: what cannot be said in Mochi.  Arguments and results as in the System V ABI: DI SI DX CX R8 R9, AX.

// The kernel enters here: SP points to the argument count.
TEXT _start(SB), NOSPLIT|NOFRAME, $0
	MOVQ	SP, DI
	XORL	BP, BP
	ANDQ	$-16, SP
	CALL	runtime·start(SB)
	INT	$3

// syscall6(n, a, b, c, d, e, f): the seventh argument is on the stack.
TEXT runtime·syscall6(SB), NOSPLIT|NOFRAME, $0
	MOVQ	DI, AX
	MOVQ	SI, DI
	MOVQ	DX, SI
	MOVQ	CX, DX
	MOVQ	R8, R10
	MOVQ	R9, R8
	MOVQ	8(SP), R9
	SYSCALL
	RET

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

// Signal handlers get (number, siginfo, context) in the argument registers and never return here.
TEXT runtime·signal_entry(SB), NOSPLIT|NOFRAME, $0
	JMP	runtime·on_signal(SB)

TEXT runtime·signal_return(SB), NOSPLIT|NOFRAME, $0
	MOVL	$15, AX
	SYSCALL
	INT	$3

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
