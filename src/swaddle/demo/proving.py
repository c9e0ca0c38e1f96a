"""What is shown after the story is told: by other people's tools where there are some, by what lies on the disk."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from swaddle.canonical import format_instant, parse_instant
from swaddle.demo.files import Parcel
from swaddle.demo.outcome import Incident, Outcome, Proof
from swaddle.demo.parties import Party
from swaddle.envelope.signature import RECEIPT, ROOT

_ALIVE = ("announced", "receiving", "held", "leased")
_PATIENCE_S = 30
_MOST_REJECTED = 0.02  # of the rows of a real file


def now() -> str:
    """This moment as commands take it."""
    return format_instant(datetime.now(UTC))


def wait_for_a_later_second(than: str) -> str:
    """The first whole second after `than`: custody counts in seconds, and two raids must not share one."""
    while (moment := now()) <= than:
        time.sleep(0.02)
    return moment


def receipts_hold(receipts: Sequence[Path], trust: Path, root: str, scratch: Path) -> Proof:
    """Verify each receipt with `ssh-keygen`, from the root key that the invitation pinned.

    Args:
        receipts: signed statements as files.
        trust: where a submitter keeps the registry's certificate.
        root: fingerprint from the invitation.
        scratch: a folder for what ssh-keygen reads.
    """
    words = "Receipts hold without us"
    tool = shutil.which("ssh-keygen")
    if tool is None:
        return Proof(words, "not tried: there is no ssh-keygen here", holds=False)
    certificate = _certificate(json.loads(trust.read_bytes()))
    said = json.loads(certificate["message"])
    if _fingerprint(tool, said["root"], scratch) != root or not _verify(tool, certificate, said["root"], ROOT, scratch):
        return Proof(words, "the certificate does not hold", holds=False)
    held = sum(
        _verify(tool, json.loads(path.read_bytes()), said["statement_key"], RECEIPT, scratch) for path in receipts
    )
    return Proof(words, f"{held} of {len(receipts)}, by ssh-keygen", holds=0 < held == len(receipts))


def holds_nothing(gateway: Party) -> Proof:
    """What the gateway says that it holds, and what lies in its folder of bodies."""
    status: dict[str, Any] = json.loads(gateway.run("gateway", "status", "--json").out)
    alive = sum(status["transfers"].get(state, 0) for state in _ALIVE)
    lying = [path for path in (gateway.home / "bodies").iterdir() if path.is_file()]
    size = sum(path.stat().st_size for path in lying)
    figure = f"{alive} transfers, {max(size, status['body_bytes'])} bytes"
    return Proof("The gateway holds nothing", figure, holds=not (alive or lying or status["body_bytes"]))


def wait_until_empty(gateway: Party) -> None:
    """The gateway destroys what is acknowledged at once or at its next sweep: give it time for one."""
    limit = time.monotonic() + _PATIENCE_S
    while time.monotonic() < limit and any((gateway.home / "bodies").iterdir()):
        time.sleep(0.1)


def incident(registry: Party, window: tuple[str, str], present: Sequence[Parcel], transfers: int) -> Incident:
    """Open and scope the raid of `window`; `present` is what truly lay there."""
    opened = registry.run("incident", "open", "--from", window[0], "--to", window[1], "--json").value
    scope = registry.run("incident", "scope", str(opened["incident"]), "--json").value
    return Incident(
        transfers=int(scope["transfers"]["upper"]),
        persons=int(scope["persons"]["upper"]),
        categories=tuple((str(row["category"]), int(row["persons"])) for row in scope["by_category"]),
        unknown=int(scope["unknown"]["transfers"]),
        protection=tuple((str(row["class"]), int(row["transfers"])) for row in scope["protection"]),
        seconds=float(scope["seconds"]),
        true_transfers=transfers,
        true_persons=sum(parcel.persons for parcel in present),
    )


def rows(outcome: Outcome, parcels: Mapping[str, Parcel], refused: str, despatched: int) -> list[Proof]:
    """What the reports say of the rows, beside what was written into the files.

    Args:
        outcome: with the senders and what they sent, as their reports say.
        parcels: by transfer, the files.
        refused: the reason that came back for the file that is no data set.
        despatched: how many transfers were sent.
    """
    totals = outcome.totals()
    written = sum(parcel.rows for parcel in parcels.values())
    adds_up = all(
        each.rows["read"] == each.rows["stored"] + each.rows["rejected"] + each.rows["duplicates"]
        for each in outcome.senders
    )
    figure = f"{totals['stored']:,} + {totals['rejected']:,} + {totals['duplicates']:,} = {totals['read']:,}"
    proofs = [Proof("No row is lost", figure, holds=adds_up and totals["read"] == written)]
    made_up = [each for each in outcome.sent if each.made_up]
    broken = sum(parcels[each.transfer].broken for each in made_up)
    rejected = sum(each.rows["rejected"] for each in made_up)
    exact = all(parcels[each.transfer].broken == each.rows["rejected"] for each in made_up)
    proofs.append(Proof("Broken rows are rejected, and no others", f"{rejected:,} of {broken:,} broken", holds=exact))
    if real := [each for each in outcome.sent if not each.made_up]:
        read = sum(each.rows["read"] for each in real)
        rejected = sum(each.rows["rejected"] for each in real)
        few = all(each.rows["rejected"] < _MOST_REJECTED * each.rows["read"] for each in real)
        proofs.append(Proof("Real rows are taken", f"{read - rejected:,} of {read:,}", holds=few))
    proofs.append(
        Proof("A wrong file is refused whole, with its reason", "a picture called births.csv", holds=bool(refused))
    )
    opened = sum(each.reports_opened for each in outcome.senders)
    proofs.append(
        Proof("Every transfer is answered by a report", f"{opened} of {despatched} opened", holds=opened == despatched)
    )
    return proofs


def note_lifetimes(registry: Party, outcome: Outcome) -> None:
    """How long each transfer lay on the gateway, as custody says it."""
    status = registry.run("registry", "status", "--json").value
    known = {str(each["id"]): each for each in status["transfers"]}
    for each in outcome.sent:
        times = known.get(each.transfer, {})
        if times.get("sent_at") and times.get("destroyed_at"):
            lay = parse_instant(times["destroyed_at"]) - parse_instant(times["sent_at"])
            each.destroyed_after_s = lay.total_seconds()


def raids_and_incidents(outcome: Outcome) -> list[Proof]:
    """The two raids and their two scopes as lines of proof."""
    first, second = outcome.raids
    scoped, empty = outcome.incidents
    return [
        Proof("A raid while all is held reads nothing", f"{first.transfers} copied, 0 opened", holds=first.is_proof),
        Proof(
            "A raid at the end finds nothing to take",
            f"{second.transfers} copied",
            holds=second.is_proof and not second.transfers,
        ),
        Proof(
            "Whom it could be about is named exactly",
            f"{scoped.persons:,} persons, then {empty.persons:,}",
            holds=scoped.is_exact and empty.is_exact,
        ),
    ]


def _certificate(value: object) -> dict[str, str]:
    """The signed statement that names the statement key, wherever it stands in the file."""
    if isinstance(value, dict):
        message = value.get("message")
        if isinstance(message, str) and '"statement_key"' in message:
            return value
        for member in value.values():
            if found := _certificate(member):
                return found
    return {}


def _verify(tool: str, signed: dict[str, str], key: str, namespace: str, scratch: Path) -> bool:
    """Whether ssh-keygen finds the signature good."""
    signers, signature = scratch / "allowed_signers", scratch / "signature"
    signers.write_text(f'registry namespaces="{namespace}" {key}\n', "utf-8")
    signature.write_text(signed["signature"], "utf-8")
    done = subprocess.run(
        [tool, "-Y", "verify", "-f", str(signers), "-I", "registry", "-n", namespace, "-s", str(signature)],
        input=signed["message"].encode(), capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def _fingerprint(tool: str, key: str, scratch: Path) -> str:
    path = scratch / "root.pub"
    path.write_text(f"{key}\n", "utf-8")
    done = subprocess.run([tool, "-l", "-E", "sha256", "-f", str(path)], capture_output=True, text=True, check=False)
    return [*done.stdout.split(), "", ""][1]
