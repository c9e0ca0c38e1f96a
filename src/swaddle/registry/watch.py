"""Watching the gateway from inside: every few seconds, also while a large transfer is being pulled.

Nothing is read of any transfer, and nothing is changed on the gateway: its status and the journal's new entries are
looked at with a connection of its own. What is found is written into custody and said once; it stands until it is over.
Draining looks at the same entries (`notice`), so that a registry that only pulls on a timer notices too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import datetime

from swaddle.errors import NetworkFault, NotThere, SwaddleError, Theirs
from swaddle.registry import alarm, pull
from swaddle.registry.alarm import Alarm, Alarms
from swaddle.registry.inside import Registry
from swaddle.wire import messages
from swaddle.wire.client import GatewayClient
from swaddle.wire.problems import Conflict

WATCH_S = 15
ANSWER_S = 20


class Watch:
    """Looks, and raises alarms; `say` is told each new one once."""

    def __init__(self, inside: Registry, say: Callable[[str], None] = lambda _: None) -> None:
        """Watch the gateway of `inside`."""
        self._inside = inside
        self._say = say
        self._alarms = Alarms(inside.home / "registry.db")
        self._client: GatewayClient | None = None
        self._key = ""
        self._last_answer = inside.now()
        self._said: set[Alarm] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look every few seconds in a thread of its own, until `close`."""
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and let the connection go."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(ANSWER_S)
        if self._client is not None:
            self._client.close()
        self._alarms.close()

    def look(self) -> tuple[Alarm, ...]:
        """One look; the alarms that are new. A gateway that is away raises one only when it stays away.

        Raises:
            DiskFault: an alarm could not be written down; it was said all the same.
        """
        now = self._inside.now()
        try:
            client = self._connected()
            status = messages.convert(client.get_json("/v1/status"), messages.GatewayStatus)
            entries = self._new_entries(client)
        except (NetworkFault, Theirs):
            if alarm.is_silent(self._last_answer, now):
                raise_alarms(self._alarms, self._inside, alarm.SILENCE, [self._inside.keyring.registry_id], now)
            return self.tell()
        self._last_answer = now
        freezes = alarm.standing_freezes(status.freezes)
        foreign = foreign_leases(self._inside, self._alarms, entries)
        raise_alarms(self._alarms, self._inside, alarm.FREEZE, freezes, now)
        raise_alarms(self._alarms, self._inside, alarm.FOREIGN_LEASE, foreign, now)
        if entries:
            self._alarms.see(entries[-1].sequence)
        self._alarms.end(alarm.FREEZE, freezes, now)
        self._alarms.end(alarm.SILENCE, (), now)
        return self.tell()

    def tell(self) -> tuple[Alarm, ...]:
        """Say the alarms that stand and were not said by this process yet."""
        new = tuple(each for each in self._alarms.standing() if each not in self._said)
        for each in new:
            self._say(each.text())
        self._said.update(new)
        return new

    def _run(self) -> None:
        while not self._stop.wait(WATCH_S):
            try:
                self.look()
            except SwaddleError as error:
                self._say(error.text())
            except Exception as fault:  # noqa: BLE001  a watch that ends would be silence; its text may hold a value
                self._say(f"the watch met {type(fault).__name__} and goes on")

    def _connected(self) -> GatewayClient:
        """A connection by the pull key that is in force now."""
        settings, pull = self._inside.settings, self._inside.keyring.pull
        if self._client is None or self._key != pull.public.fingerprint:
            if self._client is not None:
                self._client.close()
            pin = settings.gateway_pin or None
            self._client = GatewayClient(settings.gateway_url, pin, pull, timeout_s=ANSWER_S)
            self._key = pull.public.fingerprint
        self._client.also_trust(self._inside.client.pins)
        return self._client

    def _new_entries(self, client: GatewayClient) -> tuple[messages.JournalEntry, ...]:
        """Journal entries that were not looked at yet."""
        page = client.get_json(f"/v1/journal?after={self._alarms.seen()}")
        return messages.convert(page, messages.JournalPage).entries


def raise_alarms(alarms: Alarms, inside: Registry, cause: str, subjects: Iterable[str], at: datetime) -> None:
    """Raise what does not stand yet: written down, and in custody."""
    for subject in subjects:
        if alarms.raise_one(cause, subject, at) is not None:
            inside.ledger.append("alarm-raised", subject, {"reason": cause}, at)


def foreign_leases(inside: Registry, alarms: Alarms, entries: tuple[messages.JournalEntry, ...]) -> tuple[str, ...]:
    """The rule of alarm.py, with what this registry has written down."""

    def reader_of(transfer: str) -> str | None:
        announced = (entry.detail.get("reader") for entry in inside.ledger.newest(transfer))
        return next((str(reader) for reader in announced if reader is not None), None)

    return alarm.foreign_leases(entries, inside.keyring.registry_id, alarms.token_of, reader_of)


def notice(inside: Registry, entries: tuple[messages.JournalEntry, ...]) -> None:
    """Look at journal entries on their way into custody."""
    at = inside.now()
    with closing(Alarms(inside.home / "registry.db")) as alarms:
        entries = tuple(entry for entry in entries if entry.sequence > alarms.seen())
        raise_alarms(alarms, inside, alarm.FOREIGN_LEASE, foreign_leases(inside, alarms, entries), at)
        released = {entry.subject for entry in entries if entry.event == "released"}
        frozen = [entry.subject for entry in entries if entry.event == "frozen" and entry.subject not in released]
        raise_alarms(alarms, inside, alarm.FREEZE, frozen, at)
        standing = [each.subject for each in alarms.standing() if each.cause == alarm.FREEZE]
        alarms.end(alarm.FREEZE, set(standing) - released, at)
        if entries:
            alarms.see(entries[-1].sequence)


def journal_broken(inside: Registry, *, is_broken: bool) -> None:
    """The journal did or did not hold when it was drained."""
    with closing(Alarms(inside.home / "registry.db")) as alarms:
        if is_broken:
            raise_alarms(alarms, inside, alarm.JOURNAL, [inside.keyring.registry_id], inside.now())
        else:
            alarms.end(alarm.JOURNAL, (), inside.now())


def standing(inside: Registry) -> tuple[Alarm, ...]:
    """The alarms that stand."""
    with closing(Alarms(inside.home / "registry.db")) as alarms:
        return alarms.standing()


def leased_elsewhere(inside: Registry, transfer: str) -> None:
    """The gateway says that a transfer for this registry is leased, under another token."""
    with closing(Alarms(inside.home / "registry.db")) as alarms:
        raise_alarms(alarms, inside, alarm.FOREIGN_LEASE, [transfer], inside.now())


def is_key_misused(inside: Registry) -> bool:
    """Whether a foreign lease stands."""
    return any(each.cause == alarm.FOREIGN_LEASE for each in standing(inside))


def answer_alarm(inside: Registry, subject: str) -> tuple[Alarm, ...]:
    """Somebody has looked into what this is about: end its alarms, give foreign leases back; those that ended."""
    at = inside.now()
    with closing(Alarms(inside.home / "registry.db")) as alarms:
        ended = tuple(each for each in alarms.standing() if each.subject.startswith(subject))
        for each in ended:
            if each.cause == alarm.FOREIGN_LEASE:
                with suppress(NotThere, Conflict):  # it has ended meanwhile
                    pull.give_back(inside.client, each.subject, inside.keyring, at)
            others = {one.subject for one in alarms.standing() if one.cause == each.cause} - {each.subject}
            alarms.end(each.cause, others, at)
            inside.ledger.append("alarm-answered", each.subject, {"reason": each.cause}, at)
    return ended
