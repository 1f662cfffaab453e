// riscv64 on every system: stacks and long runs of memory.  Arguments and results as in the LP64 convention: A0-A7, A0.

// call_on_stack(code, sp): the frame above has no record, so stack walks end here.
TEXT runtime·call_on_stack(SB), NOSPLIT|NOFRAME, $0
	ADD	$-16, SP
	MOV	RA, 8(SP)
	MOV	S0, 0(SP)
	MOV	SP, S0
	MOV	A1, SP
	CALL	A0
	MOV	S0, SP
	MOV	0(SP), S0
	MOV	8(SP), RA
	ADD	$16, SP
	RET

// save_walk(): where the caller stands, for the collector and for stack traces.
TEXT runtime·save_walk(SB), NOSPLIT|NOFRAME, $0
	MOV	RA, runtime·walk_pc(SB)
	MOV	SP, runtime·walk_sp(SB)
	RET

// zero_words(p, n)
TEXT runtime·zero_words(SB), NOSPLIT|NOFRAME, $0
	SLL	$3, A1
	ADD	A0, A1
	ADD	$-24, A1, A2
	JMP	test4
four:
	MOV	X0, 0(A0)
	MOV	X0, 8(A0)
	MOV	X0, 16(A0)
	MOV	X0, 24(A0)
	ADD	$32, A0
test4:
	BLTU	A0, A2, four
	JMP	test1
one:
	MOV	X0, 0(A0)
	ADD	$8, A0
test1:
	BLTU	A0, A1, one
	RET

// copy_bytes(to, from, n): by words where both addresses are aligned alike, for misaligned words may trap.
TEXT runtime·copy_bytes(SB), NOSPLIT|NOFRAME, $0
	ADD	A0, A2
	XOR	A0, A1, A3
	AND	$7, A3
	BNE	A3, X0, bytes
head:
	AND	$7, A0, A3
	BEQ	A3, X0, aligned
	BGEU	A0, A2, done
	MOVBU	(A1), A3
	MOVB	A3, (A0)
	ADD	$1, A0
	ADD	$1, A1
	JMP	head
aligned:
	ADD	$-7, A2, A4
	ADD	$-24, A4, A5
	JMP	test4
four:
	MOV	0(A1), A3
	MOV	8(A1), A6
	MOV	16(A1), A7
	MOV	24(A1), T0
	MOV	A3, 0(A0)
	MOV	A6, 8(A0)
	MOV	A7, 16(A0)
	MOV	T0, 24(A0)
	ADD	$32, A0
	ADD	$32, A1
test4:
	BLTU	A0, A5, four
	JMP	test1
word:
	MOV	(A1), A3
	MOV	A3, (A0)
	ADD	$8, A0
	ADD	$8, A1
test1:
	BLTU	A0, A4, word
bytes:
	BGEU	A0, A2, done
	MOVBU	(A1), A3
	MOVB	A3, (A0)
	ADD	$1, A0
	ADD	$1, A1
	JMP	bytes
done:
	RET
