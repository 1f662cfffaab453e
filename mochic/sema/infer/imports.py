"""What an import offers: functions, variables and types of a package, or members of another language's module."""

from __future__ import annotations

from mochic.diag.diagnostic import Diagnostic
from mochic.sema.infer.annotations import SCALAR_KINDS
from mochic.sema.infer.context import Infer
from mochic.sema.modules import module_names, native_modules
from mochic.sema.packages import library_modules
from mochic.sema.symbols import ImportInfo, Named
from mochic.syntax import ast


def exported(imp: ImportInfo, name: str) -> Named | None:
    """What a package makes visible under a name, or a function declared for a C library; None for neither."""
    if imp.c is not None:
        return imp.functions.get(name)
    p = imp.package
    return None if p is None or p.names is None else p.names.get(name)


def foreign(inf: Infer, at: ast.Node, imp: ImportInfo, name: str) -> None:
    """The import has nothing of this name that can be compiled."""
    if imp.broken or (imp.package is not None and (imp.package.broken or imp.package.names is None)):
        return
    if not imp.lang:
        text = f'the package "{imp.path}" exports no `{name}`'
        help = f"Only what is declared with `export` can be used as `{imp.alias}.name`."
        if imp.package is not None and name in imp.package.private:
            help = f"`{name}` is there, without `export` before its declaration."
        elif imp.package is not None and imp.package.names:
            help += f" There are: {', '.join(sorted({*imp.package.names, *imp.package.types.exports}))}."
    elif imp.c is not None:
        if name in imp.members:
            return  # its declaration was refused
        text = f"the C function `{imp.alias}.{name}` is not declared"
        help = f"Declare it with its types: `extern fun {imp.alias}.{name}(x: float): float`."
    else:
        known = sorted({*module_names(imp), *((imp.package.names or ()) if imp.package is not None else ())})
        text = f'`{name}` of the {imp.lang} module "{imp.path}" cannot be compiled into a native binary'
        if known:
            help = f"Of this module there are: {', '.join(known)}. Write others in Mochi."
        else:
            modules = sorted({*native_modules(imp.lang), *library_modules(imp.lang)})
            help = f"A binary has no {imp.lang} runtime. Write the function in Mochi" + (
                f"; of {imp.lang}'s modules there are: {', '.join(modules)}." if modules else "."
            )
    inf.diags.append(Diagnostic("M002" if imp.lang else "M003", text, at.lo, at.hi, help))


def known_type(inf: Infer, ref: ast.TypeName | ast.StructLit) -> bool:
    """Whether a package has and exports the type `lib.T` that is mentioned here; reports it if not."""
    types, name = inf.types.home(ref.name)
    if name in types.structs or name in types.unions or name in types.aliases:
        return True
    imp = inf.root.names.get(ref.name.partition(".")[0])
    if isinstance(imp, ImportInfo):
        foreign(inf, ref, imp, name)
    return False


def is_type(inf: Infer, name: str) -> bool:
    """Whether a name stands for a type, declared or not."""
    types, plain = inf.types.home(name)
    return (
        name in SCALAR_KINDS or name == "any" or any(plain in x for x in (types.structs, types.unions, types.aliases))
    )
