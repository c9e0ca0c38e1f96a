"""The communities' demands: asked, confirmed and ended by named persons, and the rows that they keep out.

    a demand's first signature -> every row of it is set apart -> `for_peers` is false for it (units.py)
    a load that is stored      -> its rows of a demand in force are set apart in the same transaction

The demands lie in the encrypted store with every word. Custody says that one was asked for, confirmed and ended, and
not whose.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from swaddle.envelope import people
from swaddle.envelope.signature import Signed
from swaddle.registry.community import (
    EVENTS,
    IN_FORCE,
    SECOND_OF,
    Demand,
    DemandAct,
    DemandNotNow,
    DemandState,
    DemandUnusable,
    after,
)
from swaddle.registry.inside import Registry
from swaddle.registry.setting_apart import APART, IDENTITY, set_apart
from swaddle.registry.signed_by import Word, check_other, word_of


def ask(inside: Registry, demand: dict[str, Any], word: Any) -> dict[str, Any]:
    """Take a demand by a first person's word; it holds from now on.

    Raises:
        DemandUnusable, SignatureNeeded: nothing was changed.
    """
    made = Demand.from_json(demand)
    if unknown := set(made.identities) - _identities(inside):
        raise DemandUnusable(f"{len(unknown)} of its identities are not in the dictionary")
    connection = inside.store.connection
    if connection.execute("select 1 from clinical.communities where id = ?", [made.id]).fetchone() is not None:
        raise DemandUnusable("there is one of that id")
    first = word_of(inside.home, word, {"act": DemandAct.ASK.value, **made.to_json()})
    with inside.store.transaction():
        connection.execute(
            "insert into clinical.communities values (?, ?, ?, ?)",
            [made.id, DemandState.ASKED.value, json.dumps(made.to_json()), _naive(inside.now())],
        )
        _said(inside, made.id, DemandAct.ASK, first)
        set_apart(connection)
    settle(inside)
    return one(inside, made.id)


def step(inside: Registry, demand: str, act: str, word: Any) -> dict[str, Any]:
    """Confirm or end a demand by a person's word.

    Raises:
        DemandNotNow: there is none, or it takes no such step now.
        SignatureNeeded: nothing was changed.
    """
    what, (known, now) = DemandAct(act), _of(inside, demand)
    state = after(now, what)
    said = word_of(inside.home, word, {"act": what.value, **known.to_json()})
    if what in SECOND_OF and not (what is DemandAct.CONFIRM and now is DemandState.ENDING):
        check_other(_last(inside, known.id, SECOND_OF[what]), said.person)
    with inside.store.transaction():
        inside.store.connection.execute(
            "update clinical.communities set state = ? where id = ?", [state.value, known.id]
        )
        _said(inside, known.id, what, said)
        set_apart(inside.store.connection)
    settle(inside)
    return one(inside, known.id)


def one(inside: Registry, demand: str) -> dict[str, Any]:
    """A demand as it is shown, with who signed what, and how many rows it sets apart; `to_sign` is the next word."""
    known, state = _of(inside, demand)
    connection = inside.store.connection
    words = connection.execute(
        "select act, word from clinical.community_words where community = ? order by rowid", [known.id]
    ).fetchall()
    row = connection.execute(
        f"select count(*) from {APART} join clinical.loads using (load_id) where community = ?", [known.id]
    ).fetchone()
    return {
        **known.to_json(),
        "state": state.value,
        "in_force": state in IN_FORCE,
        "rows": int(row[0]) if row else 0,
        "words": [{"act": act, **_shown(Signed.from_json(json.loads(word)))} for act, word in words],
        "to_sign": known.to_json(),
    }


def listed(inside: Registry, *, ended: bool = False) -> dict[str, Any]:
    """The demands in force; with `ended`, all that ever were."""
    rows = inside.store.connection.execute("select id from clinical.communities order by made_at, id").fetchall()
    found = [one(inside, demand) for (demand,) in rows]
    return {"communities": [each for each in found if ended or each["in_force"]]}


def settle(inside: Registry) -> None:
    """Tell custody each word that it was not told of yet: a kill in between is made good by the next step."""
    rows = inside.store.connection.execute(
        "select community, act, sha256, word from clinical.community_words order by rowid"
    ).fetchall()
    for community, act, digest, word in rows:
        event = EVENTS[DemandAct(act)]
        told = (entry.detail.get("word_sha256") for entry in inside.ledger.newest(community) if entry.event == event)
        if digest not in told:
            key = people.Person(**json.loads(json.loads(word)["message"])["person"]).public.fingerprint
            inside.ledger.append(event, community, {"word_sha256": digest, "key": key}, inside.now())


def _identities(inside: Registry) -> set[str]:
    wide = inside.store.dictionary.wide()
    return set(wide[IDENTITY].field.values) if IDENTITY in wide else set()


def _of(inside: Registry, demand: str) -> tuple[Demand, DemandState]:
    rows = inside.store.connection.execute(
        "select body, state from clinical.communities where starts_with(id, ?)", [demand]
    ).fetchall()
    if len(rows) != 1 or len(demand) < 6:
        raise DemandNotNow("none, or more than one, has an id that begins so; six characters at least")
    return Demand.from_json(json.loads(rows[0][0])), DemandState(rows[0][1])


def _said(inside: Registry, demand: str, act: DemandAct, word: Word) -> None:
    inside.store.connection.execute(
        "insert into clinical.community_words values (?, ?, ?, ?, ?)",
        [demand, act.value, word.sha256, json.dumps(word.signed.to_json()), _naive(inside.now())],
    )


def _last(inside: Registry, demand: str, act: DemandAct) -> people.Person:
    row = inside.store.connection.execute(
        "select word from clinical.community_words where community = ? and act = ? order by rowid desc limit 1",
        [demand, act.value],
    ).fetchone()
    assert row is not None
    return people.Person(**json.loads(json.loads(row[0])["message"])["person"])


def _shown(signed: Signed) -> dict[str, str]:
    said = json.loads(signed.message)
    return {"person": said["person"]["name"], "role": said["person"]["role"], "at": said["at"]}


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
