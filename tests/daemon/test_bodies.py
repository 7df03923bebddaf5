"""The requests that a receiver gets: the two examples of docs/payload.md, byte for byte, and more.

The examples are those of the product's original specification of the payload.
"""

from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook

from hookbundle import __version__
from hookbundle.engine.delivery import signing
from hookbundle.engine.messages.timestamps import utc
from hookbundle.storage.transitions.webhooks.secrets import RotateSecret, SecretRotated
from hookbundle.tests.hook_receiver import Post
from hookbundle.tests.in_process import HOUR_MS, daemon_in, event, receiving

ACCOUNT = '{"full_name":"Amnon Haha","email":"amnon@acme.example","phone":"+972500000000"}'
CHAT = (
    '{"full_name":"John Doe","responsible_name":"Amnon","responsible_email":"amnon@acme.example",'
    '"chat_url":"https://app.example/chat/10010001/messages/","chat_id":"10010001",'
    '"is_new_chat":%s,"is_group":false,"phone":"+97254000000"}'
)
PARTIES = (
    '"sender":{"full_name":"John Doe","phone":"+972540000000"},'
    '"recipient":{"full_name":"Jane Smith","phone":"+972550000000"}'
)
PERMALINK = "https://app.example/permalink/77a28d55/"


async def test_a_single_message_is_the_documented_example(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)

        await system.accept("acme", event("m1", direction="sent", text="lorem ipsum 👋"))

        (post,) = await receiver.until(1)
        message = (
            '{"direction":"sent","timestamp":"2021-02-24T16:25:29+0000","message_id":"m1",'
            f'{PARTIES},"text":"lorem ipsum 👋"}}'
        )
        body = f'{{"whatsapp_account":{ACCOUNT},"chat":{CHAT % "false"},"message":{message}}}'
        assert post.body.decode() == body


async def test_a_bundle_is_the_documented_example(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")

        await system.accept(
            "acme",
            event("m2", timestamp="2021-02-24T18:30:29+02:00", text="a <b>\nc & 'd'"),
            new_chat(event("m1", permalink=PERMALINK)),
        )
        system.clock.move(HOUR_MS)

        (post,) = await receiver.until(1)
        assert post.body.decode() == (
            f'{{"whatsapp_account":{ACCOUNT},"chat":{CHAT % "true"},"messages":['
            '{"direction":"received","timestamp":"2021-02-24T16:25:29+0000","message_id":"m1",'
            f'{PARTIES},"text":"text of m1"}},'
            '{"direction":"received","timestamp":"2021-02-24T16:30:29+0000","message_id":"m2",'
            f'{PARTIES},"text":"a <b>\\nc & \'d\'"}}],'
            '"first_message_timestamp":"2021-02-24T16:25:29+0000",'
            '"last_message_timestamp":"2021-02-24T16:30:29+0000",'
            '"aggregation":"from John Doe on 2021-02-24 16:25: text of m1<br/>'
            "from John Doe on 2021-02-24 16:30: a &lt;b&gt;<br/>c &amp; &#x27;d&#x27;<br/>"
            f"Click <a href='{PERMALINK}'>here</a> to open the conversation in TimelinesAI\"}}"
        )


async def test_unknown_phones_of_a_group_are_sent_as_empty_texts(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        group = event("m1", sender={"full_name": "ليلى", "phone": None}, recipient={})
        group["chat"] |= {"is_group": True, "phone": None, "full_name": "فريق"}

        await system.accept("acme", group)

        (post,) = await receiver.until(1)
        chat, message = post.document["chat"], post.document["message"]
        assert (chat["is_group"], chat["phone"], chat["full_name"]) == (True, "", "فريق")
        assert message["sender"] == {"full_name": "ليلى", "phone": ""}
        assert message["recipient"] == {"full_name": "", "phone": ""}


async def test_the_headers_are_those_promised_and_no_others(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)

        await system.accept("acme", event("m1"))

        (post,) = await receiver.until(1)
        assert post.headers["content-type"] == "application/json; charset=utf-8"
        assert post.headers["user-agent"] == f"hookbundle/{__version__}"
        assert post.headers["content-length"] == str(len(post.body))
        assert post.id.startswith("dlv_")
        known = {"host", "accept", "accept-encoding", "content-type", "content-length"}
        signed = {"webhook-id", "webhook-timestamp", "webhook-signature"}
        assert set(post.headers) == known | signed | {"user-agent"}


async def test_every_attempt_has_the_same_id_and_bytes(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(500, 302, 204, 200)
        await system.make("acme", receiver)

        await system.accept("acme", event("m1"))
        for errors in (1, 2, 3):
            await system.facts.until("delivery.failed", errors)
            system.clock.move(3 * 60_000)

        posts = await receiver.until(4)
        assert len({post.id for post in posts}) == 1
        assert len({post.body for post in posts}) == 1


async def test_during_a_rotation_both_secrets_verify_and_afterwards_only_the_new(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        old = await system.make("acme", receiver)
        new = signing.new_secret(bytes(range(32)))
        receiver.trust(new)
        now_ms = system.clock.now_ms()
        await system.daemon.partition.store_queue.do(
            RotateSecret(
                workspace_id="acme",
                new_secret=new,
                keep_until_ms=now_ms + 60_000,
                now_ms=now_ms,
                caller="test",
            ),
            SecretRotated,
        )

        await system.accept("acme", event("m1"))
        await receiver.until(1)
        system.clock.move(61_000)
        await system.accept("acme", event("m2"))

        during, afterwards = await receiver.until(2)
        assert verifying(during, old, new) == [old, new]
        assert verifying(afterwards, old, new) == [new]


async def test_bodies_of_a_megabyte_arrive_whole(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        events = [event(f"m{number}", text="ש" * 10_000) for number in range(40)]

        await system.accept("acme", *events)
        system.clock.move(HOUR_MS)
        await system.facts.until("delivery.delivered", 2)

        posts = await receiver.until(2)
        assert [*posts[0].message_ids, *posts[1].message_ids] == [f"m{n}" for n in range(40)]
        assert all(len(post.body) <= 1024 * 1024 for post in posts)


def new_chat(made: dict[str, Any]) -> dict[str, Any]:
    made["chat"]["is_new_chat"] = True
    return made


def verifying(post: Post, *secrets: str) -> list[str]:
    """The secrets with which the `standardwebhooks` library verifies the request."""
    given = post.headers["webhook-signature"].split()
    return [secret for secret in secrets if signed_with(post, secret) in given]


def signed_with(post: Post, secret: str) -> str:
    at = utc(int(post.headers["webhook-timestamp"]) * 1_000)
    return str(Webhook(secret).sign(post.id, at, post.body.decode()))
