"""The chain of 2023, link five: whoever writes to the whole database mints no access to anything, and it is noticed.

The thief may do to `transfers.db` what he likes, while the gateway runs or before it starts. He has no signature of the
registry and no key of a submitter.
"""

import contextlib
import secrets
from hashlib import sha256

import pytest

from gateway_world import SealingPair, SigningKey, b64, direct_world
from swaddle.envelope.manifest import parse_manifest
from swaddle.envelope.refusals import SignatureInvalid, WrongSigner
from swaddle.envelope.signature import MANIFEST, PublicSigningKey, open_signed
from swaddle.envelope.unseal import check_envelope
from swaddle.registry import alarm
from swaddle.registry.exchange import JournalBroken, drain_journal
from swaddle.wire.messages import JournalPage, convert


@pytest.fixture
def world(tmp_path):
    with direct_world(tmp_path / "gateway") as made:
        made.party, made.thief = made.enrol(), SigningKey.generate()
        yield made


def rows(world):
    """The database, for the thief to write to."""
    return world.line.gateway.thread.index.connection


def become_puller(world):
    rows(world).execute("UPDATE facts SET value = ? WHERE name = 'pull_key'", (world.thief.public.line,))


def become_submitter(world):
    identity, pair = secrets.token_hex(16), SealingPair.generate()
    rows(world).execute(
        "INSERT INTO submitters (id, signing_key, fingerprint, key_id) VALUES (?, ?, ?, ?)",
        (identity, world.thief.public.line, world.thief.public.fingerprint, pair.public.key_id),
    )
    return identity


def entries(world, after=0):
    return convert(world.journal(after), JournalPage).entries


class TestReading:
    def test_a_pull_key_of_ones_own_reads_one_sealed_object_and_freezes_before_the_second(self, world):
        booty = [world.send(world.party) for _ in range(3)]
        become_puller(world)
        assert world.lease(booty[0], key=world.thief).status == 200
        assert world.lease(booty[1], key=world.thief).problem == "frozen"

    def test_the_registry_is_locked_out_then_and_so_notices(self, world):
        world.send(world.party)
        become_puller(world)
        assert world.get("/v1/journal?after=0", world.pull).problem == "unsigned"  # silence: an alarm
        assert world.get("/v1/status", world.pull).problem == "unsigned"

    def test_with_the_allowance_raised_too_each_lease_is_one_that_the_registry_never_made(self, world):
        booty = [world.send(world.party) for _ in range(3)]
        kept = world.pull.public.line
        become_puller(world)
        rows(world).execute("INSERT OR REPLACE INTO facts VALUES ('allowance', '1000')")
        for sealed in booty:
            assert world.lease(sealed, key=world.thief).status == 200
            assert world.read(sealed, key=world.thief).status == 200
        rows(world).execute("UPDATE facts SET value = ? WHERE name = 'pull_key'", (kept,))  # the traces covered
        found = alarm.foreign_leases(entries(world), world.registry, lambda _: None)
        assert set(found) == {sealed.id for sealed in booty}

    def test_a_transfer_made_ones_own_is_leased_under_a_name_that_it_was_not_for(self, world):
        sealed = world.send(world.party)
        identity = become_submitter(world)
        rows(world).execute("UPDATE transfers SET reader = ?", (identity,))
        assert world.lease(sealed, key=world.thief).status == 200
        assert alarm.foreign_leases(entries(world), world.registry, lambda _: None) == (sealed.id,)

    def test_what_is_read_is_sealed_to_a_key_that_is_not_here(self, world):
        """A header opens with the key that its core names; that key is with the registry."""
        sealed = world.send(world.party)
        assert parse_manifest(sealed.manifest.message).core.recipient == world.pair.public.key_id
        everything = "\n".join(rows(world).iterdump()).encode()
        for secret in (world.pull, world.statement, world.root, world.party.key):
            assert secret._private.private_bytes_raw().hex().encode() not in everything.lower()
        assert b"PRIVATE" not in everything

    def test_the_traces_cannot_be_removed(self, world):
        booty = [world.send(world.party) for _ in range(2)]
        before = world.journal()["entries"][-1]["sequence"]
        become_puller(world)
        world.lease(booty[0], key=world.thief)
        rows(world).execute("UPDATE facts SET value = ? WHERE name = 'pull_key'", (world.pull.public.line,))
        rows(world).execute("DELETE FROM journal WHERE sequence > ?", (before,))
        world.journal(before)
        assert ("chain", None) in [(freeze["cause"], freeze["reader"]) for freeze in world.freezes()]

    def test_a_tip_that_is_turned_back_is_not_the_head_that_the_registry_holds(self, world, tmp_path):
        """With the journal's key as well, the thief signs any head; the registry has the later one in custody."""
        from swaddle.custody.ledger import Ledger
        from swaddle.registry.state import State

        world.send(world.party)
        state, ledger = State(tmp_path / "registry.db"), Ledger(tmp_path / "custody.jsonl")
        state.set_fact("journal_key", world.journal_key)

        class Client:
            def get_json(self, path):
                return world.get(path, world.pull).json

            def post_json(self, path, value):
                return world.post(path, value, world.pull)

        class Keyring:
            registry_id, statement = world.registry, world.statement

        state.set_fact("instruction", "100")
        drain_journal(Client(), Keyring, state, ledger, world.line.now)
        world.send(world.party)
        drain_journal(Client(), Keyring, state, ledger, world.line.now)
        connection = rows(world)
        connection.execute("DELETE FROM journal")
        connection.execute("UPDATE facts SET value = '3' WHERE name = 'journal_sequence'")
        connection.execute("UPDATE facts SET value = ? WHERE name IN ('journal_tip', 'journal_base')", ("ab" * 32,))
        with pytest.raises(JournalBroken):
            drain_journal(Client(), Keyring, state, ledger, world.line.now)


