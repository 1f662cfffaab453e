// arm64 on every system: stacks, long runs of memory, limbs.  Arguments and results as in AAPCS64: R0-R7, R0.
//
// This file serves every -branch-protection: each function begins with a landing pad (BTI, or PACIASP, which is one), and
// the one that keeps its return address in memory signs it.  CPUs without these features take both for NOPs.

// call_on_stack(code, sp): the frame above has no record, so stack walks end here.
TEXT runtime·call_on_stack(SB), NOSPLIT|NOFRAME, $0
	PACIASP
	STP.W	(R29, R30), -16(RSP)
	MOVD	RSP, R29
	MOVD	R1, RSP
	BL	(R0)
	MOVD	R29, RSP
	LDP.P	16(RSP), (R29, R30)
	AUTIASP
	RET

// save_walk(): where the caller stands, for the collector and for stack traces.
TEXT runtime·save_walk(SB), NOSPLIT|NOFRAME, $0
	BTI	C
	MOVD	R30, runtime·walk_pc(SB)
	MOVD	RSP, R0
	MOVD	R0, runtime·walk_sp(SB)
	RET

// zero_words(p, n)
TEXT runtime·zero_words(SB), NOSPLIT|NOFRAME, $0
	BTI	C
	SUBS	$4, R1
	BLT	rest
four:
	STP.P	(ZR, ZR), 16(R0)
	STP.P	(ZR, ZR), 16(R0)
	SUBS	$4, R1
	BGE	four
rest:
	ADDS	$4, R1
	BEQ	done
one:
	MOVD.P	ZR, 8(R0)
	SUBS	$1, R1
	BNE	one
done:
	RET

// copy_bytes(to, from, n)
TEXT runtime·copy_bytes(SB), NOSPLIT|NOFRAME, $0
	BTI	C
	SUBS	$32, R2
	BLT	rest
many:
	LDP.P	16(R1), (R3, R4)
	LDP.P	16(R1), (R5, R6)
	STP.P	(R3, R4), 16(R0)
	STP.P	(R5, R6), 16(R0)
	SUBS	$32, R2
	BGE	many
rest:
	ADDS	$32, R2
	BEQ	done
	SUBS	$8, R2
	BLT	bytes
word:
	MOVD.P	8(R1), R3
	MOVD.P	R3, 8(R0)
	SUBS	$8, R2
	BGE	word
bytes:
	ADDS	$8, R2
	BEQ	done
byte:
	MOVBU.P	1(R1), R3
	MOVB.P	R3, 1(R0)
	SUBS	$1, R2
	BNE	byte
done:
	RET

// c_call(entry, a, b, c, d)
TEXT runtime·c_call(SB), NOSPLIT|NOFRAME, $0
	BTI	C
	MOVD	R0, R16
	MOVD	R1, R0
	MOVD	R2, R1
	MOVD	R3, R2
	MOVD	R4, R3
	JMP	(R16)

// set_handler(room): 0, and 1 when to_handler comes back to it.
TEXT runtime·set_handler(SB), NOSPLIT|NOFRAME, $0
	BTI	C
	MOVD	R30, 8(R0)
	MOVD	RSP, R1
	MOVD	R1, 16(R0)
	STP	(R19, R20), 24(R0)
	STP	(R21, R22), 40(R0)
	STP	(R23, R24), 56(R0)
	STP	(R25, R26), 72(R0)
	STP	(g, R29), 88(R0)
	FSTPD	(F8, F9), 104(R0)
	FSTPD	(F10, F11), 120(R0)
	FSTPD	(F12, F13), 136(R0)
	FSTPD	(F14, F15), 152(R0)
	MOVD	ZR, R0
	RET

// to_handler(room)
TEXT runtime·to_handler(SB), NOSPLIT|NOFRAME, $0
	BTI	C
	LDP	24(R0), (R19, R20)
	LDP	40(R0), (R21, R22)
	LDP	56(R0), (R23, R24)
	LDP	72(R0), (R25, R26)
	LDP	88(R0), (g, R29)
	FLDPD	104(R0), (F8, F9)
	FLDPD	120(R0), (F10, F11)
	FLDPD	136(R0), (F12, F13)
	FLDPD	152(R0), (F14, F15)
	MOVD	16(R0), R1
	MOVD	R1, RSP
	MOVD	8(R0), R30
	MOVD	$1, R0
	RET

// mag_add_limbs(to, a, b, n): to = a + b, of n limbs each; the last carry.  Counting leaves the carry flag alone.
TEXT runtime·mag_add_limbs(SB), NOSPLIT|NOFRAME, $0
	BTI	C
	ADDS	ZR, ZR, ZR
	LSR	$2, R3, R4
	AND	$3, R3, R3
	CBZ	R4, rest
