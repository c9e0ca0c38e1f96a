"""A real gateway process and somebody who plays its registry: for tests of what a submitter does."""

import base64
import datetime as dt
import os
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from swaddle.canonical import digest_hex, format_instant, parse_canonical
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.manifest import Core, Description, FileEntry
from swaddle.envelope.parts import Layout
from swaddle.envelope.public import IntakeStatement, SealingPublic, make_certificate, make_intake
from swaddle.envelope.seal import PartSealer, close_envelope, new_data_key
from swaddle.envelope.signature import Signed, SigningKey, sign
from swaddle.envelope.unseal import BodyOpener, check_envelope, open_envelope
from swaddle.feedback.bundle import pack
from swaddle.gateway.initialise import initialise
from swaddle.submitter import enrol
from swaddle.submitter.party import open_party
from swaddle.wire.client import GatewayClient
from swaddle.wire.enrolment import (
    ClaimFile,
    Invitation,
    RegistryKeys,
    SubmitterKeys,
    check_proof,
    claim_key,
    claim_proof,
    enrolment_proof,
    lookup,
    lookup_digest,
    proof_key,
)


def now():
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


class GatewayProcess:
    """`swaddle gateway run` on a free port of the loopback."""

    def __init__(self, home: Path, *, seen_at: int = 0, **settings):
        """`seen_at` is the port that others reach it by, where that is not its own (a line in between)."""
        self.home = home
        claim = initialise(home, f"https://127.0.0.1:{seen_at}", port=0)
        self.claim = ClaimFile.from_bytes(claim.read_bytes())
        with (home / "settings.toml").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "swaddle", "gateway", "run", "--home", str(self.home)],
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stderr.readline()
        assert line.startswith("listening"), line + self.process.stderr.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.process.stderr.close()


