"""A hacked gateway lies to a submitter: about whom to seal to, what it holds, what the registry said, what was sent."""

import base64
import datetime as dt
import secrets

import pytest

from submitter_world import GatewayProcess, Registry, enrolled_home, now, party_of, rows
from swaddle.canonical import digest_hex, format_instant, parse_canonical
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.public import make_certificate, make_intake
from swaddle.envelope.refusals import (
    EnvelopeRefused,
    NotInForce,
    OlderStatement,
    PartChanged,
    SignatureInvalid,
    WrongRoot,
    WrongSigner,
)
from swaddle.envelope.signature import SigningKey, sign
from swaddle.errors import IntegrityFault
from swaddle.feedback.bundle import NotABundle
from swaddle.submitter import counting, enrol, inbox
from swaddle.submitter.carry import TransferMet
from swaddle.submitter.receipts import HeldStatementWrong, ReceiptWrong
from swaddle.submitter.send import send
from swaddle.wire.client import GatewayClient
from swaddle.wire.messages import Garbled


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    process = GatewayProcess(tmp_path_factory.mktemp("gateway") / "home", sweep_seconds=1)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def registry(gateway):
    return Registry(gateway.claim)


@pytest.fixture
def party(registry, tmp_path, monkeypatch):
    monkeypatch.setattr(counting, "find_spec", lambda _: None)
    yield party_of(enrolled_home(registry, tmp_path, part_bytes=65_536))
    monkeypatch.undo()
    registry.take()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "births.csv"
    path.write_bytes(rows(1500))
    return path


@pytest.fixture
def lie(monkeypatch):
    """Replace the answer to requests whose path ends in `ending` by what `change` makes of it."""

    def install(ending, change):
        for name in ("get_json", "post_json"):
            honest = getattr(GatewayClient, name)

            def lying(self, path, *arguments, honest=honest, **named):
                answer = honest(self, path, *arguments, **named)
                return change(answer) if path.endswith(ending) else answer

            monkeypatch.setattr(GatewayClient, name, lying)

    return install


def mallory_statement(registry):
    return make_intake(registry.intake_statement(sequence=99, pair=SealingPair.generate()), SigningKey.generate())


class TestIntakeStatement:
    """Nothing is sealed, and nothing is announced, to a key that the registry has not vouched for."""

    def refused(self, party, file, error):
        with pytest.raises(error) as caught:
            send(party, [file])
        assert caught.value.exit_status == 8
        assert party.state.pending() == []

    def test_of_another_signer(self, registry, party, file, lie):
        lie("/v1/intake", lambda answer: answer | {"intake": mallory_statement(registry).to_json()})
        self.refused(party, file, WrongSigner)

    def test_whose_signature_is_of_another_text(self, registry, party, file, lie):
        forged = mallory_statement(registry).to_json()["message"]
        lie("/v1/intake", lambda answer: answer | {"intake": answer["intake"] | {"message": forged}})
        self.refused(party, file, SignatureInvalid)

    def test_under_another_root(self, registry, party, file, lie):
        root, key = SigningKey.generate(), SigningKey.generate()
        chain = {
            "certificate": make_certificate(root, key.public, now(), now() + dt.timedelta(days=9)).to_json(),
            "intake": make_intake(registry.intake_statement(sequence=99), key).to_json(),
        }
        lie("/v1/intake", lambda _: chain)
        self.refused(party, file, WrongRoot)

    def test_of_lower_sequence(self, registry, party, file, lie):
        older = make_intake(registry.intake_statement(sequence=registry.intake_sequence - 1), registry.statement)
        lie("/v1/intake", lambda answer: answer | {"intake": older.to_json()})
        self.refused(party, file, OlderStatement)

    def test_of_equal_sequence_and_other_content(self, registry, party, file, lie):
        other = make_intake(registry.intake_statement(pair=SealingPair.generate()), registry.statement)
        lie("/v1/intake", lambda answer: answer | {"intake": other.to_json()})
        self.refused(party, file, OlderStatement)

    def test_that_has_expired(self, registry, party, file, lie):
        started = now() - dt.timedelta(days=15)
        old = make_intake(registry.intake_statement(sequence=99, starts=started), registry.statement)
        lie("/v1/intake", lambda answer: answer | {"intake": old.to_json()})
        self.refused(party, file, NotInForce)

    def test_signed_for_another_purpose(self, registry, party, file, lie):
        value = registry.intake_statement(sequence=99).to_json()
        lie(
            "/v1/intake",
            lambda answer: answer | {"intake": sign("swaddle-receipt-v1", value, registry.statement).to_json()},
        )
        self.refused(party, file, SignatureInvalid)


