"""A real gateway process, a real registry and real submitters, each in a home of its own: nothing is played."""

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path

from swaddle.demo import layout
from swaddle.demo.cohort import SITES, births
from swaddle.registry.beginning import begin
from swaddle.registry.inside import open_registry
from swaddle.registry.operations import ask
from swaddle.submitter import counting, enrol
from swaddle.submitter.party import open_party
from swaddle.submitter.send import send
from swaddle.wire.enrolment import Invitation

LAST_DAY = date(2026, 10, 31)
PASSPHRASE = b"a passphrase of the tests"


def passphrase(_values):
    return PASSPHRASE


@contextmanager
def without_counting():
    """A sender without DuckDB, who counts no rows first: what a test of the registry does not ask about."""
    real, counting.find_spec = counting.find_spec, lambda _: None
    try:
        yield
    finally:
        counting.find_spec = real


@dataclass
class World:
    """One gateway, one registry, submitters by name."""

    gateway: object
    registry: Path
    folder: Path
    submitters: dict
    files: count

    def ask(self, operation, **values):
        return ask(self.registry, passphrase, operation, **values)

    def inside(self):
        return open_registry(self.registry, passphrase)

    def enrol(self, name, sites=()):
        path = self.folder / f"submitter-{len(self.submitters)}"
        secret = self.folder / f"passphrase-{len(self.submitters)}"
        enrol.make_passphrase_file(secret)
        invitation = Invitation.decode(self.ask("invite", name=name, sites=list(sites))["invitation"])
        enrol.begin(path, invitation, passphrase_file=secret)
        self.ask("pull")
        enrolled = enrol.finish(path, timeout_s=20)
        self.submitters[name] = path
        return enrolled.submitter

    def party(self, name):
        return open_party(self.submitters[name])

    def births(self, number, seed, bend=None):
        """A file of made-up births in the plain layout; `bend` may change a row before it is written.

        Files of two seeds tell of other people and deliveries: the registry would see twins of one number otherwise.
        """
        rows = [layout.row(each) for each in births(SITES[0], number, seed=seed, last_day=LAST_DAY)]
        for row in rows:
            for number_of in ("local_record_id", "delivery_local_id"):  # two births of one delivery are twins (X21)
                row[number_of] = f"{seed}-{row[number_of]}"
            if bend is not None:
                bend(row)
        return self.file(b"\n".join(layout.lines(rows)) + b"\n")

    def file(self, data, name="births.csv"):
        folder = self.folder / "files" / str(next(self.files))
        folder.mkdir(parents=True)
        (folder / name).write_bytes(data)
        return folder / name

    def send(self, name, *paths, kind="births"):
        """The transfers of these files, not looked at before; what earlier sends are told of is not among them."""
        with without_counting():
            done = send(self.party(name), list(paths), kind)
        return [sent.transfer for sent in done[: len(paths)]]


def make_world(folder: Path, gateway) -> World:
    """Claim `gateway` (a GatewayProcess) for a new registry."""
    begin(
        folder / "registry",
        gateway_url=gateway.claim.url,
        claim_file=gateway.claim.to_bytes(),
        passphrase_file="",
        passphrase=passphrase,
    )
    return World(gateway, folder / "registry", folder, {}, count())
