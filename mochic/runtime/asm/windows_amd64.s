// Windows on amd64: what cannot be said in Mochi.  Inside, arguments are in DI SI DX CX R8 R9; the system wants
// them in CX DX R8 R9 and then on the stack, above 32 bytes of room for those four ("x64 calling convention").
// What the system keeps for us (BX BP R12-R15) is what our code expects to be kept.

// The loader enters here.
TEXT mainCRTStartup(SB), NOSPLIT|NOFRAME, $0
	SUBQ	$40, SP
	CALL	runtime·start(SB)
	INT	$3

// The program's thread begins here.
TEXT runtime·thread_entry(SB), NOSPLIT|NOFRAME, $0
	MOVQ	SP, DI
	SUBQ	$40, SP
	CALL	runtime·run_thread(SB)
	INT	$3

// os_call(entry, a, b, c, d, e, f, g): f and g are on the stack.  Ways to an error leave SP unaligned.
TEXT runtime·os_call(SB), NOSPLIT|NOFRAME, $0
	PUSHQ	BP
	MOVQ	SP, BP
	ANDQ	$-16, SP
	SUBQ	$64, SP
	MOVQ	16(BP), R10
	MOVQ	24(BP), R11
	MOVQ	R9, 32(SP)
	MOVQ	R10, 40(SP)
	MOVQ	R11, 48(SP)
	MOVQ	R8, R9
	MOVQ	CX, R8
	MOVQ	SI, CX
	CALL	(DI)
	MOVQ	BP, SP
	POPQ	BP
	RET

// The system calls this for every exception, with (record, context) in CX: errors end the program, anything else is left
// to other handlers.
TEXT runtime·fault_entry(SB), NOSPLIT|NOFRAME, $0
	MOVQ	(CX), AX
	MOVL	(AX), DX
	SHRL	$28, DX
	CMPL	DX, $12
	JNE	other
	MOVQ	AX, DI
	SUBQ	$40, SP
	CALL	runtime·on_fault(SB)
	INT	$3
other:
	XORL	AX, AX
	RET
