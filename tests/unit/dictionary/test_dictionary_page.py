"""The page that people read says what the program checks."""

from pathlib import Path

from swaddle.dictionary.publish import page

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_is_the_dictionary():
    assert (DOCS / "data-dictionary.md").read_text("utf-8") == page(), (
        "docs/data-dictionary.md is not what the dictionary says; write it again with dictionary/publish.py"
    )


def test_every_rule_stands_on_the_page_with_its_fix():
    from swaddle.dictionary.load import load

    text = page()
    assert all(rule.fix in text for rule in load().rules)
