"""What an orchestrator adds to the environment is passed over; a misspelled setting is not."""

from pathlib import Path

import pytest

from hookbundle.commands.configuration.loading import load
from hookbundle.engine.errors import ConfigError
from hookbundle.tests.program import program_in
from hookbundle.tests.running import running

# Of a service called `hookbundle`, as kubelet adds them to every container of its namespace.
OF_A_SERVICE = {
    "HOOKBUNDLE_SERVICE_HOST": "10.96.0.7",
    "HOOKBUNDLE_SERVICE_PORT": "8470",
    "HOOKBUNDLE_SERVICE_PORT_HTTP": "8470",
    "HOOKBUNDLE_PORT": "tcp://10.96.0.7:8470",
    "HOOKBUNDLE_PORT_8470_TCP": "tcp://10.96.0.7:8470",
    "HOOKBUNDLE_PORT_8470_TCP_PROTO": "tcp",
    "HOOKBUNDLE_PORT_8470_TCP_PORT": "8470",
    "HOOKBUNDLE_PORT_8470_TCP_ADDR": "10.96.0.7",
}
# Of services called `hookbundle-feed` and `hookbundle-data`, one of them on IPv6 and UDP.
OF_OTHER_SERVICES = {
    "HOOKBUNDLE_FEED_SERVICE_HOST": "fd00::7",
    "HOOKBUNDLE_FEED_SERVICE_PORT": "53",
    "HOOKBUNDLE_FEED_SERVICE_PORT_DNS_ALT": "53",
    "HOOKBUNDLE_FEED_PORT": "udp://[fd00::7]:53",
    "HOOKBUNDLE_FEED_PORT_53_UDP": "udp://[fd00::7]:53",
    "HOOKBUNDLE_FEED_PORT_53_UDP_PROTO": "udp",
    "HOOKBUNDLE_FEED_PORT_53_UDP_PORT": "53",
    "HOOKBUNDLE_FEED_PORT_53_UDP_ADDR": "fd00::7",
    "HOOKBUNDLE_DATA_SERVICE_HOST": "10.96.0.8",
}
# Of `docker run --link web:hookbundle`.
OF_A_LINK = {
    "HOOKBUNDLE_NAME": "/app/hookbundle",
    "HOOKBUNDLE_PORT": "tcp://172.17.0.2:8470",
    "HOOKBUNDLE_ENV_PYTHONUNBUFFERED": "1",
}
MISSPELLED = {
    "HOOKBUNDLE_PORT": "8470",
    "HOOKBUNDLE_SMTP_PORT": "587",
    "HOOKBUNDLE_SERVICE": "10.96.0.7",
    "HOOKBUNDLE_NAME": "hookbundle",
    "HOOKBUNDLE_LISTEN_PORT": "8470",
    "HOOKBUNDLE_PORT_8470": "tcp://10.96.0.7:8470",
    "HOOKBUNDLE_SERVICE_HOST": "mail.example.com/",
    "HOOKBUNDLE_SMTP__PORT_25_TCP_PORT": "twenty-five",
    "HOOKBUNDLE_DELIVERY__BAKCOFF": "5s",
}


@pytest.mark.parametrize("variables", [OF_A_SERVICE, OF_OTHER_SERVICES, OF_A_LINK])
def test_what_an_orchestrator_adds_changes_no_setting(variables: dict[str, str]) -> None:
    plain, loaded = load({}, {}, []), load({}, variables, [])

    assert {n: v.value for n, v in loaded.values.items()} == {
        n: v.value for n, v in plain.values.items()
    }


@pytest.mark.parametrize(("name", "value"), MISSPELLED.items())
def test_a_misspelled_setting_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: unknown setting"):
        load({}, {name: value}, [])


def test_a_refusal_names_the_setting_that_was_probably_meant() -> None:
    for name, meant in (
        ("HOOKBUNDLE_SMTP_PORT", "HOOKBUNDLE_SMTP__PORT"),
        ("HOOKBUNDLE_DELIVERY__BAKCOFF", "HOOKBUNDLE_DELIVERY__BACKOFF"),
    ):
        with pytest.raises(ConfigError, match=f"did you mean {meant}\\?"):
            load({}, {name: "5"}, [])


def test_a_file_s_misspelled_setting_is_named_too(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[smtp]\nprot = 25\n")

    with pytest.raises(ConfigError, match=r"unknown setting 'smtp.prot'; did you mean smtp.port\?"):
        load({}, {}, [file])


async def test_a_daemon_beside_a_service_of_its_name_starts(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    program.env.update(OF_A_SERVICE)
    async with running(program) as daemon:
        status = await program("status", "--json")
        daemon.process.terminate()
        code = await daemon.ended()

    assert status.document["ready"] is True
    assert code == 0
