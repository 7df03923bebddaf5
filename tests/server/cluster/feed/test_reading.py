"""What a reader of several partitions is sent: where its cursors lie, and who does not answer."""

import asyncio
from collections.abc import Iterable

import msgspec
import pytest

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotOwner
from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.feed import part
from hookbundle.server.cluster.feed.pages import Page, Wanted
from hookbundle.server.cluster.feed.part import Common, Part
from hookbundle.server.cluster.feed.reading import Reading
from hookbundle.server.feed.frames import Frame, Gap, Refusal, Unanswered
from hookbundle.server.feed.subscription import FeedConfig
from hookbundle.storage.reads.feed import FeedEvent
from hookbundle.storage.reads.several.cursors import parted

EPOCH = "00112233aa"


def cursor(seq: int) -> str:
    return f"cur_{EPOCH}{seq:012x}"


def happened(seq: int) -> FeedEvent:
    return FeedEvent(seq, cursor(seq), f"evt_{seq}", "message.received", "", "acme", "", "", "", {})


def missed(first: int, last: int) -> Gap:
    return Gap(cursor(last), "retention", first, last)


class Owners:
    """Each answers with its pages, one after the other, None for none, a number for a refusal with
    that status; then it waits for ever."""

    def __init__(self, *pages: Iterable[Page | int | None]) -> None:
        self._pages = [iter(each) for each in pages]
        self._never = asyncio.Event()

    async def ask(self, number: int, asked: Asked) -> Answered:
        for page in self._pages[number]:
            if page is None:
                raise NotOwner.of(Code.NO_OWNER, partition=number)
            if isinstance(page, int):
                return Answered(page, (), b'{"detail":"why not"}')
            return Answered(200, (), msgspec.msgpack.encode(page))
        await self._never.wait()
        raise AssertionError

    async def read(self, count: int) -> list[Frame]:
        """The first frames that a reader of all is sent, who begins before all events."""
        found: list[Frame] = []
        has_all = asyncio.Event()

        def encode(frame: Frame) -> bytes:
            found.append(frame)
            if len(found) >= count:
                has_all.set()
            return b""

        async def write(data: bytes) -> None:
            pass

        wanted, common = Wanted(cursor(0), most=10), Common()
        parts = [
            Part(number, wanted, self.ask, lambda number: None, common)
            for number in range(len(self._pages))
        ]
        reading = Reading(parts, FeedConfig(), None, 0.0, lambda: True, has_all.is_set)
        passing = asyncio.create_task(reading.pass_on(encode, write))
        async with asyncio.timeout(20):
            await has_all.wait()
        reading.wake()
        await passing
        return found[:count]


def place_of(frame: Frame) -> dict[int, str] | None:
    """Where the reader stands who has this frame; None if it does not say."""
    written = getattr(frame, "cursor", "")
    return parted(written, 2) if written else None


@pytest.fixture(autouse=True)
def told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "SILENT_S", 0.0)
    monkeypatch.setattr(part, "AGAIN_S", 0.0)


async def test_gaps_stand_where_events_are_missing_and_say_of_which_partition() -> None:
    page = Page(
        (happened(3), happened(6)), ((0, missed(1, 2)), (1, missed(4, 5))), cursor(6), behind=0
    )

    found = await Owners([page], []).read(4)

    first, event, second, last = found
    assert isinstance(first, Gap)
    assert isinstance(second, Gap)
    assert [(each.first, each.last, each.partition) for each in (first, second)] == [
        (1, 2, 0),
        (4, 5, 0),
    ]
    assert isinstance(event, FeedEvent)
    assert event.seq == 3
    assert [place_of(each) for each in found] == [
        {0: cursor(2), 1: cursor(0)},
        None,
        {0: cursor(5), 1: cursor(0)},
        {0: cursor(6), 1: cursor(0)},
    ]
    assert isinstance(last, FeedEvent)


async def test_who_does_not_answer_is_said_once_with_a_cursor_before_what_follows() -> None:
    silent = [None, None, None]
    pages = [*silent, Page((happened(1),), (), cursor(1)), Page((happened(2),), (), cursor(2))]

    found = await Owners(pages, []).read(4)

    gone, back, *events = found
    assert isinstance(gone, Unanswered)
    assert isinstance(back, Unanswered)
    assert (gone.partitions, back.partitions) == ((0,), ())
    assert [place_of(each) for each in found] == [
        {0: cursor(0), 1: cursor(0)},
        {0: cursor(0), 1: cursor(0)},
        {0: cursor(1), 1: cursor(0)},
        {0: cursor(2), 1: cursor(0)},
    ]
    assert [each.seq for each in events if isinstance(each, FeedEvent)] == [1, 2]


async def test_an_owner_that_can_not_answer_now_is_asked_again_and_no_reader_is_ended() -> None:
    found = await Owners([503, Page((happened(1),), (), cursor(1))], []).read(3)

    assert [type(each) for each in found] == [Unanswered, Unanswered, FeedEvent]


async def test_a_reader_is_told_why_a_partition_is_not_read_any_further() -> None:
    (found,) = await Owners([500], []).read(1)

    assert isinstance(found, Refusal)
    assert "partition 0: why not" in found.detail


async def test_nobody_waits_for_news_of_a_partition_that_was_said_not_to_answer() -> None:
    """Or the reader would be told that it answers again only when something happens there."""
    waits = list[float]()

    async def ask(number: int, asked: Asked) -> Answered:
        waits.append(msgspec.msgpack.decode(asked.body, type=Wanted).wait_s)
        return Answered(200, (), msgspec.msgpack.encode(Page((), (), cursor(0))))

    read = Part(0, Wanted(cursor(0)), ask, lambda number: None, Common(), is_silent=True)
    page = await read.next()
    assert page is not None
    read.taken(page)
    await read.next()

    assert waits == [0.0, part.WAIT_S]
