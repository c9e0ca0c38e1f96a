"""A submitter whose key was stolen is revoked: in force within five seconds, for connections under way too."""

import secrets
import socket
import threading
import time

import pytest

from gateway_world import SEALED, RealLine, World, make_home, running, signed_headers

LIMIT_SECONDS = 20  # five where nothing else runs, and not the sixty after which a silent line is cut


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    home = make_home(tmp_path_factory.mktemp("gateway") / "home", idle_seconds=60)
    with running(home):
        line = RealLine(home)
        world = World(line).claim()
        assert world.intake().status == 200
        yield world
        line.close()


def open_request(world, party, method, target, body=None, length=None, headers=()):
    """The head of a signed request on a connection of its own, and what is given of its body."""
    host, _, port = world.line.authority.partition(":")
    plain = socket.create_connection((host, int(port)), timeout=20)
    connection = world.line.context.wrap_socket(plain, server_hostname=host)
    head = signed_headers(party.key, method, world.line.authority, target, body, world.line.now(), headers)
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in head), "", ""]
    connection.sendall("\r\n".join(lines).encode())
    if body:
        connection.sendall(body[:length])
    return connection


def ends_within(connection, seconds):
    """Everything that still comes, and how long it took until the other side was done with us."""
    begun, came = time.monotonic(), bytearray()
    connection.settimeout(seconds + 10)
    try:
        while piece := connection.recv(65_536):
            came += piece
            if b"about:swaddle:unsigned" in came[-1000:]:
                break
    except (ConnectionResetError, OSError):
        pass
    return came, time.monotonic() - begun


def test_a_part_on_its_way_in_is_cut_though_its_sender_is_silent(world):
    party = world.enrol()
    announced = world.announce(party, SEALED).json
    target = f"/v1/transfers/{announced['id']}/parts/0"
    connection = open_request(world, party, "PUT", target, secrets.token_bytes(SEALED), length=1000)
    time.sleep(0.3)
    assert world.instruct("revoke", submitter=party.id).status == 200
    came, seconds = ends_within(connection, LIMIT_SECONDS)
    assert seconds < LIMIT_SECONDS
    assert b" 204" not in came
    assert not list((world.line.home / "bodies").glob("**/*.part"))
    connection.close()


def test_a_part_on_its_way_in_is_cut_while_it_streams(world):
    party = world.enrol()
    announced = world.announce(party, SEALED).json
    body = secrets.token_bytes(SEALED)
    connection = open_request(world, party, "PUT", f"/v1/transfers/{announced['id']}/parts/0", body, length=100)
    stopped = threading.Event()

    def drip():
        try:
            for at in range(100, SEALED, 16):
                if stopped.wait(0.01):
                    return
                connection.sendall(body[at : at + 16])
        except OSError:
            pass

    thread = threading.Thread(target=drip)
    thread.start()
    time.sleep(0.2)
    assert world.instruct("revoke", submitter=party.id).status == 200
    came, seconds = ends_within(connection, LIMIT_SECONDS)
    stopped.set()
    thread.join()
    assert seconds < LIMIT_SECONDS
    assert b" 204" not in came
    connection.close()


def test_a_report_on_its_way_out_is_cut_though_its_reader_takes_nothing(world):
    party = world.enrol()
    parts = [secrets.token_bytes(SEALED) for _ in range(3)]
    big = secrets.token_bytes(400 * SEALED)
    announced = world.announce(None, len(big), to=party, part_bytes=400 * 65_536).json
    sealed = world.seal(None, announced, [big], to=party, part_bytes=400 * 65_536)
    assert len(parts) == 3
    assert world.put(None, sealed.id, 0, big).status == 204
    assert world.finish(None, sealed).status == 200
    assert world.lease(sealed, key=party.key).status == 200
    lease = (("swaddle-lease", sealed.token),)
    connection = open_request(world, party, "GET", f"/v1/transfers/{sealed.id}/parts/0", headers=lease)
    assert connection.recv(1024)
    time.sleep(0.3)
    assert world.instruct("revoke", submitter=party.id).status == 200
    time.sleep(1)
    came, seconds = ends_within(connection, LIMIT_SECONDS)
    assert (len(came) < len(big), seconds < LIMIT_SECONDS) == (True, True), (len(came), seconds)
    connection.close()


def test_an_open_connection_is_no_way_in_any_more(world):
    party = world.enrol()
    assert world.get("/v1/intake", party.key).status == 200  # on the connection that stays open
    assert world.instruct("revoke", submitter=party.id).status == 200
    for target in ("/v1/intake", "/v1/inbox"):
        assert world.get(target, party.key).problem == "unsigned"
    assert world.announce(party, 1000).problem == "unsigned"


def test_what_it_was_sending_is_refused_and_what_it_sent_stays_until_read(world):
    party = world.enrol()
    sent = world.send(party)
    sending = world.announce(party, SEALED).json
    assert world.instruct("revoke", submitter=party.id).status == 200
    assert world.lease(sent).status == 200
    assert world.acknowledge(sent).status == 200
    assert sending["id"] not in [entry["id"] for entry in world.get("/v1/inbox", world.pull).json["transfers"]]


def test_nobody_else_is_cut(world):
    party, other = world.enrol(), world.enrol()
    announced = world.announce(other, SEALED).json
    body = secrets.token_bytes(SEALED)
    connection = open_request(world, other, "PUT", f"/v1/transfers/{announced['id']}/parts/0", body, length=1000)
    assert world.instruct("revoke", submitter=party.id).status == 200
    time.sleep(0.3)
    connection.sendall(body[1000:])
    assert connection.recv(100).startswith(b"HTTP/1.1 204")
    connection.close()
