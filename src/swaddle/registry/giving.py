"""Giving back: each submission is answered by a report, sealed to its submitter, sent through the same gateway.

Reports are made when everything that waited has been taken in, so that "others" are as many as there are.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from swaddle.canonical import parse_instant
from swaddle.feedback import french
from swaddle.feedback.deliver import clear, deliver
from swaddle.feedback.report import Bundle, Refusal, RejectedRow, SubmissionReport, report
from swaddle.feedback.trend import MOST_SHOWN, Sent
from swaddle.indicators.compute import compute
from swaddle.indicators.results import IndicatorResult
from swaddle.registry import alerts, issued, night, snapshots, told, views
from swaddle.registry.consent import Purpose
from swaddle.registry.inside import Registry
from swaddle.registry.state import Submitter, Transfer

Indicators = tuple[IndicatorResult, ...]
Computed = dict[str, Indicators]
FEEDBACK_LIFE = timedelta(days=13, hours=23)


def give_back(inside: Registry) -> int:
    """Report on every submission that has not been answered; how many reports the gateway now holds."""
    sent = give_alerts(inside)  # what cannot wait goes first
    at = inside.now()
    computed: Computed = {}  # once for each submitter: a look's reports are of one moment
    for transfer in inside.state.unanswered():
        submitter = inside.state.submitter(transfer.submitter)
        if submitter is not None and submitter.state == "active":
            if issued.of(inside.store, transfer.id) is None:
                bundle = bundle_for(inside, transfer, submitter, at, computed)
                issued.keep(inside.store, transfer.id, submitter.id, bundle.packed(), at)
            inside.state.update(transfer.id, feedback=send_report(inside, transfer.id, submitter))
            clear(inside.outbox / transfer.id)
            sent += 1
    return sent + give_notices(inside)


def give_alerts(inside: Registry) -> int:
    """Tell hospitals whose care cannot wait (alerts.py); how many alerts the gateway now holds."""
    sent = 0
    for each, submitter, _ in alerts.unsent(inside):
        alerts.issue(inside, each, submitter)
        alerts.sent(inside, each, send_report(inside, each, submitter))
        clear(inside.outbox / each)
        sent += 1
    return sent


def give_notices(inside: Registry) -> int:
    """Tell submitters what did not come (night.py); how many notices the gateway now holds."""
    sent = 0
    for notice, submitter, found_at in night.unsent(inside):
        night.issue(inside, notice, submitter, found_at, deadline(inside.now()))
        night.sent(inside, notice, send_report(inside, notice, submitter))
        clear(inside.outbox / notice)
        sent += 1
    return sent


def send_report(inside: Registry, answers: str, submitter: Submitter) -> str:
    """Bring one report to the gateway, as it was issued; its transfer's id. A kill is made good by calling again."""
    report_issued = issued.of(inside.store, answers)
    assert submitter.sealing is not None
    assert report_issued is not None
    at = inside.now()
    feedback = deliver(
        report_issued.bundle,
        answers=answers,
        folder=inside.outbox / answers,
        sender=inside.keyring.registry_id,
        recipient=submitter.sealing,
        signer=inside.keyring.statement,
        client=inside.client,
        expires=at + FEEDBACK_LIFE,
        now=at,
    )
    if not any(entry.event == "feedback-sent" for entry in inside.ledger.entries(feedback)):
        detail = {"answers": answers, "place": "gateway", "submitter": submitter.id}
        inside.ledger.append("feedback-sent", feedback, detail, at)
    return feedback


def deadline(at: datetime) -> str:
    """Until when a report that is sent now waits on the gateway."""
    return f"This report waits for you until {at + FEEDBACK_LIFE:%-d %B %Y}; ask for it again after that."


def deadline_fr(at: datetime) -> str:
    """The same in French."""
    return f"Ce rapport vous attend jusqu'au {french.day(at + FEEDBACK_LIFE)}; redemandez-le ensuite."


def left_out(inside: Registry, submitter: str) -> int:
    """Births of a submitter that no indicator counts, because somebody asked so."""
    row = inside.store.connection.execute(views.left_out(Purpose.QUALITY), {"submitter": submitter}).fetchone()
    return int(row[0]) if row else 0


