"""Lowering: the checked tree of a program to SSA IR.

`program.lower_program` makes the IR of a whole program.  State that all functions share is in module.py
(`ModuleLower`), that of one function in fn.py (`Fn`).  The rest are functions over `Fn`, in files that import only
files of their line or further down this list:

    program     all functions of a program, each when something refers to it
    dispatch    which function lowers which class of the syntax tree
    stmt, loops, ccall            statements; bodies that call C
    call, builtins, methods       calls
    save, load, query/            data that goes in, through and out
    expr, match                   names and operators; `match`
    composites, cast, access      literals of lists, maps and structs; `as`; elements and fields
    apply, arguments, closures    what calls are made of
    values, constants             operators on values in hand; literals that are data
    aliasing                      which lists may be extended in place
    objects, control, literals    loads and stores of objects; conditions and loops
    fn, module                    the state
    appends, lateuse              what code may append to (analysis; makes no IR)
    descs                         descriptors of objects (offsets: mochic/layout.py; runtime functions: ir/rtabi.py)

The runtime itself is written in a dialect of Mochi that lowlevel.py lowers; it shares nothing with the above but descs.
"""
