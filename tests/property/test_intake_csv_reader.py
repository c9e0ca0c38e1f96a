"""Whatever bytes come, the CSV reader loses no line and raises nothing but our errors."""

import os

from hypothesis import example, given, settings
from hypothesis import strategies as st

from swaddle.errors import SwaddleError
from swaddle.intake import opened
from swaddle.intake.faults import FileFault
from swaddle.intake.mapping import by_kind
from swaddle.intake.marks import HEAD_BYTES
from swaddle.intake.readers import csv as csv_reader
from swaddle.intake.readers.how import How
from swaddle.intake.readers.scan import Scanner, lines_of
from swaddle.intake.sniff import sniff
from swaddle.intake.wall.prescan import look_through

HEADER = b"local_record_id,event_date,outcome\n"
noise = st.text(alphabet=st.sampled_from("a,\"\n\r;\t\x00\x1e\x1fé\u2028\x85\u00a0'=- 9"), max_size=200).map(str.encode)
raw_noise = st.binary(max_size=200)


def read_bytes(data):
    """The rows and broken rows that the reader makes of a file; their bytes are in the form."""
    fd = opened.memory_file(len(data))
    try:
        opened.write_all(fd, data)
        sniff(data[:HEAD_BYTES], len(data))
        (sheet,) = csv_reader.read(fd, len(data), How(kind="csv", mappings=(by_kind("births"),), named=True))
    finally:
        os.close(fd)
    try:
        look_through(sheet)
    finally:
        sheet.close()
    return sheet


@settings(max_examples=150, deadline=None)
@given(st.one_of(noise, raw_noise))
@example(b'a,"b\nc,d')
@example(b"\xff\xfe,,\n")
def test_rows_under_a_good_header_are_kept_or_broken_never_lost(body):
    try:
        sheet = read_bytes(HEADER + body)
    except FileFault:
        return
    assert sheet.read <= body.count(b"\n") + body.count(b"\r") + 1


@settings(max_examples=100, deadline=None)
@given(st.one_of(noise, raw_noise))
def test_any_file_is_read_or_refused_by_one_of_our_errors(data):
    try:
        read_bytes(data)
    except SwaddleError as error:
        assert error.exit_status == 6  # noqa: PT017


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(noise, raw_noise), max_size=20), st.integers(1, 40))
def test_where_the_bytes_are_cut_makes_no_difference(parts, size):
    data = b"".join(parts)

    def scan(pieces):
        scanner = Scanner(",", "utf-8", 3, first_line=2)
        text = "".join(scanner.feed(lines, last=last) for lines, last in lines_of(pieces, b"\n"))
        return text, scanner.broken, scanner.counts

    whole = scan([data])
    assert scan([data[at : at + size] for at in range(0, len(data), size)]) == whole
    assert whole[2].add_up(0)
    assert whole[2].lines == data.count(b"\n") + (1 if data and not data.endswith(b"\n") else 0)


cells = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\x1e\x1f", exclude_categories=("Cc", "Cs")), max_size=12
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8))
def test_what_a_csv_writer_wrote_is_what_is_read(rows):
    import csv
    import io

    from swaddle.intake.rejected import guard

    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([[guard(cell) for cell in row] for row in rows])
    scanner = Scanner(",", "utf-8", 3, first_line=1)
    text = scanner.feed(out.getvalue().removesuffix("\n").encode().split(b"\n"), last=True)
    read_back = [tuple(line.split("\x1f")[1:]) for line in text.splitlines() if line] if "\x85" not in text else None
    kept = [
        tuple(cell.strip("\xa0\t\n\r ") for cell in row)
        for row in rows
        if any(cell.strip("\xa0\t ").strip(",") for cell in row)
    ]
    assert scanner.broken == []
    if read_back is not None and not any(char in text for char in "\u2028\u2029\x1c\x1d"):
        assert [tuple(cell.strip("\xa0\t\n\r ") for cell in row) for row in read_back] == kept
