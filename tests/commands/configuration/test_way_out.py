"""The proxy and the certificates of the daemon: what is refused, and that no password is told."""

from pathlib import Path

import pytest

from hookbundle.actors.outbound.proxy import Proxy
from hookbundle.commands.configuration.loading import load
from hookbundle.commands.configuration.settings import Configuration
from hookbundle.commands.daemon import outbound
from hookbundle.engine.errors import ConfigError
from hookbundle.tests.actors.outbound.certificates import AUTHORITY, RECEIVER

PREFIX = "HOOKBUNDLE_DELIVERY__"


def configured(**given: str) -> Configuration:
    return load({}, {f"{PREFIX}{name.upper()}": value for name, value in given.items()}, [])


def test_a_proxy_is_read_with_its_login() -> None:
    config = configured(proxy="http://hook:p%40ss@proxy.corp:3128", proxy_names="proxy")

    assert outbound.proxy(config) == Proxy("proxy.corp", 3128, "hook:p@ss", "proxy")
    assert outbound.proxy(configured()) is None
    assert "p%40ss" not in config.values["delivery.proxy"].shown


@pytest.mark.parametrize(
    "written",
    [
        *("https://user:canary@proxy:3128", "http://user:canary@proxy", "user:canary@proxy:3128"),
        *("http://user:canary@proxy:99999", "http://user:canary@proxy:3128/path", "http://[::1"),
        "http://user%3Ax:canary@proxy:3128",
    ],
)
def test_another_proxy_is_refused_without_its_password(written: str) -> None:
    with pytest.raises(ConfigError) as raised:
        outbound.proxy(configured(proxy=written))

    assert "delivery.proxy" in str(raised.value)
    assert "canary" not in str(raised.value)


def test_certificates_are_read(tmp_path: Path) -> None:
    authority, receiver = tmp_path / "ca.pem", tmp_path / "own.pem"
    authority.write_text(AUTHORITY)
    receiver.write_text(RECEIVER)

    context = outbound.tls_context(
        configured(ca_file=str(authority), client_certificate=str(receiver))
    )

    assert context is not None
    issuers = [str(each["issuer"]) for each in context.get_ca_certs()]
    assert any("authority.example" in each for each in issuers)
    assert len(issuers) > 1, "the system's are trusted, too"
    assert outbound.tls_context(configured()) is None


def test_bad_files_are_refused_with_the_setting_and_the_reason(tmp_path: Path) -> None:
    absent, empty, authority = tmp_path / "no.pem", tmp_path / "empty.pem", tmp_path / "ca.pem"
    empty.write_text("")
    authority.write_text(AUTHORITY)
    for given, setting, why in (
        ({"ca_file": absent}, "ca_file", "can't be read"),
        ({"ca_file": empty}, "ca_file", "holds no certificate"),
        ({"client_certificate": absent}, "client_certificate", "can't be read"),
        ({"client_certificate": authority}, "client_certificate", "its own key"),
        ({"client_key": authority}, "client_key", "needs delivery.client_certificate"),
    ):
        with pytest.raises(ConfigError, match=f"delivery.{setting}: .*{why}"):
            outbound.tls_context(configured(**{name: str(path) for name, path in given.items()}))
