"""The pages that people read say what the program checks, in both languages."""

from pathlib import Path

import pytest

from swaddle.dictionary.documents import documents
from swaddle.dictionary.load import load
from swaddle.dictionary.publish import page

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", sorted(documents()))
def test_the_page_is_the_dictionary(name):
    assert (DOCS / name).read_text("utf-8") == documents()[name], (
        f"docs/{name} is not what the dictionary says; `python tools/pages.py` writes it again"
    )


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_field_code_check_and_rule_stands_on_the_page_with_its_fix(language):
    text = page(language=language)
    dictionary = load()

    def told(thing, name):
        return (getattr(thing, f"{name}_fr") if language == "fr" else "") or getattr(thing, name)

    for rule in (*dictionary.rules, *dictionary.checks.values()):
        assert told(rule, "fix") in text
        assert told(rule, "text") in text
    for kind in (dictionary.header, *dictionary.record_types):
        for field in kind.fields:
            assert f"`{field.name}`" in text
            assert told(field, "text").replace("|", "\\|") in text
            assert all(f"`{code}`" in text for code in field.values)
