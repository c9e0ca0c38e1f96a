"""Taking up an invitation: make keys, prove them to the registry through a gateway that cannot forge the proof, wait.

A killed or timed-out enrolment goes on when it is run again: what was posted is written down first, and the first post
for an invitation is the one that stands (docs/spec/transfer.md section 4).
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import msgspec

from swaddle import durable, home
from swaddle.canonical import digest_hex
from swaddle.envelope import dpapi
from swaddle.envelope.signature import ENROLMENT, PublicSigningKey, open_signed
from swaddle.envelope.words import six_words
from swaddle.errors import IntegrityFault, NetworkFault, NotThere, UsageFault
from swaddle.settings import as_toml
from swaddle.submitter import settings as settings_room
from swaddle.submitter import trust
from swaddle.submitter.party import Identity, ask_passphrase, identity_path, make_keys, unlock_keys
from swaddle.submitter.settings import Settings
from swaddle.submitter.state import read_record, write_record
from swaddle.wire import messages
from swaddle.wire.client import GatewayClient, retry, utc_now
from swaddle.wire.enrolment import Invitation, SubmitterKeys, enrolment_proof, lookup, proof_key
from swaddle.wire.problems import Conflict

FIRST_POLL_S, SLOWEST_POLL_S = 0.1, 2.0


class InvitationOver(UsageFault):
    """The invitation has expired or is unknown."""

    code = "SWD-SUB-10"
    what = "this invitation is no longer good"
    why = "it is good for 72 hours and for one enrolment"
    fix = "ask the registry for a new one"


class AlreadyEnrolled(UsageFault):
    """This home has an enrolment of its own."""

    code = "SWD-SUB-11"
    what = "this home is enrolled, or being enrolled, by another invitation"
    why = "one home has one set of keys"
    fix = "use another --home for another enrolment"


class InvitationTaken(IntegrityFault):
    """Somebody else posted keys under this invitation."""

    code = "SWD-SUB-12"
    what = "somebody has enrolled other keys with this invitation"
    why = "the first keys for an invitation stand, and those are not this home's"
    fix = "tell the registry at once, by phone: the invitation was read by somebody else"


class EnrolmentRefused(IntegrityFault):
    """The registry did not accept the keys."""

    code = "SWD-SUB-13"
    what = "the registry has refused this enrolment"
    why = "the keys that reached it were not proved by the invitation's secret, or it was too late"
    fix = "ask the registry for a new invitation, by another way"


class EnrolmentWrong(IntegrityFault):
    """What came back is not the registry's word on our keys."""

    code = "SWD-SUB-14"
    what = "the answer to this enrolment does not hold"
    why = "the registry's signed word is about other keys, or is not there"
    fix = "do not go on; tell the registry by phone"


class StillWaiting(NetworkFault):
    """The registry has not looked yet."""

    code = "SWD-SUB-15"
    what = "the registry has not accepted the keys yet"
    why = "somebody there must be running `swaddle registry run` or `pull`"
    fix = "run the same command again later; it goes on where it is"


class Begun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An enrolment on its way. The invitation's secret is not kept: what was posted says all that is still needed."""

    lookup: messages.Bytes32
    keys: messages.Text
    hmac: messages.Bytes32


@dataclass(frozen=True)
class Enrolled:
    """Where an enrolment stands."""

    state: str
    submitter: str | None
    words: str


def begin(
    path: Path,
    invitation: Invitation,
    *,
    passphrase_file: Path | None = None,
    passphrase_fd: int | None = None,
    environment: Mapping[str, str] = os.environ,
    now: Callable[[], datetime] = utc_now,
) -> Enrolled:
    """Make a home and its keys and post them; again for a home that has begun.

    Raises:
        InvitationOver, AlreadyEnrolled, InvitationTaken: see there.
        SettingsFault: the home, the passphrase.
        NetworkFault: not posted; run it again.
    """
    wanted = Settings(gateway_url=invitation.url, gateway_pin=invitation.pin or "", root=invitation.root)
    if passphrase_file is not None:
        wanted = replace(wanted, passphrase_file=str(passphrase_file.absolute()))
    shown = b64encode(lookup(invitation.secret)).decode()
    home.create(path, home.Kind.SUBMITTER)
    begun = _begun(path)
    if begun is None:
        if invitation.expires <= now():
            raise InvitationOver
        passphrase = ask_passphrase(wanted, passphrase_fd, environment, is_new=True)
        durable.write_file(path / home.SETTINGS, as_toml(wanted).encode())
        signing, sealing = make_keys(path, passphrase)
        keys = SubmitterKeys(sealing.public, signing.public).to_text()
        proof = enrolment_proof(proof_key(invitation.secret), keys, invitation.root)
        begun = Begun(lookup=shown, keys=keys.decode(), hmac=b64encode(proof).decode())
        write_record(_begun_path(path), begun)
        _post(path, begun)
    elif begun.lookup != shown:
        raise AlreadyEnrolled
    elif not identity_path(path).exists():
        with suppress(InvitationOver):  # it may be spent by now, on us: `finish` asks
            _post(path, begun)
    return Enrolled("waiting", None, six_words(invitation.root, begun.keys.encode()))


