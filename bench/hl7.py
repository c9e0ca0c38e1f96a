"""HL7 v2 messages: how many a second are read, beside hl7apy.

    python bench/hl7.py [--messages 100] [--rounds 3] [--data ../shared/data] [--out FILE]

The messages are newborn-screening results made up here, of 30 observations each; with --data, the real ones that lie
there, over and over. Four ways take turns:

- ours, to rows: the whole reader, from the bytes of a file to a sheet of newborn_screen rows, everything counted;
- ours, parsed: framing, character set, segments, and every value of every observation;
- hl7apy, flat: `parse_message(find_groups=False)` and the value of every observation;
- hl7apy: `parse_message`, which also sorts the segments into the standard's groups, and the same values.

hl7apy is given one message's text at a time, its segments ended by CR: it does no framing and no character sets.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from rounds import Target, Way, interleave, table

from swaddle.intake import opened
from swaddle.intake.mapping import load_builtin
from swaddle.intake.readers.hl7 import parse, repetitions
from swaddle.intake.readers.hl7_paths import coded
from swaddle.intake.readers.hl7_sheets import FORMAT, read_hl7
from swaddle.intake.readers.hl7_stream import Framing, decode, messages_of

SEED = 20261122
ANALYTES = ("42892-0^Citrulline", "47700-0^Methionine", "29573-3^Phenylalanine", "38481-8^Carnitine free (C0)")


def made_up(number: int) -> bytes:
    """A result of newborn screening, of 30 observations."""
    chance = random.Random(SEED + number)
    lines = [
        f"MSH|^~\\&|LAB^2.16.840^ISO|SCREENING|REG|REG|20240306192849-0500||ORU^R01^ORU_R01|{number}|P|2.5.1",
        f"PID|1||{10**7 + number}^^^HOSPITAL&2.16.840&ISO^MR||EXAMPLE^BABY GIRL||20240304131000-0500|F^Female^HL70001",
        "NK1|1|EXAMPLE^ANN|MTH^Mother^HL70063|1 First Street^^Ottawa^ON^K1A 0B1||||||||||||19900101",
        f"ORC|RE|{number}^ORDER|{10**6 + number}^LAB",
        f"OBR|1|{number}^ORDER|{10**6 + number}^LAB|57128-1^Newborn screening report summary panel^LN|||20240305155000"
        + "|" * 15
        + "20240306191613|||F",
        "OBX|1|CWE|57718-9^Sample quality of Dried blood spot^LN||LA12432-3^Acceptable^LN||||||F",
        "OBX|2|CWE|57721-3^Reason for lab test^LN||LA12421-6^Initial screen^LN||||||F",
        f"OBX|3|ST|57723-9^Unique bar code number of Current sample^LN||{number:08d}||||||F",
        f"OBX|4|NM|8339-4^Birth weight^LN||{chance.randint(900, 4800)}|g^gram^UCUM|||||F",
    ]
    for place in range(5, 31):
        value = chance.uniform(0.01, 80)
        lines.append(f"OBX|{place}|NM|{ANALYTES[place % 4]}^LN||{value:.2f}|umol/L^micromole per liter^UCUM|< 55|N|||F")
    lines.append("SPM|1|||440500007^Blood spot specimen^SCT|||||||||||||20240305155000|20240306102300")
    return "\r".join(lines).encode() + b"\r"


def real(folder: Path, number: int) -> list[bytes]:
    """As many messages as wanted out of the real ones, each in turn."""
    found = [path.read_bytes() for path in sorted(folder.glob("hl7_newborn_screening/**/*ORU*.hl7"))]
    messages = [raw.data.replace(b"\n", b"\r") + b"\r" for data in found for raw in messages_of([data], Framing())]
    return [messages[place % len(messages)] for place in range(number)]


class Ours:
    """The reader of this checkout."""

    def __init__(self, messages: list[bytes]) -> None:
        self.data = b"".join(messages)
        self.memory_fd = opened.memory_file(len(self.data))
        opened.write_all(self.memory_fd, self.data)
        self.mappings = [each for each in load_builtin().values() if each.writing.format == FORMAT]

    def to_rows(self) -> None:
        for sheet in read_hl7(self.memory_fd, len(self.data), self.mappings, limit_bytes=2**31):
            sheet.close()

    def parsed(self) -> None:
        framing = Framing()
        for raw in messages_of(opened.chunks(self.memory_fd, len(self.data)), framing):
            message = parse(decode(raw.data, framing))
            for segment in message.named("OBX"):
                for repetition in repetitions(segment, 5, message.delimiters):
                    coded(repetition, segment, 5, message)


def peers(messages: list[bytes]) -> list[Way]:
    """hl7apy, where it is installed."""
    try:
        from hl7apy.parser import parse_message
    except ImportError:
        return []
    texts = [each.decode() for each in messages]

    def flat() -> None:
        for text in texts:
            for segment in parse_message(text, find_groups=False).obx:
                segment.obx_5.to_er7()

    def grouped() -> None:
        for text in texts:
            _ = [segment.to_er7() for segment in walk(parse_message(text))]

    def walk(group: object) -> list:
        return [
            each.obx_5 if each.name == "OBX" else one
            for each in group.children
            for one in ([each] if each.name == "OBX" else walk(each) if each.classname == "Group" else [])
        ]

    return [Way("hl7apy, flat", flat), Way("hl7apy", grouped)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, default=100)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--data", type=Path)
    options.add_argument("--out", type=Path)
    told = options.parse_args()
    messages = real(told.data, told.messages) if told.data else [made_up(each) for each in range(told.messages)]
    ours = Ours(messages)
    ways = [Way("Swaddle, to rows", ours.to_rows), Way("Swaddle, parsed", ours.parsed), *peers(messages)]
    interleave(ways, told.rounds)
    title = f"HL7 v2, {told.messages} newborn-screening results of {len(ours.data) // told.messages:,} bytes"
    table(title, ways, told.messages, "messages/s", [Target("hl7apy, flat"), Target("hl7apy")], told.out)
    os.close(ours.memory_fd)


if __name__ == "__main__":
    main()
