"""`registry run`: holds the store, pulls on a timer, and answers commands in between."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from swaddle.checkup import GOOD
from swaddle.errors import SwaddleError
from swaddle.intake.wall.standing import seen
from swaddle.registry import disposal, night
from swaddle.registry.inside import Registry, open_registry
from swaddle.registry.operations import Operations
from swaddle.registry.owner import AnotherOwner, Lock, Server
from swaddle.registry.watch import Watch


def nightly(operations: Operations, inside: Registry, say: Callable[[str], None]) -> None:
    """What is done once a day, after a look: what waited on the gateway is in. A fault of ours is said, once a day."""
    if not night.is_due(inside):
        return
    try:
        found = operations.do("night")
    except SwaddleError:
        raise
    except Exception as fault:  # noqa: BLE001  it must not end the owner; its text may hold a value
        say(f"the night met {type(fault).__name__} and is tried again tomorrow")
        night.done(inside)
        return
    if found["notices"]:
        say(f"night: {sum(found['found'].values())} records wait for another one; their submitters are asked")


def monthly(operations: Operations, say: Callable[[str], None]) -> None:
    """Reports of a month that are due: some at each look, so that pulls and commands have their turn in between."""
    try:
        if not operations.do("months-plan"):
            return
        made = operations.do("months-step")
    except SwaddleError:
        raise
    except Exception as fault:  # noqa: BLE001  it must not end the owner; its text may hold a value
        say(f"the reports of the month met {type(fault).__name__} and are tried again")
        return
    if made["fault"]:
        say(f"the report of {made['month']} for one submitter met {made['fault']}; it is tried again with new data")
    gone = sum(each["outcome"] in {"sent", "revised"} for each in made["reports"])
    if gone:
        say(f"reports of {made['month']}: {gone:,} sent, {made['left']:,} wait")


def let_go(operations: Operations, inside: Registry, turn: threading.Lock, say: Callable[[str], None]) -> None:
    """Once a day, what is due by the adopted schedule, gateway or not; a trouble is said once a day.

    What was begun and could not be ended is gone on with at the next look that finds nothing in its way.
    """
    with turn:
        try:
            gone = operations.do("dispose-nightly")
        except SwaddleError as error:
            say(error.text())
            disposal.looked(inside)
            return
        except Exception as fault:  # noqa: BLE001  it must not end the owner; its text may hold a value
            say(f"the disposal met {type(fault).__name__} and is tried again tomorrow")
            disposal.looked(inside)
            return
    if gone is not None and gone["id"] is not None:
        say(f"disposal {gone['id'][:8]}: {gone['counts'].get('numbers', 0):,} records let go of")


def alert_words(looked: Mapping[str, Any]) -> list[str]:
    """What a look found that cannot wait, in a line; a fault of ours, in another."""
    told = [f"alerts: {looked['found']:,} newborns, their hospitals are told"] if looked["found"] else []
    if looked["fault"]:
        told.append(f"the search for alerts met {looked['fault']} and is tried again when data come, or tomorrow")
    return told


def run_forever(
    home: Path, passphrase: Callable[[Mapping[str, Any]], bytes], say: Callable[[str], None], *, stop_after: int = 0
) -> None:
    """Pull until SIGTERM or SIGINT; a gateway that is away or frozen is said once and tried again.

    Args:
        home: the registry's folder.
        passphrase: see inside.open_registry.
        say: takes one line of talk.
        stop_after: rounds, for tests; 0 is for ever.

    Raises:
        AnotherOwner: another process owns this registry.
    """
    lock = Lock(home)
    if not lock.take():
        raise AnotherOwner("it is running already")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    inside = open_registry(home, passphrase)
    operations = Operations(inside)
    turn = threading.Lock()
    server = Server(home, operations, turn)
    watch = Watch(inside, say)
    watch.start()
    say("registry running; it owns the store and pulls by itself")
    for each in seen():
        if each.state != GOOD:  # never in silence: a lower wall around those who parse strangers' files
            say(f"{each.what}: {each.why}; {each.fix}")
    trouble, rounds = "", 0
    try:
        while not stop.is_set():
            try:
                with turn:
                    result = operations.do("pull")
                    nightly(operations, inside, say)
                    monthly(operations, say)
                told = [f"{t['id'][:8]} {t['outcome']}" for t in result["transfers"]]
                told += [f"{e['submitter'][:8]} {e['state']}" for e in result["enrolled"]]
                told += alert_words(result["alerts"])
                for line in told:
                    say(line)
                trouble = ""
            except SwaddleError as error:
                if error.code != trouble:  # said once, not at every look
                    say(error.text())
                trouble = error.code
            let_go(operations, inside, turn, say)
            watch.tell()
            rounds += 1
            if rounds == stop_after:
                break
            stop.wait(inside.settings.pull_interval_s)
    finally:
        watch.close()
        server.close()
        inside.close()
        lock.release()
