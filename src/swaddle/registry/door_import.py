"""The list of partners that an old SFTP server had, as a CSV file: read strictly, row by row, before anything is done.

Pure. Columns `name`, `ssh_keys`, and if wanted `sites`, `mail`, `language`; several keys or sites in one cell stand on
lines of their own or between semicolons. What is wrong with a row is said with its line in the file, why, and what to
do; nothing of a file with a wrong row is imported.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from swaddle.errors import FileFault, UsageFault
from swaddle.registry.mail_texts import LANGUAGES, check_address
from swaddle.registry.state import Submitter, ssh_fingerprint

COLUMNS = ("name", "ssh_keys", "sites", "mail", "language")
LEAST_RSA_BITS = 2048
MOST_KEYS = 64
MOST_BYTES = 10 * 1024 * 1024
_SEPARATORS = re.compile(r"[;\r\n]+")
_BETWEEN_SITES = re.compile(r"[;\s]+")
_SITE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_KINDS = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")


class NoList(FileFault):
    """It is not a list of partners at all."""

    code = "SWD-REG-73"
    what = "this is not a list of partners"
    fix = f"a CSV file in UTF-8 whose first line names its columns: {', '.join(COLUMNS)}; the first two are needed"


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a row. It names a column, never a value."""

    line: int
    why: str
    fix: str


@dataclass(frozen=True)
class Row:
    """A partner as the file says; members that the file has no column for are None."""

    line: int
    name: str
    ssh_keys: tuple[str, ...]
    sites: tuple[str, ...] | None
    mail: str | None
    language: str | None


class KeyWrong(Exception):
    """An SSH key that the door cannot take: (why, fix)."""

    def __init__(self, why: str, fix: str) -> None:
        """Words of ours only."""
        super().__init__(why)
        self.why, self.fix = why, fix


def read(text: str) -> tuple[list[Row], list[Wrong]]:
    """The rows of a list and what is wrong with it, both in the order of the file.

    Raises:
        NoList: it has no header that names the columns, or it is no CSV.
    """
    if len(text) > MOST_BYTES or "\x00" in text:
        raise NoList("it is larger than 10 MiB, or no text")
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if unknown := set(names) - set(COLUMNS):
            raise NoList(f"{len(unknown)} of its columns has no name that is known here")
        if len(set(names)) != len(names) or not {"name", "ssh_keys"} <= set(names):
            raise NoList("its first line does not name the columns `name` and `ssh_keys`, each once")
        cells, begun = [], reader.line_num + 1
        for values in reader:
            if any(value.strip() for value in values):
                cells.append((begun, values))
            begun = reader.line_num + 1
    except csv.Error as error:
        raise NoList("a quotation mark is not closed, or a cell is too long") from error
    rows: list[Row] = []
    wrong: list[Wrong] = []
    for line, values in cells:
        if len(values) != len(names):
            wrong.append(Wrong(line, f"it has {len(values)} cells, the header {len(names)}", "quote cells with commas"))
            continue
        row, faults = _row(line, dict(zip(names, values, strict=True)))
        wrong += faults
        if row is not None:
            rows.append(row)
    return rows, wrong + _among(rows)


def against(rows: Sequence[Row], known: Sequence[Submitter]) -> list[Wrong]:
    """What is wrong with rows because of who is enrolled already."""
    by_name = {each.name: each for each in known}
    owners = {ssh_fingerprint(key): each.name for each in known for key in each.ssh_keys}
    wrong = []
    for row in rows:
        submitter = by_name.get(row.name)
        if submitter is not None and submitter.state in {"revoked", "revoking"}:
            fix = "take the row out; to let it in again, `swaddle registry invite` comes first"
            wrong.append(Wrong(row.line, "this partner was revoked", fix))
        taken = {owners.get(ssh_fingerprint(key)) for key in row.ssh_keys} - {None, row.name}
        if taken:
            fix = "each partner needs a key of its own; one that changes hands is first taken from the other"
            wrong.append(Wrong(row.line, "an SSH key is another partner's already", fix))
    return wrong