def bundle_for(inside: Registry, transfer: Transfer, submitter: Submitter, at: datetime, computed: Computed) -> Bundle:
    """The report on one submission, from what the store keeps of it."""
    row = inside.store.connection.execute(
        "select report, rejected from identifiers.reports join clinical.loads using (load_id)"
        " where reports.transfer = ? and loads.member = 0 and loads.sheet = 0",
        [transfer.id],
    ).fetchone()
    assert row is not None
    kept, rejected = json.loads(row[0]), bytes(row[1])
    verdict = inside.store.verdict(transfer.id) or {}
    indicators: Indicators = ()
    if verdict.get("outcome") == "stored":
        if submitter.id not in computed:
            computed[submitter.id] = what_is_told(inside, submitter.id, at)
        indicators = computed[submitter.id]
    return report(
        SubmissionReport(
            transfer=transfer.id,
            submitter_name=submitter.name,
            file_kind=kept["file_kind"] or "not recognised",
            received_at=parse_instant(kept["received_at"]),
            as_of=at,
            dictionary_version=kept["dictionary_version"],
            checked=as_stored(kept["checked"], transfer.id, verdict),
            not_carried=tuple(kept["not_carried"]),
            refused=refusal(kept, verdict),
            rejected=tuple(RejectedRow(**row) for row in kept.get("rejected", ())),
            earlier=sent_until(inside, transfer),
            deadlines=(deadline(at),),
            deadlines_fr=(deadline_fr(at),),
            left_out=left_out(inside, submitter.id),
        ),
        indicators,
        rejected_csv=rejected or None,
    )


def what_is_told(inside: Registry, submitter: str, at: datetime) -> Indicators:
    """A submitter's few indicators beside all others; what is told is remembered. Peers are in the month's report."""
    store, policy = inside.store.connection, told.policy_of(inside.settings)
    indicators = compute(
        store,
        submitter,
        as_of=at,
        policy=policy,
        earlier=told.earlier(inside, submitter),
        dictionary=inside.store.dictionary.version,
        snapshot=snapshots.state_of(inside.store),
    )
    told.remember(inside, submitter, indicators)
    return indicators


def sent_until(inside: Registry, transfer: Transfer) -> tuple[Sent, ...]:
    """What this submitter's last transfers came to, oldest first, up to this one."""
    rows = inside.store.connection.execute(
        "select loaded_at, rows_read, rows_rejected from clinical.loads where submitter = $submitter and member = 0"
        " and sheet = 0 and rows_read > 0 and load_id <= (select max(load_id) from clinical.loads"
        " where transfer = $transfer and member = 0 and sheet = 0) order by load_id desc limit $most",
        {"submitter": transfer.submitter, "transfer": transfer.id, "most": MOST_SHOWN},
    ).fetchall()
    return tuple(Sent(at=at.replace(tzinfo=UTC), read=read, rejected=rejected) for at, read, rejected in reversed(rows))


def as_stored(checked: dict[str, Any] | None, transfer: str, verdict: dict[str, Any]) -> dict[str, Any]:
    """What the check found, with the rows as they were stored in the end."""
    rows = {name: verdict.get(name, 0) for name in ("read", "stored", "rejected", "duplicates")}
    empty: dict[str, Any] = {"transfer": transfer, "records": {}, "findings": []}
    return {**(checked or empty), "rows": rows}


def refusal(kept: dict[str, Any], verdict: dict[str, Any]) -> Refusal | None:
    """Why nothing was stored, where nothing was."""
    if kept["reason"] is not None:
        return Refusal(what=kept["reason"]["what"], why=kept["reason"]["why"], fix=kept["reason"]["fix"])
    if verdict.get("outcome") == "refused":
        return Refusal(
            what="This file was refused whole.",
            why="More than 20 of 100 rows have an error: most often a column is read as another one.",
            fix="Look at the most frequent error below, mend the export or its mapping, and send the file again.",
            why_fr="Plus de 20 lignes sur 100 comportent une erreur : le plus souvent, une colonne est prise pour une"
            " autre.",
            fix_fr="Regardez l'erreur la plus fréquente ci-dessous, corrigez l'exportation ou sa correspondance, puis"
            " renvoyez le fichier.",
        )
    return None
