"""`swaddle enrol`, `check`, `send`, `status`, `report`, `inbox`, `get`: for whoever sends and reads what comes back."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from swaddle import durable
from swaddle.cli import report_words
from swaddle.cli import submitter_words as words
from swaddle.cli.progress import progress
from swaddle.errors import FileFault, UsageFault
from swaddle.home import locate

if TYPE_CHECKING:
    from swaddle.dictionary.words import Language
    from swaddle.submitter.folder import Folder, LeftOut
    from swaddle.submitter.party import Party
    from swaddle.submitter.prepare import Source

PATH = click.Path(path_type=Path)
HOME = click.option("--home", type=PATH, help="The submitter's folder; else $SWADDLE_HOME, else the usual place.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
PASSPHRASE = click.option("--passphrase-fd", type=int, help="Read the passphrase from this open file descriptor.")
MAPPING = click.option(
    "--mapping",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read the files by this mapping file.",
)
LANGUAGE = click.option(
    "--lang",
    "language",
    type=click.Choice(["en", "fr"]),
    default="en",
    show_default=True,
    help="Say it in English or French.",
)
KIND = click.option("--as", "kind", metavar="TYPE", help="What the files are, such as births; else it is recognised.")


def _party(home: Path | None, passphrase_fd: int | None) -> Party:
    from swaddle.submitter.party import open_party

    return open_party(locate(home), passphrase_fd=passphrase_fd)


def _tell(value: Any, as_json: bool, text: str) -> None:
    click.echo(json.dumps(value, indent=2) if as_json else text)


@click.command()
@click.argument("invitation")
@HOME
@click.option("--passphrase-file", type=PATH, help="The file that holds the passphrase; only you may read it.")
@click.option("--new-passphrase-file", type=PATH, help="Make a passphrase and keep it in this file.")
@PASSPHRASE
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for the registry.")
@JSON
def enrol(
    invitation: str,
    home: Path | None,
    passphrase_file: Path | None,
    new_passphrase_file: Path | None,
    passphrase_fd: int | None,
    timeout: float,
    as_json: bool,
) -> None:
    """Take up INVITATION (or `-`: read it from standard input). Running it again goes on where it stopped."""
    from swaddle.submitter import enrol as room
    from swaddle.wire.enrolment import Invitation

    if passphrase_file is not None and new_passphrase_file is not None:
        raise UsageFault("--passphrase-file and --new-passphrase-file exclude each other")
    invited = Invitation.decode(sys.stdin.readline() if invitation == "-" else invitation)
    if new_passphrase_file is not None:
        room.make_passphrase_file(new_passphrase_file)
    path = locate(home)
    begun = room.begin(
        path, invited, passphrase_file=passphrase_file or new_passphrase_file, passphrase_fd=passphrase_fd
    )
    if not as_json:
        click.echo(f"six words to compare with the registry by phone:\n\n    {begun.words}\n")
        click.echo("waiting for the registry to accept the keys …", err=True)
    try:
        enrolled = room.finish(path, timeout_s=timeout)
    except room.StillWaiting:
        if as_json:
            click.echo(json.dumps(words.enrolment(begun, path)))
        raise
    _tell(words.enrolment(enrolled, path), as_json, f"enrolled as {enrolled.submitter}\nhome: {path}")


@click.command()
@click.argument("files", nargs=-1, required=True, type=PATH)
@KIND
@MAPPING
@click.option("--rejected", type=PATH, help="Write the rejected rows to this CSV (one file only).")
@click.option("--explain", is_flag=True, help="Say also what the mapping makes of the file, field by field.")
@LANGUAGE
@JSON
def check(
    files: tuple[Path, ...],
    kind: str | None,
    mapping: Path | None,
    rejected: Path | None,
    explain: bool,
    language: Language,
    as_json: bool,
) -> None:
    """Run the row and file rules on FILES here; nothing is sent, and nothing is said where all is well."""
    import io

    from swaddle.intake import shelf
    from swaddle.intake.mapping import load_file
    from swaddle.submitter.check import check as check_file
    from swaddle.submitter.prepare import look_at
    from swaddle.wire.client import utc_now

    is_many = len(files) != 1 or files[0].is_dir()
    if rejected is not None and is_many:
        raise UsageFault("--rejected takes the rejected rows of one file")
    own = locate(None) / shelf.FOLDER
    read_by = None if mapping is None else load_file(mapping, shelf.dictionaries(own))
    reports: list[dict[str, Any]] = []
    found, left_out = _files_of(files)
    status = 7 if any(not left.is_usual for left in left_out) else 0
    for file, of_folder in found:
        rows = io.BytesIO()
        try:
            report, is_refused = check_file(
                look_at(file), kind, utc_now(), rows, mapping=read_by, own=own, explained=explain
            )
        except FileFault as fault:
            if not of_folder:
                raise
            report, is_refused = words.unread(fault), True  # it does not hide what is to be said of the others
        if rejected is not None:
            durable.write_file(rejected, rows.getvalue())
        reports.append(report | ({"file": str(file)} if is_many else {}))
        status = 6 if is_refused else max(status, 7 if report["rows"]["rejected"] else 0) if status != 6 else 6
        if not as_json:
            told = report_words.report(report, str(file), is_check=True, language=language)
            click.echo(told + "\n" if told else "", nl=False)
            if "mapping" in report:
                click.echo(words.mapping(report["mapping"]))
            if told:
                click.echo(report_words.SAID[language]["refused" if is_refused else "registry only"], err=True)
    if as_json:
        missed = [{"name": left.name, "why": left.why} for left in left_out]
        click.echo(json.dumps({"files": reports, "left_out": missed} if is_many else reports[0], indent=2))
    else:
        click.echo("".join(f"would be left out: {words.plain(left.name)}: {left.why}\n" for left in left_out), nl=False)
    sys.exit(status)


def _files_of(paths: tuple[Path, ...]) -> tuple[list[tuple[Path, bool]], list[LeftOut]]:
    """Each file, those of folders too and marked so, and what `send` would leave out of the folders."""
    from swaddle.submitter.folder import look_into

    found: list[tuple[Path, bool]] = []
    left_out: list[LeftOut] = []
    for path in paths:
        if path.is_dir():
            folder = look_into(path, locate(None))
            found += [(folder.path / (member.path or member.name), True) for member in folder.members]
            left_out += folder.left_out
        else:
            found.append((path, False))
    return found, left_out


@click.command()
@click.argument("paths", nargs=-1, type=PATH)
@KIND
@MAPPING
@click.option("--wait", is_flag=True, help="Wait for the registry's receipt.")
@click.option("--timeout", default=900.0, show_default=True, help="Seconds that --wait waits at most.")
@click.option("--spool", is_flag=True, help="Keep a sealed copy until the receipt; once held, the file may be deleted.")
@HOME
@PASSPHRASE
@JSON
def send(
    paths: tuple[Path, ...],
    kind: str | None,
    mapping: Path | None,
    wait: bool,
    timeout: float,
    spool: bool,
    home: Path | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Seal and send PATHS, and whatever an earlier run left open or the gateway lost. Keep a file until its receipt.

    A folder is packed: what in it is new or changed since its last receipt goes as one transfer.
    """
    import gc
    from concurrent.futures import ThreadPoolExecutor

    gc.set_threshold(100_000)  # what imports and plans make is kept: looking it over for cycles only costs time
    begun = time.monotonic()
    with ThreadPoolExecutor(1) as pool:  # opening the keys takes a core's time, looking at the files another's
        looking = pool.submit(_look_at, paths, locate(home))
        party = _party(home, passphrase_fd)
        sources = looking.result()
    if mapping is not None:
        kind = _kept(mapping, party.home)
    from swaddle.submitter.send import send as send_files

    with progress() as tell:
        done = send_files(party, sources, kind, progress=tell, wait_s=timeout if wait else 0, spooled=spool)
    seconds = time.monotonic() - begun
    _tell(words.sent_json(done, seconds), as_json, words.sent(done, seconds))
    for one in done:
        if one.trouble is not None:
            click.echo(one.trouble.text(), err=True)
    sys.exit(words.exit_status(done))


