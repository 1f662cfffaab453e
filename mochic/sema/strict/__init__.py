"""The strict mode: `mochi check --strict` (docs/reference.md, 5 and 6).

The default mode accepts whatever can mean something at run time.  The strict mode holds a program to its declared
types: no conversion from int to float, reading a map gives an optional, optionals need a guard, unions must be
covered, an annotation of effects is a contract.

The checker goes over the tree once, in the order of the text, after all names of types and the signatures of top-level
functions are known.  A statement at top level has at most one error: the first one ends its check by an exception,
and the names it would have declared stay unknown.

`program` checks a whole program.  It gives the state of the check (`context`) one table with a rule for each class of
expressions and one for each class of statements.  The rules are functions of that state and a node, in files by topic.
"""
