"""Names of control and status registers, of the sets FENCE takes, of the parts of vtype."""

from __future__ import annotations

from typing import Final

from backend.riscv.forms import FENCE_SET, LMUL, MASK, SEW, TAIL

# ISA II, tables 3 to 8; Zicntr, Zihpm, V, Smaia and others as allocated there.  `NAMEn 3..31 0xC03` is a run.
_ROWS: Final = """
FFLAGS 0x001  FRM 0x002  FCSR 0x003  VSTART 0x008  VXSAT 0x009  VXRM 0x00A  VCSR 0x00F  SSP 0x011  SEED 0x015  JVT 0x017
CYCLE 0xC00  TIME 0xC01  INSTRET 0xC02  VL 0xC20  VTYPE 0xC21  VLENB 0xC22
SSTATUS 0x100  SIE 0x104  STVEC 0x105  SCOUNTEREN 0x106  SENVCFG 0x10A  SCOUNTINHIBIT 0x120
SSCRATCH 0x140  SEPC 0x141  SCAUSE 0x142  STVAL 0x143  SIP 0x144  STIMECMP 0x14D  SATP 0x180  SCONTEXT 0x5A8
SCOUNTOVF 0xDA0  SISELECT 0x150  SIREG 0x151  STOPEI 0x15C  STOPI 0xDB0
VSSTATUS 0x200  VSIE 0x204  VSTVEC 0x205  VSSCRATCH 0x240  VSEPC 0x241  VSCAUSE 0x242  VSTVAL 0x243  VSIP 0x244
VSTIMECMP 0x24D  VSATP 0x280
HSTATUS 0x600  HEDELEG 0x602  HIDELEG 0x603  HIE 0x604  HTIMEDELTA 0x605  HCOUNTEREN 0x606  HGEIE 0x607  HENVCFG 0x60A
HTVAL 0x643  HIP 0x644  HVIP 0x645  HTINST 0x64A  HGATP 0x680  HCONTEXT 0x6A8  HGEIP 0xE12
MSTATUS 0x300  MISA 0x301  MEDELEG 0x302  MIDELEG 0x303  MIE 0x304  MTVEC 0x305  MCOUNTEREN 0x306  MENVCFG 0x30A
MCOUNTINHIBIT 0x320  MSCRATCH 0x340  MEPC 0x341  MCAUSE 0x342  MTVAL 0x343  MIP 0x344  MTINST 0x34A  MTVAL2 0x34B
MNSCRATCH 0x740  MNEPC 0x741  MNCAUSE 0x742  MNSTATUS 0x744  MSECCFG 0x747
TSELECT 0x7A0  TDATA1 0x7A1  TDATA2 0x7A2  TDATA3 0x7A3  TINFO 0x7A4  MCONTEXT 0x7A8
DCSR 0x7B0  DPC 0x7B1  DSCRATCH0 0x7B2  DSCRATCH1 0x7B3
MCYCLE 0xB00  MINSTRET 0xB02  MVENDORID 0xF11  MARCHID 0xF12  MIMPID 0xF13  MHARTID 0xF14  MCONFIGPTR 0xF15
"""
_RUNS: Final = """
HPMCOUNTER 3 31 0xC03  MHPMCOUNTER 3 31 0xB03  MHPMEVENT 3 31 0x323  PMPADDR 0 63 0x3B0
MSTATEEN 0 3 0x30C  SSTATEEN 0 3 0x10C  HSTATEEN 0 3 0x60C
"""


def _build() -> dict[str, int]:
    words = _ROWS.split()
    out = {name: int(number, 16) for name, number in zip(words[::2], words[1::2], strict=True)}
    words = _RUNS.split()
    for i in range(0, len(words), 4):
        name, first, last, number = words[i : i + 4]
        for k in range(int(first), int(last) + 1):
            out[f"{name}{k}"] = int(number, 16) + k - int(first)
    for k in range(0, 16, 2):  # RV64 has the even ones only
        out[f"PMPCFG{k}"] = 0x3A0 + k
    return out


CSRS: Final[dict[str, int]] = _build()  # name -> number


def _sets() -> dict[str, int]:
    out: dict[str, int] = {}
    for bits in range(1, 16):
        name = "".join([c for i, c in enumerate("IORW") if bits & 8 >> i])
        out[name] = FENCE_SET + bits
    return out


FENCE_SETS: Final[dict[str, int]] = _sets()  # `RW` -> operand number, the low bits as in the instruction
# ISA I 31.3.4: the fields of vtype.
VTYPES: Final[dict[str, int]] = {
    "E8": SEW, "E16": SEW + 1, "E32": SEW + 2, "E64": SEW + 3, "M1": LMUL, "M2": LMUL + 1, "M4": LMUL + 2,
    "M8": LMUL + 3,
    "MF8": LMUL + 5, "MF4": LMUL + 6, "MF2": LMUL + 7, "TU": TAIL, "TA": TAIL + 1, "MU": MASK, "MA": MASK + 1,
}  # fmt: skip
