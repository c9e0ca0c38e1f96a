"""The night: once a day `registry run` asks the rules that wait, and tells each submitter what did not come.

    waiting.look -> a notice for each submitter that is asked anything new -> sealed and sent like a report

What was found is in the store before anything is sent; a notice that could not be sent goes with the next look.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from swaddle.canonical import format_instant
from swaddle.feedback.report import Bundle, SubmissionReport, report
from swaddle.registry import issued, waiting
from swaddle.registry.inside import Registry
from swaddle.registry.state import Submitter

SCHEMA = """
create table if not exists notices (notice text primary key, feedback text not null, sent_at text not null) strict;
"""
LAST = "night"  # the fact that holds the day of the last night
KIND = "waiting"
SHOWN = 5  # examples of a finding


def is_due(inside: Registry) -> bool:
    """Whether no night was done on this day (UTC) yet."""
    return inside.state.fact(LAST) != inside.now().date().isoformat()


def done(inside: Registry) -> None:
    """No other night on this day."""
    inside.state.set_fact(LAST, inside.now().date().isoformat())


def look(inside: Registry) -> dict[str, Any]:
    """Ask the rules that wait; what is new becomes notices, which the next look at the gateway sends."""
    at = inside.now()
    found = waiting.look(inside.store, at, lambda: secrets.token_hex(16))
    done(inside)
    names = {each.id: each.name for each in inside.state.submitters()}
    return {
        "day": at.date().isoformat(),
        "found": dict(found.new),
        "ended": found.ended,
        "standing": found.standing,
        "not_tried": dict(found.not_tried),
        "notices": [
            {"id": notice, "submitter": submitter, "name": names.get(submitter, "unknown")}
            for submitter, notice in found.notices.items()
        ],
    }


def unsent(inside: Registry) -> Iterator[tuple[str, Submitter, datetime]]:
    """Notices that their submitter was not sent yet and could open, oldest first."""
    inside.state.prepare(SCHEMA)
    sent = {notice for (notice,) in inside.state.run("select notice from notices").fetchall()}
    for notice, submitter, at in waiting.notices(inside.store):
        if notice not in sent:
            known = inside.state.submitter(submitter)
            if known is not None and known.state == "active" and known.sealing is not None:
                yield notice, known, at


def is_sent(inside: Registry, notice: str) -> bool:
    """Whether the gateway holds a notice, or held it."""
    inside.state.prepare(SCHEMA)
    return inside.state.run("select 1 from notices where notice = ?", (notice,)).fetchone() is not None


def sent(inside: Registry, notice: str, feedback: str) -> None:
    """Note that the gateway holds a notice, as this transfer."""
    inside.state.prepare(SCHEMA)
    inside.state.run(
        "insert into notices values (?, ?, ?) on conflict do nothing", (notice, feedback, format_instant(inside.now()))
    )


def issue(inside: Registry, notice: str, submitter: Submitter, at: datetime, deadline: str) -> None:
    """Keep the report that a notice is sent as, once, and say in custody that it was asked."""
    if issued.of(inside.store, notice) is None:
        asked = waiting.told(inside.store, notice)
        issued.keep(
            inside.store, notice, submitter.id, bundle(inside, notice, submitter, asked, at, deadline).packed(), at
        )
    if not any(entry.event == "records-asked-for" for entry in inside.ledger.newest(notice)):
        count = len(waiting.told(inside.store, notice))
        inside.ledger.append("records-asked-for", notice, {"submitter": submitter.id, "count": count}, inside.now())


def bundle(
    inside: Registry,
    notice: str,
    submitter: Submitter,
    asked: list[waiting.Asked],
    at: datetime,
    deadline: str,
) -> Bundle:
    """The report: what is missing, rule by rule, and every record by its own number."""
    return report(
        SubmissionReport(
            transfer=notice,
            submitter_name=submitter.name,
            file_kind="Records that have not come",
            received_at=at,
            as_of=inside.now(),
            dictionary_version=inside.store.dictionary.version,
            checked={
                "transfer": notice,
                "kind": KIND,
                "rows": {},
                "records": {},
                "findings": findings(inside, asked),
                "waiting": [
                    {
                        "line": each.line,
                        "rule": each.rule,
                        "form": each.form,
                        "record": each.record,
                        "event": each.event,
                    }
                    for each in asked
                ],
            },
            deadlines=(deadline,),
            is_notice=True,
        )
    )


def findings(inside: Registry, asked: list[waiting.Asked]) -> list[Mapping[str, Any]]:
    """What is asked, by rule, as the findings of a report."""
    told: list[Mapping[str, Any]] = []
    for rule in inside.store.dictionary.rules:
        own = [each for each in asked if (each.rule, each.field) == (rule.id, rule.shows)]
        if own:
            told.append(
                {
                    "rule": rule.id, "scope": rule.scope, "severity": rule.severity, "count": len(own),
                    "field": rule.shows, "text": rule.text, "fix": rule.fix, "text_fr": rule.text_fr or rule.text,
                    "fix_fr": rule.fix_fr or rule.fix,
                    "examples": [
                        {"line": each.line, "field": "local_record_id", "value": each.record} for each in own[:SHOWN]
                    ],
                }
            )  # fmt: skip
    return told
