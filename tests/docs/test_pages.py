"""Docs cannot fall behind: what exists is documented, what is generated is current, what is linked is there."""

import dataclasses
import importlib
import re
import sys
from pathlib import Path

import pytest

from swaddle.custody.entry import EVENTS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "tools"))
pages = importlib.import_module("pages")


@pytest.mark.parametrize("name", pages.PAGES)
def test_a_generated_page_is_current(name):
    path, is_now, should_be = pages.generated(name)
    assert is_now == should_be, f"run `make pages`: {path.name} has fallen behind"


class TestErrors:
    """Every error has a code of its own, an exit status of the contract, and three lines."""

    def test_every_code_is_used_once(self):
        codes = [kind.code for kind in pages.error_classes()]
        assert sorted({code for code in codes if codes.count(code) > 1}) == []

    def test_every_code_has_the_form(self):
        odd = [kind.code for kind in pages.error_classes() if not re.fullmatch(r"SWD-[A-Z]+-\d\d", kind.code)]
        assert odd == []

    def test_every_error_of_a_room_has_a_code(self):
        from swaddle.errors import SwaddleError

        pages.error_classes()

        def below(kind):
            for child in kind.__subclasses__():
                yield child
                yield from below(child)

        without = [
            kind.__qualname__
            for kind in below(SwaddleError)
            if "code" not in vars(kind)
            and kind.__module__.startswith("swaddle.")
            and kind.__module__ != "swaddle.errors"
        ]
        assert without == []

    def test_every_exit_status_is_one_of_the_contract(self):
        statuses = {pages.default_status(kind) for kind in pages.error_classes()} - {"its own"}
        assert statuses <= {str(status) for status in range(1, 11)}

    def test_every_text_is_one_line_and_does_not_shout(self):
        for kind in pages.error_classes():
            for text in (kind.what, kind.why, kind.fix):
                assert text.strip() == text, kind.code
                assert text, kind.code
                assert "\n" not in text, kind.code
                assert "!" not in text, kind.code
                assert not text.endswith("."), kind.code

    def test_every_code_named_in_the_docs_exists(self):
        known = {kind.code for kind in pages.error_classes()}
        for path in [ROOT / "README.md", *DOCS.rglob("*.md")]:
            assert set(re.findall(r"SWD-[A-Z]+-\d\d\b", path.read_text("utf-8"))) - known == set(), path.name


def test_every_custody_event_is_documented():
    text = (DOCS / "custody.md").read_text("utf-8")
    assert [event for event in EVENTS if f"`{event}`" not in text] == []


def test_every_custody_event_that_the_code_writes_is_in_the_table():
    """Read off the source, so that an event misspelt in a branch that no test takes is found too."""
    written = set()
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text("utf-8")
        written |= set(re.findall(r'ledger\.append\(\s*"([^"]+)"', text))
        written |= set(re.findall(r'event="([a-z]+-[a-z-]+)"', text))
    assert written - set(EVENTS) == set()


def test_every_command_is_documented_with_its_options():
    text = (DOCS / "commands.md").read_text("utf-8")
    for name, command in pages.leaves():
        assert f"### `{name}`" in text
        assert command.help, name
        for parameter in command.params:
            for option in parameter.opts if getattr(parameter, "help", None) is not None else ():
                assert option in text, f"{name} {option}"


PARTIES = {
    "gateway": "gateway.settings", "registry": "registry.settings", "submitter": "submitter.settings",
    "door": "gateway.sftp_home",
}  # fmt: skip


@pytest.mark.parametrize("party", PARTIES)
def test_every_setting_is_documented_with_its_default(party):
    page = DOCS / f"settings-{party}.md"
    settings = importlib.import_module(f"swaddle.{PARTIES[party]}").Settings
    rows = dict(re.findall(r"^\| `([a-z_0-9]+)` \|(.*)$", page.read_text("utf-8"), re.MULTILINE))
    for field in dataclasses.fields(settings):
        assert field.name in rows, f"`{field.name}` is not in docs/{page.name}"
        if isinstance(field.default, int):
            digits = re.sub(r"[,_ ]", "", rows[field.name])
            assert str(field.default) in digits, f"the default of `{field.name}` is another one"
    assert set(rows) - {field.name for field in dataclasses.fields(settings)} == set()


def test_every_link_between_pages_leads_somewhere():
    lost = []
    for path in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        if "_build" in path.parts:
            continue
        text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#: ]+)(?:#[^)]*)?\)", text):
            if not (path.parent / target).exists():
                lost.append(f"{path.relative_to(ROOT)} -> {target}")
    assert lost == []


def test_every_page_that_the_code_sends_people_to_exists():
    named = set()
    for path in (ROOT / "src").rglob("*.py"):
        named |= set(re.findall(r"\bdocs/([a-z0-9/_-]+\.md)", path.read_text("utf-8")))
    assert {page for page in named if not (DOCS / page).exists()} == set()


def test_decisions_are_numbered_once():
    numbers = [path.name[:4] for path in (DOCS / "decisions").glob("*.md")]
    assert sorted({number for number in numbers if numbers.count(number) > 1}) == []
    assert all(number.isdigit() for number in numbers)


def test_the_glossary_is_in_order_and_says_each_thing_once():
    words = re.findall(r"^(\w[^\n]*)\n: ", (DOCS / "glossary.md").read_text("utf-8"), re.MULTILINE)
    assert len(words) > 30
    assert words == sorted(set(words), key=str.casefold)
