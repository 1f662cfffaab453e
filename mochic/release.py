"""Release sets: one program for several targets at once, packed and summed; and universal files of macOS.

`-target=all`, `-target=A,B,...` make an archive for each target, as its users expect (zip on Windows, tar.gz
elsewhere), and SHA256SUMS beside them.  Builds run side by side, one process each, as many as there are processors.
The folder changes when all of them are done: it has the old set or the new one.

The archives' bytes depend on the program and its name alone: no times, owners or folders of the machine they were made
on.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Final

from mochic.console import EXIT_OK, EXIT_TOOL, EXIT_USAGE, UserError, say
from mochic.driver import output_place
from mochic.frontend import Timer, front
from mochic.output import Workplace, place, write_output
from mochic.options import Options
from mochic.targets import TARGETS, UNIVERSAL, ready_targets

FOLDER: Final = "dist"
SUMS: Final = "SHA256SUMS"
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that the format has
_ROOT: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def targets_of(text: str) -> list[str]:
    """The targets that -target=LIST names, each once, in the order given; `all` are those that are ready."""
    names: list[str] = []
    for name in text.split(","):
        name = name.strip()
        if name == "all":
            names += ready_targets()
        elif name:
            names.append(name)
    names = list(dict.fromkeys(names))
    if not names:
        raise UserError("mochi: -target= names no target", EXIT_USAGE)
    ready = ready_targets()
    for name in names:
        if name not in ready and name not in UNIVERSAL:
            what = "is not supported yet" if name in TARGETS else "is unknown"
            raise UserError(f"mochi: target {name} {what}; supported: {', '.join([*ready, *UNIVERSAL])}", EXIT_USAGE)
    return names


class _Job:
    """A build in a process of its own."""

    __slots__ = ("target", "out", "log", "started")

    def __init__(self, target: str, out: str) -> None:
        self.target = target
        self.out = out
        self.log = out + ".log"
        self.started = 0.0


def release(path: str, opt: Options) -> int:
    """`mochi build` for a list of targets, or for a universal file alone; the exit status."""
    names = targets_of(opt.target)
    if opt.emit != "exe":
        raise UserError("mochi: --emit needs one target", EXIT_USAGE)
    first = UNIVERSAL.get(names[0], names)[0]
    info = front(path, opt.with_target(first), Timer())  # mistakes and warnings are told once
    sources = [f.name for f in info.sources.files]
    stem = os.path.basename(path).removesuffix(".mochi")
    if not stem.strip("."):
        raise UserError(f"mochi: {path} gives the archives no name; rename the file", EXIT_USAGE)
    if len(names) == 1 and names[0] in UNIVERSAL:
        return _universal(names[0], path, opt, output_place(path, opt, sources), info.sources.texts)
    folder = opt.out or FOLDER
    if folder == "-":
        raise UserError("mochi: -o -: several targets need a folder", EXIT_USAGE)
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise UserError(f"mochi: {folder} is not a folder; several targets need one (-o)", EXIT_USAGE)
    with tempfile.TemporaryDirectory(prefix="mochi-") as temporary:
        wanted: list[str] = []
        for name in names:
            wanted += UNIVERSAL.get(name, (name,))
        texts = _keep_texts(temporary, info.sources.texts)
        jobs = {n: _Job(n, os.path.join(temporary, n.replace("/", "-"))) for n in dict.fromkeys(wanted)}
        left = list(names)
        archives: dict[str, bytes] = {}

        def finished(job: _Job, status: int) -> None:
            for name in list(left):
                parts = UNIVERSAL.get(name, (name,))
                if all(p in done and not done[p] for p in parts):
                    left.remove(name)
                    data = _read_slices([jobs[p].out for p in parts]) if len(parts) > 1 else _read(jobs[name].out)
                    archive, packed = _pack(stem, name, data)
                    archives[archive] = packed
                    seconds = time.monotonic() - job.started
                    count = f"{len(archives):>{len(str(len(names)))}}/{len(names)}"
                    say(f"[{count}] {name:<18}{seconds:6.1f} s  {os.path.join(folder, archive)}")
            if status:
                say(f"mochi: {job.target} failed:\n{_text(job)}")

        done: dict[str, int] = {}
        _run([path, texts], opt, list(jobs.values()), done, finished)
    status = max(done.values(), default=EXIT_OK)
    if status:
        say(f"mochi: {folder} is as it was before: not all targets could be built")
    else:
        _replace_set(folder, archives, sources)
    return status


def _replace_set(folder: str, archives: dict[str, bytes], sources: list[str]) -> None:
    """Put the archives and their sums into the folder, all or none.

    Everything is written first.  The sums go before the first archive is replaced and come back after the last: a set
    without them is not whole, should the machine stop here."""
    files = {**archives, SUMS: b"".join(_sum_line(name, archives[name]) for name in sorted(archives))}
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as e:
        raise UserError(f"mochi: cannot write {folder}: {e.strerror}", EXIT_TOOL) from None
    places = {name: _own_place(os.path.join(folder, name), sources) for name in files}
    number = {name: str(i) for i, name in enumerate(files)}  # a name may be as long as the system lets it be
    moved: list[str] = []
    with Workplace(os.path.join(folder, SUMS)) as work:
        for name, data in files.items():
            work.write("new" + number[name], data)
        try:
            for name in (SUMS, *archives):
                if os.path.lexists(places[name]):
                    os.replace(places[name], work.path("old" + number[name]))
                    moved.append(name)
            for name in (*archives, SUMS):
                os.replace(work.path("new" + number[name]), places[name])
        except BaseException as e:
            for name in (*archives, SUMS):
                if name in moved:
                    os.replace(work.path("old" + number[name]), places[name])
                elif not os.path.exists(work.path("new" + number[name])):
                    os.unlink(places[name])
            if isinstance(e, OSError):
                raise UserError(f"mochi: cannot write {folder}: {e.strerror}", EXIT_TOOL) from None
            raise


def _own_place(path: str, sources: list[str]) -> str:
    """The path of a file of a set.  Unlike that of a single program it must be the folder's own: behind links, two may
    be one, or on another disk."""
    if os.path.islink(path):
        raise UserError(f"mochi: {path} is a symbolic link and is not replaced", EXIT_USAGE)
    if os.path.isdir(path):
        raise UserError(f"mochi: {path} is a directory and is not replaced", EXIT_USAGE)
    return place(path, "", sources)


def _sum_line(name: str, data: bytes) -> bytes:
    """As `sha256sum` writes and reads it: a name with a line's end is escaped, and the line marked."""
    text = os.fsencode(name)
    mark = b"\\" if b"\n" in text or b"\r" in text else b""
    if mark:
        text = text.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return mark + _sha256(data).encode() + b"  " + text + b"\n"


