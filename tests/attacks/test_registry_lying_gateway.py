"""What a lying gateway tells the registry's puller: an id that is a path, a body that nobody signed (threats 15, 16)."""

import json
from base64 import b64encode

import pytest

from submitter_world import GatewayProcess
from swaddle.envelope.signature import MANIFEST, SigningKey, sign
from swaddle.registry import pull, work
from swaddle.wire.messages import Garbled
from whole_world import make_world

NOW = "2026-11-22T09:00:00Z"


class Lying:
    """Answers as it likes and remembers what it was asked."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    def get_json(self, path):
        self.asked.append(path)
        return self.answers[path.rpartition("/")[2]]

    post_json = lambda self, path, value: self.get_json(path)  # noqa: E731

    def close(self):
        pass

    def get_part(self, path, *_):
        self.asked.append(path)
        raise AssertionError("a body was asked for")


@pytest.mark.parametrize(
    "name", ["../../keys/root.key", "/etc/passwd", "0" * 31, "0" * 33, "0" * 32 + "/..", "G" * 32, "", "\x00" * 32]
)
def test_an_id_that_is_a_path_never_reaches_the_disk(name):
    entry = {"id": name, "created": NOW, "expires": NOW, "body_bytes": 1, "leased_until": None}
    with pytest.raises(Garbled):
        pull.waiting(Lying(inbox={"transfers": [entry]}))


def test_a_body_that_no_enrolled_submitter_has_signed_is_never_fetched(tmp_path, monkeypatch):
    gateway = GatewayProcess(tmp_path / "gateway")
    try:
        world = make_world(tmp_path, gateway)
        submitter = world.enrol("Northshore General")
        inside = world.inside()
        transfer = "ab" * 16
        core = {
            "suite": "swaddle-1-mlkem768x25519-hkdfsha256-chacha20poly1305", "transfer": transfer,
            "submitter": submitter, "recipient": inside.intake_keys.recipient().key_id, "created": NOW, "expires": NOW,
            "body_bytes": 67_137_536 * 1000, "segments": 1_024_000, "part_bytes": 67_108_864, "parts": ["0" * 64] * 1000,
        }  # fmt: skip
        manifest = {"core": core, "header_sha256": "0" * 64, "description_sha256": "0" * 64, "version": 1}
        lease = {
            "manifest": sign(MANIFEST, manifest, SigningKey.generate()).to_json(),
            "header": b64encode(b"x").decode(), "description": b64encode(b"x").decode(), "expires": NOW,
        }  # fmt: skip
        lying = Lying(lease=lease, acknowledgement={})
        monkeypatch.setattr(inside, "client", lying)
        known, outcome = work.take_one(inside, transfer)
        assert outcome.outcome == "unreadable"
        assert not [path for path in lying.asked if "/parts/" in path]
        assert known.step == "acknowledged"
        assert json.loads(known.receipt.message)["event"] == "submission-unreadable"
        inside.close()
    finally:
        gateway.stop()
