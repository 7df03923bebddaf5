"""What somebody was told, and whether a database still keeps it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables import queue
from hookbundle.tests.storage.populated import findings
from hookbundle.tests.storage.scratch import House, ids_in


class AcceptedIds(msgspec.Struct, frozen=True, array_like=True, tag="accepted"):
    """The client was told that these messages are stored."""

    ids: tuple[str, ...]


class AttemptBegun(msgspec.Struct, frozen=True, array_like=True, tag="begun"):
    """The receiver may have seen the first byte of this attempt."""

    delivery_id: str
    attempt: int


class AttemptFinished(msgspec.Struct, frozen=True, array_like=True, tag="finished"):
    """The daemon has gone on from this outcome."""

    delivery_id: str
    attempt: int
    outcome: str


Promise = AcceptedIds | AttemptBegun | AttemptFinished
Attempt = tuple[str, int]


def decode(lines: bytes) -> list[Promise]:
    decoder = msgspec.json.Decoder(Promise)
    return [decoder.decode(line) for line in lines.splitlines()]


def faults_of(path: Path, promises: Sequence[Promise]) -> list[str]:
    """What is wrong with the data directory as a power cut left it; if nothing is, it is empty."""
    try:
        house = House(path)
    except HookbundleError as exc:
        return [f"it does not open: {exc}"]
    try:
        return broken(house, promises)
    except HookbundleError as exc:
        return [f"it can't be read: {exc}"]
    finally:
        house.close()


def broken(house: House, promises: Iterable[Promise]) -> list[str]:
    """What is wrong with the database, and which of the promises it doesn't keep.

    Open windows are sealed on the way: it must not only be read, but go on from where it is.
    """
    wrong = [f"{finding.where}: {finding.what}" for finding in findings(house)]
    for row in house.dues(DueKind.WINDOW):
        house.seal(row.subject.decode(), ws=row.number)
    log, under_way, placed = _look(house)
    wrong += [
        f"message {one} stands in {count} places" for one, count in placed.items() if count > 1
    ]
    for promise in promises:
        match promise:
            case AcceptedIds(ids):
                wrong += [f"accepted message {one} is lost" for one in ids if one not in placed]
            case AttemptBegun(delivery_id, attempt):
                if (delivery_id, attempt) not in under_way and (delivery_id, attempt) not in log:
                    wrong.append(f"attempt {attempt} of {delivery_id} was begun and is lost")
            case AttemptFinished(delivery_id, attempt, outcome):
                if log.get((delivery_id, attempt)) != outcome:
                    wrong.append(f"attempt {attempt} of {delivery_id}: {outcome} is lost")
    return wrong


def _look(house: House) -> tuple[dict[Attempt, str], set[Attempt], Counter[str]]:
    """The outcomes in the logs, the attempts under way, and in how many places a message is."""
    log: dict[Attempt, str] = {}
    under_way: set[Attempt] = set()
    placed: Counter[str] = Counter()
    for view in house.reads.workspaces(limit=1_000):
        number, flight = view.settings.number, view.state.flight
        for delivery in house.pending(view.settings.id) + house.parked(view.settings.id):
            placed.update(ids_in(delivery))
            if flight and flight.delivery == delivery.number:
                under_way.add((queue.delivery_id(number, delivery), flight.attempt))
        for exchange in house.reads.log(view.settings.id):
            log[exchange.delivery_id, exchange.attempt] = exchange.outcome
            if exchange.outcome == "delivered":
                placed.update(_ids_in_body(exchange.request_body))
    return log, under_way, placed


def _ids_in_body(body: bytes) -> list[str]:
    return [message["message_id"] for message in msgspec.json.decode(body)["messages"]]
