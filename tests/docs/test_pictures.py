"""The pictures in the docs are light, all shown, and each says in words what it shows."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_each_picture_is_light_and_shown_with_its_words():
    page = (DOCS / "reading-your-report.md").read_text("utf-8")
    shown = dict(re.findall(r"!\[([^\]]+)\]\(pictures/([a-z0-9-]+\.png)\)", page))
    there = {path.name: path.stat().st_size for path in (DOCS / "pictures").glob("*.png")}
    assert set(shown.values()) == set(there)
    assert all(len(words.split()) > 3 for words in shown)
    assert max(there.values()) < 150_000
