"""What a user of the libraries has: the wheel, with types, and the programs that docs/prog.md and objwriter.md begin
with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def block(path: str, language: str) -> str:
    """The first block of a language in a document."""
    return (ROOT / "docs" / path).read_text(encoding="utf-8").split(f"```{language}\n")[1].split("```")[0]


def run(command: list[str], folder: Path) -> str:
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "MYPYPATH")}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    for name in ("backend", "objwriter", "mochic", "linkscripts"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)], folder)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    made = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    where = Path(run([str(made), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip())
    with zipfile.ZipFile(wheel) as z:  # which is all that installing a wheel of Python alone does
        z.extractall(where)
    return made


def test_the_wheel_has_types_and_tables(python: Path, tmp_path: Path) -> None:
    code = "import backend, os; print(os.path.dirname(os.path.dirname(backend.__file__)))"
    where = Path(run([str(python), "-c", code], tmp_path).strip())
    for package in ("backend", "objwriter", "mochic"):
        assert (where / package / "py.typed").is_file()
    assert (where / "backend" / "x86" / "forms.tbl").is_file()


@pytest.mark.parametrize("path", ["prog.md", "objwriter.md"])
def test_programs_pass_strict_checks(path: str, python: Path, tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "program.py").write_text(block(path, "python"), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python)]
    assert "Success" in run([*command, "--cache-dir", str(tmp_path / "cache"), "program.py"], tmp_path)


def test_a_function_links_with_c(python: Path, tmp_path: Path) -> None:
    gcc = shutil.which("gcc")
    if gcc is None or os.uname().machine != "x86_64" or sys.platform != "linux":
        pytest.skip("needs gcc on Linux for amd64")
    (tmp_path / "program.py").write_text(block("prog.md", "python"), encoding="utf-8")
    (tmp_path / "main.c").write_text(block("prog.md", "c"), encoding="utf-8")
    run([str(python), "program.py"], tmp_path)
    run([gcc, "-o", "main", "main.c", "sum.o"], tmp_path)
    assert subprocess.run([tmp_path / "main"], check=False).returncode == 36


def test_objects_are_read_back(python: Path, tmp_path: Path) -> None:
    elffile: Any = pytest.importorskip("elftools.elf.elffile")
    lief: Any = pytest.importorskip("lief")
    (tmp_path / "program.py").write_text(block("objwriter.md", "python"), encoding="utf-8")
    run([str(python), "program.py"], tmp_path)
    with open(tmp_path / "elf.o", "rb") as fh:
        elf = elffile.ELFFile(fh)
        assert elf["e_machine"] == "EM_X86_64"
        names = [s.name for s in elf.get_section_by_name(".symtab").iter_symbols()]
        assert names == ["", "answer", "helper"]
        assert elf.get_section_by_name(".rela.text.answer").num_relocations() == 1
    macho = lief.MachO.parse(str(tmp_path / "macho.o")).at(0)
    assert [s.name for s in macho.symbols] == ["_answer", "_helper"]
    coff: Any = lief.COFF.parse(str(tmp_path / "coff.obj"))
    assert {"answer", "helper"} <= {s.name for s in coff.symbols}


def test_importing_is_lean(python: Path, tmp_path: Path) -> None:
    """No CPU and no writer before one is asked for."""
    code = "import sys, backend, objwriter; print(*sorted(m for m in sys.modules if m.startswith(('back', 'objw'))))"
    loaded = run([str(python), "-c", code], tmp_path).split()
    heavy = (
        "backend.x86",
        "backend.arm64",
        "backend.riscv",
        "backend.obj.asmparse",
        "objwriter.elf",
        "objwriter.macho",
    )
    assert not [m for m in loaded if m.startswith((*heavy, "objwriter.coff", "objwriter.relocs"))]
