"""The closed set of transitions, and the one function that applies any of them.

A transition is a small frozen value. Applying it is a pure function of the unit of work and the
value: no clock, no randomness, no I/O. The same transitions in the same order give the same
database on any machine; recovery, the model test and one day replication rest on that.

A transition raises an error of the house before its first write, or not at all. The Store counts
on it: a refusal leaves the rest of the group untouched.
"""

from typing import assert_never

from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions import (
    accepting,
    attempting,
    clock_recovery,
    deliveries,
    erase_steps,
    erasing,
    housekeeping,
    idempotency,
    sealing,
    settings,
    switching,
    tokens,
)
from hookbundle.storage.transitions.accepting import Accepted, AcceptMessages
from hookbundle.storage.transitions.attempting import (
    BeginAttempt,
    Begun,
    EndWaits,
    FinishAttempt,
    Idle,
    RecordTest,
    WaitsEnded,
)
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.storage.transitions.deliveries import (
    DiscardDelivery,
    Discarded,
    Retried,
    RetryDelivery,
    RetryParked,
)
from hookbundle.storage.transitions.erase_steps import Erased, EraseStep
from hookbundle.storage.transitions.erasing import (
    ChatDeleted,
    DeleteChat,
    DeleteWorkspace,
    WorkspaceDeleted,
)
from hookbundle.storage.transitions.housekeeping import (
    Forget,
    MailAccepted,
    MailFailed,
    Note,
    Retimed,
    RetimeWindows,
)
from hookbundle.storage.transitions.idempotency import AnswerRequest, Claimed, ClaimRequest
from hookbundle.storage.transitions.sealing import DueSealed, SealDue, Sealed, SealWindow
from hookbundle.storage.transitions.settings import ChangeWorkspace, RotateSecret, WorkspaceChanged
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook, Switched
from hookbundle.storage.transitions.tokens import CreateToken, RevokeToken

Transition = (
    AcceptMessages
    | SealWindow
    | SealDue
    | BeginAttempt
    | FinishAttempt
    | EndWaits
    | RecordTest
    | ChangeWorkspace
    | RotateSecret
    | DeleteWorkspace
    | DeleteChat
    | EraseStep
    | ClaimRequest
    | AnswerRequest
    | EnableWebhook
    | DisableWebhook
    | RetryDelivery
    | RetryParked
    | DiscardDelivery
    | CreateToken
    | RevokeToken
    | RetimeWindows
    | Forget
    | MailAccepted
    | MailFailed
    | TrustClock
    | Note
)

Outcome = (
    Accepted
    | Sealed
    | DueSealed
    | Begun
    | Idle
    | WaitsEnded
    | WorkspaceChanged
    | WorkspaceDeleted
    | ChatDeleted
    | Erased
    | Claimed
    | Switched
    | Retried
    | Discarded
    | Retimed
    | None
)

# What makes the database larger on somebody's wish. When the disk is nearly full these are refused,
# so that the outcomes of what was already accepted can still be recorded.
INTAKE = (AcceptMessages, ChangeWorkspace, ClaimRequest)


def apply(unit: Unit, transition: Transition) -> Outcome:
    """Raises: HookbundleError as the transition's own function says, with nothing written."""
    match transition:
        case AcceptMessages():
            return accepting.accept_messages(unit, transition)
        case SealWindow():
            return sealing.seal_window(unit, transition)
        case SealDue():
            return sealing.seal_due(unit, transition)
        case BeginAttempt():
            return attempting.begin_attempt(unit, transition)
        case FinishAttempt():
            return attempting.finish_attempt(unit, transition)
        case EndWaits():
            return attempting.end_waits(unit, transition)
        case RecordTest():
            attempting.record_test(unit, transition)
        case ChangeWorkspace():
            return settings.change_workspace(unit, transition)
        case RotateSecret():
            settings.rotate_secret(unit, transition)
        case DeleteWorkspace():
            return erasing.delete_workspace(unit, transition)
        case DeleteChat():
            return erasing.delete_chat(unit, transition)
        case EraseStep():
            return erase_steps.erase_step(unit, transition)
        case ClaimRequest():
            return idempotency.claim_request(unit, transition)
        case AnswerRequest():
            idempotency.answer_request(unit, transition)
        case EnableWebhook():
            return switching.enable_webhook(unit, transition)
        case DisableWebhook():
            return switching.disable_webhook(unit, transition)
        case RetryDelivery():
            return deliveries.retry_delivery(unit, transition)
        case RetryParked():
            return deliveries.retry_parked(unit, transition)
        case DiscardDelivery():
            return deliveries.discard_delivery(unit, transition)
        case CreateToken():
            tokens.create_token(unit, transition)
        case RevokeToken():
            tokens.revoke_token(unit, transition)
        case RetimeWindows():
            return housekeeping.retime_windows(unit, transition)
        case Forget():
            housekeeping.forget(unit, transition)
        case MailAccepted():
            housekeeping.mail_accepted(unit, transition)
        case MailFailed():
            housekeeping.mail_failed(unit, transition)
        case TrustClock():
            clock_recovery.trust_clock(unit, transition)
        case Note():
            housekeeping.note(unit, transition)
        case _:
            assert_never(transition)
    return None
