"""Parts come over several connections at once; what was compared as it came is known, and nothing else is."""

from types import SimpleNamespace

import pytest

from submitter_world import GatewayProcess, Registry, enrolled_home, party_of, rows
from swaddle.envelope.refusals import PartChanged
from swaddle.envelope.unseal import check_envelope, open_envelope
from swaddle.registry import pull
from swaddle.registry.pipeline import open_body
from swaddle.submitter.send import send
from swaddle.wire.client import GatewayClient


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    process = GatewayProcess(tmp_path_factory.mktemp("gateway") / "home")
    yield Registry(process.claim)
    process.stop()


@pytest.fixture
def leased(registry, tmp_path):
    """A transfer of seven parts, leased: (what is known of it, its token, its file)."""
    party = party_of(enrolled_home(registry, tmp_path, part_bytes=65_536))
    file = tmp_path / "births.csv"
    file.write_bytes(rows(7000))
    send(party, [file])
    transfer = SimpleNamespace(id=registry.waiting()[-1], token=pull.new_token())
    held = pull.lease(registry.client, transfer, tmp_path / "spool")
    yield held, transfer.token, file
    digest = pull.sha256(held.manifest.message).hexdigest()
    registry.acknowledge(held.id, digest, "refused")


def opened_by(registry, held):
    sender = held.manifest.message
    key = next(
        keys.signing_key for name, keys in registry.submitters.items() if f'"submitter":"{name}"' in sender.decode()
    )
    manifest = check_envelope(held.manifest, held.header, held.description, [key], ())
    return open_envelope(
        manifest, held.header, held.description, {registry.intake_pair.public.key_id: registry.intake_pair}
    )


def opened_into(registry, held, path):
    with path.open("w+b") as into:
        return open_body(held, opened_by(registry, held), into.fileno())


def test_parts_come_side_by_side_and_open_as_they_were(registry, leased, tmp_path, monkeypatch):
    held, token, file = leased
    lanes = set()
    get = GatewayClient.get_part

    def watch(self, *args):
        lanes.add(id(self))
        get(self, *args)

    monkeypatch.setattr(GatewayClient, "get_part", watch)
    pull.fetch_body(registry.client, held, token)
    assert len(lanes) == pull.SHORT_LANES
    assert held.checked == set(range(7))
    digest = opened_into(registry, held, tmp_path / "opened")
    assert (tmp_path / "opened").read_bytes() == file.read_bytes()
    assert digest == pull.sha256(file.read_bytes()).hexdigest()


def test_what_an_earlier_run_fetched_is_compared_again(registry, leased, tmp_path):
    held, token, _ = leased
    pull.fetch_body(registry.client, held, token)
    part = held.part_path(3)
    part.write_bytes(held.part_path(2).read_bytes())
    later = pull.Held(held.id, held.manifest, held.header, held.description, held.folder)
    pull.fetch_body(registry.client, later, token)
    assert later.checked == set()
    with pytest.raises(PartChanged):
        opened_into(registry, later, tmp_path / "opened")


def test_a_part_that_is_not_the_signed_one_stops_them_all_and_is_named(registry, leased, monkeypatch):
    held, token, _ = leased
    get = GatewayClient.get_part

    def bend(self, path, lease, expected_bytes, into):
        get(self, path, lease, expected_bytes, lambda piece: into(memoryview(bytes(len(piece)))))

    monkeypatch.setattr(GatewayClient, "get_part", bend)
    with pytest.raises(pull.PartWrong):
        pull.fetch_body(registry.client, held, token)
    assert held.checked == set()
    assert not list(held.folder.glob("*.part"))


def test_nothing_is_fetched_twice(registry, leased, monkeypatch):
    held, token, _ = leased
    pull.fetch_body(registry.client, held, token)
    monkeypatch.setattr(GatewayClient, "get_part", lambda *_: pytest.fail("it lies there"))
    pull.fetch_body(registry.client, held, token)
