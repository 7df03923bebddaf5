"""The answers that were given, and the check that a database still holds what they promised."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables import queue
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.logs import log_of
from hookbundle.tests.storage.populated import findings
from hookbundle.tests.storage.scratch import ScratchDatabase


class AcceptedIds(msgspec.Struct, frozen=True, array_like=True, tag="accepted"):
    """The client got a 202 for these messages."""

    ids: tuple[str, ...]


class AttemptBegun(msgspec.Struct, frozen=True, array_like=True, tag="begun"):
    """The receiver may have seen the first byte of this attempt."""

    delivery_id: str
    attempt: int


class AttemptFinished(msgspec.Struct, frozen=True, array_like=True, tag="finished"):
    """The daemon has acted on this outcome."""

    delivery_id: str
    attempt: int
    outcome: str


Promise = AcceptedIds | AttemptBegun | AttemptFinished
Attempt = tuple[str, int]


def decode(lines: bytes) -> list[Promise]:
    decoder = msgspec.json.Decoder(Promise)
    return [decoder.decode(line) for line in lines.splitlines()]


def faults_of(path: Path, promises: Sequence[Promise]) -> list[str]:
    """The faults of a data directory that a power cut left; none is an empty list."""
    try:
        db = ScratchDatabase(path)
    except HookbundleError as exc:
        return [f"can't be opened: {exc}"]
    try:
        return broken(db, promises)
    except HookbundleError as exc:
        return [f"can't be read: {exc}"]
    finally:
        db.close()


def broken(db: ScratchDatabase, promises: Iterable[Promise]) -> list[str]:
    """The faults of the database, and the promises that it doesn't keep.

    Open windows are sealed here, because the database must be usable, not just readable.
    """
    wrong = [f"{finding.where}: {finding.what}" for finding in findings(db)]
    for row in db.dues(DueKind.WINDOW):
        db.seal(row.subject.decode(), ws=row.number)
    log, under_way, stored = _contents(db)
    wrong += [
        f"message {one} is stored {count} times" for one, count in stored.items() if count > 1
    ]
    for promise in promises:
        match promise:
            case AcceptedIds(ids):
                wrong += [f"accepted message {one} is lost" for one in ids if one not in stored]
            case AttemptBegun(delivery_id, attempt):
                if (delivery_id, attempt) not in under_way and (delivery_id, attempt) not in log:
                    wrong.append(
                        f"attempt {attempt} of {delivery_id} was begun, but is not recorded"
                    )
            case AttemptFinished(delivery_id, attempt, outcome):
                if log.get((delivery_id, attempt)) != outcome:
                    wrong.append(f"attempt {attempt} of {delivery_id}: {outcome} is lost")
    return wrong


def _contents(db: ScratchDatabase) -> tuple[dict[Attempt, str], set[Attempt], Counter[str]]:
    """The outcomes in the logs, the attempts under way, and how often each message is stored."""
    log: dict[Attempt, str] = {}
    under_way: set[Attempt] = set()
    stored: Counter[str] = Counter()
    for view in db.reads.workspaces(limit=1_000).found:
        number, flight = view.settings.number, view.state.flight
        for delivery in db.queued(view.settings.id) + db.dead_letters(view.settings.id):
            stored.update(ids_in(delivery))
            if flight and flight.delivery == delivery.number:
                under_way.add((queue.delivery_id(number, delivery.delivery), flight.attempt))
        for exchange in log_of(db.reads, view.settings.id):
            log[exchange.delivery_id, exchange.attempt] = exchange.result.outcome
            if exchange.result.outcome == "delivered":
                stored.update(_ids_in_body(exchange.request_body))
    return log, under_way, stored


def _ids_in_body(body: bytes) -> list[str]:
    return [message["message_id"] for message in msgspec.json.decode(body)["messages"]]
