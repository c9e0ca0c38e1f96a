"""Which names are one organisation: on pairs of rows of published lists, labelled by hand, and on made-up ones.

The labels name rows, never what stands in them; the lists themselves are not kept here.
"""

import csv
import os
from pathlib import Path

import pytest

from swaddle.incident.tally_match import organisations
from swaddle.incident.tally_names import alike, name_of, parties, same
from swaddle.incident.tally_read import read_lists

DATA = Path(os.environ.get("SWADDLE_REAL_DATA", Path(__file__).parents[4] / "shared" / "data"))
LABELS = Path(__file__).parents[2] / "vectors" / "tally" / "same_organisation.csv"


def one(left, right, *, elsewhere=False):
    a, b = (name_of(parties(text).names[-1]) for text in (left, right))
    return same(a, b, elsewhere=elsewhere)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Alder Valley Health, Inc.", "ALDER VALLEY HEALTH LLC"),
        ("St. Orsola Hosp.", "Saint Orsola Hospital"),
        ("Univ. of Tamarack Med Ctr", "University of Tamarack Medical Center"),
        ("Meridian HealthTrust", "Meridian Health Trust"),
        ("Calloway Pension Trsut", "Calloway Pension Trust"),
        ("Halden Holdings, Inc. d/b/a Verity Dental", "Verity Dental PLLC"),
        ("Clinique de l'Érable inc.", "CLINIQUE DE L'ERABLE"),
        ("State of Cimarron Department of Motor Vehicles", "Cimarron Dept. of Motor Vehicles"),
        ("Northgate Records Management Services (NRMS)", "Northgate Records Management Services"),
        ("Okonkwo, Ada B., M.D.", "Dr. Ada B. Okonkwo"),
    ],
)
def test_one_organisation_under_two_spellings(left, right):
    assert one(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Community Health Center of Alder", "Community Health Center of Tamarack"),
        ("School District 5", "School District 6"),
        ("Verity Hospital", "Verity Hospital West"),
        ("County of Alder, Department of Public Health", "County of Alder, Department of Behavioral Health"),
        ("Family Dental Care", "Family Dental Group of Halden"),
        ("Rose Medical Center", "Beebe Medical Center"),
        ("=cmd|' /C calc'!A0", "<script>alert(1)</script>"),
    ],
)
def test_two_organisations_stay_two(left, right):
    assert not one(left, right)


def test_a_name_that_every_state_has_is_one_only_within_a_state():
    assert one("St. Joseph Medical Center", "Saint Joseph's Medical Center")
    assert not one("St. Joseph Medical Center", "Saint Joseph's Medical Center", elsewhere=True)
    assert one("Quillfeather Pharmacy", "Quillfeather Pharmacy, Inc.", elsewhere=True)


def test_likeness_does_not_depend_on_which_comes_first():
    names = [
        name_of(text) for text in ("Alder Health", "Alder Healthcare West", "Alder", "Med Alder", "", "…", "1 2 3")
    ]
    assert all(alike(a, b) == alike(b, a) for a in names for b in names)


def test_a_row_on_behalf_of_another_is_the_others_breach_at_this_vendor():
    said = parties("Northgate Clearing, Inc. on behalf of Alder College")
    assert (said.names, said.vendor) == (("Alder College",), "Northgate Clearing, Inc.")
    assert parties("on behalf of").names == ("on behalf of",)


def test_a_thousand_names_alike_are_matched_without_every_pair():
    rows = [((f"Alder Health Clinic {number}",), "ON") for number in range(3_000)]
    assert len(set(organisations(rows))) == 3_000


@pytest.mark.real_data
@pytest.mark.skipif(not (DATA / "hhs_ocr").is_dir(), reason="the published lists are not here (SWADDLE_REAL_DATA)")
def test_names_of_published_lists_are_matched_as_a_person_matched_them():
    rows = read_lists([DATA / "hhs_ocr", DATA / "vcdb" / "incidents_json"], {}).rows
    found = organisations([(row.names, row.state) for row in rows])
    owner = {(row.file, str(row.row)): number for row, number in zip(rows, found, strict=True)}
    right = wrong = missed = 0
    with LABELS.open(encoding="utf-8", newline="") as labels:
        for label in csv.DictReader(labels):
            one_key, other_key = (label["file"], label["row"]), (label["other_file"], label["other_row"])
            if one_key not in owner or other_key not in owner:
                continue  # another selection of the lists
            said = owner[one_key] == owner[other_key]
            right += said and label["same"] == "1"
            wrong += said and label["same"] == "0"
            missed += not said and label["same"] == "1"
    assert right
    assert 2 * right / (2 * right + wrong + missed) >= 0.93, (right, wrong, missed)