class TestTransfer:
    """The gateway's own words about a transfer are checked against what was sent."""

    def test_an_id_met_before_is_refused_and_nothing_is_sent_under_it(self, registry, party, file, lie, tmp_path):
        (first,) = send(party, [file])
        registry.take()
        send(party, [])
        other = tmp_path / "other.csv"
        other.write_bytes(rows(10, seed=b"other"))
        lie("/v1/transfers", lambda answer: answer | {"id": first.transfer})
        with pytest.raises(TransferMet) as caught:
            send(party, [other])
        assert caught.value.exit_status == 8

    def test_an_id_of_another_send_on_its_way_is_refused(self, party, file, lie, tmp_path):
        (first,) = send(party, [file])
        other = tmp_path / "other.csv"
        other.write_bytes(rows(10, seed=b"other"))
        lie("/v1/transfers", lambda answer: answer | {"id": first.transfer})
        with pytest.raises(TransferMet):
            send(party, [other])

    def test_a_later_expiry_than_was_said_is_refused(self, party, file, lie):
        later = format_instant(now() + dt.timedelta(days=20))
        lie("/v1/transfers", lambda answer: answer | {"expires": later})
        with pytest.raises(Garbled):
            send(party, [file])

    @pytest.mark.parametrize(
        "bend",
        [{"transfer": "0" * 32}, {"body_bytes": 1}, {"manifest_sha256": "0" * 64}],
    )
    def test_a_held_statement_about_something_else_is_not_kept(self, party, file, lie, monkeypatch, bend):
        own = SigningKey.generate()
        trusting = type(party)(
            **{**vars(party), "journal_key": own.public}
        )  # the journal key itself is in the wrong hands

        def forge(answer):
            value = parse_canonical(answer["message"].encode()) | bend
            return sign("swaddle-held-v1", value, own).to_json()

        lie("/finish", forge)
        (sent,) = send(trusting, [file])
        assert sent.state == "failed"
        assert isinstance(sent.trouble, HeldStatementWrong)
        assert list(party.home.glob("receipts/*")) == []

    def test_a_held_statement_by_another_key_is_refused(self, party, file, lie):
        def forge(answer):
            return sign("swaddle-held-v1", parse_canonical(answer["message"].encode()), SigningKey.generate()).to_json()

        lie("/finish", forge)
        with pytest.raises(WrongSigner):
            send(party, [file])


