"""What people write down about an incident: each fact with its value, its source and its date, or "unknown". Pure.

The forms (incident/forms) and letters read facts by these names. A fact is free text, so it lies in the encrypted
store; custody has a salted commitment to it, and nobody can say later that something else was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from swaddle.canonical import canonical, digest_hex
from swaddle.errors import UsageFault

UNKNOWN = "unknown"
MOST_CHARACTERS = 4_000
FACTS: Mapping[str, str] = {
    "organisation": "the organisation that files: name and address",
    "contact": "whom an authority or a person can reach",
    "kind": "what kind of incident it is, as `exploited weakness`, `ransomware`, `lost device`, `insider`",
    "cause": "what made it possible",
    "component": "the product and version that was broken into",
    "discovery": "how it was found out, and by whom",
    "discovered": "the day or moment it was found out",
    "containment": "what was done to stop it, with dates and results",
    "contained": "the day or moment it was stopped",
    "law_enforcement": "whom of the police was told, when, and what they asked",
    "ransom_demand": "whether a ransom was demanded, how much, by when",
    "ransom_payment": "whether anything was paid",
    "leak_site_claim": "whether somebody claims to have the data, where",
    "press_line": "what is said to the press",
    "others_involved": "other organisations involved",
    "safeguards": "what protected the data before",
    "prevention": "what was changed so that it does not happen again",
    "consequences": "what may follow for the persons",
    "risk_reasoning": "why the risk to persons is judged as it is",
    "notification": "how persons are told",
    "letters_sent": "the day letters went out",
    "authority_told": "the day the authority was told",
    "public_notice": "the day and place of a public notice",
    "in_quebec": "how many of the persons live in Québec",
    "country": "two letters of the organisation's country",
    "found_by": "who found it: `ours`, `submitter`, `vendor`, `law enforcement`, `the attacker`",
    "confirmed": "why it is certain that it happened",
    "attestation": "who attests the filing",
}
_DAY = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


class FactWrong(UsageFault):
    """A fact that cannot be kept so."""

    code = "SWD-INCIDENT-06"
    what = "this fact was not written down"
    why = "{reason}"
    fix = "write `swaddle incident fact INCIDENT NAME VALUE --source WHO --at 2026-11-22`; VALUE may be `unknown`"


@dataclass(frozen=True)
class Fact:
    """One fact; `at` is the day or moment from which its source knew it."""

    name: str
    value: str
    source: str
    at: str

    def commitment(self, incident: str, salt: str) -> str:
        """What custody keeps: SHA-256 of the canonical JSON of all of it and a salt, so that nobody can guess it."""
        told = {"at": self.at, "incident": incident, "name": self.name, "salt": salt, "source": self.source}
        return digest_hex(canonical({**told, "value": self.value}))


def fact_of(name: str, value: str, source: str, at: str) -> Fact:
    """A fact as it may be kept.

    Raises:
        FactWrong: a name that is not in FACTS, nothing said, too much, control characters, or no day.
    """
    if name not in FACTS:
        raise FactWrong(f"a fact is one of {', '.join(FACTS)}")
    for each in (value, source):
        if not each.strip():
            raise FactWrong("its value or its source is empty; write `unknown` for what nobody knows")
        if len(each) > MOST_CHARACTERS:
            raise FactWrong(f"it has more than {MOST_CHARACTERS:,} characters")
        if _CONTROL.search(each):
            raise FactWrong("there are control characters in it")
    if not _DAY.fullmatch(at):
        raise FactWrong("its date is not a day (2026-11-22) or a moment (2026-11-22T09:24:37Z)")
    return Fact(name, value.strip(), source.strip(), at)
