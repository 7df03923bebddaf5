"""The filter of a search and that of a replay: what both know means the same in both."""

from hypothesis import given
from hypothesis import strategies as st

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.storage.database.delivery_records import Delivery, ReplayFilter
from hookbundle.storage.reads.searching.wanted import ALL_STATES, TIME_MAX, Statuses, Wanted
from hookbundle.storage.tables.repeating.matching import matches

TIMES, STATUSES = st.integers(0, 3), st.sampled_from([0, 404, 503])
STATES = st.sampled_from([DeliveryState.DELIVERED, DeliveryState.DEAD_LETTER])


@given(
    st.builds(
        ReplayFilter,
        states=st.lists(STATES, max_size=2).map(tuple),
        chat=st.sampled_from(["", "a", "b"]),
        http_status=STATUSES,
        since_ms=TIMES,
        until_ms=TIMES,
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
        statuses=Statuses(wanted.http_status, wanted.http_status) if wanted.http_status else None,
        since_ms=wanted.since_ms,
        until_ms=wanted.until_ms or TIME_MAX,
    )

    assert search.takes(head, state) is matches(head, state, wanted)
