"""A country that the registry never saw is a mapping file alone: two made up, their indicators counted by hand beside."""

from __future__ import annotations

import pytest

from swaddle.indicators.cells import Policy
from swaddle.indicators.definitions import among, shipped
from swaddle.indicators.running import run
from swaddle.intake.shelf import FOLDER

HERE = "c" * 32
ASKED = ("caesarean", "preterm", "low_birth_weight_all", "multiple_birth", "apgar5_low", "stillbirth")
NORTH = """
name = "north"
title = "North land, births of a year (made up)"
dictionary = "1"
row = "birth"
historical = true
encoding = "iso-8859-1"
delimiter = ";"
recognise = ["FÖDD", "VECKOR", "VIKT", "SÄTT", "ANTAL", "APGAR", "DÖD"]
not_carried = ["delivery_local_id", "site_id", "birth_order", "admit_dt", "delivery_place", "para", "previous_cs",
  "onset_labour", "presentation"]
[fields.local_record_id]
derived = "row_key()"
[fields.event_date]
from = "FÖDD"
format = "YYYYMMDD"
[fields.outcome]
from = "DÖD"
codes = { "nej" = "live", "ja" = "stillbirth_unknown" }
[fields.ga_weeks]
derived = "substr(VECKOR, 1, 2)"
missing = { "" = "ASKU" }
[fields.birth_weight_g]
from = "VIKT"
missing = { "" = "ASKU" }
[fields.birth_type]
from = "SÄTT"
codes = { "1" = "vaginal", "2" = "caesarean", "3" = "vacuum" }
[fields.n_fetuses]
from = "ANTAL"
[fields.apgar5]
from = "APGAR"
missing = { "" = "ASKU" }
"""
SOUTH = """
name = "south"
title = "South islands, pounds and ounces (made up)"
dictionary = "1"
row = "birth"
historical = true
delimiter = ","
recognise = ["Year", "Mon", "LbOz", "Preg", "Mode", "Babies"]
not_carried = ["delivery_local_id", "site_id", "birth_order", "admit_dt", "delivery_place", "para", "previous_cs",
  "onset_labour", "presentation", "apgar5"]
[fields.local_record_id]
derived = "row_key()"
[fields.event_date]
derived = "Year || '-' || pad(Mon, 2)"
[fields.outcome]
constant = "live"
[fields.ga_weeks]
derived = "left(Preg, 2)"
missing = { "" = "ASKU" }
[fields.birth_weight_g]
from = "LbOz"
unit = "lb"
missing = { "" = "ASKU" }
[fields.birth_type]
from = "Mode"
codes = { "SVD" = "vaginal", "CS" = "caesarean", "FD" = "forceps" }
missing = { "?" = "ASKU" }
[fields.n_fetuses]
from = "Babies"
"""


@pytest.fixture
def rates(shelf):
    """Have a country's file taken in by its mapping, and count: indicator to (numerator, denominator, unknown)."""

    def taken(mapping, text, encoding="utf-8"):
        folder = shelf.folder / FOLDER
        folder.mkdir(exist_ok=True)
        name = mapping.split('"')[1]
        (folder / f"{name}.toml").write_text(mapping, "utf-8")
        took = shelf.take(text.encode(encoding), submitter=HERE, kind=name)
        assert took.load.rejected == 0, took.found
        told = run(
            shelf.store.connection, among(ASKED, shipped()), policy=Policy(), at="2026-11-23T00:00:00Z", submitter=HERE
        )
        return {each["id"]: (each["numerator"], each["denominator"], each["unknown"]) for each in told}

    return taken


def test_one_in_its_own_letters_and_codes(rates):
    rows = [
        "FÖDD;VECKOR;VIKT;SÄTT;ANTAL;APGAR;DÖD",
        "20190103;40+1;3500;1;1;9;nej",
        "20190214;36+6;2400;2;1;6;nej",
        "20190330;;3100;3;1;;nej",
        "20190411;38+0;2450;2;2;10;nej",
        "20190411;38+0;2600;2;2;9;nej",
        "20190520;30+2;;1;1;;ja",
    ]
    assert rates(NORTH, "\n".join(rows) + "\n", "iso-8859-1") == {
        "caesarean": (3, 6, 0),
        "preterm": (1, 4, 1),
        "low_birth_weight_all": (2, 5, 0),
        "multiple_birth": (2, 5, 0),  # of live births
        "apgar5_low": (0, 3, 1),
        "stillbirth": (1, 6, 0),
    }


def test_one_that_weighs_in_pounds_and_writes_weeks_with_days(rates):
    rows = [
        "Year,Mon,LbOz,Preg,Mode,Babies",
        "2021,3,7.5,40w0d,SVD,1",
        "2021,3,5.4,36w6d,CS,1",
        "2021,12,5.6,37w0d,FD,2",
        "2021,12,,,?,2",
    ]
    found = rates(SOUTH, "\n".join(rows) + "\n")
    assert found["caesarean"] == (1, 3, 1)
    assert found["preterm"] == (1, 3, 1)
    assert found["low_birth_weight_all"] == (1, 3, 1), "5.4 pounds is 2,449 g, 5.6 is 2,540 g"
    assert found["multiple_birth"] == (2, 4, 0)
    assert found["apgar5_low"][:2] == (0, 0), "not carried: not answerable, never none"
