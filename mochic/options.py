"""What the user asked for, as one value: a compilation is a function of (sources, Options)."""

from __future__ import annotations

from mochic.targets import UNIVERSAL

# As compilers spell -mbranch-protection: landing pads for indirect branches, signed return addresses, both.
PROTECTIONS = ("none", "bti", "pac-ret", "standard")
# Ints grow beyond 64 bits, as the language says, or growing is an error.
INT_MODES = ("exact", "checked")
# Is the system's TLS library part of programs that fetch: where their text has an https URL, always, never.
HTTPS = ("auto", "yes", "no")
STAGES = ("tokens", "ast", "types", "ir", "ir-opt", "prog", "asm", "obj", "exe")


class Options:
    """`opt`: 0, 1 or 2.  `emit`: one of STAGES.  `verify`: check the IR between passes and every register
    allocation.  `tests`: keep `test` blocks; `test_mode`: run the one that the environment names (`mochi test`).
    `march`: the instruction set, empty for the target's least; `branch_protection`: one of PROTECTIONS;
    `libraries`, `folders`: C libraries of the command line (-l), and where libraries are looked for first (-L);
    `https`: one of HTTPS; `int_mode`: one of INT_MODES; `check_runtime`: a runtime that checks its own accesses."""

    __slots__ = (
        "target", "out", "opt", "debug", "emit", "linker", "strip", "time", "verify", "tests", "test_mode", "strict",
        "march", "branch_protection", "libraries", "folders", "https", "int_mode",
        "check_runtime",
    )  # fmt: skip

    def __init__(self, target: str) -> None:
        self.target = target
        self.out = ""
        self.opt = 2
        self.debug = False
        self.emit = "exe"
        self.linker = ""
        self.strip = False
        self.time = False
        self.verify = False
        self.tests = True
        self.test_mode = False
        self.strict = False
        self.march = ""
        self.branch_protection = "none"
        self.int_mode = "exact"
        self.libraries: tuple[str, ...] = ()
        self.folders: tuple[str, ...] = ()
        self.https = "auto"
        self.check_runtime = False

    def dump(self) -> str:
        """All of it as text, for a process of our own; `load` reads it."""
        import json

        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def load(cls, text: str) -> Options:
        import json

        made = cls("")
        for name, value in json.loads(text).items():
            setattr(made, name, tuple(value) if isinstance(value, list) else value)
        return made

    @property
    def several(self) -> bool:
        """The target is a list, or a file for several CPUs: builds of one target each."""
        return "," in self.target or self.target == "all" or self.target in UNIVERSAL

    def with_target(self, target: str) -> Options:
        """The same for another target."""
        made = Options(target)
        for name in self.__slots__:
            if name != "target":
                setattr(made, name, getattr(self, name))
        return made

    def program_key(self) -> str:
        """What a linked program depends on beside its sources and libraries."""
        left_out = ("out", "emit", "time", "verify", "strict")  # these do not change its bytes
        return repr([(name, getattr(self, name)) for name in self.__slots__ if name not in left_out])

    def variant(self) -> str:
        """What machine code depends on beside its source: part of the key of everything cached."""
        checks = " checked" if self.check_runtime else ""
        return f"{self.target} O{self.opt} {self.march} {self.branch_protection}{checks}"
