"""The ledger: nothing in it changes unnoticed, nothing half-written counts, a failing disk leaves it whole."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from swaddle import durable
from swaddle.custody import ledger as ledger_module
from swaddle.custody.entry import FIRST_PREVIOUS, LedgerBroken, entry_bytes
from swaddle.custody.ledger import FILE_NAME, Ledger

AT = datetime(2026, 11, 22, 9, 24, 37, tzinfo=UTC)


def transfer(n):
    return f"{n:032x}"


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE_NAME


def filled(path, count=5):
    ledger = Ledger(path)
    for n in range(count):
        ledger.append("transfer-held", transfer(n % 3), {"body_bytes": n}, AT + timedelta(seconds=n))
    return ledger


def test_an_empty_ledger_has_no_entries_and_a_head_of_zeros(path):
    ledger = Ledger(path)
    assert ledger.entries() == ()
    assert ledger.head() == (0, FIRST_PREVIOUS)
    assert not path.exists()


def test_entries_come_back_in_order_after_opening_again(path):
    written = filled(path)
    again = Ledger(path)
    assert again.entries() == written.entries()
    assert again.head() == written.head()
    assert [entry.sequence for entry in again.entries()] == [1, 2, 3, 4, 5]


def test_entries_about_one_subject(path):
    assert [e.detail["body_bytes"] for e in filled(path).entries(transfer(1))] == [1, 4]
    assert Ledger(path).entries(transfer(77)) == ()


def test_the_head_is_the_digest_of_the_last_entry(path):
    ledger = filled(path)
    assert ledger.head() == (5, ledger.entries()[-1].digest())


def test_only_its_owner_can_read_the_file(path):
    filled(path)
    assert os.name == "nt" or path.stat().st_mode & 0o077 == 0


class TestTampering:
    """Each change to the file is found when the ledger is opened."""

    @staticmethod
    def lines(path):
        filled(path)
        return path.read_bytes().splitlines(keepends=True)

    @pytest.mark.parametrize("n", [0, 2, 3])
    def test_a_removed_entry_is_found(self, path, n):
        lines = self.lines(path)
        del lines[n]
        path.write_bytes(b"".join(lines))
        with pytest.raises(LedgerBroken):
            Ledger(path)

    def test_swapped_entries_are_found(self, path):
        lines = self.lines(path)
        lines[1], lines[2] = lines[2], lines[1]
        path.write_bytes(b"".join(lines))
        with pytest.raises(LedgerBroken):
            Ledger(path)

    @pytest.mark.parametrize("n", [0, 1, 3])
    def test_a_changed_value_is_found_at_the_entry_after_it(self, path, n):
        lines = self.lines(path)
        value = json.loads(lines[n])
        value["detail"]["body_bytes"] += 100
        lines[n] = json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        path.write_bytes(b"".join(lines))
        with pytest.raises(LedgerBroken) as broken:
            Ledger(path)
        assert f"at entry {n + 2}" in str(broken.value)

    def test_a_blank_line_is_found(self, path):
        path.write_bytes(b"".join(self.lines(path)) + b"\n")
        with pytest.raises(LedgerBroken):
            Ledger(path)

    def test_cutting_the_file_under_an_open_ledger_is_found(self, path):
        ledger = filled(path)
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(LedgerBroken):
            ledger.append("transfer-held", transfer(1), {}, AT)

    def test_a_chain_cut_at_its_end_holds_but_its_head_is_another(self, path):
        """The file alone cannot show this: heads go out with receipts so that somebody else can."""
        head = filled(path).head()
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
        assert Ledger(path).head() != head


class TestCrashes:
    """An entry is there whole or not at all."""

    def test_a_torn_last_line_is_not_there_and_the_next_entry_replaces_it(self, path):
        ledger = filled(path)
        with path.open("ab") as file:
            file.write(entry_bytes(ledger.entries()[0])[:40])
        again = Ledger(path)
        assert len(again.entries()) == 5
        again.append("copy-destroyed", transfer(1), {"place": "gateway"}, AT)
        assert len(Ledger(path).entries()) == 6

    def test_a_write_that_failed_is_not_there_and_the_ledger_goes_on(self, path, monkeypatch):
        ledger = filled(path)

        def full(descriptor, data):
            os.write(descriptor, bytes(data)[:30])
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(durable, "write_all", full)
            with pytest.raises(durable.DiskFault):
                ledger.append("copy-destroyed", transfer(1), {}, AT)
        ledger.append("copy-destroyed", transfer(2), {}, AT)
        assert [e.subject for e in Ledger(path).entries()][5:] == [transfer(2)]
        assert Ledger(path).entries() == ledger.entries()

    def test_a_write_that_was_kept_but_reported_failed_is_found_before_the_next(self, path, monkeypatch):
        ledger = filled(path)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
            with pytest.raises(durable.DiskFault):
                ledger.append("copy-destroyed", transfer(1), {}, AT)
        ledger.append("copy-destroyed", transfer(2), {}, AT)
        assert [e.subject for e in Ledger(path).entries()][5:] == [transfer(1), transfer(2)]
        assert Ledger(path).entries() == ledger.entries()


def test_two_that_append_in_turn_see_each_other(path):
    one, other = filled(path), Ledger(path)
    other.append("transfer-leased", transfer(1), {}, AT)
    one.append("transfer-pulled", transfer(1), {}, AT)
    assert [e.event for e in Ledger(path).entries()][-2:] == ["transfer-leased", "transfer-pulled"]
    assert one.entries() == Ledger(path).entries()


def test_ten_thousand_entries_open_in_seconds(path):
    ledger = Ledger(path)
    with path.open("wb") as file:  # as append writes them, without ten thousand syncs
        last = None
        from swaddle.custody.entry import next_entry

        for n in range(10_000):
            last = next_entry(last, at=AT, event="transfer-held", subject=transfer(n), detail={"body_bytes": n})
            file.write(entry_bytes(last) + b"\n")
    started = time.process_time()
    ledger = Ledger(path)
    assert ledger.head() == (10_000, last.digest())
    assert time.process_time() - started < 10


class TestIndex:
    """The index beside the ledger can be lost, old, of another file or unwritable: the ledger says the same."""

    @staticmethod
    def index(path):
        return path.with_suffix(".index")

    def test_what_was_read_before_is_not_read_again(self, path, monkeypatch):
        written = filled(path).entries()
        monkeypatch.setattr(ledger_module, "parse_entry", None)  # would be called for each line
        again = Ledger(path)
        assert again.entries() == written
        assert again.append("copy-destroyed", transfer(1), {}, AT).sequence == 6

    @pytest.mark.parametrize("harm", ["gone", "garbage", "empty", "another", "folder"])
    def test_an_index_that_is_of_no_use_is_made_anew(self, path, harm, tmp_path):
        written = filled(path).entries()
        index = self.index(path)
        for name in (index, Path(f"{index}-wal"), Path(f"{index}-shm")):
            name.unlink(missing_ok=True)
        if harm == "garbage":
            index.write_bytes(b"no database" * 1000)
        elif harm == "empty":
            index.write_bytes(b"")
        elif harm == "another":
            other = tmp_path / "other" / FILE_NAME
            other.parent.mkdir()
            filled(other, 9).close()
            self.index(other).rename(index)
        elif harm == "folder":
            index.mkdir()
        again = Ledger(path)
        assert again.entries() == written
        assert [entry.detail["body_bytes"] for entry in again.newest(transfer(1))] == [4, 1]
        again.append("copy-destroyed", transfer(1), {}, AT)
        assert len(Ledger(path).entries()) == 6

    def test_an_index_that_is_behind_catches_up(self, path):
        ledger = filled(path)
        ledger.close()
        saved = self.index(path).read_bytes()
        ledger = Ledger(path)
        ledger.append("copy-destroyed", transfer(1), {}, AT)
        ledger.close()
        self.index(path).write_bytes(saved)
        assert len(Ledger(path).entries(transfer(1))) == 3

    def test_an_index_that_the_disk_does_not_take_stops_nothing(self, path, monkeypatch):
        ledger = filled(path)
        ledger._places._connection.execute("PRAGMA query_only = ON")
        ledger.append("copy-destroyed", transfer(1), {}, AT)
        assert len(ledger.entries(transfer(1))) == 3
        assert len(Ledger(path).entries()) == 6

    def test_a_line_that_is_changed_under_an_open_ledger_is_not_believed(self, path):
        ledger = filled(path)
        path.write_bytes(path.read_bytes().replace(b'"body_bytes":1', b'"body_bytes":7'))
        with pytest.raises(LedgerBroken):
            ledger.entries(transfer(1))

    def test_rare_events_are_found_by_their_name(self, path):
        ledger = filled(path)
        ledger.append("transfer-lost", transfer(1), {"place": "gateway"}, AT)
        ledger.append("transfer-held", transfer(2), {}, AT)
        for each in (ledger, Ledger(path)):
            assert [entry.subject for entry in each.of_event("transfer-lost")] == [transfer(1)]
            assert each.of_event("gateway-frozen") == ()
