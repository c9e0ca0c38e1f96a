"""Making a gateway's home: its certificate, its journal key, its databases, and the claim for its one registry."""

from __future__ import annotations

import base64
import ipaddress
import secrets
import socket
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from swaddle import durable
from swaddle.canonical import format_instant
from swaddle.envelope.signature import SigningKey
from swaddle.errors import UsageFault
from swaddle.gateway import schema
from swaddle.gateway.settings import Settings
from swaddle.home import SETTINGS, Kind, create
from swaddle.wire.enrolment import SECRET_BYTES, ClaimFile, claim_key

CLAIM = "claim.json"
CERTIFICATE = "tls.crt"
TLS_KEY = "tls.key"
NEXT_CERTIFICATE = "tls-next.crt"
NEXT_TLS_KEY = "tls-next.key"
JOURNAL_KEY = "journal.key"
BODIES = "bodies"
CLAIM_LIFE = timedelta(hours=72)
CERTIFICATE_LIFE = timedelta(days=730)


class AlreadyMade(UsageFault):
    """There is a gateway in this home already."""

    code = "SWD-GATE-03"
    what = "this gateway is made already"
    why = "its settings are there; making it again would lose its keys and what it holds"
    fix = "use another folder, or `swaddle gateway run`"


def initialise(
    home_path: Path, url: str, host: str = "127.0.0.1", port: int = 8443, now: datetime | None = None
) -> Path:
    """Make a gateway's home; begun and killed, it is simply made again.

    Args:
        home_path: an empty folder, or none yet.
        url: what others will call it by, `https://host[:port]`; a port of 0 in it stands for the one found.
        host: the address to listen on.
        port: the port to listen on; 0 finds a free one now and keeps it.
        now: for the lives of certificate and claim.

    Returns:
        The claim file, to be carried to the registry.

    Raises:
        AlreadyMade: there is a gateway in it.
        HomeFault: it is another party's home or holds other things.
        SettingWrong: the URL or the port cannot be used.
        DiskFault: the disk said no.
    """
    moment = now or datetime.now(UTC)
    if port == 0:
        port = _free_port(host)
    settings = Settings(url=url[: -len(":0")] + f":{port}" if url.endswith(":0") else url, host=host, port=port)
    home = create(home_path, Kind.GATEWAY)
    if (home.path / SETTINGS).exists():
        raise AlreadyMade
    durable.make_folder(home.path / BODIES)
    certificate, private = make_certificate(settings.authority, moment)
    durable.write_file(home.path / TLS_KEY, private)
    durable.write_file(home.path / CERTIFICATE, certificate)
    durable.write_file(home.path / JOURNAL_KEY, SigningKey.generate().to_openssh())
    secret = secrets.token_bytes(SECRET_BYTES)
    expires = moment.replace(microsecond=0) + CLAIM_LIFE
    _write_claim_key(home.path, claim_key(secret), expires)
    claim = ClaimFile(url=settings.url, pin=pin_of(certificate), secret=secret, expires=expires)
    durable.write_file(home.path / CLAIM, claim.to_bytes())
    # Last: the settings say that the home is whole.
    lines = f'url = "{settings.url}"\nhost = "{settings.host}"\nport = {settings.port}\n'
    durable.write_file(home.path / SETTINGS, lines.encode("utf-8"))
    return home.path / CLAIM


def make_certificate(authority: str, now: datetime) -> tuple[bytes, bytes]:
    """A self-signed certificate for a host, and its key, both PEM. It names the host and nothing else."""
    host = authority.rpartition("]")[0].lstrip("[") if authority.startswith("[") else authority.partition(":")[0]
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + CERTIFICATE_LIFE)
        .add_extension(x509.SubjectAlternativeName([_alternative(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), private


def pin_of(certificate: bytes) -> str:
    """SHA-256 of a PEM certificate's SubjectPublicKeyInfo, base64."""
    public = x509.load_pem_x509_certificate(certificate).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(sha256(spki).digest()).decode("ascii")


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write_claim_key(home: Path, key: bytes, expires: datetime) -> None:
    connection = schema.open_transfers(home / "transfers.db")
    try:
        connection.execute("BEGIN IMMEDIATE")
        for name, value in (("claim_key", key.hex()), ("claim_expires", format_instant(expires))):
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))
        connection.execute("COMMIT")
    finally:
        connection.close()


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
