"""`hookbundle doctor` through the real program: without a daemon, beside one, its exit codes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.tests.in_process import event, facts_of
from hookbundle.tests.mail_server import MailServer
from hookbundle.tests.program import Program, Ran, program_in, serving

SECRET = "correct-horse-battery"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("daemon")
    with serving(folder, DELIVERY__BACKOFF=",".join(["1ms"] * 10), LISTEN="127.0.0.1:0") as program:
        yield program


async def found(program: Program, mail: MailServer, *arguments: str, **settings: str) -> Any:
    """What it prints as JSON, with a mail server that works, so that nothing depends on the net."""
    ran = await asked(program, mail, "--json", *arguments, **settings)
    assert ran.code in (0, 1), ran
    return Ran(0, ran.out, ran.err).document


async def asked(program: Program, mail: MailServer, *arguments: str, **settings: str) -> Ran:
    given = {
        "SMTP__HOST": "127.0.0.1",
        "SMTP__PORT": str(mail.port),
        "SMTP__SECURITY": "starttls",
        "SMTP__CA_FILE": str(mail.folder / "mail.pem"),
        "SMTP__USERNAME": "hookbundle",
        "SMTP__PASSWORD": SECRET,
        **settings,
    }
    env = {f"HOOKBUNDLE_{name}": value for name, value in given.items()}
    return await program("doctor", *arguments, env=env)


def said_of(document: Any, level: str = "fault") -> list[str]:
    return [each["what"] for each in document["findings"] if each["level"] == level]


async def test_without_a_daemon_it_looks_at_the_rest_and_finds_no_fault(tmp_path: Path) -> None:
    async with MailServer(tmp_path, security="starttls") as mail:
        ran = await asked(program_in(tmp_path), mail)
        document = await found(program_in(tmp_path), mail)

    assert ran.code == 0, ran
    assert ran.out.splitlines()[0].split("\t") == ["level", "about", "what", "why", "mend"]
    assert "no daemon runs" in ran.err
    assert document["daemon"] is None
    assert said_of(document) == []
    assert "data" in document["checked"]


async def test_all_faults_of_the_configuration_are_found_at_once_and_no_secret_is_shown(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[smtp]\npasword = "x"\nsender = "nobody"\n[delivery]\nproxy = "{SECRET}"\n')
    file.chmod(0o644)
    program = program_in(tmp_path, LOG__LEVEL="loud")

    async with MailServer(tmp_path, security="starttls") as mail:
        env = {"HOOKBUNDLE_SMTP__PASSWORD": SECRET, "HOOKBUNDLE_SMTP__HOST": "127.0.0.1"}
        env["HOOKBUNDLE_SMTP__PORT"] = str(mail.port)
        ran = await program("--config", str(file), "doctor", env=env)

    assert ran.code == 1
    for words in (
        "unknown setting 'smtp.pasword'; did you mean smtp.password?",
        "log.level (from HOOKBUNDLE_LOG__LEVEL)",
        f"{file} holds a secret and can be read by everybody",
        f"chmod o-rwx {file}",
    ):
        assert words in ran.out
    assert SECRET not in ran.out + ran.err


async def test_beside_a_daemon_it_tells_of_webhooks_and_tokens(
    program: Program, tmp_path: Path
) -> None:
    await program("workspace", "set", "off", "--url", "http://127.0.0.1:8009/in?key=hunter2")
    await program("workspace", "set", "off", "--aggregation", "none")
    (tmp_path / "m.json").write_bytes(msgspec.json.encode(event("m1")))
    await program("send", "off", str(tmp_path / "m.json"))
    async with facts_of(program.socket_path) as facts:
        await facts.until("webhook.disabled", workspace="off")
    await program("workspace", "set", "byhand", "--url", "http://127.0.0.1:8009/in")
    await program("workspace", "disable", "byhand", "--yes")
    soon = await program(
        "token", "create", "--scope", "intake", "--name", "Zapier", "--expires", "3d"
    )
    await program("token", "create", "--scope", "intake", "--expires", "90d")

    async with MailServer(tmp_path, security="starttls") as mail:
        document = await found(program, mail)
        ran = await asked(program, mail)

    assert document["daemon"]["pid"] > 0
    assert said_of(document) == [
        "webhook outbound of off is disabled (after too many errors) and holds 1 message"
    ]
    notes = "\n".join(said_of(document, "note"))
    assert "webhook outbound of byhand is disabled (by a person) and holds 0 messages" in notes
    assert "Zapier expires in 2 days" in notes
    assert notes.count("expires in") == 1
    assert ran.code == 1
    assert "hookbundle webhook enable off outbound" in ran.out
    assert soon.out.strip() not in ran.out
    assert "hunter2" not in ran.out


async def test_a_process_that_has_the_data_and_does_not_answer_is_a_fault(
    program: Program, tmp_path: Path
) -> None:
    async with MailServer(tmp_path, security="starttls") as mail:
        elsewhere = str(tmp_path / "other.sock")
        document = await found(program, mail, SOCKET=elsewhere)

    (what,) = said_of(document)
    assert f"there is no socket {elsewhere}" in what


async def test_with_a_directory_it_looks_at_that_one(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async with MailServer(tmp_path, security="starttls") as mail:
        document = await found(program, mail, "--data", str(tmp_path / "file"))

    assert f"{tmp_path / 'file'} is no directory" in said_of(document)
