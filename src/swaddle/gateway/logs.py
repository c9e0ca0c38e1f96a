"""The gateway's log: on stderr, as text or as JSON; a kind of thing and its place in our code, never whose it was.

There is no access log. Texts given to the logger are constants of ours and counts; an exception's message, an id, an
address or a name never is one (house rule 5; a test sends all of them and searches).
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

NAME = "swaddle.gateway"


class JsonLines(logging.Formatter):
    """One JSON object on a line: at, level, event."""

    def format(self, record: logging.LogRecord) -> str:
        """The record without anything that it did not say on purpose: no traceback, no arguments."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return json.dumps({"at": at, "level": record.levelname.lower(), "event": record.getMessage()})


class TextLines(logging.Formatter):
    """`gateway: what happened`."""

    def format(self, record: logging.LogRecord) -> str:
        """Likewise."""
        return f"gateway: {record.getMessage()}"


def begin(form: str) -> None:
    """Send the gateway's log to stderr; as JSON everything, as text what somebody should look at."""
    logger = logging.getLogger(NAME)
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    for old in list(logger.handlers):
        logger.removeHandler(old)
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.INFO if form == "json" else logging.WARNING)
