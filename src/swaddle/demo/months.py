"""The report of the last month: made for each hospital that has records of it, opened there, and retold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swaddle.demo import town
from swaddle.demo.account import PAGE, Account
from swaddle.demo.cohort import SITES

_FEW = 10  # births; a share of fewer says nothing


def send(all_: town.Town, reports: Path) -> list[Account]:
    """Send the month's reports and open them; one account for each that came.

    Raises:
        StepFailed: a command did not do its part.
    """
    all_.registry.run("registry", "monthly", "--json")
    accounts = []
    for site, party in zip(SITES, all_.submitters, strict=True):
        for each in party.run("get", "--out", reports / site.folder, "--json").value["got"]:
            if each["about"] == "month":
                page = next(Path(name) for name in each["files"] if Path(name).name == PAGE)
                told = json.loads(page.with_name("report.json").read_bytes())
                accounts.append(Account(site.name, says(told), str(page.relative_to(reports))))
    return accounts


def says(told: Mapping[str, Any]) -> tuple[str, ...]:
    """A month's report in a few sentences: what needs a look, what got better, what is too few to say."""
    answered = [each for each in told["indicators"] if each["answerable"] and each["denominator"]]
    few = sum(each["denominator"] < _FEW for each in answered)
    attention, better = told.get("attention", []), told.get("better", [])
    found = [f"{told['month']}: {len(answered)} indicators have an answer."]
    found += [str(each) for each in (attention[:1] or better[:1])]
    if not attention and not better:
        found.append("Nothing stands out that chance does not explain.")
    if few:
        found.append(f"{few} of them rest on fewer than {_FEW} births: too few to say.")
    return tuple(found)
