"""`hookbundle chats history`: what became of a chat's messages, or of one of them, and why."""

from typing import Any

import click

from hookbundle.commands.searching.filters import ATTEMPTS, with_webhook
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.options import (
    Shared,
    as_json,
    limit_option,
    no_header,
    pass_shared,
    show_some,
)
from hookbundle.commands.terminal.words import short_times, some

PAGE_GROUPS = "50"
DELIVERIES_MOST, CHATS_MOST = 1_000, 1_000  # of a phone, to find its chats
LISTED = ("arrived_at", "message_id", "became.what", "became.detail")
LISTED_OF_CHATS = ("arrived_at", "chat_id", "message_id", "became.what", "became.detail")
OF_WEBHOOKS = ("webhook", "became.what", "group.delivery_id", "group.attempts", "became.detail")
OF_FEED = "skips, repeats and what filters dropped"
FORMS = "A time as 2027-01-31T15:00:00+02:00, or an age as -2h"


@click.command("history")
@click.argument("ws")
@click.argument("chat", required=False)
@click.option("--phone", metavar="PHONE", help="Of the chats that had this phone, not of CHAT.")
@click.option("--message", metavar="ID", help="Only this message of CHAT, with its attempts.")
@click.option("--since", metavar="TIME", help=f"Only what arrived then or later. {FORMS}.")
@click.option("--until", metavar="TIME", help="Only what arrived before that.")
@limit_option
@no_header
@as_json
@pass_shared
def history(
    shared: Shared,
    ws: str,
    chat: str | None,
    phone: str | None,
    message: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    no_header: bool,
    as_json: bool,
) -> None:
    """Says what became of each message of CHAT, and why; the newest come first.

    A message is delivered, queued, being sent, held, a dead letter, discarded, still collected in
    an open window, or it was not stored: skipped, or a duplicate. What is not listed never came.
    """
    if (chat is None) == (phone is None):
        raise click.UsageError("give either a CHAT, or --phone")
    if message is not None:
        if chat is None or since or until:
            raise click.UsageError("--message goes with a CHAT, and without times")
        document = shared.ask(lambda control: _path(control, ws, str(chat), message))
        _show_path(document, as_json=as_json)
        return
    asked = {name: value for name, value in (("since", since), ("until", until)) if value}

    def work(control: Control) -> list[dict[str, Any]]:
        chats = [chat] if chat is not None else _chats_of(control, ws, str(phone))
        return [_history(control, ws, each, asked, limit + 1) for each in chats]

    histories = shared.ask(work)
    rows = [row for each in histories for row in _rows(each)]
    rows.sort(key=lambda row: row["arrived_at"] or row["sealed_at"] or "", reverse=True)
    columns = with_webhook(LISTED if chat is not None else LISTED_OF_CHATS, rows)
    show_some(rows, limit, as_json=as_json, no_header=no_header, columns=columns)
    if not histories:
        output.say(f"{ws} has no delivery to {phone}, and no open window of it")
        output.say("a chat of which everything was skipped is found by its id alone")
    elif not as_json:
        _say_what_is_known(histories[0], len(rows))


def _chats_of(control: Control, ws: str, phone: str) -> list[str]:
    """The ids of chats that had the phone in its newest deliveries, or collect for it now."""
    url, windows = at("workspaces", ws, "deliveries"), at("workspaces", ws, "chats")
    found = control.gather(url, "deliveries", DELIVERIES_MOST, phone=phone)
    digits = _digits_of(phone)
    collecting = control.gather(windows, "chats", CHATS_MOST, q=digits, order="due")
    # The API finds a part of a phone, too.
    found += [each for each in collecting if _digits_of(each.get("phone", "")) == digits]
    return list(dict.fromkeys(each["chat_id"] for each in found))


def _digits_of(phone: str) -> str:
    """The number's, whether with a plus sign, with 00, or bare."""
    return "".join(c for c in phone if c.isascii() and c.isdigit()).removeprefix("00")


