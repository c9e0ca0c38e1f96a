"""A part that breaks off: kept as it came, found by its digest, gone on with, recorded once; nothing half is visible."""

import asyncio
import secrets
from hashlib import sha256

import pytest

from gateway_world import SEALED, Answer, b64, signed_headers
from swaddle.wire.resumable_requests import PARTIAL_UPLOAD

PART = secrets.token_bytes(SEALED)
CUT = {"type": "http.disconnect"}
WHOLE = (("upload-complete", "?1"), ("upload-length", str(len(PART))))


def digest(data):
    return f"sha-256=:{b64(sha256(data).digest())}:"


def head(answer, name):
    found = [v for n, v in answer.headers if (n.decode() if isinstance(n, bytes) else n).lower() == name]
    return (found[0].decode() if isinstance(found[0], bytes) else found[0]) if found else None


@pytest.fixture
def transfer(world, party):
    return world.announce(party, len(PART)).json["id"]


class Parts:
    """Requests about part 0 of a transfer."""

    def __init__(self, world, party, transfer):
        self.world, self.party, self.path = world, party, f"/v1/transfers/{transfer}/parts/0"

    def whole(self, pieces=None, headers=WHOLE, part=PART, key=None):
        fields = [*headers, ("content-digest", digest(part)), ("content-length", str(len(part)))]
        fields = self._signed("PUT", self.path, fields, key)
        return self.world.line.raw("PUT", self.path, fields, part, pieces)

    def cut(self, at, part=PART):
        """A whole part that broke off: nobody hears an answer."""
        pieces = [{"type": "http.request", "body": part[:at], "more_body": True}, CUT] if at else [CUT]
        assert self.whole(pieces, part=part).status == 0

    def ask(self, part=PART, key=None, content=b""):
        headers = [("upload-complete", "?0"), ("upload-length", str(len(part))), ("repr-digest", digest(part))]
        return self.world.ask("PUT", self.path, key=key or self.party.key, body=content, headers=headers)

    def go_on(self, where, offset, data, complete="?1", key=None, **more):
        headers = [("content-type", PARTIAL_UPLOAD), ("upload-complete", complete), ("upload-offset", str(offset))]
        headers += [(name.replace("_", "-"), value) for name, value in more.items()]
        return self.world.ask("PATCH", where, key=key or self.party.key, body=data, headers=headers)

    def look(self, where, key=None):
        return self.world.ask("HEAD", where, key=key or self.party.key)

    def view(self):
        return self.world.get(self.path.rsplit("/", 2)[0], self.party.key).json

    def _signed(self, method, path, fields, key=None):
        line = self.world.line
        return signed_headers(key or self.party.key, method, line.authority, path, None, line.now(), fields)


@pytest.fixture
def parts(world, party, transfer):
    return Parts(world, party, transfer)


def files(world):
    return sorted(path.name for path in (world.line.home / "bodies").iterdir())


class TestABrokenPart:
    @pytest.mark.parametrize("at", [1, 1000, len(PART) - 1])
    def test_goes_on_where_it_stopped(self, parts, at):
        parts.cut(at)
        asked = parts.ask()
        assert (asked.status, head(asked, "upload-offset")) == (201, str(at))
        answer = parts.go_on(head(asked, "location"), at, PART[at:])
        assert (answer.status, head(answer, "upload-complete")) == (204, "?1")
        assert parts.view()["parts"] == [0]

    def test_is_no_part_before_it_is_whole(self, parts, world):
        parts.cut(1000)
        assert parts.view()["parts"] == []

    def test_counts_as_present_from_its_first_byte(self, parts, world):
        parts.cut(1)
        assert parts.view()["state"] == "receiving"
        entries = world.journal()["entries"]
        assert [entry["event"] for entry in entries][-2:] == ["announced", "receiving"]

    def test_survives_the_gateways_restart(self, parts, world):
        parts.cut(1000)
        world.line.reopen()
        asked = parts.ask()
        assert head(asked, "upload-offset") == "1000"
        assert parts.go_on(head(asked, "location"), 1000, PART[1000:]).status == 204
        assert parts.view()["parts"] == [0]

    def test_after_a_power_cut_what_was_synced_counts(self, parts, world, monkeypatch):
        parts.cut(1000)
        upload = head(parts.ask(), "location").rsplit("/", 1)[1]
        path = world.line.home / "bodies" / f".{upload}.part"
        path.write_bytes(path.read_bytes() + bytes(500))  # came later, and is not what was sent
        monkeypatch.setattr("swaddle.gateway.upload_shelf.BOOT", "another start of the machine")
        assert head(parts.ask(), "upload-offset") == "1000"

    def test_can_break_off_again_and_again(self, parts, world):
        parts.cut(100)
        where = head(parts.ask(), "location")
        for at in (100, 200, 300):
            fields = [
                ("content-type", PARTIAL_UPLOAD), ("upload-complete", "?1"), ("upload-offset", str(at)),
                ("content-digest", digest(PART[at:])), ("content-length", str(len(PART) - at)),
            ]  # fmt: skip
            pieces = [{"type": "http.request", "body": PART[at : at + 100], "more_body": True}, CUT]
            answer = world.line.raw("PATCH", where, parts._signed("PATCH", where, fields), pieces=pieces)
            assert answer.status == 0
            assert head(parts.look(where), "upload-offset") == str(at + 100)
        assert parts.go_on(where, 400, PART[400:]).status == 204
        assert parts.view()["parts"] == [0]

    def test_of_a_plain_put_leaves_nothing(self, parts, world):
        answer = parts.whole([{"type": "http.request", "body": PART[:1000], "more_body": True}, CUT], headers=())
        assert answer.status == 0
        assert files(world) == []

    def test_that_comes_whole_again_is_forgotten(self, parts, world):
        parts.cut(1000)
        assert parts.whole().status == 204
        assert len(files(world)) == 1
        assert world.line.gateway.thread.index.rows("SELECT * FROM uploads") == []

    def test_of_other_bytes_takes_its_place(self, parts, world):
        parts.cut(1000)
        other = secrets.token_bytes(len(PART))
        asked = parts.ask(other)
        assert head(asked, "upload-offset") == "0"
        assert len(world.line.gateway.thread.index.rows("SELECT * FROM uploads")) == 1
        assert parts.go_on(head(asked, "location"), 0, other).status == 204
        assert len(files(world)) == 1

    def test_ends_with_its_transfer(self, parts, world):
        parts.cut(1000)
        where = head(parts.ask(), "location")
        world.line.clock.pass_(hours=49)
        assert parts.look(where).status == 404
        world.line.sweep()
        assert files(world) == []
        assert world.line.gateway.thread.index.rows("SELECT * FROM uploads") == []

    def test_is_gone_when_its_sender_drops_it(self, parts, world):
        parts.cut(1000)
        where = head(parts.ask(), "location")
        assert world.ask("DELETE", where, key=parts.party.key).status == 204
        assert parts.look(where).status == 404
        assert files(world) == []


