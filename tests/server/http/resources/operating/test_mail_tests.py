"""`POST /v1/mail/test`: for operators, with the settings of the moment, and not without end."""

from pathlib import Path

import pytest

from hookbundle.server.http.resources import mail_tests
from hookbundle.tests.in_process import daemon_in
from hookbundle.tests.mail_server import PASSWORD, MailServer

PATH = "/v1/mail/test"


async def test_the_answer_has_the_steps_and_the_server_and_no_password(tmp_path: Path) -> None:
    async with (
        MailServer(tmp_path, security="starttls", login=True) as server,
        daemon_in(tmp_path, smtp=server.config()) as system,
    ):
        answer = await system.ask("POST", PATH, {"to": "owner@acme.example"})
        refused = await system.ask("POST", PATH, {"to": "two@a.example, three@b.example"})

    assert answer.document["ok"]
    assert [each["step"] for each in answer.document["steps"]] == [
        *("connect", "tls", "login", "from", "to", "data")
    ]
    assert answer.document["port"] == server.port
    assert PASSWORD.encode() not in answer.body
    assert (refused.status, refused.document["errors"][0]["path"]) == (422, "to")
    assert len(server.tries) == 1


async def test_without_a_mail_server_it_says_what_to_set(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        answer = await system.ask("POST", PATH, {})

    assert (answer.status, answer.document["code"]) == (409, "smtp_not_set")


async def test_tries_have_an_end_in_the_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_tests, "TRIES_PER_HOUR", 2)

    async with MailServer(tmp_path) as server, daemon_in(tmp_path, smtp=server.config()) as system:
        statuses = [(await system.ask("POST", PATH, {})).status for _ in range(3)]

    assert statuses == [200, 200, 429]
