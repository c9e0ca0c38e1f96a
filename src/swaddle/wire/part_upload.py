"""Sending one part: whole, and after a cut only what the gateway does not have (docs/spec/transfer.md section 3).

The same bytes must be at hand, so it lasts as long as the process: a restarted sender seals anew. A gateway is not
trusted: where it says the upload is, and how far, is checked for form, and what it claims to have and has not it cannot
finish. Whatever is odd about resuming is answered by sending the part whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256

from swaddle.errors import SwaddleError
from swaddle.wire.problems import GatewayBusy, LineTooSlow, TooSlow, Unreachable
from swaddle.wire.resumable_requests import INTEROP_VERSION, PARTIAL_UPLOAD
from swaddle.wire.signing import content_digest

WORTH_ASKING_BYTES = 256 * 1024
_LOCATION = re.compile(r"/v1/uploads/[0-9a-f]{32}")
_OFFSET = re.compile(r"0|[1-9][0-9]{0,14}")
_LINE = (Unreachable, TooSlow, LineTooSlow, GatewayBusy)
_VERSION = ("upload-draft-interop-version", str(INTEROP_VERSION))
_NOTHING = memoryview(b"")

Pairs = tuple[tuple[str, str], ...]
Exchange = Callable[[str, str, Pairs, memoryview], Mapping[str, str]]
"""Method, path, fields, body; the fields of an answer that is a success, or what wire/problems.py raises."""


class PartUploads:
    """The parts of one connection; remembers the one that the line broke off."""

    def __init__(self, exchange: Exchange) -> None:
        """Nothing has been sent."""
        self._exchange = exchange
        self._broken: tuple[str, bytes] | None = None

    def put(self, path: str, data: memoryview, digest: bytes) -> None:
        """Send a part whose SHA-256 is `digest`; called again after a cut, it goes on where the gateway stands.

        Raises:
            NetworkFault, NotPermitted, NotThere, NotCollecting, SettingsFault: as wire/problems.py says.
        """
        is_broken, self._broken = self._broken == (path, digest), None
        try:
            if is_broken and data.nbytes > WORTH_ASKING_BYTES and self._go_on(path, data, digest):
                return
            stated = (("content-type", "application/octet-stream"), ("content-digest", content_digest(digest)))
            self._exchange("PUT", path, (*stated, *_upload_fields(data, is_whole=True)), data)
        except _LINE:
            self._broken = (path, digest)
            raise

    def _go_on(self, path: str, data: memoryview, digest: bytes) -> bool:
        """Send what is missing; False where that cannot be done and the part must be sent whole.

        Raises:
            Unreachable, TooSlow, LineTooSlow, GatewayBusy: the line broke again.
        """
        try:
            told = self._ask(path, data, digest)
            if told.get("upload-complete") == "?1":
                return True
            where, offset = told.get("location", ""), told.get("upload-offset", "")
            if not _LOCATION.fullmatch(where) or not _OFFSET.fullmatch(offset) or int(offset) > data.nbytes:
                return False
            rest = data[int(offset) :]
            stated = (("content-type", PARTIAL_UPLOAD), ("content-digest", content_digest(sha256(rest).digest())))
            fields = (*stated, ("upload-complete", "?1"), ("upload-offset", offset), _VERSION)
            return self._exchange("PATCH", where, fields, rest).get("upload-complete") == "?1"
        except _LINE:
            raise
        except SwaddleError:
            return False

    def _ask(self, path: str, data: memoryview, digest: bytes) -> Mapping[str, str]:
        """How far the part came: an empty creation that names the whole by its digest."""
        nothing = ("content-digest", content_digest(sha256(b"").digest()))
        fields = (nothing, ("repr-digest", content_digest(digest)), *_upload_fields(data, is_whole=False))
        return self._exchange("PUT", path, fields, _NOTHING)


def _upload_fields(data: memoryview, *, is_whole: bool) -> Pairs:
    return ("upload-complete", "?1" if is_whole else "?0"), _VERSION, ("upload-length", str(data.nbytes))
