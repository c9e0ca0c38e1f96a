"""The registry's holds: made, confirmed, reviewed and released by persons, kept in the encrypted store with every word.

The rules are in holds.py. Each step is written in one transaction, then told to custody; a kill in between is made good
by the next look (`settle`). The review dates lie in the small database too, so that `doctor` sees one that has passed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from swaddle.envelope import people
from swaddle.envelope.signature import Signed
from swaddle.intake.engine import literal
from swaddle.registry import admin
from swaddle.registry.held import Held as Store
from swaddle.registry.holds import (
    IN_FORCE,
    SECOND_OF,
    Hold,
    HoldAct,
    HoldNotNow,
    HoldState,
    HoldUnusable,
    Scope,
    after,
    is_overdue,
)
from swaddle.registry.inside import Registry
from swaddle.registry.signed_by import Word, check_other, word_of
from swaddle.registry.state import State

REVIEWS = "hold_reviews"  # the fact that says id to review date of the holds in force
EVENTS: Mapping[HoldAct, str] = {
    HoldAct.PROPOSE: "hold-proposed",
    HoldAct.CONFIRM: "hold-confirmed",
    HoldAct.REVIEW: "hold-reviewed",
    HoldAct.RELEASE: "hold-release-proposed",
    HoldAct.CONFIRM_RELEASE: "hold-released",
}


def propose(inside: Registry, hold: dict[str, Any], word: Any) -> dict[str, Any]:
    """Make a hold by a first person's word; it stops disposal from now on.

    Raises:
        HoldUnusable, SignatureNeeded: nothing was made.
    """
    made = Hold.from_json(hold)
    if is_overdue(made.review, inside.now().date()):
        raise HoldUnusable("its review date has passed")
    connection = inside.store.connection
    if connection.execute("select 1 from clinical.holds where id = ?", [made.id]).fetchone() is not None:
        raise HoldUnusable("there is a hold of that id")
    first = word_of(inside.home, word, {"act": HoldAct.PROPOSE.value, **made.to_json()})
    with inside.store.transaction():
        connection.execute(
            "insert into clinical.holds values (?, ?, ?, ?, ?)",
            [made.id, HoldState.PROPOSED.value, json.dumps(made.to_json()), made.review, _naive(inside.now())],
        )
        _keep(inside, made.id, HoldAct.PROPOSE, first)
    settle(inside)
    return one(inside, made.id)


def step(inside: Registry, hold: str, act: str, word: Any, until: str | None = None) -> dict[str, Any]:
    """Confirm, review or release a hold by a person's word.

    Args:
        inside: the registry.
        hold: its id, or the beginning of it.
        act: what is done.
        word: what the person signed: the act and the hold as it is kept, with its new review date where it is reviewed.
        until: the next review date.

    Raises:
        HoldNotNow: there is none, or it takes no such step now.
        HoldUnusable, SignatureNeeded: nothing was changed.
    """
    what, known = HoldAct(act), of(inside, hold)
    state = after(state_of(inside, known.id), what)
    changed = known
    if what is HoldAct.REVIEW:
        changed = Hold.from_json(known.to_json() | {"review": until})
        if changed.review <= inside.now().date():
            raise HoldUnusable("the next review date is not in the future")
    said = word_of(inside.home, word, {"act": what.value, **changed.to_json()})
    if what in SECOND_OF:
        check_other(_last(inside, known.id, SECOND_OF[what]), said.person)
    with inside.store.transaction():
        inside.store.connection.execute(
            "update clinical.holds set state = ?, body = ?, review = ? where id = ?",
            [state.value, json.dumps(changed.to_json()), changed.review, known.id],
        )
        _keep(inside, known.id, what, said)
    settle(inside)
    return one(inside, known.id)


def of(inside: Registry, hold: str) -> Hold:
    """A hold by its id or the beginning of it, as it is to be signed.

    Raises:
        HoldNotNow: none or several begin so.
    """
    rows = inside.store.connection.execute(
        "select body from clinical.holds where starts_with(id, ?)", [hold]
    ).fetchall()
    if len(rows) != 1 or len(hold) < 6:
        raise HoldNotNow("no hold, or more than one, has an id that begins so; six characters at least")
    return Hold.from_json(json.loads(rows[0][0]))


def state_of(inside: Registry, hold: str) -> HoldState:
    """Where a hold is."""
    row = inside.store.connection.execute("select state from clinical.holds where id = ?", [hold]).fetchone()
    assert row is not None
    return HoldState(row[0])


def one(inside: Registry, hold: str) -> dict[str, Any]:
    """A hold as it is shown, with who signed what; `to_sign` is what the next person's word must say."""
    known = of(inside, hold)
    state = state_of(inside, known.id)
    names = {each.id: each.name for each in inside.state.submitters()}
    words = inside.store.connection.execute(
        "select act, word from clinical.hold_words where hold = ? order by rowid", [known.id]
    ).fetchall()
    return {
        **known.to_json(),
        "submitter_name": names.get(known.scope.submitter or ""),
        "state": state.value,
        "in_force": state in IN_FORCE,
        "overdue": state in IN_FORCE and is_overdue(known.review, inside.now().date()),
        "words": [{"act": act, **_shown(Signed.from_json(json.loads(word)))} for act, word in words],
        "to_sign": known.to_json(),
    }


