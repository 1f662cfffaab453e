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

TEXT runtime·signal_return(SB), NOSPLIT|NOFRAME, $0
	MOVL	$15, AX
	SYSCALL
	INT	$3

// The dynamic loader enters here, in programs that have the C library: SP as above, DX what to call at the end.
TEXT runtime·start_shared(SB), NOSPLIT|NOFRAME, $0
	MOVQ	SP, DI
	MOVQ	DX, SI
	XORL	BP, BP
	ANDQ	$-16, SP
	CALL	runtime·start_c(SB)
	INT	$3
