"""A dictionary that contradicts itself is refused; the one that is shipped does not."""

import dataclasses

import pytest

from swaddle.dictionary.lint import lint
from swaddle.dictionary.load import DictionaryUnusable, load
from swaddle.dictionary.model import RECORD_TYPES


def changed(dictionary, **changes):
    rule = dataclasses.replace(dictionary.rules[0], **changes)
    return dataclasses.replace(dictionary, rules=(rule, *dictionary.rules[1:]))


def test_version_one_loads_whole():
    dictionary = load("1")
    names = [each.name for each in dictionary.record_types]
    assert names == [each for each in RECORD_TYPES if each in names]
    assert {"person", "labour_birth_mother", "birth_child"} <= set(names)
    assert len({rule.id for rule in dictionary.rules}) >= 15
    assert {rule.scope for rule in dictionary.rules} >= {"row", "file"}


def test_a_wide_row_has_the_mother_and_the_child_beside_each_other():
    wide = load().wide()
    assert wide["mother_family_name"].title == "Mother's family name"
    assert wide["child_sex"].required == "R"
    assert "child_role" not in wide


@pytest.mark.parametrize("version", ["2", "../1", "", "one"])
def test_another_version_is_refused(version):
    with pytest.raises(DictionaryUnusable):
        load(version)


@pytest.mark.parametrize(
    "changes",
    [
        {"fields": ("no_such_field",)},
        {"shows": "para"},
        {"passes": ()},
        {"fails": ()},
        {"severity": "fatal"},
        {"holds": "para = 0"},  # reads a field that it does not name
        {"window": "w AS (ORDER BY line)"},
        {"fails": (({"no_such_field": "1"},),)},
    ],
)
def test_a_rule_that_is_not_well_formed_is_refused(changes):
    with pytest.raises(DictionaryUnusable):
        lint(changed(load(), **changes))


def test_two_rules_of_one_name_are_refused():
    dictionary = load()
    with pytest.raises(DictionaryUnusable):
        lint(dataclasses.replace(dictionary, rules=(*dictionary.rules, dictionary.rules[0])))


def test_a_field_that_is_not_well_formed_is_refused():
    dictionary = load()
    person = dictionary.record_types[0]
    for changes in ({"type": "float"}, {"sensitivity": "Z"}, {"values": {"a": "b"}}, {"name": "Family Name"}):
        wrong = dataclasses.replace(
            person, fields=(dataclasses.replace(person.fields[0], **changes), *person.fields[1:])
        )
        with pytest.raises(DictionaryUnusable):
            lint(dataclasses.replace(dictionary, record_types=(wrong, *dictionary.record_types[1:])))
