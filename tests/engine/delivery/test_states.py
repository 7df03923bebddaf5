"""Which state follows which: every pair is either drawn, and moves, or is refused."""

from itertools import product
from typing import Any

import pytest

from hookbundle.engine.delivery.states import (
    DELIVERY_MOVES,
    WEBHOOK_MOVES,
    DeliveryState,
    ForbiddenMoveError,
    WebhookStatus,
    move,
    webhook_status,
)

MACHINES: list[tuple[Any, Any]] = [
    (DeliveryState, DELIVERY_MOVES),
    (WebhookStatus, WEBHOOK_MOVES),
]


@pytest.mark.parametrize(("states", "moves"), MACHINES)
def test_every_pair_moves_or_is_refused(states: Any, moves: Any) -> None:
    for before, after in product(states, repeat=2):
        if (before, after) in moves:
            assert move(moves, before, after) is after
        else:
            with pytest.raises(ForbiddenMoveError, match=before.name):
                move(moves, before, after)


@pytest.mark.parametrize("end", [DeliveryState.DELIVERED, DeliveryState.DISCARDED])
def test_nothing_comes_back_from_an_end(end: DeliveryState) -> None:
    assert not [after for before, after in DELIVERY_MOVES if before is end]


def test_every_state_can_be_reached() -> None:
    assert {after for _, after in DELIVERY_MOVES} == set(DeliveryState)
    assert {after for _, after in WEBHOOK_MOVES} == set(WebhookStatus)


@pytest.mark.parametrize(
    ("enabled", "has_url", "next_attempt_ms", "paced_ms", "status"),
    [
        (False, True, 5, 9, WebhookStatus.DISABLED),
        (False, False, 0, 0, WebhookStatus.DISABLED),
        (True, False, 5, 9, WebhookStatus.UNCONFIGURED),
        (True, True, 5, 0, WebhookStatus.BACKING_OFF),
        (True, True, 9, 5, WebhookStatus.BACKING_OFF),
        (True, True, 5, 9, WebhookStatus.OVER_BUDGET),
        (True, True, 0, 9, WebhookStatus.OVER_BUDGET),
        (True, True, 0, 0, WebhookStatus.ENABLED),
    ],
)
def test_a_webhook_is_what_its_record_says(
    enabled: bool, has_url: bool, next_attempt_ms: int, paced_ms: int, status: WebhookStatus
) -> None:
    found = webhook_status(
        enabled=enabled, has_url=has_url, next_attempt_ms=next_attempt_ms, paced_ms=paced_ms
    )

    assert found is status