def finish(
    path: Path,
    *,
    timeout_s: float,
    now: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
) -> Enrolled:
    """Wait for the registry's word, verify it from the root of the invitation down, and write down who we are.

    Raises:
        StillWaiting: `timeout_s` is over.
        EnrolmentRefused, EnrolmentWrong, WrongRoot and other integrity faults: do not go on.
    """
    read = settings_room.read(home.open_home(path, home.Kind.SUBMITTER).settings())
    begun = read_record(_begun_path(path), Begun)
    words = six_words(read.root, begun.keys.encode())
    if identity_path(path).exists():
        return Enrolled("active", read_record(identity_path(path), Identity).submitter, words)
    deadline, pause = time.monotonic() + timeout_s, FIRST_POLL_S
    with _client(read) as client:
        while True:
            state = _ask(client, begun, sleep)
            if state.state == "rejected":
                raise EnrolmentRefused
            if state.state == "active":
                break
            if time.monotonic() >= deadline:
                raise StillWaiting
            sleep(pause)
            pause = min(pause * 1.5, SLOWEST_POLL_S)
    identity = _accept(path, read, begun, state, now())
    return Enrolled("active", identity.submitter, words)


def _ask(client: GatewayClient, begun: Begun, sleep: Callable[[float], None]) -> messages.EnrolmentState:
    try:
        answer = retry(lambda: client.post_json("/v1/enrolments/state", {"lookup": begun.lookup}), sleep=sleep)
    except NotThere as error:
        raise InvitationOver from error
    return messages.convert(answer, messages.EnrolmentState)


def _accept(path: Path, read: Settings, begun: Begun, state: messages.EnrolmentState, at: datetime) -> Identity:
    """Believe an answer only from the pinned root down, and only about our own keys."""
    if state.certificate is None or state.intake is None or state.enrolment is None or state.journal_key is None:
        raise EnrolmentWrong
    proof = messages.Intake(certificate=state.certificate, intake=state.intake)
    trusted = trust.verify(proof, read.root, at, trust.known_intake(path))
    said = open_signed(state.enrolment.signed(), ENROLMENT, [trusted.statement_key])
    if said.keys() != {"keys_sha256", "submitter"} or said["keys_sha256"] != digest_hex(begun.keys.encode()):
        raise EnrolmentWrong
    trust.keep(path, trusted)
    identity = messages.convert(
        {
            "submitter": said["submitter"],
            "journal_key": PublicSigningKey.from_line(state.journal_key).line,
            "enrolment": {"message": state.enrolment.message, "signature": state.enrolment.signature},
        },
        Identity,
    )
    write_record(identity_path(path), identity)
    return identity


def make_passphrase_file(path: Path) -> None:
    """Write a new random passphrase to `path`, for its owner alone; one that is there is kept.

    On Windows it is a blob that only this user of this machine opens.
    """
    if path.exists():
        return
    passphrase = secrets.token_urlsafe(24).encode()
    if not path.parent.is_dir():
        durable.make_folder(path.parent)
    durable.write_file(path, dpapi.protect(passphrase) if sys.platform == "win32" else passphrase + b"\n")


def check_passphrase(path: Path, passphrase_fd: int | None, environment: Mapping[str, str] = os.environ) -> None:
    """Try the passphrase on the keys, so that a home enrolled by a timer does not fail later."""
    read = settings_room.read(home.open_home(path, home.Kind.SUBMITTER).settings(), environment)
    unlock_keys(path, ask_passphrase(read, passphrase_fd, environment))


def _post(path: Path, begun: Begun) -> None:
    read = settings_room.read(home.open_home(path, home.Kind.SUBMITTER).settings())
    with _client(read) as client:
        try:
            retry(lambda: client.post_json("/v1/enrolments", msgspec.to_builtins(begun)))
        except Conflict as error:
            raise InvitationTaken from error
        except NotThere as error:
            raise InvitationOver from error


def _client(read: Settings) -> GatewayClient:
    return GatewayClient(read.gateway_url, read.gateway_pin or None, None, timeout_s=read.timeout_s)


def _begun(path: Path) -> Begun | None:
    return read_record(_begun_path(path), Begun) if _begun_path(path).exists() else None


def _begun_path(path: Path) -> Path:
    return path / "enrolment.json"
