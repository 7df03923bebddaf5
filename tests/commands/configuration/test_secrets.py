"""A secret of the configuration is in no message about it, and all its faults are found at once."""

from pathlib import Path

import pytest

from hookbundle.commands.configuration.loading import load, with_faults
from hookbundle.commands.configuration.settings import SETTINGS
from hookbundle.engine.errors import ConfigError

SECRETS = [setting for setting in SETTINGS if setting.secret]


def test_a_secret_that_is_refused_is_not_quoted() -> None:
    for each in SECRETS:
        with pytest.raises(ConfigError, match=each.name) as caught:
            load({}, {each.variable: "hunter2" * 10_000}, [])

        assert "hunter2" not in str(caught.value)


def test_every_fault_is_found_and_counts_as_not_set(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('lisen = "x"\n[smtp]\nport = 99999\nhost = "mail.example"\n')
    broken = tmp_path / "broken.toml"
    broken.write_text("[")
    environ = {"HOOKBUNDLE_LOG__LEVEL": "loud", "HOOKBUNDLE_LOGLEVEL": "info"}

    config, faults = with_faults({"listen": "off"}, environ, [file, broken])

    said = "\n".join(map(str, faults))
    assert len(faults) == 5
    assert "did you mean listen?" in said
    for word in ("smtp.port", "log.level", "HOOKBUNDLE_LOGLEVEL", "broken.toml is not TOML"):
        assert word in said
    assert config.get("smtp.port", int) == 587
    assert config.get("smtp.host", str) == "mail.example"
    assert config.get("listen", str) == "off"
