// macOS on arm64: what cannot be said in Mochi.  Arguments and results as in AAPCS64, here and in libSystem.

// The system calls this with the argument count, the arguments and the environment.
TEXT main(SB), NOSPLIT|NOFRAME, $0
	STP.W	(R29, R30), -16(RSP)
	MOVD	RSP, R29
	BL	runtime·begin(SB)
	BRK

// The third argument is one of a variable number: Apple puts those on the stack.
TEXT runtime·c_open(SB), NOSPLIT|NOFRAME, $0
	SUB	$32, RSP
	STP	(R29, R30), 16(RSP)
	MOVD	R2, (RSP)
	BL	open(SB)
	LDP	16(RSP), (R29, R30)
	ADD	$32, RSP
	RET

TEXT runtime·c_error(SB), NOSPLIT|NOFRAME, $0
	B	__error(SB)

TEXT runtime·c_exit(SB), NOSPLIT|NOFRAME, $0
	B	_exit(SB)

TEXT runtime·c_write(SB), NOSPLIT|NOFRAME, $0
	B	write(SB)

TEXT runtime·c_read(SB), NOSPLIT|NOFRAME, $0
	B	read(SB)

TEXT runtime·c_close(SB), NOSPLIT|NOFRAME, $0
	B	close(SB)

TEXT runtime·c_isatty(SB), NOSPLIT|NOFRAME, $0
	B	isatty(SB)

TEXT runtime·c_mmap(SB), NOSPLIT|NOFRAME, $0
	B	mmap(SB)

TEXT runtime·c_munmap(SB), NOSPLIT|NOFRAME, $0
	B	munmap(SB)

TEXT runtime·c_mprotect(SB), NOSPLIT|NOFRAME, $0
	B	mprotect(SB)

TEXT runtime·c_clock_gettime(SB), NOSPLIT|NOFRAME, $0
	B	clock_gettime(SB)

TEXT runtime·c_getentropy(SB), NOSPLIT|NOFRAME, $0
	B	getentropy(SB)

TEXT runtime·c_sysctlbyname(SB), NOSPLIT|NOFRAME, $0
	B	sysctlbyname(SB)

TEXT runtime·c_sigaltstack(SB), NOSPLIT|NOFRAME, $0
	B	sigaltstack(SB)

TEXT runtime·c_sigaction(SB), NOSPLIT|NOFRAME, $0
	B	sigaction(SB)

TEXT runtime·c_socket(SB), NOSPLIT|NOFRAME, $0
	B	socket(SB)

TEXT runtime·c_connect(SB), NOSPLIT|NOFRAME, $0
	B	connect(SB)

TEXT runtime·c_getsockopt(SB), NOSPLIT|NOFRAME, $0
	B	getsockopt(SB)

TEXT runtime·c_send(SB), NOSPLIT|NOFRAME, $0
	B	send(SB)

TEXT runtime·c_recv(SB), NOSPLIT|NOFRAME, $0
	B	recv(SB)

TEXT runtime·c_poll(SB), NOSPLIT|NOFRAME, $0
	B	poll(SB)

TEXT runtime·c_getaddrinfo(SB), NOSPLIT|NOFRAME, $0
	B	getaddrinfo(SB)

TEXT runtime·c_freeaddrinfo(SB), NOSPLIT|NOFRAME, $0
	B	freeaddrinfo(SB)

// The third argument is one of a variable number.
TEXT runtime·c_fcntl(SB), NOSPLIT|NOFRAME, $0
	SUB	$32, RSP
	STP	(R29, R30), 16(RSP)
	MOVD	R2, (RSP)
	BL	fcntl(SB)
	LDP	16(RSP), (R29, R30)
	ADD	$32, RSP
	RET
