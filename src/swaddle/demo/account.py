"""What each report says, in a line or two, and where it lies: the demo's last words. Pure.

Nothing is worked out here: the sentences are the report's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Which sentence is told of a report that has several: the first of these that it answers.
TELLING: tuple[str, ...] = ("ntsv_caesarean", "robson", "preterm")
PAGE = "report.html"


@dataclass(frozen=True)
class Account:
    """One report, retold.

    Attributes:
        name: whose report it is.
        says: the report's own sentences.
        page: the page to open, below the folder of reports.
    """

    name: str
    says: tuple[str, ...]
    page: str
    is_alert: bool = False


def account(name: str, report: Mapping[str, Any], page: str) -> Account:
    """A report in one or two of its own sentences: what became of the rows, and one finding."""
    rows = report["rows"]
    first = f"{rows['stored']:,} of {rows['read']:,} births are stored."
    found = {each["id"]: str(each["finding"]) for each in report["indicators"] if each["answerable"]}
    finding = next((found[each] for each in TELLING if each in found), "No indicator can be answered yet.")
    return Account(name, (first, finding), page)
