"""Moving in: the partners of an old SFTP server are let in at the door, all or none, as often as the list is run.

What is done is written down here first, in one transaction; then the gateway is told, one partner after the other, and
told again at the next look if it was not reached. A second run of the same list changes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from swaddle.canonical import format_instant
from swaddle.errors import NetworkFault, UsageFault
from swaddle.registry import door, exchange
from swaddle.registry.door_import import KeyWrong, Row, Wrong, against, read, ssh_key
from swaddle.registry.inside import Registry
from swaddle.registry.state import Submitter, ssh_fingerprint


class RowWrong(UsageFault):
    """What was given for one partner cannot be used."""

    code = "SWD-REG-71"
    what = "this partner cannot be let in at the door"


def import_submitters(inside: Registry, text: str, *, dry_run: bool = False) -> dict[str, Any]:
    """Let the partners of a list in; with `dry_run` only say what would be done.

    Returns:
        `rows` (line, name, change: new, changed or unchanged), `wrong` (line, why, fix), `imported`, `told` (whether
        the gateway knows all of them), `door` (see door.show).

    Raises:
        NoList: it is not a list of partners.
    """
    rows, wrong = read(text)
    known = inside.state.submitters()
    wrong = sorted(wrong + against(rows, known), key=lambda each: each.line)
    by_name = {each.name: each for each in known}
    wanted = [as_submitter(inside, row, by_name.get(row.name)) for row in rows]
    changes = [change(by_name.get(each.name), each) for each in wanted]
    is_done = not wrong and not dry_run
    told = True
    if is_done:
        let_in(inside, [each for each, what in zip(wanted, changes, strict=True) if what != "unchanged"])
        told = tell(inside)
    return {
        "rows": [
            {"line": row.line, "name": row.name, "change": what, "ssh_keys": [ssh_fingerprint(k) for k in row.ssh_keys]}
            for row, what in zip(rows, changes, strict=True)
        ],
        "wrong": [{"line": each.line, "why": each.why, "fix": each.fix} for each in wrong],
        "imported": is_done,
        "told": told,
        "door": door.show(inside),
    }


def invite_by_door(inside: Registry, name: str, ssh_keys: Sequence[str], sites: Sequence[str] = ()) -> dict[str, Any]:
    """Let one partner in at the door; what it had before besides the keys stays.

    Raises:
        RowWrong: a key or the name cannot be used.
    """
    try:
        keys = tuple(dict.fromkeys(ssh_key(text) for text in ssh_keys))
    except KeyWrong as error:
        raise RowWrong(error.why, fix=error.fix) from error
    row = Row(0, name, keys, tuple(sites) or None, None, None)
    wrong: list[Wrong] = against([row], inside.state.submitters())
    if wrong:
        raise RowWrong(wrong[0].why, fix=wrong[0].fix)
    known = inside.state.submitter_named(name)
    submitter = as_submitter(inside, row, known)
    if change(known, submitter) != "unchanged":
        let_in(inside, [submitter])
    return {"submitter": submitter.id, "name": name, "told": tell(inside), "door": door.show(inside)}


def as_submitter(inside: Registry, row: Row, known: Submitter | None) -> Submitter:
    """What a row makes of a submitter; what the row says nothing about stays."""
    at = format_instant(inside.now())
    return Submitter(
        id=known.id if known else secrets.token_hex(16),
        name=row.name,
        state="active",
        signing_key=known.signing_key if known else None,
        sealing=known.sealing if known else None,
        words=known.words if known else None,
        invited_at=known.invited_at if known else at,
        active_at=(known.active_at if known else None) or at,
        sites=row.sites if row.sites is not None else known.sites if known else (),
        contact=row.mail or (known.contact if known else None),
        language=row.language or (known.language if known else "en"),
        ssh_keys=row.ssh_keys,
    )


def change(known: Submitter | None, wanted: Submitter) -> str:
    """What a row would change. Pure."""
    if known is None:
        return "new"
    before = (known.state, set(known.ssh_keys), set(known.sites), known.contact, known.language)
    after = (wanted.state, set(wanted.ssh_keys), set(wanted.sites), wanted.contact, wanted.language)
    return "unchanged" if before == after else "changed"


def let_in(inside: Registry, submitters: Sequence[Submitter]) -> None:
    """Write down who is let in with which keys: custody first, then all of them in one transaction.

    What the gateway held of a key that is replaced here was held before the first of these entries, and is taken.
    """
    if not submitters:
        return
    with suppress(NetworkFault):
        exchange.drain_journal(inside.client, inside.keyring, inside.state, inside.ledger, inside.now)
    entries = [door.note(inside, submitter) for submitter in submitters]
    inside.state.let_in_by_door(submitters, min(entries))


def tell(inside: Registry) -> bool:
    """Tell the gateway; whether it was reached. If not, the next look tells it."""
    try:
        door.settle(inside)
    except NetworkFault:
        return False
    return True
