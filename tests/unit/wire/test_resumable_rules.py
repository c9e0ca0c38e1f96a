"""The rules of resumable uploads: one table, two protocols; and 104 where a server can send it."""

import asyncio
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaddle.gateway.resumable import INFORMATIONAL, Resumable
from swaddle.gateway.upload_content import Pace
from swaddle.gateway.upload_folder import Folder
from swaddle.wire import resumable_requests as said
from swaddle.wire.resumable import TRANSITIONS, Content, Event, Limits, Protocol, Refused, State, Upload, received
from swaddle.wire.upload_fields import BadField, Digests, Fields, digest_field

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LIMITS = Limits(10**6, 3600)
OPEN = Upload(Protocol.DRAFT, NOW + timedelta(hours=1))


class TestTheTable:
    def test_nothing_follows_a_cancellation_or_an_expiry(self):
        for event in Event:
            for state in (State.CANCELLED, State.EXPIRED):
                assert (state, event) not in TRANSITIONS

    def test_bytes_are_taken_by_an_open_upload_only(self):
        takers = {state for state, event in TRANSITIONS if event in {Event.APPEND, Event.COMPLETE}}
        assert takers == {State.OPEN}

    @given(st.lists(st.sampled_from(list(Event)), max_size=20))
    def test_whatever_happens_a_complete_upload_was_completed_and_no_more(self, events):
        upload, was_over = OPEN, False
        for event in events:
            if (upload.state, event) not in TRANSITIONS:
                with pytest.raises(Refused, match="gone"):
                    upload.take(event)
                continue
            upload = upload.take(event)
            assert not (was_over and upload.state is State.OPEN)
            was_over = was_over or upload.state is not State.OPEN

    @given(st.lists(st.tuples(st.integers(0, 500), st.booleans()), max_size=12), st.integers(0, 2000))
    def test_an_offset_never_goes_back_and_never_beyond_the_length(self, pieces, length):
        upload = replace(OPEN, length=length)
        for count, is_whole in pieces:
            room = length - upload.offset
            if upload.state is not State.OPEN:
                break
            before = upload.offset
            upload = received(upload, Content(completes=False, size=count), min(count, room), is_whole=is_whole)
            assert before <= upload.offset <= length
            assert upload.state is State.OPEN  # only who says so completes


class TestFields:
    @given(st.text(max_size=60))
    def test_no_text_makes_a_reader_fall(self, text):
        fields = Fields([("upload-offset", text), ("upload-complete", text), ("upload-length", text)])
        for read in (fields.integer, fields.boolean):
            for name in ("upload-offset", "upload-complete", "upload-length"):
                read(name)

    @given(st.text(max_size=60))
    def test_a_digest_is_one_or_is_refused(self, text):
        fields = Fields([("repr-digest", text), ("upload-checksum", text), ("upload-metadata", text)])
        for read in (lambda: fields.digests("repr-digest"), fields.checksum, fields.metadata):
            try:
                read()
            except BadField as bad:
                assert text not in str(bad) or not text or text in bad.name  # noqa: PT017

    @given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
    def test_digests_come_back_as_they_were_written(self, short, long):
        digests = (("sha-256", short), ("sha-512", long))
        assert Fields([("repr-digest", digest_field(digests))]).digests("repr-digest") == Digests(digests)

    def test_two_lines_of_a_field_are_no_item(self):
        assert Fields([("Upload-Offset", "5"), ("upload-offset", "5")]).integer("upload-offset") is None

    @pytest.mark.parametrize("value", ["9" * 5000, "?1;" + "a" * 9000, "5" + ";a=1" * 3000])
    def test_long_values_are_read_in_no_time(self, value):
        began = datetime.now(UTC)
        Fields([("upload-offset", value)]).integer("upload-offset")
        assert datetime.now(UTC) - began < timedelta(seconds=2)

    def test_a_method_is_named_by_tus_only(self):
        named = [("x-http-method-override", "DELETE")]
        assert said.method_of("POST", Fields(named)) == "POST"
        assert said.method_of("GET", Fields([*named, ("tus-resumable", "1.0.0")])) == "GET"
        assert said.method_of("POST", Fields([*named, ("tus-resumable", "1.0.0")])) == "DELETE"


class TestInterimResponses:
    """What a server that can send them is given; granian cannot (decision 0060)."""

    DATA = secrets.token_bytes(1000)

    def ask(self, folder, headers, extensions, path="/files", method="POST", data=DATA):
        sent = []

        async def run():
            coming = [data[:500], data[500:]]

            async def receive():
                await asyncio.sleep(0)
                return {"type": "http.request", "body": coming.pop(0) if coming else b"", "more_body": bool(coming)}

            async def send(message):
                sent.append(message)

            scope = {
                "type": "http", "method": method, "path": path, "raw_path": path.encode(), "scheme": "http",
                "headers": [(b"host", b"example.com"), *headers], "extensions": extensions,
            }  # fmt: skip
            await Resumable(Folder(folder, LIMITS, Pace()))(scope, receive, send)

        asyncio.run(run())
        return sent

    def test_tell_the_address_and_the_limits_before_the_content(self, tmp_path):
        headers = [(b"upload-complete", b"?1"), (b"upload-draft-interop-version", b"8")]
        sent = self.ask(tmp_path, headers, {INFORMATIONAL: {}})
        assert [message["type"] for message in sent] == [INFORMATIONAL, "http.response.start", "http.response.body"]
        interim, final = dict(sent[0]["headers"]), dict(sent[1]["headers"])
        assert sent[0]["status"] == 104
        assert interim[b"location"] == final[b"location"]
        assert interim[b"upload-draft-interop-version"] == b"8"
        assert interim[b"upload-limit"].startswith(b"max-size=")

    @pytest.mark.parametrize("version", [None, b"7", b"9", b"eight"])
    def test_are_not_for_another_interop_version(self, tmp_path, version):
        headers = [(b"upload-complete", b"?1")] + ([(b"upload-draft-interop-version", version)] if version else [])
        assert len(self.ask(tmp_path, headers, {INFORMATIONAL: {}})) == 2

    def test_are_not_sent_where_the_server_has_none(self, tmp_path):
        headers = [(b"upload-complete", b"?1"), (b"upload-draft-interop-version", b"8")]
        assert len(self.ask(tmp_path, headers, {})) == 2

    def test_tell_the_progress_without_an_address(self, tmp_path, monkeypatch):
        monkeypatch.setattr("swaddle.gateway.upload_content.TELL_BYTES", 100)
        monkeypatch.setattr("swaddle.gateway.upload_content.PIECE_BYTES", 100)
        headers = [(b"upload-complete", b"?0")]
        where = dict(self.ask(tmp_path, headers, {}, data=b"")[0]["headers"])[b"location"].decode()
        headers = [
            (b"upload-complete", b"?1"), (b"upload-offset", b"0"), (b"upload-draft-interop-version", b"8"),
            (b"content-type", said.PARTIAL_UPLOAD.encode()),
        ]  # fmt: skip
        path = where.removeprefix("http://example.com")
        sent = self.ask(tmp_path, headers, {INFORMATIONAL: {}}, path, "PATCH")
        told = [dict(message["headers"]) for message in sent if message["type"] == INFORMATIONAL]
        assert [one[b"upload-offset"] for one in told] == [b"500", b"1000"]
        assert b"location" not in told[0]
        assert (
            sha256((tmp_path / f"{path.rsplit('/', 1)[1]}.bytes").read_bytes()).digest() == sha256(self.DATA).digest()
        )
