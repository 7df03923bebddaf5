"""How much is kept of what grows with time: the event feed, the history, answers to requests."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """The operator's limits; 0 keeps nothing that is not promised otherwise.

    `feed_events`, `feed_bytes`, `feed_ms`: of all workspaces together; past the first two, those
    with more than their share lose their oldest events first. `history_ms`: since a delivery has
    ended. `history_bytes`: of one workspace. `answer_bytes`: answers to requests with an
    idempotency key, of one workspace.
    """

    feed_events: int = 1_000_000
    feed_bytes: int = 1024 * 1024 * 1024
    feed_ms: int = 7 * 86_400_000
    history_ms: int = 14 * 86_400_000
    history_bytes: int = 512 * 1024 * 1024
    answer_bytes: int = 16 * 1024 * 1024


KEEP_ALL = Retention(
    feed_events=2**62,
    feed_bytes=2**62,
    feed_ms=2**62,
    history_ms=2**62,
    history_bytes=2**62,
    answer_bytes=2**62,
)
