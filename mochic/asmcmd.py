"""`mochi asm`: Go-syntax assembly to an object file, or line by line to hex.

Runnable as `python3 -m mochic.asmcmd -arch=amd64 --lines` too.
"""

from __future__ import annotations

import sys
from typing import Final, TextIO

from backend.arches import load_arch
from backend.obj.asmparse import parse_assembly, position
from backend.obj.ctx import Ctx
from backend.obj.plist import Arch
from backend.obj.sym import STLSBSS, LSym
from objwriter.targets import FORMATS, TARGETS

_MAX_LINE: Final = 1 << 24
_TLS_NAME: Final = "tls"  # the line protocol's thread-local symbol
_FROM_FIELD_END: Final = ("R_PCREL", "R_CALL", "R_GOTPCREL")


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 9


def _repeat(line: str) -> str:
    """Writes out `{N:stmt}`, the repetition of the line protocol."""
    out: list[str] = []
    rest = line
    while True:
        head, brace, tail = rest.partition("{")
        out.append(head)
        if not brace:
            return "".join(out)
        body, close, rest = tail.partition("}")
        count, colon, stmt = body.partition(":")
        if not close or not colon or not _is_count(count):
            out.append("{" + body + close)
            continue
        if len(stmt) * int(count) > _MAX_LINE:
            return "repetition too long"  # not an instruction: refused by the parser
        out.append(";".join([stmt] * int(count)))


def assemble_line(arch: Arch, line: str) -> tuple[str, str]:
    """(hex, relocations) of a line of statements; ("ERROR: message", "") when it is refused."""
    ctx = Ctx()
    ctx.lookup(_TLS_NAME).kind = STLSBSS
    source = _repeat(line)
    if not source.lstrip().startswith("TEXT "):
        source = "TEXT __line(SB), NOSPLIT|NOFRAME, $0-0\n" + source
    symbols = parse_assembly(arch, ctx, source)
    if ctx.errors:
        return "ERROR: " + ctx.errors[0].message, ""
    s = symbols[0]
    return s.data.hex() or "empty", ",".join(_reloc_text(s))


def _reloc_text(s: LSym) -> list[str]:
    """Relocations in Go's manner, where a PC-relative addend counts from the end of the field."""
    out: list[str] = []
    for r in s.relocs:
        name = "self" if r.sym is s else r.sym.name if r.sym is not None else ""
        add = r.add + r.size if r.kind in _FROM_FIELD_END else r.add
        out.append(f"{r.off}+{r.size}:{r.kind}:{name}+{add}")
    return out


def _arch_or_message(arch: str, march: str, lines: bool) -> Arch | None:
    """load_arch, with the complaint on stderr when there is none."""
    try:
        return load_arch(arch, march, lines)
    except ValueError as e:
        sys.stderr.write(f"mochi asm: {e}\n")
        return None


def asm_lines(arch: str, stdin: TextIO, stdout: TextIO, relocs: bool = False, march: str = "") -> int:
    """The line protocol: `id<TAB>instruction` in, `id<TAB>hex` or `id<TAB>ERROR: message` out."""
    record = _arch_or_message(arch, march, True)
    if record is None:
        return 2
    out: list[str] = []
    raw = getattr(stdin, "buffer", None)  # bytes that are not UTF-8 are wrong instructions, not our failure
    source = raw.read().decode("utf-8", "replace") if raw is not None else stdin.read()
    for line in source.split("\n"):
        fields = line.rstrip("\r").split("\t")
        if len(fields) < 2:
            if fields[0]:
                out.append(f"{fields[0]}\tERROR: expected id<TAB>instruction\n")
            continue
        text, rel = assemble_line(record, fields[1])
        out.append(f"{fields[0]}\t{text}\t{rel}\n" if relocs else f"{fields[0]}\t{text}\n")
    stdout.write("".join(out).encode("ascii", "backslashreplace").decode("ascii"))
    return 0


def asm_file(arch: str, path: str, out: str, fmt: str = "elf", os_name: str = "", march: str = "") -> int:
    """Assembles one file to an object (`out` empty: FILE.o beside the source; `os_name` empty: the
    system that the format is known from).

    Errors go to stderr as file:line:col: message.

    Exit status 0, 1 for errors in the source, 2 for usage (arch or format unknown, file not readable).
    """
    record = _arch_or_message(arch, march, False)
    if record is None:
        return 2
    if fmt not in FORMATS:
        sys.stderr.write(f"mochi asm: no format {fmt}; there are: {', '.join(FORMATS)}\n")
        return 2
    from mochic.targets import with_format

    target = TARGETS.get(f"{os_name or with_format(fmt)[0].os}/{arch}")
    if target is None or target.format != fmt:
        sys.stderr.write(f"mochi asm: cannot write {fmt} objects for {arch}\n")
        return 2
    try:
        with open(path, encoding="utf-8") as fh:
            source = fh.read()
    except (OSError, UnicodeDecodeError) as failure:
        sys.stderr.write(f"mochi asm: cannot read {path}: {_reason(failure)}\n")
        return 2
    ctx = Ctx()
    symbols = parse_assembly(record, ctx, source)
    if ctx.errors:
        lines = source.split("\n")
        for e in ctx.errors:
            line, col = position(e.pos)
            sys.stderr.write(f"{path}:{line}:{col}: error: {e.message}\n")
            if line <= len(lines):
                shown = lines[line - 1].replace("\t", " ")
                sys.stderr.write(f"    {shown}\n    {' ' * (col - 1)}^\n")
        return 1
    from mochic.console import UserError
    from mochic.output import place, write_output
    from objwriter.model import ObjectError
    from objwriter.write import write

    try:
        data = write(symbols, target)
        write_output(place(out, path.removesuffix(".s") + ".o", [path]), data)
    except ObjectError as e:
        sys.stderr.write(f"{path}: error: {e}\n")
        return 1
    except UserError as e:
        sys.stderr.write(e.message + "\n")
        return e.status
    return 0


def _reason(e: Exception) -> str:
    return e.strerror or str(e) if isinstance(e, OSError) else str(e)


def main(argv: list[str]) -> int:
    """`-arch=A [-march=ISA] --lines [--relocs]` or `-arch=A [-march=ISA] [-o OUT.o] [--format=F] FILE.s`."""
    arch, out, fmt, path, march = "", "", FORMATS[0], "", ""
    lines = relocs = False
    it = iter(argv)
    for arg in it:
        key, eq, value = arg.partition("=")
        key = "-" + key.lstrip("-") if arg.startswith("-") else arg
        if key in ("-arch", "-march", "-o", "-format"):
            if not eq:
                value = next(it, "")
            if not value:
                sys.stderr.write(f"mochi asm: {key} needs a value\n")
                return 2
            if key == "-arch":
                arch = value
            elif key == "-march":
                march = value
            elif key == "-o":
                out = value
            else:
                fmt = value
        elif key == "-lines":
            lines = True
        elif key == "-relocs":
            relocs = True
        elif key.startswith("-") or path:
            sys.stderr.write(f"mochi asm: unexpected {arg}\n")
            return 2
        else:
            path = arg
    if not arch:
        sys.stderr.write("mochi asm: -arch=ARCH says which CPU the source is for\n")
        return 2
    if lines:
        return asm_lines(arch, sys.stdin, sys.stdout, relocs, march)
    if not path:
        sys.stderr.write("usage: mochi asm -arch=ARCH [-o OUT.o] FILE.s | mochi asm -arch=ARCH --lines\n")
        return 2
    return asm_file(arch, path, out, fmt, march=march)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
