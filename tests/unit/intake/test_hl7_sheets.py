"""HL7 v2 files to sheets: every message is a row, a broken row, or counted by its type."""

import os
import re
import time

import pytest

from swaddle.intake import opened
from swaddle.intake.faults import EmptyFile, MappingFault, NoMessages, Unreadable
from swaddle.intake.mapping import load_builtin, parse
from swaddle.intake.readers.hl7_sheets import FORMAT, read_hl7
from swaddle.intake.sniff import sniff

MSH = "MSH|^~\\&|LAB|PLACE|REG|REG|20240226034304||{}|{}|P|2.5.1"
PID = "PID|1||7^^^H^MR||EXAMPLE^ANN||20240221|F"
RESULT = [
    MSH.format("ORU^R01^ORU_R01", 7),
    PID,
    "NK1|1|EXAMPLE^EVE|MTH^Mother|||||||||||||19900101",
    "ORC|RE|77^ORD|88^LAB",
    "OBR|1|77^ORD|88^LAB|54089-8^panel^LN|||202402221854-0500" + "|" * 15 + "20240226|||F",
    "OBX|1|CWE|57718-9^quality^LN||LA12432-3^Acceptable^LN||||||F",
    "OBX|2|ST|57723-9^card^LN||0123||||||F",
    "OBX|3|NM|8339-4^weight^LN||6.5|lb|||||F",
    "OBX|4|NM|42892-0^Citrulline^LN||32|umol/L|||||F",
    "OBX|5|CWE|67704-7^feeding^LN||LA16914-6^Breast milk^LN||||||F",
    "SPM|1|||x|||||||||||||20240222185400|20240224",
]
ADT = [MSH.format("ADT^A08", 8), "EVN|A08|20240225", PID, "PV1|1|I||N"]
ORDER = [MSH.format("OML^O21", 9), PID, "ORC|NW|78^ORD", "OBR|1|78^ORD||54089-8^panel^LN|||202402221854"]


def read(*messages, end="\r", mappings=None):
    data = end.join(end.join(each) for each in messages).encode() if messages else b""
    return read_bytes(data, mappings)


def read_bytes(data, mappings=None):
    known = [each for each in load_builtin().values() if each.format == FORMAT] if mappings is None else mappings
    memory_fd = opened.memory_file(len(data))
    try:
        opened.write_all(memory_fd, data)
        sheets = read_hl7(memory_fd, len(data), known, limit_bytes=2**30)
    finally:
        os.close(memory_fd)
    return [Told(each) for each in sheets]


class Told:
    """A sheet's rows as dictionaries."""

    def __init__(self, sheet):
        self.form, self.layout = sheet.form, sheet.layout
        lines = os.pread(sheet.rows_fd, 2**24, 0).decode().split("\n")[:-1]
        cells = [line.split("\x1f") for line in lines]
        self.lines = [int(each[0]) for each in cells]
        self.rows = [dict(zip(sheet.columns, each[1:], strict=True)) for each in cells]
        self.shown = [line.split("\x1f")[2] for line in os.pread(sheet.broken_fd, 2**24, 0).decode().split("\n")[:-1]]
        self.broken = [
            tuple(line.split("\x1f")[:2]) for line in os.pread(sheet.broken_fd, 2**24, 0).decode().split("\n")[:-1]
        ]
        self.findings = {each.rule: (each.count, each.facts.get("names", "")) for each in sheet.findings}
        assert (sheet.rows, sheet.broken) == (len(self.rows), len(self.broken))
        sheet.close()

    def fields(self, place=0):
        """A row by the mapping's fields."""
        mapping = load_builtin()[self.layout]
        row = self.rows[place]
        return {name: row[each.column] for name, each in mapping.fields.items() if each.column and row[each.column]}