def _history(
    control: Control, ws: str, chat: str, asked: dict[str, str], messages: int
) -> dict[str, Any]:
    """The history, with the groups of as many pages as it takes for so many messages."""
    url, cursor = at("workspaces", ws, "chats", chat, "history"), ""
    whole: dict[str, Any] = {}
    count = 0
    while True:
        page = control.get(url, limit=PAGE_GROUPS, cursor=cursor, **asked)
        whole = {**page, "groups": [*whole.get("groups", []), *page["groups"]]}
        count += sum(max(len(group["messages"]), 1) for group in page["groups"])
        if page["cursor"] is None or count >= messages:
            return whole
        cursor = page["cursor"]


def _rows(history: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each message, newest first; and one for what is about no message."""
    rows = []
    for group in history["groups"]:
        rest = {name: value for name, value in group.items() if name != "messages"}
        for message in reversed(group["messages"] or [_none(group)]):
            rows.append({"chat_id": history["chat_id"], **message, **rest})
    return rows


def _none(group: dict[str, Any]) -> dict[str, Any]:
    at_time = group["became"].get("at")
    return {"message_id": None, "direction": None, "timestamp": None, "arrived_at": at_time}


def _say_what_is_known(history: dict[str, Any], count: int) -> None:
    if not count:
        output.say("No message of this chat is known from that time: it never came.")
    for what, name in (("deliveries", "history_since"), (OF_FEED, "feed_since")):
        since = history[name]
        known = short_times(f"since {since}") if since else "since a time that is not known"
        output.say(f"{what} are known {known}")


def _path(control: Control, ws: str, chat: str, message: str) -> dict[str, Any]:
    """What became of the message; the search goes on until it is over."""
    url, cursor, came = at("workspaces", ws, "messages", message), "", list[Any]()
    whole: dict[str, Any] = {}
    webhooks: dict[str, Any] = {}
    while True:
        found: dict[str, Any] = control.get(url, chat=chat, cursor=cursor)
        came += found["came"]
        webhooks.update({each["webhook"]: each for each in found.get("webhooks", ())})
        if not whole or whole["became"] is None:
            whole = found
        if found["cursor"] is None:
            rest = {"webhooks": list(webhooks.values())} if webhooks else {}
            return {**whole, "came": came, "cursor": None, "searched_to": None, **rest}
        cursor = found["cursor"]


def _in(document: dict[str, Any], path: str) -> Any:
    """What stands in the document at the end of the path, whose names have dots between them."""
    found: Any = document
    for name in path.split("."):
        found = found[name]
    return found


def _show_path(path: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.show_json(path)
        return
    group, became = path["group"] or {}, path["became"]
    message: dict[str, Any] = next(iter(group.get("messages", ())), {})
    facts = {
        "message_id": path["message_id"],
        "chat_id": path["chat_id"],
        "what": became["what"],
        "detail": became["detail"],
        "advice": became.get("advice"),
        "timestamp": message.get("timestamp"),
        "arrived_at": message.get("arrived_at"),
        "opened_at": group.get("opened_at"),
        "sealed_at": group.get("sealed_at"),
        "reason": group.get("reason"),
        "delivery_id": group.get("delivery_id"),
        "attempts": group.get("attempts"),
    }
    output.show_facts((name, value) for name, value in facts.items() if value is not None)
    for came in path["came"]:
        output.say(short_times(came["detail"]))
    if len(path.get("webhooks", ())) > 1:
        rows = [[_in(each, name) for name in OF_WEBHOOKS] for each in path["webhooks"]]
        output.show_rows(OF_WEBHOOKS, rows, header=True)
    if path["attempts"]:
        rows = [[attempt[name] for name in ATTEMPTS] for attempt in path["attempts"]]
        output.show_rows(ATTEMPTS, rows, header=True)
    if path["around"]:
        output.say(f"its chat has {some(len(path['around']), 'other group')} of messages:")
        for each in path["around"]:
            ids = ", ".join(message["message_id"] for message in each["messages"][:3])
            output.say(short_times(f"  {ids}: {each['became']['detail']}"))
    _say_what_is_known(path, 1)