def ssh_key(text: str) -> str:
    """The key of a line as `authorized_keys` or a `.pub` file has it: its type and base64, without the comment.

    Raises:
        KeyWrong: the door cannot take it.
    """
    words = text.split()
    if not words or words[0] not in _KINDS:
        raise _not_taken(words)
    if len(words) < 2:
        raise KeyWrong("an SSH key is cut short", "copy the whole line of the partner's .pub file")
    line = f"{words[0]} {words[1]}"
    try:
        key = load_ssh_public_key(line.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm, UnicodeEncodeError):
        raise KeyWrong("an SSH key is cut short or changed", "copy the whole line of the partner's .pub file") from None
    if isinstance(key, RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        fix = "the partner makes a new key: ssh-keygen -t ed25519"
        raise KeyWrong(f"an RSA key has fewer than {LEAST_RSA_BITS} bits", fix)
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey):
        raise _not_taken(words)
    return line


def _not_taken(words: Sequence[str]) -> KeyWrong:
    kind = words[0] if words else ""
    if kind.startswith("ssh-dss"):
        return KeyWrong("a DSA key is not taken", "the partner makes a new key: ssh-keygen -t ed25519")
    if kind.startswith("sk-"):
        return KeyWrong("a security key asks for a touch, which no timer job gives", "another key for the job")
    if "-cert-" in kind:
        return KeyWrong("a certificate is not a key", "give the public key itself, the .pub file without -cert")
    if any(word in _KINDS for word in words):
        fix = "leave the options out; the door gives one submitter's files to one key and nothing else"
        return KeyWrong("there are options before an SSH key", fix)
    return KeyWrong("an SSH key has no type that is known", f"one of {', '.join(_KINDS)}, then its base64")


def _row(line: int, cells: Mapping[str, str]) -> tuple[Row | None, list[Wrong]]:
    wrong = []
    name = cells["name"].strip()
    if not _NAME.fullmatch(name):
        wrong.append(Wrong(line, "`name` is empty, too long or holds a control character", "1 to 100 letters"))
    keys = []
    for text in filter(str.strip, _SEPARATORS.split(cells["ssh_keys"])):
        try:
            keys.append(ssh_key(text))
        except KeyWrong as error:
            wrong.append(Wrong(line, error.why, error.fix))
    if not keys and not wrong:
        wrong.append(Wrong(line, "`ssh_keys` is empty", "the partner's public key, a line of its authorized_keys file"))
    if len(keys) > MOST_KEYS:
        wrong.append(Wrong(line, f"it has more than {MOST_KEYS} SSH keys", "leave out those that are not used"))
    sites = None
    if "sites" in cells:
        sites = tuple(filter(None, _BETWEEN_SITES.split(cells["sites"].strip())))
        if not all(_SITE.fullmatch(site) for site in sites):
            wrong.append(Wrong(line, "`sites` holds something that is no site id", "ids between semicolons"))
    mail = cells["mail"].strip() or None if "mail" in cells else None
    try:
        mail = None if mail is None else check_address(mail)
    except UsageFault:
        wrong.append(Wrong(line, "`mail` is not one mail address", "one plain address: name@host"))
    language = cells.get("language", "").strip().lower() or None
    if language is not None and language not in LANGUAGES:
        wrong.append(Wrong(line, "there are no texts in this `language`", f"one of {', '.join(LANGUAGES)}, or nothing"))
    return None if wrong else Row(line, name, tuple(dict.fromkeys(keys)), sites, mail, language), wrong


def _among(rows: Sequence[Row]) -> list[Wrong]:
    """What is wrong with rows because of one another."""
    names: dict[str, int] = {}
    keys: dict[str, tuple[str, int]] = {}
    wrong = []
    for row in rows:
        if row.name in names:
            fix = "one row a partner; several keys go into one cell, between semicolons"
            wrong.append(Wrong(row.line, f"the same name stands on line {names[row.name]}", fix))
        names.setdefault(row.name, row.line)
        for key in row.ssh_keys:
            owner, line = keys.setdefault(key, (row.name, row.line))
            if owner != row.name:
                fix = "each partner needs a key of its own: the key alone says who it is"
                wrong.append(Wrong(row.line, f"an SSH key of it is the one of line {line} too", fix))
    return wrong