def test_a_file_without_a_message_is_refused():
    for data in (b"\r\n\r\n", b"words and no message\r"):
        with pytest.raises(EmptyFile):
            read_bytes(data)


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        (
            [[MSH.format("SIU^S12", 1), PID], [MSH.format("SIU^S12", 2), PID], [MSH.format("VXU^V04", 3), PID]],
            "SIU^S12 (2)",
        ),
        ([["MSH|"]], "1 without a header"),
        ([[MSH.format("", 1), PID]], "1 without a header"),
        ([["PID|1||7"]], "1 without a header"),
        ([[MSH.format("<script>^x", 1), PID]], "another (1)"),
    ],
)
def test_a_file_without_a_message_that_is_read_is_refused_with_what_it_holds(messages, why):
    with pytest.raises(NoMessages, match="SWD-INTAKE-20") as raised:
        read(*messages)
    assert why in str(raised.value)


def test_a_mapping_with_a_place_that_is_none_is_refused():
    mapping = parse(PERSON.replace("PID-8", "PID.8"))
    with pytest.raises(MappingFault):
        read(ADT, mappings=[mapping])


def test_every_message_is_a_row_a_broken_row_or_counted():
    nameless = [MSH.format("", 1)]
    other = [MSH.format("SIU^S12", 1), PID]
    no_patient = [MSH.format("ORU^R01", 1), "OBR|1|||54089-8"]
    no_screening = [MSH.format("ORU^R01", 1), PID, "OBR|1|||24317-0^Hemogram^LN"]
    two_cards = [*RESULT, "OBX|9|ST|57723-9^card^LN||0456||||||F"]
    broken_text = [MSH.format("ORU^R01", 1), PID + "\x07"]
    person, screen = sorted(
        read(RESULT, ADT, nameless, other, no_patient, no_screening, two_cards, broken_text, ORDER),
        key=lambda one: one.form,
        reverse=True,
    )
    assert (person.form, person.lines) == ("person", [2])
    assert (screen.form, screen.lines) == ("newborn_screen", [1, 9])
    assert sorted(person.broken + screen.broken) == [("3", "M2"), ("5", "M3"), ("6", "M4"), ("7", "M8"), ("8", "M7")]
    assert (person.findings | screen.findings)["M10"] == (1, "SIU^S12 (1)")


def test_of_a_message_that_makes_no_row_only_the_header_is_shown():
    (sheet,) = read(ADT, [MSH.format("ORU^R01", 1), PID + "\x07"], ["BTS|9"], ["PID|1||SECRET"])
    assert [each[1] for each in sheet.broken] == ["M7", "M1"]
    assert sheet.shown == [MSH.format("ORU^R01", 1), "PID"]


def test_a_result_is_a_newborn_screen_with_child_and_mother():
    (sheet,) = read(RESULT)
    told = sheet.fields()
    assert told["local_record_id"] == "77"
    assert told["event_date"] == told["screen_collection_dt"] == "2024-02-22T18:54"
    assert (told["action"], told["record_version"]) == ("new", "20240226034304")
    assert told["screen_card_id"] == "0123"
    assert (told["screen_received_dt"], told["screen_reported_dt"]) == ("2024-02-24", "2024-02-26")
    assert told["screen_birth_weight_g"] == "2948"
    assert (told["screen_sample_quality"], told["screen_feeding"]) == ("acceptable", "breast_milk")
    assert told["screen_analyte"] == "42892-0=32 umol/L"
    assert (told["child_local_id"], told["child_given_names"], told["child_sex"]) == ("7", "ANN", "F")
    assert (told["mother_given_names"], told["mother_birth_date"]) == ("EVE", "1990-01-01")


def test_an_order_has_no_times_of_the_laboratory():
    (sheet,) = read([*ORDER[:-1], ORDER[-1] + "|" * 7 + "20240223" + "|" * 8 + "20240224"])
    told = sheet.fields()
    assert told["local_record_id"] == "78"
    assert not {"screen_received_dt", "screen_reported_dt", "screen_sample_quality"} & set(told)


