"""A transition that does as much as a step may, and says what is left."""

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from hookbundle.storage.transitions.accepting import AcceptMessages
    from hookbundle.storage.transitions.changing.changing import ChangeMessages
    from hookbundle.storage.transitions.sealing import SealWindow


class Unfinished(msgspec.Struct, frozen=True):
    """The result of a transition of a chat that has more work than a step.

    What it has written is committed like any result, and is right by itself. The Store applies
    `rest` in a later group, and until then no other transition that is asked of the chat. The
    submitter gets the result of the last one alone.
    """

    rest: "AcceptMessages | ChangeMessages | SealWindow"
