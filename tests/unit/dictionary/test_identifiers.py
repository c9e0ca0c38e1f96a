"""Identifiers: what each authority's check says, the same in Python and in the database, and plug-ins of others."""

import itertools
import random

import pytest

from swaddle.dictionary import identifiers
from swaddle.dictionary.identifiers import Identified, IdentifierPluginUnusable, Validator, bare, validate, validators
from swaddle.intake import engine

HOSTILE = [
    *("", " ", "-", "\0", "'", "'; DROP TABLE t; --", "１２３４５６７８９７", "٩٨٧٦٥٤٣٢١٧", "9" * 5000, "9876543217\n"),
    *("98765432I7", "O000000000", "½", "🍼", "--------------", "NULL", "1e9", "0x10"),
]


def random_values(seed=20241122):
    """Numbers and near-numbers; all start with a digit that may pass."""
    chance = random.Random(seed)
    for _ in range(3000):
        length = chance.choice([9, 10, 10, 10, 10, 11])
        yield chance.choice("19") + "".join(chance.choice("0123456789") for _ in range(length - 1))
    for _ in range(500):
        yield "".join(chance.choice("ABDKMW019 XYZ-") for _ in range(chance.choice([5, 6, 7, 9])))


class Point:
    def __init__(self, offered, name="XX"):
        self.offered, self.name = offered, name

    def load(self):
        return self.offered


@pytest.fixture
def plugged(monkeypatch):
    def plug(*offered):
        monkeypatch.setattr(identifiers, "entry_points", lambda group: [Point(each) for each in offered])
        validators.cache_clear()

    yield plug
    monkeypatch.undo()
    validators.cache_clear()


@pytest.mark.parametrize(
    ("value", "authority", "normalised", "status", "display"),
    [
        ("9876543217", "ON", "9876543217", "ok", "9876-543-217"),
        ("1234-567-897-AB", "ON", "1234567897", "ok", "1234-567-897"),
        ("9876543210", "ON", "9876543210", "bad_check", "9876-543-210"),
        ("0876543217", "ON", "0876543217", "bad_format", "0876543217"),
        ("98765", "ON", "98765", "bad_format", "98765"),
        ("9999999999", "ON", "9999999999", "placeholder", "9999999999"),
        ("9698 658 215", "BC", "9698658215", "ok", "9698 658 215"),
        ("9698 648 215", "BC", "9698648215", "bad_check", "9698 648 215"),
        ("5736504210", "BC", "5736504210", "bad_format", "5736504210"),
        ("943 476 5870", "NHS", "9434765870", "ok", "943 476 5870"),
        ("943 476 5871", "NHS", "9434765871", "bad_check", "943 476 5871"),
    ],
)
def test_a_health_card_number_is_read_by_its_authority(value, authority, normalised, status, display):
    assert validate(value, authority) == (normalised, status, display)


@pytest.mark.parametrize(
    ("value", "country", "normalised", "status"),
    [
        ("k1a0b1", "CA", "K1A 0B1", "ok"),
        ("K1A 0BI", "CA", "K1A0BI", "bad_format"),
        ("W1A 0B1", "CA", "W1A0B1", "bad_format"),
        ("sw1a1aa", "GB", "SW1A 1AA", "ok"),
        ("M1 1AE", "GB", "M1 1AE", "ok"),
        ("SW1A 1CC", "GB", "SW1A1CC", "bad_format"),
        ("90210", "US", "90210", "ok"),
        ("902101234", "US", "90210-1234", "ok"),
        ("9021", "US", "9021", "bad_format"),
    ],
)
def test_a_postal_code_is_read_by_its_country(value, country, normalised, status):
    found = validate(value, country, "postal code")
    assert (found.normalised, found.status) == (normalised, status)


def test_an_authority_that_nobody_knows_says_nothing():
    assert validate("12", "QC") is None
    assert validate("12", "'; --") is None


@pytest.mark.parametrize("key", sorted(validators()))
def test_no_value_upsets_a_validator_and_none_of_these_passes(key):
    for value in HOSTILE:
        assert validators()[key].validate(value).status in {"bad_format", "placeholder"}, value


@pytest.mark.parametrize(("macro", "kind"), [("identifier_status", "health card"), ("postal_status", "postal code")])
def test_the_database_says_what_python_says(macro, kind):
    values = [bare(each) for each in itertools.chain(HOSTILE, random_values()) if "\0" not in each]
    connection = engine.connect(memory_bytes=1024**3)
    for each in (each for each in validators().values() if each.kind == kind):
        found = connection.execute(
            f"SELECT {macro}(value, ?) FROM (SELECT unnest(?::VARCHAR[]) AS value)", [each.authority, values]
        ).fetchall()
        expected = [each.validate(value).status for value in values]
        assert [status for (status,) in found] == expected
        if kind == "health card":
            has_form = connection.execute(
                "SELECT identifier_has_form(value, ?) FROM (SELECT unnest(?::VARCHAR[]) AS value)",
                [each.authority, values],
            ).fetchall()
            assert [form for (form,) in has_form] == [status != "bad_format" for status in expected]


def test_the_database_says_nothing_of_an_unknown_authority():
    connection = engine.connect(memory_bytes=1024**3)
    assert connection.execute("SELECT identifier_status('12', 'QC'), postal_status('12', 'FR')").fetchone() == (
        None,
        None,
    )


def test_a_plug_in_of_another_package_is_asked_once_for_a_value(plugged):
    asked = []

    def ask(value):
        asked.append(value)
        return Identified(value, "ok" if value == "7" else "bad_check", value)

    words = {"title": "Number of XX", "title_fr": "Numéro de XX"}
    plugged(Validator(authority="XX", kind="health card", validate=ask, **words))
    connection = engine.connect(memory_bytes=1024**3)
    found = connection.execute(
        "SELECT DISTINCT value, identifier_status(value, CASE WHEN n < 9000 THEN 'XX' ELSE 'ON' END) "
        "FROM (SELECT n, CASE WHEN n >= 9000 THEN '9876543217' WHEN n % 3 = 0 THEN '7' ELSE '8' END AS value "
        "FROM range(10000) r(n)) ORDER BY ALL"
    ).fetchall()
    assert found == [("7", "ok"), ("8", "bad_check"), ("9876543217", "ok")]
    assert sorted(asked) == ["7", "8"]


@pytest.mark.parametrize(
    "offered",
    [
        "a word",
        Validator(authority="'; --", kind="health card", title="", title_fr="", validate=lambda value: None),
        Validator(authority="ON", kind="health card", title="", title_fr="", validate=lambda value: None),
    ],
)
def test_a_faulty_plug_in_is_refused(plugged, offered):
    plugged(offered)
    with pytest.raises(IdentifierPluginUnusable):
        validators()
