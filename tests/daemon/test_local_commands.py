"""Commands that need no daemon, and the errors of the others when none runs."""

from pathlib import Path

import pytest

from hookbundle import __version__
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.delivery import signing
from hookbundle.tests.program import Program, Ran, program_in

SECRET = signing.new_secret(bytes(range(32)))
OTHER = signing.new_secret(bytes(32))
BODY = b'{"message":"\xf0\x9f\x91\x8b"}'


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return program_in(tmp_path)


async def verify(
    program: Program, tmp_path: Path, *more: str, age_s: int = 0, body: bytes = BODY
) -> Ran:
    """Runs `verify` on a request signed with SECRET; `body` replaces the signed bytes."""
    stamp_s = SystemClock().wall_ms() // 1_000 - age_s
    headers = signing.sign("dlv_1", stamp_s, BODY, [SECRET])
    (tmp_path / "body").write_bytes(body)
    given = [word for item in headers.items() for word in ("--header", "{}: {}".format(*item))]
    return await program("verify", "--body", str(tmp_path / "body"), *given, *more)


@pytest.mark.parametrize(
    "arguments",
    [
        ("chats", "list"),
        ("deliveries", "list"),
        ("token", "list"),
        ("status",),
    ],
)
async def test_without_a_daemon_a_command_says_where_it_looked(
    program: Program, arguments: tuple[str, ...]
) -> None:
    ran = await program(*arguments)

    assert (ran.code, ran.out) == (3, "")
    assert str(program.socket_path) in ran.err


# ---- verify


async def test_verify_accepts_a_request_of_hookbundle(program: Program, tmp_path: Path) -> None:
    ran = await verify(program, tmp_path, "--secret", SECRET)

    assert (ran.code, ran.out[:9]) == (0, "authentic")


async def test_verify_tries_all_the_secrets_of_a_rotation(program: Program, tmp_path: Path) -> None:
    ran = await verify(program, tmp_path, "--secret", OTHER, "--secret", SECRET, "--json")

    assert ran.document["authentic"]
    assert "secret 2" in ran.document["verdict"]


async def test_verify_refuses_bytes_that_were_changed(program: Program, tmp_path: Path) -> None:
    ran = await verify(program, tmp_path, "--secret", SECRET, body=BODY + b"\n")

    assert (ran.code, ran.out) == (1, "")
    assert "not authentic" in ran.err


async def test_verify_refuses_a_replay_unless_the_tolerance_allows_it(
    program: Program, tmp_path: Path
) -> None:
    old = await verify(program, tmp_path, "--secret", SECRET, age_s=3_600)
    tolerant = await verify(program, tmp_path, "--secret", SECRET, "--tolerance", "2h", age_s=3_600)

    assert (old.code, tolerant.code) == (1, 0)
    assert "replay" in old.err


@pytest.mark.parametrize(
    "wrong",
    [
        ("--secret", "whsec_short"),
        ("--secret", SECRET, "--header", "no colon"),
        ("--secret", SECRET, "--tolerance", "long"),
        (),
    ],
)
async def test_verify_names_a_usage_error_and_never_shows_the_secret(
    program: Program, tmp_path: Path, wrong: tuple[str, ...]
) -> None:
    ran = await verify(program, tmp_path, *wrong)

    assert (ran.code, ran.out) == (2, "")
    assert "short" not in ran.err


# ---- config


async def test_config_show_names_the_origin_of_each_value(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "hookbundle.toml"
    file.write_text('[delivery]\nconnect_timeout = "3s"\ntotal_timeout = "9s"\n')

    ran = await program(
        "--config", str(file), "config", "show", env={"HOOKBUNDLE_DELIVERY__TOTAL_TIMEOUT": "8s"}
    )

    rows = {name: (value, origin) for name, value, origin, _ in ran.rows}
    assert rows["delivery.connect_timeout"] == ("3s", str(file))
    assert rows["delivery.total_timeout"] == ("8s", "HOOKBUNDLE_DELIVERY__TOTAL_TIMEOUT")
    assert rows["quota.messages"] == ("100000", "default")
    assert rows["data"] == (str(tmp_path / "data"), "HOOKBUNDLE_DATA")


@pytest.mark.parametrize("where", ["HOOKBUNDLE_SMTP__PASSWORD", "HOOKBUNDLE_SMTP__PASSWORD_FILE"])
async def test_config_show_masks_secrets(program: Program, tmp_path: Path, where: str) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    value = str(tmp_path / "secret") if where.endswith("_FILE") else "hunter2"

    ran = await program("config", "show", "--json", env={where: value})

    (row,) = [row for row in ran.document if row["name"] == "smtp.password"]
    assert row["origin"].startswith(where)
    assert set(row["value"]) == {"*"}
    assert "hunter2" not in ran.out


async def test_config_check_accepts_a_valid_configuration(program: Program) -> None:
    ran = await program("config", "check")

    assert (ran.code, ran.out) == (0, "")
    assert "valid" in ran.err


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("HOOKBUNDLE_DELIVERY__BACKOFF", "soon", "delivery.backoff"),
        ("HOOKBUNDLE_DELIVERY__ALLOW_NETWORKS", "here", "here"),
        ("HOOKBUNDLE_SMTP__SENDER", "nobody", "smtp.sender"),
        ("HOOKBUNDLE_DELIVERY__BAKCOFF", "5s", "HOOKBUNDLE_DELIVERY__BAKCOFF"),
    ],
)
async def test_config_check_names_what_is_wrong(
    program: Program, variable: str, value: str, named: str
) -> None:
    ran = await program("config", "check", env={variable: value})

    assert (ran.code, ran.out) == (2, "")
    assert named in ran.err


# ---- the program itself


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_completion_prints_a_script_for_the_shell(program: Program, shell: str) -> None:
    ran = await program("completion", shell)

    assert ran.code == 0
    assert f"_HOOKBUNDLE_COMPLETE={shell}_complete" in ran.out


async def test_completion_knows_the_commands(program: Program) -> None:
    asked = {"COMP_WORDS": "hookbundle deliveries re", "COMP_CWORD": "2"}

    ran = await program(env={**asked, "_HOOKBUNDLE_COMPLETE": "bash_complete"})

    found = {each.removeprefix("plain,") for each in ran.out.split()}
    assert found == {"replay", "replays", "resend", "retry"}


async def test_version_is_the_programs(program: Program) -> None:
    assert (await program("version")).out == f"{__version__}\n"
    assert (await program("version", "--json")).document["version"] == __version__