@dataclass
class Registry:
    """Plays the registry with real keys and the real client; every key is in the open here."""

    claim: ClaimFile
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    sequence: int = 0
    intake_sequence: int = 0

    def __post_init__(self):
        self.root, self.statement, self.pull = (SigningKey.generate() for _ in range(3))
        self.intake_pair = SealingPair.generate()
        self.certificate = make_certificate(
            self.root, self.statement.public, now() - dt.timedelta(hours=1), now() + dt.timedelta(days=365)
        )
        self.client = GatewayClient(self.claim.url, self.claim.pin, self.pull)
        self.invitations, self.submitters = {}, {}
        claimed = RegistryKeys(self.certificate, self.pull.public, self.id, self.root.public).to_text()
        proof = base64.b64encode(claim_proof(claim_key(self.claim.secret), claimed)).decode()
        self.client.post_json("/v1/claim", {"keys": claimed.decode(), "hmac": proof})
        self.publish()

    def instruct(self, instruction, **members):
        self.sequence += 1
        value = {"at": format_instant(now()), "instruction": instruction, "sequence": self.sequence, **members}
        self.client.post_json("/v1/instructions", sign("swaddle-instruction-v1", value, self.statement).to_json())

    def intake_statement(self, sequence=None, pair=None, starts=None):
        starts = starts or now() - dt.timedelta(hours=1)
        return IntakeStatement(
            sequence=self.intake_sequence if sequence is None else sequence,
            not_before=starts,
            seal_until=starts + dt.timedelta(days=14),
            destroy_by=starts + dt.timedelta(days=30),
            registry=self.id,
            recipient=(pair or self.intake_pair).public,
            gateway_pins=(self.claim.pin,),
        )

    def publish(self):
        self.intake_sequence += 1
        self.instruct("intake", intake=make_intake(self.intake_statement(), self.statement).to_json())

    def invite(self):
        invitation = Invitation(
            self.claim.url,
            self.claim.pin,
            self.root.public.fingerprint,
            secrets.token_bytes(20),
            now() + dt.timedelta(hours=72),
        )
        digest = lookup_digest(lookup(invitation.secret))
        self.invitations[digest] = proof_key(invitation.secret)
        self.instruct("invite", lookup_sha256=digest, expires=format_instant(invitation.expires))
        return invitation

    def activate(self):
        for pending in self.client.get_json("/v1/enrolments")["enrolments"]:
            text, digest = pending["keys"].encode(), pending["lookup_sha256"]
            expected = enrolment_proof(self.invitations[digest], text, self.root.public.fingerprint)
            check_proof(expected, base64.b64decode(pending["hmac"]))
            submitter = secrets.token_hex(16)
            self.submitters[submitter] = SubmitterKeys.from_text(text)
            statement = {"keys_sha256": digest_hex(text), "submitter": submitter}
            enrolment = sign("swaddle-enrolment-v1", statement, self.statement).to_json()
            self.instruct("activate", lookup_sha256=digest, submitter=submitter, enrolment=enrolment)

    def waiting(self):
        return [transfer["id"] for transfer in self.client.get_json("/v1/inbox")["transfers"]]

    def open(self, transfer):
        """Lease and open a transfer: (manifest, description, plaintext, digest of the manifest)."""
        token = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
        digest = sha256(token.encode()).hexdigest()
        given = self.client.post_json(f"/v1/transfers/{transfer}/lease", {"lease_sha256": digest})
        signed = Signed.from_json(given["manifest"])
        header, description = base64.b64decode(given["header"]), base64.b64decode(given["description"])
        sender = parse_canonical(signed.message)["core"]["submitter"]
        manifest = check_envelope(signed, header, description, [self.submitters[sender].signing_key], ())
        opened = open_envelope(manifest, header, description, {self.intake_pair.public.key_id: self.intake_pair})
        opener, plaintext = BodyOpener(opened), bytearray()
        for n in range(manifest.core.layout.parts):
            sealed = bytearray()
            length = manifest.core.layout.span(n).body_bytes
            self.client.get_part(f"/v1/transfers/{transfer}/parts/{n}", token, length, sealed.extend)
            opener.open_part(n, sealed, plaintext.extend)
        opener.finish()
        return manifest, opened.description, bytes(plaintext), digest_hex(signed.message)

    def acknowledge(self, transfer, manifest_sha256, outcome="stored", receipt=None, **counts):
        detail = {"manifest_sha256": manifest_sha256, "outcome": outcome, **counts}
        entry = {
            "at": format_instant(now()),
            "detail": detail,
            "event": f"submission-{outcome}",
            "previous": "0" * 64,
            "sequence": 1,
            "subject": transfer,
        }
        receipt = receipt or sign("swaddle-receipt-v1", entry, self.statement)
        value = {
            "at": format_instant(now()),
            "manifest_sha256": manifest_sha256,
            "outcome": outcome,
            "receipt": receipt.to_json(),
            "transfer": transfer,
        }
        acknowledgement = sign("swaddle-acknowledgement-v1", value, self.statement).to_json()
        self.client.post_json(f"/v1/transfers/{transfer}/acknowledgement", acknowledgement)

    def take(self, outcome="stored", **counts):
        """Open and acknowledge everything that waits: transfer id to plaintext."""
        taken = {}
        for transfer in self.waiting():
            _, description, plaintext, digest = self.open(transfer)
            self.acknowledge(transfer, digest, outcome, **counts)
            taken[transfer] = plaintext
            self.description = description
        return taken

    def give(
        self, recipient: SealingPublic, files, *, answers=None, kind="feedback", signer=None, sender=None, body=None
    ):
        """Send a feedback bundle to a submitter; everything about it can be bent."""
        data = pack(files) if body is None else body
        layout = Layout(len(data), 65_536)
        expires = now() + dt.timedelta(days=13)
        announced = {
            "reference": base64.b64encode(secrets.token_bytes(16)).decode(),
            "recipient": recipient.key_id,
            "body_bytes": layout.body_bytes,
            "part_bytes": layout.part_bytes,
            "expires": format_instant(expires),
        }
        transfer = self.client.post_json("/v1/transfers", announced)["id"]
        data_key, digests = new_data_key(), []
        descriptor = os.memfd_create("feedback")
        os.write(descriptor, data)
        with PartSealer(data_key, 65_536) as sealer:
            for n in range(layout.parts):
                span = layout.span(n)
                part = sealer.seal(descriptor, span.plaintext_offset, span.plaintext_bytes)
                self.client.put_part(f"/v1/transfers/{transfer}/parts/{n}", part.data, part.sha256)
                digests.append(part.sha256.hex())
        os.close(descriptor)
        core = Core(
            transfer, sender or self.id, recipient.key_id, now(), expires, layout.body_bytes, layout.segments,
            layout.part_bytes, tuple(digests),
        )  # fmt: skip
        entry = FileEntry("feedback.tar", len(data), sha256(data).hexdigest())
        description = Description(kind, (entry,), in_reply_to=answers)
        sealed = close_envelope(core, data_key, description, recipient, signer or self.statement)
        finish = {
            "manifest": sealed.manifest.to_json(),
            "header": base64.b64encode(sealed.header).decode(),
            "description": base64.b64encode(sealed.description).decode(),
        }
        self.client.post_json(f"/v1/transfers/{transfer}/finish", finish)
        return transfer


def enrolled_home(registry: Registry, folder: Path, **settings) -> Path:
    """A submitter's home, enrolled, its passphrase in a file; `settings` are added to its settings.toml."""
    passphrase = folder / "passphrase"
    enrol.make_passphrase_file(passphrase)
    home = folder / "home"
    enrol.begin(home, registry.invite(), passphrase_file=passphrase, environment={})
    registry.activate()
    enrol.finish(home, timeout_s=5)
    with (home / "settings.toml").open("a") as file:
        file.writelines(f"{name} = {value}\n" for name, value in settings.items())
    return home


def party_of(home: Path):
    return open_party(home, environment={})


def rows(count: int, seed: bytes = b"") -> bytes:
    """A file of about 70 bytes a row, different for each seed."""
    lines = [b"id,born,weight\n"]
    lines += [b"%d,2024-01-01,%s\n" % (n, sha256(seed + b"%d" % n).hexdigest()[:48].encode()) for n in range(count)]
    return b"".join(lines)
