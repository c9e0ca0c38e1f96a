"""Setting up: a gateway that runs, a registry that owns it, three submitters let in; real processes, real TLS."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from swaddle import durable
from swaddle.demo.cohort import SITES
from swaddle.demo.parties import Party, end, wait_for_line

_PATIENCE_S = 60


@dataclass
class Town:
    """Everybody, each in a home of their own.

    Attributes:
        ids: of the submitters, as the registry gave them.
        root: fingerprint of the registry's root key, as the invitations pin it.
        handed_over: the claim and the invitations: what went from hand to hand, not through the gateway.
    """

    gateway: Party
    registry: Party
    submitters: tuple[Party, ...]
    process: subprocess.Popen[bytes]
    ids: list[str] = field(default_factory=list)
    root: str = ""
    handed_over: list[str] = field(default_factory=list)

    def close(self) -> None:
        """Stop the gateway."""
        end(self.process)


def set_up(folder: Path) -> Town:
    """Make everybody in `folder` and start the gateway; it is stopped again when anything fails.

    Raises:
        StepFailed: a command did not do its part.
    """
    gateway, registry = Party(folder / "gateway"), Party(folder / "registry")
    submitters = tuple(Party(folder / "submitters" / site.folder) for site in SITES)
    durable.make_folder(folder / "submitters")
    made = gateway.run("gateway", "init", "--url", "https://127.0.0.1:0", "--port", "0", "--json").value
    # The operator carries the claim to the registry; it does not stay on the gateway.
    claim = Path(made["claim"]).rename(folder / "claim.json")
    log = folder / "gateway.log"
    town = Town(gateway, registry, submitters, gateway.start("gateway", "run", log=log))
    try:
        wait_for_line(log, "listening on", town.process)
        _make_registry(town, made["url"], claim)
        _let_in(town)
    except BaseException:
        town.close()
        raise
    return town


def _make_registry(town: Town, url: str, claim: Path) -> None:
    made = town.registry.run(
        "registry", "init", "--gateway", url, "--claim", claim,
        "--new-passphrase-file", town.registry.passphrase_file, "--json",
    ).value  # fmt: skip
    town.root = str(made["root"])
    town.handed_over.append(claim.read_text("utf-8"))
    durable.remove_file(claim)


def _let_in(town: Town) -> None:
    """Invite the three; they take it up side by side, and the registry, at work meanwhile, lets them in."""
    with at_work(town.registry), ThreadPoolExecutor(len(SITES)) as pool:
        invited = [town.registry.run("registry", "invite", site.name, "--json").value for site in SITES]
        town.handed_over += [str(each["invitation"]) for each in invited]
        pairs = zip(town.submitters, invited, strict=True)
        town.ids = list(pool.map(lambda pair: _enrol(pair[0], str(pair[1]["invitation"])), pairs))


@contextmanager
def at_work(registry: Party) -> Iterator[None]:
    """`swaddle registry run` for the length of the block: it owns the store, and other commands ask it."""
    log = registry.home.with_name(f"registry-{secrets.token_hex(4)}.log")
    process = registry.start("registry", "run", log=log, environment={"SWADDLE_REGISTRY_PULL_INTERVAL_S": "1"})
    try:
        wait_for_line(log, "owns the store", process)
        yield
    finally:
        end(process)


def let_in(registry: Party, party: Party, name: str) -> str:
    """Invite one more while the registry is at work; its id."""
    invited = registry.run("registry", "invite", name, "--json").value
    return _enrol(party, str(invited["invitation"]))


def _enrol(party: Party, invitation: str) -> str:
    said = party.run(
        "enrol", "-", "--new-passphrase-file", party.passphrase_file, "--timeout", str(_PATIENCE_S), "--json",
        given=f"{invitation}\n",
    )  # fmt: skip
    return str(said.value["submitter"])
