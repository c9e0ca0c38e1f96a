"""How the made-up births are written: the plain layout of dictionary version 1, one line a birth, as UTF-8 text.

Columns bear the names of the dictionary's wide row (docs/data-dictionary.md). No value of a made-up birth holds a
comma, a quotation mark or a line end, so a line is its fields with commas between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from swaddle.demo.cohort import Birth

COLUMNS: tuple[str, ...] = (
    "local_record_id", "site_id", "action", "delivery_local_id",
    "mother_local_id", "mother_family_name", "mother_given_names", "mother_birth_date",
    "mother_hcn_authority", "mother_hcn", "mother_hcn_version", "mother_no_hcn_reason", "mother_postal_code",
    "child_local_id", "child_family_name", "child_given_names", "event_date", "child_sex",
    "child_hcn_authority", "child_hcn", "child_no_hcn_reason", "birth_order", "outcome",
    "admit_dt", "delivery_place", "gravida", "para", "previous_cs", "n_fetuses", "ga_weeks", "ga_days",
    "onset_labour", "induction_indication", "presentation", "birth_type", "cs_type", "perineum", "episiotomy",
    "birth_weight_g", "apgar1", "apgar5", "resuscitation", "nicu_admit", "screening_card_id",
)  # fmt: skip
KIND = "births"
NAMES = (("mother_family_name", "mother_given_names"), ("child_family_name", "child_given_names"))
CARDS = ("mother_hcn", "child_hcn")
LOCAL_IDS = ("local_record_id", "delivery_local_id", "mother_local_id", "child_local_id", "screening_card_id")
BIRTH_DATES = ("mother_birth_date", "event_date")

Row = dict[str, str]


def row(birth: Birth) -> Row:
    """A birth as the fields of a line; what does not apply is NA, what nobody was asked stays blank."""
    about, child = birth.about, birth.child
    weeks, days = divmod(about.gestation_days, 7)
    caesarean = child.birth_type == "caesarean"
    live = child.outcome == "live"
    return {
        "local_record_id": birth.record,
        "site_id": birth.site,
        "action": "new",
        "delivery_local_id": birth.delivery,
        "mother_local_id": birth.mother_id,
        "mother_family_name": birth.mother_family,
        "mother_given_names": birth.mother_given,
        "mother_birth_date": birth.mother_born.isoformat(),
        "mother_hcn_authority": "ON" if birth.mother_card else "none",
        "mother_hcn": birth.mother_card or "NA",
        "mother_hcn_version": birth.mother_card_version,
        "mother_no_hcn_reason": "" if birth.mother_card else "uninsured",
        "mother_postal_code": birth.mother_postal,
        "child_local_id": birth.child_id,
        "child_family_name": birth.child_family,
        "child_given_names": birth.child_given,
        "event_date": f"{birth.born.isoformat()}T{birth.minute // 60:02d}:{birth.minute % 60:02d}",
        "child_sex": child.sex,
        "child_hcn_authority": "ON" if birth.child_card else "none",
        "child_hcn": birth.child_card or "NA",
        "child_no_hcn_reason": "" if birth.child_card else "newborn_not_issued",
        "birth_order": str(birth.order),
        "outcome": child.outcome,
        "admit_dt": birth.admitted.isoformat() if birth.admitted else "NA",
        "delivery_place": "home_planned" if about.planned_at_home else "hospital",
        "gravida": str(about.gravida),
        "para": str(about.para),
        "previous_cs": str(about.previous_caesareans),
        "n_fetuses": str(about.fetuses),
        "ga_weeks": str(weeks),
        "ga_days": str(days),
        "onset_labour": about.onset,
        "induction_indication": _indication(about.onset, weeks),
        "presentation": child.presentation,
        "birth_type": child.birth_type,
        "cs_type": ("planned" if about.onset == "no_labour_cs" else "unplanned") if caesarean else "NA",
        "perineum": child.perineum or "NA",
        "episiotomy": child.episiotomy,
        "birth_weight_g": str(child.weight_g),
        "apgar1": str(child.apgar_1) if live else "NA",
        "apgar5": str(child.apgar_5) if live else "NA",
        "resuscitation": child.resuscitation,
        "nicu_admit": "Y" if child.nicu else "N",
        "screening_card_id": f"{birth.child_id}-K" if live else "",
    }


def lines(rows: Iterable[Row]) -> Iterator[bytes]:
    """The header, then a line for each row; without line ends."""
    yield ",".join(COLUMNS).encode()
    for each in rows:
        yield ",".join([each[column] for column in COLUMNS]).encode()


def _indication(onset: str, weeks: int) -> str:
    if onset != "induced":
        return "NA"
    return "post_dates" if weeks >= 41 else "prom" if weeks < 37 else "hypertension"
