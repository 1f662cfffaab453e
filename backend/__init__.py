"""An assembler as a library: instructions to bytes and relocations, for amd64, arm64 and riscv64, in pure Python.

    arch = load_arch("amd64")            a CPU with its options; `arch.ops` and `arch.regs` have its names
    assemble(arch, "f", progs)           a function of Progs (`Prog(opcode, [operands])`) becomes symbols
    assemble_text(arch, source)          the same for text in the syntax of Go's assembler
    reg imm fimm mem sym addr branch     the operands

docs/prog.md starts with a whole program.  Results are LSyms: bytes in `data`, relocations (Reloc) in `relocs`, whose
kinds docs/relocations.md lists; `objwriter` makes object files of them.  Sizes, offsets and addresses are in bytes.  A
mistake in the code given is an AsmError with the position of the instruction, an unknown CPU a ValueError.

Sources: each row of a form table stands under the section of the manual it was written from; the order of operands and
the mnemonics are those of Go's assembler (go.dev/doc/asm).

Stability: the names of `__all__`, the fields their docstrings name, the opcodes and registers by their names
(`Arch.ops`, `Arch.regs`, `backend.<family>.ops`, `.regs`; not their numbers) and the kinds of relocations stay as they
are, or CHANGELOG.md says what changed.  So does what a CPU from outside is made of: `register_arch`, and of backend.obj
`assemble` (Encoder, Branch, Fixup), `formtable`, `portable` and the windows in `prog`.  All other modules are internal.

Importing this package loads no CPU: `load_arch` does.
"""

from __future__ import annotations

from backend.arches import arch_names, load_arch, register_arch
from backend.obj.ctx import AsmError, Ctx
from backend.obj.function import assemble, assemble_text
from backend.obj.operand import addr, branch, fimm, imm, mem, reg, sym
from backend.obj.plist import Arch
from backend.obj.prog import Addr, Prog
from backend.obj.sym import LSym, Reloc

__all__ = [
    "Addr",
    "Arch",
    "AsmError",
    "Ctx",
    "LSym",
    "Prog",
    "Reloc",
    "addr",
    "arch_names",
    "assemble",
    "assemble_text",
    "branch",
    "fimm",
    "imm",
    "load_arch",
    "mem",
    "reg",
    "register_arch",
    "sym",
]
