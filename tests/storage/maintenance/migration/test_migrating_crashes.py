"""An upgrade that is killed at any step leaves the old database or the new one, whole."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from hookbundle.engine.errors import StorageError
from hookbundle.storage.database.files import DATA, MARKER, OLD, STAGING
from hookbundle.storage.maintenance.migration.migrating import migrate, needs_migration
from hookbundle.tests.storage.maintenance.migration import killed
from hookbundle.tests.storage.maintenance.migration.upgrading import (
    FILES,
    NOW_MS,
    ignore,
    is_whole,
    upgraded,
)

STEPS = 60  # more than an upgrade has


def killed_at(path: Path, nth: int) -> int:
    """The exit code of an upgrade that is killed before its n-th step."""
    command = [sys.executable, "-m", killed.__name__, str(path), str(nth)]
    env = {"PATH": os.environ["PATH"]}  # else an interpreter is started: see `shared_work/forks.py`
    return subprocess.run(command, env=env, check=False, timeout=60).returncode


@pytest.mark.parametrize("first", range(1, 9))
def test_a_kill_at_any_step_leaves_a_database_that_is_upgraded_to_the_same(
    busy: Path, first: int
) -> None:
    old = (busy / DATA).read_bytes()
    for nth in range(first, STEPS, 8):
        path = busy.with_name(f"killed before {nth}")
        shutil.copytree(busy, path)
        code = killed_at(path, nth)

        was_old = needs_migration(path)
        if was_old:
            upgraded(path)

        assert code in (-signal.SIGKILL, 0)
        assert is_whole(path)
        assert (path / OLD).read_bytes() == old
        assert {entry.name for entry in path.iterdir()} == FILES
        if code == 0:
            assert not was_old
            break
    else:
        pytest.fail("the upgrade has more steps than were tried")


def test_two_kills_one_after_the_other_are_no_worse(busy: Path) -> None:
    for nth in (9, 2, 14, 1):
        assert killed_at(busy, nth) == -signal.SIGKILL

    upgraded(busy)

    assert is_whole(busy)


@pytest.mark.parametrize("name", killed.CALLS)
def test_a_call_that_fails_leaves_a_database_that_is_upgraded_to_the_same(
    busy: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for nth in count(1):
        path = busy.with_name(f"failed {name} {nth}")
        shutil.copytree(busy, path)
        calls = count(1)
        with monkeypatch.context() as patch:
            patch.setattr(os, name, failing(getattr(os, name), calls, nth))
            with suppress(StorageError):
                migrate(path, NOW_MS, ignore)

        if needs_migration(path):
            assert (path / DATA).read_bytes() == (busy / DATA).read_bytes()
            upgraded(path)
        assert is_whole(path)
        assert {entry.name for entry in path.iterdir()} == FILES
        if next(calls) <= nth:
            break


def failing(call: Callable[..., Any], calls: "count[int]", nth: int) -> Callable[..., Any]:
    def fail(*args: Any, **more: Any) -> Any:
        if next(calls) == nth:
            raise OSError(5, "Input/output error")
        return call(*args, **more)

    return fail


def test_each_step_of_the_swap_is_on_disk_before_the_next(
    busy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a power cut, too, leaves the old database or the new one."""
    seen: list[str] = []
    fsync, rename, link = os.fsync, os.rename, os.link

    def named(path: Any) -> str:
        return str(Path(path).resolve().relative_to(busy.resolve()))

    def watched_fsync(fd: int) -> None:
        seen.append(f"sync {named(os.readlink(f'/proc/self/fd/{fd}'))}")
        fsync(fd)

    def watched_rename(before: Any, after: Any) -> None:
        seen.append(f"rename {named(before)} {named(after)}")
        rename(before, after)

    def watched_link(before: Any, after: Any) -> None:
        seen.append(f"link {named(before)} {named(after)}")
        link(before, after)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "rename", watched_rename)
    monkeypatch.setattr(os, "link", watched_link)

    upgraded(busy)

    assert seen == [
        f"sync {STAGING}/{DATA}",
        f"sync {STAGING}",
        f"link {DATA} {STAGING}/{OLD}",
        f"rename {STAGING}/{OLD} {OLD}",
        "sync .",
        f"rename {STAGING}/{DATA} {DATA}",
        "sync .",
        "sync identity.new",
        f"rename identity.new {MARKER}",
        "sync .",
    ]
