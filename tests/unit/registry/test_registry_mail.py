"""Content-free mail through a real mail server: what is told, to whom, once; and that it says nothing."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from mail_server import mail_server

from killed_step import killed_in, watch_steps
from swaddle.custody.entry import Entry
from swaddle.custody.ledger import Ledger
from swaddle.envelope.refusals import PassphraseFileOpen
from swaddle.registry import giving, mail, mail_texts
from swaddle.registry.mail_due import REPORT_LIFE, told_by
from swaddle.registry.mail_texts import KINDS, LANGUAGES, REASONS, TEXTS, text_of
from swaddle.registry.outbox import FILE_NAME
from swaddle.registry.settings import Settings, read
from swaddle.registry.state import State
from swaddle.settings import SettingWrong

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
REGISTRY, NORTH, SOUTH = "ab" * 16, "cd" * 16, "ef" * 16
ADDRESS = "data@north.example"


def transfer(number):
    return f"{number:032x}"


class Clock:
    now = NOW

    def __call__(self):
        return self.now


def settings_for(server, **more):
    values = {
        "gateway_url": "https://gateway.example", "smtp_host": "127.0.0.1", "smtp_port": server.port,
        "smtp_security": server.security, "smtp_ca_file": str(server.certificate),
        "mail_from": "exchange@registry.example", "mail_pause_s": 0,
    }  # fmt: skip
    return read(values | more, {})


def open_inside(home, settings, clock=None):
    """What mail needs of a registry: its custody, its submitters, its settings, its clock; all real but the clock."""
    return SimpleNamespace(
        home=home, settings=settings, ledger=Ledger(home / "custody.jsonl"), state=State(home / "registry.db"),
        keyring=SimpleNamespace(registry_id=REGISTRY), now=clock or Clock(),
    )  # fmt: skip


@pytest.fixture
def server(tmp_path):
    with mail_server(tmp_path) as running:
        yield running


@pytest.fixture
def inside(tmp_path, server):
    home = tmp_path / "registry"
    home.mkdir()
    made = open_inside(home, settings_for(server))
    for submitter, name in ((NORTH, "Northshore General"), (SOUTH, "Southside")):
        made.state.add_submitter(submitter, name, submitter * 2, b"", "2026-11-01T00:00:00Z", "2026-11-04T00:00:00Z")
    made.state.set_contact(NORTH, ADDRESS, "en")
    mail.carry(made)  # from here on
    yield made
    made.state.close()


def happened(inside, event, number=1, submitter=NORTH, **detail):
    inside.ledger.append(event, transfer(number), {"submitter": submitter, **detail}, inside.now())


class TestWhatIsTold:
    @pytest.mark.parametrize(
        ("event", "detail", "subject"),
        [
            ("submission-stored", {}, "received"),
            ("submission-refused", {}, "not taken"),
            ("submission-refused", {"code": "SWD-REG-31"}, "not taken"),
            ("submission-unreadable", {"code": "SWD-ENV-05"}, "not taken"),
            ("feedback-sent", {"answers": "00" * 16, "place": "gateway"}, "a report is ready"),
            ("transfer-lost", {"place": "gateway"}, "please send again"),
        ],
    )
    def test_each_kind_goes_out_encrypted_to_its_submitter_alone(self, inside, server, event, detail, subject):
        happened(inside, event, **detail)
        assert mail.carry(inside)["sent"] == 1
        ((_, recipients, _, over_tls, _),) = server.taken
        assert (recipients, over_tls) == ([ADDRESS], True)
        (message,) = server.messages
        assert message["Subject"] == f"Registry exchange: {subject}"
        assert message["Auto-Submitted"] == "auto-generated"

    def test_a_reason_is_told_in_general_words(self, inside, server):
        happened(inside, "submission-refused")
        happened(inside, "submission-refused", 2, code="SWD-REG-31")
        happened(inside, "submission-unreadable", 3)
        happened(inside, "submission-refused", 4, code="SWD-INT-01")
        mail.carry(inside)
        bodies = [message.get_content() for message in server.messages]
        for words in REASONS["en"].values():
            assert sum(words in body for body in bodies) == 1, words

    def test_in_french(self, inside, server):
        inside.state.set_contact(NORTH, ADDRESS, "fr")
        happened(inside, "submission-refused")
        mail.carry(inside)
        (message,) = server.messages
        assert message["Content-Language"] == "fr"
        assert "Échange avec le registre : refusé" in message["Subject"]
        assert REASONS["fr"]["rows"] in message.get_content()

    def test_what_expired_unread_on_its_way_in_is_asked_for_and_what_never_came_is_not(self, inside, server):
        happened(inside, "transfer-held", 1, place="gateway")
        for number in (1, 2):
            happened(inside, "transfer-expired", number, reader=REGISTRY, place="gateway")
        happened(inside, "transfer-expired", 3, reader=NORTH, place="gateway")
        assert mail.carry(inside)["sent"] == 1
        assert "please send again" in server.messages[0]["Subject"]

    def test_a_report_that_nobody_fetches_is_told_of_before_it_expires(self, inside, server):
        happened(inside, "feedback-sent", 1, answers=transfer(9), place="gateway")
        mail.carry(inside)
        inside.now.now = NOW + REPORT_LIFE - timedelta(days=3, minutes=1)
        assert mail.carry(inside)["sent"] == 0
        inside.now.now += timedelta(minutes=2)
        assert mail.carry(inside)["sent"] == 1
        assert "will expire" in server.messages[-1]["Subject"]
        assert mail.carry(inside)["sent"] == 0

    def test_one_that_was_fetched_is_not(self, inside, server):
        happened(inside, "feedback-sent", 1, answers=transfer(9), place="gateway")
        mail.carry(inside)
        happened(inside, "transfer-acknowledged", 1, reader=NORTH, outcome="stored", place="gateway")
        inside.now.now = NOW + REPORT_LIFE
        assert mail.carry(inside)["sent"] == 0
        assert mail.carry(inside)["waiting"] == 0

    def test_who_gave_no_address_gets_none(self, inside, server):
        happened(inside, "submission-stored", submitter=SOUTH)
        assert mail.carry(inside) == {"sent": 0, "waiting": 0, "failed": 0, "trouble": None}
        assert server.commands == []

    def test_who_turns_mail_on_is_not_told_of_last_year(self, inside, server):
        on, inside.settings = inside.settings, replace(inside.settings, smtp_host="")
        happened(inside, "submission-stored")
        assert mail.carry(inside)["sent"] == 0
        inside.settings = on
        assert mail.carry(inside)["sent"] == 0
        assert server.taken == []

    def test_a_report_lives_as_long_as_giving_says(self):
        assert REPORT_LIFE == giving.FEEDBACK_LIFE


class TestTogether:
    def test_many_of_a_kind_are_one_mail_without_a_count(self, inside, server):
        for number in range(40):
            happened(inside, "submission-stored", number)
        assert mail.carry(inside)["sent"] == 1
        alone = server.messages[0].get_content()
        happened(inside, "submission-stored", 50)
        mail.carry(inside)
        assert server.messages[1].get_content() == alone  # it cannot be told from the mail about one

    def test_the_next_of_a_kind_waits_for_the_pause(self, inside, server):
        inside.settings = replace(inside.settings, mail_pause_s=900)
        happened(inside, "submission-stored")
        assert mail.carry(inside)["sent"] == 1
        happened(inside, "submission-stored", 2)
        happened(inside, "feedback-sent", 3, answers=transfer(1), place="gateway")
        assert mail.carry(inside)["sent"] == 1  # the report's: another kind
        inside.now.now += timedelta(seconds=901)
        assert mail.carry(inside)["sent"] == 1


class TestItSaysNothing:
    def test_no_text_has_a_place_for_anything_but_a_reason(self):
        for language in LANGUAGES:
            assert set(TEXTS[language]) == set(KINDS)
            for kind in KINDS:
                for reason in (None, *REASONS[language], "SWD-REG-31", "Jane Roe"):
                    text = text_of(kind, language, reason)
                    assert not re.search(r"[{}]|\d|Jane|Roe", text.subject + text.body)

    def test_both_languages_say_the_same_things(self):
        assert set(REASONS["en"]) == set(REASONS["fr"])
        for kind in KINDS:
            ours = re.findall(r"`[^`]+`|answers/", text_of(kind, "en", None).body)
            assert sorted(ours) == sorted(re.findall(r"`[^`]+`|answers/", text_of(kind, "fr", None).body))

    def test_nothing_of_the_registry_is_in_a_mail(self, inside, server):
        for number, event in enumerate(("submission-stored", "submission-refused", "transfer-lost")):
            happened(inside, event, number)
        mail.carry(inside)
        for _, _, raw, _, _ in server.taken:
            text = raw.decode()
            for secret in ("Northshore", NORTH, NORTH[:8], REGISTRY[:8], *(transfer(n) for n in range(3))):
                assert secret not in text

    def test_the_outbox_holds_no_address_and_no_text(self, inside, server):
        happened(inside, "submission-stored")
        mail.carry(inside)
        data = b"".join(path.read_bytes() for path in inside.home.glob(f"{FILE_NAME}*"))
        for secret in (ADDRESS.encode(), b"Northshore", b"received and stored"):
            assert secret not in data
        assert (inside.home / FILE_NAME).stat().st_mode & 0o077 == 0


class TestHeaderInjection:
    HOSTILE = (
        "a@b.example\r\nBcc: all@elsewhere.example",
        "a@b.example\nSubject: x",
        "a@b.example\r\n\r\nbody",
        "a@b>\r\nRCPT TO:<c@d",
    )

    @pytest.mark.parametrize("address", HOSTILE)
    def test_an_address_is_checked_before_it_is_kept(self, address):
        with pytest.raises(mail_texts.AddressUnusable):
            mail_texts.check_address(address)

    @pytest.mark.parametrize("address", HOSTILE)
    def test_one_that_stands_in_the_database_all_the_same_makes_no_mail(self, inside, server, address):
        inside.state.set_contact(NORTH, address, "en")
        happened(inside, "submission-stored")
        assert mail.carry(inside)["sent"] == 0
        assert server.taken == []
        assert not [command for command in server.commands if b"elsewhere" in command or b"c@d" in command]

    @pytest.mark.parametrize("name", ["mail_from", "smtp_host"])
    @pytest.mark.parametrize("value", ["a@b\r\nBcc: c@d", "x\ny"])
    def test_a_setting_that_could_is_refused(self, name, value):
        values = {"gateway_url": "https://g.example", "smtp_host": "mail.example", "mail_from": "a@b.example"}
        with pytest.raises(SettingWrong):
            read(values | {name: value}, {})


class TestTheLine:
    def test_from_the_first_byte(self, tmp_path, inside):
        with mail_server(tmp_path, security="tls", user="registry", password="s3cret") as server:
            password = tmp_path / "password"
            password.write_text("s3cret\n")
            password.chmod(0o600)
            inside.settings = settings_for(server, smtp_user="registry", smtp_password_file=str(password))
            happened(inside, "submission-stored")
            assert mail.carry(inside)["sent"] == 1
            assert server.taken[0][3:] == (True, True)

    def test_a_password_that_others_can_read_is_not_used(self, tmp_path, inside, server):
        password = tmp_path / "open"
        password.write_text("s3cret")
        password.chmod(0o644)
        inside.settings = settings_for(server, smtp_user="registry", smtp_password_file=str(password))
        happened(inside, "submission-stored")
        assert mail.carry(inside)["trouble"] == "SWD-REG-64"
        assert not [command for command in server.commands if command.startswith(b"AUTH")]
        with pytest.raises(PassphraseFileOpen), mail.connected(inside.settings):
            pass

    def test_a_certificate_that_nobody_vouches_for_gets_no_mail(self, inside, server):
        inside.settings = replace(inside.settings, smtp_ca_file="")
        happened(inside, "submission-stored")
        assert mail.carry(inside) == {"sent": 0, "waiting": 1, "failed": 0, "trouble": "SWD-REG-64"}
        assert server.taken == []

    def test_a_server_that_strips_starttls_gets_no_mail(self, inside, server):
        server.say["STARTTLS"] = b"502 unknown"
        happened(inside, "submission-stored")
        assert mail.carry(inside)["trouble"] == "SWD-REG-64"
        assert not [command for command in server.commands if command.startswith(b"MAIL")]

    def test_in_the_clear_only_to_this_machine(self):
        values = {"gateway_url": "https://g.example", "mail_from": "a@b.example", "smtp_security": "none"}
        assert isinstance(read(values | {"smtp_host": "127.0.0.1"}, {}), Settings)
        with pytest.raises(SettingWrong):
            read(values | {"smtp_host": "mail.example"}, {})

    def test_a_server_that_is_away_is_tried_again_and_nothing_is_lost(self, inside, server):
        port = inside.settings.smtp_port
        inside.settings = replace(inside.settings, smtp_port=1)
        happened(inside, "submission-stored")
        assert mail.carry(inside) == {"sent": 0, "waiting": 1, "failed": 0, "trouble": "SWD-REG-64"}
        inside.settings = replace(inside.settings, smtp_port=port)
        assert mail.carry(inside)["sent"] == 0  # not at every look: after a pause
        inside.now.now += timedelta(seconds=61)
        assert mail.carry(inside) == {"sent": 1, "waiting": 0, "failed": 0, "trouble": None}

    def test_for_now_is_tried_again_for_good_is_not(self, inside, server):
        server.say["RCPT"] = b"451 later"
        happened(inside, "submission-stored")
        assert mail.carry(inside)["waiting"] == 1
        server.say["RCPT"] = b"550 nobody of that name"
        inside.now.now += timedelta(seconds=61)
        assert mail.carry(inside) == {"sent": 0, "waiting": 0, "failed": 1, "trouble": None}
        del server.say["RCPT"]
        inside.now.now += timedelta(days=1)
        assert mail.carry(inside)["sent"] == 0

    def test_it_is_given_up_after_five_days_and_forgotten_after_thirty(self, inside, server):
        server.say["MAIL"] = b"421 closing"
        happened(inside, "submission-stored")
        for _ in range(200):
            found = mail.carry(inside)
            if found["failed"]:
                break
            inside.now.now += timedelta(hours=1)
        assert timedelta(days=5) <= inside.now() - NOW <= timedelta(days=5, hours=2)
        inside.now.now += timedelta(days=31)
        inside.state.set_fact("hold_reviews", '{"a hold in force": "2026-12-01"}')
        assert mail.carry(inside)["failed"] == 1  # a hold keeps the log of mails
        inside.state.set_fact("hold_reviews", "{}")
        assert mail.carry(inside)["failed"] == 0


def child(home, port, certificate, kill_at, steps):
    """One carry in a process of its own that is killed at step `kill_at` (even: before it, odd: after it)."""
    outbox = [f"swaddle.registry.outbox:Outbox.{name}" for name in ("take", "gather", "end", "later", "set_fact")]
    watch_steps((*outbox, "smtplib:SMTP.send_message"), kill_at, steps)
    server = SimpleNamespace(port=port, security="starttls", certificate=certificate)
    mail.carry(open_inside(home, settings_for(server)))


def killed_at(inside, server, kill_at):
    """One thing to tell, told by a process that is killed at a step, then by one that is not: (killed, steps)."""
    happened(inside, "submission-stored", 100 + kill_at)
    server.taken.clear()
    died = killed_in(child, inside.home, server.port, server.certificate, kill_at=kill_at)
    mail.carry(inside)
    ids = [message["Message-ID"] for message in server.messages]
    assert len(set(ids)) == 1, kill_at  # told, as one mail
    assert len(ids) <= 2  # a second copy, where the kill came before the server's word was written down
    return died


@pytest.mark.parametrize("kill_at", [1, 5, 6])
def test_a_kill_here_and_there_loses_nothing_and_makes_no_second_mail(inside, server, kill_at):
    assert killed_at(inside, server, kill_at)[0]


@pytest.mark.slow
def test_a_kill_at_any_step_loses_nothing_and_makes_no_second_mail(inside, server):
    _, steps = killed_at(inside, server, -1)
    assert steps >= 5
    died = [killed_at(inside, server, kill_at)[0] for kill_at in range(2 * steps)]
    assert died.count(True) >= steps  # a step inside another one has no beginning of its own


def test_the_rule_looks_at_nothing_but_the_entry():
    entry = Entry(1, "2026-11-22T09:00:00Z", "submission-stored", transfer(1), {"submitter": ""}, "0" * 64)
    assert told_by(entry, REGISTRY, lambda _: True) == ([], None)
