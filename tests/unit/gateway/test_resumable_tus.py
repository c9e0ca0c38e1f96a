"""tus 1.0 against the stand-alone server: core, creation (with upload, deferred length), expiration, checksum, termination."""

import secrets
import time

import pytest
from resumable_world import TUS, TUS_APPEND, b64, served, sha1_checksum

DATA = secrets.token_bytes(50_000)


@pytest.fixture(scope="module")
def uploads(tmp_path_factory):
    with served(tmp_path_factory.mktemp("uploads"), "--max-size", "1000000") as server:
        yield server


LENGTH = len(DATA)


def create(uploads, length=LENGTH, body=b"", **fields):
    headers = TUS | {"Upload-Length": str(length)} if length is not None else dict(TUS)
    if body:
        headers["Content-Type"] = TUS_APPEND
    return uploads.ask("POST", "/files/", headers | {n.replace("_", "-"): v for n, v in fields.items()}, body)


def append(uploads, where, offset, body, **fields):
    headers = TUS | {"Upload-Offset": str(offset), "Content-Type": TUS_APPEND}
    return uploads.ask("PATCH", where, headers | {n.replace("_", "-"): v for n, v in fields.items()}, body)


@pytest.fixture
def where(uploads):
    return create(uploads).headers["location"]


class TestCore:
    def test_an_upload_goes_on_until_it_is_whole(self, uploads, where):
        for at in range(0, len(DATA), 20_000):
            answer = append(uploads, where, at, DATA[at : at + 20_000])
            assert (answer.status, answer.headers["tus-resumable"]) == (204, "1.0.0")
            assert answer.headers["upload-offset"] == str(min(at + 20_000, len(DATA)))
        assert uploads.bytes_of(where) == DATA
        answer = uploads.ask("HEAD", where, TUS)
        assert (answer.headers["upload-offset"], answer.headers["upload-length"]) == (str(len(DATA)),) * 2

    def test_head_says_offset_length_and_no_store(self, uploads, where):
        answer = uploads.ask("HEAD", where, TUS)
        assert (answer.status, answer.headers["upload-offset"]) == (200, "0")
        assert (answer.headers["cache-control"], answer.headers["tus-resumable"]) == ("no-store", "1.0.0")

    @pytest.mark.parametrize("version", [None, "0.2.2", "1.0.1"])
    @pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
    def test_another_version_or_none_is_refused_and_nothing_done(self, uploads, where, version, method):
        headers = {"Upload-Offset": "0", "Content-Type": TUS_APPEND}
        answer = uploads.ask(method, where, headers | ({"Tus-Resumable": version} if version else {}))
        assert (answer.status, answer.headers["tus-version"]) == (412, "1.0.0")
        assert uploads.offset(where, TUS) == 0

    def test_a_post_that_names_no_version_is_refused(self, uploads):
        assert uploads.ask("POST", "/files", {"Upload-Length": "5"}).status == 412

    def test_another_media_type_is_refused(self, uploads, where):
        for fields in (
            {"Content-Type": "application/octet-stream"},
            {"Content-Type": "application/partial-upload"},
            {},
        ):
            assert uploads.ask("PATCH", where, TUS | {"Upload-Offset": "0"} | fields, b"x").status == 415

    def test_another_offset_or_none_is_refused(self, uploads, where):
        assert append(uploads, where, 1, b"x").status == 409
        assert uploads.ask("PATCH", where, TUS | {"Content-Type": TUS_APPEND}, b"x").status == 400

    def test_more_than_the_length_is_refused_and_nothing_kept(self, uploads, where):
        assert append(uploads, where, 0, DATA + b"x").status == 413
        fields = TUS | {"Upload-Offset": "0", "Content-Type": TUS_APPEND}
        assert uploads.ask("PATCH", where, fields, iter([DATA, b"x"])).status == 413
        assert uploads.offset(where, TUS) == 0

    @pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
    def test_what_is_not_there_is_not_found(self, uploads, method):
        fields = TUS | {"Upload-Offset": "0", "Content-Type": TUS_APPEND}
        assert uploads.ask(method, "/files/" + "0" * 32, fields).status == 404

    def test_options_say_all_without_a_version(self, uploads):
        headers = uploads.ask("OPTIONS", "/files/").headers
        assert (headers["tus-version"], headers["tus-max-size"]) == ("1.0.0", "1000000")
        for extension in ("creation", "creation-with-upload", "expiration", "checksum", "termination"):
            assert extension in headers["tus-extension"].split(",")
        assert "sha1" in headers["tus-checksum-algorithm"].split(",")

    def test_a_method_may_be_named_in_a_field(self, uploads, where):
        fields = TUS | {"Upload-Offset": "0", "Content-Type": TUS_APPEND, "X-HTTP-Method-Override": "PATCH"}
        assert uploads.ask("POST", where, fields, DATA).status == 204
        assert uploads.bytes_of(where) == DATA

    def test_a_dropped_line_keeps_what_came(self, uploads, where):
        fields = TUS | {"Upload-Offset": "0", "Content-Type": TUS_APPEND}
        with uploads.half_sent("PATCH", where, fields, DATA[:7000], len(DATA)):
            time.sleep(0.7)  # what was sent is there by then, on a busy machine too
        assert uploads.offset(where, TUS) == 7000
        assert append(uploads, where, 7000, DATA[7000:]).status == 204
        assert uploads.bytes_of(where) == DATA


