"""What comes back to a reader of a stream: messages, then one that says that there are no more."""

from hookbundle.actors.replication.nats.client import Message
from hookbundle.actors.replication.nats.connection import Answers
from hookbundle.engine.replication.entries import Entry, entry_of

READ_BYTES = 4 * 1024 * 1024
# Of an answer to a reader that is where the log ends. More than what follower.py takes for few.
LITTLE_BYTES = 64 * 1024
READ_WITHIN_S = 2.0


async def taken(answers: Answers, found: list[Message]) -> None:
    """What has come is in `found`, also if this ends by an error. Raises: NoAnswer; Unreachable."""
    while True:
        message = await answers.next(READ_WITHIN_S)
        if message.status:
            return
        found.append(message)


def without_gap(messages: list[Message], after: int) -> list[Entry]:
    """Those that stand one after another behind `after`."""
    entries: list[Entry] = []
    for message in messages:
        seq = int(message.headers["Nats-Sequence"])
        if seq != after + len(entries) + 1:
            break
        entries.append(entry_of(seq, message.headers, message.body))
    return entries
