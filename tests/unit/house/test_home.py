"""A home is one party's folder: made once, never two parties', found in the stated order."""

from pathlib import Path

import pytest

from swaddle.home import HomeFault, Kind, SettingsUnreadable, create, locate, open_home


def test_the_flag_goes_before_the_environment_and_that_before_the_usual_place():
    environment = {"SWADDLE_HOME": "/named", "XDG_DATA_HOME": "/usual"}
    assert locate(Path("/flag"), environment) == Path("/flag")
    assert locate(None, environment) == Path("/named")
    assert locate(None, {"XDG_DATA_HOME": "/usual"}) == Path("/usual/swaddle")
    assert locate(None, {}).parts[-3:] == (".local", "share", "swaddle")


def test_making_a_home_again_is_fine_and_for_another_party_is_not(tmp_path):
    create(tmp_path / "home", Kind.GATEWAY)
    create(tmp_path / "home", Kind.GATEWAY)
    with pytest.raises(HomeFault, match="not a registry's home"):
        create(tmp_path / "home", Kind.REGISTRY)


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(HomeFault, match="other things"):
        create(tmp_path, Kind.SUBMITTER)


def test_what_a_killed_first_write_left_does_not_stand_in_the_way(tmp_path):
    (tmp_path / ".0123456789abcdef.part").write_bytes(b"")
    assert create(tmp_path, Kind.SUBMITTER).kind is Kind.SUBMITTER


@pytest.mark.parametrize("mark", [None, b"", b"{}", b"not json", b'{ "kind": "gateway" }'])
def test_a_folder_without_a_whole_mark_is_no_home(tmp_path, mark):
    if mark is not None:
        (tmp_path / "home.json").write_bytes(mark)
    with pytest.raises(HomeFault):
        open_home(tmp_path, Kind.GATEWAY)


def test_settings_that_are_no_toml_are_said_as_such(tmp_path):
    home = create(tmp_path, Kind.GATEWAY)
    assert home.settings() == {}
    (tmp_path / "settings.toml").write_bytes(b"port = \xff")
    with pytest.raises(SettingsUnreadable):
        home.settings()
