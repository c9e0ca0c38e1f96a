"""A season of intake keys, day by day, on a real gateway whose clock is ours: overlap, destruction, what is left."""

import json
import os
from datetime import timedelta
from hashlib import sha256
from types import SimpleNamespace

import pytest

from gateway_world import Clock, DirectLine, World, make_home, signed_headers
from swaddle.canonical import canonical, parse_instant
from swaddle.custody.ledger import Ledger
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.manifest import Description, FileEntry, parse_manifest
from swaddle.envelope.refusals import EnvelopeRefused
from swaddle.envelope.seal import close_envelope, new_data_key, seal_file
from swaddle.envelope.unseal import open_envelope
from swaddle.registry import exchange, keys, rotation
from swaddle.registry.keys import IntakeKeys
from swaddle.registry.settings import Settings
from swaddle.registry.state import State
from swaddle.wire.enrolment import ClaimFile

DAYS = 70
PASSPHRASE = b"correct horse battery staple"


class Straight:
    """The registry's requests, signed as always, into the gateway's application."""

    def __init__(self, line, key):
        self.line, self.key = line, key

    def also_trust(self, pins):
        """There is no TLS on this line."""

    def _ask(self, method, path, body):
        key = None if path == "/v1/claim" else self.key
        head = signed_headers(key, method, self.line.authority, path, body, self.line.now())
        answer = self.line.send(method, path, head, body)
        assert answer.status < 300, answer.body
        return answer.json

    def get_json(self, path):
        return self._ask("GET", path, None)

    def post_json(self, path, value):
        return self._ask("POST", path, canonical(value))


class Sender(World):
    """A submitter under the registry's real keys."""

    def __init__(self, inside, line):
        super().__init__(line)
        self.inside, ring = inside, inside.keyring
        self.root, self.registry = SimpleNamespace(public=ring.root), ring.registry_id
        self.statement, self.pull = ring.statement, ring.pull

    def instruct(self, instruction, key=None, sequence=None, **members):
        exchange.instruct(
            self.inside.client, self.inside.keyring, self.inside.state, instruction, self.line.now(), **members
        )
        return SimpleNamespace(status=200, body=b"")

    def under(self, key_id):
        """From now on announcements name this intake key, as a send that was begun under it does."""
        self.pair = SimpleNamespace(public=SimpleNamespace(key_id=key_id))


@pytest.fixture
def inside(tmp_path):
    clock = Clock()
    gateway = make_home(tmp_path / "gateway", clock())
    line = DirectLine(gateway, clock)
    home = tmp_path / "registry"
    home.mkdir()
    keys.make(home, PASSPHRASE, clock())
    ring = keys.unlock(home, PASSPHRASE)
    made = SimpleNamespace(
        home=home, settings=Settings(gateway_url="https://gateway.example"), keyring=ring,
        intake_keys=IntakeKeys(home, ring, PASSPHRASE), state=State(home / "registry.db"),
        ledger=Ledger(home / "custody.jsonl"), client=Straight(line, ring.pull), now=clock, passphrase=PASSPHRASE,
        line=line,
    )  # fmt: skip
    exchange.claim(made.client, ClaimFile.from_bytes((gateway / "claim.json").read_bytes()), ring, made.state)
    rotation.renew_intake_key(made)
    yield made
    made.state.close()
    line.close()


def handed_out(inside):
    return json.loads(inside.client.get_json("/v1/intake")["intake"]["message"])


def events(inside, key_id):
    return [entry.event for entry in inside.ledger.entries(key_id)]


def captured(inside, folder):
    """A transfer sealed to today's key, as somebody copied it from the gateway."""
    folder.mkdir()
    (folder / "births.csv").write_bytes(b"a birth")
    recipient = inside.intake_keys.recipient()
    data_key = new_data_key()
    core = seal_file(folder / "births.csv", folder / "body", data_key).core(
        transfer=os.urandom(16).hex(), submitter=os.urandom(16).hex(), recipient=recipient.key_id,
        created=inside.now(), expires=inside.now() + timedelta(hours=72),
    )  # fmt: skip
    described = Description(
        "births", (FileEntry("births.csv", 7, sha256(b"a birth").hexdigest()),), None, None, None, None
    )
    return close_envelope(core, data_key, described, recipient, inside.keyring.statement)


def opens(inside, copy):
    """Whether anything that the registry has, its passphrase included, opens it: every key under every name."""
    manifest = parse_manifest(copy.manifest.message)
    live = [
        SealingPair.from_file(path.read_bytes(), PASSPHRASE)
        for path in (inside.home / "keys" / "intake").glob("*.json")
    ]
    for pair in live:
        for name in {pair.public.key_id, manifest.core.recipient}:
            try:
                open_envelope(manifest, copy.header, copy.description, {name: pair})
            except EnvelopeRefused:
                continue
            return True
    return False


