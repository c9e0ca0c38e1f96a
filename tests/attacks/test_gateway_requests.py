"""Threat 8: a request used again, a field left uncovered, another algorithm. On the whole gateway, not on its parts."""

from datetime import timedelta

import pytest

from gateway_world import b64, direct_world, signed_headers
from swaddle.wire.signing import content_digest


@pytest.fixture
def world(tmp_path):
    with direct_world(tmp_path / "gateway") as made:
        made.party = made.enrol()
        yield made


def intake(world, **more):
    return signed_headers(world.party.key, "GET", world.line.authority, "/v1/intake", None, world.line.now(), **more)


class TestReplay:
    def test_a_request_is_taken_once(self, world):
        fields = intake(world)
        assert world.line.raw("GET", "/v1/intake", fields).status == 200
        again = world.line.raw("GET", "/v1/intake", fields)
        assert (again.status, again.problem) == (401, "unsigned")

    def test_also_after_a_restart(self, world):
        fields = intake(world)
        assert world.line.raw("GET", "/v1/intake", fields).status == 200
        world.line.reopen()
        assert world.line.raw("GET", "/v1/intake", fields).status == 401

    def test_also_after_a_sweep_inside_its_minute(self, world):
        fields = intake(world)
        world.line.raw("GET", "/v1/intake", fields)
        world.line.clock.pass_(seconds=60)
        world.line.sweep()
        assert world.line.raw("GET", "/v1/intake", fields).problem == "unsigned"
        world.line.clock.pass_(seconds=1)
        world.line.sweep()
        assert world.line.raw("GET", "/v1/intake", fields).problem == "clock"

    def test_a_nonce_of_another_key_is_not_used_up(self, world):
        other, nonce = world.enrol(), b64(bytes(16))
        assert world.line.raw("GET", "/v1/intake", intake(world, nonce=nonce)).status == 200
        assert world.ask("GET", "/v1/intake", key=other.key, nonce=nonce).status == 200

    def test_a_request_for_one_path_is_none_for_another(self, world):
        assert world.line.raw("GET", "/v1/inbox", intake(world)).problem == "unsigned"
        assert world.line.raw("POST", "/v1/intake", intake(world)).status in {401, 404}

    def test_a_request_for_another_gateway_is_none_for_this(self, world):
        fields = signed_headers(world.party.key, "GET", "other.example", "/v1/intake", None, world.line.now())
        assert world.line.raw("GET", "/v1/intake", fields).status == 400
        fields[0] = ("host", world.line.authority)
        assert world.line.raw("GET", "/v1/intake", fields).problem == "unsigned"


class TestUncovered:
    @pytest.mark.parametrize(
        "field", ["content-type", "content-range", "upload-offset", "upload-complete", "swaddle-lease"]
    )
    def test_a_field_put_in_on_the_way_is_refused(self, world, field):
        answer = world.line.raw("GET", "/v1/intake", [*intake(world), (field, "1")])
        assert (answer.status, answer.problem) == (401, "unsigned")

    def test_a_body_exchanged_on_the_way_is_refused_and_nothing_done(self, world):
        body = b'{"lease_sha256":"' + b"0" * 64 + b'"}'
        fields = signed_headers(world.party.key, "POST", world.line.authority, "/v1/transfers", body, world.line.now())
        other = body.replace(b"0", b"1")
        assert world.line.raw("POST", "/v1/transfers", fields, other).problem == "digest"

    def test_a_body_without_a_digest_is_refused(self, world):
        fields = signed_headers(
            world.party.key,
            "POST",
            world.line.authority,
            "/v1/transfers",
            None,
            world.line.now(),
            [("content-length", "2")],
        )
        assert world.line.raw("POST", "/v1/transfers", fields, b"{}").problem == "unsigned"

    @pytest.mark.parametrize("digest", ["sha-512=:AAAA:", "sha-256=:AAAA:", "md5=:AAAA:", "unixsum=3"])
    def test_a_digest_of_another_kind_is_refused(self, world, digest):
        answer = world.ask(
            "POST", "/v1/transfers", body=b"{}", key=world.party.key, headers=[("content-digest", digest)]
        )
        assert answer.problem == "unsigned"

    def test_a_length_exchanged_on_the_way_is_refused(self, world):
        fields = signed_headers(world.party.key, "POST", world.line.authority, "/v1/transfers", b"{}", world.line.now())
        fields = [(name, "3" if name == "content-length" else value) for name, value in fields]
        assert world.line.raw("POST", "/v1/transfers", fields, b"{} ").problem == "unsigned"


