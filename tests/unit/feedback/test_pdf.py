"""A page as a PDF: tagged, titled, in its language, the same bytes each time; without it the report goes all the same."""

import re

import pytest

from printable import WHY_NOT, can_print, insides
from swaddle.feedback import pdf

PAGE = (
    '<!doctype html><html lang="fr"><head><title>Rapport &lt;b&gt;</title></head><body><h1>Naissances</h1>'
    '<table><thead><tr><th scope="col">Part</th></tr></thead><tr><td>5 %</td></tr></table>'
    '<p>\u05d0\u202e &lt;script&gt; =cmd()</p><a download="x" href="data:text/csv;base64,AAAA">CSV</a></body></html>'
).encode()


@pytest.fixture(scope="module")
def made():
    if not can_print():
        pytest.skip(WHY_NOT)
    return pdf.pdf_of(PAGE, "fr")


def test_it_is_tagged_and_says_its_title_and_language(made):
    inside = insides(made)
    assert b"/StructTreeRoot" in inside
    assert b"/Marked true" in inside
    assert {b"/H1", b"/Table", b"/TH"} <= set(re.findall(rb"/(?:H1|Table|TH)\b", inside))
    assert re.search(rb"/Lang ?\(fr\)", inside)
    assert b"pdfuaid" in inside
    assert b"Rapport <b>" in inside


def test_the_same_page_is_the_same_pdf(made):
    assert pdf.pdf_of(PAGE, "fr") == made
    assert b"/CreationDate" not in insides(made)


def test_a_download_that_paper_cannot_give_is_left_out(made):
    assert b"data:text/csv" not in insides(made)


def test_both_pages_are_printed_or_none(made, monkeypatch):
    assert set(pdf.printed({"en": PAGE, "fr": PAGE})) == {"report.pdf", "report-fr.pdf"}
    assert pdf.printed({"en": PAGE, "fr": b" " * (pdf.LIMIT_PAGE_BYTES + 1)}) == {}


def test_the_doctor_says_whether_reports_are_printed(made, monkeypatch):
    [finding] = pdf.seen()
    assert finding.state == "good"

    def lacking(*_):
        raise pdf.NotPrinted("Pango that it needs is not installed")

    monkeypatch.setattr(pdf, "pdf_of", lacking)
    [finding] = pdf.seen()
    assert "libpango" in finding.fix
    assert "PDF" in finding.what
