"""There is one way out for what is known of persons: `views.shown` and `births`, which ask what they wished.

Every module that reads the store's rows about persons stands here with what it reads them for. A new one is red until
somebody has said so; one whose purpose a person can refuse may not read the tables themselves.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from swaddle.registry.consent import PERMITS, Directive, Purpose

SOURCE = Path(__file__).parents[2] / "src" / "swaddle"
# The tables that tell of persons; `clinical.` at the end of a piece of text is a table whose name is filled in.
PERSONS = re.compile(
    r"\bidentifiers\.(persons|records)\b|\bsubjects\.presence\b|\bclinical\.(stored_rows|births|deliveries|antenatal|"
    r"cycles|prenatal_screens|postpartum_mothers|postpartum_children|nicu_stays|newborn_screens)\b|"
    r"\b(clinical|identifiers|subjects)\.$"
)
BIRTHS = re.compile(r"\bfrom births\b", re.IGNORECASE)

# Modules that read them and give nothing out: they store, look up, count for the owner or destroy.
INSIDE = {
    "answered", "consent", "views", "store", "store_tables", "rows", "lives", "loads", "held", "previewing",
    "units", "letting_go", "disposal", "holding", "proof", "rewriting", "setting_apart",
}  # fmt: skip
# Modules that read them for something that leaves the registry, or is shown, and what for.
OUTPUTS = {
    "snapshots": {Purpose.PERIOD, Purpose.QUALITY},
    "giving": {Purpose.FEEDBACK, Purpose.QUALITY, Purpose.PEERS},
    "subjects": {Purpose.BREACH_NOTICE},
    "reviewing": {Purpose.FEEDBACK},
    "waiting": {Purpose.FEEDBACK},
    "alerts": {Purpose.CARE_ALERT},
    "night": {Purpose.FEEDBACK},
    "counting": {Purpose.QUALITY, Purpose.PEERS},
    "beside_peers": {Purpose.QUALITY, Purpose.PEERS},
    "gathering": {Purpose.QUALITY, Purpose.PEERS},
}
# Whether anything came after a load: no row and no number is given.
CHANGED = ("load_id > ", "by_load > ", "join clinical.stored_rows using (load_id, line)")
MODULES = sorted(SOURCE.rglob("*.py"))


@cache
def read_by(path):
    """The pieces of text of a module that name rows about persons, and the ways in that it calls."""
    tree = ast.parse(path.read_text("utf-8"))
    said = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    ]
    calls = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    tables = {text for text in texts if PERSONS.search(text)}
    births = {text for text in texts if BIRTHS.search(text)}
    return tables, births, calls


def reads_persons(path):
    tables, births, calls = read_by(path)
    is_registry = path.parent.name == "registry"
    return bool(tables or births or (is_registry and calls & {"current", "shown"}))


@pytest.mark.parametrize("path", [path for path in MODULES if reads_persons(path)], ids=lambda path: path.stem)
def test_who_reads_rows_about_persons_says_what_for(path):
    assert path.stem in INSIDE | OUTPUTS.keys(), (
        "it reads rows about persons: say here what for; what leaves the registry goes through views.shown"
    )


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_a_purpose_that_can_be_refused_is_served_only_by_what_asks(name):
    paths = [path for path in MODULES if path.stem == name]
    refusable = [
        purpose for purpose in OUTPUTS[name] if not all(PERMITS[purpose, directive] for directive in Directive)
    ]
    for path in paths if refusable else []:
        tables, _, calls = read_by(path)
        assert "current" not in calls
        told = {text for text in tables if not any(each in text for each in CHANGED)}
        assert not told, "it reads the tables themselves and not views.shown"


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.parent.name != "registry"], ids=lambda path: path.stem
)
def test_nobody_outside_the_registry_names_its_tables(path):
    tables, _, _ = read_by(path)
    assert not tables


def test_own_and_others_rates_leave_out_the_same_people():
    """The indicators read one relation for both; who lets one of the two be looser must read its columns first."""
    assert all(PERMITS[Purpose.QUALITY, each] == PERMITS[Purpose.PEERS, each] for each in Directive)
