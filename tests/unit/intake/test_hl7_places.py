"""HL7 v2: places in a message as a mapping names them, and what a message is to the registry."""

import pytest

from swaddle.intake.readers import hl7_screen as screen
from swaddle.intake.readers.hl7 import parse
from swaddle.intake.readers.hl7_kinds import (
    Kind,
    action_of,
    is_screening,
    patients,
    role_of,
    type_of,
)
from swaddle.intake.readers.hl7_paths import BadPath, compile_path, moment, value_at

MSH = "MSH|^~\\&|LAB|PLACE|REG|REG|20240226034304||{}|7|P|2.5.1"


def message(*segments, kind="ORU^R01^ORU_R01"):
    return parse("\n".join([MSH.format(kind), *segments]))


def value(path, *segments, **more):
    return value_at(compile_path(path), message(*segments, **more))


@pytest.mark.parametrize(
    "path", ["", "PID", "PID-", "pid-5", "PID-5.", "PID-5.1.1.1", "PID-3[5]", "OBX[3]-5", "OBX-5 in stone", "PID-5;--"]
)
def test_a_place_in_another_form_is_refused(path):
    with pytest.raises(BadPath):
        compile_path(path)


PID = "PID|1|OLD|123^^^SSA^SS~77^^^H&2.16&ISO^MR~9876543217^^^ON^JHN||SMITH&VAN^ANN^MARIE~BYNAME^X||20240221015200-0500|F^Female^HL70001"


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("PID-3", "123"),
        ("PID-3[5=MR].1", "77"),
        ("PID-3[5=mr,PI].1", "77"),
        ("PID-3[5=MR].4.2", "2.16"),
        ("PID-3[5!=SS,JHN].1", "77"),
        ("PID-3[5=JHN].4", "ON"),
        ("PID-3[5=XX].1 | PID-2", "OLD"),
        ("PID-5.1", "SMITH"),
        ("PID-5.2 + PID-5.3", "ANN MARIE"),
        ("PID-5.1*", "SMITH;BYNAME"),
        ("PID-7", "2024-02-21T01:52"),
        ("PID-7 as date", "2024-02-21"),
        ("PID-8", "F"),
        ("PID-8.2", "Female"),
        ("PID-99", ""),
        ("ZZZ-1", ""),
    ],
)
def test_a_place_in_a_message(path, read):
    assert value(path, PID) == read


def test_a_relative_is_found_by_what_they_are():
    relatives = ("NK1|1|DOE^JOHN|FTH^Father", "NK1|2|ROE^JANE|MTH^Mother^HL70063", "NK1|3|POE^ANN|^Aunt")
    assert value("NK1[3=MTH,MOTHER]-2.1", *relatives) == "ROE"
    assert value("NK1[3=Mother]-2.1", *relatives) == "ROE"
    assert value("NK1[3=SPO]-2.1", *relatives) == ""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("20240221", "2024-02-21"),
        ("202402", "2024-02"),
        ("2024", "2024"),
        ("2024022101", "2024-02-21T01:00"),
        ("202402210152-0500", "2024-02-21T01:52"),
        ("20240221015210.1234+0000", "2024-02-21T01:52"),
        ("February 4 2024", "February 4 2024"),
        ("DOB", "DOB"),
        ("20249999", "2024-99-99"),
        ("202402210", "202402210"),
        ("", ""),
    ],
)
def test_moments(written, read):
    assert moment(written) == read


@pytest.mark.parametrize(
    ("fields", "unit", "read"),
    [
        ("NM|8339-4^W^LN||2921|g^gram^UCUM", "g", "2921"),
        ("NM|8339-4^W^LN||1769.859285|g", "g", "1770"),
        ("NM|8339-4^W^LN||2.921|kg", "g", "2921"),
        ("NM|8339-4^W^LN||6.5|lb", "g", "2948"),
        ("NM|8339-4^W^LN||2100^g^LN|", "g", "2100"),
        ("NM|8339-4^W^LN||2921|", "g", "2921"),
        ("NM|8339-4^W^LN||2921 g|", "g", "2921"),
        ("NM|8339-4^W^LN||NOVALUE|g", "g", "NOVALUE"),
        ("NM|8339-4^W^LN||35|mg/dL", "g", "35 mg/dL"),
        ("SN|8339-4^W^LN||^2921|g", "g", "2921"),
        ("NM|8339-4^W^LN||270|d", "wk", "38"),
        ("ST|8339-4^W^LN||38w4d|", "wk", "38"),
        ("ST|8339-4^W^LN||38+4|", "wk", "38"),
        ("ST|8339-4^W^LN||38 4/7|", "wk", "38"),
        ("NM|8339-4^W^LN||38|wk", "wk", "38"),
        ("NM|8339-4^W^LN||1.5|d", "h", "36"),
        ("NM|8339-4^W^LN||90|min", "h", "1.5"),
        ("NM|8339-4^W^LN||41|h|||||D", "h", ""),
        ("NM|8339-4^W^LN||41|h|||||F", "h", "41"),
        ("NM|8339-4^W^LN||1e5|g", "g", "1e5"),
    ],
)
def test_a_measured_value_comes_in_the_unit_asked_for_or_as_it_is_written(fields, unit, read):
    assert value(f"OBX[3=8339-4]-5 in {unit}", f"OBX|1|{fields}") == read


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("CWE|67704-7^Feeding^LN||LA16914-6^Breast milk^LN", "LA16914-6"),
        ("CE|67704-7^Feeding^LN||BM^Breast milk^L^LA16914-6^Breast milk^LN", "LA16914-6"),
        ("CE|^^^67704-7^Feeding^LN||^Formula^CD:1220", "Formula"),
        ("ST|67704-7^Feeding||Human Milk \\T\\ Formula", "Human Milk & Formula"),
        ("CWE|67704-7^Feeding^LN||^^^^^^^^other words", ""),
        ("DTM|67704-7^When^LN||202402211218-0500", "2024-02-21T12:18"),
    ],
)
def test_a_coded_answer(answer, read):
    assert value("OBX[3=67704-7]-5", f"OBX|1|{answer}") == read


