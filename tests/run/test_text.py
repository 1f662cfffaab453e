"""Text from outside: bytes that are not UTF-8 come in everywhere, and strings stay right (docs/adr/text.md).

The rule is Go's: each byte that belongs to no character is one U+FFFD.  `decode` below is written from that sentence,
and what the string builtins must give is computed by Python from the decoded text.

`test_builtins` applies all string builtins to random bytes.  MOCHI_TEXT_FUZZ=1000000 is the number of operations in
all, MOCHI_TEXT_SEED=N another series.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import pytest
from test_run import EMULATED, REASONS, SELECTED, STRESS, WHY_NOT

from building import build_program, write_source
from selecting import here, slow_unless
from mochic.link.runner import command_for
from mochic.targets import TARGETS

if TYPE_CHECKING:
    from conftest import Figures

BAD: Final = "\ufffd"
READ: Final = 0x10000  # what the runtime reads at once


def decode(data: bytes) -> str:
    """Bytes as Go's []rune(s) has them."""
    out = []
    i = 0
    while i < len(data):
        for size in (1, 2, 3, 4):
            try:
                out.append(data[i : i + size].decode("utf-8", "strict"))
            except UnicodeDecodeError:
                continue
            break
        else:
            out.append(BAD)
            size = 1
        i += size
    return "".join(out)


def test_decode() -> None:
    """The examples that the rule was agreed on with."""
    rows = {
        b"\xe2\x82z": BAD * 2 + "z",
        b"\xf0\x9f": BAD * 2,
        b"\xed\xa0\x80": BAD * 3,
        b"\xc0\xaf": BAD * 2,
        b"\xf4\x90\x80\x80": BAD * 4,
        b"a\xc3\xa9\xf0\x9f\x98\x80": "aé😀",
    }
    assert {k: decode(k) for k in rows} == rows


