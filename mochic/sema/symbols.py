"""What names mean: variables, functions, types, imports, and the scopes that hold them."""

from __future__ import annotations

from typing import Any

from mochic.source import SourceFile, SourceMap
from mochic.sema.types import Solver, Slot
from mochic.syntax import ast


class Var:
    """A variable, parameter or loop variable.

    `owner` is the function whose activation holds it (None: the program's top level).  `captured`:
    used by a function nested in the owner.  `writes` counts assignments after the declaration.
    `const` is the node of a literal initialiser when the variable is immutable.
    """

    __slots__ = (
        "name", "ty", "mutable", "owner", "captured", "writes", "const", "pos", "decl", "kind", "id", "callable",
        "global_", "declared", "appended", "fun",
    )  # fmt: skip

    def __init__(self, id: int, name: str, ty: Slot, mutable: bool, owner: FunInfo | None, kind: str, pos: int) -> None:
        self.id = id
        self.name = name
        self.ty = ty
        self.mutable = mutable
        self.owner = owner
        self.kind = kind  # "let" "var" "param" "loop" "bind" "self"
        self.pos = pos
        self.captured = False
        self.writes = 0
        self.const: ast.Expr | None = None
        self.decl: ast.TypeRef | None = None
        self.callable = True  # a call of this name may mean the variable (docs/reference.md, 10)
        self.global_ = False  # lives in a data word: a top-level variable that functions use
        self.declared = False  # its declaration has been walked
        self.appended = False  # target of `x = append(x, ...)`
        self.fun: FunInfo | None = None  # the nested function whose closure this variable holds

    def __repr__(self) -> str:
        return f"<Var {self.name}#{self.id}>"

    @property
    def boxed(self) -> bool:
        """Shared by reference between activations: needs a cell."""
        return self.captured and self.writes > 0 and not self.global_


class FunInfo:
    """A function, method or lambda.

    `captures`: variables of enclosing activations used here or by functions nested here, in order
    of first use.  `funs`: functions referred to (calls or values).  `reads`: globals referred to.
    """

    __slots__ = (
        "name", "params", "ret", "owner", "captures", "funs", "reads", "struct", "self_var", "node",
        "sym", "falls", "decl_ret", "body", "expr", "id", "local_var", "c",
    )  # fmt: skip

    def __init__(self, id: int, name: str, owner: FunInfo | None, node: ast.Node) -> None:
        self.id = id
        self.name = name
        self.owner = owner
        self.node = node
        self.params: list[Var] = []
        self.ret = Slot()
        self.captures: dict[Var, None] = {}
        self.funs: dict[FunInfo, None] = {}
        self.reads: dict[Var, None] = {}
        self.struct: StructInfo | None = None
        self.self_var: Var | None = None
        self.decl_ret: ast.TypeRef | None = None
        self.falls = False  # the end of the body can be reached
        self.body: list[ast.Stmt] | None = None
        self.expr: ast.Expr | None = None
        self.local_var: Var | None = None  # nested named function: the variable that holds its closure
        self.c: CFun | None = None  # a function of C: there is no body
        # filled by lowering
        self.sym: Any = None

    def __repr__(self) -> str:
        return f"<Fun {self.name}>"


class StructInfo:
    """A struct type or union variant."""

    __slots__ = (
        "id", "name", "fields", "decls", "methods", "union", "pos", "desc", "singleton", "row", "sources", "caster",
        "recursive",
    )  # fmt: skip

    def __init__(self, id: int, name: str, pos: int) -> None:
        self.id = id
        self.name = name
        self.pos = pos
        self.fields: dict[str, Slot] = {}
        self.decls: dict[str, ast.TypeRef] = {}
        self.methods: dict[str, FunInfo] = {}
        self.union: UnionInfo | None = None
        self.desc: Any = None
        self.singleton: Any = None
        self.sources: dict[str, Slot] | None = None  # what casts find for each field; None: nothing is cast to it
        self.recursive: bool | None = None  # lowering: a cast to it casts to it again; None: not asked yet
        self.caster: Any = None  # lowering: the function that casts to it, when the type contains itself
        self.row = False  # an item of a grouped join: prints as a map, see sema.infer.queries

    @property
    def bit(self) -> int:
        return 1 << self.id


