"""What a reader of the feed has heard."""

import asyncio

from hookbundle.tests.feed_readers import Frame, Subscriber
from hookbundle.tests.hook_receiver import TIMEOUT_S


async def heard(feed: Subscriber, kind: str, count: int) -> list[Frame]:
    """So many events of the kind, and whatever comes before the last of them."""
    found: list[Frame] = []
    async with asyncio.timeout(TIMEOUT_S):  # pings would go on for ever
        while sum(each["type"] == kind for each in found) < count:
            frame = await feed.hear()
            assert frame is not None
            found.append(frame)
    return found


def of(frames: list[Frame], kind: str) -> list[str]:
    return sorted(frame["workspace"] for frame in frames if frame["type"] == kind)
