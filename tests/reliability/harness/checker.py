"""What is wrong with a history, in words; with a sound one, nothing.

The clients know what was acknowledged, the receiver what came and how it was answered, the feed
what the daemon says has happened, and the database what is left. Each of the rules below sets two
of them against each other; the names I1 to I12 are those of the plan.

What a client was not told of may be stored or not. What somebody asked to delete may be gone or
not. What had no known outcome may be sent again, once for each time. Nothing else is left to
chance.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.tests.folding import Fold
from hookbundle.tests.reliability.harness.seen import ERRORS, OUTCOMES, Attempt, Place, Posted, Seen

START_S_MAX = 5.0
LOG_ENTRIES = 100


def faults(seen: Seen) -> list[str]:
    return [fault for rule in RULES for fault in rule(seen)]


def lost_or_doubled(seen: Seen) -> Iterator[str]:
    """I1, I3: what was acknowledged is in exactly one place, what was refused in none."""
    places = seen.held + seen.delivered()
    for asked in seen.asked:
        count = places[asked.place]
        if count > 1:
            yield f"message {asked.place} is in {count} places"
        if asked.outcome == "acknowledged" and not count and not seen.may_be_gone(asked):
            yield f"message {asked.place} was acknowledged and is lost"
        if asked.outcome == "refused" and count:
            yield f"message {asked.place} was refused and is stored"


def invented(seen: Seen) -> Iterator[str]:
    """I2: what comes out went in, word for word; what is in the database did as well."""
    texts = {asked.place: asked.text for asked in seen.asked}
    for posted in seen.posted:
        for message_id, text in posted.messages:
            place = posted.ws, posted.chat, message_id
            if place not in texts:
                yield f"message {place} was sent and nobody asked for it"
            elif texts[place] != text:
                yield f"message {place} has another text than it came with"
    yield from (f"message {place} is held out of nothing" for place in seen.held.keys() - texts)


def changed(seen: Seen) -> Iterator[str]:
    """I4, I5: an id is of one workspace, one body, and was given once; a message has one id."""
    first: dict[str, Posted] = {}
    ids: dict[Place, set[str]] = defaultdict(set)
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
    for place, found in ids.items():
        if len(found) > 1:
            yield f"message {place} was sent in {len(found)} deliveries"
    yield from (f"the signature of {each} is wrong" for each in seen.unsigned)


def out_of_order(seen: Seen) -> Iterator[str]:
    """I7: a workspace's deliveries are first sent as sealed, the messages of a chat as asked."""
    rank = {each["data"]["delivery"]: each["seq"] for each in seen.events("delivery.sealed")}
    asked_at = {asked.place: asked.at for asked in seen.asked}
    firsts: dict[str, list[int]] = defaultdict(list)
    within: dict[tuple[str, str], list[int]] = defaultdict(list)
    known: set[str] = set()
    for posted in seen.posted:
        if posted.id in known:
            continue
        known.add(posted.id)
        firsts[posted.ws].append(rank.get(posted.id, 0))
        places = [(posted.ws, posted.chat, message_id) for message_id, _ in posted.messages]
        within[posted.ws, posted.chat] += [asked_at[each] for each in places if each in asked_at]
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
    """Each outcome is what the receiver answered, and each request was an attempt.

    So nothing is sent again but what had no known outcome, or an error.
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
            yield f"{key[1]} was taken and sent again {needless} times, {unknown} of them unknown"
        left = iter(answered)
        for outcome in outcomes:
            if outcome in ("unknown", ""):
                continue
            if not any((status == 200) == (outcome == "delivered") for status in left if status):
                yield f"{key[1]}: an attempt is said to be {outcome}; the receiver knows nothing"


def miscounted(seen: Seen) -> Iterator[str]:
    """I10: errors in a row are counted, the 11th disables, and then nothing is sent."""
    errors: Counter[str] = Counter()
    disabled: dict[str, bool] = {}
    errors_max = BackoffPolicy().errors_max
    for event in seen.feed:
        ws, kind, data = event["workspace"], event["type"], event["data"]
        outcome = OUTCOMES.get(kind, "")
        if outcome in ERRORS:
            errors[ws] += 1
        if outcome == "delivered" or kind in ("webhook.reset", "webhook.enabled"):
            errors[ws] = 0
        if (outcome in ERRORS or outcome == "delivered") and data["errors"] != errors[ws]:
            yield f"{ws} has {errors[ws]} errors in a row, and counts {data['errors']}"
        if kind == "delivery.attempted" and disabled.get(ws):
            yield f"{ws} is disabled, and sends {data['delivery']}"
        if kind == "delivery.attempted" and errors[ws] > errors_max:
            yield f"{ws} has {errors[ws]} errors in a row, and goes on"
        by_errors = kind == "webhook.disabled" and data["reason"] == "errors"
        if by_errors and errors[ws] != errors_max + 1:
            yield f"{ws} was disabled after {errors[ws]} errors"
        if kind in ("webhook.disabled", "webhook.enabled"):
            disabled[ws] = kind == "webhook.disabled"


def mails(seen: Seen) -> Iterator[str]:
    """I10: each time a webhook is disabled by errors its owner is told, twice only after a kill."""
    disabled = Counter(
        event["workspace"]
        for event in seen.events("webhook.disabled")
        if event["data"]["reason"] == "errors"
    )
    dropped = Counter(event["workspace"] for event in seen.events("mail.dropped"))
    told: dict[str, set[str]] = defaultdict(set)
    for mail in seen.mailed:
        told[mail.to.partition("@")[2].partition(".")[0]].add(mail.message_id)
    for ws in disabled.keys() | told.keys():
        if not disabled[ws] - dropped[ws] <= len(told[ws]) <= disabled[ws]:
            yield f"{ws} was disabled {disabled[ws]} times, its owner told {len(told[ws])} times"
    copies = Counter((mail.message_id, mail.life) for mail in seen.mailed)
    yield from (f"mail {each} went out twice in a life" for each, n in copies.items() if n > 1)
    again = sum(copies.values()) - len({message_id for message_id, _ in copies})
    if again > len(seen.killed):
        yield f"{again} mails went out again after {len(seen.killed)} kills"


def feed(seen: Seen) -> Iterator[str]:
    """I12: no gap, nothing taken back, and folding it gives what is stored."""
    if [event["seq"] for event in seen.feed] != list(range(1, len(seen.feed) + 1)):
        yield "the feed has a gap"
        return
    for frame in seen.told:
        if seen.feed[frame["seq"] - 1 : frame["seq"]] != [frame]:
            yield f"the feed has told of {frame['type']} ({frame['seq']}), and takes it back"
    fold = Fold()
    for event in seen.feed:
        try:
            fold.apply(event)
        except (AssertionError, LookupError, ValueError):
            yield f"what the feed tells makes no sense at {event['seq']}, {event['type']}"
            return
    for ws in fold.workspaces.keys() | seen.stored.keys():
        if fold.workspaces.get(ws) != seen.stored.get(ws):
            yield f"the feed says otherwise of {ws} than the database"
    if fold.totals != seen.totals:
        yield f"the totals are {seen.totals}, and the feed makes them {fold.totals}"


def logs(seen: Seen) -> Iterator[str]:
    """The detailed log of a workspace is the end of what the feed tells of its attempts."""
    told: dict[str, list[Attempt]] = defaultdict(list)
    for event in seen.events(*OUTCOMES):
        outcome, data = OUTCOMES[event["type"]], event["data"]
        kind = "error" if outcome in ERRORS else outcome
        told[event["workspace"]].append((data["delivery"], data["attempt"], kind))
    for ws, log in seen.logs.items():
        if told[ws][-LOG_ENTRIES:] != log[::-1]:
            yield f"the log of {ws} is not what the feed tells of it"


def condition(seen: Seen) -> Iterator[str]:
    """I6: all was delivered in the end; `hookbundle check` finds nothing, and starts are quick."""
    if seen.unfinished:
        yield "with honest receivers something still waited in the end"
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
