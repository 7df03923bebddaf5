"""Which settings a reload applies, and which wait for a restart."""

from hookbundle.commands.configuration.loading import load
from hookbundle.commands.configuration.settings import AT_START_ONLY, BY_NAME
from hookbundle.commands.daemon.reloading import merge


def test_what_changed_is_taken_or_named() -> None:
    running = load({}, {"HOOKBUNDLE_LISTEN": "off", "HOOKBUNDLE_QUOTA__AGE": "1d"}, [])
    wanted = load({}, {"HOOKBUNDLE_LISTEN": "127.0.0.1:1", "HOOKBUNDLE_QUOTA__AGE": "2d"}, [])

    merged, applied, waiting = merge(running, wanted)

    assert applied == ["quota.age"]
    assert waiting == ["listen"]
    assert merged.get("listen", str) == "off"
    assert merged.get("quota.age", int) == 2 * 86_400_000


def test_the_same_value_from_elsewhere_is_no_change() -> None:
    running = load({}, {"HOOKBUNDLE_LOG__LEVEL": "info"}, [])

    _, applied, waiting = merge(running, load({}, {}, []))

    assert applied == waiting == []


def test_what_waits_for_a_start_are_settings_there_are() -> None:
    assert set(BY_NAME) >= AT_START_ONLY
