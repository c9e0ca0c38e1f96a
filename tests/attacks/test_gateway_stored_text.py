"""SQL, paths, line breaks and foreign letters in every field that is stored, and read back later by other queries.

The chain of 2023 wrote into one column what a later query of another user obeyed. Here whatever may be free text goes in
whole, comes out the same, and nothing else changes: not at once, not after a sweep, not after a restart.
"""

import asyncio
import base64
import secrets

import pytest

from gateway_world import SEALED, SealingPair, SigningKey, b64, direct_world
from swaddle.envelope.signature import sign

TEXTS = [
    "'; DROP TABLE transfers; --", "' OR '1'='1", '"; DELETE FROM journal; --', "x') ; ATTACH 'a' AS b; --", "%_%",
    "../../../etc/passwd", "..\\..\\x", "/proc/self/environ", "a\x00b", "a\r\nSet-Cookie: x=1\r\n\r\n<html>", "\u202etxt.exe",
    "ﾟ．．／etc", "\ud7ff\ue000\uffff", "é́", "{{7*7}}${7*7}<%=7*7%>", "=cmd|' /C calc'!A0", "\\u0000", "null", "-1",
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with direct_world(tmp_path_factory.mktemp("stored") / "gateway") as made:
        made.party, made.other = made.enrol(), made.enrol()
        made.kept = made.send(made.other)
        yield made


def ground(world):
    """What must not change: the schema, who is enrolled, and another's transfer."""
    rows = world.line.gateway.thread.index.rows
    return (
        [tuple(row) for row in rows("SELECT type, name, sql FROM sqlite_master ORDER BY name")],
        [tuple(row) for row in rows("SELECT * FROM submitters ORDER BY id")],
        [tuple(row) for row in rows("SELECT * FROM transfers WHERE id = ?", world.kept.id)],
        sorted(path.name for path in world.line.home.rglob("*") if path.parent.name != "bodies"),
    )


@pytest.fixture
def untouched(world):
    before = ground(world)
    yield
    world.line.sweep()
    assert ground(world) == before
    world.line.reopen()
    assert ground(world) == before
    assert world.freezes() == []


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.usefixtures("untouched")
class TestWhatMayBeFreeText:
    def test_a_receipt_comes_back_as_it_was_signed(self, world, text):
        sealed = world.send(world.party)
        world.lease(sealed)
        receipt = sign("swaddle-receipt-v1", {"text": text}, world.statement)
        assert world.acknowledge(sealed, receipt=receipt.to_json()).status == 200
        assert world.view(sealed, world.party.key).json["receipt"] == receipt.to_json()

    def test_header_and_description_come_back_byte_for_byte(self, world, text):
        data = (text.encode("utf-8", "surrogatepass") * 6000)[: 1136 + 4096]
        data += bytes(1136 + 4096 - len(data))
        parts = [secrets.token_bytes(SEALED)]
        announced = world.announce(world.party, SEALED).json
        sealed = seal_with(world, announced, parts, data[:1260], data)
        world.put(world.party, sealed.id, 0, parts[0])
        assert world.finish(world.party, sealed).status == 200
        lease = world.lease(sealed).json
        assert base64.b64decode(lease["header"]) == data[:1260]
        assert base64.b64decode(lease["description"]) == data
        world.acknowledge(sealed)

    def test_a_reference_is_never_stored(self, world, text):
        reference = (text.encode("utf-8", "surrogatepass") * 16)[:16]
        announced = world.announce(world.party, 1000, reference=reference)
        assert announced.status == 201
        assert world.announce(world.party, 1000, reference=reference).json == announced.json
        dump = "\n".join(world.line.gateway.thread.index.connection.iterdump())
        assert b64(reference) not in dump


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.usefixtures("untouched")
class TestWhatMayNot:
    def test_keys_of_an_enrolment(self, world, text):
        secret = world.invite()
        body = world.enrolment_body(secret, SigningKey.generate(), SealingPair.generate())
        for member in ("lookup", "keys", "hmac"):
            assert world.post("/v1/enrolments", {**body, member: text}).status in {400, 404}
        assert world.post("/v1/enrolments", {**body, "extra": text}).status in {202, 400}

    def test_names_of_things_in_instructions(self, world, text):
        for instruction, member in (
            ("revoke", "submitter"), ("release-freeze", "freeze"), ("invite", "lookup_sha256"),
            ("reject", "lookup_sha256"), ("pull-key", "pull_key"), ("activate", "submitter"), (text, "submitter"),
        ):  # fmt: skip
            answer = world.instruct(instruction, **{member: text})
            assert answer.problem in {"malformed", "refused"}, instruction

    def test_statements_of_a_reader(self, world, text):
        sealed = world.send(world.party)
        world.lease(sealed)
        for changes in (
            {"outcome": text},
            {"transfer": text},
            {"manifest_sha256": text},
            {"at": text},
            {"receipt": text},
        ):
            assert world.acknowledge(sealed, **changes).status in {200 if "at" in changes else 422, 400, 422}
        world.acknowledge(sealed)

    def test_members_of_a_manifest(self, world, text):
        for change in ({"recipient": text}, {"submitter": text}, {"transfer": text}):
            announced = world.announce(world.party, 1000).json
            part = secrets.token_bytes(1000)
            sealed = world.seal(world.party, announced, [part], **change)
            sealed.id = announced["id"]
            world.put(world.party, sealed.id, 0, part)
            assert world.finish(world.party, sealed).problem == "refused"


def seal_with(world, announced, parts, header, description):
    """A transfer whose header and description are these bytes, under a true manifest."""
    from hashlib import sha256

    from swaddle.envelope.manifest import Manifest, parse_manifest

    made = world.seal(world.party, announced, parts)
    core = parse_manifest(made.manifest.message).core
    manifest = Manifest(core, sha256(header).hexdigest(), sha256(description).hexdigest())
    made.manifest = sign("swaddle-manifest-v1", manifest.to_json(), world.party.key)
    made.header, made.description = header, description
    return made


def test_no_path_of_a_name_leaves_the_folder_of_bodies(world):
    """Whatever was sent above: the files that there are were named here."""
    bodies = {row["body"] for row in world.line.gateway.thread.index.rows("SELECT body FROM parts")}
    there = {path.name for path in (world.line.home / "bodies").iterdir() if path.is_file()}
    assert bodies <= there
    assert asyncio.run(world.line.gateway.thread.run(lambda index: index.row("PRAGMA integrity_check")))[0] == "ok"
