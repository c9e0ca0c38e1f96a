"""An incident as VERIS 1.4.1: the community's own words, so that others can count it. Pure.

What is not known is "Unknown", the schema's own word; nothing is guessed. No person's data has a place in it: free text
goes in only where it does not look as if it held some. Source: VERIS Community Schema 1.4.1 (verisframework.org).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from swaddle.canonical import parse_instant
from swaddle.incident.case import Case
from swaddle.incident.filings import looks_personal, moment

VERSION = "1.4.1"
_UNKNOWN = ["Unknown"]
# The fact `kind`, in the words that `incident fact` knows -> the part of `action`. Varieties are the schema's.
ACTIONS: Mapping[str, Mapping[str, Mapping[str, list[str]]]] = {
    "exploited weakness": {"hacking": {"variety": ["Exploit vuln"], "vector": ["Web application"]}},
    "stolen credentials": {"hacking": {"variety": ["Use of stolen creds"], "vector": _UNKNOWN}},
    "ransomware": {"malware": {"variety": ["Ransomware"], "vector": _UNKNOWN}},
    "lost device": {"error": {"variety": ["Loss"], "vector": _UNKNOWN}},
    "stolen device": {"physical": {"variety": ["Theft"], "vector": _UNKNOWN}},
    "misdelivery": {"error": {"variety": ["Misdelivery"], "vector": _UNKNOWN}},
    "misconfiguration": {"error": {"variety": ["Misconfiguration"], "vector": _UNKNOWN}},
    "insider": {"misuse": {"variety": ["Privilege abuse"], "vector": _UNKNOWN}},
}
_ACTORS: Mapping[str, Mapping[str, Mapping[str, list[str]]]] = {
    "insider": {"internal": {"variety": _UNKNOWN, "motive": _UNKNOWN}},
    "lost device": {"internal": {"variety": _UNKNOWN, "motive": ["NA"]}},
    "misdelivery": {"internal": {"variety": _UNKNOWN, "motive": ["NA"]}},
    "misconfiguration": {"internal": {"variety": _UNKNOWN, "motive": ["NA"]}},
    "ransomware": {"external": {"variety": _UNKNOWN, "motive": ["Financial"]}},
}
_OUTSIDER: Mapping[str, Mapping[str, list[str]]] = {"external": {"variety": _UNKNOWN, "motive": _UNKNOWN}}
_ASSETS = {
    "gateway": "S - File",
    "door": "S - File",
    "store": "S - Database",
    "backup": "M - Unknown",
    "laptop": "U - Laptop",
    "release": "M - Unknown",
    "other": "S - File",
}
_STATES = {
    "sealed": "Stored encrypted",
    "sealed-key-safe": "Stored encrypted",
    "sealed-key-at-risk": "Stored encrypted",
    "door": "Transmitted unencrypted",
    "readable": "Stored unencrypted",
}
_FOUND = {
    "ours": {"internal": {"variety": ["Infrastructure monitoring"]}},
    "submitter": {"external": {"variety": ["Customer"]}},
    "law enforcement": {"external": {"variety": ["Law enforcement"]}},
    "the attacker": {"external": {"variety": ["Actor disclosure"]}},
    "vendor": {"partner": {"variety": ["Other"]}},
}
_COUNTRIES = frozenset(  # ISO 3166-1
    re.findall(
        "[A-Z]{2}",
        "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BR BS BT BV "
        "BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES "
        "ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID "
        "IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU "
        "LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO "
        "NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI "
        "SJ SK SL SM SN SO SR ST SV SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA "
        "VC VE VG VI VN VU WF WS YE YT ZA ZM ZW",
    )
)
_UNITS = ((86_400, "Days"), (3_600, "Hours"), (60, "Minutes"), (1, "Seconds"))


def veris(case: Case) -> dict[str, Any]:
    """The incident as the schema wants it; it validates against `verisc-merged.json` whatever is known."""
    kind = _text(case, "kind")
    return {
        "schema_version": VERSION,
        "schema_name": "Community",
        "incident_id": case.incident,
        "source_id": "swaddle",
        "security_incident": "Confirmed" if case.values.get("confirmed") else "Suspected",
        "confidence": "Medium",
        "summary": _free(case, "cause") or "The cause is not known yet.",
        "timeline": _timeline(case),
        "victim": _victim(case),
        "actor": dict(_ACTORS.get(kind, _OUTSIDER) if kind in ACTIONS else {"unknown": {}}),
        "action": {name: dict(part) for name, part in ACTIONS[kind].items()} if kind in ACTIONS else {"unknown": {}},
        "asset": {
            "assets": [{"variety": _ASSETS.get(str(case.scope.get("place", "gateway")), "Unknown")}],
            "cloud": _UNKNOWN,
        },
        "attribute": {"confidentiality": _confidentiality(case)},
        "discovery_method": _FOUND.get(_text(case, "found_by"), {"unknown": True}),
        "impact": {"overall_rating": "Unknown"},
        "notes": _notes(case),
        "plus": {},
    }


def _text(case: Case, name: str) -> str:
    known = case.values.get(name)
    return "" if known is None else known.en


def _free(case: Case, name: str) -> str:
    text = _text(case, name)
    return "" if looks_personal(name, text) else text


def _timeline(case: Case) -> dict[str, Any]:
    first, last = (parse_instant(each) for each in case.window)
    told: dict[str, Any] = {"incident": {"year": first.year, "month": first.month, "day": first.day}}
    for name, since, until in (
        ("discovery", first, case.instants.get("discovered")),
        ("containment", moment(case.instants.get("discovered", "")), case.instants.get("contained")),
    ):
        end = None if until is None else moment(until)
        told[name] = _span((end - since).total_seconds()) if since and end else {"unit": "Unknown"}
    told["exfiltration"] = _span((last - first).total_seconds())
    return told


def _span(seconds: float) -> dict[str, Any]:
    if seconds < 0:
        return {"unit": "Unknown"}
    for size, unit in _UNITS:
        if seconds >= size:
            return {"unit": unit, "value": round(seconds / size, 1)}
    return {"unit": "Seconds", "value": 0}


def _victim(case: Case) -> dict[str, Any]:
    country = _text(case, "country").upper()
    return {
        "victim_id": _free(case, "organisation") or "Unknown",
        "country": [country] if country in _COUNTRIES else _UNKNOWN,
        "employee_count": "Unknown",
        "industry": "923120",  # NAICS: administration of public health programmes
        "government": _UNKNOWN,
    }


def _confidentiality(case: Case) -> dict[str, Any]:
    states = sorted({_STATES[row["class"]] for row in case.scope.get("protection") or () if row["class"] in _STATES})
    told: dict[str, Any] = {
        "data_disclosure": "Potentially" if case.individuals is None or case.individuals[1] else "Unknown",
        "data_victim": ["Patient"],
        "state": states or _UNKNOWN,
        "data": [{"variety": "Medical"}, {"variety": "Personal"}],
    }
    if case.individuals is not None:
        told["data_total"] = case.individuals[1]
        told["data"] = [{"variety": each, "amount": case.individuals[1]} for each in ("Medical", "Personal")]
        told["notes"] = (
            f"At most {case.individuals[1]} distinct persons, at least {case.individuals[0]}; counted by presence."
        )
    if _text(case, "leak_site_claim"):
        told["data_disclosure"] = "Yes"
    return told


def _notes(case: Case) -> str:
    """What is not known, named: a reader must not take silence for no."""
    wanted = ("cause", "kind", "discovered", "contained", "ransom_demand", "ransom_payment", "leak_site_claim")
    missing = [name.replace("_", " ") for name in wanted if name not in case.values]
    return f"Not known yet: {', '.join(missing)}." if missing else ""
