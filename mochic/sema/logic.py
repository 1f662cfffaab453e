"""Logic: facts, rules and queries as ordinary Mochi (docs/reference.md, 16).

Each predicate becomes a list of tuples in the order in which they became known, a map of those known, and one index
per column: text of a value -> ascending positions.  Each rule becomes a function with a loop per condition; where a
term of the condition is bound already, the loop runs over an index.

The language fixes the order of derived tuples: rule after rule, each with all solutions over what was known when it
began, left to right.  Evaluation is semi-naive all the same (Bancilhon 1986): solutions made of tuples that the rule
has seen before were found before, so the innermost loop, when no loop around it stands on a new tuple, starts at the
new ones.  That leaves the order among the solutions that remain as it was.

`not p(...)` asks for the absence of a tuple.  Rules are then evaluated in strata: first all of `p`, then the rules that
ask for absence.  The text made here is parsed like the user's.
"""

from __future__ import annotations

from mochic.diag.diagnostic import Diagnostic, make
from mochic.syntax import ast

PREFIX = "__logic_"
_HELPERS = f"""
fun {PREFIX}start(places: list<int>, seen: int): int {{
  var lo = 0
  var hi = len(places)
  while lo < hi {{
    let mid = (lo + hi) / 2
    if places[mid] < seen {{ lo = mid + 1 }} else {{ hi = mid }}
  }}
  return lo
}}
"""


def relation(p: ast.Pred) -> str:
    """The name of a predicate's list; arity belongs to the name."""
    return f"{PREFIX}{p.name}_{len(p.terms)}"


def constant(t: ast.Expr) -> str:
    """A term as source text."""
    if isinstance(t, ast.IntLit):
        return str(t.value)
    assert isinstance(t, ast.StrLit)
    out = []
    for c in t.value:
        out.append("\\" + c if c in '"\\' else c if c.isprintable() else f"\\U{ord(c):08x}")
    return '"' + "".join(out) + '"'


def relation_text(name: str, arity: int, retract: bool) -> str:
    """The variables of a predicate and the functions that add a tuple: `_new` any, `_fact` a stated one.

    With `retract` the stated ones are kept apart, so that `_reset` can forget what was derived.
    """
    lines = [f"var {name}: list<list<any>> = []", f"var {name}_known: map<string, bool> = {{}}"]
    lines += [f"var {name}_by{c}: map<string, list<int>> = {{}}" for c in range(arity)]
    lines += [f"fun {name}_new(t) {{", f"  let at = len({name})", f"  {name}_known[to_json(t)] = true"]
    lines.append(f"  {name} = append({name}, t)")
    for c in range(arity):
        m = f"{name}_by{c}"
        lines.append(f"  let k{c} = to_json(t[{c}])")
        lines.append(f"  if k{c} in {m} {{ {m}[k{c}] = append({m}[k{c}], at) }} else {{ {m}[k{c}] = [at] }}")
    lines.append("}")
    if not retract:
        lines.append(f"fun {name}_fact(t) {{ {name}_new(t) }}")
        return "\n".join(lines)
    lines.append(f"var {name}_stated: list<list<any>> = []")
    lines.append(f"fun {name}_fact(t) {{")
    lines.append(f"  {name}_stated = append({name}_stated, t)")
    lines += [f"  {PREFIX}changed = true", "}"]
    lines += [f"fun {name}_reset() {{", f"  {name} = []", f"  {name}_known = {{}}"]
    lines += [f"  {name}_by{c} = {{}}" for c in range(arity)]
    lines += [f"  for t in {name}_stated {{ {name}_new(t) }}", "}"]
    return "\n".join(lines)


def absent_text(p: ast.Pred) -> str:
    """The condition that no known tuple matches; its variables are bound, `_` is anything."""
    rel = relation(p)
    given = [
        (j, f"v_{t.name}" if isinstance(t, ast.Ident) else constant(t))
        for j, t in enumerate(p.terms)
        if not (isinstance(t, ast.Ident) and t.name == "_")
    ]
    if len(given) == len(p.terms):
        return f"!(to_json([{', '.join(v for _, v in given)}]) in {rel}_known)"
    if not given:
        return f"len({rel}) == 0"
    (first, value), *others = given
    index = f"{rel}_by{first}"
    if not others:
        return f"!(to_json({value}) in {index})"
    tests = " && ".join(f"{rel}[i][{j}] == {v}" for j, v in others)
    return f"!exists(from i in {index}[to_json({value})] ?? [] where {tests} select i)"


