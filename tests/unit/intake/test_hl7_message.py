r"""HL7 v2: the form of a message, and where messages begin and end in a file. Hostile cases first."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swaddle.intake.readers import hl7_stream
from swaddle.intake.readers.hl7 import BadMessage, Delimiters, parse, part, repetitions, unescape
from swaddle.intake.readers.hl7_stream import Framing, decode, looks_like_hl7, messages_of

MSH = "MSH|^~\\&|LAB|PLACE|REG|REG|20240226034304||ORU^R01^ORU_R01|7|P|2.5.1"


def framed(data, size=None):
    framing = Framing()
    pieces = [data] if size is None else [data[at : at + size] for at in range(0, len(data), size)]
    return list(messages_of(pieces, framing)), framing


@pytest.mark.parametrize(
    "header",
    [
        "MSH",
        "MSH|",
        "MSH||||||",
        "MSHX^~\\&",
        "MSH|^^\\&|A",
        "MSH|^~\\&#!|A",
        "MSH|ABCD|X",
        "MSH\x0b^~\\&|",
        "MSH ^~\\& ",
    ],
)
def test_a_header_that_does_not_say_how_the_message_is_parted_is_no_message(header):
    with pytest.raises(BadMessage) as raised:
        parse(header + "\nPID|1||A")
    assert raised.value.check == "M1"


def test_other_delimiters_are_taken_from_the_header():
    message = parse("MSH$:;!*$LAB$PLACE\nPID$1$$77:::H*2.16:MR;88:::X:SS$$SM!S!ITH:A!T!B")
    assert message.delimiters == Delimiters("$", ":", ";", "!", "*", "")
    pid = message.named("PID")[0]
    assert [part(each, message.delimiters, 5) for each in repetitions(pid, 3, message.delimiters)] == ["MR", "SS"]
    assert message.text(pid, 3, 4, 2) == "2.16"
    assert message.text(pid, 5) == "SM:ITH"
    assert message.text(pid, 5, 2) == "A*B"


def test_an_empty_msh_2_is_taken_as_the_usual_characters_and_said():
    message = parse("MSH||LAB|PLACE\nPID|1||7^^^H^MR")
    assert message.assumed
    assert message.text(message.named("PID")[0], 3, 5) == "MR"


def test_fields_are_counted_as_the_standard_counts_them():
    message = parse(MSH)
    assert message.header(1) == "|"
    assert message.header(2) == "^~\\&"
    assert (message.header(9), message.header(9, 2), message.header(12)) == ("ORU", "R01", "2.5.1")
    assert message.header(99) == ""


def test_two_quotation_marks_are_no_value():
    message = parse(MSH + '\nPID|1||""|"X"|""^""~^^')
    pid = message.named("PID")[0]
    assert message.text(pid, 3) == ""
    assert message.text(pid, 4) == '"X"'
    assert message.text(pid, 5) == ""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
        ("line\\.br\\line", "line\nline"),
        ("\\H\\bold\\N\\ plain", "bold plain"),
        ("caf\\XC3A9\\", "café"),
        ("\\X41\\\\X42\\", "AB"),
        ("C:\\temp\\x", "C:\\temp\\x"),
        ("open \\", "open \\"),
        ("\\", "\\"),
        ("\\\\", "\\\\"),
        ("\\XFF\\ stays", "\\XFF\\ stays"),
        ("\\Zlocal\\ stays", "\\Zlocal\\ stays"),
        ("\\Fopen", "\\Fopen"),
    ],
)
def test_escapes(written, read):
    assert unescape(written) == read


def test_an_escaped_delimiter_parts_nothing():
    message = parse(MSH + "\nOBX|1|ST|8339-4^Body weight\\S\\at birth^LN||1\\F\\2")
    obx = message.named("OBX")[0]
    assert message.text(obx, 3, 2) == "Body weight^at birth"
    assert message.text(obx, 3, 3) == "LN"
    assert message.text(obx, 5) == "1|2"


def test_a_line_that_is_no_segment_goes_on_with_the_one_above_and_is_counted():
    message = parse(MSH + "\nNTE|1||first line\nsecond line|L\nnot a segment\nPID|1||7")
    assert message.joined == 2
    assert message.text(message.named("NTE")[0], 3) == "first line second line"
    assert message.text(message.named("PID")[0], 3) == "7"


def test_a_segment_that_lost_its_line_end_is_found_and_counted():
    message = parse(MSH + "\nGT1|1||SHINE^SARAH|Walmart^LORC|NW|ORD1\nOBR|1|ORD1")
    assert message.split == 1
    assert message.text(message.named("ORC")[0], 2) == "ORD1"
    assert message.text(message.named("GT1")[0], 4, 2) == "L"


def test_a_local_segment_is_a_segment():
    assert parse(MSH + "\nZBX|1|x").named("ZBX")[0].field(2) == "x"


def test_a_message_of_more_segments_than_any_is_refused(monkeypatch):
    monkeypatch.setattr("swaddle.intake.readers.hl7.LIMIT_SEGMENTS", 10)
    with pytest.raises(BadMessage) as raised:
        parse(MSH + "\nNTE|1" * 11)
    assert raised.value.check == "M5"


@pytest.mark.parametrize(
    "body",
    [
        "OBX|1|ED|x||" + "\\" * 2_000_000,
        "NTE|1||" + "\\F" * 700_000,
        "OBX|1|" + "|" * 3_000_000,
        "NTE|1||" + ("y" * 40 + "\n") * 60_000,
    ],
)
def test_a_message_made_to_be_slow_is_not(body):
    began = time.process_time()
    message = parse(f"{MSH}\n{body}")
    for segment in message.segments:
        message.text(segment, 3)
        message.text(segment, 5)
    assert time.process_time() - began < 10


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_whatever_follows_a_header_is_read_or_refused_by_a_check(text):
    try:
        message = parse("MSH" + text)
    except BadMessage:
        return
    for segment in message.segments:
        for number in range(len(segment.fields) + 1):
            for repetition in repetitions(segment, number, message.delimiters):
                assert isinstance(part(repetition, message.delimiters, 1, 0), str)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\r\n", "\r\n\r\n \r\n"])
@pytest.mark.parametrize("size", [None, 1, 7])
def test_any_line_end_in_any_piece_gives_the_same_messages(end, size):
    text = end.join([MSH, "PID|1||7", MSH, "PID|1||8"]) + end
    raws, framing = framed(text.encode(), size)
    assert [each.data for each in raws] == [f"{MSH}\nPID|1||{n}".encode() for n in (7, 8)]
    assert framing.messages == 2
    assert framing.outside == 0


def test_mllp_frames_and_byte_order_marks_are_taken_off():
    one = f"\x0b{MSH}\rPID|1||7\r\x1c\r".encode()
    raws, framing = framed(b"\xef\xbb\xbf" + one + b"\xef\xbb\xbf" + one)
    assert [each.data.count(b"\x0b") for each in raws] == [0, 0]
    assert [each.data.endswith(b"PID|1||7") for each in raws] == [True, True]
    assert framing.outside == 0


def test_frames_without_any_line_end_between_messages():
    raws, framing = framed(f"\x0b{MSH}\rPID|1||7\x1c\x0b{MSH}\rPID|1||8\x1c".encode())
    assert len(raws) == 2
    assert framing.on_one_line == 0
    raws, framing = framed(f"{MSH}\rPID|1||7|{MSH}\rPID|1||8".encode())
    assert len(raws) == 2
    assert framing.on_one_line == 1


def test_batches_are_counted_and_compared_with_what_they_say():
    batch = ["FHS|^~\\&|A", "BHS|^~\\&|A", MSH, "PID|1||7", MSH, "PID|1||8", "BTS|2", "FTS|1"]
    assert framed("\r".join(batch).encode())[1].wrong_counts == []
    batch[6:] = ["BTS|3", "FTS|4"]
    raws, framing = framed("\r".join(batch).encode())
    assert len(raws) == 2
    assert framing.wrong_counts == [(3, 2), (4, 1)]


def test_segments_without_a_header_are_one_message_that_is_none():
    raws, framing = framed(b"PID|1||7\rOBR|1\r" + MSH.encode())
    assert [each.check for each in raws] == ["M1", ""]
    raws, framing = framed(b"some words\r\rmore\r" + MSH.encode())
    assert [each.check for each in raws] == [""]
    assert framing.outside == 2
    assert framed(b"")[0] == []


def test_a_message_that_never_ends_is_bounded_and_the_next_one_is_read(monkeypatch):
    monkeypatch.setattr(hl7_stream, "LIMIT_MESSAGE_BYTES", 2000)
    long = MSH + "\r" + "OBX|1|ED|x||" + "A" * 5000 + "\r" + "NTE|1||x\r" * 400
    raws, _ = framed((long + MSH + "\rPID|1||8").encode(), 300)
    assert [each.check for each in raws] == ["M5", ""]
    assert len(raws[0].data) < 5000
    assert raws[1].data.endswith(b"PID|1||8")


@pytest.mark.parametrize(
    ("said", "raw", "read"),
    [
        ("", "é".encode(), "é"),
        ("UNICODE UTF-8", "é".encode(), "é"),
        ("8859/1", "é".encode("latin-1"), "é"),
        ("8859/1", "’".encode("windows-1252"), "’"),
        ("8859/15", "œ".encode("iso-8859-15"), "œ"),
        ("8859/5", "ж".encode("iso-8859-5"), "ж"),
        ("8859/1~UNICODE", "é".encode("latin-1"), "é"),
    ],
)
def test_the_encoding_is_what_msh_18_says(said, raw, read):
    header = f"{MSH}||||||{said}".encode()
    framing = Framing()
    assert decode(header + b"\nNTE|1||" + raw, framing).endswith(read)
    assert not framing.encodings


def test_utf_8_that_is_declared_as_something_else_is_read_as_it_is_and_said():
    framing = Framing()
    assert decode(f"{MSH}||||||8859/1\nNTE|1||é".encode(), framing).endswith("é")
    assert framing.encodings == {"8859/1": 1}


@pytest.mark.parametrize(("raw", "check"), [(b"\xff\xfe", "M6"), (b"a\x00b", "M7"), (b"a\x07b", "M7")])
def test_bytes_in_no_encoding_and_control_characters_break_the_message(raw, check):
    with pytest.raises(BadMessage) as raised:
        decode(MSH.encode() + b"\nNTE|1||" + raw, Framing())
    assert raised.value.check == check


@pytest.mark.parametrize(
    ("head", "looks"),
    [
        (b"MSH|^~\\&|", True),
        (b"\xef\xbb\xbfMSH|^~\\&|", True),
        (b"\r\n\x0bMSH|^~\\&|", True),
        (b"FHS|^~\\&|", True),
        (b"PID|1||7", True),
        (b"MSHX,AGE\n", False),
        (b"PID,AGE\n", False),
        (b"record|age\n", False),
        (b"", False),
    ],
)
def test_a_file_is_known_by_its_first_bytes(head, looks):
    assert looks_like_hl7(head) is looks


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_bytes_in_any_pieces_are_framed_alike(data, size):
    whole, whole_framing = framed(MSH.encode() + b"\r" + data)
    pieces, pieces_framing = framed(MSH.encode() + b"\r" + data, size)
    assert whole == pieces
    assert whole_framing == pieces_framing
