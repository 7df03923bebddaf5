"""What an owner reads of each cause, in both languages: mails as a real SMTP server took them."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hookbundle.actors.mails.causes import BY_CLASS, BY_HUNDRED, BY_STATUS, explanation_of
from hookbundle.server.console import catalogues
from hookbundle.tests.actors.stores import storing
from hookbundle.tests.actors.test_mailer import disable, disabled, outbox_of
from hookbundle.tests.mail_server import MailServer, Taken

CONSOLE = "https://console.example/"
PAGE = "https://console.example/console/w/acme/outbound"
ERRORS = (
    *(f"{each}: what the client says of it in English" for each in BY_CLASS),
    *(f"status {each}" for each in BY_STATUS),
    *(f"status {each}18" for each in BY_HUNDRED),
    "what nobody has heard of before",
)
# Three words of Latin letters in a row. An address is one word.
SENTENCE = re.compile(r"[A-Za-z]{2,},? [A-Za-z]{2,},? [A-Za-z]{2,}")
UNSEEN = re.compile("[\u200f\u2068\u2069]")


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_each_cause_is_told_with_what_helps(tmp_path: Path, language: str) -> None:
    words = catalogues.translations_of(language)
    async with MailServer(tmp_path) as server, storing(tmp_path) as store:
        outbox = outbox_of(store, server, console_url=CONSOLE)
        taken: dict[str, Taken] = {}
        for number, error in enumerate(ERRORS, 1):
            await disable(store, f"acme{number}", error, language=language)
            outbox.send(number)
            taken[error] = await server.next()
        await outbox.stop()

    for error, one in taken.items():
        cause, text = explanation_of(error), running(one.text)
        assert words.gettext(cause.happened) % cause.gaps in text, error
        assert words.gettext(cause.advice) in text, error
        assert one.mail["Content-Language"] == language
        assert one.mail.get_content_type() == "text/plain"
        assert "hookbundle workspace" not in text
        if language == "ar":
            assert not SENTENCE.search(text), (error, SENTENCE.search(text))
            assert not SENTENCE.search(str(one.mail["Subject"]))


async def test_the_arabic_mail_runs_from_the_right_and_keeps_what_is_latin_whole(
    tmp_path: Path,
) -> None:
    settings = {"language": "ar", "time_zone": "Asia/Riyadh", "name": "Acme (Cairo)"}
    async with (
        MailServer(tmp_path) as server,
        disabled(tmp_path, server, settings, console_url=CONSOLE) as system,
    ):
        at = (await system.hook())["disabled_at"]
        taken = await server.next()

    text = taken.text
    assert str(taken.mail["Subject"]) == "عُطِّل أحد الـ Webhooks (مساحة العمل \u2068acme\u2069)"
    assert b"Subject: =?utf-8?" in taken.raw
    lines = [line for line in text.splitlines() if line.strip() and PAGE not in line]
    assert all(line.startswith("\u200f") for line in lines)
    assert all(line.count("\u2068") == line.count("\u2069") for line in lines)
    assert f"    {PAGE}\n" in text
    assert "رسالة واحدة (طلب واحد)" in text
    assert "\u2068127[.]0[.]0[.]1\u2069؛ آخر خطأ: \u2068500\u2069" in text
    assert "\u2068Acme (Cairo)\u2069" in text
    assert f"\u2068{local(at, hours=3)} (Asia/Riyadh)\u2069" in text


async def test_times_are_those_of_the_workspace_else_they_are_marked_as_utc(
    tmp_path: Path,
) -> None:
    texts = []
    for number, settings in enumerate(({}, {"time_zone": "Asia/Kolkata"})):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with MailServer(folder) as server, disabled(folder, server, settings) as system:
            at = (await system.hook())["disabled_at"]
            texts.append(((await server.next()).text, at))

    (utc, at), (indian, indian_at) = texts
    assert f"disabled at {local(at)} UTC\n" in utc
    assert f"disabled at {local(indian_at, hours=5, minutes=30)} (Asia/Kolkata)\n" in indian


async def test_a_receiver_that_answers_201_is_said_to_have_answered_201(tmp_path: Path) -> None:
    async with MailServer(tmp_path) as server, disabled(tmp_path, server, status=201):
        text = running((await server.next()).text)

    assert "Your receiver answered 201; this webhook takes only 200 as success." in text
    assert "choose “any status from 200 to 299” under “More settings”" in text


@pytest.mark.parametrize("status", [302, 404, 413, 503])
async def test_what_a_receiver_answered_is_told_by_what_it_means(
    tmp_path: Path, status: int
) -> None:
    async with MailServer(tmp_path) as server, disabled(tmp_path, server, status=status):
        text = running((await server.next()).text)

    if status == 413:  # a message of its own, of less than a kilobyte
        assert "One message alone was too large for your receiver (status 413): 1 KB." in text
        return
    assert explanation_of(f"status {status}").happened % {"status": status} in text


@pytest.mark.parametrize(
    ("language", "words"), [("en", "nothing was listening there"), ("ar", "رفض جهاز المستقبِل")]
)
async def test_a_receiver_that_does_not_run_is_said_not_to_run(
    tmp_path: Path, language: str, words: str
) -> None:
    closed = {"language": language, "webhook": {"url": "http://127.0.0.1:65001/"}}
    async with MailServer(tmp_path) as server, disabled(tmp_path, server, closed):
        text = running((await server.next()).text)

    assert words in text


async def test_what_is_gathered_has_the_cause_of_each_disabling(tmp_path: Path) -> None:
    settings = {"language": "ar"}
    async with (
        MailServer(tmp_path) as server,
        disabled(tmp_path, server, settings, status=410) as system,
    ):
        await server.next()
        await system.facts.until("mail.sent")
        for count in (2, 3, 4):
            await system.switch("acme", "enable", {})
            await system.facts.until("webhook.disabled", count)

        system.clock.move(3_600_000)
        taken = await server.next()

    text = running(taken.text)
    assert "3 مرات" in str(taken.mail["Subject"])
    assert text.count("(الرمز 410)") == 3
    assert not SENTENCE.search(text)


async def test_without_a_console_url_there_is_no_link_and_the_operator_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with MailServer(tmp_path) as server, disabled(tmp_path, server) as system:
        taken = await server.next()
        await system.facts.until("mail.sent")

    assert "http" not in taken.text
    assert "sign in to the console and open “Outbound” of workspace acme" in running(taken.text)
    assert "mail without a link" in capsys.readouterr().out


async def test_a_mail_that_waits_is_in_the_language_that_was_set_meanwhile(
    tmp_path: Path,
) -> None:
    async with MailServer(tmp_path) as server, storing(tmp_path) as store:
        await disable(store, "acme", "status 500")
        await store.do(store.changing("acme", language="ar", time_zone="Africa/Cairo"))
        outbox = outbox_of(store, server)

        outbox.send(1)
        taken = await server.next()
        await outbox.stop()

    assert taken.mail["Content-Language"] == "ar"
    assert "(Africa/Cairo)" in taken.text


def running(text: str) -> str:
    """The text without its line breaks, and without what only turns it."""
    return " ".join(UNSEEN.sub("", text).split())


def local(iso: str, **offset: int) -> str:
    at = datetime.fromisoformat(iso) + timedelta(**offset)
    return f"{at:%Y-%m-%d %H:%M}"
