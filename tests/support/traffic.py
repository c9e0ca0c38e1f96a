"""Ordinary traffic through a gateway, simulated by the hour: what honest parties do, month ends and mishaps included.

Every operation is the gateway's own, in its own transaction, under real signatures; only the network and the clock are
ours. Bodies have rows and no bytes: what freezes and what expires is decided by rows.
"""

import asyncio
import base64
import random
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

from gateway_world import SEALED, SEGMENT, b64
from swaddle.canonical import format_instant
from swaddle.envelope.signature import sign
from swaddle.gateway import reading, sending, sweep
from swaddle.gateway.access import Kind, Who
from swaddle.gateway.index import transact
from swaddle.gateway.refusal import Refusal
from swaddle.wire.messages import Announce, Finish, SignedText

PER_YEAR = 48_000
BODIES = ((1000,), (SEALED, 1000), (SEALED, SEALED, 500))
FREE_BYTES = 2**50


@dataclass
class Pull:
    """A transfer that a worker has in hand: its token was written down before the lease was asked for."""

    transfer: str
    token: str
    tries: int = 0


@dataclass
class Traffic:
    """A year, or a piece of one."""

    world: object
    seed: int
    workers: int = 2
    submitters: int = 24
    away_hours: frozenset = frozenset()  # hours in which the registry is away
    done: Counter = field(default_factory=Counter)

    def __post_init__(self):
        self.random = random.Random(self.seed)
        self.parties = [self.world.enrol() for _ in range(self.submitters)]
        if self.workers > 1:
            self.world.instruct("allowance", transfers=self.workers)
        self.index = self.world.line.gateway.thread.index
        self.registry = Who(Kind.REGISTRY, self.world.registry)
        self.hands = [None] * self.workers
        self.tries = {}
        self.unfinished, self.sent, self.reports = [], {}, {}
        self.drained = 0

    def do(self, operation, *values):
        return transact(self.index, operation, *values)

    def run(self, hours, per_hour):
        with asyncio.Runner() as loop:  # one: making a loop costs as much as a sweep
            self._run(hours, per_hour, loop)

    def _run(self, hours, per_hour, loop):
        clock = self.world.line.clock
        for hour in range(hours):
            self.index.connection.execute("PRAGMA synchronous = OFF")  # a signed request puts it back
            for _ in range(self._arrivals(clock.now, per_hour)):
                self.send(self.random.choice(self.parties))
            for minutes in (20, 20, 20):
                clock.pass_(minutes=minutes)
                if hour not in self.away_hours:
                    self.pull()
            self.fetch()
            loop.run(sweep.sweep(self.world.line.gateway.thread, self.world.line.gateway.store))
            if hour % 24 == 23 and hour not in self.away_hours:
                self.keep_house()
            if hour % (24 * 91) == 24 * 90:
                self.world.line.reopen()
                self.index = self.world.line.gateway.thread.index

    def _arrivals(self, now, per_hour):
        """Six times as many in the last three days of a month; none to speak of at night."""
        is_month_end = (now + timedelta(days=3)).month != now.month
        mean = per_hour * (6 if is_month_end else 0.53) * (1.7 if 7 <= now.hour < 21 else 0.02)
        whole = int(mean)
        return whole + (self.random.random() < mean - whole)

    # Senders.

    def send(self, party):
        """Announce, parts, finish, with the mishaps of a bad line; one in a hundred never comes to its end."""
        who, reference, sizes = Who(Kind.SUBMITTER, party.id), secrets.token_bytes(16), self.random.choice(BODIES)
        said = self._announcement(reference, sum(sizes), self.world.pair, hours=72)
        announced, _ = self.do(sending.announce, who, said, FREE_BYTES)
        if self.random.random() < 0.02:  # the answer was lost
            again, is_new = self.do(sending.announce, who, said, FREE_BYTES)
            assert (again.id, is_new) == (announced.id, False)
        transfer, parts = announced.id, [secrets.token_bytes(32) for _ in sizes]
        for number, size in enumerate(sizes):
            self._part(who, transfer, number, size, parts[number])
            if self.random.random() < 0.05:  # the same part again
                self._part(who, transfer, number, size, parts[number])
            if self.random.random() < 0.02:  # sealed anew after a kill
                parts[number] = secrets.token_bytes(32)
                self._part(who, transfer, number, size, parts[number])
        if self.random.random() < 0.01:
            self.done["never finished"] += 1
            return
        sealed = self._finished(party, announced, sizes, parts)
        self.do(sending.finish, who, transfer, sealed)
        if self.random.random() < 0.03:
            self.do(sending.finish, who, transfer, sealed)
        self.sent[transfer] = party
        self.done["sent"] += 1

    def _announcement(self, reference, size, pair, hours):
        return Announce(
            reference=b64(reference), recipient=pair.public.key_id, body_bytes=size, part_bytes=SEGMENT,
            expires=format_instant(self.index.now() + timedelta(hours=hours)),
        )  # fmt: skip

    def _part(self, who, transfer, number, size, digest):
        self.do(sending.place_for_part, who, transfer, number, size)
        self.do(sending.record_part, who, transfer, number, secrets.token_hex(16), size, digest.hex())

    def _finished(self, party, announced, sizes, parts, to=None):
        """A finish whose parts have these digests: nobody here looks into them."""
        made = self.world.seal(
            party, {"id": announced.id, "expires": announced.expires}, [bytes(size) for size in sizes], to=to,
            parts=tuple(digest.hex() for digest in parts),
        )  # fmt: skip
        return Finish(manifest=SignedText.of(made.manifest), header=b64(made.header), description=b64(made.description))

    # The registry.

    def pull(self):
        """Each worker goes on with what it has in hand; then takes what waits, some of it only after a kill."""
        for worker in range(self.workers):
            if self.random.random() < 0.02:
                continue  # it is being restarted
            if self.hands[worker] is not None and not self._work(worker):
                continue
            waiting = [entry.id for entry in self.do(reading.inbox, self.registry).transfers]
            in_hand = {hand.transfer for hand in self.hands if hand is not None}
            for transfer in waiting[:200]:
                if transfer not in in_hand:
                    token = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
                    self.hands[worker] = Pull(transfer, token, self.tries.get(transfer, 0))
                    if not self._work(worker):
                        break

    def _work(self, worker):
        """Bring what this worker has in hand to its end; False when it was killed in the middle of it."""
        hand = self.hands[worker]
        chance = self.random.random()
        try:
            digest = sha256(hand.token.encode()).hexdigest()
            held = self.do(reading.lease, self.registry, hand.transfer, digest)
            if chance < 0.02:
                self.done["killed after the lease"] += 1
                return False
            numbers = [part["number"] for part in self._parts(hand.transfer)]
            for number in numbers:
                self.do(reading.open_part, self.registry, hand.transfer, number, hand.token)
            if chance < 0.04:
                self.done["killed after reading"] += 1
                return False
            if chance < 0.06:  # a part came broken: asked for again
                self.do(reading.open_part, self.registry, hand.transfer, numbers[0], hand.token)
        except Refusal as refusal:  # it expired while it was in hand
            if refusal.name not in {"not-found", "conflict"}:
                raise
            self.done["gone while in hand"] += 1
            self.hands[worker] = None
            return True
        if 0.06 <= chance < 0.07 and hand.tries < 2:
            self._say("give-back", hand.transfer, reading.give_back, {})
            self.tries[hand.transfer] = hand.tries + 1
            self.done["given back"] += 1
        else:
            outcome = "unreadable" if chance > 0.997 or hand.tries > 2 else "refused" if chance > 0.98 else "stored"
            digest = sha256(held.manifest.message.encode()).hexdigest()
            more = {"manifest_sha256": digest, "outcome": outcome, "receipt": None}
            self._say("acknowledgement", hand.transfer, reading.acknowledge, more)
            self.done[outcome] += 1
            self._report(self.sent[hand.transfer])
            if outcome == "unreadable":
                self.do(reading.view, Who(Kind.SUBMITTER, self.sent[hand.transfer].id), hand.transfer)
        self.hands[worker] = None
        return True

    def _parts(self, transfer):
        return self.index.rows("SELECT number FROM parts WHERE transfer = ? ORDER BY number", transfer)

    def _say(self, kind, transfer, operation, more, signer=None, who=None):
        value = {"at": format_instant(self.index.now()), "transfer": transfer, **more}
        signed = SignedText.of(sign(f"swaddle-{kind}-v1", value, signer or self.world.statement))
        self.do(operation, who or self.registry, transfer, signed)

    def _report(self, party):
        """A report for the submitter, through the same gateway."""
        said = self._announcement(secrets.token_bytes(16), 1000, party.pair, hours=14 * 24)
        announced, _ = self.do(sending.announce, self.registry, said, FREE_BYTES)
        digest = secrets.token_bytes(32)
        self._part(self.registry, announced.id, 0, 1000, digest)
        self.do(sending.finish, self.registry, announced.id, self._finished(None, announced, (1000,), [digest], party))
        self.reports[announced.id] = party

    def fetch(self):
        """Submitters get their reports within days; some are killed while they do, some never come."""
        for transfer, party in list(self.reports.items()):
            if self.random.random() > 0.08:
                continue
            who = Who(Kind.SUBMITTER, party.id)
            token = secrets.token_urlsafe(32)
            if self.random.random() < 0.03:
                del self.reports[transfer]  # never fetched
                self.done["reports never fetched"] += 1
                continue
            held = self.do(reading.lease, who, transfer, sha256(token.encode()).hexdigest())
            for _ in range(self.random.choice((1, 1, 1, 2, 3))):
                self.do(reading.open_part, who, transfer, 0, token)
            digest = sha256(held.manifest.message.encode()).hexdigest()
            more = {"manifest_sha256": digest, "outcome": "stored", "receipt": None}
            self._say("acknowledgement", transfer, reading.acknowledge, more, signer=party.key, who=who)
            del self.reports[transfer]
            self.done["reports fetched"] += 1

    def keep_house(self):
        """Daily: the journal is drained; weekly: another intake key."""
        while entries := self.world.journal(self.drained)["entries"]:
            self.drained = entries[-1]["sequence"]
            if len(entries) < 1000:
                break
        assert self.world.instruct("journal-drained", through=self.drained).status == 200
        self.days = getattr(self, "days", 0) + 1
        if self.days % 7 == 0:
            from swaddle.envelope.keys import SealingPair

            pair = SealingPair.generate()
            answer = self.world.intake(sequence=1 + self.days // 7, pair=pair)
            assert answer.status == 200, answer.body
            self.world.pair = pair
