// Linux on arm64: what cannot be said in Mochi.  Arguments and results as in AAPCS64: R0-R7, R0.
//
// This file serves every -branch-protection: each function begins with a landing pad (BTI, or PACIASP, which is one), and
// the one that keeps its return address in memory signs it.  CPUs without these features take both for NOPs.

// The kernel enters here: RSP points to the argument count.
TEXT _start(SB), NOSPLIT|NOFRAME, $0
	MOVD	RSP, R0
	MOVD	$0, R29
	MOVD	$0, R30
	BL	runtime·start(SB)
	BRK

// syscall6(n, a, b, c, d, e, f)
TEXT runtime·syscall6(SB), NOSPLIT|NOFRAME, $0
	BTI	C
	MOVD	R0, R8
	MOVD	R1, R0
	MOVD	R2, R1
	MOVD	R3, R2
	MOVD	R4, R3
	MOVD	R5, R4
	MOVD	R6, R5
	SVC
	RET

TEXT runtime·signal_return(SB), NOSPLIT|NOFRAME, $0
	BTI	C
	MOVD	$139, R8
	SVC
	BRK

// The dynamic loader enters here, in programs that have the C library: RSP as above, R0 what to call at the end.
TEXT runtime·start_shared(SB), NOSPLIT|NOFRAME, $0
	BTI	C
	MOVD	R0, R1
	MOVD	RSP, R0
	MOVD	$0, R29
	MOVD	$0, R30
	BL	runtime·start_c(SB)
	BRK
