"""The rules for a workspace and its webhooks: settings, states, counters, flags, requests."""

from collections.abc import Iterator

from hookbundle.engine import limits
from hookbundle.engine.delivery.outcomes import OWN_FAULTS_MAX
from hookbundle.engine.delivery.success import NOT_READ as NOT_READ_SUCCESS
from hookbundle.engine.delivery.success import success_of
from hookbundle.engine.filters.compiled import NOT_READ, compiled
from hookbundle.engine.windows import meter
from hookbundle.engine.windows.compiled import setting_of
from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.delivery_records import Delivery, Replay
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import (
    Flight,
    Usage,
    WebhookState,
    WorkspaceName,
)
from hookbundle.storage.database.settings import Webhook, Workspace
from hookbundle.storage.maintenance import check_arrivals, check_chats
from hookbundle.storage.maintenance.check_ledger import Ledger, differences, is_live
from hookbundle.storage.maintenance.sources import check_sources
from hookbundle.storage.tables import history, readiness, requests
from hookbundle.storage.tables.pacing import pace
from hookbundle.storage.tables.repeating import replays
from hookbundle.storage.tables.requests import RequestRecord

Problems = Iterator[str]

# An attempt that was lost in a crash may be of a delivery that was discarded since.
IN_FLIGHT = ("queued", "discarded")


def check_workspace(ledger: Ledger, key: bytes, workspace: Workspace) -> Problems:
    number = workspace.number
    if key != keyspace.workspace(workspace.id):
        yield f"says it is {workspace.id!r}"
    if number >= ledger.meta.workspace_next:
        yield f"has number {number}, which was never assigned"
    if not 0 <= workspace.switches < workspace.version:
        yield f"has {workspace.switches} switches in {workspace.version} versions"
    name = ledger.get(keyspace.owned(keyspace.NAMES, number), WorkspaceName)
    if name is None or name.id != workspace.id:
        yield f"has number {number}, but the name record of that number disagrees"
    if not ledger.has_any(keyspace.owned(keyspace.WEBHOOKS, number)):
        yield "has no webhook"
    if not ledger.has(keyspace.owned(keyspace.USAGES, number)):
        yield "has no record of its usage"


def check_name(ledger: Ledger, key: bytes, name: WorkspaceName) -> Problems:
    workspace = ledger.get(keyspace.workspace(name.id), Workspace)
    if workspace is None or workspace.number != key_fields.owner(key):
        yield f"names workspace {name.id!r}, which does not have this number"


def check_usage(ledger: Ledger, key: bytes, usage: Usage) -> Problems:
    number = key_fields.owner(key)
    if ledger.owner(number) != "live":
        yield "belongs to no workspace"
        return
    tally = ledger.of_workspace(number)
    erasures = rows.rows(ledger.txn, keyspace.owned(keyspace.ERASURES, number))
    tally.erasures = sum(1 for _ in erasures)
    tally.arrival_bytes = check_arrivals.counted(ledger, number)
    tally.source_bytes = check_sources.counted(ledger, number)
    tally.changes, tally.change_bytes = check_chats.counted_changes(ledger, number)
    yield from differences(tally, usage)
    # No row is needed when the logs show all of the history: then there is nothing to trim.
    if usage.trim_ms >= 0 and not ledger.has_due(usage.trim_ms, DueKind.TRIM, number):
        yield f"has no row in the due index to trim its history at {usage.trim_ms}"
    yield from check_arrivals.check_usage(ledger, number, usage)
    yield from check_sources.check_usage(ledger, number, usage)
    if usage.thinned_to >= ledger.meta.feed_next:
        yield f"lost events up to {usage.thinned_to}, which was never assigned"


def check_webhook(ledger: Ledger, key: bytes, webhook: Webhook) -> Problems:
    number, workspace = webhook.number, webhook.workspace
    if key != keyspace.webhook(workspace, number):
        yield f"says it is webhook {number} of workspace {workspace}"
        return
    if number >= ledger.meta.workspace_next:
        yield "has a number that was never assigned"
    if ledger.owner(workspace) != "live":
        yield "belongs to no workspace"
    if not ledger.has(keyspace.owned(keyspace.STATES, number)):
        yield "has no state"
    if webhook.filter:
        try:
            compiled(webhook.filter)
        except NOT_READ:
            yield "has a filter that can't be read"
    try:
        success_of(webhook.success, webhook.success_rules)
    except NOT_READ_SUCCESS:
        yield "has a success that can't be read"
    if webhook.window:
        try:
            setting_of(0, webhook.window)
        except NOT_READ:
            yield "has windows that can't be read"
        if webhook.aggregation_ms:
            yield f"has windows of {webhook.aggregation_ms} ms, and others beside them"
    if not 0 <= webhook.messages_max <= limits.BUNDLE_MESSAGES_MAX:
        yield f"has a limit of {webhook.messages_max} messages"
    least, most = limits.BUNDLE_BODY_BYTES_LEAST, limits.BUNDLE_BODY_BYTES_MAX
    if webhook.bytes_max and not least <= webhook.bytes_max <= most:
        yield f"has a limit of {webhook.bytes_max} bytes"


