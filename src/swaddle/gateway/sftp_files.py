"""What a client may do with its files at the door, and when a file is whole: one table. Pure.

    coming    a handle is open on it
    laid      closed under a name that its client will change; whole, as far as the client knows
    broken    the line was cut while a handle was open: for ten minutes it may be gone on with
    closing   its last bytes are sealed and it is offered to the gateway
    taken     held by the gateway; nothing of it can be changed any more
    gone      removed, refused or lapsed; what was sealed of it is destroyed

The client is answered "done" for a final name only when the file is `taken`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from swaddle.gateway.sftp_names import ANSWERS, ROOT, Sort, is_answer
from swaddle.gateway.sftp_packets import Flag, Status


class State(Enum):
    """Where a file is in its short life at the door."""

    COMING = "coming"
    LAID = "laid"
    BROKEN = "broken"
    CLOSING = "closing"
    TAKEN = "taken"
    GONE = "gone"


class Event(Enum):
    """What happens to it."""

    OPEN = "open"
    CLOSE_FINAL = "closed under its final name"
    CLOSE_OTHER = "closed under a name for the time being"
    CUT = "the line was cut"
    RENAME_FINAL = "renamed to its final name"
    SETTLE = "the session ended, and the name was only a script's"
    HELD = "the gateway holds it"
    REMOVE = "removed"
    LAPSE = "ten minutes are over"
    FAIL = "something went wrong"


TABLE: dict[tuple[State, Event], State] = {
    (State.COMING, Event.OPEN): State.COMING,  # a newer session of the same key goes on with it
    (State.LAID, Event.OPEN): State.COMING,
    (State.BROKEN, Event.OPEN): State.COMING,
    (State.COMING, Event.CLOSE_FINAL): State.CLOSING,
    (State.COMING, Event.CLOSE_OTHER): State.LAID,
    (State.COMING, Event.CUT): State.BROKEN,
    (State.LAID, Event.RENAME_FINAL): State.CLOSING,
    (State.LAID, Event.SETTLE): State.CLOSING,
    (State.CLOSING, Event.HELD): State.TAKEN,
    (State.CLOSING, Event.FAIL): State.GONE,
    (State.COMING, Event.REMOVE): State.GONE,
    (State.LAID, Event.REMOVE): State.GONE,
    (State.BROKEN, Event.REMOVE): State.GONE,
    (State.LAID, Event.LAPSE): State.GONE,
    (State.BROKEN, Event.LAPSE): State.GONE,
    (State.COMING, Event.FAIL): State.GONE,
    (State.LAID, Event.FAIL): State.GONE,
    (State.BROKEN, Event.FAIL): State.GONE,
}


class Refused(Exception):
    """What the client asked is not done; `words` may be shown to it, and never hold a name."""

    def __init__(self, words: str, code: Status = Status.FAILURE) -> None:
        """Refuse with a status of the protocol and a sentence."""
        super().__init__(words)
        self.words = words
        self.code = code


def after(state: State, event: Event) -> State:
    """The state behind an event.

    Raises:
        Refused: the table does not have it.
    """
    found = TABLE.get((state, event))
    if found is None:
        raise Refused("this file is taken, or just being taken, and cannot be changed")
    return found


class Opening(Enum):
    """What opening a file for writing comes to."""

    NEW = "new"
    AGAIN = "again"  # what came of it before is thrown away
    RESUME = "resume"  # it goes on where it was


@dataclass(frozen=True)
class Known:
    """What the session knows under a name."""

    state: State
    is_open_here: bool


def opening(path: str, flags: int, known: Known | None, folders: Collection[str]) -> Opening:
    """Whether, and how, `path` may be opened for writing.

    Raises:
        Refused: reading, writing under `answers/`, onto a folder, onto a file that was taken, or twice at once.
    """
    if not flags & Flag.WRITE:
        code = Status.PERMISSION_DENIED if known else Status.NO_SUCH_FILE
        raise Refused("this door takes files and gives none back; answers are under answers/", code)
    if path in folders or is_answer(path) or path == ROOT:
        raise Refused("this name is a folder, or lies under answers/", Status.PERMISSION_DENIED)
    if known is None:
        if not flags & Flag.CREATE:
            raise Refused("there is no such file", Status.NO_SUCH_FILE)
        return Opening.NEW
    if known.state is State.TAKEN:
        raise Refused(
            "a file of this name was taken in this session; nothing is replaced here, send under another name"
        )
    if flags & Flag.EXCLUSIVE:
        raise Refused("there is a file of this name")
    if known.is_open_here:
        raise Refused("this file is open already")
    after(known.state, Event.OPEN)
    return Opening.AGAIN if flags & Flag.TRUNCATE else Opening.RESUME


def closing(sort: Sort) -> Event:
    """What closing a file of such a name is."""
    return Event.CLOSE_FINAL if sort is Sort.FINAL else Event.CLOSE_OTHER


def renaming(known: Known | None, new: str, new_is_known: bool, sort: Sort, folders: Collection[str]) -> Event | None:
    """What renaming a file comes to: an event, or None when only its name changes.

    Raises:
        Refused: there is no such file, it was taken, or the new name is in use; onto an existing name, never.
    """
    if known is None:
        raise Refused("there is no such file", Status.NO_SUCH_FILE)
    if known.state in {State.CLOSING, State.TAKEN}:
        raise Refused("this file was taken when it was closed; it keeps the name it had")
    if new_is_known or new in folders or is_answer(new) or new == ROOT:
        raise Refused("there is something of that name; nothing is replaced here")
    if known.state is State.LAID and sort is Sort.FINAL:
        return Event.RENAME_FINAL
    return None


def settling(state: State, sort: Sort) -> bool:
    """Whether a file that lies there when its session ends is taken as it is.

    A script that puts `x.tmp` and never renames it was told that all went well: then all must have gone well. A client
    whose own mark the name bears renames whatever is whole: what it left is not.
    """
    return state is State.LAID and sort is Sort.PASSING


def is_folder(path: str, folders: Collection[str]) -> bool:
    """Whether a path is shown as a folder."""
    return path in {ROOT, ANSWERS} or path in folders