class Guards:
    """Conditions of a rule that bind nothing: each is tested in the first loop that knows its variables."""

    __slots__ = ("waiting",)

    def __init__(self, body: list[ast.Pred | tuple[str, str]]) -> None:
        self.waiting: list[tuple[list[str], str]] = []
        for c in body:
            if not isinstance(c, ast.Pred):
                self.waiting.append(([*c], f"v_{c[0]} != v_{c[1]}"))
            elif c.negated:
                names = [t.name for t in c.terms if isinstance(t, ast.Ident) and t.name != "_"]
                self.waiting.append((names, absent_text(c)))

    def ready(self, bound: dict[str, None]) -> list[str]:
        tests = [text for names, text in self.waiting if all(n in bound for n in names)]
        self.waiting = [g for g in self.waiting if not all(n in bound for n in g[0])]
        return tests


def rule_text(number: int, rule: ast.RuleDecl, diags: list[Diagnostic]) -> str:
    """The function of a rule: true when it found something new."""
    fn = f"{PREFIX}rule{number}"
    conds = positive(rule)
    guards = Guards(rule.body)
    head = [f"var {fn}_seen{k} = 0" for k in range(len(conds))]
    head.append(f"fun {fn}(): bool {{")
    head += [f"let n{k} = len({relation(c)})" for k, c in enumerate(conds)]
    head.append("var added = false")
    bound: dict[str, None] = {}
    depth = 0
    fresh = "false"
    tests = guards.ready(bound)
    if tests:
        head.append(f"if {' && '.join(tests)} {{")
        depth += 1
    for k, c in enumerate(conds):
        rel = relation(c)
        seen = f"{fn}_seen{k}"
        first = "0" if k < len(conds) - 1 else f"(if {fresh} {{ 0 }} else {{ {seen} }})"
        key = ""
        for j, t in enumerate(c.terms):
            if not isinstance(t, ast.Ident):
                key = f"{rel}_by{j}[to_json({constant(t)})]"
            elif t.name in bound:
                key = f"{rel}_by{j}[to_json(v_{t.name})]"
            if key:
                break
        if key:
            head.append(f"let places{k} = {key} ?? []")
            head.append(f"for j{k} in {PREFIX}start(places{k}, {first})..len(places{k}) {{")
            head.append(f"let i{k} = places{k}[j{k}]")
            head.append(f"if i{k} < n{k} {{")
            depth += 2
        else:
            head.append(f"for i{k} in {first}..n{k} {{")
            depth += 1
        head.append(f"let t{k} = {rel}[i{k}]")
        tests = []
        for j, t in enumerate(c.terms):
            if not isinstance(t, ast.Ident):
                tests.append(f"t{k}[{j}] == {constant(t)}")
            elif t.name == "_":
                continue
            elif t.name in bound:
                tests.append(f"t{k}[{j}] == v_{t.name}")
            else:
                bound[t.name] = None
                head.append(f"let v_{t.name} = t{k}[{j}]")
        tests += guards.ready(bound)
        if tests:
            head.append(f"if {' && '.join(tests)} {{")
            depth += 1
        if k < len(conds) - 1:
            head.append(f"let fresh{k} = {fresh} || i{k} >= {seen}")
            fresh = f"fresh{k}"
    missing = [t.name for t in rule.head.terms if isinstance(t, ast.Ident) and t.name not in bound]
    missing += [x for names, _ in guards.waiting for x in names if x not in bound]
    if missing:
        diags.append(
            Diagnostic(
                "T002",
                f"the variable `{missing[0]}` of this rule occurs in none of its conditions",
                rule.lo,
                rule.hi,
                "Every variable of a rule needs a condition `p(..., x, ...)` that binds it.",
            )
        )
        return "\n".join([*(f"var {fn}_seen{k} = 0" for k in range(len(conds))), f"fun {fn}() {{ return false }}"])
    target = relation(rule.head)
    values = ", ".join(f"v_{t.name}" if isinstance(t, ast.Ident) else constant(t) for t in rule.head.terms)
    head.append(f"let t = [{values}]")
    head.append(f"if !(to_json(t) in {target}_known) {{ {target}_new(t) added = true }}")
    head.append("}" * depth)
    head += [f"{fn}_seen{k} = n{k}" for k in range(len(conds))]
    head += ["return added", "}"]
    return "\n".join(head)


