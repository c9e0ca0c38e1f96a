"""`swaddle doctor` in the SFTP door's home: looks and changes nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from swaddle import checkup
from swaddle.checkup import LOOK, MEND, Finding, good, guarded
from swaddle.envelope.signature import SigningKey
from swaddle.gateway.doctor import door
from swaddle.gateway.sftp_home import DOOR_KEY, HOST_KEY, PREFIX, Settings
from swaddle.home import Kind, open_home
from swaddle.settings import stated


def examine(path: Path, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """Everything that can be seen of a door from its home.

    Raises:
        HomeFault, SettingWrong: there is no door in it, or its settings cannot be used.
    """
    home = open_home(path, Kind.DOOR)
    names = [one.name for one in fields(Settings)]
    read = Settings(**stated(Settings, home.settings(), environment, PREFIX, names))
    return [
        good("settings", "settings.toml can be used"),
        *guarded("permissions", lambda: checkup.permissions(path)),
        *guarded("disk", lambda: checkup.disk(path)),
        *guarded("keys", lambda: keys(path)),
        *guarded("door", lambda: door(read.socket)),
        *guarded("listening", lambda: listening(read)),
    ]


def keys(path: Path) -> Iterator[Finding]:
    """Both keys can be read."""
    for name in (DOOR_KEY, HOST_KEY):
        SigningKey.load((path / name).read_bytes())
    yield good("keys", "the door key and the SSH host key can be read")


def listening(read: Settings) -> Iterator[Finding]:
    """An SSH server answers at the door's port."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(read.host, read.host)  # noqa: S104 - compared, not bound
    try:
        with socket.create_connection((host, read.port), timeout=2) as probe:
            probe.settimeout(2)
            is_ssh = probe.recv(8).startswith(b"SSH-2.0-")
    except OSError:
        yield Finding("listening", LOOK, "the door does not run", "nothing answers at its port", "start it")
        return
    if is_ssh:
        yield good("listening", "the door takes connections")
    else:
        fix = "stop the other program, or change `port`"
        yield Finding("listening", MEND, "another program answers at the door's port", "it does not speak SSH", fix)
