// arm64 on every system: stacks and long runs of memory.  Arguments and results as in AAPCS64: R0-R7, R0.
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
