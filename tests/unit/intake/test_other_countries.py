"""Tables of other countries, made up, each read by a mapping file alone."""

import pytest

from swaddle.intake.faults import MappingFault
from swaddle.intake.mapping import parse
from workbook import Date, workbook

NOT_CARRIED = """not_carried = [
  "site_id", "delivery_local_id", "birth_order", "admit_dt", "delivery_place", "para", "previous_cs", "n_fetuses",
  "onset_labour", "presentation", "birth_type", "mother_local_id", "mother_birth_date",
]"""
FRENCH = (
    f"""
name = "registre-fr"
title = "Registre français"
dictionary = "1"
row = "birth"
encoding = "windows-1252"
delimiter = ";"
decimal = ","
{NOT_CARRIED}
[fields.local_record_id]
from = "N° dossier"
[fields.event_date]
derived = '"Date naissance" || \\u0027 \\u0027 || "Heure"'
format = "DD/MM/YYYY hh:mm"
[fields.outcome]
from = "Issue"
codes = {{ "né vivant" = "live", "mort-né" = "stillbirth_unknown" }}
[fields.child_sex]
from = "Sexe"
codes = {{ "1" = "M", "2" = "F" }}
missing = {{ "9" = "ASKU" }}
[fields.birth_weight_g]
from = "Poids (kg)"
unit = "kg"
missing = {{ "9,999" = "ASKU" }}
[fields.ga_weeks]
from = "Terme (SA)"
[fields.head_circ_cm]
from = "PC"
[fields.mother_family_name]
from = "Nom de la mère"
""".replace("\\u0027", "'")
    .replace("derived = '\"", 'derived = """"')
    .replace('"Heure"\'', '"Heure" """')
)
FRENCH_HEADER = "N° dossier;Date naissance;Heure;Issue;Sexe;Poids (kg);Terme (SA);PC;Nom de la mère"

NORDIC = f"""
name = "nordic"
title = "Fødselsregister, fixed width"
dictionary = "1"
row = "birth"
format = "fixed"
length = 40
recognise = ["LOPENR", "FDATO", "VEKT"]
{NOT_CARRIED.replace('"mother_birth_date"', '"mother_birth_date", "mother_family_name"')}
[columns]
LOPENR = [1, 6]
FDATO = [7, 8]
KJONN = [15, 1]
VEKT = [16, 4]
SVLEN = [20, 3]
HODE = [23, 3]
STATUS = [26, 1]
[known_by]
LOPENR = "digits"
FDATO = "digits"
[fields.local_record_id]
from = "LOPENR"
[fields.event_date]
from = "FDATO"
format = "YYYYMMDD"
[fields.outcome]
from = "STATUS"
codes = {{ "1" = "live", "2" = "stillbirth_antepartum" }}
[fields.child_sex]
from = "KJONN"
codes = {{ "1" = "M", "2" = "F" }}
[fields.birth_weight_g]
from = "VEKT"
missing = {{ "9999" = "ASKU" }}
[fields.ga_weeks]
from = "SVLEN"
unit = "days"
missing = {{ "" = "ASKU" }}
[fields.head_circ_cm]
from = "HODE"
unit = "mm"
"""

GERMAN = f"""
name = "geburten"
title = "Geburtenbuch, Arbeitsmappe"
dictionary = "1"
row = "birth"
decimal = ","
{NOT_CARRIED}
[fields.local_record_id]
from = "Geb.-Nr."
[fields.event_date]
from = "Geburtsdatum"
[fields.outcome]
constant = "live"
[fields.child_sex]
from = "Geschlecht"
codes = {{ "m" = "M", "w" = "F", "d" = "X" }}
[fields.birth_weight_g]
from = "Gewicht"
[fields.ga_weeks]
derived = "number(left(\\"SSW\\", 2))"
[fields.ga_days]
derived = "right(\\"SSW\\", 1)"
[fields.head_circ_cm]
from = "KU"
[fields.mother_family_name]
from = "Mutter"
"""


def test_a_french_table_with_semicolons_and_commas(taken):
    rows = [
        "A1;02/11/2024;09:30;né vivant;2;3,4;39;34,5;Lefèvre",
        "A2;03/11/2024;23:05;mort-né;9;9,999;31,0;NI;D'Aubigné",
        "A3;04/11/2024;00:10;né vivant;1;3.400;40;35;Œuvrard",
    ]
    result = taken("\r\n".join([FRENCH_HEADER, *rows, ""]).encode("windows-1252"), mapping=parse(FRENCH))
    assert result.rows(
        "event_date, outcome, child_sex, birth_weight_g, ga_weeks, head_circ_cm, mother_family_name"
    ) == [
        ("2024-11-02T09:30", "live", "F", 3400, 39, 34.5, "Lefèvre"),
        ("2024-11-03T23:05", "stillbirth_unknown", None, None, 31, None, "D'Aubigné"),
        ("2024-11-04T00:10", "live", "M", None, 40, 35.0, "Œuvrard"),
    ]
    assert [(line, rule) for line, rule, field in result.findings() if field == "birth_weight_g"] == [(4, "F2")]


def test_a_nordic_record_of_fixed_width(taken):
    records = ["000001202411021340027334510", "000002202411032999900035020"]
    data = "".join(f"{each[:22]}{each[22:]:18}\n" for each in records).encode("iso-8859-1")
    result = taken(data, mapping=parse(NORDIC))
    assert result.rows("local_record_id, event_date, child_sex, birth_weight_g, ga_weeks, head_circ_cm")[0] == (
        "000001", "2024-11-02", "M", 3400, 39, 34.5,
    )  # fmt: skip
    assert result.checked.rows_read == 2


def test_a_german_workbook_under_a_title(taken):
    header = ["Geb.-Nr.", "Geburtsdatum", "Geschlecht", "Gewicht", "SSW", "KU", "Mutter"]
    rows = [
        ["Kreißsaal 1", None, None, None, None, None, None],
        header,
        ["2024/17", Date(45598, 2), "w", 3400, "39+2", "34,5", "Groß"],
        ["2024/18", Date(45598.5, 4), "d", "2.900", "38+6", 33.5, "Müller-Lüdenscheidt"],
    ]
    result = taken(workbook(rows), mapping=parse(GERMAN))
    assert result.rows(
        "event_date, child_sex, birth_weight_g, ga_weeks, ga_days, head_circ_cm, mother_family_name"
    ) == [
        ("2024-11-02", "F", 3400, 39, 2, 34.5, "Groß"),
        ("2024-11-02T12:00", "X", None, 38, 6, 33.5, "Müller-Lüdenscheidt"),
    ]


@pytest.mark.parametrize("decimal", ["'", "", "comma"])
def test_another_decimal_mark_is_refused(decimal):
    with pytest.raises(MappingFault, match="decimal"):
        parse(FRENCH.replace('decimal = ","', f'decimal = "{decimal}"'))
