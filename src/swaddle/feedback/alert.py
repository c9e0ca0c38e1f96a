"""An alert about the care of newborns: a page in both languages, the same as JSON. Pure.

It names records by their hospital's own numbers and holds no name, so that it can be read out on a ward.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from string import Template

from swaddle.canonical import format_instant
from swaddle.feedback.bundle import pack
from swaddle.feedback.words import visible

KIND = "alert"
# Cause -> (English heading, what to do, French heading, what to do).
TEXTS: Mapping[str, tuple[str, str, str, str]] = {
    "missed": (
        "No newborn screen on day 7",
        "No laboratory has a sample of these babies. Find out whether one was taken; if not, take it today.",
        "Aucun dépistage néonatal au jour 7",
        "Aucun laboratoire n'a de prélèvement de ces bébés. Vérifiez s'il a été fait; sinon, faites-le aujourd'hui.",
    ),
    "urgent": (
        "Urgent screening result without a follow-up",
        (
            "The laboratory reported an urgent result and no follow-up is recorded after $days days (a limit"
            " that is not verified yet). Ask the treatment centre today whether the baby was seen."
        ),
        "Résultat urgent du dépistage, sans suivi",
        (
            "Le laboratoire a signalé un résultat urgent et aucun suivi n'est inscrit après $days jours (délai non"
            " encore vérifié). Demandez aujourd'hui au centre de traitement si le bébé a été vu."
        ),
    ),
    "positive": (
        "Positive screening result without a follow-up",
        (
            "A result is out of range and neither a second sample nor a diagnosis is recorded after $days days (a limit"
            " that is not verified yet). Find out whether the baby was followed up."
        ),
        "Résultat positif du dépistage, sans suivi",
        (
            "Un résultat est hors des limites et ni second prélèvement ni diagnostic n'est inscrit après $days jours"
            " (délai non encore vérifié). Vérifiez si le bébé a eu un suivi."
        ),
    ),
}
_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Alert: the care of $number of your newborns cannot wait</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 1rem auto; padding: 0 1rem; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: .25rem 1rem .25rem 0; overflow-wrap: anywhere; }
th, td { border-bottom: 1px solid #888; } bdi { font-family: ui-monospace, monospace; }
</style>
</head>
<body>
<main>
<h1>Alert: the care of $number of your newborns cannot wait</h1>
<p>Made at $made. This is what the registry's data say; the chart of the baby comes first.</p>
$english
<p>What was done reaches the registry with the records themselves. Nothing has to be answered here.</p>
<hr>
<div lang="fr">
<h1>Alerte : les soins de $number de vos nouveau-nés ne peuvent attendre</h1>
<p>Établie le $made. Voilà ce que disent les données du registre; le dossier du bébé prime.</p>
$french
<p>Ce qui est fait parvient au registre avec les dossiers mêmes. Il n'y a rien à répondre ici.</p>
</div>
</main>
</body>
</html>
""")


@dataclass(frozen=True)
class Baby:
    """One baby: the form and number of its birth at its own hospital, why, and the day of birth if it is known."""

    form: str
    record: str
    cause: str
    born: date | None


def alert(notice: str, babies: Sequence[Baby], at: datetime, limits: Mapping[str, int]) -> bytes:
    """The bundle that is sealed to a submitter.

    Args:
        notice: its id, 32 hex digits.
        babies: of that submitter alone.
        at: now.
        limits: cause to the days that a follow-up may take.
    """
    told = {
        "transfer": notice,
        "kind": KIND,
        "made": format_instant(at),
        "rows": {"read": 0, "stored": 0, "rejected": 0, "duplicates": 0},
        "records": {},
        "findings": [],
        "alerts": [
            {
                "cause": each.cause,
                "form": each.form,
                "record": each.record,
                "born": None if each.born is None else each.born.isoformat(),
            }
            for each in babies
        ],
    }
    page = _PAGE.substitute(
        number=f"{len(babies):,}",
        made=format_instant(at),
        english=_part(babies, limits, 0, ("Record", "Born")),
        french=_part(babies, limits, 2, ("Dossier", "Né le")),
    )
    return pack({"report.html": page.encode("utf-8"), "report.json": json.dumps(told, indent=2).encode("utf-8")})


def _part(babies: Sequence[Baby], limits: Mapping[str, int], at: int, heads: tuple[str, str]) -> str:
    lines = []
    for cause, texts in TEXTS.items():
        own = [each for each in babies if each.cause == cause]
        if own:
            rows = "".join(
                f"<tr><td><bdi>{escape(visible(each.record))}</bdi></td><td>{each.born or '?'}</td></tr>\n"
                for each in own
            )
            what = Template(texts[at + 1]).substitute(days=limits.get(cause, 0))
            lines.append(
                f"<h2>{texts[at]}: {len(own):,}</h2>\n<p>{what}</p>\n<table>\n"
                f"<tr><th scope='col'>{heads[0]}</th><th scope='col'>{heads[1]}</th></tr>\n{rows}</table>\n"
            )
    return "".join(lines)
