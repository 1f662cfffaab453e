"""The table of diagnostic codes: message template, help line, and the long text of `mochi explain CODE`.

P codes come from the lexer and parser, T codes from the checker (language reference, sections 3 and 6), M codes are
ours.  Messages and help lines are an interface shared with the reference implementation and must not be reworded; the
explanations are our own.  `{0}`, `{1}` ... are the arguments of `diag.make`.  The rows are text, split on first use of a code, because
building a hundred objects would cost every `mochi run` more than the one diagnostic it may print.

Codes that upstream does not have (it stops or crashes there) are marked `ours` in their explanation.
"""

from __future__ import annotations

from typing import Final


class Code:
    """One row: `message` and `help` are templates, `explain` is prose."""

    __slots__ = ("code", "message", "help", "explain")

    def __init__(self, code: str, message: str, help: str, explain: str) -> None:
        self.code = code
        self.message = message
        self.help = help
        self.explain = explain


class CodeTable:
    """Code -> row, parsed when it is looked up."""

    __slots__ = ("_text", "_rows")

    def __init__(self, text: str) -> None:
        self._text = text
        self._rows: dict[str, Code] = {}

    def __contains__(self, code: str) -> bool:
        return code.isalnum() and f"\n@{code}\n" in self._text

    def __getitem__(self, code: str) -> Code:
        row = self._rows.get(code)
        if row is None:
            at = self._text.find(f"\n@{code}\n") if code.isalnum() else -1
            if at < 0:
                raise KeyError(code)
            end = self._text.find("\n@", at + 2)
            lines = self._text[at + 1 : end if end >= 0 else len(self._text)].split("\n")
            row = Code(code, lines[1][2:], lines[2][2:], "\n".join(lines[3:]).strip())
            self._rows[code] = row
        return row

    def names(self) -> list[str]:
        """Every code, in table order."""
        return [line[1:] for line in self._text.split("\n") if line.startswith("@")]


def explain(code: str) -> str | None:
    """The text of `mochi explain CODE`, or None for an unknown code.  `explain("t001")` works too."""
    code = code.strip().upper()
    if code not in CODES:
        return None
    row = CODES[code]
    text = f"{code}: {row.message}\n\n{row.explain}\n\nhelp: {row.help}\n"
    for i in range(3):
        text = text.replace("{" + str(i) + "}", "...")
    return text


