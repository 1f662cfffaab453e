ADD R7@>2, R5, R16 // unsupported shift operator
ADDSW R7->32, R14, R13 // shift amount out of range 0 to 31
ADD R1.UXTB<<5, R2, R3 // shift amount out of range 0 to 4
ADD R1<<5, RSP, R3 // with RSP a register can only be shifted left by 0 to 4
ADD R1->2, RSP, R3 // with RSP a register can only be shifted left by 0 to 4
ADDS $5, R6, RSP // illegal
AND $0x22220000, R2, RSP // constant cannot be encoded
ADD $0x1234567, R27, R3 // R27 cannot be a source here
REM R27, R1, R2 // R27 cannot be a source here
MOVD R27, sym(SB) // R27 cannot be stored here
MOVD R27, 0x1234567(R2) // R27 cannot be used here
STP (R26, R27), 700(R2) // R27 cannot be used here
LSL $64, R1, R2 // constant cannot be encoded
LSRW $32, R1, R2 // constant 32 is out of range 0 to 31
MOVK $0x10001, R1 // constant cannot be encoded
MOVK $1, $4, R1 // constant 4 is out of range 0 to 3
SBFX $60, R1, $5, R2 // the bit field does not fit the register
BFI $60, R1, $5, R2 // the bit field does not fit the register
CSET AL, R1 // invalid condition
CINC NV, R1, R2 // invalid condition
CSEL LT, R1, R2 // does not take 3 operands
CCMP EQ, R1, $32, $0 // constant 32 is out of range 0 to 31
CBZ R1, foo(SB) // illegal combination
L1: TBZ $64, R1, L1 // constant 64 is out of range 0 to 63
B.P (R1) // invalid suffix
MOVD.P 256(R1), R2 // offset 256 is out of range -256 to 255
MOVD.W x-8(SP), R2 // locals and arguments cannot be pre- or post-indexed
LDP.W 8(R3), (R2, R3) // constrained unpredictable
LDP 8(R3), (R2, R2) // constrained unpredictable
LDXP (R1), (R2, R2) // constrained unpredictable
STXR R3, (R4), R4 // constrained unpredictable
STXR R3, (R4), R3 // constrained unpredictable
CASPD (R3, R4), (R2), (R8, R9) // the pair must be an even register and the next one
CASPD (R2, R4), (R2), (R8, R9) // the pair must be an even register and the next one
MOVD (R3)(R7.SXTX<<2), R8 // invalid index shift amount
MOVWU (R5)(R4.UXTW<<3), R10 // invalid index shift amount
MOVD (R3)(R7.UXTB), R8 // an index cannot be extended with UXTB
MOVD (R3)(V1), R8 // not an index register
MOVD $1, F1 // illegal
FMOVS $(1e300), F1 // constant does not fit in a 32-bit float
FADDD R1, F2, F3 // illegal
MSR R1, CTR_EL0 // undefined label
MRS OSLAR_EL1, R1 // undefined label
MSR $16, SPSel // constant 16 is out of range 0 to 15
TLBI ALLE3OS, R1 // invalid operand name
VADD V1.B8, V2.B16, V3.B8 // illegal register
VADD V1.D1, V2.D1, V3.D1 // illegal register
VMOV V8.D[2], R1 // register element index out of range 0 to 1
VSHL $8, V1.B8, V2.B8 // constant
VUSHR $0, V1.B8, V2.B8 // constant
VLD1 (R0), [V1.B16, V3.B16] // one to four consecutive registers
VLD1 (R0), [V1.B16, V2.B8] // one to four consecutive registers
VLD1.P 8(R0), [V1.B16] // is out of range
VLD1 8(R0), [V1.B16] // is out of range
VMOVQ $1, V2 // illegal combination
R1 // unrecognized instruction
ADD R1.FOO, R2, R3 // undefined label
ADD R1<<, R2, R3 // expected a number
ADD V1.S, R2, R3 // needs an element index
TEXT f(SB), 4, $20 ; CALL g(SB) ; RET // is not a multiple of 8
TEXT f(SB), 512, $16 ; RET // NOFRAME
PCALIGN $4 // alignment must be a power of two
