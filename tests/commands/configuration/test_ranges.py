"""Every setting has a range, and `config check` finds what is beyond it."""

from pathlib import Path

import pytest

from hookbundle.commands.configuration.loading import load
from hookbundle.commands.configuration.settings import SETTINGS, Setting
from hookbundle.commands.daemon.assembling import daemon_config
from hookbundle.engine.errors import ConfigError
from hookbundle.tests.program import program_in

BETWEEN_WORDS = {"http.metrics", "delivery.resolver", "delivery.proxy_names"}
BETWEEN_WORDS |= {"smtp.security", "log.format", "log.level"}
WITH_RANGE = [setting for setting in SETTINGS if setting.name not in BETWEEN_WORDS]


def loaded(setting: Setting, written: object) -> object:
    return load({}, {setting.variable: str(written)}, []).values[setting.name].value


@pytest.mark.parametrize("setting", WITH_RANGE, ids=lambda setting: setting.name)
def test_a_setting_is_refused_beyond_both_ends_and_taken_at_them(setting: Setting) -> None:
    kind = setting.kind
    for end, beyond in ((kind.least, -kind.step), (kind.most, kind.step)):
        loaded(setting, kind.write(end))

        if end + beyond >= 0 or kind.has_negative:
            with pytest.raises(ConfigError, match=rf"{setting.name} .*must (be|have) "):
                loaded(setting, kind.write(end + beyond))


@pytest.mark.parametrize("setting", WITH_RANGE, ids=lambda setting: setting.name)
def test_a_default_is_in_its_range(setting: Setting) -> None:
    assert load({}, {}, []).values[setting.name].written == setting.default


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
@pytest.mark.parametrize("written", ["a\nb", "\x00", "\x1b[2J", "9" * 5_000])
def test_no_setting_takes_control_characters_or_endless_digits(
    setting: Setting, written: str
) -> None:
    with pytest.raises(ConfigError, match=setting.name):
        loaded(setting, written)


FAULTS = {
    "SMTP__PORT": ("99999", "smtp.port"),
    "FEED__KEEP_EVENTS": ("-1", "feed.keep_events"),
    "SMTP__CA_FILE": ("/nowhere/ca.pem", "smtp.ca_file"),
    "DELIVERY__IN_FLIGHT_MAX": ("0", "delivery.in_flight_max"),
    "HTTP__IDLE_TIMEOUT": ("0s", "http.idle_timeout"),
    "DELIVERY__BACKOFF": ("5s,0s", "delivery.backoff"),
    "QUOTA__MESSAGES": ("1_000", "quota.messages"),
    "LISTEN": ("127.0.0.1:99999", "listen"),
    "SMTP__HOST": ("https://mail.example.com", "smtp.host"),
    "CONSOLE__URL": ("console.example.com", "console.url"),
    "HTTP__HOSTS": ("https://hooks.example.com", "http.hosts"),
    "SOCKET": ("/run/" + "x" * 120 + "/control.sock", "socket"),
    "STOP__WITHIN": ("100d", "stop.within"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_config_check_and_the_start_find_it(tmp_path: Path, name: str) -> None:
    value, setting = FAULTS[name]
    program = program_in(tmp_path, **{name: value})

    checked, started = await program("config", "check"), await program("run")

    assert (checked.code, started.code) == (2, 2)
    assert setting in checked.err
    assert setting in started.err
    assert not (tmp_path / "data").exists()


def test_a_ca_file_without_a_certificate_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"):
        (tmp_path / "ca.pem").write_bytes(content)

        with pytest.raises(ConfigError, match=r"smtp\.ca_file: .*no certificate"):
            daemon_config(load({}, {"HOOKBUNDLE_SMTP__CA_FILE": str(tmp_path / "ca.pem")}, []))
