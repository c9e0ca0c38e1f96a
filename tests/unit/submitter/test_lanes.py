"""Parts side by side: how many lanes a line gets, how much memory, and what is noted when one of them breaks."""

import threading
from contextlib import contextmanager

import pytest

from swaddle.envelope.parts import MOST_PART_BYTES, SEGMENT_BYTES, Layout
from swaddle.envelope.seal import SealedPart
from swaddle.submitter import lanes
from swaddle.submitter.lanes import MIB, Lanes, lanes_for, lanes_within, part_bytes_for
from swaddle.wire.problems import GatewayFull, Unreachable

SHORT_S, LONG_S = 0.0002, 0.1


class Line:
    """What `Lanes` knows of a client."""

    def __init__(self, round_trip_s=LONG_S, put=lambda *_: None):
        self.round_trip_s, self.put_part, self.is_cut, self.is_closed = round_trip_s, put, False, False

    def cut(self):
        self.is_cut = True

    def close(self):
        self.is_closed = True


@contextmanager
def sealer():
    yield object()


def part(n):
    return SealedPart(memoryview(b"x"), bytes([n]) * 32)


def run(made, numbers, put, part_bytes=MIB, round_trip_s=LONG_S, kept=()):
    """Send `numbers`; the digests that are noted, and the clients that were made."""

    def another():
        made.append(Line(round_trip_s, put))
        return made[-1]

    first = another()
    with Lanes(first, another, sealer, part_bytes) as under_way:
        try:
            for n in numbers:
                under_way.send(n, f"/{n}", part(n), under_way.sealer())
            under_way.finish()
        finally:
            run.noted = under_way.through(kept)
    return run.noted


@pytest.mark.parametrize("size", [1, MIB, 160 * 2**30, 2**40, 2**45])
@pytest.mark.parametrize("round_trip_s", [0.0, SHORT_S, LONG_S, 3.0])
def test_a_part_is_whole_segments_and_there_are_never_more_than_the_gateway_takes(size, round_trip_s):
    chosen = part_bytes_for(size, round_trip_s)
    assert chosen % SEGMENT_BYTES == 0
    assert SEGMENT_BYTES <= chosen <= MOST_PART_BYTES
    assert Layout(size, chosen).parts <= 50_000


@pytest.mark.parametrize("round_trip_s", [SHORT_S, LONG_S])
@pytest.mark.parametrize("size", [1, 2**30, 100 * 2**30])
def test_what_is_in_memory_does_not_grow_with_the_file(size, round_trip_s):
    part_bytes = part_bytes_for(size, round_trip_s)
    most = lanes_within(part_bytes, lanes_for(round_trip_s))
    assert (most + 1) * part_bytes <= lanes.MEMORY_BYTES


def test_a_huge_part_gets_one_lane_and_still_goes():
    assert lanes_within(2**30, 8) == 1


def test_a_long_line_gets_more_lanes_than_a_short_one():
    assert lanes_for(LONG_S) > lanes_for(SHORT_S) >= 1


def test_lanes_are_opened_only_when_a_part_waits():
    made = []
    run(made, [0], lambda *_: None)
    assert len(made) == 1


def test_a_line_that_is_waited_for_gets_all_its_lanes_and_no_more():
    made, together, most = [], threading.Barrier(lanes.LONG_LANES, timeout=10), []

    def put(*_):
        most.append(together.wait())

    run(made, range(2 * lanes.LONG_LANES), put)
    assert len(made) == lanes.LONG_LANES
    assert all(line.is_closed for line in made[1:])
    assert not made[0].is_closed


def test_parts_that_overtook_one_another_are_noted_in_order():
    later = threading.Event()

    def put(path, *_):
        later.wait(10) if path == "/0" else later.set()

    assert run([], range(3), put) == tuple(part(n).sha256.hex() for n in range(3))


def test_what_follows_a_part_that_did_not_get_through_is_not_noted():
    others = threading.Barrier(2, timeout=10)

    def put(path, *_):
        others.wait()
        if path == "/0":
            raise GatewayFull

    with pytest.raises(GatewayFull):
        run([], range(2), put)
    assert run.noted == ()


def test_when_one_lane_gives_up_the_others_are_cut_and_try_no_more():
    made, tried = [], []
    both = threading.Barrier(2, timeout=10)

    def put(path, *_):
        tried.append(path)
        both.wait()
        if path == "/0":
            raise GatewayFull
        raise Unreachable("the connection broke")

    with pytest.raises(GatewayFull):
        run(made, range(2), put)
    assert all(line.is_cut for line in made)
    assert sorted(tried) == ["/0", "/1"]
