"""A gateway with its registry and submitters, for tests: every message real, only the network or the clock may be ours.

The gateway is blind, so what is sent to it here is random bytes of the right lengths under a real signed manifest.
"""

import asyncio
import base64
import http.client
import json
import os
import secrets
import signal
import ssl
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from swaddle.canonical import canonical, format_instant
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.manifest import Core, Manifest
from swaddle.envelope.parts import Layout
from swaddle.envelope.public import IntakeStatement, make_certificate, make_intake
from swaddle.envelope.signature import Signed, SigningKey, sign
from swaddle.gateway import sweep
from swaddle.gateway.app import build
from swaddle.gateway.initialise import CERTIFICATE, initialise
from swaddle.gateway.routes import ROUTES
from swaddle.gateway.run import close_gateway, open_gateway
from swaddle.gateway.settings import load
from swaddle.home import Kind, open_home
from swaddle.wire.enrolment import (
    ClaimFile,
    RegistryKeys,
    SubmitterKeys,
    claim_key,
    claim_proof,
    enrolment_proof,
    lookup,
    lookup_digest,
    proof_key,
)
from swaddle.wire.signing import Request, authority_of, content_digest, sign_request

SEGMENT = 65_536
SEALED = SEGMENT + 28
HEADER_BYTES = 1260
DESCRIPTION_BYTES = 1136 + 4096


@dataclass
class Answer:
    """What a gateway answered."""

    status: int
    headers: list
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def problem(self):
        return self.json["type"].removeprefix("about:swaddle:")


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self, now=None):
        self.now = now or datetime(2026, 11, 22, 9, 24, 37, tzinfo=UTC)

    def __call__(self):
        return self.now

    def pass_(self, **delta):
        self.now += timedelta(**delta)


def b64(data):
    return base64.b64encode(data).decode()


def signed_headers(key, method, authority, target, body, now, headers=(), nonce=None):
    """Everything that stands in the head of a signed request, in order."""
    path, _, query = target.partition("?")
    fields = list(headers)
    if body is not None:
        names = {name for name, _ in fields}
        if "content-digest" not in names:
            fields.append(("content-digest", content_digest(sha256(body).digest())))
        if "content-length" not in names:
            fields.append(("content-length", str(len(body))))
    if key is not None:
        request = Request(method=method, authority=authority, path=path, query=query, headers=tuple(fields))
        fields += sign_request(request, key, now, nonce or b64(secrets.token_bytes(16)))
    return [("host", authority), *fields]


class DirectLine:
    """The application called directly, with a clock of our own."""

    def __init__(self, home, clock, environment=None):
        self.home = home
        self.clock = clock
        self.environment = environment or {}
        self.open()

    def open(self):
        """Open the gateway again, as after a restart."""
        self.settings = load(open_home(self.home, Kind.GATEWAY), self.environment)
        self.gateway = open_gateway(open_home(self.home, Kind.GATEWAY), self.settings, self.clock)
        self.app = build(self.gateway, ROUTES)
        self.authority = self.settings.authority

    def close(self):
        close_gateway(self.gateway)

    def reopen(self):
        self.close()
        self.open()

    def now(self):
        return self.clock()

    def sweep(self):
        return asyncio.run(sweep.sweep(self.gateway.thread, self.gateway.store))

    def raw(self, method, target, headers, body=b"", pieces=None):
        """One request with exactly these headers."""
        return asyncio.run(self.ask(method, target, headers, body, pieces))

    async def ask(self, method, target, headers, body=b"", pieces=None):
        """Likewise, inside an event loop."""
        path, _, query = target.partition("?")
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "root_path": "", "scheme": "https",
            "headers": [(n if isinstance(n, bytes) else n.encode(), v if isinstance(v, bytes) else v.encode("latin-1")) for n, v in headers],
        }  # fmt: skip
        coming = list(pieces) if pieces is not None else [body]

        async def receive():
            await asyncio.sleep(0)
            if not coming:
                return {"type": "http.disconnect"}
            piece = coming.pop(0)
            if isinstance(piece, dict):
                return piece
            return {"type": "http.request", "body": piece, "more_body": bool(coming)}

        came = Answer(0, [], b"")

        async def send(message):
            if message["type"] == "http.response.start":
                came.status, came.headers = message["status"], message["headers"]
            else:
                came.body += message.get("body", b"")

        await self.app(scope, receive, send)
        return came

    def send(self, method, target, headers, body):
        return self.raw(method, target, headers, body or b"")


class RealLine:
    """A gateway in a process of its own, reached by TLS whose certificate is verified."""

    def __init__(self, home):
        self.home = home
        self.settings = load(open_home(home, Kind.GATEWAY))
        self.authority = authority_of(self.settings.url)
        self.context = ssl.create_default_context(cafile=str(home / CERTIFICATE))
        self.connection = None

    def now(self):
        return datetime.now(UTC)

    def connect(self):
        host, _, port = self.authority.partition(":")
        return http.client.HTTPSConnection(host, int(port), context=self.context, timeout=20)

    def send(self, method, target, headers, body):
        if self.connection is None:
            self.connection = self.connect()
        connection = self.connection
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


