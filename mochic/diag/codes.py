"""The table of diagnostic codes: message template and help line; `mochi explain CODE` is in `diag.pages`.

P codes come from the lexer and parser, T codes from the checker (docs/reference.md, 3 and 6), M codes are ours.
Messages and help lines are an interface shared with the reference implementation and must not be reworded; the pages
are our own.  `{0}`, `{1}` ... are the arguments of `diag.diagnostic.make`.  The rows are text, split on first use of a
code, because building a hundred objects would cost every `mochi run` more than the one diagnostic it may print.
"""

from __future__ import annotations

from typing import Final


class Code:
    """One row: `message` and `help` are templates."""

    __slots__ = ("code", "message", "help")

    def __init__(self, code: str, message: str, help: str) -> None:
        self.code = code
        self.message = message
        self.help = help


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
            _, message, help, _ = self._text[at + 1 :].split("\n", 3)
            row = Code(code, message[2:], help[2:])
            self._rows[code] = row
        return row

    def names(self) -> list[str]:
        """Every code, in table order."""
        return [line[1:] for line in self._text.split("\n") if line.startswith("@")]


# @CODE, `m ` message, `h ` help.
_TABLE: Final = r"""
@P001
m {0}
h Check for a missing `{` or `}` to close the block.
@P002
m {0}
h Expression or closing delimiter might be missing.
@P010
m {0}
h Function bodies must be enclosed in `{ ... }`.
@P011
m {0}
h `=>` cannot replace a full `{}` block in function bodies.
@P020
m {0}
h An expression was expected here. Check syntax.
@P030
m {0}
h A variable or function name is required.
@P031
m {0}
h `let` must be followed by a variable name.
@P040
m unterminated string literal
h Close the string with a matching `"` before end of file.
@P041
m invalid escape sequence in string literal
h Mochi accepts the standard Go escapes: \\, \", \n, \r, \t, \b, \f, \v, \a, \xHH, \uHHHH, \UHHHHHHHH.
@P042
m unterminated block comment
h Block comments must be closed with `*/`; they do not nest.
@P043
m invalid numeric literal: missing whitespace before "{0}"
h Separate the numeric literal from the following identifier with whitespace.
@P045
m integer literal {0} is out of range for a 64-bit signed integer
h Use a value in the range [-9223372036854775808, 9223372036854775807].
@P046
m incomplete numeric literal "{0}": missing digits after base prefix
h `0x`, `0b`, and `0o` must be followed by at least one digit of the chosen base.
@P047
m source text is not valid UTF-8
h Save the file in the UTF-8 encoding.
@P048
m {0} nested too deeply (limit {1})
h Split the code: name intermediate values or move inner parts into functions.
@P049
m float literal {0} is out of range for a 64-bit float
h Use a value whose magnitude is below 1.8e308.
@P050
m {0}
h `*` is not allowed here. Did you mean to multiply? Use full expression.
@P051
m {0}
h Separate function arguments or list elements with commas.
@P052
m {0}
h Unbalanced parentheses. Check for missing `(` or `)`.
@P053
m {0}
h `}` found unexpectedly. Check for incomplete expression.
@P054
m {0}
h Check for misused colon. Function parameters must use correct syntax: (name: type).
@P055
m {0}
h Stray `.` dot — expected a selector after it. Did you forget an identifier?
@P056
m {0}
h Unexpected `let` — remove redundant declaration keyword.
@P060
m index expression has no key, range, or step
h Use `xs[i]` for a subscript, or supply at least one of start/end/step in a slice like `xs[1:]`, `xs[:3]`, or `xs[::2]`.
@P061
m match case has no result expression or block
h Provide a result after `=>`, e.g. `0 => "zero"`, or a block: `0 => { ... }`.
@P062
m load/save path is the empty string
h Omit the literal entirely to use stdin/stdout (e.g. `load as T` or `save x`), or supply a real path.
@P063
m match case pattern is not a recognised pattern shape
h A pattern must be a literal (e.g. `1`, `"foo"`, `true`, `none`), an identifier (e.g. `x`, `_`, or a variant name like `Leaf`), or a variant constructor call (e.g. `Node(l, v, r)`). Compound expressions, indexing, field access, casts, and quoted constructors are not patterns.
@P064
m unknown import language: "{0}"
h The supported languages are `go`, `python`, `typescript`, `zig`, `lua`, `clj`, and `clojure`. Omit the language to use the Mochi default, or check the spelling.
@P065
m expression statement has no observable effect
h An expression used as a statement must perform I/O or call a function. Bare values, arithmetic, and field/index access compute a result that nothing reads. Use `let _ = ...` if you need to evaluate for a side effect inside an argument, or remove the line.
@P066
m the invisible character {0} changes the order in which the text around it is shown
h Leave it out, or write it as an escape sequence in a string: readers see other code than the compiler does.
@P070
m AST invariant violated: {0}
h This is a bug in the compiler; please report it with the source file.
@P999
m {0}
h Parse error occurred. Check syntax near this location.
@T000
m `let` requires a type or a value
h Use `let x = ...` or `let x: int` to declare a variable.
@T001
m assignment to undeclared variable: {0}
h Declare `{0}` first using `let`.
@T002
m undefined variable: {0}
h Check if the variable was declared in this scope.
@T003
m unknown function: {0}
h Ensure the function is defined before it's called.
@T004
m `{0}` is not callable
h Use a function or closure in this position.
@T005
m parameter `{0}` is missing a type
h Add a type like `x: int` to this parameter.
@T006
m too many arguments: expected {0}, got {1}
h Remove extra arguments or update the function definition.
@T007
m argument {0}: expected {1}, got {2}
h Ensure the argument type matches the function’s signature.
@T008
m type mismatch: expected {0}, got {1}
h Change the value to match the expected type.
@T009
m cannot assign {0} to `{1}` (expected {2})
h Make sure the assigned value is compatible with `{1}`.
@T010
m return type mismatch: expected {0}, got {1}
h Update the return value to match the function's return type.
@T011
m `expect` must be a boolean
h `expect` should evaluate to `true` or `false`.
@T013
m incompatible types in comparison
h Use comparable types like numbers or strings with `<`, `>`.
@T014
m invalid primary expression
h Expected a complete value or expression (e.g., literal, variable, function).
@T015
m index must be an integer
h Use an `int` value for indexing (e.g., `list[0]`).
@T016
m missing index expression
h Provide an index inside `[ ... ]`.
@T017
m slicing not allowed on map
h Maps do not support slicing like `map[a:b]`.
@T018
m type {0} does not support indexing
h Only `list<T>` and `map<K,V>` can be indexed.
@T019
m map key type mismatch: expected {0}, got {1}
h Make sure the key matches the map’s key type.
@T020
m operator `{0}` cannot be used on types {1} and {2}
h Choose an operator that supports these operand types.
@T021
m unsupported operator: `{0}`
h Use a valid operator like +, -, ==, or <.
@T022
m cannot iterate over type {0}
h Only `list<T>`, `map<K,V>`, or integer ranges are allowed in `for ... in ...` loops.
@T023
m range loop requires integer start and end expressions
h Use `for i in 0..10` or ensure both expressions are of type `int`.
@T024
m cannot assign to `{0}` (immutable)
h Use `var` to declare mutable variables.
@T025
m unknown type: {0}
h Ensure the type is defined before use.
@T026
m unknown field `{0}` on {1}
h Check the struct definition for valid fields.
@T027
m {0} is not a struct
h Field access is only valid on struct types.
@T028
m fetch URL must be a string
h Use a string literal or variable of type string.
@T029
m fetch options must be a map
h Pass a map like `{"method": "POST"}` after `with`.
@T030
m invalid type for fetch option `{0}`: expected {1}, got {2}
h Ensure the option value matches the expected type.
@T031
m unknown stream: {0}
h Declare the stream before using it.
@T032
m query source must be a list
h Use a list value after `in`.
@T033
m `where` condition must be boolean
h Ensure the condition evaluates to true or false.
@T034
m join source must be a list
h Use a list value after `in`.
@T035
m `on` condition must be boolean
h Ensure the condition evaluates to true or false.
@T036
m cannot take length of type {0}
h Use `len(...)` only on lists, strings, or maps.
@T037
m count() expects list or group, got {0}
h Pass a list or group to count().
@T038
m avg() expects numeric list or group, got {0}
h Ensure the list or group contains numbers.
@T039
m function {0} expects {1} arguments, got {2}
h Pass exactly {1} arguments to `{0}`.
@T040
m `if` condition must be boolean
h Ensure the condition evaluates to true or false.
@T041
m sum() expects numeric list or group, got {0}
h Ensure the list or group contains numbers.
@T042
m `having` condition must be boolean
h Ensure the condition evaluates to true or false.
@T043
m operator `{0}` cannot be used with `any`
h Cast values to concrete types before using `{0}`.
@T044
m call to `{0}` produces effect(s) {1}, not allowed in `{2}` predicate
h Only pure functions may be called inside `where` and `having` predicates. Refactor the predicate to read pre-computed values, or move the effectful call outside the query.
@T045
m `{0}` outside of loop
h Move `{0}` inside a `for` or `while` loop body.
@T046
m invalid cast: `{0}` as `{1}` is not allowed
h Only numeric-tower, union-to-variant, map-to-struct, and any-related casts are allowed. Use a parsing function (e.g. `parseIntStr`) for string conversions.
@T047
m cannot unify type parameter `{0}`: {1} vs {2}
h Two argument positions require incompatible bindings for the same generic parameter. Pick argument types that agree.
@T048
m type parameter `{0}` escapes function result
h The result type still mentions `{0}` after argument unification. Constrain the parameter at a call argument or supply an explicit type argument.
@T049
m type argument arity mismatch for `{0}`: expected {1}, got {2}
h Supply exactly one type argument per declared type parameter.
@T050
m non-exhaustive match on union `{0}`: missing variant(s) {1}
h Add an arm for each missing variant or use a wildcard `_` arm to cover the remainder.
@T051
m cannot alias immutable aggregate `{0}` into a mutable binding
h Aliasing a let-bound list, map, or struct into a `var` would let writes through the alias mutate the original. Clone explicitly (e.g. `[...xs]`, `{...m}`) or bind the source as `var`.
@T052
m cannot alias `{0}` ({1}) into a binding of type {2}
h Aliasing widens the source's element type, which would let a write through the alias deposit a value the source cannot hold. Aggregate element, key, and value types are invariant at aliasing sites. Clone explicitly (e.g. `[...xs]`, `{...m}`) or declare the destination with the source's exact element type.
@T053
m struct literal `{0}` is missing required field(s) {1}
h Provide a value for every declared field. Mochi structs do not have field defaults.
@T054
m redundant match arm: {0}
h Remove the arm or merge it with the earlier arm it duplicates. Mochi does not have pattern guards, so duplicate patterns can never both fire.
@T055
m `{0}` operand must be `int`, got {1}
h `skip` and `take` count rows; supply an integer expression.
@T056
m `sort by` expression must be an ordered type, got {0}
h Ordered types are int, int64, bigint, bigrat, float, bool, and string. Project a scalar field of an ordered type, or compare with an explicit key.
@T057
m `select distinct` expression must be a hashable type, got {0}
h Distinct deduplicates by structural equality. Function values do not have a stable hash. Project a scalar or record of scalars.
@T058
m dereference of optional `{0}` requires a none guard
h Narrow with `if {0} != none { ... }` first, or supply a fallback (`?? default`).
@T059
m comparison with `none` requires an optional operand, got {0}
h `none` is the empty side of `Option<T>`; comparing it to a non-optional value can never be true. Either change the operand to `T?` or drop the comparison.
@T060
m safe-call `?.{0}` requires an option-typed receiver, got {1}
h `a?.f` is only defined when `a : T?`. Drop the `?` for a plain field access, or change the receiver's type.
@T061
m safe-call `?.{0}` requires the wrapped type to be a struct, got {1}
h The element side of the option must expose a field named `{0}`.
@T062
m safe-index `?[ ]` requires an option-typed receiver, got {0}
h `a?[k]` is only defined when `a : list<T>?` or `a : map<K, V>?`. Drop the `?` for a plain index access.
@T063
m safe-index `?[ ]` requires the wrapped type to be a list or map, got {0}
h Only `list<T>` and `map<K, V>` support indexed access after `?[`.
@T064
m unknown effect label `{0}`
h Effect annotations may only mention the closed label set: io, fs, net, time, meta.
@T065
m function `{0}` declares effects {1} but its body produces {2}
h Either add the missing label(s) to the `!` annotation, or remove the call that produces the extra effect.
@T066
m expression produces effect(s) {0}, not allowed in {1}
h This position requires a pure expression. Replace the effectful call with a pre-computed value, or hoist the call out so only its result reaches this position.
@M001
m {0}: not supported yet
h This construct is part of the language, but this version of the compiler cannot compile it.
@M002
m `{0}` of the {1} module "{2}" cannot be compiled into a native binary
h Write the function in Mochi.
@M004
m the predicate `{0}` depends on its own absence
h A rule with `not p(...)` must not be needed to derive `p`.
@M005
m the type alias `{0}` is made of itself
h Give the type a name of its own: `type {0} { ... }` declares a struct, whose fields may have the type {0}.
@M006
m {0} is newer than the language of the strict mode
h Leave out `--strict`, or write it in the older language.
@M007
m {0} belong to the top level of a file
h Move it out of the block.
@M008
m `generate` knows no provider `{0}`
h Known are {1}.
@M003
m cannot find the package "{0}"
h A package is a directory with .mochi files, or one file.
@M011
m {0} has no C form
h C functions take and give int, int8 to int64, uint8 to uint64, float, float32, bool, string and names declared with `extern type`.
@M012
m cannot find the C library "{0}"
h Name a folder that has it with -L DIR, or import the name that the system's loader knows, such as "libfoo.so.1".
@M014
m `fetch` over https: {0}
h Build for Linux without --https=no, or use an http URL: that of a proxy which takes http and speaks https.
@M013
m no library has the C function `{0}`
h Check the name, and that its library is imported (`import c "name"`) or given with -l.
"""

CODES: Final = CodeTable(_TABLE)