def _kept(mapping: Path, home: Path) -> str:
    """The name of a mapping, which is kept in this home: the registry is told the name, and reads by its own copy."""
    from swaddle.intake import shelf

    own = home / shelf.FOLDER
    return shelf.put(own, shelf.settled(mapping, shelf.dictionaries(own))).name


def _look_at(paths: tuple[Path, ...], home: Path) -> list[Source | Folder]:
    from swaddle.submitter.send import look_at

    return [look_at(path, home) for path in paths]


@click.command()
@click.argument("transfer", required=False)
@HOME
@PASSPHRASE
@JSON
def status(transfer: str | None, home: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """Where my transfers are, and until when any copy lives; first the alerts that were opened here this week."""
    from swaddle.submitter.inbox import fresh_alerts
    from swaddle.submitter.status import status as status_of

    party = _party(home, passphrase_fd)
    with party.client() as client:
        lines, is_reachable = status_of(party, client, transfer)
    if not is_reachable:
        click.echo("the gateway does not answer: what follows is what is known here", err=True)
    alerts = words.alerts_json(fresh_alerts(party))
    _tell({"alerts": alerts, "transfers": lines}, as_json, words.status(lines, alerts))


@click.command()
@click.argument("transfer")
@click.option("--rejected", type=PATH, help="Write the rejected rows, with reasons, to this CSV.")
@LANGUAGE
@HOME
@PASSPHRASE
@JSON
def report(
    transfer: str,
    rejected: Path | None,
    language: Language,
    home: Path | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """The registry's quality report on TRANSFER, fetched and opened if it still waits."""
    from swaddle.errors import NotThere
    from swaddle.submitter.inbox import answer_to

    party = _party(home, passphrase_fd)
    with party.client() as client:
        folder = answer_to(party, client, transfer)
    answer = json.loads((folder / "report.json").read_bytes())
    if rejected is not None:
        if not (folder / "rejected.csv").exists():
            raise NotThere
        durable.write_file(rejected, (folder / "rejected.csv").read_bytes())
    page = folder / ("report-fr.html" if language == "fr" else "report.html")
    if not page.exists():  # it was issued before there was one in French
        page = folder / "report.html"
    told = report_words.report(answer, transfer, language=language)
    _tell(answer, as_json, f"{told}\n{report_words.SAID[language]['whole']}: {page}")


@click.command()
@HOME
@PASSPHRASE
@JSON
def inbox(home: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """What the registry has sent: what waits, and what was opened here."""
    from swaddle.submitter.inbox import about_of, received, waiting

    party = _party(home, passphrase_fd)
    with party.client() as client:
        here = [(one, about_of(party.home, one)) for one in received(party.home)]
        value = words.inbox_json(waiting(client), here)
    _tell(value, as_json, words.inbox(value))


@click.command()
@click.argument("transfer", required=False)
@click.option("--out", type=PATH, help="A folder that gets a copy of the files.")
@HOME
@PASSPHRASE
@JSON
def get(transfer: str | None, out: Path | None, home: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """Fetch TRANSFER, or all that waits; open it, keep its files in the home, and let the gateway destroy its copy.

    Of all that waits alerts come first, then the reports of months. --out then gets a folder for each.
    """
    from swaddle.submitter.inbox import folder_of, get_all
    from swaddle.submitter.inbox import get as fetch

    party = _party(home, passphrase_fd)
    with party.client() as client:
        if transfer is None:
            got, fault = get_all(party, client, out)
        else:
            one = fetch(party, client, transfer, out)
    if transfer is None:
        _tell(words.got_json(got), as_json, words.got(got))
        if fault is not None:
            raise fault
        return
    folder = out or folder_of(party.home, transfer)
    files = [str(folder / name) for name in one.files]
    value = {"id": one.transfer, "kind": one.kind, "in_reply_to": one.in_reply_to, "files": files}
    _tell(value, as_json, "\n".join(files))
