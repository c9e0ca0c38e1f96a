"""Resumable Uploads for HTTP, draft 12, against the stand-alone server: a requirement of the text to a test."""

import secrets
import time

import pytest
from resumable_world import DRAFT_APPEND, b64, digest, served

DATA = secrets.token_bytes(100_000)
ARRIVING_S = 0.7  # what was sent is there by then, on a busy machine too
PROMPT_S = 10  # against the 30 that a silent line is waited for


@pytest.fixture(scope="module")
def uploads(tmp_path_factory):
    with served(tmp_path_factory.mktemp("uploads"), "--max-size", str(200 * 2**30), "--idle", "30") as server:
        yield server


@pytest.fixture
def where(uploads):
    """An upload of 1,000 bytes that goes on."""
    return uploads.create(DATA[:1000]).headers["location"]


class TestCreation:
    @pytest.mark.parametrize("path", ["/", "/files", "/files/", "/project/123/files", "/a%20b/~c"])
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    def test_with_the_whole_content_is_complete_at_once(self, uploads, path, method):
        answer = uploads.ask(method, path, {"Upload-Complete": "?1"}, DATA)
        assert answer.status == 200
        assert (answer.headers["upload-complete"], answer.headers["upload-offset"]) == ("?1", str(len(DATA)))
        assert uploads.bytes_of(answer.headers["location"]) == DATA

    def test_without_content_gives_an_address(self, uploads):
        answer = uploads.create()
        assert answer.status == 201
        assert (answer.headers["upload-complete"], answer.headers["upload-offset"]) == ("?0", "0")
        assert "max-size=" in answer.headers["upload-limit"]
        assert answer.headers["location"].startswith(f"{uploads.url}/files/")

    def test_with_the_beginning_of_the_content(self, uploads):
        answer = uploads.create(DATA[:10], Upload_Length=str(len(DATA)))
        assert (answer.status, answer.headers["upload-offset"]) == (201, "10")
        assert answer.headers["upload-length"] == str(len(DATA))

    def test_of_nothing_at_all_is_complete(self, uploads):
        answer = uploads.create(complete="?1")
        assert (answer.status, answer.headers["upload-complete"], answer.headers["upload-length"]) == (200, "?1", "0")

    def test_in_chunks_of_no_known_length(self, uploads):
        answer = uploads.ask("POST", "/files", {"Upload-Complete": "?1"}, iter([DATA[:50_000], DATA[50_000:]]))
        assert (answer.status, answer.headers["upload-length"]) == (200, str(len(DATA)))
        assert uploads.bytes_of(answer.headers["location"]) == DATA

    def test_with_two_lengths_is_refused(self, uploads):
        answer = uploads.create(DATA, "?1", Upload_Length="7")
        assert (answer.status, answer.problem) == (400, "inconsistent-upload-length")

    def test_with_more_content_than_length_is_refused(self, uploads):
        assert uploads.create(DATA[:10], Upload_Length="7").problem == "inconsistent-upload-length"

    def test_beyond_the_largest_size_is_refused_and_the_limit_told(self, uploads):
        answer = uploads.create(Upload_Length=str(200 * 2**30 + 1))
        assert answer.status == 413
        assert f"max-size={200 * 2**30}" in answer.headers["upload-limit"]

    def test_of_a_hundred_gibibytes_reserves_nothing_and_counts_well(self, uploads):
        size = 100 * 2**30
        where = uploads.create(Upload_Length=str(size)).headers["location"]
        path = uploads.folder / f"{where.rsplit('/', 1)[1]}.bytes"
        with path.open("r+b") as file:  # all but the last ten bytes, as if they had come
            file.truncate(size - 10)
        assert uploads.offset(where) == size - 10
        answer = uploads.append(where, size - 10, DATA[:10], "?1")
        assert (answer.status, answer.headers["upload-offset"]) == (200, str(size))
        assert path.stat().st_blocks * 512 < 2**20
        assert uploads.ask("DELETE", where).status == 204

    @pytest.mark.parametrize("value", ["?2", "1", "true", "", "?1, ?1"])
    def test_whose_upload_complete_is_none_is_none(self, uploads, value):
        assert uploads.ask("POST", "/files", {"Upload-Complete": value}, DATA).status == 400

    @pytest.mark.parametrize("value", ["?1;a=b", " ?1 ", "?1;q"])
    def test_parameters_of_a_structured_field_are_passed_over(self, uploads, value):
        assert uploads.ask("POST", "/files", {"Upload-Complete": value}, DATA).status == 200

    @pytest.mark.parametrize("value", ["-1", "1.5", "ten", "1, 1", "1" * 16])
    def test_an_upload_length_that_is_none_is_passed_over(self, uploads, value):
        answer = uploads.create(DATA, "?1", Upload_Length=value)
        assert (answer.status, answer.headers["upload-length"]) == (200, str(len(DATA)))