def check_state(ledger: Ledger, key: bytes, state: WebhookState) -> Problems:
    number = key_fields.owner(key)
    if ledger.owner(state.workspace) != "live":
        yield "belongs to no workspace"
        return
    settings_key = keyspace.webhook(state.workspace, number)
    if not ledger.has(settings_key):
        yield f"is of workspace {state.workspace}, which has no such webhook"
    yield from differences(ledger.of_webhook(number), state)
    webhook = ledger.get(settings_key, Webhook)
    if webhook is not None:
        may_send = state.enabled and bool(webhook.url) and readiness.has_work(state)
        may_send = may_send and state.merging is None
        retry_ms = readiness.waits_until_ms(state) if may_send else 0
        if (state.ready, state.retry_ms) != (may_send and not retry_ms, retry_ms):
            yield f"ready {state.ready} or retry at {state.retry_ms} contradicts the rest of it"
        yield from _check_pace(webhook, state)
    if webhook is not None and webhook.deleted_ms:
        yield from _check_leaving(ledger, number, state)
    elif state.enabled == ledger.has(keyspace.owned(keyspace.DISABLED, number)):
        yield f"says enabled {state.enabled}, but the disabled flag disagrees"
    yield from _check_rows(ledger, number, state)
    if not meter.is_sound(state.meter):
        yield f"has {state.meter.hex()} as the messages and calls of its last days"
    if not 0 <= state.own_faults <= OWN_FAULTS_MAX:
        yield f"has {state.own_faults} faults of this machine in a row that do not count"
    if state.full_ms and not state.overflowed:
        yield f"is full since {state.full_ms}, and got every message"
    if state.overflowed > ledger.meta.totals.overflowed:
        yield f"did not get {state.overflowed} messages, more than all webhooks together"
    if state.replay and not ledger.has(replays.key_of(state.workspace, state.replay)):
        yield f"has replay {state.replay}, of which there is no record"
    if state.gate and not state.replay:
        yield f"sends nothing from {state.gate} on, and has no replay"
    if state.flight is not None:
        yield from _check_flight(ledger, number, state.flight)


def _check_leaving(ledger: Ledger, number: int, state: WebhookState) -> Problems:
    """A webhook that was deleted: its windows are erased first, then the rest."""
    if state.enabled or state.replay:
        yield f"is deleted, and says enabled {state.enabled}, replay {state.replay}"
    if ledger.has(keyspace.owned(keyspace.DISABLED, number)):
        yield "is deleted, and counts as a disabled one"
    if state.retime_after is None and not ledger.has_due(0, DueKind.DELETE, number):
        yield "is deleted, and has no row in the due index to continue erasing it"


def _check_pace(webhook: Webhook, state: WebhookState) -> Problems:
    """What was counted for rate and budget."""
    if state.paced_ms and not pace.is_paced(webhook):
        yield f"sends nothing before {state.paced_ms}, and has neither rate nor budget"
    counts, times = state.rate_used[1::2], state.rate_used[::2]
    is_read = len(counts) == len(times) and all(count > 0 for count in counts)
    if not is_read or (counts and not webhook.rate_count):
        yield f"has {state.rate_used} as the requests that count for its rate"
    if state.budget_used < 0 or not pace.NOTHING <= state.budget_told <= pace.USED_UP:
        yield f"has used {state.budget_used} of its budget, and told {state.budget_told} of it"