class TestCreation:
    def test_gives_an_address_and_a_time(self, uploads):
        answer = create(uploads)
        assert (answer.status, answer.headers["tus-resumable"]) == (201, "1.0.0")
        assert answer.headers["upload-expires"].endswith(" GMT")

    def test_of_nothing_is_whole_at_once(self, uploads):
        where = create(uploads, 0).headers["location"]
        assert (uploads.ask("HEAD", where, TUS).headers["upload-offset"], uploads.bytes_of(where)) == ("0", b"")
        assert append(uploads, where, 0, b"").status == 204

    def test_with_upload_says_how_far_it_came(self, uploads):
        answer = create(uploads, body=DATA[:9000])
        assert (answer.status, answer.headers["upload-offset"]) == (201, "9000")
        whole = create(uploads, body=DATA)
        assert whole.headers["upload-offset"] == str(len(DATA))
        assert uploads.bytes_of(whole.headers["location"]) == DATA

    def test_with_upload_of_another_media_type_is_refused(self, uploads):
        fields = TUS | {"Upload-Length": "5", "Content-Type": "text/plain"}
        assert uploads.ask("POST", "/files", fields, b"hello").status == 415

    def test_with_more_than_the_length_is_refused(self, uploads):
        assert create(uploads, 4, body=b"hello").status == 413

    def test_beyond_the_largest_size_is_refused(self, uploads):
        assert create(uploads, 1_000_001).status == 413

    @pytest.mark.parametrize("length", ["-1", "five", "1.5", ""])
    def test_of_a_length_that_is_none_is_refused(self, uploads, length):
        assert create(uploads, length).status == 400

    def test_needs_a_length_or_its_deferral_and_not_both(self, uploads):
        assert uploads.ask("POST", "/files", TUS).status == 400
        assert create(uploads, 5, Upload_Defer_Length="1").status == 400
        assert create(uploads, None, Upload_Defer_Length="2").status == 400

    def test_with_a_deferred_length_says_so_until_it_is_known(self, uploads):
        where = create(uploads, None, Upload_Defer_Length="1").headers["location"]
        answer = uploads.ask("HEAD", where, TUS)
        assert (answer.headers["upload-defer-length"], "upload-length" in answer.headers) == ("1", False)
        assert append(uploads, where, 0, DATA[:1000]).status == 204
        assert append(uploads, where, 1000, DATA[1000:2000], Upload_Length=str(len(DATA))).status == 204
        assert append(uploads, where, 2000, b"x", Upload_Length="2500").status == 400
        answer = uploads.ask("HEAD", where, TUS)
        assert (answer.headers["upload-length"], "upload-defer-length" in answer.headers) == (str(len(DATA)), False)

    def test_keeps_metadata_and_gives_it_back(self, uploads):
        text = f"filename {b64(b'births.csv')},is_confidential"
        answer = create(uploads, Upload_Metadata=text)
        assert uploads.ask("HEAD", answer.headers["location"], TUS).headers["upload-metadata"] == text

    @pytest.mark.parametrize(
        "text", ["a !", "a YQ==,a YQ==", ",", "a b c", "n\u00e4me YQ==".encode(), "a " + "A" * 9000]
    )
    def test_refuses_metadata_that_is_none(self, uploads, text):
        assert create(uploads, Upload_Metadata=text).status == 400

    def test_no_other_method_creates(self, uploads):
        assert uploads.ask("PUT", "/files", TUS | {"Upload-Length": "5"}).status == 405


