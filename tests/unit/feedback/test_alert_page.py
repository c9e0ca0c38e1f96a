"""The page of an alert: whatever a record's number holds, it is text, and it is seen as it is."""

from datetime import UTC, date, datetime

import pytest

from swaddle.feedback.alert import Baby, alert
from swaddle.feedback.bundle import unpack

AT = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\u202e1B", "[U+202E]1B"),
        ("=cmd()", "=cmd()"),
        ("$made ${number}", "$made ${number}"),
        ("É-1", "É-1"),
    ],
)
def test_a_records_number_is_text(record, shown):
    files = unpack(alert("a" * 32, [Baby("birth", record, "missed", date(2026, 11, 8))], AT, {}))
    page = files["report.html"].decode()
    assert page.count(f"<bdi>{shown}</bdi>") == 2  # in both languages
    assert "<script" not in page


def test_a_baby_without_a_date_and_nobody_at_all():
    page = unpack(alert("a" * 32, [Baby("birth", "B1", "urgent", None)], AT, {"urgent": 2}))["report.html"].decode()
    assert "after 2 days" in page
    assert "après 2 jours" in page
    assert b"cannot wait" in unpack(alert("a" * 32, [], AT, {}))["report.html"]
