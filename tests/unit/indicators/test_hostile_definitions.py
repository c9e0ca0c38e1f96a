"""Definition files from outside: whatever stands in one, it is told in words and quickly, and the others go on."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from importlib.resources import files

import pytest

from swaddle.dictionary.load import load
from swaddle.indicators import shelf
from swaddle.indicators.definitions import shipped
from swaddle.indicators.examples import LARGEST, wrong
from swaddle.indicators.fields import fields_of
from swaddle.indicators.model import BadDefinition
from swaddle.indicators.publish import page

TEXT = files("swaddle.indicators").joinpath("v1", "preterm.toml").read_text("utf-8")
TEXT = TEXT.replace('id = "preterm"', 'id = "mine"', 1)
VALUE = tomllib.loads(TEXT)
NUMERATOR = 'numerator = "ga_weeks < 37"'
KEYS = (*VALUE, "terms", "exclude", "partition", "threshold", "stratifiers", "counts_of", "per", "left_out", "unit")
LIMITS = {"green": 1, "red": 2, "provenance": "x", "provenance_fr": "x"}
ODD = [
    *(
        0,
        -1,
        True,
        1.5,
        float("inf"),
        float("nan"),
        10**30,
        "",
        " ",
        "'",
        "--",
        "a" * 5000,
        "\u202eabc",
        "\u0440reterm",
    ),
    *([], [1], ["x"], [[]], {}, {"a": 1}, [{}], [{"id": 1}], dt.date(2020, 1, 1), "(" * 3000),
    [{"id": "x", "label": "a", "label_fr": "b", "holds": 1}],
    [{"when": "live", "why": "x", "why_fr": 2}],
    *({**LIMITS, "green": "a"}, {**LIMITS, "z": 1}, {**LIMITS, "red": float("nan")}, {**LIMITS, "provenance": " "}),
]


def as_toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {as_toml(each)}" for key, each in value.items()) + "}"
    return value.isoformat() if isinstance(value, dt.date) else repr(value)


def reason(text):
    with pytest.raises(BadDefinition) as raised:
        shelf.checked("mine", text)
    return str(raised.value.facts["reason"])


def with_numerator(expression, more=""):
    return TEXT.replace('numerator = "ga_weeks < 37"', f"numerator = '''{expression}'''", 1) + more


def test_the_text_these_tests_change_is_right():
    assert NUMERATOR in TEXT
    assert shelf.checked("mine", TEXT).id == "mine"


@pytest.mark.parametrize("key", dict.fromkeys(KEYS))
def test_a_value_of_any_type_under_any_key_is_a_fault_or_a_definition(key):
    """Nothing but a fault of this file comes out: anything else would take all indicators with it."""
    for odd in ODD:
        text = "\n".join(f"{name} = {as_toml(each)}" for name, each in {**VALUE, key: odd}.items())
        try:
            made = shelf.checked("mine", text)
        except BadDefinition:
            continue
        assert page(made)


@pytest.mark.parametrize(
    "text",
    [
        TEXT + "\n" + ".".join(["a"] * 30_000) + " = 1\n",
        TEXT + "\n[[" + " . ".join(["a"] * 15_000) + "]]\n",
        "x = " + "[" * 20_000 + "]" * 20_000 + "\n" + TEXT,
        "x = " + "9" * 5_000 + "\n" + TEXT,
        "a" + " " * 60_000 + TEXT[:3_000],
        with_numerator("live", "\n[terms]\n" + "\n".join(f't{i}x = "t{i + 1}x"' for i in range(2_000))).replace(
            "'''live'''", "'t0x'"
        ),
        with_numerator("ta_x", "\n[terms]\n" + "\n".join(f't{a}_x = "t{b}_x AND t{b}_x"' for a, b in zip("abcdefghijklm", "bcdefghijklmn", strict=True))),
        with_numerator("(" * 5_000 + "ga_weeks < 37" + ")" * 5_000),
        with_numerator("NOT " * 9_000 + "ga_weeks < 37"),
    ],
    ids=["dotted", "header", "nested", "digits", "spaces", "deep terms", "wide terms", "brackets", "nots"],
)  # fmt: skip
def test_a_bomb_is_told_and_not_run(text):
    assert reason(text)


@pytest.mark.parametrize(
    "expression",
    [
        *("(SELECT 1) = 1", "ga_weeks IN (SELECT 1)", "read_csv('/etc/passwd') = 'x'", "1 = 1; DROP TABLE births"),
        *("ga_weeks::INT < 37", "CAST(outcome AS INT) = 1", "ga_weeks / 0 < 1", "1 / ga_weeks < 1", "ga_weeks % 0 = 1"),
        *("ga_weeks / (1 - 1) < 1", "ga_weeks / -0 < 1", "ga_weeks / 0e1 < 1", "ga_weeks / coalesce(0, 0) < 1"),
        *("g\u0430_weeks < 37", "mother_family_name = 'x'", "repeat('a', 1000000000) = 'a'", "outcome < 5"),
    ],
)
def test_what_the_language_has_not_is_a_fault(expression):
    assert reason(with_numerator(expression))


def test_numbers_that_only_real_data_would_break_are_found_at_load():
    """The ten rows do not show it: weeks are small there."""
    grows = "ga_weeks < 37 AND ga_weeks * 100000000000000 * 1000 < ga_weeks * 100000000000000 * 1000 + 1"
    assert "grows beyond what a number can hold" in reason(with_numerator(grows))


def test_no_field_holds_a_number_beyond_those_tried():
    limits = [each.field.hard for each in load().wide_fields() if each.field.type in ("int", "decimal")]
    assert all(abs(edge) <= LARGEST for limit in limits if limit for edge in limit if edge is not None)


@pytest.mark.parametrize("item", shipped(), ids=lambda item: item.id)
def test_no_shipped_one_breaks_on_large_numbers(item):
    assert list(wrong(item)) == []
    assert fields_of(item.counts_of)


def test_letters_that_nobody_sees_are_told_by_number():
    assert "title holds letters that nobody sees: U+202E" in reason(TEXT.replace('title = "', 'title = "\u202e', 1))


def test_a_mark_that_an_editor_puts_first_is_no_fault(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert shelf.shelf(tmp_path).left_out == ()
