"""Fills a database with windows or queued deliveries before a daemon starts on it."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from hookbundle.engine.delivery import signing
from hookbundle.engine.messages.message import Incoming, digest_of
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace, change_workspace

NEVER_CALLED = (
    "http://127.0.0.1:1/"  # a workspace without a URL would stop at its quota of held messages
)
FILL_AT_ONCE = 500
FILLING = Retention(feed_events=1_000)  # a feed of what the filling did would only cost time


class OpenWindow(NamedTuple):
    """A window to make, with one message, in workspace `ws{workspace}`."""

    workspace: int
    chat_id: str
    due_ms: int


def fill(
    data: Path,
    workspaces: int,
    *,
    aggregation_ms: int,
    url: str,
    deliveries: int = 0,
    prefix: str = "ws",
    window: bytes = b"",
) -> None:
    """Makes workspaces `ws0`, `ws1`, ..., each with so many queued deliveries of one message.

    `window`: a rule, as `engine/windows/parsing.py:written` makes it, in place of a length.
    """
    env = open_environment(data, now_ms())
    try:
        changes = Changes(aggregation_ms=aggregation_ms, url=url, window=window or None)
        numbers: list[int] = []
        for first in range(0, workspaces, FILL_AT_ONCE):
            names = [f"{prefix}{n}" for n in range(first, min(first + FILL_AT_ONCE, workspaces))]
            numbers += _make_workspaces(env, names, changes)
        for turn in range(deliveries):
            for first in range(0, workspaces, FILL_AT_ONCE):
                _enqueue(env, numbers[first : first + FILL_AT_ONCE], turn)
    finally:
        env.close()


def open_windows(data: Path, windows: Iterable[OpenWindow], aggregation_ms: int) -> None:
    """Opens the windows in the data; their workspaces must exist (`fill`)."""
    env = open_environment(data, now_ms())
    try:
        numbers = _numbers(Reads(env))
        left = iter(windows)
        while group := list(islice(left, FILL_AT_ONCE)):
            with env.write() as txn:
                unit = Unit(txn, env.identity, retention=FILLING)
                for position, window in enumerate(group):
                    number = numbers[f"ws{window.workspace}"]
                    opened_ms = window.due_ms - aggregation_ms
                    table.apply(unit, accepting(number, window.chat_id, position, opened_ms))
                unit.flush()
            env.grow_if_needed()
    finally:
        env.close()


def _make_workspaces(env: Environment, names: Sequence[str], changes: Changes) -> list[int]:
    numbers = []
    with env.write() as txn:
        unit = Unit(txn, env.identity, retention=FILLING)
        for name in names:
            change = ChangeWorkspace(
                workspace_id=name,
                changes=changes,
                precondition=None,
                may_create=True,
                new_secret=signing.new_secret(os.urandom(32)),
                now_ms=now_ms(),
                caller="bench",
            )
            numbers.append(change_workspace(unit, change).workspace_number)
        unit.flush()
    return numbers


def _enqueue(env: Environment, numbers: Sequence[int], turn: int) -> None:
    with env.write() as txn:
        unit = Unit(txn, env.identity, retention=FILLING)
        for number in numbers:
            table.apply(unit, accepting(number, "c1", turn, now_ms()))
        unit.flush()


def write_past(
    env: Environment,
    deliveries: int,
    length_ms: int,
    group: int,
    write: Callable[[Unit, int, int], None],
) -> None:
    """So many deliveries, spread evenly over the time until now.

    `write(unit, turn, at_ms)` makes one; those of a group have the same time, in one transaction.
    """
    until_ms = now_ms()
    for first in range(0, deliveries, group):
        at_ms = until_ms - (deliveries - first) * length_ms // deliveries
        with env.write() as txn:
            unit = Unit(txn, env.identity, retention=FILLING)
            for turn in range(first, first + group):
                write(unit, turn, at_ms)
            unit.flush()
        env.grow_if_needed()


def accepting(workspace_number: int, chat_id: str, turn: int, now_ms: int) -> AcceptMessages:
    """A message of fixed size for the chat; its id depends on `turn`."""
    message_id = f"m{turn}"
    message = Incoming(
        message_id=message_id,
        digest=digest_of(message_id),
        sent_ms=now_ms,
        is_new_chat=False,
        account=b'{"full_name":"Ann Account","email":"ann@example.com","phone":"+1 555 0100"}',
        chat=b'{"full_name":"Chat","responsible_name":"Rae","responsible_email":"rae@example.com",'
        b'"chat_url":"https://inbox.example/c/1","chat_id":"%b","is_new_chat":false,'
        b'"is_group":false,"phone":"+1 555 0199"}' % chat_id.encode(),
        message=b'{"direction":"received","timestamp":"2026-01-01T00:00:00+0000","message_id":"%b",'
        b'"sender":{"full_name":"Sam","phone":"+1 555 0199"},"recipient":{"full_name":"Ann",'
        b'"phone":"+1 555 0100"},"text":"%b"}'
        % (message_id.encode(), b"What about Thursday, then? " * 4),
        permalink="",
    )
    return AcceptMessages(
        workspace_number=workspace_number,
        chat_id=chat_id,
        messages=(message,),
        skipped=(),
        now_ms=now_ms,
        product_name="the inbox",
        quota=Quota(),
    )


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _numbers(reads: Reads) -> dict[str, int]:
    """The numbers of all workspaces, by their ids."""
    numbers: dict[str, int] = {}
    after, is_last = "", False
    while not is_last:
        page = reads.workspaces(limit=1_000, after=after)
        numbers |= {view.settings.id: view.settings.number for view in page.found}
        after, is_last = page.after, not page.after
    return numbers
