"""JSON as strangers write it: every document is read whole, or refused with the check that says why."""

import json
import os
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaddle.intake.faults import EmptyFile, TooLarge, Unreadable, WrongEncoding
from swaddle.intake.readers import fhir
from swaddle.intake.readers.fhir import documents, has_lines, looks_like_fhir, parse
from swaddle.intake.sniff import names_a_resource


def read(data):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return list(documents(file.fileno(), len(data)))


def told(data):
    return [(each.number, each.value, each.check) for each in read(data)]


def lines(data):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return has_lines(file.fileno(), len(data))


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ('{"a": 1, "a": 2}', "J4"),
        ('{"a": {"b": [], "b": []}}', "J4"),
        ('{"a": NaN}', "J1"),
        ('{"a": -Infinity}', "J1"),
        ('{"a": "\\ud800"}', "J12"),
        ('{"\\udc00": 1}', "J12"),
        ('{"a": 1} x', "J1"),
        ('{"a": "\x01"}', "J1"),
        ("[" * 5000 + "]" * 5000, "J9"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "J9"),
        ('{"a": 01}', "J1"),
        ("{'a': 1}", "J1"),
        ('{"a": 1,}', "J1"),
        ("", "J1"),
    ],
)
def test_what_would_lose_a_value_is_no_document(text, check):
    with pytest.raises(ValueError, match=check):
        parse(text)


def test_numbers_keep_their_text():
    assert parse('{"a": 3122.50, "b": 1e400, "c": ' + "9" * 10000 + ', "d": -0.0}') == {
        "a": "3122.50",
        "b": "1e400",
        "c": "9" * 10000,
        "d": "-0.0",
    }


def test_a_pair_of_halves_is_a_character():
    assert parse('{"a": "\\ud83d\\udc76", "b": "\\\\ud800"}') == {"a": "👶", "b": "\\ud800"}


def test_one_document_over_many_lines():
    assert told(b'\xef\xbb\xbf{\n  "a": "1",\n\n  "b": {}\n}\n') == [(1, {"a": "1", "b": {}}, "")]


def test_one_a_line_with_the_line_told():
    data = b'{"a": "x"}\n\n  \r\n{"a": "y"}\r\n{"a": \n{"a": "\xff"}\n{"a": "z"}'
    assert told(data) == [
        (1, {"a": "x"}, ""),
        (4, {"a": "y"}, ""),
        (5, None, "J1"),
        (6, None, "B2"),
        (7, {"a": "z"}, ""),
    ]


def test_a_broken_first_line_is_one_broken_line():
    assert told(b'{"a": }\n{"a": "y"}\n') == [(1, None, "J1"), (2, {"a": "y"}, "")]


def test_documents_one_after_another_and_a_list_of_them():
    assert told(b'{\n"a": "1"}\n{\n"a": "2"}') == [(1, {"a": "1"}, ""), (2, {"a": "2"}, "")]
    assert told(b'[{"a": "1"},\n {"a": "2"}]') == [(1, {"a": "1"}, ""), (2, {"a": "2"}, "")]


def test_what_follows_a_whole_document_and_is_none_is_told():
    assert told(b'{\n"a": "1"}\n{\n"a": ')[1][2] == "J1"


@pytest.mark.parametrize(
    ("data", "lines_of_it"),
    [
        (b'{"a": 1}\n{"a": 2}', True),
        (b'{"a": 1}\n', False),
        (b'{"a": 1}', False),
        (b'{\n"a": 1}', False),
        (b'{"a": {"b": 1},\n"c": 2}', False),
        (b'[{"a": 1}]', False),
        (b'{"a": "' + b"x" * 100_000 + b'"}\n{"a": 2}', True),
        (b'{"a": "' + b"x" * 100_000 + b'"}', False),
    ],
)
def test_lines_are_told_from_one_document(data, lines_of_it):
    assert lines(data) is lines_of_it


def test_a_line_that_never_ends_costs_no_memory(monkeypatch):
    monkeypatch.setattr(fhir, "LIMIT_LINE_BYTES", 1000)
    data = b'{"a": "1"}\n{"a": "' + b"x" * 9_000_000 + b'"}\n{"a": "3"}\n'
    assert [(number, check) for number, _, check in told(data)] == [(1, ""), (2, "J9"), (3, "")]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"  \n\n", EmptyFile),
        (b'{"resourceType": "Bundle"', Unreadable),
        (b'{"a": 1, "a": 2}', Unreadable),
        (b"[" * 100_000, Unreadable),
        (b'{"a": "\xff"}', WrongEncoding),
        ('{"a": "1"}'.encode("utf-16"), WrongEncoding),
    ],
)
def test_a_whole_file_that_is_none_is_refused(data, fault):
    with pytest.raises(fault):
        read(data)


def test_where_json_breaks_is_said():
    with pytest.raises(Unreadable, match="line 3, character 1"):
        read(b'{"a": 1,\n"b": \n}')


def test_one_document_may_not_be_without_measure(monkeypatch):
    monkeypatch.setattr(fhir, "LIMIT_DOCUMENT_BYTES", 1000)
    with pytest.raises(TooLarge):
        read(b'{"a":\n"' + b"x" * 2000 + b'"}')


def test_fhir_is_known_by_its_resources():
    assert looks_like_fhir(b'\xef\xbb\xbf \n{"id": "1", "resourceType" : "Bundle"')
    assert looks_like_fhir(b'[{"resourceType":"Patient"}]')
    assert not looks_like_fhir(b'{"weight": 3000}')
    assert not looks_like_fhir(b'resourceType,"resourceType": "x"')


VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.text(max_size=4), VALUES, min_size=1), min_size=2, max_size=5), st.booleans())
def test_whatever_json_is_written_is_read(values, ascii_only):
    data = "\n".join(json.dumps(each, ensure_ascii=ascii_only) for each in values).encode("utf-8", "surrogatepass")
    assert [value for _, value, _ in told(data)] == values


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            found = list(documents(file.fileno(), len(data)))
        except (EmptyFile, TooLarge, Unreadable, WrongEncoding):
            return
        assert all(each.check or each.value is not Ellipsis for each in found)
        assert os.fstat(file.fileno()).st_size == len(data)


class TestRecognised:
    """JSON names its resource anywhere: names have no order."""

    @pytest.mark.parametrize("far", [0, 5_000, 70_000, 5_000_000])
    def test_a_bundle_that_says_last_what_it_is_is_fhir(self, far):
        text = '{"entry":[{"fullUrl":"' + "a" * far + '"}],"resourceType":"Bundle"}'
        pieces = [text[n : n + 1000].encode() for n in range(0, len(text), 1000)]
        assert names_a_resource(pieces)

    def test_a_name_that_falls_between_two_pieces_is_seen(self):
        assert names_a_resource([b'{"a":1,"resourceTy', b'pe" : "Patient"}'])

    @pytest.mark.parametrize("text", [b'{"a": "resourceType"}', b'{"a": "{\\"resourceType\\":1}"}', b"", b"{}"])
    def test_a_table_that_speaks_of_it_is_none(self, text):
        assert not names_a_resource([text])
