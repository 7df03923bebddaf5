"""`hookbundle mail test` through the real program: what the server said, and the exit codes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hookbundle.tests.mail_server import PASSWORD, USERNAME, MailServer
from hookbundle.tests.program import Program, program_in, serving

OWNER = "owner@acme.example"


@asynccontextmanager
async def beside(folder: Path, password: str = PASSWORD, **more: Any) -> AsyncIterator[Program]:
    """A daemon with a mail server that wants TLS and a login."""
    async with MailServer(folder, security="starttls", login=True, **more) as server:
        with serving(
            folder,
            SMTP__HOST="127.0.0.1",
            SMTP__PORT=str(server.port),
            SMTP__CA_FILE=str(folder / "mail.pem"),
            SMTP__USERNAME=USERNAME,
            SMTP__PASSWORD=password,
            SMTP__SENDER="hook@mail.example",
        ) as program:
            yield program


async def test_each_step_is_shown_with_the_servers_words(tmp_path: Path) -> None:
    async with beside(tmp_path) as program:
        sent = await program("mail", "test", OWNER)
        tried = await program("mail", "test", "--json")
        wrong = await program("mail", "test", "nobody")

    assert sent.rows[0] == ["step", "ok", "said"]
    assert [row[0] for row in sent.rows[1:]] == ["connect", "tls", "login", "from", "to", "data"]
    assert sent.rows[-1] == ["data", "yes", "250 taken"]
    assert "(starttls), sender hook@mail.example" in sent.err
    assert [step["step"] for step in tried.document["steps"]] == ["connect", "tls", "login"]
    assert (wrong.code, wrong.out) == (2, "")
    assert "to: must be one e-mail address" in wrong.err


async def test_the_step_that_failed_is_named_with_what_to_look_at(tmp_path: Path) -> None:
    async with beside(tmp_path, password="hunter2") as program:
        ran = await program("mail", "test", OWNER)

    assert ran.code == 1
    assert ran.out.splitlines()[-1].startswith("login\tno\t535 ")
    assert "it failed at `login`: are smtp.username and smtp.password right?" in ran.err
    assert "hunter2" not in ran.out + ran.err


async def test_without_a_mail_server_or_a_daemon_it_says_so(tmp_path: Path) -> None:
    with serving(tmp_path) as program:
        unset = await program("mail", "test", OWNER)
    alone = await program_in(tmp_path)("mail", "test", OWNER)

    assert unset.code == 6
    assert "no mail server is set" in unset.err
    assert alone.code == 3
