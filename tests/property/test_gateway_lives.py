"""Whatever two parties and the clock do to a transfer, in any order: invariants hold, and it ends."""

import itertools
import secrets
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_world import direct_world
from swaddle.gateway import journal
from swaddle.gateway.transfer import TRANSITIONS

STEPS = [
    "part", "other part", "finish", "lease", "other lease", "read", "acknowledge", "unreadable", "give back", "view",
    "wait a minute", "wait a quarter", "wait two days", "sweep", "restart", "revoke",
]  # fmt: skip
EDGES = {(old.value, new.value) for (old, _), new in TRANSITIONS.items()}
EVENT_STATE = {
    "announced": "announced", "receiving": "receiving", "held": "held", "leased": "leased", "given-back": "held",
    "lapsed": "held", "acknowledged": "acknowledged", "refused": "refused", "expired": "expired",
    "destroyed": "destroyed",
}  # fmt: skip


def take(world, party, sealed, step):
    data = sealed.parts[0]
    return {
        "part": lambda: world.put(party, sealed.id, 0, data),
        "other part": lambda: world.put(party, sealed.id, 0, bytes(len(data))),
        "finish": lambda: world.finish(party, sealed),
        "lease": lambda: world.lease(sealed),
        "other lease": lambda: world.lease(sealed, digest=secrets.token_hex(32)),
        "read": lambda: world.read(sealed),
        "acknowledge": lambda: world.acknowledge(sealed),
        "unreadable": lambda: world.acknowledge(sealed, "unreadable"),
        "give back": lambda: world.give_back(sealed),
        "view": lambda: world.view(sealed, party.key),
        "wait a minute": lambda: world.line.clock.pass_(minutes=1),
        "wait a quarter": lambda: world.line.clock.pass_(minutes=15),
        "wait two days": lambda: world.line.clock.pass_(days=2),
        "sweep": world.line.sweep,
        "restart": world.line.reopen,
        "revoke": lambda: world.instruct("revoke", submitter=party.id),
    }[step]()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(st.sampled_from(STEPS), max_size=25))
def test_any_order_of_steps(steps):
    with TemporaryDirectory() as folder, direct_world(Path(folder) / "gateway") as world:
        party = world.enrol()
        announced = world.announce(party, 1000).json
        sealed = world.seal(party, announced, [secrets.token_bytes(1000)])
        read_back = set()
        for step in ["part", *steps]:
            answer = take(world, party, sealed, step)
            assert getattr(answer, "status", 200) != 500
            if step == "read" and answer.status == 200:
                read_back.add(answer.body)
        assert read_back <= {sealed.parts[0]}
        index, store = world.line.gateway.thread.index, world.line.gateway.store
        journal.check(index)
        assert {row["body"] for row in index.rows("SELECT body FROM parts")} == set(store.bodies())
        states = [EVENT_STATE[entry["event"]] for entry in world.journal()["entries"] if entry["subject"] == sealed.id]
        assert set(itertools.pairwise(states)) <= EDGES
        world.line.clock.pass_(days=3)
        world.line.sweep()
        assert list(store.bodies()) == []
        assert index.row("SELECT state FROM transfers")["state"] == "destroyed"
        world.line.clock.pass_(days=15)
        world.line.sweep()
        assert index.row("SELECT count(*) FROM transfers")[0] == 0