class TestWritingIn:
    def test_a_submitter_of_ones_own_sends_what_the_registry_refuses(self, world):
        become_submitter(world)
        party = type(world.party)(rows(world).execute("SELECT id FROM submitters ORDER BY rowid DESC").fetchone()[0],
                                  world.thief, world.party.pair)  # fmt: skip
        sealed = world.send(party)  # the gateway takes it
        enrolled = [world.party.key.public]  # whom the registry let in: that is not in this database
        with pytest.raises(WrongSigner):
            check_envelope(sealed.manifest, sealed.header, sealed.description, enrolled, set())

    def test_an_enrolment_made_active_by_hand_is_no_enrolment_for_its_submitter(self, world):
        secret = world.invite()
        body = world.enrolment_body(secret, world.thief, SealingPair.generate())
        world.post("/v1/enrolments", {**body, "hmac": b64(bytes(32))})
        rows(world).execute('UPDATE enrolments SET state = \'active\', statement = \'{"message":"{}","signature":""}\'')
        answer = world.post("/v1/enrolments/state", {"lookup": body["lookup"]})
        assert answer.json["state"] == "active"
        assert "BEGIN SSH SIGNATURE" not in answer.json["enrolment"]["signature"]  # the submitter refuses it

    def test_a_root_of_ones_own_signs_instructions_that_the_registry_never_gave(self, world):
        """And then the registry's own are refused: it notices at its next one, and submitters pin the true root."""
        import json
        from datetime import timedelta

        from swaddle.envelope.public import make_certificate

        now = world.line.now()
        certificate = make_certificate(world.thief, world.thief.public, now, now + timedelta(days=1))
        connection = rows(world)
        connection.execute("UPDATE facts SET value = ? WHERE name = 'root'", (world.thief.public.line,))
        connection.execute(
            "UPDATE facts SET value = ? WHERE name = 'certificate'", (json.dumps(certificate.to_json()),)
        )
        assert world.instruct("allowance", transfers=2).problem == "unsigned"
        handed = world.get("/v1/intake", world.party.key).json["certificate"]
        from swaddle.envelope.public import open_certificate
        from swaddle.envelope.signature import Signed
        from swaddle.errors import IntegrityFault

        with pytest.raises(IntegrityFault):
            open_certificate(Signed.from_json(handed), world.root.public.fingerprint, now)

    def test_a_receipt_of_ones_own_is_signed_by_nobody(self, world):
        sealed = world.send(world.party)
        rows(world).execute(
            "UPDATE transfers SET state = 'acknowledged', outcome = 'stored', receipt = ?",
            ('{"message":"{}","signature":"forged"}',),
        )
        seen = world.view(sealed, world.party.key).json
        assert seen["receipt"]["signature"] == "forged"  # handed out as it lies there; the submitter's home refuses it
        with pytest.raises(SignatureInvalid):
            open_signed_text(seen["receipt"], world)

    def test_a_changed_manifest_header_or_description_is_not_what_was_signed(self, world):
        sealed = world.send(world.party)
        rows(world).execute("UPDATE transfers SET header = ?, description = ?", (bytes(1260), bytes(1136 + 4096)))
        lease = world.lease(sealed).json
        import base64

        with pytest.raises(Exception, match=r"header|description|SWD"):
            check_envelope(
                sealed.manifest, base64.b64decode(lease["header"]), base64.b64decode(lease["description"]),
                [world.party.key.public], set(),
            )  # fmt: skip