def test_what_is_not_read_is_named_and_counted():
    (sheet,) = read(
        [
            *RESULT,
            "ZBX|1|x",
            "DG1|1",
            "OBX|9|ST|62324-9^provider^LN||x",
            "OBX|10|ST|||x",
            "OBX|11|ST|Jane Doe||x",
            "OBX|12|NM|57714-8^ga^LN||38|wk|||||W",
        ]
    )
    assert sheet.findings["M11"][0] == 2
    assert set(sheet.findings["M11"][1].split(", ")) == {"ZBX (1)", "DG1 (1)"}
    assert sheet.findings["M12"] == (2, "62324-9 (1), another (1)")
    assert sheet.findings["M13"][0] == 1
    assert sheet.findings["M20"][0] == 1


def test_a_code_is_turned_by_its_words_where_it_is_not_known():
    line = "OBX|9|CWE|57721-3^reason^LN||LA9-9^SUBSEQUENT SCREEN - REASON UNKNOWN^LN||||||F"
    assert read([*RESULT, line])[0].fields()["screen_reason"] == "repeat"
    line = "OBX|9|CWE|57721-3^reason^LN||LA9-9^Something new^LN||||||F"
    assert read([*RESULT, line])[0].fields()["screen_reason"] == "LA9-9"


def test_a_correction_replaces_and_a_cancelled_order_is_void():
    corrected = [line.replace("|||F", "|||C") if line.startswith("OBR") else line for line in RESULT]
    cancelled = [line.replace("ORC|NW", "ORC|CA") for line in ORDER]
    (sheet,) = read(corrected, cancelled)
    assert [sheet.fields(place)["action"] for place in (0, 1)] == ["replace", "void"]


def test_an_adt_message_is_a_person():
    (sheet,) = read(ADT)
    told = sheet.fields()
    assert told["local_record_id"] == told["person_local_id"] == "7"
    assert (told["action"], told["event_date"], told["record_version"]) == ("replace", "2024-02-25", "20240225000000")
    assert (told["person_role"], told["person_family_name"], told["person_birth_date"]) == (
        "child",
        "EXAMPLE",
        "2024-02-21",
    )


def test_an_adt_message_is_a_birth_where_that_layout_is_named():
    newborn = [
        *ADT[:-1],
        "NK1|1|EXAMPLE^EVE|MTH^Mother",
        "PV1|1|I||N",
        "OBX|1|NM|8339-4^weight||3.1|kg",
        "OBX|2|NM|49051-6^ga||38|wk",
    ]
    grown = [MSH.format("ADT^A01", 1), "EVN|A01|20240225", "PID|1||9^^^H^MR||EXAMPLE^EVE||19900101|F"]
    (sheet,) = read(newborn, grown, mappings=[load_builtin()["hl7-birth"]])
    told = sheet.fields()
    assert sheet.form == "birth"
    assert (told["local_record_id"], told["event_date"]) == ("7", "2024-02-21")
    assert (told["birth_weight_g"], told["ga_weeks"], told["mother_given_names"]) == ("3100", "38", "EVE")
    assert sheet.broken == [("2", "M9")]


def test_a_message_of_two_patients_is_two_rows_and_said():
    (sheet,) = read([*ADT, "PID|2||8^^^H^MR||OTHER^EVE"])
    assert [sheet.fields(place)["person_local_id"] for place in (0, 1)] == ["7", "8"]
    assert sheet.lines == [1, 2]
    assert sheet.findings["M18"][0] == 1


def test_more_patients_than_a_message_has_are_one_broken_row():
    many = [MSH.format("ADT^A01", 1), *["ZZZ|1"] * 2000, *["PID|1||7"] * 2000]
    (sheet,) = read(ADT, many)
    assert sheet.broken == [("2", "M5")]


def test_many_patients_and_many_answers_are_read_in_time():
    began = time.process_time()
    patients = [MSH.format("ADT^A01", 1), *[f"PID|1||{n}^^^H^MR" for n in range(5000)]]
    answers = [*RESULT, *[f"OBX|{n}|CWE|67704-7^feeding^LN||X{n}^x^L||||||F" for n in range(20000)]]
    found = {each.form: each for each in read(patients, answers)}
    assert len(found["person"].rows) == 5000
    assert len(found["newborn_screen"].rows) == 1
    assert time.process_time() - began < 30


