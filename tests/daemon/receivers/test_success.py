"""A real receiver whose answers are judged by a list of statuses and by rules."""

import json
from pathlib import Path

from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import daemon_in, event, receiving

WEBHOOK = "/v1/workspaces/acme/webhooks/outbound"
RULE = {"pointer": "/ok", "equals": True}


def says(document: object, status: int = 200) -> Answer:
    return Answer(status, body=json.dumps(document).encode())


async def test_a_long_answer_is_judged_whole_and_one_that_is_not_met_comes_again(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, success=[200, 409], success_rules=[RULE])
        long = {"text": "x" * 10_000, "ok": True}
        receiver.answers(says({"ok": False}), says(long), says({"ok": True}, 409))
        await system.accept("acme", event("m1"))
        (failed,) = await system.facts.until("delivery.failed")
        assert failed["data"]["error"] == "answer: /ok is false, not true"
        assert (await system.hook())["last_error"] == failed["data"]["error"]

        system.clock.move(60_000)
        await system.facts.until("delivery.delivered")
        await system.accept("acme", event("m2"))
        await system.facts.until("delivery.delivered", count=2)

        assert [post.message_ids for post in receiver.posts] == [["m1"], ["m1"], ["m2"]]


async def test_a_test_request_proposes_what_fits_and_the_proposal_can_be_set(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        receiver.answers(201)
        tested = await system.switch("acme", "test")
        assert tested["proposal"] == {"success": "2xx"}
        assert tested["hint"] == "answered 201: set success to 2xx"
        assert (await system.ask("PATCH", WEBHOOK, tested["proposal"])).status == 200
        receiver.answers(says({"ok": False}, 201))
        tested = await system.switch("acme", "test")
        assert (tested["outcome"], tested["proposal"]) == ("delivered", {"success_rules": [RULE]})
        set_so = await system.ask("PATCH", WEBHOOK, tested["proposal"])
        assert set_so.document["success_rules"] == [RULE]

        again = await system.switch("acme", "test")

        assert (again["outcome"], again["proposal"]) == ("failed", None)
        assert again["error"] == "answer: /ok is false, not true"


async def test_bad_settings_are_refused_with_each_path(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        wanted = {"success": [200, 404], "success_rules": [{"pointer": "ok"}]}
        refused = await system.ask("PATCH", WEBHOOK, wanted)

        assert refused.status == 422
        assert [(each["path"], each["code"]) for each in refused.document["errors"]] == [
            ("success[1]", "no_success_status"),
            ("success_rules[0].pointer", "no_pointer"),
            ("success_rules[0]", "no_test"),
        ]
