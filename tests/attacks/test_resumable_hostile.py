"""Resumable uploads under attack: names as paths, smuggled fields, ended uploads, drops, lies about offsets, other hands."""

import http.client
import secrets
import socket
import time
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest
from resumable_world import DRAFT_APPEND, TUS, TUS_APPEND, b64, served

from swaddle.errors import SwaddleError
from swaddle.wire.part_upload import PartUploads
from swaddle.wire.problems import Unreachable

DATA = secrets.token_bytes(500_000)


@pytest.fixture(scope="module")
def uploads(tmp_path_factory):
    with served(tmp_path_factory.mktemp("uploads"), "--max-size", "10000000") as server:
        yield server


def raw(uploads, text):
    """An exact request; what came back, the status first."""
    with socket.create_connection(("127.0.0.1", uploads.port), timeout=5) as line:
        line.sendall(text.encode("latin-1"))
        try:
            return line.recv(65_536).decode("latin-1")
        except (TimeoutError, ConnectionError):
            return ""


class TestNamesAsPaths:
    @pytest.mark.parametrize(
        "path",
        [
            "/files/../../../etc/passwd", "/files/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/files/..%5c..%5cx",
            "/files/" + "a" * 500, "/files/0%00", "/files/" + "0" * 31 + "%30", "/files/" + "A" * 32, "//etc/passwd",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE", "POST"])
    def test_nothing_but_an_id_of_ours_is_a_file(self, uploads, path, method):
        before = sorted(uploads.folder.iterdir())
        fields = f"Upload-Offset: 0\r\nContent-Type: {DRAFT_APPEND}\r\nContent-Length: 1\r\nUpload-Complete: ?0\r\n"
        answer = raw(uploads, f"{method} {path} HTTP/1.1\r\nHost: x\r\n{fields}Connection: close\r\n\r\nx")
        assert answer.split(" ", 2)[1] in {"400", "404", "414"}
        assert sorted(uploads.folder.iterdir()) == before

    def test_a_file_that_lies_in_the_folder_is_no_upload(self, uploads):
        (uploads.folder / f"{'ab' * 16}.bytes").write_bytes(b"planted")
        assert uploads.look("/files/" + "ab" * 16).status == 404

    @pytest.mark.parametrize("note", [b"", b"{}", b"null", b'{"state":"open"}', b"\x80\x04K\x01."])
    def test_a_note_that_is_none_is_no_upload_and_runs_nothing(self, uploads, note):
        (uploads.folder / f"{'cd' * 16}.json").write_bytes(note)
        assert uploads.look("/files/" + "cd" * 16).status == 404


class TestSmuggling:
    @pytest.mark.parametrize("host", ["evil.example/x", "a b", "x\ty", "user@evil", "", "[::1", "a" * 300])
    def test_a_host_that_is_none_is_never_part_of_an_address(self, uploads, host):
        answer = raw(uploads, f"POST /f HTTP/1.1\r\nHost: {host}\r\nUpload-Complete: ?0\r\nContent-Length: 0\r\n\r\n")
        if " 201 " in answer:
            where = next(line for line in answer.splitlines() if line.lower().startswith("location:"))
            assert where.split(": ", 1)[1].startswith("/f/")

    def test_doubled_offsets_are_none(self, uploads):
        where = uploads.create(DATA[:10]).headers["location"].removeprefix(uploads.url)
        fields = f"Upload-Complete: ?0\r\nContent-Type: {DRAFT_APPEND}\r\nContent-Length: 1\r\n"
        for pair in (
            "Upload-Offset: 10\r\nUpload-Offset: 0\r\n",
            "Upload-Offset: 10, 0\r\n",
            "Upload-Offset:\r\n 10,0\r\n",
        ):
            answer = raw(uploads, f"PATCH {where} HTTP/1.1\r\nHost: x\r\n{fields}{pair}Connection: close\r\n\r\nx")
            assert answer.split(" ", 2)[1] == "400"
        assert uploads.offset(where) == 10

    def test_metadata_never_becomes_a_field_of_its_own(self, uploads):
        for text in ("a YQ==\r\nset-cookie: x", "a YQ==\x0bx", "a YQ==\nx: y"):
            fields = f"Tus-Resumable: 1.0.0\r\nUpload-Length: 5\r\nUpload-Metadata: {text}\r\n"
            answer = raw(uploads, f"POST /f HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: 0\r\n\r\n")
            assert "set-cookie" not in answer.lower()
            assert "\nx: y" not in answer.lower()

    def test_an_answer_repeats_nothing_that_was_sent(self, uploads):
        answer = uploads.ask(
            "PATCH", "/files", {"Upload-Complete": "needle", "Content-Type": "needle/needle"}, b"needle"
        )
        assert b"needle" not in answer.body
        assert "needle" not in str(answer.headers)

    def test_content_shorter_than_it_says_completes_nothing(self, uploads):
        where = uploads.create().headers["location"]
        fields = {"Upload-Offset": "0", "Upload-Complete": "?1", "Content-Type": DRAFT_APPEND}
        with uploads.half_sent("PATCH", where, fields, DATA[:100], 200) as line:
            line.shutdown(socket.SHUT_WR)
            line.settimeout(4)
            line.recv(1000)
        assert uploads.look(where).headers["upload-complete"] == "?0"


class TestExhaustion:
    @pytest.mark.slow
    def test_two_hundred_lines_that_hang_do_not_keep_the_next_one_waiting(self, tmp_path):
        with served(tmp_path) as uploads, ExitStack() as lines:
            for _ in range(200):
                lines.enter_context(uploads.half_sent("POST", "/files", {"Upload-Complete": "?1"}, b"x", 10**6))
            while len(list(tmp_path.glob("*.bytes"))) < 200:
                time.sleep(0.05)
            began = time.monotonic()
            assert uploads.create(DATA, "?1").status == 200
            assert time.monotonic() - began < 15  # and not the 30 that a silent line is waited for

    def test_drops_are_not_gathered_without_end(self, uploads):
        where = uploads.create().headers["location"]
        fields = {"Upload-Offset": "0", "Upload-Complete": "?0", "Content-Type": DRAFT_APPEND}
        connection = http.client.HTTPConnection("127.0.0.1", uploads.port, timeout=20)
        connection.request("PATCH", where, iter([b"x"] * 20_000), fields)
        assert connection.getresponse().status == 204
        connection.close()
        assert uploads.offset(where) == 20_000
        memory = Path(f"/proc/{uploads.process.pid}/status").read_text()
        assert int(memory.split("VmRSS:")[1].split()[0]) < 150_000

    def test_an_upload_that_says_it_is_small_takes_no_more(self, uploads):
        where = uploads.create(Upload_Length="10").headers["location"]
        fields = {"Upload-Offset": "0", "Upload-Complete": "?0", "Content-Type": DRAFT_APPEND}
        answer = uploads.ask("PATCH", where, fields, iter([DATA]))
        assert answer.status == 400
        assert not (uploads.folder / f"{where.rsplit('/', 1)[1]}.bytes").exists()

    def test_an_upload_of_unknown_length_takes_no_more_than_the_largest(self, uploads):
        answer = uploads.ask("POST", "/files", {"Upload-Complete": "?1"}, iter([bytes(5_000_001)] * 2))
        assert answer.status == 413
        assert "max-size=10000000" in answer.headers["upload-limit"]

    def test_tus_ended_by_its_checksum_keeps_nothing_of_it(self, uploads):
        where = uploads.ask("POST", "/f", TUS | {"Upload-Length": str(len(DATA))}).headers["location"]
        fields = TUS | {"Upload-Offset": "0", "Content-Type": TUS_APPEND, "Upload-Checksum": f"sha1 {b64(bytes(20))}"}
        assert uploads.ask("PATCH", where, fields, DATA).status == 460
        assert uploads.bytes_of(where) == b""


class TestAGatewayThatLies:
    """What a hacked gateway may say to a sender whose part broke off; the sender has the part, and sends it whole."""

    PATH = "/v1/transfers/0/parts/0"

    def put(self, *answers):
        """A part whose first try broke; the requests of the second, and how it ended."""
        asked, coming = [], [Unreachable("the connection broke"), *answers]

        def exchange(method, path, fields, body):
            asked.append((method, path, dict(fields), bytes(body)))
            answer = coming.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        parts = PartUploads(exchange)
        arguments = (self.PATH, memoryview(DATA), sha256(DATA).digest())
        with pytest.raises(Unreachable):
            parts.put(*arguments)
        parts.put(*arguments)
        return asked[1:]

    @pytest.mark.parametrize(
        "location",
        [
            "https://elsewhere.example/v1/uploads/" + "0" * 32, "//elsewhere/x", "/v1/instructions", "", "/v1/uploads/../x",
            "/v1/uploads/" + "0" * 31, "/v1/uploads/" + "0" * 32 + "\r\nx: y", "/v1/uploads/" + "0" * 32 + "?a",
        ],
    )  # fmt: skip
    def test_an_address_elsewhere_is_not_followed(self, location):
        asked = self.put({"location": location, "upload-offset": "5"}, {})
        assert [(method, path) for method, path, _, _ in asked] == [("PUT", self.PATH)] * 2
        assert asked[1][3] == DATA

    @pytest.mark.parametrize("offset", ["-1", "500001", "5.0", "", "0x10", "9" * 40, "\u0665"])
    def test_an_offset_that_cannot_be_is_not_believed(self, offset):
        asked = self.put({"location": "/v1/uploads/" + "0" * 32, "upload-offset": offset}, {})
        assert asked[1][3] == DATA

    def test_a_problem_in_going_on_sends_the_part_whole(self):
        asked = self.put({"location": "/v1/uploads/" + "0" * 32, "upload-offset": "5"}, SwaddleError(), {})
        assert [method for method, _, _, _ in asked] == ["PUT", "PATCH", "PUT"]
        assert asked[2][3] == DATA

    def test_the_rest_is_covered_by_a_digest_and_an_offset(self):
        asked = self.put({"location": "/v1/uploads/" + "0" * 32, "upload-offset": "5"}, {"upload-complete": "?1"})
        method, _, fields, body = asked[1]
        assert (method, body, fields["upload-offset"], fields["upload-complete"]) == ("PATCH", DATA[5:], "5", "?1")
        assert "content-digest" in fields
