"""What comes by the door, seen from the registry: a real gateway process, a real registry, the door's line without SFTP."""

import json
import time

import pytest
from door_world import Door, fingerprint, ssh_key

from submitter_world import GatewayProcess
from swaddle.envelope.public import SealingPublic
from swaddle.envelope.refusals import WrongSigner
from swaddle.envelope.signature import SigningKey, sign
from swaddle.errors import NotThere
from swaddle.registry.door import NothingToTrust, signer_of
from swaddle.registry.moving import RowWrong
from swaddle.submitter import enrol
from swaddle.submitter.inbox import get
from swaddle.submitter.party import open_party
from swaddle.wire.enrolment import Invitation
from whole_world import make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway", door_socket=f'"{folder}/door.sock"')
    world = make_world(folder, gateway)
    world.door = Door(folder / "door.sock")
    world.ask("pull")
    yield world
    gateway.stop()


def partner(world, name):
    """A partner with one SSH key, let in by a list."""
    key = ssh_key()
    done = world.ask("import-submitters", text=f"name,ssh_keys\n{name},{key}\n")
    assert done["imported"]
    assert done["told"]
    return key


def bring(world, key, content, door=None):
    """A file by the door, held; its transfer."""
    door = door or world.door
    with door.line(key) as line:
        intake = json.loads(line.begun.intake.message)
        return door.bring(line, key, content, SealingPublic.from_json(intake["recipient"]))


def answer(world, key, transfer):
    with world.door.line(key) as line:
        return next(each for each in line.answers().transfers if each.id == transfer)


def births(world, seed):
    return world.births(20, seed=seed).read_bytes()


def test_a_partners_file_is_stored_said_so_at_the_door_and_of_class_door_in_custody(world):
    key = partner(world, "First Partner")
    transfer = bring(world, key, births(world, 1))
    pulled = world.ask("pull")
    assert [each["outcome"] for each in pulled["transfers"]] == ["stored"]
    told = answer(world, key, transfer)
    assert (told.outcome, told.repeats) == ("stored", None)
    entries = {each["event"]: each["detail"] for each in world.ask("custody-entries", subject=transfer)}
    assert entries["transfer-announced"]["door"] == fingerprint(key)
    assert entries["transfer-held"]["door"] == fingerprint(key)
    assert entries["transfer-pulled"]["protection"] == "door"
    assert entries["submission-stored"]["protection"] == "door"


def test_the_same_bytes_again_are_stored_once_and_the_answer_names_the_first(world):
    key = partner(world, "Twice")
    content = births(world, 2)
    first = bring(world, key, content)
    world.ask("pull")
    before = world.ask("status")["stored"]["rows"]
    second = bring(world, key, content)
    world.ask("pull")
    assert world.ask("status")["stored"]["rows"] == before
    assert (answer(world, key, second).outcome, answer(world, key, second).repeats) == ("stored", first)


def test_a_file_that_is_no_data_set_is_refused_and_said_so(world):
    key = partner(world, "Refused")
    transfer = bring(world, key, b"\x00\x01\x02 no table")
    world.ask("pull")
    assert answer(world, key, transfer).outcome == "refused"


@pytest.mark.slow
def test_reports_wait_until_the_partner_has_a_sealing_pair_and_then_go_out(world, tmp_path):
    key = partner(world, "Waits")
    transfer = bring(world, key, births(world, 3))
    assert world.ask("pull")["reports_sent"] == 0
    secret = tmp_path / "secret"
    enrol.make_passphrase_file(secret)
    invitation = Invitation.decode(world.ask("invite", name="Waits")["invitation"])
    with world.door.line(key) as line:  # the door goes on meanwhile
        assert line.begun.is_collecting
    enrol.begin(tmp_path / "home", invitation, passphrase_file=secret)
    assert world.ask("pull")["reports_sent"] == 1
    enrol.finish(tmp_path / "home", timeout_s=20)
    with world.door.line(key) as line:
        [report] = line.answers().reports
    party = open_party(tmp_path / "home")
    with party.client() as client:
        received = get(party, client, report.id)
    assert received.in_reply_to == transfer


