"""docs/attacks.md promises tests by name: each named test is there, and each attack test is named there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "attacks.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/.-]+?\.py)(?:::(\w+))?(?:::(\w+))?`", PAGE)))


@cache
def names_in(path):
    """Test functions and classes of a file, and `Class::function`."""
    found = set()
    for node in ast.parse((ROOT / path).read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("named", NAMED, ids="::".join)
def test_a_test_that_the_page_names_is_there(named):
    path, *names = (part for part in named if part)
    assert (ROOT / path).exists()
    if names:
        assert "::".join(names) in names_in(path)


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "attacks").glob("test_*.py")), ids=lambda path: path.name)
def test_every_file_of_attacks_is_on_the_page(path):
    assert f"tests/attacks/{path.name}" in PAGE


def test_every_threat_has_a_test_or_says_where_it_will_come():
    rows = re.findall(r"^\| (\d+) \|(.*)$", PAGE, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 23))
    for number, row in rows:
        last = row.rstrip(" |").rsplit("|", 1)[-1]
        assert "`tests/" in last or "not yet, issue" in last, f"threat {number}"