def _universal(name: str, path: str, opt: Options, out: str, texts: dict[str, bytes]) -> int:
    with tempfile.TemporaryDirectory(prefix="mochi-") as temporary:
        jobs = [_Job(name, os.path.join(temporary, name.replace("/", "-"))) for name in UNIVERSAL[name]]
        done: dict[str, int] = {}

        def finished(job: _Job, status: int) -> None:
            if status:
                say(_text(job))

        _run([path, _keep_texts(temporary, texts)], opt, jobs, done, finished)
        status = max(done.values())
        if not status:
            write_output(out, _read_slices([job.out for job in jobs]), 0o777)
    return status


def _command(source: list[str], opt: Options, job: _Job) -> list[str]:
    """A build of one target in a process of its own: everything that was asked for goes with it.

    -P: modules come from the installation, not from the folder in which the user happens to be."""
    chosen = opt.with_target(job.target)
    chosen.out = job.out
    return [sys.executable, "-P", "-m", "mochic.release", chosen.dump(), *source]


def _run(
    source: list[str], opt: Options, jobs: list[_Job], done: dict[str, int], finished: Callable[[_Job, int], None]
) -> None:
    """Run the jobs side by side; `finished(job, status)` after each, `done` has the status by target.  `source`: main
    file, and what `_keep_texts` made."""
    import subprocess

    env = dict(os.environ)
    env["PYTHONPATH"] = os.pathsep.join(p for p in (_ROOT, env.get("PYTHONPATH", "")) if p)
    waiting = list(reversed(jobs))
    running: list[tuple[_Job, subprocess.Popen[bytes]]] = []
    room = os.cpu_count() or 1
    try:
        while waiting or running:
            while waiting and len(running) < room:
                job = waiting.pop()
                job.started = time.monotonic()
                with open(job.log, "wb") as log:
                    running.append((job, subprocess.Popen(_command(source, opt, job), stderr=log, env=env)))
            for item in list(running):
                job, process = item
                status = process.poll()
                if status is not None:
                    running.remove(item)
                    done[job.target] = status if status >= 0 else 128 - status
                    finished(job, done[job.target])
            time.sleep(0.01)
    finally:
        for _, process in running:  # interrupted
            process.terminate()
        for _, process in running:
            process.wait()