def check_replay(ledger: Ledger, key: bytes, replay: Replay) -> Problems:
    workspace, number = key_fields.owner(key), key_fields.number(key)
    if not (yield from is_live(ledger.owner(workspace), "workspace")):
        return
    if replay.number != number:
        yield f"says it is number {replay.number}"
        return
    if ledger.workspace_of(replay.webhook) != workspace:
        yield f"is of webhook {replay.webhook}, which is not of this workspace"
        return
    state = ledger.get(keyspace.owned(keyspace.STATES, replay.webhook), WebhookState)
    if state is None:
        return
    is_over = replay.state in replays.OVER
    if is_over == (state.replay == number):
        yield f"is {replay.state!r}, but the webhook's replay is {state.replay}"
    # What a discarded replay left behind may still have its number.
    counted = 0 if is_over else ledger.replaying[workspace, number]
    if replay.waiting != counted:
        yield f"says waiting {replay.waiting}, counted {counted}"
    over = replay.delivered + replay.failed + replay.dropped + replay.released
    if replay.queued != replay.waiting + over:
        yield f"has queued {replay.queued}, but {replay.waiting} wait and {over} are over"
    if replays.needs_a_step(replay) and not ledger.has_due(0, DueKind.REPLAY, replay.webhook):
        yield "has no row in the due index for its next step"
    gate = replay.place if replay.state in (replays.QUEUING, replays.CANCELLING) else 0
    if not is_over and state.gate != gate:
        yield f"is at {replay.place}, but the webhook's gate is at {state.gate}"


def check_flag(ledger: Ledger, key: bytes) -> Problems:
    """For READY and DISABLED. `check_state` compares them with the state."""
    number = key_fields.owner(key)
    if ledger.owner_of_webhook(number) == "unknown":
        yield "belongs to no webhook"


def check_request(ledger: Ledger, key: bytes, record: RequestRecord) -> Problems:
    number, request = key_fields.owner(key), key_fields.subject(key)
    if not (yield from is_live(ledger.owner(number), "workspace")):
        return
    tally = ledger.of_workspace(number)
    tally.answers += 1
    tally.answer_bytes += requests.ANSWER_BYTES + len(record.answer)
    if not ledger.has(keyspace.request_time(number, record.at_ms, request)):
        yield f"has no row among the requests by time at {record.at_ms}"
    due_ms = record.at_ms + limits.REMEMBERED_MS
    if not ledger.has_due(due_ms, DueKind.REQUEST, number, request):
        yield "has no row in the due index"


def check_request_time(ledger: Ledger, key: bytes) -> Problems:
    number = key_fields.owner(key)
    at_ms, request = key_fields.request_time(key)
    if not (yield from is_live(ledger.owner(number), "workspace")):
        return
    record_key = keyspace.owned(keyspace.REQUESTS, number, request)
    record = ledger.get(record_key, RequestRecord)
    if record is None:
        if not ledger.has(record_key):
            yield "belongs to no request"
    elif record.at_ms != at_ms:
        yield f"should be at {record.at_ms}, the time of its request"


def _check_rows(ledger: Ledger, number: int, state: WebhookState) -> Problems:
    if state.ready != ledger.has(keyspace.owned(keyspace.READY, number)):
        yield f"says ready {state.ready}, but the ready flag disagrees"
    if state.retry_ms and not ledger.has_due(state.retry_ms, DueKind.RETRY, number):
        yield "has no row in the due index for its retry"
    if state.retime_after is not None and not ledger.has_due(0, DueKind.RETIME, number):
        yield "has no row in the due index to continue re-timing"
    if state.merging is not None:
        if not ledger.has_due(0, DueKind.MERGE, number):
            yield "has no row in the due index to continue merging"
        if state.merging.before > ledger.meta.delivery_next:
            yield f"merges deliveries that were never sealed: {state.merging}"
    if state.moving is not None:
        if not ledger.has_due(0, DueKind.MOVE, number):
            yield "has no row in the due index to continue moving deliveries"
        marks = state.moving
        ends = marks.discard_before, marks.return_before, marks.fails_before, marks.format_before
        if max(ends) > ledger.meta.delivery_next:
            yield f"moves deliveries that were never sealed: {state.moving}"


def _check_flight(ledger: Ledger, webhook: int, flight: Flight) -> Problems:
    if flight.delivery >= ledger.meta.delivery_next:
        yield f"has an attempt at delivery {flight.delivery}, which was never sealed"
    if flight.instead_of >= flight.delivery:
        yield f"has an attempt at delivery {flight.delivery} before {flight.instead_of}, the head"
    # It may be gone: its chat was deleted while it was being sent.
    delivery = ledger.get(history.key_of(webhook, flight.delivery), Delivery)
    if delivery is not None and delivery.state not in IN_FLIGHT and not delivery.resending:
        yield f"has an attempt at delivery {flight.delivery}, which is {delivery.state!r}"