class TestOffset:
    def test_says_where_it_stands(self, uploads, where):
        answer = uploads.look(where)
        assert answer.status == 204
        assert (answer.headers["upload-offset"], answer.headers["upload-complete"]) == ("1000", "?0")
        assert "upload-length" not in answer.headers
        assert "max-age=" in answer.headers["upload-limit"]
        assert answer.headers["cache-control"] == "no-store"

    def test_says_the_length_once_it_is_known(self, uploads, where):
        uploads.append(where, 1000, Upload_Length="5000")
        assert uploads.look(where).headers["upload-length"] == "5000"

    def test_of_a_complete_upload_says_so(self, uploads, where):
        uploads.append(where, 1000, DATA[1000:], "?1")
        headers = uploads.look(where).headers
        assert (headers["upload-complete"], headers["upload-offset"]) == ("?1", str(len(DATA)))

    @pytest.mark.parametrize("name", ["0" * 32, "nothing", "../../etc/passwd", "%2e%2e"])
    def test_of_what_is_not_there_is_not_found(self, uploads, name):
        answer = uploads.look(f"/files/{name}")
        assert (answer.status, "upload-offset" in answer.headers) == (404, False)


class TestAppend:
    def test_goes_on_and_completes(self, uploads, where):
        answer = uploads.append(where, 1000, DATA[1000:2000])
        assert (answer.status, answer.headers["upload-complete"]) == (204, "?0")
        answer = uploads.append(where, 2000, DATA[2000:], "?1")
        assert (answer.status, answer.headers["upload-complete"]) == (200, "?1")
        assert uploads.bytes_of(where) == DATA

    def test_without_content_may_complete(self, uploads, where):
        answer = uploads.append(where, 1000, b"", "?1")
        assert (answer.status, answer.headers["upload-length"]) == (200, "1000")

    @pytest.mark.parametrize("offset", [0, 999, 1001, 10**12])
    def test_elsewhere_is_refused_and_the_place_told(self, uploads, where, offset):
        answer = uploads.append(where, offset, b"x")
        assert (answer.status, answer.problem) == (409, "mismatching-upload-offset")
        assert (answer.json["expected-offset"], answer.json["provided-offset"]) == (1000, offset)
        assert answer.headers["upload-offset"] == "1000"

    @pytest.mark.parametrize("missing", ["Upload-Offset", "Upload-Complete", "Content-Type"])
    def test_lacking_a_field_is_refused(self, uploads, where, missing):
        fields = {"Upload-Offset": "1000", "Upload-Complete": "?0", "Content-Type": DRAFT_APPEND}
        del fields[missing]
        status = 415 if missing == "Content-Type" else 400
        assert uploads.ask("PATCH", where, fields, b"x").status == status
        assert uploads.offset(where) == 1000

    def test_to_a_complete_upload_is_refused(self, uploads, where):
        uploads.append(where, 1000, b"", "?1")
        answer = uploads.append(where, 1000, b"more")
        assert (answer.status, answer.problem) == (400, "inconsistent-upload-length")
        assert uploads.append(where, 1000, b"", "?1").problem == "completed-upload"
        assert uploads.bytes_of(where) == DATA[:1000]

    def test_with_another_length_is_refused(self, uploads, where):
        uploads.append(where, 1000, Upload_Length="5000")
        assert uploads.append(where, 1000, Upload_Length="5001").problem == "inconsistent-upload-length"
        assert uploads.append(where, 1000, DATA[1000:2000], "?1").problem == "inconsistent-upload-length"
        assert uploads.offset(where) == 1000

    def test_beyond_the_length_ends_the_upload(self, uploads, where):
        uploads.append(where, 1000, Upload_Length="1500")
        assert uploads.append(where, 1000, DATA[1000:2000]).status == 400
        assert uploads.look(where).status == 410
        assert uploads.append(where, 1000, b"x").status == 410

    def test_beyond_the_length_in_chunks_ends_it_too(self, uploads, where):
        uploads.append(where, 1000, Upload_Length="1500")
        fields = {"Upload-Offset": "1000", "Upload-Complete": "?0", "Content-Type": DRAFT_APPEND}
        assert uploads.ask("PATCH", where, fields, iter([DATA[1000:1400], DATA[1400:2000]])).status == 400
        assert uploads.look(where).status == 410

    def test_of_another_media_type_says_which(self, uploads, where):
        fields = {"Upload-Offset": "1000", "Upload-Complete": "?0", "Content-Type": "application/octet-stream"}
        answer = uploads.ask("PATCH", where, fields, b"x")
        assert (answer.status, answer.headers["accept-patch"]) == (415, DRAFT_APPEND)


