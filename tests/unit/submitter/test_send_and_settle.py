"""What `send` promises to whoever runs it from a timer for years."""

import json
import os

import pytest

from submitter_world import party_of, rows
from swaddle.canonical import parse_canonical
from swaddle.envelope.signature import Signed, open_signed
from swaddle.submitter.lock import AnotherRuns, only_one
from swaddle.submitter.prepare import FileUnusable, SourceGone
from swaddle.submitter.send import NoReceiptYet, Unreadable, send
from swaddle.submitter.state import StateBroken


def transfers_ever(registry):
    return sum(registry.client.get_json("/v1/status")["transfers"].values())


def test_a_file_goes_to_the_registry_whole_with_what_was_said_about_it(registry, party, file):
    (sent,) = send(party, [file], "births")
    assert registry.take() == {sent.transfer: file.read_bytes()}
    description = registry.description
    assert (description.kind, description.files[0].name) == ("births", "births.csv")
    assert description.row_count is None


def test_the_gateways_held_statement_is_kept_at_once_signed_by_its_journal_key(party, file):
    (sent,) = send(party, [file])
    assert sent.state == "held"
    assert sent.receipt is None
    signed = Signed.from_json(json.loads(sent.held_statement.read_bytes()))
    said = open_signed(signed, "swaddle-held-v1", [party.journal_key])
    assert (said["transfer"], said["body_bytes"]) == (sent.transfer, sent.body_bytes)


def test_the_receipt_ends_it_and_key_path_and_digests_are_erased(registry, party, file):
    send(party, [file])
    assert str(file) in next((party.home / "sends").glob("*")).read_text()
    registry.take(rejected=2)
    (sent,) = send(party, [])
    assert (sent.state, sent.counts) == ("stored", {"rejected": 2})
    signed = Signed.from_json(json.loads(sent.receipt.read_bytes()))
    assert open_signed(signed, "swaddle-receipt-v1", [registry.statement.public])["subject"] == sent.transfer
    assert list((party.home / "sends").iterdir()) == []
    left = b"".join(path.read_bytes() for path in party.home.rglob("*") if path.is_file())
    assert file.name.encode() not in left


def test_a_file_that_was_stored_is_not_sent_a_second_time_until_it_changes(registry, party, file):
    send(party, [file])
    registry.take()
    send(party, [])
    before = transfers_ever(registry)
    assert [one.state for one in send(party, [file])] == ["stored"]
    assert transfers_ever(registry) == before
    file.write_bytes(rows(2501))
    (anew,) = send(party, [file])
    assert anew.state == "held"
    assert transfers_ever(registry) == before + 1


def test_a_file_that_the_registry_refused_may_be_sent_again_as_it_is(registry, party, file):
    send(party, [file])
    registry.take("refused")
    assert [one.state for one in send(party, [])] == ["refused"]
    assert [one.state for one in send(party, [file])] == ["held"]


def test_several_files_are_several_transfers(registry, party, tmp_path):
    files = [tmp_path / f"{n}.csv" for n in range(3)]
    for n, path in enumerate(files):
        path.write_bytes(rows(100, seed=b"%d" % n))
    sent = send(party, files)
    assert registry.take() == {one.transfer: path.read_bytes() for one, path in zip(sent, files, strict=True)}


@pytest.mark.parametrize("size_bytes", [1, 65_535, 65_536, 65_537, 131_072])
def test_every_size_at_the_edges_of_segments_and_parts_arrives(registry, party, tmp_path, size_bytes):
    path = tmp_path / "edge.csv"
    path.write_bytes(os.urandom(size_bytes))
    (sent,) = send(party, [path])
    assert registry.take() == {sent.transfer: path.read_bytes()}


class TestLost:
    """What the gateway lost is sent again at the next run, unasked; nothing else is sent twice."""

    @pytest.fixture
    def gateway(self, tmp_path_factory):
        from submitter_world import GatewayProcess

        process = GatewayProcess(tmp_path_factory.mktemp("gateway") / "home", sweep_seconds=1)
        yield process
        process.stop()

    @pytest.fixture
    def registry(self, gateway):
        from submitter_world import Registry

        return Registry(gateway.claim)

    def forget(self, gateway, *statements):
        import sqlite3

        gateway.stop()
        with sqlite3.connect(gateway.home / "transfers.db") as database:
            for statement in statements:
                database.execute(statement)
        database.close()
        gateway.start()

    def test_a_gateway_whose_disk_was_lost_gets_it_again(self, gateway, registry, party, file):
        (first,) = send(party, [file])
        self.forget(gateway, "DELETE FROM parts", "DELETE FROM transfers")
        (again,) = send(party, [])
        assert again.state == "held"
        assert again.transfer != first.transfer
        assert registry.take() == {again.transfer: file.read_bytes()}
        assert [one.state for one in send(party, [])] == ["stored"]

    def test_an_expired_transfer_is_sent_again(self, gateway, registry, party, file):
        (first,) = send(party, [file])
        self.forget(gateway, "UPDATE transfers SET created = 1, expires = 2")
        (again,) = send(party, [])
        assert again.state == "held"
        assert list(registry.take()) == [again.transfer] != [first.transfer]

    def test_a_lost_one_whose_file_is_gone_is_named_and_asked_for(self, gateway, party, file):
        send(party, [file])
        self.forget(gateway, "DELETE FROM parts", "DELETE FROM transfers")
        file.unlink()
        for _ in range(2):
            (sent,) = send(party, [])
            assert sent.state == "failed"
            assert isinstance(sent.trouble, SourceGone)

    def test_one_that_the_registry_could_not_open_is_sent_again_by_the_next_run(self, registry, party, file):
        (first,) = send(party, [file])
        _, _, _, digest = registry.open(first.transfer)
        registry.acknowledge(first.transfer, digest, "unreadable")
        (again,) = send(party, [])
        assert again.transfer != first.transfer
        assert registry.take() == {again.transfer: file.read_bytes()}

    def test_whoever_waits_is_told_that_it_could_not_be_opened(self, registry, party, file):
        def acknowledge_meanwhile(_):
            for transfer in registry.waiting():
                _, _, _, digest = registry.open(transfer)
                registry.acknowledge(transfer, digest, "unreadable")

        (sent,) = send(party, [file], wait_s=5, sleep=acknowledge_meanwhile)
        assert sent.state == "unreadable"
        assert isinstance(sent.trouble, Unreadable)


