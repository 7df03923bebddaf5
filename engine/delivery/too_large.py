"""What is said of a delivery that is too large for its receiver, which answered 413.

The error that is stored names the size and what would make the next ones smaller. It begins with
the status as others do, so that all who look for a status find it; pages and mails find the rest.
"""

import re

STATUS = 413
KB = 1_000  # as people and their proxies count
PATTERN = re.compile(
    rf"status {STATUS}: too large for the receiver: (?P<messages>\d+) messages?, (?P<size>\d+ KB); "
    r"(?P<way>.+)"
)
LOWER = "lower limits.messages or limits.bytes of this webhook"
WHOLE = "no limit divides a message"
HINT = (
    "lower limits.messages or limits.bytes of the webhook: what is sealed from then on is smaller; "
    "this delivery stays as it is"
)


def error(messages: int, size: int) -> str:
    """The error of a delivery of so many messages, with a body of `size` bytes."""
    kilobytes = max(1, -(-size // KB))
    if messages == 1:
        counted, way = "1 message", WHOLE
    else:
        counted, way = f"{messages} messages", LOWER
    return f"status {STATUS}: too large for the receiver: {counted}, {kilobytes} KB; {way}"
