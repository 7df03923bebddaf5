"""The stand-in of Slack takes and refuses what Slack's documents say."""

from typing import Any

import pytest

from hookbundle.tests.crm.posting import post
from hookbundle.tests.crm.slack import Slack


async def test_a_text_is_shown_and_answered_ok() -> None:
    async with Slack() as slack:
        reply = await post(slack.url, {"text": "a &lt;b&gt; &amp; c"})

        assert (reply.status, reply.body) == (200, b"ok")
        assert [(shown.text, shown.markup) for shown in slack.taken] == [("a <b> & c", ())]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"text", 400, b"invalid_payload"),
        (b"[]", 400, b"invalid_payload"),
        ({"text": 5}, 400, b"invalid_payload"),
        ({"text": ""}, 400, b"no_text"),
        ({"blocks": []}, 400, b"no_text"),
    ],
)
async def test_what_is_not_valid_is_refused_in_a_word(body: Any, status: int, said: bytes) -> None:
    async with Slack() as slack:
        reply = await post(slack.url, body)

        assert (reply.status, reply.body) == (status, said)
        assert slack.taken == []


async def test_a_channel_that_takes_nothing_says_why() -> None:
    at = 0.0
    async with Slack() as slack:
        slack.now = lambda: at
        unknown = await post(f"{slack.origin}/services/T/B/other", {"text": "a"})
        slack.is_archived = True
        archived = await post(slack.url, {"text": "a"})
        slack.is_prohibited, at = True, 1.0
        prohibited = await post(slack.url, {"text": "a"})

        assert [(each.status, each.body) for each in (unknown, archived, prohibited)] == [
            (404, b"no_service"),
            (410, b"channel_is_archived"),
            (403, b"action_prohibited"),
        ]


async def test_a_second_message_within_a_second_is_a_429_with_retry_after() -> None:
    at = 0.0
    async with Slack() as slack:
        slack.now = lambda: at
        first = await post(slack.url, {"text": "a"})
        second = await post(slack.url, {"text": "b"})
        at = 1.0
        third = await post(slack.url, {"text": "b"})

        assert [first.status, second.status, third.status] == [200, 429, 200]
        assert second.headers["retry-after"] == "1"


async def test_a_text_past_40000_characters_is_cut_and_what_looks_like_markup_is_read_so() -> None:
    at = 0.0
    async with Slack() as slack:
        slack.now = lambda: at
        await post(slack.url, {"text": "x" * 40_001})
        at = 1.0
        await post(slack.url, {"text": "<https://example.com> & co"})

        assert (len(slack.taken[0].text), slack.taken[0].cut) == (40_000, True)
        assert slack.taken[1].markup == ("<https://example.com>", "&")