def test_waiting_ends_with_the_receipt(registry, party, file):
    (sent,) = send(party, [file], wait_s=10, sleep=lambda _: registry.take())
    assert sent.state == "stored"
    assert sent.trouble is None


def test_waiting_is_bounded_and_says_that_the_file_must_be_kept(party, file):
    (sent,) = send(party, [file], wait_s=0.3)
    assert sent.state == "held"
    assert isinstance(sent.trouble, NoReceiptYet)
    assert sent.trouble.exit_status == 5


def test_a_file_that_changed_before_it_was_held_starts_a_new_transfer(registry, party, file, monkeypatch):
    from swaddle.wire.client import GatewayClient
    from swaddle.wire.problems import Unreachable

    put = GatewayClient.put_part
    calls = []

    def breaks(self, path, data, digest):
        calls.append(path)
        if len(calls) > 1:
            raise Unreachable("the line is cut")
        put(self, path, data, digest)

    monkeypatch.setattr(GatewayClient, "put_part", breaks)
    monkeypatch.setattr("swaddle.submitter.lanes.retry", lambda work, **_: work())
    with pytest.raises(Unreachable):
        send(party, [file])
    monkeypatch.setattr(GatewayClient, "put_part", put)
    (pending,) = party.state.pending()
    file.write_bytes(rows(2400, seed=b"changed"))
    (sent,) = send(party, [file])
    assert sent.transfer != pending.transfer
    assert registry.take() == {sent.transfer: file.read_bytes()}
    assert party.state.pending()[0].transfer == sent.transfer
    assert len(party.state.pending()) == 1


def test_a_part_sealed_again_has_fresh_nonces(registry, party, file, monkeypatch):
    from swaddle.wire.client import GatewayClient

    seen = []
    put = GatewayClient.put_part

    def watch(self, path, data, digest):
        seen.append((path, bytes(data[:12])))
        put(self, path, data, digest)
        if len(seen) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(GatewayClient, "put_part", watch)
    monkeypatch.setattr("swaddle.submitter.lanes.MEMORY_BYTES", 0)  # one lane: one part after the other
    with pytest.raises(KeyboardInterrupt):
        send(party, [file])
    (sent,) = send(party, [file])
    again = [nonce for path, nonce in seen if path == seen[1][0]]
    assert len(again) == len(set(again)) == 2
    assert [path for path, _ in seen].count(seen[0][0]) == 1
    assert registry.take() == {sent.transfer: file.read_bytes()}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_bytes(b""), "empty"),
        (os.mkfifo, "regular"),
        (lambda path: None, "no such file"),
    ],
)
def test_what_is_no_file_is_refused_before_anything_is_done(party, tmp_path, make, reason):
    path = tmp_path / "Miller, Anna.csv"
    make(path)
    with pytest.raises(FileUnusable) as caught:
        send(party, [path])
    assert reason in str(caught.value)
    assert "Miller" not in str(caught.value)
    assert party.state.pending() == []


def test_two_sends_in_one_home_do_not_meet(party, file):
    with only_one(party.state.lock), pytest.raises(AnotherRuns) as caught:
        send(party, [file])
    assert caught.value.exit_status == 5


def test_a_state_file_that_was_changed_by_hand_is_named_not_guessed_at(party, file):
    send(party, [file])
    next((party.home / "sends").glob("*")).write_bytes(b'{"reference": 1}')
    with pytest.raises(StateBroken) as caught:
        send(party, [])
    assert "sends/" in str(caught.value)


def test_the_data_key_lies_sealed_and_only_our_pair_opens_it(party, file):
    send(party, [file])
    record = parse_canonical(next((party.home / "sends").glob("*")).read_bytes())
    assert len(record["data_key"]) == 4 * ((1120 + 32 + 16 + 2) // 3)
    assert party_of(party.home).state.pending()[0].data_key == record["data_key"]
