"""The quality report: what became of a submission and what its births say: a page in two languages, a JSON and a CSV.

Pure: the submission, the indicators and the rejected rows are given; the page's templates are part of the program.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from swaddle.canonical import format_instant
from swaddle.feedback import page
from swaddle.feedback.bundle import pack
from swaddle.feedback.submission import DoesNotAddUp, Refusal, RejectedRow, Rows, SubmissionReport
from swaddle.feedback.tongue import LANGUAGES
from swaddle.indicators.results import IndicatorResult

__all__ = ["Bundle", "DoesNotAddUp", "Refusal", "RejectedRow", "Rows", "SubmissionReport", "report"]


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What goes back to the submitter."""

    html: bytes
    html_fr: bytes
    json: bytes
    rejected_csv: bytes | None

    def files(self) -> dict[str, bytes]:
        """By the names that a feedback bundle knows."""
        files = {"report.html": self.html, "report-fr.html": self.html_fr, "report.json": self.json}
        return files if self.rejected_csv is None else files | {"rejected.csv": self.rejected_csv}

    def packed(self) -> bytes:
        """One archive, as `bundle.unpack` reads it."""
        return pack(self.files())


def report(
    submission: SubmissionReport,
    indicators: Sequence[IndicatorResult] = (),
    *,
    rejected_csv: bytes | None = None,
) -> Bundle:
    """Make the report of one submission.

    Args:
        submission: what was read, found and stored.
        indicators: of this submitter, as `indicators.compute` gives them.
        rejected_csv: the rejected rows with their columns, as `intake` wrote them; None when there are none.

    Raises:
        DoesNotAddUp: the rows do not.
    """
    english, french = (
        page.render(
            submission,
            tuple(indicators),
            with_csv=rejected_csv is not None,
            language=language,
        ).encode("utf-8")
        for language in LANGUAGES
    )
    return Bundle(
        html=english,
        html_fr=french,
        json=_json(submission, indicators),
        rejected_csv=rejected_csv,
    )


def _json(submission: SubmissionReport, indicators: Sequence[IndicatorResult]) -> bytes:
    """The object of `report --json` with the indicators; ASCII, so that no character in a value acts on its reader."""
    rows = submission.rows
    value = {
        **submission.checked,
        "transfer": submission.transfer,
        "rows": {
            "read": rows.read,
            "stored": rows.stored,
            "rejected": rows.rejected,
            "duplicates": rows.duplicates,
        },
        "records": submission.checked.get("records", {}),
        "findings": submission.checked.get("findings", []),
        "refused": None
        if submission.refused is None
        else {"what": submission.refused.what, "why": submission.refused.why, "fix": submission.refused.fix},
        "not_carried": list(submission.not_carried),
        "dictionary_version": submission.dictionary_version,
        "received_at": format_instant(submission.received_at),
        "as_of": format_instant(submission.as_of),
        "indicators": [item.to_json() for item in indicators],
    }
    return json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"
