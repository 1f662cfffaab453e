"""What an independent disassembler (capstone) says about our amd64 encodings.

`compare` decodes the bytes and checks mnemonic, registers, memory operand and immediates against the
Go text of the line, which is read here by string operations and not by our own operand parser.
"""

from __future__ import annotations

import re

import capstone
from capstone import x86 as cs

_MD = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
_MD.detail = True

# Go mnemonic -> Intel mnemonics, where dropping the size letter is not enough.
NAMES = """
CBW=cbw CWDE=cwde CDQE=cdqe CWD=cwd CDQ=cdq CQO=cqo MOVO=movdqa MOVOU=movdqu MOVNTO=movntdq MOVQOZX=movq2dq
MOVQL=mov MOVLQZX=mov MOVLQSX=movsxd MASKMOVOU=maskmovdqu PSLLO=pslldq PSRLO=psrldq PSHUFL=pshufd
CVTPL2PS=cvtdq2ps,cvtpi2ps CVTPL2PD=cvtdq2pd,cvtpi2pd CVTPS2PL=cvtps2dq,cvtps2pi CVTTPS2PL=cvttps2dq,cvttps2pi
CVTPD2PL=cvtpd2dq,cvtpd2pi CVTTPD2PL=cvttpd2dq,cvttpd2pi
CVTSS2SL=cvtss2si CVTSS2SQ=cvtss2si CVTSD2SL=cvtsd2si CVTSD2SQ=cvtsd2si CVTTSS2SL=cvttss2si CVTTSS2SQ=cvttss2si
CVTTSD2SL=cvttsd2si CVTTSD2SQ=cvttsd2si CVTSL2SS=cvtsi2ss CVTSQ2SS=cvtsi2ss CVTSL2SD=cvtsi2sd CVTSQ2SD=cvtsi2sd
PACKSSLW=packssdw PADDL=paddd PCMPEQL=pcmpeqd PCMPGTL=pcmpgtd PMADDWL=pmaddwd PMULULQ=pmuludq PSUBL=psubd
PUNPCKLWL=punpcklwd PUNPCKLLQ=punpckldq PUNPCKHWL=punpckhwd PUNPCKHLQ=punpckhdq PSRLL=psrld PSRAL=psrad PSLLL=pslld
UNDEF=ud2 IMUL3W=imul IMUL3L=imul IMUL3Q=imul SALB=shl,sal SALW=shl,sal SALL=shl,sal SALQ=shl,sal
SYSEXIT64=sysexitq,sysexit SYSRET=sysret SYSENTER=sysenter IRETW=iret IRETL=iretd IRETQ=iretq RETFW=retf RETFL=retf
RETFQ=retfq PUSHFW=pushf PUSHFQ=pushfq POPFW=popf POPFQ=popfq LEAVEW=leave LEAVEQ=leave
LOCK=lock REP=rep REPN=repne ICEBP=int1 WAIT=wait,fwait XLAT=xlatb JCXZL=jecxz JCXZQ=jrcxz LOOPEQ=loope
MOVSB=movsb MOVSW=movsw MOVSL=movsd MOVSQ=movsq CMPSB=cmpsb CMPSW=cmpsw CMPSL=cmpsd CMPSQ=cmpsq STOSB=stosb
STOSW=stosw STOSL=stosd STOSQ=stosq LODSB=lodsb LODSW=lodsw LODSL=lodsd LODSQ=lodsq SCASB=scasb SCASW=scasw
SCASL=scasd SCASQ=scasq INSB=insb INSW=insw INSL=insd OUTSB=outsb OUTSW=outsw OUTSL=outsd CMPXCHG8B=cmpxchg8b
NOPW=nop NOPL=nop PREFETCHW=prefetchw BOUNDW=bound BOUNDL=bound FXCHD=fxch FMOVB=fbld FMOVBP=fbstp FCLEX=fnclex
FINIT=fninit FSTCW=fnstcw FSTENV=fnstenv FSAVE=fnsave FSTSW=fnstsw FMOVD=fld,fst FMOVDP=fstp FMOVF=fld,fst FMOVFP=fstp
FMOVL=fild,fist FMOVLP=fistp FMOVV=fild FMOVVP=fistp FMOVW=fild,fist FMOVWP=fistp FMOVX=fld FMOVXP=fstp
FCMOVCS=fcmovb FCMOVEQ=fcmove FCMOVLS=fcmovbe FCMOVUN=fcmovu FCMOVCC=fcmovnb FCMOVHI=fcmovnbe FCMOVB=fcmovb
FUCOMPP=fucompp,fucomi FCOMIP=fcompi FUCOMIP=fucompi FCOMI=fcomi FUCOMI=fucomi FUCOM=fucom FUCOMP=fucomp
FCOMDP=fcomp,fcomp2,fcomp3 FCOMDPP=fcompp FCOMFP=fcomp FCOMLP=ficomp FCOMWP=ficomp RDFSBASEL=rdfsbase
MOVZWW=movzx MOVSWW=movsx BSWAPL=bswap BSWAPQ=bswap XABORT=xabort FUCOMPP=fucompp,fcmovu,fucomi
FADDDP=faddp FMULDP=fmulp FSUBDP=fsubp,fsubrp FSUBRDP=fsubrp,fsubp FDIVDP=fdivp,fdivrp FDIVRDP=fdivrp,fdivp
MOVQ=mov,movq,movabs,movd,movdq2q,lea MOVL=mov,movd,lea RET=ret,jmp SYSENTER64=sysenter
SHLW=shl,shld SHLL=shl,shld SHLQ=shl,shld SHRW=shr,shrd SHRL=shr,shrd SHRQ=shr,shrd
FCOMD=fcom,fcom2 FSUBD=fsub,fsubr FSUBRD=fsubr,fsub FDIVD=fdiv,fdivr FDIVRD=fdivr,fdiv
"""
TABLE = {k: v.split(",") for k, _, v in (w.partition("=") for w in NAMES.split())}
CONDITIONS = {
    "OS": "o", "OC": "no", "CS": "b", "CC": "ae", "EQ": "e", "NE": "ne", "LS": "be", "HI": "a", "MI": "s", "PL": "ns",
    "PS": "p", "PC": "np", "LT": "l", "GE": "ge", "LE": "le", "GT": "g",
}  # fmt: skip
# Not decodable: data, instructions 64-bit mode does not have but Go assembles, and Go's x87 forms that
# only exist for F1.
EXEMPT = "BYTE WORD LONG QUAD ICEBP PUSHAW POPAW BOUNDW BOUNDL FUCOMPP FCOMD FCOMDP FCOMDPP".split()
PREDICATES = "eq lt le unord neq nlt nle ord".split()
_X87 = {"D": "f", "F": "f", "L": "fi", "W": "fi"}

