"""The mail server is tried step by step; what it says is shown, and never the password."""

import asyncio
import socket
from pathlib import Path
from typing import Any, Literal

import pytest

from hookbundle.actors.mailer import SmtpConfig
from hookbundle.actors.mails import trial
from hookbundle.actors.mails.trial import HIDDEN, Step, try_server
from hookbundle.tests.mail_server import PASSWORD, USERNAME, MailServer

OWNER = "owner@acme.example"


def names(steps: list[Step]) -> list[str]:
    return [f"{step.name}{'' if step.ok else ' failed'}" for step in steps]


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
async def test_every_step_is_done_and_the_mail_arrives(
    tmp_path: Path, security: Literal["none", "starttls", "tls"]
) -> None:
    async with MailServer(tmp_path, security=security, login=security != "none") as server:
        steps = await try_server(server.config(), OWNER)
        taken = await server.next()

    secured = [] if security == "none" else ["tls", "login"]
    assert names(steps) == ["connect", *secured, "from", "to", "data"]
    assert steps[0].said.startswith("220 ")
    assert steps[-1].said == "250 taken"
    assert taken.to == (OWNER,)
    assert taken.mail["Subject"] == "Test e-mail of hookbundle"
    assert security == "none" or steps[1].said.startswith("TLSv1.")


async def test_without_an_address_nothing_is_sent(tmp_path: Path) -> None:
    async with MailServer(tmp_path, security="starttls", login=True) as server:
        steps = await try_server(server.config())

    assert names(steps) == ["connect", "tls", "login"]
    assert server.tries == []


@pytest.mark.parametrize(
    ("settings", "last"),
    [
        ({"password": "wrong"}, "login failed"),
        ({"ca_file": ""}, "tls failed"),
        ({"security": "none"}, "login failed"),
    ],
    ids=str,
)
async def test_it_ends_with_the_step_that_failed(
    tmp_path: Path, settings: dict[str, Any], last: str
) -> None:
    async with MailServer(tmp_path, security="starttls", login=True) as server:
        steps = await try_server(server.config(**settings), OWNER)

    assert names(steps)[-1] == last
    assert steps[-1].said


async def test_a_mail_that_is_refused_is_told_in_the_servers_words(tmp_path: Path) -> None:
    async with MailServer(tmp_path, refusals=1) as server:
        steps = await try_server(server.config(), OWNER)

    assert (names(steps)[-1], steps[-1].said) == ("data failed", "451 come again later")


async def test_a_port_without_a_server_is_told_at_the_first_step() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    config = SmtpConfig(host="127.0.0.1", port=port, security="none")

    (step,) = await try_server(config)

    assert (step.name, step.ok) == ("connect", False)


async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "WHOLE_S", 0.05)

    left = asyncio.Event()

    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        steps = await try_server(SmtpConfig(host="127.0.0.1", port=port, security="none"), OWNER)
        async with asyncio.timeout(20):
            await left.wait()  # the connection was closed

    assert steps == [Step("connect", ok=False, said="no answer in time")]


async def test_a_server_that_repeats_the_login_shows_no_password() -> None:
    left = asyncio.Event()

    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        while line := await reader.readline():
            if line.startswith(b"EHLO"):
                writer.write(b"250-mail.example\r\n250 AUTH PLAIN\r\n")
            elif line.startswith(b"AUTH"):
                writer.write(b"535 no \x1b[2J" + line.strip() + b" " + PASSWORD.encode() + b"\r\n")
            else:
                writer.write(b"221 bye\r\n")
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(repeat, "127.0.0.1", 0)
    async with server:
        config = SmtpConfig(
            host="127.0.0.1",
            port=server.sockets[0].getsockname()[1],
            security="none",
            username=USERNAME,
            password=PASSWORD,
        )
        steps = await try_server(config, OWNER)
        async with asyncio.timeout(20):
            await left.wait()

    assert names(steps) == ["connect", "login failed"]
    assert steps[-1].said == f"535 no \ufffd[2JAUTH PLAIN {HIDDEN} {HIDDEN}"
