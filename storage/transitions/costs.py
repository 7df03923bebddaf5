"""What a transition costs, and who pays: its lane, its owner, its weight.

The Store commits transitions in groups of a bounded weight, and takes them from its queue in turns:
each lane has the same part of the time, and in each lane each owner. See actors/turns.py.

A weight is an estimate, in microseconds of the Store's thread, that is made before anything is
read. The numbers were measured with transitions applied to a database on a quiet machine, in groups
of 1 to 400, commits included: a message for a chat of its own takes 11 to 20 µs, one more for the
same chat 2 to 9, a megabyte of messages 3 to 8 ms, a sealed window 60 to 70 µs, a delivery's next
attempt 16. What a transition turns out to weigh is in `Unit.weight`.
"""

from collections.abc import Callable
from enum import IntEnum
from operator import attrgetter
from typing import Any, NamedTuple

from hookbundle.engine.formats.jobs import Rendered
from hookbundle.engine.limits import STEP_WEIGHT
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.attempting import BeginAttempt, FinishAttempt
from hookbundle.storage.transitions.changing.changing import ChangeMessages
from hookbundle.storage.transitions.changing.dropping import DropChanges
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.storage.transitions.deliveries import (
    DiscardDelivery,
    RetryDeadLetters,
    RetryDelivery,
)
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.idempotency import AnswerRequest, ClaimRequest
from hookbundle.storage.transitions.mails import MailAccepted, MailFailed
from hookbundle.storage.transitions.notes import Confirm, Note, RaiseSchema
from hookbundle.storage.transitions.rendering.storing import StoreBody
from hookbundle.storage.transitions.repeating.replaying import CancelReplay, StartReplay
from hookbundle.storage.transitions.repeating.resending import ResendDelivery
from hookbundle.storage.transitions.sealing import SealDue, SealWindow
from hookbundle.storage.transitions.settings import ChangeWorkspace
from hookbundle.storage.transitions.sources.learning import LearnFromSource
from hookbundle.storage.transitions.sources.lifetime import (
    ChangeSource,
    CreateSource,
    DeleteSource,
    RotateSourceToken,
)
from hookbundle.storage.transitions.sources.noting import NoteSource
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook
from hookbundle.storage.transitions.timed.arrival_steps import TrimArrivals
from hookbundle.storage.transitions.timed.delete_steps import DeleteStep
from hookbundle.storage.transitions.timed.erase_steps import EraseStep
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.merge_steps import MergeStep
from hookbundle.storage.transitions.timed.moving import MoveDeliveries
from hookbundle.storage.transitions.timed.postponing import Postpone, Settle
from hookbundle.storage.transitions.timed.replay_steps import ReplayStep
from hookbundle.storage.transitions.timed.retiming import RetimeWindows
from hookbundle.storage.transitions.timed.source_steps import SourceStep
from hookbundle.storage.transitions.timed.trimming import TrimHistory
from hookbundle.storage.transitions.timed.waits import EndWaits
from hookbundle.storage.transitions.tokens import CreateToken, NoteTokenUses, RevokeToken
from hookbundle.storage.transitions.webhooks.lifetime import ChangeWebhook, DeleteWebhook
from hookbundle.storage.transitions.webhooks.merging import MergeWebhook
from hookbundle.storage.transitions.webhooks.secrets import RotateSecret
from hookbundle.storage.transitions.webhooks.tests import RecordTest

Owner = int | str
"""A workspace, or a webhook, for which its workspace is looked up (actors/turns.py). A caller who
changes settings names the workspace by its id. 0 is the daemon."""

DAEMON = 0


class Lane(IntEnum):
    """CALLS: what callers ask for. ATTEMPTS: what is sent. DUE: the work of the timer."""

    CALLS = 0
    ATTEMPTS = 1
    DUE = 2


