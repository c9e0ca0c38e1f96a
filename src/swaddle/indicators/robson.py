"""Robson's ten groups: which kind of birth this is, before asking how the child was born.

Pure. `classify` and the SQL expression in v1/robson.sql say the same, and a test compares them on every combination.
The order of the questions is the classification: a preterm head-first single birth is group 10 whatever its parity,
onset or scars. A question that must be asked and has no answer leaves the birth unclassifiable, by that field.

Source: Robson 2001, doi:10.1017/S0965539501000122; the order as in the package robson10classifier 0.2.0.
"""

from __future__ import annotations

TERM_WEEKS = 37
UNCLASSIFIABLE = "unclassifiable"
GROUPS: dict[str, str] = {
    "1": "First birth, one baby head down, 37 weeks or more, labour began by itself",
    "2a": "First birth, one baby head down, 37 weeks or more, labour was induced",
    "2b": "First birth, one baby head down, 37 weeks or more, caesarean before labour",
    "3": "Earlier births without caesarean, one baby head down, 37 weeks or more, labour began by itself",
    "4a": "Earlier births without caesarean, one baby head down, 37 weeks or more, labour was induced",
    "4b": "Earlier births without caesarean, one baby head down, 37 weeks or more, caesarean before labour",
    "5": "Earlier caesarean, one baby head down, 37 weeks or more",
    "6": "First birth, one baby in breech position",
    "7": "Earlier births, one baby in breech position",
    "8": "Twins or more",
    "9": "One baby lying across or obliquely",
    "10": "One baby head down, before 37 weeks",
}
FIRST_BIRTHS_AT_TERM = frozenset({"1", "2a", "2b"})  # together they are the births of the NTSV indicator


def classify(
    *,
    n_fetuses: int | None,
    presentation: str | None,
    ga_weeks: int | None,
    para: int | None,
    previous_cs: int | None,
    onset_labour: str | None,
) -> str:
    """The group of a birth, or `unclassifiable: FIELD` with the first field that should have answered.

    `presentation` "other" is neither head down, breech nor across, so no group fits: `unclassifiable: presentation`.
    """
    if n_fetuses is None:
        return f"{UNCLASSIFIABLE}: n_fetuses"
    if n_fetuses >= 2:
        return "8"
    match presentation:
        case "transverse_oblique":
            return "9"
        case "breech":
            return _by_parity(para, first="6", later="7")
        case "vertex":
            pass
        case _:
            return f"{UNCLASSIFIABLE}: presentation"
    if ga_weeks is None:
        return f"{UNCLASSIFIABLE}: ga_weeks"
    return "10" if ga_weeks < TERM_WEEKS else _at_term(para, previous_cs, onset_labour)


def _at_term(para: int | None, previous_cs: int | None, onset_labour: str | None) -> str:
    if para is None:
        return f"{UNCLASSIFIABLE}: para"
    if para == 0:
        return _by_onset(onset_labour, "1", "2")
    if previous_cs is None:
        return f"{UNCLASSIFIABLE}: previous_cs"
    return "5" if previous_cs >= 1 else _by_onset(onset_labour, "3", "4")


def _by_parity(para: int | None, *, first: str, later: str) -> str:
    if para is None:
        return f"{UNCLASSIFIABLE}: para"
    return first if para == 0 else later


def _by_onset(onset_labour: str | None, spontaneous: str, started: str) -> str:
    match onset_labour:
        case "spontaneous":
            return spontaneous
        case "induced":
            return f"{started}a"
        case "no_labour_cs":
            return f"{started}b"
        case _:
            return f"{UNCLASSIFIABLE}: onset_labour"
