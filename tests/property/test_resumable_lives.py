"""Any sequence of requests, cuts and restarts against the uploads: the offset is always the truth, byte for byte."""

import asyncio
import tempfile
from hashlib import sha256
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from resumable_world import DRAFT_APPEND, TUS, TUS_APPEND, digest, sha1_checksum

from swaddle.gateway.resumable import Resumable
from swaddle.gateway.upload_content import Pace
from swaddle.gateway.upload_folder import Folder
from swaddle.wire.resumable import Limits

LENGTH = 5000
DATA = bytes(index % 251 for index in range(LENGTH))


class Uploads(RuleBasedStateMachine):
    """A model: what was acknowledged, and whether it is open, whole or over."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.restart()
        self.where, self.offset, self.state = "", 0, "none"

    def teardown(self):
        self.folder.cleanup()

    def ask(self, method, path, headers, pieces=(b"",), is_cut=False):
        coming, came = list(pieces), {}

        async def receive():
            await asyncio.sleep(0)
            if coming:
                piece = coming.pop(0)
                return {"type": "http.request", "body": piece, "more_body": bool(coming) or is_cut}
            return {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.start":
                came["status"] = message["status"]
                came["headers"] = {name.decode(): value.decode() for name, value in message["headers"]}

        fields = {"host": "x", **headers}
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "scheme": "http",
            "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()],
        }  # fmt: skip
        asyncio.run(self.app(scope, receive, send))
        return came.get("status"), came.get("headers", {})

    def fields(self, offset, complete):
        if self.is_tus:
            return TUS | {"upload-offset": str(offset), "content-type": TUS_APPEND}
        return {"upload-offset": str(offset), "upload-complete": complete, "content-type": DRAFT_APPEND}

    @rule()
    def restart(self):
        self.app = Resumable(Folder(Path(self.folder.name), Limits(10**6, 3600), Pace()))

    @initialize(is_tus=st.booleans(), knows=st.booleans())
    def create(self, is_tus, knows):
        self.is_tus, self.knows = is_tus, knows and not is_tus
        headers = TUS if is_tus else {"upload-complete": "?0"}
        headers = headers | {"upload-length": str(LENGTH)}
        if self.knows:
            headers |= {"repr-digest": digest(DATA)}
        status, told = self.ask("POST", "/files", headers)
        assert status == 201
        self.where, self.state = told["location"].removeprefix("http://x"), "open"

    @precondition(lambda self: self.state == "open")
    @rule(count=st.integers(0, 3000), stated=st.booleans(), data=st.data())
    def append(self, count, stated, data):
        end = min(self.offset + count, LENGTH)
        part = DATA[self.offset : end]
        size = {"content-length": str(len(part))} if data.draw(st.booleans()) else {"transfer-encoding": "chunked"}
        completes = "?1" if end == LENGTH else "?0"
        fields = self.fields(self.offset, completes) | size
        if stated:
            fields |= {"upload-checksum": sha1_checksum(part)} if self.is_tus else {"content-digest": digest(part)}
        middle = data.draw(st.integers(0, len(part)))
        status, told = self.ask("PATCH", self.where, fields, [part[:middle], part[middle:]])
        self.offset = end
        if end == LENGTH:
            self.state = "whole"
        assert status == (200 if self.state == "whole" and not self.is_tus else 204)
        assert told["upload-offset"] == str(end)

    @precondition(lambda self: self.state == "open")
    @rule(count=st.integers(0, 3000), stated=st.booleans())
    def be_cut(self, count, stated):
        end = min(self.offset + count, LENGTH)
        part = DATA[self.offset : end]
        fields = self.fields(self.offset, "?1") | {"content-length": str(LENGTH - self.offset)}
        if stated:
            whole = DATA[self.offset :]
            fields |= {"upload-checksum": sha1_checksum(whole)} if self.is_tus else {"content-digest": digest(whole)}
        status, _ = self.ask("PATCH", self.where, fields, [part], is_cut=True)
        assert status is None
        if not stated or self.knows:
            self.offset = end

    @precondition(lambda self: self.state == "open")
    @rule(wrong=st.integers(1, 3000), sign=st.sampled_from([-1, 1]))
    def append_elsewhere(self, wrong, sign):
        offset = self.offset + sign * wrong
        if offset >= 0:
            status, told = self.ask("PATCH", self.where, self.fields(offset, "?0"), [b"x"])
            assert (status, told["upload-offset"]) == (409, str(self.offset))

    @precondition(lambda self: self.state == "open")
    @rule()
    def append_what_differs(self):
        field = {"upload-checksum": sha1_checksum(b"z")} if self.is_tus else {"content-digest": digest(b"z")}
        status, _ = self.ask("PATCH", self.where, self.fields(self.offset, "?0") | field, [b"y"])
        room = LENGTH - self.offset
        assert status == ((460 if self.is_tus else 400) if room else (413 if self.is_tus else 400))
        if not room and not self.is_tus:
            self.state = "over"

    @precondition(lambda self: self.state == "open")
    @rule()
    def append_too_much(self):
        status, _ = self.ask("PATCH", self.where, self.fields(self.offset, "?0"), [DATA, b"more"])
        assert status == (413 if self.is_tus else 400)
        if not self.is_tus:
            self.state = "over"

    @precondition(lambda self: self.state in {"open", "whole"})
    @rule()
    def cancel(self):
        assert self.ask("DELETE", self.where, TUS if self.is_tus else {})[0] == 204
        self.state = "gone"

    @invariant()
    def the_offset_is_the_truth(self):
        if self.state == "none":
            return
        status, told = self.ask("HEAD", self.where, TUS if self.is_tus else {})
        if self.state in {"gone", "over"}:
            assert status == (404 if self.state == "gone" else 410)
            return
        assert int(told["upload-offset"]) == self.offset
        path = Path(self.folder.name) / f"{self.where.rsplit('/', 1)[1]}.bytes"
        there = path.read_bytes() if path.exists() else b""
        assert sha256(there[: self.offset]).digest() == sha256(DATA[: self.offset]).digest()
        if not self.is_tus:
            assert told["upload-complete"] == ("?1" if self.state == "whole" else "?0")


TestUploads = Uploads.TestCase
TestUploads.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
