"""Nobody who does not know the secret of a process can choose keys on which its tables are slow.

Keys are made in three ways: as they come, for the multiplicative hash that older versions had, and for a secret that
the test fixes with MOCHI_HASH_SEED, as one who knows the secret of a process could.  The last ones must be slow with
that secret (else the test would show nothing) and quick with another.
"""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import count, islice

import pytest

from building import build_program

HERE = os.path.dirname(os.path.abspath(__file__))
M64 = (1 << 64) - 1
K = 0x9E3779B97F4A7C15


@pytest.fixture(scope="module")
def exe(tmp_path_factory: pytest.TempPathFactory) -> str:
    return build_program(os.path.join(HERE, "keys.mochi"), out=tmp_path_factory.mktemp("bin") / "keys")


def run(exe: str, what: str, keys: list[str], seed: str = "") -> tuple[str, float]:
    """Output and seconds of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    r = subprocess.run(
        [exe],
        input="\n".join([what, *keys, "", ""]),
        capture_output=True,
        text=True,
        env={**os.environ, "MOCHI_HASH_SEED": seed},
        timeout=120,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (r.returncode, r.stderr) == (0, "")
    return r.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def signed(n: int) -> int:
    return n - (1 << 64) if n >> 63 else n


def old_keys(n: int) -> list[str]:
    """Ints whose older hash, (k ^ k >> 32) * K, is small: all in the first place of the table."""
    inverse = pow(K, -1, 1 << 64)
    words = ((i + 1) * inverse & M64 for i in range(n))
    return [str(signed(w ^ w >> 32)) for w in words]


def scrambled(n: int) -> int:
    n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9 & M64
    n = (n ^ n >> 27) * 0x94D049BB133111EB & M64
    return n ^ n >> 31


def low_hashes(texts: Iterator[str], words: Iterator[int], seed: int) -> Iterator[str]:
    """Those of the texts whose hash with this seed begins with six zero bits: tables are full only there."""
    start, factor = scrambled(seed * K & M64), scrambled((seed + 1) * K & M64) | 1
    for text, word in zip(texts, words, strict=False):
        p = (word ^ start) * factor
        if ((p ^ p >> 64) & M64) >> 58 == 0:
            yield text


@cache
def known_ints(n: int, seed: int) -> list[str]:
    return list(islice(low_hashes(map(str, count(1)), count(1), seed), n))


@cache
def known_texts(n: int, seed: int) -> list[str]:
    texts = (f"{i:08d}" for i in count())
    words = (int.from_bytes(f"{i:08d}".encode(), "little") ^ 8 for i in count())
    return list(islice(low_hashes(texts, words, seed), n))


pytestmark = pytest.mark.slow
WORK = [
    "map int", "join int", "group int", "distinct int",
    "map string", "join string", "group string", "distinct string",
]  # fmt: skip


@pytest.mark.parametrize("what", ["map int", "join int", "group int", "distinct int", "except", "union maps"])
def test_growth(what: str, exe: str) -> None:
    few = min(run(exe, what, old_keys(5_000))[1] for _ in range(3))
    out, many = run(exe, what, old_keys(80_000))
    assert out.split()[0] == "80000"
    # Sixteen times as many; what a process costs anyway is in both.
    assert many < 16 * few * 4 + 0.2


@pytest.mark.parametrize("what", WORK)
def test_known_seed(what: str, exe: str) -> None:
    n = 16_000
    keys = known_texts(n, 7) if what.endswith("string") else known_ints(n, 7)
    slow, seconds = run(exe, what, keys, "7")
    quick, others = run(exe, what, keys, "8")
    own, unknown = run(exe, what, keys)
    assert slow == quick == own
    assert slow.split()[0] == str(n)
    if what.startswith("map"):  # the others chain, and 16,000 keys in a 64th of the table make chains of 64 only
        assert seconds > 5 * max(others, unknown), "the keys are not bad enough to show anything"
    assert max(others, unknown) < 0.25
