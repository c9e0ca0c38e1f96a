"""The door's own home: its two keys and its settings. Another process and another user than the gateway's.

`door.key` signs the manifests of what comes through; `host.key` is what clients keep in their known_hosts. Whoever has
the first can send the registry files in a partner's name; it opens nothing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from swaddle import durable
from swaddle.envelope.signature import SigningKey
from swaddle.gateway.sftp_names import NameRefused, canonical_path, is_answer
from swaddle.home import SETTINGS, Home, Kind, create
from swaddle.settings import SettingWrong, as_toml, stated

PREFIX = "SWADDLE_DOOR_"
DOOR_KEY = "door.key"
HOST_KEY = "host.key"
_PATTERN = re.compile(r"[A-Za-z0-9._*?-]{1,64}")


def _bounded(default: int, least: int, most: int) -> Any:
    return field(default=default, metadata={"least": least, "most": most})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One frozen object per process; docs/settings-door.md says what each is."""

    socket: str
    host: str = "127.0.0.1"
    port: int = _bounded(2222, 0, 65_535)
    folders: str = ""
    temporary_names: str = ""
    connections: int = _bounded(64, 1, 4096)
    connections_each: int = _bounded(8, 1, 4096)
    files: int = _bounded(64, 1, 1024)
    files_each: int = _bounded(16, 1, 1024)
    names_each: int = _bounded(10_000, 1, 1_000_000)
    resume_seconds: int = _bounded(600, 0, 600)
    login_seconds: int = _bounded(30, 1, 600)
    idle_seconds: int = _bounded(300, 1, 86_400)
    slowest_bytes_per_second: int = _bounded(1024, 0, 2**30)
    drain_seconds: int = _bounded(60, 0, 3600)

    def __post_init__(self) -> None:
        """Refuse what is out of bounds.

        Raises:
            SettingWrong: naming the setting, never its value.
        """
        for one in fields(self):
            least, most = one.metadata.get("least"), one.metadata.get("most")
            if least is not None and not least <= getattr(self, one.name) <= most:
                raise SettingWrong(f"must be from {least} to {most}", name=one.name)
        if not Path(self.socket).is_absolute():
            raise SettingWrong("must be the absolute path of the gateway's door socket", name="socket")
        if any(not _PATTERN.fullmatch(pattern) for pattern in self.working_names):
            raise SettingWrong("is not a list of plain patterns with `*` and `?`", name="temporary_names")
        _ = self.folder_paths

    @property
    def folder_paths(self) -> frozenset[str]:
        """The folders that are shown to exist, with those that they lie in."""
        found: set[str] = set()
        for name in self.folders.split():
            try:
                path = canonical_path(name.encode())
            except NameRefused:
                raise SettingWrong("is not a list of folders", name="folders") from None
            if is_answer(path) or path == "/":
                raise SettingWrong("names a folder that the door has itself", name="folders")
            steps = path.strip("/").split("/")
            found |= {"/" + "/".join(steps[: n + 1]) for n in range(len(steps))}
        return frozenset(found)

    @property
    def working_names(self) -> tuple[str, ...]:
        """The operator's further patterns of names that are only for the time being."""
        return tuple(self.temporary_names.split())


@dataclass(frozen=True)
class Door:
    """The door's home, opened."""

    home: Home
    settings: Settings
    door_key: SigningKey
    host_key: SigningKey


def open_door(path: Path, given: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Door:
    """The door's home at `path`, made if there is none.

    Args:
        path: the folder.
        given: settings from the command line; where the home is new they are written down.
        environment: `SWADDLE_DOOR_*` goes over the file, `given` over both.

    Raises:
        HomeFault: it is another party's.
        SettingWrong: a setting is missing or cannot be used.
        KeyFileUnreadable: a key is broken.
    """
    home = create(path, Kind.DOOR)
    names = [one.name for one in fields(Settings)]
    merged = {**home.settings(), **given}
    settings = Settings(**stated(Settings, merged, environment, PREFIX, [name for name in names if name not in given]))
    for name in (DOOR_KEY, HOST_KEY):
        if not (path / name).exists():
            durable.write_file(path / name, SigningKey.generate().to_openssh())
    if not (path / SETTINGS).exists():
        durable.write_file(path / SETTINGS, as_toml(Settings(**{"socket": settings.socket, **given})).encode())
    keys = [SigningKey.load((path / name).read_bytes()) for name in (DOOR_KEY, HOST_KEY)]
    return Door(home, settings, *keys)


@dataclass
class Pinned:
    """Which root the door believes, and the newest intake statement it saw: never another, never an older one."""

    path: Path
    root: str | None = None
    sequence: int = 0

    @classmethod
    def read(cls, home: Home) -> Pinned:
        """What is written down in the home; nothing yet at first."""
        path = home.path / "trust.json"
        if not path.exists():
            return cls(path)
        value = json.loads(path.read_bytes())
        return cls(path, str(value["root"]), int(value["sequence"]))

    def keep(self, root: str, sequence: int) -> None:
        """Write down what was verified."""
        if (root, sequence) != (self.root, self.sequence):
            durable.write_file(self.path, json.dumps({"root": root, "sequence": sequence}).encode())
            self.root, self.sequence = root, sequence
