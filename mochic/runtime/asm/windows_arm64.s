// Windows on arm64: what cannot be said in Mochi.  Arguments and results as in AAPCS64, which the system uses as well;
// R18 belongs to it.

// The loader enters here.
TEXT mainCRTStartup(SB), NOSPLIT|NOFRAME, $0
	BL	runtime·start(SB)
	BRK

// The program's thread begins here.
TEXT runtime·thread_entry(SB), NOSPLIT|NOFRAME, $0
	MOVD	RSP, R0
	BL	runtime·run_thread(SB)
	BRK

// os_call(entry, a, b, c, d, e, f, g)
TEXT runtime·os_call(SB), NOSPLIT|NOFRAME, $0
	MOVD.W	R30, -16(RSP)
	MOVD	(R0), R16
	MOVD	R1, R0
	MOVD	R2, R1
	MOVD	R3, R2
	MOVD	R4, R3
	MOVD	R5, R4
	MOVD	R6, R5
	MOVD	R7, R6
	BL	(R16)
	MOVD.P	16(RSP), R30
	RET

// The system calls this for every exception, with (record, context) in R0: errors end the program, anything else is left
// to other handlers.
TEXT runtime·fault_entry(SB), NOSPLIT|NOFRAME, $0
	MOVD	(R0), R1
	MOVWU	(R1), R2
	LSR	$28, R2, R2
	CMP	$12, R2
	BNE	other
	MOVD	R1, R0
	BL	runtime·on_fault(SB)
	BRK
other:
	MOVD	$0, R0
	RET
