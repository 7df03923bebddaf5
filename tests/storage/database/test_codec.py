"""The encoding of records: each is read as it was written, and any damage is detected."""

import msgspec
import pytest

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import (
    chat_records,
    codec,
    delivery_records,
    feed_rows,
    keyspace,
    mail_records,
    records,
    settings,
)
from hookbundle.storage.database.chat_records import Member, Window
from hookbundle.storage.database.delivery_records import (
    Action,
    Attempt,
    LogRow,
    ReplayFilter,
    WebhookTest,
)
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.settings import Secret, Token, Webhook, Workspace
from hookbundle.storage.tables.postponed import Postponed
from hookbundle.storage.tables.requests import RequestRecord

KEY = b"W\x00acme"
URL = "https://receiver.example/hook"
WORKSPACE = Workspace(
    id="acme",
    number=7,
    version=3,
    created_ms=1_700_000_000_000,
    name="Ac\u1e3fe \U0001f600",
    language="ar",
)
WEBHOOK = Webhook(
    id="outbound",
    number=7,
    workspace=7,
    url=URL,
    aggregation_ms=3_600_000,
    secrets=(Secret(value="whsec_a"), Secret(value="whsec_b", expires_ms=5)),
)
ATTEMPT = Attempt(1, URL, (("a", "b"),), "failed", status=500, response_body=b"\xff")


class TokenOfTomorrow(msgspec.Struct, array_like=True, frozen=True):
    """A token with one more field, as a later program may write it."""

    id: str
    scope: str
    workspace_id: str
    created_ms: int
    name: str = ""
    expires_ms: int = 0
    used_ms: int = 0
    of_tomorrow: int = 0


