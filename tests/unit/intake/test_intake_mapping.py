"""Mapping files: what they can say, and a clear error for what they cannot."""

from pathlib import Path

import pytest

from swaddle.dictionary.load import load
from swaddle.intake.faults import KindUnknown, LayoutUnknown, MappingFault
from swaddle.intake.mapping import by_kind, load_builtin, load_file, parse, recognise

SMALL = """
name = "county"
dictionary = "1"
recognise = ["KEY", "BORN"]
not_carried = [
  "mother_local_id", "mother_family_name", "mother_birth_date", "delivery_local_id", "admit_dt", "delivery_place", "para",
  "previous_cs", "n_fetuses", "onset_labour", "presentation", "birth_type", "site_id", "birth_order",
]

[fields.local_record_id]
from = "KEY"

[fields.event_date]
from = "BORN"
format = "DD/MM/YYYY"

[fields.outcome]
constant = "live"

[fields.child_sex]
from = "SEX"
codes = { "boy" = "M", "girl" = "F" }
missing = { "9" = "ASKU", "" = "NI" }

[fields.birth_weight_g]
from = "WEIGHT"
unit = "lb"
missing = { "99.9" = "ASKU" }

[fields.ga_weeks]
derived = "CASE WHEN number(GA_DAYS) > 0 THEN number(GA_DAYS) / 7 - 0.5 END"
missing = { "" = "ASKU" }
"""


def test_every_form_has_a_plain_layout_of_all_its_fields():
    forms = load().forms.values()
    assert {form.layout for form in forms} <= set(load_builtin())
    for form in forms:
        assert by_kind(form.layout).form == form.name
        assert set(by_kind(form.layout).fields) == set(load().wide(form.name))
    with pytest.raises(KindUnknown, match="births"):
        by_kind("nothing")


def test_a_layout_is_recognised_by_its_columns_blanks_and_capitals_aside():
    columns = ["Dob_mm", " MAGER", "TBO_REC ", "UPREVIS", "ESTGEST", "DMETH_REC", "DPLURAL", "DBWT"]
    assert recognise(columns).name == "nchs-births-2006"
    with pytest.raises(LayoutUnknown):
        recognise(["a", "b"])


def test_a_mapping_of_ones_own_reads_dates_units_codes_and_reasons(taken):
    data = (
        b"KEY,BORN,SEX,WEIGHT,GA_DAYS\n"
        b"1,02/11/2024,boy,7.5,273.5\n2,31/02/2024,girl,7,\n3,03/11/2024,9,99.9,0\n4,03/11/2024,,8,270\n"
    )
    result = taken(data, mapping=parse(SMALL))
    assert result.rows("verdict, event_date, child_sex, child_sex_missing, birth_weight_g, birth_weight_g_missing") == [
        ("rejected", "2024-11-02", "M", None, 3402, None),
        ("rejected", None, "F", None, 3175, None),
        ("accepted", "2024-11-03", None, "ASKU", None, "ASKU"),
        ("rejected", "2024-11-03", None, "NI", 3629, None),
    ]
    assert result.rows("ga_weeks, ga_weeks_missing")[1:3] == [(None, "ASKU"), (None, "ASKU")]
    assert [line for line, rule, _ in result.findings() if rule == "F2"] == [2, 3, 5]


def test_fields_that_need_no_word_are_not_carried():
    assert "mother_hcn" not in parse(SMALL).fields


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "county"', 'name = "County 1"', "lower-case"),
        ('dictionary = "1"', 'dictionary = "7"', "dictionary"),
        ('constant = "live"', 'constant = "live"\nfrom = "X"', "one of from"),
        ('constant = "live"', "constant = 3", "quotation marks"),
        ("[fields.outcome]", "[fields.outcomes]", "no fields of the form"),
        ('"previous_cs", ', "", "previous_cs"),
        ('"ASKU" }', '"DUNNO" }', "must lead to"),
        ('"ASKU" }', '"NC" }', "must lead to"),
        ('unit = "lb"', 'unit = "stone"', "unit"),
        ('format = "DD/MM/YYYY"', 'format = "%d"', "YYYY"),
        ("[fields.child_sex]", '[fields.child_sex]\nformat = "YYYY"', "no date"),
        ('recognise = ["KEY", "BORN"]', "recognise = [1]", "names"),
        ('recognise = ["KEY", "BORN"]', 'encoding = "ebcdic"', "encoding"),
        ('recognise = ["KEY", "BORN"]', "mother = 1", "mean nothing"),
        ('"mother_local_id", ', '"mother_local_id", "outcome", ', "both"),
        ("number(GA_DAYS) / 7", "read_csv('/etc/passwd')", "known functions"),
        ("[fields.", "fields.", "not TOML"),
    ],
)
def test_what_a_mapping_cannot_say_is_refused_in_words(old, new, says):
    assert old in SMALL
    with pytest.raises(MappingFault, match=says):
        parse(SMALL.replace(old, new))


def test_a_mapping_file_is_read_and_a_folder_or_noise_is_not(tmp_path):
    path = tmp_path / "county.toml"
    path.write_text(SMALL, "utf-8")
    assert load_file(path).name == "county"
    path.write_bytes(b"\xff\xfe\x00")
    for wrong in (path, tmp_path, tmp_path / "none.toml"):
        with pytest.raises(MappingFault):
            load_file(wrong)


def test_an_expression_that_does_not_fit_the_values_is_the_mappings_fault(taken):
    mapping = parse(SMALL.replace("number(GA_DAYS) > 0", "GA_DAYS > 0"))
    with pytest.raises(MappingFault, match="number"):
        taken(b"KEY,BORN,SEX,WEIGHT,GA_DAYS\n1,02/11/2024,boy,7.5,many\n", mapping=mapping)


def test_the_guide_shows_mappings_that_work():
    guide = Path(__file__).parents[3] / "docs" / "guide-mapping.md"
    blocks = [each.partition("```")[0] for each in guide.read_text("utf-8").split("```toml\n")[1:]]
    whole = [each for each in blocks if each.startswith("name =")]
    assert whole
    for each in whole:
        assert parse(each).name