def positive(rule: ast.RuleDecl) -> list[ast.Pred]:
    return [c for c in rule.body if isinstance(c, ast.Pred) and not c.negated]


def strata(rules: list[ast.RuleDecl], diags: list[Diagnostic]) -> list[int]:
    """The stratum of each rule: all of a predicate is known before another is derived from its absence.

    A predicate that depends on its own absence has no meaning (Apt, Blair and Walker 1988).
    """
    level: dict[str, int] = {}
    limit = len(rules)
    changed = True
    while changed:
        changed = False
        for r in rules:
            head = relation(r.head)
            for c in r.body:
                if not isinstance(c, ast.Pred):
                    continue
                least = level.get(relation(c), 0) + (1 if c.negated else 0)
                if least > limit:
                    diags.append(make("M004", r.lo, r.hi, r.head.name))
                    return [0] * len(rules)
                if least > level.get(head, 0):
                    level[head] = least
                    changed = True
    return [level.get(relation(r.head), 0) for r in rules]


def check_fact(st: ast.FactDecl, diags: list[Diagnostic]) -> bool:
    """Whether all terms are constants; reports it if not."""
    for t in st.pred.terms:
        if isinstance(t, ast.Ident):
            help = "The terms of a fact are strings and ints; quote a name that stands for itself."
            diags.append(Diagnostic("T002", f"a fact has no variables, but `{t.name}` is one", t.lo, t.hi, help))
            return False
    return True


def program_text(body: list[ast.Stmt], diags: list[Diagnostic]) -> str:
    """Relations, rules and the fixpoint of all facts and rules of a program; "" when it has none."""
    rules = [st for st in body if isinstance(st, ast.RuleDecl)]
    preds = [st.pred for st in body if isinstance(st, ast.FactDecl)]
    for r in rules:
        preds += [r.head, *(c for c in r.body if isinstance(c, ast.Pred))]
    if not preds:
        return ""
    # A new fact may take away what was derived from its absence, so that derivation has to begin anew.
    retract = any(p.negated for p in preds)
    levels = strata(rules, diags)
    relations = {relation(p): len(p.terms) for p in preds}
    parts = [_HELPERS, f"var {PREFIX}changed = false"]
    parts += [relation_text(n, k, retract) for n, k in relations.items()]
    parts += [rule_text(i, r, diags) for i, r in enumerate(rules)]
    parts.append(f"fun {PREFIX}solve() {{")
    if retract:
        parts += [f"if {PREFIX}changed {{", f"{PREFIX}changed = false"]
        parts += [f"{n}_reset()" for n in relations]
        parts += [f"{PREFIX}rule{i}_seen{k} = 0" for i, r in enumerate(rules) for k in range(len(positive(r)))]
        parts.append("}")
    parts.append("var again = true")
    for level in range(max(levels, default=0) + 1):
        parts.append("again = true\nwhile again {\nagain = false")
        parts += [f"if {PREFIX}rule{i}() {{ again = true }}" for i in range(len(rules)) if levels[i] == level]
        parts.append("}")
    parts.append("}")
    parts += [f"fun {n}_all() {{ {PREFIX}solve() return {n} }}" for n in relations]
    return "\n".join(parts)


def query_text(p: ast.Pred, known: bool) -> str:
    """The solutions of a predicate: a list of maps from the variables' names."""
    if not known:
        return "[]"
    tests = []
    at: dict[str, int] = {}
    for i, t in enumerate(p.terms):
        if not isinstance(t, ast.Ident):
            tests.append(f"t[{i}] == {constant(t)}")
        elif t.name == "_":
            continue
        elif t.name in at:
            tests.append(f"t[{i}] == t[{at[t.name]}]")
        else:
            at[t.name] = i
    where = f"where {' && '.join(tests)} " if tests else ""
    entries = ", ".join(f'"{n}": t[{i}]' for n, i in at.items())
    return f"from t in {relation(p)}_all() {where}select {{{entries}}}"
