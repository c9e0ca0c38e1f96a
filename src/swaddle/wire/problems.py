"""What the client raises: each problem type of the gateway, and each way in which an answer is no answer.

Pure. A gateway may be hacked, so nothing it says is passed on as it came: a reason is shown only when it consists of
plain words, a time only when it reads as a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from swaddle.canonical import NotCanonical, format_instant, parse_instant
from swaddle.errors import IntegrityFault, NetworkFault, NotCollecting, NotPermitted, NotThere, SettingsFault, Theirs
from swaddle.wire.messages import PROBLEM_PREFIX, Garbled

_PLAIN_WORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,.'-]{0,119}")


class Unreachable(NetworkFault):
    """No connection, or it broke."""

    code = "SWD-CLIENT-01"
    what = "the gateway could not be reached"


class TooSlow(NetworkFault):
    """The answer did not come in time."""

    code = "SWD-CLIENT-02"
    what = "the gateway is too slow"
    why = "an answer did not come within {seconds} seconds"


class Redirected(NetworkFault):
    """The gateway wants us elsewhere; we do not follow."""

    code = "SWD-CLIENT-04"
    what = "the gateway's address redirects elsewhere"
    why = "Swaddle never follows a redirect: it would send data to an address that nobody vouched for"
    fix = "check the address; a captive portal or a proxy may answer in the gateway's place"


class WrongPin(IntegrityFault):
    """The other end has another TLS key than the invitation says."""

    code = "SWD-CLIENT-05"
    what = "this is not the gateway that the invitation names"
    why = "its TLS key is another one than the pin says"
    fix = "do not go on; ask the registry by phone whether its gateway has a new key"


class WrongCertificate(IntegrityFault):
    """The TLS certificate does not hold."""

    code = "SWD-CLIENT-06"
    what = "the gateway's certificate does not hold"
    fix = "ask the registry whether its certificate has expired; look for a proxy that opens TLS connections"


class ProxyFault(SettingsFault):
    """The HTTPS proxy cannot be used."""

    code = "SWD-CLIENT-07"
    what = "the proxy named by HTTPS_PROXY cannot be used"
    fix = "correct HTTPS_PROXY (http://host:port), or ask for the gateway's address to be let through"


class AddressFault(SettingsFault):
    """The gateway's address is not one."""

    code = "SWD-CLIENT-08"
    what = "the gateway's address cannot be used"
    why = "it must be https://host or https://host:port and nothing behind it"


class ClockDiffers(SettingsFault):
    """This machine's clock and the gateway's are too far apart."""

    code = "SWD-CLIENT-09"
    what = "this machine's clock and the gateway's differ by {difference}"
    why = "signed requests hold for a minute only; here it is {here}, at the gateway {there}"
    fix = "set the clock (a time server is best) and run the same command again; nothing was changed"


class NotAdmitted(NotPermitted):
    """The gateway does not take this key's signature."""

    code = "SWD-CLIENT-10"
    what = "the gateway does not admit this key"
    why = "it does not know it, or no longer; it does not say which"


class Conflict(NotPermitted):
    """Not in this state."""

    code = "SWD-CLIENT-11"
    what = "the gateway says that this cannot be done now"
    why = "it is already {state}"
    fix = "`swaddle status` shows where it stands"

    @property
    def state(self) -> str:
        """The state it is in, or `something else`."""
        return str(self.facts["state"])


class Leased(NetworkFault):
    """Somebody reads it now."""

    code = "SWD-CLIENT-12"
    what = "this transfer is being read by somebody else with the same key"
    why = "it is leased until {until}"
    fix = "wait until then and run the same command again"


class DigestRefused(NetworkFault):
    """The gateway received other bytes than were announced."""

    code = "SWD-CLIENT-13"
    what = "the gateway received something else than was sent"
    why = "the digest of what came differs: a fault on the line or on its disk"


class TransferRefused(Theirs):
    """This transfer cannot be taken."""

    code = "SWD-CLIENT-14"
    exit_status = 4
    what = "the gateway does not take this transfer"
    fix = "run the same command again; it starts a new transfer"


class GatewayFull(NetworkFault):
    """The gateway's disk is full."""

    code = "SWD-CLIENT-15"
    what = "the gateway's disk is full"
    why = "what is there must be collected first"
    fix = "run the same command again later; what was already sent is kept"


