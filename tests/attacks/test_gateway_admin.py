"""Administration is not on the internet: every path of the gateway is listed here with who may use it, or this is red.

What changes who is let in, a quota, a setting, a key or a freeze is one path, and it takes nothing but a statement that
the registry's statement key signed, brought by the pull key on the connection that the registry opened.
"""

import json
import re

import pytest

from gateway_world import direct_world
from swaddle.cli.gateway import group
from swaddle.envelope.signature import SigningKey, sign
from swaddle.gateway.routes import ROUTES
from swaddle.wire.statements import InstructionBase

NOBODY, ENROLLED, OWN, PULL = "unsigned", "any enrolled key", "one's own transfers", "the pull key"
WHO = {
    ("GET", "/v1/time"): NOBODY,
    ("POST", "/v1/claim"): NOBODY,  # once, with the secret of `gateway init`
    ("POST", "/v1/enrolments"): NOBODY,  # for a lookup that the registry invited
    ("POST", "/v1/enrolments/state"): NOBODY,
    ("GET", "/v1/enrolments"): PULL,
    ("POST", "/v1/instructions"): PULL,
    ("GET", "/v1/journal"): PULL,
    ("GET", "/v1/status"): PULL,
    ("GET", "/v1/intake"): ENROLLED,
    ("GET", "/v1/inbox"): ENROLLED,
    ("POST", "/v1/transfers"): ENROLLED,
    ("GET", "/v1/transfers/{id}"): OWN,
    ("POST", "/v1/transfers/{id}/finish"): OWN,
    ("POST", "/v1/transfers/{id}/lease"): OWN,
    ("POST", "/v1/transfers/{id}/acknowledgement"): OWN,
    ("POST", "/v1/transfers/{id}/give-back"): OWN,
    ("PUT", "/v1/transfers/{id}/parts/{number}"): OWN,
    ("GET", "/v1/transfers/{id}/parts/{number}"): OWN,
    ("OPTIONS", "/v1/transfers/{id}/parts/{number}"): ENROLLED,  # limits, the same for all
}
# What only an instruction may change; transfers, parts, nonces and the journal are ordinary traffic.
ADMINISTRATIVE = ("submitters", "quotas", "changed_settings", "earlier_intakes", "freezes")
FACTS = ("registry", "root", "certificate", "intake", "pull_key", "allowance", "last_instruction")
HEALTH = {("GET", "/healthz"), ("GET", "/readyz")}  # say ok, and nothing else
UPLOADS = re.compile(r"/v1/uploads(/\{[a-z]+\})?")  # a part's resource: same signature, same owner as the part


@pytest.fixture
def world(tmp_path):
    with direct_world(tmp_path / "gateway") as made:
        yield made


@pytest.fixture
def party(world):
    return world.enrol()


def paths():
    """Every (method, path) of the gateway but HEAD, which says less than GET."""
    found = {(method, route.path) for route in ROUTES for method in route.methods}
    return sorted(each for each in found if each[0] != "HEAD")


def administrative(world):
    """Everything that administration is about, as it stands."""
    index = world.line.gateway.thread.index
    rows = {table: [tuple(row) for row in index.rows(f"SELECT * FROM {table}")] for table in ADMINISTRATIVE}
    return rows | {name: index.fact(name) for name in FACTS} | {"settings": world.line.gateway.settings}


def bodies(world):
    """What a clever stranger or submitter would post: every instruction, signed by whatever key he has."""
    thief = SigningKey.generate()
    yield b"", None
    for kind in InstructionBase.__subclasses__():
        value = {"at": "2026-11-22T09:24:37Z", "instruction": kind.__struct_config__.tag, "sequence": 10**6}
        yield None, sign("swaddle-instruction-v1", value, thief).to_json()
        yield None, value


def test_every_path_is_one_that_this_test_knows():
    unknown = [each for each in paths() if each not in WHO and each not in HEALTH and not UPLOADS.fullmatch(each[1])]
    assert unknown == []
    assert set(WHO) - set(paths()) == set()


