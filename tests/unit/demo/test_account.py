from swaddle.demo.account import account

ROWS = {"stored": 2_831, "read": 2_980}


def indicator(id_, finding, *, answerable=True):
    return {"id": id_, "finding": finding, "answerable": answerable}


def test_the_sentence_is_the_reports_own():
    report = {"rows": ROWS, "indicators": [indicator("preterm", "6 %."), indicator("ntsv_caesarean", "30 %. Higher.")]}
    assert account("Lakeview", report, "a/report.html").says == ("2,831 of 2,980 births are stored.", "30 %. Higher.")


def test_a_report_that_can_answer_nothing_says_so():
    report = {"rows": ROWS, "indicators": [indicator("ntsv_caesarean", "Not carried.", answerable=False)]}
    assert account("Lakeview", report, "a/report.html").says[1] == "No indicator can be answered yet."