class Frozen(NotCollecting):
    """Reading is frozen."""

    code = "SWD-CLIENT-16"
    why = "the gateway saw something that must not happen; sending goes on"


class GatewayNotCollecting(NotCollecting):
    """The registry has not come for a day; the door takes no new files."""

    code = "SWD-CLIENT-21"
    what = "the registry is not collecting; keep your file"
    why = "it has not fetched anything for 24 hours, and what lies here longer than a week is destroyed"
    fix = "try again tomorrow, or ask the registry when it will collect again; `swaddle send` still works"


class TooLarge(NotPermitted):
    """Over the gateway's limit."""

    code = "SWD-CLIENT-17"
    what = "this is larger than the gateway takes"
    why = "it has a limit"
    fix = "split the data set"


class Misunderstood(NetworkFault):
    """The gateway does not understand the request."""

    code = "SWD-CLIENT-18"
    what = "the gateway does not understand this request"
    why = "a proxy on the way changed it, or one side is much older than the other"
    fix = "look for a proxy that rewrites requests; else update Swaddle"


class LineTooSlow(NetworkFault):
    """The gateway gave up waiting for the body."""

    code = "SWD-CLIENT-03"
    what = "the line to the gateway is too slow"
    why = "a part did not get through in the time that the gateway gives it"
    fix = "run the same command again; with the setting part_bytes smaller, parts are done sooner"


class GatewayBusy(NetworkFault):
    """Too much at once."""

    code = "SWD-CLIENT-19"
    what = "the gateway has too much to do"
    why = "it asks to try again"


class GatewayFault(NetworkFault):
    """The gateway has a fault of its own."""

    code = "SWD-CLIENT-20"
    what = "the gateway has a fault"
    why = "it says so itself; nothing was changed there"
    fix = "run the same command again later; tell the registry if it stays so"


def plain_words(value: object) -> str:
    """`value` if it is a short text of plain words, else what stands for it."""
    if isinstance(value, str) and _PLAIN_WORDS.fullmatch(value):
        return value
    return "it gave no plain reason"


def _instant(value: object) -> datetime | None:
    try:
        return parse_instant(value) if isinstance(value, str) else None
    except NotCanonical:
        return None


def clock_differs(body: Mapping[str, object], here: datetime) -> Theirs | SettingsFault:
    """The difference between two clocks, in words."""
    there = _instant(body.get("server_time"))
    if there is None:
        return Garbled("it speaks of a clock and does not say its time")
    seconds = int(abs((there - here).total_seconds()))
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    words = f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"
    side = "slow" if there > here else "fast"
    return ClockDiffers(
        difference=f"{words} (this one is {side})", here=format_instant(here), there=format_instant(there)
    )


def _leased(body: Mapping[str, object]) -> Theirs:
    until = _instant(body.get("until"))
    return Leased(until=format_instant(until) if until else "a time that it does not say")


_PROBLEMS: dict[str, Callable[[Mapping[str, object]], Theirs]] = {
    "malformed": lambda _: Misunderstood(),
    "unsigned": lambda _: NotAdmitted(),
    "not-found": lambda _: NotThere(),
    "conflict": lambda body: Conflict(state=plain_words(body["state"]) if "state" in body else "something else"),
    "leased": _leased,
    "digest": lambda _: DigestRefused(),
    "refused": lambda body: TransferRefused(plain_words(body.get("reason"))),
    "too-large": lambda _: TooLarge(),
    "encoding": lambda _: Misunderstood(),
    "length": lambda _: Misunderstood(),
    "slow": lambda _: LineTooSlow(),
    "busy": lambda _: GatewayBusy(),
    "fault": lambda _: GatewayFault(),
    "frozen": lambda _: Frozen(),
    "full": lambda _: GatewayFull(),
    "not-collecting": lambda _: GatewayNotCollecting(),
}


def problem(body: Mapping[str, object], here: datetime) -> Theirs | SettingsFault:
    """The error that a problem answer stands for (docs/spec/transfer.md section 2); never its own words.

    Args:
        body: the decoded JSON object.
        here: this machine's time.
    """
    kind = str(body.get("type", "")).removeprefix(PROBLEM_PREFIX)
    if kind == "clock":
        return clock_differs(body, here)
    make = _PROBLEMS.get(kind)
    return make(body) if make else Garbled("it names a problem that the protocol does not have")
