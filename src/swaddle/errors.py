"""Every error that Swaddle raises on purpose: what happened, why, and what to do.

The tree splits first by whose fault it is, then by what a script does about it (its exit status):

    SwaddleError
    ├── Theirs                       what came from outside, or somebody else's state
    │   ├── NotPermitted       4     the other side does not let us
    │   ├── NetworkFault       5     nothing lost; run it again
    │   ├── FileFault          6     a file failed checking
    │   ├── NotThere           9     expired, destroyed, unknown or not yours
    │   └── NotCollecting     10     the gateway is frozen or takes nothing: keep your file
    ├── Ours                         this side's use or settings
    │   ├── UsageFault         2     the command was not understood
    │   └── SettingsFault      3     a setting, a home, a passphrase, a clock
    └── Fatal                        must not go on
        ├── IntegrityFault     8     a key, signature or digest does not hold
        └── OurBug             1     this should not have happened

Rooms subclass these next to their code, each with a `code` of its own (`SWD-ROOM-NN`); docs/errors.md lists them all
and a test compares. Text is built from class templates and facts given by keyword; a fact is never a person's value, a
file name or a key (house rule 5).
"""

from __future__ import annotations

from typing import ClassVar


class SwaddleError(Exception):
    """An error for a person: three lines (what, why, fix), a code for programs, an exit status for scripts.

    Attributes:
        code: `SWD-ROOM-NN`, stable, one per class.
        exit_status: what a command that meets it returns (docs/commands).
        what, why, fix: templates filled from the facts given by keyword.
    """

    code: ClassVar[str] = "SWD-000"
    exit_status: ClassVar[int] = 1
    what: ClassVar[str] = "something went wrong"
    why: ClassVar[str] = "{reason}"
    fix: ClassVar[str] = "nothing was lost; report this with the code above"

    def __init__(self, reason: str = "", **facts: object) -> None:
        """Keep the facts that fill the templates; `reason` is the one most errors need."""
        self.facts: dict[str, object] = {"reason": reason or "no further reason is known", **facts}
        super().__init__(self.text())

    def lines(self) -> tuple[str, str, str]:
        """What, why and fix, each one line."""
        return (
            f"{self.what.format(**self.facts)} ({self.code})",
            self.why.format(**self.facts),
            self.fix.format(**self.facts),
        )

    def text(self) -> str:
        """The three lines as a person reads them."""
        what, why, fix = self.lines()
        return f"{what}\n  why: {why}\n  fix: {fix}"


class Theirs(SwaddleError):
    """What came from outside, or somebody else's state."""


class NotPermitted(Theirs):
    """The other side does not let us do this."""

    code = "SWD-NET-04"
    exit_status = 4
    what = "not permitted"
    fix = "ask the registry whether this key is still enrolled"


class NetworkFault(Theirs):
    """The other side was not reached or did not answer as agreed; running again is safe."""

    code = "SWD-NET-05"
    exit_status = 5
    what = "the gateway could not be reached or did not answer properly"
    fix = "run the same command again; what was already sent is kept"


class FileFault(Theirs):
    """A file failed checking."""

    code = "SWD-FILE-06"
    exit_status = 6
    what = "this file cannot be taken"
    fix = "mend the file and try again"


class NotThere(Theirs):
    """Expired, destroyed, unknown or not yours: strangers see one text."""

    code = "SWD-NET-09"
    exit_status = 9
    what = "not there"
    why = "it has expired, was destroyed, was never there, or is not yours"
    fix = "`swaddle status` lists what is yours"


class NotCollecting(Theirs):
    """The gateway is frozen or takes nothing at the moment."""

    code = "SWD-NET-10"
    exit_status = 10
    what = "reading is frozen on the gateway"
    fix = "keep your files; the registry must release the freeze"


class Ours(SwaddleError):
    """This side's use or settings."""


class UsageFault(Ours):
    """The command was not understood."""

    code = "SWD-USE-02"
    exit_status = 2
    what = "this command cannot be run so"
    fix = "see the command with --help"


class SettingsFault(Ours):
    """A setting, a home, a passphrase or a clock."""

    code = "SWD-SET-03"
    exit_status = 3
    what = "the settings do not allow this"
    fix = "correct the setting and run again"


class Fatal(SwaddleError):
    """Must not go on."""


class IntegrityFault(Fatal):
    """A key, a signature or a digest does not hold."""

    code = "SWD-KEY-08"
    exit_status = 8
    what = "an integrity check failed"
    fix = "do not use what came; ask the sender to send it again"


class OurBug(Fatal):
    """This should not have happened."""

    code = "SWD-BUG-01"
    exit_status = 1
    what = "Swaddle has a fault"
