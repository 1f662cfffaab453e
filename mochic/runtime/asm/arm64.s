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
