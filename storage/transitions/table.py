"""The closed set of transitions, and the one function that applies any of them.

A transition is a small frozen value. Applying it is a pure function of the unit of work and the
value: no clock, no randomness, no I/O. The same transitions in the same order give the same
database on any machine; recovery, the model test and one day replication rest on that.

A transition raises a HookbundleError before its first write, or not at all. The Store counts
on it: a refusal leaves the rest of the group untouched.
"""

from collections.abc import Callable
from typing import Any

from hookbundle.engine.formats.jobs import Rendered
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions import (
    accepting,
    attempting,
    clock_recovery,
    deliveries,
    erasing,
    idempotency,
    mails,
    notes,
    sealing,
    settings,
    switching,
    tokens,
)
from hookbundle.storage.transitions.accepting import Accepted, AcceptMessages
from hookbundle.storage.transitions.attempting import (
    AskAgain,
    BeginAttempt,
    Begun,
    FinishAttempt,
    Idle,
    Render,
)
from hookbundle.storage.transitions.changing import changing, dropping
from hookbundle.storage.transitions.changing.changing import ChangeMessages, ChangesMade
from hookbundle.storage.transitions.changing.dropping import DropChanges
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.storage.transitions.deliveries import (
    DiscardDelivery,
    Discarded,
    Retried,
    RetryDeadLetters,
    RetryDelivery,
)
from hookbundle.storage.transitions.erasing import (
    ChatDeleted,
    DeleteChat,
    DeleteWorkspace,
    WorkspaceDeleted,
)
from hookbundle.storage.transitions.idempotency import AnswerRequest, Claimed, ClaimRequest
from hookbundle.storage.transitions.mails import MailAccepted, MailFailed
from hookbundle.storage.transitions.notes import Confirm, Note, RaiseSchema
from hookbundle.storage.transitions.rendering import storing
from hookbundle.storage.transitions.rendering.storing import StoreBody
from hookbundle.storage.transitions.repeating import replaying, resending
from hookbundle.storage.transitions.repeating.replaying import CancelReplay, Replaying, StartReplay
from hookbundle.storage.transitions.repeating.resending import ResendDelivery, Resent
from hookbundle.storage.transitions.sealing import DueSealed, SealDue, Sealed, SealWindow
from hookbundle.storage.transitions.settings import ChangeWorkspace, WorkspaceChanged
from hookbundle.storage.transitions.sources import learning, noting
from hookbundle.storage.transitions.sources import lifetime as sources
from hookbundle.storage.transitions.sources.learning import LearnFromSource
from hookbundle.storage.transitions.sources.lifetime import (
    ChangeSource,
    CreateSource,
    DeleteSource,
    RotateSourceToken,
    SourceKept,
)
from hookbundle.storage.transitions.sources.noting import NoteSource
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook, Switched
from hookbundle.storage.transitions.timed import (
    arrival_steps,
    delete_steps,
    erase_steps,
    forgetting,
    merge_steps,
    moving,
    postponing,
    replay_steps,
    retiming,
    source_steps,
    trimming,
    waits,
)
from hookbundle.storage.transitions.timed.arrival_steps import ArrivalsTrimmed, TrimArrivals
from hookbundle.storage.transitions.timed.delete_steps import DeleteStep, WebhookErasing
from hookbundle.storage.transitions.timed.erase_steps import Erased, EraseStep
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.merge_steps import Merged, MergeStep
from hookbundle.storage.transitions.timed.moving import Moved, MoveDeliveries
from hookbundle.storage.transitions.timed.postponing import Postpone, Settle
from hookbundle.storage.transitions.timed.replay_steps import Replayed, ReplayStep
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.storage.transitions.timed.source_steps import SourcesStepped, SourceStep
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed
from hookbundle.storage.transitions.timed.waits import EndWaits, WaitsEnded
from hookbundle.storage.transitions.tokens import CreateToken, NoteTokenUses, RevokeToken
from hookbundle.storage.transitions.unfinished import Unfinished
from hookbundle.storage.transitions.webhooks import lifetime, merging, secrets, tests
from hookbundle.storage.transitions.webhooks.lifetime import (
    ChangeWebhook,
    DeleteWebhook,
    WebhookChanged,
    WebhookDeleted,
)
from hookbundle.storage.transitions.webhooks.merging import MergeBegun, MergeWebhook
from hookbundle.storage.transitions.webhooks.secrets import RotateSecret, SecretRotated
from hookbundle.storage.transitions.webhooks.tests import RecordTest

Transition = (
    AcceptMessages
    | ChangeMessages
    | DropChanges
    | SealWindow
    | SealDue
    | BeginAttempt
    | FinishAttempt
    | StoreBody
    | EndWaits
    | RecordTest
    | ChangeWorkspace
    | ChangeWebhook
    | DeleteWebhook
    | RotateSecret
    | DeleteWorkspace
    | DeleteChat
    | EraseStep
    | DeleteStep
    | ClaimRequest
    | AnswerRequest
    | EnableWebhook
    | DisableWebhook
    | RetryDelivery
    | RetryDeadLetters
    | DiscardDelivery
    | ResendDelivery
    | StartReplay
    | CancelReplay
    | ReplayStep
    | MergeWebhook
    | MergeStep
    | CreateToken
    | CreateSource
    | ChangeSource
    | RotateSourceToken
    | DeleteSource
    | LearnFromSource
    | NoteSource
    | SourceStep
    | RevokeToken
    | NoteTokenUses
    | RetimeWindows
    | MoveDeliveries
    | Forget
    | TrimHistory
    | TrimArrivals
    | Postpone
    | Settle
    | MailAccepted
    | MailFailed
    | TrustClock
    | Note
    | Confirm
    | RaiseSchema
)

