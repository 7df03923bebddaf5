"""What comes back to a reader of a stream: messages, then one that says that there are no more."""

from hookbundle.actors.replication.log import Entries
from hookbundle.actors.replication.nats.client import Message
from hookbundle.actors.replication.nats.connection import Answers
from hookbundle.engine.replication.entries import entry_of

READ_BYTES = 4 * 1024 * 1024
LITTLE_BYTES = 64 * 1024  # of an answer to a reader that is where the log ends
NOTHING_THERE = "404"
READ_WITHIN_S = 2.0


async def taken(answers: Answers, found: list[Message]) -> None:
    """What has come is in `found`, also if this ends by an error. Raises: NoAnswer; Unreachable."""
    while not found or not found[-1].status:
        found.append(await answers.next(READ_WITHIN_S))


def without_gap(messages: list[Message], after: int) -> Entries:
    """Those that stand one after another behind `after`."""
    entries = Entries()
    for message in messages:
        if message.status:
            if message.status == NOTHING_THERE:
                entries.left = 0
            break
        seq = int(message.headers["Nats-Sequence"])
        if seq != after + len(entries) + 1:
            break
        entries.append(entry_of(seq, message.headers, message.body))
        entries.left = int(message.headers["Nats-Num-Pending"])
    return entries
