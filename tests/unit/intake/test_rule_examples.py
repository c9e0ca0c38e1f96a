"""Every rule is run on its own examples, by the SQL that checks real files.

An example is a row as a submitter would write it, or a list of rows. Where one form holds all that it names, it is a row
of that form's plain layout; where none does, it is taken apart into records of several forms, which meet by their keys.
"""

import re
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

import swaddle
from swaddle.dictionary.lint import COUNT
from swaddle.dictionary.load import load
from swaddle.dictionary.model import HEADER, RECORD_TYPES
from swaddle.intake import engine
from swaddle.intake.lookups import Beside
from swaddle.intake.mapping import plain
from swaddle.intake.sheet import SheetWriter
from swaddle.intake.staging import stage
from swaddle.intake.validate import validate

DICTIONARY = load()
RULES = DICTIONARY.rules
NO_RULE = {29, 42}
KEYS = {"mother_local_id": "M1", "child_local_id": "C1", "delivery_local_id": "D1"}
# What a row of a plain layout cannot be without.
REQUIRED = {"birth": {"outcome": "live"}}
EXTRA = {"submitted_on", "form", "record"}


def names_of(rule):
    """The fields that the rule and its examples name."""
    rows = [row for example in (*rule.passes, *rule.fails) for row in example]
    named = set(rule.named) | {name for row in rows for name in row}
    return {name.removesuffix("_missing") for name in named if not name.endswith(COUNT)} - EXTRA


def form_of(rule):
    """The form whose row holds all that the rule names, if there is one: that of births where it does."""
    forms = [form for form in DICTIONARY.forms.values() if rule.on in {HEADER, *form.slots}]
    whole = [form for form in forms if names_of(rule) <= set(DICTIONARY.wide(form.name))]
    return whole[0] if whole else None


def counts_records(rule):
    return any(name.endswith(COUNT) for name in rule.named)


IN_A_ROW = [rule for rule in RULES if form_of(rule) and not counts_records(rule) and rule.scope != "registry"]
JOINED = [
    rule
    for rule in RULES
    if rule.scope == "row"
    and not counts_records(rule)
    and len({DICTIONARY.wide()[name].slot for name in rule.named} - {HEADER, "mother", "child"}) > 1
]


def label(rule):
    return f"{rule.id}-{rule.shows}"


def examples(rule):
    return [(False, each) for each in rule.passes] + [(True, each) for each in rule.fails]


def files_of(rule):
    """The examples that can stand in one file: single rows of the same columns; a list of rows stands alone."""
    files = {}
    for n, (fires, rows) in enumerate(examples(rule)):
        alone = n if rule.window else None
        columns = tuple(sorted(name for name in rows[0] if name != "submitted_on"))
        files.setdefault((columns, rows[0].get("submitted_on"), alone), []).append((fires, rows))
    return files.values()


def day_of(rows):
    day = next((row["submitted_on"] for row in rows if "submitted_on" in row), "2024-11-22")
    return datetime.combine(datetime.fromisoformat(day).date(), time(12), UTC)


def filled(form, rows):
    """The rows as a file of the form, with keys where the example says none."""
    plain = {"local_record_id": "", "event_date": "2024-05-02", **REQUIRED.get(form.name, {})}
    return [
        {**plain, "local_record_id": f"B{n}", **{name: value for name, value in row.items() if name not in EXTRA}}
        for n, row in enumerate(rows)
    ]


def findings(connection, form, rows, at, beside=None):
    """What is found in these rows, the first on line 2, as (line, rule, field)."""
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    with SheetWriter(form.name, columns) as writer:
        for line, row in enumerate(rows, start=2):
            writer.add(line, [row.get(name) for name in columns])
        sheet = writer.close()
    try:
        staged = stage(sheet, plain(form, DICTIONARY), file_digest="0" * 64, connection=connection)
    finally:
        sheet.close()
    validate(staged, DICTIONARY, connection, submitter="northshore", sites=None, at=at, beside=beside)
    return connection.execute("SELECT line, rule, field FROM checked_findings").fetchall()


