"""The review queue: findings that somebody in the registry looks at, and what a named person decided about each.

A finding of severity `review` rejects nothing and asks nothing of its submitter alone: two deliveries of one mother too
close, a stay that never came. It waits here until it is decided, answered, or no longer so. A decision holds for the
value that was looked at: the same finding about another value is a new one.

    right   the data stand as they are; the finding is silent from now on
    wrong   the submitter has to mend it; it leaves the queue and stays in the submitter's reports until mended
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from swaddle.canonical import format_instant
from swaddle.errors import NotThere
from swaddle.registry import waiting
from swaddle.registry.answered import KEPT, RIGHT, WHOLE
from swaddle.registry.inside import Registry
from swaddle.registry.signed_by import word_of
from swaddle.registry.views import current

WRONG = "wrong"
WORDS = (RIGHT, WRONG)
ID_DIGITS = 16
SHOWN = 1000  # of the queue, the oldest first
OPEN = f"""
with found as (
    select load.submitter, load.form, case when review.line = {WHOLE} then '' else kept.local_record_id end
        as local_record_id, review.rule, review.field, review.asked, load.transfer, review.line,
        load.loaded_at as found_at
    from clinical.reviews review join clinical.loads load using (load_id)
    left join {current()} kept on kept.load_id = review.load_id and kept.line = review.line
    where review.line = {WHOLE} or kept.line is not null
    union all
    select submitter, form, local_record_id, rule, field, asked, notice, line, found_at
    from clinical.waiting where {waiting.STANDS} and rule in (select unnest($rules))
), told as (
    select {KEPT}, arg_max(transfer, found_at) as transfer, arg_max(line, found_at) as line, min(found_at) as found_at,
        substr(sha256(concat_ws(chr(31), {KEPT})), 1, {ID_DIGITS}) as id
    from found group by {KEPT}
)
select id, {KEPT}, transfer, line, found_at from told
where ({KEPT}) not in (select ({KEPT}) from clinical.decisions)
    and ({KEPT}) not in (select ({KEPT}) from clinical.answers)
"""


class NoSuchFinding(NotThere):
    """Nothing of that id is in the review queue."""

    code = "SWD-REG-97"
    what = "there is no such finding to review"
    why = "it was decided or answered, the record was mended, or the id is another's"
    fix = "`swaddle registry review list` shows what waits"


def queue(inside: Registry) -> dict[str, Any]:
    """What waits to be reviewed, the oldest first, each with the words of its rule."""
    rows = _open(inside, f"order by found_at, id limit {SHOWN}")
    names = {each.id: each.name for each in inside.state.submitters()}
    rules = {(each.id, each.shows): each for each in inside.store.dictionary.rules}
    total = inside.store.connection.execute(f"select count(*) from ({OPEN})", _rules(inside)).fetchone()
    assert total is not None
    return {
        "waiting": int(total[0]),
        "findings": [
            {
                "id": finding, "submitter": submitter, "name": names.get(submitter, "unknown"), "form": form,
                "record": record, "rule": rule, "field": field, "transfer": transfer,
                "line": None if line == WHOLE else line, "since": format_instant(found_at.replace(tzinfo=UTC)),
                "text": rules[rule, field].text if (rule, field) in rules else "",
                "fix": rules[rule, field].fix if (rule, field) in rules else "",
            }
            for finding, submitter, form, record, rule, field, _, transfer, line, found_at in rows
        ],
    }  # fmt: skip


def decide(inside: Registry, finding: str, word: str, signed: Any) -> dict[str, Any]:
    """Keep what a person of the registry decided about a finding of the queue.

    Args:
        inside: the registry.
        finding: its id in the queue.
        word: `right` or `wrong`.
        signed: {"finding", "word"}, signed by a person of this home.

    Raises:
        NoSuchFinding: it is not in the queue, or the word is none of these.
        SignatureNeeded: the signature is of nobody here, or of something else.
    """
    if word not in WORDS:
        raise NoSuchFinding("a finding is decided as right or wrong")
    rows = _open(inside, "and id = $id", id=finding)
    if not rows:
        raise NoSuchFinding
    said = word_of(inside.home, signed, {"finding": finding, "word": word})
    at = inside.now()
    _, *kept = rows[0][:7]
    inside.store.connection.execute(
        "insert into clinical.decisions values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [*kept, word, at.astimezone(UTC).replace(tzinfo=None), json.dumps(said.signed.to_json())],
    )
    if word == RIGHT:
        waiting.end_decided(inside.store.connection, at)
    detail = {"right": word == RIGHT, "key": said.person.public.fingerprint, "statement": said.sha256}
    inside.ledger.append("review-decided", finding, detail, at)
    return {"id": finding, "word": word, "person": said.person.name, "role": said.person.role}


def decided(inside: Registry) -> dict[str, Any]:
    """What was decided, the latest first, with who signed it."""
    rows = inside.store.connection.execute(
        f"select submitter, form, local_record_id, rule, field, word, decided_at, signed from clinical.decisions"
        f" order by decided_at desc limit {SHOWN}"
    ).fetchall()
    names = {each.id: each.name for each in inside.state.submitters()}
    return {
        "decisions": [
            {
                "name": names.get(submitter, "unknown"), "form": form, "record": record, "rule": rule, "field": field,
                "word": word, "at": format_instant(at.replace(tzinfo=UTC)),
                "person": _person(signed),
            }
            for submitter, form, record, rule, field, word, at, signed in rows
        ]
    }  # fmt: skip


def _person(signed: str) -> str:
    return str(json.loads(json.loads(signed)["message"])["person"]["name"])


def _open(
    inside: Registry, rest: str, **values: object
) -> list[tuple[str, str, str, str, str, str, str, str, int, datetime]]:
    return inside.store.connection.execute(f"{OPEN} {rest}", _rules(inside) | values).fetchall()


def _rules(inside: Registry) -> dict[str, object]:
    """The rules that somebody in the registry looks at."""
    return {"rules": [each.id for each in inside.store.dictionary.rules if each.severity == "review"]}
