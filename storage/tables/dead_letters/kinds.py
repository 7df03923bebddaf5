"""The kinds of dead letters: each has a letter for its rows, counters, and marks of its own.

A command may put back one kind and leave another where it is:

    rejected          P    the receiver rejected it            enabling, URL, retry of all
    receiver_fails    f    its receiver fails over it          URL, format, retry of all
    format            d    its format could not be rendered    enabling, URL, format, retry of all

One that was rejected was sent; its bytes stay, so another format changes nothing for it.
"""

from typing import NamedTuple

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.records import Moving, WebhookState

REJECTED = keyspace.DEAD_LETTERS
FAILING = keyspace.RECEIVER_FAILS
UNRENDERABLE = keyspace.UNRENDERABLE
ALL = (REJECTED, FAILING, UNRENDERABLE)
BY_ENABLING = (REJECTED, UNRENDERABLE)
BY_FORMAT = (FAILING, UNRENDERABLE)

FAILS = "receiver_fails"  # `Delivery.dead_reason`
FORMAT = "format"
REASONS = {"": REJECTED, FAILS: FAILING, FORMAT: UNRENDERABLE}


class Meant(NamedTuple):
    """What a command means: how many deliveries, and their messages."""

    deliveries: int
    messages: int

    def without(self, other: "Meant") -> "Meant":
        return Meant(self.deliveries - other.deliveries, self.messages - other.messages)


class Stretch(NamedTuple):
    """Dead letters that are queued: from the first number to before `end`, but for one."""

    first: int
    end: int
    but: int

    def has(self, number: int) -> bool:
        return self.first <= number < self.end and number != self.but


def kind_of(delivery: Delivery) -> bytes:
    """The letter of the kind that the dead letter is of; REJECTED for an unknown reason."""
    return REASONS.get(delivery.dead_reason, REJECTED)


def held(state: WebhookState, kind: bytes) -> Meant:
    """How many of the kind the webhook has."""
    fails = Meant(state.fails, state.fails_messages)
    unrendered = Meant(state.unrendered, state.unrendered_messages)
    if kind == FAILING:
        return fails
    if kind == UNRENDERABLE:
        return unrendered
    every = Meant(state.dead_letters, state.dead_letter_messages)
    return every.without(fails).without(unrendered)


def count(state: WebhookState, delivery: Delivery, by: int) -> None:
    """One more is a dead letter (1), or no longer (-1)."""
    _add(state, kind_of(delivery), Meant(by, by * delivery.messages))


def take_all(state: WebhookState, kind: bytes) -> Meant:
    """The webhook has none of the kind any more. Returns how many it had."""
    had = held(state, kind)
    _add(state, kind, Meant(-had.deliveries, -had.messages))
    return had


def _add(state: WebhookState, kind: bytes, more: Meant) -> None:
    state.dead_letters += more.deliveries
    state.dead_letter_messages += more.messages
    if kind == FAILING:
        state.fails += more.deliveries
        state.fails_messages += more.messages
    elif kind == UNRENDERABLE:
        state.unrendered += more.deliveries
        state.unrendered_messages += more.messages


# ---- marks: which of them are queued for every caller; see moving.py


def stretch_of(marks: Moving, kind: bytes) -> Stretch:
    if kind == FAILING:
        return Stretch(marks.fails_from, marks.fails_before, marks.fails_but)
    if kind == UNRENDERABLE:
        return Stretch(marks.format_from, marks.format_before, 0)
    return Stretch(marks.return_from, marks.return_before, marks.return_but)


def mark(marks: Moving, kind: bytes, stretch: Stretch) -> None:
    """The stretch of the kind is queued. `but` is 0 for one of which no attempt is ever made."""
    if kind == FAILING:
        marks.fails_from, marks.fails_before, marks.fails_but = stretch
    elif kind == UNRENDERABLE:
        marks.format_from, marks.format_before = stretch.first, stretch.end
    else:
        marks.return_from, marks.return_before, marks.return_but = stretch


def pass_by(marks: Moving, kind: bytes, number: int) -> None:
    """What has a number up to this one has had its turn."""
    if kind == FAILING:
        marks.fails_from = number + 1
    elif kind == UNRENDERABLE:
        marks.format_from = number + 1
    else:
        marks.return_from = number + 1
