"""The table of docs/intake.md is what the real files give, and every row in it is accounted for."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "intake.md").read_text("utf-8")


def tool():
    spec = importlib.util.spec_from_file_location("intake_table", ROOT / "tools" / "intake_table.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_rows_read_are_rows_stored_rejected_and_repeated():
    rows = re.findall(
        r"^\| `[^`]+` \| [^|]+ \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| (.*) \|$", PAGE, re.MULTILINE
    )
    assert len(rows) > 100
    for read, stored, rejected, repeated, why in rows:
        counts = [int(each.replace(",", "")) for each in (stored, rejected, repeated)]
        assert int(read.replace(",", "")) == sum(counts)
        assert why or not counts[1]


@pytest.mark.slow
@pytest.mark.first
@pytest.mark.real_data
def test_the_table_is_what_the_real_files_give(real_data):
    if not (real_data / "nchs_births2006").is_dir():
        pytest.skip("the real files are not there")
    assert tool().written(real_data) == PAGE, "run python tools/intake_table.py"


@pytest.mark.slow
@pytest.mark.real_data
def test_births_and_deaths_from_vital_records_are_as_the_table_says(real_data):
    if not (real_data / "bfdr_fixtures").is_dir():
        pytest.skip("the real files are not there")
    found = tool()
    lines = [found.table([each]).splitlines()[2] for each in found.lines(real_data, "bfdr")]
    assert lines
    assert all(each in PAGE for each in lines)
