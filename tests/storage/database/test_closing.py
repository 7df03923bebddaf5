"""Who closes a database does not wait for one that reads all of it."""

import threading
import time
from pathlib import Path

import pytest

from hookbundle.engine.errors import HookbundleError, Overloaded
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment

WITHIN_S = 20.0


def reading(env: Environment, has_begun: threading.Event, ended: list[HookbundleError]) -> None:
    until_s = time.monotonic() + WITHIN_S
    try:
        with env.read_long():
            has_begun.set()
            while time.monotonic() < until_s:
                env.ends_if_told()
    except HookbundleError as exc:
        ended.append(exc)


def test_a_long_read_ends_when_the_database_is_closed(tmp_path: Path) -> None:
    env = open_environment(tmp_path, 1)
    has_begun, ended = threading.Event(), list[HookbundleError]()
    reader = threading.Thread(target=reading, args=(env, has_begun, ended))
    reader.start()
    assert has_begun.wait(WITHIN_S)

    env.close()
    reader.join(2 * WITHIN_S)

    assert [type(each) for each in ended] == [Overloaded]


def test_no_long_read_begins_any_more(tmp_path: Path) -> None:
    env = open_environment(tmp_path, 1)
    env.close()

    with pytest.raises(Overloaded), env.read_long():
        pass