@pytest.fixture
def connection():
    return engine.connect(memory_bytes=1024**3)


@pytest.mark.parametrize("rule", IN_A_ROW, ids=label)
def test_a_rule_says_of_its_examples_what_they_are_there_for(connection, rule):
    form = form_of(rule)
    for together in files_of(rule):
        rows = [row for _, example in together for row in example]
        told = findings(connection, form, filled(form, rows), day_of(rows))
        found = {line for line, check, field in told if (check, field) == (rule.id, rule.shows)}
        line = 2  # below the header
        for fires, example in together:
            lines = range(line, line + len(example))
            assert bool(found & set(lines)) is fires, example
            line += len(example)


def parts_of(rule, row):
    """The example as records of several forms, in the order in which they are taken in: (form, row)."""
    wide = DICTIONARY.wide()
    slots = {wide[name].slot for name in row if name in wide} - {HEADER, "mother", "child"} | {rule.on}
    types = {slot: kind.name for slot, (kind, _) in DICTIONARY.slots().items()}
    parts = []
    for slot in sorted(slots - {"mother", "child"}, key=lambda each: RECORD_TYPES.index(types[each])):
        form = next(
            each
            for each in DICTIONARY.forms.values()
            if next(name for name in each.slots if name not in {"mother", "child"}) == slot
        )
        mine = {name: value for name, value in row.items() if name in wide and wide[name].slot in {slot, HEADER}}
        held = DICTIONARY.wide(form.name)
        people = {name: value for name, value in row.items() if name in wide and wide[name].slot in {"mother", "child"}}
        keys = {name: value for name, value in {**KEYS, **people}.items() if name in held}
        parts.append((form, {**answered(form, slot), **keys, **mine, "local_record_id": f"{slot}-1"}))
    return parts


def answered(form, slot):
    """Every field that must be answered, so that the record is accepted and can be found."""
    plain = {"event_date": "2024-05-02"}
    for each in DICTIONARY.wide_fields(form.name):
        if each.required == "R" and each.slot in {slot, HEADER, "mother", "child"}:
            plain[each.name] = "?ASKU" if each.field.type == "name" else "ASKU"
    return plain


@pytest.mark.parametrize("rule", JOINED, ids=label)
def test_a_rule_over_two_records_finds_the_other_by_its_keys(rule):
    for fires, (row,) in ((False, rule.passes[0]), (True, rule.fails[0])):  # the others say nothing more of keys
        connection, beside, found = engine.connect(memory_bytes=1024**3), Beside(), set()
        parts = parts_of(rule, row)
        for form, part in parts:
            told = findings(connection, form, filled(form, [part]), day_of([row]), beside)
            if rule.on in form.slots:
                found |= {(check, field) for _, check, field in told}
        assert ((rule.id, rule.shows) in found) is fires, parts


def test_every_rule_is_asked_of_its_examples_or_waits_for_the_registry():
    left = [rule for rule in RULES if rule not in IN_A_ROW and rule not in JOINED]
    assert {rule.id for rule in left} == {"X20", "X34", "X44", "X45", "X46"}
    assert all(rule.scope == "registry" for rule in left)


def test_all_forty_eight_rules_are_there():
    numbers = {int(re.match(r"X([0-9]+)", rule.id)[1]) for rule in RULES}
    assert numbers == set(range(1, 51)) - NO_RULE


def test_every_rule_speaks_both_languages_and_has_both_kinds_of_example():
    for rule in RULES:
        assert all((rule.text_fr, rule.fix_fr, rule.passes, rule.fails)), rule.id
        assert rule.text_fr != rule.text


def test_every_check_that_has_words_is_made_somewhere():
    source = Path(swaddle.__file__).parent
    code = "".join(each.read_text("utf-8") for room in ("intake", "registry") for each in (source / room).rglob("*.py"))
    unmade = [check for check in load().checks if f'"{check}"' not in code]
    assert unmade == []
