"""Where a party keeps its state: one folder, one kind of party, one settings file.

A home is a gateway's, a registry's or a submitter's, never two. It is `--home DIR`, else `$SWADDLE_HOME`, else the
platform's usual place.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from swaddle import durable
from swaddle.canonical import NotCanonical, canonical, parse_canonical
from swaddle.errors import SettingsFault

MARK = "home.json"
SETTINGS = "settings.toml"


class Kind(Enum):
    """Whose home it is."""

    GATEWAY = "gateway"
    REGISTRY = "registry"
    SUBMITTER = "submitter"
    DOOR = "door"


class HomeFault(SettingsFault):
    """There is no such home, or it is another party's."""

    code = "SWD-HOME-01"
    what = "this folder cannot be used as a home"
    fix = "name the right folder with --home, or make one with `init` or `enrol`"


class SettingsUnreadable(SettingsFault):
    """settings.toml is not TOML or not of the expected form."""

    code = "SWD-HOME-02"
    what = "settings.toml cannot be read"
    fix = "mend the file; docs/settings.md lists every setting"


@dataclass(frozen=True)
class Home:
    """A party's folder, known to be of the right kind."""

    path: Path
    kind: Kind

    def settings(self) -> dict[str, Any]:
        """What settings.toml says; empty where there is none.

        Raises:
            SettingsUnreadable: it is not TOML.
        """
        try:
            return tomllib.loads((self.path / SETTINGS).read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise SettingsUnreadable("it is not readable TOML") from error


def locate(explicit: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder to use: `--home`, else `$SWADDLE_HOME`, else the platform's usual place."""
    if explicit is not None:
        return explicit
    if named := environment.get("SWADDLE_HOME"):
        return Path(named)
    if os.name == "nt":
        return Path(environment.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "swaddle"
    return Path(environment.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "swaddle"


def create(path: Path, kind: Kind) -> Home:
    """Make `path` a home of `kind`; making it again is fine, and so is what a call killed in its first write left.

    Raises:
        HomeFault: it is another party's home, or a folder with other things in it.
    """
    mark = path / MARK
    if mark.exists():
        return open_home(path, kind)
    if path.exists() and any(not durable.is_leftover(found) for found in path.iterdir()):
        raise HomeFault("it holds other things")
    durable.make_folder(path)
    durable.write_file(mark, canonical({"swaddle-home": 1, "kind": kind.value}))
    return Home(path, kind)


def kind_of(path: Path) -> Kind:
    """Whose home `path` is.

    Raises:
        HomeFault: nobody's.
    """
    try:
        return Kind(parse_canonical((path / MARK).read_bytes()).get("kind"))
    except (OSError, NotCanonical, ValueError) as error:
        raise HomeFault("there is no home in it") from error


def open_home(path: Path, kind: Kind) -> Home:
    """The home at `path`, if it is one of `kind`.

    Raises:
        HomeFault: there is none, or it is another party's.
    """
    try:
        found = parse_canonical((path / MARK).read_bytes())
    except (OSError, NotCanonical) as error:
        raise HomeFault(f"there is no {kind.value}'s home in it") from error
    if found.get("kind") != kind.value:
        raise HomeFault(f"it is not a {kind.value}'s home")
    return Home(path, kind)