Result = (
    Accepted
    | ChangesMade
    | Unfinished
    | Sealed
    | DueSealed
    | Begun
    | Render
    | AskAgain
    | Idle
    | WaitsEnded
    | WorkspaceChanged
    | WebhookChanged
    | WebhookDeleted
    | SecretRotated
    | WorkspaceDeleted
    | ChatDeleted
    | Erased
    | WebhookErasing
    | Claimed
    | Switched
    | Retried
    | Discarded
    | Resent
    | Replaying
    | Replayed
    | MergeBegun
    | Merged
    | Retimed
    | Moved
    | Trimmed
    | ArrivalsTrimmed
    | SourceKept
    | SourcesStepped
    | None
)

# What waits for its turn when the Store can't keep up; outcomes of attempts do not.
INTAKE = (AcceptMessages, ChangeMessages, ChangeWorkspace, ChangeWebhook, ClaimRequest)
# What is asked of a chat, in the order in which it came. Its result may be `Unfinished`.
OF_CHAT = (AcceptMessages, ChangeMessages, SealWindow)
# What makes the database larger by its nature; see `grows`.
OF_SOURCES = (CreateSource, LearnFromSource, NoteSource)
GROWING = (AcceptMessages, ChangeMessages, ClaimRequest, *OF_SOURCES)


# Which function applies which transition. `TRANSITIONS` and the union above name the same types; a
# test compares them.
TRANSITIONS: dict[type[Any], Callable[[Unit, Any], Result]] = {
    AcceptMessages: accepting.accept_messages,
    ChangeMessages: changing.change_messages,
    DropChanges: dropping.drop_changes,
    SealWindow: sealing.seal_window,
    SealDue: sealing.seal_due,
    BeginAttempt: attempting.begin_attempt,
    FinishAttempt: attempting.finish_attempt,
    StoreBody: storing.store_body,
    EndWaits: waits.end_waits,
    RecordTest: tests.record_test,
    ChangeWorkspace: settings.change_workspace,
    ChangeWebhook: lifetime.change_webhook,
    DeleteWebhook: lifetime.delete_webhook,
    RotateSecret: secrets.rotate_secret,
    DeleteWorkspace: erasing.delete_workspace,
    DeleteChat: erasing.delete_chat,
    EraseStep: erase_steps.erase_step,
    DeleteStep: delete_steps.delete_step,
    ClaimRequest: idempotency.claim_request,
    AnswerRequest: idempotency.answer_request,
    EnableWebhook: switching.enable_webhook,
    DisableWebhook: switching.disable_webhook,
    RetryDelivery: deliveries.retry_delivery,
    RetryDeadLetters: deliveries.retry_dead_letters,
    DiscardDelivery: deliveries.discard_delivery,
    ResendDelivery: resending.resend_delivery,
    StartReplay: replaying.start_replay,
    CancelReplay: replaying.cancel_replay,
    ReplayStep: replay_steps.replay_step,
    MergeWebhook: merging.merge_webhook,
    MergeStep: merge_steps.merge_step,
    CreateToken: tokens.create_token,
    CreateSource: sources.create_source,
    ChangeSource: sources.change_source,
    RotateSourceToken: sources.rotate_token,
    DeleteSource: sources.delete_source,
    LearnFromSource: learning.learn,
    NoteSource: noting.note,
    SourceStep: source_steps.source_step,
    RevokeToken: tokens.revoke_token,
    NoteTokenUses: tokens.note_token_uses,
    RetimeWindows: retiming.retime_windows,
    MoveDeliveries: moving.move_deliveries,
    Forget: forgetting.forget,
    TrimHistory: trimming.trim_history,
    TrimArrivals: arrival_steps.trim_arrivals,
    Postpone: postponing.postpone_rows,
    Settle: postponing.settle,
    MailAccepted: mails.mail_accepted,
    MailFailed: mails.mail_failed,
    TrustClock: clock_recovery.trust_clock,
    Note: notes.note,
    Confirm: notes.confirm,
    RaiseSchema: notes.raise_schema,
}


def apply(unit: Unit, transition: Transition) -> Result:
    """Raises: HookbundleError as the transition's own function says, with nothing written."""
    return TRANSITIONS[type(transition)](unit, transition)


def grows(unit: Unit, transition: Transition) -> bool:
    """Whether it makes the database larger on somebody's wish.

    When the disk is nearly full that is refused, so that the outcomes of what was already accepted
    can still be recorded. Changed settings take the place of the old ones: a wrong URL, for which
    everything waits, can be mended at any time. A new workspace, or webhook, can wait.
    """
    if isinstance(transition, ChangeWorkspace):
        return unit.find_workspace(transition.workspace_id) is None
    if isinstance(transition, ChangeWebhook):
        return unit.workspace(transition.workspace_id).find(transition.webhook_id) is None
    if isinstance(transition, StoreBody):  # rendered bodies must not take the room of outcomes
        return isinstance(transition.made, Rendered)
    return isinstance(transition, GROWING)
