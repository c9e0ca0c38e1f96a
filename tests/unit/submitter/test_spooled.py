"""`send --spool`: once it is held the file may go; what the gateway loses is sent again from the sealed copy."""

import secrets

import pytest

from submitter_world import rows
from swaddle.submitter import spool
from swaddle.submitter.send import send
from swaddle.wire.client import GatewayClient


def spooled(party):
    return [path for path in (party.home / "spool").rglob("*") if path.is_file()]


def test_the_copy_is_sealed_and_goes_with_the_receipt(registry, party, file):
    content = file.read_bytes()
    (sent,) = send(party, [file], spooled=True)
    assert sent.is_spooled
    assert sum(path.stat().st_size for path in spooled(party)) == sent.body_bytes
    left = b"".join(path.read_bytes() for path in party.home.rglob("*") if path.is_file())
    assert content[100:200] not in left
    file.unlink()
    assert registry.take() == {sent.transfer: content}
    assert [one.state for one in send(party, [])] == ["stored"]
    assert list((party.home / "spool").iterdir()) == []


def test_without_it_nothing_is_kept(registry, party, file):
    (sent,) = send(party, [file])
    assert not sent.is_spooled
    assert not (party.home / "spool").exists()
    registry.take()


def test_what_got_lost_is_sent_again_from_the_copy_although_the_file_is_gone(registry, party, file):
    content = file.read_bytes()
    (sent,) = send(party, [file], "births", spooled=True)
    first = [path.read_bytes() for path in sorted(spooled(party))]
    file.unlink()
    registry.take("unreadable")
    (again,) = send(party, [])
    assert again.transfer != sent.transfer
    assert [path.read_bytes() for path in sorted(spooled(party))] == first
    assert registry.take() == {again.transfer: content}
    assert (registry.description.kind, registry.description.files[0].name) == ("births", file.name)
    send(party, [])
    assert list((party.home / "spool").iterdir()) == []


def test_it_is_sealed_to_the_key_of_the_day_when_it_is_sent_again(registry, party, file, monkeypatch):
    content = file.read_bytes()
    send(party, [file], spooled=True)
    file.unlink()
    registry.take("unreadable")
    old = registry.intake_pair
    registry.intake_pair = type(old).generate()
    registry.publish()
    try:
        (again,) = send(party, [])
        assert registry.take() == {again.transfer: content}
    finally:
        registry.intake_pair = old
        registry.publish()


def test_a_folder_is_spooled_too(registry, party, tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    for n in range(5):
        (folder / f"{n}.csv").write_bytes(rows(900, b"%d" % n))
    send(party, [folder], spooled=True)
    (first,) = registry.take("unreadable").values()
    for path in folder.iterdir():
        path.unlink()
    (again,) = send(party, [])
    assert registry.take() == {again.transfer: first}
    assert [one.state for one in send(party, [])] == ["stored"]


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_send_that_broke_goes_on_and_no_part_is_sealed_a_second_time(registry, party, file, monkeypatch, after):
    calls, put = [], GatewayClient.put_part

    def breaking(self, *arguments, **named):
        calls.append(1)
        if len(calls) == after:
            raise KeyboardInterrupt
        return put(self, *arguments, **named)

    monkeypatch.setattr(GatewayClient, "put_part", breaking)
    with pytest.raises(KeyboardInterrupt):
        send(party, [file], spooled=True)
    kept = {path.name: path.read_bytes() for path in spooled(party)}
    monkeypatch.setattr(GatewayClient, "put_part", put)
    (sent,) = send(party, [])
    assert {path.name: path.read_bytes() for path in spooled(party) if path.name in kept} == kept
    assert registry.take() == {sent.transfer: file.read_bytes()}


def test_a_copy_that_was_changed_is_never_sent(registry, party, file):
    send(party, [file], spooled=True)
    file.unlink()
    registry.take("unreadable")
    damaged = min(spooled(party))
    data = bytearray(damaged.read_bytes())
    data[1000] ^= 1
    damaged.write_bytes(data)
    (sent,) = send(party, [])
    assert isinstance(sent.trouble, spool.SpoolBroken)
    assert registry.waiting() == []


def test_a_copy_without_its_send_is_erased_by_the_next_run(party, file):
    stray = party.home / "spool" / secrets.token_hex(16)
    stray.mkdir(parents=True)
    (stray / "000000.part").write_bytes(b"1")
    send(party, [])
    assert not stray.exists()
