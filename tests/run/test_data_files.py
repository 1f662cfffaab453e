"""Random tables, written by Python's csv and json modules, must be read as what they are.

The tables are larger than the reader's buffer, so that cells, names and escapes fall on its border.  What the program
read it writes as JSON Lines, CSV and YAML; the first two are read back by Python, the last by the program.
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
from typing import Any

import pytest
from test_run import WHY_NOT

from building import build_program

PROGRAM = """
let rows = load "table.FORMAT" as any with { format: "FORMAT" }
save rows to "out.jsonl" with { format: "jsonl" }
save rows to "out.csv" with { header: true }
save rows to "out.yaml" with { format: "yaml" }
let kept = "jsonl"
save (from r in load "table.FORMAT" as any with { format: "FORMAT" } select r) to "streamed.jsonl" with { format: kept }
save (from r in load "out.yaml" as any with { format: "yaml" } select r) to "again.jsonl" with { format: "jsonl" }
"""
PIECES = (
    "a",
    "Zz",
    " ",
    ",",
    '"',
    "\n",
    "é",
    "漢字",
    "😀",
    "\\",
    "'",
    ": ",
    "#",
    "- ",
    "{",
    "\t",
    "<&>",
    "null",
    "12",
    "-",
    "~",
)


def text(rand: random.Random) -> str:
    return "t" + "".join(rand.choice(PIECES) for _ in range(rand.randrange(12))) + "."


def scalar(rand: random.Random) -> Any:
    return rand.choice((rand.randrange(-(10**12), 10**12), round(rand.uniform(-1e6, 1e6), 3), text(rand)))


def value(rand: random.Random, depth: int) -> Any:
    k = rand.random()
    if depth == 0 or k < 0.7:
        return rand.choice((None, True, False, scalar(rand), scalar(rand), scalar(rand)))
    if k < 0.85:
        return [value(rand, depth - 1) for _ in range(rand.randrange(4))]
    return {text(rand): value(rand, depth - 1) for _ in range(rand.randrange(4))}


def lines(path: str) -> list[Any]:
    with open(path, encoding="utf-8", newline="\n") as f:
        return [json.loads(line) for line in f.read().split("\n") if line]


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
def test_round_trip(format: str, seed: int, tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> None:
    rand = random.Random(seed)
    monkeypatch.chdir(tmp_path)
    names = [f"c{i}" for i in range(rand.randrange(1, 7))]
    make = scalar if format == "csv" else lambda r: value(r, 3)
    rows: list[dict[str, Any]] = []
    with open("table." + format, "w", encoding="utf-8", newline="") as f:
        size = 0
        while size < 300_000:
            rows.append({n: make(rand) for n in names})
            size += len(str(rows[-1]))
        if format == "csv":
            writer = csv.DictWriter(f, names, lineterminator=rand.choice(("\n", "\r\n")))
            writer.writeheader()
            writer.writerows(rows)
        elif format == "json":
            json.dump(rows, f, indent=rand.choice((None, 1)), ensure_ascii=bool(seed % 2))
        else:
            f.writelines(json.dumps(r, ensure_ascii=bool(seed % 2)) + "\n" for r in rows)
    with open("program.mochi", "w", encoding="utf-8") as f:
        f.write(PROGRAM.replace("FORMAT", format))
    run = subprocess.run(
        [build_program(os.path.abspath("program.mochi"), verify=True)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert lines("out.jsonl") == rows
    assert lines("streamed.jsonl") == rows
    assert lines("again.jsonl") == rows
    with open("out.csv", encoding="utf-8", newline="") as f:
        back = list(csv.DictReader(f))
    for r, b in zip(rows, back, strict=True):
        for n in names:
            if r[n] is None or isinstance(r[n], str):
                assert b[n] == (r[n] or "")


# Files that are unusual or made to do harm: format, text, and what the program prints or the message.
READ_ALL = """
import go "os" as os auto
let kind = os.Args[1]
let rows = load "-" as any with { format: kind }
print(rows)
print(len(str(rows)) > 0)
"""
DIGITS = "9" * 10_000
LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
MERGES = "- &m {" + ", ".join(f"k{i}: {i}" for i in range(5000)) + "}\n" + "- <<: *m\n" * 5000
ODD_FILES = [
    ("csv", 'a,b\r1,x\r\r2,"y"\r3,z', '[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "z"}]'),
    ("csv", 'a,b\r\n"1","x\r\ny"\r\n\r\n2,z\n', '[{"a": 1, "b": "x\\r\\ny"}, {"a": 2, "b": "z"}]'),
    ("tsv", "a\tb\r1\t2\r", '[{"a": 1, "b": 2}]'),
    ("csv", "a\n1e308\n1e309\n-1e999\n", f'[{{"a": {10**308}.0}}, {{"a": "1e309"}}, {{"a": "-1e999"}}]'),
    ("csv", f"a\n{DIGITS}\n", f'[{{"a": {DIGITS}}}]'),
    ("csv", f"a\n1\n{DIGITS}1\n", "standard input:3: a number of more than 10,000 digits"),
    ("csv", "a\r1\r2,3\r", "standard input:3: the record has 2 fields, expected 1"),
    ("json", f'{{"a": {DIGITS}}}', f'[{{"a": {DIGITS}}}]'),
    ("json", f'[{{"a": 1}},\n{{"a": -{DIGITS}}}]', "standard input:2: a number of more than 10,000 digits"),
    ("json", '{"a": 1e999}', "standard input:1: a number beyond the range of floats"),
    ("jsonl", '{"a": 1}\n{"a": -1e999}\n', "standard input:2: a number beyond the range of floats"),
    ("jsonl", '{"a": 1e-999}\n', '[{"a": 0.0}]'),
    ("yaml", f"- a: {DIGITS}\n", f'[{{"a": {DIGITS}}}]'),
    ("yaml", f"- a: 1\n- a: {DIGITS}1\n", "standard input:2: a number of more than 10,000 digits"),
    ("yaml", f"- {{a: 0x{DIGITS}}}\n", "standard input:1: a number of more than 10,000 digits"),
    ("yaml", "- a: 1e999\n- a: .inf\n", '[{"a": "1e999"}, {"a": +Inf.0}]'),
    ("yaml", "- &a {k: 1}\n- {k: *a}\n- *a\n", '[{"k": 1}, {"k": {"k": 1}}, {"k": 1}]'),
    ("yaml", LAUGHS, "standard input:6: invalid YAML: its aliases stand for too many values"),
    ("yaml", MERGES, "its aliases stand for too many values"),
]


@pytest.fixture(scope="module")
def read_all(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("odd") / "program.mochi"
    path.write_text(READ_ALL, encoding="utf-8")
    return build_program(path, check=True, verify=True)


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("case", range(len(ODD_FILES)))
def test_odd_files(case: int, read_all: str) -> None:
    format, text, expected = ODD_FILES[case]
    run = subprocess.run([read_all, format], input=text.encode(), capture_output=True, timeout=10, check=False)
    out, err = run.stdout.decode(), run.stderr.decode()
    if expected[0] == "[":
        assert (run.returncode, out, err) == (0, expected + "\ntrue\n", "")
    else:
        assert (run.returncode, out) == (1, "")
        assert expected in err.splitlines()[0]


# Files that were right before some bytes were changed: the program reads what is in them or says what is wrong.
MUTANTS = int(os.environ.get("MOCHI_FUZZ_FILES", "300"))
YAML_TEXT = """# rows
- &one {name: Ann, "tags": [a, 'b c', "d\\u00e9\\n"], n: 1e3, when: 2020-01-01}
- name: >-
    folded
    text
  note: |+
    kept

  <<: *one
  deep:
    - - 1
      - {x: *one}
    - ~
