"""One connection of the SFTP door: who logged in, what it has begun, and what becomes of that when it ends.

A part lies in a nameless file of the gateway's until `keep`; the door gets a descriptor of it that can only be written.
Blocking: each connection has a thread of its own, and the rows are asked in the index's.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import singledispatchmethod

from swaddle.durable import DiskFault
from swaddle.gateway import door_answers, door_sending
from swaddle.gateway.app import Gateway
from swaddle.gateway.door_sending import Guest
from swaddle.gateway.refusal import Refusal
from swaddle.gateway.seams import PartComing
from swaddle.wire import door_messages as said
from swaddle.wire.messages import Message, SignedText

PARTS_AT_ONCE = 2
Answer = tuple[
    Message, int | None
]  # a descriptor to be passed beside it; the session's until it is passed, then closed


class Session:
    """What the gateway knows of one connection."""

    def __init__(self, gateway: Gateway, secret: bytes) -> None:
        """Nobody has logged in yet; `secret` stands for the readers of this gateway process."""
        self._gateway = gateway
        self._secret = secret
        self._has_said_hello = False
        self.guest: Guest | None = None
        self._parts: dict[tuple[str, int], PartComing] = {}
        self._begun: set[str] = set()
        self._reading: set[str] = set()

    def answer(self, question: said.AnyQuestion) -> Answer:
        """Do what is asked.

        Raises:
            Refusal: it is refused; nothing of it has happened.
            DiskFault: the disk said no.
        """
        if not self._has_said_hello and not isinstance(question, said.Hello):
            raise Refusal("conflict")
        return self._do(question)

    def end(self) -> None:
        """The connection is gone: what was begun on it and is not held is destroyed, what was read is given back."""
        for incoming in self._parts.values():
            incoming.drop()
        self._parts.clear()
        if self.guest is None:
            return
        for transfer in self._begun:
            with suppress(Refusal):
                self._gateway.thread.call(door_sending.drop, self.guest, transfer)
        for transfer in self._reading:
            with suppress(Refusal):
                self._gateway.thread.call(door_answers.close_report, self.guest, transfer, self._secret)

    @singledispatchmethod
    def _do(self, question: said.Question) -> Answer:  # noqa: ARG002 - the form of all of them
        raise Refusal("malformed")

    @_do.register
    def _hello(self, asked: said.Hello) -> Answer:
        self._gateway.thread.call(door_sending.hello, asked.door_key, asked.host_key)
        self._has_said_hello = True
        return said.Nothing(), None

    @_do.register
    def _begin(self, asked: said.Begin) -> Answer:
        if self.guest is not None:
            raise Refusal("conflict")  # whoever logged in does not become another inside a connection
        self.guest, begun = self._gateway.thread.call(door_sending.begin, asked.ssh_key)
        return begun, None

    @_do.register
    def _announce(self, asked: said.DoorAnnounce) -> Answer:
        free = self._gateway.store.free_bytes()
        announced = self._gateway.thread.call(door_sending.announce, self._known(), asked, free)
        self._begun.add(announced.transfer)
        return announced, None

    @_do.register
    def _part(self, asked: said.NewPart) -> Answer:
        guest, key = self._mine(asked.transfer), (asked.transfer, asked.number)
        before = self._parts.pop(key, None)
        if before is not None:
            before.drop()
        if len(self._parts) >= PARTS_AT_ONCE:
            raise Refusal("busy")
        free = self._gateway.store.free_bytes()
        self._gateway.thread.call(door_sending.must_take_part, guest, asked.transfer, asked.number, free)
        incoming = self._gateway.store.receive()
        self._parts[key] = incoming
        return said.Nothing(), os.dup(incoming.fileno())

    @_do.register
    def _keep(self, asked: said.Keep) -> Answer:
        guest = self._mine(asked.transfer)
        incoming = self._parts.pop((asked.transfer, asked.number), None)
        if incoming is None:
            raise Refusal("conflict")
        try:
            free = self._gateway.store.free_bytes() + asked.size_bytes
            call = self._gateway.thread.call
            most = call(door_sending.must_take_part, guest, asked.transfer, asked.number, free)
            if not 0 < asked.size_bytes <= most or os.fstat(incoming.fileno()).st_size != asked.size_bytes:
                raise Refusal("refused", reason="no part has that length")  # noqa: TRY301 - one way out
            body = incoming.keep()
        except BaseException:
            incoming.drop()
            raise
        unneeded: str | None = body
        try:
            unneeded = call(door_sending.keep_part, guest, asked, body)
        finally:
            if unneeded is not None:
                with suppress(DiskFault):  # a stray; removed at the next start
                    self._gateway.store.remove(unneeded)
        return said.Nothing(), None

    @_do.register
    def _finish(self, asked: said.DoorFinish) -> Answer:
        guest = self._mine(asked.transfer)
        held: SignedText = self._gateway.thread.call(door_sending.finish, guest, asked)
        with suppress(Exception):  # a count that fails stops nothing
            self._gateway.thread.call(lambda index: self._gateway.usage.count("transfers", index.now()))
        return said.HeldAnswer(held), None

    @_do.register
    def _drop(self, asked: said.Drop) -> Answer:
        guest = self._mine(asked.transfer)
        for key in [key for key in self._parts if key[0] == asked.transfer]:
            self._parts.pop(key).drop()
        self._gateway.thread.call(door_sending.drop, guest, asked.transfer)
        return said.Nothing(), None

    @_do.register
    def _answers(self, asked: said.Answers) -> Answer:  # noqa: ARG002 - it asks for nothing particular
        return self._gateway.thread.call(door_answers.answers, self._known()), None

    @_do.register
    def _report(self, asked: said.OpenReport) -> Answer:
        opened = self._gateway.thread.call(door_answers.open_report, self._known(), asked.transfer, self._secret)
        self._reading.add(asked.transfer)
        return opened, None

    @_do.register
    def _report_part(self, asked: said.OpenReportPart) -> Answer:
        guest, call = self._known(), self._gateway.thread.call
        found = call(door_answers.open_part, guest, asked.transfer, asked.number, self._secret)
        return said.Nothing(), self._gateway.store.open(found.body)

    @_do.register
    def _close_report(self, asked: said.CloseReport) -> Answer:
        self._gateway.thread.call(door_answers.close_report, self._known(), asked.transfer, self._secret)
        self._reading.discard(asked.transfer)
        return said.Nothing(), None

    def _known(self) -> Guest:
        if self.guest is None:
            raise Refusal("not-found")
        return self.guest

    def _mine(self, transfer: str) -> Guest:
        """Only what was begun on this connection."""
        if transfer not in self._begun:
            raise Refusal("not-found")
        return self._known()
