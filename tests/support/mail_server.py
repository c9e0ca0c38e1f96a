"""A mail server of our own for tests: real SMTP over a real socket, with STARTTLS or TLS and a sign-in."""

import asyncio
import base64
import email
import email.policy
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from swaddle.gateway.initialise import make_certificate


class MailServer:
    """Keeps what it took. `say` may answer a command in another way: {"RCPT": b"550 no", "DATA": b"451 later"}."""

    def __init__(self, folder: Path, security="starttls", user=None, password=None):
        certificate, key = make_certificate("127.0.0.1:0", datetime.now(UTC))
        self.certificate = folder / "mail.crt"
        self.certificate.write_bytes(certificate)
        (folder / "mail.key").write_bytes(key)
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.tls.load_cert_chain(self.certificate, folder / "mail.key")
        self.security, self.user, self.password = security, user, password
        self.say = {}
        self.taken = []  # (sender, recipients, message, over TLS, signed in)
        self.commands = []
        self.when_taken = lambda: None

    @property
    def messages(self):
        return [email.message_from_bytes(each[2], policy=email.policy.default) for each in self.taken]

    async def start(self):
        self.server = await asyncio.start_server(
            self.serve, "127.0.0.1", 0, ssl=self.tls if self.security == "tls" else None
        )
        self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):  # noqa: PLR0912 - one command a branch
        over_tls, signed_in, sender, recipients = self.security == "tls", False, None, []

        async def answer(*lines):
            writer.write(b"".join(line + b"\r\n" for line in lines))
            await writer.drain()

        try:
            await answer(b"220 mail.test ESMTP")
            while line := await reader.readline():
                verb = line.strip().upper().split(b" ")[0].split(b":")[0].decode()
                self.commands.append(line.strip())
                if verb in self.say:
                    await answer(self.say[verb])
                elif verb == "EHLO":
                    offers = [b"mail.test"]
                    if self.security == "starttls" and not over_tls:
                        offers.append(b"STARTTLS")
                    if self.user and over_tls:
                        offers.append(b"AUTH PLAIN")
                    await answer(*(b"250-" + each for each in offers[:-1]), b"250 " + offers[-1])
                elif verb == "STARTTLS" and self.security == "starttls":
                    await answer(b"220 go on")
                    await writer.start_tls(self.tls)
                    over_tls = True
                elif verb == "AUTH":
                    given = base64.b64decode(line.split()[-1]).split(b"\x00")
                    signed_in = given[1:] == [self.user.encode(), self.password.encode()]
                    await answer(b"235 welcome" if signed_in else b"535 no")
                elif verb == "MAIL":
                    sender, recipients = line.strip(), []
                    await answer(b"250 ok" if signed_in or not self.user else b"530 sign in first")
                elif verb == "RCPT":
                    recipients.append(line.strip()[len(b"RCPT TO:") :].strip(b"<>").decode())
                    await answer(b"250 ok")
                elif verb == "DATA":
                    await answer(b"354 go on")
                    message = b""
                    while (piece := await reader.readline()) != b".\r\n":
                        if not piece:
                            return
                        message += piece
                    self.taken.append((sender, recipients, message, over_tls, signed_in))
                    self.when_taken()
                    await answer(b"250 taken")
                elif verb in {"RSET", "NOOP"}:
                    await answer(b"250 ok")
                elif verb == "QUIT":
                    await answer(b"221 bye")
                    return
                else:
                    await answer(b"502 unknown")
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()


@contextmanager
def mail_server(folder, **options):
    """A mail server in a thread, on a free port of the loopback."""
    server, loop = MailServer(folder, **options), asyncio.new_event_loop()
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(server.server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
