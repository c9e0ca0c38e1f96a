"""How the gateway says no: a problem type of docs/spec/transfer.md section 2, and nothing of what came.

Not an error for a person: the client turns the type into one.
"""

from __future__ import annotations

from datetime import datetime

from swaddle.canonical import format_instant
from swaddle.wire.messages import PROBLEM_PREFIX, PROBLEMS, Problem


class Refusal(Exception):
    """A request that is refused.

    Attributes:
        name: the problem type.
        keep: what was written before the refusal stays (a freeze); otherwise it is rolled back.
    """

    def __init__(
        self,
        name: str,
        *,
        state: str | None = None,
        until: datetime | None = None,
        reason: str | None = None,
        server_time: datetime | None = None,
        keep: bool = False,
    ) -> None:
        """Only words of ours, states and instants go out."""
        super().__init__(name)
        self.name = name
        self.keep = keep
        self._state, self._reason = state, reason
        self._until, self._server_time = until, server_time

    @property
    def status(self) -> int:
        """The HTTP status."""
        return PROBLEMS[self.name][0]

    def problem(self) -> Problem:
        """The body (RFC 9457)."""
        status, title = PROBLEMS[self.name]
        return Problem(
            type=PROBLEM_PREFIX + self.name,
            title=title,
            status=status,
            state=self._state,
            reason=self._reason,
            until=None if self._until is None else format_instant(self._until),
            server_time=None if self._server_time is None else format_instant(self._server_time),
        )