def test_several_answers_are_apart_by_semicolons():
    two = (
        "OBX|1|CE|67704-7||LA12418-2^TPN^LN",
        "OBX|2|CE|67704-7||LA16914-6^BREAST; MILK^LN",
        "OBX|3|CE|67704-7||LA12418-2",
    )
    assert value("OBX[3=67704-7]-5*", *two) == "LA12418-2;LA16914-6"


def test_what_it_is_comes_from_msh_9_or_the_event():
    assert type_of(message(kind="oru^r01")) == ("ORU", "R01")
    assert type_of(message("EVN|A08|2024", kind="ADT")) == ("ADT", "A08")
    assert type_of(message(kind="")) == ("", "")


def test_screening_is_known_by_panel_words_or_card():
    assert is_screening(message("OBR|1|||54089-8^x^LN"))
    assert is_screening(message("OBR|1|||NBS1^Newborn Screen, Initial^L"))
    assert is_screening(message("OBR|1|||^^^54089-8^x^LN"))
    assert is_screening(message("OBR|1|||X", "OBX|1|ST|57723-9^card^LN||1"))
    assert not is_screening(message("OBR|1|||24317-0^Hemogram^LN", "OBX|1|NM|718-7^Hb^LN||120"))
    assert not is_screening(message())


@pytest.mark.parametrize(
    ("segments", "kind", "action"),
    [
        (["ORC|NW", "OBR|1"], Kind.ORDER, "new"),
        (["ORC|CA", "OBR|1"], Kind.ORDER, "void"),
        (["ORC|CA", "ORC|NW"], Kind.ORDER, "new"),
        (["ORC|XO", "OBR|1"], Kind.ORDER, "replace"),
        (["ORC|RE", "OBR|1" + "|" * 24 + "F"], Kind.RESULT, "new"),
        (["ORC|RE", "OBR|1" + "|" * 24 + "C"], Kind.RESULT, "replace"),
        (["ORC|RE", "OBR|1" + "|" * 24 + "X"], Kind.RESULT, "void"),
        (["OBR|1", "OBX|1|NM|1-8||5||||||W"], Kind.RESULT, "void"),
        (["OBR|1", "OBX|1|NM|1-8||5||||||W", "OBX|2|NM|1-8||5||||||C"], Kind.RESULT, "replace"),
        (["OBR|1"], Kind.RESULT, "new"),
    ],
)
def test_corrected_and_cancelled(segments, kind, action):
    assert action_of(message(*segments), kind) == action


@pytest.mark.parametrize(
    ("trigger", "action"), [("A01", "new"), ("A08", "replace"), ("A31", "replace"), ("A29", "void"), ("A11", "new")]
)
def test_persons_are_new_changed_or_deleted(trigger, action):
    assert action_of(message(kind=f"ADT^{trigger}"), Kind.PERSON) == action


@pytest.mark.parametrize(
    ("segments", "role"),
    [
        (["EVN||20240225", "PID|||||||20240221|F"], "child"),
        (["EVN||20240225", "PID|||||||19900221|F"], ""),
        (["EVN||20240225", "PID|||||||19900221|F", "PV1|1|I||L"], "birthing_parent"),
        (["EVN||20240225", "PID|||||||19900221|F", "PV1|1|B"], "birthing_parent"),
        (["EVN||20240225", "PID|||||||19900221|F", "DG1|1||O80.0^Birth^I10"], "birthing_parent"),
        (["EVN||20240225", "PID|||||||19900221|F", "PV1|1|I||||||||OBS"], "birthing_parent"),
        (["PID|||||||DOB|F", "PV1|1|I||N"], "child"),
        (["PID|||||||99999999|F"], ""),
        ([], ""),
    ],
)
def test_the_role_of_a_person_where_the_message_tells(segments, role):
    assert role_of(message(*segments, kind="ADT^A01")) == role


