"""The list of partners of an old SFTP server: what is wrong is named by line, and nothing is guessed."""

import pytest
from door_world import ssh_key

from swaddle.registry.door_import import KeyWrong, NoList, against, read
from swaddle.registry.door_import import ssh_key as parse
from swaddle.registry.state import Submitter, ssh_fingerprint

ED, RSA = ssh_key(), ssh_key("rsa")


def known(name, *keys, state="active"):
    return Submitter("0" * 32, name, state, None, None, None, "", None, (), ssh_keys=keys)


def test_a_list_with_every_column_is_read():
    text = f'name,ssh_keys,sites,mail,language\nSt. Mary\'s,"{ED} job@host; {RSA}",11 12,it@example.org,FR\n'
    [row], wrong = read(text)
    assert wrong == []
    assert row.ssh_keys == (ED, RSA)
    assert (row.line, row.name, row.sites, row.mail, row.language) == (
        2, "St. Mary's", ("11", "12"), "it@example.org", "fr",
    )  # fmt: skip


def test_what_a_spreadsheet_writes_is_read():
    rows, wrong = read(f"\ufeffName;SSH_Keys\r\nNorth;{ED}\r\n;\r\nSouth;{RSA}\r\n")
    assert wrong == []
    assert [(row.line, row.name) for row in rows] == [(2, "North"), (4, "South")]
    assert rows[0].sites is None


def test_several_keys_may_stand_on_lines_of_one_cell_and_lines_are_counted_through_them():
    rows, _ = read(f'name,ssh_keys\nA,"{ED}\n{RSA}"\nB,{ssh_key()}\n')
    assert [(row.line, len(row.ssh_keys)) for row in rows] == [(2, 2), (4, 1)]


@pytest.mark.parametrize(
    "text",
    ["", "name\nA\n", "partner,key\nA,B\n", "name,ssh_keys,name\nA,B,C\n", "name,ssh_keys,password\nA,B,C\n", "\x00"],
)
def test_what_is_no_list_is_no_list(text):
    with pytest.raises(NoList):
        read(text)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (f",{ED}", "name"),
        ("A,", "empty"),
        ("A,ssh-dss AAAAB3NzaC1kc3MAAACBAP", "DSA"),
        ("A,ssh-ed25519 AAAA", "cut short"),
        ("A,ssh-ed25519", "cut short"),
        (f'A,"from=""10.0.0.1"" {ED}"', "options"),
        ("A,sk-ssh-ed25519@openssh.com AAAA", "touch"),
        ("A,ssh-ed25519-cert-v01@openssh.com AAAA", "certificate"),
        ("A,hunter2", "no type"),
        (f"A,{ED},extra", "cells"),
    ],
    ids=lambda value: value if " " not in value and "," not in value else "row",  # a key made anew is no stable name
)
def test_a_wrong_row_is_named_by_line_with_why_and_fix_and_without_what_stood_there(row, why):
    rows, [wrong] = read(f"name,ssh_keys\nGood,{RSA}\n{row}\n")
    assert [each.name for each in rows] == ["Good"]
    assert wrong.line == 3
    assert why in wrong.why
    assert wrong.fix
    assert "hunter2" not in wrong.why + wrong.fix


def test_site_mail_and_language_are_checked():
    _, wrong = read(f"name,ssh_keys,sites,mail,language\nA,{ED},a/b,two@x,xx\nB,{RSA},,a b@x.org,\n")
    assert [(each.line, each.why.split("`")[1]) for each in wrong] == [
        (2, "sites"), (2, "language"), (3, "mail"),
    ]  # fmt: skip


def test_a_short_rsa_key_is_not_taken():
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    short = rsa.generate_private_key(65537, 1024).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    with pytest.raises(KeyWrong, match="bits"):
        parse(short.decode())


def test_one_name_and_one_key_stand_once():
    _, wrong = read(f"name,ssh_keys\nA,{ED}\nB,{ED}\nA,{RSA}\n")
    assert [(each.line, "line 2" in each.why) for each in wrong] == [(3, True), (4, True)]


def test_a_key_of_another_partner_and_a_revoked_partner_are_wrong():
    rows, _ = read(f"name,ssh_keys\nA,{ED}\nB,{RSA}\n")
    wrong = against(rows, [known("C", ED), known("B", state="revoked")])
    assert [(each.line, each.why.split()[-1]) for each in wrong] == [(2, "already"), (3, "revoked")]
    assert against(rows, [known("A", ED), known("B", RSA)]) == []


def test_a_fingerprint_is_the_one_that_ssh_keygen_prints(tmp_path):
    import shutil
    import subprocess

    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen here")
    (tmp_path / "key.pub").write_text(RSA + "\n")
    printed = subprocess.run(["ssh-keygen", "-lf", tmp_path / "key.pub"], capture_output=True, text=True, check=True)
    assert ssh_fingerprint(RSA) in printed.stdout
