"""Freed pieces stay with the process where the C library can be told so."""

import platform
import resource
import subprocess
import sys

import pytest

from swaddle.gateway import memory

FAULTS = """
import resource, sys
from swaddle.gateway import memory
kept = sys.argv[1] == "keep" and memory.keep_freed_pieces()
[bytes(524288) for _ in range(4)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(64):
    pieces = [bytearray(524288) for _ in range(4)]
    for piece in pieces:
        piece[::4096] = bytes(128)
    del pieces, piece
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how):
    done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True, timeout=60)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")
def test_pieces_that_come_and_go_cause_few_page_faults():
    assert faults("keep") * 4 < faults("as it comes")


def test_elsewhere_it_says_that_it_did_nothing(monkeypatch):
    monkeypatch.setattr(memory.sys, "platform", "win32")

    assert memory.keep_freed_pieces() is False


def test_the_numbers_stay_far_below_what_a_gateway_may_hold():
    assert memory.ARENAS * memory.KEPT_BYTES <= 150 * 1024 * 1024 - 20 * 1024 * 1024
    assert resource.getpagesize() < memory.LARGEST_PIECE_BYTES
