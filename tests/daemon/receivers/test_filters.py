"""Two webhooks with filters of their own, at real receivers; and what a filter would have kept."""

from pathlib import Path

from hookbundle.tests.in_process import daemon_in, event, receiving

WORKSPACE = "/v1/workspaces/acme"
WEBHOOKS = f"{WORKSPACE}/webhooks"


async def test_each_receiver_gets_what_its_webhook_wants(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        wanted = {"id": "crm", "url": receiver.url("crm"), "filter": {"text_contains": "invoice"}}
        made = await system.ask("POST", WEBHOOKS, wanted)
        receiver.trust(made.document["secret"], "crm")

        await system.accept("acme", event("m1", text="an invoice"), event("m2", text="hello"))
        to_all = await receiver.until(2, "hook")
        to_crm = await receiver.until(1, "crm")
        shown = await system.get(f"{WEBHOOKS}/crm")

        assert made.status == 201
        assert [post.message_ids for post in to_all] == [["m1"], ["m2"]]
        assert [post.message_ids for post in to_crm] == [["m1"]]
        assert shown["filter"] == {"text_contains": "invoice"}


async def test_what_nobody_wants_is_said_and_stays_unsent(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        narrow = {"webhook": {"filter": {"direction": "sent"}}}
        changed = await system.ask("PATCH", WORKSPACE, narrow)

        first = await system.accept("acme", event("m1"))
        again = await system.accept("acme", event("m1"))
        metrics = (await system.ask("GET", "/metrics")).body.decode()
        path = await system.get(f"{WORKSPACE}/messages/m1?chat={event('m1')['chat']['chat_id']}")

        assert changed.status == 200
        assert (first["accepted"], first["unrouted"]) == (1, 1)
        assert (again["duplicate"], "unrouted" in again) == (1, False)
        assert "hookbundle_messages_unrouted_total 1.0\n" in metrics
        assert "unrouted" in str(path)
        assert not receiver.posts


async def test_a_filter_is_tried_on_the_messages_that_are_here(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1", text="an invoice"), event("m2", text="hello"))
        asked = {"filter": {"text_contains": "invoice"}, "last": 10}

        tried = await system.ask("POST", f"{WEBHOOKS}/outbound/filter-test", asked)
        own = await system.ask("POST", f"{WORKSPACE}/webhook/filter-test", {})
        after = await system.get(f"{WEBHOOKS}/outbound")

        verdicts = {m["message_id"]: (m["kept"], m["code"]) for m in tried.document["messages"]}
        assert verdicts == {"m1": (True, None), "m2": (False, "text_contains")}
        assert (tried.document["kept"], tried.document["dropped"]) == (1, 1)
        assert (own.document["kept"], own.document["dropped"]) == (2, 0)
        assert after["filter"] == {}


async def test_a_wrong_filter_is_refused_with_each_path_and_nothing_is_changed(
    tmp_path: Path,
) -> None:
    wrong = {"directoin": "sent", "any": [{"text_contains": []}], "kind": "both"}
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)

        for path in (f"{WEBHOOKS}/outbound", f"{WEBHOOKS}/outbound/filter-test"):
            method = "POST" if path.endswith("test") else "PATCH"
            refused = await system.ask(method, path, {"filter": wrong})

            assert refused.status == 422
            assert {fault["path"] for fault in refused.document["errors"]} == {
                "filter.directoin",
                "filter.kind",
                "filter.any[0].text_contains",
            }
        for last in (0, 1_001):
            refused = await system.ask("POST", f"{WEBHOOKS}/outbound/filter-test", {"last": last})
            assert (refused.status, refused.document["errors"][0]["path"]) == (422, "last")
        assert (await system.get(f"{WEBHOOKS}/outbound"))["filter"] == {}
