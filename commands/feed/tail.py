"""What `hookbundle tail` does: it follows the event feed and prints one line for each event."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hookbundle.commands.configuration import paths
from hookbundle.commands.feed import frames, lines
from hookbundle.commands.feed.ends import End, end_of
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import (
    FAILED,
    NOT_FOUND,
    UNREACHABLE,
    USAGE,
    CommandFailure,
)
from hookbundle.commands.terminal.options import Shared, saying_why
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.delivery import former_names
from hookbundle.storage.fact_types import no_type, unknown_types

if TYPE_CHECKING:
    from hookbundle.commands.terminal.client import Control

LISTED_MAX = 20


@dataclass(frozen=True, slots=True)
class Filters:
    """Which events are shown; an empty filter takes all."""

    workspaces: tuple[str, ...]
    types: tuple[str, ...]
    chats: tuple[str, ...]
    webhooks: tuple[str, ...] = ()

    def wanted(self) -> dict[str, tuple[str, ...]]:
        """As the daemon is asked for it."""
        return {name: value for name, value in asdict(self).items() if value}

    def take(self, event: dict[str, Any]) -> bool:
        return (
            (not self.workspaces or event["workspace"] in self.workspaces)
            and (not self.chats or event["chat"] in self.chats)
            and (not self.webhooks or event["webhook"] in self.webhooks)
            and (not self.types or _is_one_of(event["type"], self.types))
        )


def follow(
    shared: Shared,
    filters: Filters,
    since: str | None,
    until: str | None,
    count: int | None,
    *,
    as_json: bool,
) -> None:
    """Shows events until an end is reached or it is interrupted. Raises: CommandFailure."""
    _check_types(filters.types)
    workspaces, webhooks = filters.workspaces, filters.webhooks
    config = shared.configuration()
    path = paths.socket_path(config).parent / frames.NAME
    end = None
    if until is not None:
        with saying_why(config):
            end = end_of(until, path, SystemClock().wall_ms())
    if workspaces:
        shared.ask(lambda control: _check_workspaces(control, path, workspaces))
    if webhooks and frames.is_refused(path, workspaces=workspaces, webhooks=webhooks):
        names = ", ".join(f"'{name}'" for name in webhooks)
        raise CommandFailure(f"not every one of these is a webhook: {names}", NOT_FOUND)
    tailing = Tailing(filters, end, count, as_json)
    try:
        with saying_why(config):
            tailing.show_all(path, since or ("now" if end is None else "oldest"))
    except KeyboardInterrupt:
        tailing.say_how_to_resume()


@dataclass(slots=True)
class Tailing:
    """A run of the command. `cursor`: everything up to there was shown, or was not selected."""

    filters: Filters
    end: End | None
    left: int | None
    as_json: bool
    cursor: str = ""

    def show_all(self, path: Path, since: str) -> None:
        """Raises: Failure; KeyboardInterrupt."""
        self.cursor = since
        wanted = {} if self.end else self.filters.wanted()
        for frame in frames.frames_of(path, since=since, **wanted):
            if not self._goes_on_after(frame):
                return
        raise CommandFailure(
            f"the daemon closed the connection; to resume from here: --since {self.cursor}",
            UNREACHABLE,
        )

    def say_how_to_resume(self) -> None:
        output.say(f"to resume from here: --since {self.cursor}")

    def _goes_on_after(self, frame: dict[str, Any]) -> bool:
        match frame["type"]:
            case "error":
                raise CommandFailure(frame["detail"], USAGE if frame.get("errors") else FAILED)
            case "hello" | "ping":
                pass
            case "gap":
                self._say_what_is_missing(frame)
            case "unanswered":
                say_who_is_silent(frame["partitions"])
            case _ if self.end is not None and self.end.is_before(frame):
                if self.end.is_of_one:
                    return False
            case _:
                if self.filters.take(frame) and not self._show(frame):
                    return False
        self.cursor = frame["cursor"] or self.cursor
        return self.end is None or not self.end.is_reached(frame)

    def _show(self, event: dict[str, Any]) -> bool:
        """The event is shown. False if it was the last one that is wanted, or nobody reads it."""
        with output.one_piece():
            if self.as_json:
                is_read = output.show_json_text(msgspec.json.encode(event).decode())
            else:
                is_read = output.write(lines.line_of(event))
            if is_read:
                self.cursor = event["cursor"] or self.cursor
        if not is_read:
            self.say_how_to_resume()
        elif self.left is not None:
            self.left -= 1
        return is_read and self.left != 0

    def _say_what_is_missing(self, gap: dict[str, Any]) -> None:
        """When all is read, because of an end, a gap may be of workspaces that are not selected."""
        some = "; some may be of these workspaces" if self.end and self.filters.workspaces else ""
        reason = {
            "retention": "they are no longer kept",
            "other_database": "the cursor is of another database, or of one that was restored",
        }.get(gap["reason"], gap["reason"])
        whose = f" of partition {gap['partition']}" if "partition" in gap else ""
        output.say(f"events {gap['from']} to {gap['to']}{whose} are missing: {reason}{some}")


def say_who_is_silent(partitions: list[int]) -> None:
    if not partitions:
        output.say("all partitions of the cluster answer again")
        return
    names = ", ".join(map(str, partitions))
    output.say(f"these partitions of the cluster do not answer, their events come later: {names}")


def _is_one_of(kind: str, globs: tuple[str, ...]) -> bool:
    names = former_names.fact_types_of(kind)
    return any(fnmatchcase(name, glob) for name in names for glob in globs)


def _check_types(globs: Iterable[str]) -> None:
    """Each matches a type of event. Raises: Failure."""
    for glob in unknown_types(globs):
        raise CommandFailure(no_type("type", glob).detail, USAGE)


def _check_workspaces(control: "Control", path: Path, names: Iterable[str]) -> None:
    """Each is a workspace, or one that was deleted and has events. Raises: Failure."""
    from hookbundle.commands.terminal.client import at

    for name in names:
        try:
            control.get(at("workspaces", name))
        except CommandFailure as exc:
            if exc.exit_code != NOT_FOUND:
                raise
            if not frames.is_refused(path, workspaces=[name]):
                continue
            found = control.gather(at("workspaces"), "workspaces", 1_000)
            known = [workspace["id"] for workspace in found]
            near = get_close_matches(name, known, n=3)
            few = ", ".join(known[:LISTED_MAX]) + (", ..." if len(known) > LISTED_MAX else "")
            hint = f"did you mean {' or '.join(near)}?" if near else f"known are: {few or 'none'}"
            raise CommandFailure(f"there is no workspace '{name}'; {hint}", NOT_FOUND) from exc
