"""The event feed, read: from any place on, a page at a time, as fast as its reader wants.

A row of the feed holds the facts of one commit under the sequence number of the last of them. So
the row that holds event n is the first one whose key is not below n, and a reader needs nothing
but the number it has read up to. Every page is one short read transaction; nothing is held between
two pages, and nothing is ever shown that is not on disk.

A cursor names such a place and the database it is in. A restore makes a database with an epoch of
its own, whose numbers go on from an earlier state; a cursor from before it, or one that is ahead of
what the database has, is *foreign*: it says nothing about this database, and its holder is told so.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Any

import lmdb
import msgspec

from hookbundle.engine import durations
from hookbundle.engine.errors import CorruptRecord, Fault, InvalidInput
from hookbundle.engine.messages.timestamps import utc
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.codec import Fact
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import FeedRow, Meta

PAGE_BYTES = 256 * 1024  # of rows; the row that passes it is the last one of its page
SEQ_DIGITS = 12
CURSOR = re.compile(rf"cur_([0-9A-Za-z]{{1,64}})([0-9a-f]{{{SEQ_DIGITS}}})")

SINCE = "`now`, `oldest`, an age like `-1h`, or a cursor"


class Event(msgspec.Struct, frozen=True):
    """A fact. `time` is ISO 8601 in UTC; `workspace` and `chat` are empty where there is none."""

    seq: int
    cursor: str
    id: str
    type: str
    time: str
    workspace: str
    chat: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ends:
    """The sequence numbers of the oldest event kept and of the one that comes next."""

    oldest: int
    next: int


@dataclass(frozen=True, slots=True)
class Start:
    """Where a reader begins: after event number `after`. `cursor` is the place as it was named."""

    after: int
    cursor: str
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """The first and the last number of events that were gone before they were read."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Page:
    """Events of a reader's choice; `after` is the last number looked at, chosen or not."""

    events: list[Event]
    after: int
    missed: Missed | None


class Selection:
    """A reader's choice: of these workspaces, of types that match one of these globs.

    Nothing named means everything. Facts of the house itself are of no workspace.
    """

    def __init__(self, workspaces: Iterable[str] = (), types: Iterable[str] = ()) -> None:
        self._workspaces = frozenset(workspaces)
        self._globs = [re.compile(translate(glob)) for glob in types]
        self._known: dict[str, bool] = {}

    def takes(self, kind: str, workspace_id: str) -> bool:
        if self._workspaces and workspace_id not in self._workspaces:
            return False
        if kind not in self._known:
            self._known[kind] = not self._globs or any(glob.match(kind) for glob in self._globs)
        return self._known[kind]


EVERYTHING = Selection()


class FeedReader:
    """Reads the feed of one environment, from any thread."""

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._epoch = env.identity.epoch

    def ends(self) -> Ends:
        with self._env.read() as txn:
            return _ends(txn)

    def read(self, after: int, limit: int, selection: Selection = EVERYTHING) -> Page:
        """What was chosen of up to `limit` events that follow number `after`.

        Raises: CorruptRecord if events that should be there are not.
        """
        missed = None
        found: list[tuple[int, FeedRow]] = []
        with self._env.read() as txn:
            ends = _ends(txn)
            if after + 1 < ends.oldest:
                missed = Missed(after + 1, ends.oldest - 1)
                after = missed.last
            reached, size = after, 0
            for key, value in rows.rows(
                txn, keyspace.FEED, keyspace.numbered(keyspace.FEED, after)
            ):
                row, last = codec.unpack(key, value, FeedRow), keyspace.parse_number(key)
                if last - row.count > reached:
                    raise CorruptRecord(f"feed: event {reached + 1} is missing before {last}")
                found.append((last - row.count + 1, row))
                reached, size = last, size + len(value)
                if reached - after >= limit or size >= PAGE_BYTES:
                    break
            else:
                if reached + 1 < ends.next:
                    raise CorruptRecord(f"feed: event {reached + 1} is missing at the end")
        events: list[Event] = []
        for first, row in found:
            skip = after + 1 - first
            facts = codec.unpack_facts(row.events, skip, limit)
            events += self._chosen(facts, after + 1, selection)
            after, limit = after + len(facts), limit - len(facts)
        return Page(events, after, missed)

    def start(self, since: str, now_ms: int) -> Start:
        """The place that `since` names. A foreign cursor starts at the oldest event.

        Raises: InvalidInput if it names none.
        """
        ends = self.ends()
        if since == "now":
            return self._start(ends.next - 1)
        if since == "oldest":
            return self._start(ends.oldest - 1)
        if since.startswith("-"):
            try:
                return self._start(self._before(now_ms - durations.parse_ms(since[1:])))
            except ValueError as exc:
                raise InvalidInput((Fault("since", f"{exc}; or give {SINCE}"),)) from None
        try:
            epoch, seq = parse_cursor(since)
        except ValueError:
            raise InvalidInput((Fault("since", f"{since[:80]!r} is not {SINCE}"),)) from None
        foreign = epoch != self._epoch or seq >= ends.next
        return Start(ends.oldest - 1 if foreign else seq, since, foreign)

    def cursor(self, seq: int) -> str:
        """The place after event number `seq`."""
        return f"cur_{self._epoch}{seq:0{SEQ_DIGITS}x}"

    def _start(self, after: int) -> Start:
        return Start(after, self.cursor(after))

    def _before(self, at_ms: int) -> int:
        """The number after which every event of a commit at `at_ms` or later comes.

        Times of commits rise with their numbers, so halving finds it in a few dozen looks.
        """
        with self._env.read() as txn:
            ends = _ends(txn)
            low, high = ends.oldest - 1, ends.next - 1
            while low < high:
                middle = keyspace.numbered(keyspace.FEED, (low + high) // 2)
                key, value = next(rows.rows(txn, keyspace.FEED, middle), (b"", b""))
                if not key:
                    break  # the end is missing; whoever reads on will be told
                row, last = codec.unpack(key, value, FeedRow), keyspace.parse_number(key)
                if row.at_ms < at_ms:
                    low = last
                else:
                    high = last - row.count
            return low

    def _chosen(self, facts: list[Fact], first: int, selection: Selection) -> Iterable[Event]:
        for seq, fact in enumerate(facts, first):
            if selection.takes(fact.type, fact.workspace):
                name = f"{self._epoch}{seq:0{SEQ_DIGITS}x}"
                yield Event(
                    seq=seq,
                    cursor=f"cur_{name}",
                    id=f"evt_{name}",
                    type=fact.type,
                    time=_iso(fact.time),
                    workspace=fact.workspace,
                    chat=fact.chat,
                    data=fact.data,
                )


def parse_cursor(cursor: str) -> tuple[str, int]:
    """The epoch and the sequence number. Raises: ValueError."""
    match = CURSOR.fullmatch(cursor)
    if match is None:
        raise ValueError(f"{cursor!r} is no cursor")
    return match[1], int(match[2], 16)


def _ends(txn: lmdb.Transaction) -> Ends:
    meta = rows.get(txn, keyspace.META, Meta) or Meta()
    return Ends(meta.feed_oldest, meta.feed_next)


@lru_cache(maxsize=256)  # the events of one commit mostly share a millisecond
def _iso(at_ms: int) -> str:
    return utc(at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
