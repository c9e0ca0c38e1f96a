"""Somebody gets the disk, the keys and an old file after a disposal: what was let go of is not there, and not brought back."""

import shutil

import duckdb
import pytest
from quiet_registry import PASSPHRASE, QuietRegistry, birth, births, make_home, schedule

from swaddle.envelope.keys import STORE_KEYS, open_secrets
from swaddle.registry import store
from swaddle.registry.store import FILES, extension_path, quoted

OLD, YOUNG = "1990-05-03", "2020-05-03"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "home"
    make_home(path)
    return path


def fill(registry):
    rows = [birth(n, OLD, mother_family_name=f"GONENEEDLE{n}QX") for n in range(1, 40)]
    rows += [birth(n, YOUNG, mother_family_name=f"KEPTNEEDLE{n}QX") for n in range(40, 80)]
    registry.take(births(*rows))
    registry.do("retention-adopt", text=schedule())


def in_the_open(path, name, _):
    """Neither encrypted nor compressed."""
    return f"set force_compression = 'uncompressed'; attach '{quoted(str(path))}' as {name}"


def bytes_of(registry):
    """Every byte of the store's folder, logs and leftovers too."""
    return b"".join(path.read_bytes() for path in (registry.path / "store").rglob("*") if path.is_file())


def test_no_byte_of_a_disposed_record_is_left_in_the_files(tmp_path, template, monkeypatch):
    """The same code over files that are not encrypted: what a thief with the keys would read."""
    monkeypatch.setattr(store, "attaching", in_the_open)
    registry = QuietRegistry(tmp_path / "registry", template)
    try:
        fill(registry)
        for name in FILES:
            registry.ask(f"checkpoint {name}")
        before = bytes_of(registry)
        assert before.count(b"GONENEEDLE") > 0 < before.count(b"KEPTNEEDLE")
        registry.do("dispose")
        registry.close()
        after = bytes_of(registry)
        assert b"GONENEEDLE" not in after
        assert b"KEPTNEEDLE" in after
    finally:
        registry.close()


def test_an_old_copy_of_the_files_opens_under_no_key_that_is_left(tmp_path, template):
    registry = QuietRegistry(tmp_path / "registry", template)
    try:
        fill(registry)
        before = dict(registry.inside.keyring.store)
        for name in FILES:
            registry.ask(f"checkpoint {name}")
        registry.close()
        shutil.copytree(registry.path / "store", tmp_path / "old")  # blocks that the disk still has
        registry.open()
        registry.do("dispose")
        secret, _ = open_secrets(STORE_KEYS, (registry.path / "keys" / "store.json").read_bytes(), PASSPHRASE)
        assert not any(before[name] in secret for name in FILES)
        assert before["subject_ids"] in secret
        assert not list((registry.path / "keys").glob("*.next*"))
        for place, name in enumerate(FILES):
            with duckdb.connect() as connection:
                connection.execute(f"load '{quoted(str(extension_path()))}'")
                key = secret[32 * place : 32 * place + 32]
                opening = store.attaching(tmp_path / "old" / f"{name}.duckdb", name, key)
                with pytest.raises(duckdb.Error):
                    connection.execute(opening)
        assert registry.events().count("key-destroyed") == len(FILES)
    finally:
        registry.close()