def run(
    exe: str, target: str, folder: object, text: bytes = b"", arguments: tuple[bytes, ...] = (), **more: str
) -> bytes:
    """What the program prints; it must end well."""
    command = command_for(TARGETS[target])
    env: dict[bytes, bytes] = {os.fsencode(k): os.fsencode(v) for k, v in os.environ.items()}
    env |= {os.fsencode(k): os.fsencode(v) for k, v in {**(EMULATED if command else {}), **more}.items()}
    done = subprocess.run(
        [*command, exe, *arguments], input=text, cwd=str(folder), capture_output=True, env=env, timeout=600, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


# -- random bytes

# Characters and pieces of characters: lead bytes with and without what follows, ends without a beginning.
PIECES: Final = [
    *(bytes([c]) for c in b"aZz09 ,.\t\r\x00\x1f\x7f<&\"\\'"),
    *(bytes([c]) for c in (0x80, 0x82, 0x8F, 0x90, 0x9F, 0xA0, 0xAF, 0xBF)),
    *(bytes([c]) for c in (0xC0, 0xC1, 0xC3, 0xE0, 0xE2, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF)),
    *(c.encode() for c in "éßÀÿΩωЖжıΣς€漢字\u0301\u00a0\u2028\u3000\ufeff\ufffd\uffff😀🎈\U00010400\U0010ffff"),
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xc0\xaf",
    b"\xf0\x80\x80\x80",
    b"abcdefgh",
]


def some_bytes(rand: random.Random, longest: int, leave_out: bytes = b"") -> bytes:
    pieces = [p for p in PIECES if not set(p) & set(leave_out)]
    kind = rand.random()
    if kind < 0.2:
        pieces = [p for p in pieces if p.isascii()]
    elif kind < 0.3:
        pieces = [p for p in pieces if not p.isascii()]
    return b"".join(rand.choice(pieces) for _ in range(rand.randrange(longest)))


# -- every border

BORDERS: Final = """
import go "os" as os
fun show(s: string) { print(to_json(s)) }
show(os.Args[1])
show(os.Getenv("MOCHI_BYTES"))
for e in os.Environ() { if e.starts_with("MOCHI_BYTES=") { show(e) } }
for i in 0..COUNT { show(input()) }
for s in lines("lines.txt") { show(s) }
show(readFile("whole.txt"))
for r in load "t.csv" as any { show(r.t1) show(r.t2) }
for r in load "t.tsv" as any with { format: "tsv" } { show(r.t1) }
for r in load "t.json" as any with { format: "json" } { show(r.t1) for k in keys(r.m) { show(k) } }
for r in load "t.jsonl" as any with { format: "jsonl" } { show(r.t1) }
for r in load "t.yaml" as any with { format: "yaml" } { show(r.t1) show(r.t2) show(r.t3) }
for r in load "-" as any { show(r.t1) }
show(from_json("\\"\\\\ud800\\\\ud83d\\\\ude00\\\\udc00\\\\ud800\\\\n\\"") as string)
"""
COUNT: Final = 1500


def table(rand: random.Random, leave_out: bytes, columns: int) -> list[list[bytes]]:
    """Texts that are larger together than two reads; none of them looks like a number."""
    return [[b"t" + some_bytes(rand, 40, leave_out) + b"." for _ in range(columns)] for _ in range(COUNT)]


def quoted(field: bytes, rand: random.Random) -> bytes:
    if set(field) & set(b'",\r\n') or rand.random() < 0.5:
        return b'"' + field.replace(b'"', b'""') + b'"'
    return field


@pytest.mark.parametrize("target", slow_unless(here, SELECTED))
def test_borders(target: str, figures: Figures, tmp_path: os.PathLike[str]) -> None:
    """Arguments, environment, standard input, files, and the texts in data files."""
    if REASONS[target]:
        figures.left_out[REASONS[target]] += 1
        pytest.skip(REASONS[target])
    rand = random.Random(7)
    files: dict[str, bytes] = {}
    expected: list[bytes] = []
    argument, value = (some_bytes(rand, 60, b"\x00") + b"\xe2\x82\xac" for _ in range(2))
    expected += [argument, value, b"MOCHI_BYTES=" + value]

    # Long lines of two-byte characters at odd offsets: one of them lies in two reads.
    typed = [some_bytes(rand, 40, b"\r\n") for _ in range(COUNT - 2)]
    typed += [b"x" + "é".encode() * READ, "é".encode() * READ + b"\xc3"]
    expected += typed
    listed = [some_bytes(rand, 40, b"\n") for _ in range(COUNT)]
    expected += listed
    files["lines.txt"] = b"".join(s + b"\n" for s in listed)
    files["whole.txt"] = some_bytes(rand, 60000) + b"\xf0\x9f"
    expected.append(files["whole.txt"])

    rows = table(rand, b"", 2)
    # A carriage return before a line end or a quote's end belongs to the line end.
    rows = [[f.replace(b"\r", b"") for f in row] for row in rows]
    expected += [f for row in rows for f in row]
    files["t.csv"] = b"t1,t2\n" + b"".join(b",".join(quoted(f, rand) for f in row) + b"\n" for row in rows)
    rows = table(rand, b'\t\r\n"', 1)
    expected += [f for row in rows for f in row]
    files["t.tsv"] = b"t1\n" + b"".join(row[0] + b"\n" for row in rows)
    controls = bytes(range(32)) + b'"\\'
    rows = table(rand, controls, 2)
    expected += [f for row in rows for f in row]
    files["t.json"] = b"[" + b",".join(b'{"t1": "%s", "m": {"%s": 1}}' % tuple(row) for row in rows) + b"]"
    rows = table(rand, controls, 1)
    expected += [row[0] for row in rows]
    files["t.jsonl"] = b"".join(b'{"t1": "%s"}\n' % row[0] for row in rows)
    rows = table(rand, controls + b"'", 3)
    expected += [f if i < 2 else f + b"\n" for row in rows for i, f in enumerate(row)]
    files["t.yaml"] = b"".join(b"- t1: \"%s\"\n  t2: '%s'\n  t3: |\n    %s\n" % tuple(row) for row in rows)
    rows = table(rand, b'\r\n",', 1)
    expected += [row[0] for row in rows]
    after = b"t1\n" + b"".join(row[0] + b"\n" for row in rows)

    for name, data in files.items():
        with open(os.path.join(tmp_path, name), "wb") as f:
            f.write(data)
    exe = build_program(write_source(BORDERS.replace("COUNT", str(COUNT)), tmp_path), target)
    stdin = b"".join(s + b"\n" for s in typed) + after
    out = run(exe, target, tmp_path, stdin, (argument,), MOCHI_BYTES=os.fsdecode(value))
    got = [json.loads(line) for line in out.decode("utf-8", "strict").split("\n")[:-1]]
    # A half of a pair that stands alone, then a pair, another half, and a half with an escape behind it.
    assert got == [*map(decode, expected), BAD + "😀" + BAD * 2 + "\n"]


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="names of files are text here")
def test_name_of_the_source(tmp_path: os.PathLike[str]) -> None:
    """The path of a source may be any bytes: messages show them, and texts of messages are strings like all others."""
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    source = write_source('test "t" { expect 1 == 2 }\n', tmp_path, os.fsdecode(b"s\xff\xe2\x82.mochi"))
    exe = build_program(source, out=os.path.join(tmp_path, "program"))
    done = subprocess.run([exe], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1
    first, *rest = done.stderr.split(b"\n")
    assert first == f"expect condition failed at s{BAD * 3}.mochi:1: 1 == 2".encode()
    assert b"  main at s\xff\xe2\x82.mochi:1" in rest
    assert b'    test "t" { expect 1 == 2 }' in rest


def test_delimiter(tmp_path: os.PathLike[str]) -> None:
    """A delimiter is one byte, which must be a character."""
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    exe = build_program(write_source('save [{"a": 1}] to "-" with { delimiter: "é" }\n', tmp_path))
    done = subprocess.run([exe], capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"the delimiter must be an ASCII character\n")


# -- all builtins on random bytes

BUILTINS: Final = """
import go "strings" as strings auto
let words = lines("words.bin")
fun show(v: any) { print([v]) }
for line in lines("operations.txt") {
  let p = split(line, " ")
  let op = p[0]
  let s = words[int(p[1])]
  let t = words[int(p[2])]
  let i = int(p[3])
  let j = int(p[4])
  if op == "len" { show(len(s)) }
  else if op == "index" { show(s[i]) }
  else if op == "slice" { show(s[i:j]) }
  else if op == "substring" { show(substring(s, i, j)) }
  else if op == "reverse" { show(reverse(s)) }
  else if op == "upper" { show(upper(s)) }
  else if op == "lower" { show(lower(s)) }
  else if op == "split" { show(split(s, t)) }
  else if op == "join" { show(join(split(s, ""), t)) }
  else if op == "contains" { show(contains(s, t)) }
  else if op == "indexOf" { show(indexOf(s, t)) }
  else if op == "replace" { show(strings.ReplaceAll(s, t, words[i])) }
  else if op == "trim" { show(trim(s)) }
  else if op == "padStart" { show(padStart(s, i, t)) }
  else if op == "repeat" { show(repeat(s, i)) }
  else if op == "starts_with" { show(s.starts_with(t)) }
  else if op == "for" {
    var cs: list<string> = []
    for c in s { cs = append(cs, c) }
    show(cs)
  }
  else if op == "in" { show(t in s) }
  else if op == "compare" { show([s < t, s <= t, s == t, s > t]) }
  else if op == "concat" { show(s + t + s) }
  else if op == "interpolate" { show("{s}-{t}") }
  else if op == "str" { show(str([s, t])) }
  else if op == "to_json" { print(to_json(s)) }
  else if op == "from_json" { show(from_json(to_json(s)) == s) }
  else if op == "sha256" { show(sha256(s)) }
  else if op == "map" {
    var m: map<string, int> = {}
    m[s] = (m[s] ?? 0) + 1
    m[t] = (m[t] ?? 0) + 1
    show(m)
  }
  else if op == "distinct" { show(distinct([s, t, s])) }
  else if op == "sort" { show(sort([t, s])) }
  else if op == "walk" {
    var k = 0
    var same = true
    while k < len(s) { same = same && s[k] == s[k:k + 1] && s[k] == s[k - len(s)]  k = k + 1 }
    show(same)
  }
  else if op == "print" { print(s, t, i) }
  else { panic("unknown operation: " + op) }
}
"""
SPACES: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
ESCAPES: Final = {"\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", '"': '"', "\\": "\\"}


def quote(s: str) -> str:
    """A string in quotes (docs/reference.md, 7.5)."""
    out = ['"']
    for c in s:
        if c in ESCAPES:
            out.append("\\" + ESCAPES[c])
        elif c == " " or unicodedata.category(c)[0] in "LMNPS":
            out.append(c)
        else:
            n = ord(c)
            out.append(f"\\x{n:02x}" if n < 0x80 else f"\\u{n:04x}" if n < 0x10000 else f"\\U{n:08x}")
    return "".join(out) + '"'


def form_l(v: Any) -> str:
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, str):
        return quote(v)
    if isinstance(v, list):
        return "[" + ", ".join(map(form_l, v)) + "]"
    if isinstance(v, dict):
        return "{" + ", ".join(f"{quote(k)}: {form_l(v[k])}" for k in sorted(v)) + "}"
    return str(v)