def test_a_merge_of_numbers_is_said():
    assert read([MSH.format("ADT^A40", 1), PID, "MRG|9^^^H^MR"])[0].findings["M19"][0] == 1


def test_line_ends_frames_and_batches_do_not_matter():
    plain = read(RESULT, ORDER)[0].rows
    assert read(RESULT, ORDER, end="\n")[0].rows == plain
    assert read(["\x0b" + RESULT[0], *RESULT[1:], "\x1c"], ["\x0b" + ORDER[0], *ORDER[1:], "\x1c"])[0].rows == plain
    (sheet,) = read(["FHS|^~\\&|A", "BHS|^~\\&|A"], RESULT, ORDER, ["BTS|3", "FTS|1"])
    assert sheet.rows == plain
    assert sheet.findings["M22"] == (1, "3 said, 2 found")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_messages_in_utf_16_are_read(encoding):
    data = "\r\n".join(line.replace("EXAMPLE^ANN", "EXAMPLE^ÉVE") for line in RESULT).encode(encoding)
    assert sniff(data[:4096], len(data)) == FORMAT
    (sheet,) = read_bytes(data)
    assert sheet.fields()["child_given_names"] == "ÉVE"
    assert "H30" in sheet.findings
    with pytest.raises(Unreadable):
        read_bytes(data + b"\x00\xd8\x00\xd8A" * 3)


def test_a_value_with_a_line_end_or_a_tab_keeps_its_row_whole():
    (sheet,) = read([line.replace("EXAMPLE^ANN", "EXAM\\.br\\PLE^A\tNN") for line in RESULT])
    assert sheet.fields()["child_family_name"] == "EXAM\x1ePLE"
    assert sheet.fields()["child_given_names"] == "A NN"


PERSON = """
name = "ours"
title = "Ours"
dictionary = "1"
row = "person"
format = "hl7"
not_carried = ["site_id"]
[fields.local_record_id]
from = "PID-3"
[fields.event_date]
from = "MSH-7"
[fields.person_local_id]
from = "PID-3"
[fields.person_role]
constant = "birthing_parent"
[fields.person_family_name]
from = "PID-5.1"
[fields.person_birth_date]
from = "PID-7"
[fields.person_sex]
from = "PID-8"
"""


def test_a_mapping_of_ones_own_reads_its_form_and_counts_the_other_messages():
    (sheet,) = read(ADT, RESULT, mappings=[parse(PERSON)])
    assert (sheet.form, sheet.layout, len(sheet.rows)) == ("person", "ours", 1)
    assert sheet.findings["M10"] == (1, "ORU^R01 (1)")


def test_every_message_of_the_real_files_is_accounted_for(real_data):
    files = sorted(real_data.glob("hl7_*/**/*.hl7"))
    assert len(files) > 200
    rows = broken = refused = 0
    for path in files:
        data = path.read_bytes()
        try:
            sheets = read_bytes(data)
        except (EmptyFile, NoMessages):
            refused += 1
            continue
        counted = sum(len(each.rows) + len(each.broken) + each.findings.get("M10", (0,))[0] for each in sheets)
        messages = len(re.findall(rb"(?:^|[\r\n])(?:\xef\xbb\xbf)?MSH\|", data))
        assert counted == messages or sheets[0].findings.get("M18"), path.name
        rows += sum(len(each.rows) for each in sheets)
        broken += sum(len(each.broken) for each in sheets)
    assert rows > 100
    assert rows + broken + refused >= len(files)


def test_a_birth_date_of_which_the_day_is_not_known_is_unknown_and_told():
    (sheet,) = read([each.replace("20240221", "1994") for each in ADT])
    assert sheet.rows[0]["PID-7 as date"] == "?ASKU"
    assert sheet.findings["M24"][0] == 1


def test_a_file_in_other_characters_than_it_says_is_told_so():
    with pytest.raises(NoMessages, match="other characters"):
        read_bytes("\r".join(ADT).replace("ANN", "ZO\xcb").encode("latin-1"))
