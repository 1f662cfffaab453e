// macOS on amd64: what cannot be said in Mochi.  Inside and in libSystem arguments are in DI SI DX CX R8 R9, the result in AX.

// The system calls this with the argument count, the arguments and the environment.
TEXT main(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	CALL	runtime·begin(SB)
	INT	$3

// Ways to an error leave SP unaligned.
// AL says how many vector registers the variable number of arguments takes.
TEXT runtime·c_open(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	XORL	AX, AX
	CALL	open(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_error(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	__error(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_exit(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	_exit(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_write(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	write(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_read(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	read(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_close(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	close(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_isatty(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	isatty(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_mmap(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	mmap(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_munmap(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	munmap(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_mprotect(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	mprotect(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_clock_gettime(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	clock_gettime(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_getentropy(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	getentropy(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_sysctlbyname(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	sysctlbyname(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_sigaltstack(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	sigaltstack(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_sigaction(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	sigaction(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_socket(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	socket(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_connect(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	connect(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_getsockopt(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	getsockopt(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_send(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	send(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_recv(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	recv(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_poll(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	poll(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_getaddrinfo(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	getaddrinfo(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

TEXT runtime·c_freeaddrinfo(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	CALL	freeaddrinfo(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET

// The third argument is one of a variable number, none of them in a vector register.
TEXT runtime·c_fcntl(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	XORL	AX, AX
	CALL	fcntl(SB)
	MOVQ	BP, SP
	POPQ	BP
	RET
