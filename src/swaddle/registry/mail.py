"""Content-free mail, sent from inside: the gateway knows no address and opens no connection out.

Texts are in mail_texts.py, what is told in mail_due.py, what waits in outbox.py; here is the line to the mail server.
It is encrypted (STARTTLS or TLS from the first byte, the certificate verified), or the server is this machine itself.
Trouble with mail never holds up a transfer: it is shown by `registry status`, and tried again.
"""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from itertools import islice
from typing import Any

from swaddle.envelope.unlock import secret
from swaddle.errors import NetworkFault, SwaddleError
from swaddle.registry import holding
from swaddle.registry.inside import Registry
from swaddle.registry.mail_due import Due, told_by
from swaddle.registry.mail_texts import AddressUnusable, check_address, text_of
from swaddle.registry.outbox import FILE_NAME, Batch, Outbox
from swaddle.registry.settings import Settings

CREDENTIAL = "swaddle-smtp-password"
TIMEOUT_S = 10
MOST_AT_ONCE = 50
SOME_ENTRIES = 1000


class MailTrouble(NetworkFault):
    """The mail server was not reached, or does not take what we send."""

    code = "SWD-REG-64"
    what = "mail could not be sent"
    fix = "check smtp_host and what follows it in settings.toml; what waits is sent by itself, for five days"


def carry(inside: Registry) -> dict[str, Any]:
    """Write down what custody gives to tell, and send what is due; never raises for a mail server's sake.

    Returns:
        `sent`, `waiting`, `failed` (mails), and `trouble`: an error's code, or None.
    """
    with closing(Outbox(inside.home / FILE_NAME)) as outbox:
        if not inside.settings.smtp_host:
            outbox.set_fact("place", str(inside.ledger.head()[0]))  # who turns mail on is not told of last year
            return {"sent": 0, **outbox.counts(inside.now())}
        collect(inside, outbox)
        outbox.gather(inside.now(), inside.settings.mail_pause_s)
        sent, trouble = 0, ""
        try:
            sent = send_due(inside, outbox)
        except MailTrouble as error:
            trouble = error.code
        outbox.set_fact("trouble", trouble)
        if not holding.is_any(inside.state):  # a hold keeps this log too
            outbox.forget(inside.now())
        return {"sent": sent, **outbox.counts(inside.now())}


def state(inside: Registry) -> dict[str, Any]:
    """For `registry status`: whether mail is on, what waits, what failed."""
    with closing(Outbox(inside.home / FILE_NAME)) as outbox:
        return {"on": bool(inside.settings.smtp_host), **outbox.counts(inside.now())}


def collect(inside: Registry, outbox: Outbox) -> None:
    """Follow custody from where the last call stopped."""
    place = outbox.place()
    if place is None:
        place = inside.ledger.head()[0]
        outbox.take(place, (), (), inside.now())
    addressed = {each.id for each in inside.state.submitters() if each.contact is not None}

    def was_held(transfer: str) -> bool:
        return any(entry.event == "transfer-held" for entry in inside.ledger.newest(transfer))

    while entries := tuple(islice(inside.ledger.walk(place), SOME_ENTRIES)):
        added: list[Due] = []
        pointless: list[str] = []
        for entry in entries:
            told, over = told_by(entry, inside.keyring.registry_id, was_held)
            added += [due for due in told if due.submitter in addressed]
            pointless += [] if over is None else [over]
        place = entries[-1].sequence
        outbox.take(place, added, pointless, inside.now())


def send_due(inside: Registry, outbox: Outbox) -> int:
    """Send what is due over one connection; how many went.

    Raises:
        MailTrouble: the server was not reached or takes nothing; what is left is tried again later.
    """
    batches = outbox.to_send(inside.now(), MOST_AT_ONCE)
    if not batches:
        return 0
    sent = 0
    left = list(batches)
    try:
        with connected(inside.settings) as server:
            while left:
                sent += send_one(inside, outbox, server, left[0])
                left.pop(0)
    except (OSError, smtplib.SMTPException, SwaddleError) as error:
        for batch in left:
            outbox.later(batch, inside.now())
        raise MailTrouble(reason_in_words(error)) from error
    return sent


def send_one(inside: Registry, outbox: Outbox, server: smtplib.SMTP, batch: Batch) -> int:
    """Send one mail; what its recipient's side refuses for good is `failed`, what may go later waits.

    Raises:
        smtplib.SMTPException, OSError: the server itself is the trouble.
    """
    submitter = inside.state.submitter(batch.submitter)
    if submitter is None or submitter.contact is None:
        outbox.end(batch, "dropped", inside.now())
        return 0
    try:
        check_address(submitter.contact)  # whoever wrote into the database writes no header
    except AddressUnusable:
        outbox.end(batch, "failed", inside.now())
        return 0
    message = written(batch, inside.settings.mail_from, submitter.contact, submitter.language, inside.now())
    try:
        server.send_message(message, inside.settings.mail_from, [submitter.contact])
    except smtplib.SMTPRecipientsRefused as error:
        (code, _), *_ = error.recipients.values()
        return put_off(outbox, batch, code, inside.now())
    except smtplib.SMTPDataError as error:
        return put_off(outbox, batch, error.smtp_code, inside.now())
    outbox.end(batch, "sent", inside.now())
    return 1


def put_off(outbox: Outbox, batch: Batch, code: int, at: datetime) -> int:
    """A reply of 500 and more is for good, one of 400 for now (RFC 5321)."""
    if code >= 500:
        outbox.end(batch, "failed", at)
    else:
        outbox.later(batch, at)
    return 0


def written(batch: Batch, sender: str, recipient: str, language: str, at: datetime) -> EmailMessage:
    """A batch as a mail. Every field is ours: fixed texts, two checked addresses, a random id."""
    text = text_of(batch.kind, language, batch.reason)
    message = EmailMessage(policy=WIRE)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = text.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{batch.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.body, cte="quoted-printable")
    message["Content-Language"] = language  # behind the content: setting that clears every field of it
    return message


@contextmanager
def connected(settings: Settings) -> Iterator[smtplib.SMTP]:
    """A session with the mail server, encrypted and signed in as the settings say.

    Raises:
        OSError, smtplib.SMTPException: it was not reached, its certificate does not hold, it does not know us.
    """
    name = settings.mail_from.rpartition("@")[2]
    trust = ssl.create_default_context(cafile=settings.smtp_ca_file or None)
    trust.minimum_version = ssl.TLSVersion.TLSv1_2
    server: smtplib.SMTP
    if settings.smtp_security == "tls":
        server = smtplib.SMTP_SSL(
            settings.smtp_host, settings.smtp_port, local_hostname=name, timeout=TIMEOUT_S, context=trust
        )
    else:
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, local_hostname=name, timeout=TIMEOUT_S)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=trust)
        if settings.smtp_user:
            password = secret(CREDENTIAL, settings.smtp_password_file, os.environ)
            server.login(settings.smtp_user, password.decode("utf-8"))
        yield server
    finally:
        with suppress(OSError, smtplib.SMTPException):
            server.quit()


def reason_in_words(error: Exception) -> str:
    """What is wrong, without anything that the server said: it may repeat an address."""
    if isinstance(error, SwaddleError):
        return error.lines()[0]
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "the mail server does not take the user name and password"
    if isinstance(error, ssl.SSLError):
        return "the mail server's certificate does not hold, or it offers no encryption"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server offers no encryption, or no way to sign in"
    if isinstance(error, smtplib.SMTPSenderRefused):
        return "the mail server does not take mail from mail_from"
    return "the mail server was not reached or broke off"