class TestCancellation:
    def test_ends_it(self, uploads, where):
        assert uploads.ask("DELETE", where).status == 204
        assert uploads.look(where).status == 404
        assert uploads.append(where, 1000, b"x").status == 404
        assert not list(uploads.folder.glob(f"{where.rsplit('/', 1)[1]}*"))

    def test_ends_a_request_that_is_under_way(self, uploads, where):
        fields = {"Upload-Offset": "1000", "Upload-Complete": "?0", "Content-Type": DRAFT_APPEND}
        with uploads.half_sent("PATCH", where, fields, DATA[:500], 90_000):
            time.sleep(ARRIVING_S)
            began = time.monotonic()
            assert uploads.ask("DELETE", where).status == 204
            assert time.monotonic() - began < PROMPT_S


class TestRaces:
    def test_asking_ends_the_request_that_hangs_and_its_answer_holds(self, uploads, where):
        fields = {"Upload-Offset": "1000", "Upload-Complete": "?0", "Content-Type": DRAFT_APPEND}
        with uploads.half_sent("PATCH", where, fields, DATA[1000:1500], 90_000) as line:
            time.sleep(ARRIVING_S)
            began = time.monotonic()
            assert uploads.offset(where) == 1500
            assert time.monotonic() - began < PROMPT_S
            assert uploads.append(where, 1500, DATA[1500:], "?1").status == 200
            assert line.recv(1000).startswith(b"HTTP/1.1 409 ")
        assert uploads.bytes_of(where) == DATA

    def test_the_newest_of_many_writers_wins(self, uploads, where):
        fields = {"Upload-Offset": "1000", "Upload-Complete": "?0", "Content-Type": DRAFT_APPEND}
        with (
            uploads.half_sent("PATCH", where, fields, b"", 90_000),
            uploads.half_sent("PATCH", where, fields, b"", 90_000),
        ):
            time.sleep(ARRIVING_S)
            assert uploads.append(where, 1000, DATA[1000:], "?1").status == 200
        assert uploads.bytes_of(where) == DATA

    def test_a_dropped_line_keeps_what_came_and_frees_the_upload_at_once(self, uploads, where):
        fields = {"Upload-Offset": "1000", "Upload-Complete": "?1", "Content-Type": DRAFT_APPEND}
        with uploads.half_sent("PATCH", where, fields, DATA[1000:61_000], 99_000):
            time.sleep(ARRIVING_S)
        began = time.monotonic()
        assert uploads.offset(where) == 61_000
        assert time.monotonic() - began < PROMPT_S
        assert uploads.look(where).headers["upload-complete"] == "?0"
        assert uploads.append(where, 61_000, DATA[61_000:], "?1").status == 200
        assert uploads.bytes_of(where) == DATA

    def test_a_silent_line_is_given_up_and_what_came_is_kept(self, tmp_path):
        with served(tmp_path, "--idle", "1") as uploads:
            where = uploads.create(DATA[:1000]).headers["location"]
            fields = {"Upload-Offset": "1000", "Upload-Complete": "?1", "Content-Type": DRAFT_APPEND}
            with uploads.half_sent("PATCH", where, fields, DATA[1000:1400], 99_000) as line:
                assert line.recv(1000).startswith(b"HTTP/1.1 408 ")
            assert uploads.offset(where) == 1400


