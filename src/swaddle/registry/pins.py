"""Which TLS keys the gateway may show: the pin of the claim, then those that its signed journal announced.

The next key's pin goes into the intake statement beside the present one, 30 days and more before it is shown; when it
is shown, it stands there alone. Without a pin of the claim a public authority vouches for the gateway: none is kept.
"""

from __future__ import annotations

import base64

from swaddle.canonical import parse_canonical
from swaddle.envelope.signature import Signed
from swaddle.registry.settings import Settings
from swaddle.registry.state import State
from swaddle.wire.messages import JournalEntry

_PRESENT = "gateway_pin"
_NEXT = "gateway_next_pin"


def note(state: State, entry: JournalEntry) -> None:
    """Keep what a journal entry, its chain and signature checked, says of the gateway's TLS keys."""
    if entry.event == "next-tls-key":
        state.set_facts(**{_NEXT: _pin(entry.subject)})
    elif entry.event == "tls-key":
        state.set_facts(**{_PRESENT: _pin(entry.subject), _NEXT: ""})


def known(state: State, settings: Settings) -> tuple[str, ...]:
    """The pins of the present key and of the announced one; none where a public authority vouches for it."""
    if not settings.gateway_pin:
        return ()
    present = state.fact(_PRESENT) or settings.gateway_pin
    following = state.fact(_NEXT)
    return (present, following) if following else (present,)


def are_published(state: State, settings: Settings, intake: Signed | None) -> bool:
    """Whether the intake statement that is handed out names exactly these."""
    return intake is not None and tuple(parse_canonical(intake.message)["gateway_pins"]) == known(state, settings)


def _pin(digest: str) -> str:
    return base64.b64encode(bytes.fromhex(digest)).decode("ascii")
