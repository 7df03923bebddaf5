"""What a reader of the feed has heard."""

from hookbundle.tests.feed_readers import Frame, Subscriber


async def heard(feed: Subscriber, kind: str, count: int) -> list[Frame]:
    """So many events of the kind, and whatever comes before the last of them."""
    found: list[Frame] = []
    while sum(each["type"] == kind for each in found) < count:
        frame = await feed.hear()
        assert frame is not None
        found.append(frame)
    return found


def of(frames: list[Frame], kind: str) -> list[str]:
    return sorted(frame["workspace"] for frame in frames if frame["type"] == kind)
