"""Threat 13: a header that promises 2^32 packets or 4 GiB of one is refused in no time and no memory."""

import struct
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from swaddle.envelope import crypt4gh
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.manifest import Manifest
from swaddle.envelope.parts import Layout
from swaddle.envelope.refusals import DataKeys, DescriptionMalformed, HeaderMalformed
from swaddle.envelope.seal import SealedBody
from swaddle.envelope.unseal import open_envelope

PAIR = SealingPair(bytes(range(32)), bytes(range(32, 64)))
START = b"crypt4gh" + struct.pack("<I", 1)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def core():
    return SealedBody(Layout(0), ()).core(
        transfer="1" * 32, submitter="2" * 32, recipient=PAIR.public.key_id, created=NOW, expires=NOW + timedelta(1)
    )


class TestHostileHeader:
    @pytest.mark.parametrize(
        "header",
        [
            START + struct.pack("<I", 2**32 - 1),
            START + struct.pack("<I", 2**32 - 1) + bytes(100),
            START + struct.pack("<I", 65) + bytes(65 * 108),
            START + struct.pack("<II", 1, 2**32 - 1),
            START + struct.pack("<II", 1, 2**31) + bytes(1_000),
            START + struct.pack("<II", 1, 65_537) + bytes(65_533),
            START + struct.pack("<II", 64, 0),
            START + struct.pack("<II", 1, 3),
            START + struct.pack("<II", 1, 71) + bytes(67),
        ],
        ids=["2^32-packets", "2^32-and-bytes", "65-packets", "4-GiB", "2-GiB", "65537", "zero", "three", "too-small"],
    )
    def test_promises_beyond_the_caps_are_refused_at_once(self, header):
        tracemalloc.start()
        begin = time.process_time()
        with pytest.raises(HeaderMalformed):
            crypt4gh.read_header(header, PAIR.crypt4gh_secret)
        seconds, (_, peak) = time.process_time() - begin, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert seconds < 1
        assert peak < 1_000_000

    def test_the_most_packets_that_are_allowed_are_read_in_a_moment(self):
        strangers = [
            crypt4gh.seal_packet(bytes(65_000), SealingPair.generate().public.crypt4gh, bytes(range(32)), bytes(12))
            for _ in range(64)
        ]
        begin = time.process_time()
        with pytest.raises(DataKeys):
            crypt4gh.read_header(crypt4gh.join_packets(strangers), PAIR.crypt4gh_secret)
        assert time.process_time() - begin < 2


class TestOversizedPieces:
    """What is longer than any header or description is refused before it is decrypted."""

    def test_a_header_of_five_mebibytes(self):
        with pytest.raises(HeaderMalformed):
            open_envelope(Manifest(core(), "", ""), bytes(5 * 2**20), bytes(1), {PAIR.public.key_id: PAIR})

    def test_a_description_of_two_mebibytes(self):
        with pytest.raises(DescriptionMalformed):
            open_envelope(Manifest(core(), "", ""), bytes(1), bytes(2**21), {PAIR.public.key_id: PAIR})
