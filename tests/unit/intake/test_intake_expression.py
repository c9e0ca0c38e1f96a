"""The language of `derived`: what it can compute, and that there is nothing else in it."""

import duckdb
import pytest

from swaddle.intake.expression import columns_of, compile_expression
from swaddle.intake.faults import MappingFault


def value(expression, **row):
    sql = compile_expression(expression, lambda name: f'"{name.lower()}"', row_key="'k-1'")
    columns = ", ".join(
        f"'{text}' AS \"{name.lower()}\"" if text is not None else f'NULL::VARCHAR AS "{name.lower()}"'
        for name, text in row.items()
    )
    return duckdb.connect().execute(f"SELECT {sql} FROM (SELECT {columns or '1 AS one'})").fetchone()[0]


@pytest.mark.parametrize(
    ("expression", "row", "result"),
    [
        ("number(A) + number(B)", {"A": "1", "B": "2"}, 3.0),
        ("number(A) * 2 - 1", {"A": "3"}, 5.0),
        ("-number(A) / 4", {"A": "3"}, -0.75),
        ("'2006-' || pad(A, 2)", {"A": "3"}, "2006-03"),
        ("CASE WHEN A = 'Y' THEN 'induced' WHEN A IN ('N', 'n') THEN 'spontaneous' END", {"A": "n"}, "spontaneous"),
        ("CASE WHEN A IS NULL OR NOT A <> 'x' THEN 'yes' ELSE 'no' END", {"A": None}, "yes"),
        ("case when number(A) between 1 and 3 and B is not null then 'in' else 'out' end", {"A": "2", "B": "x"}, "in"),
        ("coalesce(A, B)", {"A": None, "B": "b"}, "b"),
        ("upper(left(A, 2)) || lower(right(A, 1))", {"A": "abC"}, "ABc"),
        ("replace(substr(A, 2, 2), 'b', '-')", {"A": "abc"}, "-c"),
        ("length(trim(A))", {"A": " ab "}, 2),
        ("'it''s'", {}, "it's"),
        ('"a b"', {"a b": "quoted"}, "quoted"),
        ("row_key()", {}, "k-1"),
        ("number(A) -- number(B)", {"A": "3", "B": "1"}, 4.0),
        ("A NOT IN ('x')", {"A": "y"}, True),
    ],
)
def test_it_computes(expression, row, result):
    assert value(expression, **row) == result


def test_it_knows_which_columns_it_reads():
    assert columns_of("CASE WHEN LD_INDL = 'Y' THEN \"ME ROUT\" END || number(x)") == {"LD_INDL", "ME ROUT", "x"}


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "SELECT 1",
        "(SELECT max(c0) FROM staged_raw)",
        "A; DROP TABLE staged_raw",
        "A /* comment */",
        "read_text('/etc/passwd')",
        "getvariable('x')",
        "getenv('HOME')",
        "pragma_version()",
        "A::INTEGER",
        "CAST(A AS INTEGER)",
        "A[1]",
        "{'a': 1}",
        "$1",
        "?",
        "A.b",
        '"A',
        "'open",
        "E'\\x41'",
        "CASE END",
        "CASE WHEN A THEN",
        "number()",
        "number(A, B)",
        "coalesce(A)",
        "A NOT B",
        "A B",
        "(A",
        "A)",
        "A IN ()",
        "x -> x",
        "\\",
        "(" * 200 + "A" + ")" * 200,
        "-" * 500 + "1",
        "A" * 5000,
    ],
)
def test_whatever_is_not_in_the_language_is_refused(expression):
    with pytest.raises(MappingFault):
        compile_expression(expression, lambda name: f'"{name}"', row_key="''")


def test_what_looks_like_a_name_is_only_ever_a_column():
    seen = []

    def column(name):
        seen.append(name)
        return "c0"

    assert compile_expression('"a; b" || current_user', column, row_key="''") == "(c0 || c0)"
    assert seen == ["a; b", "current_user"]