def _text(job: _Job) -> str:
    return _read(job.log).decode("utf-8", "replace").rstrip()


def _read(path: str) -> bytes:
    with open(path, "rb") as f:
        return f.read()


def _read_slices(paths: list[str]) -> bytes:
    from objwriter.universal import write_universal

    return write_universal([_read(p) for p in paths])


def _sha256(data: bytes) -> str:
    from hashlib import sha256

    return sha256(data).hexdigest()


def _pack(stem: str, target: str, data: bytes) -> tuple[str, bytes]:
    """Name and bytes of the archive for a target: a folder with the program in it."""
    folder = f"{stem}-{target.replace('/', '-')}"
    system = TARGETS[UNIVERSAL.get(target, (target,))[0]].system
    archive = _ARCHIVES[system.archive_suffix](f"{folder}/{stem}{system.program_suffix}", data)
    return folder + system.archive_suffix, archive


def _zip(name: str, data: bytes) -> bytes:
    import zipfile
    from io import BytesIO

    # Names in zip files are text, whatever the locale makes of the bytes of this one.
    info = zipfile.ZipInfo(os.fsencode(name).decode("utf-8", "replace"), _ZIP_TIME)
    info.create_system = 3  # the permissions below are those of Unix, wherever this runs
    info.external_attr = 0o100755 << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, data, compresslevel=9)
    return out.getvalue()


def _tar(name: str, data: bytes) -> bytes:
    import gzip
    import tarfile
    from io import BytesIO

    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = 0o755
    plain = BytesIO()
    # The oldest format that has room for the name.
    kind = tarfile.USTAR_FORMAT if len(os.fsencode(name.rpartition("/")[2])) <= 100 else tarfile.GNU_FORMAT
    with tarfile.open(fileobj=plain, mode="w", format=kind, encoding="utf-8", errors="surrogateescape") as archive:
        archive.addfile(info, BytesIO(data))
    return gzip.compress(plain.getvalue(), 9, mtime=0)


_ARCHIVES: Final = {".zip": _zip, ".tar.gz": _tar}


def _keep_texts(folder: str, texts: dict[str, bytes]) -> str:
    """A file with the texts of a program: all targets are built from the same, and pipes give theirs only once."""
    import json

    path = os.path.join(folder, "texts.json")
    with open(path, "w", encoding="ascii") as f:
        json.dump({name: text.decode("latin-1") for name, text in texts.items()}, f)
    return path


def _child(options: str, path: str, kept: str) -> int:
    """The build of one target, started by `_command`."""
    import json

    from mochic.driver import build, guarded

    texts = {name: text.encode("latin-1") for name, text in json.loads(_read(kept)).items()}
    return guarded(lambda: build(path, Options.load(options), texts))


if __name__ == "__main__":
    sys.exit(_child(*sys.argv[1:]))
