"""A restored registry asks each submitter to send again what it receipted after the backup: sealed, like a report.

Nobody else knows what that was: custody of that time is lost with the machine, and the gateway forgets what was
acknowledged. The receipts are the submitters' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import Any

from swaddle.canonical import parse_instant
from swaddle.errors import Theirs
from swaddle.feedback.asking import send_again
from swaddle.feedback.deliver import clear, deliver
from swaddle.registry.inside import Registry

LIFE = timedelta(days=13, hours=23)
EVENT = "sending-asked-for"


def ask_again(inside: Registry, restored: Mapping[str, Any]) -> int:
    """Ask every submitter that can open something; how many were asked now. Again after a kill asks nobody twice.

    Args:
        inside: the registry.
        restored: `backup`, `made` and `at` of returning.restored.

    Raises:
        NetworkFault: the gateway was not reached; the next look asks the others.
    """
    asked = 0
    for submitter in inside.state.submitters():
        notice = notice_id(str(restored["backup"]), str(restored["at"]), submitter.id)
        was_asked = any(entry.event == EVENT for entry in inside.ledger.newest(notice))
        if submitter.state != "active" or submitter.sealing is None or was_asked:
            continue
        at, folder = inside.now(), inside.outbox / notice
        bundle = send_again(notice, parse_instant(restored["made"]), at)
        with suppress(Theirs):  # revoked since the backup: the gateway takes nothing for it
            feedback = deliver(
                bundle, answers=notice, folder=folder, sender=inside.keyring.registry_id, recipient=submitter.sealing,
                signer=inside.keyring.statement, client=inside.client, expires=at + LIFE, now=at,
            )  # fmt: skip
            detail = {"submitter": submitter.id, "made": restored["made"], "feedback": feedback, "place": "gateway"}
            inside.ledger.append(EVENT, notice, detail, at)
            asked += 1
        clear(folder)
    return asked


def notice_id(backup: str, at: str, submitter: str) -> str:
    """The id of one submitter's notice after one return: the same however often it is asked for. Pure."""
    return sha256(f"{backup} {at} {submitter}".encode("ascii")).hexdigest()[:32]
