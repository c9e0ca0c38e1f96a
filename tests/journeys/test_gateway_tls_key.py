"""The gateway's next TLS key: made, announced by the registry, shown; nobody who listened needs to do a thing."""

import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pytest

from gateway_world import running
from swaddle.gateway.initialise import initialise, make_certificate, pin_of
from swaddle.gateway.settings import load
from swaddle.home import Kind, open_home
from swaddle.registry import pins
from swaddle.submitter.trust import known_intake
from swaddle.wire.enrolment import ClaimFile
from whole_world import make_world


class Gateway:
    def __init__(self, claim):
        self.claim = claim


@pytest.mark.slow
def test_announced_ahead_shown_later_and_registry_and_submitters_follow(tmp_path):
    home = tmp_path / "gateway"
    initialise(home, "https://127.0.0.1:0", port=0)
    stated = load(open_home(home, Kind.GATEWAY))
    certificate, private = make_certificate(stated.authority, datetime.now(UTC) - timedelta(days=660))  # 70 days left
    (home / "tls.crt").write_bytes(certificate)
    (home / "tls.key").write_bytes(private)
    before = pin_of(certificate)
    claim = ClaimFile.from_bytes((home / "claim.json").read_bytes())
    claim = ClaimFile(url=claim.url, pin=before, secret=claim.secret, expires=claim.expires)
    with running(home):
        world = make_world(tmp_path, Gateway(claim))
        world.enrol("north")
        world.ask("pull")  # drains `next-tls-key`
        world.ask("pull")  # publishes both pins
        following = pin_of((home / "tls-next.crt").read_bytes())
        inside = world.inside()
        assert pins.known(inside.state, inside.settings) == (before, following)
        inside.close()
        world.send("north", world.births(10, 1))
        assert known_intake(world.submitters["north"]).gateway_pins == (before, following)
        world.ask("pull")
    # A month passes: the gateway's memory of the announcement is a month old.
    since = (datetime.now(UTC) - timedelta(days=31)).strftime("%Y-%m-%dT%H:%M:%SZ")
    connection = sqlite3.connect(home / "transfers.db")
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('next_tls_key_since', ?)", (since,))
    connection.commit()
    connection.close()
    with running(home):
        for _ in range(100):
            if pin_of((home / "tls.crt").read_bytes()) == following:
                break
            time.sleep(0.1)
        world.ask("pull")
        sent = world.send("north", world.births(10, 2))
        assert sent[0] in {each["id"] for each in world.ask("pull")["transfers"]}
        inside = world.inside()
        assert pins.known(inside.state, inside.settings) == (following,)
        inside.close()
        world.enrol("new")  # its invitation names the key that is shown now
