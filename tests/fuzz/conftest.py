"""A small fuzzer: take a seed apart, change it, hand it over, for a stated time. The same seed number, the same run.

It knows no coverage. What it has instead are good seeds (real files and messages) and a table of edits that have broken
parsers before. A second each in `make test`, in `make test-all` twenty (SWADDLE_FUZZ_SECONDS), after which the fuzzer
that follows coverage has forty on what faces the network: a minute for each (test_fuzz_guided.py).
"""

import os
import random
import time

import pytest

LONG = float(os.environ.get("SWADDLE_FUZZ_SECONDS", "20"))
INTERESTING = [0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x0D, 0x22, 0x27, 0x2C, 0x3B, 0x5C, 0x7B, 0x7D]
WORDS = [
    b"", b"\x00", b"\n", b"\r\n", b'"', b'""', b"'", b",", b"{}", b"[]", b"null", b"true", b"-1", b"1e999", b"NaN",
    b"18446744073709551616", b"9007199254740993", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80",
    b"\xef\xbb\xbf", b"\xc3\x28", b"\xed\xa0\x80", b"../", b"=cmd()", b"<script>", b"%00", b"a" * 300, b"[" * 300,
    b';alg="none"', b"swaddle=()", b"\xe2\x80\xae",
]  # fmt: skip


def mutate(data, chance, others):
    """One to four edits of `data`."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(data) + 1)
        edit = chance.randrange(9)
        if edit == 0 and data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
        elif edit == 1 and data:
            data[at % len(data)] = chance.choice(INTERESTING)
        elif edit == 2:
            data[at:at] = chance.choice(WORDS)
        elif edit == 3:
            del data[at : at + chance.choice((1, 2, 4, 16, 64, len(data)))]
        elif edit == 4:
            data[at:at] = data[at : at + chance.choice((1, 4, 16, 64))]
        elif edit == 5:
            word = chance.choice(WORDS)
            data[at : at + len(word)] = word
        elif edit == 6:
            del data[at:]
        elif edit == 7:
            other = chance.choice(others)
            start = chance.randrange(len(other) + 1)
            data[at:] = other[start:]
        else:
            start = chance.randrange(len(data) + 1)
            piece = data[start : start + 32]
            del data[start : start + 32]
            data[at:at] = piece
    return bytes(data)


@pytest.fixture(params=[pytest.param(1.0, id="a-second"), pytest.param(LONG, id="long", marks=pytest.mark.slow)])
def fuzz(request):
    """`fuzz(seeds, target)`: call `target` with changed seeds until the time is over; says how often it was called."""

    def run(seeds, target, number=20260101):
        chance = random.Random(number)
        corpus = list(seeds)
        end = time.monotonic() + request.param
        calls = 0
        while time.monotonic() < end or calls < 20:
            data = mutate(chance.choice(corpus), chance, corpus)
            try:
                target(data)
            except BaseException:
                print(f"the input, number {calls}: {data!r}"[:4000])
                raise
            calls += 1
        print(f"{calls} inputs")
        return calls

    return run
