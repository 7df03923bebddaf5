"""Settings, switches, logs and test requests over the API."""

from pathlib import Path

import msgspec

from hookbundle.tests.in_process import HOUR_MS, daemon_in, event, receiving

ACME = "/v1/workspaces/acme"


async def test_a_workspace_is_made_with_a_secret_that_is_shown_once(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        made = await system.ask("PUT", ACME, {"name": "Acme"})
        again = await system.ask("PUT", ACME, {"name": "Acme"}, headers={"If-Match": "*"})

        assert (made.status, again.status) == (201, 200)
        assert made.document["secret"].startswith("whsec_")
        assert "secret" not in again.document
        assert "secret" not in await system.show()
        hook = made.document["webhook"]
        assert (hook["state"], hook["aggregation"], hook["enabled"]) == (
            "unconfigured",
            "none",
            True,
        )


async def test_a_patch_changes_what_is_named_and_a_put_the_whole(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="6h", success="2xx")

        await system.ask("PATCH", ACME, {"webhook": {"aggregation": "12h"}})
        patched = await system.show()
        whole = {"webhook": {"url": receiver.url()}}
        await system.ask("PUT", ACME, whole, headers={"If-Match": "*"})
        put = await system.show()

        assert (patched["name"], patched["webhook"]["success"]) == ("Acme", "2xx")
        assert patched["webhook"]["aggregation"] == "12h"
        assert (put["name"], put["owner_email"], put["webhook"]["success"]) == ("", "", "200")
        assert put["webhook"]["aggregation"] == "none"


async def test_every_fault_of_settings_is_named_and_nothing_is_changed(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        made = await system.ask("PUT", ACME, {"name": "Acme"})

        answer = await system.ask(
            "PATCH",
            ACME,
            {
                "name": "Other",
                "owner_email": "two@x.example, more@x.example",
                "webhook": {"url": "ftp://x", "aggregation": "25h"},
            },
        )
        unknown = await system.ask("PATCH", ACME, {"nmae": "x", "webhook": {"enabled": "yes"}})

        assert {fault["path"] for fault in answer.document["errors"]} == {
            "owner_email",
            "webhook.url",
            "webhook.aggregation",
        }
        assert {f["path"] for f in unknown.document["errors"]} == {"nmae", "webhook.enabled"}
        assert (await system.show())["version"] == made.document["version"]


async def test_an_address_that_mails_read_differently_is_refused(tmp_path: Path) -> None:
    hostile = (
        "a@[b",
        "(@x",
        "group:b@c",
        "a@b.c(d@e)",
        "=?utf-8?q?x?=@y",
        '"a b"@c',
        "a@b\r\nBcc: c@d",
        "<a@b>",
        "a..b@c",
        "a@b.",
        "@b",
        "a",
    )
    async with daemon_in(tmp_path) as system:
        await system.ask("PUT", ACME, {})

        answers = [await system.ask("PATCH", ACME, {"owner_email": email}) for email in hostile]
        fine = await system.ask("PATCH", ACME, {"owner_email": "o'neil+hook@mail.acme.example"})

        assert [answer.status for answer in answers] == [422] * len(hostile)
        assert fine.status == 200


async def test_a_change_on_an_older_version_is_refused(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        first = await system.ask("PUT", ACME, {"name": "one"})
        tag = {"If-Match": first.headers["etag"]}

        second = await system.ask("PATCH", ACME, {"name": "two"}, headers=tag)
        late = await system.ask("PATCH", ACME, {"name": "three"}, headers=tag)
        shown = await system.ask("GET", ACME)

        assert (second.status, late.status) == (200, 412)
        assert shown.headers["etag"] == second.headers["etag"] != first.headers["etag"]
        assert shown.document["name"] == "two"


async def test_every_change_is_on_record_with_its_caller(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, url=f"{receiver.url()}?token=hidden")
        await system.ask("PATCH", ACME, {"webhook": {"aggregation": "6h"}})
        await system.switch("acme", "disable")

        actions = await system.get(f"{ACME}/activity")

        assert [a["action"] for a in actions] == ["disabled", "settings changed", "created"]
        assert all("by uid " in action["detail"] for action in actions)
        assert "aggregation 6h" in actions[1]["detail"]
        assert "hidden" not in str(actions)
        (fact,) = await system.facts.until("workspace.changed")
        assert fact["data"]["caller"].startswith("uid ")


async def test_what_was_held_is_sent_after_enabling_with_the_same_bytes(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(500, 200)
        await system.make("acme", receiver)
        await system.accept("acme", event("m1"))
        await system.facts.until("delivery.failed")
        await system.switch("acme", "disable")
        system.clock.move(HOUR_MS)
        await system.accept("acme", event("m2"))
        held = await system.show()

        enabled = await system.switch("acme", "enable", {})
        await system.facts.until("delivery.delivered", 2)

        assert (held["webhook"]["state"], held["counts"]["held_messages"]) == ("disabled", 2)
        assert enabled["changed"]
        posts = await receiver.until(3)
        assert [post.message_ids for post in posts] == [["m1"], ["m1"], ["m2"]]
        assert (posts[0].id, posts[0].body) == (posts[1].id, posts[1].body)


async def test_what_was_held_may_be_dropped_and_is_counted(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, enabled=False)
        await system.accept("acme", event("m1"), event("m2", "other"))

        dropped = await system.switch("acme", "enable", {"discard": True})
        await system.accept("acme", event("m3"))
        await system.facts.until("delivery.delivered")

        assert (dropped["discarded_deliveries"], dropped["discarded_messages"]) == (2, 2)
        assert [post.message_ids for post in receiver.posts] == [["m3"]]


async def test_a_webhook_without_a_url_is_not_enabled_or_tested(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        await system.ask("PUT", ACME, {})

        enable = await system.ask("POST", f"{ACME}/webhook/enable", {})
        test = await system.ask("POST", f"{ACME}/webhook/test")

        assert (enable.status, test.status) == (409, 409)


async def test_a_test_request_stands_outside_the_queue_and_the_counter(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(500)
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1"))

        failed = await system.switch("acme", "test")
        receiver.answers(200)
        taken = await system.switch("acme", "test")

        assert (failed["outcome"], taken["outcome"]) == ("failed", "delivered")
        posts = await receiver.until(2)
        assert all(post.id.startswith("test_") for post in posts)
        assert list(posts[0].document)[2:4] == ["messages", "first_message_timestamp"]
        assert (await system.hook())["consecutive_errors"] == 0
        assert [entry["outcome"] for entry in await system.get(f"{ACME}/log")] == [
            "delivered",
            "failed",
        ]


async def test_the_activity_log_has_ten_lines_and_the_detailed_log_a_hundred(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await system.accept("acme", *(event(f"m{number}") for number in range(105)))
        await system.facts.until("delivery.delivered", 105)

        activity = await system.get(f"{ACME}/activity")
        log = await system.get(f"{ACME}/log")

        assert (len(activity), len(log)) == (10, 100)
        newest = msgspec.json.decode(log[0]["request"]["body"])
        assert newest["message"]["message_id"] == "m104"
        assert {action["outcome"] for action in activity} == {"delivered"}


async def test_the_detailed_log_is_a_download_with_everything_but_the_secret(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        secret = await system.make("acme", receiver)
        await system.accept("acme", event("m1"))
        await system.facts.until("delivery.delivered")

        as_json = await system.ask("GET", f"{ACME}/log")
        lines = await system.ask("GET", f"{ACME}/log?format=ndjson")
        asked_for = {"Accept": "application/x-ndjson"}
        by_accept = await system.ask("GET", f"{ACME}/log", headers=asked_for)

        (entry,) = as_json.document
        (post,) = receiver.posts
        assert entry["request"]["body"] == post.body.decode()
        assert entry["request"]["headers"]["webhook-id"] == post.id
        assert entry["response"]["status"] == 200
        assert 'filename="acme-log.json"' in as_json.headers["content-disposition"]
        assert lines.body == by_accept.body
        assert [msgspec.json.decode(line) for line in lines.body.splitlines()] == [entry]
        assert secret.encode() not in as_json.body
        assert secret.removeprefix("whsec_").encode() not in as_json.body


async def test_workspaces_are_listed_page_by_page(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        for number in range(5):
            await system.ask("PUT", f"/v1/workspaces/ws{number}", {})

        first = await system.get("/v1/workspaces?limit=3")
        rest = await system.get(f"/v1/workspaces?limit=3&cursor={first['cursor']}")

        ids = [found["id"] for page in (first, rest) for found in page["workspaces"]]
        assert ids == [f"ws{number}" for number in range(5)]
        assert rest["cursor"] is None


async def test_what_is_not_there_or_not_meant_is_a_problem_document(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        nowhere = await system.ask("GET", "/v1/nothing")
        wrong = await system.ask("POST", "/v1/status")
        nobody = await system.ask("GET", "/v1/workspaces/nobody/log")
        limit = await system.ask("GET", "/v1/workspaces?limit=0")

        answers = (nowhere, wrong, nobody, limit)
        assert [answer.status for answer in answers] == [404, 405, 404, 422]
        assert {a.headers["content-type"] for a in answers} == {"application/problem+json"}
        assert "GET" in wrong.headers["allow"]