four:
	LDP.P	16(R1), (R5, R6)
	LDP.P	16(R1), (R7, R8)
	LDP.P	16(R2), (R9, R10)
	LDP.P	16(R2), (R11, R12)
	ADCS	R9, R5, R5
	ADCS	R10, R6, R6
	ADCS	R11, R7, R7
	ADCS	R12, R8, R8
	STP.P	(R5, R6), 16(R0)
	STP.P	(R7, R8), 16(R0)
	SUB	$1, R4, R4
	CBNZ	R4, four
rest:
	CBZ	R3, done
one:
	MOVD.P	8(R1), R5
	MOVD.P	8(R2), R9
	ADCS	R9, R5, R5
	MOVD.P	R5, 8(R0)
	SUB	$1, R3, R3
	CBNZ	R3, one
done:
	ADC	ZR, ZR, R0
	RET

// mag_sub_limbs(to, a, b, n): to = a - b, of n limbs each; the last borrow.  Counting leaves the carry flag alone.
TEXT runtime·mag_sub_limbs(SB), NOSPLIT|NOFRAME, $0
	BTI	C
	SUBS	ZR, ZR, ZR
	LSR	$2, R3, R4
	AND	$3, R3, R3
	CBZ	R4, rest
four:
	LDP.P	16(R1), (R5, R6)
	LDP.P	16(R1), (R7, R8)
	LDP.P	16(R2), (R9, R10)
	LDP.P	16(R2), (R11, R12)
	SBCS	R9, R5, R5
	SBCS	R10, R6, R6
	SBCS	R11, R7, R7
	SBCS	R12, R8, R8
	STP.P	(R5, R6), 16(R0)
	STP.P	(R7, R8), 16(R0)
	SUB	$1, R4, R4
	CBNZ	R4, four
rest:
	CBZ	R3, done
one:
	MOVD.P	8(R1), R5
	MOVD.P	8(R2), R9
	SBCS	R9, R5, R5
	MOVD.P	R5, 8(R0)
	SUB	$1, R3, R3
	CBNZ	R3, one
done:
	CSET	CC, R0
	RET

// mag_add_product(row, p, n, x): row = row + p * x, of n limbs; the limb that is carried out.
TEXT runtime·mag_add_product(SB), NOSPLIT|NOFRAME, $0
	BTI	C
	MOVD	ZR, R4
	LSR	$1, R2, R10
	AND	$1, R2, R2
	CBZ	R10, rest
two:
	MOVD.P	8(R1), R5
	MOVD	(R0), R6
	MUL	R3, R5, R7
	UMULH	R3, R5, R8
	ADDS	R6, R7, R7
	ADC	ZR, R8, R8
	ADDS	R4, R7, R7
	ADC	ZR, R8, R4
	MOVD.P	R7, 8(R0)
	MOVD.P	8(R1), R5
	MOVD	(R0), R6
	MUL	R3, R5, R7
	UMULH	R3, R5, R8
	ADDS	R6, R7, R7
	ADC	ZR, R8, R8
	ADDS	R4, R7, R7
	ADC	ZR, R8, R4
	MOVD.P	R7, 8(R0)
	SUB	$1, R10, R10
	CBNZ	R10, two
rest:
	CBZ	R2, done
	MOVD.P	8(R1), R5
	MOVD	(R0), R6
	MUL	R3, R5, R7
	UMULH	R3, R5, R8
	ADDS	R6, R7, R7
	ADC	ZR, R8, R8
	ADDS	R4, R7, R7
	ADC	ZR, R8, R4
	MOVD.P	R7, 8(R0)
done:
	MOVD	R4, R0
	RET

// mag_sub_product(row, p, n, x): row = row - p * x, of n limbs; the limb that is borrowed.
TEXT runtime·mag_sub_product(SB), NOSPLIT|NOFRAME, $0
	BTI	C
	MOVD	ZR, R4
	LSR	$1, R2, R10
	AND	$1, R2, R2
	CBZ	R10, rest
two:
	MOVD.P	8(R1), R5
	MOVD	(R0), R6
	MUL	R3, R5, R7
	UMULH	R3, R5, R8
	ADDS	R4, R7, R7
	ADC	ZR, R8, R8
	SUBS	R7, R6, R7
	CSET	CC, R9
	ADD	R9, R8, R4
	MOVD.P	R7, 8(R0)
	MOVD.P	8(R1), R5
	MOVD	(R0), R6
	MUL	R3, R5, R7
	UMULH	R3, R5, R8
	ADDS	R4, R7, R7
	ADC	ZR, R8, R8
	SUBS	R7, R6, R7
	CSET	CC, R9
	ADD	R9, R8, R4
	MOVD.P	R7, 8(R0)
	SUB	$1, R10, R10
	CBNZ	R10, two
rest:
	CBZ	R2, done
	MOVD.P	8(R1), R5
	MOVD	(R0), R6
	MUL	R3, R5, R7
	UMULH	R3, R5, R8
	ADDS	R4, R7, R7
	ADC	ZR, R8, R8
	SUBS	R7, R6, R7
	CSET	CC, R9
	ADD	R9, R8, R4
	MOVD.P	R7, 8(R0)
done:
	MOVD	R4, R0
	RET
