"""Appending: whatever the servers answer or don't, it ends in certainty.

Each test runs in memory and in virtual time, and over a real server.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.engine.errors import CorruptRecord, Fenced
from hookbundle.engine.replication.chain import Chain, Counts
from hookbundle.engine.replication.entries import Claim, Header, Kind, cut
from hookbundle.tests.actors.replication import logs
from hookbundle.tests.actors.replication.logs import (
    InMemory,
    ScriptedLog,
    Stored,
    Written,
    log_of,
    of_other,
)
from hookbundle.tests.actors.replication.nats.parts import StoredInNats, connection_to

CLAIM = Claim("a", "1", 2)
GROUP = b"\x90"
LONG = bytes(150)  # three parts


T = TypeVar("T")
Servers = tuple[Callable[[Coroutine[Any, Any, Any]], Any], Stored]


def in_memory(request: pytest.FixtureRequest) -> Iterator[Servers]:
    yield logs.run, InMemory()


def over_nats(request: pytest.FixtureRequest) -> Iterator[Servers]:
    servers = request.getfixturevalue("nats")
    with asyncio.Runner() as runner:
        connection: Connection = runner.run(connection_to(servers))
        try:
            yield runner.run, runner.run(StoredInNats.made(connection, servers.new_cluster()))
        finally:
            runner.run(connection.close())


@pytest.fixture(params=[in_memory, over_nats])
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    yield from request.param(request)


class Scripted(ScriptedLog):
    """With what runs it."""

    def __init__(self, servers: Servers, *script: str) -> None:
        self._run, stored = servers
        super().__init__(stored, *script)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        done: T = self._run(work)
        return done

    @property
    def count(self) -> int:
        return len(self.run(self.all()))

    def counting(self) -> list[bytes]:
        """The bodies that count, for a reader of the whole log."""
        chain = Chain(seq=0, epoch=1)
        verdicts = [chain.feed(entry) for entry in self.run(self.all())]
        return [verdict.body for verdict in verdicts if isinstance(verdict, Counts)]


def test_an_ack_at_the_place_is_certain_and_nothing_is_read(servers: Servers) -> None:
    raw = Scripted(servers)
    log = log_of(raw)
    raw.hidden = 1

    assert [raw.run(log.append(Kind.GROUP, GROUP)) for _ in range(3)] == [1, 2, 3]
    assert (log.chain.seq, raw.hidden) == (3, 1)


def test_an_entry_whose_ack_was_lost_is_found_and_not_stored_again(servers: Servers) -> None:
    raw = Scripted(servers, "unacked")

    assert raw.run(log_of(raw).append(Kind.GROUP, GROUP)) == 1
    assert raw.counting() == [GROUP]


def test_an_entry_that_does_not_stand_there_is_published_again_as_it_is(servers: Servers) -> None:
    raw = Scripted(servers, "lost", "refused", "lost")

    assert raw.run(log_of(raw).append(Kind.GROUP, GROUP)) == 1
    assert set(raw.published) == {"a1.1/"}


def test_an_entry_that_a_lagging_replica_hides_counts_once_though_it_is_stored_twice(
    servers: Servers,
) -> None:
    raw = Scripted(servers, "unacked", "unacked")
    raw.hidden = 1

    assert raw.run(log_of(raw).append(Kind.GROUP, GROUP)) == 1
    assert raw.count == 2
    assert raw.counting() == [GROUP]


def test_an_ack_elsewhere_is_no_ack_and_the_entry_goes_behind_what_is_void(
    servers: Servers,
) -> None:
    raw = Scripted(servers, "void")
    log = log_of(raw)

    assert raw.run(log.append(Kind.GROUP, GROUP)) == 3
    assert raw.published == ["a1.1/", "a1.2/"]
    assert raw.counting() == [GROUP]
    assert raw.run(log.append(Kind.GROUP, b"\x80")) == 4


def test_an_ack_elsewhere_waits_for_a_replica_that_knows_of_it(servers: Servers) -> None:
    raw = Scripted(servers, "void")
    raw.hidden = 3

    assert raw.run(log_of(raw).append(Kind.GROUP, GROUP)) == 3
    assert raw.published == ["a1.1/", "a1.2/"]


@pytest.mark.parametrize(
    "other",
    [
        of_other(0),
        of_other(0, Kind.GROUP, epoch=1),
        of_other(0, Kind.GROUP, epoch=1, id_="a1.99"),
    ],
)
def test_anything_else_that_counts_in_its_place_fences(servers: Servers, other: Written) -> None:
    raw = Scripted(servers, "taken")
    raw.other.append(other)

    with pytest.raises(Fenced, match="entry 1 of the log is of"):
        raw.run(log_of(raw).append(Kind.GROUP, GROUP))
    assert raw.counting() == [other[1]]


def test_what_counts_behind_something_void_fences_as_well(servers: Servers) -> None:
    raw = Scripted(servers, "taken")
    raw.run(raw.stored.store({}, b"?"))
    raw.other.append(of_other(1, Kind.GROUP, epoch=1))

    with pytest.raises(Fenced, match="entry 2"):
        raw.run(log_of(raw).append(Kind.GROUP, GROUP))


def test_parts_that_are_missing_are_published_again_and_no_others(servers: Servers) -> None:
    raw = Scripted(servers, "unacked", "lost", "lost")

    assert raw.run(log_of(raw).append(Kind.GROUP, LONG)) == 3
    assert raw.published[3:] == ["a1.1/2/3", "a1.1/3/3"]
    assert raw.counting() == [LONG]


def test_parts_that_were_torn_apart_are_published_again_from_the_first_on(servers: Servers) -> None:
    raw = Scripted(servers, "", "void", "lost")

    assert raw.run(log_of(raw).append(Kind.GROUP, LONG)) == 6
    assert raw.counting() == [LONG]


def test_an_owner_never_writes_under_the_epoch_of_another(servers: Servers) -> None:
    raw = Scripted(servers, "taken")
    raw.other.append(of_other(0))
    log = log_of(raw)
    with pytest.raises(Fenced):
        raw.run(log.append(Kind.GROUP, GROUP))

    with pytest.raises(Fenced, match="epoch 2 of the log is of 'b'"):
        raw.run(log.append(Kind.RELEASE, GROUP))

    assert raw.count == 1


def test_a_log_that_is_shorter_than_it_was_is_an_error_and_not_an_ack(servers: Servers) -> None:
    raw = Scripted(servers)
    raw.ack_as = 7

    with pytest.raises(CorruptRecord, match="shorter than it was: 9 entries were read"):
        raw.run(log_of(raw, seq=9).append(Kind.GROUP, GROUP))


# ---- claims


@pytest.mark.parametrize("script", [(), ("unacked",), ("lost",), ("refused", "lost", "unacked")])
def test_a_claim_that_counts_is_read_back_and_its_life_writes_under_its_epoch(
    servers: Servers,
    script: tuple[str, ...],
) -> None:
    raw = Scripted(servers, *script)
    log = log_of(raw, epoch=None)

    assert raw.run(log.claim(CLAIM))
    assert (log.chain.epoch, log.chain.owner, log.chain.claim) == (2, "a", "a1.1")
    assert raw.run(log.append(Kind.GROUP, GROUP)) == 2


@pytest.mark.parametrize("id_", ["b1.1", "a0.1"])
def test_a_claim_in_whose_place_another_stands_is_lost_even_to_an_earlier_life(
    servers: Servers, id_: str
) -> None:
    raw = Scripted(servers, "taken")
    raw.other.append(of_other(0, id_=id_, node=id_[0]))
    log = log_of(raw, epoch=None)

    assert not raw.run(log.claim(CLAIM))
    assert log.epoch is None
    assert raw.published == ["a1.1/"]


def test_a_claim_that_came_behind_something_void_is_lost_and_not_repeated(servers: Servers) -> None:
    raw = Scripted(servers, "void")

    assert not raw.run(log_of(raw, epoch=None).claim(CLAIM))
    assert raw.published == ["a1.1/"]
    assert raw.counting() == []


def test_a_claim_waits_for_certainty_also_behind_parts_that_its_owner_left_unfinished(
    servers: Servers,
) -> None:
    raw = Scripted(servers, "lost")
    part, *_ = cut(Header(kind=Kind.GROUP, epoch=1, prev=0, id="b1.1"), LONG, raw.entry_bytes_max)
    raw.run(raw.store(*part))
    log = log_of(raw, epoch=None)
    raw.run(log.read())

    assert raw.run(log.claim(CLAIM))
    assert set(raw.published) == {"a1.1/"}
