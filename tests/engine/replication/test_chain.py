"""The chain rule, case by case, and beside a restatement that knows all entries at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.replication.chain import Chain, Counts, Held, Phase, Void
from hookbundle.engine.replication.cluster import FORMAT
from hookbundle.engine.replication.entries import Entry, Header, Kind, entry_of, headers_of
from hookbundle.tests.engine.replication.entries import entry


def read(chain: Chain, *entries: Entry) -> list[type]:
    return [type(chain.feed(each)) for each in entries]


def test_an_entry_counts_where_it_wants_to_stand_and_nowhere_else() -> None:
    chain = Chain(seq=4, epoch=1)

    assert read(chain, entry(5), entry(6, prev=4), entry(7, prev=7), entry(8)) == [
        Counts,
        Void,
        Void,
        Counts,
    ]
    assert (chain.seq, chain.voids) == (8, 2)


def test_a_claim_counts_with_a_greater_epoch_and_what_its_owner_writes_after_it() -> None:
    chain = Chain(seq=0, epoch=1)

    found = read(
        chain,
        entry(1, Kind.CLAIM, epoch=1),
        entry(2, Kind.CLAIM, epoch=3, id_="b.7"),
        entry(3, epoch=1),
        entry(4, epoch=3),
        entry(5, Kind.CLAIM, epoch=2),
        entry(6, epoch=4),
    )

    assert found == [Void, Counts, Void, Counts, Void, Void]
    assert (chain.epoch, chain.claim, chain.owner) == (3, "b.7", "a")


def test_nothing_counts_after_the_end_not_even_a_claim() -> None:
    chain = Chain(seq=0, epoch=1)

    found = read(chain, entry(1, Kind.END), entry(2), entry(3, Kind.CLAIM, epoch=9))

    assert found == [Counts, Void, Void]
    assert chain.end is not None
    assert (chain.end.generation, chain.end.from_) == ("2x1", 7)


def test_a_generation_is_a_base_then_what_happens_and_no_second_base() -> None:
    chain = Chain(seq=0, epoch=1, phase=Phase.BASE)

    found = read(
        chain,
        entry(1, Kind.BASE),
        entry(2, Kind.CLAIM, epoch=2),
        entry(3),
        entry(4, Kind.BEGIN),
        entry(5, Kind.BASE),
        entry(6, Kind.BEGIN),
    )

    assert found == [Counts, Void, Counts, Counts, Void, Void]


def test_parts_are_held_until_the_last_and_count_as_one() -> None:
    chain = Chain(seq=0, epoch=1)
    parts = [entry(n, part=(n, 3), body=bytes([n])) for n in (1, 2, 3)]

    first, second, last = (chain.feed(each) for each in parts)

    assert isinstance(first, Held)
    assert isinstance(second, Held)
    assert isinstance(last, Counts)
    assert (last.seq, last.body) == (3, b"\x01\x02\x03")


@pytest.mark.parametrize(
    "other",
    [
        entry(2, Kind.CLAIM, epoch=2),
        entry(2, id_="a.2"),
        entry(2, id_="a.2", part=(1, 2)),
        entry(2, prev=0),
        Entry(2, None, b"?"),
    ],
)
def test_parts_that_are_not_continued_are_dropped(other: Entry) -> None:
    chain = Chain(seq=0, epoch=1)

    read(chain, entry(1, part=(1, 2)), other)

    assert read(chain, entry(3, epoch=chain.epoch, part=(2, 2))) == [Void]


def test_a_part_continues_only_parts_of_its_own_publication() -> None:
    chain = Chain(seq=0, epoch=1)

    assert read(chain, entry(1, part=(2, 2)), entry(2, part=(1, 2))) == [Void, Held]
    assert read(chain, entry(3, part=(2, 2), id_="a.2")) == [Void]


def test_a_reader_can_start_again_before_unfinished_parts() -> None:
    chain = Chain(seq=0, epoch=1)

    read(chain, entry(1), entry(2, part=(1, 3)), entry(3, part=(2, 3)))

    assert chain.whole == 1


def test_a_gap_and_a_damaged_entry_that_counts_are_errors_and_a_damaged_void_one_is_none() -> None:
    chain = Chain(seq=0, epoch=1)
    sound = entry(1)

    with pytest.raises(CorruptRecord, match="gap: 2 comes after 0"):
        chain.feed(entry(2))
    with pytest.raises(CorruptRecord, match="entry 1 of the log is damaged"):
        chain.feed(Entry(1, sound.header, b"other"))
    assert chain.feed(Entry(2, entry(2, prev=0).header, b"other")) == Void(2)


# ---- beside a restatement


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    """What several writers may leave: stale, late, doubled, cut, or of somebody else."""
    found: list[Entry] = []
    for seq in range(1, draw(st.integers(1, 14)) + 1):
        if draw(st.integers(0, 9)) == 0:
            found.append(Entry(seq, None, b"?"))
            continue
        before = found[-1].header if found else None
        if before is not None and before.part < before.parts and draw(st.booleans()):
            part, id_ = (before.part + 1, before.parts), before.id
            kind, epoch = before.kind, before.epoch
        else:
            last = draw(st.integers(1, 3))
            part, id_ = (draw(st.integers(1, last)), last), draw(st.sampled_from(("a.1", "b.1")))
            kind = draw(st.sampled_from([*Kind, *[Kind.GROUP] * 6, Kind.CLAIM]))
            epoch = draw(st.integers(1, 3))
        prev = seq - 1 if draw(st.integers(0, 4)) else draw(st.integers(0, seq))
        found.append(entry(seq, kind, epoch=epoch, prev=prev, id_=id_, part=part))
    return found


def restated(log: list[Entry], epoch: int) -> list[bool]:
    """Whether each entry, or the one whose last part it is, counts."""
    counted: list[bool] = []
    for number in range(1, len(log) + 1):
        before = [(n, log[n - 1].header) for n in range(1, number) if counted[n - 1]]
        counted.append(counts(log, epoch, number, before))
    return counted


def counts(
    log: list[Entry], epoch: int, number: int, before: list[tuple[int, Header | None]]
) -> bool:
    """`before`: what counts of the entries before it."""
    kinds = [header.kind for _, header in before if header]
    epochs = [header.epoch for _, header in before if header and header.kind is Kind.CLAIM]
    now = max([epoch, *epochs])
    header = log[number - 1].header
    if header is None or Kind.END in kinds:
        return False
    if header.kind is Kind.CLAIM:
        return header.prev == number - 1 and header.epoch > now and header.parts == 1
    if header.parts > 1 and header.kind is not Kind.GROUP:
        return False
    if header.kind in (Kind.BASE, Kind.BEGIN) or header.part != header.parts:
        return False
    if number < header.parts:
        return False
    stretch = [
        (n, each.header) for n, each in enumerate(log[number - header.parts : number], number + 1)
    ]
    return all(
        each is not None
        and each.prev == n - header.parts - 1
        and each.epoch == now
        and (each.id, each.kind, each.parts) == (header.id, header.kind, header.parts)
        and each.part == n - number
        for n, each in stretch
    ) and not any(n > number - header.parts for n, _ in before)


@given(logs())
def test_what_counts_is_what_the_restatement_says(log: list[Entry]) -> None:
    chain = Chain(seq=0, epoch=1)

    counted = [isinstance(chain.feed(each), Counts) for each in log]

    assert counted == restated(log, 1)


@given(logs(), st.integers(0, 14))
def test_a_reader_that_starts_again_in_between_finds_the_same(log: list[Entry], at: int) -> None:
    whole, first = Chain(seq=0, epoch=1), Chain(seq=0, epoch=1)
    for each in log:
        whole.feed(each)

    for each in log[:at]:
        first.feed(each)
    again = Chain(seq=first.whole, epoch=first.epoch, phase=first.phase)
    for each in log[again.seq :]:
        again.feed(each)

    assert (again.seq, again.epoch, again.phase) == (whole.seq, whole.epoch, whole.phase)


def test_entries_of_a_restatement_are_not_all_void() -> None:
    """The strategy would prove little if nothing counted."""
    log = [entry(1, part=(1, 2)), entry(2, part=(2, 2)), entry(3, Kind.CLAIM, epoch=2)]

    assert restated(log, 1) == [False, True, True]


def test_an_entry_of_a_later_format_is_not_void_and_nothing_is_read_from_there_on() -> None:
    chain = Chain(seq=0, epoch=1)
    headers = headers_of(Header(kind=Kind.CLAIM, epoch=2, prev=0, id="b.1"))
    later = entry_of(1, headers | {"Hb-Format": str(FORMAT + 1)}, b"")

    for _ in range(2):  # it is as true when it is read again
        with pytest.raises(CorruptRecord, match=f"format {FORMAT + 1}, and this program knows"):
            chain.feed(later)

    assert (chain.seq, chain.voids, chain.epoch) == (0, 0, 1)


@pytest.mark.parametrize("format_", ["1", "0", "", "x", "-5"])
def test_an_entry_that_names_no_later_format_is_read_as_ever(format_: str) -> None:
    chain = Chain(seq=0, epoch=1)
    sound = entry(1)
    assert sound.header is not None
    headers = headers_of(sound.header) | {"Hb-Format": format_}

    assert read(chain, entry_of(1, headers, sound.body)) == [Counts]