class TestDigests:
    def test_of_the_content_is_compared(self, uploads, where):
        answer = uploads.append(where, 1000, DATA[1000:2000], Content_Digest=digest(b"another"))
        assert (answer.status, answer.problem) == (400, "digest-mismatched-values")
        assert uploads.offset(where) == 1000
        assert uploads.append(where, 1000, DATA[1000:2000], Content_Digest=digest(DATA[1000:2000])).status == 204

    def test_of_the_content_that_broke_off_leaves_nothing_unchecked(self, uploads, where):
        fields = {"Upload-Offset": "1000", "Upload-Complete": "?1", "Content-Type": DRAFT_APPEND}
        fields["Content-Digest"] = digest(DATA[1000:])
        with uploads.half_sent("PATCH", where, fields, DATA[1000:50_000], 99_000):
            time.sleep(ARRIVING_S)
        assert uploads.offset(where) == 1000

    def test_of_the_whole_is_compared_across_requests(self, uploads):
        where = uploads.create(DATA[:1000], Repr_Digest=digest(DATA)).headers["location"]
        fields = {"Upload-Offset": "1000", "Upload-Complete": "?1", "Content-Type": DRAFT_APPEND}
        with uploads.half_sent("PATCH", where, fields, DATA[1000:50_000], 99_000):
            time.sleep(ARRIVING_S)
        assert uploads.offset(where) == 50_000
        assert uploads.append(where, 50_000, DATA[50_000:], "?1").status == 200

    def test_of_the_whole_that_differs_ends_the_upload(self, uploads):
        where = uploads.create(DATA[:1000], Repr_Digest=digest(DATA)).headers["location"]
        answer = uploads.append(where, 1000, bytes(99_000), "?1")
        assert (answer.status, answer.problem, answer.headers["upload-complete"]) == (
            400,
            "digest-mismatched-values",
            "?1",
        )
        assert uploads.look(where).status == 410

    def test_is_told_who_wants_it(self, uploads):
        where = uploads.create(DATA[:1000], Want_Repr_Digest="sha-512=1, sha-256=10, md5=9").headers["location"]
        answer = uploads.append(where, 1000, DATA[1000:], "?1")
        assert answer.headers["repr-digest"].startswith(digest(DATA))

    @pytest.mark.parametrize("value", ["sha-256=abc", f"sha-256=:{b64(b'short')}:", "sha-256", "sha-256=:!:"])
    def test_that_is_none_is_refused(self, uploads, value):
        for name in ("Content-Digest", "Repr-Digest"):
            assert uploads.create(DATA, "?1", **{name: value}).status == 400

    def test_of_an_algorithm_that_we_lack_is_passed_over(self, uploads):
        assert uploads.create(DATA, "?1", Repr_Digest=f"md5=:{b64(bytes(16))}:").status == 200


class TestOptions:
    @pytest.mark.parametrize("path", ["/", "/files", "*"])
    def test_says_what_is_taken(self, uploads, path):
        answer = uploads.ask("OPTIONS", path)
        assert (answer.status, answer.headers["accept-patch"]) == (204, DRAFT_APPEND)
        assert f"max-size={200 * 2**30}" in answer.headers["upload-limit"]

    def test_nothing_says_what_software_answers(self, uploads):
        assert uploads.ask("OPTIONS", "/").headers["server"] == ""


def test_an_upload_past_its_time_is_gone(tmp_path):
    with served(tmp_path, "--max-age", "1") as uploads:
        where = uploads.create(DATA[:10]).headers["location"]
        time.sleep(2.1)
        assert uploads.look(where).status == 410
        assert uploads.append(where, 10, b"x").status == 410
        assert not (tmp_path / f"{where.rsplit('/', 1)[1]}.bytes").exists()
