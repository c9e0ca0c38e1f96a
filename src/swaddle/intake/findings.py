"""Findings in words: a check's or a rule's text about this field, and the object that `check --json` prints. Pure."""

from __future__ import annotations

from collections.abc import Mapping as Map
from typing import Any

from swaddle.dictionary.model import Dictionary, Rule, WideField
from swaddle.dictionary.words import Language
from swaddle.intake.cast import FORMS
from swaddle.intake.tables import Checked, FindingSummary

_ORDER = {"error": 0, "warning": 1, "review": 2, "info": 3}


FORMS_FR = {
    "date": "une date existante écrite AAAA-MM-JJ",
    "datetime": "une date (AAAA-MM-JJ) ou une date et une heure (AAAA-MM-JJThh:mm) qui existent",
    "event": "une date existante écrite AAAA, AAAA-MM, AAAA-MM-JJ ou AAAA-MM-JJThh:mm",
    "int": "un nombre entier",
    "decimal": "un nombre (avec un point, sans virgule)",
    "yesno": "oui ou non (Y, N)",
    "pairs": "sous la forme code=valeur, séparés par des points-virgules",
}


def words(
    dictionary: Dictionary, check: str, field: str, rule: Rule | None, facts: Map[str, str], language: Language = "en"
) -> tuple[str, str]:
    """Text and fix of a finding; what a dictionary has no French for is told in English."""
    found = rule or dictionary.checks[check]
    text, fix = found.text, found.fix
    if language == "fr":
        text, fix = found.text_fr or text, found.fix_fr or fix
    if rule is not None:
        return text, fix
    about = dictionary.wide().get(field)
    told = {**_facts(about, check, language), **facts} if about else dict(facts)
    return _fill(text, told), _fill(fix, told)


def _facts(about: WideField, check: str, language: Language) -> dict[str, str]:
    field = about.field
    limits = field.hard if check == "F4" else field.soft
    facts = {
        "title": about.title,
        "field": about.name,
        "form": FORMS.get(field.type, ""),
        "codes": ", ".join(field.values),
        "range": say_range(limits, field.unit, language) if limits else "",
        "unit_hint": field.mistaken_unit[2] if field.mistaken_unit else "",
    }
    if language == "fr":
        facts |= {"title": about.title_fr, "form": FORMS_FR.get(field.type, "")}
        facts |= {"unit_hint": field.mistaken_unit_fr or facts["unit_hint"]}
    return facts


def say_range(limits: tuple[float | None, float | None], unit: str, language: Language = "en") -> str:
    """`100 to 8165 g`, `over 0`."""
    low, high = limits
    if language == "fr":
        told = (
            f"{low:g} à {high:g}"
            if low is not None and high is not None
            else f"plus de {low}"
            if low is not None
            else f"au plus {high}"
        )
        return f"{told} {unit}".rstrip()
    said = (
        f"{low:g} to {high:g}"
        if low is not None and high is not None
        else f"over {low}"
        if low is not None
        else f"up to {high}"
    )
    return f"{said} {unit}".rstrip()


def _fill(text: str, facts: Map[str, str]) -> str:
    """A template with its facts; a fact is never read as a template."""
    out, rest = "", text
    while "{" in rest:
        before, _, after = rest.partition("{")
        name, closed, rest = after.partition("}")
        out += before + (facts.get(name, "") if closed else "{" + name)
    return out + rest


def sort_key(finding: FindingSummary) -> tuple[int, int, str, str]:
    """Errors first, then the most frequent."""
    return _ORDER[finding.severity], -finding.count, finding.rule, finding.field


def report_json(checked: Checked, transfer: str | None) -> dict[str, Any]:
    """What `check --json` and `report --json` print (docs/commands)."""
    return {
        "transfer": transfer,
        "kind": checked.kind,
        "layout": checked.title,
        "where": checked.where,
        "dictionary": checked.dictionary_version,
        "refused": checked.refused,
        "rows": {
            "read": checked.rows_read,
            "stored": 0 if checked.refused else checked.accepted - checked.duplicates,
            "rejected": checked.rows_read if checked.refused else checked.rejected,
            "duplicates": 0 if checked.refused else checked.duplicates,
        },
        "records": dict(checked.records),
        "findings": [
            {
                "rule": each.rule,
                "scope": each.scope,
                "severity": each.severity,
                "count": each.count,
                "field": each.field,
                "text": each.text,
                "fix": each.fix,
                "text_fr": each.text_fr or each.text,
                "fix_fr": each.fix_fr or each.fix,
                "examples": [
                    {"line": example.line, "field": example.field, "value": example.value} for example in each.examples
                ],
            }
            for each in checked.findings
        ],
        "not_carried": list(checked.not_carried),
        "not_evaluated": dict(checked.not_evaluated),
        "only_the_registry_checks": list(checked.registry_only),
        "keys_derived": checked.keys_derived,
    }
