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
    ("enabled", "has_url", "waits", "status"),
    [
        (False, True, True, WebhookStatus.DISABLED),
        (False, False, False, WebhookStatus.DISABLED),
        (True, False, True, WebhookStatus.UNCONFIGURED),
        (True, True, True, WebhookStatus.BACKING_OFF),
        (True, True, False, WebhookStatus.ENABLED),
    ],
)
def test_a_webhook_is_what_its_record_says(
    enabled: bool, has_url: bool, waits: bool, status: WebhookStatus
) -> None:
    assert webhook_status(enabled=enabled, has_url=has_url, waits=waits) is status