class TestAQuestion:
    def test_of_a_part_that_is_there_is_answered_so(self, parts):
        assert parts.whole().status == 204
        answer = parts.ask()
        assert (answer.status, head(answer, "upload-complete")) == (204, "?1")

    def test_of_nothing_makes_an_empty_upload(self, parts):
        answer = parts.ask()
        assert (answer.status, head(answer, "upload-offset"), head(answer, "upload-complete")) == (201, "0", "?0")
        assert parts.ask().status == 201
        assert head(parts.ask(), "location") == head(answer, "location")

    def test_needs_the_digest_of_the_whole(self, world, party, parts):
        fields = [("upload-complete", "?0"), ("upload-length", str(len(PART)))]
        assert world.ask("PUT", parts.path, key=party.key, body=b"", headers=fields).problem == "malformed"

    def test_of_no_part_is_refused(self, parts):
        assert parts.ask(PART[:-1]).problem == "refused"

    def test_with_content_begins_a_part(self, parts):
        answer = parts.ask(content=PART[:5000])
        assert (answer.status, head(answer, "upload-offset")) == (201, "5000")
        assert parts.go_on(head(answer, "location"), 5000, PART[5000:]).status == 204
        assert parts.view()["parts"] == [0]


class TestAnAppend:
    @pytest.fixture
    def where(self, parts):
        parts.cut(1000)
        return head(parts.ask(), "location")

    def test_elsewhere_than_at_the_end_is_told_where_it_is(self, parts, where):
        answer = parts.go_on(where, 999, PART[999:])
        assert (answer.status, head(answer, "upload-offset")) == (409, "1000")
        assert answer.json["type"] == "https://iana.org/assignments/http-problem-types#mismatching-upload-offset"
        assert (answer.json["expected-offset"], answer.json["provided-offset"]) == (1000, 999)

    def test_of_other_bytes_ends_the_upload(self, parts, where, world):
        answer = parts.go_on(where, 1000, bytes(len(PART) - 1000))
        assert answer.problem == "digest"
        assert parts.look(where).status == 404
        assert (files(world), parts.view()["parts"]) == ([], [])
        assert parts.whole().status == 204

    def test_that_is_too_long_ends_the_upload(self, parts, where, world):
        answer = parts.go_on(where, 1000, PART[1000:] + b"x")
        assert answer.status == 400
        assert files(world) == []

    def test_whose_own_digest_differs_changes_nothing(self, parts, where):
        answer = parts.go_on(where, 1000, PART[1000:2000], "?0", content_digest=digest(b"something else"))
        assert answer.problem == "digest"
        assert head(parts.look(where), "upload-offset") == "1000"

    def test_in_small_pieces_is_counted_up(self, parts, where):
        for at in range(1000, 5000, 1000):
            answer = parts.go_on(where, at, PART[at : at + 1000], "?0")
            assert (answer.status, head(answer, "upload-complete")) == (204, "?0")
        assert parts.go_on(where, 5000, PART[5000:]).status == 204
        assert parts.view()["parts"] == [0]

    def test_to_a_whole_part_is_refused(self, parts, where):
        assert parts.go_on(where, 1000, PART[1000:]).status == 204
        assert head(parts.look(where), "upload-complete") == "?1"
        assert parts.go_on(where, len(PART), b"").json["type"].endswith("#completed-upload")
        assert parts.go_on(where, len(PART), b"x").json["type"].endswith("#inconsistent-upload-length")

    def test_after_the_finish_finds_nothing(self, parts, where, world, party, transfer):
        assert parts.go_on(where, 1000, PART[1000:]).status == 204
        sealed = world.seal(party, {"id": transfer, "expires": parts.view()["expires"]}, [PART])
        assert world.finish(party, sealed).status == 200
        world.line.sweep()
        assert parts.look(where).status == 404


