"""`swaddle doctor` in a submitter's home: looks, asks the gateway for its time, and changes nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from swaddle import checkup
from swaddle.checkup import LOOK, MEND, Finding, good, guarded
from swaddle.home import SETTINGS, Kind, open_home
from swaddle.submitter import settings
from swaddle.submitter.party import identity_path
from swaddle.submitter.trust import known_intake
from swaddle.wire.client import GatewayClient, utc_now


def examine(
    path: Path, environment: Mapping[str, str] = os.environ, clock: Callable[[], datetime] = utc_now
) -> list[Finding]:
    """Everything that can be seen of a submitter from its home, without its passphrase.

    Raises:
        HomeFault, SettingWrong: there is no submitter in it, or its settings cannot be used.
    """
    home = open_home(path, Kind.SUBMITTER)
    found = [*guarded("permissions", lambda: checkup.permissions(path)), *guarded("disk", lambda: checkup.disk(path))]
    if not (path / SETTINGS).exists():
        fix = "run `swaddle enrol INVITATION`"
        return [*found, Finding("enrolment", MEND, "this home is not enrolled", "it has taken up no invitation", fix)]
    read = settings.read(home.settings(), environment)
    return [
        good("settings", "settings.toml can be used"),
        *found,
        *guarded("keys", lambda: keys(path, read)),
        *guarded("enrolment", lambda: enrolment(path)),
        *guarded("intake", lambda: intake(path, clock().replace(microsecond=0))),
        *guarded("reading", reading),
        *guarded("clock", lambda: gateway(path, read, clock)),
    ]


def keys(path: Path, read: settings.Settings) -> Iterator[Finding]:
    """The key files are there, and the passphrase's file is its owner's alone."""
    missing = [name for name in ("signing", "sealing.json") if not (path / "keys" / name).exists()]
    if missing:
        fix = "restore the home from your backup, or enrol again"
        yield Finding("keys", MEND, "a key file is not there", ", ".join(missing), fix)
    elif read.passphrase_file and os.name != "nt":
        mode = Path(read.passphrase_file).stat().st_mode
        if mode & 0o077 or not stat.S_ISREG(mode):
            yield Finding("keys", MEND, "the passphrase file is refused", "others can read it", "run `chmod 600` on it")
        else:
            yield good("keys", "the key files are there, and a passphrase file that is its owner's alone")
    else:
        yield good("keys", "the key files are there")


def reading() -> Iterator[Finding]:
    """The wall around what reads files; only where `swaddle[check]` is installed, which alone reads any."""
    if find_spec("duckdb") is not None:
        from swaddle.intake.wall.standing import seen  # noqa: PLC0415  the check is an extra

        yield from seen()


def enrolment(path: Path) -> Iterator[Finding]:
    """The registry has said yes."""
    if identity_path(path).exists():
        yield good("enrolment", "the registry has enrolled this home")
    else:
        why, fix = "the registry has not answered yet", "run `swaddle enrol INVITATION` again; it goes on where it was"
        yield Finding("enrolment", MEND, "this home is not enrolled yet", why, fix)


def intake(path: Path, now: datetime) -> Iterator[Finding]:
    """The intake statement that was last seen; `send` fetches a newer one by itself."""
    known = known_intake(path)
    if known is None:
        yield good("intake", "none was fetched yet; `send` does")
    elif known.seal_until <= now:
        why = "the one last seen is over; `send` fetches a newer one"
        fix = "if `send` says the same, ask the registry: it publishes none"
        yield Finding("intake", LOOK, "no intake statement in force is known here", why, fix)
    else:
        yield from checkup.life("intake", "the intake statement", known.seal_until, now, timedelta(0), "")


def gateway(path: Path, read: settings.Settings, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """The gateway answers, shows its key, and its clock agrees with ours."""
    known = known_intake(path)
    further = known.gateway_pins if known and read.gateway_pin else ()
    pin = read.gateway_pin or None
    with GatewayClient(read.gateway_url, pin, None, further_pins=further, timeout_s=read.timeout_s) as client:
        theirs = client.get_time()
    yield good("gateway", "the gateway answers and shows the key that was told")
    yield from checkup.clock((clock() - theirs).total_seconds())
