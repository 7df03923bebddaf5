"""Appending: whatever the servers answer or don't, it ends in certainty."""

import pytest

from hookbundle.engine.errors import CorruptRecord, Fenced
from hookbundle.engine.replication.chain import Chain, Counts
from hookbundle.engine.replication.entries import Claim, Entry, Header, Kind, cut
from hookbundle.tests.actors.replication.logs import ScriptedLog, Written, log_of, of_other, run

CLAIM = Claim("a", "1", 2)
GROUP = b"\x90"
LONG = bytes(150)  # three parts


def counting(raw: ScriptedLog) -> list[bytes]:
    """The bodies that count, for a reader of the whole log."""
    chain = Chain(seq=0, epoch=1)
    verdicts = [chain.feed(entry) for entry in raw.entries]
    return [verdict.body for verdict in verdicts if isinstance(verdict, Counts)]


def test_an_ack_at_the_place_is_certain_and_nothing_is_read() -> None:
    raw = ScriptedLog()
    log = log_of(raw)
    raw.hidden = 1

    assert [run(log.append(Kind.GROUP, GROUP)) for _ in range(3)] == [1, 2, 3]
    assert (log.chain.seq, raw.hidden) == (3, 1)


def test_an_entry_whose_ack_was_lost_is_found_and_not_stored_again() -> None:
    raw = ScriptedLog("unacked")

    assert run(log_of(raw).append(Kind.GROUP, GROUP)) == 1
    assert counting(raw) == [GROUP]


def test_an_entry_that_does_not_stand_there_is_published_again_as_it_is() -> None:
    raw = ScriptedLog("lost", "refused", "lost")

    assert run(log_of(raw).append(Kind.GROUP, GROUP)) == 1
    assert set(raw.published) == {"a1.1/"}


def test_an_entry_that_a_lagging_replica_hides_counts_once_though_it_is_stored_twice() -> None:
    raw = ScriptedLog("unacked", "unacked")
    raw.hidden = 1

    assert run(log_of(raw).append(Kind.GROUP, GROUP)) == 1
    assert len(raw.entries) == 2
    assert counting(raw) == [GROUP]


def test_an_ack_elsewhere_is_no_ack_and_the_entry_goes_behind_what_is_void() -> None:
    raw = ScriptedLog("void")
    log = log_of(raw)

    assert run(log.append(Kind.GROUP, GROUP)) == 3
    assert raw.published == ["a1.1/", "a1.2/"]
    assert counting(raw) == [GROUP]
    assert run(log.append(Kind.GROUP, b"\x80")) == 4


def test_an_ack_elsewhere_waits_for_a_replica_that_knows_of_it() -> None:
    raw = ScriptedLog("void")
    raw.hidden = 3

    assert run(log_of(raw).append(Kind.GROUP, GROUP)) == 3
    assert raw.published == ["a1.1/", "a1.2/"]


@pytest.mark.parametrize(
    "other",
    [
        of_other(0),
        of_other(0, Kind.GROUP, epoch=1),
        of_other(0, Kind.GROUP, epoch=1, id_="a1.99"),
    ],
)
def test_anything_else_that_counts_in_its_place_fences(other: Written) -> None:
    raw = ScriptedLog("taken")
    raw.other.append(other)

    with pytest.raises(Fenced, match="entry 1 of the log is of"):
        run(log_of(raw).append(Kind.GROUP, GROUP))
    assert counting(raw) == [other[1]]


def test_what_counts_behind_something_void_fences_as_well() -> None:
    raw = ScriptedLog("taken")
    raw.entries.append(Entry(1, None, b"?"))
    raw.other.append(of_other(1, Kind.GROUP, epoch=1))

    with pytest.raises(Fenced, match="entry 2"):
        run(log_of(raw).append(Kind.GROUP, GROUP))


def test_parts_that_are_missing_are_published_again_and_no_others() -> None:
    raw = ScriptedLog("unacked", "lost", "lost")

    assert run(log_of(raw).append(Kind.GROUP, LONG)) == 3
    assert raw.published[3:] == ["a1.1/2/3", "a1.1/3/3"]
    assert counting(raw) == [LONG]


def test_parts_that_were_torn_apart_are_published_again_from_the_first_on() -> None:
    raw = ScriptedLog("", "void")

    assert run(log_of(raw).append(Kind.GROUP, LONG)) == 7
    assert counting(raw) == [LONG]


def test_an_owner_never_writes_under_the_epoch_of_another() -> None:
    raw = ScriptedLog("taken")
    raw.other.append(of_other(0))
    log = log_of(raw)
    with pytest.raises(Fenced):
        run(log.append(Kind.GROUP, GROUP))

    with pytest.raises(Fenced, match="epoch 2 of the log is of 'b'"):
        run(log.append(Kind.RELEASE, GROUP))

    assert len(raw.entries) == 1


def test_a_log_that_is_shorter_than_it_was_is_an_error_and_not_an_ack() -> None:
    raw = ScriptedLog()
    raw.ack_as = 7

    with pytest.raises(CorruptRecord, match="shorter than it was: 9 entries were read"):
        run(log_of(raw, seq=9).append(Kind.GROUP, GROUP))


# ---- claims


@pytest.mark.parametrize("script", [(), ("unacked",), ("lost",), ("refused", "lost", "unacked")])
def test_a_claim_that_counts_is_read_back_and_its_life_writes_under_its_epoch(
    script: tuple[str, ...],
) -> None:
    raw = ScriptedLog(*script)
    log = log_of(raw, epoch=None)

    assert run(log.claim(CLAIM))
    assert (log.chain.epoch, log.chain.owner, log.chain.claim) == (2, "a", "a1.1")
    assert run(log.append(Kind.GROUP, GROUP)) == 2


@pytest.mark.parametrize("id_", ["b1.1", "a0.1"])
def test_a_claim_in_whose_place_another_stands_is_lost_even_to_an_earlier_life(id_: str) -> None:
    raw = ScriptedLog("taken")
    raw.other.append(of_other(0, id_=id_, node=id_[0]))
    log = log_of(raw, epoch=None)

    assert not run(log.claim(CLAIM))
    assert log.epoch is None
    assert raw.published == ["a1.1/"]


def test_a_claim_that_came_behind_something_void_is_lost_and_not_repeated() -> None:
    raw = ScriptedLog("void")

    assert not run(log_of(raw, epoch=None).claim(CLAIM))
    assert raw.published == ["a1.1/"]
    assert counting(raw) == []


def test_a_claim_waits_for_certainty_also_behind_parts_that_its_owner_left_unfinished() -> None:
    raw = ScriptedLog("lost")
    part, *_ = cut(Header(kind=Kind.GROUP, epoch=1, prev=0, id="b1.1"), LONG, raw.entry_bytes_max)
    raw.store(*part)
    log = log_of(raw, epoch=None)
    run(log.read())

    assert run(log.claim(CLAIM))
    assert set(raw.published) == {"a1.1/"}