class TestWhoMay:
    def test_another_sender_finds_nothing(self, parts, world):
        parts.cut(1000)
        where, other = head(parts.ask(), "location"), world.enrol()
        for answer in (
            parts.look(where, other.key),
            parts.go_on(where, 1000, PART[1000:], key=other.key),
            world.ask("DELETE", where, key=other.key),
            parts.ask(key=other.key),
        ):
            assert answer.status == 404
        assert head(parts.look(where), "upload-offset") == "1000"

    def test_nobody_unsigned_finds_anything(self, parts, world):
        parts.cut(1000)
        where = head(parts.ask(), "location")
        for method in ("HEAD", "PATCH", "DELETE"):
            body = None if method != "PATCH" else b"x"
            assert world.ask(method, where, body=body).status == 401

    def test_the_digest_of_the_whole_is_covered(self, parts, world, party):
        fields = [("upload-complete", "?0"), ("upload-length", str(len(PART)))]
        line = world.line
        signed = signed_headers(party.key, "PUT", line.authority, parts.path, b"", line.now(), fields)
        added = [*signed, ("repr-digest", digest(PART))]
        assert line.send("PUT", parts.path, added, b"").problem == "unsigned"

    def test_these_methods_are_for_uploads_only(self, world, party, transfer):
        for method in ("HEAD", "PATCH", "DELETE"):
            path = f"/v1/transfers/{transfer}/parts/0"
            assert world.ask(method, path, key=party.key).status == 404
        assert world.ask("GET", "/v1/uploads/" + "0" * 32, key=party.key).status == 404

    def test_options_say_the_limits(self, world, party, transfer):
        answer = world.ask("OPTIONS", f"/v1/transfers/{transfer}/parts/0", key=party.key)
        assert (answer.status, head(answer, "accept-patch")) == (204, PARTIAL_UPLOAD)
        assert "max-size=" in head(answer, "upload-limit")


def test_rows_do_not_grow_with_what_somebody_asks(world, party, monkeypatch):
    monkeypatch.setattr("swaddle.gateway.upload_rows.MOST_OPEN", 3)
    transfer = world.announce(party, 6 * SEALED).json["id"]
    answers = []
    for number in range(6):
        parts = Parts(world, party, transfer)
        parts.path = f"/v1/transfers/{transfer}/parts/{number}"
        answers.append(parts.ask(secrets.token_bytes(SEALED)))
    assert [answer.status for answer in answers] == [201, 201, 201, 503, 503, 503]
    assert len(world.line.gateway.thread.index.rows("SELECT * FROM uploads")) == 3


def test_the_newest_sender_of_a_part_wins(world, party, transfer):
    parts = Parts(world, party, transfer)

    async def race():
        reached, never = asyncio.Event(), asyncio.Event()
        coming = [PART[:3000]]

        async def receive():
            if coming:
                return {"type": "http.request", "body": coming.pop(), "more_body": True}
            reached.set()
            await never.wait()  # the line is dead, and nobody has noticed
            return CUT

        came = Answer(0, [], b"")

        async def send(message):
            if message["type"] == "http.response.start":
                came.status = message["status"]

        fields = parts._signed(
            "PUT", parts.path, [*WHOLE, ("content-digest", digest(PART)), ("content-length", str(len(PART)))]
        )
        scope = {
            "type": "http", "http_version": "1.1", "method": "PUT", "path": parts.path,
            "raw_path": parts.path.encode(), "query_string": b"", "root_path": "", "scheme": "https",
            "headers": [(n.encode(), v.encode()) for n, v in fields],
        }  # fmt: skip
        older = asyncio.create_task(world.line.app(scope, receive, send))
        await reached.wait()
        fields = [("upload-complete", "?0"), ("upload-length", str(len(PART))), ("repr-digest", digest(PART))]
        line = world.line
        signed = signed_headers(party.key, "PUT", line.authority, parts.path, b"", line.now(), fields)
        newer = await asyncio.wait_for(world.line.ask("PUT", parts.path, signed), 15)
        never.set()
        older.cancel()
        return newer

    newer = asyncio.run(race())
    assert (newer.status, head(newer, "upload-offset")) == (201, "3000")