@contextmanager
def running(home, environment=None, code=None):
    """A gateway process; killed at the end if it did not stop."""
    code = code or "import sys; from pathlib import Path; from swaddle.gateway.run import run; run(Path(sys.argv[1]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(home)],
        stderr=subprocess.PIPE, env={**os.environ, **(environment or {})},
    )  # fmt: skip
    try:
        line = process.stderr.readline().decode()
        if not line.startswith("listening on https://"):
            raise RuntimeError(line + process.stderr.read().decode())
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
        process.stderr.close()


@dataclass
class Party:
    """A submitter: its keys and its id."""

    id: str
    key: SigningKey
    pair: SealingPair
    keys_text: bytes = b""
    lookup: bytes = b""


@dataclass
class Sealed:
    """A transfer as its sender made it, ready to be sent."""

    id: str
    parts: list
    manifest: Signed
    header: bytes
    description: bytes
    token: str = field(default_factory=lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode())

    @property
    def lease_sha256(self):
        return sha256(self.token.encode()).hexdigest()

    @property
    def manifest_sha256(self):
        return sha256(self.manifest.message).hexdigest()

    @property
    def finish(self):
        return {
            "manifest": self.manifest.to_json(),
            "header": b64(self.header),
            "description": b64(self.description),
        }


class World:
    """A gateway's registry and submitters, over a line."""

    def __init__(self, line):
        self.line = line
        self.root, self.statement, self.pull = SigningKey.generate(), SigningKey.generate(), SigningKey.generate()
        self.registry = secrets.token_hex(16)
        self.pair = SealingPair.generate()
        self.sequence = 0
        self.journal_key = None

    # requests

    def ask(self, method, target, value=None, key=None, body=None, headers=(), **more):
        """One well-made request, signed where a key is given."""
        if value is not None:
            body = canonical(value)
        head = signed_headers(key, method, self.line.authority, target, body, self.line.now(), headers, **more)
        return self.line.send(method, target, head, body)

    def get(self, target, key=None, headers=()):
        return self.ask("GET", target, key=key, headers=headers)

    def post(self, target, value, key=None):
        return self.ask("POST", target, value, key=key)

    # the registry

    def claim_body(self, secret, pull=None):
        now = self.line.now()
        certificate = make_certificate(self.root, self.statement.public, now, now + timedelta(days=365))
        keys = RegistryKeys(certificate, pull or self.pull.public, self.registry, self.root.public).to_text()
        return {"keys": keys.decode(), "hmac": b64(claim_proof(claim_key(secret), keys))}

    def claim(self):
        claim = ClaimFile.from_bytes((self.line.home / "claim.json").read_bytes())
        answer = self.post("/v1/claim", self.claim_body(claim.secret))
        assert answer.status == 200, answer.body
        self.journal_key = answer.json["gateway"]["journal_key"]
        return self

    def instruct(self, instruction, key=None, sequence=None, **members):
        self.sequence += 1
        value = {
            "at": format_instant(self.line.now()),
            "instruction": instruction,
            "sequence": sequence or self.sequence,
            **members,
        }
        return self.post(
            "/v1/instructions", sign("swaddle-instruction-v1", value, key or self.statement).to_json(), self.pull
        )

    def intake(self, sequence=1, pair=None, **days):
        now = self.line.now()
        statement = IntakeStatement(
            sequence=sequence,
            not_before=now,
            seal_until=now + timedelta(days=14),
            destroy_by=now + timedelta(days=days.get("destroy", 28)),
            registry=self.registry,
            recipient=(pair or self.pair).public,
            gateway_pins=(),
        )
        return self.instruct("intake", intake=make_intake(statement, self.statement).to_json())

    def invite(self, secret=None):
        secret = secret or secrets.token_bytes(20)
        answer = self.instruct(
            "invite",
            lookup_sha256=lookup_digest(lookup(secret)),
            expires=format_instant(self.line.now() + timedelta(hours=72)),
        )
        assert answer.status == 200, answer.body
        return secret

    def enrolment_body(self, secret, key, pair):
        keys = SubmitterKeys(pair.public, key.public).to_text()
        proof = enrolment_proof(proof_key(secret), keys, self.root.public.fingerprint)
        return {"lookup": b64(lookup(secret)), "keys": keys.decode(), "hmac": b64(proof)}

    def activate(self, secret, keys_text, submitter):
        said = {"keys_sha256": sha256(keys_text).hexdigest(), "submitter": submitter}
        enrolment = sign("swaddle-enrolment-v1", said, self.statement).to_json()
        return self.instruct(
            "activate", lookup_sha256=lookup_digest(lookup(secret)), submitter=submitter, enrolment=enrolment
        )

    def enrol(self):
        secret, key, pair = self.invite(), SigningKey.generate(), SealingPair.generate()
        body = self.enrolment_body(secret, key, pair)
        assert self.post("/v1/enrolments", body).status == 202
        party = Party(secrets.token_hex(16), key, pair, body["keys"].encode(), lookup(secret))
        answer = self.activate(secret, party.keys_text, party.id)
        assert answer.status == 200, answer.body
        return party

    # transfers

    def announce(self, party, body_bytes, *, part_bytes=SEGMENT, reference=None, to=None, hours=48, key=None):
        value = {
            "reference": b64(reference or secrets.token_bytes(16)),
            "recipient": (to.pair if to else self.pair).public.key_id,
            "body_bytes": body_bytes,
            "part_bytes": part_bytes,
            "expires": format_instant(self.line.now() + timedelta(hours=hours)),
        }
        return self.post("/v1/transfers", value, key or (party.key if party else self.pull))

    def seal(self, party, announced, pieces, /, *, to=None, part_bytes=SEGMENT, signer=None, **changes):
        """Random pieces under a real manifest; `changes` are of the core."""
        total = sum(map(len, pieces))
        layout = Layout.from_body(total, part_bytes)
        header, description = secrets.token_bytes(HEADER_BYTES), secrets.token_bytes(DESCRIPTION_BYTES)
        members = {
            "transfer": announced["id"],
            "submitter": party.id if party else self.registry,
            "recipient": (to.pair if to else self.pair).public.key_id,
            "created": self.line.now().replace(microsecond=0),
            "expires": datetime.strptime(announced["expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
            "body_bytes": total,
            "segments": layout.segments,
            "part_bytes": part_bytes,
            "parts": tuple(sha256(part).hexdigest() for part in pieces),
            **changes,
        }
        manifest = Manifest(Core(**members), sha256(header).hexdigest(), sha256(description).hexdigest())
        key = signer or (party.key if party else self.statement)
        signed = sign("swaddle-manifest-v1", manifest.to_json(), key)
        return Sealed(announced["id"], pieces, signed, header, description)

    def put(self, party, transfer, number, data, key=None, headers=()):
        path = f"/v1/transfers/{transfer}/parts/{number}"
        return self.ask("PUT", path, key=key or (party.key if party else self.pull), body=data, headers=headers)

    def send(self, party, parts=None, to=None, hours=48):
        """A whole transfer, held."""
        parts = [secrets.token_bytes(SEALED), secrets.token_bytes(1000)] if parts is None else parts
        announced = self.announce(party, sum(map(len, parts)), to=to, hours=hours)
        assert announced.status == 201, announced.body
        sealed = self.seal(party, announced.json, parts, to=to)
        for number, part in enumerate(parts):
            answer = self.put(party, sealed.id, number, part)
            assert answer.status == 204, answer.body
        answer = self.finish(party, sealed)
        assert answer.status == 200, answer.body
        return sealed

    def finish(self, party, sealed):
        return self.post(f"/v1/transfers/{sealed.id}/finish", sealed.finish, party.key if party else self.pull)

    def lease(self, sealed, key=None, digest=None):
        path = f"/v1/transfers/{sealed.id}/lease"
        return self.post(path, {"lease_sha256": digest or sealed.lease_sha256}, key or self.pull)

    def read(self, sealed, number=0, key=None, token=None):
        path = f"/v1/transfers/{sealed.id}/parts/{number}"
        return self.get(path, key or self.pull, headers=(("swaddle-lease", token or sealed.token),))

    def acknowledge(self, sealed, outcome="stored", key=None, signer=None, **changes):
        value = {
            "at": format_instant(self.line.now()),
            "manifest_sha256": sealed.manifest_sha256,
            "outcome": outcome,
            "receipt": None,
            "transfer": sealed.id,
            **changes,
        }
        statement = sign("swaddle-acknowledgement-v1", value, signer or self.statement)
        return self.post(f"/v1/transfers/{sealed.id}/acknowledgement", statement.to_json(), key or self.pull)

    def give_back(self, sealed, key=None, signer=None, at=None):
        value = {"at": format_instant(at or self.line.now()), "transfer": sealed.id}
        statement = sign("swaddle-give-back-v1", value, signer or self.statement)
        return self.post(f"/v1/transfers/{sealed.id}/give-back", statement.to_json(), key or self.pull)

    def view(self, sealed, key):
        return self.get(f"/v1/transfers/{getattr(sealed, 'id', sealed)}", key)

    def journal(self, after=0):
        return self.get(f"/v1/journal?after={after}", self.pull).json

    def freezes(self):
        return self.get("/v1/status", self.pull).json["freezes"]


def make_home(path: Path, now=None, **settings):
    """A fresh gateway's home; settings are added to its file."""
    initialise(path, "https://127.0.0.1:0", port=0, now=now)
    if settings:
        with (path / "settings.toml").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
    return path


@contextmanager
def direct_world(path, **settings):
    """A claimed gateway with an intake key, called directly, its clock ours."""
    clock = Clock()
    line = DirectLine(make_home(path, clock(), **settings), clock)
    try:
        world = World(line).claim()
        assert world.intake().status == 200
        yield world
    finally:
        line.close()
