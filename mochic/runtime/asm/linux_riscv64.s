// Linux on riscv64: what cannot be said in Mochi.  Arguments and results as in the LP64 convention: A0-A7, A0.

// The kernel enters here: SP points to the argument count.
TEXT _start(SB), NOSPLIT|NOFRAME, $0
	MOV	SP, A0
	AND	$-16, SP
	CALLFAR	runtime·start(SB)
	EBREAK

// syscall6(n, a, b, c, d, e, f)
TEXT runtime·syscall6(SB), NOSPLIT|NOFRAME, $0
	MOV	A0, A7
	MOV	A1, A0
	MOV	A2, A1
	MOV	A3, A2
	MOV	A4, A3
	MOV	A5, A4
	MOV	A6, A5
	ECALL
	RET

TEXT runtime·signal_return(SB), NOSPLIT|NOFRAME, $0
	EBREAK

// The dynamic loader enters here, in programs that have the C library: SP as above, A0 what to call at the end.
TEXT runtime·start_shared(SB), NOSPLIT|NOFRAME, $0
	MOV	A0, A1
	MOV	SP, A0
	AND	$-16, SP
	CALLFAR	runtime·start_c(SB)
	EBREAK
