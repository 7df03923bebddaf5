"""The stand-in of Zapier takes and flattens what Zapier's documents say."""

from hookbundle.tests.crm.posting import post
from hookbundle.tests.crm.zapier import Zapier, fields_of, runs_of


async def test_an_object_starts_one_run_with_its_fields() -> None:
    async with Zapier() as zapier:
        reply = await post(zapier.url, {"text": "hi", "chat": {"phone": "+1"}})

        assert (reply.status, reply.document["status"]) == (200, "success")
        assert zapier.taken == [{"text": "hi", "chat__phone": "+1"}]


def test_a_list_of_objects_becomes_line_items_and_a_list_of_texts_stays_a_list() -> None:
    lines = [{"text": "a", "sender": {"name": "x"}}, {"text": "b"}]

    assert fields_of({"messages": lines, "labels": ["vip"]}) == {
        "messages__text": ["a", "b"],
        "messages__sender__name": ["x", ""],
        "labels": ["vip"],
    }


def test_a_body_that_is_a_list_starts_a_run_for_each_entry() -> None:
    assert runs_of(b'[{"text":"a"},{"text":"b"}]') == [{"text": "a"}, {"text": "b"}]


async def test_a_body_past_10_mb_is_refused_and_another_hook_is_not_known() -> None:
    async with Zapier() as zapier:
        large = await post(zapier.url, b'{"text":"%b"}' % (b"x" * 10 * 1024 * 1024))
        unknown = await post(f"{zapier.origin}/hooks/catch/1/other/", {"text": "a"})

        assert [large.status, unknown.status] == [413, 404]
        assert zapier.taken == []


async def test_more_than_30_requests_in_a_second_are_a_429() -> None:
    async with Zapier() as zapier:
        zapier.now = lambda: 0.0
        for _ in range(30):
            zapier.rate.wait_s(0.0)

        assert (await post(zapier.url, {"text": "a"})).status == 429
