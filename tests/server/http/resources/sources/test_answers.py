"""What a source is answered, case by case: by that it decides whether it sends the same again."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from hookbundle.engine import limits
from hookbundle.server.http.bodies import UNPACKED_AT_ONCE, read_away
from hookbundle.server.http.resources.sources import intake
from hookbundle.tests.actors.writing import Writing, waiting
from hookbundle.tests.server.http.resources.sources.posting import Tenant, Tenants, waha

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("token", ["src_0123456789abcdef_guess", "x", "%C3%A9", "x" * 300, "%00"])
async def test_an_unknown_token_is_404(shared: Tenants, token: str) -> None:
    answers = [
        await shared.system.ask(method, f"/v1/sources/{token}{tail}", headers={}, data=b"{}")
        for method in ("POST", "GET", "PUT")
        for tail in ("", "/messages-upsert")
    ]

    assert {(each.status, each.document["code"]) for each in answers} == {(404, "no_source")}
    assert token not in answers[0].body.decode()


async def test_a_message_is_durable_before_the_answer(tenant: Tenant) -> None:
    source = await tenant.source()

    answer = await source.post(waha("A", "first"))
    again = await source.post(waha("A", "first"))

    assert answer.status == again.status == 200
    assert answer.document == {"accepted": 1, "duplicate": 0, "skipped": 0}
    assert again.document == {"accepted": 0, "duplicate": 1, "skipped": 0}
    assert await tenant.texts(1) == ["first"]


async def test_nothing_of_ours_is_answered_without_waiting_for_the_store(tenant: Tenant) -> None:
    source = await tenant.source()
    await source.post(waha("0"))  # after which the next one has nothing to teach
    await tenant.system.facts.until("delivery.delivered", workspace=tenant.ws)
    await source.shown()  # what was noted is written
    writing = Writing(tenant.system)
    await writing.begin()
    try:
        message = asyncio.ensure_future(source.post(waha("A")))
        await waiting(tenant.system, 1)

        ignored = await source.post({"event": "session.status", "payload": {}})

        assert ignored.status == 200
        assert not message.done()
    finally:
        writing.end()
    assert (await message).document["accepted"] == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"event":"message.ack","payload":{"id":"x","ack":2}}', "ack"),
        (b'{"event":"something.new","payload":{}}', "unknown_event"),
        (b"[]", "unknown_shape"),
        (b"7", "unknown_shape"),
        (b"null", "unknown_shape"),
        (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, "unknown_shape"),
    ],
)
async def test_what_is_not_ours_is_200_with_its_reason(
    tenant: Tenant, body: bytes, reason: str
) -> None:
    source = await tenant.source()

    answer = await source.post(body)

    assert answer.status == 200
    assert answer.document == {
        "accepted": 0,
        "duplicate": 0,
        "skipped": 0,
        "ignored": {reason: 1},
    }
    assert (await source.shown())["counts"] == {f"ignored.{reason}": 1}


@pytest.mark.parametrize("body", [b"", b"  ", b"{", b"hello", b'{"a":1}{"a":2}', b"\xff\xfe{"])
async def test_what_is_no_json_is_400(tenant: Tenant, body: bytes) -> None:
    source = await tenant.source()

    answer = await source.post(body)

    assert (answer.status, answer.document["code"]) == (400, "source_body_not_json")
    assert (await source.shown())["counts"] == {"unreadable": 1}
    (request,) = await source.requests()
    assert request["faults"] != []


async def test_one_bad_event_of_a_batch_does_not_refuse_the_others(tenant: Tenant) -> None:
    source = await tenant.source("meta")
    bad = {"from": "447911111111", "id": "", "timestamp": "1764300000", "type": "text"}
    good = {**bad, "id": "wamid.A", "text": {"body": "taken"}}
    value = {
        "metadata": {"display_phone_number": "447900000000", "phone_number_id": "1"},
        "contacts": [{"wa_id": "447911111111", "profile": {"name": "Ahmad"}}],
        "messages": [{**bad, "text": {"body": "no id"}}, good],
    }
    changes = [{"field": "messages", "value": value}]

    answer = await source.post(
        {"object": "whatsapp_business_account", "entry": [{"changes": changes}]}
    )

    assert answer.document == {"accepted": 1, "duplicate": 0, "skipped": 0, "invalid": 1}
    assert await tenant.texts(1) == ["taken"]
    (request,) = await source.requests()
    assert request["faults"][0]["path"] == "message.message_id"


async def test_an_attachment_is_skipped_and_told(tenant: Tenant) -> None:
    source = await tenant.source()

    answer = await source.post(waha("A", "a caption", hasMedia=True))

    assert answer.document == {"accepted": 0, "duplicate": 0, "skipped": 1}
    assert (await source.shown())["counts"] == {"skipped.attachment": 1}
    (told,) = await tenant.system.facts.until("message.received", workspace=tenant.ws)
    assert told["data"]["skipped"] == [{"message": "A", "reason": "attachment"}]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_people_and_consoles_may_try_the_address(tenant: Tenant, method: str) -> None:
    source = await tenant.source()

    answers = [await tenant.system.ask(method, f"{source.path}{tail}") for tail in ("", "/x?y=1")]

    assert [(each.status, each.body) for each in answers] == [(200, b"")] * 2


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_another_method_is_taken_as_a_post(tenant: Tenant, method: str) -> None:
    source = await tenant.source()

    answer = await tenant.system.ask(method, f"{source.path}/messages", waha("A"))

    assert (answer.status, answer.document["accepted"]) == (200, 1)


async def test_a_body_that_is_too_large_is_taken_in_and_not_sent_again(tenant: Tenant) -> None:
    source = await tenant.source()
    large = b'{"data": "' + b"x" * limits.REQUEST_BYTES_MAX + b'"}'

    answer = await source.post(large)
    url = f"http://hookbundle{source.path}"
    async with tenant.system.session.post(url, data=_in_pieces(large)) as chunked:
        in_pieces = await chunked.json()
    data = io.BytesIO(large)
    async with tenant.system.session.post(url, data=data, expect100=True) as asked_first:
        after_100 = await asked_first.json()

    for document in (answer.document, in_pieces, after_100):
        assert document["ignored"] == {"oversize": 1}
    assert (await source.shown())["counts"] == {"ignored.oversize": 3}
    assert (await source.post(waha("A"))).document["accepted"] == 1
    assert tenant.system.daemon.fair_limits.bodies.used == 0


async def test_of_a_body_that_is_too_large_nothing_is_held_while_the_rest_comes(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, bodies = await tenant.source(), tenant.system.daemon.fair_limits.bodies
    held: list[int] = []

    async def reading(request: web.Request, bytes_max: int) -> bool:
        assert sys.exception() is None  # its traceback would keep what has come
        is_over = await read_away(request, bytes_max)
        held.append(bodies.used)
        return is_over

    monkeypatch.setattr(intake, "read_away", reading)
    large = b"x" * (limits.REQUEST_BYTES_MAX + 1)
    url = f"http://hookbundle{source.path}"
    async with tenant.system.session.post(url, data=_in_pieces(large)) as answer:
        assert (await answer.json())["ignored"] == {"oversize": 1}

    assert held == [UNPACKED_AT_ONCE]


async def test_a_body_without_end_is_refused(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "READ_AWAY_BYTES_MAX", 1_000_000)
    source = await tenant.source()

    answer = await source.post(b"x" * (limits.REQUEST_BYTES_MAX + 1))

    assert (answer.status, answer.document["code"]) == (413, "body_too_large")


async def test_a_large_body_is_read_as_a_small_one(tenant: Tenant) -> None:
    source = await tenant.source()

    answer = await source.post(waha("A", "large", padding="x" * 300_000))

    assert answer.document["accepted"] == 1
    assert await tenant.texts(1) == ["large"]


async def test_edits_and_deletions_change_the_open_window(tenant: Tenant) -> None:
    path = f"/v1/workspaces/{tenant.ws}"
    await tenant.system.ask("PATCH", path, {"webhook": {"aggregation": "1h"}})
    source = await tenant.source()
    for message_id in ("A", "B"):
        await source.post(waha(message_id, f"text of {message_id}"))

    edited = await source.post(
        {
            "event": "message.edited",
            "payload": {**waha("C", "edited")["payload"], "editedMessageId": "A"},
        }
    )
    deleted = await source.post(
        {
            "event": "message.revoked",
            "payload": {"after": None, "revokedMessageId": "B", "before": waha("B")["payload"]},
        }
    )

    assert edited.document.get("edited") == 1, edited
    assert deleted.document.get("deleted") == 1, deleted
    await tenant.system.ask("POST", f"{path}/chats/447911111111/flush")
    (post,) = await tenant.sent(1)
    assert [each["text"] for each in post.document["messages"]] == ["edited"]


async def test_acks_are_counted_by_kind_and_outcome(tenant: Tenant) -> None:
    source = await tenant.source("periskope")
    before = tenant.system.daemon.meters.source_events["periskope", "ignored.unknown_event"]

    await source.post({"event": "no such event"})

    after = tenant.system.daemon.meters.source_events["periskope", "ignored.unknown_event"]
    metrics = (await tenant.system.ask("GET", "/metrics")).body.decode()
    assert after == before + 1
    assert 'source_events_total{kind="periskope",outcome="ignored.unknown_event"}' in metrics
    assert source.token not in metrics


async def _in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for first in range(0, len(body), 65_536):
        yield body[first : first + 65_536]
