"""The small language of `derived` in a mapping file, turned into SQL that can do nothing else.

Pure. Values of a row in, one value out: CASE, comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, + - * /, || and a few
functions. No subquery, no table, no file, no setting: whatever is not in the grammar is refused, and the SQL is written
anew from the parsed tree, never passed through.

    CASE WHEN LD_INDL = 'Y' THEN 'induced' WHEN ME_TRIAL = 'N' THEN 'no_labour_cs' ELSE 'spontaneous' END
    number(PRIORLIVE) + number(PRIORDEAD)

A bare word or a "quoted one" is a column (capitals do not matter), 'text' is text. Every column is text; `number(x)`
makes a number of it, or nothing where it is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from swaddle.intake.faults import MappingFault

LIMIT_CHARACTERS = 4000
LIMIT_DEPTH = 60

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<column>"[^"]+")
    | (?P<number>[0-9]+(?:\.[0-9]+)?)
    | (?P<word>[A-Za-z_][A-Za-z_0-9]*)
    | (?P<sign>\|\||<=|>=|<>|!=|[=<>+\-*/(),])
    )""",
    re.VERBOSE,
)
_KEYWORDS = frozenset(["case", "when", "then", "else", "end", "and", "or", "not", "in", "is", "null", "between"])

# name -> (fewest arguments, most, SQL: its text with a place for the arguments, or what makes it of them)
Functions = Mapping[str, tuple[int, int, "str | Callable[..., str]"]]
_FUNCTIONS: Functions = {
    "number": (1, 1, "TRY_CAST({} AS DOUBLE)"),
    "coalesce": (2, 20, "coalesce({})"),
    "lower": (1, 1, "lower({})"),
    "upper": (1, 1, "upper({})"),
    "trim": (1, 1, "trim({})"),
    "left": (2, 2, "left({})"),
    "right": (2, 2, "right({})"),
    "substr": (2, 3, "substr({})"),
    "replace": (3, 3, "replace({})"),
    "length": (1, 1, "length({})"),
    "join": (2, 40, "concat_ws({})"),
    "contains": (2, 2, "contains({})"),
    "nullif": (2, 2, "nullif({})"),
    "pad": (2, 2, "lpad({}, '0')"),
    "row_key": (0, 0, ""),
}
ROW_KEY = "row_key"


def columns_of(expression: str) -> frozenset[str]:
    """The columns that `expression` reads, as it writes them.

    Raises:
        MappingFault: it is not in the language.
    """
    seen: set[str] = set()

    def note(name: str) -> str:
        seen.add(name)
        return "NULL"

    compile_expression(expression, note, row_key="NULL")
    return frozenset(seen)


def reads_row_key(expression: str) -> bool:
    """Whether it uses `row_key()`: the layout has no record number of its own."""
    return ROW_KEY in expression


def compile_expression(
    expression: str, column: Callable[[str], str], *, row_key: str, functions: Functions = _FUNCTIONS
) -> str:
    """SQL for `expression`.

    Args:
        expression: as the mapping file writes it.
        column: gives the SQL of a column by the name that the mapping uses.
        row_key: the SQL that stands for `row_key()`.
        functions: those that may be used; another room has others (indicators/language.py).

    Raises:
        MappingFault: it is not in the language.
    """
    if len(expression) > LIMIT_CHARACTERS:
        raise MappingFault("an expression in it is too long")
    parser = _Parser(_tokens(expression), column, row_key, functions)
    sql = parser.either()
    parser.end()
    return sql


