"""Threat 15: a name from outside is never a path, never SQL, never a log line. Ids are made here or are of one form."""

import logging
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_world import b64, direct_world

NAMES = [
    "' OR 1=1 --", "'; DROP TABLE transfers; --", '" OR ""="', "%27%20OR%201=1", "0" * 31 + "'", "0" * 32 + "%00",
    "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "....//....//", "/etc/passwd", "\\\\server\\share", "C:\\x", "CON",
    "%2e%2e", ".", "..", "~", "$HOME", "`id`", "$(id)", "|id", ";id", "{{7*7}}", "${7*7}", "<script>", "%s%n", "\u202e",
    "A" * 32, "0" * 33, "0" * 31, "-1", "null", "transfers", "parts",
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with direct_world(tmp_path_factory.mktemp("names") / "gateway") as made:
        made.party = made.enrol()
        made.sealed = made.send(made.party)
        yield made


def ask(world, method, path, key, body=None):
    """Signed as well as the client could, sent as it is."""
    try:
        return world.ask(method, path, key=key, body=body)
    except ValueError:  # cannot even be signed
        head = [("host", world.line.authority)]
        return world.line.raw(method, path.encode("utf-8", "replace").decode("latin-1"), head, body or b"")


@pytest.mark.parametrize("name", NAMES)
def test_an_id_of_another_form_is_nowhere(world, name):
    before = world.line.gateway.thread.index.row("SELECT count(*) FROM transfers")[0]
    for method, path in (
        ("GET", f"/v1/transfers/{name}"),
        ("GET", f"/v1/transfers/{name}/parts/0"),
        ("GET", f"/v1/transfers/{world.sealed.id}/parts/{name}"),
        ("PUT", f"/v1/transfers/{name}/parts/0"),
        ("POST", f"/v1/transfers/{name}/lease"),
        ("GET", f"/{name}"),
    ):
        answer = ask(world, method, path, world.party.key, b"{}" if method != "GET" else None)
        assert answer.status in {400, 401, 404}
        assert answer.problem in {"malformed", "unsigned", "not-found"}
    assert world.line.gateway.thread.index.row("SELECT count(*) FROM transfers")[0] == before
    assert world.freezes() == []


@pytest.mark.parametrize("name", NAMES)
def test_values_of_another_form_are_malformed(world, name):
    base = {"reference": b64(bytes(16)), "recipient": world.pair.public.key_id, "body_bytes": 0, "part_bytes": 65_536,
            "expires": "2026-11-23T00:00:00Z"}  # fmt: skip
    for member in ("reference", "recipient", "expires", "body_bytes"):
        answer = world.post("/v1/transfers", {**base, member: name}, world.party.key)
        assert answer.problem == "malformed" or (member == "recipient" and answer.problem == "refused")
    answer = world.post(f"/v1/transfers/{world.sealed.id}/lease", {"lease_sha256": name}, world.pull)
    assert answer.problem == "malformed"
    assert world.post("/v1/enrolments/state", {"lookup": name}).problem == "malformed"
    assert name not in "".join(world.line.gateway.thread.index.connection.iterdump()) or len(name) < 12


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.text(string.printable, max_size=60), body=st.binary(max_size=200))
def test_no_path_and_no_body_is_a_fault(world, path, body):
    for method in ("GET", "POST", "PUT"):
        answer = ask(world, method, "/v1/" + path.replace("\n", ""), world.party.key, body)
        assert answer.status in {400, 401, 404, 411, 413, 415, 422}


@settings(max_examples=100, deadline=None)
@given(fields=st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.binary(max_size=40)), max_size=8))
def test_no_head_is_a_fault(world, fields):
    head = [("host", world.line.authority), *fields]
    answer = world.line.raw("GET", "/v1/intake", head)
    assert answer.status in {400, 401, 411, 415}


def test_nothing_that_was_sent_is_logged(world, caplog):
    with caplog.at_level(logging.DEBUG):
        world.post("/v1/transfers", {"marker-in-a-name": "marker-in-a-value"}, world.party.key)
        world.get("/v1/transfers/marker-in-a-path?marker-in-a-query=1", world.party.key)
        world.line.gateway.store.free_bytes, kept = lambda: 1 / 0, world.line.gateway.store.free_bytes
        answer = world.get("/v1/status", world.pull)
        world.line.gateway.store.free_bytes = kept
    assert (answer.status, answer.problem) == (500, "fault")
    assert "ZeroDivisionError" in caplog.text
    assert "marker" not in caplog.text
    assert world.party.id not in caplog.text


def test_stored_bodies_have_names_made_here(world):
    names = [path.name for path in (world.line.home / "bodies").iterdir()]
    assert names
    assert all(len(name) == 32 and set(name) <= set("0123456789abcdef") for name in names)
    assert world.sealed.id not in names