@pytest.mark.slow
def test_running_the_list_again_changes_nothing(world):
    text = f"name,ssh_keys,sites,mail\nAgain,{ssh_key()},,it@example.org\n"
    assert [row["change"] for row in world.ask("import-submitters", text=text, dry_run=True)["rows"]] == ["new"]
    assert "Again" not in [each["name"] for each in world.ask("submitters")["submitters"]]
    assert [row["change"] for row in world.ask("import-submitters", text=text)["rows"]] == ["new"]
    entries = len(world.ask("custody-entries"))
    instructions = world.ask("status")["gateway"]["last_instruction"]
    assert [row["change"] for row in world.ask("import-submitters", text=text)["rows"]] == ["unchanged"]
    assert len(world.ask("custody-entries")) == entries
    assert world.ask("status")["gateway"]["last_instruction"] == instructions


def test_of_a_list_with_one_wrong_row_nothing_is_imported(world):
    done = world.ask("import-submitters", text=f"name,ssh_keys\nHalf,{ssh_key()}\nBad,ssh-dss AAAA\n")
    assert not done["imported"]
    assert [each["line"] for each in done["wrong"]] == [3]
    assert "Half" not in [each["name"] for each in world.ask("submitters")["submitters"]]


def test_one_partner_is_let_in_by_hand_and_a_key_is_one_partners(world):
    key = ssh_key()
    done = world.ask("invite-by-door", name="By hand", ssh_keys=[f"{key} job@host\n"])
    assert done["told"]
    with world.door.line(key) as line:
        assert line.begun.submitter == done["submitter"]
    with pytest.raises(RowWrong):
        world.ask("invite-by-door", name="Thief", ssh_keys=[key])


def test_partners_and_firewalls_are_told_what_they_need(world):
    partner(world, "Asks")
    told = world.ask("door")
    assert told["known_hosts"] == f"[127.0.0.1]:2222 {world.door.host_key}"
    assert told["host_key"] == fingerprint(world.door.host_key)
    assert {row["port"] for row in told["hosts"]} >= {2222}
    assert "Asks" in [each["name"] for each in told["partners"]]


def test_a_revocation_closes_the_door_and_what_was_held_before_is_still_taken(world):
    key = partner(world, "Revoked")
    transfer = bring(world, key, births(world, 4))
    line = world.door.line(key)
    world.ask("revoke", name="Revoked")
    begun = time.monotonic()
    while not line.is_cut():
        assert time.monotonic() - begun < 20  # five where nothing else runs, and not the minutes of a silent line
        time.sleep(0.05)
    with world.door.line() as again, pytest.raises(NotThere):
        again.begin(key)
    outcomes = {each["id"]: each["outcome"] for each in world.ask("pull")["transfers"]}
    assert outcomes[transfer] == "stored"


def test_a_key_that_was_replaced_is_good_for_what_was_held_before(world):
    key = partner(world, "Rotates")
    transfer = bring(world, key, births(world, 5))
    partner(world, "Rotates")
    outcomes = {each["id"]: each["outcome"] for each in world.ask("pull")["transfers"]}
    assert outcomes[transfer] == "stored"
    with world.door.line() as line, pytest.raises(NotThere):
        line.begin(key)


@pytest.mark.slow
def test_a_door_with_another_key_is_not_believed_until_the_operator_says_so(world):
    key = partner(world, "Loyal")
    true = world.door.key
    world.door.line().close()
    world.ask("door")  # it is the true one that is kept first, whichever test comes first
    other = Door(world.door.path)
    other.host_key = world.door.host_key
    transfer = bring(world, key, births(world, 6), other)
    done = world.ask("pull")
    assert [(each["id"], each["outcome"]) for each in done["transfers"]] == [(transfer, "unreadable")]
    assert world.ask("door")["shown_now"]["door_key"] == other.key.public.fingerprint
    with pytest.raises(NothingToTrust):
        world.ask("trust-door", fingerprint=SigningKey.generate().public.fingerprint)
    world.ask("trust-door", fingerprint=other.key.public.fingerprint)
    assert world.ask("door")["shown_now"] is None
    transfer = bring(world, key, births(world, 7), other)
    world.ask("pull")
    assert answer(world, key, transfer).outcome == "stored"
    world.door.line().close()
    world.ask("door")
    world.ask("trust-door", fingerprint=true.public.fingerprint)


def test_a_door_cannot_speak_for_a_submitter_that_never_used_it(world):
    """A hacked door names a hospital that sends by `send`, with an SSH key of a partner of its own."""
    key = partner(world, "Honest")
    victim = world.enrol("Hospital that sends")
    inside = world.inside()
    try:
        sender = inside.state.submitter(victim)
        with pytest.raises(WrongSigner):
            signer_of(inside, "a" * 32, sender, fingerprint(key), sign("swaddle-manifest-v1", {}, world.door.key))
    finally:
        inside.close()