def test_each_patient_of_a_message_has_its_own_segments():
    found = patients(message("PID|1||7", "OBX|1|NM|a", "PID|2||8", "OBX|1|NM|b"))
    assert [each.text(each.named("PID")[0], 3) for each in found] == ["7", "8"]
    assert [each.text(each.named("OBX")[0], 3) for each in found] == ["a", "b"]
    assert all(each.header(9) == "ORU" for each in found)


def test_analytes_are_measured_values_of_the_blood_spot():
    read = screen.analytes(
        message(
            "OBX|1|NM|42892-0^Citrulline^LN||32|umol/L^x^UCUM",
            "OBX|2|SN|29575-8^Thyrotropin^LN||<^2.22|u[IU]/mL",
            "OBX|3|NM|8339-4^Birth weight^LN||2921|g",
            "OBX|4|NM|47700-0^Methionine^LN||410|umol/L|||||W",
            "OBX|5|NM|LOCAL^x^L||5",
            "OBX|6|TX|57710-6^words^LN||Normal",
        )
    )
    assert read == "42892-0=32 umol/L;29575-8=<2.22 u[IU]/mL"


TESTED = ("OBX|2|CWE|57719-7^tested^LN|1|LA12496-8^HCY^LN", "OBX|3|CWE|57719-7^tested^LN|2|LA12566-8^SCID^LN")


@pytest.mark.parametrize(
    ("segments", "read"),
    [
        (TESTED, "LA12496-8=tested;LA12566-8=tested"),
        (("OBX|1|CWE|57131-5^positive^LN||LA137-2^None^LN", *TESTED), "LA12496-8=in_range;LA12566-8=in_range"),
        (("OBX|1|CWE|57131-5^positive^LN|1|LA12496-8^HCY^LN", *TESTED), "LA12496-8=out_of_range;LA12566-8=in_range"),
        (("OBX|1|CWE|57720-5^equivocal^LN|1|LA12496-8^HCY^LN", TESTED[0]), "LA12496-8=borderline"),
        (("OBX|1|CWE|46733-2^amino acids^LN||LA18593-6^Out of range^LN",), "46733-2=out_of_range"),
        (("OBX|1|CWE|46733-2^amino acids^LN||^In Range^L",), "46733-2=in_range"),
        (("OBX|1|CWE|46733-2^amino acids^LN||^See comment^L",), ""),
        (("OBX|1|CWE|57131-5^positive^LN|1|LA12496-8^HCY^LN||||||W",), ""),
    ],
)
def test_conditions(segments, read):
    assert screen.conditions(message(*segments)) == read


@pytest.mark.parametrize(
    ("answers", "quality", "reasons"),
    [
        ([], "", ""),
        (["LA12432-3^Acceptable^LN"], "acceptable", ""),
        (["^Satisfactory^L"], "acceptable", ""),
        (["LA20627-8^Specimen has uneven saturation^LN"], "unsatisfactory", "uneven"),
        (["LA1-1^Specimen quantity insufficient^LN", "X^Sample clotted^L"], "unsatisfactory", "quantity;clotted"),
        (["LA1-1^Something new^LN"], "unsatisfactory", "other"),
        (["^Unsatisfactory"], "unsatisfactory", ""),
    ],
)
def test_the_quality_of_the_sample(answers, quality, reasons):
    read = message(*(f"OBX|1|CWE|57718-9^quality^LN||{each}" for each in answers))
    assert screen.quality(read) == quality
    assert screen.unsatisfactory_reasons(read) == reasons


@pytest.mark.parametrize(
    ("segments", "factors", "nicu", "transfused"),
    [
        ([], "", "", ""),
        (["CWE|57713-0^factors^LN||LA137-2^None^LN"], "none", "N", "N"),
        (["CWE|57713-0^factors^LN||LA12419-0^in ICU^LN"], "nicu", "Y", ""),
        (
            ["CWE|57713-0^factors^LN||LA12417-4^any^LN", "CWE|57713-0^f^LN||LA12420-8^x^LN"],
            "transfusion;antibiotics",
            "",
            "Y",
        ),
        (
            ["CE|57713-0^Transfused?||^No^CD:1", "CE|57713-0^Sick/Premature?||^Yes, Sick/Premature^CD:1"],
            "preterm",
            "",
            "N",
        ),
        (["CE|57713-0^Transfused?||^Yes^CD:1"], "transfusion", "", "Y"),
        (["CWE|57713-0^factors^LN||LA9-9^something^LN"], "other", "", ""),
        (["ST|82312-0^Infant Blood Transfusion?||No"], "", "", "N"),
        (["DTM|62317-3^Date of last transfusion^LN||202402211218-0500"], "", "", "Y"),
    ],
)
def test_what_may_change_a_result(segments, factors, nicu, transfused):
    read = message(*(f"OBX|1|{each}" for each in segments))
    assert screen.factors(read) == factors
    assert screen.in_intensive_care(read) == nicu
    assert screen.transfused(read) == transfused
