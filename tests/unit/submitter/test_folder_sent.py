"""What `send DIR` promises to whoever runs it from a timer for years."""

import contextlib
import json
import os
import socket

import pytest

from submitter_world import rows
from swaddle.envelope.pack_reader import contents, look_through
from swaddle.submitter import folder as folders
from swaddle.submitter import packing
from swaddle.submitter.prepare import FileUnusable
from swaddle.submitter.send import send
from swaddle.wire.client import GatewayClient


def transfers_ever(registry):
    return sum(registry.client.get_json("/v1/status")["transfers"].values())


def files_in(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and not p.is_symlink()}


def taken(registry, transfer, outcome="stored"):
    """The members of a transfer as the registry reads them, which it then receipts."""
    assert registry.waiting() == [transfer]
    (pack,) = registry.take(outcome).values()
    said = registry.description
    members = look_through([memoryview(pack)], index_sha256=said.files[0].sha256, members=said.members)
    bodies = {m.name: b"".join(map(bytes, content)) for m, content in contents([memoryview(pack)], members)}
    assert all(member.fault is None for member in members)
    return {m.name: bodies[m.name] if m.is_good else m.state for m in members}


@pytest.fixture
def exports(tmp_path):
    folder = tmp_path / "exports"
    (folder / "2026" / "ward b").mkdir(parents=True)
    (folder / "a.csv").write_bytes(rows(2000))
    (folder / "empty.csv").write_bytes(b"")
    (folder / "2026" / "Geburten Müller.csv").write_bytes(rows(3))
    (folder / "2026" / "ward b" / ("n" * 150 + ".csv")).write_bytes(rows(4000, b"long"))
    return folder


def left_out(sent):
    return {left.name: left.why for left in sent.left_out}


def test_a_folder_is_one_transfer_with_every_name_and_byte(registry, party, exports):
    (sent,) = send(party, [exports], "births")
    assert (sent.state, sent.members, sent.left_out) == ("held", 4, [])
    assert taken(registry, sent.transfer) == files_in(exports)
    assert (registry.description.kind, registry.description.files[0].name) == ("births", "exports")
    assert not any(path.name.startswith("spool") for path in party.home.iterdir())


def test_a_folder_that_has_its_receipt_is_not_sent_again_until_something_in_it_is_new_or_changed(
    registry, party, exports
):
    (sent,) = send(party, [exports])
    taken(registry, sent.transfer)
    send(party, [])
    before = transfers_ever(registry)
    assert [(one.state, one.transfer) for one in send(party, [exports])] == [("unchanged", None)]
    assert transfers_ever(registry) == before
    (exports / "new.csv").write_bytes(rows(5))
    (exports / "a.csv").write_bytes(rows(2001))
    (again,) = send(party, [exports])
    assert set(taken(registry, again.transfer)) == {"new.csv", "a.csv"}


def test_what_is_on_its_way_is_not_sent_beside_itself(registry, party, exports):
    (first,) = send(party, [exports])
    assert [one.transfer for one in send(party, [exports])] == [first.transfer]
    (exports / "new.csv").write_bytes(rows(5))
    one, other = send(party, [exports])
    assert one.transfer == first.transfer
    assert other.members == 1
    registry.take()


def test_a_receipt_leaves_neither_names_nor_keys_in_the_home(registry, party, exports):
    (sent,) = send(party, [exports])
    assert any(b"Geburten" in path.read_bytes() for path in party.home.rglob("*.plan"))
    taken(registry, sent.transfer)
    send(party, [])
    assert list((party.home / "sends").iterdir()) == []
    left = b"".join(path.read_bytes() for path in party.home.rglob("*") if path.is_file())
    assert b"exports" not in left
    assert b"Geburten" not in left


def test_files_that_the_registry_refused_are_answered_for_and_are_sent_again_when_they_were_mended(
    registry, party, exports
):
    (sent,) = send(party, [exports])
    taken(registry, sent.transfer, "refused")
    assert [one.state for one in send(party, [])] == ["refused"]
    assert [one.state for one in send(party, [exports])] == ["unchanged"]
    (exports / "a.csv").write_bytes(rows(7))
    (mended,) = send(party, [exports])
    assert set(taken(registry, mended.transfer)) == {"a.csv"}


