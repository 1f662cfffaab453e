// riscv64 on every system: stacks, long runs of memory, limbs.  Arguments and results as in the LP64 convention: A0-A7, A0.

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

// c_call(entry, a, b, c, d)
TEXT runtime·c_call(SB), NOSPLIT|NOFRAME, $0
	MOV	A0, T1
	MOV	A1, A0
	MOV	A2, A1
	MOV	A3, A2
	MOV	A4, A3
	JMP	T1

// set_handler(room): 0, and 1 when to_handler comes back to it.
TEXT runtime·set_handler(SB), NOSPLIT|NOFRAME, $0
	MOV	RA, 8(A0)
	MOV	SP, 16(A0)
	MOV	S0, 24(A0)
	MOV	S1, 32(A0)
	MOV	S2, 40(A0)
	MOV	S3, 48(A0)
	MOV	S4, 56(A0)
	MOV	S5, 64(A0)
	MOV	S6, 72(A0)
	MOV	S7, 80(A0)
	MOV	S8, 88(A0)
	MOV	S9, 96(A0)
	MOV	S10, 104(A0)
	MOV	g, 112(A0)
	MOVD	F8, 120(A0)
	MOVD	F9, 128(A0)
	MOVD	F18, 136(A0)
	MOVD	F19, 144(A0)
	MOVD	F20, 152(A0)
	MOVD	F21, 160(A0)
	MOVD	F22, 168(A0)
	MOVD	F23, 176(A0)
	MOVD	F24, 184(A0)
	MOVD	F25, 192(A0)
	MOVD	F26, 200(A0)
	MOVD	F27, 208(A0)
	MOV	X0, A0
	RET

// to_handler(room)
TEXT runtime·to_handler(SB), NOSPLIT|NOFRAME, $0
	MOV	24(A0), S0
	MOV	32(A0), S1
	MOV	40(A0), S2
	MOV	48(A0), S3
	MOV	56(A0), S4
	MOV	64(A0), S5
	MOV	72(A0), S6
	MOV	80(A0), S7
	MOV	88(A0), S8
	MOV	96(A0), S9
	MOV	104(A0), S10
	MOV	112(A0), g
	MOVD	120(A0), F8
	MOVD	128(A0), F9
	MOVD	136(A0), F18
	MOVD	144(A0), F19
	MOVD	152(A0), F20
	MOVD	160(A0), F21
	MOVD	168(A0), F22
	MOVD	176(A0), F23
	MOVD	184(A0), F24
	MOVD	192(A0), F25
	MOVD	200(A0), F26
	MOVD	208(A0), F27
	MOV	16(A0), SP
	MOV	8(A0), RA
	MOV	$1, A0
	RET

// mag_add_limbs(to, a, b, n): to = a + b, of n limbs each; the last carry.
TEXT runtime·mag_add_limbs(SB), NOSPLIT|NOFRAME, $0
	MOV	X0, A4
	BEQ	A3, X0, done
next:
	MOV	(A1), T0
	MOV	(A2), T1
	ADD	T0, T1, T1
	SLTU	T0, T1, T2
	ADD	A4, T1, T3
	SLTU	T1, T3, A4
	OR	T2, A4, A4
	MOV	T3, (A0)
	ADD	$8, A1
	ADD	$8, A2
	ADD	$8, A0
	ADD	$-1, A3
	BNE	A3, X0, next
done:
	MOV	A4, A0
	RET

// mag_sub_limbs(to, a, b, n): to = a - b, of n limbs each; the last borrow.
TEXT runtime·mag_sub_limbs(SB), NOSPLIT|NOFRAME, $0
	MOV	X0, A4
	BEQ	A3, X0, done
next:
	MOV	(A1), T0
	MOV	(A2), T1
	SLTU	T1, T0, T2
	SUB	T1, T0, T0
	SLTU	A4, T0, T1
	SUB	A4, T0, T0
	OR	T2, T1, A4
	MOV	T0, (A0)
	ADD	$8, A1
	ADD	$8, A2
	ADD	$8, A0
	ADD	$-1, A3
	BNE	A3, X0, next
done:
	MOV	A4, A0
	RET

// mag_add_product(row, p, n, x): row = row + p * x, of n limbs; the limb that is carried out.
TEXT runtime·mag_add_product(SB), NOSPLIT|NOFRAME, $0
	MOV	X0, A4
	BEQ	A2, X0, done
next:
	MOV	(A1), T0
	MOV	(A0), T1
	MUL	A3, T0, T2
	MULHU	A3, T0, T3
	ADD	T1, T2, T2
	SLTU	T1, T2, T4
	ADD	T4, T3, T3
	ADD	A4, T2, T2
	SLTU	A4, T2, T4
	ADD	T4, T3, A4
	MOV	T2, (A0)
	ADD	$8, A1
	ADD	$8, A0
	ADD	$-1, A2
	BNE	A2, X0, next
done:
	MOV	A4, A0
	RET

// mag_sub_product(row, p, n, x): row = row - p * x, of n limbs; the limb that is borrowed.
TEXT runtime·mag_sub_product(SB), NOSPLIT|NOFRAME, $0
	MOV	X0, A4
	BEQ	A2, X0, done
next:
	MOV	(A1), T0
	MOV	(A0), T1
	MUL	A3, T0, T2
	MULHU	A3, T0, T3
	ADD	A4, T2, T2
	SLTU	A4, T2, T4
	ADD	T4, T3, T3
	SLTU	T2, T1, T4
	ADD	T4, T3, A4
	SUB	T2, T1, T1
	MOV	T1, (A0)
	ADD	$8, A1
	ADD	$8, A0
	ADD	$-1, A2
	BNE	A2, X0, next
done:
	MOV	A4, A0
	RET
