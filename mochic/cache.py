"""The user's cache: what is expensive to make and can always be made again.

An entry is a file with its SHA-256 digest in a second file beside it, NAME.sum.  The digest is written last and checked
at every use: an entry that a crash, a full disk or a bad sector has damaged is made again and never used.
Both files are written elsewhere, flushed to the disk and renamed.  Processes race safely: all write the same bytes.

An entry that cannot be kept (a read-only home, a full disk) lives in a temporary folder until the process ends.
Nothing here is trusted beyond that: whoever can write to the cache can change the digests too.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Final

KINDS: Final = ("runtime", "run", "stubs", "imports", "zig")
LIMIT: Final = 1 << 30  # bytes, without MOCHI_CACHE_LIMIT
# Entries used so recently are not removed to make room: a linker may be about to read them.  Seconds.
YOUNG: Final = 3600.0
_SUM: Final = ".sum"

_temporary: list[str] = []  # the folder of entries that cannot be kept


def folder() -> str:
    """$MOCHI_CACHE, or mochic below the user's cache directory."""
    d = os.environ.get("MOCHI_CACHE")
    if not d:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        d = os.path.join(base, "mochic")
    return d


def entry(kind: str, name: str, make: Callable[[], bytes], mode: int = 0o666) -> str:
    """The path of an entry, made now if it is not there or damaged.

    `name` must say everything that the bytes depend on.  What `make` raises is passed on; the cache itself never
    fails."""
    path = os.path.join(folder(), kind, name)
    data = _intact(path)
    if data is not None:
        return path
    made = make()
    try:
        _save(path, made, mode)
        if kind == "run":  # only programs come in numbers
            _make_room()
    except OSError as e:
        return _keep_for_now(name, made, mode, e)
    return path


def _intact(path: str) -> bytes | None:
    """The bytes of an entry whose digest is right."""
    try:
        with open(path, "rb") as f:
            data = f.read()
        with open(path + _SUM, "rb") as f:
            if f.read() != sha256(data).hexdigest().encode():
                return None
        now = time.time()
        if now - os.stat(path + _SUM).st_mtime > YOUNG:
            os.utime(path + _SUM)  # when it was used last, for _make_room
    except OSError:
        return None
    return data


def _save(path: str, data: bytes, mode: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    _write(path, data, mode)
    _write(path + _SUM, sha256(data).hexdigest().encode(), 0o666)


def _write(path: str, data: bytes, mode: int) -> None:
    tmp = f"{path}.{os.getpid()}.tmp"
    try:
        fd = os.open(tmp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), mode)
        with open(fd, "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        os.replace(tmp, path)
    finally:
        if os.path.lexists(tmp):
            os.unlink(tmp)


def _keep_for_now(name: str, data: bytes, mode: int, why: OSError) -> str:
    if not _temporary:
        import atexit
        import shutil
        import tempfile

        _temporary.append(tempfile.mkdtemp(prefix="mochi-"))
        atexit.register(shutil.rmtree, _temporary[0], True)
        sys.stderr.write(f"mochi: cannot use the cache {folder()}: {why.strerror}; every build makes its parts anew\n")
    path = os.path.join(_temporary[0], name)
    _write(path, data, mode)
    return path


def is_kept(path: str) -> bool:
    """The entry outlives this process."""
    return not _temporary or os.path.dirname(path) != _temporary[0]


# -- room


def limit() -> int:
    text = os.environ.get("MOCHI_CACHE_LIMIT", "")
    return int(text) if text.isascii() and text.isdigit() else LIMIT


def _files() -> list[tuple[float, int, str]]:
    """(last use, size, path) of every file of the cache."""
    found = []
    for kind in KINDS:
        for where, _, names in os.walk(os.path.join(folder(), kind)):
            for name in names:
                path = os.path.join(where, name)
                try:
                    st = os.stat(path + _SUM) if os.path.exists(path + _SUM) else os.stat(path)
                    found.append((st.st_mtime, os.path.getsize(path), path))
                except OSError:  # another process was quicker
                    continue
    return found


def _make_room() -> None:
    """Remove what was not used for the longest time, until four fifths of the limit are taken at most."""
    files = _files()
    taken = sum(size for _, size, _ in files)
    if taken <= limit():
        return
    now = time.time()
    for used, size, path in sorted(files):
        if taken <= limit() * 4 // 5 or now - used < YOUNG:
            break
        _remove(path)
        taken -= size


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def clean() -> int:
    """Remove every entry; how many bytes they took.  Raises OSError."""
    import shutil

    taken = sum(size for _, size, _ in _files())
    for kind in KINDS:
        where = os.path.join(folder(), kind)
        if os.path.isdir(where):
            shutil.rmtree(where)
    return taken