class TestReceipt:
    """Nothing here is erased on a word that the registry has not given."""

    def outcome(self, party, file, lie, forge):
        (sent,) = send(party, [file])
        digest = digest_hex(party.state.pending()[0].finish.manifest.message.encode())
        receipt = forge(sent.transfer, digest)
        lie(
            sent.transfer,
            lambda answer: answer | {"state": "destroyed", "outcome": "stored", "receipt": receipt.to_json()},
        )
        return sent.transfer

    def entry(self, transfer, digest, **bend):
        return {
            "at": format_instant(now()),
            "detail": {"manifest_sha256": digest},
            "event": "submission-stored",
            "previous": "0" * 64,
            "sequence": 1,
            "subject": transfer,
        } | bend

    def test_by_another_key(self, party, file, lie):
        def forge(transfer, digest):
            return sign("swaddle-receipt-v1", self.entry(transfer, digest), SigningKey.generate())

        self.outcome(party, file, lie, forge)
        with pytest.raises(WrongSigner):
            send(party, [])
        assert len(party.state.pending()) == 1

    @pytest.mark.parametrize(
        "bend",
        [
            {"subject": "0" * 32},
            {"event": "transfer-pulled"},
            {"detail": {"manifest_sha256": "0" * 64}},
        ],
    )
    def test_about_something_else(self, registry, party, file, lie, bend):
        def forge(transfer, digest):
            return sign("swaddle-receipt-v1", self.entry(transfer, digest, **bend), registry.statement)

        self.outcome(party, file, lie, forge)
        (sent,) = send(party, [])
        assert isinstance(sent.trouble, ReceiptWrong)
        assert len(party.state.pending()) == 1
        assert list(party.home.glob("receipts/*.receipt.json")) == []

    def test_signed_for_another_purpose(self, registry, party, file, lie):
        def forge(transfer, digest):
            return sign("swaddle-acknowledgement-v1", self.entry(transfer, digest), registry.statement)

        self.outcome(party, file, lie, forge)
        with pytest.raises(SignatureInvalid):
            send(party, [])
        assert len(party.state.pending()) == 1


class TestEnrolment:
    """A hacked gateway can neither enrol itself nor make a submitter believe in another registry."""

    def begun(self, registry, tmp_path):
        passphrase = tmp_path / "passphrase"
        enrol.make_passphrase_file(passphrase)
        home = tmp_path / "new"
        enrol.begin(home, registry.invite(), passphrase_file=passphrase, environment={})
        registry.activate()
        return home

    def refused(self, home, error):
        with pytest.raises(error):
            enrol.finish(home, timeout_s=1)
        assert not (home / "identity.json").exists()

    def test_another_root(self, registry, tmp_path, lie):
        home = self.begun(registry, tmp_path)
        root, key = SigningKey.generate(), SigningKey.generate()
        certificate = make_certificate(root, key.public, now(), now() + dt.timedelta(days=9)).to_json()
        intake = make_intake(registry.intake_statement(), key).to_json()
        lie("/state", lambda answer: answer | {"certificate": certificate, "intake": intake})
        self.refused(home, WrongRoot)

    def test_an_enrolment_of_other_keys(self, registry, tmp_path, lie):
        home = self.begun(registry, tmp_path)
        value = {"keys_sha256": "0" * 64, "submitter": secrets.token_hex(16)}
        lie(
            "/state",
            lambda answer: answer | {"enrolment": sign("swaddle-enrolment-v1", value, registry.statement).to_json()},
        )
        self.refused(home, enrol.EnrolmentWrong)

    def test_an_enrolment_that_the_registry_did_not_sign(self, registry, tmp_path, lie):
        home = self.begun(registry, tmp_path)

        def forge(answer):
            value = parse_canonical(answer["enrolment"]["message"].encode())
            return answer | {"enrolment": sign("swaddle-enrolment-v1", value, SigningKey.generate()).to_json()}

        lie("/state", forge)
        self.refused(home, WrongSigner)

    def test_active_without_proof(self, registry, tmp_path, lie):
        home = self.begun(registry, tmp_path)
        lie("/state", lambda answer: answer | {"enrolment": None})
        self.refused(home, enrol.EnrolmentWrong)

    def test_rejected(self, registry, tmp_path, lie):
        home = self.begun(registry, tmp_path)
        lie("/state", lambda _: {"state": "rejected"})
        self.refused(home, enrol.EnrolmentRefused)

    def test_somebody_else_was_faster_with_a_stolen_invitation(self, registry, tmp_path):
        invitation = registry.invite()
        for name, error in (("thief", None), ("owner", enrol.InvitationTaken)):
            folder = tmp_path / name
            folder.mkdir()
            enrol.make_passphrase_file(folder / "passphrase")
            arguments = (folder / "home", invitation)
            options = {"passphrase_file": folder / "passphrase", "environment": {}}
            if error is None:
                enrol.begin(*arguments, **options)
            else:
                with pytest.raises(error) as caught:
                    enrol.begin(*arguments, **options)
                assert caught.value.exit_status == 8