def one_case(s: str, upper: bool) -> str:
    """Unicode's simple mapping: characters stay one character."""
    mapped = [(c.upper() if upper else c.lower()) for c in s]
    return "".join(m if len(m) == 1 else c for c, m in zip(s, mapped, strict=True))


def model(op: str, s: str, t: str, u: str, i: int, j: int) -> Any:
    """What an operation gives."""
    n = len(s)
    if op in ("slice", "substring"):
        a, b = (min(max(k + n if k < 0 else k, 0), n) for k in (i, j))
        return s[a:b]
    if op == "padStart":
        unit = t or " "
        missing = max(i - n, 0)
        return (unit * (missing // len(unit) + 1))[:missing] + s
    if op == "map":
        return {s: 2} if s == t else {s: 1, t: 1}
    simple = {
        "len": lambda: n,
        "index": lambda: s[i],
        "reverse": lambda: s[::-1],
        "upper": lambda: one_case(s, True),
        "lower": lambda: one_case(s, False),
        "split": lambda: s.split(t) if t else list(s),
        "join": lambda: t.join(s),
        "contains": lambda: t in s,
        "indexOf": lambda: s.find(t),
        "replace": lambda: s.replace(t, u),
        "trim": lambda: s.strip(SPACES),
        "repeat": lambda: s * max(i, 0),
        "starts_with": lambda: s.startswith(t),
        "for": lambda: list(s),
        "in": lambda: t in s,
        "compare": lambda: [s < t, s <= t, s == t, s > t],
        "concat": lambda: s + t + s,
        "interpolate": lambda: s + "-" + t,
        "str": lambda: f"[{s} {t}]",
        "from_json": lambda: True,
        "sha256": lambda: list(hashlib.sha256(s.encode()).digest()),
        "distinct": lambda: list(dict.fromkeys((s, t))),
        "sort": lambda: sorted((t, s)),
        "walk": lambda: True,
    }
    return simple[op]()


OPERATIONS: Final = (
    "len index index slice slice substring reverse upper lower split join contains indexOf replace trim padStart "
    "repeat starts_with for in compare concat interpolate str to_json from_json sha256 map distinct sort walk print"
).split()


def random_operations(rand: random.Random, count: int) -> tuple[bytes, bytes, list[str]]:
    """Words, operations on them, and the lines that come of these; "" for a line that Python's json must read."""
    data = [some_bytes(rand, 400 if rand.random() < 0.02 else 24, b"\n") for _ in range(300)]
    data += [b"", b"\xf0", b"\xc3\xa9", b"a", b"\xff", b"\x80"]
    words = [decode(d) for d in data]
    rows = []
    expected = []
    for _ in range(count):
        op = rand.choice(OPERATIONS)
        a = rand.randrange(len(words))
        s = words[a]
        # Often a piece of the other text, so that there is something to be found.
        b = rand.randrange(len(words)) if rand.random() < 0.6 else len(words) - 1 - rand.randrange(6)
        i, j = (rand.randrange(-len(s) - 3, len(s) + 4) for _ in range(2))
        if op == "index":
            if not s:
                op = "len"
            else:
                i = rand.randrange(-len(s), len(s))
        elif op == "replace":
            i = rand.randrange(len(words))
        elif op == "repeat":
            i = rand.randrange(-1, 9)
        elif op == "padStart":
            i = rand.randrange(0, len(s) + 40)
        rows.append(f"{op} {a} {b} {i} {j}\n")
        if op == "to_json":
            expected.append("")
        elif op == "print":
            expected.append(f"{s} {words[b]} {i}".strip(SPACES))
        else:
            expected.append("[" + form_l(model(op, s, words[b], words[i] if op == "replace" else "", i, j)) + "]")
    return b"".join(d + b"\n" for d in data), "".join(rows).encode(), expected


@pytest.mark.parametrize("target", slow_unless(here, SELECTED))
def test_builtins(target: str, figures: Figures, tmp_path: os.PathLike[str]) -> None:
    """The same series everywhere, less of it in emulators; the runtime checks all its accesses."""
    if REASONS[target]:
        figures.left_out[REASONS[target]] += 1
        pytest.skip(REASONS[target])
    emulated = bool(command_for(TARGETS[target]))
    total = int(os.environ.get("MOCHI_TEXT_FUZZ", "6000"))
    exe = build_program(write_source(BUILTINS, tmp_path), target, check=True)
    done = 0
    seed = int(os.environ.get("MOCHI_TEXT_SEED", "1"))
    while done < total:
        count = min(total - done, 20000)
        words, operations, expected = random_operations(random.Random(seed), count)
        for name, data in (("words.bin", words), ("operations.txt", operations)):
            with open(os.path.join(tmp_path, name), "wb") as f:
                f.write(data)
        # Collecting at every allocation is slow: a few operations will do.
        stress = STRESS if count < 1000 and not emulated else {}
        got = run(exe, target, tmp_path, **stress).decode("utf-8", "strict").split("\n")[:-1]
        assert len(got) == count
        rows = operations.decode().split("\n")
        texts = [decode(w) for w in words.split(b"\n")]
        for line, want, row in zip(got, expected, rows, strict=False):
            if row.startswith("to_json "):
                assert json.loads(line) == texts[int(row.split()[1])], (seed, row)
            else:
                assert line == want, (seed, row)
        done += count
        seed += 1
