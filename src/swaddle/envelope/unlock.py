"""Where the passphrase of the key files comes from: never from an argument, never from the environment.

In this order: a file descriptor, the platform's credential folder (systemd), a file that only its owner can read (on
Windows a DPAPI blob), a prompt where there is a terminal. docs/spec/envelope.md, section 8.
"""

from __future__ import annotations

import getpass
import os
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from swaddle.envelope import dpapi
from swaddle.envelope.positioned import BINARY
from swaddle.envelope.refusals import PassphraseFileOpen, PassphraseMissing

CREDENTIAL = "swaddle-passphrase"
SETTING = "passphrase_file"
_LIMIT_BYTES = 4_096


def passphrase(
    settings: Mapping[str, Any],
    *,
    fd: int | None,
    environment: Mapping[str, str],
    terminal: bool,
    confirm: bool = False,
    ask: Callable[[str], str] = getpass.getpass,
) -> bytes:
    """The passphrase, from the first source that is there.

    Args:
        settings: of this home; `passphrase_file` names a file.
        fd: what `--passphrase-fd` gave.
        environment: for `$CREDENTIALS_DIRECTORY` only, which names a folder.
        terminal: whether somebody can be asked.
        confirm: ask twice, for a passphrase that is being chosen.
        ask: asks without showing what is typed.

    Raises:
        PassphraseMissing: no source has one, or the source that is there is empty.
        PassphraseFileOpen: others can read or change the file.
    """
    if fd is not None:
        return _clean(_read_descriptor(fd), "the descriptor gave nothing")
    if (credential := _credential(environment)) is not None:
        return _clean(credential, "the credential is empty")
    if named := settings.get(SETTING):
        return _clean(_read_owned(Path(str(named))), "the passphrase file is empty")
    if terminal:
        return _prompt(ask, confirm=confirm)
    raise PassphraseMissing("nothing gave one, and there is no terminal to ask at")


def secret(credential: str, named: str, environment: Mapping[str, str]) -> bytes:
    """Another secret of a service, as a mail server's password: its credential, else a file that only its owner reads.

    Args:
        credential: its name in `$CREDENTIALS_DIRECTORY`.
        named: the file's path by the settings; may be empty.
        environment: for `$CREDENTIALS_DIRECTORY` only.

    Raises:
        PassphraseMissing: neither is there, or what is there is empty.
        PassphraseFileOpen: others can read or change the file.
    """
    if (found := _credential(environment, credential)) is not None:
        return _clean(found, "the credential is empty")
    if named:
        return _clean(_read_owned(Path(named)), "the file is empty")
    raise PassphraseMissing("neither a credential nor a file gives it")


def _credential(environment: Mapping[str, str], name: str = CREDENTIAL) -> bytes | None:
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return None
    try:
        with (Path(folder) / name).open("rb") as file:
            return file.read(_LIMIT_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PassphraseMissing("the credential cannot be read") from error


def _read_owned(path: Path) -> bytes:
    """The file's bytes, if its owner alone can read it; judged on the open file, so that it cannot be exchanged."""
    try:
        descriptor = os.open(path, os.O_RDONLY | BINARY)
    except OSError as error:
        raise PassphraseMissing("the passphrase file cannot be opened") from error
    try:
        if sys.platform == "win32":
            return dpapi.unprotect(_read_descriptor(descriptor))
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077 or found.st_uid not in {os.geteuid(), 0}:
            raise PassphraseFileOpen
        return _read_descriptor(descriptor)
    finally:
        os.close(descriptor)


def _read_descriptor(fd: int) -> bytes:
    """Everything that a descriptor gives, up to the limit."""
    pieces = b""
    try:
        while len(pieces) <= _LIMIT_BYTES and (piece := os.read(fd, _LIMIT_BYTES + 1 - len(pieces))):
            pieces += piece
    except OSError as error:
        raise PassphraseMissing("the descriptor cannot be read") from error
    return pieces


def _prompt(ask: Callable[[str], str], *, confirm: bool) -> bytes:
    try:
        first = ask("Passphrase of the key files: ")
        if confirm and ask("The same again: ") != first:
            raise PassphraseMissing("the two were not the same")
    except EOFError:
        raise PassphraseMissing("nothing was typed") from None
    return _clean(first.encode("utf-8", "surrogateescape"), "nothing was typed")


def _clean(data: bytes, reason: str) -> bytes:
    """Without the newline at its end."""
    if len(data) > _LIMIT_BYTES:
        raise PassphraseMissing("what was given is too long to be a passphrase")
    found = data.removesuffix(b"\n").removesuffix(b"\r")
    if not found:
        raise PassphraseMissing(reason)
    return found