class Cost(NamedTuple):
    """`asked`: a caller submits it by itself, and it takes a place in the queue of his own.

    `times`: it weighs as much for each webhook of its owner.
    """

    lane: Lane
    owner: Callable[[Any], Owner]
    weight: Callable[[Any], int]
    asked: bool = False
    times: bool = False


_of_workspace: Callable[[Any], Owner] = attrgetter("workspace_number")
_of_webhook: Callable[[Any], Owner] = attrgetter("webhook")
_by_id: Callable[[Any], Owner] = attrgetter("workspace_id")
_of_row: Callable[[Any], Owner] = attrgetter("row.number")


def _of_rows(transition: SealDue) -> Owner:
    """Rows of several webhooks, few of each, are the daemon's."""
    rows = transition.rows
    return rows[0].number if rows and rows[0].number == rows[-1].number else DAEMON


def _of_daemon(transition: object) -> Owner:
    return DAEMON


def _fixed(weight: int) -> Callable[[object], int]:
    return lambda transition: weight


def _of_messages(transition: AcceptMessages) -> int:
    messages = transition.messages
    if len(messages) == 1 and not transition.skipped:  # as most are
        return 23 + len(messages[0].message) // 128
    size = sum([len(message.message) for message in messages])
    return 15 + 8 * len(messages) + 2 * len(transition.skipped) + size // 128


def _of_changes(transition: ChangeMessages) -> int:
    """What reading the windows costs is known when they were read."""
    size = sum([len(change.text) for change in transition.changes])
    return 60 + 25 * len(transition.changes) + size // 128


def _by_rows(each: int) -> Callable[[Any], int]:
    """Those that act on rows stop at the weight of a step."""
    return lambda transition: min(each * len(transition.rows), STEP_WEIGHT)


def _by_uses(each: int) -> Callable[[Any], int]:
    return lambda transition: min(each * len(transition.uses), STEP_WEIGHT)


def _by_learned(each: int) -> Callable[[Any], int]:
    return lambda transition: min(each * len(transition.learned), STEP_WEIGHT)


def _of_seen(transition: NoteSource) -> int:
    seen = transition.seen
    return 40 + 40 * len(seen) + sum([len(each.body) for each in seen]) // 128