class TestChecksum:
    def test_that_holds_is_taken(self, uploads, where):
        assert append(uploads, where, 0, DATA, Upload_Checksum=sha1_checksum(DATA)).status == 204

    def test_that_differs_leaves_the_offset_as_it_was(self, uploads, where):
        assert append(uploads, where, 0, DATA[:10]).status == 204
        answer = append(uploads, where, 10, DATA[10:], Upload_Checksum=sha1_checksum(b"another"))
        assert answer.status == 460
        assert uploads.offset(where, TUS) == 10
        assert append(uploads, where, 10, DATA[10:], Upload_Checksum=sha1_checksum(DATA[10:])).status == 204
        assert uploads.bytes_of(where) == DATA

    @pytest.mark.parametrize("value", ["md4 YQ==", "sha1", "sha1 YQ==", "sha1 !!", "SHA1 YQ=="])
    def test_that_is_none_is_refused(self, uploads, where, value):
        assert append(uploads, where, 0, DATA, Upload_Checksum=value).status == 400
        assert uploads.offset(where, TUS) == 0

    def test_of_content_that_broke_off_leaves_nothing_unchecked(self, uploads, where):
        fields = TUS | {"Upload-Offset": "0", "Content-Type": TUS_APPEND, "Upload-Checksum": sha1_checksum(DATA)}
        with uploads.half_sent("PATCH", where, fields, DATA[:7000], len(DATA)):
            time.sleep(0.7)  # what was sent is there by then, on a busy machine too
        assert uploads.offset(where, TUS) == 0


class TestTermination:
    @pytest.mark.parametrize("came", [0, 100, len(DATA)])
    def test_frees_everything(self, uploads, where, came):
        append(uploads, where, 0, DATA[:came])
        answer = uploads.ask("DELETE", where, TUS)
        assert (answer.status, answer.headers["tus-resumable"]) == (204, "1.0.0")
        assert uploads.ask("HEAD", where, TUS).status == 404
        assert not list(uploads.folder.glob(f"{where.rsplit('/', 1)[1]}*"))


def test_an_upload_past_its_time_is_gone(tmp_path):
    with served(tmp_path, "--max-age", "1") as uploads:
        where = create(uploads).headers["location"]
        assert "upload-expires" in append(uploads, where, 0, b"x").headers
        time.sleep(2.1)
        assert uploads.ask("HEAD", where, TUS).status == 410
        assert append(uploads, where, 1, b"x").status == 410


def test_the_two_protocols_stand_on_the_same_uploads(uploads):
    where = uploads.create(DATA[:10], Upload_Length=str(len(DATA))).headers["location"]
    assert append(uploads, where, 10, DATA[10:100]).status == 204
    assert uploads.append(where, 100, DATA[100:], "?1").status == 200
    assert uploads.bytes_of(where) == DATA
