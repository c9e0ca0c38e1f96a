"""What is told about a FHIR file as a whole: what was not read, what was met on the way, why nothing was read. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from swaddle.intake.readers import fhir_kinds as kinds
from swaddle.intake.readers.fhir_kinds import Kind
from swaddle.intake.readers.fhir_places import Noticed
from swaddle.intake.readers.fhir_record import FhirRecord, Resource, objects, said, text_of
from swaddle.intake.readers.fhir_values import in_utc
from swaddle.intake.readers.fhir_verified import flags
from swaddle.intake.tables import Finding

NAMES_SHOWN = 40  # kinds named in one finding; the rest are counted together
UNKNOWN_MESSAGE, CHANGES_MEANING, OTHER_VERSION, NOT_OURS, BAD_BLOCK, NOBODY = "J3", "J6", "J7", "J8", "J10", "J11"
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,39}")
# Resources that only carry, sign or address the others: nothing in them is about mother or child.
_PLUMBING = frozenset(["MessageHeader", "Parameters", "Composition", "OperationOutcome"])


@dataclass(frozen=True, slots=True)
class Reads:
    """What a layout reads.

    Attributes:
        types: resource types.
        coded: of those with codes, the codes; "" among them where all are read.
        measured: whether measured values are read, whatever their code.
    """

    types: frozenset[str]
    coded: Map[str, frozenset[str]]
    measured: bool


@dataclass
class Notes:
    """What is told about the file."""

    replies: dict[str, Counter[str]] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)
    resources: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    simple: Counter[str] = field(default_factory=Counter)
    noticed: Noticed = field(default_factory=Noticed)
    broken: list[tuple[int, str, str]] = field(default_factory=list)


def note_unread(record: FhirRecord, reads: Reads, notes: Notes) -> None:
    """Count what the mapping does not read of a record that gave a row."""
    for each in (*record.outer, *record.resources):
        kind = text_of(each, "resourceType")
        if kind not in reads.types:
            notes.resources[token(kind) or "another"] += kind not in _PLUMBING
        elif kind in reads.coded:
            _note_code(each, reads, notes)
        notes.simple["J32"] += flags(each)
    notes.simple["J30"] += any(in_utc(each) for each in _times(record))
    notes.simple["J29"] += len(notes.noticed.dead)
    notes.noticed.dead.clear()


def _note_code(resource: Resource, reads: Reads, notes: Notes) -> None:
    codes, read = said(resource.get("code")), reads.coded[text_of(resource, "resourceType")]
    if not codes:
        notes.simple["J26"] += 1
    elif "" in read or (reads.measured and "valueQuantity" in resource):
        return
    elif read.isdisjoint({each.casefold() for each in codes | said(resource.get("category"))}):
        notes.codes[next(filter(None, map(token, sorted(codes))), "another")] += 1


def _times(record: FhirRecord) -> Iterator[str]:
    for kind in ("DiagnosticReport", "Observation", "Encounter"):
        for each in record.by_type.get(kind, ()):
            yield from (value for value in each.values() if isinstance(value, str))


def about_reply(record: FhirRecord, kind: Kind) -> str:
    """A few words on a reply, none of them anybody's."""
    if kind is Kind.ERROR:
        issues = [each for one in record.by_type.get("OperationOutcome", ()) for each in objects(one.get("issue"))]
        words = sorted({f"{token(text_of(each, 'severity'))}/{token(text_of(each, 'code'))}" for each in issues})
        return " and ".join(words[:4]) or "no reason given"
    if kind is Kind.STATUS:
        return token(record.parameters.get("status", "")) or "no status given"
    response = record.header.get("response")
    said_code = token(text_of(response, "code")) if isinstance(response, dict) else ""
    return said_code or token(kinds.event_of(record)) or "another"


def token(text: str) -> str:
    """`text` where it is a plain word that may be shown, else nothing."""
    return text if _TOKEN.fullmatch(text) else ""


def why_nothing(notes: Notes) -> str:
    """Why nothing of a file can be read."""
    found = [f"{counted.total()} replies of a receiver ({_names(counted)})" for counted in notes.replies.values()]
    found += [f"records for which no layout was named ({_names(notes.left)})"] if notes.left else []
    checks = Counter(check for _, check, _ in notes.broken)
    texts = {
        OTHER_VERSION: "of another version of FHIR than R4",
        UNKNOWN_MESSAGE: "messages of an unknown kind",
        NOT_OURS: "neither birth, fetal death, newborn screen nor person",
        CHANGES_MEANING: "with modifiers that change its meaning",
    }
    found += [f"{count} {texts.get(check, 'that are no FHIR records')}" for check, count in checks.items()]
    details = sorted({shown for _, check, shown in notes.broken if check == OTHER_VERSION})
    return "; ".join(found + details[:3]) or "no record"


def _names(counted: Counter[str]) -> str:
    ordered = sorted(((name, count) for name, count in counted.items() if count), key=lambda each: -each[1])
    shown = [f"{name} ({count})" for name, count in ordered[:NAMES_SHOWN]]
    rest = len(ordered) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def findings(notes: Notes) -> list[Finding]:
    """What is told about the file as a whole (dictionary/v1/checks.toml says the words)."""
    told = {
        **notes.replies,
        "J33": notes.left,
        "J24": notes.resources,
        "J25": notes.codes,
        "J27": notes.noticed.ambiguous,
        "J28": notes.noticed.contradicted,
        "J35": notes.noticed.dayless,
    }
    found = [
        Finding(check, count=counted.total(), facts={"names": _names(+counted)})
        for check, counted in sorted(told.items())
        if counted.total()
    ]
    return found + [Finding(check, count=count) for check, count in sorted(notes.simple.items()) if count]
