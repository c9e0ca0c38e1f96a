"""What the submitter's commands print: the objects of docs/commands.md, and the same in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swaddle.errors import SwaddleError

if TYPE_CHECKING:
    from swaddle.submitter.about import About
    from swaddle.submitter.account import Sent
    from swaddle.submitter.enrol import Enrolled
    from swaddle.submitter.inbox import Got, Received
    from swaddle.wire.messages import InboxEntry


def plain(text: object) -> str:
    """Text for a terminal: nothing in it moves the cursor or changes a colour."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(text))


def enrolment(enrolled: Enrolled, home: Path) -> dict[str, Any]:
    """The object of `enrol --json`."""
    return {"state": enrolled.state, "submitter": enrolled.submitter, "words": enrolled.words, "home": str(home)}


def sent_json(done: Sequence[Sent], seconds: float) -> dict[str, Any]:
    """The object of `send --json`."""
    sealed = sum(one.body_bytes for one in done)
    return {
        "transfers": [
            {
                "id": one.transfer,
                "state": one.state,
                "body_bytes": one.body_bytes,
                "plaintext_bytes": one.plaintext_bytes,
                "held_statement": str(one.held_statement) if one.held_statement else None,
                "receipt": str(one.receipt) if one.receipt else None,
                "rows": one.counts or None,
                "code": one.trouble.code if one.trouble else None,
                "spooled": one.is_spooled,
                "files": None
                if one.members is None
                else {
                    "sent": one.members - sum(left.is_late for left in one.left_out),
                    "left_out": [{"name": left.name, "why": left.why} for left in one.left_out],
                },
            }
            for one in done
        ],
        "seconds": round(seconds, 3),
        "bytes_per_second": round(sealed / seconds) if seconds > 0 else 0,
    }


STATE_WORDS = {
    "held": "sealed and held on the gateway; keep the file until the receipt",
    "stored": "received and stored by the registry; its receipt is here",
    "refused": "received and refused by the registry; `swaddle report` says why",
    "unreadable": "received, but the registry could not open it",
    "failed": "not sent",
    "unchanged": "nothing in this folder is new or changed since it was last receipted or sent",
}
MOST_LEFT_OUT = 50


def sent(done: Sequence[Sent], seconds: float) -> str:
    """What a send did."""
    if not done:
        return "nothing to send: all that was sent has its receipt"
    lines = []
    for one in done:
        files = f"  ({one.members:,} {'file' if one.members == 1 else 'files'})" if one.members else ""
        lines.append(f"{one.transfer or '-' * 32}  {STATE_WORDS.get(one.state, one.state)}{files}")
        if one.is_spooled and one.state == "held":
            lines.append("    a sealed copy lies here until the receipt: what was sent may be deleted")
        lines += [f"    left out: {plain(left.name)}: {left.why}" for left in one.left_out[:MOST_LEFT_OUT]]
        if len(one.left_out) > MOST_LEFT_OUT:
            lines.append(f"    and {len(one.left_out) - MOST_LEFT_OUT:,} more were left out; --json names them all")
    return "\n".join([*lines, f"{len(done)} in {seconds:.1f} s"])


def exit_status(done: Sequence[Sent]) -> int:
    """The worst that happened: the first trouble's, else 6 for a refused file, else 7 for rejected rows or files."""
    for one in done:
        if one.trouble is not None:
            return one.trouble.exit_status
    if any(one.state == "refused" for one in done):
        return 6
    is_partly = any(one.counts.get("rejected") or any(not left.is_usual for left in one.left_out) for one in done)
    return 7 if is_partly else 0


def alerts_json(alerts: Sequence[tuple[Received, About]]) -> list[dict[str, Any]]:
    """The `alerts` of `status --json`."""
    return [{"id": one.transfer, "opened_at": one.opened_at, **_about(about)} for one, about in alerts]