def test_instructions_are_the_only_path_of_their_kind():
    """No path names an administrative thing."""
    words = re.compile(r"admin|setting|quota|revoke|invite|freeze|release|key|user|config|backup|restore|debug|metric")
    assert [path for _, path in paths() if words.search(path)] == []


@pytest.mark.parametrize(("method", "path"), paths(), ids=lambda value: value.strip("/").replace("/", "."))
def test_no_path_changes_anything_administrative_but_by_the_registrys_word(world, party, method, path):
    other = world.enrol()
    sealed = world.send(party)
    target = path.replace("{id}", sealed.id).replace("{number}", "0")
    before = administrative(world)
    for key in (None, SigningKey.generate(), other.key):
        for body, value in bodies(world) if method in {"POST", "PUT", "PATCH"} else [(None, None)]:
            answer = world.ask(method, target, value, key=key, body=body)
            if WHO.get((method, path)) == PULL:
                assert answer.problem == ("not-found" if key is other.key else "unsigned"), (path, answer.body)
            if before != administrative(world):
                now = administrative(world)
                changed = {name for name in before if before[name] != now[name]}
                # a lease asked for what is another's freezes the asker's own reads: that is all that can happen
                assert changed == {"freezes"}, (path, changed)
                assert {row[1] for row in now["freezes"]} == {other.id}
                before = now


def test_the_pull_key_alone_instructs_nothing(world, party):
    """The puller's credential, stolen: it can bring a statement, and can sign none."""
    before = administrative(world)
    for kind in InstructionBase.__subclasses__():
        value = {"at": "2026-11-22T09:24:37Z", "instruction": kind.__struct_config__.tag, "sequence": 10**6}
        for key in (world.pull, party.key, SigningKey.generate()):
            statement = sign("swaddle-instruction-v1", value, key).to_json()
            assert world.post("/v1/instructions", statement, world.pull).problem == "unsigned"
    assert administrative(world) == before


def test_another_statement_of_the_registry_is_no_instruction(world):
    """A namespace for each purpose: what the statement key signed for something else cannot be used here."""
    value = {"at": "2026-11-22T09:24:37Z", "instruction": "allowance", "sequence": 10**6, "transfers": 64}
    for namespace in ("swaddle-give-back-v1", "swaddle-acknowledgement-v1", "swaddle-intake-v1", "swaddle-receipt-v1"):
        statement = sign(namespace, value, world.statement).to_json()
        assert world.post("/v1/instructions", statement, world.pull).problem == "unsigned"


def test_an_instruction_is_taken_once(world, party):
    world.sequence += 1
    value = {"at": "2026-11-22T09:24:37Z", "instruction": "setting", "sequence": world.sequence}
    first = sign("swaddle-instruction-v1", value | {"name": "uploads", "value": 5}, world.statement).to_json()
    assert world.post("/v1/instructions", first, world.pull).status == 200
    assert world.instruct("setting", name="uploads", value=6).status == 200
    assert world.post("/v1/instructions", first, world.pull).problem == "conflict"
    assert world.line.gateway.settings.uploads == 6


def test_the_registrys_reading_paths_read_alike_to_all_others(world, party):
    """404 and 401, the texts of every other path: nobody learns from them that there is something to administer."""
    for method, path in [each for each, who in WHO.items() if who == PULL]:
        strange = world.ask(method, "/v1/nothing-here", key=party.key, body=b"" if method == "POST" else None)
        there = world.ask(method, path, key=party.key, body=b"" if method == "POST" else None)
        assert (there.status, json.loads(there.body)) == (strange.status, json.loads(strange.body))


def test_the_gateways_own_commands_let_nobody_in():
    """On the machine itself: no command enrols, revokes, sets a quota or releases a freeze."""
    words = {"invite", "revoke", "quota", "enrol", "release", "release-freeze", "setting", "submitters"}
    assert words & set(group.commands) == set()
