"""Checks a history and lists its faults in words; a correct history has none.

Four sources describe a history: the clients know what was acknowledged, the receiver knows the
requests and its answers, the feed tells what the daemon did, and the database holds the rest. Each
rule below compares two of them. I1 to I12 name the invariants (simulation/model.py lists them).

Three things may go either way: a message without an answer may be stored or not; what a client
asked to delete may be gone or not; and each attempt without a known outcome allows one repetition.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.tests.folding import Fold
from hookbundle.tests.reliability.harness.seen import (
    ERRORS,
    OUTCOMES,
    Attempt,
    MessageKey,
    Posted,
    Seen,
    is_of_disabling,
    outcome_of,
    told_by,
)

START_S_MAX = 5.0
LOG_ENTRIES = 100


def faults(seen: Seen) -> list[str]:
    """All violations of the rules below, in words."""
    return [fault for rule in RULES for fault in rule(seen)]


def lost_or_doubled(seen: Seen) -> Iterator[str]:
    """I1, I3: an acknowledged message is stored exactly once, a refused one not at all."""
    counts = seen.held + seen.delivered()
    for asked in seen.asked:
        count = counts[asked.key]
        if count > 1:
            yield f"message {asked.key} is stored {count} times"
        if asked.outcome == "acknowledged" and not count and not seen.may_be_gone(asked):
            yield f"message {asked.key} was acknowledged and is lost"
        if asked.outcome == "refused" and count:
            yield f"message {asked.key} was refused and is stored"


def invented(seen: Seen) -> Iterator[str]:
    """I2: every message sent or stored came from a client, with the same text."""
    texts = {asked.key: asked.text for asked in seen.asked}
    for posted in seen.posted:
        for message_id, text in posted.messages:
            key = posted.ws, posted.chat, message_id
            if key not in texts:
                yield f"message {key} was sent, but no client sent it"
            elif texts[key] != text:
                yield f"message {key} has another text than the client sent"
    yield from (
        f"message {key} is stored, but no client sent it" for key in seen.held.keys() - texts
    )


def changed(seen: Seen) -> Iterator[str]:
    """I4, I5: a delivery id has one workspace and one body, and a message has one delivery id."""
    first: dict[str, Posted] = {}
    ids: dict[MessageKey, set[str]] = defaultdict(set)
    sealed = Counter(
        (each["data"]["delivery"], each["workspace"]) for each in seen.events("delivery.sealed")
    )
    for posted in seen.posted:
        before = first.setdefault(posted.id, posted)
        if before.body != posted.body:
            yield f"delivery {posted.id} was sent again with other bytes"
        if sealed[posted.id, posted.ws] != 1:
            yield f"delivery {posted.id} of {posted.ws} was sealed {sealed[posted.id, posted.ws]}x"
        for message_id, _ in posted.messages:
            ids[posted.ws, posted.chat, message_id].add(posted.id)
    for key, found in ids.items():
        if len(found) > 1:
            yield f"message {key} was sent in {len(found)} deliveries"
    yield from (f"the signature of {each} is wrong" for each in seen.unsigned)


def out_of_order(seen: Seen) -> Iterator[str]:
    """I7: deliveries are first sent in the order of sealing, messages of a chat as they came."""
    rank = {each["data"]["delivery"]: each["seq"] for each in seen.events("delivery.sealed")}
    asked_at = {asked.key: asked.at for asked in seen.asked}
    firsts: dict[str, list[int]] = defaultdict(list)
    within: dict[tuple[str, str], list[int]] = defaultdict(list)
    known: set[str] = set()
    for posted in seen.posted:
        if posted.id in known:
            continue
        known.add(posted.id)
        firsts[posted.ws].append(rank.get(posted.id, 0))
        counts = [(posted.ws, posted.chat, message_id) for message_id, _ in posted.messages]
        within[posted.ws, posted.chat] += [asked_at[each] for each in counts if each in asked_at]
    for ws, ranks in firsts.items():
        if any(later <= earlier for earlier, later in pairwise(ranks)):
            yield f"a later delivery of {ws} was sent first"
    for chat, times in within.items():
        if any(later <= earlier for earlier, later in pairwise(times)):
            yield f"the messages of chat {chat} are out of order"


def two_at_once(seen: Seen) -> Iterator[str]:
    """I8: a workspace has one request open at a time."""
    for (ws, _), posts in seen.requests(by_id=False).items():
        for earlier, later in pairwise(posts):
            if later.began < earlier.ended:
                yield f"{ws} had two requests open at once: {earlier.id}, {later.id}"


def attempts_unlike_requests(seen: Seen) -> Iterator[str]:
    """Each outcome matches the receiver's answer, and each request belongs to an attempt.

    It follows that a delivery is sent again only after an error or an unknown outcome.
    """
    posts, begun = seen.requests(by_id=True), seen.attempts()
    for key in posts.keys() | begun.keys():
        answered = [post.status for post in posts.get(key, [])]
        outcomes = begun.get(key, [])
        if len(answered) > len(outcomes):
            yield f"{key[1]} was sent {len(answered)} times in {len(outcomes)} attempts"
        unknown = sum(outcome in ("unknown", "") for outcome in outcomes)
        needless = answered.count(200) - 1
        if needless > unknown:
            yield f"{key[1]} was sent again {needless} times after a 200, {unknown} unknown"
        left = iter(answered)
        for outcome in outcomes:
            if outcome in ("unknown", ""):
                continue
            if not any((status == 200) == (outcome == "delivered") for status in left if status):
                yield f"{key[1]}: an attempt is {outcome}, but the receiver has no such answer"


def miscounted(seen: Seen) -> Iterator[str]:
    """I10: consecutive errors are counted, the 11th disables, and then nothing is sent."""
    errors: Counter[str] = Counter()
    disabled: dict[str, bool] = {}
    errors_max = BackoffPolicy().errors_max
    for event in seen.feed:
        ws, kind, data = event["workspace"], event["type"], event["data"]
        outcome = outcome_of(event)
        if outcome in ERRORS:
            errors[ws] += 1
        if outcome == "delivered" or kind in ("webhook.reset", "webhook.enabled"):
            errors[ws] = 0
        if (outcome in ERRORS or outcome == "delivered") and data["errors"] != errors[ws]:
            yield f"{ws} has {errors[ws]} errors in a row, but reports {data['errors']}"
        if kind == "delivery.attempted" and disabled.get(ws):
            yield f"{ws} is disabled, but sends {data['delivery']}"
        if kind == "delivery.attempted" and errors[ws] > errors_max:
            yield f"{ws} has {errors[ws]} errors in a row, but is not disabled"
        by_errors = kind == "webhook.disabled" and data["reason"] == "errors"
        if by_errors and errors[ws] != errors_max + 1:
            yield f"{ws} was disabled after {errors[ws]} errors"
        if kind in ("webhook.disabled", "webhook.enabled"):
            disabled[ws] = kind == "webhook.disabled"


def mails(seen: Seen) -> Iterator[str]:
    """I10: mails tell of each disabling by errors once; only a kill may repeat a mail."""
    disabled = Counter(
        event["workspace"]
        for event in seen.events("webhook.disabled")
        if event["data"]["reason"] == "errors"
    )
    excused = Counter(seen.mails_waiting)  # for the end of their hour
    for event in seen.events("mail.dropped"):
        excused[event["workspace"]] += event["data"]["disablings"]
    mailed: dict[str, dict[str, int]] = defaultdict(dict)
    for mail in seen.mailed:
        if not is_of_disabling(mail.message_id):
            continue
        number, told = told_by(mail.message_id)
        of_owner = mailed[mail.to.partition("@")[2].partition(".")[0]]
        of_owner[number] = max(told, of_owner.get(number, 0))
    for ws in disabled.keys() | mailed.keys():
        told = sum(mailed[ws].values())
        if not disabled[ws] - excused[ws] <= told <= disabled[ws]:
            yield f"{ws} was disabled {disabled[ws]} times, its owner was told of {told}"
    copies = Counter((mail.message_id, mail.life) for mail in seen.mailed)
    yield from (f"mail {each} was sent twice in one run" for each, n in copies.items() if n > 1)
    again = sum(copies.values()) - len({message_id for message_id, _ in copies})
    if again > len(seen.killed):
        yield f"{again} mails were sent again after {len(seen.killed)} kills"


def feed(seen: Seen) -> Iterator[str]:
    """I12: no gap, no event changed afterwards, and folding the feed gives the stored state."""
    if [event["seq"] for event in seen.feed] != list(range(1, len(seen.feed) + 1)):
        yield "the feed has a gap"
        return
    for frame in seen.heard:
        if seen.feed[frame["seq"] - 1 : frame["seq"]] != [frame]:
            yield f"event {frame['seq']}, {frame['type']}, was read live but is not in the feed"
    fold = Fold()
    for event in seen.feed:
        try:
            fold.apply(event)
        except (AssertionError, LookupError, ValueError):
            yield f"the feed is inconsistent at {event['seq']}, {event['type']}"
            return
    for ws in fold.workspaces.keys() | seen.stored.keys():
        if fold.workspaces.get(ws) != seen.stored.get(ws):
            yield f"the feed and the database disagree about {ws}"
    if fold.totals != seen.totals:
        yield f"the totals are {seen.totals}; by the feed they are {fold.totals}"


def logs(seen: Seen) -> Iterator[str]:
    """The detailed log of a workspace has the last attempts that are in the feed."""
    expected: dict[str, list[Attempt]] = defaultdict(list)
    for event in seen.events(*OUTCOMES):
        outcome, data = outcome_of(event), event["data"]
        if not outcome:
            continue
        kind = "error" if outcome in ERRORS else outcome
        expected[event["workspace"]].append((data["delivery"], data["attempt"], kind))
    for ws, log in seen.logs.items():
        if expected[ws][-LOG_ENTRIES:] != log[::-1]:
            yield f"the log of {ws} differs from the feed"


def condition(seen: Seen) -> Iterator[str]:
    """I6: everything was delivered in the end, `hookbundle check` passes, and starts are quick."""
    if seen.unfinished:
        yield "deliveries were left although all receivers answered 200"
    yield from (f"check: {finding}" for finding in seen.findings)
    for took_s in seen.starts_s:
        if took_s > START_S_MAX:
            yield f"a start took {took_s:.1f} s"


RULES = (
    lost_or_doubled,
    invented,
    changed,
    out_of_order,
    two_at_once,
    attempts_unlike_requests,
    miscounted,
    mails,
    feed,
    logs,
    condition,
)
