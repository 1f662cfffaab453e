// Refused instructions: line // part of the message
ADDI $4294967296, X5 // out of range
SLLI $64, X5, X6 // constant 64 is out of range 0 to 63
SLLIW $-1, X5, X6 // out of range 0 to 31
BSET $-2, X14 // out of range 0 to 63
LD 4294967296(X5), X6 // out of range
LD 2147483647(X5), X6 // too large
SD X5, 8(F6) // base register
LD (X5)(X6*2), X7 // index registers
LD 8(X5), F6 // register cannot be used
ADD F1, X5, X6 // register cannot be used
FADDS X1, F2, F3 // register cannot be used
ADD X5 // does not take 1 operands
ADD X5, X6, X7, X8 // does not take 4 operands
ADD.RTZ X5, X6, X7 // no rounding mode
FADDS.FOO F1, F2, F3 // unrecognized instruction
ADD X4, X5, X6 // undefined label X4
ADD X27, X5, X6 // undefined label X27
FENCE R // does not take 1 operands
FENCE X1, R // invalid instruction
FENCE FOO, R // undefined label
CSRRW X5, NOCSR, X6 // undefined label
CSRRWI $32, TIME, X5 // out of range 0 to 31
WORD $0x100000000 // out of range 0 to 4294967295
CADD X5, X6, X7 // must be the same
CADDI $0, X5 // must not be zero
CADDI4SPN $6, SP, X10 // not a multiple of 4
CLW 4(X5), X10 // base register
CLUI $3, SP // cannot be used
CJALR X0 // cannot be used
MOV $1, 8(X5) // invalid instruction
MOVB $1, X5 // invalid instruction
MOVHU X5, (X6) // invalid instruction
MOVF $(1e300), F1 // does not fit in a 32-bit float
FADDS $(1.5), F1, F2 // takes no float constant
RET $5 // register or a symbol
BEQ X5, X6, 31(X10) // invalid instruction
JMP nowhere // undefined label
PCALIGN $3 // power of two
PCALIGN X5 // must be a constant
TEXT f(SB), NOFRAME, $16 ; RET // cannot have a frame
CBEQZ X8, L1 ; {200:ADD X5, X6, X7} ; L1: RET // too far
VADCVVM V1, V2, V0, V0 // cannot be used
VADDVV V1, V2, V4, V3 // cannot be used
VSETVLI X10, E16, M1, FOO, MU, X12 // undefined label
VMVVX X10, V2, V3 // does not take 3 operands
L1: JMP L1 ; JMP.RTZ L1 // no rounding mode
