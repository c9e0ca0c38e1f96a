"""The field checks and row rules of bench/validate.py for pandera and for Frictionless: the same findings as ours.

`form <field>` is every row whose value is no such value or is outside what is possible (F2, F3, F4, F6 and F7 of ours),
`X31 pph` a rule and the field that it shows.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

MISSING = ("", "NI", "ASKU", "NA", "MSK")
FORM = frozenset({"F2", "F3", "F4", "F6", "F7"})
HARD = {
    "n_fetuses": (1, 6), "birth_order": (1, 6), "para": (0, 25), "gravida": (1, 30), "previous_cs": (0, 10),
    "ga_weeks": (0, 60), "ebl_ml": (0, 10000), "birth_weight_g": (100, 8165), "apgar1": (0, 10), "apgar5": (0, 10),
}  # fmt: skip
SOFT = {
    "para": (0, 15), "gravida": (1, 20), "previous_cs": (0, 6), "ga_weeks": (22, 43), "ebl_ml": (0, 3000),
    "birth_weight_g": (500, 6000),
}  # fmt: skip
PICKS = {
    "child_sex": ("M", "F", "X"),
    "delivery_place": ("hospital", "birth_centre", "home_planned", "home_unplanned", "home", "clinic", "other"),
    "onset_labour": ("spontaneous", "induced", "no_labour_cs"),
    "presentation": ("vertex", "breech", "transverse_oblique", "other"),
    "birth_type": ("vaginal", "forceps", "vacuum", "vaginal_unspecified", "caesarean"),
    "cs_type": ("planned", "unplanned"),
    "perineum": (
        *("intact", "first", "second", "third_a", "third_b", "third_c", "fourth", "third_or_fourth", "below_third"),
    ),
    "episiotomy": ("none", "midline", "mediolateral", "yes"),
    "pph": ("Y", "N"),
    "outcome": ("live", "stillbirth_antepartum", "stillbirth_intrapartum", "stillbirth_unknown", "termination"),
}
# The rules that Frictionless can say as row constraints. X13: the file has one kind of stillbirth.
SAID = {
    "X9 ga_weeks": "ga_weeks is None or (20 <= ga_weeks and ga_weeks <= 45)",
    "X12 birth_weight_g": "birth_weight_g is None or apgar5 is None or birth_weight_g >= 500 or apgar5 < 7",
    "X13 outcome": "outcome != 'stillbirth_antepartum' or ((apgar1 or 0) == 0 and (apgar5 or 0) == 0)",
    "X16 gravida": "gravida is None or para is None or gravida >= para + 1",
    "X17 previous_cs": "para is None or previous_cs is None or para > 0 or previous_cs == 0",
    "X18 previous_cs": "para is None or previous_cs is None or previous_cs <= para",
    "X24 birth_type": "birth_type != 'caesarean' or ((episiotomy or 'none') == 'none' and "
    "(perineum or 'intact') in ['intact', 'below_third'])",
    "X25 cs_type": "birth_type is None or birth_type == 'caesarean' or cs_type is None",
    "X26 onset_labour": "onset_labour != 'no_labour_cs' or birth_type is None or birth_type == 'caesarean'",
    "X31 pph": "ebl_ml is None or birth_type is None or pph is None or pph == 'Y' or "
    "ebl_ml < (1000 if birth_type == 'caesarean' else 500)",
}


def shared(mine: Counter[str]) -> Counter[str]:
    """Our findings as the peers count them."""
    found: Counter[str] = Counter()
    for what, count in mine.items():
        rule, _, field = what.partition(" ")
        found[f"form {field}" if rule in FORM else what] += count
    return found


def pandera_counts(path: Path, at: datetime) -> Counter[str]:
    """What pandera finds: the file as text, made numbers and dates of, checked column by column."""
    import pandas as pd
    import pandera.pandas as pa

    text = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=list(MISSING))
    frame, columns = pd.DataFrame(index=text.index), dict[str, pa.Column]()
    for name, (low, high) in HARD.items():
        number = pd.to_numeric(text[name], errors="coerce").astype(float)
        frame[name] = number.where(number % 1 == 0)
        frame[f"form {name}"] = text[name].isna() | ((frame[name] >= low) & (frame[name] <= high))
    for name, limits in SOFT.items():
        frame[f"{name} usual"] = frame[name].where(frame[f"form {name}"])
        columns[f"{name} usual"] = pa.Column(float, pa.Check.in_range(*limits, error=f"F5 {name}"), nullable=True)
    for name, values in PICKS.items():
        frame[name] = text[name].astype(object)
        columns[name] = pa.Column(object, pa.Check.isin(values, error=f"form {name}"), nullable=True)
    event = pd.to_datetime(text["event_date"], format="%Y-%m-%d", errors="coerce")
    admitted = pd.to_datetime(text["admit_dt"], format="%Y-%m-%dT%H:%M", errors="coerce").dt.normalize()
    frame["form event_date"] = text["event_date"].isna() | event.notna()
    frame["form admit_dt"] = text["admit_dt"].isna() | admitted.notna()
    known = {name: frame[name].where(frame[name].isin(values)) for name, values in PICKS.items()}
    caesarean = known["birth_type"] == "caesarean"
    number = {name: frame[name] for name in HARD}
    whole = known["perineum"].fillna("intact").isin(["intact", "below_third"])
    late = pd.Timestamp(at.date()) + pd.Timedelta(days=1)
    rules = {
        "X6 event_date": ~(event > late),
        "X5 admit_dt": ~(admitted > event),
        "X9 ga_weeks": number["ga_weeks"].isna() | number["ga_weeks"].between(20, 45),
        "X12 birth_weight_g": ~((number["birth_weight_g"] < 500) & (number["apgar5"] >= 7)),
        "X13 outcome": (known["outcome"] != "stillbirth_antepartum")
        | ((number["apgar1"].fillna(0) == 0) & (number["apgar5"].fillna(0) == 0)),
        "X16 gravida": ~(number["gravida"] < number["para"] + 1),
        "X17 previous_cs": ~((number["para"] <= 0) & (number["previous_cs"] != 0) & number["previous_cs"].notna()),
        "X18 previous_cs": ~(number["previous_cs"] > number["para"]),
        "X24 birth_type": ~caesarean
        | (known["episiotomy"].fillna("none").eq("none") & whole),
        "X25 cs_type": known["birth_type"].isna() | caesarean | known["cs_type"].isna(),
        "X26 onset_labour": (known["onset_labour"] != "no_labour_cs") | known["birth_type"].isna() | caesarean,
        "X31 pph": number["ebl_ml"].isna() | known["birth_type"].isna() | known["pph"].isna() | (known["pph"] == "Y")
        | (number["ebl_ml"] < caesarean.map({True: 1000, False: 500})),
    }  # fmt: skip
    for name, holds in rules.items():
        frame[name] = holds
    for name in [*rules, *(f"form {name}" for name in HARD), "form event_date", "form admit_dt"]:
        columns[name] = pa.Column(bool, pa.Check.equal_to(True, error=name))
    try:
        pa.DataFrameSchema(columns).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        return Counter({str(k): int(v) for k, v in errors.failure_cases["check"].value_counts().items()})
    return Counter()


def frictionless_counts(path: Path, _: datetime) -> Counter[str]:
    """What Frictionless finds: a schema with constraints, and the rules as row constraints."""
    import csv

    from frictionless import Checklist, Resource, Schema, checks

    with path.open(newline="") as file:
        names = next(csv.reader(file))
    fields: list[dict[str, Any]] = []
    for name in names:
        if name in HARD:
            low, high = HARD[name]
            fields.append({"name": name, "type": "integer", "constraints": {"minimum": low, "maximum": high}})
        elif name in PICKS:
            fields.append({"name": name, "type": "string", "constraints": {"enum": list(PICKS[name])}})
        else:
            fields.append({"name": name, "type": "date" if name == "event_date" else "string"})
    schema = Schema.from_descriptor({"fields": fields, "missingValues": list(MISSING)})
    said = [checks.row_constraint(formula=formula) for formula in SAID.values()]
    resource = Resource(path=path.name, basepath=str(path.parent), schema=schema)
    report = resource.validate(Checklist(checks=said), limit_errors=10**9)
    by_formula = {formula: name for name, formula in SAID.items()}
    found: Counter[str] = Counter()
    for task in report.tasks:
        for error in task.errors:
            field = getattr(error, "field_name", None)
            formula = next((each for each in by_formula if each in error.note), None)
            found[f"form {field}" if field else by_formula[formula] if formula else error.type] += 1
    return found