def _tokens(expression: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    text = expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise MappingFault("an expression in it has a sign that the language does not know")
        kind, value = match.lastgroup, match.group(match.lastgroup)
        if kind == "word" and value.lower() in _KEYWORDS:
            kind, value = "keyword", value.lower()
        tokens.append((kind, value))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent, one method a level of binding, each giving SQL in brackets."""

    def __init__(
        self, tokens: list[tuple[str, str]], column: Callable[[str], str], row_key: str, functions: Functions
    ) -> None:
        self._tokens = tokens
        self._next = 0
        self._column = column
        self._row_key = row_key
        self._functions = functions
        self._depth = 0

    def end(self) -> None:
        if self._next != len(self._tokens):
            raise MappingFault("an expression in it goes on after its end")

    def _take(self, kind: str, *values: str) -> str | None:
        if self._next < len(self._tokens):
            found_kind, found = self._tokens[self._next]
            if found_kind == kind and (not values or found in values):
                self._next += 1
                return found
        return None

    def _need(self, kind: str, value: str) -> None:
        if self._take(kind, value) is None:
            raise MappingFault(f"an expression in it lacks {value.upper()}")

    def either(self) -> str:
        self._depth += 1
        if self._depth > LIMIT_DEPTH:
            raise MappingFault("an expression in it is nested too deeply")
        left = self._both()
        while self._take("keyword", "or"):
            left = f"({left} OR {self._both()})"
        self._depth -= 1
        return left

    def _both(self) -> str:
        left = self._denied()
        while self._take("keyword", "and"):
            left = f"({left} AND {self._denied()})"
        return left

    def _denied(self) -> str:
        count = 0
        while self._take("keyword", "not"):
            count += 1
        sql = self._compared()
        return f"(NOT {sql})" if count % 2 else sql

    def _compared(self) -> str:
        left = self._sum()
        if sign := self._take("sign", "=", "<>", "!=", "<", "<=", ">", ">="):
            return f"({left} {sign} {self._sum()})"
        if self._take("keyword", "is"):
            denied = "NOT " if self._take("keyword", "not") else ""
            self._need("keyword", "null")
            return f"({left} IS {denied}NULL)"
        denied = "NOT " if self._take("keyword", "not") else ""
        if self._take("keyword", "in"):
            self._need("sign", "(")
            return f"({left} {denied}IN ({self._list()}))"
        if self._take("keyword", "between"):
            low = self._sum()
            self._need("keyword", "and")
            return f"({left} {denied}BETWEEN {low} AND {self._sum()})"
        if denied:
            raise MappingFault("an expression in it has NOT without IN or BETWEEN")
        return left

    def _sum(self) -> str:
        left = self._product()
        while sign := self._take("sign", "+", "-", "||"):
            left = f"({left} {sign} {self._product()})"
        return left

    def _product(self) -> str:
        left = self._value()
        while sign := self._take("sign", "*", "/"):
            left = f"({left} {sign} {self._value()})"
        return left

    def _list(self) -> str:
        items = [self.either()]
        while self._take("sign", ","):
            items.append(self.either())
        self._need("sign", ")")
        return ", ".join(items)

    def _value(self) -> str:
        if (text := self._take("text")) is not None:
            return text
        if (number := self._take("number")) is not None:
            return number
        if (name := self._take("column")) is not None:
            return self._column(name[1:-1])
        if self._take("sign", "-"):
            self._depth += 1
            if self._depth > LIMIT_DEPTH:
                raise MappingFault("an expression in it is nested too deeply")
            negative = f"(-{self._value()})"
            self._depth -= 1
            return negative
        if self._take("sign", "("):
            inside = self.either()
            self._need("sign", ")")
            return f"({inside})"
        if self._take("keyword", "null"):
            return "NULL"
        if self._take("keyword", "case"):
            return self._case()
        if (word := self._take("word")) is not None:
            return self._call(word.lower()) if self._take("sign", "(") else self._column(word)
        raise MappingFault("an expression in it ends too early or lacks a value")

    def _case(self) -> str:
        parts = ["CASE"]
        while self._take("keyword", "when"):
            condition = self.either()
            self._need("keyword", "then")
            parts.append(f"WHEN {condition} THEN {self.either()}")
        if len(parts) == 1:
            raise MappingFault("an expression in it has CASE without WHEN")
        if self._take("keyword", "else"):
            parts.append(f"ELSE {self.either()}")
        self._need("keyword", "end")
        return "(" + " ".join([*parts, "END"]) + ")"

    def _call(self, name: str) -> str:
        if name not in self._functions:
            raise MappingFault(f"known functions are {', '.join(sorted(self._functions))}; another one is used")
        fewest, most, template = self._functions[name]
        arguments: list[str] = []
        if not self._take("sign", ")"):
            arguments.append(self.either())
            while self._take("sign", ","):
                arguments.append(self.either())
            self._need("sign", ")")
        if not fewest <= len(arguments) <= most:
            raise MappingFault(f"the function {name} is given {len(arguments)} values")
        if name == ROW_KEY:
            return self._row_key
        return template.format(", ".join(arguments)) if isinstance(template, str) else template(*arguments)