def test_a_season_of_keys_day_by_day(inside, tmp_path):
    sender = Sender(inside, inside.line)
    party = sender.enrol()
    made, copies, begun = {}, [], None
    for day in range(DAYS):
        rotation.renew_intake_key(inside)
        statement = handed_out(inside)
        key_id = statement["recipient"]["key_id"]
        made.setdefault(key_id, day)
        if day % 20 == 0:
            copies.append((inside.now(), captured(inside, tmp_path / f"copy-{day}")))
        # who asks today has at least a week less a day to seal
        assert parse_instant(statement["seal_until"]) - inside.now() > timedelta(days=6)
        # what was announced yesterday finishes today, under the key of yesterday
        if begun is not None:
            sender.under(begun[0])
            sealed = sender.seal(party, begun[1], [b"x" * 1000])
            assert sender.put(party, sealed.id, 0, sealed.parts[0]).status == 204
            assert sender.finish(party, sealed).status == 200
            assert sender.lease(sealed).status == 200
            assert sender.acknowledge(sealed).status == 200
        # what was begun at home three days ago, and announced only now, is taken
        for earlier in [key for key, since in made.items() if day - since <= 13]:
            sender.under(earlier)
            assert sender.announce(party, 1000).status == 201, (day, earlier)
        for later in [key for key, since in made.items() if day - since > 14]:
            sender.under(later)
            assert sender.announce(party, 1000).problem == "refused", (day, later)
        sender.under(key_id)
        begun = (key_id, sender.announce(party, 1000, hours=71).json)
        for since, copy in copies:
            age = inside.now() - since
            assert opens(inside, copy) is (age < timedelta(days=30) - timedelta(days=day_of(made, copy, since, inside)))
        inside.now.pass_(days=1)
        inside.line.sweep()
    assert len(made) == DAYS // 7  # one a week
    old = [key for key, since in made.items() if since < DAYS - 31]
    for key in old:
        assert events(inside, key) == ["key-made", "intake-published", "key-destroyed"]
    assert len(list((inside.home / "keys" / "intake").glob("*.json"))) <= 5


def day_of(made, copy, since, inside):
    """How many days old the key of a copy was when it was copied."""
    recipient = parse_manifest(copy.manifest.message).core.recipient
    made_at = next(entry.at for entry in inside.ledger.entries(recipient) if entry.event == "key-made")
    return (since - parse_instant(made_at)).days


def test_a_kill_while_a_key_is_destroyed_leaves_it_destroyed_and_noted_once(inside, monkeypatch):
    key_id = handed_out(inside)["recipient"]["key_id"]
    inside.now.pass_(days=30)
    real, killed = rotation.note, []

    def dying(inside, event, key, kind, **further):
        if event == "key-destroyed" and not killed:
            killed.append(key)
            raise KeyboardInterrupt
        real(inside, event, key, kind, **further)

    monkeypatch.setattr(rotation, "note", dying)
    with pytest.raises(KeyboardInterrupt):
        rotation.renew_intake_key(inside)
    assert not (inside.home / "keys" / "intake" / f"{key_id}.json").exists()
    assert "key-destroyed" not in events(inside, key_id)
    for _ in range(2):
        rotation.renew_intake_key(inside)
    assert events(inside, key_id).count("key-destroyed") == 1
    assert not list((inside.home / "keys" / "intake").glob(f"{key_id}*"))


def test_no_kill_leaves_a_key_that_nobody_destroys(inside, monkeypatch):
    real = keys.durable.write_file

    def dying(path, data, mode=0o600):
        real(path, data, mode)
        if path.parent.name == "intake" and path.suffix == ".json":
            raise KeyboardInterrupt

    monkeypatch.setattr(keys.durable, "write_file", dying)
    inside.now.pass_(days=8)
    with pytest.raises(KeyboardInterrupt):
        rotation.renew_intake_key(inside)
    monkeypatch.setattr(keys.durable, "write_file", real)
    for _ in range(32):
        rotation.renew_intake_key(inside)
        inside.now.pass_(days=1)
    folder = inside.home / "keys" / "intake"
    assert {path.stem for path in folder.glob("*.json")} == {path.stem for path in folder.glob("*.until")}
    assert all(parse_instant(path.read_text()) > inside.now() - timedelta(days=1) for path in folder.glob("*.until"))


def test_a_registry_that_was_away_for_a_month_destroys_first_and_goes_on(inside):
    key_id = handed_out(inside)["recipient"]["key_id"]
    inside.now.pass_(days=45)
    rotation.renew_intake_key(inside)
    assert "key-destroyed" in events(inside, key_id)
    assert parse_instant(handed_out(inside)["seal_until"]) > inside.now()


def test_keys_are_destroyed_though_the_gateway_is_away(inside):
    key_id = handed_out(inside)["recipient"]["key_id"]
    inside.now.pass_(days=31)
    inside.client = SimpleNamespace(also_trust=lambda _: None)  # any request would be an AttributeError
    with pytest.raises(AttributeError):
        rotation.renew_intake_key(inside)
    assert "key-destroyed" in events(inside, key_id)