class TestLeftOut:
    def test_links_and_special_files_are_never_followed_or_opened_and_it_is_said(
        self, registry, party, exports, tmp_path, monkeypatch
    ):
        (tmp_path / "secret").write_bytes(b"of somebody else")
        (exports / "link.csv").symlink_to(tmp_path / "secret")
        (exports / "2026" / "loop").symlink_to(exports)
        os.mkfifo(exports / "pipe")
        monkeypatch.chdir(exports)  # a socket's path must be short
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as listening:
            listening.bind("socket")
            (sent,) = send(party, [exports])
        told = left_out(sent)
        assert set(told) == {"link.csv", "2026/loop", "pipe", "socket"}
        assert "never followed" in told["link.csv"]
        assert "never opened" in told["pipe"]
        assert all(left.is_usual for left in sent.left_out)
        assert len(taken(registry, sent.transfer)) == 4

    @pytest.mark.parametrize("name", [b"bad\xff.csv", b"line\nfeed", "bidi\u202e.csv".encode(), b"back\\slash"])
    def test_a_name_that_cannot_travel_is_named_and_the_others_are_sent(self, registry, party, exports, name):
        (exports / os.fsdecode(name)).write_bytes(b"1")
        (sent,) = send(party, [exports])
        assert [left.name for left in sent.left_out] == [os.fsdecode(name)]
        assert "rename" in sent.left_out[0].why
        assert len(taken(registry, sent.transfer)) == 4

    def test_of_two_names_that_differ_in_case_only_the_second_is_left_out(self, registry, party, exports):
        (exports / "A.csv").write_bytes(b"1")
        (sent,) = send(party, [exports])
        assert set(left_out(sent)) == {"a.csv"}
        assert "a.csv" not in taken(registry, sent.transfer)

    def test_a_name_in_another_normal_form_travels_composed(self, registry, party, tmp_path):
        folder = tmp_path / "mac"
        folder.mkdir()
        (folder / "e\u0301.csv").write_bytes(b"1")
        (sent,) = send(party, [folder])
        assert taken(registry, sent.transfer) == {"\u00e9.csv": b"1"}

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_a_file_that_may_not_be_read_is_named(self, party, exports):
        (exports / "a.csv").chmod(0)
        (sent,) = send(party, [exports])
        assert left_out(sent) == {"a.csv": "this user may not read it"}

    def test_a_file_that_may_not_be_read_is_named_whoever_asks(self, registry, party, exports, monkeypatch):
        monkeypatch.setattr(folders, "_READS_ALL", False)
        monkeypatch.setattr(folders.os, "access", lambda path, _: not path.endswith("a.csv"))
        (sent,) = send(party, [exports])
        assert left_out(sent) == {"a.csv": "this user may not read it"}
        assert len(taken(registry, sent.transfer)) == 3

    def test_the_home_itself_is_never_sent(self, registry, party, tmp_path):
        (tmp_path / "x.csv").write_bytes(b"1")
        (sent,) = send(party, [tmp_path])
        assert not any("home" in name for name in taken(registry, sent.transfer))

    def test_a_folder_of_nothing_is_no_fault(self, registry, party, tmp_path):
        before = transfers_ever(registry)
        (tmp_path / "none").mkdir()
        assert [(one.state, one.trouble) for one in send(party, [tmp_path / "none"])] == [("unchanged", None)]
        assert transfers_ever(registry) == before

    def test_a_folder_that_is_not_there_is_said_before_anything_is_done(self, party, tmp_path):
        with pytest.raises(FileUnusable):
            send(party, [tmp_path / "nowhere"])


class TestWhileItIsSent:
    """Something happens to files between the plan and their turn."""

    @pytest.fixture
    def meanwhile(self, monkeypatch):
        """Does something when the folder is opened for sending."""

        def arrange(action):
            begin = packing.PackPlaintext.__init__

            def late(self, folder, members):
                action()
                begin(self, folder, members)

            monkeypatch.setattr(packing.PackPlaintext, "__init__", late)
            return lambda: monkeypatch.setattr(packing.PackPlaintext, "__init__", begin)

        return arrange

    @pytest.mark.parametrize(
        ("action", "state"),
        [
            (lambda path: path.unlink(), "gone"),
            (lambda path: path.write_bytes(b"other"), "changed"),
            (lambda path: path.write_bytes(b""), "changed"),
            (lambda path: os.utime(path, ns=(0, 0)), "changed"),
            (lambda path: (path.unlink(), path.mkdir()), "unreadable"),
            (lambda path: (path.unlink(), os.mkfifo(path)), "unreadable"),
            (lambda path: (path.unlink(), path.symlink_to("/etc/passwd")), "unreadable"),
        ],
    )
    @pytest.mark.parametrize("size", [10, 600_000])
    def test_one_file_does_not_sink_the_rest_and_comes_with_the_next_run(
        self, registry, party, exports, meanwhile, action, state, size
    ):
        path = exports / "2026" / "b.csv"
        path.write_bytes(b"x" * size)
        restore = meanwhile(lambda: action(path))
        (sent,) = send(party, [exports])
        assert list(left_out(sent)) == ["2026/b.csv"]
        assert not sent.left_out[0].is_usual
        got = taken(registry, sent.transfer)
        assert got.pop("2026/b.csv") == state
        others = {name: data for name, data in files_in(exports).items() if name != "2026/b.csv"}
        assert got == others
        restore()
        if state == "changed":
            (again,) = [one for one in send(party, [exports]) if one.state == "held"]
            assert taken(registry, again.transfer) == {"2026/b.csv": path.read_bytes()}

    def test_a_folder_on_the_way_that_became_a_link_is_not_followed(
        self, registry, party, exports, tmp_path, meanwhile
    ):
        def swap():
            (exports / "2026").rename(tmp_path / "elsewhere")
            (exports / "2026").symlink_to(tmp_path / "elsewhere")

        meanwhile(swap)
        (sent,) = send(party, [exports])
        got = taken(registry, sent.transfer)
        assert {name: state for name, state in got.items() if isinstance(state, str)} == {
            "2026/Geburten Müller.csv": "unreadable",
            "2026/ward b/" + "n" * 150 + ".csv": "unreadable",
        }
        assert got["a.csv"] == rows(2000)

    def test_a_file_that_grows_under_the_reader_is_not_whole(self, registry, party, exports, monkeypatch):
        read, path = packing.read_at, exports / "a.csv"

        def grow(descriptor, view, offset):
            count = read(descriptor, view, offset)
            if len(view) > 1000 and path.stat().st_size == os.fstat(descriptor).st_size and offset == 0:
                with path.open("ab") as file:
                    file.write(b"more")
            return count

        monkeypatch.setattr(packing, "read_at", grow)
        (sent,) = send(party, [exports])
        assert left_out(sent)["a.csv"].startswith("it changed")
        assert taken(registry, sent.transfer)["a.csv"] == "changed"

    def test_a_folder_that_is_gone_is_said_and_waits(self, registry, party, exports, tmp_path, meanwhile):
        restore = meanwhile(lambda: exports.rename(tmp_path / "away"))
        (sent,) = send(party, [exports])
        assert (sent.state, sent.trouble.exit_status) == ("failed", 6)
        restore()
        (tmp_path / "away").rename(exports)
        (sent,) = send(party, [])
        assert taken(registry, sent.transfer) == files_in(exports)


