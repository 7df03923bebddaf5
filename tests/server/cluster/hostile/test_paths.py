"""A path that two nodes might read differently: the answer is the owner's, at both."""

import re
from pathlib import Path

from hookbundle.server.cluster.answering import url_of
from hookbundle.tests.server.cluster.hostile.apart import apart

ODD = (
    "/v1/workspaces/{ws}",
    "/v1/workspaces/{ws}/",
    "//v1/workspaces/{ws}",
    "//localhost/v1/workspaces/{ws}",
    "/v1//workspaces/{ws}",
    "/V1/workspaces/{ws}",
    "/v1/workspaces/{ws}?{other}",
    "/v1/workspaces/{ws}#{other}",
    "/v1/workspaces/{ws}#?/../{other}",
    "/v1/workspaces/{other}#?{ws}",
    "/v1/workspaces/{ws}/../{other}",
    "/v1/workspaces/{ws}/%2e%2e/{other}",
    "/v1/workspaces/{other}/..%2f{ws}",
    "/v1/workspaces/{ws}%2f..%2f{other}",
    "/v1/workspaces/{ws}%23",
    "/v1/workspaces/{ws}%3f",
    "/v1/workspaces/{ws};{other}",
    "/v1/workspaces/{ws}%00",
    "/v1/workspaces/{ws}%ff",
    "/v1/workspaces/./{ws}",
    "/v1/workspaces/{ws}/chats/a%2fb",
    "/v1/workspaces/{ws}/chats/%2e%2e",
    "/v1/workspaces/{ws}/chats/a#?b",
    "http://localhost/v1/workspaces/{ws}",
    "http://localhost/v1/workspaces/{ws}#?{other}",
    "http://{other}/v1/workspaces/{ws}",
    "/cluster/tokens/00",
    "//cluster/take",
    "/v1/workspaces/{ws}/../../../cluster/take",
)
ID = re.compile(rb'"request_id":"\w+"|X-Request-Id: \w+|Date: [^\r]+', re.IGNORECASE)


async def test_odd_paths_are_answered_as_by_the_owner(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        ws, other = made.theirs[0], next(name for name in made.theirs[1:] or ["ws0"])
        token, _ = await made.token(ws, "admin")
        for path in ODD:
            target = path.format(ws=ws, other=other)
            answers = []
            for at in (0, 1):
                line = await made.line(at)
                lines = (
                    f"GET {target} HTTP/1.1",
                    "Host: localhost",
                    f"Authorization: Bearer {token}",
                )
                answers.append(await line.ask("\r\n".join([*lines, "\r\n"]).encode()))
                line.hang_up()
            first, second = (ID.sub(b"", answer) for answer in answers)
            assert first == second, target


def test_a_target_is_read_as_off_a_connection() -> None:
    found = url_of("/v1/workspaces/acme#x?y#z")
    assert (found.raw_path, found.raw_query_string) == ("/v1/workspaces/acme#x", "y")
    assert url_of("//cluster/take").raw_path == "//cluster/take"