# @CODE, `m ` message, `h ` help, then the explanation.
_TABLE: Final = r"""
@P001
m {0}
h Check for a missing `{` or `}` to close the block.
A block was not opened or not closed. Every `{` of a function, loop, `if`, type or match needs its `}`; the position
is where the parser gave up, which is often far below the line that lacks the brace.
@P002
m {0}
h Expression or closing delimiter might be missing.
The file ended inside an expression.
@P010
m {0}
h Function bodies must be enclosed in `{ ... }`.
A function declaration must have a body in braces. Only a function *expression* may be written `fun(x) => e`.
@P011
m {0}
h `=>` cannot replace a full `{}` block in function bodies.
A function declaration must have a body in braces. Only a function *expression* may be written `fun(x) => e`.
@P020
m {0}
h An expression was expected here. Check syntax.
An operand is missing.
@P030
m {0}
h A variable or function name is required.
A name must follow here. Reserved words cannot be names.
@P031
m {0}
h `let` must be followed by a variable name.
Write `let name: type = value`.
@P040
m unterminated string literal
h Close the string with a matching `"` before end of file.
A string starts with `"` and ends at the next `"` that has no backslash before it. It may span lines, so the string
that is never closed may begin well above the place where things start to look wrong.
@P041
m invalid escape sequence in string literal
h Mochi accepts the standard Go escapes: \\, \", \n, \r, \t, \b, \f, \v, \a, \xHH, \uHHHH, \UHHHHHHHH.
`\xHH`, `\ooo`, `\uHHHH` and `\UHHHHHHHH` name a code point; surrogates and values above 10FFFF are not code points.
To have a backslash in the text write `\\`.
@P042
m unterminated block comment
h Block comments must be closed with `*/`; they do not nest.
A `/*` comment ends at the first `*/`, even when another `/*` stands in between.
@P043
m invalid numeric literal: missing whitespace before "{0}"
h Separate the numeric literal from the following identifier with whitespace.
A number may not touch a letter, digit or `_` that does not belong to it: `1e`, `1_000`, `3px` and `0b12` are errors.
@P045
m integer literal {0} is out of range for a 64-bit signed integer
h Use a value in the range [-9223372036854775808, 9223372036854775807].
A literal must fit 64 bits although int values may grow beyond that at run time. The minus sign is not part of a
literal, so the smallest 64-bit integer is written `-9223372036854775807 - 1`.
@P046
m incomplete numeric literal "{0}": missing digits after base prefix
h `0x`, `0b`, and `0o` must be followed by at least one digit of the chosen base.
`0x` starts a hexadecimal, `0b` a binary and `0o` an octal number.
@P047
m source text is not valid UTF-8
h Save the file in the UTF-8 encoding.
Mochi source is UTF-8 (ours: the reference implementation reads such bytes as replacement characters).
@P048
m {0} nested too deeply (limit {1})
h Split the code: name intermediate values or move inner parts into functions.
The compiler limits how deep blocks, parentheses and operators may nest (ours), far above what people write, so that
a hostile or generated file ends in this message and not in an exhausted stack.
@P049
m float literal {0} is out of range for a 64-bit float
h Use a value whose magnitude is below 1.8e308.
A float is an IEEE 754 double (ours).
@P050
m {0}
h `*` is not allowed here. Did you mean to multiply? Use full expression.
An operand is missing before `*`.
@P051
m {0}
h Separate function arguments or list elements with commas.
A comma is missing.
@P052
m {0}
h Unbalanced parentheses. Check for missing `(` or `)`.
An opening or closing parenthesis is missing.
@P053
m {0}
h `}` found unexpectedly. Check for incomplete expression.
An expression ended too early.
@P054
m {0}
h Check for misused colon. Function parameters must use correct syntax: (name: type).
A colon stands where no type can follow.
@P055
m {0}
h Stray `.` dot — expected a selector after it. Did you forget an identifier?
A field name must follow a `.`, and something to select from must stand before it.
@P056
m {0}
h Unexpected `let` — remove redundant declaration keyword.
A declaration cannot stand inside an expression.
@P060
m index expression has no key, range, or step
h Use `xs[i]` for a subscript, or supply at least one of start/end/step in a slice like `xs[1:]`, `xs[:3]`, or `xs[::2]`.
`xs[]`, `xs[:]` and `xs[::]` select nothing. To copy a whole list write `xs[0:]`.
@P061
m match case has no result expression or block
h Provide a result after `=>`, e.g. `0 => "zero"`, or a block: `0 => { ... }`.
Every case of a `match` needs a value. For no value write `none`.
@P062
m load/save path is the empty string
h Omit the literal entirely to use stdin/stdout (e.g. `load as T` or `save x`), or supply a real path.
`load` without a path reads standard input, `save` without one writes standard output.
@P063
m match case pattern is not a recognised pattern shape
h A pattern must be a literal (e.g. `1`, `"foo"`, `true`, `none`), an identifier (e.g. `x`, `_`, or a variant name like `Leaf`), or a variant constructor call (e.g. `Node(l, v, r)`). Compound expressions, indexing, field access, casts, and quoted constructors are not patterns.
Patterns look like expressions but only these shapes mean anything. A negative number is an operator applied to a
literal, so it is not a pattern either: compare with `if` instead.
@P064
m unknown import language: "{0}"
h The supported languages are `go`, `python`, `typescript`, `zig`, `lua`, `clj`, and `clojure`. Omit the language to use the Mochi default, or check the spelling.
`import python "math" as math` names a foreign module, `import "pkg"` a Mochi package.
@P065
m expression statement has no observable effect
h An expression used as a statement must perform I/O or call a function. Bare values, arithmetic, and field/index access compute a result that nothing reads. Use `let _ = ...` if you need to evaluate for a side effect inside an argument, or remove the line.
Newlines do not end statements in Mochi, so such a line is often the second half of something: `return` on its own
line takes the next line as its value, and a line that starts with `[` indexes the line above when it can.
@P070
m AST invariant violated: {0}
h This is a bug in the compiler; please report it with the source file.
The parser produced a tree that the grammar does not allow.
@P999
m {0}
h Parse error occurred. Check syntax near this location.
The source does not match the grammar. The message names the token found and the grammar rule that was expected.
@T000
m `let` requires a type or a value
h Use `let x = ...` or `let x: int` to declare a variable.
A declaration with neither type nor value says nothing about the variable.
@T001
m assignment to undeclared variable: {0}
h Declare `{0}` first using `let`.
Assignment changes a variable that exists; `var x = ...` makes one. Only `var` variables and parameters can change.
@T002
m undefined variable: {0}
h Check if the variable was declared in this scope.
Names are visible from their declaration to the end of the enclosing block.
@T003
m unknown function: {0}
h Ensure the function is defined before it's called.
No function, builtin or variable of this name is visible. Top-level functions may be called before their declaration.
@T004
m `{0}` is not callable
h Use a function or closure in this position.
Only functions can be called.
@T005
m parameter `{0}` is missing a type
h Add a type like `x: int` to this parameter.
Parameters of methods must have a type.
@T006
m too many arguments: expected {0}, got {1}
h Remove extra arguments or update the function definition.
A call with fewer arguments than parameters gives a function of the rest; more are an error.
@T007
m argument {0}: expected {1}, got {2}
h Ensure the argument type matches the function’s signature.
Arguments count from 1. There is no implicit conversion from int to float in strict mode: write `x as float`.
@T008
m type mismatch: expected {0}, got {1}
h Change the value to match the expected type.
The value cannot be used where the other type is expected. There is no implicit conversion from int to float in strict
mode: write `1.0` or `x as float`.
@T009
m cannot assign {0} to `{1}` (expected {2})
h Make sure the assigned value is compatible with `{1}`.
The type of a variable is fixed by its declaration.
@T010
m return type mismatch: expected {0}, got {1}
h Update the return value to match the function's return type.
A function without a declared result type returns `unit` at top level.
@T011
m `expect` must be a boolean
h `expect` should evaluate to `true` or `false`.
`expect` checks a condition, for instance `expect f(2) == 4`.
@T013
m incompatible types in comparison
h Use comparable types like numbers or strings with `<`, `>`.
Both sides of a comparison must have types that fit each other, or both be numbers.
@T014
m invalid primary expression
h Expected a complete value or expression (e.g., literal, variable, function).
This is not a value.
@T015
m index must be an integer
h Use an `int` value for indexing (e.g., `list[0]`).
Lists and strings are indexed by position.
@T016
m missing index expression
h Provide an index inside `[ ... ]`.
An index is needed.
@T017
m slicing not allowed on map
h Maps do not support slicing like `map[a:b]`.
Maps have keys, not positions. Slice a list of its keys or values instead.
@T018
m type {0} does not support indexing
h Only `list<T>` and `map<K,V>` can be indexed.
Strings can be read by index too, but not assigned.
@T019
m map key type mismatch: expected {0}, got {1}
h Make sure the key matches the map’s key type.
A `map<string, V>` has string keys only.
@T020
m operator `{0}` cannot be used on types {1} and {2}
h Choose an operator that supports these operand types.
Convert one side: `str(x)` makes text of anything, `x as float` a float of an int.
@T021
m unsupported operator: `{0}`
h Use a valid operator like +, -, ==, or <.
There is no such operator on these values.
@T022
m cannot iterate over type {0}
h Only `list<T>`, `map<K,V>`, or integer ranges are allowed in `for ... in ...` loops.
A `for` over a map visits its keys; over a string its characters.
@T023
m range loop requires integer start and end expressions
h Use `for i in 0..10` or ensure both expressions are of type `int`.
A range counts in steps of one from the start up to, but not including, the end.
@T024
m cannot assign to `{0}` (immutable)
h Use `var` to declare mutable variables.
Names made by `let`, `fun` and `import` never change.
@T025
m unknown type: {0}
h Ensure the type is defined before use.
No type of this name is declared. In the default mode such a type is `any`.
@T026
m unknown field `{0}` on {1}
h Check the struct definition for valid fields.
The type has no field or method of this name.
@T027
m {0} is not a struct
h Field access is only valid on struct types.
Only structs, maps with string keys and imported modules have fields.
@T028
m fetch URL must be a string
h Use a string literal or variable of type string.
`fetch` takes the address as text.
@T029
m fetch options must be a map
h Pass a map like `{"method": "POST"}` after `with`.
The options are a map from option name to value.
@T030
m invalid type for fetch option `{0}`: expected {1}, got {2}
h Ensure the option value matches the expected type.
Each option of `fetch` has a fixed type.
@T031
m unknown stream: {0}
h Declare the stream before using it.
`stream Name { field: type }` declares a stream.
@T032
m query source must be a list
h Use a list value after `in`.
Queries read lists and groups.
@T033
m `where` condition must be boolean
h Ensure the condition evaluates to true or false.
`where` keeps the rows for which the condition is true.
@T034
m join source must be a list
h Use a list value after `in`.
A join reads a second list.
@T035
m `on` condition must be boolean
h Ensure the condition evaluates to true or false.
`on` says which pairs of rows belong together.
@T036
m cannot take length of type {0}
h Use `len(...)` only on lists, strings, or maps.
Only collections and strings have a length.
@T037
m count() expects list or group, got {0}
h Pass a list or group to count().
`count` is the number of elements.
@T038
m avg() expects numeric list or group, got {0}
h Ensure the list or group contains numbers.
An average needs numbers.
@T039
m function {0} expects {1} arguments, got {2}
h Pass exactly {1} arguments to `{0}`.
Builtin functions have a fixed number of arguments and are not curried.
@T040
m `if` condition must be boolean
h Ensure the condition evaluates to true or false.
The same holds for `while`. In the default mode any value will do: none, false, 0, "" and empty collections are false.
@T041
m sum() expects numeric list or group, got {0}
h Ensure the list or group contains numbers.
A sum needs numbers.
@T042
m `having` condition must be boolean
h Ensure the condition evaluates to true or false.
`having` keeps the groups for which the condition is true.
@T043
m operator `{0}` cannot be used with `any`
h Cast values to concrete types before using `{0}`.
The operator needs to know the types of its operands.
@T044
m call to `{0}` produces effect(s) {1}, not allowed in `{2}` predicate
h Only pure functions may be called inside `where` and `having` predicates. Refactor the predicate to read pre-computed values, or move the effectful call outside the query.
How often and in which order a predicate runs is not specified, so it must not print, read files or use the network.
@T045
m `{0}` outside of loop
h Move `{0}` inside a `for` or `while` loop body.
`break` and `continue` belong to the innermost loop of the same function.
@T046
m invalid cast: `{0}` as `{1}` is not allowed
h Only numeric-tower, union-to-variant, map-to-struct, and any-related casts are allowed. Use a parsing function (e.g. `parseIntStr`) for string conversions.
The strict checker knows that this conversion cannot be right. The default mode tries it at run time.
@T047
m cannot unify type parameter `{0}`: {1} vs {2}
h Two argument positions require incompatible bindings for the same generic parameter. Pick argument types that agree.
A type parameter stands for one type per call.
@T048
m type parameter `{0}` escapes function result
h The result type still mentions `{0}` after argument unification. Constrain the parameter at a call argument or supply an explicit type argument.
Nothing in the call says what the type parameter is.
@T049
m type argument arity mismatch for `{0}`: expected {1}, got {2}
h Supply exactly one type argument per declared type parameter.
The numbers of type parameters and arguments differ.
@T050
m non-exhaustive match on union `{0}`: missing variant(s) {1}
h Add an arm for each missing variant or use a wildcard `_` arm to cover the remainder.
A `match` over a union must say what happens for every variant.
@T051
m cannot alias immutable aggregate `{0}` into a mutable binding
h Aliasing a let-bound list, map, or struct into a `var` would let writes through the alias mutate the original. Clone explicitly (e.g. `[...xs]`, `{...m}`) or bind the source as `var`.
Lists, maps and structs are references: two names may stand for one object.
@T052
m cannot alias `{0}` ({1}) into a binding of type {2}
h Aliasing widens the source's element type, which would let a write through the alias deposit a value the source cannot hold. Aggregate element, key, and value types are invariant at aliasing sites. Clone explicitly (e.g. `[...xs]`, `{...m}`) or declare the destination with the source's exact element type.
Lists, maps and structs are references: two names may stand for one object.
@T053
m struct literal `{0}` is missing required field(s) {1}
h Provide a value for every declared field. Mochi structs do not have field defaults.
In the default mode a missing field is none.
@T054
m redundant match arm: {0}
h Remove the arm or merge it with the earlier arm it duplicates. Mochi does not have pattern guards, so duplicate patterns can never both fire.
Arms are tried from top to bottom; this one can never be reached.
@T055
m `{0}` operand must be `int`, got {1}
h `skip` and `take` count rows; supply an integer expression.
The operand is a number of rows.
@T056
m `sort by` expression must be an ordered type, got {0}
h Ordered types are int, int64, bigint, bigrat, float, bool, and string. Project a scalar field of an ordered type, or compare with an explicit key.
Lists of ordered values can be sorted too.
@T057
m `select distinct` expression must be a hashable type, got {0}
h Distinct deduplicates by structural equality. Function values do not have a stable hash. Project a scalar or record of scalars.
Functions and groups have no equality.
@T058
m dereference of optional `{0}` requires a none guard
h Narrow with `if {0} != none { ... }` first, or supply a fallback (`?? default`).
An optional may be none, which has no fields or elements.
@T059
m comparison with `none` requires an optional operand, got {0}
h `none` is the empty side of `Option<T>`; comparing it to a non-optional value can never be true. Either change the operand to `T?` or drop the comparison.
Only a value of type `T?` can be none.
@T060
m safe-call `?.{0}` requires an option-typed receiver, got {1}
h `a?.f` is only defined when `a : T?`. Drop the `?` for a plain field access, or change the receiver's type.
`a?.f` is none when `a` is none, else `a.f`.
@T061
m safe-call `?.{0}` requires the wrapped type to be a struct, got {1}
h The element side of the option must expose a field named `{0}`.
`a?.f` is none when `a` is none, else `a.f`.
@T062
m safe-index `?[ ]` requires an option-typed receiver, got {0}
h `a?[k]` is only defined when `a : list<T>?` or `a : map<K, V>?`. Drop the `?` for a plain index access.
`a?[k]` is none when `a` is none, else `a[k]`.
@T063
m safe-index `?[ ]` requires the wrapped type to be a list or map, got {0}
h Only `list<T>` and `map<K, V>` support indexed access after `?[`.
`a?[k]` is none when `a` is none, else `a[k]`.
@T064
m unknown effect label `{0}`
h Effect annotations may only mention the closed label set: io, fs, net, time, meta.
`fun f() ! io, fs { ... }` promises that `f` does nothing but these.
@T065
m function `{0}` declares effects {1} but its body produces {2}
h Either add the missing label(s) to the `!` annotation, or remove the call that produces the extra effect.
The effects of a function are those of its body and of every function it calls.
@T066
m expression produces effect(s) {0}, not allowed in {1}
h This position requires a pure expression. Replace the effectful call with a pre-computed value, or hoist the call out so only its result reaches this position.
The expression must not print, read files or use the network here.
@M001
m {0}: not supported yet
h This construct is part of the language, but this version of the compiler cannot compile it.
Ours: the reference implementation interprets what this compiler does not know yet.
@M002
m `{0}` of the {1} module "{2}" cannot be compiled into a native binary
h Write the function in Mochi.
Ours: a binary has no Go, Python or JavaScript runtime in it, and no compiler.  The modules that programs use most are part
of the library (docs/language.md); the message lists what there is.
@M004
m the predicate `{0}` depends on its own absence
h A rule with `not p(...)` must not be needed to derive `p`.
Ours.  Rules are evaluated in layers: `not p(...)` asks for what is not known when all of `p` has been derived.  With
`rule p(x) :- q(x), not p(x)` there is no such moment.
@M005
m the type alias `{0}` is made of itself
h Give the type a name of its own: `type {0} { ... }` declares a struct, whose fields may have the type {0}.
Ours.  An alias is another name for a type that is known without it.
@M003
m cannot find the package "{0}"
h A package is a directory with .mochi files, or one file.
Ours.  `import "./lib" as lib` makes the functions that the files of a package declare with `export fun` available
as `lib.name(...)`.  Paths that begin with ./ or ../ start at the importing file, others at the nearest directory around it
with a mochi.mod or go.mod, else at the working directory.  A package cannot import itself, not even through another one, and
types of all packages share one namespace.
"""

CODES: Final = CodeTable(_TABLE)