MEMBER = Member(sent_ms=1, message=b'{"text":"\xf0\x9f\x98\x80"}')
WINDOW = Window(opened_ms=1, due_ms=2, count=1, account=b"{}", newest_ms=1, tail=[MEMBER])
DISABLING = mail_records.Disabling("outbound", 5, "a.example", "timeout", 10, 2)
RECORDS = [
    records.Identity(epoch="00ff", schema=1, created_ms=5),
    records.Meta(feed_next=2**62, windows=3, totals=records.Totals(accepted=9)),
    WORKSPACE,
    WEBHOOK,
    records.WorkspaceName(id="acme"),
    records.WebhookState(7, flight=records.Flight(1, 2, 3, 4, URL), retime_after=b"C\x00"),
    records.WebhookState(7, moving=records.Moving(9, 3, 1, 9, 4)),
    records.WebhookState(7, enabled=False, disabled_reason="errors"),
    records.Usage(history=1, trim_ms=5),
    chat_records.Arrivals(packed=b"\x00\x01\xff\xff"),
    chat_records.EarlyChange(message_id="m", text="t", edited_ms=1, at_ms=2),
    chat_records.Details(account=b"{}", chat=b"{}"),
    chat_records.Kept(permalink="https://a.example/", edited_ms=1),
    chat_records.Apart(beside=1),
    Postponed(tries=3),
    chat_records.ChatRecord(
        collecting=[chat_records.Collecting(webhook=7, arrived_ms=2, window=WINDOW)],
        last_ms=2,
        seen=bytes(range(256)),
        seen_next=3,
    ),
    chat_records.ChatRecord(),
    chat_records.Part(members=[MEMBER, MEMBER]),
    chat_records.SeenPart(last_ms=1, seen=b"12345678"),
    delivery_records.Delivery(1, "c", 1, 0, "time", bundle=True, epoch="e", rejections=2),
    delivery_records.Replay(
        1, 1, "queuing", ReplayFilter(states=("dead_letter",), chat="c"), "ann", 5, before=7
    ),
    ReplayFilter(http_status=404, since_ms=1),
    ReplayFilter(http_status=500, http_status_most=599, no_answer=True),
    delivery_records.Chunk(body=bytes(range(256))),
    ATTEMPT,
    LogRow(delivery=1, attempt=2),
    LogRow(test=WebhookTest(id="test_1", body=b"{}", attempt=ATTEMPT)),
    Action(1, "bundle", "c", 3, "delivered", "status 200"),
    mail_records.Mail(1, 7, "o@acme.example", 5, "acme", "Acme", URL, "timeout", 10, 2, tries=3),
    mail_records.Mail(
        2, 7, "o@acme.example", 5, "acme", "Acme", kind="disabled", disablings=(DISABLING,)
    ),
    mail_records.MailHour(until_ms=3_600_000, mail=2),
    FeedRow(at_ms=1, count=2, events=codec.pack_array([b"\x01", b"\x02"])),
    Token("tok_1", "intake", "acme", 5),
    chat_records.Erasure(workspace_id="acme", at_ms=1, before=7),
    RequestRecord(digest=b"\x00\xff", at_ms=1, answer=b"{}"),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_every_record_is_read_as_it_was_written(record: msgspec.Struct) -> None:
    assert codec.unpack(KEY, codec.pack(KEY, record), type(record)) == record


def test_every_kind_of_record_is_tested_here() -> None:
    kinds = {
        value
        for value in {
            **vars(records),
            **vars(settings),
            **vars(chat_records),
            **vars(delivery_records),
            **vars(mail_records),
            **vars(feed_rows),
        }.values()
        if isinstance(value, type) and issubclass(value, records.Record | records.Frozen)
    }
    kinds |= {Postponed, RequestRecord}
    parts_of_others = {
        *(records.Totals, Secret, records.Flight, records.Moving, records.Merging),
        mail_records.Disabling,
        WebhookTest,
        *(Member, Window, chat_records.Collecting),
    }

    tried = {type(record) for record in RECORDS}

    assert kinds - {records.Record, records.Frozen} == tried | parts_of_others


def test_a_truncated_record_is_refused_at_any_length() -> None:
    value = codec.pack(KEY, WORKSPACE)

    for length in range(len(value)):
        with pytest.raises(CorruptRecord):
            codec.unpack(KEY, value[:length], Workspace)


def test_any_flipped_bit_is_detected() -> None:
    value = codec.pack(KEY, WORKSPACE)

    for offset in range(len(value) * 8):
        flipped = bytearray(value)
        flipped[offset // 8] ^= 1 << offset % 8
        with pytest.raises(CorruptRecord):
            codec.unpack(KEY, bytes(flipped), Workspace)


def test_a_record_under_the_key_of_another_is_detected() -> None:
    value = codec.pack(KEY, WORKSPACE)

    with pytest.raises(CorruptRecord, match="checksum"):
        codec.unpack(keyspace.workspace("other"), value, Workspace)


def test_a_record_of_another_version_is_refused_with_both_versions() -> None:
    value = codec.pack(KEY, WORKSPACE)

    with pytest.raises(CorruptRecord, match="version 2, this program reads 1"):
        codec.unpack(KEY, b"\x02" + value[1:], Workspace)


def test_a_record_of_another_kind_is_refused() -> None:
    value = codec.pack(KEY, WORKSPACE)

    with pytest.raises(CorruptRecord, match="not a FeedRow"):
        codec.unpack(KEY, value, FeedRow)


def test_older_records_are_read_after_a_field_was_added_at_the_end() -> None:
    value = codec.pack(KEY, Token("tok_1", "intake", "acme", 5))

    assert codec.unpack(KEY, value, TokenOfTomorrow) == TokenOfTomorrow(
        "tok_1", "intake", "acme", 5, "", 0, 0, 0
    )


def test_a_record_with_one_more_field_from_a_later_program_is_read() -> None:
    value = codec.pack(KEY, TokenOfTomorrow("tok_1", "intake", "acme", 5, "", 0, 0, 9))

    assert codec.unpack(KEY, value, Token) == Token("tok_1", "intake", "acme", 5)


def test_new_windows_do_not_share_a_list() -> None:
    one, other = Window(opened_ms=0, due_ms=1), Window(opened_ms=0, due_ms=1)

    one.tail.append(Member(1, b"{}"))

    assert other.tail == []