def status(lines: Sequence[Mapping[str, Any]], alerts: Sequence[Mapping[str, Any]] = ()) -> str:
    """What cannot wait, then where every transfer is."""
    told = [f"{each['words']}; opened {each['opened_at']}, `swaddle get {each['id']}`" for each in alerts]
    if not lines:
        told.append("nothing was sent from this home yet")
    for line in lines:
        told.append(f"{line['id'] or '(not announced)':32}  {line['state']:12}  sent {line['sent_at']}")
        told += [f"    a copy {_place(copy)}" for copy in line["copies"]]
        if line["verdict"]:
            told.append("    " + ", ".join(f"{count:,} {name}" for name, count in line["verdict"].items()))
        if line["will_be_sent_again"]:
            told.append("    the gateway has lost it; the next `swaddle send` sends it again")
    return "\n".join(told)


def _place(copy: Mapping[str, Any]) -> str:
    until = f", until {copy['until']} at the latest" if copy["until"] else ""
    where = "sealed, on the gateway" if copy["place"] == "gateway" else f"in the {copy['place']}"
    return f"{where}, since {copy['since']}{until}"


def mapping(told: Mapping[str, Any]) -> str:
    """What a mapping makes of a file, field by field."""
    lines = [f"layout {plain(told['name'])}: {plain(told['title'])}; a row is a {told['row']}"]
    for each in told["fields"]:
        lines.append(f"  {each['field']:<28} {plain(each['from'])}")
        lines += [f"{'':<31}{plain(change)}" for change in each["changes"]]
        for one in each["made"]:
            cell, became = plain(one["cell"] or "(blank)"), plain(one["became"] or "(nothing)")
            lines.append(f"{'':<31}{one['count']:>9,} x  {cell}  ->  {became}")
    if told["not_carried"]:
        lines.append(f"  not carried: {', '.join(told['not_carried'])}")
    return "\n".join(lines)


def unread(fault: SwaddleError) -> dict[str, Any]:
    """The report on a file of a folder that cannot be read as a data set."""
    what, why, fix = fault.lines()
    return {
        "transfer": None,
        "rows": {"read": 0, "stored": 0, "rejected": 0, "duplicates": 0},
        "records": {},
        "findings": [
            {"rule": fault.code, "scope": "file", "severity": "error", "count": 1, "field": "",
             "text": f"{what}: {why}", "fix": fix, "examples": []}
        ],
        "refused": True,
    }  # fmt: skip


def inbox_json(waiting: Sequence[InboxEntry], received: Sequence[tuple[Received, About]]) -> dict[str, Any]:
    """The object of `inbox --json`; alerts first among what was opened."""
    ordered = sorted(received, key=lambda each: each[1].kind != "alert")
    return {
        "waiting": [
            {"id": one.id, "created": one.created, "expires": one.expires, "body_bytes": one.body_bytes}
            for one in waiting
        ],
        "received": [
            {
                "id": one.transfer,
                "kind": one.kind,
                "in_reply_to": one.in_reply_to,
                "opened_at": one.opened_at,
                **_about(about),
            }
            for one, about in ordered
        ],
    }


def inbox(value: Mapping[str, Any]) -> str:
    """What waits and what is here."""
    lines = [f"{one['id']}  waits since {one['created']}, until {one['expires']}" for one in value["waiting"]]
    if lines:
        lines.append("`swaddle get` opens all of them and says first what cannot wait")
    lines += [
        f"{one['id']}  {one['words'] if one['about'] != 'report' else one['kind']}, opened {one['opened_at']}"
        + (f", answers {one['in_reply_to']}" if one["in_reply_to"] and one["about"] == "report" else "")
        for one in value["received"]
    ]
    return "\n".join(lines) or "nothing has come yet"


def got_json(got: Sequence[Got]) -> dict[str, Any]:
    """The object of `get --json` without a transfer, in the order in which it should be read."""
    return {
        "got": [
            {
                "id": each.one.transfer,
                "kind": each.one.kind,
                "in_reply_to": each.one.in_reply_to,
                **_about(each.about),
                "files": [str(each.folder / name) for name in each.one.files],
            }
            for each in got
        ]
    }


def got(got: Sequence[Got]) -> str:
    """What was fetched, and which page to open."""
    lines = []
    for each in got:
        lines.append(each.about.words)
        page = "report.html" if "report.html" in each.one.files else each.one.files[0]
        lines.append(f"  {each.folder / page}")
    return "\n".join(lines) or "nothing waits"


def _about(about: About) -> dict[str, Any]:
    return {"about": about.kind, "month": about.month, "newborns": about.newborns, "words": about.words}