- ? [a]
  : b
- "key with é": 0x1F
  'other': 0o17
  "😀": .inf
"""
TEXTS = {
    "csv": 'id,name,x\r\n1,"a ""b"", c",1.5\n2,é😀,-7\r3,"two\nlines",\n',
    "tsv": 'id\tname\n1\ta\n2\t"b\tc"\n',
    "json": '[{"a": [1, -2.5e3, true, null, "\\u00e9\\ud83d\\ude00\\n"], "b": {"c": {}}}, {"a": "é😀", "b": []}]',
    "jsonl": '{"a": 1}\n{"a": "x", "b": [1, 2, {"c": null}]}\n\n{"a": "é"}\n',
    "yaml": YAML_TEXT,
}
INSERTS = [
    *(bytes((c,)) for c in b"\x00\t\n\r\"'[]{},:#&*!|>-?%@`\\<~"),
    *(
        b"\xff",
        b"\xf0",
        b"\xf0\x9f",
        b"\xe2\x82",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
    ),
    *(
        b"\\u",
        b"\\ud800",
        b"\\x",
        b"&a ",
        b"*a",
        b"<<: ",
        b"--- ",
        b"...",
        b"1e",
        b"0x",
        b"[" * 200,
        b"- " * 100,
        b"{a: " * 50,
    ),
]


def mutant(rand: random.Random, text: bytes) -> bytes:
    for _ in range(rand.randrange(1, 5)):
        at = rand.randrange(len(text) + 1)
        n = rand.choice((0, 1, 1, 2, 8))
        way = rand.randrange(4)
        if way == 0:
            text = text[:at] + rand.choice(INSERTS) + text[at + n :]
        elif way == 1:
            text = text[:at] + text[at + n :]
        elif way == 2:
            text = text[:at] + text[at : at + 3 * n] * 2 + text[at + 3 * n :]
        else:
            text = text[:at] + bytes((rand.randrange(256),)) + text[at + 1 :]
    return text


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("format", TEXTS)
def test_mutated_files(format: str, read_all: str) -> None:
    rand = random.Random(format)
    for i in range(MUTANTS // len(TEXTS)):
        text = mutant(rand, TEXTS[format].encode())
        run = subprocess.run([read_all, format], input=text, capture_output=True, timeout=10, check=False)
        err = run.stderr.decode()
        if run.returncode:
            assert run.returncode == 1 and err.startswith("standard input:") and "internal error" not in err, (i, text)
        else:
            assert (run.stdout.decode()[-5:], err) == ("true\n", ""), (i, text)
