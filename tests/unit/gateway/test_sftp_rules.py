"""The door's rules by themselves: names, the life of a file, order, packets, answers."""

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaddle.gateway import sftp_packets as packets
from swaddle.gateway.sftp_answers import line_of, words_of
from swaddle.gateway.sftp_files import (
    TABLE,
    Event,
    Known,
    Opening,
    Refused,
    State,
    after,
    closing,
    opening,
    renaming,
    settling,
)
from swaddle.gateway.sftp_names import NameRefused, Sort, canonical_path, is_answer, sort_of
from swaddle.gateway.sftp_packets import BadPacket, Flag, Reader, Request, WriteBegins, WriteData
from swaddle.gateway.sftp_window import MOST_PIECES, WINDOW_BYTES, OutOfPlace, Window
from swaddle.wire.door_messages import DoorTransfer

WRITE = Flag.WRITE | Flag.CREATE


class TestNames:
    @pytest.mark.parametrize(
        ("raw", "path"),
        [
            (b"", "/"), (b".", "/"), (b"/", "/"), (b"..", "/"), (b"../../etc/passwd", "/etc/passwd"),
            (b"a//b/./c", "/a/b/c"), (b"a/../b", "/b"), (b"/x/", "/x"), ("e\u0301.csv".encode(), "/\u00e9.csv"),
        ],
    )  # fmt: skip
    def test_one_form(self, raw, path):
        assert canonical_path(raw) == path

    @given(st.binary(max_size=1100))
    def test_any_bytes_are_a_path_or_refused(self, raw):
        try:
            path = canonical_path(raw)
        except NameRefused:
            return
        assert path.startswith("/")
        assert canonical_path(path.encode()) == path
        assert not {"..", "."} & set(path.split("/"))
        assert all(ord(character) >= 32 for character in path)

    @pytest.mark.parametrize(
        ("name", "sort"),
        [
            ("a.csv", Sort.FINAL), ("a.csv.filepart", Sort.WORKING), ("a.csv.0a1b2c3d.partial", Sort.WORKING),
            (".in.a.csv", Sort.WORKING), ("a.csv.partial", Sort.PASSING), ("a.csv.TMP", Sort.PASSING),
            ("a.csv.part", Sort.PASSING), ("parties.csv", Sort.FINAL), ("template.csv", Sort.FINAL), (".a.csv", Sort.FINAL),
            ("a.lock", Sort.WORKING),
        ],
    )  # fmt: skip
    def test_what_a_name_says(self, name, sort):
        assert sort_of(f"/in/{name}", ("*.lock",)) is sort

    def test_answers_are_a_folder_of_their_own(self):
        assert is_answer("/answers")
        assert is_answer("/answers/x")
        assert not is_answer("/answers-2026.csv")


class TestLife:
    @given(st.lists(st.sampled_from(list(Event)), max_size=30))
    def test_what_is_taken_or_gone_stays_so(self, events):
        state = State.COMING
        for event in events:
            try:
                following = after(state, event)
            except Refused:
                continue
            assert state not in {State.TAKEN, State.GONE}
            assert following is not State.TAKEN or (state, event) == (State.CLOSING, Event.HELD)
            state = following

    def test_only_the_gateway_makes_a_file_taken(self):
        assert [key for key, state in TABLE.items() if state is State.TAKEN] == [(State.CLOSING, Event.HELD)]

    def test_a_file_is_whole_at_its_close_or_at_its_final_name(self):
        assert closing(Sort.FINAL) is Event.CLOSE_FINAL
        assert closing(Sort.WORKING) is closing(Sort.PASSING) is Event.CLOSE_OTHER
        laid = Known(State.LAID, is_open_here=False)
        assert renaming(laid, "/a.csv", False, Sort.FINAL, ()) is Event.RENAME_FINAL
        assert renaming(laid, "/a.tmp", False, Sort.PASSING, ()) is None
        for state in (State.COMING, State.BROKEN):
            assert renaming(Known(state, is_open_here=False), "/a.csv", False, Sort.FINAL, ()) is None

    def test_what_a_script_left_is_taken_and_what_a_client_left_is_not(self):
        assert settling(State.LAID, Sort.PASSING)
        assert not settling(State.LAID, Sort.WORKING)
        assert not settling(State.BROKEN, Sort.PASSING)

    @pytest.mark.parametrize("flags", [Flag.READ, Flag.READ | Flag.CREATE, 0])
    def test_nothing_is_opened_to_read(self, flags):
        with pytest.raises(Refused):
            opening("/a.csv", flags, Known(State.COMING, is_open_here=True), ())

    @pytest.mark.parametrize("path", ["/", "/answers", "/answers/x", "/in"])
    def test_nothing_is_written_over_a_folder(self, path):
        with pytest.raises(Refused):
            opening(path, WRITE, None, {"/in"})

    def test_never_onto_an_existing_name(self):
        for state in (State.TAKEN, State.CLOSING):
            with pytest.raises(Refused):
                opening("/a.csv", WRITE | Flag.TRUNCATE, Known(state, is_open_here=False), ())
        with pytest.raises(Refused):
            renaming(Known(State.LAID, is_open_here=False), "/a.csv", True, Sort.FINAL, ())

    def test_new_again_and_resumed(self):
        broken = Known(State.BROKEN, is_open_here=False)
        assert opening("/a.csv", WRITE, None, ()) is Opening.NEW
        assert opening("/a.csv", WRITE | Flag.TRUNCATE, broken, ()) is Opening.AGAIN
        assert opening("/a.csv", WRITE, broken, ()) is Opening.RESUME
        with pytest.raises(Refused):
            opening("/a.csv", Flag.WRITE, None, ())
        with pytest.raises(Refused):
            opening("/a.csv", WRITE | Flag.EXCLUSIVE, broken, ())


