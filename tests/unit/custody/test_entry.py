"""What a custody entry may say, and what it must not."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaddle.canonical import parse_canonical
from swaddle.custody.entry import (
    EVENTS,
    FIRST_PREVIOUS,
    WORDS,
    EntryUnsafe,
    LedgerBroken,
    entry_bytes,
    is_safe,
    next_entry,
    parse_entry,
)

AT = datetime(2026, 11, 22, 9, 24, 37, tzinfo=UTC)
TRANSFER = "0123456789abcdef0123456789abcdef"


def made(last=None, **changes):
    return next_entry(
        last, **{"at": AT, "event": "transfer-held", "subject": TRANSFER, "detail": {"body_bytes": 9}} | changes
    )


def test_the_first_entry_follows_sixty_four_zeros_and_the_second_the_first():
    first = made()
    second = made(first)
    assert (first.sequence, first.previous) == (1, FIRST_PREVIOUS)
    assert (second.sequence, second.previous) == (2, first.digest())


def test_an_entry_is_canonical_json_with_six_members():
    value = parse_canonical(entry_bytes(made()))
    assert value == {
        "at": "2026-11-22T09:24:37Z",
        "detail": {"body_bytes": 9},
        "event": "transfer-held",
        "previous": FIRST_PREVIOUS,
        "sequence": 1,
        "subject": TRANSFER,
    }


def test_what_was_written_is_read_back_the_same():
    first = made()
    second = made(first, event="copy-destroyed", detail={"place": "gateway", "parts": [1, 2]})
    assert parse_entry(entry_bytes(second), first, first.digest()) == second


@pytest.mark.parametrize(
    "detail",
    [
        {"name": "Mary Smith"},
        {"name": "smith"},
        {"file": "births 2024.csv"},
        {"file": "births.csv"},
        {"health_card": "1234567890"},
        {"born": "2024-05-01"},
        {"weight": -1},
        {"weight": 3.5},
        {"nested": {"id": TRANSFER}},
        {"nested": [[1]]},
        {"Mary Smith": 1},
        {"": 1},
        {"body": b"bytes"},
        {"two_lines": "stored\nstored"},
    ],
)
def test_free_text_has_no_form_in_an_entry(detail):
    with pytest.raises(EntryUnsafe):
        made(detail=detail)


@pytest.mark.parametrize("subject", ["", "Northshore General", "gateway", "1234567890"])
def test_a_subject_is_an_id(subject):
    with pytest.raises(EntryUnsafe):
        made(subject=subject)


def test_whole_seconds_in_utc_are_kept():
    elsewhere = AT.astimezone(timezone(timedelta(hours=-5))).replace(microsecond=123)
    assert made(at=elsewhere).at == "2026-11-22T09:24:37Z"
    assert parse_entry(entry_bytes(made(at=elsewhere)), None, FIRST_PREVIOUS) == made()


def test_an_event_that_is_not_in_the_table_is_not_written():
    with pytest.raises(EntryUnsafe):
        made(event="transfer-mislaid")


def test_the_refusal_does_not_repeat_the_value():
    with pytest.raises(EntryUnsafe) as refused:
        made(detail={"name": "Mary Smith"})
    assert "Mary" not in str(refused.value)


@given(st.text())
def test_text_is_safe_only_as_an_id_a_digest_an_instant_a_code_or_a_listed_word(text):
    if is_safe(text):
        assert text in WORDS or not any(c.isspace() for c in text)
        assert text.isascii()


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_has_a_subject_and_a_text(event):
    assert EVENTS[event].subject
    assert EVENTS[event].text


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b"\xff",
        b"{" * 2000,
        entry_bytes(made()) + b" ",
        entry_bytes(made()).replace(b'"sequence":1', b'"sequence":true'),
        entry_bytes(made()).replace(b'"sequence":1', b'"sequence":2'),
        entry_bytes(made()).replace(b'"event":"transfer-held"', b'"event":["transfer-held"]'),
        entry_bytes(made()).replace(b"09:24:37Z", b"09:24:37"),
        entry_bytes(made()).replace(b'"sequence":1', b'"sequence":1,"sequencf":1'),
    ],
)
def test_a_line_that_is_not_the_entry_breaks_the_ledger(line):
    with pytest.raises(LedgerBroken):
        parse_entry(line, None, FIRST_PREVIOUS)
