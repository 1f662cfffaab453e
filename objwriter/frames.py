"""Frames of functions and what CPUs say of them: the records of unwind.py, which has the CPUs of this package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from objwriter.model import ObjectError

# Step.op
ALLOC: Final = 0  # the stack pointer goes down by `value`
PUSH: Final = 1  # ... by `value` (the size of a register on amd64), and `reg` is saved where it then points
PUSH_PAIR: Final = 2  # ... and `reg` and the register after it
SAVE: Final = 3  # `reg` is saved `value` bytes above the stack pointer
SAVE_PAIR: Final = 4  # and the register after it 8 bytes higher
SET_FP: Final = 5  # the frame pointer points `value` bytes above the stack pointer
OPS: Final = ("alloc", "push", "push pair", "save", "save pair", "set fp")


class Machine:
    """What the formats need to know of an architecture: DWARF numbers of the stack pointer, the return address
    and the frame pointer; how far the CFA is from the stack pointer on entry; the forms that it has in each format."""

    __slots__ = ("arch", "sp", "ra", "fp", "entry", "code_align")

    def __init__(self, arch: str, sp: int, ra: int, fp: int, entry: int, code_align: int) -> None:
        self.arch = arch
        self.sp = sp
        self.ra = ra
        self.fp = fp
        self.entry = entry
        self.code_align = code_align

    def compact(self, frame: Frame, layout: Layout) -> int:
        """The number of Mach-O's compact unwind for a frame, `dwarf_mode()` when it needs its FDE."""
        raise ObjectError(f"no compact unwind for {self.arch}")

    def dwarf_mode(self) -> int:
        """The number that sends the unwinder to the FDE."""
        raise ObjectError(f"no compact unwind for {self.arch}")

    def windows(self, name: str, frame: Frame, handler: bool) -> WindowsCodes:
        """The records of Windows for the function of that name; `handler`: there is a handler for exceptions."""
        raise ObjectError(f"no Windows unwind information for {self.arch}")


class WindowsCodes:
    """The records of a function: of .pdata what follows the function's address, of .xdata all up to the handler; a
    packed record has no .xdata.  `with_end`: .pdata has the function's end too."""

    __slots__ = ("packed", "xdata", "with_end")

    def __init__(self, packed: bytes = b"", xdata: bytes = b"", with_end: bool = False) -> None:
        self.packed = packed
        self.xdata = xdata
        self.with_end = with_end


# Architecture -> what makes its Machine; the CPUs that are part of this package are in unwind.py.
_MACHINES: Final[dict[str, Callable[[], Machine]]] = {}


def register_machine(arch: str, load: Callable[[], Machine]) -> None:
    """Adds an architecture whose frames can be described; `load` is called when its Machine is asked for.  Raises
    ValueError when there is one of that name."""
    if arch in _MACHINES:
        raise ValueError(f"there is unwind information for {arch} already")
    _MACHINES[arch] = load


def machine_of(arch: str) -> Machine:
    """What there is to know of an architecture.  Raises ObjectError when nothing is known."""
    load = _MACHINES.get(arch)
    if load is None:
        raise ObjectError(f"no unwind information for {arch}")
    return load()


class Step:
    """One instruction of the prologue; `pc` is the offset in the code just after it."""

    __slots__ = ("pc", "op", "reg", "value")

    def __init__(self, pc: int, op: int, reg: int = 0, value: int = 0) -> None:
        self.pc = pc
        self.op = op
        self.reg = reg
        self.value = value


class Frame:
    """A function of `length` bytes of code whose prologue is `steps`.

    `epilogues` are the offsets of the epilogues that undo the prologue in reverse, one instruction for each step but
    SET_FP, followed by a return.  `variable`: the stack pointer moves after the prologue, only the frame
    pointer finds the frame.
    """

    __slots__ = ("arch", "length", "steps", "epilogues", "variable")

    def __init__(self, arch: str, length: int, steps: list[Step], variable: bool = False) -> None:
        if arch not in _MACHINES:
            raise ObjectError(f"no unwind information for {arch}")
        self.arch = arch
        self.length = length
        self.steps = steps
        self.epilogues: list[int] = []
        self.variable = variable

    @property
    def prologue(self) -> int:
        """The length of the prologue."""
        return self.steps[-1].pc if self.steps else 0


def simple_frame(
    arch: str, length: int, prologue: int, size: int, saved: list[tuple[int, int]], frame_pointer: int = -1
) -> Frame:
    """A frame known only in sum: valid at every call, not inside the prologue.

    `size` is the distance from the entry's stack pointer to the body's, `saved` the registers with their offsets
    from the body's stack pointer, `frame_pointer` its offset from there, -1 for none.
    """
    steps = [Step(prologue, ALLOC, 0, size)] if size else []
    steps += [Step(prologue, SAVE, reg, offset) for reg, offset in saved]
    if frame_pointer >= 0:
        steps.append(Step(prologue, SET_FP, 0, frame_pointer))
    return Frame(arch, length, steps)


class Layout:
    """What holds after some steps: `depth` = CFA - SP; `fp_to_cfa` (-1: no frame pointer); `saved`: register ->
    CFA - address."""

    __slots__ = ("depth", "fp_to_cfa", "saved")

    def __init__(self, machine: Machine) -> None:
        self.depth = machine.entry
        self.fp_to_cfa = -1
        self.saved: dict[int, int] = {}

    def apply(self, step: Step) -> None:
        """The effect of one more step."""
        op = step.op
        offset = 0
        if op in (ALLOC, PUSH, PUSH_PAIR):
            self.depth += step.value
        elif op == SET_FP:
            self.fp_to_cfa = self.depth - step.value
        else:
            offset = step.value
        if op in (PUSH, PUSH_PAIR, SAVE, SAVE_PAIR):
            self.saved[step.reg] = self.depth - offset
            if op in (PUSH_PAIR, SAVE_PAIR):
                self.saved[step.reg + 1] = self.depth - offset - 8


def final_layout(frame: Frame) -> Layout:
    """The layout in the body of the function."""
    layout = Layout(machine_of(frame.arch))
    for step in frame.steps:
        layout.apply(step)
    return layout


def check_frame(frame: Frame, name: str) -> None:
    """Raises ObjectError for steps that are out of order, beyond the code or without sense."""
    last = 0
    for step in frame.steps:
        if not last <= step.pc <= frame.length or not 0 <= step.op < len(OPS):
            raise ObjectError(f"frame of {name}: step at {step.pc:#x} of a function of {frame.length:#x} bytes")
        if step.value < 0 or (step.op != SET_FP and step.value % 8):
            raise ObjectError(f"frame of {name}: {OPS[step.op]} of {step.value} bytes at {step.pc:#x}")
        last = step.pc
    if frame.variable and final_layout(frame).fp_to_cfa < 0:
        raise ObjectError(f"frame of {name}: of variable size without a frame pointer")


def windows_error(name: str, step: Step) -> ObjectError:
    """The error for a step that Windows has no code for."""
    return ObjectError(
        f"cannot express {OPS[step.op]} of register {step.reg}, {step.value} bytes, in the Windows unwind codes "
        f"({name}+{step.pc:#x})"
    )
