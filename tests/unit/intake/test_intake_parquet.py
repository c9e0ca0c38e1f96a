"""Parquet files: the same checks as CSV, and one clear error where the form is wrong."""

import datetime as dt
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from swaddle.intake.faults import EmptyFile, HeaderFault, NotADataSet, Unreadable


def parquet(table, **options):
    out = io.BytesIO()
    pq.write_table(pa.table(table) if isinstance(table, dict) else table, out, **options)
    return out.getvalue()


def births(**columns):
    plain = {
        "local_record_id": ["B1", "B2", "B3"],
        "event_date": [dt.date(2024, 11, 2)] * 3,
        "outcome": ["live"] * 3,
        "birth_weight_g": [3400.0, None, 2500.0],
        "ga_weeks": [39, 40, 12],
        "nicu_admit": [True, False, None],
        "mother_birth_date": [dt.datetime(1994, 3, 1)]  # noqa: DTZ001
        * 3,
    }
    return {**plain, **columns}


def test_typed_columns_are_checked_like_text(taken):
    result = taken(parquet(births()))
    assert result.staged.format == "parquet"
    assert result.rows("line, verdict, birth_weight_g, ga_weeks, nicu_admit, mother_age_years, event_date") == [
        (1, "accepted", 3400, 39, True, 30, "2024-11-02"),
        (2, "rejected", None, 40, False, 30, "2024-11-02"),
        (3, "rejected", 2500, 12, None, 30, "2024-11-02"),
    ]
    assert {(line, rule) for line, rule, _ in result.findings() if rule in {"F1", "X9"}} == {(2, "F1"), (3, "X9")}


def test_rows_keep_their_numbers_over_row_groups(taken):
    many = {name: values * 1000 for name, values in births().items()}
    result = taken(parquet(many, row_group_size=100))
    assert result.checked.rows_read == 3000
    assert result.connection.execute(
        "SELECT min(line), max(line), count(DISTINCT line) FROM staged_raw"
    ).fetchone() == (
        1,
        3000,
        3000,
    )


def test_control_characters_break_their_row_alone(taken):
    result = taken(parquet(births(mother_family_name=["Okafor", "Oka\x00for", "Oka\x1ffor"])))
    assert result.connection.execute("SELECT line, why FROM staged_broken ORDER BY line").fetchall() == [
        (2, "B3"),
        (3, "B3"),
    ]
    assert result.checked.rows_read == 3


def test_blanks_around_a_value_are_taken_off(taken):
    result = taken(parquet(births(mother_family_name=[" Okafor\t", "\u00a0", ""])))
    assert result.rows("mother_family_name") == [("Okafor",), (None,), (None,)]


@pytest.mark.parametrize("keep", [4, 8, 11, 100, -1, -4, -8])
def test_a_file_that_is_cut_short_is_said_to_be(taken, keep):
    data = parquet(births())
    with pytest.raises(Unreadable):
        taken(data[:keep])


def test_a_damaged_middle_is_said_to_be(taken):
    data = bytearray(parquet(births(), compression="snappy"))
    data[20:200] = bytes(180)
    with pytest.raises(Unreadable):
        taken(bytes(data))


def test_a_footer_that_claims_too_much_is_refused(taken):
    data = parquet(births())
    with pytest.raises(Unreadable):
        taken(data[:-8] + (2**31).to_bytes(4, "little") + b"PAR1")


def test_a_list_of_plain_values_is_one_cell_and_a_group_is_its_parts(taken):
    result = taken(
        parquet(births(resuscitation=[["ppv", "intubation"], [], None], extra=[{"a": 1, "b": {"c": "x"}}] * 3))
    )
    assert [row for (row,) in result.rows("resuscitation")] == ["ppv;intubation", None, None]
    assert {"extra.a", "extra.b.c"} <= set(result.staged.columns)


@pytest.mark.parametrize(
    "nested",
    [
        [[[1]], [[2]], None],
        [[{"a": 1}], None, None],
        pa.array([[("k", 1)], None, None], pa.map_(pa.string(), pa.int64())),
    ],
    ids=["lists of lists", "lists of groups", "keys and values"],
)
def test_what_is_no_table_is_refused(taken, nested):
    with pytest.raises(HeaderFault, match="plain columns"):
        taken(parquet(births(children=nested)))


def test_a_number_that_is_none_is_a_blank(taken):
    result = taken(parquet(births(head_circ_cm=pa.array([34.5, float("nan"), float("inf")]))))
    assert [row for (row,) in result.rows("head_circ_cm")] == [34.5, None, None]
    assert [(line, rule) for line, rule, field in result.findings() if field == "head_circ_cm"] == [(3, "F2")]


@pytest.mark.parametrize(
    "kind", [pa.dictionary(pa.int8(), pa.string()), pa.large_string(), pa.string_view(), pa.binary()]
)
def test_text_of_every_kind_is_text(taken, kind):
    values = pa.array([b"live"] * 3, kind) if kind == pa.binary() else pa.array(["live"] * 3).cast(kind)
    assert [row for (row,) in taken(parquet(births(outcome=values))).rows("outcome")] == ["live"] * 3


def test_decimals_keep_what_they_say(taken):
    table = births(head_circ_cm=pa.array(["34.50", "33.25", None]).cast(pa.decimal128(9, 2)))
    assert [row for (row,) in taken(parquet(table)).rows("head_circ_cm")] == [34.5, 33.25, None]


def test_too_many_columns_are_refused(taken):
    with pytest.raises(HeaderFault, match="2000 columns"):
        taken(parquet({f"c{n}": [1] for n in range(2001)}))


def test_the_readers_own_column_is_refused_in_a_file(taken):
    with pytest.raises(HeaderFault):
        taken(parquet(births(file_row_number=[7, 7, 7])))


def test_a_file_without_rows_is_said_to_be_empty(taken):
    with pytest.raises(EmptyFile):
        taken(parquet({name: pa.array(values)[:0] for name, values in births().items()}))


def test_an_encrypted_file_is_said_to_be(taken):
    with pytest.raises(NotADataSet):
        taken(b"PARE" + bytes(100) + b"PARE")


def test_a_column_name_with_quotes_is_only_a_name(taken):
    result = taken(parquet(births(**{'a"b; DROP TABLE staged_raw; --': ["x", "y", "z"]})))
    assert result.checked.rows_read == 3