def listed(inside: Registry, *, ended: bool = False) -> dict[str, Any]:
    """The holds in force, those to be reviewed first; those that have ended too where they are asked for."""
    settle(inside)
    rows = inside.store.connection.execute("select id, state from clinical.holds order by review, id").fetchall()
    return {"holds": [one(inside, each) for each, state in rows if ended or HoldState(state) in IN_FORCE]}


def scopes(inside: Registry) -> tuple[Scope, ...]:
    """What is held now; the first signature is enough."""
    states = ", ".join(literal(each.value) for each in IN_FORCE)
    rows = inside.store.connection.execute(
        f"select body from clinical.holds where state in ({states}) order by id"
    ).fetchall()
    return tuple(Hold.from_json(json.loads(body)).scope for (body,) in rows)


def scope(inside: Registry, submitter_name: str | None, **told: Any) -> dict[str, Any]:
    """A scope as it is signed, the submitter by its name.

    Raises:
        NoSuchSubmitter, HoldUnusable: it is none.
    """
    submitter = None if submitter_name is None else admin.named(inside, submitter_name).id
    return Scope.from_json({**Scope().to_json(), **told, "submitter": submitter}).to_json()


def person(inside: Registry, submitter_name: str, number: str) -> dict[str, Any]:
    """The registry id of a submitter's person by their local number, and how many stored rows are about them.

    Raises:
        NoSuchSubmitter: nobody has that name.
    """
    submitter = admin.named(inside, submitter_name)
    connection = inside.store.connection
    held = Store(inside.store, connection, submitter.id)
    found = connection.execute(f"select {held.subject('person', '?')}", [number]).fetchone()
    assert found is not None
    row = connection.execute(
        "select count(*) from clinical.stored_rows where $id in (mother_subject, child_subject, person_subject)",
        {"id": found[0]},
    ).fetchone()
    assert row is not None
    return {"person": str(found[0]), "rows": int(row[0])}


def settle(inside: Registry) -> None:
    """Tell custody what it was not told yet, and keep the review dates where `doctor` looks."""
    states = ", ".join(literal(each.value) for each in IN_FORCE)
    reviews = inside.store.connection.execute(
        f"select id, review from clinical.holds where state in ({states}) order by id"
    ).fetchall()
    text = json.dumps({each: review.isoformat() for each, review in reviews}, sort_keys=True)
    if inside.state.fact(REVIEWS) != text:
        inside.state.set_fact(REVIEWS, text)
    rows = inside.store.connection.execute(
        "select hold, act, sha256, word, body from clinical.hold_words join clinical.holds on holds.id = hold"
        " order by said_at"
    ).fetchall()
    told = {
        entry.detail.get("word_sha256") for hold in {row[0] for row in rows} for entry in inside.ledger.entries(hold)
    }
    for hold, act, digest, word, body in rows:
        if digest not in told:
            kept = Hold.from_json(json.loads(body))
            key = people.Person(**json.loads(json.loads(word)["message"])["person"]).public.fingerprint
            detail = {"kind": kept.kind, "word_sha256": digest, "key": key}
            inside.ledger.append(EVENTS[HoldAct(act)], hold, detail, inside.now())


def is_any(state: State) -> bool:
    """Whether anything is on hold, by the small database."""
    return bool(json.loads(state.fact(REVIEWS) or "{}"))


def overdue(fact: str | None, today: date) -> list[str]:
    """Ids of the holds in force that should have been looked at again, from the fact REVIEWS."""
    reviews: dict[str, str] = json.loads(fact or "{}")
    return [each for each, review in reviews.items() if is_overdue(date.fromisoformat(review), today)]


def _keep(inside: Registry, hold: str, act: HoldAct, word: Word) -> None:
    inside.store.connection.execute(
        "insert into clinical.hold_words values (?, ?, ?, ?, ?)",
        [hold, act.value, word.sha256, json.dumps(word.signed.to_json()), _naive(inside.now())],
    )


def _last(inside: Registry, hold: str, act: HoldAct) -> people.Person:
    """Who said this last about a hold."""
    row = inside.store.connection.execute(
        "select word from clinical.hold_words where hold = ? and act = ? order by said_at desc, rowid desc limit 1",
        [hold, act.value],
    ).fetchone()
    assert row is not None
    return people.Person(**json.loads(json.loads(row[0])["message"])["person"])


def _shown(signed: Signed) -> dict[str, str]:
    said = json.loads(signed.message)
    return {"person": said["person"]["name"], "role": said["person"]["role"], "at": said["at"]}


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