_GP = "ax cx dx bx sp bp si di r8 r9 r10 r11 r12 r13 r14 r15".split()
_NUMBER: dict[str, str] = {}
for _i, _n in enumerate(_GP):
    for _form in (_n, "e" + _n, "r" + _n) if _i < 8 else (_n, _n + "d", _n + "w", _n + "b"):
        _NUMBER[_form] = f"g{_i}"
for _i, _n in enumerate(["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"]):
    _NUMBER[_n] = f"g{_i}"
for _i, _n in enumerate(["ah", "ch", "dh", "bh"]):
    _NUMBER[_n] = f"h{_i}"
_GO = {"spb": "spl", "bpb": "bpl", "sib": "sil", "dib": "dil"}


def _register(name: str) -> str:
    name = name.lower()
    name = _GO.get(name, name)
    if re.fullmatch(r"x\d+", name):
        return "xmm" + name[1:]
    if re.fullmatch(r"m\d", name):
        return "mm" + name[1:]
    if re.fullmatch(r"f\d", name):
        return f"st({name[1]})"
    return _NUMBER.get(name, name)


def mnemonics(go: str) -> list[str]:
    """The Intel mnemonics a Go mnemonic may decode to."""
    if go in TABLE:
        return TABLE[go]
    low = go.lower()
    for prefix, intel in (("SET", "set"), ("J", "j"), ("CMOVW", "cmov"), ("CMOVL", "cmov"), ("CMOVQ", "cmov")):
        if go.startswith(prefix) and go[len(prefix) :] in CONDITIONS:
            return [intel + CONDITIONS[go[len(prefix) :]]]
    m = re.fullmatch(r"MOV([BW])[WLQ]([SZ])X", go)
    if m:
        return ["movsx" if m.group(2) == "S" else "movzx"]
    out = [low, low[:-1]]
    if go[0] == "F" and go[-1] in _X87:
        out += [_X87[go[-1]] + low[1:-1]]
    return out