def open_signed_text(text, world):
    from swaddle.envelope.signature import Signed

    return open_signed(Signed.from_json(text), "swaddle-receipt-v1", (world.statement.public,))


class TestPlanted:
    """Things written where values are expected: nothing runs, nothing falls over without a word."""

    @pytest.mark.parametrize(
        "value", ["'; DROP TABLE transfers; --", "../../etc/passwd", "\x00", "{{7*7}}", "[" * 5000]
    )
    @pytest.mark.parametrize("column", ["manifest", "held", "receipt", "recipient", "lease_sha256", "outcome"])
    def test_a_planted_value_is_a_value(self, world, column, value):
        sealed = world.send(world.party)
        rows(world).execute(f"UPDATE transfers SET {column} = ?", (value,))
        for answer in (world.lease(sealed), world.view(sealed, world.party.key), world.get("/v1/inbox", world.pull)):
            assert answer.status in {200, 404, 409, 423, 500}
        world.line.clock.pass_(days=40)
        world.line.sweep()
        assert rows(world).execute("SELECT count(*) FROM transfers").fetchone()[0] == 0

    @pytest.mark.parametrize("body", ["../settings.toml", "/etc/passwd", "..", "a" * 31 + "/", "\x00" * 32])
    def test_a_planted_body_is_never_a_path(self, world, body):
        sealed = world.send(world.party)
        world.lease(sealed)
        rows(world).execute("UPDATE parts SET body = ? WHERE number = 0", (body,))
        with_read = world.read(sealed)
        assert with_read.status in {0, 404, 500}
        assert b"root:" not in with_read.body
        settings = (world.line.home / "settings.toml").read_bytes()
        world.line.clock.pass_(days=4)
        with contextlib.suppress(ValueError):  # it is no id, so it is no file: the sweep says so and goes no further
            world.line.sweep()
        assert (world.line.home / "settings.toml").read_bytes() == settings

    def test_a_planted_trigger_or_view_calls_no_function(self, world):
        """`trusted_schema` is off and no extension can be loaded."""
        connection = rows(world)
        assert connection.execute("PRAGMA trusted_schema").fetchone()[0] == 0
        with pytest.raises(Exception, match=r"not authorized|no such function|not permitted"):
            connection.execute("SELECT load_extension('/tmp/x.so')")
        digest = sha256(b"x").hexdigest()
        connection.execute(
            "CREATE TRIGGER planted AFTER INSERT ON nonces BEGIN SELECT load_extension('/tmp/x.so'); END"
        )
        answer = world.get("/v1/status", world.pull)
        assert answer.status in {500, 507}
        assert digest not in answer.body.decode()


class TestPlantedFiles:
    """A web shell's other half: what is written beside the program is served to nobody and run by nobody."""

    NAMES = ("index.html", "shell.py", "shell.aspx", "a" * 32, ".hidden", "settings.toml.bak", "sitecustomize.py")

    @pytest.mark.parametrize("folder", [".", "bodies"])
    def test_no_address_leads_to_it(self, world, folder):
        for name in self.NAMES:
            (world.line.home / folder / name).write_text("planted-marker")
        for name in self.NAMES:
            for path in (
                f"/{name}",
                f"/{folder}/{name}",
                f"/v1/{name}",
                f"/v1/transfers/{name}",
                f"/v1/uploads/{name}",
            ):
                for key in (None, world.party.key, world.pull):
                    answer = world.get(path, key)
                    assert answer.status in {400, 401, 404}
                    assert b"planted-marker" not in answer.body

    def test_a_planted_body_of_no_row_is_gone_at_the_next_start(self, world):
        planted = world.line.home / "bodies" / ("a" * 32)
        planted.write_text("planted-marker")
        world.line.reopen()
        assert not planted.exists()

    def test_a_body_exchanged_for_another_file_is_not_what_was_signed(self, world):
        sealed = world.send(world.party)
        world.lease(sealed)
        (row,) = rows(world).execute("SELECT body FROM parts WHERE number = 1").fetchall()
        (world.line.home / "bodies" / row["body"]).write_bytes(b"planted" * 200)
        came = world.read(sealed, 1).body
        assert sha256(came).hexdigest() not in parse_manifest(sealed.manifest.message).core.parts


def test_the_keys_of_the_world_are_keys(world):
    """The test's own ground: what the thief signs with is enrolled nowhere."""
    assert world.get("/v1/intake", world.thief).problem == "unsigned"
    assert PublicSigningKey.from_line(world.journal_key)
    assert MANIFEST
