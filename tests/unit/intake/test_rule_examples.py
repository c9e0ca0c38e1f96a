"""Every rule is run on its own examples, through the reader and the SQL that check real files."""

from collections import defaultdict
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

import swaddle
from swaddle.dictionary.load import load

NOON = datetime(2024, 11, 22, 12, tzinfo=UTC)
RULES = load().rules


def row_examples():
    """Day of check -> rows with (rule, field shown, whether it fires)."""
    days = defaultdict(list)
    for rule in RULES:
        if rule.scope != "row":
            continue
        for fires, examples in ((False, rule.passes), (True, rule.fails)):
            for (example,) in examples:
                row = dict(example)
                day = row.pop("submitted_on", "2024-11-22")
                days[day].append((rule, fires, row))
    return days


@pytest.mark.parametrize("day", sorted(row_examples()))
def test_row_rules_say_what_their_examples_say(taken, csv_text, day):
    examples = row_examples()[day]
    rows = [
        {"local_record_id": f"B{n}", "event_date": "2024-05-02", "outcome": "live", **row}
        for n, (_, _, row) in enumerate(examples)
    ]
    at = datetime.combine(datetime.fromisoformat(day).date(), time(12), UTC)
    result = taken(csv_text(rows), kind="births", at=at)
    assert result.checked.rows_read == len(examples)
    found = {(line, rule, field) for line, rule, field in result.findings()}
    for line, (rule, fires, row) in enumerate(examples, start=2):
        assert ((line, rule.id, rule.shows) in found) is fires, (rule.id, row)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.scope == "file"], ids=lambda rule: rule.id)
def test_file_rules_say_what_their_examples_say(taken, csv_text, rule):
    for fires, examples in ((False, rule.passes), (True, rule.fails)):
        for rows in examples:
            full = [{"event_date": "2024-05-02", "outcome": "live", **row} for row in rows]
            result = taken(csv_text(full), kind="births")
            assert (rule.id in {found for _, found, _ in result.findings()}) is fires, rows


def test_every_check_that_has_words_is_made_somewhere():
    source = Path(swaddle.__file__).parent
    code = "".join(each.read_text("utf-8") for room in ("intake", "registry") for each in (source / room).rglob("*.py"))
    unmade = [check for check in load().checks if f'"{check}"' not in code]
    assert unmade == []