class UnionInfo:
    __slots__ = ("name", "variants", "pos")

    def __init__(self, name: str, pos: int) -> None:
        self.name = name
        self.pos = pos
        self.variants: list[StructInfo] = []

    @property
    def bits(self) -> int:
        n = 0
        for v in self.variants:
            n |= v.bit
        return n


class TypeTable:
    """The types that a program, a package or a block declares.  Names with a dot belong to an imported package.

    A block sees the types of what is around it, its `parent`.
    """

    __slots__ = ("structs", "unions", "aliases", "exports", "imports", "parent")

    def __init__(self, parent: TypeTable | None = None) -> None:
        self.parent = parent
        self.structs: dict[str, StructInfo] = {}  # variants too
        self.unions: dict[str, UnionInfo] = {}
        self.aliases: dict[str, ast.TypeRef] = {}
        self.exports: set[str] = set()  # what others may name
        self.imports: dict[str, TypeTable] = {}

    def home(self, name: str) -> tuple[TypeTable, str]:
        """The table that a name is in, and what it is called there."""
        t = self
        while t.parent is not None and name not in t.structs and name not in t.unions and name not in t.aliases:
            t = t.parent
        alias, dot, inner = name.partition(".")
        if dot:
            package = t.imports.get(alias)
            return (package, inner) if package is not None and inner in package.exports else (_NOTHING, inner)
        return t, name

    def struct(self, name: str) -> StructInfo | None:
        t, name = self.home(name)
        return t.structs.get(name)

    def union(self, name: str) -> UnionInfo | None:
        t, name = self.home(name)
        return t.unions.get(name)

    def alias(self, name: str) -> ast.TypeRef | None:
        t, name = self.home(name)
        return t.aliases.get(name)


_NOTHING = TypeTable()


