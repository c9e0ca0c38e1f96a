"""A rotation of the pull or the statement key that dies at any step: the next look ends it, and nobody is shut out.

Every durable write and every word to the gateway is a step; at the n-th it dies, before the step or after it. What is on
the disk is then all that there is: the registry is opened anew.
"""

from datetime import UTC, datetime, timedelta

import pytest

from submitter_world import GatewayProcess
from swaddle.envelope.public import make_certificate
from swaddle.envelope.signature import PublicSigningKey, SigningKey
from swaddle.registry import exchange, rotation, work
from swaddle.registry.operations import Operations
from whole_world import PASSPHRASE, make_world


class Died(BaseException):
    """As by SIGKILL: nothing catches it."""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    yield make_world(folder, gateway)
    gateway.stop()


def rotate_pull(inside):
    Operations(inside).do("rotate-keys", which="pull")


def rotate_statement(inside):
    asked = rotation.begin_statement(inside)
    root = SigningKey.load((inside.home / "keys" / "root.key").read_bytes(), PASSPHRASE)
    now = datetime.now(UTC).replace(microsecond=0)
    key = PublicSigningKey.from_line(asked["statement_key"])
    signed = make_certificate(root, key, now - timedelta(minutes=5), now + timedelta(days=365))
    rotation.finish_statement(inside, signed.to_json())


def killed_at(world, rotate, kill_at, monkeypatch):
    """Rotate and die at a step; then everything goes on from the disk. Whether it died."""
    passed = 0

    def watch(real):
        def step(*args, **kwargs):
            nonlocal passed
            if 2 * passed == kill_at:
                raise Died
            result = real(*args, **kwargs)
            if 2 * passed + 1 == kill_at:
                raise Died
            passed += 1
            return result

        return step

    inside, died = world.inside(), False
    before = {inside.keyring.pull.public.fingerprint, inside.keyring.statement.public.fingerprint}
    with monkeypatch.context() as patch:
        for where, name in (
            (rotation.durable, "write_file"), (rotation.durable, "remove_file"), (rotation, "note"),
            (exchange, "instruct"), (type(inside.state), "set_facts"),
        ):  # fmt: skip
            patch.setattr(where, name, watch(getattr(where, name)))
        try:
            rotate(inside)
        except Died:
            died = True
        finally:
            inside.close()
    inside = world.inside()
    try:
        work.look(inside)  # signs its requests and its instructions, whichever keys are in force
        exchange.instruct(inside.client, inside.keyring, inside.state, "allowance", inside.now(), transfers=1)
        handed = inside.client.get_json("/v1/intake")
        assert handed["certificate"] == inside.keyring.certificate.to_json()
        made = {inside.keyring.pull.public.fingerprint, inside.keyring.statement.public.fingerprint} - before
        for fingerprint in made:
            assert [entry.event for entry in inside.ledger.entries(fingerprint)].count("key-made") == 1
        if not died:
            assert made
        gone = before - {inside.keyring.pull.public.fingerprint, inside.keyring.statement.public.fingerprint}
        for fingerprint in gone:
            assert [entry.event for entry in inside.ledger.entries(fingerprint)].count("key-destroyed") == 1
        left = [path.name for path in (inside.home / "keys").glob("*.next.key")]
        # a key that nobody has certified yet waits for the root; everything else is done
        assert left in ([], ["statement.next.key"])
    finally:
        inside.close()
    return died


@pytest.mark.parametrize("rotate", [rotate_pull, rotate_statement])
@pytest.mark.parametrize("kill_at", [3, 8])
def test_a_rotation_that_dies_here_and_there_is_ended_by_the_next_look(world, rotate, kill_at, monkeypatch):
    assert killed_at(world, rotate, kill_at, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("rotate", [rotate_pull, rotate_statement])
def test_a_rotation_that_dies_at_any_step_is_ended_by_the_next_look(world, rotate, monkeypatch):
    kill_at = 0
    while killed_at(world, rotate, kill_at, monkeypatch):
        kill_at += 1
    assert kill_at > 10