def _is_branch(go: str) -> bool:
    return go[0] == "J" or go in ("CALL", "RET", "XBEGIN") or go.startswith("LOOP")


def operands(text: str) -> tuple[list[str], list[int]]:
    """Registers and memory parts of a Go operand list, sorted; immediates."""
    regs: list[str] = []
    imms: list[int] = []
    for op in re.findall(r"[^,]+", text):
        op = op.strip().lstrip("*")
        if op.startswith("$") and "(" not in op:
            imms.append(int(op[1:], 0))
            continue
        op = op.lstrip("$")
        if op.lower() in _NUMBER:
            regs.append(_register(op))
            continue
        m = re.fullmatch(r"(-?(?:0x)?[0-9a-f]+)?(?:\((\w+)\))?(?:\((\w+)\*(\d)\))?", op)
        if m and op:
            disp = int(m.group(1) or "0", 0)
            base = _register(m.group(2)) if m.group(2) else "-"
            index = f"{_register(m.group(3))}*{m.group(4)}" if m.group(3) else "-"
            regs.append(f"[{base} {index} {disp}]")
        elif "(SB)" in op:
            regs.append("[rip - 0]")  # a zero field before relocation
        else:
            regs.append(_register(op))
    return regs, imms


def compare(line: str, code: bytes) -> str:
    """What disagrees, an empty string when the disassembler sees the same instruction."""
    go, _, text = line.partition(" ")
    decoded = list(_MD.disasm(code, 0))
    if go in EXEMPT:
        return ""
    if len(code) == 1 and go in ("LOCK", "REP", "REPN", "XACQUIRE", "XRELEASE"):
        return ""
    if not decoded or decoded[0].size != len(code):
        return "not decoded as one instruction of this length"
    insn = decoded[0]
    if insn.mnemonic == "nop" and go.startswith("XCHG") and text in ("AX, AX", "R8, R8"):
        return ""  # 90 is both, and Go writes it so
    predicate = re.fullmatch(r"CMP([PS][SD])", go)
    if predicate and text.count("$"):  # the predicate is part of Intel's name
        text, _, number = text.rpartition(", $")
        wanted_name = (
            f"cmp{PREDICATES[int(number, 0)]}{predicate.group(1).lower()}" if int(number, 0) in range(8) else ""
        )
        if wanted_name and insn.mnemonic != wanted_name:
            return f"decoded as {insn.mnemonic}"
        names = [go.lower()]
    else:
        names = insn.mnemonic.split()
    if names[-1] not in mnemonics(go) and insn.mnemonic not in mnemonics(go):
        return f"decoded as {insn.mnemonic} {insn.op_str}"
    regs, imms = operands("" if _is_branch(go) and "(SB)" in text and "*" not in text else text)
    seen: list[str] = []
    values: list[int] = []
    for op in insn.operands:
        if op.type == cs.X86_OP_REG:
            seen.append(_register(insn.reg_name(op.reg)))
        elif op.type == cs.X86_OP_IMM:
            values.append(op.imm)
        else:
            mem = op.mem
            base = _register(insn.reg_name(mem.base)) if mem.base else "-"
            index = f"{_register(insn.reg_name(mem.index))}*{mem.scale}" if mem.index else "-"
            seen.append(f"[{base} {index} {mem.disp}]")
    # Capstone lists registers that Go leaves out (the accumulator, CL, st(0)): ours must be among them, in order.
    wanted = list(reversed(regs)) if go[:3] not in ("CMP", "BOU") else regs
    rest = list(seen)
    for r in wanted:
        if r == "g1" and r not in rest and go[:2] in ("SH", "SA", "RO", "RC"):
            continue
        if r not in rest and r not in ("st(0)", "xmm0"):
            return f"operand {r} not in {insn.mnemonic} {insn.op_str}"
        if r in rest:
            rest.remove(r)
    sized = {v & 0xFFFFFFFFFFFFFFFF for v in values}
    for v in imms:
        if v == 1 and go[:2] in ("SH", "SA", "RO", "RC"):
            continue  # the form without an immediate
        if not any((v ^ s) & mask == 0 for s in sized for mask in (0xFF, 0xFFFF, 0xFFFFFFFF)):
            return f"immediate {v:#x} not in {insn.mnemonic} {insn.op_str}"
    return ""
