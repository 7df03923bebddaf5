"""Several numbers of an owner are told only where their chats would be mixed."""

from typing import Any

import msgspec
import pytest

from hookbundle.engine.sources import settings as source_settings
from hookbundle.server.console.pages.sources import numbers
from hookbundle.storage.database.sources.records import KeptRequest, Source, SourceNotes
from hookbundle.storage.reads.source_view import RequestView, SourceView
from hookbundle.tests.engine.sources.samples import FOLDER, read
from hookbundle.tests.server.http.resources.sources.posting import waha

OURS = ("+447900000000", "+4915700000000")
INBOXES = {str(number): {"phone": phone} for number, phone in enumerate(OURS, start=1)}


def test_a_conversation_of_chatwoot_is_of_one_number() -> None:
    body = read(FOLDER / "chatwoot" / "01-incoming.json")
    posted = [{**body, "inbox": {"id": int(each)}} for each in INBOXES]

    assert seen("chatwoot", posted, inboxes=INBOXES) == []


def test_chats_of_timelinesai_have_its_own_ids() -> None:
    body = read(FOLDER / "timelinesai" / "01-message-new-received.json")
    posted = [{**body, "whatsapp_account": {"phone": phone}} for phone in OURS]

    assert seen("timelinesai", posted) == []


def test_a_source_whose_chats_are_no_phones_is_mixed_with_none() -> None:
    other = view("chatwoot", 2, account={"phone": OURS[1]})

    assert seen("waha", [waha()], others=[other]) == []


def test_a_source_whose_chats_are_phones_is() -> None:
    other = view("evolution", 2, account={"phone": OURS[1]})

    assert seen("waha", [waha()], others=[other]) == ["447900000000", "4915700000000"]


@pytest.mark.parametrize("kind", ["waha", "evolution"])
def test_nothing_is_read_of_a_source_whose_chats_are_kept_apart(kind: str) -> None:
    assert not numbers.may_mix(view(kind, chat_id="{account}-{chat}").source)
    assert numbers.may_mix(view(kind).source)


def seen(
    kind: str, posted: list[dict[str, Any]], others: list[SourceView] | None = None, **settings: Any
) -> list[str]:
    bodies = [msgspec.json.encode(each) for each in posted]
    return numbers.seen(view(kind, **settings), [kept(each) for each in bodies], others or [])


def view(kind: str, number: int = 1, **settings: Any) -> SourceView:
    written = source_settings.written(source_settings.parse(kind, settings))
    source = Source(f"{kind}-{number}", number, 1, kind, "", written, (), 1, 1)
    return SourceView(source, SourceNotes(message_ms=1), 0)


def kept(body: bytes) -> RequestView:
    came = {"accepted": 1}
    return RequestView(1, KeptRequest(1, "POST", "", 200, (), came, (), len(body), ()), body)
