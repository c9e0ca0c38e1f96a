"""A rule over several rows holds for a row that stands alone in its window: the check passes such rows over."""

import duckdb
import pytest

from swaddle.dictionary.load import load
from swaddle.intake import cast
from swaddle.intake.hits import _shared

DICTIONARY = load()
RULES = sorted({rule.id: rule for rule in DICTIONARY.rules if rule.window}.items())


def alone(rule, told):
    """What the rule's condition comes to over one row, with every field that the row does not tell left out."""
    wide = DICTIONARY.wide()
    cells = {name: wide[name].field for name in {*rule.fields, *told} & set(wide)}
    typed = [
        f"{cast.typed(field, None, f'CAST({cast.literal(str(told[name]))} AS VARCHAR)')} AS {name}"
        if name in told
        else f"CAST(NULL AS {cast.TYPES[field.type]}) AS {name}"
        for name, field in cells.items()
    ]
    row = f"SELECT *, {cast.event_first('event_date')} AS event_first FROM (SELECT {', '.join(typed)})"
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {rule.holds} FROM ({row}) WINDOW {rule.window}").fetchone()[0]


@pytest.mark.parametrize(("name", "rule"), RULES)
def test_a_row_alone_breaks_no_rule_over_several(name, rule):
    rows = [row for example in (*rule.passes, *rule.fails) for row in example]
    assert rows
    for row in rows:
        told = {"event_date": "2024-05-02"} | {key: value for key, value in row.items() if key != "form"}
        assert alone(rule, told) in {True, None}, f"{name} is broken by one row"


def test_the_rules_of_one_delivery_look_at_rows_that_share_it():
    rules = dict(RULES)
    assert {_shared(rules[name]) for name in ("X21", "X22", "X23")} == {"delivery_local_id"}
    assert _shared(rules["X46"]) == "mother_local_id"
