"""Every operation of the API at a node that owns the workspace, at one that does not, and at a
daemon alone: the answers have the same status, code, media type and fields.

What changes something is asked of a workspace of its own each time, in the same order.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Answer, Api, daemon_in, event, receiving
from hookbundle.tests.server.cluster.two_nodes import PARTITIONS, two

# The first never ends; what the second one begins goes on while others are asked; the third writes
# where its example says.
NOT_ASKED = ("follow_events", "compact_cluster", "back_up_database")
CHAT = "10010001"
LAST = ("DELETE", "/close", "/cancel", "/disable")
# What a cluster has and a daemon alone has not.
OF_A_CLUSTER = {
    "get_cluster",
    "find_workspace",
    "move_partition",
    "drain_node",
    "forget_node",
    "upgrade_cluster",
    "recover_cluster",
    "check_copies",
    "check_cluster",
}

Seen = tuple[int, str, str, tuple[str, ...]]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    """Name, method, path and body of each; what ends something comes last."""
    found = [
        (operation["operationId"], method.upper(), path, _example(operation))
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters" and operation["operationId"] not in NOT_ASKED
    ]
    yield from sorted(found, key=lambda each: _ends(each[1], each[2]))


def _ends(method: str, path: str) -> tuple[bool, int]:
    """A workspace is deleted after all that it has."""
    is_end = method == "DELETE" or path.endswith(LAST)
    return is_end, -len(path.split("/")) if is_end else 0


def _example(operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    return content.get("application/json", {}).get("example")


def _aimed(body: Any, receiver: HookReceiver, name: str) -> Any:
    """The example, with URLs of the receiver, and the workspace in the place of its own."""
    if isinstance(body, dict):
        return {
            key: receiver.url(name) if key == "url" else _aimed(value, receiver, name)
            for key, value in body.items()
        }
    if isinstance(body, list):
        return [_aimed(each, receiver, name) for each in body]
    return {"acme": name, "beta": f"{name}-more"}.get(body, body) if isinstance(body, str) else body


def seen(answer: Answer) -> Seen:
    media = answer.headers.get("content-type", "").partition(";")[0]
    fields: tuple[str, ...] = ()
    if media == "application/json":
        document = msgspec.json.decode(answer.body)
        fields = tuple(sorted(document)) if isinstance(document, dict) else ("a list",)
    return answer.status, answer.code, media, fields


async def asked(ask_at: Api, set_up_at: Api, name: str, receiver: HookReceiver) -> dict[str, Seen]:
    """What each operation is answered with."""
    await set_up_at.make(name, receiver, name)
    await set_up_at.accept(name, event("m1"))
    post = (await receiver.until(1, name))[0]
    source = await set_up_at.ask("POST", f"/v1/workspaces/{name}/sources", {"kind": "waha"})
    made = {"scope": "intake", "workspace": name}
    token = await set_up_at.ask("POST", "/v1/tokens", made)
    parameters = {
        "ws": name,
        "workspace": name,
        "chat": CHAT,
        "wh": "crm",
        "source": source.document["id"],
        "token": source.document["token"],
        "tail": "tail",
        "message_id": "m1",
        "job": "1",
    }
    found = {}
    for operation, method, path, body in operations(await ask_at.get("/openapi.json")):
        of_path = post.id if path.startswith("/v1/deliveries") else token.document["id"]
        target = path.format(**parameters, id=post.id if "deliveries" in path else of_path)
        query = "?q=text" if operation in ("search_messages",) else ""
        document = _aimed(body, receiver, name)
        found[operation] = seen(await ask_at.ask(method, target + query, document))
    return found


async def test_every_operation_is_answered_alike_wherever_it_is_asked(tmp_path: Path) -> None:
    async with receiving() as receiver:
        async with two(tmp_path / "cluster") as made:
            mine = set(made.nodes[0].owned)
            names = [f"twin{number}" for number in range(30)]
            theirs = [each for each in names if of_workspace(each, PARTITIONS) not in mine]
            at_owner = await asked(made.apis[1], made.apis[1], theirs[0], receiver)
            elsewhere = await asked(made.apis[0], made.apis[1], theirs[1], receiver)
        async with daemon_in(tmp_path / "alone", listeners=made.nodes[0].config.listeners) as alone:
            by_itself = await asked(Api(alone.session), Api(alone.session), theirs[2], receiver)

        receiver.refused.clear()  # secrets were rotated

    assert elsewhere == at_owner
    assert len(at_owner) > 80
    assert {by_itself[name][:2] for name in OF_A_CLUSTER} == {(409, "in_no_cluster")}
    differ = {name for name, each in by_itself.items() if each != at_owner[name]}
    assert differ == OF_A_CLUSTER, {name: (at_owner[name], by_itself[name]) for name in differ}
    assert max(each[0] for each in at_owner.values()) < 500
