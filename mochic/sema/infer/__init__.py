"""Name resolution and whole-program type inference: the default mode.

One walk over the tree resolves every name and creates the slots and constraints of `sema.types`; solving them gives
each expression its kinds (`expr.ty`).  `program.infer_program` is the entry.  It gives the state of the walk
(`context`) one table with a rule for each class of expressions and one for each class of statements.  The rules are
functions of that state and a node, in files by topic; the rules that depend on operand kinds are in
`sema.constraints`, those of the builtins in `sema.builtins`.

Diagnostics.  The default mode rejects only what cannot mean anything: unknown names, kinds that can never agree
(`sema.check` looks at the solved kinds), and constructs that this compiler does not have.
"""
