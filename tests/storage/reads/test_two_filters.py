"""The filter of a search and that of a replay: what both know means the same in both."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.storage.database.delivery_records import Delivery, ReplayFilter
from hookbundle.storage.reads.searching.wanted import ALL_STATES, TIME_MAX, Statuses, Wanted
from hookbundle.storage.tables.repeating.matching import matches

TIMES, STATUSES = st.integers(0, 3), st.sampled_from([0, 404, 503])
STATES = st.sampled_from([DeliveryState.DELIVERED, DeliveryState.DEAD_LETTER])


@settings(deadline=None)
@given(
    st.builds(
        ReplayFilter,
        states=st.lists(STATES, max_size=2).map(tuple),
        chat=st.sampled_from(["", "a", "b"]),
        http_status=STATUSES,
        since_ms=TIMES,
        until_ms=TIMES,
        http_status_most=st.sampled_from([0, 499]),
        no_answer=st.booleans(),
    ),
    st.sampled_from(["a", "b"]),
    STATUSES,
    TIMES,
    STATES,
)
def test_a_filter_finds_what_a_replay_by_it_would_send(
    wanted: ReplayFilter, chat: str, status: int, sealed_ms: int, state: DeliveryState
) -> None:
    head = Delivery(
        number=1,
        chat_id=chat,
        sealed_ms=sealed_ms,
        status=status,
        attempts=1,
        messages=1,
        reason="due",
        bundle=False,
        epoch="",
    )
    search = Wanted(
        states=frozenset(map(DeliveryState, wanted.states)) or ALL_STATES,
        chat=wanted.chat or None,
        statuses=_statuses_of(wanted),
        since_ms=wanted.since_ms,
        until_ms=wanted.until_ms or TIME_MAX,
    )

    assert search.takes(head, state) is matches(head, state, wanted)


def _statuses_of(wanted: ReplayFilter) -> Statuses | None:
    if wanted.no_answer:
        return Statuses(0, 0)
    least = wanted.http_status
    return Statuses(least, max(least, wanted.http_status_most)) if least else None
