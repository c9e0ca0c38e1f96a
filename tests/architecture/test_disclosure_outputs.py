"""There is one way out for a figure about others: swaddle.indicators.disclosure. Looked for in the code of every room."""

import ast
import dataclasses
import re
from pathlib import Path

import pytest

from swaddle.indicators import disclosure
from swaddle.indicators.disclosure import HIDDEN, Cell, NotThroughTheGate, Released, in_full, release

SOURCE = Path(__file__).parents[2] / "src" / "swaddle"
MODULES = sorted(SOURCE.rglob("*.py"))
GATE = SOURCE / "indicators" / "disclosure.py"
COUNTS = {"Cell", "Counts"}  # counts as they are, before the gate
# Rooms that make what somebody reads. They are given results and comparisons, whose figures were released.
OUTPUTS = ("feedback", "cli", "submitter", "incident", "demo", "gateway", "wire")


def named(path):
    return str(path.relative_to(SOURCE))


def imports(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("swaddle.indicators"):
            yield from ((node.module, alias.name) for alias in node.names)
        if isinstance(node, ast.Import):
            yield from ((alias.name, "*") for alias in node.names if alias.name.startswith("swaddle.indicators"))


def calls(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            function = node.func
            yield function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def test_a_released_figure_cannot_be_made_or_changed_elsewhere():
    figures = {"numerator": 3, "denominator": 100, "unknown": 0, "suppressed": False}
    with pytest.raises(NotThroughTheGate):
        Released(**figures)
    with pytest.raises(NotThroughTheGate):
        Released(**figures, seal=object())
    shown = release(Cell(numerator=30, denominator=100))
    with pytest.raises(NotThroughTheGate):
        dataclasses.replace(shown, numerator=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        shown.numerator = 3
    assert in_full(Cell(numerator=3, denominator=100)).numerator == 3
    assert HIDDEN.numerator is None


@pytest.mark.parametrize("path", [path for path in MODULES if path != GATE], ids=named)
def test_nobody_else_makes_one_or_reaches_for_the_seal(path):
    text = path.read_text("utf-8")
    assert "Released" not in set(calls(path))
    assert not re.search(r"\b_SEAL\b", text)
    assert "object.__setattr__" not in text or "Released" not in text


@pytest.mark.parametrize("room", OUTPUTS)
def test_what_is_read_is_made_of_released_figures_and_not_of_counts(room):
    found = {
        named(path): sorted(name for _, name in imports(path) if name in COUNTS)
        for path in sorted((SOURCE / room).rglob("*.py"))
    }
    assert {path: names for path, names in found.items() if names} == {}


def test_own_figures_pass_in_full_in_few_places_only():
    """`in_full` opens the gate for a submitter's own births: where it is called, only those may be at hand."""
    places = {named(path) for path in MODULES if "in_full" in set(calls(path)) and path != GATE}
    assert places <= {"indicators/compute.py", "indicators/running.py"}


def test_rows_about_others_are_made_of_released_figures():
    """The one function that makes a row takes a released figure: its annotation says so, and mypy holds it."""
    makers = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(inner, ast.Call) and getattr(inner.func, "id", "") == "IndicatorRow"
                for inner in ast.walk(node)
            ):
                makers[named(path), node.name] = {getattr(arg.annotation, "id", "") for arg in node.args.args}
    assert set(makers) == {("indicators/compute.py", "_row")}
    assert all("Released" in kinds and not COUNTS & kinds for kinds in makers.values())


def test_the_gate_itself_reads_nothing_and_asks_no_clock():
    inside = {node.module for node in ast.walk(ast.parse(GATE.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)}
    plain = {
        node.names[0].name for node in ast.walk(ast.parse(GATE.read_text("utf-8"))) if isinstance(node, ast.Import)
    }
    assert {name.split(".")[0] for name in (inside | plain) - {None}} <= {
        *("__future__", "collections", "dataclasses", "functools", "swaddle"),
    }
    assert disclosure.__doc__
