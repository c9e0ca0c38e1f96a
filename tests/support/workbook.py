"""Excel workbooks made by hand, part by part, so that a test can make them wrong."""

import io
import zipfile
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
# cell styles: 0 plain, then date formats as people choose them
FORMATS = ["General", "yyyy-mm-dd", "d/m/yyyy", '[$-409]d"-"mmm"-"yy', "m/d/yyyy h:mm", "hh:mm", "dddd, mmmm d, yyyy"]


def letters(place):
    text, place = "", place + 1
    while place:
        place, digit = divmod(place - 1, 26)
        text = chr(65 + digit) + text
    return text


class Date(float):
    """A number of days, and the style (a place in FORMATS) it is shown in."""

    def __new__(cls, days, style):
        made = super().__new__(cls, days)
        made.style = style
        return made


class Formula(str):
    """A formula's last value; `None` of it is none."""

    __slots__ = ()


def cell(place, number, value):
    where = f' r="{letters(place)}{number}"'
    if value is None:
        return ""
    if isinstance(value, Formula):
        kept = f"<v>{escape(value)}</v>" if value else ""
        return f'<c{where} t="str"><f>CONCAT("a",1/0)</f>{kept}</c>'
    if isinstance(value, Date):
        return f'<c{where} s="{value.style}"><v>{float(value)!r}</v></c>'
    if isinstance(value, bool):
        return f'<c{where} t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c{where}><v>{value!r}</v></c>"
    return f'<c{where} t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


def sheet_xml(rows, merged=(), first=1):
    body = "".join(
        f'<row r="{n}">{"".join(cell(place, n, value) for place, value in enumerate(row))}</row>'
        for n, row in enumerate(rows, start=first)
    )
    ranges = "".join(f'<mergeCell ref="{each}"/>' for each in merged)
    merges = f"<mergeCells>{ranges}</mergeCells>" if ranges else ""
    return f'<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData>{merges}</worksheet>'


def workbook(rows=None, *, sheets=None, merged=(), since_1904=False, shared=None, replaced=None):
    """A workbook's bytes. `sheets`: (name, state, rows) in place of one visible sheet; `replaced`: part to its text."""
    sheets = sheets or [("Births", "visible", rows)]
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" state="{state}" r:id="rId{n}"/>'
        for n, (name, state, _) in enumerate(sheets, start=1)
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{DOCUMENT}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    own = "".join(
        f'<numFmt numFmtId="{170 + n}" formatCode="{escape(each, {chr(34): "&quot;"})}"/>'
        for n, each in enumerate(FORMATS)
    )
    styles = "".join(f'<xf numFmtId="{170 + n}"/>' for n in range(len(FORMATS)))
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}"><workbookPr date1904="{int(since_1904)}"/>'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{related}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{own}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>',
        **{f"xl/worksheets/sheet{n}.xml": sheet_xml(each, merged) for n, (_, _, each) in enumerate(sheets, start=1)},
    }
    if shared is not None:
        texts = "".join(f"<si>{each}</si>" for each in shared)
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">{texts}</sst>'
    parts.update(replaced or {})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            if text is not None:
                archive.writestr(name, text)
    return out.getvalue()