def _of_body(transition: StoreBody) -> int:
    made = transition.made
    return 100 + (len(made.body) // 128 if isinstance(made, Rendered) else 0)


def _by_most(each: int) -> Callable[[Any], int]:
    return lambda transition: min(each * transition.most, STEP_WEIGHT)


LIGHT, WHOLE = _fixed(50), _fixed(STEP_WEIGHT)

COSTS: dict[type[Any], Cost] = {
    # A request takes places for all its messages, and for what its Idempotency-Key needs.
    AcceptMessages: Cost(Lane.CALLS, _of_workspace, _of_messages, times=True),
    ChangeMessages: Cost(Lane.CALLS, _of_workspace, _of_changes, times=True),
    ClaimRequest: Cost(Lane.CALLS, _of_workspace, LIGHT),
    AnswerRequest: Cost(Lane.CALLS, _of_workspace, LIGHT),
    SealWindow: Cost(Lane.CALLS, _of_workspace, _fixed(500), asked=True),
    ChangeWorkspace: Cost(Lane.CALLS, _by_id, _fixed(200), asked=True),
    ChangeWebhook: Cost(Lane.CALLS, _by_id, _fixed(200), asked=True),
    DeleteWebhook: Cost(Lane.CALLS, _by_id, _fixed(200), asked=True),
    RotateSecret: Cost(Lane.CALLS, _by_id, LIGHT, asked=True),
    DeleteWorkspace: Cost(Lane.CALLS, _by_id, WHOLE, asked=True),
    DeleteChat: Cost(Lane.CALLS, _by_id, _fixed(500), asked=True),
    EnableWebhook: Cost(Lane.CALLS, _by_id, _fixed(200), asked=True),
    MergeWebhook: Cost(Lane.CALLS, _by_id, _fixed(200), asked=True),
    DisableWebhook: Cost(Lane.CALLS, _by_id, _fixed(200), asked=True),
    RetryDelivery: Cost(Lane.CALLS, _by_id, _fixed(100), asked=True),
    RetryDeadLetters: Cost(Lane.CALLS, _by_id, _fixed(200), asked=True),
    DiscardDelivery: Cost(Lane.CALLS, _by_id, _fixed(100), asked=True),
    ResendDelivery: Cost(Lane.CALLS, _by_id, _fixed(100), asked=True),
    StartReplay: Cost(Lane.CALLS, _by_id, _fixed(500), asked=True),
    CancelReplay: Cost(Lane.CALLS, _by_id, _fixed(100), asked=True),
    CreateSource: Cost(Lane.CALLS, _by_id, _fixed(200), asked=True),
    ChangeSource: Cost(Lane.CALLS, _by_id, _fixed(200), asked=True),
    RotateSourceToken: Cost(Lane.CALLS, _by_id, LIGHT, asked=True),
    DeleteSource: Cost(Lane.CALLS, _by_id, _fixed(100), asked=True),
    # A request that teaches something takes places for it, and a second of requests is noted once.
    LearnFromSource: Cost(Lane.CALLS, _of_workspace, _by_learned(30)),
    NoteSource: Cost(Lane.DUE, _of_workspace, _of_seen),
    SourceStep: Cost(Lane.DUE, _of_workspace, _by_most(40)),
    CreateToken: Cost(Lane.CALLS, _by_id, LIGHT, asked=True),
    RevokeToken: Cost(Lane.CALLS, _of_daemon, LIGHT, asked=True),
    NoteTokenUses: Cost(Lane.DUE, _of_daemon, _by_uses(15)),
    # The test was made: it is an outcome, and a caller has no more of them than tests under way.
    RecordTest: Cost(Lane.ATTEMPTS, _of_webhook, _fixed(100)),
    BeginAttempt: Cost(Lane.ATTEMPTS, _of_webhook, LIGHT),
    FinishAttempt: Cost(Lane.ATTEMPTS, _of_webhook, _fixed(100)),
    StoreBody: Cost(Lane.ATTEMPTS, _of_webhook, _of_body),
    MailAccepted: Cost(Lane.ATTEMPTS, _of_daemon, LIGHT),
    MailFailed: Cost(Lane.ATTEMPTS, _of_daemon, LIGHT),
    SealDue: Cost(Lane.DUE, _of_rows, _by_rows(65)),
    EndWaits: Cost(Lane.DUE, _of_daemon, _by_rows(20)),
    Forget: Cost(Lane.DUE, _of_rows, _by_rows(40)),
    DropChanges: Cost(Lane.DUE, _of_rows, _by_rows(30)),
    RetimeWindows: Cost(Lane.DUE, _of_webhook, _by_most(40)),
    ReplayStep: Cost(Lane.DUE, _of_webhook, _by_most(40)),
    MergeStep: Cost(Lane.DUE, _of_webhook, _by_most(40)),
    MoveDeliveries: Cost(Lane.DUE, _of_webhook, _by_most(40)),
    DeleteStep: Cost(Lane.DUE, _of_webhook, _by_most(40)),
    EraseStep: Cost(Lane.DUE, _of_row, _by_most(40)),
    TrimHistory: Cost(Lane.DUE, _of_workspace, _by_most(40)),
    TrimArrivals: Cost(Lane.DUE, _of_workspace, _by_most(8)),
    Postpone: Cost(Lane.DUE, _of_daemon, _by_rows(15)),
    Settle: Cost(Lane.DUE, _of_daemon, _by_rows(10)),
    TrustClock: Cost(Lane.DUE, _of_daemon, LIGHT),
    Note: Cost(Lane.DUE, _of_daemon, LIGHT),
    Confirm: Cost(Lane.ATTEMPTS, _of_daemon, LIGHT),
    RaiseSchema: Cost(Lane.ATTEMPTS, _of_daemon, LIGHT),
}