class TestResumed:
    @pytest.mark.parametrize("after", [1, 2, 4])
    def test_a_send_that_broke_goes_on_as_the_same_transfer_with_the_same_index(
        self, registry, party, exports, monkeypatch, after
    ):
        calls, put = [], GatewayClient.put_part

        def breaking(self, *arguments, **named):
            calls.append(1)
            if len(calls) == after:
                raise KeyboardInterrupt
            return put(self, *arguments, **named)

        monkeypatch.setattr(GatewayClient, "put_part", breaking)
        with pytest.raises(KeyboardInterrupt):
            send(party, [exports])
        (begun,) = party.state.pending()
        monkeypatch.setattr(GatewayClient, "put_part", put)
        (sent,) = send(party, [])
        assert sent.transfer == begun.transfer
        assert taken(registry, sent.transfer) == files_in(exports)

    def test_a_file_that_changed_between_the_two_runs_is_left_out_and_sent_anew_by_the_second(
        self, registry, party, exports, monkeypatch
    ):
        put = GatewayClient.put_part
        monkeypatch.setattr(GatewayClient, "put_part", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            send(party, [exports])
        monkeypatch.setattr(GatewayClient, "put_part", put)
        (exports / "a.csv").write_bytes(b"other")
        old, new = send(party, [exports])
        assert (old.members, new.members) == (4, 1)
        found = registry.take()
        assert b"other" in found[new.transfer]

    def test_a_pack_that_got_lost_is_sent_again_unasked_with_what_is_still_the_same(self, registry, party, exports):
        (sent,) = send(party, [exports])
        registry.take("unreadable")
        (exports / "empty.csv").unlink()
        (again,) = send(party, [])
        assert again.transfer != sent.transfer
        assert taken(registry, again.transfer) == files_in(exports)

    def test_a_plan_without_its_send_is_erased_by_the_next_run(self, party, exports):
        party.state.keep_plan("0" * 32, folders.look_into(exports, party.home).members)
        send(party, [])
        assert list((party.home / "sends").glob("*.plan")) == []


def test_more_files_than_a_pack_takes_go_as_several(registry, party, exports, monkeypatch):
    monkeypatch.setattr(folders, "MOST_MEMBERS", 3)
    one, other = send(party, [exports])
    assert (one.members, other.members) == (3, 1)
    assert len(registry.take()) == 2


def test_the_memory_of_a_folder_forgets_what_has_long_been_gone(registry, party, exports, monkeypatch):
    import datetime as dt

    from swaddle.submitter.delivered import RECORD, Delivered

    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    memory = Delivered(party.home, exports)
    found = folders.look_into(exports, party.home).members
    memory.add([*found, folders.Planned("gone.csv", 1, 1)], at)
    assert memory.fresh(found, [], at) == []
    (file,) = (party.home / "folders").glob("*.seen")
    for days, left in ((100, 5), (500, 4)):
        assert memory.fresh(found, [], at + dt.timedelta(days=days)) == []
        assert file.stat().st_size == left * RECORD.size


def test_json_tells_how_many_were_sent_and_names_what_was_not(party, exports, capsys):
    from swaddle.cli.submitter_words import exit_status, sent, sent_json

    (exports / "link").symlink_to("/etc")
    done = send(party, [exports])
    (line,) = json.loads(json.dumps(sent_json(done, 1)))["transfers"]
    assert line["files"]["sent"] == 4
    assert [left["name"] for left in line["files"]["left_out"]] == ["link"]
    assert exit_status(done) == 0
    (exports / "bad\n.csv").write_bytes(b"1")
    done = send(party, [exports])
    assert exit_status(done) == 7
    assert "bad\N{REPLACEMENT CHARACTER}.csv" in sent(done, 1)
