"""Runs the real command line in this process and kills it (SIGKILL) at its n-th step.

A step is the moment before or after a durable write or a request to the gateway: before, nothing of it has happened;
after, all of it has happened and nobody here knows. `python killed_at.py N ARGUMENTS…` ends by itself if there are fewer.
"""

import os
import signal
import sys

from swaddle import durable
from swaddle.cli.main import main
from swaddle.submitter import counting
from swaddle.wire.client import GatewayClient

WRITES = ("write_file", "append_line", "remove_file", "make_folder")
REQUESTS = ("get_json", "post_json", "put_part", "get_part")
steps_left = 0


def step():
    global steps_left  # noqa: PLW0603
    steps_left -= 1
    if steps_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def counted(function):
    def call(*arguments, **named):
        step()
        answer = function(*arguments, **named)
        step()
        return answer

    return call


if __name__ == "__main__":
    steps_left = int(sys.argv[1])
    counting.find_spec = lambda _: None  # counting rows writes nothing and asks nobody: leave its seconds out
    for name in WRITES:
        setattr(durable, name, counted(getattr(durable, name)))
    for name in REQUESTS:
        setattr(GatewayClient, name, counted(getattr(GatewayClient, name)))
    main(sys.argv[2:])
