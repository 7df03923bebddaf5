"""A webhook switched on, and what waits merged first, as the API is asked for it and answers."""

import msgspec

from hookbundle.storage.transitions.switching import Switched
from hookbundle.storage.transitions.webhooks.merging import MergeBegun


class EnableIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`discard`: what is held is dropped instead of sent. `merge`: of each chat what waits and was
    never attempted is merged first; the webhook is enabled when that is done. Not both."""

    discard: bool = False
    merge: bool = False


class MergingOut(msgspec.Struct, frozen=True):
    """What waits in the queue as a merge begins: of this it merges what was never attempted."""

    deliveries: int
    messages: int


class SwitchedOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """`returned`: dead letters that are queued again. `left`: those of reason `receiver_fails`.

    `merging`: it is enabled when that is merged. Dead letters are queued again then, too.
    """

    changed: bool
    returned: int
    left: int
    discarded_deliveries: int
    discarded_messages: int
    merging: MergingOut | None = None


def merging_out(begun: MergeBegun) -> MergingOut:
    return MergingOut(begun.deliveries, begun.messages)


def switched_out(switched: Switched) -> SwitchedOut:
    return SwitchedOut(
        changed=switched.changed,
        returned=switched.returned,
        left=switched.left,
        discarded_deliveries=switched.discarded_deliveries,
        discarded_messages=switched.discarded_messages,
        merging=merging_out(switched.merging) if switched.merging else None,
    )
