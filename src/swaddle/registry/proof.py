"""The proof of a disposal: that it is what custody says, and which record numbers were in it.

A leaf is SHA-256 over salt, kind, submitter, form and record number. Who has the number can find it in the list; who
has the list cannot find the number without trying all there are, and the list lies encrypted. When the time of the
proof is over it goes too, and custody's counts and commitment stay.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from swaddle.canonical import format_instant
from swaddle.errors import IntegrityFault, UsageFault
from swaddle.registry import admin
from swaddle.registry.disposal import committed
from swaddle.registry.inside import Registry

MOST_NUMBERS = 10_000


class NoSuchDisposal(UsageFault):
    """There is none of that id, or its proof has gone."""

    code = "SWD-REG-85"
    what = "there is no proof of this disposal"
    fix = "`swaddle registry disposal list` shows them all; custody keeps counts and commitment after the proof is gone"


class ProofBroken(IntegrityFault):
    """The list of a disposal is not the one that custody names."""

    code = "SWD-REG-86"
    what = "the proof of this disposal does not hold"
    why = "the list in the store is not the one whose digest custody holds, or the store still has a record of it"
    fix = "treat it as an incident: somebody changed the store, or it is from a backup older than the disposal"


def listed(inside: Registry) -> dict[str, Any]:
    """Every disposal, the latest first."""
    rows = inside.store.connection.execute(
        "select id, state, begun_at, ended_at, schedule, schedule_version, commitment, counts, salt is not null"
        " from clinical.disposals order by begun_at desc"
    ).fetchall()
    return {
        "disposals": [
            {
                "id": row[0], "state": row[1], "begun_at": _instant(row[2]), "ended_at": _instant(row[3]),
                "schedule_sha256": row[4], "schedule_version": row[5], "commitment": row[6],
                "counts": json.loads(row[7]), "has_proof": row[8],
            }
            for row in rows
        ]
    }  # fmt: skip


def verify(inside: Registry, disposal: str) -> dict[str, Any]:
    """Check a disposal's list against custody, and the store against the list.

    Returns:
        `id`, `commitment`, `listed` (how many), `came_again` (record numbers in the list under which the submitter has
        sent a record since, one that the schedule keeps).

    Raises:
        NoSuchDisposal: there is none, or its proof has gone.
        ProofBroken: the list is another one, or a record of it is still there.
    """
    one, salt, ended_at, commitment = _proof(inside, disposal)
    entries = [entry for entry in inside.ledger.entries(one) if entry.event == "data-disposed"]
    if committed(inside.store.connection, one) != commitment:
        raise ProofBroken
    if not entries or entries[-1].detail["commitment"] != commitment:
        raise ProofBroken
    leaf = "sha256(concat_ws(chr(31), $salt, 'record', kept.submitter, kept.form, local_record_id))"
    left, again = inside.store.connection.execute(
        "select count(*) filter (loaded_at < $ended_at), count(*) filter (loaded_at >= $ended_at)"
        " from clinical.stored_rows kept join clinical.loads using (load_id)"
        f" where {leaf} in (select leaf from clinical.disposed where disposal = $disposal)",
        {"salt": salt.hex(), "disposal": one, "ended_at": ended_at},
    ).fetchone() or (0, 0)
    if left:
        raise ProofBroken
    number = inside.store.connection.execute(
        "select count(*) from clinical.disposed where disposal = ?", [one]
    ).fetchone()
    assert number is not None
    return {"id": one, "commitment": commitment, "listed": int(number[0]), "came_again": int(again)}


def find(inside: Registry, submitter_name: str, form: str, numbers: Sequence[str]) -> dict[str, Any]:
    """Which of a submitter's record numbers were let go of, and in which disposal.

    Args:
        inside: the registry.
        submitter_name: whose numbers they are.
        form: what a row of the file was.
        numbers: as the submitter wrote them.

    Raises:
        NoSuchSubmitter: nobody has that name.
        NoSuchDisposal: more numbers than are looked up at once.
    """
    submitter = admin.named(inside, submitter_name)
    if len(numbers) > MOST_NUMBERS:
        raise NoSuchDisposal(f"at most {MOST_NUMBERS:,} numbers are looked up at once")
    found = inside.store.connection.execute(
        "select asked.place, made.id, made.ended_at from"
        " (select unnest($numbers::varchar[]) as number, unnest(range(len($numbers::varchar[]))) as place) asked"
        " cross join (select id, ended_at, lower(hex(salt)) as salt from clinical.disposals"
        " where salt is not null and state = 'done') made"
        " join clinical.disposed listed on listed.disposal = made.id and listed.leaf ="
        " sha256(concat_ws(chr(31), made.salt, 'record', $submitter, $form, asked.number)) order by all",
        {"numbers": list(numbers), "submitter": submitter.id, "form": form},
    ).fetchall()
    return {
        "asked": len(numbers),
        "found": [{"place": place + 1, "disposal": made, "at": _instant(at)} for place, made, at in found],
    }


def _proof(inside: Registry, disposal: str) -> tuple[str, bytes, datetime, str]:
    rows = inside.store.connection.execute(
        "select id, salt, ended_at, commitment from clinical.disposals where starts_with(id, ?) and state = 'done'",
        [disposal],
    ).fetchall()
    if len(rows) != 1 or len(disposal) < 6 or rows[0][1] is None:
        raise NoSuchDisposal("none, or more than one, has an id that begins so, or its proof's own time was over")
    return str(rows[0][0]), bytes(rows[0][1]), rows[0][2], str(rows[0][3])


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else format_instant(moment.replace(tzinfo=UTC))