class CType:
    """A type of C: its kind, size in bytes, and how the program sees it.  `optional`: NULL is null."""

    __slots__ = ("name", "kind", "size", "signed", "mochi", "base", "optional")

    def __init__(
        self, name: str, kind: int, size: int, signed: bool, mochi: int, base: str, optional: bool = False
    ) -> None:
        self.name = name
        self.kind = kind
        self.size = size
        self.signed = signed
        self.mochi = mochi  # the kind of the values in the program
        self.base = base  # the name of that kind
        self.optional = optional

    @property
    def low(self) -> int:
        return -(1 << (8 * self.size - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        return (1 << (8 * self.size - (1 if self.signed else 0))) - 1


class CLibrary:
    """What `import c "name"` names."""

    __slots__ = ("name", "lo", "hi", "importer")

    def __init__(self, name: str, lo: int, hi: int, importer: str) -> None:
        self.name = name
        self.lo = lo
        self.hi = hi
        self.importer = importer  # the importing file


class CFun:
    """A C function: its symbol, types (`ret` None: void), library (None: one of the command line), declaration."""

    __slots__ = ("symbol", "params", "ret", "library", "decl")

    def __init__(
        self, symbol: str, params: list[CType], ret: CType | None, library: CLibrary | None, decl: ast.ExternDecl
    ) -> None:
        self.symbol = symbol
        self.params = params
        self.ret = ret
        self.library = library
        self.decl = decl


class Package:
    """A loaded package: its statements, its types, and the names that others may use (set by inference)."""

    __slots__ = ("key", "body", "qualified", "types", "names", "private", "library", "broken")

    def __init__(self, key: str, library: bool, types: TypeTable) -> None:
        self.key = key
        self.library = library
        self.body: list[ast.Stmt] = []
        self.qualified: list[ast.TypeName] = []
        self.types = types
        self.private: set[str] = set()  # what is declared without `export`
        self.broken = False  # a file could not be read or parsed, which has been reported
        self.names: dict[str, Named] | None = None  # None while it is being walked


class ImportInfo:
    """An imported module; `members` are the names that `extern` declared for it."""

    __slots__ = ("lang", "path", "alias", "auto", "members", "pos", "package", "broken", "c", "functions")

    def __init__(self, lang: str, path: str, alias: str, auto: bool, pos: int) -> None:
        self.lang = lang
        self.path = path
        self.alias = alias
        self.auto = auto
        self.pos = pos
        self.members: dict[str, ast.ExternDecl] = {}
        self.package: Package | None = None
        self.broken = False  # reported already
        self.c: CLibrary | None = None  # a library of C, and the functions declared for it
        self.functions: dict[str, FunInfo] = {}


class KeyEntry:
    """A name after `group by {name: ...} into g` that nothing else has: `g.key.name`."""

    __slots__ = ("group",)

    def __init__(self, group: str) -> None:
        self.group = group


class QueryInfo:
    """What lowering needs: the query's variables, the item struct of a grouped join, the scalar aggregate."""

    __slots__ = ("vars", "row", "group", "aggregate", "rows", "keys")

    def __init__(self) -> None:
        self.vars: list[Var] = []
        self.row: StructInfo | None = None
        self.group: Var | None = None
        self.aggregate = ""
        self.rows: Slot = Slot()  # the list of selected values
        self.keys: list[str] = []


class BuiltinRef:
    """A builtin function by name; `sema.builtins` has the rules."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


# What a name can mean; a field with its struct is one inside a method.
Named = Var | FunInfo | StructInfo | ImportInfo | KeyEntry | tuple[StructInfo, str]


class Scope:
    __slots__ = ("names", "parent", "fun")

    def __init__(self, parent: Scope | None, fun: FunInfo | None) -> None:
        self.names: dict[str, Named] = {}
        self.parent = parent
        self.fun = fun


class NetworkUse:
    """What the program's text says about its use of the network.  `fetches`: it has a `fetch` or `generate`; `urls`:
    places of https URLs that are fetched as they stand; `https`: some text begins as an https URL does."""

    __slots__ = ("fetches", "urls", "https")

    def __init__(self) -> None:
        self.fetches = False
        self.urls: list[tuple[int, int]] = []
        self.https = False


class ProgramInfo:
    """Everything the later stages need to know about a checked program."""

    __slots__ = (
        "functions", "structs", "globals", "main", "solver", "sources", "program", "types", "tables", "local_types",
        "libraries", "network",
    )  # fmt: skip

    def __init__(self, sources: SourceMap) -> None:
        self.functions: list[FunInfo] = []
        self.structs: list[StructInfo] = []
        self.globals: list[Var] = []
        self.main: FunInfo | None = None
        self.solver = Solver()
        self.sources = sources
        self.program: ast.Program | None = None
        self.libraries: list[CLibrary] = []  # of C, in the order of their imports
        self.network = NetworkUse()
        self.types = TypeTable()  # of the program itself
        self.tables: dict[SourceFile, TypeTable] = {}  # of the files of packages

        self.local_types: list[tuple[int, int, TypeTable]] = []  # of blocks: begin, end; outer ones first

    # What a type reference means depends on the file and the block that it stands in.

    def table(self, at: ast.Node) -> TypeTable:
        for lo, hi, types in reversed(self.local_types):
            if lo <= at.lo < hi:
                return types
        if not self.tables:
            return self.types
        return self.tables.get(self.sources.file_of(at.lo), self.types)

    def resolve_alias(self, ref: ast.TypeRef) -> ast.TypeRef:
        """The type that an alias stands for; aliases made of themselves have been refused."""
        while isinstance(ref, ast.TypeName):
            meant = self.table(ref).alias(ref.name)
            if meant is None:
                break
            ref = meant
        return ref

    def struct_named(self, ref: ast.TypeName) -> StructInfo | None:
        """The struct type that a reference names; not a variant of a union."""
        st = self.table(ref).struct(ref.name)
        return None if st is None or st.union is not None else st