class TestOneText:
    def test_every_reason_reads_the_same(self, world):
        fields = intake(world)
        revoked = world.enrol()
        world.instruct("revoke", submitter=revoked.id)
        answers = [
            world.get("/v1/intake"),
            world.get("/v1/intake", revoked.key),
            world.get("/v1/intake", world.root),
            world.get("/v1/intake", world.statement),
            world.line.raw("GET", "/v1/intake", [pair for pair in fields if pair[0] != "signature"]),
            world.line.raw(
                "GET", "/v1/intake", [(n, v.replace("ed25519", "rsa")) for n, v in fields if n != "signature"]
            ),
            world.line.raw("GET", "/v1/inbox", fields),
        ]
        assert {answer.status for answer in answers} == {401}
        assert len({answer.body for answer in answers}) == 1

    def test_a_wrong_clock_is_told_the_time_and_changes_nothing(self, world):
        before = len(world.journal()["entries"])
        for hours in (-1, 1):
            fields = signed_headers(
                world.party.key,
                "GET",
                world.line.authority,
                "/v1/intake",
                None,
                world.line.now() + timedelta(hours=hours),
            )
            answer = world.line.raw("GET", "/v1/intake", fields)
            assert (answer.status, answer.problem) == (401, "clock")
            assert answer.json["server_time"] == "2026-11-22T09:24:37Z"
        assert len(world.journal()["entries"]) == before


class TestPowers:
    """What each key cannot do."""

    REGISTRY_ONLY = ("/v1/status", "/v1/enrolments", "/v1/journal?after=0")

    @pytest.mark.parametrize("path", REGISTRY_ONLY)
    def test_a_submitter_finds_nothing_of_the_registrys(self, world, path):
        stranger = world.get(path, world.party.key)
        assert (stranger.status, stranger.problem) == (404, "not-found")
        assert world.get(path, world.pull).status == 200

    def test_the_pull_key_alone_ends_nothing_and_changes_nobody(self, world):
        sealed = world.send(world.party)
        world.lease(sealed)
        assert world.acknowledge(sealed, signer=world.pull).status == 401
        assert world.give_back(sealed, signer=world.pull).status == 401
        assert world.instruct("revoke", key=world.pull, submitter=world.party.id).status == 401
        assert world.instruct("release-freeze", key=world.pull, freeze="0" * 32).status == 401

    def test_unsigned_paths_reach_nothing_that_is_enrolled(self, world):
        sealed = world.send(world.party)
        for method, path in (
            ("GET", "/v1/intake"), ("GET", "/v1/inbox"), ("GET", "/v1/status"), ("GET", "/v1/journal?after=0"),
            ("GET", f"/v1/transfers/{sealed.id}"), ("GET", f"/v1/transfers/{sealed.id}/parts/0"),
        ):  # fmt: skip
            assert world.ask(method, path).problem == "unsigned"
        for path in ("finish", "lease", "acknowledgement", "give-back"):
            assert world.post(f"/v1/transfers/{sealed.id}/{path}", {}).problem == "unsigned"
        assert world.ask("PUT", f"/v1/transfers/{sealed.id}/parts/0", body=b"x").problem == "unsigned"
        assert world.freezes() == []


def test_digest_helper_is_the_one_that_is_checked():
    assert content_digest(bytes(32)).startswith("sha-256=:")