class TestOrder:
    @given(st.binary(min_size=1, max_size=300), st.data())
    def test_pieces_in_any_order_make_the_file(self, content, data):
        cuts = sorted({0, len(content), *data.draw(st.lists(st.integers(0, len(content)), max_size=12))})
        pieces = data.draw(st.permutations(list(itertools.pairwise(cuts))))
        window, out = Window(), bytearray()
        for start, end in pieces:
            window.write(start, memoryview(content[start:end]), out.extend)
        assert bytes(out) == content
        assert window.end == len(content)
        assert not window.has_gap

    def test_no_overlap_no_rewrite_no_leap(self):
        window = Window()
        window.write(0, memoryview(b"abc"), lambda _: None)
        window.write(10, memoryview(b"xyz"), lambda _: None)
        for offset, data in [(1, b"b"), (9, b"xx"), (12, b"z"), (3, b"12345678"), (WINDOW_BYTES, b"1234")]:
            with pytest.raises(OutOfPlace):
                window.write(offset, memoryview(data), lambda _: None)

    def test_pieces_are_counted(self):
        window = Window()
        for n in range(MOST_PIECES):
            window.write(2 + 2 * n, memoryview(b"x"), lambda _: None)
        with pytest.raises(OutOfPlace):
            window.write(2 + 2 * MOST_PIECES, memoryview(b"x"), lambda _: None)


def write_packet(offset, data, behind=b""):
    body = struct.pack(">BI", 6, 7) + packets.text(b"hndl") + struct.pack(">QI", offset, len(data)) + data + behind
    return struct.pack(">I", len(body)) + body


def read_all(pieces):
    reader, found = Reader(), []
    for piece in pieces:
        for event in reader.feed(piece):
            if isinstance(event, WriteData):
                found[-1][1].extend(event.data)
                found[-1][2] = event.is_last
            elif isinstance(event, WriteBegins):
                found.append([event, bytearray(), False])
            else:
                found.append([event.kind, event.number, True])
    return found


class TestPackets:
    @given(st.lists(st.tuples(st.binary(max_size=200), st.binary(max_size=9)), max_size=5), st.data())
    def test_writes_cut_anywhere_come_out_whole(self, writes, data):
        stream = b"".join(write_packet(n, content, behind) for n, (content, behind) in enumerate(writes))
        stream += struct.pack(">IBI", 9, 17, 1) + packets.text(b"")
        cuts = sorted({0, len(stream), *data.draw(st.lists(st.integers(0, len(stream)), max_size=20))})
        found = read_all([stream[a:b] for a, b in itertools.pairwise(cuts)])
        assert [(one[0].offset, bytes(one[1])) for one in found[:-1]] == [(n, w) for n, (w, _) in enumerate(writes)]
        assert all(one[2] for one in found)
        assert found[-1][:2] == [17, 1]

    @given(st.binary(max_size=400))
    def test_any_bytes_are_requests_or_a_bad_packet(self, stream):
        try:
            for event in Reader().feed(stream):
                if isinstance(event, Request):
                    event.fields.text()
                    event.fields.attributes()
        except BadPacket:
            pass


class TestAnswers:
    @pytest.mark.parametrize(
        ("state", "outcome", "first"),
        [
            ("announced", None, "arriving"), ("held", None, "received"), ("leased", None, "received"),
            ("destroyed", "stored", "stored"), ("acknowledged", "stored", "stored"), ("destroyed", "refused", "refused"),
            ("acknowledged", "unreadable", "unreadable"), ("expired", None, "expired"), ("refused", "not-taken", "incomplete"),
            ("destroyed", "expired", "expired"),
        ],
    )  # fmt: skip
    def test_the_first_word_is_the_answer(self, state, outcome, first):
        said = words_of(transfer(state, outcome))
        assert said.replace(":", " ").replace(";", " ").split()[0] == first

    def test_a_line_has_when_which_how_long_and_what(self):
        assert line_of(transfer("destroyed", "stored")).split("\t") == [
            "2026-11-22T09:24:37Z", "ab" * 16, "100 bytes", "stored",
        ]  # fmt: skip
        assert "repeats " + "cd" * 16 in line_of(transfer("destroyed", "stored", "cd" * 16))


def transfer(state, outcome, repeats=None):
    moment = "2026-11-22T09:24:37Z"
    return DoorTransfer("ab" * 16, state, outcome, moment, moment, 128, repeats)