class TestInbox:
    """What comes back is used only if the registry made it, for us, as this transfer; and it lands where we say."""

    FILES = {"report.html": b"<p>", "report.json": b"{}"}  # noqa: RUF012

    def refused(self, party, transfer, error):
        with party.client() as client, pytest.raises(error) as caught:
            inbox.get(party, client, transfer)
        assert caught.value.exit_status == 8
        folder = party.home / "inbox" / transfer
        assert [path.name for path in folder.iterdir()] == ["lease.json"]
        assert inbox.received(party.home) == []

    def test_a_manifest_by_another_signer(self, registry, party, lie):
        transfer = registry.give(party.sealing.public, self.FILES)

        def forge(answer):
            value = parse_canonical(answer["manifest"]["message"].encode())
            return answer | {"manifest": sign("swaddle-manifest-v1", value, SigningKey.generate()).to_json()}

        lie("/lease", forge)
        self.refused(party, transfer, WrongSigner)

    def test_another_transfer_in_its_place(self, registry, party, lie):
        first = registry.give(party.sealing.public, self.FILES)
        second = registry.give(party.sealing.public, {"report.json": b"[]"})
        kept = []

        def swap(answer):
            kept.append(answer)
            return kept[0]

        lie("/lease", swap)
        with party.client() as client:
            inbox.get(party, client, first)
            with pytest.raises(EnvelopeRefused):
                inbox.get(party, client, second)

    def test_a_header_of_another(self, registry, party, lie):
        transfer = registry.give(party.sealing.public, self.FILES)
        lie("/lease", lambda answer: answer | {"header": base64.b64encode(secrets.token_bytes(1260)).decode()})
        self.refused(party, transfer, EnvelopeRefused)

    def test_a_part_with_a_byte_changed(self, registry, party, monkeypatch):
        transfer = registry.give(party.sealing.public, self.FILES)
        honest = GatewayClient.get_part

        def changed(self, path, lease, expected_bytes, into):
            honest(self, path, lease, expected_bytes, lambda piece: into(bytes([piece[0] ^ 1]) + piece[1:]))

        monkeypatch.setattr(GatewayClient, "get_part", changed)
        self.refused(party, transfer, PartChanged)

    def test_it_stops_before_the_gateway_would_freeze_us(self, registry, party, lie):
        transfer = registry.give(party.sealing.public, self.FILES)
        lie("/lease", lambda answer: answer | {"header": base64.b64encode(bytes(1260)).decode()})
        for _ in range(5):
            with party.client() as client, pytest.raises(IntegrityFault) as caught:
                inbox.get(party, client, transfer)
        assert isinstance(caught.value, inbox.TooOften)

    @pytest.mark.parametrize("kind", ["releases", "unknown"])
    def test_a_kind_that_we_cannot_unpack(self, registry, party, kind):
        transfer = registry.give(party.sealing.public, self.FILES, kind=kind)
        self.refused(party, transfer, inbox.KindUnknown)

    def test_a_bundle_that_names_a_path(self, registry, party):
        from swaddle.feedback.bundle import pack

        body = pack(self.FILES).replace(b"report.html", b"../../../x/")
        transfer = registry.give(party.sealing.public, None, body=body)
        self.refused(party, transfer, NotABundle)

    @pytest.mark.parametrize("name", ["../../etc", "0" * 31, "A" * 32, "", "0" * 32 + "\n"])
    def test_an_id_is_never_a_path(self, party, name):
        with party.client() as client, pytest.raises(inbox.NotAnId):
            inbox.get(party, client, name)
