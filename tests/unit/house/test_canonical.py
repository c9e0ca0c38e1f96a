"""Canonical JSON and instants: one value, one text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaddle.canonical import NotCanonical, canonical, format_instant, parse_canonical, parse_instant

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), VALUES, max_size=5))
def test_what_is_written_is_what_is_read(value):
    assert parse_canonical(canonical(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":1}\n', b'{"a":1.0}', b'{"a":1,"a":1}', b'{"a":"\\u0061"}', b'{"a":1e2}',
        b"[1]", b"1", b"", b"{", b'{"a":NaN}', b"\xff", b'{"a":"\\ud800"}', b"{" * 100_000,
    ],
)  # fmt: skip
def test_every_other_text_is_refused(text):
    with pytest.raises(NotCanonical):
        parse_canonical(text)


def test_a_text_beyond_its_limit_is_refused_before_it_is_read():
    with pytest.raises(NotCanonical, match="longer"):
        parse_canonical(b'{"a":"' + b"x" * 100 + b'"}', limit_bytes=50)


@pytest.mark.parametrize("value", [2**53, float("nan"), {1: 2}, "\ud800", float(2**60)])
def test_a_value_without_one_form_is_refused(value):
    with pytest.raises(NotCanonical):
        canonical({"a": value} if not isinstance(value, dict) else value)


def test_an_instant_is_utc_in_whole_seconds():
    moment = datetime(2026, 11, 22, 10, 0, 5, 999, tzinfo=timezone(timedelta(hours=1)))
    assert format_instant(moment) == "2026-11-22T09:00:05Z"
    assert parse_instant("2026-11-22T09:00:05Z") == datetime(2026, 11, 22, 9, 0, 5, tzinfo=UTC)
    with pytest.raises(ValueError, match="time zone"):
        format_instant(datetime(2026, 11, 22))  # noqa: DTZ001


@pytest.mark.parametrize(
    "text",
    ["2026-11-22", "2026-11-22T09:00:05", "2026-11-22T9:00:05Z", "2026-02-30T00:00:00Z", " 2026-11-22T09:00:05Z"],
)
def test_every_other_time_is_refused(text):
    with pytest.raises(NotCanonical):
        parse_instant(text)
